//! What is unexplained, by workload, destination group and slot.

use std::collections::{BTreeMap, BTreeSet};

use outflow_record::Addr;

use super::crossing::{Crossing, crossings};
use crate::judge::baseline::{DayPayload, allowance, raised};
use crate::policy::{Horizons, Policy};
use crate::time::{Day, Slot};
use crate::view::{Entry, View};

/// Unexplained payload of a workload to a destination group in a slot.
#[derive(Debug, Clone)]
pub(super) struct Unexplained {
    pub(super) workload: u32,
    pub(super) group: Addr,
    /// The group's number, in the order of addresses.
    pub(super) group_id: u64,
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
    just_charged: Vec<usize>,
}

impl<'a> Charges<'a> {
    /// Explains what the past and policy explain, and keeps the rest.
    pub(super) fn of(view: &'a View<'_>, policy: &Policy) -> Self {
        let entries = view.entries(|key, counters| {
            key.service.external && !key.service.served && counters.up.payload > 0
        });
        let mut all = Vec::new();
        let mut start = 0;
        for run in entries.chunk_by(|a, b| (a.workload, a.group) == (b.workload, b.group)) {
            explain_run(view, policy, run, start, &mut all);
            start += run.len();
        }
        let mut charges = Self {
            entries,
            all,
            just_charged: Vec::new(),
        };
        charges.explain_common(view, policy);
        charges.number_groups();
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

    /// Crossings of bounds by what is not charged yet, summed by `by`, and the charges of each.
    pub(super) fn cross(
        &mut self,
        by: impl Fn(&Unexplained) -> u64,
        bounds: &Horizons,
    ) -> Vec<(Crossing, Vec<usize>)> {
        let least = bounds.day.min(bounds.week).min(bounds.month);
        let mut order: Vec<(u64, Slot, usize)> = Vec::new();
        for (at, charge) in self
            .all
            .iter()
            .enumerate()
            .filter(|(_, charge)| !charge.charged)
        {
            order.push((by(charge), charge.slot, at));
        }
        order.sort_unstable();
        let mut found = Vec::new();
        for run in order.chunk_by(|a, b| a.0 == b.0) {
            let total: u64 = run.iter().map(|(_, _, at)| self.all[*at].unexplained).sum();
            if total < least {
                continue;
            }
            let series: Vec<(Slot, u64)> = run
                .iter()
                .map(|(_, slot, at)| (*slot, self.all[*at].unexplained))
                .collect();
            for crossing in crossings(&series, bounds) {
                let members = crossing.members.clone().map(|place| run[place].2);
                let members: Vec<usize> = members.collect();
                self.just_charged.extend(&members);
                found.push((crossing, members));
            }
        }
        found
    }

    /// Takes what the last ledger charged out of the next one's sums.
    pub(super) fn settle(&mut self) {
        for at in self.just_charged.drain(..) {
            self.all[at].charged = true;
        }
    }

    /// Unexplained payload of each workload on each day.
    pub(super) fn workload_days(&self) -> BTreeMap<Day, Vec<u64>> {
        let mut sums: BTreeMap<(Day, u32), u64> = BTreeMap::new();
        for charge in &self.all {
            *sums
                .entry((charge.slot.day(), charge.workload))
                .or_default() += charge.unexplained;
        }
        let mut days: BTreeMap<Day, Vec<u64>> = BTreeMap::new();
        for ((day, _), sum) in sums {
            days.entry(day).or_default().push(sum);
        }
        days
    }

    /// For each workload, the number of its account.
    pub(super) fn accounts(&self, view: &View<'_>) -> Vec<u64> {
        let last = self
            .all
            .iter()
            .map(|charge| charge.workload)
            .max()
            .map_or(0, |last| last + 1);
        let account = |id: u32| view.workload(id).account_id.as_str();
        let names: BTreeSet<&str> = (0..last).map(account).collect();
        let rank = |name: &str| names.range(..name).count() as u64;
        let ranks: BTreeMap<&str, u64> = names.iter().map(|name| (*name, rank(name))).collect();
        (0..last).map(|id| ranks[account(id)]).collect()
    }

    fn number_groups(&mut self) {
        let mut groups: Vec<Addr> = self.all.iter().map(|charge| charge.group).collect();
        groups.sort_unstable();
        groups.dedup();
        for charge in &mut self.all {
            charge.group_id = groups.partition_point(|group| *group < charge.group) as u64;
        }
    }

    /// A destination that many workloads of several accounts have used for long is common: each may send there
    /// what its users usually do.
    fn explain_common(&mut self, view: &View<'_>, policy: &Policy) {
        let users_min = policy.baseline.common_workloads as usize;
        let mut by_group: Vec<usize> = (0..self.all.len()).collect();
        by_group.sort_unstable_by_key(|at| (self.all[*at].group, self.all[*at].slot, *at));
        let mut rest = by_group.as_slice();
        while let Some(first) = rest.first() {
            let group = self.all[*first].group;
            let len = rest.partition_point(|at| self.all[*at].group <= group);
            let (run, others) = rest.split_at(len);
            rest = others;
            if run.len() >= users_min {
                self.explain_group(view, policy, run);
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
            let sum = charge.unexplained + charge.explained;
            *sums
                .entry((charge.workload, charge.slot.day()))
                .or_default() += sum;
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
            Some((last, payload)) if *last == day => *payload += entry.counters.up.payload,
            _ => history.push((day, entry.counters.up.payload)),
        }
    }
    let Some((first_day, _)) = history.first().copied() else {
        return;
    };
    let sanctioned = sanction(view, policy, &run[0]);
    let mut at = start;
    let mut left: Option<(Day, u64)> = None;
    for slot_run in run.chunk_by(|a, b| a.slot == b.slot) {
        let (slot, day) = (slot_run[0].slot, slot_run[0].slot.day());
        let allowed = match left {
            Some((of, rest)) if of == day => rest,
            _ => allowance(&history, day, &policy.baseline).max(sanctioned),
        };
        let payload: u64 = slot_run.iter().map(|entry| entry.counters.up.payload).sum();
        let explained = payload.min(allowed);
        left = Some((day, allowed - explained));
        all.push(Unexplained {
            workload: run[0].workload,
            group: run[0].group,
            group_id: 0,
            slot,
            unexplained: payload - explained,
            explained,
            first_day,
            entries: (at, at + slot_run.len()),
            charged: false,
        });
        at += slot_run.len();
    }
}

/// Bytes a day that policy allows this workload to this group.
fn sanction(view: &View<'_>, policy: &Policy, entry: &Entry<'_>) -> u64 {
    let name = &view.workload(entry.workload).name;
    let interface = &view.entity(entry.entity).key.interface_id;
    let applies = policy.sanctioned.iter().filter(|rule| {
        let ours = rule
            .workload
            .as_ref()
            .is_none_or(|own| own == name || own == interface);
        ours && rule.destination.contains(&entry.remote.to_ip())
    });
    applies.map(|rule| rule.bytes_per_day).max().unwrap_or(0)
}
