//! From records to flows seen from their interface.

mod columns;
mod interfaces;

use outflow_record::{Addr, FlowBatch};

use crate::aws::AwsService;
use crate::interface::{Attributes, HostBudget, Points, Via};
use crate::networks::{Networks, Scope};
use crate::traffic::{Direction, Initiator, initiator, payload_bytes, protocol};
use columns::{Columns, Row};
use interfaces::{Interfaces, Memory};

/// A flow record, seen from its interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// Number of the interface's own point in [`EnrichedBatch::points`]: whose log the record is of.
    pub interface: u32,
    /// Number of the point at which the packets were seen: the interface's own, or one for the host whose packets it
    /// passed on.
    pub point: u32,
    /// First packet, Unix seconds.
    pub start: i64,
    /// Last packet, Unix seconds.
    pub end: i64,
    /// Address on the interface's side; the record's source where the direction is unknown.
    pub local: Addr,
    /// Address on the other side; the record's destination where the direction is unknown.
    pub remote: Addr,
    /// Port on the interface's side.
    pub local_port: u16,
    /// Port on the other side.
    pub remote_port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// Which way the bytes went.
    pub direction: Direction,
    /// Who opened the conversation.
    pub initiator: Initiator,
    /// The TCP flags that there were, if it is TCP and the record says which.
    pub tcp_flags: Option<u8>,
    /// Side of the border on which `local` lies.
    pub local_scope: Scope,
    /// Side of the border on which `remote` lies.
    pub remote_scope: Scope,
    /// Whether the record's action was not `REJECT`.
    pub accepted: bool,
    /// The AWS service whose range holds `remote`, if the record says.
    pub aws_service: AwsService,
    /// The path that the bytes took out of the interface, as `traffic-path` numbers it; 0 where the record does not say.
    pub traffic_path: u8,
    /// Packets of the record.
    pub packets: u64,
    /// Bytes of the record, headers included.
    pub bytes: u64,
    /// Bytes of the record beyond its headers.
    pub payload_bytes: u64,
}

/// The flows of a batch, and the observation points that their numbers mean.
#[derive(Debug)]
pub struct EnrichedBatch<'a> {
    /// Every observation point that the enricher has met so far.
    pub points: &'a Points,
    /// Numbers of the points of which this batch told something new.
    pub learnt: &'a [u32],
    /// The flows.
    pub flows: &'a [Flow],
    /// Records without the addresses, times or counts that a flow needs (the format lacks them, or `-`).
    pub unmeasured: u64,
    /// Bytes of these, as far as they say.
    pub unmeasured_bytes: u64,
    /// Numbers of the interfaces of these, one for each.
    pub unmeasured_at: &'a [u32],
    /// Their rows in the batch, in order; each other row is a flow.
    pub unmeasured_rows: &'a [u32],
}

/// What an object's name says of all its records, where they do not say it themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Owner of the flow log.
    pub account_id: Option<String>,
    /// Region of the flow log.
    pub region: Option<String>,
    /// Id of the flow log.
    pub flow_log: Option<String>,
}

/// Turns batches of records into flows. One enricher serves many sources, and numbers their interfaces.
///
/// ```
/// use outflow_enrich::{Direction, Enricher, Networks, Origin};
/// use outflow_record::Decoder;
///
/// let mut decoder = Decoder::new(None);
/// decoder.decode(b"2 123456789012 eni-1 10.0.0.7 8.8.8.8 40000 53 17 10 1280 0 60 ACCEPT OK\n").unwrap();
/// let records = decoder.flush().unwrap().flows;
/// let mut enricher = Enricher::new(Networks::default());
/// let batch = enricher.enrich(&records, &Origin::default());
/// assert_eq!(batch.flows[0].direction, Direction::Egress);
/// assert_eq!(batch.flows[0].payload_bytes, 1000);
/// ```
#[derive(Debug)]
pub struct Enricher {
    networks: Networks,
    points: Points,
    flows: Vec<Flow>,
    learnt: Vec<u32>,
    unmeasured_at: Vec<u32>,
    unmeasured_rows: Vec<u32>,
    /// By row: the number of its interface, and whether that passed the packets on.
    numbers: Vec<(u32, bool)>,
    memory: Memory,
}

