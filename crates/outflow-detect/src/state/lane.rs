//! From flows to keys and counters, a batch at a time.

use outflow_enrich::{
    AwsService, Direction, EnrichedBatch, Flow, Initiator, Interface, InterfaceKey, Scope, protocol,
};
use outflow_record::{Addr, CoverageRow, CoverageStatus};

use crate::counters::{Counters, Volume};
use crate::entities::{Coverage, shard_of};
use crate::key::{PairKey, Role, Service, UnorientedKey};
use crate::services::resolving;
use crate::table::SHARDS;
use crate::time::Slot;

/// Where a lane puts what it folds.
pub(super) trait Sums {
    /// The number of an interface, new or known.
    fn entity(&mut self, key: &InterfaceKey) -> u32;

    /// Adds what was learnt of an interface.
    fn learn(&mut self, entity: u32, seen: &Interface);

    /// Adds to what the log covers of an interface.
    fn cover(&mut self, entity: u32, slot: Slot, coverage: &Coverage);

    /// Adds the AWS services of destination groups.
    fn learn_aws(&mut self, named: &[(Addr, AwsService)]);

    /// Adds sums of interfaces of one shard.
    fn add(&mut self, shard: usize, buffer: &Buffer);
}

/// Sums of a batch, of the interfaces of a shard.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffer {
    pub(super) pairs: Vec<(PairKey, Counters)>,
    pub(super) unoriented: Vec<(UnorientedKey, Counters)>,
}

/// Folds the batches of one enricher, and remembers from batch to batch where its interfaces are.
///
/// The flows of a batch are put in the order of shards before they are added: a shard's table then stays in the
/// caches, and is locked once where several lanes share it.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    /// By the enricher's number of an interface.
    known: Vec<Option<Known>>,
    buffers: Vec<Buffer>,
    aws: Vec<(Addr, AwsService)>,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            known: Vec::new(),
            buffers: vec![Buffer::default(); SHARDS],
            aws: Vec::new(),
        }
    }
}

/// Where an enricher's interface is, and which of its buckets were noted last.
#[derive(Debug, Clone, Copy)]
struct Known {
    entity: u32,
    shard: usize,
    slot: Slot,
    buckets: u64,
}

impl Lane {
    /// Adds the flows of a batch; those that start before `closed` are late.
    pub(super) fn fold(&mut self, batch: &EnrichedBatch<'_>, closed: i64, sums: &mut impl Sums) {
        for number in batch.learnt {
            let known = self.known(batch, *number, sums);
            sums.learn(known.entity, batch.interfaces.get(*number).1);
        }
        for flow in batch.flows {
            let known = self.known(batch, flow.interface, sums);
            let slot = Slot::of(flow.start);
            let active = slot.buckets(flow.start, flow.end);
            if known.slot != slot || active & !known.buckets != 0 {
                self.cover(flow.interface, slot, active, sums);
            }
            if flow.accepted {
                self.count(flow, known, slot, active);
                if flow.start < closed {
                    let late = Coverage {
                        late_bytes: flow.bytes,
                        ..Coverage::default()
                    };
                    sums.cover(known.entity, slot, &late);
                }
            }
        }
        self.flush(sums);
    }

    fn flush(&mut self, sums: &mut impl Sums) {
        for (shard, buffer) in self.buffers.iter_mut().enumerate() {
            if !buffer.pairs.is_empty() || !buffer.unoriented.is_empty() {
                sums.add(shard, buffer);
                buffer.pairs.clear();
                buffer.unoriented.clear();
            }
        }
        if !self.aws.is_empty() {
            sums.learn_aws(&self.aws);
            self.aws.clear();
        }
    }

    #[inline]
    fn known(&mut self, batch: &EnrichedBatch<'_>, number: u32, sums: &mut impl Sums) -> Known {
        match self.known.get(number as usize) {
            Some(Some(known)) => *known,
            _ => self.meet(batch, number, sums),
        }
    }

    #[inline(never)]
    fn meet(&mut self, batch: &EnrichedBatch<'_>, number: u32, sums: &mut impl Sums) -> Known {
        let (key, _) = batch.interfaces.get(number);
        let known = Known {
            entity: sums.entity(key),
            shard: shard_of(key),
            slot: Slot(0),
            buckets: 0,
        };
        let at = number as usize;
        if self.known.len() <= at {
            self.known.resize(at + 1, None);
        }
        self.known[at] = Some(known);
        known
    }

    #[inline(never)]
    fn cover(&mut self, number: u32, slot: Slot, active: u64, sums: &mut impl Sums) {
        let Some(Some(known)) = self.known.get_mut(number as usize) else {
            return;
        };
        if known.slot != slot {
            (known.slot, known.buckets) = (slot, 0);
        }
        known.buckets |= active;
        let coverage = Coverage {
            buckets: known.buckets,
            ..Coverage::default()
        };
        sums.cover(known.entity, slot, &coverage);
    }

    #[inline]
    fn count(&mut self, flow: &Flow, known: Known, slot: Slot, active: u64) {
        if flow.aws_service != AwsService::NONE {
            let named = (flow.remote.group(), flow.aws_service);
            if self.aws.last() != Some(&named) {
                self.aws.push(named);
            }
        }
        let entity = known.entity;
        let external = flow.remote_scope == Scope::External;
        let (Direction::Egress | Direction::Ingress) = flow.direction else {
            if external && flow.local_scope == Scope::External || is_watched_inside(flow) {
                let (key, first_sends) = unoriented(flow, entity, slot);
                let sent = sent(flow, active);
                let counters = if first_sends { sent } else { sent.reversed() };
                self.buffers[known.shard].unoriented.push((key, counters));
            }
            return;
        };
        if !external && !is_watched_inside(flow) {
            return;
        }
        let service = service(flow, external);
        let outgoing = flow.direction == Direction::Egress;
        // What clients send to a service nobody judges; and a scan from outside would have a key for each port.
        if service.is_anonymous() && !outgoing {
            return;
        }
        let key = PairKey {
            entity,
            remote: flow.remote,
            service,
            slot,
        };
        let sent = sent(flow, active);
        let counters = if outgoing { sent } else { sent.reversed() };
        self.buffers[known.shard].pairs.push((key, counters));
    }
}

/// Adds a `NODATA` or `SKIPDATA` row of an interface.
pub(super) fn fold_coverage(key: &InterfaceKey, row: &CoverageRow, sums: &mut impl Sums) {
    let entity = sums.entity(key);
    let (Some(start), Some(end)) = (row.start.or(row.end), row.end.or(row.start)) else {
        return;
    };
    let slot = Slot::of(start.secs());
    let mut coverage = Coverage::default();
    match row.status {
        CoverageStatus::NoData => coverage.buckets = slot.buckets(start.secs(), end.secs()),
        CoverageStatus::SkipData => coverage.skipdata = 1,
    }
    sums.cover(entity, slot, &coverage);
}

fn sent(flow: &Flow, active: u64) -> Counters {
    let volume = Volume {
        bytes: flow.bytes,
        payload: flow.payload_bytes,
        packets: flow.packets,
    };
    Counters::sent(volume, flow.start, flow.end, active)
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
