//! What a worker keeps of records, whoever read them.

use outflow_detect::{Folder, Query, QueryNumber, SharedState};
use outflow_enrich::{EnrichedBatch, Enricher, Flow, HostBudget, InterfaceKey, Origin, PointKey};
use outflow_finding::RowCounts;
use outflow_record::{CoverageRow, Field, FlowBatch, Timestamp};

use super::Settings;
use super::measures::Measures;
use super::tally::Tally;

/// Counts records into the sums that all workers share.
pub(super) struct Counter<'a> {
    settings: &'a Settings,
    enricher: Enricher,
    folder: Folder<'a>,
    pub(super) tally: Tally,
    within: Vec<Flow>,
    /// Rows since the last [`Counter::take`], by interface; zero but for those in `met`.
    rows: Vec<u32>,
    met: Vec<u32>,
    span: Option<(i64, i64)>,
    measures: Measures,
    kinds: RowCounts,
}

/// What some rows of one object came to.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Rows, by the counter's number of the interface, ascending.
    pub(super) rows: Vec<(u32, u32)>,
    /// Start of the earliest and end of the latest row.
    pub(super) span: Option<(i64, i64)>,
    /// Whether they can be counted at all.
    pub(super) measures: Measures,
    /// Rows by what can be learnt from them.
    pub(super) kinds: RowCounts,
}

impl<'a> Counter<'a> {
    pub(super) fn new(settings: &'a Settings, state: &'a SharedState, hosts: HostBudget) -> Self {
        Self {
            settings,
            enricher: Enricher::sharing(settings.networks.clone(), hosts),
            folder: state.folder(),
            tally: Tally::default(),
            within: Vec::new(),
            rows: Vec::new(),
            met: Vec::new(),
            span: None,
            measures: Measures::default(),
            kinds: RowCounts::default(),
        }
    }

    /// Counts a record that tells of a window without flows.
    pub(super) fn cover(&mut self, row: &CoverageRow, origin: &Origin) {
        let at = row.start.or(row.end).map(Timestamp::secs);
        if at.is_some_and(|at| is_within(self.settings, at)) {
            self.folder.fold_coverage(&key_of(row, origin), row);
        }
    }

    /// Meters a query; the number of its client, unless it is outside the time that was asked for, or its name does not
    /// leave.
    pub(super) fn ask(&mut self, query: &Query<'_>) -> Option<QueryNumber> {
        if !is_within(self.settings, query.at.secs()) {
            return None;
        }
        self.folder.fold_query(query)
    }

    /// The keys of clients, by the numbers that [`Counter::ask`] gave them.
    pub(super) fn clients(&self) -> &[InterfaceKey] {
        self.folder.clients()
    }

    /// Counts records of one object. Those that start before `open_from` came late.
    pub(super) fn count(&mut self, records: &FlowBatch, origin: &Origin, open_from: i64) {
        let batch = self.enricher.enrich(records, origin);
        self.tally.unmeasured += batch.unmeasured;
        let lacking = &mut self.tally.unmeasured_bytes;
        *lacking = lacking.saturating_add(batch.unmeasured_bytes);
        self.kinds.unmeasured += batch.unmeasured;
        self.measures.add(records, batch.unmeasured);
        if !records.has(Field::Packets) {
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
            if self.rows[at] == 0 {
                self.met.push(flow.interface);
            }
            self.rows[at] += 1;
            self.kinds.accepted += u64::from(flow.accepted);
            self.kinds.rejected += u64::from(!flow.accepted);
            let (first, last) = self.span.unwrap_or((flow.start, flow.end));
            self.span = Some((first.min(flow.start), last.max(flow.end)));
        }
        self.folder
            .fold(&EnrichedBatch { flows, ..batch }, open_from);
    }

    /// What was counted since the last time.
    pub(super) fn take(&mut self) -> Counted {
        self.met.sort_unstable();
        let mut rows = Vec::with_capacity(self.met.len());
        for number in self.met.drain(..) {
            rows.push((number, std::mem::take(&mut self.rows[number as usize])));
        }
        Counted {
            rows,
            span: self.span.take(),
            measures: std::mem::take(&mut self.measures),
            kinds: std::mem::take(&mut self.kinds),
        }
    }

    /// Notes in the tally how many rows are of more hosts than are told apart.
    pub(super) fn tell_hosts(&mut self) {
        self.tally.rows_beyond_hosts = self.enricher.points().rows_beyond();
    }

    /// The interface of a number.
    pub(super) fn interface(&self, number: u32) -> &InterfaceKey {
        &self.enricher.points().get(number).0.interface
    }

    /// The interfaces of all numbers.
    pub(super) fn interfaces(&self) -> Vec<InterfaceKey> {
        let numbers = 0..u32::try_from(self.enricher.points().len()).unwrap_or(u32::MAX);
        numbers
            .map(|number| self.interface(number).clone())
            .collect()
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
