//! `outflow.toml`.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::Context as _;
use outflow_detect::Policy;
use outflow_ingest::Alerting;
use serde::Deserialize;

use crate::exit::Failure;

/// What a configuration file may say. Names that are not known are errors, so that no misspelt bound is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Networks that are inside, as for `--internal`.
    pub(crate) internal: Vec<String>,
    /// Least severity of an incident that makes the exit code 1, as for `--fail-on`.
    pub(crate) fail_on: Option<String>,
    /// Bounds, baseline and lists.
    pub(crate) policy: Policy,
    /// When incidents alert, and when they are told again.
    pub(crate) alerting: Alerting,
    /// What `outflow contain` may do.
    pub(crate) containment: ContainmentConfig,
    /// The text of the file, as it was read.
    #[serde(skip)]
    pub(crate) text: Option<String>,
}

/// What `outflow contain` may do.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ContainmentConfig {
    /// Whether --automatic may apply a containment without asking.
    pub(crate) automatic: bool,
}

/// Most bytes of a file that people write; a device that never ends is none.
const BYTES_MAX: u64 = 1 << 20;

/// The text of a file, which is to be one.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?
        .take(BYTES_MAX + 1)
        .read_to_string(&mut text)?;
    if read as u64 > BYTES_MAX {
        return Err(io::Error::other("it has more than a megabyte"));
    }
    Ok(text)
}

impl Config {
    /// The configuration of a file, which must make sense, or the defaults.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let named = path.display();
        let text = read_text(path)
            .with_context(|| format!("could not read configuration `{named}`"))
            .map_err(|error| {
                let hint = "name a file that is there, may be read, and is UTF-8 text";
                Failure::usage(error, hint)
            })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| {
            let hint = "correct the line that is named; the README shows all names under Options";
            Failure::toml(&format!("configuration `{named}`"), &error.into(), hint)
        })?;
        config.policy.validate().map_err(|error| {
            Failure::usage(error, format!("correct that under [policy] in `{named}`"))
        })?;
        config.text = Some(text);
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use outflow_enrich::Networks;
    use outflow_ingest::{Settings, judged_by};

    use super::*;

    #[test]
    fn the_effective_configuration_is_one_that_judges_the_same() {
        let written = "internal = ['100.64.0.0/10', '10.0.0.0/8']\nfail_on = 'high'\n\
                       [policy]\nresolvers_allowed = ['9.9.9.9']\nservices_allowed = ['ssh']\n\
                       [policy.bounds]\nicmp_day = 5\nworkload = {day = 1, week = 2, month = 3}\n\
                       [policy.path]\ndenied = ['peering']\n\
                       [[policy.sanctioned]]\ndestination = '203.0.113.0/24'\nbytes_per_day = 7\nreason = 'backup'\n\
                       [[policy.dns.known]]\ndomain = 'example.com'\nbits_per_day = 9\nreason = 'ours'\n";
        let config: Config = toml::from_str(written).unwrap();
        let effective = |config: &Config, internal: &[&str]| {
            let named = config.internal.iter().map(String::as_str);
            let settings = Settings {
                networks: Networks::parse(named.chain(internal.iter().copied())).unwrap(),
                policy: config.policy.clone(),
                ..Settings::default()
            };
            judged_by(&settings).unwrap()
        };
        let text = effective(&config, &["10.0.0.0/8"]);
        let again: Config = toml::from_str(&text).unwrap();
        assert_eq!(again.policy, config.policy, "{text}");
        assert_eq!(again.internal, ["10.0.0.0/8", "100.64.0.0/10"]);
        assert_eq!(effective(&again, &[]), text);
        // Defaults are in it, too: another version with others is told by it.
        let defaults = effective(&Config::default(), &[]);
        assert!(defaults.contains("resolver_day = 64000"), "{defaults}");
        assert_eq!(
            toml::from_str::<Config>(&defaults).unwrap().policy,
            Policy::default()
        );
        assert_ne!(defaults, text);
    }
}
