//! The books of a worker.

use std::collections::BTreeMap;

use outflow_finding::Accounts;
use outflow_record::{Decoded, DnsDecoded, Field, FlowBatch, Reject, RejectReason, Timestamp};
use serde::{Deserialize, Serialize};

/// Names of columns that a worker remembers. Tables by others may have any number; the remark then names the first that
/// it met.
const COLUMNS_MAX: usize = 64;

use super::flow_logs::FlowLogs;
use crate::lake::sources::SourceRow;

/// Counts that add up.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) objects: u64,
    /// Objects with a problem.
    pub(crate) damaged: u64,
    /// Objects that were left out as copies.
    pub(crate) copies: u64,
    lines: u64,
    header_lines: u64,
    blank_lines: u64,
    pub(super) rows: u64,
    coverage_rows: u64,
    queries: u64,
    // Those of a lake are beside it, so that nothing is kept of it.
    #[serde(skip)]
    rejects: BTreeMap<RejectReason, u64>,
    /// Rejects that a lake holds, by the word that it has for the reason.
    stored_rejects: BTreeMap<String, u64>,
    /// Objects with rejects.
    rejecting: u64,
    /// The one with most, and how many; of several the first by name.
    worst: Option<(u64, String)>,
    bytes: u64,
    span: Option<(i64, i64)>,
    /// Rows that lack what counting needs.
    pub(crate) unmeasured: u64,
    /// Bytes of these.
    pub(super) unmeasured_bytes: u64,
    /// Rows that can be counted, of a format that does not tell how many packets they stand for.
    pub(crate) without_packets: u64,
    /// Rows of more hosts behind gateways than are told apart.
    pub(super) rows_beyond_hosts: u64,
    /// Messages by which CloudWatch Logs checks a destination.
    pub(crate) control_messages: u64,
    /// Columns that no flow log has, and the Parquet objects that have them.
    unread_columns: BTreeMap<String, u64>,
    /// Rows outside the span that was asked for.
    pub(crate) outside: u64,
    /// Bytes of these.
    pub(super) outside_bytes: u64,
    /// Rows by flow log.
    pub(super) flow_logs: FlowLogs,
}

impl Tally {
    pub(crate) fn add(&mut self, decoded: &Decoded) {
        self.lines += decoded.lines;
        self.header_lines += decoded.header_lines;
        self.blank_lines += decoded.blank_lines;
        self.rows += decoded.flows.num_rows() as u64;
        self.coverage_rows += decoded.coverage.len() as u64;
        self.add_rejects(&decoded.rejects);
        self.bytes = self.bytes.saturating_add(bytes_of(&decoded.flows));
    }

    /// Adds what a Resolver query log held.
    pub(crate) fn add_queries(&mut self, decoded: &DnsDecoded) {
        self.lines += decoded.lines;
        self.blank_lines += decoded.blank_lines;
        self.queries += decoded.queries.num_rows() as u64;
        self.add_rejects(&decoded.rejects);
    }

    fn add_rejects(&mut self, rejects: &[Reject]) {
        for reject in rejects {
            *self.rejects.entry(reject.reason).or_default() += 1;
        }
    }

    /// Adds an object that has so many rejects.
    pub(crate) fn rejected_in(&mut self, uri: &str, rejects: u64) {
        if rejects > 0 {
            self.rejecting += 1;
            self.worse(&(rejects, uri.to_owned()));
        }
    }

    fn worse(&mut self, other: &(u64, String)) {
        let is_worse = |(rejects, uri): &(u64, String)| {
            (other.0, std::cmp::Reverse(&other.1)) > (*rejects, std::cmp::Reverse(uri))
        };
        if self.worst.as_ref().is_none_or(is_worse) {
            self.worst = Some(other.clone());
        }
    }

    /// Where rejects are, as the end of a sentence.
    pub(crate) fn where_rejected(&self) -> String {
        match &self.worst {
            None => String::new(),
            Some((_, uri)) if self.rejecting == 1 => format!("; all are in `{uri}`"),
            Some((rejects, uri)) => format!(
                "; they are in {} objects, most of them ({rejects}) in `{uri}`",
                self.rejecting
            ),
        }
    }

    /// Adds the books of an object that a lake holds, but for what its rows tell.
    pub(crate) fn add_stored(&mut self, source: &SourceRow) {
        self.rejected_in(&source.given_uri, source.rejects);
        self.objects += 1;
        self.damaged += u64::from(source.problem.is_some());
        self.lines += source.lines;
        self.header_lines += source.header_lines;
        self.blank_lines += source.blank_lines;
        self.control_messages += source.control_messages;
        self.rows += source.rows;
        self.coverage_rows += source.coverage_rows;
        self.queries += source.queries;
        self.bytes = self.bytes.saturating_add(source.bytes);
    }

