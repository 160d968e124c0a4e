//! From flows to keys and counters, a batch at a time.

use outflow_enrich::{
    AwsService, Direction, EnrichedBatch, Flow, Initiator, Interface, PointKey, Scope, protocol,
};
use outflow_finding::RowCounts;
use outflow_record::{Addr, CoverageRow, CoverageStatus};

use super::Uncounted;
use super::attempts::Try;
use super::by_slot::SlotKey;
use super::receipts::{Delivery, RECEIPT_MIN};
use crate::counters::{Counters, Volume};
use crate::coverage::{Marks, Touched};
use crate::entities::shard_of;
use crate::key::{PairKey, Role, Service, UnorientedKey};
use crate::rhythm::Beat;
use crate::services::resolving;
use crate::table::SHARDS;
use crate::time::{Hour, Slot};

/// Where a lane puts what it folds.
pub(super) trait Sums {
    /// The number of an interface, new or known.
    fn entity(&mut self, key: &PointKey) -> u32;

    /// Adds what was learnt of an interface.
    fn learn(&mut self, entity: u32, seen: &Interface);

    /// Adds to what the log covers of an interface.
    fn cover(&mut self, entity: u32, hour: Hour, marks: &Marks);

    /// Adds to the kinds of rows that an interface has.
    fn count_rows(&mut self, entity: u32, rows: &RowCounts);

    /// Adds the AWS services of destination groups.
    fn learn_aws(&mut self, named: &[(Addr, AwsService)]);

    /// Adds bytes of records of which no pair is kept.
    fn add_unpaired(&mut self, unpaired: &Uncounted);

    /// Adds sums of interfaces of one shard.
    fn add(&mut self, shard: usize, buffer: &Buffer);
}

/// Sums of a batch, of the interfaces of a shard.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffer {
    pub(super) pairs: Vec<(PairKey, Counters)>,
    pub(super) unoriented: Vec<(UnorientedKey, Counters)>,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) tries: Vec<Try>,
}

/// Folds the batches of one enricher, and remembers from batch to batch where its interfaces are.
///
/// The flows of a batch are put in the order of shards before they are added: a shard's table then stays in the
/// caches, and is locked once where several lanes share it.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    /// By the enricher's number of a point.
    known: Vec<Option<Known>>,
    /// The points of which something is still to be added.
    touched: Vec<u32>,
    buffers: Vec<Buffer>,
    aws: Vec<(Addr, AwsService)>,
    unpaired: Uncounted,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            known: Vec::new(),
            touched: Vec::new(),
            buffers: vec![Buffer::default(); SHARDS],
            aws: Vec::new(),
            unpaired: Uncounted::default(),
        }
    }
}

/// Where an enricher's interface is, and what is to be added to its coverage. It is looked up for every flow: what is
/// rare is added at once, so that a few thousand of these stay in the nearest cache.
#[derive(Debug, Clone, Copy)]
struct Known {
    entity: u32,
    hour: Hour,
    /// Minutes of the hour with a flow, and those of the hour behind it that were added.
    noted: [u64; 2],
    /// Of the hour's minutes, those that were added: batches that follow one another have mostly the same, and adding them
    /// again is a look into two ordered maps.
    added: u64,
    accepted: u64,
    rejected: u64,
    shard: u8,
    is_touched: bool,
}

impl Known {
    fn new(entity: u32, shard: usize) -> Self {
        Self {
            entity,
            hour: Hour::default(),
            noted: [0; 2],
            added: 0,
            accepted: 0,
            rejected: 0,
            shard: u8::try_from(shard).unwrap_or(u8::MAX),
            is_touched: false,
        }
    }

    /// Notes what a flow shows of the interface's time.
    #[inline]
    fn note(&mut self, flow: &Flow, is_late: bool, sums: &mut impl Sums) {
        let covered = Touched::of(flow.start, flow.end);
        if self.hour != covered.hour {
            self.cover(sums);
            (self.hour, self.noted, self.added) = (covered.hour, [0; 2], 0);
        }
        self.noted[0] |= covered.minutes;
        self.accepted += u64::from(flow.accepted);
        self.rejected += u64::from(!flow.accepted);
        if covered.next & !self.noted[1] != 0 {
            self.noted[1] |= covered.next;
            let marks = Marks {
                ok: covered.next,
                ..Marks::default()
            };
            sums.cover(self.entity, covered.next_hour(), &marks);
        }
        if covered.is_overlong {
            sums.count_rows(self.entity, &overlong());
        }
        if is_late {
            let marks = Marks {
                late_rows: 1,
                late_bytes: if flow.accepted { flow.bytes } else { 0 },
                ..Marks::default()
            };
            sums.cover(self.entity, covered.hour, &marks);
        }
    }

