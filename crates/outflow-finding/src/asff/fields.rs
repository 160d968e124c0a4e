//! What the format has no attribute for.

use std::collections::BTreeMap;

use super::resource::Resources;
use super::{Detail, QUERIES_MAX, text};
use crate::aws::known;
use crate::explanation::{databases_text, known_to, paths_text, stages_text};
use crate::{Finding, Incident, risk_text};

/// Pairs that the format takes. There are fewer: what is listed is limited by [`Detail`] and in an incident.
pub(super) const FIELDS_MAX: usize = 50;

/// Characters of a value. A query that is longer is left out, as half of it would be another query.
pub(super) const VALUE_CHARS_MAX: usize = 2_048;

/// Pairs other than queries, and what says what is left out.
const SHORT_MAX: usize = FIELDS_MAX - QUERIES_MAX - 1;

/// Characters of other values, which are cut.
const SHORT_CHARS_MAX: usize = 512;

/// Numbers, destination, reasons and evidence of an incident.
pub(super) fn of(
    incident: &Incident,
    members: &[&Finding],
    (resources, detail): (&Resources, Detail),
) -> BTreeMap<String, String> {
    let body = &incident.body;
    let mut fields = BTreeMap::new();
    let mut put = |name: &str, value: Option<String>| {
        let value = value.and_then(|value| text(&value, SHORT_CHARS_MAX));
        if let Some(value) = value.filter(|_| fields.len() < SHORT_MAX) {
            fields.insert(format!("outflow/{name}"), value);
        }
    };
    for (name, value) in numbers(incident) {
        put(name, Some(value));
    }
    for (name, value) in explanation(body) {
        put(name, value);
    }
    for (name, value) in names(body) {
        put(name, value.map(str::to_owned));
    }
    for (at, why) in body.why.iter().enumerate() {
        put(&format!("Why/{}", at + 1), Some(why.sentence()));
    }
    for (at, object) in body
        .evidence
        .objects
        .iter()
        .take(detail.objects)
        .enumerate()
    {
        let sha256 = object.sha256.as_deref().unwrap_or("unknown");
        let value = format!("{} sha256={sha256} rows={}", object.uri, object.rows);
        put(&format!("Evidence/{}", at + 1), Some(value));
    }
    let mut queries = 0;
    for own in members.iter().take(detail.queries) {
        let sql =
            known(&own.evidence.sql).filter(|sql| sql.encode_utf16().count() <= VALUE_CHARS_MAX);
        if let Some(sql) = sql.and_then(|sql| text(sql, VALUE_CHARS_MAX)) {
            queries += 1;
            fields.insert(format!("outflow/Sql/{queries}"), sql);
        }
    }
    let queried = members.iter().filter(|own| own.evidence.sql.is_some());
    let objects = body.evidence.objects.len().min(detail.objects) as u64;
    let left_out = [
        (resources.shown.len() < resources.total).then_some("resources"),
        resources.lacks_tags.then_some("tags"),
        (objects < body.evidence.objects_total).then_some("objects"),
        (queries < queried.count()).then_some("queries"),
        (members.len() < incident.finding_ids.len()).then_some("findings"),
    ];
    let left_out: Vec<&str> = left_out.into_iter().flatten().collect();
    if !left_out.is_empty() {
        fields.insert("outflow/LeftOut".to_owned(), left_out.join(", "));
    }
    fields
}

fn numbers(incident: &Incident) -> Vec<(&'static str, String)> {
    let body = &incident.body;
    let mut numbers = vec![
        ("Family", body.family.to_string()),
        ("Risk", body.risk.to_string()),
        ("Bytes", body.bytes.to_string()),
        ("PayloadBytes", body.payload_bytes.to_string()),
        ("Packets", body.packets.to_string()),
        ("Flows", body.flows.to_string()),
        ("Findings", incident.finding_ids.len().to_string()),
        ("Attack", body.attack.join(" ")),
    ];
    let bits = [("Bits", body.bits), ("RateBits", body.rate_bits)];
    numbers.extend(
        bits.into_iter()
            .filter_map(|(name, bits)| Some((name, bits?.to_string()))),
    );
    if let Some(coverage) = &body.coverage {
        numbers.push(("CoverageShare", coverage.share.to_string()));
    }
    if let Some(lane) = incident.lane {
        numbers.push(("Lane", lane.name().to_owned()));
    }
    numbers
}

fn explanation(body: &Finding) -> [(&'static str, Option<String>); 6] {
    let to = &body.destination;
    let parameters = body.parameters.as_ref();
    [
        ("RiskParts", Some(risk_text(&body.risk_parts))),
        ("Stages", stages_text(&body.stages)),
        ("Paths", paths_text(&body.paths)),
        ("Destination/KnownTo", known_to(to)),
        ("Destination/Databases", databases_text(to)),
        (
            "Parameters",
            parameters.map(|own| format!("{} {}", own.version, own.sha256)),
        ),
    ]
}

fn names(body: &Finding) -> [(&'static str, Option<&str>); 11] {
    let (to, sender) = (&body.destination, &body.sender);
    [
        ("AccountId", known(&body.account_id)),
        ("Region", known(&body.region)),
        ("VpcId", known(&body.vpc_id)),
        ("Workload", known(&body.workload)),
        ("Lineage", known(&sender.lineage)),
        ("AvailabilityZoneId", known(&sender.availability_zone_id)),
        ("Destination/Group", known(&to.group)),
        ("Destination/Service", known(&to.service)),
        ("Destination/Vendor", known(&to.vendor)),
        ("Destination/Product", known(&to.product)),
        ("Destination/Country", known(&to.country)),
    ]
}
