//! A look at every pair before judging: where its bytes count, and who accepts connections.

use std::collections::{BTreeMap, HashMap, HashSet};

use outflow_enrich::{InterfaceKey, Via, protocol};

use super::once::{self, ByPeer, Hosts, OfDay, Peer, Rival, Seen, Sightings, Stage, Traffic, Way};
use super::{Accepting, Kind, View, shards};
use crate::coverage::Watch;
use crate::key::{FixedState, PairKey, Remote, Role};
use crate::parallel::in_parallel;

/// Where bytes that a gateway sent in its own name may be logged before.
pub(super) type Passage = (Place, Traffic);

/// Where what a gateway passed on is to be sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// At the gateway itself, on the side of the hosts. Number of the party.
    Interface(u32),
    /// At the hosts of its network: where records do not show what a gateway passed on.
    Network(u32),
}

/// Bytes of a passage: what gateways sent in their own name, and what of it is known from elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Passed {
    by_gateways: OfDay,
    by_hosts: OfDay,
    /// As gateways had it from hosts.
    received: OfDay,
    /// As gateways had it from other gateways, for hosts.
    forwarded: OfDay,
}

impl Passed {
    fn add(&mut self, other: &Self) {
        self.by_gateways.add(&other.by_gateways);
        self.by_hosts.add(&other.by_hosts);
        self.received.add(&other.received);
        self.forwarded.add(&other.forwarded);
    }

    /// Whether what gateways sent is counted where they had it from.
    fn is_known(&self) -> bool {
        [self.by_hosts, self.received, self.forwarded]
            .iter()
            .any(|seen| self.by_gateways.is_within(seen))
    }
}

/// What one look at the pairs of a shard shows.
#[derive(Debug, Default)]
struct Surveyed {
    accepting: Accepting,
    passed: Vec<(Passage, Passed)>,
    behind: Vec<(Way, Stage, OfDay)>,
}

