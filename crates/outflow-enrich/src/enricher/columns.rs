//! The columns of a batch of records that a flow is made of, each looked up once.

use std::sync::Arc;

use outflow_record::{Addr, Field, FlowBatch, LogKind};

use arrow_array::types::{Int32Type, TimestampSecondType, UInt8Type, UInt16Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, FixedSizeBinaryArray, PrimitiveArray, StringArray,
};

use super::Origin;
use crate::aws::AwsService;
use crate::interface::{Attributes, InterfaceKey, PointKey, Points};
use crate::traffic::Direction;

/// What a flow needs of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) source: Addr,
    pub(super) destination: Addr,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) protocol: u8,
    pub(super) tcp_flags: Option<u8>,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) accepted: bool,
    pub(super) direction: Option<Direction>,
    pub(super) source_service: AwsService,
    pub(super) destination_service: AwsService,
    /// The packet's own source, which differs where another host sent it or another address of the interface did.
    pub(super) packet_source: Addr,
    /// The packet's own destination, likewise.
    pub(super) packet_destination: Addr,
}

/// The columns of a batch.
pub(super) struct Columns<'a> {
    source: Option<&'a FixedSizeBinaryArray>,
    destination: Option<&'a FixedSizeBinaryArray>,
    packet_source: Option<&'a FixedSizeBinaryArray>,
    packet_destination: Option<&'a FixedSizeBinaryArray>,
    source_port: Option<&'a PrimitiveArray<UInt16Type>>,
    destination_port: Option<&'a PrimitiveArray<UInt16Type>>,
    protocol: Option<&'a PrimitiveArray<UInt8Type>>,
    tcp_flags: Option<&'a PrimitiveArray<UInt8Type>>,
    packets: Option<&'a PrimitiveArray<UInt64Type>>,
    bytes: Option<&'a PrimitiveArray<UInt64Type>>,
    start: Option<&'a PrimitiveArray<TimestampSecondType>>,
    end: Option<&'a PrimitiveArray<TimestampSecondType>>,
    rejected: Keys<'a>,
    egress: Keys<'a>,
    ingress: Keys<'a>,
    source_service: Services<'a>,
    destination_service: Services<'a>,
    /// Of a transit gateway's records: the VPC that the packets come from.
    source_vpc: Option<&'a DictionaryArray<Int32Type>>,
    /// And the one that they go to.
    destination_vpc: Option<&'a DictionaryArray<Int32Type>>,
    batch: &'a FlowBatch,
}

/// A dictionary column, and the key of the one value that matters.
#[derive(Clone, Copy)]
struct Keys<'a> {
    column: Option<&'a DictionaryArray<Int32Type>>,
    key: Option<i32>,
}

impl<'a> Keys<'a> {
    fn of(batch: &'a FlowBatch, field: Field, value: &str) -> Self {
        let column = batch.texts(field);
        let values = column.and_then(|c| c.values().as_any().downcast_ref::<StringArray>());
        let at = values.and_then(|values| values.iter().position(|own| own == Some(value)));
        Self {
            column,
            key: at.and_then(|at| i32::try_from(at).ok()),
        }
    }

    #[inline]
    fn holds(&self, row: usize) -> bool {
        match (self.column, self.key) {
            (Some(column), Some(key)) => column.keys().values()[row] == key && column.is_valid(row),
            _ => false,
        }
    }
}

/// A column of AWS services, each name looked up once.
struct Services<'a> {
    column: Option<&'a DictionaryArray<Int32Type>>,
    by_key: Vec<AwsService>,
}

impl<'a> Services<'a> {
    fn of(batch: &'a FlowBatch, field: Field) -> Self {
        let column = batch.texts(field);
        let values = column.and_then(|c| c.values().as_any().downcast_ref::<StringArray>());
        let named = |name: Option<&str>| name.map_or(AwsService::NONE, AwsService::named);
        let by_key = values
            .map(|values| values.iter().map(named).collect())
            .unwrap_or_default();
        Self { column, by_key }
    }

    #[inline]
    fn get(&self, row: usize) -> AwsService {
        let key = usize::try_from(key(self.column, row)).ok();
        key.and_then(|key| self.by_key.get(key))
            .copied()
            .unwrap_or_default()
    }
}

#[inline]
fn addr(column: Option<&FixedSizeBinaryArray>, row: usize) -> Option<Addr> {
    let column = column.filter(|column| column.is_valid(row))?;
    column
        .value(row)
        .first_chunk()
        .map(|bytes| Addr::from_bytes(*bytes))
}

#[inline]
fn value<T: arrow_array::ArrowPrimitiveType>(
    column: Option<&PrimitiveArray<T>>,
    row: usize,
) -> Option<T::Native> {
    column
        .filter(|column| column.is_valid(row))
        .map(|column| column.values()[row])
}

