//! Rows as the batches that a decoder would have made of their flow log.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeBinaryArray, Int32Array, RecordBatch, StringArray,
    TimestampSecondArray, UInt8Array, UInt16Array, UInt64Array,
};
use arrow_buffer::Buffer;
use outflow_detect::{Query, State};
use outflow_enrich::{Enricher, Networks, Origin, protocol};
use outflow_record::{Addr, Field, FlowBatch, Timestamp, schema};

use crate::Error;
use crate::row::Row;
use crate::world::{Asked, World};

/// Rows of a batch: some megabytes of columns.
const ROWS_MAX: usize = 1 << 15;

/// The VPC of all: which one it is does not matter to whom asks.
pub(crate) const VPC_ID: &str = "vpc-0";

const FIELDS: [Field; 14] = [
    Field::AccountId,
    Field::InterfaceId,
    Field::InstanceId,
    Field::SrcAddr,
    Field::DstAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::Protocol,
    Field::Packets,
    Field::Bytes,
    Field::Start,
    Field::End,
    Field::TcpFlags,
    Field::FlowDirection,
];

/// The state of rows, as the detector folds them.
///
/// # Errors
/// [`Error::Columns`] if the columns are no flow log's, which is a fault of this crate.
pub(crate) fn state_of<'r>(
    world: &World,
    rows: impl IntoIterator<Item = &'r [Row]>,
) -> Result<State, Error> {
    let mut enricher = Enricher::new(Networks::default());
    let mut state = State::default();
    for rows in rows {
        for some in rows.chunks(ROWS_MAX) {
            let batch = batch(world, some)?;
            state.fold(&enricher.enrich(&batch, &Origin::default()), 0);
        }
    }
    Ok(state)
}

/// Adds queries to a state, as the meter of names folds them.
pub(crate) fn fold_asked<'a>(
    world: &World,
    state: &mut State,
    asked: impl IntoIterator<Item = &'a Asked>,
) {
    let queries = asked.into_iter().map(|own| {
        let host = &world.hosts()[own.eni as usize];
        Query {
            account_id: &world.accounts()[host.account as usize],
            vpc_id: VPC_ID,
            instance: Some(&host.instance_id),
            at: Timestamp(own.at.into()),
            name: &own.name,
            query_type: own.query_type,
            rcode: if own.exists { "NOERROR" } else { "NXDOMAIN" },
            answer_bytes: if own.exists { 12 } else { 0 },
            ..Query::default()
        }
    });
    state.fold_queries(queries);
}

/// One direction of a row.
#[derive(Clone, Copy)]
struct Record<'r> {
    row: &'r Row,
    egress: bool,
}

impl Record<'_> {
    /// Whether it goes from the side that opened the conversation.
    fn of_client(self) -> bool {
        self.egress != self.row.served
    }

    fn ports(self) -> (u16, u16) {
        let (client, server) = (self.row.client_port, self.row.port);
        if self.of_client() {
            (client, server)
        } else {
            (server, client)
        }
    }

    /// As AWS has them: SYN and FIN of the client, SYN, ACK and FIN of the server, nothing in later windows.
    fn flags(self) -> u8 {
        match (self.row.protocol, self.row.begins, self.of_client()) {
            (protocol::TCP, true, true) => 3,
            (protocol::TCP, true, false) => 19,
            _ => 0,
        }
    }
}

fn batch(world: &World, rows: &[Row]) -> Result<FlowBatch, Error> {
    let mut records = Vec::with_capacity(rows.len() * 2);
    for row in rows {
        records.push(Record { row, egress: true });
        if row.down_packets > 0 {
            records.push(Record { row, egress: false });
        }
    }
    let of = |record: &Record<'_>| &world.hosts()[record.row.eni as usize];
    let accounts = world.accounts();
    let columns: Vec<ArrayRef> = vec![
        texts(accounts, records.iter().map(|r| of(r).account))?,
        texts(world.interface_ids(), records.iter().map(|r| r.row.eni))?,
        texts(world.instance_ids(), records.iter().map(|r| r.row.eni))?,
        addrs(
            records
                .iter()
                .map(|r| if r.egress { of(r).addr } else { r.row.peer }),
        )?,
        addrs(
            records
                .iter()
                .map(|r| if r.egress { r.row.peer } else { of(r).addr }),
        )?,
        Arc::new(UInt16Array::from_iter_values(
            records.iter().map(|r| r.ports().0),
        )),
        Arc::new(UInt16Array::from_iter_values(
            records.iter().map(|r| r.ports().1),
        )),
        Arc::new(UInt8Array::from_iter_values(
            records.iter().map(|r| r.row.protocol),
        )),
        counts(&records, |r| r.up_packets, |r| r.down_packets),
        counts(&records, |r| r.up_bytes, |r| r.down_bytes),
        times(records.iter().map(|r| r.row.start)),
        times(records.iter().map(|r| r.row.end)),
        Arc::new(UInt8Array::from_iter_values(
            records.iter().map(|r| r.flags()),
        )),
        texts(
            &["ingress".to_owned(), "egress".to_owned()],
            records.iter().map(|r| u32::from(r.egress)),
        )?,
    ];
    let batch = RecordBatch::try_new(schema(&FIELDS), columns)?;
    Ok(FlowBatch::try_new(batch)?)
}

fn texts(values: &[String], keys: impl Iterator<Item = u32>) -> Result<ArrayRef, Error> {
    let keys = Int32Array::from_iter_values(keys.map(u32::cast_signed));
    let values = Arc::new(StringArray::from_iter_values(values));
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
        keys, values,
    )?))
}

fn addrs(values: impl Iterator<Item = u32>) -> Result<ArrayRef, Error> {
    let bytes: Vec<u8> = values
        .flat_map(|addr| Addr::from_v4(addr.to_be_bytes()).bytes())
        .collect();
    Ok(Arc::new(FixedSizeBinaryArray::try_new(
        16,
        Buffer::from_vec(bytes),
        None,
    )?))
}

fn counts(
    records: &[Record<'_>],
    up: impl Fn(&Row) -> u64,
    down: impl Fn(&Row) -> u64,
) -> ArrayRef {
    let of = |r: &Record<'_>| if r.egress { up(r.row) } else { down(r.row) };
    Arc::new(UInt64Array::from_iter_values(records.iter().map(of)))
}

fn times(values: impl Iterator<Item = u32>) -> ArrayRef {
    let times = TimestampSecondArray::from_iter_values(values.map(i64::from));
    Arc::new(times.with_timezone("UTC"))
}
