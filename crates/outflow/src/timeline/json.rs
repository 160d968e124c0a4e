//! A timeline as JSON lines.

use std::io::{self, Write};

use outflow_finding::{Finding, Incident};
use outflow_query::{Moment, What, Why};
use outflow_record::Timestamp;
use serde_json::{Value, json};

use super::story::{Entry, Story};

pub(crate) fn write(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    let mut put = |line: &Value| {
        serde_json::to_writer(&mut *out, line)?;
        writeln!(out)
    };
    if let Some(incident) = &story.incident {
        put(&of_incident(incident, story))?;
    }
    for entry in &story.entries {
        put(&match entry {
            Entry::Moment(moment, ids) => line(moment, ids),
            Entry::Finding(of) => finding(of, entry.span()),
        })?;
    }
    if story.omitted > 0 {
        put(&json!({"type": "omitted", "moments": story.omitted}))?;
    }
    Ok(())
}

fn of_incident(incident: &Incident, story: &Story) -> Value {
    let (since, until) = story.span;
    let body = &incident.body;
    json!({
        "type": "incident", "id": body.id, "severity": body.severity.name(), "risk": body.risk, "title": body.title,
        "findings": incident.finding_ids,
        "since": since.map(|at| at.to_string()), "until": until.map(|at| at.to_string()),
        "destinations_not_asked": story.unasked,
        "senders_not_asked": story.senders_unasked,
    })
}

fn finding(of: &Finding, (first, last): (Timestamp, Timestamp)) -> Value {
    json!({
        "type": "finding", "start": first.to_string(), "end": last.to_string(),
        "id": of.id, "family": of.family.to_string(), "severity": of.severity.name(), "risk": of.risk,
        "title": of.title, "interface_id": of.interface_id, "workload": of.workload,
        "destination": of.destination.group, "payload_bytes": of.payload_bytes,
    })
}

fn line(moment: &Moment, findings: &[String]) -> Value {
    let (at, until) = (moment.at.to_string(), moment.until.to_string());
    match &moment.what {
        What::Episode(of) => json!({
            "type": "connections", "start": at, "end": until,
            "interface_id": of.interface_id, "workload": of.workload,
            "local_addr": of.local_addr, "remote_addr": of.remote_addr, "port": of.port,
            "protocol": of.protocol, "initiator": of.initiator, "action": of.action, "scope": of.scope,
            "name": of.name, "destination": of.destination, "remote_country": of.country,
            "remote_org": of.org, "remote_service": of.service,
            "connections": of.connections, "flows": of.flows,
            "sent_payload_bytes": of.sent_payload_bytes,
            "received_payload_bytes": of.received_payload_bytes, "first_seen": of.first_seen,
            "findings": findings,
        }),
        What::Questions(of) => json!({
            "type": "queries", "start": at, "end": until,
            "srcaddr": of.srcaddr, "domain": of.domain, "queries": of.queries, "names": of.names,
            "a_name": of.a_name, "query_types": of.types, "failed": of.failed,
            "first_seen": of.first_seen, "findings": findings,
        }),
        What::Gap(of) => json!({
            "type": "gap", "start": at, "end": until, "interface_id": of.interface_id,
            "reason": match of.why { Why::Skipped => "SKIPDATA", Why::Missing => "MISSING" },
        }),
    }
}
