//! One worker: it reads objects, one after the other, into files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_array::types::{Int32Type, TimestampSecondType};
use arrow_array::{Array as _, DictionaryArray, PrimitiveArray, RecordBatch};
use outflow_enrich::{DestinationGroups, EnrichedBatch, Enricher, Origin, Via};
use outflow_lake::{DataFile, EncodeError, Error, Partition, Seen, SourceId, Table};
use outflow_record::{
    Decoded, DnsDecoded, DnsField, Field, FlowBatch, LogKind, Reject, RejectReason,
};

use super::IngestSettings;
use super::files::Files;
use super::handing::Handing;
use super::identity::Identity;
use super::known::Names;
use super::rows;
use super::sources::SourceRow;
use crate::pipeline::decoding::{Decoding, ObjectDecoder};
use crate::pipeline::tally::{Tally, bytes_of};
use crate::s3::Fetched;
use crate::s3_name::S3Name;
use crate::{Batch, Context, Object, Problem, Progress, Reader};

const DAY_SECS: i64 = 86_400;

/// What workers leave behind.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) tally: Tally,
    pub(super) files: Vec<DataFile>,
    pub(super) sources: Vec<SourceRow>,
    pub(super) problems: Vec<Problem>,
    /// Objects that broke off while they were read, or of which nothing was understood: what the files hold of them is
    /// not to stay.
    pub(super) cut_off: BTreeMap<SourceId, Problem>,
    /// Names of objects of which nothing was read.
    pub(super) left: BTreeSet<String>,
}

impl Loaded {
    pub(super) fn merge(&mut self, other: Self) {
        self.tally.merge(&other.tally);
        self.files.extend(other.files);
        self.sources.extend(other.sources);
        self.problems.extend(other.problems);
        self.cut_off.extend(other.cut_off);
        self.left.extend(other.left);
    }
}

/// Where rows go.
pub(super) enum Sink<'a> {
    /// Into files of a lake.
    Files(Files<'a>),
    /// To who asks for them, as they are.
    Handing(Handing<'a>),
}

impl Sink<'_> {
    fn append_flows(
        &mut self,
        partition: &Partition,
        seen: &Seen<'_>,
        rows: &[u32],
    ) -> Result<(), Error> {
        match self {
            Self::Files(files) => files.append_flows(partition, seen, rows),
            Self::Handing(handing) => handing.append_flows(partition, seen, rows),
        }
    }

    fn append(
        &mut self,
        table: Table,
        partition: &Partition,
        rows: RecordBatch,
    ) -> Result<(), Error> {
        match self {
            Self::Files(files) => files.append(table, partition, rows),
            Self::Handing(handing) => handing.append(table, partition, &rows),
        }
    }

    fn write_all_flows(&mut self) -> Result<(), Error> {
        match self {
            Self::Files(files) => files.write_all_flows(),
            // Nothing is held.
            Self::Handing(_) => Ok(()),
        }
    }
}

/// A worker.
pub(super) struct Loader<'a> {
    settings: &'a IngestSettings,
    destinations: &'a Arc<DestinationGroups>,
    progress: &'a Progress,
    decoder: ObjectDecoder,
    enricher: Enricher,
    names: Names,
    sink: Sink<'a>,
    done: Loaded,
    by_row: ByRow,
}

/// What is known of each row of a batch.
#[derive(Default)]
struct ByRow {
    /// The first start and the last end of all.
    span: Option<(i64, i64)>,
    vias: Vec<Via>,
    remote_of: Vec<u32>,
    workload_of: Vec<u32>,
}