    /// Adds the minutes of the hour that were not added yet.
    fn cover(&mut self, sums: &mut impl Sums) {
        let ok = self.noted[0] & !self.added;
        if ok != 0 {
            let marks = Marks {
                ok,
                ..Marks::default()
            };
            sums.cover(self.entity, self.hour, &marks);
            self.added |= ok;
        }
    }

    /// Adds everything that was noted.
    fn settle(&mut self, sums: &mut impl Sums) {
        self.cover(sums);
        let rows = RowCounts {
            accepted: std::mem::take(&mut self.accepted),
            rejected: std::mem::take(&mut self.rejected),
            ..RowCounts::default()
        };
        if rows != RowCounts::default() {
            sums.count_rows(self.entity, &rows);
        }
        self.is_touched = false;
    }
}

fn overlong() -> RowCounts {
    RowCounts {
        overlong: 1,
        ..RowCounts::default()
    }
}

impl Lane {
    /// Adds the flows of a batch; those that start before `closed` are late. What they show of their interfaces is
    /// added by [`Lane::settle`].
    pub(super) fn fold(&mut self, batch: &EnrichedBatch<'_>, closed: i64, sums: &mut impl Sums) {
        for number in batch.learnt {
            let known = self.known(batch, *number, sums);
            sums.learn(known.entity, batch.points.get(*number).1);
        }
        for number in batch.unmeasured_at {
            let rows = RowCounts {
                unmeasured: 1,
                ..RowCounts::default()
            };
            let entity = self.known(batch, *number, sums).entity;
            sums.count_rows(entity, &rows);
        }
        for flow in batch.flows {
            let known = self.known(batch, flow.interface, sums);
            known.note(flow, flow.start < closed, sums);
            let (mut entity, mut shard) = (known.entity, known.shard);
            if flow.accepted {
                if flow.point != flow.interface {
                    let point = self.known(batch, flow.point, sums);
                    (entity, shard) = (point.entity, point.shard);
                }
                self.count(flow, entity, usize::from(shard));
            } else {
                self.unpaired.add_rejected(flow);
                if Try::is(flow) {
                    self.count_try(flow, entity, usize::from(shard));
                }
            }
        }
        self.add_pairs(sums);
    }

    /// Adds what the batches so far showed of interfaces, their coverage and kinds of rows, and the bytes that no pair has.
    /// A batch meets thousands of interfaces, mostly the same as the one before; so this is not done for each.
    pub(super) fn settle(&mut self, sums: &mut impl Sums) {
        for number in self.touched.drain(..) {
            if let Some(Some(known)) = self.known.get_mut(number as usize) {
                known.settle(sums);
            }
        }
        sums.add_unpaired(&std::mem::take(&mut self.unpaired));
    }

    fn add_pairs(&mut self, sums: &mut impl Sums) {
        for (shard, buffer) in self.buffers.iter_mut().enumerate() {
            let is_empty = buffer.pairs.is_empty() && buffer.unoriented.is_empty();
            if !is_empty || !buffer.deliveries.is_empty() || !buffer.tries.is_empty() {
                sums.add(shard, buffer);
                buffer.pairs.clear();
                buffer.unoriented.clear();
                buffer.deliveries.clear();
                buffer.tries.clear();
            }
        }
        if !self.aws.is_empty() {
            sums.learn_aws(&self.aws);
            self.aws.clear();
        }
    }

    /// An interface of the batch under way; what is noted of it is added when the lane settles.
    #[inline]
    fn known(
        &mut self,
        batch: &EnrichedBatch<'_>,
        number: u32,
        sums: &mut impl Sums,
    ) -> &mut Known {
        let at = number as usize;
        if self.known.len() <= at {
            self.known.resize(at + 1, None);
        }
        let known = self.known[at].get_or_insert_with(|| {
            let (key, _) = batch.points.get(number);
            Known::new(sums.entity(key), shard_of(key))
        });
        if !known.is_touched {
            known.is_touched = true;
            self.touched.push(number);
        }
        known
    }

