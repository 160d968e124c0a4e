//! What is unexplained, by workload, destination group and slot.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use outflow_record::Addr;

use super::crossing::{Crossing, DAYS_MAX, Horizon, Payload, crossing};
use crate::counters::total;
use crate::judge::baseline::{DayPayload, Levels, allowance};
use crate::key::FixedState;
use crate::parallel::in_parallel_mut;
use crate::policy::{Horizons, Policy, Sanctioned};
use crate::time::{Day, Slot};
use crate::view::{Entry, View};

/// Unexplained payload of a workload to a destination group in a slot.
#[derive(Debug, Clone)]
pub(super) struct Unexplained {
    pub(super) workload: u32,
    pub(super) group: Addr,
    pub(super) slot: Slot,
    /// All payload of the slot.
    pub(super) payload: u64,
    /// What of it nothing explains.
    pub(super) unexplained: Payload,
    /// The day on which this workload first sent to the group.
    pub(super) first_day: Day,
    /// Their part, and from where to where in it.
    entries: (u32, u32, u32),
    /// A ledger has charged it.
    charged: bool,
}

/// All that is unexplained, and the entries behind it.
#[derive(Debug)]
pub(super) struct Charges<'a> {
    /// In parts that have no workload in common.
    entries: Vec<Vec<Entry<'a>>>,
    all: Vec<Unexplained>,
}

/// The charges as one ledger sums them up.
#[derive(Debug)]
pub(super) struct Ledger {
    bounds: Horizons,
    /// Places of charges in the order of slots, for each sum that can cross a bound at all.
    series: Vec<Vec<u32>>,
}

impl Ledger {
    /// The ledger that sums charges up by `by`.
    pub(super) fn of<K: Copy + Eq + Hash>(
        charges: &Charges<'_>,
        bounds: Horizons,
        by: impl Fn(&Unexplained) -> K,
    ) -> Self {
        let least = bounds.day.min(bounds.week).min(bounds.month);
        // Most sums cross no bound: they are told by one look each, and only the others are put in order.
        let mut sums: HashMap<K, (u64, u32), FixedState> = HashMap::default();
        for charge in &charges.all {
            let (sum, _) = sums.entry(by(charge)).or_default();
            *sum = sum.saturating_add(charge.unexplained.month);
        }
        let mut series: Vec<Vec<u32>> = Vec::new();
        sums.retain(|_, (sum, _)| *sum >= least);
        for (at, charge) in (0..).zip(&charges.all) {
            if let Some((_, number)) = sums.get_mut(&by(charge)) {
                // Numbered in the order of meeting, from one on.
                if *number == 0 {
                    series.push(Vec::new());
                    *number = u32::try_from(series.len()).unwrap_or(u32::MAX);
                }
                series[*number as usize - 1].push(at);
            }
        }
        for places in &mut series {
            places.sort_unstable_by_key(|at| (charges.get(*at).slot, *at));
        }
        Self { bounds, series }
    }

    pub(super) fn bounds(&self) -> Horizons {
        self.bounds
    }
}

impl<'a> Charges<'a> {
    /// Explains what the past and policy explain, and keeps the rest.
    pub(super) fn of(
        view: &'a View<'_>,
        policy: &Policy,
        mut entries: Vec<Vec<Entry<'a>>>,
    ) -> Self {
        let explained = in_parallel_mut(&mut entries, |part, entries| {
            explain_part(view, policy, part, entries)
        });
        let mut charges = Self {
            entries,
            all: explained.concat(),
        };
        charges.explain_common(view, policy);
        charges.all.retain(|charge| charge.unexplained.month > 0);
        charges
    }

    pub(super) fn get(&self, at: u32) -> &Unexplained {
        &self.all[at as usize]
    }

    /// What of some charges counts towards the bound of a span.
    pub(super) fn unexplained(&self, members: &[u32], horizon: Horizon) -> u64 {
        let sums = members.iter().map(|at| self.get(*at).unexplained);
        total(sums.map(|sum| sum.within(horizon)))
    }

    pub(super) fn entries(&self, at: u32) -> &[Entry<'a>] {
        let (part, from, to) = self.get(at).entries;
        &self.entries[part as usize][from as usize..to as usize]
    }