/// Bytes that hosts of a shard logged themselves.
#[derive(Debug, Default)]
struct SentByHosts {
    on_passages: Vec<(Passage, OfDay)>,
    /// With the host's network.
    on_ways: Vec<(Way, u32, OfDay)>,
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
        matches!(self.kinds[key.entity as usize], Kind::Gateway { .. })
    }

    /// Where a pair's bytes may be logged twice; nowhere, if its address was not kept for want of memory.
    fn passage(&self, key: &PairKey, kept: Remote) -> Option<Passage> {
        let traffic = Traffic::of(key, kept)?;
        let network = Place::Network(self.networks[key.entity as usize]);
        let interface = || {
            let party = self.parties.of_point(key.entity);
            Place::Interface(self.parties.logged_at(party))
        };
        let place = match self.kinds[key.entity as usize] {
            Kind::Host | Kind::Gateway { is_shown: false } => network,
            Kind::Behind { .. } | Kind::Gateway { is_shown: true } => interface(),
        };
        Some((place, traffic))
    }

    /// As [`View::passage`], of a host whose packets some intermediary passed on.
    fn way(&self, key: &PairKey, kept: Remote) -> Option<Way> {
        let group = self
            .hosts
            .group(key.entity)
            .filter(|_| key.service.external)?;
        Some((group, Traffic::of(key, kept)?))
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
            // Of whichever flow log: in one of them the interface may have sent nothing.
            addresses: &self
                .interface(self.parties.of_point(point))
                .interface
                .addresses,
        });
        Hosts::of(&points.collect::<Vec<_>>())
    }

    /// What of a flow log another one of the same interface holds too.
    pub(super) fn find_redundant(&self) -> HashSet<(u32, Peer), FixedState> {
        let mut by_place: BTreeMap<(&InterfaceKey, Via), Vec<Rival<'_>>> = BTreeMap::new();
        let mut watches: HashMap<(&InterfaceKey, &str), &Watch, FixedState> = HashMap::default();
        for (point, entity) in self.state.entities.sorted() {
            let key = &entity.key;
            // The interface's own point, which comes first, has what its flow log covers.
            let watch = watches
                .entry((&key.interface, &key.flow_log))
                .or_insert(&entity.watch);
            let rival = Rival { point, watch };
            let place = (&key.interface, key.via);
            by_place.entry(place).or_default().push(rival);
        }
        let rivals: Vec<Vec<Rival<'_>>> = by_place
            .into_values()
            .filter(|points| points.len() > 1)
            .collect();
        let points = rivals.iter().flatten().map(|rival| rival.point);
        let points: HashSet<u32, FixedState> = points.collect();
        if points.is_empty() {
            return HashSet::default();
        }
        let sums = in_parallel(&shards(), |shard| {
            let mut sums = ByPeer::default();
            let rivals = self
                .pairs(*shard)
                .filter(|(key, ..)| points.contains(&key.entity));
            for (key, counters, _) in rivals {
                let peers = sums.entry(key.entity).or_default();
                let logged = peers.entry(peer_of(key)).or_default();
                logged.add(counters);
            }
            sums
        });
        // A point's pairs are all in one shard.
        let sums = sums.into_iter().flatten().collect();
        once::redundant(&rivals, &sums, self.state.entities.kept_from())
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
            for (way, stage, seen) in shard.behind {
                ways.entry(way).or_default().add(stage, &seen);
            }
        }
        if !passed.is_empty() || !ways.is_empty() {
            let hosts = in_parallel(&shards(), |shard| {
                self.sent_by_hosts(*shard, &passed, &ways)
            });
            for sent in hosts {
                for (at, seen) in sent.on_passages {
                    passed.entry(at).or_default().add(&Passed {
                        by_hosts: seen,
                        ..Passed::default()
                    });
                }
                for (way, network, seen) in sent.on_ways {
                    ways.entry(way).or_default().add_own(network, &seen);
                }
            }
        }
        self.passed_on = passed;
        self.ways = ways
            .into_iter()
            .map(|(way, seen)| (way, seen.settle()))
            .collect();
    }

    /// What hosts themselves sent on passages and ways that others saw.
    fn sent_by_hosts(
        &self,
        shard: usize,
        passed: &HashMap<Passage, Passed, FixedState>,
        ways: &HashMap<Way, Sightings, FixedState>,
    ) -> SentByHosts {
        let mut sent = SentByHosts::default();
        self.pairs(shard).for_each(|(key, counters, kept)| {
            if self.kinds[key.entity as usize] != Kind::Host {
                return;
            }
            let seen = OfDay::of(key.slot, counters);
            if let Some(at) = self.passage(key, kept)
                && passed.contains_key(&at)
            {
                sent.on_passages.push((at, seen));
            }
            if let Some(way) = self.way(key, kept)
                && ways.contains_key(&way)
            {
                let network = self.networks[key.entity as usize];
                sent.on_ways.push((way, network, seen));
            }
        });
        sent
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
                let since = accepting
                    .entry((self.parties.of_point(key.entity), service.port))
                    .or_insert(day);
                *since = day.min(*since);
            }
            let stage = self.stage(key);
            if stage.is_none() && !self.is_gateway(key) {
                return;
            }
            let seen = OfDay::of(key.slot, counters);
            let mut passed = Passed::default();
            match stage {
                None => passed.by_gateways = seen,
                Some(stage) if stage.forwarded => passed.forwarded = seen,
                Some(_) => passed.received = seen,
            }
            let at = self.passage(key, kept);
            surveyed.passed.extend(at.map(|at| (at, passed)));
            if let (Some(stage), Some(way)) = (stage, self.way(key, kept)) {
                surveyed.behind.push((way, stage, seen));
            }
        });
        surveyed
    }
}

/// A pair's other side, as flow logs of an interface are compared by.
pub(super) fn peer_of(key: &PairKey) -> Peer {
    Peer {
        slot: key.slot,
        remote: key.remote,
        protocol: key.service.protocol,
        external: key.service.external,
    }
}
