//! A state as judges read it: every pair seen from its interface, every byte at one interface.

use std::collections::{BTreeMap, HashMap};

use outflow_record::Addr;

use crate::counters::Counters;
use crate::entities::Entity;
use crate::key::{FixedState, Key, PairKey, Service, UnorientedKey};
use crate::state::State;
use crate::time::{Day, Slot};

/// A pair within a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) workload: u32,
    pub(crate) entity: u32,
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
    workload_of: Vec<u32>,
    oriented: Vec<(PairKey, Counters)>,
    passed_on: HashMap<(Addr, Day), Passed, FixedState>,
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
        let mut of = vec![0; state.entities.len()];
        for (number, entity) in state.entities.sorted() {
            of[number as usize] = ids[&workload_of(entity)];
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
            workload_of: of,
            oriented,
            passed_on: HashMap::default(),
        };
        view.find_passed_on();
        view
    }

    pub(crate) fn workload(&self, id: u32) -> &Workload {
        &self.workloads[id as usize]
    }

    pub(crate) fn entity(&self, number: u32) -> &'a Entity {
        self.state.entities.get(number)
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

    /// The pairs that a judge asks for, without what a gateway only passed on, in the order of workload,
    /// destination group, slot, address, service and interface.
    pub(crate) fn entries(&self, wanted: impl Fn(&PairKey, &Counters) -> bool) -> Vec<Entry<'_>> {
        let mut entries: Vec<Entry<'_>> = self
            .pairs()
            .filter(|(key, counters)| wanted(key, counters) && !self.is_passed_on(key))
            .map(|(key, counters)| Entry {
                workload: self.workload_of[key.entity as usize],
                entity: key.entity,
                group: key.remote.group(),
                remote: key.remote,
                service: key.service,
                slot: key.slot,
                counters,
            })
            .collect();
        entries.sort_unstable_by(|a, b| {
            let key = |e: &Entry<'_>| (e.workload, e.group, e.slot, e.remote, e.service);
            key(a)
                .cmp(&key(b))
                .then_with(|| self.entity(a.entity).key.cmp(&self.entity(b.entity).key))
        });
        entries
    }

    /// Bytes that crossed the border outwards, each at one interface.
    pub(crate) fn counted_bytes(&self) -> u64 {
        let outside = |key: &PairKey| key.service.external && !self.is_passed_on(key);
        self.pairs()
            .filter(|(key, _)| outside(key))
            .map(|(_, counters)| counters.up.bytes)
            .sum()
    }

    /// A gateway logs again what hosts behind it sent. Its bytes to an address count only on days when the
    /// hosts' own records do not hold them: when the hosts are not logged.
    fn is_passed_on(&self, key: &PairKey) -> bool {
        if !self.entity(key.entity).interface.intermediary {
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
        let is_gateway = |key: &PairKey| self.entity(key.entity).interface.intermediary;
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
