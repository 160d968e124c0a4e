//! What a workload and a destination group have between them: the families that compare a pair with its own past, or
//! with what other workloads do.

mod census;
mod series;

use super::{Judged, beacon, cleartext, long, rare, scan, shift};
use crate::key::Remote;
use crate::parallel::{in_parallel, in_parallel_mut};
use crate::policy::Policy;
use crate::time::Day;
use crate::view::{Entry, View, warm_up};
pub(super) use census::{Census, Meeting, Score};
pub(super) use series::{BUCKETS_PER_DAY, Begins, Begun, Series, day_of};

/// Days before something that goes on is told again.
pub(super) const AGAIN_DAYS: u32 = 7;

/// Puts what hosts chose to send in the order of workloads, destination groups and slots.
pub(super) fn in_order(chosen: &mut [Vec<Entry<'_>>]) {
    in_parallel_mut(chosen, |_, entries| {
        entries.sort_unstable_by_key(|entry| {
            let Entry {
                workload,
                slot,
                remote,
                service,
                interface,
                ..
            } = *entry;
            (workload, entry.group(), slot, remote, service, interface)
        });
    });
}

/// All that a workload sent to a destination group, in the order of slots.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'p, 'a> {
    pub(super) entries: &'p [Entry<'a>],
}

impl<'p, 'a> Pair<'p, 'a> {
    pub(super) fn first(&self) -> &'p Entry<'a> {
        &self.entries[0]
    }

    pub(super) fn last(&self) -> &'p Entry<'a> {
        &self.entries[self.entries.len() - 1]
    }

    /// The first day with payload, how much it was, and the first packet of it, Unix seconds.
    pub(super) fn first_day(&self) -> Option<(Day, u64, u32)> {
        let mut sent = self.entries.iter().filter(|entry| entry.sends_payload());
        let one = sent.next()?;
        let day = one.slot.day();
        let others = sent.take_while(|entry| entry.slot.day() == day);
        let (mut sum, mut first) = (one.counters.up().payload, one.counters.first);
        for entry in others {
            sum = sum.saturating_add(entry.counters.up().payload);
            first = first.min(entry.counters.first);
        }
        Some((day, sum, first))
    }

    /// The days with payload and how much it was, in their order.
    pub(super) fn days(&self) -> Vec<(Day, u64)> {
        let mut days: Vec<(Day, u64)> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.sends_payload()) {
            let (day, payload) = (entry.slot.day(), entry.counters.up().payload);
            match days.last_mut() {
                Some((last, sum)) if *last == day => *sum = sum.saturating_add(payload),
                _ => days.push((day, payload)),
            }
        }
        days
    }

    /// The entries of some days.
    pub(super) fn between(&self, first: Day, last: Day) -> &'p [Entry<'a>] {
        let until = |day: Day| {
            let entries = self.entries;
            entries.partition_point(|entry| entry.slot.day() <= day)
        };
        let from = self
            .entries
            .partition_point(|entry| entry.slot.day() < first);
        &self.entries[from..until(last)]
    }
}

/// The pairs of a part whose addresses are told apart.
pub(super) fn of_part<'p, 'a>(entries: &'p [Entry<'a>]) -> impl Iterator<Item = Pair<'p, 'a>> {
    let pairs = entries.chunk_by(|a, b| (a.workload, a.group()) == (b.workload, b.group()));
    let known = pairs.filter(|own| own.iter().all(|entry| entry.kept != Remote::Dropped));
    known.map(|entries| Pair { entries })
}

/// Findings of pairs; entries come [`in_order`].
pub(super) fn judge<'a>(
    view: &'a View<'_>,
    policy: &Policy,
    census: &Census,
    chosen: &[Vec<Entry<'a>>],
) -> Vec<Judged> {
    let parts = in_parallel(chosen, |entries| {
        let mut found = Found::default();
        for of_workload in entries.chunk_by(|a, b| a.workload == b.workload) {
            warm_up(of_workload);
            found.scans.extend(scan::look(policy, of_workload));
            let from = found.shifts.len();
            for pair in of_part(of_workload) {
                let series = series::series(view, policy, census, pair);
                if !series.is_empty() {
                    let beacons = beacon::look(policy, census, pair, &series);
                    let long = long::look(policy, census, pair, &series, &beacons);
                    found.beacons.extend(beacons);
                    found.long.extend(long);
                }
                shift::look(policy, pair, &mut found.shifts);
                found
                    .uploads
                    .extend(cleartext::judge(view, policy, census, pair));
            }
            shift::less_common(policy, of_workload, &mut found.shifts[from..]);
        }
        found
    });
    let mut all = Found::default();
    for part in parts {
        all.beacons.extend(part.beacons);
        all.long.extend(part.long);
        all.shifts.extend(part.shifts);
        all.scans.extend(part.scans);
        all.uploads.extend(part.uploads);
    }
    let mut findings = all.uploads;
    findings.extend(beacon::judge(view, policy, census, all.beacons));
    findings.extend(long::judge(view, policy, census, all.long));
    findings.extend(shift::judge(view, policy, census, all.shifts));
    findings.extend(scan::judge(view, policy, census, all.scans));
    findings.extend(rare::judge(view, policy, census, chosen));
    findings
}

/// What the pairs of a part show by themselves.
#[derive(Debug, Default)]
struct Found<'p, 'a> {
    beacons: Vec<beacon::Beacon<'p, 'a>>,
    long: Vec<long::Long<'p, 'a>>,
    shifts: Vec<shift::Shift<'p, 'a>>,
    scans: Vec<scan::Scan<'p, 'a>>,
    uploads: Vec<Judged>,
}