    #[inline]
    fn count(&mut self, flow: &Flow, entity: u32, shard: usize) {
        let slot = Slot::of(flow.start);
        let active = slot.buckets(flow.start, flow.end);
        if flow.aws_service != AwsService::NONE {
            let named = (flow.remote.group(), flow.aws_service);
            if self.aws.last() != Some(&named) {
                self.aws.push(named);
            }
        }
        let external = flow.remote_scope == Scope::External;
        let (Direction::Egress | Direction::Ingress) = flow.direction else {
            if external && flow.local_scope == Scope::External || is_watched_inside(flow) {
                let (key, first_sends) = unoriented(flow, entity, slot);
                let sent = sent(flow, active);
                let counters = if first_sends { sent } else { sent.reversed() };
                self.buffers[shard].unoriented.push((key, counters));
            } else {
                self.unpaired.add_inside(flow);
            }
            return;
        };
        if !external && !is_watched_inside(flow) {
            self.unpaired.add_inside(flow);
            if flow.direction == Direction::Ingress && flow.payload_bytes >= RECEIPT_MIN {
                let key = SlotKey { entity, slot };
                let delivery = Delivery::new(key, flow.payload_bytes, flow.remote);
                self.buffers[shard].deliveries.push(delivery);
            } else if Try::is(flow) {
                self.count_try(flow, entity, shard);
            }
            return;
        }
        let service = service(flow, external);
        let outgoing = flow.direction == Direction::Egress;
        // What clients send to a service nobody judges; and a scan from outside would have a key for each port.
        if service.is_anonymous() && !outgoing {
            if external {
                self.unpaired.add_received(flow);
            } else {
                self.unpaired.add_inside(flow);
            }
            return;
        }
        let key = PairKey {
            entity,
            remote: flow.remote,
            service,
            slot,
        };
        let sent = sent(flow, active);
        let counters = match (outgoing, service.role) {
            (true, Role::Client) => sent.beating(slot.bucket(flow.start), beat(flow)),
            (true, _) => sent,
            (false, _) => sent.reversed(),
        };
        self.buffers[shard].pairs.push((key, counters));
    }
}

impl Lane {
    fn count_try(&mut self, flow: &Flow, entity: u32, shard: usize) {
        let slot = Slot::of(flow.start);
        let tried = Try::new(SlotKey { entity, slot }, flow);
        self.buffers[shard].tries.push(tried);
    }
}

/// Adds a `NODATA` or `SKIPDATA` row of an interface.
pub(super) fn fold_coverage(key: &PointKey, row: &CoverageRow, sums: &mut impl Sums) {
    let entity = sums.entity(key);
    let (Some(start), Some(end)) = (row.start.or(row.end), row.end.or(row.start)) else {
        return;
    };
    let covered = Touched::of(start.secs(), end.secs());
    if covered.is_overlong {
        sums.count_rows(entity, &overlong());
    }
    let hours = [
        (covered.hour, covered.minutes, 1),
        (covered.next_hour(), covered.next, 0),
    ];
    for (hour, minutes, rows) in hours.into_iter().filter(|(_, minutes, _)| *minutes != 0) {
        let mut marks = Marks::default();
        match row.status {
            CoverageStatus::NoData => marks.nodata = minutes,
            CoverageStatus::SkipData => (marks.skipdata, marks.skipdata_rows) = (minutes, rows),
        }
        sums.cover(entity, hour, &marks);
    }
}

fn sent(flow: &Flow, active: u64) -> Counters {
    let volume = Volume {
        bytes: flow.bytes,
        payload: flow.payload_bytes,
        packets: flow.packets,
    };
    let told = matches!(flow.initiator, Initiator::Local | Initiator::Remote);
    Counters::sent(volume, flow.start, flow.end, active, told).on_path(flow.traffic_path)
}

/// What a record that a client sent tells of when its connections began.
#[inline]
fn beat(flow: &Flow) -> Beat {
    let begins = flow.tcp_flags.is_none() || flow.initiator == Initiator::Local;
    Beat::of(flow.local_port, begins)
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
