//! What can go wrong: bytes that are no state, a policy that makes no sense.

/// Errors of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Bytes that do not hold a state of this version. Nothing is lost by it: a state is a sum of records, which are still in
    /// the lake or the logs.
    #[error(
        "these bytes are no detector state: {reason}; fold the records again, from the lake or the logs"
    )]
    State {
        /// What is wrong with them.
        reason: String,
    },
    /// A bound or a name in a policy that makes no sense.
    #[error("policy: {reason}")]
    Policy {
        /// What is wrong, and with which name.
        reason: String,
    },
}
