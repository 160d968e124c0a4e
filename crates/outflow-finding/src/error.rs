//! What can go wrong when a name is read back.

/// Names that mean nothing, and suppressions that make no sense.
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
    /// A suppression that makes no sense.
    #[error("{reason}")]
    Suppression {
        /// Which one, and why.
        reason: String,
    },
}

const _: () = assert!(size_of::<Error>() <= 64);
