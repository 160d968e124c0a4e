//! What can go wrong when documents are read.

/// A document that is none of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Bytes that are no findings of GuardDuty.
    #[error("`{source_name}`, line {line}: {what}")]
    BadFindings {
        /// Name of the document, as it was given.
        source_name: String,
        /// Line in it, from 1 on.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Text that is no run of `outflow detect`.
    #[error("`{source_name}`, line {line}: {what}")]
    BadRun {
        /// Name of the document, as it was given.
        source_name: String,
        /// Line in it, from 1 on.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// An incident that nothing can be contained of.
    #[error("incident `{id}` cannot be contained: {what}")]
    Uncontainable {
        /// Its id.
        id: String,
        /// Why not.
        what: String,
    },
    /// Bytes that are no policy of posture.
    #[error("the policy of posture is not understood: {what}")]
    BadPolicy {
        /// What is wrong with it.
        what: String,
    },
}

const _: () = assert!(size_of::<Error>() <= 64);
