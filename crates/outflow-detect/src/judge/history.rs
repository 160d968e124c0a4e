//! What workloads sent on the days before a finding.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use outflow_finding::History;

use super::Judged;
use super::baseline::{DayPayload, SEASON_DAYS_MIN};
use crate::key::FixedState;
use crate::parallel::in_parallel;
use crate::policy::Baseline;
use crate::time::Day;
use crate::view::Entry;

/// Payload that workloads chose to send outside, by day, of those that something is told of.
#[derive(Debug)]
pub(super) struct Histories {
    by_workload: HashMap<u32, Vec<DayPayload>, FixedState>,
    /// Days before another that tell anything of it.
    days_min: usize,
}

/// What a workload sent before a finding, and on its days.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past<'h> {
    /// The days before, in their order.
    pub(super) before: &'h [DayPayload],
    /// On how many of these the ledger charged something.
    pub(super) charged: usize,
    /// The greatest day of the finding.
    pub(super) greatest: DayPayload,
}

impl Histories {
    /// Of nothing yet.
    pub(super) fn new(rule: &Baseline) -> Self {
        Self {
            by_workload: HashMap::default(),
            days_min: SEASON_DAYS_MIN.min(rule.active_days as usize),
        }
    }

    /// Looks up what the workloads of findings sent. Entries come [`in_order`](super::pairs::in_order).
    pub(super) fn look(&mut self, findings: &[Judged], chosen: &[Vec<Entry<'_>>]) {
        let wanted: BTreeSet<u32> = findings.iter().filter_map(|own| own.workload).collect();
        let workloads = chosen
            .iter()
            .flat_map(|entries| entries.chunk_by(|a, b| a.workload == b.workload));
        let workloads = workloads.map(|entries| (entries[0].workload, entries));
        self.add(workloads.filter(|(of, _)| wanted.contains(of)));
    }

    /// Adds all that some workloads sent, of those that are not known yet.
    pub(super) fn add<'e, 'a: 'e>(&mut self, all: impl Iterator<Item = (u32, &'e [Entry<'a>])>) {
        let new: BTreeMap<u32, &[Entry<'_>]> = all
            .filter(|(of, _)| !self.by_workload.contains_key(of))
            .collect();
        let new: Vec<(u32, &[Entry<'_>])> = new.into_iter().collect();
        let days = in_parallel(&new, |(of, entries)| {
            // Looking at what was sent on each of a few days would take longer, and tell nothing.
            let is_known = are_more_days(entries, self.days_min);
            (*of, if is_known { days(entries) } else { Vec::new() })
        });
        self.by_workload.extend(days);
    }

    /// What a workload sent before the days of a finding, some of which were charged, and on the greatest of its own.
    pub(super) fn past(
        &self,
        workload: u32,
        (first, last): (Day, Day),
        is_charged: impl Fn(Day) -> bool,
    ) -> Option<Past<'_>> {
        let days = self.by_workload.get(&workload)?;
        let from = days.partition_point(|(day, _)| *day < first);
        let (before, rest) = days.split_at(from);
        let own = &rest[..rest.partition_point(|(day, _)| *day <= last)];
        // Of equal ones the first.
        let greatest = own.iter().rev().max_by_key(|(_, payload)| *payload);
        Some(Past {
            before,
            charged: before.iter().filter(|(day, _)| is_charged(*day)).count(),
            greatest: greatest.copied().unwrap_or((last, 0)),
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

/// Whether there are entries of more than so many days.
fn are_more_days(entries: &[Entry<'_>], least: usize) -> bool {
    let mut days = BTreeSet::new();
    entries.iter().any(|entry| {
        let day = entry.slot.day();
        !days.contains(&day) && days.insert(day) && days.len() > least
    })
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
