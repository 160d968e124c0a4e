//! What is delivered.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use outflow_finding::{Family, Lane, Severity};
use outflow_record::Timestamp;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use crate::Error;

/// Characters of a run's id.
const RUN_ID_CHARS_MAX: usize = 100;

/// How a body is written. Whoever hands in items renders them in the formats that
/// [`Deliverer::formats`](crate::Deliverer::formats) asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// A line of `outflow detect --format json`.
    Json,
    /// An event of OCSF.
    Ocsf,
    /// A finding of the AWS Security Finding Format.
    Asff,
}

impl Format {
    /// The name in settings and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ocsf => "ocsf",
            Self::Asff => "asff",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let all = [Self::Json, Self::Ocsf, Self::Asff];
        all.into_iter()
            .find(|format| format.name() == name)
            .ok_or(())
    }
}

/// The run that found what is delivered: names objects, so that delivering a run again stores nothing twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    // The earlier first.
    at: Timestamp,
    id: String,
}

impl Run {
    /// A run with an id that is its own, and the time whose date its objects are filed under.
    ///
    /// # Errors
    /// [`Error::Run`] if the id is empty, long, or has other characters than letters, digits, `-`, `_` and `.`.
    pub fn new(id: impl Into<String>, at: Timestamp) -> Result<Self, Error> {
        let id = id.into();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if id.is_empty() || id.len() > RUN_ID_CHARS_MAX || !id.chars().all(plain) {
            return Err(Error::Run { id });
        }
        Ok(Self { id, at })
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it was.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// An incident, rendered: one JSON value, and what targets are chosen by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    id: String,
    severity: Severity,
    families: BTreeSet<Family>,
    format: Format,
    body: String,
    lane: Option<Lane>,
}

impl Item {
    /// Takes a body that is one JSON value. It is delivered as it is, but on one line.
    ///
    /// # Errors
    /// [`Error::Body`] if it is not one.
    pub fn new(
        id: impl Into<String>,
        severity: Severity,
        families: impl IntoIterator<Item = Family>,
        format: Format,
        body: &str,
    ) -> Result<Self, Error> {
        let id = id.into();
        if let Err(source) = serde_json::from_str::<IgnoredAny>(body) {
            return Err(Error::Body { id, source });
        }
        Ok(Self {
            id,
            severity,
            families: families.into_iter().collect(),
            format,
            // In JSON, line feeds stand between values only: within them they are escaped.
            body: body.trim().replace(['\n', '\r'], " "),
            lane: None,
        })
    }

    /// The same, told in a lane.
    #[must_use]
    pub fn in_lane(mut self, lane: Option<Lane>) -> Self {
        self.lane = lane;
        self
    }

    /// Where it is told: what no lane is known of alerts.
    pub fn lane(&self) -> Lane {
        self.lane.unwrap_or(Lane::Alert)
    }

    /// Id of the incident.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How grave it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The families of its findings.
    pub fn families(&self) -> &BTreeSet<Family> {
        &self.families
    }

    /// How the body is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The JSON value, on one line.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// What tells this item, as it is now, from all others: 64 hexadecimal digits. A repeated delivery has the same.
    pub fn digest(&self) -> String {
        digest([self.format.name(), &self.id, &self.body])
    }

    /// The names of the families as a JSON array.
    pub(crate) fn family_names(&self) -> String {
        let names: Vec<&str> = self.families.iter().map(|family| family.name()).collect();
        serde_json::json!(names).to_string()
    }
}

/// SHA-256 of texts, each with its length before it, so that no two lists have the same.
pub(crate) fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hex(&hash.finalize())
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
