//! Which observation point counts a byte that several have logged.
//!
//! Three things make the same bytes appear again: another flow log of the same interface, an intermediary that passes
//! them on, and the intermediary's other side. Each is settled by comparing the sums of a slot or a day: a window that
//! one log has before its end, another may have after it, so that nine tenths are taken as all. What is not sure to be
//! the same bytes counts: an error is to add suspicion rather than to remove any.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use outflow_enrich::Via;
use outflow_record::Addr;

use crate::counters::Counters;
use crate::coverage::{Watch, minutes_between};
use crate::key::{FixedState, PairKey, Remote};
use crate::time::{Day, HOURS_PER_SLOT, Hour, SLOTS_PER_DAY, Slot};

/// What a point saw of a peer within a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Logged {
    pub(super) bytes: u64,
    /// The buckets in which it saw any.
    pub(super) active: u64,
    /// The first and the last second.
    pub(super) span: (u32, u32),
}

impl Default for Logged {
    fn default() -> Self {
        Self {
            bytes: 0,
            active: 0,
            span: (u32::MAX, 0),
        }
    }
}

impl Logged {
    pub(super) fn add(&mut self, counters: &Counters) {
        let (up, down) = (counters.up().bytes, counters.down().bytes);
        self.bytes = self.bytes.saturating_add(up).saturating_add(down);
        self.active |= counters.active();
        let (first, last) = self.span;
        self.span = (first.min(counters.first), last.max(counters.last));
    }

    /// The minutes of a slot's hours that lie in its buckets, and from its first to its last second.
    fn minutes(&self, slot: Slot) -> [u64; HOURS_PER_SLOT] {
        let (first, last) = self.span;
        let mut minutes = minutes_of(self.active);
        for (hour, minutes) in slot.hours().into_iter().zip(&mut minutes) {
            *minutes &= minutes_between(hour, i64::from(first) / 60, i64::from(last) / 60);
        }
        minutes
    }
}

/// A peer within a slot. Ports and roles are not compared: they depend on the fields of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Peer {
    pub(super) slot: Slot,
    pub(super) remote: Addr,
    pub(super) protocol: u8,
    pub(super) external: bool,
}

/// By the state's number of a point, what it saw.
pub(super) type ByPeer = HashMap<u32, HashMap<Peer, Logged, FixedState>, FixedState>;

/// A point that has the same traffic as others, in another flow log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rival<'e> {
    pub(super) point: u32,
    /// What its flow log covers of the interface.
    pub(super) watch: &'e Watch,
}

impl Rival<'_> {
    /// The minutes of a slot's hours in which its flow log has records of the interface. Where coverage was dropped, only
    /// those in which it may have some of the peer: that another log has the same then takes more, not less.
    fn minutes(&self, logged: &Logged, slot: Slot, kept_from: Hour) -> [u64; HOURS_PER_SLOT] {
        let mut minutes = self.watch.logged(slot);
        let of_peer = logged.minutes(slot);
        for ((hour, minutes), of_peer) in slot.hours().into_iter().zip(&mut minutes).zip(of_peer) {
            if hour < kept_from {
                *minutes = of_peer;
            }
        }
        minutes
    }

    /// Whether nearly all that it logged of a peer is what another one logged, too: as much, in the same minutes.
    fn is_again(
        &self,
        logged: &Logged,
        (other, of_other): &(&Rival<'_>, Logged),
        slot: Slot,
        kept_from: Hour,
    ) -> bool {
        let own = self.minutes(logged, slot, kept_from);
        let other = other.minutes(of_other, slot, kept_from);
        let (mut minutes, mut common) = (0, 0);
        for ((own, other), active) in own.iter().zip(other).zip(minutes_of(logged.active)) {
            minutes += u64::from((own & active).count_ones());
            common += u64::from((own & active & other).count_ones());
        }
        minutes > 0 && 10 * common >= 9 * minutes && nearly_all(of_other.bytes, logged.bytes)
    }
}

/// The minutes of a slot's hours that lie in these buckets of it.
fn minutes_of(buckets: u64) -> [u64; HOURS_PER_SLOT] {
    std::array::from_fn(|hour| {
        let of_hour = (0..6).filter(|at| buckets >> (6 * hour + at) & 1 == 1);
        of_hour.map(|at| 0x3ff << (10 * at)).sum()
    })
}

/// Whether `seen` is nearly all of `of`.
fn nearly_all(seen: u64, of: u64) -> bool {
    10 * u128::from(seen) >= 9 * u128::from(of)
}

/// Whether two sums differ by no more than a window on the border of a day makes.
fn agree(a: u64, b: u64) -> bool {
    100 * u128::from(a.min(b)) >= 99 * u128::from(a.max(b))
}

