//! The state that every detector judges: sums by pair and slot, a commutative monoid.

mod codec;

use std::collections::HashMap;

use outflow_enrich::{AwsService, Direction, EnrichedBatch, Flow, Initiator, Scope, protocol};
use outflow_record::Addr;

use crate::counters::{Counters, Volume};
use crate::entities::{Coverage, Entities};
use crate::key::{FixedState, PairKey, Resolution, Role, Service, UnorientedKey};
use crate::services::resolving;
use crate::table::Table;
use crate::time::Slot;

/// Keys of pairs that a shard keeps before it keeps less of each: 64 shards of 256 Ki keys of 112 bytes are at
/// most 2 GiB. [`State::resolution`] shows when it was reached.
pub const SHARD_KEYS_MAX: usize = 1 << 18;

/// The sums of everything folded so far.
///
/// `fold` is a sum over records; `merge` is associative and commutative with [`State::default`] as its identity;
/// [`State::encode`] gives the same bytes for the same records in any order and grouping.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) entities: Entities,
    pub(crate) pairs: Table<PairKey>,
    pub(crate) unoriented: Table<UnorientedKey>,
    /// The AWS service of a destination group, as far as records name it; of several, the last by name.
    pub(crate) aws: HashMap<Addr, AwsService, FixedState>,
    /// By the enricher's number of an interface.
    numbers: Vec<Option<Located>>,
}

/// Where an enricher's interface is in the state, and which of its buckets were noted last.
#[derive(Debug, Clone, Copy)]
struct Located {
    entity: u32,
    shard: usize,
    slot: Slot,
    buckets: u64,
}

impl Default for State {
    fn default() -> Self {
        Self::with_keys_max(SHARD_KEYS_MAX)
    }
}

impl State {
    /// An empty state of at most this many keys a shard.
    pub fn with_keys_max(keys_max: usize) -> Self {
        Self {
            entities: Entities::default(),
            pairs: Table::new(keys_max),
            unoriented: Table::new(keys_max),
            aws: HashMap::default(),
            numbers: Vec::new(),
        }
    }

    /// Adds the flows of a batch. All batches of one state come from one enricher; states of several merge.
    ///
    /// Records that start before `closed`, the first second still open, count as late.
    pub fn fold(&mut self, batch: &EnrichedBatch<'_>, closed: i64) {
        for number in batch.learnt {
            let (entity, _) = self.locate(batch, *number);
            let learnt = batch.interfaces.get(*number).1;
            self.entities.get_mut(entity).interface.merge(learnt);
        }
        for flow in batch.flows {
            let (entity, shard) = self.locate(batch, flow.interface);
            let slot = Slot::of(flow.start);
            let active = slot.buckets(flow.start, flow.end);
            self.cover(flow.interface, entity, slot, active);
            if flow.accepted {
                self.count(flow, entity, shard, slot, active);
                if flow.start < closed {
                    let coverage = self.coverage(entity, slot);
                    coverage.late_bytes = coverage.late_bytes.saturating_add(flow.bytes);
                }
            }
        }
    }

    /// Adds a `NODATA` or `SKIPDATA` row of an interface.
    pub fn fold_coverage(
        &mut self,
        key: &outflow_enrich::InterfaceKey,
        row: &outflow_record::CoverageRow,
    ) {
        let number = self.entities.number(key);
        let (Some(start), Some(end)) = (row.start.or(row.end), row.end.or(row.start)) else {
            return;
        };
        let slot = Slot::of(start.secs());
        let coverage = self.coverage(number, slot);
        match row.status {
            outflow_record::CoverageStatus::NoData => {
                coverage.buckets |= slot.buckets(start.secs(), end.secs());
            }
            outflow_record::CoverageStatus::SkipData => {
                coverage.skipdata = coverage.skipdata.saturating_add(1);
            }
        }
    }

    /// Notes that the log covers these buckets, unless that was the last thing noted of the interface.
    #[inline]
    fn cover(&mut self, number: u32, entity: u32, slot: Slot, active: u64) {
        if let Some(Some(known)) = self.numbers.get_mut(number as usize) {
            if known.slot == slot && active & !known.buckets == 0 {
                return;
            }
            let coverage = self
                .entities
                .get_mut(entity)
                .coverage
                .entry(slot)
                .or_default();
            coverage.buckets |= active;
            (known.slot, known.buckets) = (slot, coverage.buckets);
        }
    }

    fn coverage(&mut self, entity: u32, slot: Slot) -> &mut Coverage {
        let entity = self.entities.get_mut(entity);
        entity.coverage.entry(slot).or_default()
    }

