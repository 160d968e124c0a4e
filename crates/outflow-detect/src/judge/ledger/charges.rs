//! What is unexplained, by workload, destination group and slot.

mod sanctions;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher as _, Hash};

use super::crossing::{Crossing, DAYS_MAX, Payload, crossing};
use super::peers::{Established, PeerGroups};
use super::total::{Sent, by_day};
use crate::counters::total;
use crate::judge::baseline::{DayPayload, Levels, Ratchet, allowance};
use crate::key::{FixedState, Remote};
use crate::parallel::in_parallel_mut;
use crate::policy::{Horizons, Policy};
use crate::time::{Day, Slot};
use crate::view::{Entry, Group, View, warm_up};
use sanctions::Sanctions;
pub(super) use sanctions::sanction;

/// Unexplained payload of a workload to a destination group in a slot; which these are, its entries tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unexplained {
    pub(super) slot: Slot,
    /// All payload of the slot.
    pub(super) payload: u64,
    /// What of it nothing explains, and no ledger has charged yet.
    pub(super) unexplained: Payload,
    /// Whether the addresses behind it were dropped, so that it is no one destination.
    anywhere: bool,
    /// Of what kind it is. No ledger sums several.
    pub(super) kind: Kind,
    /// The day on which this workload first sent to the group.
    pub(super) first_day: Day,
    /// Their part, and from where to where in it.
    entries: (u32, u32, u32),
}

// There are nearly as many as entries.
const _: () = assert!(size_of::<Unexplained>() <= 48);

/// What is summed apart: the one does not excuse the other, nor use up what longer spans are to see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Kind {
    /// Whether the destination is established, so that this is what exceeds the past, and not what has none.
    pub(super) excess: bool,
    /// Whether more came back than went out, from the very addresses that most was sent to.
    pub(super) fetched: bool,
}

impl Unexplained {
    /// What exceeds the past, and apart from it what only the longer quarantine leaves unexplained: to a ledger of thirty
    /// days, the destination has no past.
    fn parted(self) -> impl Iterator<Item = Self> {
        let Payload { week, month } = self.unexplained;
        let young = month.saturating_sub(week);
        let excess = Self {
            unexplained: Payload { week, month: week },
            ..self
        };
        let young = (young > 0).then_some(Self {
            // It is counted with the other.
            payload: 0,
            unexplained: Payload {
                week: 0,
                month: young,
            },
            kind: Kind {
                excess: false,
                ..self.kind
            },
            ..self
        });
        std::iter::once(excess).chain(young)
    }
}

/// Where an [`Unexplained`] is: those of a workload come in a row, in the order of slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    part: u32,
    at: u32,
}

/// A charge with its place, and the first entry behind it.
pub(super) type Located<'c> = (Place, &'c Unexplained, &'c Entry<'c>);

/// What a crossing charges of an [`Unexplained`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// Its place.
    pub(super) at: Place,
    /// The part that counted towards the bound.
    pub(super) payload: u64,
}

/// All that is unexplained, and the entries behind it.
#[derive(Debug)]
pub(super) struct Charges<'a> {
    /// In parts that have no workload in common.
    entries: Vec<Vec<Entry<'a>>>,
    /// In the same parts: joined, they would need twice the memory for a moment, and are among the largest that judging holds.
    parts: Vec<Vec<Unexplained>>,
    /// In the same parts: what each workload sent on each day, in their order.
    pub(super) sent: Vec<Vec<Sent>>,
}

/// Sums that charges have in common before they are summed by themselves: few megabytes, which stay near the processor.
const COMMON_SUMS_MAX: usize = 1 << 20;

/// The charges as one ledger sums them up.
#[derive(Debug)]
pub(super) struct Ledger {
    bounds: Horizons,
    /// Places of charges in the order of slots, for each sum that can cross a bound at all.
    series: Vec<Vec<Place>>,
}

