//! From records to flows seen from their interface.

mod columns;

use outflow_record::{Addr, FlowBatch};

use crate::aws::AwsService;
use crate::interface::Interfaces;
use crate::networks::{Networks, Scope};
use crate::traffic::{Direction, Initiator, initiator, payload_bytes, protocol};
use columns::{Columns, Memory, Row};

/// A flow record, seen from its interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// Number of the interface in [`EnrichedBatch::interfaces`].
    pub interface: u32,
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
    /// Side of the border on which `local` lies.
    pub local_scope: Scope,
    /// Side of the border on which `remote` lies.
    pub remote_scope: Scope,
    /// Whether the record's action was not `REJECT`.
    pub accepted: bool,
    /// The AWS service whose range holds `remote`, if the record says.
    pub aws_service: AwsService,
    /// Packets of the record.
    pub packets: u64,
    /// Bytes of the record, headers included.
    pub bytes: u64,
    /// Bytes of the record beyond its headers.
    pub payload_bytes: u64,
}

/// The flows of a batch, and the interfaces that their numbers mean.
#[derive(Debug)]
pub struct EnrichedBatch<'a> {
    /// Every interface that the enricher has met so far.
    pub interfaces: &'a Interfaces,
    /// Numbers of the interfaces of which this batch told something new.
    pub learnt: &'a [u32],
    /// The flows.
    pub flows: &'a [Flow],
    /// Records without the addresses, times or counts that a flow needs (the format lacks them, or `-`).
    pub unmeasured: u64,
    /// Numbers of the interfaces of these, one for each.
    pub unmeasured_at: &'a [u32],
}

/// What an object's name says of all its records, where they do not say it themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Owner of the flow log.
    pub account_id: Option<String>,
    /// Region of the flow log.
    pub region: Option<String>,
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
    interfaces: Interfaces,
    flows: Vec<Flow>,
    learnt: Vec<u32>,
    unmeasured_at: Vec<u32>,
    memory: Memory,
}

impl Enricher {
    /// An enricher for this border.
    pub fn new(networks: Networks) -> Self {
        Self {
            networks,
            interfaces: Interfaces::default(),
            flows: Vec::new(),
            learnt: Vec::new(),
            unmeasured_at: Vec::new(),
            memory: Memory::default(),
        }
    }

    /// The interfaces met so far.
    pub fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    /// The flows of a batch of records.
    pub fn enrich(&mut self, records: &FlowBatch, origin: &Origin) -> EnrichedBatch<'_> {
        self.flows.clear();
        self.learnt.clear();
        self.unmeasured_at.clear();
        let columns = Columns::of(records);
        let mut memory = std::mem::take(&mut self.memory);
        let mut seen = columns.interfaces(origin, &mut memory);
        for row in 0..records.num_rows() {
            let number = seen.number(row, &mut self.interfaces, &mut self.learnt);
            let Some(record) = columns.row(row) else {
                self.unmeasured_at.push(number);
                continue;
            };
            let flow = self.flow(number, &record);
            self.flows.push(flow);
        }
        self.memory = memory;
        self.learnt.sort_unstable();
        self.learnt.dedup();
        EnrichedBatch {
            interfaces: &self.interfaces,
            learnt: &self.learnt,
            flows: &self.flows,
            unmeasured: self.unmeasured_at.len() as u64,
            unmeasured_at: &self.unmeasured_at,
        }
    }

    /// Notes that the log of an interface has TCP flags.
    #[inline]
    fn learn_flags(&mut self, number: u32, record: &Row) {
        let has_flags = record.protocol == protocol::TCP && record.tcp_flags.is_some();
        if has_flags && record.accepted {
            let day = u32::try_from(record.start.max(0) / 86_400).unwrap_or(u32::MAX);
            if self.interfaces.learn_flags(number, day) {
                self.learnt.push(number);
            }
        }
    }

    /// Sees a record from its interface's side: as `flow-direction` says, else by the border, else not at all.
    #[inline]
    fn flow(&mut self, number: u32, record: &Row) -> Flow {
        let source_scope = self.networks.scope(record.source);
        let destination_scope = self.networks.scope(record.destination);
        let direction = match record.direction {
            Some(direction) => direction,
            None => {
                if self
                    .interfaces
                    .learn_addresses(number, record.source, record.destination)
                {
                    self.learnt.push(number);
                }
                match (source_scope, destination_scope) {
                    (Scope::Internal, Scope::External) => Direction::Egress,
                    (Scope::External, Scope::Internal) => Direction::Ingress,
                    _ => Direction::Unknown,
                }
            }
        };
        let ports = (record.source_port, record.destination_port);
        let by_sender = initiator(record.protocol, record.tcp_flags, ports);
        let incoming = direction == Direction::Ingress;
        let initiator = if incoming {
            by_sender.turned()
        } else {
            by_sender
        };
        self.learn_flags(number, record);
        let pick = |source, destination| {
            if incoming {
                (destination, source)
            } else {
                (source, destination)
            }
        };
        let (local, remote) = pick(record.source, record.destination);
        let (local_port, remote_port) = if incoming { (ports.1, ports.0) } else { ports };
        let (local_scope, remote_scope) = if incoming {
            (destination_scope, source_scope)
        } else {
            (source_scope, destination_scope)
        };
        let ipv6 = !record.source.is_ipv4();
        Flow {
            interface: number,
            start: record.start,
            end: record.end,
            local,
            remote,
            local_port,
            remote_port,
            protocol: record.protocol,
            direction,
            initiator,
            local_scope,
            remote_scope,
            accepted: record.accepted,
            aws_service: if incoming {
                record.source_service
            } else {
                record.destination_service
            },
            packets: record.packets,
            bytes: record.bytes,
            payload_bytes: payload_bytes(record.protocol, ipv6, record.bytes, record.packets),
        }
    }
}

#[cfg(test)]
mod tests;
