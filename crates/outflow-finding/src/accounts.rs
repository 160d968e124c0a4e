//! The books of a run: what was read, what was counted, and what was not.

use std::collections::BTreeMap;

use outflow_record::Timestamp;
use serde::Serialize;

use crate::SuppressionBook;

/// What a run read and what became of it.
///
/// Every line that could hold a record ends in exactly one of four accounts:
/// `lines` = `rows` + `coverage_rows` + `queries` + `rejects`. So does every byte of the records, once for each time
/// that it was logged: `bytes` = `counted_bytes` + `repeated_bytes` + `received_bytes` + `inside_bytes` +
/// `rejected_bytes` + `unmeasured_bytes` + `outside_bytes`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Accounts {
    /// Objects read, damaged ones included.
    pub objects: u64,
    /// Objects that were damaged, refused, or hold no row that can be counted.
    pub damaged: u64,
    /// Lines read, header lines and blank lines apart.
    pub lines: u64,
    /// Header lines.
    pub header_lines: u64,
    /// Blank lines.
    pub blank_lines: u64,
    /// Records of traffic.
    pub rows: u64,
    /// Records of `NODATA` and `SKIPDATA`, which tell only what was watched.
    pub coverage_rows: u64,
    /// Lines that are no record.
    pub rejects: u64,
    /// `rejects`, by reason.
    pub rejects_by_reason: BTreeMap<String, u64>,
    /// Bytes in all records of traffic.
    pub bytes: u64,
    /// Bytes that left the network, each counted once.
    pub counted_bytes: u64,
    /// Network interfaces seen.
    pub enis: u64,
    /// Earliest packet.
    pub first: Option<Timestamp>,
    /// Latest packet.
    pub last: Option<Timestamp>,
    /// Wall-clock seconds that the run took.
    pub seconds: f64,
    /// Rows without the addresses, times or byte counts that counting needs; they are among `rows`.
    pub unmeasured: u64,
    /// Rows outside the time that was asked for; they are among `rows`.
    pub outside: u64,
    /// Objects that hold the very bytes of another, and were not read a second time; not among `objects`.
    pub copies: u64,
    /// How much of remote addresses the coarsest part of the sums kept.
    pub resolution: Resolution,
    /// Messages by which CloudWatch Logs checks a destination; they hold no record and are not among `lines`.
    pub control_messages: u64,
    /// Queries in Resolver query logs.
    pub queries: u64,
    /// Of the counted bytes, those beyond the headers.
    pub counted_payload_bytes: u64,
    /// Of those, bytes of conversations of which only the ports suggest who opened them: no TCP flags tell.
    pub guessed_payload_bytes: u64,
    /// Bytes that left the network and are counted at another interface or flow log.
    pub repeated_bytes: u64,
    /// Bytes that came in from outside.
    pub received_bytes: u64,
    /// Bytes that did not cross the border; what stays inside is mostly logged by its sender and by its receiver.
    pub inside_bytes: u64,
    /// Of these, those beyond the headers.
    pub inside_payload_bytes: u64,
    /// Bytes that a security group or a network ACL rejected.
    pub rejected_bytes: u64,
    /// Bytes of the rows `unmeasured`.
    pub unmeasured_bytes: u64,
    /// Bytes of the rows `outside` the time that was asked for.
    pub outside_bytes: u64,
    /// What each suppression hid.
    pub suppressions: Vec<SuppressionBook>,
}

/// How much of a remote address was kept where there were too many pairs to keep all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Resolution {
    /// The address: nothing was left out.
    #[default]
    Address,
    /// Its /24 or /48.
    Group,
    /// Nothing, or its group for name resolution, ICMP and watched services: other sums are by protocol alone.
    Service,
}

impl Accounts {
    /// Rows that took part in the sums.
    pub fn counted_rows(&self) -> u64 {
        self.rows
            .saturating_sub(self.unmeasured)
            .saturating_sub(self.outside)
    }

    /// Whether every byte is accounted for.
    pub fn bytes_balance(&self) -> bool {
        let parts = [
            self.counted_bytes,
            self.repeated_bytes,
            self.received_bytes,
            self.inside_bytes,
            self.rejected_bytes,
            self.unmeasured_bytes,
            self.outside_bytes,
        ];
        let sum: u128 = parts.into_iter().map(u128::from).sum();
        sum == u128::from(self.bytes)
    }

    /// Whether every line is accounted for.
    pub fn balances(&self) -> bool {
        let accounted = self
            .rows
            .checked_add(self.coverage_rows)
            .and_then(|sum| sum.checked_add(self.queries))
            .and_then(|sum| sum.checked_add(self.rejects));
        accounted == Some(self.lines)
    }
}
