//! Findings, incidents and accounts as JSON lines.
//!
//! One object a line, told apart by `type`. Every key is always there, in one order, `null` when its value is
//! unknown. A number that is integral is printed as an integer. Keys are only ever added, at the end. A character
//! that a terminal would act on is written as `\uXXXX`, which reads back as the same character.

use std::collections::BTreeMap;
use std::io::{self, Write};

use outflow_record::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

pub use comparison::write_comparison_json;
pub use coverage::write_coverage_json;

use crate::escape::acts;
use crate::order::{by_incident, by_risk};
use crate::parallel::both;
use crate::{
    Accounts, Coverage, Destination, Evidence, Family, Finding, History, Incident, JudgedState,
    Lane, Parameters, Resolution, RiskPart, Sender, Severity, Stage, SuppressionBook, Tested,
    TrafficPath, Why,
};

/// Writes every incident followed by its findings, then the accounts: all of a run's output.
///
/// Incidents come by risk, the highest first, then by id, and so do the findings within each. Findings that
/// no given incident holds follow after the last incident.
///
/// # Errors
/// Those of `out`.
pub fn write_json<W: Write>(
    out: &mut W,
    incidents: &[Incident],
    findings: &[Finding],
    accounts: &Accounts,
) -> io::Result<()> {
    let mut members = by_incident(findings);
    let mut lines = Vec::with_capacity(incidents.len() + findings.len());
    for incident in by_risk(incidents) {
        let own = members.remove(&Some(incident.body.id.as_str()));
        lines.push(incident_line(incident));
        lines.extend(own.into_iter().flatten().map(finding_line));
    }
    lines.extend(members.into_values().flatten().map(finding_line));
    let mut ready = [Vec::new(), Vec::new()];
    for some in lines.chunks(LINES_AT_ONCE) {
        let (first, second) = some.split_at(some.len() / 2);
        // Two threads render while a third writes what is ready: all else is done by now.
        let (rendered, written) = both(
            || both(|| rendered(first), || rendered(second)),
            || write_all(out, &ready),
        );
        written?;
        ready = [rendered.0?, rendered.1?];
    }
    write_all(out, &ready)?;
    write_accounts(out, accounts)
}

/// Lines that are rendered before they are written: some megabytes.
const LINES_AT_ONCE: usize = 256;

fn write_all<W: Write>(out: &mut W, parts: &[Vec<u8>]) -> io::Result<()> {
    parts.iter().try_for_each(|part| out.write_all(part))
}

fn rendered(lines: &[FindingLine<'_>]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    lines
        .iter()
        .try_for_each(|line| write_line(&mut out, line))?;
    Ok(out)
}

fn incident_line(incident: &Incident) -> FindingLine<'_> {
    FindingLine {
        lane: Some(incident.lane),
        ..FindingLine::new("incident", &incident.body, Some(&incident.finding_ids))
    }
}

/// A finding under the keys of a line.
pub(crate) fn finding_line(finding: &Finding) -> FindingLine<'_> {
    FindingLine::new("finding", finding, None)
}

/// Writes one incident as a line of `"type":"incident"`.
///
/// # Errors
/// Those of `out`.
pub fn write_incident<W: Write>(out: &mut W, incident: &Incident) -> io::Result<()> {
    write_line(out, &incident_line(incident))
}

/// Writes one finding as a line of `"type":"finding"`.
///
/// # Errors
/// Those of `out`.
pub fn write_finding<W: Write>(out: &mut W, finding: &Finding) -> io::Result<()> {
    write_line(out, &finding_line(finding))
}

/// Writes the books of a run as a line of `"type":"accounts"`.
///
/// # Errors
/// Those of `out`.
pub fn write_accounts<W: Write>(out: &mut W, accounts: &Accounts) -> io::Result<()> {
    write_line(out, &AccountsLine::new(accounts))
}

/// One finding as a line without its end; nothing when it cannot be written, which a finding always can.
pub(crate) fn text(finding: &Finding) -> String {
    serde_json::to_string(&FindingLine::new("finding", finding, None)).unwrap_or_default()
}

/// A line as text, without its end. Nothing if it cannot be written, which what has only texts for keys always can.
pub(crate) fn line(of: &impl Serialize) -> String {
    let mut out = Vec::new();
    if write_line(&mut out, of).is_err() {
        return String::new();
    }
    out.pop();
    String::from_utf8(out).unwrap_or_default()
}

/// Writes one line of JSON without a character that a terminal would act on.
pub(crate) fn write_line<W: Write>(out: &mut W, line: &impl Serialize) -> io::Result<()> {
    line.serialize(&mut serde_json::Serializer::with_formatter(
        &mut *out, Harmless,
    ))?;
    out.write_all(b"\n")
}

