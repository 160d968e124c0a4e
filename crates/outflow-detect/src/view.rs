//! A state as judges read it: every pair seen from its interface, every byte at one interface.

use std::collections::{BTreeMap, HashMap};

use outflow_enrich::protocol;
use outflow_record::Addr;

use crate::counters::Counters;
use crate::entities::Entity;
use crate::key::{FixedState, Key, PairKey, Service, UnorientedKey};
use crate::services::resolving;
use crate::state::State;
use crate::time::{Day, Slot};

/// A pair within a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// Number of the workload, in the order of accounts and names.
    pub(crate) workload: u32,
    /// Number of the interface, in the order of keys.
    pub(crate) interface: u32,
    pub(crate) group: Addr,
    pub(crate) remote: Addr,
    pub(crate) service: Service,
    pub(crate) slot: Slot,
    pub(crate) counters: &'a Counters,
}

/// An account and the name of a workload in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Workload {
    pub(crate) account_id: String,
    pub(crate) name: String,
}

/// The state up to the end of a day.
#[derive(Debug)]
pub(crate) struct View<'a> {
    state: &'a State,
    through: Day,
    workloads: Vec<Workload>,
    /// By the state's number of an interface: number here, and of its workload.
    numbers: Vec<(u32, u32)>,
    /// The interfaces in the order of their keys.
    interfaces: Vec<&'a Entity>,
    oriented: Vec<(PairKey, Counters)>,
    passed_on: HashMap<(Addr, Day), Passed, FixedState>,
}

/// Entries by what reads them, in no order.
#[derive(Debug, Default)]
pub(crate) struct Sifted<'a> {
    /// Payload that a host chose to send outside.
    pub(crate) chosen: Vec<Entry<'a>>,
    /// ICMP with the outside.
    pub(crate) icmp: Vec<Entry<'a>>,
    /// Name resolution.
    pub(crate) names: Vec<Entry<'a>>,
    /// Bytes that crossed the border outwards, headers included, each at one interface.
    pub(crate) counted_bytes: u64,
}

/// Payload to an address on a day, by who sent it.
#[derive(Debug, Default)]
struct Passed {
    by_gateways: u64,
    by_hosts: u64,
}

impl<'a> View<'a> {
    /// The state as it was when `through` ended.
    pub(crate) fn new(state: &'a State, through: Day) -> Self {
        let mut ids: BTreeMap<Workload, u32> = BTreeMap::new();
        for (_, entity) in state.entities.sorted() {
            ids.insert(workload_of(entity), 0);
        }
        for (rank, id) in ids.values_mut().enumerate() {
            *id = u32::try_from(rank).unwrap_or(u32::MAX);
        }
        let mut numbers = vec![(0, 0); state.entities.len()];
        let mut interfaces = Vec::new();
        for (number, entity) in state.entities.sorted() {
            let rank = u32::try_from(interfaces.len()).unwrap_or(u32::MAX);
            numbers[number as usize] = (rank, ids[&workload_of(entity)]);
            interfaces.push(entity);
        }
        let known = |(key, counters): (&UnorientedKey, &Counters)| {
            (key.slot.day() <= through).then(|| orient(state, key, *counters))
        };
        let oriented = state.unoriented.iter().filter_map(known).collect();
        let workloads = ids.into_keys().collect();
        let mut view = Self {
            state,
            through,
            workloads,
            numbers,
            interfaces,
            oriented,
            passed_on: HashMap::default(),
        };
        view.find_passed_on();
        view
    }

    pub(crate) fn workload(&self, id: u32) -> &Workload {
        &self.workloads[id as usize]
    }

