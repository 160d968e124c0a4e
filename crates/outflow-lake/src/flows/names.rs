//! What rows have a name for: their other sides, workloads and sources, each held once.

use super::column::LONG_NULL;
use super::shared::Numbers;
use super::{By, FlowRows, Of, Remote, Seen};

/// What is known of another side, by the keys of its words in their columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RemoteKeys {
    pub(super) asn: i64,
    org: i32,
    country: i32,
    service: i32,
    pub(super) destination: i32,
}

/// Rows of a source that follow one another as they do in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SourceRows {
    flow_log_id: i32,
    source_id: i32,
    /// What is to be added to the number of a row for that in its source.
    step: i64,
}

/// The number of each row in its source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted<'a> {
    /// The numbers of the sources of rows.
    pub(crate) numbers: Numbers<'a>,
    /// By these, what is to be added to the number of a row.
    pub(crate) steps: &'a [i64],
}

impl Counted<'_> {
    /// Appends the numbers that these rows have in their sources, of which they have these numbers.
    pub(crate) fn append(&self, rows: &[u32], sources: &[u32], into: &mut Vec<i64>) {
        let of = rows.iter().zip(sources);
        into.extend(of.map(|(row, source)| i64::from(*row) + self.steps[*source as usize]));
    }
}

impl FlowRows {
    /// Appends what has a name.
    pub(super) fn append_names(&mut self, seen: &Seen<'_>, rows: &[u32]) {
        for remote in &seen.remotes[self.remote_numbers.len()..] {
            self.append_remote(remote);
        }
        for name in &seen.workloads[self.workloads..] {
            let column = self.column(Of::Workload);
            let key = column.key((!name.is_empty()).then_some(name));
            column.push_key(key);
        }
        self.workloads = seen.workloads.len();
        let remote_numbers = &self.remote_numbers;
        let remote = |row: &u32| remote_numbers[seen.remote_of[*row as usize] as usize];
        self.numbers[By::Remote as usize].extend(rows.iter().map(remote));
        let workload = |row: &u32| seen.workload_of[*row as usize];
        self.numbers[By::Workload as usize].extend(rows.iter().map(workload));
        self.append_sources(seen, rows);
        self.append_networks(rows.len());
    }

    /// Appends where rows are from.
    fn append_sources(&mut self, seen: &Seen<'_>, rows: &[u32]) {
        let flow_log_id = self.column(Of::FlowLogId).key(seen.flow_log_id);
        let source_id = self.column(Of::SourceId).key(Some(seen.source_id));
        let mut before = self.len;
        // What is between them lies in other partitions.
        for rows in rows.chunk_by(|row, next| row + 1 == *next) {
            let Some(first) = rows.first() else { continue };
            let own = i64::try_from(before).unwrap_or(i64::MAX);
            let of = SourceRows {
                flow_log_id,
                source_id,
                step: seen.first_row + i64::from(*first) - own,
            };
            let source = self.sources.number(&of, SourceRows::clone);
            if self.sources.values().len() > self.row_steps.len() {
                self.column(Of::FlowLogId).push_key(flow_log_id);
                self.column(Of::SourceId).push_key(source_id);
                self.row_steps.push(of.step);
            }
            before += rows.len();
            self.numbers[By::Source as usize].resize(before, source.cast_unsigned());
        }
    }

    /// The number of each row in its source.
    pub(super) fn source_rows(&self) -> Counted<'_> {
        Counted {
            numbers: self.numbers(By::Source as usize),
            steps: &self.row_steps,
        }
    }

    /// Appends what is known of another side.
    fn append_remote(&mut self, remote: &Remote) {
        let mut key = |of: Of, text: &Option<String>| self.column(of).key(text.as_deref());
        let keys = RemoteKeys {
            asn: remote.asn.map_or(LONG_NULL, i64::from),
            org: key(Of::RemoteOrg, &remote.org),
            country: key(Of::RemoteCountry, &remote.country),
            service: key(Of::RemoteService, &remote.service),
            destination: key(Of::Destination, &remote.destination),
        };
        self.are_networks_known |= keys.asn != LONG_NULL;
        let known = self.remotes.values().len();
        let number = self.remotes.number(&keys, RemoteKeys::clone);
        self.remote_numbers.push(number.cast_unsigned());
        if self.remotes.values().len() > known {
            self.column(Of::RemoteOrg).push_key(keys.org);
            self.column(Of::RemoteCountry).push_key(keys.country);
            self.column(Of::RemoteService).push_key(keys.service);
            self.column(Of::Destination).push_key(keys.destination);
        }
    }

    /// Appends the numbers of networks of so many rows, as far as any is known.
    fn append_networks(&mut self, rows: usize) {
        if !self.are_networks_known {
            return;
        }
        let remotes = self.remotes.values();
        let own = self.numbers[By::Remote as usize].iter();
        let own = own.skip(self.len).take(rows);
        let asns = own.map(|remote| Some(remotes[*remote as usize].asn));
        let place = self.positions.of(Of::RemoteAsn);
        self.columns[place].longs(self.len, asns);
    }
}
