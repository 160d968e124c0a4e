//! A look at every pair before judging: where its bytes count, and who accepts connections.

use std::collections::{BTreeMap, HashMap, HashSet};

use outflow_enrich::{InterfaceKey, Via, protocol};
use outflow_record::Addr;

use super::once::{self, BySlot, Hosts, Seen, Sightings, Stage, Way, nearly_all};
use super::{Accepting, Kind, View, shards};
use crate::key::{FixedState, PairKey, Remote, Role};
use crate::parallel::in_parallel;
use crate::time::Slot;

/// Where bytes of a gateway may be logged twice: a network (of an account and a VPC), an address and a day; and whether
/// they were served, as those have no address.
pub(super) type Passage = (u32, Addr, u32, bool);

/// Bytes of a passage: what gateways sent in their own name, and what of it is known from hosts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Passed {
    by_gateways: u64,
    by_hosts: u64,
    /// As gateways had it from hosts.
    received: u64,
    /// As gateways had it from other gateways, for hosts.
    forwarded: u64,
}

impl Passed {
    fn add(&mut self, other: &Self) {
        self.by_gateways = self.by_gateways.saturating_add(other.by_gateways);
        self.by_hosts = self.by_hosts.saturating_add(other.by_hosts);
        self.received = self.received.saturating_add(other.received);
        self.forwarded = self.forwarded.saturating_add(other.forwarded);
    }

    /// Whether what gateways sent is counted where they had it from.
    fn is_known(&self) -> bool {
        [self.by_hosts, self.received, self.forwarded]
            .into_iter()
            .any(|seen| nearly_all(seen, self.by_gateways))
    }
}

/// What one look at the pairs of a shard shows.
#[derive(Debug, Default)]
struct Surveyed {
    accepting: Accepting,
    passed: Vec<(Passage, Passed)>,
    behind: Vec<(Way, Stage, u64)>,
}

