//! Incidents as Detection Findings of OCSF.
//!
//! One event of class 2004 a line for each incident. What OCSF has an attribute for stands there; the findings of an
//! incident are its evidences, each whole under `data`; what is left is `unmapped`. Attributes without a value are
//! left out, as OCSF asks, and numbers of enumerations have their captions beside them.

use std::io::{self, Write};

use outflow_record::Timestamp;
use serde::Serialize;

use crate::confidence::confidence;
use crate::json::{number_or_null, write_line};
use crate::order::{by_incident, by_risk};
use crate::{
    Coverage, Database, Finding, History, Incident, JudgedState, Lane, Parameters, Prevalence,
    RiskPart, Severity, Stage, Tested, TrafficPath, Why, risk_text,
};

pub use compliance::{Compliance, ComplianceStatus, write_ocsf_compliance};

use cloud::{Cloud, Resource};
use evidence::Evidence;
use info::FindingInfo;
use observables::Observable;

/// The version of OCSF that events follow.
pub const OCSF_VERSION: &str = "1.8.0";

/// Evidences of an event, so that its line stays within some hundred kilobytes: those of the gravest findings.
/// `finding_info.related_events_count` says how many findings there are, and JSON lines have all of them.
pub const OCSF_EVIDENCES_MAX: usize = 32;

/// Findings that an event names, and resources that it lists, for the same reason; the gravest first.
pub const OCSF_RELATED_MAX: usize = 100;

const CLASS_UID: u32 = 2004;

/// What happened to an incident when it is told: it was found, or found to be more.
const ACTIVITY_CREATE: u32 = 1;
const CREATE: (u32, &str, &str) = (ACTIVITY_CREATE, "Create", "Detection Finding: Create");
const UPDATE: (u32, &str, &str) = (2, "Update", "Detection Finding: Update");

/// Writes each incident as a line with an event of OCSF's class Detection Finding: by risk, the highest first.
///
/// `at` is when the incidents were found, which OCSF wants to know: mostly the last packet that was read. What was told before
/// ([`Incident::is_again`]) is an update of the event of the same `finding_info.uid`.
///
/// # Errors
/// Those of `out`.
pub fn write_ocsf<W: Write>(
    out: &mut W,
    incidents: &[Incident],
    findings: &[Finding],
    at: Timestamp,
) -> io::Result<()> {
    let members = by_incident(findings);
    for incident in by_risk(incidents) {
        let own = members.get(&Some(incident.body.id.as_str()));
        write_line(
            out,
            &Event::new(incident, own.map_or(&[][..], Vec::as_slice), at),
        )?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Event<'a> {
    activity_id: u32,
    activity_name: &'static str,
    category_uid: u32,
    category_name: &'static str,
    class_uid: u32,
    class_name: &'static str,
    type_uid: u32,
    type_name: &'static str,
    severity_id: u8,
    severity: &'static str,
    time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<i64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    status_id: u8,
    status: &'static str,
    is_alert: bool,
    confidence_id: u8,
    confidence: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence_score: Option<u8>,
    risk_level_id: u8,
    risk_level: &'static str,
    risk_score: u8,
    #[serde(skip_serializing_if = "String::is_empty")]
    risk_details: String,
    metadata: Metadata,
    cloud: Cloud<'a>,
    finding_info: FindingInfo<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidences: Vec<Evidence<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<Resource<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    observables: Vec<Observable>,
    unmapped: Unmapped<'a>,
}

impl<'a> Event<'a> {
    fn new(incident: &'a Incident, members: &[&'a Finding], at: Timestamp) -> Self {
        let body = &incident.body;
        // Without its findings, an incident is its own evidence.
        let members = match members {
            [] => vec![body],
            some => some.to_vec(),
        };
        let (activity_id, activity_name, type_name) = match incident.is_again {
            true => UPDATE,
            false => CREATE,
        };
        let (confidence_id, confidence_name) = confidence_level(confidence(body));
        let (risk_level_id, risk_level) = risk_level(body.severity);
        let cloud = Cloud::new(body);
        let evidences = evidence::of(&members);
        let resources = cloud::resources(&members);
        Self {
            activity_id,
            activity_name,
            category_uid: CLASS_UID / 1_000,
            category_name: "Findings",
            class_uid: CLASS_UID,
            class_name: "Detection Finding",
            type_uid: CLASS_UID * 100 + activity_id,
            type_name,
            severity_id: body.severity.id(),
            severity: caption(body.severity),
            time: millis(at),
            start_time: body.first_seen.map(millis),
            end_time: body.last_seen.map(millis),
            message: &body.title,
            status_id: 1,
            status: "New",
            is_alert: incident.lane != Some(Lane::Digest),
            confidence_id,
            confidence: confidence_name,
            confidence_score: confidence(body),
            risk_level_id,
            risk_level,
            risk_score: body.risk,
            risk_details: risk_text(&body.risk_parts),
            metadata: Metadata::default(),
            observables: observables::of(&cloud, &evidences, &resources),
            finding_info: FindingInfo::new(incident, &members, at),
            cloud,
            evidences,
            resources,
            unmapped: Unmapped::new(incident),
        }
    }
}

