//! A state as judges read it: every pair seen from its interface, every byte at one interface.

mod askers;
mod attempted;
mod grouping;
mod once;
mod operated;
mod parties;
mod placed;
mod received;
mod survey;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use ipnet::IpNet;
use outflow_enrich::inventory::Inventory;
use outflow_enrich::{GeoDatabases, GroupId, Interface, InterfaceKey, Knowledge, Via, protocol};
use outflow_record::Addr;

use crate::counters::{Counters, Volume};
use crate::coverage::Watch;
use crate::entities::Entity;
use crate::key::{
    FixedState, Key, PairKey, Remote, Resolution, Role, Service, UnorientedKey, is_icmp,
};
use crate::parallel::{in_parallel, in_parallel_mut};
use crate::policy::Policy;
use crate::rhythm::Rhythm;
use crate::services::{port_of, watched};
use crate::state::{State, Uncounted, more};
use crate::table::SHARDS;
use crate::time::{Day, Slot};
pub(crate) use askers::Askers;
pub(crate) use grouping::Group;
use grouping::Grouping;
use once::{Counting, Hosts, Peer, Way};
use operated::Operated;
use parties::Parties;
use placed::Placed;
pub(crate) use received::Received;
use survey::{Passage, Passed, peer_of};

/// A pair within a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// Number of the workload, in the order of accounts and names.
    pub(crate) workload: u32,
    /// Number of the interface, in the order of keys.
    pub(crate) interface: u32,
    pub(crate) remote: Addr,
    /// How much of the remote address `remote` tells.
    pub(crate) kept: Remote,
    /// The destination group, if it has a name.
    pub(crate) named: Option<GroupId>,
    pub(crate) service: Service,
    pub(crate) slot: Slot,
    /// Where the state keeps the pair's beats.
    shard: u8,
    pub(crate) counters: &'a Counters,
}

// There are as many as pairs, of which there may be ten million.
const _: () = assert!(size_of::<Entry<'_>>() <= 48);

impl Entry<'_> {
    /// The destination group.
    pub(crate) fn group(&self) -> Group {
        Group::new(self.named, self.remote)
    }

    /// Whether more than headers was sent.
    pub(crate) fn sends_payload(&self) -> bool {
        self.counters.up().payload > 0
    }

    /// Whether everything that the entry may stand for lies in a network.
    pub(crate) fn lies_in(&self, network: &IpNet) -> bool {
        match self.kept {
            Remote::Whole => network.contains(&self.remote.to_ip()),
            Remote::Group => {
                let group = IpNet::new(self.remote.to_ip(), self.remote.group_len());
                group.is_ok_and(|group| network.contains(&group))
            }
            Remote::Dropped => false,
        }
    }
}

/// Looks at the counters of entries that are read next. They lie anywhere in memory: many looks are under way at once,
/// where what depends on them would wait for each.
pub(crate) fn warm_up<'a>(entries: impl IntoIterator<Item = &'a Entry<'a>>) {
    let look = |seen, entry: &Entry<'_>| seen ^ entry.counters.up().bytes ^ entry.counters.active();
    std::hint::black_box(entries.into_iter().fold(0, look));
}

/// An account and the name of a workload in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Workload {
    pub(crate) account_id: String,
    pub(crate) name: String,
    /// Region, where the name is unique within one only.
    pub(crate) region: Option<String>,
}