    #[inline]
    fn count(&mut self, flow: &Flow, entity: u32, shard: usize, slot: Slot, active: u64) {
        let volume = Volume {
            bytes: flow.bytes,
            payload: flow.payload_bytes,
            packets: flow.packets,
        };
        if flow.aws_service != AwsService::NONE {
            self.learn_aws(flow.remote.group(), flow.aws_service);
        }
        let sent = Counters::sent(volume, flow.start, flow.end, active);
        match flow.direction {
            Direction::Unknown => {
                if flow.remote_scope == Scope::External && flow.local_scope == Scope::External
                    || is_watched_inside(flow)
                {
                    let (key, first_sends) = unoriented(flow, entity, slot);
                    let counters = if first_sends { sent } else { sent.reversed() };
                    self.unoriented.add(shard, key, &counters);
                }
            }
            direction => {
                let external = flow.remote_scope == Scope::External;
                if external || is_watched_inside(flow) {
                    let outgoing = direction == Direction::Egress;
                    let counters = if outgoing { sent } else { sent.reversed() };
                    let service = service(flow, external);
                    let key = PairKey {
                        entity,
                        remote: flow.remote,
                        service,
                        slot,
                    };
                    self.pairs.add(shard, key, &counters);
                }
            }
        }
    }

    fn learn_aws(&mut self, group: Addr, service: AwsService) {
        let known = self.aws.entry(group).or_default();
        *known = service.max(*known);
    }

    #[inline]
    fn locate(&mut self, batch: &EnrichedBatch<'_>, number: u32) -> (u32, usize) {
        if let Some(Some(known)) = self.numbers.get(number as usize) {
            return (known.entity, known.shard);
        }
        let (key, _) = batch.interfaces.get(number);
        let entity = self.entities.number(key);
        let shard = self.entities.get(entity).shard();
        if self.numbers.len() <= number as usize {
            self.numbers.resize(number as usize + 1, None);
        }
        let slot = Slot(0);
        self.numbers[number as usize] = Some(Located {
            entity,
            shard,
            slot,
            buckets: 0,
        });
        (entity, shard)
    }

    /// Adds everything that another state holds.
    pub fn merge(&mut self, other: Self) {
        let numbers = self.entities.merge(other.entities);
        self.pairs
            .merge(other.pairs, |entity| numbers[entity as usize]);
        for (group, service) in other.aws {
            self.learn_aws(group, service);
        }
        self.unoriented
            .merge(other.unoriented, |entity| numbers[entity as usize]);
    }

    /// How much of a remote address the coarsest shard still keeps.
    pub fn resolution(&self) -> Resolution {
        self.pairs
            .levels()
            .chain(self.unoriented.levels())
            .max()
            .unwrap_or_default()
    }

    /// Interfaces met.
    pub fn interfaces(&self) -> usize {
        self.entities.len()
    }

    /// Bytes on the heap, about: what the limit of keys bounds.
    pub fn heap_bytes(&self) -> usize {
        self.pairs.heap_bytes() + self.unoriented.heap_bytes()
    }
}

/// Traffic that is watched although it stays inside: name resolution, as tunnels run through own resolvers.
fn is_watched_inside(flow: &Flow) -> bool {
    is_dns_port(flow.local_port) || is_dns_port(flow.remote_port)
}

fn is_dns_port(port: u16) -> bool {
    port == 53 || port == 853
}

/// The service of a flow whose local side is the interface's.
#[inline]
fn service(flow: &Flow, external: bool) -> Service {
    let (local, remote) = (flow.local_port, flow.remote_port);
    let role = match flow.initiator {
        Initiator::Remote => Role::Server,
        Initiator::RemoteLikely => Role::LikelyServer,
        Initiator::Local | Initiator::LocalLikely => Role::Client,
        // Port 53 on the interface's side alone is a resolver's; else the host is taken to have chosen.
        Initiator::Unknown if is_dns_port(local) && !is_dns_port(remote) => Role::LikelyServer,
        Initiator::Unknown => Role::Client,
    };
    let has_ports = matches!(
        flow.protocol,
        protocol::TCP | protocol::UDP | protocol::SCTP
    );
    let port = match (has_ports, role) {
        (false, _) => 0,
        (true, Role::Server | Role::LikelyServer) => local,
        (true, Role::Client) => remote,
    };
    Service {
        protocol: flow.protocol,
        role,
        external,
        resolving: resolving(flow.protocol, role, port, flow.remote),
        port,
    }
}

/// The key of a flow that either side may own, and whether its first address sent it.
fn unoriented(flow: &Flow, entity: u32, slot: Slot) -> (UnorientedKey, bool) {
    let as_sent = service(flow, flow.remote_scope == Scope::External);
    let turned = Flow {
        local: flow.remote,
        remote: flow.local,
        local_port: flow.remote_port,
        remote_port: flow.local_port,
        initiator: flow.initiator.turned(),
        ..*flow
    };
    let as_received = service(&turned, flow.local_scope == Scope::External);
    let first_sends = flow.local <= flow.remote;
    let (first, second, service, reverse): (Addr, Addr, Service, Service) = if first_sends {
        (flow.local, flow.remote, as_sent, as_received)
    } else {
        (flow.remote, flow.local, as_received, as_sent)
    };
    (
        UnorientedKey {
            entity,
            first,
            second,
            service,
            reverse,
            slot,
        },
        first_sends,
    )
}
