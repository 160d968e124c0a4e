//! Whether the rows of an object can be counted at all.

use std::collections::BTreeSet;

use outflow_record::{Field, FlowBatch};

use crate::{Object, Problem};

/// What a flow cannot do without: at least one of each.
const NEEDED: [&[Field]; 4] = [
    &[Field::SrcAddr],
    &[Field::DstAddr],
    &[Field::Bytes],
    &[Field::Start, Field::End],
];

/// What the rows of the object under way have of what counting needs.
#[derive(Debug, Default)]
pub(super) struct Measures {
    rows: u64,
    unmeasured: u64,
    lacking: BTreeSet<Field>,
    log_status: bool,
}

/// Why nothing of an object was counted.
#[derive(Debug)]
pub(super) enum Uncountable {
    /// That is wrong in any case.
    Certain(Problem),
    /// Without `log-status`, rows of `-` are also what an interface without traffic leaves: this is wrong only if
    /// no other object of the run could be counted either.
    IfAlone(Problem),
}

impl Measures {
    pub(super) fn add(&mut self, rows: &FlowBatch, unmeasured: u64) {
        if rows.num_rows() == 0 {
            return;
        }
        self.rows += rows.num_rows() as u64;
        self.unmeasured += unmeasured;
        self.log_status |= rows.has(Field::LogStatus);
        for fields in NEEDED {
            if !fields.iter().any(|field| rows.has(*field)) {
                self.lacking.extend(fields.first());
            }
        }
    }

    /// Adds what other rows of the same object have.
    pub(super) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.unmeasured += other.unmeasured;
        self.log_status |= other.log_status;
        self.lacking.extend(other.lacking);
    }

    /// Rows that were looked at.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// What is wrong with the object, if it has rows and none of them could be counted.
    pub(super) fn uncountable(&self, object: &Object) -> Option<Uncountable> {
        if self.rows == 0 || self.unmeasured < self.rows {
            return None;
        }
        if !self.lacking.is_empty() {
            let lacking: Vec<Field> = self.lacking.iter().copied().collect();
            return Some(Uncountable::Certain(Problem::without_fields(
                object, &lacking,
            )));
        }
        let problem = Problem::without_values(object, self.rows);
        Some(if self.log_status {
            Uncountable::Certain(problem)
        } else {
            Uncountable::IfAlone(problem)
        })
    }
}