impl Workload {
    /// The name with what makes it unique within its account.
    pub(crate) fn unique_name(&self) -> String {
        match &self.region {
            Some(region) => format!("{} {region}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Whose packets a point saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The interface's own.
    Host,
    /// Those of an intermediary, in its own name. Whether records show it to be one: then they show, too, what it passed
    /// on.
    Gateway { is_shown: bool },
    /// Those of a host behind an intermediary, on the side of the host or [forwarded](outflow_enrich::Via::Forwarded).
    Behind { forwarded: bool },
}

/// The state up to the end of a day.
#[derive(Debug)]
pub(crate) struct View<'a> {
    state: &'a State,
    through: Day,
    workloads: Vec<Workload>,
    /// By the state's number of an interface: number here, and of its first workload.
    numbers: Vec<(u32, u32)>,
    /// By the state's number of an interface that changed workloads: from which slot on it is of which one.
    moved: HashMap<u32, Vec<(Slot, u32)>, FixedState>,
    /// Interfaces and hosts, in the order of their keys.
    parties: Parties<'a>,
    inventory: &'a Inventory,
    geo: &'a GeoDatabases,
    /// What knowledge adds to them.
    placed: Vec<Placed<'a>>,
    /// By the state's number of a point: whose packets it saw, as records or knowledge say.
    kinds: Vec<Kind>,
    /// By the state's number of an interface: the number of its account and VPC.
    networks: Vec<u32>,
    grouping: Grouping<'a>,
    operated: Operated<'a>,
    /// Protocols and ports that policy says are served.
    served: BTreeSet<(u8, u16)>,
    /// By shard, the pairs whose records did not tell the interface's own address.
    oriented: Vec<Vec<(PairKey, Counters)>>,
    /// By shard, what its interfaces were seen to accept.
    accepting: Vec<Accepting>,
    passed_on: HashMap<Passage, Passed, FixedState>,
    /// Points and peers of which another flow log of the same interface counts.
    redundant: HashSet<(u32, Peer), FixedState>,
    hosts: Hosts,
    /// Where the bytes of hosts count whose packets intermediaries passed on.
    ways: HashMap<Way, Counting, FixedState>,
}

/// Entries by what reads them, in no order.
#[derive(Debug, Default)]
pub(crate) struct Sifted<'a> {
    /// What a host chose to send outside, with payload or without, in parts that have no workload in common.
    pub(crate) chosen: Vec<Vec<Entry<'a>>>,
    /// What it sent outside to those who came to it.
    pub(crate) served: Vec<Entry<'a>>,
    /// Of it, what went to services that policy watches.
    pub(crate) watched: Vec<Entry<'a>>,
    /// ICMP with the outside.
    pub(crate) icmp: Vec<Entry<'a>>,
    /// Name resolution, in parts that have no interface in common.
    pub(crate) names: Vec<Vec<Entry<'a>>>,
    /// What crossed the border outwards, each byte at one observation point.
    pub(crate) counted: Volume,
    /// What did not cross it, or did so at another point.
    pub(crate) uncounted: Uncounted,
    /// Of the payload counted, what was sent in conversations of which only the ports suggest who opened them.
    pub(crate) guessed_payload_bytes: u64,
    /// Of the payload counted, that of which no record tells the path.
    pub(crate) unpathed_payload_bytes: u64,
}

/// Parts that chosen payload is sifted into: so many that one of a few million pairs is put in order within the
/// second-level cache.
const PARTS: usize = 1024;

/// By party and port, the day on which it was first seen to accept a TCP connection from outside.
type Accepting = HashMap<(u32, u16), Day, FixedState>;

impl<'a> View<'a> {
    /// The state as it was when `through` ended.
    pub(crate) fn new(
        state: &'a State,
        policy: &Policy,
        knowledge: &'a Knowledge,
        through: Day,
    ) -> Self {
        let parties = Parties::of(state);
        let placed: Vec<Placed<'_>> = parties
            .iter()
            .map(|party| Placed::of(party, knowledge))
            .collect();
        let ids = workloads(&parties, &placed);
        let mut numbers = vec![(0, 0); state.entities.len()];
        let mut kinds = vec![Kind::Host; state.entities.len()];
        let mut moved = HashMap::default();
        for (number, entity) in state.entities.sorted() {
            let party = parties.of_point(number);
            let workloads = placed[party as usize].workloads(parties.get(party));
            let workloads: Vec<(Slot, u32)> =
                workloads.map(|(from, name)| (from, ids[&name])).collect();
            numbers[number as usize] = (party, workloads[0].1);
            kinds[number as usize] = match entity.key.via {
                Via::Received(_) => Kind::Behind { forwarded: false },
                Via::Forwarded(_) => Kind::Behind { forwarded: true },
                Via::Own if parties.get(party).interface.intermediary => {
                    Kind::Gateway { is_shown: true }
                }
                Via::Own if placed[party as usize].passes_on => Kind::Gateway { is_shown: false },
                Via::Own => Kind::Host,
            };
            if workloads.len() > 1 {
                moved.insert(number, workloads);
            }
        }
        let networks = networks(state, &parties, &placed);
        let grouping = Grouping::new(state, &parties, &placed, &knowledge.destinations);
        let operated = Operated::new(&parties, &placed, &knowledge.operators);
        let ports = policy.services_served.iter();
        let served = ports.filter_map(|name| port_of(name)).collect();
        let known = |(key, counters, _): (&UnorientedKey, &Counters, Resolution)| {
            let own = || &parties.get(parties.of_point(key.entity())).interface;
            (key.slot.day() <= through).then(|| orient(own(), key, *counters))
        };
        let orient_shard =
            |shard: &usize| state.unoriented.shard(*shard).filter_map(known).collect();
        let oriented = in_parallel(&shards(), orient_shard);
        let mut view = Self {
            state,
            through,
            workloads: ids.into_keys().collect(),
            numbers,
            moved,
            parties,
            inventory: &knowledge.inventory,
            geo: &knowledge.geo,
            placed,
            kinds,
            networks,
            grouping,
            operated,
            served,
            oriented,
            accepting: Vec::new(),
            passed_on: HashMap::default(),
            redundant: HashSet::default(),
            hosts: Hosts::default(),
            ways: HashMap::default(),
        };
        view.redundant = view.find_redundant();
        view.hosts = view.find_hosts();
        view.name_hosts();
        view.survey();
        view
    }

