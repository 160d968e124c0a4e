//! What a workload's peers establish.
//!
//! A host of a fleet that begins to work today sends where the others do. Peers are the workloads whose interfaces have the same
//! security groups, where an inventory tells these; else those of a subnet; else those of an account, each where the one before has
//! too few. Once most of them have established a destination, each may send there what those
//! usually do. All of those together may send as much as those that established it: a fleet that is replaced or doubled in a day
//! is explained, but what a whole group suddenly sends is not, however little each host sends of it. (Interfaces of one group of instances are one workload where the inventory says so; these need no peers.)

use std::collections::{BTreeMap, BTreeSet, HashMap};

use outflow_record::Timestamp;

use super::charges::{Charges, Located, Place, Unexplained};
use super::crossing::{DAYS_MAX, Payload};
use crate::judge::baseline::Levels;
use crate::key::FixedState;
use crate::policy::Baseline;
use crate::time::{Day, SLOT_SECS};
use crate::view::View;

/// Days for which a workload that was active is one of its group.
const MEMBER_DAYS: u32 = 30;

/// The groups of an interface, by number: its security groups and its subnet, where these are known, and its account.
type Groups = [Option<u32>; 3];

/// Who is whose peer.
#[derive(Debug)]
pub(super) struct PeerGroups {
    of: HashMap<u32, Groups, FixedState>,
    /// By group, the days on which the number of its members changed, and what it was from then on.
    members: Vec<Vec<(Day, u32)>>,
}

impl PeerGroups {
    /// The groups of all workloads that sent payload.
    pub(super) fn of(view: &View<'_>, charges: &Charges<'_>) -> Self {
        let mut of: HashMap<u32, Groups, FixedState> = HashMap::default();
        let mut numbers: BTreeMap<(String, String), u32> = BTreeMap::new();
        let mut changes: Vec<BTreeMap<Day, i64>> = Vec::new();
        let workload = |charge: &Unexplained| charges.workload(charge);
        let workloads = charges
            .parts()
            .flat_map(|part| part.chunk_by(|a, b| workload(a) == workload(b)));
        for of_workload in workloads {
            let mut days: BTreeSet<(u32, Day)> = BTreeSet::new();
            for charge in of_workload {
                let interface = charges.first(charge).interface;
                let groups = of.entry(interface).or_insert_with(|| {
                    let at = Timestamp(charge.slot.start() + SLOT_SECS - 1);
                    names(view, interface, at).map(|name| {
                        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                        name.map(|name| *numbers.entry(name).or_insert(next))
                    })
                });
                let day = charge.slot.day();
                days.extend(groups.iter().flatten().map(|group| (*group, day)));
            }
            changes.resize_with(numbers.len(), BTreeMap::new);
            for (group, from, until) in stays(&days) {
                let own = &mut changes[group as usize];
                *own.entry(from).or_default() += 1;
                *own.entry(until).or_default() -= 1;
            }
        }
        let summed = changes.into_iter().map(|own| {
            let mut sum = 0;
            let counts = own.into_iter().map(|(day, change)| {
                sum += change;
                (day, u32::try_from(sum).unwrap_or(0))
            });
            counts.collect()
        });
        Self {
            of,
            members: summed.collect(),
        }
    }

    /// How many of so many peers must have established a destination.
    pub(super) fn needed(rule: &Baseline, peers: u32) -> u32 {
        let share = u64::from(peers) * u64::from(rule.peers_percent);
        u32::try_from(share.div_ceil(100)).unwrap_or(u32::MAX)
    }

    /// Workloads of a group that were active within some days before a day.
    fn members(&self, group: u32, day: Day) -> u32 {
        let counts = &self.members[group as usize];
        let until = counts.partition_point(|(from, _)| *from <= day);
        until.checked_sub(1).map_or(0, |last| counts[last].1)
    }

    /// The group in which an interface has peers enough on a day: the closest first.
    fn group(&self, interface: u32, day: Day, rule: &Baseline) -> Option<u32> {
        let mut groups = self.of.get(&interface)?.iter().flatten().copied();
        groups.find(|group| self.members(*group, day) >= rule.peers)
    }
}

/// The account with the security groups, with the subnet, and alone, of an interface; by records, or else by the inventory. No
/// two kinds have the same names, as AWS's ids tell them apart.
fn names(view: &View<'_>, interface: u32, at: Timestamp) -> [Option<(String, String)>; 3] {
    let entity = view.interface(interface);
    let key = &entity.key.interface;
    let account = || key.account_id.clone();
    // What passed on a host's packets has groups of its own.
    let is_own = entity.key.via.host().is_none();
    let known = view.inventory().interface(&key.interface_id, at);
    let known = known.filter(|_| is_own).map(|known| known.value);
    let of_known = |name: Option<String>| name.filter(|name| !name.is_empty());
    let by_inventory = || of_known(known.map(|own| own.subnet_id.clone()));
    let subnet = entity.interface.subnet_id.clone().or_else(by_inventory);
    let groups = of_known(known.map(|own| {
        let ids: Vec<&str> = own.security_groups.keys().map(String::as_str).collect();
        ids.join("+")
    }));
    [
        groups.map(|groups| (account(), groups)),
        subnet.map(|subnet| (account(), subnet)),
        Some((account(), String::new())),
    ]
}

