//! Whether OCSF has of an incident what its JSON lines have.

use outflow_finding::{OCSF_EVIDENCES_MAX, OCSF_RELATED_MAX};
use outflow_record::Timestamp;
use serde_json::Value;

use super::{SUMS, Same, same};

/// What OCSF has no attribute for, and has under the keys of JSON lines; what is empty is left out there.
const UNMAPPED: [&str; 12] = [
    "bits",
    "rate_bits",
    "lane",
    "why",
    "coverage",
    "risk_parts",
    "stages",
    "paths",
    "parameters",
    "harmless",
    "history",
    "state",
];

/// Compares the event with the incident and its findings.
pub(super) fn compare(
    event: &Value,
    incident: &Value,
    findings: &[Value],
    wrong: &mut Vec<String>,
) {
    let info = &event["finding_info"];
    let mut pair = |what: &'static str, here: &Value, there: &Value| {
        let (here, there) = (("incident.ocsf.json", here), ("incident.json", there));
        same(wrong, &Same { what, here, there });
    };
    pair("the incident", &info["uid"], &incident["id"]);
    pair("the title", &info["title"], &incident["title"]);
    pair("the message", &event["message"], &incident["title"]);
    pair("the severity", &event["severity_id"], &incident["severity"]);
    pair("the risk", &event["risk_score"], &incident["risk"]);
    let account = &event["cloud"]["account"]["uid"];
    pair("the account", account, &incident["account_id"]);
    for (what, key, told) in [
        ("the beginning", "start_time", "first_seen"),
        ("the end", "end_time", "last_seen"),
    ] {
        pair(what, &event[key], &millis(&incident[told]));
    }
    for key in SUMS {
        pair(key, &event["unmapped"][key], &incident[key]);
    }
    for key in UNMAPPED {
        let told = match &incident[key] {
            Value::Array(all) if all.is_empty() => &Value::Null,
            told => told,
        };
        pair(key, &event["unmapped"][key], told);
    }
    let count = Value::from(findings.len());
    pair(
        "the number of findings",
        &info["related_events_count"],
        &count,
    );
    pair("the description", &info["desc"], &description(incident));
    let related = findings.iter().take(OCSF_RELATED_MAX).map(related);
    let told = info["related_events"].as_array().into_iter().flatten();
    let told: Value = told.map(related_event).collect();
    pair("what is related", &told, &related.collect());
    evidences(event, findings, wrong);
}

/// The reasons of an incident in lines; null without any.
fn description(incident: &Value) -> Value {
    let reasons = incident["why"].as_array().into_iter().flatten();
    let texts: Vec<String> = reasons.map(sentence).collect();
    match texts.is_empty() {
        true => Value::Null,
        false => texts.join("\n").into(),
    }
}

fn sentence(told: &Value) -> String {
    super::reasons::why(told).map_or_else(String::new, |why| why.sentence())
}

/// What of a finding stands among the related events.
fn related(finding: &Value) -> Value {
    let title = finding["title"].as_str().unwrap_or_default();
    let title = match title.trim() {
        "" => &finding["family"],
        _ => &finding["title"],
    };
    serde_json::json!([
        finding["id"],
        finding["family"],
        title,
        finding["severity"],
        millis(&finding["first_seen"]),
        millis(&finding["last_seen"]),
    ])
}

fn related_event(event: &Value) -> Value {
    let keys = [
        "uid",
        "type",
        "title",
        "severity_id",
        "first_seen_time",
        "last_seen_time",
    ];
    keys.iter().map(|key| event[*key].clone()).collect()
}

/// Compares the findings that an event has as its evidences, each whole.
fn evidences(event: &Value, findings: &[Value], wrong: &mut Vec<String>) {
    let evidences = event["evidences"].as_array().map_or(&[][..], Vec::as_slice);
    for (at, finding) in findings.iter().take(OCSF_EVIDENCES_MAX).enumerate() {
        if evidences.get(at).map(|own| &own["data"]) != Some(finding) {
            wrong.push(format!(
                "finding {} is another in `incident.ocsf.json` than in `incident.json`",
                finding["id"]
            ));
        }
    }
}

/// Milliseconds, in which OCSF counts; null for no time.
fn millis(time: &Value) -> Value {
    let at: Option<Timestamp> = time.as_str().and_then(|text| text.parse().ok());
    at.map_or(Value::Null, |at| at.secs().saturating_mul(1_000).into())
}