impl Enricher {
    /// An enricher for this border.
    pub fn new(networks: Networks) -> Self {
        Self::sharing(networks, HostBudget::default())
    }

    /// The same, one of several that tell so many hosts apart together.
    pub fn sharing(networks: Networks, budget: HostBudget) -> Self {
        Self {
            networks,
            points: Points::sharing(budget),
            flows: Vec::new(),
            learnt: Vec::new(),
            unmeasured_at: Vec::new(),
            unmeasured_rows: Vec::new(),
            numbers: Vec::new(),
            memory: Memory::default(),
        }
    }

    /// The observation points met so far.
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// The flows of a batch of records.
    pub fn enrich(&mut self, records: &FlowBatch, origin: &Origin) -> EnrichedBatch<'_> {
        self.flows.clear();
        self.learnt.clear();
        self.unmeasured_at.clear();
        self.unmeasured_rows.clear();
        let columns = Columns::of(records);
        let mut numbers = std::mem::take(&mut self.numbers);
        numbers.clear();
        Interfaces::of(records, &columns, origin, &mut self.memory).numbers(
            records.num_rows(),
            &mut self.points,
            &mut self.learnt,
            &mut numbers,
        );
        let mut unmeasured_bytes: u64 = 0;
        for (row, (number, is_relayed)) in numbers.iter().enumerate() {
            let Some(record) = columns.row(row) else {
                unmeasured_bytes = unmeasured_bytes.saturating_add(columns.bytes(row));
                self.unmeasured_at.push(*number);
                self.unmeasured_rows
                    .push(u32::try_from(row).unwrap_or(u32::MAX));
                continue;
            };
            if *is_relayed && let Some(flow) = self.passed_on(*number, &columns, row) {
                self.flows.push(flow);
                continue;
            }
            let flow = self.flow(*number, &record, &columns, row);
            self.flows.push(flow);
        }
        self.numbers = numbers;
        self.learnt.sort_unstable();
        self.learnt.dedup();
        EnrichedBatch {
            points: &self.points,
            learnt: &self.learnt,
            flows: &self.flows,
            unmeasured: self.unmeasured_at.len() as u64,
            unmeasured_bytes,
            unmeasured_at: &self.unmeasured_at,
            unmeasured_rows: &self.unmeasured_rows,
        }
    }

    /// Notes that the log of an interface has TCP flags.
    #[inline]
    fn learn_flags(&mut self, number: u32, record: &Row) {
        let day = u32::try_from(record.start.max(0) / 86_400).unwrap_or(u32::MAX);
        // That it is news is rare, which is asked first: of what a record is, nothing is foretold.
        if self.points.are_flags_news(number, day)
            && record.protocol == protocol::TCP
            && record.tcp_flags.is_some()
            && record.accepted
        {
            self.points.learn_flags(number, day);
            self.learnt.push(number);
        }
    }

    /// Notes what a record says of a point.
    #[inline]
    fn learn(&mut self, number: u32, seen: &Attributes<'_>) {
        if self.points.learn(number, seen) {
            self.learnt.push(number);
        }
    }

    /// Sees a record of packets that its interface passed on from the side of the host inside, whose they are. `None` if
    /// they did not cross the border.
    ///
    /// It takes the row from its columns, as others have it in registers, and few are passed on.
    #[inline(never)]
    fn passed_on(&mut self, number: u32, columns: &Columns<'_>, row: usize) -> Option<Flow> {
        let record = columns.row(row)?;
        let packet = Row {
            source: columns.packet_source(row).unwrap_or(record.source),
            destination: columns
                .packet_destination(row)
                .unwrap_or(record.destination),
            ..record
        };
        // Also where they stay inside: their source is no address of the interface.
        let of_interface = Attributes {
            intermediary: true,
            ..Attributes::default()
        };
        self.learn(number, &of_interface);
        let source_scope = self.networks.scope(packet.source);
        let destination_scope = self.networks.scope(packet.destination);
        let (direction, host, outer) = match (source_scope, destination_scope) {
            (Scope::Internal, Scope::External) => (Direction::Egress, packet.source, record.source),
            (Scope::External, Scope::Internal) => {
                (Direction::Ingress, packet.destination, record.destination)
            }
            _ => return None,
        };
        let via = if outer == host {
            Via::Received(host)
        } else {
            Via::Forwarded(host)
        };
        let point = self.points.passing(number, via);
        self.learn_flags(point, &record);
        let of_host = Attributes {
            vpc_id: columns.near_vpc(row, direction),
            ..Attributes::default()
        };
        // Beyond what is told apart, the host's packets are the gateway's own.
        if point != number {
            self.learn(point, &of_host);
        }
        let scopes = (source_scope, destination_scope);
        Some(seen_from((number, point), &packet, direction, scopes))
    }

    /// Sees a record from its interface's side: as `flow-direction` says, else by the border, else not at all.
    #[inline]
    fn flow(&mut self, number: u32, record: &Row, columns: &Columns<'_>, row: usize) -> Flow {
        let scopes = (
            self.networks.scope(record.source),
            self.networks.scope(record.destination),
        );
        let direction = match record.direction {
            Some(direction) => direction,
            None => {
                if self
                    .points
                    .learn_addresses(number, record.source, record.destination)
                {
                    self.learnt.push(number);
                }
                match scopes {
                    (Scope::Internal, Scope::External) => Direction::Egress,
                    (Scope::External, Scope::Internal) => Direction::Ingress,
                    _ => Direction::Unknown,
                }
            }
        };
        let sender = columns.packet_source(row).unwrap_or(record.source);
        // Both are looked at, as nothing foretells the direction.
        let is_news = self.points.is_sender_news(number, sender) & (direction == Direction::Egress);
        if is_news && self.points.learn_sender(number, sender) {
            self.learnt.push(number);
        }
        self.learn_flags(number, record);
        seen_from((number, number), record, direction, scopes)
    }
}

