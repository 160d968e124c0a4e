//! Tables that a session is given beside those of its lake: findings of GuardDuty, what was found, which rows show it, and rules of an
//! inventory.

mod columns;
mod evidence;
mod found;
mod guardduty;
mod rules;

use arrow_array::RecordBatch;

pub use evidence::EvidenceRows;
pub use found::{FOUND_LINE_BYTES_MAX, Found, FoundError, FoundLines, found};
pub use guardduty::guardduty;
pub use rules::egress_rules;

/// Names of tables that may be given, and of what.
pub(crate) const GIVEN: [(&str, &str); 6] = [
    (guardduty::NAME, "of findings of GuardDuty"),
    (found::INCIDENTS, "of a run"),
    (found::FINDINGS, "of a run"),
    (evidence::NAME, "of a case"),
    (rules::RULES, "of an inventory in the folder of --context"),
    (rules::MEMBERS, "of an inventory in the folder of --context"),
];

/// What a table of this name is of, if it is one that may be given.
pub(crate) fn given_of(name: &str) -> Option<&'static str> {
    let of = |(known, of): (&str, &'static str)| (known == name).then_some(of);
    GIVEN.into_iter().find_map(of)
}

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