    /// Adds a reject that a lake holds.
    pub(crate) fn add_stored_reject(&mut self, reason: &str) {
        match self.stored_rejects.get_mut(reason) {
            Some(count) => *count += 1,
            None => {
                self.stored_rejects.insert(reason.to_owned(), 1);
            }
        }
    }

    /// Adds a Parquet object that has columns of these names.
    pub(crate) fn unread_columns(&mut self, names: &[String]) {
        for name in names {
            let known = self.unread_columns.len() < COLUMNS_MAX;
            if known || self.unread_columns.contains_key(name) {
                *self.unread_columns.entry(name.clone()).or_default() += 1;
            }
        }
    }

    /// The columns that were not read, each with the objects that have it.
    pub(crate) fn columns_not_read(&self) -> Vec<String> {
        let columns = self.unread_columns.iter();
        columns
            .map(|(name, objects)| format!("{name} (objects: {objects})"))
            .collect()
    }

    /// Adds the start of the earliest and the end of the latest row of a source.
    pub(crate) fn span(&mut self, span: Option<(i64, i64)>) {
        self.span = match (self.span, span) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (known, None) | (None, known) => known,
        };
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.objects += other.objects;
        self.damaged += other.damaged;
        self.copies += other.copies;
        self.lines += other.lines;
        self.header_lines += other.header_lines;
        self.blank_lines += other.blank_lines;
        self.rows += other.rows;
        self.coverage_rows += other.coverage_rows;
        self.queries += other.queries;
        self.rejecting += other.rejecting;
        if let Some(worst) = &other.worst {
            self.worse(worst);
        }
        for (reason, count) in &other.rejects {
            *self.rejects.entry(*reason).or_default() += count;
        }
        for (reason, count) in &other.stored_rejects {
            *self.stored_rejects.entry(reason.clone()).or_default() += count;
        }
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.span(other.span);
        for (name, objects) in &other.unread_columns {
            *self.unread_columns.entry(name.clone()).or_default() += objects;
        }
        self.unmeasured += other.unmeasured;
        self.without_packets += other.without_packets;
        self.outside += other.outside;
        self.rows_beyond_hosts += other.rows_beyond_hosts;
        self.unmeasured_bytes = self.unmeasured_bytes.saturating_add(other.unmeasured_bytes);
        self.outside_bytes = self.outside_bytes.saturating_add(other.outside_bytes);
        self.control_messages += other.control_messages;
        self.flow_logs.merge(&other.flow_logs);
    }

    /// Flow records and queries.
    pub(crate) fn counted_rows(&self) -> u64 {
        self.rows + self.queries
    }

    /// Whether any row could be counted.
    pub(crate) fn has_counted(&self) -> bool {
        self.rows > self.unmeasured
    }

    /// The books, but for what the sums tell and the time the run took.
    pub(crate) fn accounts(&self) -> Accounts {
        let mut by_reason = self.stored_rejects.clone();
        for (reason, count) in &self.rejects {
            *by_reason.entry(reason.to_string()).or_default() += count;
        }
        Accounts {
            objects: self.objects,
            damaged: self.damaged,
            lines: self.lines,
            header_lines: self.header_lines,
            blank_lines: self.blank_lines,
            rows: self.rows,
            coverage_rows: self.coverage_rows,
            queries: self.queries,
            rejects: by_reason.values().sum(),
            rejects_by_reason: by_reason,
            bytes: self.bytes,
            first: self.span.map(|(first, _)| Timestamp(first)),
            last: self.span.map(|(_, last)| Timestamp(last)),
            unmeasured: self.unmeasured,
            outside: self.outside,
            unmeasured_bytes: self.unmeasured_bytes,
            outside_bytes: self.outside_bytes,
            copies: self.copies,
            control_messages: self.control_messages,
            ..Accounts::default()
        }
    }
}

/// Bytes of all records.
pub(crate) fn bytes_of(records: &FlowBatch) -> u64 {
    let Some(bytes) = records.u64s(Field::Bytes) else {
        return 0;
    };
    // Nulls hold zero.
    let bytes = bytes.values().iter();
    bytes.fold(0, |sum: u64, bytes| sum.saturating_add(*bytes))
}