    pub(crate) fn interface(&self, number: u32) -> &'a Entity {
        self.interfaces[number as usize]
    }

    /// The AWS service whose range holds a destination group, if records name it.
    pub(crate) fn aws_service(&self, group: Addr) -> Option<String> {
        self.state
            .aws
            .get(&group)
            .and_then(|service| service.name())
            .map(str::to_owned)
    }

    fn pairs(&self) -> impl Iterator<Item = (&PairKey, &Counters)> {
        let oriented = self.oriented.iter().map(|(key, counters)| (key, counters));
        let through = self.through;
        self.state
            .pairs
            .iter()
            .chain(oriented)
            .filter(move |(key, _)| key.slot.day() <= through)
    }

    /// The pairs that judges read, without what a gateway only passed on, in two passes over the state: one
    /// counts, as growing lists of this size would copy them again and again.
    pub(crate) fn sift(&self) -> Sifted<'_> {
        let (mut chosen, mut names) = (0, 0);
        for (key, counters) in self.pairs() {
            chosen += usize::from(is_chosen(key, counters));
            names += usize::from(resolves(key));
        }
        let mut sifted = Sifted {
            chosen: Vec::with_capacity(chosen),
            names: Vec::with_capacity(names),
            ..Sifted::default()
        };
        for (key, counters) in self.pairs().filter(|(key, _)| !self.is_passed_on(key)) {
            let (interface, workload) = self.numbers[key.entity as usize];
            let entry = Entry {
                workload,
                interface,
                group: key.remote.group(),
                remote: key.remote,
                service: key.service,
                slot: key.slot,
                counters,
            };
            let Service {
                external, protocol, ..
            } = key.service;
            if external {
                sifted.counted_bytes = sifted.counted_bytes.saturating_add(counters.up.bytes);
            }
            if is_chosen(key, counters) {
                sifted.chosen.push(entry);
            }
            if external && is_icmp(protocol) {
                sifted.icmp.push(entry);
            }
            if resolves(key) {
                sifted.names.push(entry);
            }
        }
        sifted
    }

    /// A gateway logs again what hosts behind it sent. Its bytes to an address count only on days when the
    /// hosts' own records do not hold them: when the hosts are not logged.
    fn is_passed_on(&self, key: &PairKey) -> bool {
        if !self.state.entities.get(key.entity).interface.intermediary {
            return false;
        }
        if !key.service.external {
            // What a gateway says inside, it says for the other side, whose records it has too.
            return true;
        }
        let passed = self.passed_on.get(&(key.remote, key.slot.day()));
        // Some of the hosts' last packets are in the next window: nine tenths are all.
        passed.is_some_and(|passed| passed.by_hosts / 9 >= passed.by_gateways / 10)
    }

    fn find_passed_on(&mut self) {
        let mut passed: HashMap<(Addr, Day), Passed, FixedState> = HashMap::default();
        let is_gateway = |key: &PairKey| self.state.entities.get(key.entity).interface.intermediary;
        for (key, counters) in self.pairs().filter(|(key, _)| is_gateway(key)) {
            let of = passed.entry((key.remote, key.slot.day())).or_default();
            of.by_gateways = of.by_gateways.saturating_add(counters.up.bytes);
        }
        if !passed.is_empty() {
            for (key, counters) in self.pairs().filter(|(key, _)| !is_gateway(key)) {
                if let Some(of) = passed.get_mut(&(key.remote, key.slot.day())) {
                    of.by_hosts = of.by_hosts.saturating_add(counters.up.bytes);
                }
            }
        }
        self.passed_on = passed;
    }
}

/// Whether a host chose to send payload outside.
fn is_chosen(key: &PairKey, counters: &Counters) -> bool {
    key.service.external && !key.service.served && counters.up.payload > 0
}

fn resolves(key: &PairKey) -> bool {
    resolving(key.service, key.remote).is_some()
}

fn is_icmp(number: u8) -> bool {
    matches!(number, protocol::ICMP | protocol::ICMPV6)
}

fn workload_of(entity: &Entity) -> Workload {
    let name = entity.workload().to_owned();
    Workload {
        account_id: entity.key.account_id.clone(),
        name,
    }
}

/// Sees a pair from the address that its interface owns. Where that is not known, from the side of the client:
/// the bytes then count as sent, which can only add suspicion.
fn orient(state: &State, key: &UnorientedKey, counters: Counters) -> (PairKey, Counters) {
    let interface = &state.entities.get(key.entity()).interface;
    let first_is_own = match (interface.owns(key.first), interface.owns(key.second)) {
        (Some(true), _) => true,
        (_, Some(true)) => false,
        _ => !key.service.served,
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
