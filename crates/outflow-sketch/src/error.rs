//! What can go wrong when a state is read back.

/// Errors of decoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes end within the state.
    #[error("sketch ends after {available} of {needed} bytes")]
    Truncated {
        /// Bytes that the state takes, as far as could be told.
        needed: usize,
        /// Bytes that there are.
        available: usize,
    },
    /// The bytes were written by another version.
    #[error("sketch has version {found}, which this program does not read")]
    UnknownVersion {
        /// The version byte.
        found: u8,
    },
    /// The bytes are none that encoding writes.
    #[error("sketch is damaged: {reason}")]
    Damaged {
        /// What was wrong.
        reason: &'static str,
    },
}

const _: () = assert!(size_of::<Error>() <= 64);