    pub(crate) fn workload(&self, id: u32) -> &Workload {
        &self.workloads[id as usize]
    }

    pub(crate) fn interface(&self, number: u32) -> &Entity {
        self.parties.get(number)
    }

    /// When the connections of an entry began.
    pub(crate) fn rhythm(&self, entry: &Entry<'_>) -> Rhythm {
        let shard = usize::from(entry.shard);
        self.state.pairs.rhythm(shard, entry.counters)
    }

    /// What the log covers of an interface, or of the one that passed on a host's packets.
    pub(crate) fn watch(&self, number: u32) -> &Watch {
        self.parties.watch(number)
    }

    /// What knowledge adds to an interface.
    pub(crate) fn placed(&self, number: u32) -> &Placed<'a> {
        &self.placed[number as usize]
    }

    /// Where addresses are.
    pub(crate) fn geo(&self) -> &GeoDatabases {
        self.geo
    }

    /// What the account says of its network.
    pub(crate) fn inventory(&self) -> &Inventory {
        self.inventory
    }

    /// The numbers of an interface, by that of the state, and of its workload within a slot.
    fn who(&self, entity: u32, slot: Slot) -> (u32, u32) {
        let (interface, first) = self.numbers[entity as usize];
        if self.moved.is_empty() {
            return (interface, first);
        }
        let since = self.moved.get(&entity).and_then(|workloads| {
            let until = workloads.partition_point(|(from, _)| *from <= slot);
            workloads.get(until.checked_sub(1)?)
        });
        (interface, since.map_or(first, |(_, workload)| *workload))
    }

    /// The AWS service whose range holds a /24 or /48, if records name it.
    pub(crate) fn aws_service(&self, network: Addr) -> Option<String> {
        self.state.aws.get(network).name().map(str::to_owned)
    }

    /// A destination group as people write it.
    pub(crate) fn group_name(&self, group: Group) -> String {
        self.grouping.name(group)
    }

    /// The pairs of a shard's interfaces, but for what another flow log of the same interface has.
    fn pairs(&self, shard: usize) -> impl Iterator<Item = (&PairKey, &Counters, Remote)> {
        let all = self.all_pairs(shard);
        all.filter(|(key, ..)| !self.is_redundant(key))
    }

    fn is_redundant(&self, key: &PairKey) -> bool {
        !self.redundant.is_empty() && self.redundant.contains(&(key.entity, peer_of(key)))
    }

    /// All pairs of a shard's interfaces; `for_each` passes through them faster than `for`, as several lists are chained.
    fn all_pairs(&self, shard: usize) -> impl Iterator<Item = (&PairKey, &Counters, Remote)> {
        let kept = self.state.pairs.shard(shard);
        let kept = kept.map(|(key, counters, level)| (key, counters, level.of_remote(key.service)));
        // What was kept for want of the own address has both addresses whole.
        let oriented = self.oriented[shard].iter();
        let oriented = oriented.map(|(key, counters)| (key, counters, Remote::Whole));
        let through = self.through;
        kept.chain(oriented)
            .filter(move |(key, ..)| key.slot.day() <= through)
    }

