//! One worker: it reads objects, one after the other, and keeps what they add up to.

use std::sync::atomic::{AtomicU64, Ordering};

use outflow_detect::{Folder, SharedState, open_from};
use outflow_enrich::{
    EnrichedBatch, Enricher, Flow, HostBudget, InterfaceKey, Origin, PassiveDns, PointKey,
};
use outflow_finding::RowCounts;
use outflow_record::{CoverageRow, Decoded, Field, Reject, RejectReason};

use super::evidence::{ENTRIES_MAX, SourceRows};
use super::measures::{Measures, Uncountable};
use super::names;
use super::tally::Tally;
use super::{Progress, Settings, decoding};
use crate::s3::Fetched;
use crate::s3_name::S3Name;
use crate::{Batch, Object, Problem, Reader};

/// What a worker has read so far.
pub(super) struct Worker<'a> {
    settings: &'a Settings,
    progress: &'a Progress,
    /// Counts of evidence that all workers keep.
    entries: &'a AtomicU64,
    reader: Reader,
    enricher: Enricher,
    folder: Folder<'a>,
    tally: Tally,
    sources: Vec<SourceRows>,
    problems: Vec<Problem>,
    without_values: Vec<Problem>,
    within: Vec<Flow>,
    /// Rows of the object under way, by interface.
    rows: Vec<u32>,
    span: Option<(i64, i64)>,
    measures: Measures,
    understood: Understood,
    names: PassiveDns,
    /// Rows of the object under way, by what can be learnt from them.
    kinds: RowCounts,
    /// Records of the object under way that start before this came late, as far as its name tells.
    open_from: i64,
}

/// Whether anything of an object was a record.
#[derive(Debug, Default)]
struct Understood {
    records: u64,
    rejects: u64,
    first: Option<RejectReason>,
}

impl Understood {
    fn add(&mut self, records: usize, rejects: &[Reject]) {
        self.records += records as u64;
        self.rejects += rejects.len() as u64;
        self.first = self.first.or(rejects.first().map(|reject| reject.reason));
    }

    /// What is wrong with an object that holds rejects alone.
    fn nothing(&self, object: &Object) -> Option<Problem> {
        let reason = self.first.filter(|_| self.records == 0)?;
        Some(Problem::not_understood(object, self.rejects, reason))
    }
}

