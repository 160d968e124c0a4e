//! What a run judges by: a digest of its parameters, and the databases that tell where addresses are.

use std::sync::Arc;

use outflow_detect::Policy;
use outflow_finding::{Database, Parameters};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Settings;
use crate::Context;
use crate::reader::hex;

/// All that findings of the same records depend on, beside what context knows. Suppressions are no part of it: they hide
/// findings, and make none.
#[derive(Serialize)]
struct Effective<'a> {
    /// The program's version, as its formulas may change with it.
    version: &'a str,
    /// The border.
    internal: &'a str,
    policy: &'a Policy,
}

/// The parameters of a run; none, if they cannot be written, which what has only names for keys always can.
pub(super) fn of(settings: &Settings) -> Option<Parameters> {
    let version = env!("CARGO_PKG_VERSION");
    let sha256 = parameters_sha256(version, &settings.networks.to_string(), &settings.policy)?;
    Some(Parameters {
        version: version.into(),
        sha256: sha256.into(),
    })
}

/// The digest of parameters that findings of this version of the program have, of a border as [`Settings::networks`] are written;
/// none, if a policy cannot be written.
pub fn parameters_sha256(version: &str, internal: &str, policy: &Policy) -> Option<String> {
    let effective = Effective {
        version,
        internal,
        policy,
    };
    let text = serde_json::to_vec(&effective).ok()?;
    Some(hex(&Sha256::digest(&text)))
}

/// The databases and lists of a context that are asked whose an address is, with their own dates.
pub(super) fn databases(context: &Context) -> Arc<[Database]> {
    let geo = context.geo.sources();
    let geo = geo.map(|(name, built_at)| Database {
        name: name.to_owned(),
        built_at,
    });
    let ranges = context.ranges.iter().map(|ranges| Database {
        name: "ip-ranges.json".to_owned(),
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
    fn nothing_is_asked_where_there_is_nothing_to_ask() {
        assert!(databases(&Context::default()).is_empty());
    }
}
