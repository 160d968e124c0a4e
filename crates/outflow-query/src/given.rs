//! Tables that a session is given beside those of its lake: findings of GuardDuty, and what was found.

mod columns;
mod found;
mod guardduty;

use arrow_array::RecordBatch;

pub use found::{FoundError, found};
pub use guardduty::guardduty;

/// Names of tables that may be given.
pub(crate) const GIVEN: [&str; 3] = [guardduty::NAME, found::INCIDENTS, found::FINDINGS];

/// A table that a session is given.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenTable {
    pub(crate) name: &'static str,
    pub(crate) batch: RecordBatch,
}

impl GivenTable {
    /// What it is called in SQL.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }
}
