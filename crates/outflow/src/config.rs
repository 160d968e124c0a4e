//! `outflow.toml`.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::Context as _;
use outflow_detect::Policy;
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
    /// What `outflow contain` may do.
    pub(crate) containment: ContainmentConfig,
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
        let config: Self = toml::from_str(&text)
            .with_context(|| format!("configuration `{named}`"))
            .map_err(|error| {
                let hint =
                    "correct the line that is named; the README shows all names under Options";
                Failure::usage(error, hint)
            })?;
        config.policy.validate().map_err(|error| {
            Failure::usage(error, format!("correct that under [policy] in `{named}`"))
        })?;
        Ok(config)
    }
}
