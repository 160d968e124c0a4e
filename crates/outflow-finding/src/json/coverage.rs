//! What logs cover, as JSON lines.

use std::io::{self, Write};

use outflow_record::Timestamp;
use serde::Serialize;

use super::{instant, instant_or_null, number, write_accounts, write_line};
use crate::coverage::worst_first;
use crate::{
    Accounts, Blind, CoverageReport, FlowLogCoverage, HourCoverage, InterfaceCoverage, Minutes,
};

/// Writes a line of `"type":"coverage"` for each interface, the worst first, and behind it one of
/// `"type":"coverage_hour"` for each of its hours that is told; then one of `"type":"flow_log"` for each flow log; last
/// the accounts.
///
/// # Errors
/// Those of `out`.
pub fn write_coverage_json<W: Write>(
    out: &mut W,
    report: &CoverageReport,
    accounts: &Accounts,
) -> io::Result<()> {
    for interface in worst_first(&report.interfaces) {
        write_line(out, &Line::new(interface))?;
        for hour in &interface.hours {
            write_line(out, &HourLine::new(interface, hour))?;
        }
    }
    for flow_log in &report.flow_logs {
        write_line(out, &FlowLogLine::new(flow_log))?;
    }
    write_accounts(out, accounts)
}

#[derive(Serialize)]
struct Line<'a> {
    r#type: &'static str,
    account_id: Option<&'a str>,
    region: Option<&'a str>,
    vpc_id: Option<&'a str>,
    interface_id: Option<&'a str>,
    instance_id: Option<&'a str>,
    #[serde(serialize_with = "instant_or_null")]
    first_seen: Option<Timestamp>,
    #[serde(serialize_with = "instant_or_null")]
    last_seen: Option<Timestamp>,
    #[serde(flatten)]
    minutes: MinuteKeys,
    rows_accepted: u64,
    rows_rejected: u64,
    rows_unmeasured: u64,
    rows_overlong: u64,
    blind: Vec<Blind>,
}

impl<'a> Line<'a> {
    fn new(from: &'a InterfaceCoverage) -> Self {
        Self {
            r#type: "coverage",
            account_id: from.account_id.as_deref(),
            region: from.region.as_deref(),
            vpc_id: from.vpc_id.as_deref(),
            interface_id: from.interface_id.as_deref(),
            instance_id: from.instance_id.as_deref(),
            first_seen: from.first_seen,
            last_seen: from.last_seen,
            minutes: MinuteKeys::new(&from.minutes),
            rows_accepted: from.rows.accepted,
            rows_rejected: from.rows.rejected,
            rows_unmeasured: from.rows.unmeasured,
            rows_overlong: from.rows.overlong,
            blind: from.blind(),
        }
    }
}

#[derive(Serialize)]
struct HourLine<'a> {
    r#type: &'static str,
    account_id: Option<&'a str>,
    interface_id: Option<&'a str>,
    #[serde(serialize_with = "instant")]
    hour: Timestamp,
    hours: u64,
    #[serde(flatten)]
    minutes: MinuteKeys,
}

impl<'a> HourLine<'a> {
    fn new(of: &'a InterfaceCoverage, from: &HourCoverage) -> Self {
        Self {
            r#type: "coverage_hour",
            account_id: of.account_id.as_deref(),
            interface_id: of.interface_id.as_deref(),
            hour: from.start,
            hours: from.hours,
            minutes: MinuteKeys::new(&from.minutes),
        }
    }
}

#[derive(Serialize)]
struct MinuteKeys {
    minutes_expected: u64,
    minutes_ok: u64,
    minutes_nodata: u64,
    minutes_skipdata: u64,
    minutes_between: u64,
    minutes_missing: u64,
    #[serde(serialize_with = "number")]
    share: f64,
    skipdata_rows: u64,
    late_rows: u64,
    late_bytes: u64,
}

impl MinuteKeys {
    fn new(from: &Minutes) -> Self {
        Self {
            minutes_expected: from.expected(),
            minutes_ok: from.ok,
            minutes_nodata: from.nodata,
            minutes_skipdata: from.skipdata,
            minutes_between: from.between,
            minutes_missing: from.missing,
            share: from.share(),
            skipdata_rows: from.skipdata_rows,
            late_rows: from.late_rows,
            late_bytes: from.late_bytes,
        }
    }
}

#[derive(Serialize)]
struct FlowLogLine<'a> {
    r#type: &'static str,
    flow_log_id: &'a str,
    rows_accepted: u64,
    rows_rejected: u64,
    rows_unmeasured: u64,
}

impl<'a> FlowLogLine<'a> {
    fn new(from: &'a FlowLogCoverage) -> Self {
        Self {
            r#type: "flow_log",
            flow_log_id: &from.flow_log_id,
            rows_accepted: from.rows.accepted,
            rows_rejected: from.rows.rejected,
            rows_unmeasured: from.rows.unmeasured,
        }
    }
}