/// The object under way.
struct Current<'o> {
    origin: &'o Origin,
    row: SourceRow,
    /// Where rows without a time of their own lie.
    delivered: Partition,
    first_reject: Option<RejectReason>,
    error: Option<Error>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(
        settings: &'a IngestSettings,
        sink: Sink<'a>,
        progress: &'a Progress,
        destinations: &'a Arc<DestinationGroups>,
    ) -> Self {
        // Rows that are handed on say nothing of digests, which the journal of a lake has.
        let reader = match &sink {
            Sink::Files(_) => Reader::new(),
            Sink::Handing(_) => Reader::undigested(),
        };
        Self {
            settings,
            destinations,
            progress,
            decoder: ObjectDecoder::new(reader),
            enricher: Enricher::new(settings.networks.clone()),
            names: Names::new(&settings.context, destinations),
            sink,
            done: Loaded::default(),
            by_row: ByRow::default(),
        }
    }

    /// Reads an object into files. Whatever is wrong with it becomes a problem.
    pub(super) fn read(
        &mut self,
        object: &Object,
        identity: &Identity,
        fetched: Option<Fetched>,
    ) -> Result<(), Error> {
        let delivery = S3Name::delivery(&object.uri);
        let origin = Origin {
            account_id: object.account_id.clone(),
            region: object.region.clone(),
            flow_log: delivery.map(|(flow_log, _)| flow_log.to_owned()),
        };
        let delivered_at = delivery.map(|(_, at)| at.secs());
        let mut current = Current {
            row: SourceRow {
                source_id: identity.source_id.to_string(),
                name_id: identity.name_id.to_string(),
                uri: identity.uri.clone(),
                given_uri: object.uri.clone(),
                version: identity.version.clone(),
                size: object.size,
                account_id: object.account_id.clone(),
                flow_log_id: origin.flow_log.clone(),
                ..SourceRow::default()
            },
            delivered: Partition::new(delivered_at, object.region.as_deref()),
            origin: &origin,
            first_reject: None,
            error: None,
        };
        let mut decoder = std::mem::take(&mut self.decoder);
        let (settings, progress) = (self.settings, self.progress);
        let sink = &mut |batch: &Batch| {
            if current.error.is_none()
                && let Err(error) = self.take(batch, &mut current)
            {
                current.error = Some(error);
            }
        };
        let source = (object, fetched);
        let done = decoder.decode(source, settings.format.as_ref(), progress, sink);
        self.decoder = decoder;
        self.progress.objects.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(
            object = object.uri,
            rows = current.row.rows + current.row.queries,
            "read"
        );
        if let Some(error) = current.error {
            return Err(error);
        }
        self.keep((object, identity.source_id), current, done);
        Ok(())
    }

    /// Whether who asks for rows wants no more of them.
    pub(super) fn is_enough(&self) -> bool {
        matches!(&self.sink, Sink::Handing(handing) if handing.wanted().is_break())
    }

    /// Enters an object into the books.
    fn keep(
        &mut self,
        (object, source_id): (&Object, SourceId),
        current: Current<'_>,
        done: Decoding,
    ) {
        let mut row = current.row;
        let is_empty = row.lines == 0 && row.rows == 0 && row.queries == 0;
        self.done.tally.objects += 1;
        self.done.tally.damaged += u64::from(done.problem.is_some());
        self.done.tally.unread_columns(&done.columns_not_read);
        self.done.tally.control_messages += done.control_messages;
        self.done.tally.span(row.span);
        let is_nothing = row.rows == 0 && row.queries == 0 && row.coverage_rows == 0;
        let not_understood = current.first_reject.filter(|_| is_nothing);
        let not_understood =
            not_understood.map(|reason| Problem::not_understood(object, row.rejects, reason));
        // Its format may be said in another run.
        let is_for_later = done.is_cut_off || not_understood.is_some();
        match (done.problem.or(not_understood), is_for_later) {
            (Some(problem), true) if !is_empty => {
                self.done.cut_off.insert(source_id, problem);
                return;
            }
            // Another run may read it, or know its format.
            (Some(problem), _) if is_empty => {
                self.done.left.insert(problem.uri.clone());
                self.done.problems.push(problem);
                return;
            }
            (problem, _) => {
                row.problem = problem.as_ref().map(|problem| problem.reason.clone());
                self.done.problems.extend(problem);
            }
        }
        row.sha256 = done.sha256;
        row.control_messages = done.control_messages;
        row.partition = match row.span {
            Some((first, _)) if current.delivered.day.is_none() => Partition {
                day: Partition::new(Some(first), None).day,
                ..current.delivered
            },
            _ => current.delivered,
        };
        self.done.sources.push(row);
    }

    /// What this worker leaves behind, and why some of it could not be stored.
    pub(super) fn finish(mut self) -> (Loaded, Option<Error>) {
        let error = match self.sink {
            Sink::Files(files) => {
                let (files, error) = files.finish();
                self.done.files = files;
                error
            }
            Sink::Handing(_) => None,
        };
        (self.done, error)
    }

    fn take(&mut self, batch: &Batch, current: &mut Current<'_>) -> Result<(), Error> {
        match batch {
            Batch::Flows(decoded) => self.take_flows(decoded, current),
            Batch::Queries(decoded) => self.take_queries(decoded, current),
        }
    }

    fn take_flows(&mut self, decoded: &Decoded, current: &mut Current<'_>) -> Result<(), Error> {
        self.done.tally.add(decoded);
        let rows = decoded.flows.num_rows() as u64;
        self.progress.rows.fetch_add(rows, Ordering::Relaxed);
        self.take_coverage(decoded, current)?;
        self.take_rejects(&decoded.rejects, current)?;
        if self.names.is_full() {
            self.sink.write_all_flows()?;
            self.names = Names::new(&self.settings.context, self.destinations);
        }
        let batch = self.enricher.enrich(&decoded.flows, current.origin);
        self.done.tally.unmeasured += batch.unmeasured;
        let names = (&mut self.names, &*self.settings.context);
        self.by_row.look_at(&decoded.flows, &batch, names);
        if let Some((start, end)) = self.by_row.span {
            let (first, last) = current.row.span.unwrap_or((start, end));
            current.row.span = Some((first.min(start), last.max(end)));
        }
        let seen = Seen {
            records: &decoded.flows,
            flows: batch.flows,
            unmeasured_rows: batch.unmeasured_rows,
            vias: &self.by_row.vias,
            remote_of: &self.by_row.remote_of,
            remotes: &self.names.remotes,
            workload_of: &self.by_row.workload_of,
            workloads: &self.names.workloads,
            source_id: &current.row.source_id,
            first_row: i64::try_from(current.row.rows).unwrap_or(i64::MAX),
            flow_log_id: current.row.flow_log_id.as_deref(),
        };
        for (partition, rows) in partitions(&decoded.flows, &current.delivered) {
            self.sink.append_flows(&partition, &seen, &rows)?;
        }
        let row = &mut current.row;
        if rows > 0 {
            row.note_fields(&decoded.flows);
        }
        row.lines += decoded.lines;
        row.header_lines += decoded.header_lines;
        row.blank_lines += decoded.blank_lines;
        row.rows += rows;
        row.coverage_rows += decoded.coverage.len() as u64;
        row.bytes = row.bytes.saturating_add(bytes_of(&decoded.flows));
        if rows > 0 {
            row.format = Some(match decoded.flows.kind() {
                LogKind::Vpc => "vpc-flow-logs",
                LogKind::TransitGateway => "transit-gateway-flow-logs",
            });
        }
        Ok(())
    }

    fn take_rejects(&mut self, of: &[Reject], current: &mut Current<'_>) -> Result<(), Error> {
        let first = of.first().map(|reject| reject.reason);
        current.first_reject = current.first_reject.or(first);
        current.row.rejects += of.len() as u64;
        let rows = rows::rejects(of, &current.row.source_id).map_err(EncodeError::from)?;
        self.sink.append(Table::Rejects, &current.delivered, rows)
    }

    fn take_coverage(&mut self, decoded: &Decoded, current: &Current<'_>) -> Result<(), Error> {
        let mut by_partition: BTreeMap<Partition, Vec<_>> = BTreeMap::new();
        for row in &decoded.coverage {
            let at = row.start.or(row.end).map(outflow_record::Timestamp::secs);
            let partition = Partition::new(at, current.origin.region.as_deref());
            by_partition.entry(partition).or_default().push(row);
        }
        for (partition, rows) in by_partition {
            let (source, flow_log) = (&current.row.source_id, current.row.flow_log_id.as_deref());
            let rows = rows::coverage(&rows, source, flow_log).map_err(EncodeError::from)?;
            self.sink.append(Table::Coverage, &partition, rows)?;
        }
        Ok(())
    }

    fn take_queries(
        &mut self,
        decoded: &DnsDecoded,
        current: &mut Current<'_>,
    ) -> Result<(), Error> {
        self.done.tally.add_queries(decoded);
        let queries = &decoded.queries;
        let count = queries.num_rows() as u64;
        self.progress.rows.fetch_add(count, Ordering::Relaxed);
        self.take_rejects(&decoded.rejects, current)?;
        let first_row = i64::try_from(current.row.queries).unwrap_or(i64::MAX);
        let rows =
            rows::dns(queries, &current.row.source_id, first_row).map_err(EncodeError::from)?;
        let mut by_partition: BTreeMap<Partition, Vec<u32>> = BTreeMap::new();
        let regions = queries
            .texts(DnsField::Region)
            .and_then(|of| of.downcast_dict());
        let regions: Option<arrow_array::TypedDictionaryArray<'_, _, arrow_array::StringArray>> =
            regions;
        for (row, micros) in (0..).zip(queries.query_timestamps().values()) {
            let at = micros.div_euclid(1_000_000);
            let (first, last) = current.row.span.unwrap_or((at, at));
            current.row.span = Some((first.min(at), last.max(at)));
            let region = regions.and_then(|of| text_at(of, row));
            let region = region.or(current.origin.region.as_deref());
            let partition = Partition::new(Some(at), region);
            by_partition.entry(partition).or_default().push(row);
        }
        for (partition, some) in by_partition {
            let of = if some.len() == rows.num_rows() {
                rows.clone()
            } else {
                let some = arrow_array::UInt32Array::from(some);
                arrow_select::take::take_record_batch(&rows, &some).map_err(EncodeError::from)?
            };
            self.sink.append(Table::Dns, &partition, of)?;
        }
        let row = &mut current.row;
        row.lines += decoded.lines;
        row.blank_lines += decoded.blank_lines;
        row.queries += count;
        if count > 0 {
            row.format = Some("resolver-query-logs");
        }
        Ok(())
    }
}