/// Milliseconds, in which OCSF counts.
fn millis(at: Timestamp) -> i64 {
    at.secs().saturating_mul(1_000)
}

const fn caption(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "Informational",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

/// Risk in OCSF's levels: as grave as the finding is said to be, so that one event does not say two things.
const fn risk_level(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Informational => (0, "Info"),
        Severity::Low => (1, "Low"),
        Severity::Medium => (2, "Medium"),
        Severity::High => (3, "High"),
        Severity::Critical => (4, "Critical"),
    }
}

/// Low where more than one workload-day in ten told as much, high where at most one in a hundred did.
const fn confidence_level(score: Option<u8>) -> (u8, &'static str) {
    match score {
        None => (0, "Unknown"),
        Some(..90) => (1, "Low"),
        Some(90..99) => (2, "Medium"),
        Some(99..) => (3, "High"),
    }
}

#[derive(Serialize)]
struct Metadata {
    version: &'static str,
    profiles: [&'static str; 1],
    product: Product,
}

#[derive(Serialize)]
struct Product {
    name: &'static str,
    vendor_name: &'static str,
    version: &'static str,
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            version: OCSF_VERSION,
            profiles: ["cloud"],
            product: Product {
                name: "Outflow",
                vendor_name: "Outflow",
                version: env!("CARGO_PKG_VERSION"),
            },
        }
    }
}

/// What OCSF has no attribute for, under the keys of JSON lines.
#[derive(Serialize)]
struct Unmapped<'a> {
    bytes: u64,
    payload_bytes: u64,
    packets: u64,
    flows: u64,
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "number_or_null"
    )]
    bits: Option<f64>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "number_or_null"
    )]
    rate_bits: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<Lane>,
    #[serde(skip_serializing_if = "<[Why]>::is_empty")]
    why: &'a [Why],
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<&'a Coverage>,
    #[serde(skip_serializing_if = "<[RiskPart]>::is_empty")]
    risk_parts: &'a [RiskPart],
    #[serde(skip_serializing_if = "<[Stage]>::is_empty")]
    stages: &'a [Stage],
    #[serde(skip_serializing_if = "<[TrafficPath]>::is_empty")]
    paths: &'a [TrafficPath],
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a Parameters>,
    #[serde(skip_serializing_if = "<[Tested]>::is_empty")]
    harmless: &'a [Tested],
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<&'a History>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a JudgedState>,
    #[serde(skip_serializing_if = "KnownTo::is_empty")]
    destination: KnownTo<'a>,
}

/// What of a destination is not one of its endpoint.
#[derive(Serialize)]
struct KnownTo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    prevalence: Option<Prevalence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen_time: Option<i64>,
    #[serde(skip_serializing_if = "<[Database]>::is_empty")]
    databases: &'a [Database],
}

impl KnownTo<'_> {
    fn is_empty(&self) -> bool {
        self.prevalence.is_none() && self.first_seen_time.is_none() && self.databases.is_empty()
    }
}

impl<'a> Unmapped<'a> {
    fn new(incident: &'a Incident) -> Self {
        let body = &incident.body;
        Self {
            bytes: body.bytes,
            payload_bytes: body.payload_bytes,
            packets: body.packets,
            flows: body.flows,
            bits: body.bits,
            rate_bits: body.rate_bits,
            lane: incident.lane,
            why: &body.why,
            coverage: body.coverage.as_ref(),
            risk_parts: &body.risk_parts,
            stages: &body.stages,
            paths: &body.paths,
            parameters: body.parameters.as_ref(),
            harmless: &body.harmless,
            history: body.history.as_ref(),
            state: body.state.as_ref(),
            destination: KnownTo {
                prevalence: body.destination.prevalence,
                first_seen_time: body.destination.first_seen.map(millis),
                databases: &body.destination.databases,
            },
        }
    }
}

mod cloud;
mod compliance;
mod evidence;
mod info;
mod observables;
#[cfg(test)]
mod tests;