    /// Crossings of a ledger's bounds on a day, by what no ledger has charged before, and the charges of each.
    /// From then on they are charged. Days come in their order, so that no later one has influence.
    pub(super) fn cross(&mut self, ledger: &Ledger, day: Day) -> Vec<(Crossing, Vec<u32>)> {
        let oldest = Day(day.0.saturating_sub(DAYS_MAX - 1));
        let mut found = Vec::new();
        for series in &ledger.series {
            let day_of = |at: u32| self.get(at).slot.day();
            let until = series.partition_point(|at| day_of(*at) <= day);
            if until == 0 || day_of(series[until - 1]) != day {
                continue;
            }
            let from = series.partition_point(|at| day_of(*at) < oldest);
            let mut open: Vec<u32> = series[from..until]
                .iter()
                .copied()
                .filter(|at| !self.get(*at).charged)
                .collect();
            let sums: Vec<(Slot, Payload)> = open
                .iter()
                .map(|at| (self.get(*at).slot, self.get(*at).unexplained))
                .collect();
            if let Some(crossing) = crossing(&sums, day, &ledger.bounds) {
                let members = open.split_off(crossing.from);
                for at in &members {
                    self.all[*at as usize].charged = true;
                }
                found.push((crossing, members));
            }
        }
        found
    }

    /// Unexplained payload of each workload on each day.
    pub(super) fn workload_days(&self) -> BTreeMap<Day, Vec<u64>> {
        let mut sums: BTreeMap<(Day, u32), u64> = BTreeMap::new();
        let of = |charge: &Unexplained| (charge.slot.day(), charge.workload);
        for run in self.all.chunk_by(|a, b| of(a) == of(b)) {
            let sum = sums.entry(of(&run[0])).or_default();
            let payload = total(run.iter().map(|charge| charge.unexplained.week));
            *sum = sum.saturating_add(payload);
        }
        let mut days: BTreeMap<Day, Vec<u64>> = BTreeMap::new();
        for ((day, _), sum) in sums {
            days.entry(day).or_default().push(sum);
        }
        days
    }

    /// For each workload, the number of its account.
    pub(super) fn accounts(&self, view: &View<'_>) -> Vec<u32> {
        let last = self
            .all
            .iter()
            .map(|charge| charge.workload)
            .max()
            .map_or(0, |last| last + 1);
        let account = |id: u32| view.workload(id).account_id.as_str();
        let names: BTreeSet<&str> = (0..last).map(account).collect();
        let ranks: BTreeMap<&str, u32> = names.iter().copied().zip(0..).collect();
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
        let rule = &policy.baseline;
        let (mut known, mut past) = (0, Users::default());
        let day_of = |all: &[Unexplained], at: usize| all[at].slot.day();
        let mut start = 0;
        while start < run.len() {
            let day = day_of(&self.all, run[start]);
            let today = run[start..].iter();
            let end = start
                + today
                    .take_while(|at| day_of(&self.all, **at) == day)
                    .count();
            let is_past = |at: usize| day_of(&self.all, at).0 + rule.spread_days <= day.0;
            let until = known + run[known..].iter().take_while(|at| is_past(**at)).count();
            past.add(view, run[known..until].iter().map(|at| &self.all[*at]));
            known = until;
            if past.are_many(rule.common_workloads) {
                self.explain_day(&run[start..end], past.levels.raised());
            }
            start = end;
        }
    }

    /// Explains what each workload usually sends to a common destination in a day.
    fn explain_day(&mut self, run: &[usize], usual: u64) {
        let mut left: BTreeMap<u32, Payload> = BTreeMap::new();
        for at in run {
            let charge = &mut self.all[*at];
            let left = left.entry(charge.workload).or_insert(Payload {
                week: usual,
                month: usual,
            });
            let Payload { week, month } = &mut charge.unexplained;
            for (charged, left) in [(week, &mut left.week), (month, &mut left.month)] {
                let explained = (*charged).min(*left);
                *left -= explained;
                *charged -= explained;
            }
        }
    }
}

/// Who used a destination up to a day, and how much they sent in a day.
#[derive(Debug, Default)]
struct Users<'v> {
    workloads: BTreeSet<u32>,
    accounts: BTreeSet<&'v str>,
    levels: Levels,
}

