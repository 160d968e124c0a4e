//! What can go wrong when a name is read back, or what a format demands is not there.

use crate::AsffNeed;

/// Names that mean nothing, suppressions that make no sense, and what a format lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Text that names no family.
    #[error("`{name}` is no family of findings")]
    UnknownFamily {
        /// The name as given.
        name: String,
    },
    /// Text that names no severity.
    #[error("`{name}` is no severity; one of informational, low, medium, high, critical or 1 to 5")]
    UnknownSeverity {
        /// The name as given.
        name: String,
    },
    /// An incident that does not say what Security Hub must know, where no argument says it either.
    #[error("incident `{incident}` names no {what}")]
    Unnamed {
        /// Its id.
        incident: String,
        /// What it does not name.
        what: AsffNeed,
    },
    /// A suppression that makes no sense.
    #[error("{reason}")]
    Suppression {
        /// Which one, and why.
        reason: String,
    },
}

const _: () = assert!(size_of::<Error>() <= 64);
