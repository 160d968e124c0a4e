//! `outflow.toml`.

use std::path::Path;

use anyhow::Context as _;
use outflow_detect::Policy;
use serde::Deserialize;

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
}

impl Config {
    /// The configuration of a file, or the defaults.
    pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("could not read configuration `{}`", path.display()))?;
        toml::from_str(&text).with_context(|| format!("configuration `{}`", path.display()))
    }
}