impl ByRow {
    /// Notes what is known of each row, and of all.
    fn look_at(
        &mut self,
        records: &FlowBatch,
        batch: &EnrichedBatch<'_>,
        (names, context): (&mut Names, &Context),
    ) {
        self.vias.clear();
        self.remote_of.clear();
        self.workload_of.clear();
        let mut unmeasured = batch.unmeasured_rows.iter().copied().peekable();
        let mut flows = batch.flows.iter();
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for row in 0..u32::try_from(records.num_rows()).unwrap_or(u32::MAX) {
            let is_unmeasured = unmeasured.next_if_eq(&row).is_some();
            let Some(flow) = (if is_unmeasured { None } else { flows.next() }) else {
                self.vias.push(Via::Own);
                self.remote_of.push(0);
                self.workload_of.push(0);
                continue;
            };
            (first, last) = (first.min(flow.start), last.max(flow.end));
            let via = if flow.point == flow.interface {
                Via::Own
            } else {
                batch.points.get(flow.point).0.via
            };
            self.vias.push(via);
            let remote = names.remote(flow.remote, flow.aws_service, context);
            self.remote_of.push(remote);
            let interface = &batch.points.get(flow.interface).0.interface;
            let workload = names.workload((flow.interface, interface), flow.start, context);
            self.workload_of.push(workload);
        }
        self.span = (!batch.flows.is_empty()).then_some((first, last));
    }
}