impl Ledger {
    /// The ledger that sums charges up by `by`.
    pub(super) fn of<K: Copy + Eq + Hash>(
        charges: &Charges<'_>,
        bounds: Horizons,
        by: impl Fn(&Unexplained) -> Option<K>,
    ) -> Self {
        let least = bounds.day.min(bounds.week).min(bounds.month);
        // Most sums cross no bound, and neither do most of what several have in common by chance: only what is in one that
        // does is summed by itself, and only what then does is put in order.
        let common = charges.len().next_power_of_two().min(COMMON_SUMS_MAX);
        let mut common = vec![0_u64; common];
        let place = |key: &K, len: usize| {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "any bits of a hash will do"
            )]
            let hash = FixedState::default().hash_one(key) as usize;
            hash % len
        };
        for charge in charges.all() {
            if let Some(key) = by(charge) {
                let at = place(&key, common.len());
                common[at] = common[at].saturating_add(charge.unexplained.month);
            }
        }
        let mut sums: HashMap<K, (u64, u32), FixedState> = HashMap::default();
        for charge in charges.all() {
            let key = by(charge).filter(|key| common[place(key, common.len())] >= least);
            if let Some(key) = key {
                let (sum, _) = sums.entry(key).or_default();
                *sum = sum.saturating_add(charge.unexplained.month);
            }
        }
        let mut series: Vec<Vec<Place>> = Vec::new();
        sums.retain(|_, (sum, _)| *sum >= least);
        for (at, charge) in charges.iter() {
            if let Some((_, number)) = by(charge).and_then(|key| sums.get_mut(&key)) {
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
    /// Explains what the past and policy explain, and keeps the rest. Entries come in the order of
    /// [`in_order`](crate::judge::pairs::in_order).
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
            parts: explained,
            sent: Vec::new(),
        };
        charges.explain_common(view, policy);
        let entries = &charges.entries;
        charges.sent = in_parallel_mut(&mut charges.parts, |part, charges| {
            let workload = |charge: &Unexplained| entries[part][charge.entries.1 as usize].workload;
            let sent = by_day(charges, workload);
            charges.retain(|charge| charge.unexplained.month > 0);
            sent
        });
        charges
    }

    pub(super) fn get(&self, at: Place) -> &Unexplained {
        &self.parts[at.part as usize][at.at as usize]
    }

    fn get_mut(&mut self, at: Place) -> &mut Unexplained {
        &mut self.parts[at.part as usize][at.at as usize]
    }

    fn len(&self) -> usize {
        self.parts.iter().map(Vec::len).sum()
    }

    /// All charges, in parts that have no workload in common.
    pub(super) fn parts(&self) -> impl Iterator<Item = &[Unexplained]> {
        self.parts.iter().map(Vec::as_slice)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Unexplained> + Clone {
        self.parts.iter().flatten()
    }

    /// All charges with their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, &Unexplained)> {
        let parts = (0..).zip(&self.parts);
        parts.flat_map(|(part, charges)| {
            let charges = (0..).zip(charges);
            charges.map(move |(at, charge)| (Place { part, at }, charge))
        })
    }

    /// The first entry behind a charge: it tells the workload and the group, which are those of all.
    pub(super) fn first(&self, charge: &Unexplained) -> &Entry<'a> {
        let (part, from, _) = charge.entries;
        &self.entries[part as usize][from as usize]
    }

    /// The workload that sent it.
    pub(super) fn workload(&self, charge: &Unexplained) -> u32 {
        self.first(charge).workload
    }

    /// The destination group, if it is one.
    pub(super) fn destination(&self, charge: &Unexplained) -> Option<Group> {
        (!charge.anywhere).then(|| self.first(charge).group())
    }

    pub(super) fn entries(&self, at: Place) -> &[Entry<'a>] {
        let (part, from, to) = self.get(at).entries;
        &self.entries[part as usize][from as usize..to as usize]
    }

    /// All that the workload of a charge sent, in the order of destinations.
    pub(super) fn of_workload(&self, at: Place) -> &[Entry<'a>] {
        let (part, from, _) = self.get(at).entries;
        let workload = self.entries[part as usize][from as usize].workload;
        self.all_of(part as usize, workload)
    }

    /// All that a workload of a part sent, in the order of destinations.
    pub(super) fn all_of(&self, part: usize, workload: u32) -> &[Entry<'a>] {
        let entries = &self.entries[part];
        let start = entries.partition_point(|own| own.workload < workload);
        let end = entries.partition_point(|own| own.workload <= workload);
        &entries[start..end]
    }

    /// Crossings of a ledger's bounds on a day, by what no ledger has charged before, and the charges of each.
    /// From then on they are charged. Days come in their order, so that no later one has influence.
    pub(super) fn cross(&mut self, ledger: &Ledger, day: Day) -> Vec<(Crossing, Vec<Member>)> {
        let oldest = Day(day.0.saturating_sub(DAYS_MAX - 1));
        let mut found = Vec::new();
        for series in &ledger.series {
            let day_of = |at: Place| self.get(at).slot.day();
            let until = series.partition_point(|at| day_of(*at) <= day);
            if until == 0 || day_of(series[until - 1]) != day {
                continue;
            }
            let from = series.partition_point(|at| day_of(*at) < oldest);
            // What one span charges on a day is gone from the others; what is left may cross a longer one's bound.
            while let Some((crossing, members)) = self.charge(&series[from..until], day, ledger) {
                found.push((crossing, members));
            }
        }
        found
    }

    /// Charges what crosses a bound on a day, if anything does.
    fn charge(
        &mut self,
        series: &[Place],
        day: Day,
        ledger: &Ledger,
    ) -> Option<(Crossing, Vec<Member>)> {
        let is_open = |at: &Place| self.get(*at).unexplained.month > 0;
        let mut open: Vec<Place> = series.iter().copied().filter(is_open).collect();
        let of = |at: &Place| (self.get(*at).slot, self.get(*at).unexplained);
        let sums: Vec<(Slot, Payload)> = open.iter().map(of).collect();
        let crossing = crossing(&sums, day, &ledger.bounds)?;
        let charged = open.split_off(crossing.from).into_iter().map(|at| Member {
            at,
            payload: self.get_mut(at).unexplained.charge(crossing.horizon),
        });
        let charged = charged.filter(|member| member.payload > 0);
        Some((crossing, charged.collect()))
    }

    /// Unexplained payload of each workload on each day: what has no past, and what exceeds one.
    pub(super) fn workload_days(&self) -> BTreeMap<Day, [Vec<u64>; 2]> {
        let mut sums: BTreeMap<(Day, u32), [u64; 2]> = BTreeMap::new();
        let of = |charge: &Unexplained| (charge.slot.day(), self.workload(charge));
        let runs = self
            .parts()
            .flat_map(|part| part.chunk_by(|a, b| of(a) == of(b)));
        for run in runs {
            let sums = sums.entry(of(&run[0])).or_default();
            for charge in run {
                let sum = &mut sums[usize::from(charge.kind.excess)];
                *sum = sum.saturating_add(charge.unexplained.week);
            }
        }
        let mut days: BTreeMap<Day, [Vec<u64>; 2]> = BTreeMap::new();
        for ((day, _), sums) in sums {
            for (all, sum) in days.entry(day).or_default().iter_mut().zip(sums) {
                all.push(sum);
            }
        }
        days
    }

    /// For each workload, the number of its account.
    pub(super) fn accounts(&self, view: &View<'_>) -> Vec<u32> {
        let last = self
            .all()
            .map(|charge| self.workload(charge))
            .max()
            .map_or(0, |last| last + 1);
        let account = |id: u32| view.workload(id).account_id.as_str();
        let names: BTreeSet<&str> = (0..last).map(account).collect();
        let ranks: BTreeMap<&str, u32> = names.iter().copied().zip(0..).collect();
        (0..last).map(|id| ranks[account(id)]).collect()
    }

    /// A destination that many workloads of several accounts have used for long is common: each may send there
    /// what its users usually do. So may the peers of those that have mostly established it.
    fn explain_common(&mut self, view: &View<'_>, policy: &Policy) {
        let rule = &policy.baseline;
        let days = self.all().map(|charge| charge.slot.day().0);
        let (first, last) = (days.clone().min().unwrap_or(0), days.max().unwrap_or(0));
        if last - first < rule.spread_days {
            return;
        }
        // Nothing is established before.
        let is_long = last - first > rule.spread_days + rule.quarantine_days;
        let peers = is_long.then(|| PeerGroups::of(view, self));
        let of = |(at, charge): (Place, &Unexplained)| {
            let group = self.destination(charge)?;
            Some((group, charge.slot, at))
        };
        let mut by_group: Vec<(Group, Slot, Place)> = self.iter().filter_map(of).collect();
        by_group.sort_unstable();
        for run in by_group.chunk_by(|a, b| a.0 == b.0) {
            let is_many = run.len() >= rule.common_workloads as usize;
            let excess = run.iter().filter(|(.., at)| self.get(*at).kind.excess);
            let needed = PeerGroups::needed(rule, rule.peers) as usize;
            let peers = peers.as_ref().filter(|_| excess.count() >= needed);
            if is_many || peers.is_some() {
                let places: Vec<Place> = run.iter().map(|(.., at)| *at).collect();
                self.explain_group(view, policy, &places, peers);
            }
        }
    }

    fn explain_group(
        &mut self,
        view: &View<'_>,
        policy: &Policy,
        run: &[Place],
        peers: Option<&PeerGroups>,
    ) {
        let rule = &policy.baseline;
        let (mut known, mut past) = (0, Users::default());
        let mut established = Established::default();
        let day_of = |own: &Self, at: Place| own.get(at).slot.day();
        let mut start = 0;
        while start < run.len() {
            let day = day_of(self, run[start]);
            let today = run[start..].iter();
            let end = start + today.take_while(|at| day_of(self, **at) == day).count();
            let is_past = |at: Place| day_of(self, at).0 + rule.spread_days <= day.0;
            let until = known + run[known..].iter().take_while(|at| is_past(**at)).count();
            past.add(view, self.with_entries(&run[known..until]));
            known = until;
            let today = &run[start..end];
            if past.are_many(rule.common_workloads) {
                let usual = past.levels.raised();
                let (week, month) = (usual, usual);
                self.explain_day([(Payload { week, month }, today)]);
            } else if let Some(groups) = peers {
                let today = (day, self.with_entries(today));
                let explained = established.explained(groups, rule, today);
                let allowed = explained.iter();
                self.explain_day(allowed.map(|(usual, places)| (*usual, places.as_slice())));
            }
            if let Some(groups) = peers {
                established.add(groups, (day, self.with_entries(today)));
            }
            start = end;
        }
    }

    /// Charges with their places and the first entry of each.
    fn with_entries<'s>(&'s self, places: &'s [Place]) -> impl Iterator<Item = Located<'s>> {
        places.iter().map(|at| {
            let charge = self.get(*at);
            (*at, charge, self.first(charge))
        })
    }

    /// Explains of a day what each workload may send to a destination, by parts of the charges with an allowance each. What a
    /// workload used up of one is gone from all: interfaces in two groups of peers make no two hosts of it.
    fn explain_day<'p>(&mut self, parts: impl IntoIterator<Item = (Payload, &'p [Place])>) {
        let mut used: BTreeMap<u32, Payload> = BTreeMap::new();
        for (usual, places) in parts {
            for at in places {
                let workload = self.workload(self.get(*at));
                let used = used.entry(workload).or_default();
                let charge = self.get_mut(*at);
                let Payload { week, month } = &mut charge.unexplained;
                let of_week = (*week).min(usual.week.saturating_sub(used.week));
                *week -= of_week;
                // No less than of the week stays unexplained.
                let of_month = (*month - *week).min(usual.month.saturating_sub(used.month));
                *month -= of_month;
                used.week += of_week;
                used.month += of_month;
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
    fn add<'c>(&mut self, view: &'v View<'_>, charges: impl Iterator<Item = Located<'c>>) {
        let mut sums: BTreeMap<(Day, u32), u64> = BTreeMap::new();
        for (_, charge, Entry { workload, .. }) in charges {
            let sum = sums.entry((charge.slot.day(), *workload)).or_default();
            *sum = sum.saturating_add(charge.payload);
            self.workloads.insert(*workload);
            let account = view.workload(*workload).account_id.as_str();
            self.accounts.insert(account);
        }
        sums.into_values()
            .for_each(|payload| self.levels.add(payload));
    }

    fn are_many(&self, workloads: u32) -> bool {
        self.workloads.len() >= workloads as usize && self.accounts.len() >= 2
    }
}

/// Explains the entries of some workloads, and leaves out those without payload.
fn explain_part(
    view: &View<'_>,
    policy: &Policy,
    part: usize,
    entries: &mut Vec<Entry<'_>>,
) -> Vec<Unexplained> {
    entries.retain(Entry::sends_payload);
    // At most one an entry; room that is not used costs no memory, growing would cost it twice.
    let mut all = Vec::with_capacity(entries.len());
    let mut start = 0;
    for of_workload in entries.chunk_by(|a, b| a.workload == b.workload) {
        warm_up(of_workload);
        let mut sanctions = Sanctions::default();
        for run in of_workload.chunk_by(|a, b| a.group() == b.group()) {
            explain_run(view, policy, run, (part, start), &mut sanctions, &mut all);
            start += run.len();
        }
    }
    all
}

/// Explains the entries of one workload to one group, which are in the order of slots, from a place on.
fn explain_run<'p>(
    view: &View<'_>,
    policy: &'p Policy,
    run: &[Entry<'_>],
    (part, start): (usize, usize),
    sanctions: &mut Sanctions<'p>,
    all: &mut Vec<Unexplained>,
) {
    let rule = &policy.baseline;
    let day_of = |entry: &Entry<'_>| entry.slot.day();
    let days = run.chunk_by(|a, b| day_of(a) == day_of(b));
    let sent = |entries: &[Entry<'_>]| total(entries.iter().map(|own| own.counters.up().payload));
    let history: Vec<DayPayload> = days
        .clone()
        .map(|of_day| (day_of(&of_day[0]), sent(of_day)))
        .collect();
    // What was sent to addresses that are not told apart vouches for none of them.
    let anywhere = run.iter().any(|entry| entry.kept == Remote::Dropped);
    let known = if anywhere { &[] } else { history.as_slice() };
    let (mut of_week, mut of_month) = (Ratchet::default(), Ratchet::default());
    let mut at = start;
    for of_day in days {
        let day = day_of(&of_day[0]);
        let week = allowance(known, day, (rule.quarantine_days, rule), &mut of_week);
        let is_established = week > 0;
        // The longer quarantine may only explain less.
        let longer = rule.quarantine_days.max(DAYS_MAX);
        let month = allowance(known, day, (longer, rule), &mut of_month).min(week);
        let mut left = [week, month];
        for of_slot in of_day.chunk_by(|a, b| a.slot == b.slot) {
            let payload = sent(of_slot);
            let sanctioned = total(of_slot.iter().map(|entry| {
                let rule = sanction(view, policy, entry);
                let payload = entry.counters.up().payload;
                rule.map_or(0, |rule| sanctions.explain(rule, day, payload))
            }));
            let rest = payload - sanctioned;
            let [week, month] = left.each_mut().map(|left| {
                // What policy allows is a part of what is usual, where it has been going on.
                *left = left.saturating_sub(sanctioned);
                let explained = rest.min(*left);
                *left -= explained;
                rest - explained
            });
            let kind = Kind {
                excess: is_established,
                fetched: !anywhere && is_fetched(of_slot),
            };
            let one = Unexplained {
                slot: of_slot[0].slot,
                payload,
                unexplained: Payload { week, month },
                anywhere,
                kind,
                first_day: history[0].0,
                entries: (place(part), place(at), place(at + of_slot.len())),
            };
            match kind.excess {
                true => all.extend(one.parted()),
                false => all.push(one),
            }
            at += of_slot.len();
        }
    }
}

/// Whether most of what was sent within a slot went to addresses that sent more: it was fetched or exchanged.
/// Address by address, as one of a network may be pushed to while another is fetched from.
fn is_fetched(of_slot: &[Entry<'_>]) -> bool {
    let (mut sent, mut pushed) = (0u64, 0u64);
    for of_address in of_slot.chunk_by(|a, b| a.remote == b.remote) {
        let up = total(of_address.iter().map(|own| own.counters.up().payload));
        let down = total(of_address.iter().map(|own| own.counters.down().payload));
        sent = sent.saturating_add(up);
        pushed = pushed.saturating_add(if up > down { up } else { 0 });
    }
    pushed <= sent / 2
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