/// What a worker leaves behind.
pub(super) struct Done {
    pub(super) tally: Tally,
    pub(super) names: PassiveDns,
    pub(super) sources: Vec<SourceRows>,
    pub(super) interfaces: Vec<InterfaceKey>,
    pub(super) problems: Vec<Problem>,
    /// What is wrong with objects of which no row has values, if no object of the run has.
    pub(super) without_values: Vec<Problem>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        progress: &'a Progress,
        entries: &'a AtomicU64,
        state: &'a SharedState,
        hosts: HostBudget,
    ) -> Self {
        Self {
            settings,
            progress,
            entries,
            reader: Reader::new(),
            enricher: Enricher::sharing(settings.networks.clone(), hosts),
            folder: state.folder(),
            tally: Tally::default(),
            sources: Vec::new(),
            problems: Vec::new(),
            without_values: Vec::new(),
            within: Vec::new(),
            rows: Vec::new(),
            span: None,
            measures: Measures::default(),
            understood: Understood::default(),
            names: PassiveDns::default(),
            kinds: RowCounts::default(),
            open_from: i64::MIN,
        }
    }

    /// Reads an object into the sums. Whatever is wrong with it becomes a problem.
    pub(super) fn read(&mut self, object: &Object, fetched: Option<Fetched>) {
        let problems = self.problems.len();
        let delivery = S3Name::delivery(&object.uri);
        self.open_from = delivery.map_or(i64::MIN, |(_, at)| open_from(at));
        let origin = Origin {
            account_id: object.account_id.clone(),
            region: object.region.clone(),
            flow_log: delivery.map(|(flow_log, _)| flow_log.to_owned()),
        };
        let sha256 = self.decode(object, &origin, fetched);
        match std::mem::take(&mut self.measures).uncountable(object) {
            Some(Uncountable::Certain(problem)) => self.problems.push(problem),
            Some(Uncountable::IfAlone(problem)) if self.problems.len() == problems => {
                self.without_values.push(problem);
            }
            Some(Uncountable::IfAlone(_)) | None => {}
        }
        let understood = std::mem::take(&mut self.understood);
        if self.problems.len() == problems {
            self.problems.extend(understood.nothing(object));
        }
        let kinds = std::mem::take(&mut self.kinds);
        if let Some((flow_log, _)) = delivery {
            self.tally.flow_logs.add(flow_log, &kinds);
        }
        self.tally.objects += 1;
        self.tally.damaged += u64::from(self.problems.len() > problems);
        self.progress.objects.fetch_add(1, Ordering::Relaxed);
        self.keep(object, sha256);
    }

    /// Decodes and counts an object; its digest, unless it was not read to its end.
    fn decode(
        &mut self,
        object: &Object,
        origin: &Origin,
        fetched: Option<Fetched>,
    ) -> Option<String> {
        let mut reader = std::mem::take(&mut self.reader);
        let (settings, progress) = (self.settings, self.progress);
        let format = settings.format.as_ref();
        let source = (object, fetched);
        let sink = &mut |batch: &Batch| self.take(batch, origin);
        let done = decoding::decode(&mut reader, source, format, progress, sink);
        self.reader = reader;
        self.problems.extend(done.problem);
        self.tally.unread_columns(&done.columns_not_read);
        self.tally.control_messages += done.control_messages;
        done.sha256
    }

    /// What this worker leaves behind.
    pub(super) fn finish(mut self) -> Done {
        self.tally.rows_beyond_hosts = self.enricher.points().rows_beyond();
        let known = self.enricher.points();
        let numbers = 0..u32::try_from(known.len()).unwrap_or(u32::MAX);
        let interface = |number| known.get(number).0.interface.clone();
        let interfaces = numbers.map(interface).collect();
        Done {
            interfaces,
            tally: self.tally,
            names: self.names,
            sources: self.sources,
            problems: self.problems,
            without_values: self.without_values,
        }
    }

    fn take(&mut self, batch: &Batch, origin: &Origin) {
        match batch {
            Batch::Flows(decoded) => self.count(decoded, origin),
            Batch::Queries(decoded) => {
                self.understood
                    .add(decoded.queries.num_rows(), &decoded.rejects);
                self.tally.add_queries(decoded);
                let rows = decoded.queries.num_rows() as u64;
                self.progress.rows.fetch_add(rows, Ordering::Relaxed);
                names::feed(&mut self.names, &decoded.queries);
            }
        }
    }

    fn count(&mut self, decoded: &Decoded, origin: &Origin) {
        self.tally.add(decoded);
        let records = decoded.flows.num_rows() + decoded.coverage.len();
        self.understood.add(records, &decoded.rejects);
        self.progress
            .rows
            .fetch_add(decoded.flows.num_rows() as u64, Ordering::Relaxed);
        for row in &decoded.coverage {
            let at = row.start.or(row.end).map(outflow_record::Timestamp::secs);
            if at.is_some_and(|at| is_within(self.settings, at)) {
                self.folder.fold_coverage(&key_of(row, origin), row);
            }
        }
        let batch = self.enricher.enrich(&decoded.flows, origin);
        self.tally.unmeasured += batch.unmeasured;
        let lacking = &mut self.tally.unmeasured_bytes;
        *lacking = lacking.saturating_add(batch.unmeasured_bytes);
        self.kinds.unmeasured += batch.unmeasured;
        self.measures.add(&decoded.flows, batch.unmeasured);
        if !decoded.flows.has(Field::Packets) {
            self.tally.without_packets += batch.flows.len() as u64;
        }
        let mut flows = batch.flows;
        if self.settings.since.is_some() || self.settings.until.is_some() {
            let settings = self.settings;
            self.within.clear();
            for flow in flows {
                if is_within(settings, flow.start) {
                    self.within.push(*flow);
                } else {
                    self.tally.outside += 1;
                    let outside = &mut self.tally.outside_bytes;
                    *outside = outside.saturating_add(flow.bytes);
                }
            }
            flows = &self.within;
        }
        for flow in flows {
            let at = flow.interface as usize;
            if self.rows.len() <= at {
                self.rows.resize(at + 1, 0);
            }
            self.rows[at] += 1;
            self.kinds.accepted += u64::from(flow.accepted);
            self.kinds.rejected += u64::from(!flow.accepted);
            let (first, last) = self.span.unwrap_or((flow.start, flow.end));
            self.span = Some((first.min(flow.start), last.max(flow.end)));
        }
        self.folder
            .fold(&EnrichedBatch { flows, ..batch }, self.open_from);
    }

    /// Keeps whose rows the object held.
    fn keep(&mut self, object: &Object, sha256: Option<String>) {
        let counts = self.rows.iter().enumerate().filter(|(_, rows)| **rows > 0);
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let mut rows: Vec<(u32, u32)> = counts.map(|(at, rows)| (number(at), *rows)).collect();
        self.rows.clear();
        let total = rows.iter().map(|(_, rows)| u64::from(*rows)).sum();
        let span = self.span.take();
        self.tally.span(span);
        tracing::debug!(object = object.uri, rows = total, "read");
        let before = self.entries.fetch_add(rows.len() as u64, Ordering::Relaxed);
        if before + rows.len() as u64 > ENTRIES_MAX {
            rows.clear();
        }
        rows.shrink_to_fit();
        self.sources.push(SourceRows {
            uri: object.uri.as_str().into(),
            sha256: sha256.map(Into::into),
            span,
            total,
            rows,
        });
    }
}

fn is_within(settings: &Settings, at: i64) -> bool {
    settings.since.is_none_or(|since| at >= since.secs())
        && settings.until.is_none_or(|until| at < until.secs())
}

fn key_of(row: &CoverageRow, origin: &Origin) -> PointKey {
    let account = row.account_id.as_ref().or(origin.account_id.as_ref());
    let interface = InterfaceKey {
        account_id: account.cloned().unwrap_or_default(),
        interface_id: row
            .interface_id
            .as_ref()
            .or(row.tgw_attachment_id.as_ref())
            .cloned()
            .unwrap_or_default(),
    };
    PointKey::own(interface, origin.flow_log.clone().unwrap_or_default())
}