impl<'v> Users<'v> {
    /// Adds whole days, in their order.
    fn add<'c>(&mut self, view: &'v View<'_>, charges: impl Iterator<Item = &'c Unexplained>) {
        let mut sums: BTreeMap<(Day, u32), u64> = BTreeMap::new();
        for charge in charges {
            let sum = sums
                .entry((charge.slot.day(), charge.workload))
                .or_default();
            *sum = sum.saturating_add(charge.payload);
            self.workloads.insert(charge.workload);
            let account = view.workload(charge.workload).account_id.as_str();
            self.accounts.insert(account);
        }
        sums.into_values()
            .for_each(|payload| self.levels.add(payload));
    }

    fn are_many(&self, workloads: u32) -> bool {
        self.workloads.len() >= workloads as usize && self.accounts.len() >= 2
    }
}

/// Explains the entries of some workloads, and puts them in order.
fn explain_part(
    view: &View<'_>,
    policy: &Policy,
    part: usize,
    entries: &mut [Entry<'_>],
) -> Vec<Unexplained> {
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
    // At most one an entry; room that is not used costs no memory, growing would cost it twice.
    let mut all = Vec::with_capacity(entries.len());
    let mut start = 0;
    for run in entries.chunk_by(|a, b| (a.workload, a.group()) == (b.workload, b.group())) {
        explain_run(view, policy, run, (part, start), &mut all);
        start += run.len();
    }
    all
}

/// Explains the entries of one workload to one group, which are in the order of slots, from a place on.
fn explain_run(
    view: &View<'_>,
    policy: &Policy,
    run: &[Entry<'_>],
    (part, start): (usize, usize),
    all: &mut Vec<Unexplained>,
) {
    let rule = &policy.baseline;
    let quarantines = [rule.quarantine_days, rule.quarantine_days.max(DAYS_MAX)];
    let day_of = |entry: &Entry<'_>| entry.slot.day();
    let days = run.chunk_by(|a, b| day_of(a) == day_of(b));
    let sent = |entries: &[Entry<'_>]| total(entries.iter().map(|own| own.counters.up().payload));
    let history: Vec<DayPayload> = days
        .clone()
        .map(|of_day| (day_of(&of_day[0]), sent(of_day)))
        .collect();
    let mut at = start;
    for of_day in days {
        let day = day_of(&of_day[0]);
        let sanctions: Vec<u64> = of_day
            .iter()
            .map(|entry| sanction(view, policy, entry).map_or(0, |rule| rule.bytes_per_day))
            .collect();
        let sanctioned = sanctions.iter().copied().max().unwrap_or(0);
        let mut left = quarantines.map(|quarantine| {
            let usual = allowance(&history, day, quarantine, rule);
            Allowance {
                usual,
                at_most: usual.max(sanctioned),
            }
        });
        let mut sanctions = sanctions.into_iter();
        for of_slot in of_day.chunk_by(|a, b| a.slot == b.slot) {
            let payload = sent(of_slot);
            let with_sanctions = of_slot.iter().zip(&mut sanctions);
            let allowed = with_sanctions.filter(|(_, allowed)| *allowed > 0);
            let allowed = total(allowed.map(|(entry, _)| entry.counters.up().payload));
            let [week, month] = left
                .each_mut()
                .map(|left| payload - left.explain(allowed, payload - allowed));
            all.push(Unexplained {
                workload: of_slot[0].workload,
                group: of_slot[0].group(),
                slot: of_slot[0].slot,
                payload,
                unexplained: Payload { week, month },
                first_day: history[0].0,
                entries: (place(part), place(at), place(at + of_slot.len())),
                charged: false,
            });
            at += of_slot.len();
        }
    }
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
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

/// The rule that allows most from this interface to this address.
pub(super) fn sanction<'p>(
    view: &View<'_>,
    policy: &'p Policy,
    entry: &Entry<'_>,
) -> Option<&'p Sanctioned> {
    let name = &view.workload(entry.workload).name;
    let interface = &view.interface(entry.interface).key.interface_id;
    let applies = policy.sanctioned.iter().filter(|rule| {
        let ours = rule
            .workload
            .as_ref()
            .is_none_or(|own| own == name || own == interface);
        ours && entry.lies_in(&rule.destination)
    });
    applies.max_by_key(|rule| rule.bytes_per_day)
}

#[cfg(test)]
mod tests;
