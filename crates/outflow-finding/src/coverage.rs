//! What the log of an interface shows of its time, and why it cannot be judged where it shows too little.

use outflow_record::Timestamp;
use serde::{Deserialize, Serialize};

/// Minutes that the log of an interface must span at least for its egress to be judged.
pub const EXPECTED_MINUTES_MIN: u64 = 60;

/// Percent of the minutes that may have `SKIPDATA`: beyond it, what AWS dropped may be more than what bounds allow.
pub const SKIPDATA_PERCENT_MAX: u64 = 5;

/// Percent of the minutes that may be missing. AWS logs idle windows as `NODATA`, so that a whole log misses none;
/// archives that leave them out (or this project's simulated ones, which have few) miss some without a loss.
pub const MISSING_PERCENT_MAX: u64 = 25;

/// What became of minutes; each is in one of the first five counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Minutes {
    /// A record of traffic touches them, and no `SKIPDATA`.
    pub ok: u64,
    /// Only `NODATA` touches them.
    pub nodata: u64,
    /// `SKIPDATA` touches them, and what else may.
    pub skipdata: u64,
    /// No row touches them, but the gap is no longer than AWS's longest aggregation interval, of which quiet
    /// traffic touches a part only.
    pub between: u64,
    /// No row touches them: a gap that aggregation does not explain.
    pub missing: u64,
    /// Rows of `SKIPDATA`; each may stand for many lost records.
    pub skipdata_rows: u64,
    /// Records that came later than the watermark allows, as far as objects' names tell when they came.
    pub late_rows: u64,
    /// Bytes of those that were accepted.
    pub late_bytes: u64,
}

impl Minutes {
    /// All minutes.
    pub fn expected(&self) -> u64 {
        self.ok + self.nodata + self.skipdata + self.between + self.missing
    }

    /// Minutes of which the log tells all.
    pub fn covered(&self) -> u64 {
        self.ok + self.nodata + self.between
    }

    /// `covered` of `expected`, 0 to 1; 0 of none.
    pub fn share(&self) -> f64 {
        self.covered() as f64 / self.expected().max(1) as f64
    }

    /// Adds those of another.
    pub fn add(&mut self, other: &Self) {
        self.ok += other.ok;
        self.nodata += other.nodata;
        self.skipdata += other.skipdata;
        self.between += other.between;
        self.missing += other.missing;
        self.skipdata_rows += other.skipdata_rows;
        self.late_rows += other.late_rows;
        self.late_bytes = self.late_bytes.saturating_add(other.late_bytes);
    }
}

/// Rows of traffic, by what can be learnt from them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Accepted.
    pub accepted: u64,
    /// Refused by a security group or network ACL: nothing was sent.
    pub rejected: u64,
    /// Without the addresses, times or bytes that counting needs.
    pub unmeasured: u64,
    /// Rows of any kind that span more than AWS aggregates; they are among the others.
    pub overlong: u64,
}

impl RowCounts {
    /// Adds those of another.
    pub fn add(&mut self, other: &Self) {
        self.accepted = self.accepted.saturating_add(other.accepted);
        self.rejected = self.rejected.saturating_add(other.rejected);
        self.unmeasured = self.unmeasured.saturating_add(other.unmeasured);
        self.overlong = self.overlong.saturating_add(other.overlong);
    }

    /// Whether all rows that could be counted were refused: a log that takes up REJECT only shows no egress.
    pub fn is_reject_only(&self) -> bool {
        self.rejected > 0 && self.accepted == 0
    }
}

/// Why the egress of an interface cannot be judged, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blind {
    /// Its rows lack addresses, times or bytes.
    NoValues,
    /// All of its rows are REJECT.
    RejectOnly,
    /// More than [`MISSING_PERCENT_MAX`] of its minutes are missing.
    Missing,
    /// More than [`SKIPDATA_PERCENT_MAX`] of its minutes have `SKIPDATA`.
    #[serde(rename = "skipdata")]
    SkipData,
    /// Its log spans less than [`EXPECTED_MINUTES_MIN`].
    Short,
}

