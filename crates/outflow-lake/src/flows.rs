//! Rows of `flows` on their way into a file.

mod addresses;
mod column;
mod handed;
mod hours;
mod names;
mod order;
mod payload;
mod profiles;
mod rolled;
mod runs;
mod seen;
mod shared;
mod sides;
mod texts;

use std::ops::Range;
use std::sync::Arc;

use outflow_enrich::{Flow, Scope, Via};
use outflow_record::{Field, FlowBatch, Kind};

use crate::table::{FLOWS_BUCKET_SECS, HOUR_SECS, REGION, Table, enriched};
use addresses::{Addresses, Appended};
use column::{Column, Rows};
use names::{RemoteKeys, SourceRows};
use order::Ranks;
use payload::Ipv6;
use seen::{NotHeld, SeenColumns};
use shared::Run;
use sides::Sides;

pub(crate) use addresses::SortedAddresses;
pub(crate) use column::{LONG_NULL, NULL};
pub(crate) use hours::Adding;
pub use hours::Hours;
pub(crate) use names::Counted;
pub(crate) use payload::{CountedRecords, Payload};
pub(crate) use profiles::{Columns as ProfileColumns, Profiling};
pub(crate) use rolled::{Kept, Ordered};
pub(crate) use runs::{Determined, Runs};
pub(crate) use shared::{Numbers, Values};
pub(crate) use sides::Chosen;
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
    /// By row: whose packets they are.
    pub vias: &'a [Via],
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
    pub(crate) addresses: Arc<SortedAddresses>,
}

