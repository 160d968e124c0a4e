//! Which observation point counts a byte that several have logged.
//!
//! Three things make the same bytes appear again: another flow log of the same interface, an intermediary that passes
//! them on, and the intermediary's other side. Each is settled by comparing the sums of a slot or a day: a window that
//! one log has before its end, another may have after it, so that nine tenths are taken as all. What is not sure to be
//! the same bytes counts, so that an error adds suspicion and never removes any.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use outflow_enrich::Via;
use outflow_record::Addr;

use crate::key::FixedState;
use crate::time::{Day, Slot};

/// What a point saw within a slot.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Logged {
    pub(super) bytes: u64,
    /// The buckets in which it saw any.
    pub(super) active: u64,
}

impl Logged {
    pub(super) fn add(&mut self, bytes: u64, active: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.active |= active;
    }

    /// Whether nearly all of it is what another one saw, too: as much, at the same time.
    fn is_within(&self, other: &Self) -> bool {
        let common = u64::from((self.active & other.active).count_ones());
        let is_then = 10 * common >= 9 * u64::from(self.active.count_ones());
        is_then && nearly_all(other.bytes, self.bytes)
    }
}

/// By the state's number of a point, what it saw.
pub(super) type BySlot = HashMap<u32, BTreeMap<Slot, Logged>, FixedState>;

/// Whether `seen` is nearly all of `of`.
pub(super) fn nearly_all(seen: u64, of: u64) -> bool {
    seen / 9 >= of / 10
}

/// Of points that have the same traffic in different flow logs, the slots in which each does not count: where another
/// that counts saw the same. First counts the one that saw most up to then, so that the later has no influence.
pub(super) fn redundant(rivals: &[Vec<u32>], seen: &BySlot) -> HashSet<(u32, Slot), FixedState> {
    let mut out = HashSet::default();
    let nothing = BTreeMap::new();
    for points in rivals {
        let of = |point: u32| seen.get(&point).unwrap_or(&nothing);
        let slots: BTreeSet<Slot> = points
            .iter()
            .flat_map(|point| of(*point).keys())
            .copied()
            .collect();
        // In the order of flow logs, as `rivals` has them, where sums are equal.
        let mut ranked: Vec<(u64, u32)> = points.iter().map(|point| (0, *point)).collect();
        for slot in slots {
            for (total, point) in &mut ranked {
                let bytes = of(*point).get(&slot).map_or(0, |logged| logged.bytes);
                *total = total.saturating_add(bytes);
            }
            ranked.sort_by_key(|(total, _)| Reverse(*total));
            let mut counting: Vec<&Logged> = Vec::new();
            for (_, point) in &ranked {
                let Some(logged) = of(*point).get(&slot) else {
                    continue;
                };
                if counting.iter().any(|other| logged.is_within(other)) {
                    out.insert((*point, slot));
                } else {
                    counting.push(logged);
                }
            }
        }
    }
    out
}

/// Where traffic of a host with a remote address was seen on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Way {
    /// Those interfaces that may be the host's, or the host's address where there is none; see [`Hosts`].
    pub(super) group: u32,
    pub(super) remote: Addr,
    pub(super) day: Day,
    /// What a host serves is summed without remote addresses.
    pub(super) served: bool,
}

/// A place on the way: a network (account and VPC), and the side of its intermediaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Stage {
    pub(super) network: u32,
    pub(super) forwarded: bool,
}

/// What was seen on a way: at the host itself, and at each stage.
#[derive(Debug, Clone, Default)]
pub(super) struct Sightings {
    /// Bytes at the interfaces that may be the host's, by their network.
    own: BTreeMap<u32, u64>,
    stages: BTreeMap<Stage, u64>,
}

impl Sightings {
    pub(super) fn add_own(&mut self, network: u32, bytes: u64) {
        let of = self.own.entry(network).or_default();
        *of = of.saturating_add(bytes);
    }

    pub(super) fn add(&mut self, stage: Stage, bytes: u64) {
        let of = self.stages.entry(stage).or_default();
        *of = of.saturating_add(bytes);
    }