impl<'a> Columns<'a> {
    pub(super) fn of(batch: &'a FlowBatch) -> Self {
        Self {
            source: batch.addrs(Field::SrcAddr),
            destination: batch.addrs(Field::DstAddr),
            packet_source: batch.addrs(Field::PktSrcAddr),
            packet_destination: batch.addrs(Field::PktDstAddr),
            source_port: batch.u16s(Field::SrcPort),
            destination_port: batch.u16s(Field::DstPort),
            protocol: batch.u8s(Field::Protocol),
            tcp_flags: batch.u8s(Field::TcpFlags),
            packets: batch.u64s(Field::Packets),
            bytes: batch.u64s(Field::Bytes),
            start: batch.times(Field::Start),
            end: batch.times(Field::End),
            rejected: Keys::of(batch, Field::Action, "REJECT"),
            egress: Keys::of(batch, Field::FlowDirection, "egress"),
            ingress: Keys::of(batch, Field::FlowDirection, "ingress"),
            source_service: Services::of(batch, Field::PktSrcAwsService),
            destination_service: Services::of(batch, Field::PktDstAwsService),
            source_vpc: batch.texts(Field::TgwSrcVpcId),
            destination_vpc: batch.texts(Field::TgwDstVpcId),
            batch,
        }
    }

    /// The row, or `None` if it lacks an address, a time or its bytes. What else it lacks counts as zero.
    #[inline]
    pub(super) fn row(&self, row: usize) -> Option<Row> {
        let start = value(self.start, row);
        let end = value(self.end, row);
        let direction = if self.egress.holds(row) {
            Some(Direction::Egress)
        } else if self.ingress.holds(row) {
            Some(Direction::Ingress)
        } else {
            None
        };
        let source = addr(self.source, row)?;
        let destination = addr(self.destination, row)?;
        Some(Row {
            source,
            destination,
            packet_source: addr(self.packet_source, row).unwrap_or(source),
            packet_destination: addr(self.packet_destination, row).unwrap_or(destination),
            source_port: value(self.source_port, row).unwrap_or(0),
            destination_port: value(self.destination_port, row).unwrap_or(0),
            protocol: value(self.protocol, row).unwrap_or(0),
            tcp_flags: value(self.tcp_flags, row),
            packets: value(self.packets, row).unwrap_or(0),
            bytes: value(self.bytes, row)?,
            start: start.or(end)?,
            end: end.or(start)?,
            accepted: !self.rejected.holds(row),
            direction,
            source_service: self.source_service.get(row),
            destination_service: self.destination_service.get(row),
        })
    }

    /// The VPC of a transit gateway's record on the side that its direction makes the near one.
    #[inline]
    pub(super) fn near_vpc(&self, row: usize, direction: Direction) -> Option<&'a str> {
        match direction {
            Direction::Ingress => text(self.destination_vpc, row),
            Direction::Egress | Direction::Unknown => text(self.source_vpc, row),
        }
    }

    /// The interfaces of the batch's rows. What the memory holds of an earlier batch stands as long as its keys
    /// mean the same.
    pub(super) fn interfaces<'s>(&'s self, origin: &'s Origin, memory: &'s mut Memory) -> Seen<'s>
    where
        'a: 's,
    {
        let text = |field| self.batch.texts(field);
        let is_gateway = self.batch.kind() == LogKind::TransitGateway;
        let columns = [
            text(Field::AccountId),
            text(if is_gateway {
                Field::TgwAttachmentId
            } else {
                Field::InterfaceId
            }),
            text(Field::ResourceId),
            text(Field::Region),
            text(Field::VpcId),
            text(Field::SubnetId),
            text(Field::InstanceId),
            text(Field::AsgTag),
            text(Field::EcsServiceName),
            text(Field::InstanceTag),
        ];
        memory.keep_if_same(&columns, origin);
        let [account_id, interface_id, resource_id, attributes @ ..] = columns;
        Seen {
            account_id,
            interface_id,
            resource_id,
            attributes,
            packet_source: self.packet_source,
            packet_destination: self.packet_destination,
            source: self.source,
            destination: self.destination,
            is_gateway,
            origin,
            memory,
        }
    }
}

/// What is remembered from row to row, and from batch to batch of the same dictionaries.
#[derive(Debug, Default)]
pub(super) struct Memory {
    dictionaries: Vec<Option<ArrayRef>>,
    origin: Origin,
    /// By the key of the interface id: what its last row had.
    last: Vec<Option<Last>>,
}

impl Memory {
    /// Forgets everything unless the columns' dictionaries are the very same as before.
    fn keep_if_same(&mut self, columns: &[Option<&DictionaryArray<Int32Type>>], origin: &Origin) {
        let same =
            |(known, column): (&Option<ArrayRef>, &Option<&DictionaryArray<Int32Type>>)| match (
                known, column,
            ) {
                (Some(known), Some(column)) => Arc::ptr_eq(known, column.values()),
                (None, None) => true,
                _ => false,
            };
        let all = self.dictionaries.len() == columns.len()
            && self.dictionaries.iter().zip(columns).all(same);
        if !all || self.origin != *origin {
            self.last.clear();
            self.origin = origin.clone();
            let values = |column: &Option<&DictionaryArray<Int32Type>>| {
                column.map(|column| Arc::clone(column.values()))
            };
            self.dictionaries = columns.iter().map(values).collect();
        }
    }
}

