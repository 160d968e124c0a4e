//! The columns of a batch of records that a flow is made of, each looked up once.

use outflow_record::{Addr, Field, FlowBatch};

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrowPrimitiveType, DictionaryArray, FixedSizeBinaryArray, PrimitiveArray, StringArray,
};
use arrow_buffer::{ArrowNativeType, NullBuffer};

use crate::aws::AwsService;
use crate::traffic::Direction;

/// A column of texts.
pub(super) type Texts = DictionaryArray<Int32Type>;

/// What a flow needs of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) source: Addr,
    pub(super) destination: Addr,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) protocol: u8,
    pub(super) tcp_flags: Option<u8>,
    pub(super) traffic_path: Option<u8>,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) accepted: bool,
    pub(super) direction: Option<Direction>,
    pub(super) source_service: AwsService,
    pub(super) destination_service: AwsService,
}

/// The columns of a batch.
pub(super) struct Columns<'a> {
    source: Values<'a, [u8; 16]>,
    destination: Values<'a, [u8; 16]>,
    packet_source: Values<'a, [u8; 16]>,
    packet_destination: Values<'a, [u8; 16]>,
    source_port: Values<'a, u16>,
    destination_port: Values<'a, u16>,
    protocol: Values<'a, u8>,
    tcp_flags: Values<'a, u8>,
    traffic_path: Values<'a, u8>,
    packets: Values<'a, u64>,
    bytes: Values<'a, u64>,
    start: Values<'a, i64>,
    end: Values<'a, i64>,
    rejected: Meanings<'a, bool>,
    direction: Meanings<'a, Option<Direction>>,
    source_service: Meanings<'a, AwsService>,
    destination_service: Meanings<'a, AwsService>,
    /// Of a transit gateway's records: the VPC that the packets come from.
    source_vpc: Option<&'a Texts>,
    /// And the one that they go to.
    destination_vpc: Option<&'a Texts>,
}

/// The key of a row without text.
pub(super) const ABSENT: i32 = -1;

/// The values of a column, and which rows have one. A column that the source lacks has no values at all.
#[derive(Clone, Copy)]
pub(super) struct Values<'a, T> {
    values: &'a [T],
    nulls: Option<&'a NullBuffer>,
}

impl<'a, T: ArrowNativeType> Values<'a, T> {
    fn of<P: ArrowPrimitiveType<Native = T>>(column: Option<&'a PrimitiveArray<P>>) -> Self {
        Self {
            values: column.map_or(&[][..], |column| column.values()),
            nulls: column.and_then(Array::nulls),
        }
    }
}

impl<T: Copy> Values<'_, T> {
    #[inline]
    fn get(&self, row: usize) -> Option<T> {
        let value = self.values.get(row)?;
        let is_valid = self.nulls.is_none_or(|nulls| nulls.is_valid(row));
        is_valid.then_some(*value)
    }
}

impl<'a> Values<'a, [u8; 16]> {
    fn of_addrs(column: Option<&'a FixedSizeBinaryArray>) -> Self {
        Self {
            values: column.map_or(&[][..], |column| column.value_data().as_chunks().0),
            nulls: column.and_then(Array::nulls),
        }
    }

    #[inline]
    fn addr(&self, row: usize) -> Option<Addr> {
        self.get(row).map(Addr::from_bytes)
    }
}

impl<'a> Values<'a, i32> {
    pub(super) fn of_keys(column: Option<&'a Texts>) -> Self {
        Self::of(column.map(|column| column.keys()))
    }

    #[inline]
    pub(super) fn key(&self, row: usize) -> i32 {
        self.get(row).unwrap_or(ABSENT)
    }

    /// The key that all of so many rows have, if it is one.
    pub(super) fn only(&self, rows: usize) -> Option<i32> {
        let absent = self.nulls.map_or(0, NullBuffer::null_count);
        match self.values {
            [] => Some(ABSENT),
            _ if absent == rows => Some(ABSENT),
            [first, rest @ ..] if absent == 0 => {
                // Without a branch for each, which the compiler makes vector code of.
                let differ = rest.iter().fold(0, |differ, key| differ | (key ^ first));
                (differ == 0).then_some(*first)
            }
            _ => None,
        }
    }
}

/// A column of texts, each of which was looked up once.
struct Meanings<'a, T> {
    keys: Values<'a, i32>,
    by_key: Vec<T>,
}

impl<'a, T: Copy + Default> Meanings<'a, T> {
    fn of(column: Option<&'a Texts>, meaning: impl Fn(&str) -> T) -> Self {
        let values = column.and_then(|c| c.values().as_any().downcast_ref::<StringArray>());
        let meaning = |text: Option<&str>| text.map_or_else(T::default, &meaning);
        Self {
            keys: Values::of_keys(column),
            by_key: values.map_or_else(Vec::new, |values| values.iter().map(meaning).collect()),
        }
    }

