//! What a run judges by: its parameters in their canonical form and the digest of that, and the databases that tell where
//! addresses are.
//!
//! The canonical form is the text of a configuration file (`outflow.toml`): first a comment with the program's version, as its
//! formulas may change with it; then `internal`, all named networks of the border as [`Networks::listed`] has them, whether
//! arguments, the file or the inventory named them; then `policy`, all of it, defaults included, in the order in which it is
//! declared. Whoever gives that text as a configuration judges by the same, and gets the same text. Suppressions are no part of
//! it, as they hide findings and make none, nor is what changes no finding, such as the number of threads.
//!
//! Nothing else digests or compares parameters: `parameters` of a finding is the SHA-256 of this text, a case keeps the text
//! itself, and a checkpoint keeps the same list of networks ([`Border`]).
//!
//! [`Networks::listed`]: outflow_enrich::Networks::listed

use std::sync::Arc;

use outflow_detect::Policy;
use outflow_finding::{Database, Parameters};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Settings;
use crate::Context;
use crate::reader::hex;

/// The program's version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the canonical form says, under the names of the configuration file.
#[derive(Serialize)]
struct JudgedBy<'a> {
    internal: Vec<String>,
    policy: &'a Policy,
}

/// What sums depend on beside the records, in the canonical form of each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Border {
    /// Networks inside, as [`Networks::listed`](outflow_enrich::Networks::listed) has them.
    internal: Vec<String>,
    /// The time that is asked for, Unix seconds.
    since: Option<i64>,
    until: Option<i64>,
    remember_days: Option<u32>,
}

impl Border {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            internal: settings.networks.listed(),
            since: settings.since.map(|at| at.secs()),
            until: settings.until.map(|at| at.secs()),
            remember_days: settings.remember_days,
        }
    }
}

/// What these settings judge by, defaults included, as the text of a configuration file: the canonical form of which
/// [`Finding::parameters`](outflow_finding::Finding::parameters) has the SHA-256.
///
/// ```
/// let text = outflow_ingest::judged_by(&outflow_ingest::Settings::default())?;
/// assert!(text.starts_with("# Judged by outflow ") && text.contains("\nresolver_day = 64000\n"));
/// # Ok::<(), outflow_ingest::Unwritable>(())
/// ```
///
/// # Errors
/// [`Unwritable`] if TOML has no form for a part of the policy, which none of its parts lacks.
pub fn judged_by(settings: &Settings) -> Result<String, Unwritable> {
    let said = JudgedBy {
        internal: settings.networks.listed(),
        policy: &settings.policy,
    };
    let said = toml::to_string(&said).map_err(|source| Unwritable {
        source: Box::new(source),
    })?;
    Ok(format!("# Judged by outflow {VERSION}.\n{said}"))
}

/// What a run judges by has no text.
#[derive(Debug, thiserror::Error)]
#[error("what is judged by cannot be written as a configuration")]
pub struct Unwritable {
    source: Box<toml::ser::Error>,
}

/// The parameters of a run; none, if they cannot be written, which those of a configuration always can.
pub(super) fn of(settings: &Settings) -> Option<Parameters> {
    let text = judged_by(settings).ok()?;
    Some(Parameters {
        version: VERSION.into(),
        sha256: hex(&Sha256::digest(&text)).into(),
    })
}

/// AWS's list of its addresses, by its own name.
pub(super) const RANGES_NAME: &str = "ip-ranges.json";

/// The databases and lists of a context that are asked whose an address is, with their own dates.
pub(super) fn databases(context: &Context) -> Arc<[Database]> {
    let geo = context.geo.sources();
    let geo = geo.map(|(name, built_at)| Database {
        name: name.to_owned(),
        built_at,
    });
    let ranges = context.ranges.iter().map(|ranges| Database {
        name: RANGES_NAME.to_owned(),
        built_at: ranges.created_at(),
    });
    geo.chain(ranges).collect()
}

#[cfg(test)]
mod tests {
    use outflow_enrich::Networks;

    use super::*;

    fn digest(change: impl FnOnce(&mut Settings)) -> String {
        let mut settings = Settings::default();
        change(&mut settings);
        let parameters = of(&settings).unwrap();
        assert_eq!(parameters.sha256.len(), 64);
        parameters.sha256.to_string()
    }

    #[test]
    fn whatever_findings_depend_on_changes_the_digest_and_nothing_else_does() {
        let usual = digest(|_| {});
        assert_eq!(digest(|_| {}), usual);
        assert_eq!(digest(|own| own.workers = 7), usual);
        let of_bounds = digest(|own| own.policy.bounds.workload.day += 1);
        let of_lists = digest(|own| own.policy.services_allowed.push("ssh".to_owned()));
        let border =
            |texts: [&str; 2]| digest(|own| own.networks = Networks::parse(texts).unwrap());
        let of_border = border(["10.0.0.0/8", "147.32.0.0/16"]);
        let all = [&usual, &of_bounds, &of_lists, &of_border];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one), "{at}");
        }
        assert_eq!(border(["147.32.0.0/16", "10.0.0.0/8"]), of_border);
    }

    #[test]
    fn the_text_of_what_is_judged_by_is_digested_and_says_the_same_however_the_border_was_named() {
        let settings = |texts: &[&str]| Settings {
            networks: Networks::parse(texts.iter().copied()).unwrap(),
            ..Settings::default()
        };
        let one = settings(&["147.32.9.9/16", "10.0.0.0/8"]);
        let other = settings(&["10.0.0.0/8", "147.32.0.0/16", "10.1.2.3/8"]);
        let text = judged_by(&one).unwrap();
        assert_eq!(judged_by(&other).unwrap(), text);
        assert_eq!(*of(&one).unwrap().sha256, *hex(&Sha256::digest(&text)));
        assert!(
            text.contains("internal = [\"10.0.0.0/8\", \"147.32.0.0/16\"]\n"),
            "{text}"
        );
        assert!(text.contains(VERSION), "{text}");
        assert_eq!(Border::of(&one), Border::of(&other));
        let later = Settings {
            remember_days: Some(7),
            ..one.clone()
        };
        assert_ne!(Border::of(&later), Border::of(&one));
    }

    #[test]
    fn nothing_is_asked_where_there_is_nothing_to_ask() {
        assert!(databases(&Context::default()).is_empty());
    }
}