/// A record with its local side where its direction says, seen at a point of an interface; `scopes` are those of source and
/// destination.
#[inline]
fn seen_from(
    (interface, point): (u32, u32),
    record: &Row,
    direction: Direction,
    scopes: (Scope, Scope),
) -> Flow {
    let ports = [record.source_port, record.destination_port];
    let scopes = [scopes.0, scopes.1];
    let services = [record.source_service, record.destination_service];
    let by_sender = initiator(record.protocol, record.tcp_flags, (ports[0], ports[1]));
    // Nothing foretells which side is which: they are exchanged without a guess.
    let is_ingress = direction == Direction::Ingress;
    let local = usize::from(is_ingress);
    let remote = 1 - local;
    let (near, far) = exchanged(record.source, record.destination, is_ingress);
    let ipv6 = !record.source.is_ipv4();
    Flow {
        interface,
        point,
        start: record.start,
        end: record.end,
        local: near,
        remote: far,
        local_port: ports[local],
        remote_port: ports[remote],
        protocol: record.protocol,
        direction,
        initiator: [by_sender, by_sender.turned()][local],
        tcp_flags: record
            .tcp_flags
            .filter(|_| record.protocol == protocol::TCP),
        local_scope: scopes[local],
        remote_scope: scopes[remote],
        accepted: record.accepted,
        aws_service: services[remote],
        // AWS tells the path of what leaves an interface alone.
        traffic_path: [record.traffic_path.unwrap_or(0), 0][local],
        packets: record.packets,
        bytes: record.bytes,
        payload_bytes: payload_bytes(record.protocol, ipv6, record.bytes, record.packets),
    }
}

/// Two addresses, the other way round if that is asked.
#[inline]
fn exchanged(a: Addr, b: Addr, is_asked: bool) -> (Addr, Addr) {
    let [own, other] = [a, b].map(|addr| u128::from_ne_bytes(addr.bytes()));
    let differing = (own ^ other) & u128::from(is_asked).wrapping_neg();
    let [own, other] = [own ^ differing, other ^ differing];
    let addr = |bits: u128| Addr::from_bytes(bits.to_ne_bytes());
    (addr(own), addr(other))
}

#[cfg(test)]
mod tests;