/// What is in a column, by row; rows behind the last that has a value may be missing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cells<'a> {
    /// Texts, by key; [`NULL`] is none.
    Texts {
        keys: Values<'a, i32>,
        values: &'a [Box<str>],
    },
    /// Addresses or groups of them, by their key in [`SortedFlows::addresses`]; [`NULL`] is none.
    Addrs(&'a [i32]),
    /// Small numbers; [`NULL`] is none.
    Smalls(Values<'a, i32>),
    /// What other columns have.
    Chosen(Chosen<'a>),
    /// Numbers, and times in microseconds; [`LONG_NULL`] is none.
    Longs(&'a [i64]),
    /// Numbers that follow from what other columns have.
    Payload(Payload<'a>),
    /// Numbers that rise by one from row to row, as long as rows have the same number of a source.
    Counted(Counted<'a>),
    /// Truths.
    Bools(Values<'a, bool>),
}

impl Cells<'_> {
    /// The places of the columns that this one follows from.
    pub(crate) fn follow_from(&self) -> impl Iterator<Item = usize> {
        let (chosen, of_payload) = match self {
            Self::Chosen(of) => (of.among, None),
            Self::Payload(of) => (&[][..], Some([of.protocol, of.packets, of.bytes])),
            _ => (&[][..], None),
        };
        let of_payload = of_payload.into_iter().flatten();
        chosen.iter().copied().chain(of_payload)
    }
}

/// Rows of one partition, by column.
#[derive(Debug)]
pub struct FlowRows {
    len: usize,
    /// The columns of the table in its order, without the one that is never null.
    columns: Vec<Column>,
    /// By column, which of the numbers its values are held by; none if each row has its own.
    shared: Vec<Option<usize>>,
    /// Numbers of all rows: those of [`By`], and of each run.
    numbers: Vec<Vec<u32>>,
    /// Columns that the decoder read together.
    runs: Vec<Run>,
    /// Whether rows are handed on batch by batch, so that what they share would be looked for again and again.
    are_handed_on: bool,
    /// Whether they hold what follows from other columns, too.
    are_all_held: bool,
    /// By number of what is seen of a flow.
    counted: Vec<bool>,
    /// By what is seen of a flow, its number.
    seen: seen::Known,
    addresses: Addresses,
    sides: Sides,
    ipv6: Ipv6,
    /// Different remotes, by their keys in the columns of their words.
    remotes: Interned<RemoteKeys>,
    /// By number of a remote: its number among those.
    remote_numbers: Vec<u32>,
    /// Whether the network of any of them is known.
    are_networks_known: bool,
    /// How many workloads have keys.
    workloads: usize,
    /// Sources, as far as rows follow one another as in them.
    sources: Interned<SourceRows>,
    /// By number of these, what is to be added to the number of a row for that in its source.
    row_steps: Vec<i64>,
    positions: Positions,
}

/// What rows have numbers of, beside the combinations of runs.
#[derive(Debug, Clone, Copy)]
enum By {
    /// Different remotes.
    Remote,
    /// What is seen of a [`Flow`] in words.
    Seen,
    /// Sources.
    Source,
    /// Workloads.
    Workload,
}

/// How many of these there are.
const BYS: usize = 4;

/// The enriched columns that follow from each.
const SHARED: [(Of, By); 12] = [
    (Of::RemoteOrg, By::Remote),
    (Of::RemoteCountry, By::Remote),
    (Of::RemoteService, By::Remote),
    (Of::Destination, By::Remote),
    (Of::Direction, By::Seen),
    (Of::Initiator, By::Seen),
    (Of::InitiatorBy, By::Seen),
    (Of::Scope, By::Seen),
    (Of::Via, By::Seen),
    (Of::FlowLogId, By::Source),
    (Of::SourceId, By::Source),
    (Of::Workload, By::Workload),
];

/// Where columns stand that are told apart by name.
#[derive(Debug)]
struct Positions {
    first_enriched: usize,
    counted: usize,
}

impl Positions {
    /// The place of an enriched column among all that are held.
    fn of(&self, column: Of) -> usize {
        self.first_enriched + column as usize
    }
}

/// Order of the enriched columns from [`Positions::first_enriched`] on.
#[derive(Debug, Clone, Copy)]
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
        let positions = Positions {
            first_enriched: at(enriched::FLOW_LOG_ID),
            counted: at(enriched::COUNTED),
        };
        let mut shared = vec![None; columns.len()];
        for (of, by) in SHARED {
            shared[positions.of(of)] = Some(by as usize);
        }
        Self {
            len: 0,
            columns,
            shared,
            numbers: vec![Vec::new(); BYS],
            runs: Vec::new(),
            are_handed_on: false,
            are_all_held: false,
            counted: Vec::new(),
            seen: seen::Known::default(),
            addresses: Addresses::default(),
            sides: Sides::default(),
            ipv6: Ipv6::new(),
            remotes: Interned::default(),
            remote_numbers: Vec::new(),
            are_networks_known: false,
            workloads: 0,
            sources: Interned::default(),
            row_steps: Vec::new(),
            positions,
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
        self.numbers.iter_mut().for_each(Vec::clear);
        self.runs.iter_mut().for_each(Run::clear);
        self.counted.clear();
        self.seen.clear();
        self.sides.clear();
        self.ipv6.clear();
        self.are_all_held = self.are_handed_on;
        self.addresses.clear();
        self.remotes.clear();
        self.remote_numbers.clear();
        self.are_networks_known = false;
        self.workloads = 0;
        self.sources.clear();
        self.row_steps.clear();
    }

    /// Appends these rows of a batch.
    pub fn append(&mut self, seen: &Seen<'_>, rows: &[u32]) {
        let appended = Rows {
            numbers: rows,
            are_all: rows.len() == seen.records.num_rows()
                && rows.iter().zip(0..).all(|(row, number)| *row == number),
            before: self.len,
        };
        self.make_room(rows.len());
        self.share(seen.records);
        let aws = Field::ALL.iter().filter(|field| field.column() != REGION);
        let aws = aws.zip(&mut self.columns).zip(&self.shared);
        let mut addrs = Vec::new();
        let mut sides = [None; sides::ADDRS.len()];
        for ((field, column), shared) in aws {
            if let Some(of) = seen.records.addrs(*field) {
                let of = Appended::of(of, appended);
                let at = addrs.len();
                column.addrs(self.len, (&mut self.addresses, &mut addrs), of);
                if let Some(own) = sides::ADDRS.iter().position(|of| of == field) {
                    sides[own] = (addrs.len() > at).then_some(at);
                }
            } else if shared.is_none() && seen.records.has(*field) {
                column.append(seen.records, *field, appended);
            }
        }
        let combined = self.runs.iter_mut().zip(&mut self.numbers[BYS..]);
        for ((run, numbers), of) in combined.zip(seen.records.combined()) {
            run.append(numbers, (seen.records, of), appended, &mut self.columns);
        }
        if self.append_flows(seen, rows, (&mut addrs, sides)).is_err() {
            self.hold_all();
            let held = self.append_flows(seen, rows, (&mut addrs, sides));
            debug_assert!(held.is_ok(), "what is held need not follow");
        }
        self.append_names(seen, rows);
        self.len += rows.len();
    }

    /// Makes room for so many more rows.
    fn make_room(&mut self, more: usize) {
        let own = self.columns.iter_mut().zip(&self.shared);
        for (column, _) in own.filter(|(_, shared)| shared.is_none()) {
            column.make_room(self.len, more);
        }
        for numbers in &mut self.numbers {
            column::make_room(numbers, self.len, more);
        }
    }

    /// Finds out which columns of a batch are held by their combinations: those that the decoder read together, unless other
    /// rows have other columns in common.
    fn share(&mut self, records: &FlowBatch) {
        let combined = if self.are_handed_on {
            &[]
        } else {
            records.combined()
        };
        let is_as_before = self.runs.len() == combined.len()
            && self
                .runs
                .iter()
                .zip(combined)
                .all(|(run, of)| run.is_of(of));
        if is_as_before {
            return;
        }
        let runs = std::mem::take(&mut self.runs);
        let numbers = self.numbers.split_off(BYS);
        for (run, numbers) in runs.iter().zip(&numbers) {
            for place in run.columns() {
                self.shared[place] = None;
                self.columns[place].spread(numbers);
            }
        }
        if self.len > 0 {
            return;
        }
        let place = |field: Field| (field.column() != REGION).then(|| place_of_aws(field));
        for of in combined {
            let run = Run::new(of, place);
            for place in run.columns() {
                self.shared[place] = Some(self.numbers.len());
            }
            self.numbers.push(Vec::new());
            self.runs.push(run);
        }
    }

    /// The keys or small numbers of a column, by row.
    fn keys(&self, place: usize) -> Values<'_, i32> {
        let own = self.columns[place].own_keys();
        match self.shared[place] {
            None => Values::Own(own),
            Some(which) => Values::Shared {
                numbers: self.numbers(which),
                by_number: own,
            },
        }
    }

    fn numbers(&self, which: usize) -> Numbers<'_> {
        Numbers {
            which,
            of_rows: &self.numbers[which],
        }
    }

    /// The numbers of what is seen of rows, and of what is known of their other sides.
    pub(crate) fn seen_and_remotes(&self) -> [Numbers<'_>; 2] {
        [By::Seen, By::Remote].map(|by| self.numbers(by as usize))
    }

    /// What of a flow counts, by row.
    fn counted(&self) -> Values<'_, bool> {
        Values::Shared {
            numbers: self.numbers(By::Seen as usize),
            by_number: &self.counted,
        }
    }

    /// The column of a field.
    fn aws(&self, field: Field) -> &Column {
        &self.columns[place_of_aws(field)]
    }

    fn enriched(&self, of: Of) -> &Column {
        &self.columns[self.positions.of(of)]
    }

    /// The place of an enriched column among the [`FlowRows::cells`].
    fn place_of(&self, of: Of) -> usize {
        let at = self.positions.of(of);
        at + usize::from(at >= self.positions.counted)
    }

    fn column(&mut self, of: Of) -> &mut Column {
        &mut self.columns[self.positions.of(of)]
    }

    /// Appends what is seen of the records, whose addresses were appended; `record` are those of them that sides may have. Nothing, if
    /// rows do not hold what follows from other columns, and it does not for one of them.
    fn append_flows<'a>(
        &mut self,
        seen: &Seen<'_>,
        rows: &[u32],
        (addrs, record): (&mut Vec<Appended<'a>>, [Option<usize>; sides::ADDRS.len()]),
    ) -> Result<(), NotHeld> {
        let len = self.len;
        let mut columns = SeenColumns::take(self, rows.len());
        let record = record.map(|at| addrs.get(at?));
        for (at, row) in (0..).zip(rows) {
            match seen.flow(*row) {
                Some(flow) => columns.push(flow, seen.vias[*row as usize], (record, at as usize)),
                None => columns.push_none(at),
            }
        }
        let Some(sides) = columns.give_back(self)? else {
            return Ok(());
        };
        let payload_bytes = rows.iter().map(|row| {
            let flow = seen.flow(*row)?;
            Some(i64::try_from(flow.payload_bytes).unwrap_or(i64::MAX))
        });
        self.column(Of::PayloadBytes).longs(len, payload_bytes);
        for (of, side) in [Of::LocalAddr, Of::RemoteAddr].into_iter().zip(sides) {
            let column = &mut self.columns[self.positions.of(of)];
            column.addrs(len, (&mut self.addresses, addrs), side);
        }
        Ok(())
    }

    /// The order in which these rows are stored: by [`Table::sorted_by`], and of equal ones as they were appended.
    pub(crate) fn sorted(&self) -> SortedFlows<'_> {
        let starts = self.aws(Field::Start).numbers();
        let missing = self.len.saturating_sub(starts.len());
        let starts = starts.iter().copied();
        let starts = starts.chain(std::iter::repeat_n(LONG_NULL, missing));
        let second = |start: i64| u32::try_from(start.rem_euclid(HOUR_MICROS) / 1_000_000);
        let interface_id = place_of_aws(Field::InterfaceId);
        let ranks = |place: usize| self.columns[place].ranks(self.keys(place), self.len);
        let enriched = |of: Of| ranks(self.positions.of(of));
        // Each is made when it is its turn: they are as long as the rows.
        let keys = (0..6).map(|key| match key {
            0 => Ranks {
                of_rows: starts.clone().map(|of| second(of).unwrap_or(0)).collect(),
                count: HOUR_SECS as usize,
            },
            1 => enriched(Of::Direction),
            2 => enriched(Of::Scope),
            3 => ranks(interface_id),
            4 => Ranks::of(starts.clone().map(|start| start.div_euclid(HOUR_MICROS))),
            // Refused flows are few, and asked for on their own.
            _ => ranks(place_of_aws(Field::Action)),
        });
        let order = order::sorted(u32::try_from(self.len).unwrap_or(u32::MAX), keys);
        let (_, interfaces) = self.columns[interface_id].texts();
        let interfaces = interfaces.len();
        SortedFlows {
            runs: Runs::new(self.keys(interface_id), interfaces, &order),
            verdicts: verdicts(self.keys(place_of_aws(Field::Action)), &order),
            order,
            addresses: Arc::new(self.addresses.sorted()),
        }
    }

    /// The columns of the table's files, in their order.
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cells<'_>> {
        let counted = self.positions.counted;
        let [payload, source_row] =
            [Of::PayloadBytes, Of::SourceRow].map(|of| self.positions.of(of));
        let cells = move |at: usize| match (self.chosen(at), self.payload()) {
            (Some(chosen), _) => Cells::Chosen(chosen),
            (_, Some(of)) if at == payload => Cells::Payload(of),
            _ if at == source_row => Cells::Counted(self.source_rows()),
            _ => self.columns[at].cells(self.keys(at)),
        };
        let before = (0..counted).map(cells);
        let behind = (counted..self.columns.len()).map(cells);
        before
            .chain(std::iter::once(Cells::Bools(self.counted())))
            .chain(behind)
    }
}

/// The place of a field among the columns.
fn place_of_aws(field: Field) -> usize {
    let at = Field::ALL.iter().filter(|of| of.column() != REGION);
    at.take_while(|of| **of != field).count()
}

/// By place in the order: where rows of one verdict end.
fn verdicts(actions: Values<'_, i32>, order: &[u32]) -> Vec<usize> {
    let of = |row: &u32| actions.get(*row as usize).unwrap_or(NULL);
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

/// Whether a flow was let through and crossed the border.
fn crosses(flow: &Flow) -> bool {
    flow.accepted && flow.remote_scope == Scope::External && flow.local_scope == Scope::Internal
}