/// From which day on and until before which a workload is a member of its groups, by the days on which it was active, in
/// order.
fn stays(days: &BTreeSet<(u32, Day)>) -> Vec<(u32, Day, Day)> {
    let mut stays: Vec<(u32, Day, Day)> = Vec::new();
    for (group, day) in days {
        // The day itself has no say.
        let (from, end) = (Day(day.0 + 1), Day(day.0 + 1 + MEMBER_DAYS));
        match stays.last_mut() {
            Some((own, _, until)) if *own == *group && *until >= from => *until = end,
            _ => stays.push((*group, from, end)),
        }
    }
    stays
}

/// What each of some new workloads may send, if all of them may send no more than those who know the destination.
fn share(usual: u64, known: u32, new: u64) -> u64 {
    let of_all = u128::from(usual) * u128::from(known) / u128::from(new.max(1));
    u64::try_from(of_all).unwrap_or(u64::MAX).min(usual)
}

/// Who has established a destination, by group, until before a day.
#[derive(Debug, Default)]
pub(super) struct Established {
    by_group: BTreeMap<u32, Users>,
}

/// Members of a group that have established a destination.
#[derive(Debug, Default)]
struct Users {
    /// The first and the last day on which each used it so.
    known: BTreeMap<u32, (Day, Day)>,
    /// What they sent there in a day.
    levels: Levels,
}

impl Users {
    /// How many used it within some days before a day, and of them those that had established it so long ago that the longest
    /// span may count on it.
    fn counts(&self, day: Day, rule: &Baseline) -> (u32, u32) {
        let is_member = |last: Day| last.0 + MEMBER_DAYS >= day.0;
        let longer = DAYS_MAX.saturating_sub(rule.quarantine_days);
        let members = self.known.values().filter(|(_, last)| is_member(*last));
        let (mut all, mut old) = (0, 0);
        for (first, _) in members {
            all += 1;
            old += u32::from(first.0 + longer <= day.0);
        }
        (all, old)
    }
}

impl Established {
    /// Takes in the charges of a day, which come in the order of days.
    pub(super) fn add<'c>(
        &mut self,
        groups: &PeerGroups,
        (day, charges): (Day, impl Iterator<Item = Located<'c>>),
    ) {
        let mut sums: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        for (_, charge, first) in charges.filter(|(_, charge, _)| charge.kind.excess) {
            let of = groups.of.get(&first.interface);
            for group in of.into_iter().flatten().flatten() {
                let sum = sums.entry((*group, first.workload)).or_default();
                *sum = sum.saturating_add(charge.payload);
            }
        }
        for ((group, workload), payload) in sums {
            let users = self.by_group.entry(group).or_default();
            users.levels.add(payload);
            let (_, last) = users.known.entry(workload).or_insert((day, day));
            *last = day;
        }
    }

    /// What peers explain of a day: how much each workload may send, and the places of what it sent. It is what peers usually
    /// send in a day, as long as those who are new are no more than those who know it; if they are more, they share what these
    /// may send in all.
    pub(super) fn explained<'c>(
        &self,
        groups: &PeerGroups,
        rule: &Baseline,
        (day, charges): (Day, impl Iterator<Item = Located<'c>>),
    ) -> Vec<(Payload, Vec<Place>)> {
        if self.by_group.is_empty() {
            return Vec::new();
        }
        let mut places: BTreeMap<u32, Vec<(Place, u32)>> = BTreeMap::new();
        // What has a past of its own needs none of others.
        let new = charges.filter(|(_, charge, _)| !charge.kind.excess && charge.payload > 0);
        for (at, _, first) in new {
            if let Some(group) = groups.group(first.interface, day, rule) {
                let of_group = places.entry(group).or_default();
                of_group.push((at, first.workload));
            }
        }
        let usual = |group: u32, new: u64| {
            let users = self.by_group.get(&group)?;
            let (all, old) = users.counts(day, rule);
            let needed = PeerGroups::needed(rule, groups.members(group, day));
            let usual = users.levels.raised();
            (all >= needed).then_some(Payload {
                week: share(usual, all, new),
                month: if old >= needed {
                    share(usual, old, new)
                } else {
                    0
                },
            })
        };
        let explained = places.into_iter().filter_map(|(group, places)| {
            let new: BTreeSet<u32> = places.iter().map(|(_, workload)| *workload).collect();
            let usual = usual(group, new.len() as u64)?;
            Some((usual, places.into_iter().map(|(at, _)| at).collect()))
        });
        explained.collect()
    }
}

#[cfg(test)]
mod tests;
