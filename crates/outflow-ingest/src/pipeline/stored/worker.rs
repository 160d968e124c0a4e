//! One worker: it reads row groups, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, TimestampMicrosecondType};
use arrow_array::{
    Array as _, ArrayAccessor as _, PrimitiveArray, RecordBatch, StringArray, TypedDictionaryArray,
};
use outflow_detect::SharedState;
use outflow_enrich::{DnsAnswer, HostBudget, PassiveDns};
use outflow_lake::table::SOURCE_ID;
use outflow_lake::{Error, FlowColumns, StoredFile, Table};
use outflow_record::{CoverageRow, CoverageStatus, DnsField, Timestamp};

use super::catalog::{Catalog, name_of};
use super::gathering::{Gathering, Numbers};
use super::parts::{Owner, Owners, Parts, ROWS_AT_ONCE};
use crate::pipeline::asked::{self, AskedRows};
use crate::pipeline::counter::Counter;
use crate::pipeline::tally::Tally;
use crate::pipeline::{Progress, Settings, names};

const MICROS: i64 = 1_000_000;

/// A worker.
pub(super) struct Worker<'a> {
    catalog: &'a Catalog,
    columns: Vec<&'static str>,
    progress: &'a Progress,
    gathering: &'a Gathering,
    counter: Counter<'a>,
    numbers: Numbers,
    /// Numbers of clients that asked.
    clients: Numbers,
    names: PassiveDns,
    rows: u64,
    unknown: u64,
    with_unknown: BTreeSet<String>,
}

/// What a worker leaves behind.
#[derive(Default)]
pub(super) struct Done {
    pub(super) tally: Tally,
    pub(super) names: PassiveDns,
    /// Rows of flows that were looked at.
    pub(super) rows: u64,
    /// Rows of sources that the journal does not know.
    pub(super) unknown: u64,
    /// Names of the files that have such rows.
    pub(super) with_unknown: BTreeSet<String>,
}

impl Done {
    pub(super) fn merge(&mut self, other: Self) {
        self.tally.merge(&other.tally);
        self.names.merge(&other.names);
        self.rows += other.rows;
        self.unknown += other.unknown;
        self.with_unknown.extend(other.with_unknown);
    }
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        catalog: &'a Catalog,
        settings: &'a Settings,
        progress: &'a Progress,
        gathering: &'a Gathering,
        (state, hosts): (&'a SharedState, HostBudget),
    ) -> Self {
        Self {
            catalog,
            columns: catalog.columns(),
            progress,
            gathering,
            counter: Counter::new(settings, state, hosts),
            numbers: Numbers::default(),
            clients: Numbers::default(),
            names: PassiveDns::default(),
            rows: 0,
            unknown: 0,
            with_unknown: BTreeSet::new(),
        }
    }

    /// Reads a row group into the sums.
    pub(super) fn read(&mut self, file: &StoredFile, row_group: usize) -> Result<(), Error> {
        let columns: &[&str] = match file.file().table {
            Table::Flows => &self.columns.clone(),
            Table::Dns => &DNS_COLUMNS,
            Table::Coverage => &[
                SOURCE_ID,
                "account_id",
                "interface_id",
                "tgw_attachment_id",
                "start",
                "end",
                "status",
            ],
            Table::Rejects => &[SOURCE_ID, "reason"],
            Table::Profiles | Table::Hours | Table::Sources => return Ok(()),
        };
        if self.catalog.follows() && !self.holds_more(file, row_group)? {
            return Ok(());
        }
        let unknown = self.unknown;
        for batch in file.read(row_group, columns, ROWS_AT_ONCE)? {
            let batch = batch?;
            let strange = || file.damaged("its rows are not those of its table");
            match file.file().table {
                Table::Flows => self.count(&batch, file)?,
                Table::Dns => self.feed(&batch, file).ok_or_else(strange)?,
                Table::Coverage => self.cover(&batch).ok_or_else(strange)?,
                Table::Rejects => self.reject(&batch).ok_or_else(strange)?,
                Table::Profiles | Table::Hours | Table::Sources => {}
            }
        }
        if self.unknown > unknown {
            self.with_unknown.insert(name_of(file.file()));
        }
        let stored = file.stored_bytes(row_group);
        self.progress
            .stored_bytes
            .fetch_add(stored, Ordering::Relaxed);
        Ok(())
    }

