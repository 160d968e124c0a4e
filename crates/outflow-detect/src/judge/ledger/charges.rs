//! What is unexplained, by workload, destination group and slot.

use std::collections::{BTreeMap, BTreeSet};

use outflow_record::Addr;

use super::crossing::{Crossing, DAYS_MAX, crossing};
use crate::counters::total;
use crate::judge::baseline::{DayPayload, allowance, raised};
use crate::policy::{Horizons, Policy};
use crate::time::{Day, Slot};
use crate::view::{Entry, View};

/// Unexplained payload of a workload to a destination group in a slot.
#[derive(Debug, Clone)]
pub(super) struct Unexplained {
    pub(super) workload: u32,
    pub(super) group: Addr,
    pub(super) slot: Slot,
    /// Payload that nothing explains.
    pub(super) unexplained: u64,
    /// Payload beside it that the past or policy explains.
    pub(super) explained: u64,
    /// The day on which this workload first sent to the group.
    pub(super) first_day: Day,
    entries: (usize, usize),
    /// A ledger has charged it.
    charged: bool,
}

/// All that is unexplained, and the entries behind it.
#[derive(Debug)]
pub(super) struct Charges<'a> {
    entries: Vec<Entry<'a>>,
    all: Vec<Unexplained>,
}

/// The charges as one ledger sums them up.
#[derive(Debug)]
pub(super) struct Ledger {
    bounds: Horizons,
    /// Places of charges in the order of slots, for each sum that can cross a bound at all.
    series: Vec<Vec<usize>>,
}

impl Ledger {
    /// The ledger that sums charges up by `by`.
    pub(super) fn of(
        charges: &Charges<'_>,
        bounds: Horizons,
        by: impl Fn(&Unexplained) -> u128,
    ) -> Self {
        let least = bounds.day.min(bounds.week).min(bounds.month);
        let all = &charges.all;
        // What is compared lies in what is sorted: a place alone would be looked up in memory each time.
        let of = |(at, charge): (usize, &Unexplained)| (by(charge), charge.slot, at);
        let mut order: Vec<(u128, Slot, usize)> = all.iter().enumerate().map(of).collect();
        order.sort_unstable();
        let series = order
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|run| total(run.iter().map(|(.., at)| all[*at].unexplained)) >= least)
            .map(|run| run.iter().map(|(.., at)| *at).collect());
        Self {
            bounds,
            series: series.collect(),
        }
    }
}

impl<'a> Charges<'a> {
    /// Explains what the past and policy explain, and keeps the rest.
    pub(super) fn of(view: &'a View<'_>, policy: &Policy, mut entries: Vec<Entry<'a>>) -> Self {
        entries.sort_unstable_by_key(|entry| {
            let Entry {
                workload,
                group,
                slot,
                remote,
                service,
                interface,
                ..
            } = *entry;
            (workload, group, slot, remote, service, interface)
        });
        // At most one an entry; room that is not used costs no memory, growing would cost it twice.
        let mut all = Vec::with_capacity(entries.len());
        let mut start = 0;
        for run in entries.chunk_by(|a, b| (a.workload, a.group) == (b.workload, b.group)) {
            explain_run(view, policy, run, start, &mut all);
            start += run.len();
        }
        let mut charges = Self { entries, all };
        charges.explain_common(view, policy);
        charges.all.retain(|charge| charge.unexplained > 0);
        charges
    }

    pub(super) fn get(&self, at: usize) -> &Unexplained {
        &self.all[at]
    }

    pub(super) fn entries(&self, at: usize) -> &[Entry<'a>] {
        let (from, to) = self.all[at].entries;
        &self.entries[from..to]
    }

