//! What workloads sent on the days before a finding.

use std::collections::{BTreeMap, HashMap};

use outflow_finding::History;

use super::Judged;
use super::baseline::DayPayload;
use crate::key::FixedState;
use crate::parallel::in_parallel;
use crate::policy::Baseline;
use crate::time::Day;
use crate::view::Entry;

/// Payload that workloads chose to send outside, by day, of those that something is told of.
#[derive(Debug, Default)]
pub(super) struct Histories(HashMap<u32, Vec<DayPayload>, FixedState>);

/// What a workload sent before a finding, and on its days.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past<'h> {
    /// The days before, in their order.
    pub(super) before: &'h [DayPayload],
    /// The greatest day of the finding.
    pub(super) greatest: DayPayload,
}

impl Histories {
    /// Looks up what the workloads of findings sent. Entries come [`in_order`](super::pairs::in_order), and no two parts have a
    /// workload in common.
    pub(super) fn look(&mut self, findings: &[Judged], chosen: &[Vec<Entry<'_>>]) {
        let mut wanted: Vec<u32> = findings.iter().filter_map(|own| own.workload).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let of_workload = |of: &u32| {
            chosen.iter().find_map(|entries| {
                let from = entries.partition_point(|own| own.workload < *of);
                let until = entries.partition_point(|own| own.workload <= *of);
                (from < until).then(|| (*of, &entries[from..until]))
            })
        };
        self.add(wanted.iter().filter_map(of_workload));
    }

    /// Adds all that some workloads sent, of those that are not known yet.
    pub(super) fn add<'e, 'a: 'e>(&mut self, all: impl Iterator<Item = (u32, &'e [Entry<'a>])>) {
        let new: BTreeMap<u32, &[Entry<'_>]> =
            all.filter(|(of, _)| !self.0.contains_key(of)).collect();
        let new: Vec<(u32, &[Entry<'_>])> = new.into_iter().collect();
        let days = in_parallel(&new, |(of, entries)| (*of, days(entries)));
        self.0.extend(days);
    }

    /// What a workload sent before the days of a finding, and on the greatest of these.
    pub(super) fn past(&self, workload: u32, (first, last): (Day, Day)) -> Option<Past<'_>> {
        let days = self.0.get(&workload)?;
        let from = days.partition_point(|(day, _)| *day < first);
        let (before, rest) = days.split_at(from);
        let own = &rest[..rest.partition_point(|(day, _)| *day <= last)];
        // Of equal ones the first.
        let greatest = own.iter().rev().max_by_key(|(_, payload)| *payload)?;
        Some(Past {
            before,
            greatest: *greatest,
        })
    }
}

impl Past<'_> {
    /// Its figures, if as many days are known as establish anything.
    pub(super) fn history(&self, rule: &Baseline) -> Option<History> {
        let is_known = self.before.len() >= rule.active_days as usize;
        let payloads = self.before.iter().map(|(_, payload)| *payload);
        is_known
            .then(|| History::of(payloads.collect(), self.greatest.1))
            .flatten()
    }
}

/// Payload by day, of the days with any.
fn days(entries: &[Entry<'_>]) -> Vec<DayPayload> {
    let mut days: BTreeMap<Day, u64> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.sends_payload()) {
        let sum = days.entry(entry.slot.day()).or_default();
        *sum = sum.saturating_add(entry.counters.up().payload);
    }
    days.into_iter().collect()
}