    /// Whether a row group holds more than what was read before: what a compaction wrote does not.
    fn holds_more(&self, file: &StoredFile, row_group: usize) -> Result<bool, Error> {
        for batch in file.read(row_group, &[SOURCE_ID], ROWS_AT_ONCE)? {
            let batch = batch?;
            let owners = Owners::of(&batch, self.catalog)
                .ok_or_else(|| file.damaged("its rows are not those of a source"))?;
            let is_more = |(_, owner)| !matches!(owner, Owner::Unwanted);
            if owners.iter().any(is_more) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What this worker leaves behind.
    pub(super) fn finish(mut self) -> Done {
        self.counter.tell_hosts();
        Done {
            tally: self.counter.tally,
            names: self.names,
            rows: self.rows,
            unknown: self.unknown,
            with_unknown: self.with_unknown,
        }
    }

    fn count(&mut self, batch: &RecordBatch, file: &StoredFile) -> Result<(), Error> {
        let strange = || file.damaged("its rows are not those of a source");
        let parts = Parts::of(batch, self.catalog).ok_or_else(strange)?;
        self.unknown += parts.unknown;
        let mut columns = FlowColumns::of(batch).map_err(|error| file.damaged(error))?;
        if let Some(order) = &parts.order {
            columns = columns
                .in_order(order)
                .map_err(|error| file.damaged(error))?;
        }
        for part in parts.parts {
            let source = &self.catalog.sources()[part.source as usize];
            let (_, layout) = source.layouts.get(part.layout).ok_or_else(strange)?;
            let rows = part.rows.len() as u64;
            self.rows += rows;
            self.progress.rows.fetch_add(rows, Ordering::Relaxed);
            let records = columns.records(layout, part.rows);
            let records = records.map_err(|error| file.damaged(error))?;
            self.counter
                .count(&records, &source.origin, source.open_from);
            let counted = self.counter.take();
            self.counter.tally.span(counted.span);
            if let Some(flow_log) = &source.origin.flow_log {
                self.counter.tally.flow_logs.add(flow_log, &counted.kinds);
            }
            self.gathering
                .add(part.source, counted, &self.counter, &mut self.numbers);
        }
        Ok(())
    }

    fn cover(&mut self, batch: &RecordBatch) -> Option<()> {
        let texts = |name| texts(batch, name);
        let [accounts, interfaces, attachments, statuses] =
            ["account_id", "interface_id", "tgw_attachment_id", "status"].map(texts);
        let (accounts, interfaces) = (accounts?, interfaces?);
        let (attachments, statuses) = (attachments?, statuses?);
        let (starts, ends) = (times(batch, "start")?, times(batch, "end")?);
        let owners = Owners::of(batch, self.catalog)?;
        for (row, (_, owner)) in owners.iter().enumerate() {
            let Some(source) = self.wanted(owner) else {
                continue;
            };
            let text = |of| text_at(of, row).map(str::to_owned);
            let told = CoverageRow {
                account_id: text(accounts),
                interface_id: text(interfaces),
                tgw_attachment_id: text(attachments),
                start: time_at(starts, row),
                end: time_at(ends, row),
                status: match text_at(statuses, row)? {
                    "NODATA" => CoverageStatus::NoData,
                    "SKIPDATA" => CoverageStatus::SkipData,
                    _ => return None,
                },
            };
            let origin = &self.catalog.sources()[source as usize].origin;
            self.counter.cover(&told, origin);
        }
        Some(())
    }

    fn feed(&mut self, batch: &RecordBatch, file: &StoredFile) -> Option<()> {
        let (vpcs, asked) = (texts(batch, VPC_ID)?, texts(batch, QUERY_NAME)?);
        let times = times(batch, QUERY_TIMESTAMP)?;
        let answers = batch.column_by_name(ANSWERS)?.as_list_opt::<i32>()?;
        let owners = Owners::of(batch, self.catalog)?;
        let queries = asked::Rows::of(batch)?;
        let region = file.file().partition.region.as_deref();
        let catalog = self.catalog;
        let mut by_source: BTreeMap<u32, AskedRows> = BTreeMap::new();
        let mut addrs = Vec::new();
        for (row, (_, owner)) in owners.iter().enumerate() {
            let Some(source) = self.wanted(owner) else {
                continue;
            };
            let origin = &catalog.sources()[source as usize].origin;
            let query = queries.at(row, origin, region)?;
            if let Some(client) = self.counter.ask(&query) {
                by_source.entry(source).or_default().add(client, query.at);
            }
            let Some(vpc_id) = text_at(vpcs, row).filter(|_| answers.is_valid(row)) else {
                continue;
            };
            names::addresses(answers, row, &mut addrs)?;
            self.names.feed(&DnsAnswer {
                vpc_id,
                at: time_at(times, row)?,
                name: text_at(asked, row)?,
                addrs: &addrs,
            });
        }
        for (source, asked) in by_source {
            self.gathering
                .add_asked(source, asked, &self.counter, &mut self.clients);
        }
        self.progress
            .rows
            .fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        Some(())
    }

    fn reject(&mut self, batch: &RecordBatch) -> Option<()> {
        let reasons = texts(batch, "reason")?;
        let owners = Owners::of(batch, self.catalog)?;
        for (row, (_, owner)) in owners.iter().enumerate() {
            if self.wanted(owner).is_some() {
                self.counter.tally.add_stored_reject(text_at(reasons, row)?);
            }
        }
        Some(())
    }

    /// The number of a row's source, if it is wanted.
    fn wanted(&mut self, owner: Owner) -> Option<u32> {
        match owner {
            Owner::Wanted(source) => Some(source),
            Owner::Unwanted => None,
            Owner::Unknown => {
                self.unknown += 1;
                None
            }
        }
    }
}

const VPC_ID: &str = DnsField::VpcId.column();
const QUERY_TIMESTAMP: &str = DnsField::QueryTimestamp.column();
const QUERY_NAME: &str = DnsField::QueryName.column();
const ANSWERS: &str = DnsField::Answers.column();

/// The columns of queries that are read.
const DNS_COLUMNS: [&str; 1 + asked::COLUMNS.len()] = {
    let mut columns = [SOURCE_ID; 1 + asked::COLUMNS.len()];
    let mut at = 0;
    while at < asked::COLUMNS.len() {
        columns[at + 1] = asked::COLUMNS[at].column();
        at += 1;
    }
    columns
};

type Texts<'b> = TypedDictionaryArray<'b, Int32Type, StringArray>;
type Times = PrimitiveArray<TimestampMicrosecondType>;

fn texts<'b>(batch: &'b RecordBatch, name: &str) -> Option<Texts<'b>> {
    let column = batch.column_by_name(name)?;
    column.as_dictionary_opt::<Int32Type>()?.downcast_dict()
}

fn text_at<'b>(of: Texts<'b>, row: usize) -> Option<&'b str> {
    of.is_valid(row).then(|| of.value(row))
}

fn times<'b>(batch: &'b RecordBatch, name: &str) -> Option<&'b Times> {
    batch.column_by_name(name)?.as_primitive_opt()
}

/// A time to the second.
fn time_at(of: &Times, row: usize) -> Option<Timestamp> {
    of.is_valid(row)
        .then(|| Timestamp(of.value(row).div_euclid(MICROS)))
}