    /// Crossings of a ledger's bounds on a day, by what no ledger has charged before, and the charges of each.
    /// From then on they are charged. Days come in their order, so that no later one has influence.
    pub(super) fn cross(&mut self, ledger: &Ledger, day: Day) -> Vec<(Crossing, Vec<usize>)> {
        let oldest = Day(day.0.saturating_sub(DAYS_MAX - 1));
        let mut found = Vec::new();
        for series in &ledger.series {
            let all = &self.all;
            let day_of = |at: usize| all[at].slot.day();
            let until = series.partition_point(|at| day_of(*at) <= day);
            if until == 0 || day_of(series[until - 1]) != day {
                continue;
            }
            let from = series.partition_point(|at| day_of(*at) < oldest);
            let mut open: Vec<usize> = series[from..until]
                .iter()
                .copied()
                .filter(|at| !all[*at].charged)
                .collect();
            let sums: Vec<(Slot, u64)> = open
                .iter()
                .map(|at| (all[*at].slot, all[*at].unexplained))
                .collect();
            if let Some(crossing) = crossing(&sums, day, &ledger.bounds) {
                let members = open.split_off(crossing.from);
                for at in &members {
                    self.all[*at].charged = true;
                }
                found.push((crossing, members));
            }
        }
        found
    }

    /// Unexplained payload of each workload on each day.
    pub(super) fn workload_days(&self) -> BTreeMap<Day, Vec<u64>> {
        let mut sums: BTreeMap<(Day, u32), u64> = BTreeMap::new();
        for charge in &self.all {
            let sum = sums
                .entry((charge.slot.day(), charge.workload))
                .or_default();
            *sum = sum.saturating_add(charge.unexplained);
        }
        let mut days: BTreeMap<Day, Vec<u64>> = BTreeMap::new();
        for ((day, _), sum) in sums {
            days.entry(day).or_default().push(sum);
        }
        days
    }

    /// For each workload, the number of its account.
    pub(super) fn accounts(&self, view: &View<'_>) -> Vec<u128> {
        let last = self
            .all
            .iter()
            .map(|charge| charge.workload)
            .max()
            .map_or(0, |last| last + 1);
        let account = |id: u32| view.workload(id).account_id.as_str();
        let names: BTreeSet<&str> = (0..last).map(account).collect();
        let ranks: BTreeMap<&str, u128> = names.iter().copied().zip(0..).collect();
        (0..last).map(|id| ranks[account(id)]).collect()
    }

    /// A destination that many workloads of several accounts have used for long is common: each may send there
    /// what its users usually do.
    fn explain_common(&mut self, view: &View<'_>, policy: &Policy) {
        let rule = &policy.baseline;
        let days = self.all.iter().map(|charge| charge.slot.day().0);
        let (first, last) = (days.clone().min().unwrap_or(0), days.max().unwrap_or(0));
        if last - first < rule.spread_days {
            return;
        }
        let of = |(at, charge): (usize, &Unexplained)| (charge.group, charge.slot, at);
        let mut by_group: Vec<(Addr, Slot, usize)> = self.all.iter().enumerate().map(of).collect();
        by_group.sort_unstable();
        for run in by_group.chunk_by(|a, b| a.0 == b.0) {
            if run.len() >= rule.common_workloads as usize {
                let places: Vec<usize> = run.iter().map(|(.., at)| *at).collect();
                self.explain_group(view, policy, &places);
            }
        }
    }

    fn explain_group(&mut self, view: &View<'_>, policy: &Policy, run: &[usize]) {
        let mut days: Vec<Day> = run.iter().map(|at| self.all[*at].slot.day()).collect();
        days.dedup();
        for day in days {
            let Some(usual) = self.usual(view, policy, run, day) else {
                continue;
            };
            let mut left: BTreeMap<u32, u64> = BTreeMap::new();
            for at in run {
                let charge = &mut self.all[*at];
                if charge.slot.day() == day {
                    let left = left.entry(charge.workload).or_insert(usual);
                    let explained = charge.unexplained.min(*left);
                    *left -= explained;
                    charge.unexplained -= explained;
                    charge.explained += explained;
                }
            }
        }
    }