/// Positions in [`Seen::attributes`].
const REGION: usize = 0;
const VPC: usize = 1;
const SUBNET: usize = 2;
const INSTANCE: usize = 3;
const GROUPS: std::ops::Range<usize> = 4..7;
const ATTRIBUTES: usize = 7;
const ABSENT: i32 = -1;

/// Tells the interface of each row, and learns its attributes where they differ from the last time.
pub(super) struct Seen<'a> {
    account_id: Option<&'a DictionaryArray<Int32Type>>,
    interface_id: Option<&'a DictionaryArray<Int32Type>>,
    resource_id: Option<&'a DictionaryArray<Int32Type>>,
    attributes: [Option<&'a DictionaryArray<Int32Type>>; ATTRIBUTES],
    packet_source: Option<&'a FixedSizeBinaryArray>,
    packet_destination: Option<&'a FixedSizeBinaryArray>,
    source: Option<&'a FixedSizeBinaryArray>,
    destination: Option<&'a FixedSizeBinaryArray>,
    /// Whether the records are a transit gateway's, whose attachments stand for interfaces.
    is_gateway: bool,
    origin: &'a Origin,
    memory: &'a mut Memory,
}

/// The number and attributes that an interface's last row had.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Last {
    number: u32,
    account: i32,
    attributes: [i32; ATTRIBUTES],
}

fn key(column: Option<&DictionaryArray<Int32Type>>, row: usize) -> i32 {
    column
        .filter(|column| column.is_valid(row))
        .map_or(ABSENT, |column| column.keys().values()[row])
}

fn text(column: Option<&DictionaryArray<Int32Type>>, row: usize) -> Option<&str> {
    let column = column.filter(|column| column.is_valid(row))?;
    let values = column.values().as_any().downcast_ref::<StringArray>()?;
    let at = usize::try_from(column.keys().values()[row]).ok()?;
    Some(values.value(at))
}

impl Seen<'_> {
    /// The number of a row's interface, and whether it passed the row's packets on for others.
    #[inline]
    pub(super) fn number(
        &mut self,
        row: usize,
        points: &mut Points,
        learnt: &mut Vec<u32>,
    ) -> (u32, bool) {
        let account = key(self.account_id, row);
        let attributes = self.attributes.map(|column| key(column, row));
        let relayed = self.is_gateway || attributes[INSTANCE] == ABSENT && self.relayed(row);
        let interface = key(self.interface_id, row);
        let at = usize::try_from(interface).ok();
        if let Some(Some(memory)) = at.and_then(|at| self.memory.last.get(at)) {
            let same = Last {
                number: memory.number,
                account,
                attributes,
            };
            if *memory == same {
                return (memory.number, relayed);
            }
        }
        let number = self.meet(row, points, learnt);
        if let Some(at) = at {
            if self.memory.last.len() <= at {
                self.memory.last.resize(at + 1, None);
            }
            self.memory.last[at] = Some(Last {
                number,
                account,
                attributes,
            });
        }
        (number, relayed)
    }

    #[inline(never)]
    fn meet(&self, row: usize, points: &mut Points, learnt: &mut Vec<u32>) -> u32 {
        let account = text(self.account_id, row)
            .or(self.origin.account_id.as_deref())
            .unwrap_or("");
        let interface = text(self.interface_id, row)
            .or_else(|| text(self.resource_id, row))
            .unwrap_or("");
        let interface = InterfaceKey {
            account_id: account.to_owned(),
            interface_id: interface.to_owned(),
        };
        let flow_log = self.origin.flow_log.clone().unwrap_or_default();
        let number = points.number(PointKey::own(interface, flow_log));
        let attribute = |at: usize| text(self.attributes[at], row);
        let group = GROUPS.clone().find_map(attribute);
        let seen = Attributes {
            region: attribute(REGION).or(self.origin.region.as_deref()),
            vpc_id: attribute(VPC),
            subnet_id: attribute(SUBNET),
            instance_id: attribute(INSTANCE),
            group,
            intermediary: self.is_gateway,
        };
        if points.learn(number, &seen) {
            learnt.push(number);
        }
        number
    }

    /// Whether the packet names other hosts than the record: something passed it on.
    fn relayed(&self, row: usize) -> bool {
        let differ = |packet, outer| match (addr(packet, row), addr(outer, row)) {
            (Some(packet), Some(outer)) => packet != outer,
            _ => false,
        };
        // Without the instance column, nothing tells a gateway from a host with several addresses.
        self.attributes[INSTANCE].is_some()
            && (differ(self.packet_source, self.source)
                || differ(self.packet_destination, self.destination))
    }
}