fn text_at(
    of: arrow_array::TypedDictionaryArray<'_, Int32Type, arrow_array::StringArray>,
    row: u32,
) -> Option<&str> {
    use arrow_array::ArrayAccessor as _;
    let row = row as usize;
    of.is_valid(row).then(|| of.value(row))
}

/// The rows of a batch, by where they lie.
fn partitions(records: &FlowBatch, delivered: &Partition) -> BTreeMap<Partition, Vec<u32>> {
    let starts = records.times(Field::Start).or(records.times(Field::End));
    let regions = records.texts(Field::Region);
    let names = regions.and_then(|of| of.downcast_dict::<arrow_array::StringArray>());
    let day = |row: usize| {
        let start = starts.filter(|of| of.is_valid(row));
        start.map(|of| of.value(row).div_euclid(DAY_SECS))
    };
    let region = |row: usize| {
        let region = regions.filter(|of| of.is_valid(row));
        region.map(|of| of.keys().value(row))
    };
    let mut by_key: BTreeMap<(Option<i64>, Option<i32>), Vec<u32>> = BTreeMap::new();
    let rows = u32::try_from(records.num_rows()).unwrap_or(u32::MAX);
    if rows > 0 && is_one_day(starts) && is_one_region(regions) {
        by_key.insert((day(0), region(0)), (0..rows).collect());
    } else {
        for row in 0..rows {
            let key = (day(row as usize), region(row as usize));
            by_key.entry(key).or_default().push(row);
        }
    }
    let mut by_partition: BTreeMap<Partition, Vec<u32>> = BTreeMap::new();
    for ((day, region), rows) in by_key {
        let first = rows.first().copied().unwrap_or_default();
        let region = region.and(names).and_then(|of| text_at(of, first));
        let region = region.or(delivered.region.as_deref());
        let partition = Partition::new(day.map(|day| day.saturating_mul(DAY_SECS)), region);
        by_partition.entry(partition).or_default().extend(rows);
    }
    by_partition
}

/// Whether all rows are of one day, as mostly, or none says of which.
fn is_one_day(starts: Option<&PrimitiveArray<TimestampSecondType>>) -> bool {
    let Some(starts) = starts.filter(|of| of.null_count() < of.len()) else {
        return true;
    };
    let day = |secs: Option<&i64>| secs.map(|secs| secs.div_euclid(DAY_SECS));
    let (first, last) = (starts.values().iter().min(), starts.values().iter().max());
    starts.null_count() == 0 && day(first) == day(last)
}

/// Whether all rows are of one region, or none says of which.
fn is_one_region(regions: Option<&DictionaryArray<Int32Type>>) -> bool {
    let Some(keys) = regions.map(DictionaryArray::keys) else {
        return true;
    };
    let mut pairs = keys.values().array_windows();
    keys.null_count() == keys.len() || (keys.null_count() == 0 && pairs.all(|[a, b]| a == b))
}