    /// The pairs that judges read, each byte at one observation point.
    pub(crate) fn sift(&self) -> Sifted<'_> {
        let mut parts = in_parallel(&shards(), |shard| self.sift_shard(*shard));
        let of_place = |place| -> Vec<Vec<Entry<'_>>> {
            let parts = parts.iter_mut();
            parts
                .map(|part| std::mem::take(&mut part.chosen[place]))
                .collect()
        };
        let mut by_place: Vec<_> = (0..PARTS).map(of_place).collect();
        // Of each place, the parts are given back as soon as they are joined.
        let joined = in_parallel_mut(&mut by_place, |_, parts| std::mem::take(parts).concat());
        let mut all = Sifted {
            chosen: joined,
            ..Sifted::default()
        };
        for part in &mut parts {
            all.served.append(&mut part.served);
            all.watched.append(&mut part.watched);
            all.icmp.append(&mut part.icmp);
            all.names.append(&mut part.names);
            all.counted.add(&part.counted);
            all.uncounted.add(&part.uncounted);
            more(&mut all.guessed_payload_bytes, part.guessed_payload_bytes);
            more(&mut all.unpathed_payload_bytes, part.unpathed_payload_bytes);
        }
        all
    }

    fn sift_shard(&self, shard: usize) -> Sifted<'_> {
        let mut sifted = Sifted {
            chosen: vec![Vec::new(); PARTS],
            ..Sifted::default()
        };
        let mut names = Vec::new();
        let called = self.called(shard);
        let is_served =
            |key: &PairKey| self.serves(shard, key) && !called.contains(&self.peer(key));
        self.all_pairs(shard).for_each(|(key, counters, kept)| {
            let is_external = key.service.external;
            sifted.uncounted.add_pair(counters, is_external);
            if self.is_redundant(key) || self.is_passed_on(key, kept) {
                let repeated = if is_external { counters.up().bytes } else { 0 };
                sifted.uncounted.add_repeated(repeated);
                return;
            }
            let (interface, workload) = self.who(key.entity, key.slot);
            let entry = Entry {
                workload,
                interface,
                remote: key.remote,
                kept,
                named: None,
                service: key.service,
                slot: key.slot,
                shard: u8::try_from(shard).unwrap_or(u8::MAX),
                counters,
            };
            let service = key.service;
            if service.external {
                let up = counters.up();
                sifted.counted.add(&up);
                if !counters.is_told() && !self.accepts(shard, key) {
                    more(&mut sifted.guessed_payload_bytes, up.payload);
                }
                if counters.paths().next().is_none() {
                    more(&mut sifted.unpathed_payload_bytes, up.payload);
                }
            }
            let sends = service.external && counters.up().bytes > 0;
            if sends && is_served(key) {
                sifted.served.push(entry);
            } else if sends {
                let named = self.grouping.of(key, kept);
                let entry = Entry { named, ..entry };
                sifted.chosen[workload as usize % PARTS].push(entry);
                // What only looks served has the port of the wrong side.
                let is_client = service.role == Role::Client && entry.sends_payload();
                if is_client && watched(service).is_some() {
                    sifted.watched.push(entry);
                }
            }
            if service.external && is_icmp(service.protocol) {
                sifted.icmp.push(entry);
            }
            if service.resolving.is_some() {
                names.push(entry);
            }
        });
        sifted.names.push(names);
        sifted
    }

    /// Whom interfaces of a shard called on a day themselves, among those that they seem to serve: a host that opens a
    /// connection from the port of its own service has no flags that say so in the later windows.
    fn called(&self, shard: usize) -> HashSet<(u32, Addr, Day), FixedState> {
        let of_role = |role| {
            let pairs = self.pairs(shard).map(|(key, ..)| key);
            pairs.filter(move |key| key.service.role == role && key.service.external)
        };
        let likely = of_role(Role::LikelyServer);
        let served: HashSet<(u32, Addr, Day), FixedState> = likely
            .filter(|key| self.serves(shard, key))
            .map(|key| self.peer(key))
            .collect();
        if served.is_empty() {
            return served;
        }
        let calls = of_role(Role::Client).map(|key| self.peer(key));
        calls.filter(|call| served.contains(call)).collect()
    }

    /// An interface, in whichever flow log, its peer and a day.
    fn peer(&self, key: &PairKey) -> (u32, Addr, Day) {
        let party = self.parties.of_point(key.entity);
        (party, key.remote, key.slot.day())
    }

    /// Gives hosts that are seen behind an intermediary the workload of their own interface, where there is one.
    fn name_hosts(&mut self) {
        for (point, own) in &self.hosts.owners {
            self.numbers[*point as usize].1 = self.numbers[*own as usize].1;
            if let Some(workloads) = self.moved.get(own).cloned() {
                self.moved.insert(*point, workloads);
            }
        }
    }

    /// Whether flags of some window, on that day or before, showed the interface to accept connections at the port that
    /// a pair suggests it serves.
    fn accepts(&self, shard: usize, key: &PairKey) -> bool {
        if key.service.role != Role::LikelyServer {
            return false;
        }
        let place = (self.parties.of_point(key.entity), key.service.port);
        let since = self.accepting[shard].get(&place);
        since.is_some_and(|since| *since <= key.slot.day())
    }

    /// Whether the interface serves, rather than chose, the other side. Ports alone are the sender's choice: where
    /// the log has flags, they must have shown the interface to accept connections at this port; where it has none,
    /// the port must be a well-known one of TCP.
    fn serves(&self, shard: usize, key: &PairKey) -> bool {
        let service = key.service;
        match service.role {
            Role::Client => return false,
            Role::Server => return true,
            Role::LikelyServer => {}
        }
        if self.served.contains(&(service.protocol, service.port)) {
            return true;
        }
        // Other protocols have no flags: nothing tells who came to whom. Port 0 is that of keys which lost theirs.
        if service.protocol != protocol::TCP || service.port == 0 {
            return false;
        }
        let day = key.slot.day();
        // Of whichever flow log: what another one leaves out is no excuse.
        let party = self.parties.of_point(key.entity);
        let interface = &self.interface(party).interface;
        if interface.flags_since.is_some_and(|since| since <= day.0) {
            self.accepts(shard, key)
        } else {
            service.port < 1_024
        }
    }
}