    /// Which of them count.
    pub(super) fn settle(&self) -> Counting {
        let mut counting = Counting::default();
        let mut stages: Vec<(&Stage, &u64)> = self.stages.iter().collect();
        stages.sort_by_key(|(stage, bytes)| (Reverse(**bytes), **stage));
        let mut references: Vec<(u32, u64)> = self.own.iter().map(|(n, b)| (*n, *b)).collect();
        for (stage, bytes) in stages {
            let is_again = |(network, seen): &(u32, u64)| {
                // In one network an address is one host; elsewhere it may be another's, unless the sums agree.
                let is_sure = *network == stage.network || nearly_all(*bytes, *seen);
                is_sure && nearly_all(*seen, *bytes)
            };
            if !references.iter().any(is_again) {
                counting.stages.push(*stage);
                // The host's own log has lost some.
                if self.own.contains_key(&stage.network) {
                    counting.without_own.push(stage.network);
                }
            }
            // Also where it is nothing new, as the next stage may have only what came this way.
            references.push((stage.network, *bytes));
        }
        counting
    }
}

/// Where the bytes of a way count: at the host itself, but for some networks, and at some stages.
#[derive(Debug, Clone, Default)]
pub(super) struct Counting {
    pub(super) stages: Vec<Stage>,
    pub(super) without_own: Vec<u32>,
}

/// The hosts whose packets intermediaries passed on, and the interfaces that may be theirs.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    by_point: HashMap<u32, u32, FixedState>,
}

/// A point as [`Hosts`] sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'e> {
    pub(super) point: u32,
    pub(super) network: u32,
    pub(super) via: Via,
    /// Whether the packets are the interface's own.
    pub(super) is_host: bool,
    /// Addresses that it sent from.
    pub(super) addresses: &'e BTreeSet<Addr>,
}

impl Hosts {
    /// Puts points into groups: a host behind an intermediary with the interfaces of its network that have its address,
    /// else with those of other networks, else with those behind other intermediaries.
    pub(super) fn of(points: &[Seen<'_>]) -> Self {
        let behind = points.iter().filter_map(|of| Some((of, of.via.host()?)));
        let behind: Vec<(&Seen<'_>, Addr)> = behind.collect();
        let mut owners: HashMap<Addr, Vec<&Seen<'_>>, FixedState> = HashMap::default();
        for (_, host) in &behind {
            owners.entry(*host).or_default();
        }
        if behind.is_empty() {
            return Self::default();
        }
        for of in points.iter().filter(|of| of.is_host) {
            for addr in of.addresses {
                if let Some(owners) = owners.get_mut(addr) {
                    owners.push(of);
                }
            }
        }
        let mut groups = Groups::default();
        let mut first_behind: HashMap<Addr, u32, FixedState> = HashMap::default();
        for (of, host) in behind {
            let near = owners[&host].iter().filter(|own| own.network == of.network);
            let near: Vec<_> = near.collect();
            let all = owners[&host].iter();
            let owned: Vec<u32> = if near.is_empty() {
                all.map(|own| own.point).collect()
            } else {
                near.iter().map(|own| own.point).collect()
            };
            for own in &owned {
                groups.join(of.point, *own);
            }
            if owned.is_empty() {
                let first = *first_behind.entry(host).or_insert(of.point);
                groups.join(of.point, first);
            }
        }
        Self {
            by_point: groups.settled(),
        }
    }

    /// The group of a point, if it is a host's that some intermediary saw.
    pub(super) fn group(&self, point: u32) -> Option<u32> {
        self.by_point.get(&point).copied()
    }
}

/// Sets of points that have no point in common.
#[derive(Debug, Default)]
struct Groups {
    parents: HashMap<u32, u32, FixedState>,
}

impl Groups {
    fn root(&mut self, of: u32) -> u32 {
        let parent = *self.parents.entry(of).or_insert(of);
        if parent == of {
            return of;
        }
        let root = self.root(parent);
        self.parents.insert(of, root);
        root
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents.insert(a.max(b), a.min(b));
    }

    fn settled(mut self) -> HashMap<u32, u32, FixedState> {
        let points: Vec<u32> = self.parents.keys().copied().collect();
        points.into_iter().map(|of| (of, self.root(of))).collect()
    }
}

#[cfg(test)]
mod tests;