/// What the log of an interface covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InterfaceCoverage {
    /// Owner of the interface.
    pub account_id: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// VPC.
    pub vpc_id: Option<String>,
    /// `eni-…`, or `nat-…` for a regional NAT gateway.
    pub interface_id: Option<String>,
    /// Instance; none on interfaces that AWS manages.
    pub instance_id: Option<String>,
    /// Start of the first minute with a row.
    pub first_seen: Option<Timestamp>,
    /// Start of the last minute with a row.
    pub last_seen: Option<Timestamp>,
    /// What became of the minutes from the one to the other.
    pub minutes: Minutes,
    /// Its rows of traffic.
    pub rows: RowCounts,
    /// The same by hour, where that was asked for.
    pub hours: Vec<HourCoverage>,
}

/// What the log of an interface covers of an hour, or of several without any row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourCoverage {
    /// First second of the hour.
    pub start: Timestamp,
    /// Hours: one, or as many as follow one another without any row.
    pub hours: u64,
    /// What became of its minutes, as far as they lie between first and last sight.
    pub minutes: Minutes,
}

/// Rows that a flow log delivered, as its objects' names tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowLogCoverage {
    /// `fl-…`.
    pub flow_log_id: String,
    /// Its rows of traffic.
    pub rows: RowCounts,
}

impl InterfaceCoverage {
    /// Why its egress cannot be judged, the gravest reason first; nothing if it can.
    pub fn blind(&self) -> Vec<Blind> {
        let (minutes, rows) = (&self.minutes, &self.rows);
        let expected = minutes.expected();
        let exceeds = |part: u64, percent: u64| part * 100 > expected * percent;
        let measured = rows.accepted + rows.rejected;
        [
            (Blind::NoValues, measured == 0 && rows.unmeasured > 0),
            (Blind::RejectOnly, rows.is_reject_only()),
            (
                Blind::Missing,
                exceeds(minutes.missing, MISSING_PERCENT_MAX),
            ),
            (
                Blind::SkipData,
                exceeds(minutes.skipdata, SKIPDATA_PERCENT_MAX),
            ),
            (Blind::Short, expected < EXPECTED_MINUTES_MIN),
        ]
        .into_iter()
        .filter_map(|(reason, holds)| holds.then_some(reason))
        .collect()
    }
}

/// Interfaces, the worst first: those that cannot be judged by their gravest reason, then by the share covered.
pub(crate) fn worst_first(interfaces: &[InterfaceCoverage]) -> Vec<&InterfaceCoverage> {
    let mut sorted: Vec<_> = interfaces
        .iter()
        .map(|of| (of.blind().first().copied(), of))
        .collect();
    sorted.sort_by(|(a, of_a), (b, of_b)| {
        let judged_last = a.is_none().cmp(&b.is_none());
        let share = || of_a.minutes.share().total_cmp(&of_b.minutes.share());
        let key = |of: &InterfaceCoverage| (of.account_id.clone(), of.interface_id.clone());
        judged_last
            .then_with(|| a.cmp(b))
            .then_with(share)
            .then_with(|| key(of_a).cmp(&key(of_b)))
    });
    sorted.into_iter().map(|(_, of)| of).collect()
}

/// What the logs of a run cover.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CoverageReport {
    /// The interfaces, in any order.
    pub interfaces: Vec<InterfaceCoverage>,
    /// The flow logs that objects' names tell, in any order.
    pub flow_logs: Vec<FlowLogCoverage>,
}

/// Minutes of a day.
const DAY_MINUTES: u64 = 24 * 60;

impl CoverageReport {
    /// Days of interfaces, begun ones included: minutes that the logs of all interfaces span.
    pub fn eni_days(&self) -> u64 {
        self.minutes().expected().div_ceil(DAY_MINUTES)
    }

    /// All minutes of all interfaces.
    pub fn minutes(&self) -> Minutes {
        let mut sum = Minutes::default();
        for interface in &self.interfaces {
            sum.add(&interface.minutes);
        }
        sum
    }
}

#[cfg(test)]
mod tests;