fn shards() -> Vec<usize> {
    (0..SHARDS).collect()
}

/// All workloads that parties belong to at some time, numbered in their order.
fn workloads(parties: &Parties<'_>, placed: &[Placed<'_>]) -> BTreeMap<Workload, u32> {
    let mut ids = BTreeMap::new();
    for (party, own) in parties.iter().zip(placed) {
        ids.extend(own.workloads(party).map(|(_, workload)| (workload, 0)));
    }
    for (rank, id) in ids.values_mut().enumerate() {
        *id = u32::try_from(rank).unwrap_or(u32::MAX);
    }
    ids
}

/// By the state's number of a point, a number for its VPC. What is in none that is known, and each attachment of a transit
/// gateway, is in one by itself: an address means the same host only within a VPC.
fn networks(state: &State, parties: &Parties<'_>, placed: &[Placed<'_>]) -> Vec<u32> {
    let mut known: BTreeMap<(Option<&str>, Option<&InterfaceKey>), u32> = BTreeMap::new();
    let mut numbers = vec![0; state.entities.len()];
    for (number, entity) in state.entities.sorted() {
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let party = parties.of_point(number);
        let interface = &entity.key.interface;
        let vpc_id = placed[party as usize].vpc_id(parties.get(party));
        let network = match vpc_id.filter(|_| !interface.is_attachment()) {
            Some(vpc_id) => (Some(vpc_id), None),
            None => (None, Some(interface)),
        };
        numbers[number as usize] = *known.entry(network).or_insert(next);
    }
    numbers
}

/// Sees a pair from the address that its interface owns. Where that is not known, from the side of the client:
/// the bytes then count as sent, which can only add suspicion.
fn orient(interface: &Interface, key: &UnorientedKey, counters: Counters) -> (PairKey, Counters) {
    let first_is_own = match (interface.owns(key.first), interface.owns(key.second)) {
        (Some(true), _) => true,
        (_, Some(true)) => false,
        _ => match (key.service.role, key.reverse.role) {
            // Either may be the client: the one that sent more.
            (Role::Client, Role::Client) => counters.up().payload >= counters.down().payload,
            (role, _) => role == Role::Client,
        },
    };
    let (entity, slot) = (key.entity, key.slot);
    if first_is_own {
        (
            PairKey {
                entity,
                remote: key.second,
                service: key.service,
                slot,
            },
            counters,
        )
    } else {
        (
            PairKey {
                entity,
                remote: key.first,
                service: key.reverse,
                slot,
            },
            counters.reversed(),
        )
    }
}

#[cfg(test)]
mod tests;
