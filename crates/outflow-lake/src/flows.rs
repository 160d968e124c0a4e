//! Rows of `flows` on their way into a file.

mod addresses;
mod column;
mod handed;
mod hours;
mod order;
mod profiles;
mod runs;
mod texts;

use std::ops::Range;

use arrow_array::{Array as _, FixedSizeBinaryArray};
use outflow_enrich::{Direction, Flow, Initiator, Scope};
use outflow_record::{Addr, Field, FlowBatch, Kind};

use crate::table::{FLOWS_BUCKET_SECS, HOUR_SECS, REGION, Table, enriched};
use addresses::Addresses;
use column::{Column, Rows};

pub(crate) use addresses::AddrTexts;
pub(crate) use column::{LONG_NULL, NULL};
pub use hours::Hours;
pub(crate) use profiles::RollingUp;
pub(crate) use runs::{Determined, Runs};
pub(crate) use texts::Interned;

/// What is known of the other side of a flow, beyond its address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Remote {
    /// Number of the network.
    pub asn: Option<u32>,
    /// Who runs the network.
    pub org: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The AWS service.
    pub service: Option<String>,
    /// The group in which it is compared, if that has a name.
    pub destination: Option<String>,
}

/// Records of one source, and what is known of each.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The records.
    pub records: &'a FlowBatch,
    /// The records seen from their interfaces, without those that lack what that needs.
    pub flows: &'a [Flow],
    /// The rows of these, in ascending order.
    pub unmeasured_rows: &'a [u32],
    /// By row: how its packets were seen, a word of [`enriched::VIA`].
    pub vias: &'a [&'static str],
    /// By row: the number of its other side in `remotes`.
    pub remote_of: &'a [u32],
    /// Other sides; a number keeps its meaning for the life of the rows they are appended to.
    pub remotes: &'a [Remote],
    /// By row: the number of its workload in `workloads`.
    pub workload_of: &'a [u32],
    /// Workloads, numbered likewise; an empty one is unknown.
    pub workloads: &'a [String],
    /// The source, as [`crate::SourceId`] prints it.
    pub source_id: &'a str,
    /// Number of the first row in its source.
    pub first_row: i64,
    /// Flow log that delivered the source.
    pub flow_log_id: Option<&'a str>,
}

/// The order in which rows are stored.
#[derive(Debug)]
pub(crate) struct SortedFlows<'a> {
    /// The numbers of the rows in that order.
    pub(crate) order: Vec<u32>,
    /// The interfaces of these.
    pub(crate) runs: Runs<'a>,
    /// By place in the order: where rows of one verdict end.
    verdicts: Vec<usize>,
    /// The addresses of all columns.
    pub(crate) addresses: AddrTexts,
}