    /// What users of a common destination usually send there in a day; `None` if it is not common on this day.
    fn usual(&self, view: &View<'_>, policy: &Policy, run: &[usize], day: Day) -> Option<u64> {
        let rule = &policy.baseline;
        let before = day.0.checked_sub(rule.spread_days)?;
        let known = run.partition_point(|at| self.all[*at].slot.day().0 <= before);
        let mut sums: BTreeMap<(u32, Day), u64> = BTreeMap::new();
        for at in &run[..known] {
            let charge = &self.all[*at];
            let sum = sums
                .entry((charge.workload, charge.slot.day()))
                .or_default();
            *sum = total([*sum, charge.unexplained, charge.explained]);
        }
        let users: BTreeSet<u32> = sums.keys().map(|(workload, _)| *workload).collect();
        let account = |id: &u32| view.workload(*id).account_id.as_str();
        let accounts: BTreeSet<&str> = users.iter().map(account).collect();
        let common = users.len() >= rule.common_workloads as usize && accounts.len() >= 2;
        common.then(|| raised(sums.into_values().collect()))
    }
}

/// Explains the entries of one workload to one group, which are in the order of slots.
fn explain_run(
    view: &View<'_>,
    policy: &Policy,
    run: &[Entry<'_>],
    start: usize,
    all: &mut Vec<Unexplained>,
) {
    let mut history: Vec<DayPayload> = Vec::new();
    for entry in run {
        let day = entry.slot.day();
        match history.last_mut() {
            Some((last, payload)) if *last == day => {
                *payload = payload.saturating_add(entry.counters.up.payload);
            }
            _ => history.push((day, entry.counters.up.payload)),
        }
    }
    let Some((first_day, _)) = history.first().copied() else {
        return;
    };
    let sanctions: Vec<u64> = run
        .iter()
        .map(|entry| sanction(view, policy, entry))
        .collect();
    let mut at = 0;
    let mut left = Allowance::default();
    let mut today = None;
    for slot_run in run.chunk_by(|a, b| a.slot == b.slot) {
        let (slot, day) = (slot_run[0].slot, slot_run[0].slot.day());
        if today != Some(day) {
            let usual = allowance(&history, day, &policy.baseline);
            let of_day = run[at..].iter().take_while(|entry| entry.slot.day() == day);
            let sanctioned = of_day.zip(&sanctions[at..]).map(|(_, allowed)| *allowed);
            let sanctioned = sanctioned.max().unwrap_or(0);
            left = Allowance {
                usual,
                at_most: usual.max(sanctioned),
            };
            today = Some(day);
        }
        let end = at + slot_run.len();
        let payload_of = |wanted: bool| {
            let with_sanctions = slot_run.iter().zip(&sanctions[at..end]);
            let these = with_sanctions.filter(move |(_, allowed)| (**allowed > 0) == wanted);
            total(these.map(|(entry, _)| entry.counters.up.payload))
        };
        let payload = payload_of(true).saturating_add(payload_of(false));
        let explained = left.explain(payload_of(true), payload_of(false));
        all.push(Unexplained {
            workload: run[0].workload,
            group: run[0].group,
            slot,
            unexplained: payload - explained,
            explained,
            first_day,
            entries: (start + at, start + end),
            charged: false,
        });
        at = end;
    }
}

/// What is left of a day's allowance to a destination group.
#[derive(Debug, Clone, Copy, Default)]
struct Allowance {
    /// For any of its addresses, by the past.
    usual: u64,
    /// In all, with what policy allows to some of them.
    at_most: u64,
}

impl Allowance {
    /// How much of the payload to sanctioned addresses and to others it explains, which is then used up.
    fn explain(&mut self, sanctioned: u64, others: u64) -> u64 {
        let of_sanctioned = sanctioned.min(self.at_most);
        self.at_most -= of_sanctioned;
        let of_others = others.min(self.usual).min(self.at_most);
        self.at_most -= of_others;
        self.usual -= of_others;
        of_sanctioned + of_others
    }
}

/// Bytes a day that policy allows from this interface to this address.
fn sanction(view: &View<'_>, policy: &Policy, entry: &Entry<'_>) -> u64 {
    let name = &view.workload(entry.workload).name;
    let interface = &view.interface(entry.interface).key.interface_id;
    let applies = policy.sanctioned.iter().filter(|rule| {
        let ours = rule
            .workload
            .as_ref()
            .is_none_or(|own| own == name || own == interface);
        ours && rule.destination.contains(&entry.remote.to_ip())
    });
    applies.map(|rule| rule.bytes_per_day).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
