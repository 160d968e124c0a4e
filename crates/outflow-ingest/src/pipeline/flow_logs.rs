//! Rows by flow log, as objects' names tell.

use std::collections::BTreeMap;

use outflow_finding::{FlowLogCoverage, RowCounts};
use serde::{Deserialize, Serialize};

/// Flow logs that are told apart: more than an organization has. Of more, the first by id are kept, whatever the order
/// in which they come; [`FlowLogs::left_out`] counts the rows of the others.
const FLOW_LOGS_MAX: usize = 1 << 16;

/// Counts that add up.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct FlowLogs {
    known: BTreeMap<String, RowCounts>,
    rows: u64,
}

impl FlowLogs {
    pub(super) fn add(&mut self, id: &str, rows: &RowCounts) {
        self.rows += total(rows);
        self.keep(id, rows, FLOW_LOGS_MAX);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        for (id, rows) in &other.known {
            self.keep(id, rows, FLOW_LOGS_MAX);
        }
    }

    /// Rows of flow logs that are not kept.
    pub(super) fn left_out(&self) -> u64 {
        self.rows - self.known.values().map(total).sum::<u64>()
    }

    /// In the order of ids.
    pub(super) fn listed(&self) -> Vec<FlowLogCoverage> {
        let listed = self.known.iter().map(|(id, rows)| FlowLogCoverage {
            flow_log_id: id.clone(),
            rows: *rows,
        });
        listed.collect()
    }

    fn keep(&mut self, id: &str, rows: &RowCounts, max: usize) {
        match self.known.get_mut(id) {
            Some(known) => known.add(rows),
            None => {
                self.known.insert(id.to_owned(), *rows);
            }
        }
        if self.known.len() > max {
            self.known.pop_last();
        }
    }
}

fn total(rows: &RowCounts) -> u64 {
    rows.accepted + rows.rejected + rows.unmeasured
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_by_id_are_kept_in_any_order() {
        let rows = |accepted| RowCounts {
            accepted,
            ..RowCounts::default()
        };
        let mut ids: Vec<u64> = (0..40).collect();
        let mut expected = None;
        for _ in 0..ids.len() {
            ids.rotate_left(7);
            let mut all = FlowLogs::default();
            for id in ids.iter().chain(&ids) {
                all.rows += id + 1;
                all.keep(&format!("fl-{id:02}"), &rows(id + 1), 10);
            }
            assert_eq!(all.left_out(), 2 * (11..=40).sum::<u64>());
            let kept = all.listed();
            assert_eq!((kept.len(), kept[9].rows.accepted), (10, 20));
            assert_eq!(*expected.get_or_insert(kept.clone()), kept);
        }
    }
}
