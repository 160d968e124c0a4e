//! One worker: it reads objects, one after the other, and keeps what they add up to.

use std::sync::atomic::{AtomicU64, Ordering};

use outflow_detect::{QueryNumber, SharedState, open_from};
use outflow_enrich::{HostBudget, InterfaceKey, Origin, PassiveDns};
use outflow_record::{Decoded, DnsBatch, Reject, RejectReason};

use super::asked::{self, AskedRows};
use super::counter::{Counted, Counter};
use super::decoding::ObjectDecoder;
use super::evidence::{Counts, ENTRIES_MAX, SourceRows};
use super::measures::Uncountable;
use super::names;
use super::tally::Tally;
use super::{Progress, Settings};
use crate::s3::Fetched;
use crate::s3_name::S3Name;
use crate::{Batch, Object, Problem};

/// What a worker has read so far.
pub(super) struct Worker<'a> {
    settings: &'a Settings,
    progress: &'a Progress,
    /// Counts of evidence that all workers keep.
    entries: &'a AtomicU64,
    decoder: ObjectDecoder,
    counter: Counter<'a>,
    sources: Vec<SourceRows>,
    problems: Vec<Problem>,
    without_values: Vec<Problem>,
    understood: Understood,
    names: PassiveDns,
    /// Queries of the object under way.
    asked: AskedRows,
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
            decoder: ObjectDecoder::default(),
            counter: Counter::new(settings, state, hosts),
            sources: Vec::new(),
            problems: Vec::new(),
            without_values: Vec::new(),
            understood: Understood::default(),
            names: PassiveDns::default(),
            asked: AskedRows::default(),
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
        let counted = self.counter.take();
        match counted.measures.uncountable(object) {
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
        let tally = &mut self.counter.tally;
        tally.rejected_in(&object.uri, understood.rejects);
        if let Some((flow_log, _)) = delivery {
            tally.flow_logs.add(flow_log, &counted.kinds);
        }
        tally.objects += 1;
        tally.damaged += u64::from(self.problems.len() > problems);
        self.progress.objects.fetch_add(1, Ordering::Relaxed);
        self.keep(object, sha256, counted);
    }

    /// Decodes and counts an object; its digest, unless it was not read to its end.
    fn decode(
        &mut self,
        object: &Object,
        origin: &Origin,
        fetched: Option<Fetched>,
    ) -> Option<String> {
        let mut decoder = std::mem::take(&mut self.decoder);
        let (settings, progress) = (self.settings, self.progress);
        let format = settings.format.as_ref();
        let source = (object, fetched);
        let sink = &mut |batch: &Batch| self.take(batch, origin);
        let done = decoder.decode(source, format, progress, sink);
        self.decoder = decoder;
        self.problems.extend(done.problem);
        let tally = &mut self.counter.tally;
        tally.unread_columns(&done.columns_not_read);
        tally.control_messages += done.control_messages;
        done.sha256
    }

    /// What this worker leaves behind.
    pub(super) fn finish(mut self) -> Done {
        self.counter.tell_hosts();
        let mut interfaces = self.counter.interfaces();
        let first = u32::try_from(interfaces.len()).unwrap_or(u32::MAX);
        interfaces.extend_from_slice(self.counter.clients());
        let renumbered = |(number, rows)| {
            let behind = |client| first.saturating_add(client);
            (client(number).map_or(number, behind), rows)
        };
        for source in &mut self.sources {
            // Clients are numbered behind all others.
            if source.rows.last().and_then(client).is_some() {
                source.rows = Counts::from(source.rows.iter().map(renumbered).collect::<Vec<_>>());
            }
        }
        Done {
            interfaces,
            tally: self.counter.tally,
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
                self.counter.tally.add_queries(decoded);
                let rows = decoded.queries.num_rows() as u64;
                self.progress.rows.fetch_add(rows, Ordering::Relaxed);
                names::feed(&mut self.names, &decoded.queries);
                self.meter(&decoded.queries, origin);
            }
        }
    }

    fn meter(&mut self, queries: &DnsBatch, origin: &Origin) {
        let Some(rows) = asked::Rows::of(queries.record_batch()) else {
            return;
        };
        for row in 0..queries.num_rows() {
            let query = rows.at(row, origin, origin.region.as_deref());
            if let Some(query) = query
                && let Some(client) = self.counter.ask(&query)
            {
                self.asked.add(client, query.at);
            }
        }
    }

    fn count(&mut self, decoded: &Decoded, origin: &Origin) {
        self.counter.tally.add(decoded);
        let records = decoded.flows.num_rows() + decoded.coverage.len();
        self.understood.add(records, &decoded.rejects);
        let rows = decoded.flows.num_rows() as u64;
        self.progress.rows.fetch_add(rows, Ordering::Relaxed);
        for row in &decoded.coverage {
            self.counter.cover(row, origin);
        }
        self.counter.count(&decoded.flows, origin, self.open_from);
    }

    /// Keeps whose rows the object held.
    fn keep(&mut self, object: &Object, sha256: Option<String>, counted: Counted) {
        let Counted { mut rows, span, .. } = counted;
        self.counter.tally.span(span);
        let asked = std::mem::take(&mut self.asked);
        let clients = asked.rows.into_iter();
        rows.extend(clients.map(|(client, rows)| (number(client), rows)));
        let span = span.or(asked.span);
        let total = rows.iter().map(|(_, rows)| u64::from(*rows)).sum();
        tracing::debug!(object = object.uri, rows = total, "read");
        let before = self.entries.fetch_add(rows.len() as u64, Ordering::Relaxed);
        if before + rows.len() as u64 > ENTRIES_MAX {
            rows.clear();
        }
        self.sources.push(SourceRows {
            uri: object.uri.as_str().into(),
            sha256: sha256.map(Into::into),
            span,
            total,
            rows: rows.into(),
        });
    }
}

/// Clients are numbered behind all interfaces, of which more may come: until then, from the end.
fn number(client: QueryNumber) -> u32 {
    u32::MAX - client.0
}

/// The number of a client, if it is one of a client.
fn client(number: u32) -> Option<u32> {
    let client = u32::MAX - number;
    (client < number).then_some(client)
}
