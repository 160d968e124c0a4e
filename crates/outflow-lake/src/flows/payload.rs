//! Payload of flows, worked out from what their records count.
//!
//! It follows from the bytes, packets and protocol of a record, and from what is seen of its flow. So rows do not hold it: it is
//! worked out once those columns are in order.

use outflow_enrich::{Direction, Flow, payload_bytes};
use outflow_record::Field;

use super::column::{LONG_NULL, NULL};
use super::shared::Numbers;
use super::{By, FlowRows, Of, place_of_aws};

/// By number of what is seen of a flow: whether its packets are of IPv6; none where a record is no flow.
pub(super) type Ipv6 = Vec<Option<bool>>;

/// The payload of rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payload<'a> {
    /// The places of the columns that it follows from.
    pub(crate) protocol: usize,
    pub(crate) packets: usize,
    pub(crate) bytes: usize,
    /// The numbers of what is seen of rows.
    pub(crate) numbers: Numbers<'a>,
    ipv6: &'a [Option<bool>],
}

/// What counts of records that follow one another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountedRecords<'a> {
    pub(crate) protocols: &'a [i32],
    pub(crate) packets: &'a [i64],
    pub(crate) bytes: &'a [i64],
}

/// Whether the packets of a flow are of IPv6, as the address is that sent them.
#[inline]
pub(super) fn is_ipv6(flow: &Flow) -> bool {
    let is_ingress = flow.direction == Direction::Ingress;
    let source = [flow.local, flow.remote][usize::from(is_ingress)];
    !source.is_ipv4()
}

/// Whether the payload of a flow is what its counts come to; these are its record's.
#[inline]
pub(super) fn follows(flow: &Flow, is_ipv6: bool) -> bool {
    let payload = payload_bytes(flow.protocol, is_ipv6, flow.bytes, flow.packets);
    // Columns hold no more than this.
    let is_held = i64::try_from(flow.bytes | flow.packets).is_ok();
    is_held & (flow.payload_bytes == payload)
}

impl Payload<'_> {
    /// Appends the payload of records, which have these numbers.
    pub(crate) fn append(&self, numbers: &[u32], of: CountedRecords<'_>, into: &mut Vec<i64>) {
        // What a record lacks counts as zero: null, too, is less.
        let count = |of: i64| u64::try_from(of).unwrap_or(0);
        let records = of.protocols.iter().zip(of.packets).zip(of.bytes);
        let rows = numbers.iter().zip(records);
        into.extend(rows.map(|(number, ((protocol, packets), bytes))| {
            let Some(is_ipv6) = self.ipv6[*number as usize] else {
                return LONG_NULL;
            };
            let protocol = u8::try_from(*protocol).unwrap_or(0);
            let payload = payload_bytes(protocol, is_ipv6, count(*bytes), count(*packets));
            i64::try_from(payload).unwrap_or(i64::MAX)
        }));
    }

    /// Whether no row has one.
    pub(crate) fn is_null(&self) -> bool {
        self.ipv6.iter().all(Option::is_none)
    }
}

impl FlowRows {
    /// The payload of rows, unless they hold it.
    pub(super) fn payload(&self) -> Option<Payload<'_>> {
        (!self.are_all_held).then(|| Payload {
            protocol: place_of_aws(Field::Protocol),
            packets: place_of_aws(Field::Packets),
            bytes: place_of_aws(Field::Bytes),
            numbers: self.numbers(By::Seen as usize),
            ipv6: &self.ipv6,
        })
    }

    /// The payload of all rows, in the order in which they were appended.
    pub(super) fn payload_by_row(&self, of: &Payload<'_>) -> Vec<i64> {
        let mut protocols: Vec<i32> = self.keys(of.protocol).iter().collect();
        protocols.resize(self.len, NULL);
        let longs = |place: usize| {
            let mut numbers = self.columns[place].numbers().to_vec();
            numbers.resize(self.len, LONG_NULL);
            numbers
        };
        let (packets, bytes) = (longs(of.packets), longs(of.bytes));
        let mut payload = Vec::new();
        let records = CountedRecords {
            protocols: &protocols,
            packets: &packets,
            bytes: &bytes,
        };
        of.append(of.numbers.of_rows, records, &mut payload);
        payload
    }

    /// Has rows hold what follows from other columns, as it does not for some. The enricher makes no such flows; who hands in others
    /// loses neither their sides nor their payload by it.
    pub(crate) fn hold_all(&mut self) {
        self.hold_sides();
        let payload = self.payload().map(|of| self.payload_by_row(&of));
        if let Some(payload) = payload {
            let payload = payload.into_iter().map(Some);
            self.column(Of::PayloadBytes).longs(0, payload);
        }
        self.are_all_held = true;
    }
}