/// JSON demands an escape for C0 controls only. A line that is looked at rather than parsed must not recolour,
/// hide or reorder anything by the others either.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly all text is plain ASCII, which a look at its bytes tells.
        if fragment.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| acts(*c)) {
            out.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

// The keys in the order of the output format, which is not quite that of the struct.
#[derive(Serialize)]
pub(crate) struct FindingLine<'a> {
    r#type: &'static str,
    id: &'a str,
    incident: Option<&'a str>,
    family: Family,
    title: &'a str,
    severity: Severity,
    risk: u8,
    #[serde(serialize_with = "number_or_null")]
    bits: Option<f64>,
    account_id: Option<&'a str>,
    region: Option<&'a str>,
    vpc_id: Option<&'a str>,
    interface_id: Option<&'a str>,
    workload: Option<&'a str>,
    destination: &'a Destination,
    #[serde(serialize_with = "instant_or_null")]
    first_seen: Option<Timestamp>,
    #[serde(serialize_with = "instant_or_null")]
    last_seen: Option<Timestamp>,
    bytes: u64,
    payload_bytes: u64,
    packets: u64,
    flows: u64,
    attack: &'a [String],
    why: &'a [Why],
    coverage: Option<&'a Coverage>,
    evidence: &'a Evidence,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<&'a [String]>,
    sender: &'a Sender,
    #[serde(serialize_with = "number_or_null")]
    rate_bits: Option<f64>,
    #[serde(serialize_with = "number_or_null")]
    urgency: Option<f64>,
    #[serde(serialize_with = "number_or_null")]
    q_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<Option<Lane>>,
    risk_parts: &'a [RiskPart],
    stages: &'a [Stage],
    paths: &'a [TrafficPath],
    parameters: Option<&'a Parameters>,
    harmless: &'a [Tested],
    history: Option<&'a History>,
    state: Option<&'a JudgedState>,
}

impl<'a> FindingLine<'a> {
    fn new(r#type: &'static str, from: &'a Finding, findings: Option<&'a [String]>) -> Self {
        Self {
            r#type,
            id: &from.id,
            incident: from.incident.as_deref(),
            family: from.family,
            title: &from.title,
            severity: from.severity,
            risk: from.risk,
            bits: from.bits,
            account_id: from.account_id.as_deref(),
            region: from.region.as_deref(),
            vpc_id: from.vpc_id.as_deref(),
            interface_id: from.interface_id.as_deref(),
            workload: from.workload.as_deref(),
            destination: &from.destination,
            first_seen: from.first_seen,
            last_seen: from.last_seen,
            bytes: from.bytes,
            payload_bytes: from.payload_bytes,
            packets: from.packets,
            flows: from.flows,
            attack: &from.attack,
            why: &from.why,
            coverage: from.coverage.as_ref(),
            evidence: &from.evidence,
            findings,
            sender: &from.sender,
            rate_bits: from.rate_bits,
            urgency: from.urgency,
            q_value: from.q_value,
            lane: None,
            risk_parts: &from.risk_parts,
            stages: &from.stages,
            paths: &from.paths,
            parameters: from.parameters.as_ref(),
            harmless: &from.harmless,
            history: from.history.as_ref(),
            state: from.state.as_ref(),
        }
    }
}

#[derive(Serialize)]
struct AccountsLine<'a> {
    r#type: &'static str,
    objects: u64,
    damaged: u64,
    lines: u64,
    header_lines: u64,
    blank_lines: u64,
    rows: u64,
    coverage_rows: u64,
    rejects: u64,
    rejects_by_reason: &'a BTreeMap<String, u64>,
    bytes: u64,
    counted_bytes: u64,
    enis: u64,
    #[serde(serialize_with = "instant_or_null")]
    first: Option<Timestamp>,
    #[serde(serialize_with = "instant_or_null")]
    last: Option<Timestamp>,
    #[serde(serialize_with = "number")]
    seconds: f64,
    unmeasured: u64,
    outside: u64,
    copies: u64,
    resolution: Resolution,
    control_messages: u64,
    queries: u64,
    counted_payload_bytes: u64,
    guessed_payload_bytes: u64,
    repeated_bytes: u64,
    received_bytes: u64,
    inside_bytes: u64,
    inside_payload_bytes: u64,
    rejected_bytes: u64,
    unmeasured_bytes: u64,
    outside_bytes: u64,
    suppressions: &'a [SuppressionBook],
}

impl<'a> AccountsLine<'a> {
    fn new(from: &'a Accounts) -> Self {
        Self {
            r#type: "accounts",
            objects: from.objects,
            damaged: from.damaged,
            lines: from.lines,
            header_lines: from.header_lines,
            blank_lines: from.blank_lines,
            rows: from.rows,
            coverage_rows: from.coverage_rows,
            rejects: from.rejects,
            rejects_by_reason: &from.rejects_by_reason,
            bytes: from.bytes,
            counted_bytes: from.counted_bytes,
            enis: from.enis,
            first: from.first,
            last: from.last,
            seconds: from.seconds,
            unmeasured: from.unmeasured,
            outside: from.outside,
            copies: from.copies,
            resolution: from.resolution,
            control_messages: from.control_messages,
            queries: from.queries,
            counted_payload_bytes: from.counted_payload_bytes,
            guessed_payload_bytes: from.guessed_payload_bytes,
            repeated_bytes: from.repeated_bytes,
            received_bytes: from.received_bytes,
            inside_bytes: from.inside_bytes,
            inside_payload_bytes: from.inside_payload_bytes,
            rejected_bytes: from.rejected_bytes,
            unmeasured_bytes: from.unmeasured_bytes,
            outside_bytes: from.outside_bytes,
            suppressions: &from.suppressions,
        }
    }
}

// Integers up to this are exact in a float, so that printing one as an integer adds no digits it never had.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Prints an integral number without `.0`, and a number that is none (NaN, infinite) as `null`.
pub(crate) fn number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.fract() == 0.0 && value.abs() <= EXACT_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "integral and within 2^53")]
        return serializer.serialize_i64(*value as i64);
    }
    serializer.serialize_f64(*value)
}

/// As [`number`], and `null` for what is unknown.
pub(crate) fn number_or_null<S: Serializer>(
    value: &Option<f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => number(value, serializer),
        None => serializer.serialize_none(),
    }
}

pub(crate) fn instant<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

pub(crate) fn instant_or_null<S: Serializer>(
    at: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}

mod comparison;
mod coverage;
#[cfg(test)]
mod tests;