    #[inline]
    fn get(&self, row: usize) -> T {
        let key = usize::try_from(self.keys.key(row)).ok();
        let meaning = key.and_then(|key| self.by_key.get(key));
        meaning.copied().unwrap_or_default()
    }
}

impl<'a> Columns<'a> {
    pub(super) fn of(batch: &'a FlowBatch) -> Self {
        let direction = |name: &str| match name {
            "egress" => Some(Direction::Egress),
            "ingress" => Some(Direction::Ingress),
            _ => None,
        };
        let addrs = |field| Values::of_addrs(batch.addrs(field));
        let service = |field| Meanings::of(batch.texts(field), AwsService::named);
        Self {
            source: addrs(Field::SrcAddr),
            destination: addrs(Field::DstAddr),
            packet_source: addrs(Field::PktSrcAddr),
            packet_destination: addrs(Field::PktDstAddr),
            source_port: Values::of(batch.u16s(Field::SrcPort)),
            destination_port: Values::of(batch.u16s(Field::DstPort)),
            protocol: Values::of(batch.u8s(Field::Protocol)),
            tcp_flags: Values::of(batch.u8s(Field::TcpFlags)),
            traffic_path: Values::of(batch.u8s(Field::TrafficPath)),
            packets: Values::of(batch.u64s(Field::Packets)),
            bytes: Values::of(batch.u64s(Field::Bytes)),
            start: Values::of(batch.times(Field::Start)),
            end: Values::of(batch.times(Field::End)),
            rejected: Meanings::of(batch.texts(Field::Action), |name| name == "REJECT"),
            direction: Meanings::of(batch.texts(Field::FlowDirection), direction),
            source_service: service(Field::PktSrcAwsService),
            destination_service: service(Field::PktDstAwsService),
            source_vpc: batch.texts(Field::TgwSrcVpcId),
            destination_vpc: batch.texts(Field::TgwDstVpcId),
        }
    }

    /// The row, or `None` if it lacks an address, a time or its bytes. What else it lacks counts as zero.
    #[inline]
    pub(super) fn row(&self, row: usize) -> Option<Row> {
        let start = self.start.get(row);
        let end = self.end.get(row);
        Some(Row {
            source: self.source.addr(row)?,
            destination: self.destination.addr(row)?,
            source_port: self.source_port.get(row).unwrap_or(0),
            destination_port: self.destination_port.get(row).unwrap_or(0),
            protocol: self.protocol.get(row).unwrap_or(0),
            tcp_flags: self.tcp_flags.get(row),
            traffic_path: self.traffic_path.get(row),
            packets: self.packets.get(row).unwrap_or(0),
            bytes: self.bytes.get(row)?,
            start: start.or(end)?,
            end: end.or(start)?,
            accepted: !self.rejected.get(row),
            direction: self.direction.get(row),
            source_service: self.source_service.get(row),
            destination_service: self.destination_service.get(row),
        })
    }

    /// The bytes that a row says, zero if it says none.
    pub(super) fn bytes(&self, row: usize) -> u64 {
        self.bytes.get(row).unwrap_or(0)
    }

    /// The packet's own source, if the record has one: it differs where another host sent it or another address of the
    /// interface did.
    #[inline]
    pub(super) fn packet_source(&self, row: usize) -> Option<Addr> {
        self.packet_source.addr(row)
    }

    /// The packet's own destination, likewise.
    #[inline]
    pub(super) fn packet_destination(&self, row: usize) -> Option<Addr> {
        self.packet_destination.addr(row)
    }

    /// The VPC of a transit gateway's record on the side that its direction makes the near one.
    #[inline]
    pub(super) fn near_vpc(&self, row: usize, direction: Direction) -> Option<&'a str> {
        match direction {
            Direction::Ingress => text(self.destination_vpc, row),
            Direction::Egress | Direction::Unknown => text(self.source_vpc, row),
        }
    }

    /// Whether the packet names other hosts than the record: something passed it on.
    pub(super) fn differ(&self, row: usize) -> bool {
        let differ = |packet: &Values<'_, [u8; 16]>, outer: &Values<'_, [u8; 16]>| match (
            packet.get(row),
            outer.get(row),
        ) {
            (Some(packet), Some(outer)) => packet != outer,
            _ => false,
        };
        differ(&self.packet_source, &self.source)
            || differ(&self.packet_destination, &self.destination)
    }
}

/// The text of a row, if it has one.
pub(super) fn text(column: Option<&Texts>, row: usize) -> Option<&str> {
    let column = column.filter(|column| column.is_valid(row))?;
    let values = column.values().as_any().downcast_ref::<StringArray>()?;
    let at = usize::try_from(column.keys().values()[row]).ok()?;
    Some(values.value(at))
}
