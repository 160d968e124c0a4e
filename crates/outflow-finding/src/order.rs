//! The orders in which incidents and findings are shown.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::{Finding, Incident, Lane, json};

/// The same in an order. Each is moved but once: a finding is most of a kilobyte.
pub(crate) fn sorted<T>(items: Vec<T>, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut places: Vec<usize> = (0..items.len()).collect();
    places.sort_by(|a, b| order(&items[*a], &items[*b]));
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    places
        .into_iter()
        .filter_map(|at| items[at].take())
        .collect()
}

/// The incidents by risk, the highest first, then by id; those of the digest last.
pub(crate) fn by_risk(incidents: &[Incident]) -> Vec<&Incident> {
    let mut ranked: Vec<&Incident> = incidents.iter().collect();
    ranked.sort_by(|a, b| lane_then_risk(a, b));
    ranked
}

/// What alerts first; in each lane by risk, the highest first, then by id.
pub(crate) fn lane_then_risk(a: &Incident, b: &Incident) -> Ordering {
    let is_digest = |of: &Incident| of.lane == Some(Lane::Digest);
    is_digest(a)
        .cmp(&is_digest(b))
        .then_with(|| risk_then_id(a, b))
}

/// By risk, the highest first, then by id.
pub(crate) fn risk_then_id(a: &Incident, b: &Incident) -> Ordering {
    b.body
        .risk
        .cmp(&a.body.risk)
        .then_with(|| a.body.id.cmp(&b.body.id))
}

/// The findings of each incident, the gravest first; under `None` those of no incident.
pub(crate) fn by_incident(findings: &[Finding]) -> BTreeMap<Option<&str>, Vec<&Finding>> {
    let mut members: BTreeMap<Option<&str>, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        members
            .entry(finding.incident.as_deref())
            .or_default()
            .push(finding);
    }
    for group in members.values_mut() {
        group.sort_by(|a, b| gravest_first(a, b));
    }
    members
}

/// The graver finding first: by severity, risk, bits and bytes. Ties are broken by what the findings say,
/// so that findings that compare equal are the same in every output.
pub(crate) fn gravest_first(a: &Finding, b: &Finding) -> Ordering {
    let bits = |finding: &Finding| finding.bits.unwrap_or(f64::NEG_INFINITY);
    b.severity
        .cmp(&a.severity)
        .then_with(|| b.risk.cmp(&a.risk))
        .then_with(|| bits(b).total_cmp(&bits(a)))
        .then_with(|| b.bytes.cmp(&a.bytes))
        .then_with(|| smallest_id_first(a, b))
}

/// By id. Ids are unique unless a detector reports something twice; then what is said decides.
pub(crate) fn smallest_id_first(a: &Finding, b: &Finding) -> Ordering {
    a.id.cmp(&b.id)
        .then_with(|| json::text(a).cmp(&json::text(b)))
}