/// What is in a column, by row; rows behind the last that has a value may be missing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cells<'a> {
    /// Texts, by key; [`NULL`] is none.
    Texts {
        keys: &'a [i32],
        values: &'a [Box<str>],
    },
    /// Addresses, by their key in [`SortedFlows::addresses`]; [`NULL`] is none.
    Addrs(&'a [i32]),
    /// Small numbers; [`NULL`] is none.
    Smalls(&'a [i32]),
    /// Numbers, and times in microseconds; [`LONG_NULL`] is none.
    Longs(&'a [i64]),
    /// Truths.
    Bools(&'a [bool]),
}

/// Rows of one partition, by column.
#[derive(Debug)]
pub struct FlowRows {
    len: usize,
    /// The columns of the table in its order, without the one that is never null.
    columns: Vec<Column>,
    counted: Vec<bool>,
    addresses: Addresses,
    /// Different remotes, by their keys in the columns of their words.
    remotes: Interned<RemoteKeys>,
    /// By number of a remote: its number among those.
    remote_numbers: Vec<u32>,
    /// By number of a workload: its key.
    workload_keys: Vec<i32>,
    /// By row: what is rolled up.
    rolled: Vec<profiles::Row>,
    /// Whether anything is rolled up.
    are_rolled: bool,
    positions: Positions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct RemoteKeys {
    asn: i64,
    org: i32,
    country: i32,
    service: i32,
    destination: i32,
}

/// Where columns stand that are told apart by name.
#[derive(Debug)]
struct Positions {
    first_enriched: usize,
    counted: usize,
}

/// Order of the enriched columns from [`Positions::first_enriched`] on.
#[derive(Clone, Copy)]
enum Of {
    FlowLogId,
    Direction,
    LocalAddr,
    RemoteAddr,
    LocalPort,
    RemotePort,
    Initiator,
    InitiatorBy,
    PayloadBytes,
    Scope,
    Via,
    RemoteAsn,
    RemoteOrg,
    RemoteCountry,
    RemoteService,
    Destination,
    Workload,
    SourceId,
    SourceRow,
}

impl Default for FlowRows {
    fn default() -> Self {
        let schema = Table::Flows.file_schema();
        let fields = schema.fields().iter();
        let stored = fields.filter(|field| field.name() != enriched::COUNTED);
        let columns: Vec<Column> = stored
            .map(|field| {
                let kind = field.name().parse::<Field>().ok().map(Field::kind);
                let is_addr = kind == Some(Kind::Addr)
                    || [enriched::LOCAL_ADDR, enriched::REMOTE_ADDR]
                        .contains(&field.name().as_str());
                Column::of(field.data_type(), is_addr)
            })
            .collect();
        let at = |name: &str| schema.index_of(name).unwrap_or_default();
        Self {
            len: 0,
            columns,
            counted: Vec::new(),
            addresses: Addresses::default(),
            remotes: Interned::default(),
            remote_numbers: Vec::new(),
            workload_keys: Vec::new(),
            rolled: Vec::new(),
            are_rolled: true,
            positions: Positions {
                first_enriched: at(enriched::FLOW_LOG_ID),
                counted: at(enriched::COUNTED),
            },
        }
    }
}

impl FlowRows {
    /// Rows held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all rows, and keeps their memory for others.
    pub fn clear(&mut self) {
        self.len = 0;
        self.columns.iter_mut().for_each(Column::clear);
        self.counted.clear();
        self.addresses.clear();
        self.remotes.clear();
        self.remote_numbers.clear();
        self.workload_keys.clear();
        self.rolled.clear();
    }

    /// Appends these rows of a batch.
    pub fn append(&mut self, seen: &Seen<'_>, rows: &[u32]) {
        let appended = Rows {
            numbers: rows,
            are_all: rows.len() == seen.records.num_rows()
                && rows.iter().zip(0..).all(|(row, number)| *row == number),
            before: self.len,
        };
        let aws = Field::ALL.iter().filter(|field| field.column() != REGION);
        for (field, column) in aws.zip(&mut self.columns) {
            if let Some(of) = seen.records.addrs(*field) {
                let addrs = rows.iter().map(|row| addr_at(of, *row));
                column.addrs(self.len, &mut self.addresses, addrs);
            } else if seen.records.has(*field) {
                column.append(seen.records, *field, appended);
            }
        }
        self.append_flows(seen, rows);
        self.addresses.end();
        self.append_names(seen, rows);
        if self.are_rolled {
            self.append_rolled(seen, rows);
        }
        self.len += rows.len();
    }

    /// The column of a field.
    fn aws(&self, field: Field) -> &Column {
        let at = Field::ALL.iter().filter(|of| of.column() != REGION);
        let at = at.take_while(|of| **of != field).count();
        &self.columns[at]
    }

    fn enriched(&self, of: Of) -> &Column {
        &self.columns[self.positions.first_enriched + of as usize]
    }

    fn column(&mut self, of: Of) -> &mut Column {
        &mut self.columns[self.positions.first_enriched + of as usize]
    }

    /// Appends what is seen of the records.
    fn append_flows(&mut self, seen: &Seen<'_>, rows: &[u32]) {
        let len = self.len;
        let flows = || rows.iter().map(|row| seen.flow(*row));
        let first = self.positions.first_enriched;
        let local = flows().map(|flow| flow.map(|flow| flow.local));
        let column = &mut self.columns[first + Of::LocalAddr as usize];
        column.addrs(len, &mut self.addresses, local);
        let remote = flows().map(|flow| flow.map(|flow| flow.remote));
        let column = &mut self.columns[first + Of::RemoteAddr as usize];
        column.addrs(len, &mut self.addresses, remote);
        self.column(Of::LocalPort).ints(
            len,
            flows().map(|flow| flow.map(|flow| i32::from(flow.local_port))),
        );
        self.column(Of::RemotePort).ints(
            len,
            flows().map(|flow| flow.map(|flow| i32::from(flow.remote_port))),
        );
        self.column(Of::PayloadBytes).longs(
            len,
            flows()
                .map(|flow| flow.map(|flow| i64::try_from(flow.payload_bytes).unwrap_or(i64::MAX))),
        );
        let word =
            |of: fn(&Flow) -> Option<&'static str>| flows().map(move |flow| flow.and_then(of));
        self.column(Of::Direction).words(len, word(direction));
        self.column(Of::Initiator)
            .words(len, word(|flow| Some(initiator(flow).0)));
        self.column(Of::InitiatorBy)
            .words(len, word(|flow| initiator(flow).1));
        self.column(Of::Scope)
            .words(len, word(|flow| Some(scope(flow.remote_scope))));
        let via = |row: &u32| seen.flow(*row).map(|_| seen.vias[*row as usize]);
        self.column(Of::Via).words(len, rows.iter().map(via));
        self.counted.extend(rows.iter().map(|row| {
            let own = seen.vias[*row as usize] == "own";
            own && seen.flow(*row).is_some_and(crosses)
        }));
    }

    /// Appends what has a name.
    fn append_names(&mut self, seen: &Seen<'_>, rows: &[u32]) {
        let len = self.len;
        for remote in &seen.remotes[self.remote_numbers.len()..] {
            let keys = RemoteKeys {
                asn: remote.asn.map_or(LONG_NULL, i64::from),
                org: self.column(Of::RemoteOrg).key(remote.org.as_deref()),
                country: self
                    .column(Of::RemoteCountry)
                    .key(remote.country.as_deref()),
                service: self
                    .column(Of::RemoteService)
                    .key(remote.service.as_deref()),
                destination: self
                    .column(Of::Destination)
                    .key(remote.destination.as_deref()),
            };
            let number = self.remotes.number(&keys, RemoteKeys::clone);
            self.remote_numbers.push(number.cast_unsigned());
        }
        for name in &seen.workloads[self.workload_keys.len()..] {
            let key = self
                .column(Of::Workload)
                .key((!name.is_empty()).then_some(name));
            self.workload_keys.push(key);
        }
        let remotes = std::mem::take(&mut self.remotes);
        let remote_numbers = std::mem::take(&mut self.remote_numbers);
        let workload_keys = std::mem::take(&mut self.workload_keys);
        let number = |row: &u32| remote_numbers[seen.remote_of[*row as usize] as usize];
        let of = || {
            rows.iter()
                .map(|row| &remotes.values()[number(row) as usize])
        };
        self.column(Of::RemoteAsn)
            .longs(len, of().map(|keys| Some(keys.asn)));
        self.column(Of::RemoteOrg)
            .keys(len, of().map(|keys| keys.org));
        self.column(Of::RemoteCountry)
            .keys(len, of().map(|keys| keys.country));
        self.column(Of::RemoteService)
            .keys(len, of().map(|keys| keys.service));
        self.column(Of::Destination)
            .keys(len, of().map(|keys| keys.destination));
        let workload = |row: &u32| workload_keys[seen.workload_of[*row as usize] as usize];
        self.column(Of::Workload)
            .keys(len, rows.iter().map(workload));
        self.remotes = remotes;
        self.remote_numbers = remote_numbers;
        self.workload_keys = workload_keys;
        let key = self.column(Of::FlowLogId).key(seen.flow_log_id);
        self.column(Of::FlowLogId)
            .keys(len, rows.iter().map(|_| key));
        let key = self.column(Of::SourceId).key(Some(seen.source_id));
        self.column(Of::SourceId)
            .keys(len, rows.iter().map(|_| key));
        let number = |row: &u32| Some(seen.first_row + i64::from(*row));
        self.column(Of::SourceRow)
            .longs(len, rows.iter().map(number));
    }

    /// The order in which these rows are stored: by [`Table::sorted_by`], and of equal ones as they were appended.
    pub(crate) fn sorted(&self) -> SortedFlows<'_> {
        let len = u32::try_from(self.len).unwrap_or(u32::MAX);
        let mut order: Vec<u32> = (0..len).collect();
        let starts = self.aws(Field::Start).numbers();
        let start = |row: u32| starts.get(row as usize).copied().unwrap_or(LONG_NULL);
        let hour = |row: u32| start(row).div_euclid(HOUR_MICROS);
        // Each sort keeps the order of equal ones, so the last is the one by what counts first.
        let second = |row: u32| start(row).rem_euclid(HOUR_MICROS) / 1_000_000;
        order::by_rank(&mut order, HOUR_SECS as usize, |row| {
            u32::try_from(second(row)).unwrap_or_default()
        });
        let interface_id = self.aws(Field::InterfaceId);
        for column in [
            self.enriched(Of::Direction),
            self.enriched(Of::Scope),
            interface_id,
        ] {
            let (ranks, count) = column.ranks();
            order::by_rank(&mut order, count, |row| column.rank_at(row, &ranks));
        }
        order::by_number(&mut order, hour);
        // Refused flows are few, and asked for on their own.
        let action = self.aws(Field::Action);
        let (ranks, count) = action.ranks();
        order::by_rank(&mut order, count, |row| action.rank_at(row, &ranks));
        let (interfaces, values) = interface_id.texts();
        let (actions, _) = action.texts();
        SortedFlows {
            runs: Runs::new(interfaces, values.len(), &order),
            verdicts: verdicts(actions, &order),
            order,
            addresses: self.addresses.texts(),
        }
    }

    /// The columns of the table's files, in their order.
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cells<'_>> {
        let (before, behind) = self.columns.split_at(self.positions.counted);
        let counted = std::iter::once(Cells::Bools(&self.counted));
        let cells = before.iter().map(Column::cells);
        cells.chain(counted).chain(behind.iter().map(Column::cells))
    }
}

/// By place in the order: where rows of one verdict end.
fn verdicts(actions: &[i32], order: &[u32]) -> Vec<usize> {
    let of = |row: &u32| actions.get(*row as usize).copied().unwrap_or(NULL);
    let runs = order.chunk_by(|a, b| of(a) == of(b));
    runs.scan(0, |end, run| {
        *end += run.len();
        Some(*end)
    })
    .collect()
}

impl SortedFlows<'_> {
    /// The rows, cut into row groups of so many at most, and of much the same size. Those of one verdict have row groups of
    /// their own, if they are not few: the bounds of the others tell the interfaces apart.
    pub(crate) fn parts(&self, rows_max: usize) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for end in &self.verdicts {
            let from = runs.last().map_or(0, |run| run.end);
            match runs.last_mut() {
                Some(last) if last.len().min(end - from) < APART_ROWS_MIN => last.end = *end,
                _ => runs.push(from..*end),
            }
        }
        let cut = |run: Range<usize>| {
            let rows = run.len().div_ceil(run.len().div_ceil(rows_max).max(1));
            let starts = run.clone().step_by(rows.max(1));
            starts.map(move |from| from..(from + rows).min(run.end))
        };
        runs.into_iter().flat_map(cut).collect()
    }
}

