//! How grave a finding is, on the scale of OCSF.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::Error;

/// How grave a finding is; the numbers are OCSF's `severity_id`.
///
/// ```
/// use outflow_finding::Severity;
/// assert_eq!("high".parse(), Ok(Severity::High));
/// assert_eq!("4".parse(), Ok(Severity::High));
/// assert!(Severity::High > Severity::Medium);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Severity {
    /// Worth recording, no action expected.
    #[default]
    Informational = 1,
    /// Worth a look when there is time.
    Low = 2,
    /// Worth a look today.
    Medium = 3,
    /// Worth a look now.
    High = 4,
    /// Data is leaving and someone should be woken.
    Critical = 5,
}

impl Severity {
    /// Every severity, the least grave first.
    pub const ALL: [Severity; 5] = [
        Self::Informational,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// OCSF's `severity_id`, 1 to 5.
    pub const fn id(self) -> u8 {
        self as u8
    }

    /// The name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Severity {
    type Err = Error;

    /// Reads the name in lower case, or the number.
    fn from_str(name: &str) -> Result<Self, Error> {
        let id = name.parse::<u8>().ok();
        Severity::ALL
            .into_iter()
            .find(|severity| severity.name() == name || Some(severity.id()) == id)
            .ok_or_else(|| Error::UnknownSeverity {
                name: name.to_owned(),
            })
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.id())
    }
}

#[cfg(test)]
mod tests;