impl View<'_> {
    /// Whether a pair's bytes count elsewhere. A gateway logs again what hosts sent: its bytes to an address count only
    /// on days when nothing shows whose they were; a host's, where most of them are seen, itself first.
    pub(super) fn is_passed_on(&self, key: &PairKey, kept: Remote) -> bool {
        if self.is_gateway(key) {
            if !key.service.external {
                // What a gateway says inside, it says for the other side, whose records it has too.
                return true;
            }
            let passed = self
                .passage(key, kept)
                .and_then(|at| self.passed_on.get(&at));
            return passed.is_some_and(Passed::is_known);
        }
        let Some(counting) = self.way(key, kept).and_then(|way| self.ways.get(&way)) else {
            return false;
        };
        match self.stage(key) {
            Some(stage) => !counting.stages.contains(&stage),
            None => counting
                .without_own
                .contains(&self.networks[key.entity as usize]),
        }
    }

    fn is_gateway(&self, key: &PairKey) -> bool {
        self.kinds[key.entity as usize] == Kind::Gateway
    }

    /// Where a pair's bytes may be logged twice; nowhere, if its address was not kept for want of memory.
    fn passage(&self, key: &PairKey, kept: Remote) -> Option<Passage> {
        let served = key.service.is_anonymous();
        let network = self.networks[key.entity as usize];
        let known = served || kept == Remote::Whole;
        known.then(|| (network, key.remote, key.slot.day().0, served))
    }

    /// As [`View::passage`], of a host whose packets some intermediary passed on.
    fn way(&self, key: &PairKey, kept: Remote) -> Option<Way> {
        let served = key.service.is_anonymous();
        let known = key.service.external && (served || kept == Remote::Whole);
        known.then_some(())?;
        Some(Way {
            group: self.hosts.group(key.entity)?,
            remote: key.remote,
            day: key.slot.day(),
            served,
        })
    }

    /// Where an intermediary saw a host's packets.
    fn stage(&self, key: &PairKey) -> Option<Stage> {
        let Kind::Behind { forwarded } = self.kinds[key.entity as usize] else {
            return None;
        };
        Some(Stage {
            network: self.networks[key.entity as usize],
            forwarded,
        })
    }

    pub(super) fn find_hosts(&self) -> Hosts {
        let points = self.state.entities.sorted().map(|(point, entity)| Seen {
            point,
            network: self.networks[point as usize],
            via: entity.key.via,
            is_host: self.kinds[point as usize] == Kind::Host,
            addresses: &entity.interface.addresses,
        });
        Hosts::of(&points.collect::<Vec<_>>())
    }

    /// What of a flow log another one of the same interface holds too.
    pub(super) fn find_redundant(&self) -> HashSet<(u32, Slot), FixedState> {
        let mut by_place: BTreeMap<(&InterfaceKey, Via), Vec<u32>> = BTreeMap::new();
        for (point, entity) in self.state.entities.sorted() {
            let place = (&entity.key.interface, entity.key.via);
            by_place.entry(place).or_default().push(point);
        }
        let rivals: Vec<Vec<u32>> = by_place
            .into_values()
            .filter(|points| points.len() > 1)
            .collect();
        let points: HashSet<u32, FixedState> = rivals.iter().flatten().copied().collect();
        if points.is_empty() {
            return HashSet::default();
        }
        let sums = in_parallel(&shards(), |shard| {
            let mut sums = BySlot::default();
            let rivals = self
                .pairs(*shard)
                .filter(|(key, ..)| points.contains(&key.entity));
            for (key, counters, _) in rivals {
                let bytes = counters.up().bytes.saturating_add(counters.down().bytes);
                let slots = sums.entry(key.entity).or_default();
                slots
                    .entry(key.slot)
                    .or_default()
                    .add(bytes, counters.active);
            }
            sums
        });
        // A point's pairs are all in one shard.
        once::redundant(&rivals, &sums.into_iter().flatten().collect())
    }

    /// A look at every pair: who accepts connections, and what gateways sent; then, what hosts sent there.
    pub(super) fn survey(&mut self) {
        let surveyed = in_parallel(&shards(), |shard| self.survey_shard(*shard));
        let mut passed: HashMap<Passage, Passed, FixedState> = HashMap::default();
        let mut ways: HashMap<Way, Sightings, FixedState> = HashMap::default();
        for shard in surveyed {
            self.accepting.push(shard.accepting);
            for (at, bytes) in shard.passed {
                passed.entry(at).or_default().add(&bytes);
            }
            for (way, stage, bytes) in shard.behind {
                ways.entry(way).or_default().add(stage, bytes);
            }
        }
        if !passed.is_empty() || !ways.is_empty() {
            let hosts = in_parallel(&shards(), |shard| {
                self.sent_by_hosts(*shard, &passed, &ways)
            });
            for (sent, own) in hosts {
                for (at, bytes) in sent {
                    passed.entry(at).or_default().add(&Passed {
                        by_hosts: bytes,
                        ..Passed::default()
                    });
                }
                for (way, network, bytes) in own {
                    ways.entry(way).or_default().add_own(network, bytes);
                }
            }
        }
        self.passed_on = passed;
        self.ways = ways
            .into_iter()
            .map(|(way, seen)| (way, seen.settle()))
            .collect();
    }

    #[expect(clippy::type_complexity, reason = "two lists, each said above")]
    fn sent_by_hosts(
        &self,
        shard: usize,
        passed: &HashMap<Passage, Passed, FixedState>,
        ways: &HashMap<Way, Sightings, FixedState>,
    ) -> (Vec<(Passage, u64)>, Vec<(Way, u32, u64)>) {
        let (mut sent, mut own) = (Vec::new(), Vec::new());
        self.pairs(shard).for_each(|(key, counters, kept)| {
            if self.stage(key).is_some() || self.is_gateway(key) {
                return;
            }
            let bytes = counters.up().bytes;
            let at = self.passage(key, kept);
            sent.extend(
                at.filter(|at| passed.contains_key(at))
                    .map(|at| (at, bytes)),
            );
            let way = self.way(key, kept).filter(|way| ways.contains_key(way));
            own.extend(way.map(|way| (way, self.networks[key.entity as usize], bytes)));
        });
        (sent, own)
    }

    fn survey_shard(&self, shard: usize) -> Surveyed {
        let mut surveyed = Surveyed::default();
        self.pairs(shard).for_each(|(key, counters, kept)| {
            let service = key.service;
            // Only an answer proves that somebody listens; a question may come to any port.
            let answers = service.role == Role::Server && counters.up().packets > 0;
            if answers && service.external && service.protocol == protocol::TCP {
                let day = key.slot.day();
                let accepting = &mut surveyed.accepting;
                let since = accepting.entry((key.entity, service.port)).or_insert(day);
                *since = day.min(*since);
            }
            let bytes = counters.up().bytes;
            let stage = self.stage(key);
            if stage.is_none() && !self.is_gateway(key) {
                return;
            }
            let mut passed = Passed::default();
            match stage {
                None => passed.by_gateways = bytes,
                Some(stage) if stage.forwarded => passed.forwarded = bytes,
                Some(_) => passed.received = bytes,
            }
            let at = self.passage(key, kept);
            surveyed.passed.extend(at.map(|at| (at, passed)));
            if let (Some(stage), Some(way)) = (stage, self.way(key, kept)) {
                surveyed.behind.push((way, stage, bytes));
            }
        });
        surveyed
    }
}
