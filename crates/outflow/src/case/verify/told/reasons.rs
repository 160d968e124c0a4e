//! Whether the reasons of an incident are those that its findings come to.

use outflow_finding::{Destination, Family, Finding, Why, reasons};
use serde_json::Value;

/// Compares the reasons of the incident with those of its findings, summed up as a run sums them up.
pub(super) fn compare(incident: &Value, findings: &[Value], wrong: &mut Vec<String>) {
    let members: Option<Vec<Finding>> = findings.iter().map(finding).collect();
    // What they come to, as JSON lines have it.
    let come_to = members.and_then(|members| serde_json::to_value(reasons(&members)).ok());
    match come_to {
        None => wrong.push(
            "`incident.json`: a finding is of a family that there is not, or has a reason that is none"
                .to_owned(),
        ),
        Some(come_to) if come_to != incident["why"] => wrong.push(
            "`incident.json`: `why` of the incident is not what its findings come to".to_owned(),
        ),
        Some(_) => {}
    }
}

/// A finding, as far as its reasons are summed up by it.
fn finding(told: &Value) -> Option<Finding> {
    let text = |key: &str| told[key].as_str().map(str::to_owned);
    let time = |key: &str| told[key].as_str().and_then(|at| at.parse().ok());
    let family: Family = told["family"].as_str()?.parse().ok()?;
    Some(Finding {
        first_seen: time("first_seen"),
        last_seen: time("last_seen"),
        interface_id: text("interface_id"),
        workload: text("workload"),
        payload_bytes: told["payload_bytes"].as_u64()?,
        destination: Destination {
            group: told["destination"]["group"].as_str().map(str::to_owned),
            ..Destination::default()
        },
        why: told["why"]
            .as_array()?
            .iter()
            .map(why)
            .collect::<Option<_>>()?,
        ..Finding::new(family)
    })
}

/// A reason, as JSON lines have it.
pub(super) fn why(told: &Value) -> Option<Why> {
    Some(Why {
        // What is no number is written as null.
        observed: told["observed"].as_f64().unwrap_or(f64::NAN),
        expected: told["expected"].as_f64(),
        bound: told["bound"].as_f64(),
        unit: told["unit"].as_str()?.to_owned(),
        text: told["text"].as_str()?.to_owned(),
    })
}