impl Seen<'_> {
    /// The record of a row, seen from its interface; none if it lacks what that needs.
    fn flow(&self, row: u32) -> Option<&Flow> {
        let before = if self.unmeasured_rows.is_empty() {
            0
        } else {
            self.unmeasured_rows.binary_search(&row).err()?
        };
        self.flows.get(row as usize - before)
    }
}

/// Rows of one verdict that are worth a row group of their own.
const APART_ROWS_MIN: usize = 8_192;

/// Microseconds of a bucket, and of an hour.
const BUCKET_MICROS: i64 = FLOWS_BUCKET_SECS as i64 * 1_000_000;
const HOUR_MICROS: i64 = HOUR_SECS as i64 * 1_000_000;

fn addr_at(of: &FixedSizeBinaryArray, row: u32) -> Option<Addr> {
    let row = row as usize;
    let bytes = of.is_valid(row).then(|| of.value(row))?;
    bytes.try_into().ok().map(Addr::from_bytes)
}

/// Whether a flow was let through and crossed the border.
fn crosses(flow: &Flow) -> bool {
    flow.accepted && flow.remote_scope == Scope::External && flow.local_scope == Scope::Internal
}

fn direction(flow: &Flow) -> Option<&'static str> {
    match flow.direction {
        Direction::Egress => Some("egress"),
        Direction::Ingress => Some("ingress"),
        Direction::Unknown => None,
    }
}

fn initiator(flow: &Flow) -> (&'static str, Option<&'static str>) {
    match flow.initiator {
        Initiator::Local => ("local", Some("flags")),
        Initiator::LocalLikely => ("local", Some("ports")),
        Initiator::Remote => ("remote", Some("flags")),
        Initiator::RemoteLikely => ("remote", Some("ports")),
        Initiator::Unknown => ("unknown", None),
    }
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Internal => "internal",
        Scope::External => "external",
        Scope::Link => "link",
    }
}
