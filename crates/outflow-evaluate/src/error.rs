//! What can go wrong.

/// An error of an evaluation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The world cannot be made as asked for.
    #[error("{field} is {value}, and must be from {min} to {max}")]
    OutOfRange {
        /// What is out of range.
        field: &'static str,
        /// What it is.
        value: u32,
        /// The least that it may be.
        min: u32,
        /// The most.
        max: u32,
    },
    /// Columns that are no flow log's.
    #[error("simulated columns are no flow log's")]
    Columns(#[from] outflow_record::Error),
    /// Columns that do not fit together.
    #[error("simulated columns do not fit together")]
    Arrow(#[from] arrow_schema::ArrowError),
}
