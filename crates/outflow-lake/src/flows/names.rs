//! What rows have a name for: their other sides, workloads and sources, each held once.

use super::column::LONG_NULL;
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
        let keys = [
            self.column(Of::FlowLogId).key(seen.flow_log_id),
            self.column(Of::SourceId).key(Some(seen.source_id)),
        ];
        let sources = self.sources.values().len();
        let source = self.sources.number(&keys, <[i32; 2]>::clone);
        if self.sources.values().len() > sources {
            self.column(Of::FlowLogId).push_key(keys[0]);
            self.column(Of::SourceId).push_key(keys[1]);
        }
        let remote_numbers = &self.remote_numbers;
        let remote = |row: &u32| remote_numbers[seen.remote_of[*row as usize] as usize];
        self.numbers[By::Remote as usize].extend(rows.iter().map(remote));
        let workload = |row: &u32| seen.workload_of[*row as usize];
        self.numbers[By::Workload as usize].extend(rows.iter().map(workload));
        let sources = &mut self.numbers[By::Source as usize];
        sources.resize(self.len + rows.len(), source.cast_unsigned());
        self.append_networks(rows.len());
        let number = |row: &u32| Some(seen.first_row + i64::from(*row));
        let len = self.len;
        self.column(Of::SourceRow)
            .longs(len, rows.iter().map(number));
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