/// Of points that have the same traffic in different flow logs, the peers of which each does not count: where another
/// that counts saw the same. First counts the one that saw most of the peer. Coverage is there from `kept_from` on.
pub(super) fn redundant(
    rivals: &[Vec<Rival<'_>>],
    seen: &ByPeer,
    kept_from: Hour,
) -> HashSet<(u32, Peer), FixedState> {
    let mut out = HashSet::default();
    for points in rivals {
        let mut peers: HashMap<Peer, Vec<(usize, Logged)>, FixedState> = HashMap::default();
        for (at, rival) in points.iter().enumerate() {
            for (peer, logged) in seen.get(&rival.point).into_iter().flatten() {
                peers.entry(*peer).or_default().push((at, *logged));
            }
        }
        for (peer, mut logged) in peers {
            // In the order of flow logs, as `rivals` has them, where sums are equal.
            logged.sort_by_key(|(at, logged)| (Reverse(logged.bytes), *at));
            let mut counting: Vec<(&Rival<'_>, Logged)> = Vec::new();
            for (at, logged) in logged {
                let own = &points[at];
                let is_again = |rival: &(&Rival<'_>, Logged)| {
                    let (other, of_other) = rival;
                    // Or the other way round: a window from the slot before leaves minutes to one of two that are equal.
                    own.is_again(&logged, rival, peer.slot, kept_from)
                        || other.is_again(of_other, &(own, logged), peer.slot, kept_from)
                };
                if counting.iter().any(is_again) {
                    out.insert((own.point, peer));
                } else {
                    counting.push((own, logged));
                }
            }
        }
    }
    out
}

/// What is sent to a remote address on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Traffic {
    remote: Addr,
    day: Day,
    /// What is served is summed without remote addresses.
    served: bool,
}

impl Traffic {
    /// That of a pair; none, if its address was not kept for want of memory.
    pub(super) fn of(key: &PairKey, kept: Remote) -> Option<Self> {
        let served = key.service.is_anonymous();
        (served || kept == Remote::Whole).then(|| Self {
            remote: key.remote,
            day: key.slot.day(),
            served,
        })
    }
}

/// Traffic of a host, by the group of those interfaces that may be the host's, or of its address where there is none;
/// see [`Hosts`].
pub(super) type Way = (u32, Traffic);

/// A place on the way: a network (a VPC), and the side of its intermediaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Stage {
    pub(super) network: u32,
    pub(super) forwarded: bool,
}

/// Bytes of a day, and the buckets in which there were any.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OfDay {
    bytes: u64,
    /// By slot.
    active: [u64; SLOTS_PER_DAY as usize],
}

impl OfDay {
    pub(super) fn of(slot: Slot, counters: &Counters) -> Self {
        let mut active = [0; SLOTS_PER_DAY as usize];
        active[(slot.0 % SLOTS_PER_DAY) as usize] = counters.active();
        Self {
            bytes: counters.up().bytes,
            active,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        for (own, other) in self.active.iter_mut().zip(other.active) {
            *own |= other;
        }
    }

    /// Whether most of it was sent when the other was, too.
    fn is_then(&self, other: &Self) -> bool {
        let slots = self.active.iter().zip(other.active);
        let common: u32 = slots.map(|(own, other)| (own & other).count_ones()).sum();
        let own: u32 = self.active.iter().map(|of_slot| of_slot.count_ones()).sum();
        2 * common >= own
    }

    /// Whether it may be a part of the other.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        nearly_all(other.bytes, self.bytes) && self.is_then(other)
    }
}

/// What was seen on a way: at the host itself, and at each stage.
#[derive(Debug, Clone, Default)]
pub(super) struct Sightings {
    /// At the interfaces that may be the host's, by their network.
    own: BTreeMap<u32, OfDay>,
    stages: BTreeMap<Stage, OfDay>,
}

impl Sightings {
    pub(super) fn add_own(&mut self, network: u32, seen: &OfDay) {
        self.own.entry(network).or_default().add(seen);
    }

    pub(super) fn add(&mut self, stage: Stage, seen: &OfDay) {
        self.stages.entry(stage).or_default().add(seen);
    }

    /// Which of them count.
    pub(super) fn settle(&self) -> Counting {
        let mut counting = Counting::default();
        let mut stages: Vec<(&Stage, &OfDay)> = self.stages.iter().collect();
        // Those in a network with the host first: what they repeat may be seen again further on.
        let is_far = |stage: &Stage| !self.own.contains_key(&stage.network);
        stages.sort_by_key(|(stage, seen)| (is_far(stage), Reverse(seen.bytes), **stage));
        let mut references: Vec<(u32, OfDay)> = self.own.iter().map(|(n, o)| (*n, *o)).collect();
        for (stage, seen) in stages {
            // In one network an address is one host.
            let is_near = |(network, other): &(u32, OfDay)| {
                *network == stage.network && seen.is_within(other)
            };
            // Elsewhere it may be another's, unless sums and times agree.
            let is_same =
                |(_, other): &(u32, OfDay)| agree(seen.bytes, other.bytes) && seen.is_then(other);
            let is_again = references.iter().any(is_near);
            if is_again || references.iter().any(is_same) {
                // A guess is no ground for another one.
                if is_again {
                    references.push((stage.network, *seen));
                }
                continue;
            }
            counting.stages.push(*stage);
            references.push((stage.network, *seen));
            // The host's own log has lost some.
            if self.own.contains_key(&stage.network) {
                counting.without_own.push(stage.network);
            }
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
    /// Of a point behind an intermediary, an interface of the same network that has the host's address.
    pub(super) owners: BTreeMap<u32, u32>,
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
        if behind.is_empty() {
            return Self::default();
        }
        let mut owners: HashMap<Addr, Vec<&Seen<'_>>, FixedState> = HashMap::default();
        for (_, host) in &behind {
            owners.entry(*host).or_default();
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
        let mut near_owners = BTreeMap::new();
        for (of, host) in behind {
            let all = &owners[&host];
            let near = || all.iter().filter(|own| own.network == of.network);
            match near().next() {
                Some(own) => {
                    near_owners.insert(of.point, own.point);
                    near().for_each(|own| groups.join(of.point, own.point));
                }
                None => all.iter().for_each(|own| groups.join(of.point, own.point)),
            }
            if all.is_empty() {
                let first = *first_behind.entry(host).or_insert(of.point);
                groups.join(of.point, first);
            }
        }
        Self {
            by_point: groups.settled(),
            owners: near_owners,
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
