//! Findings that belong together become one incident.
//!
//! Two findings belong together when they are about the same sender and close in time, or about the same
//! destination group and close in time; belonging together is transitive. The second link joins only
//! findings of severity medium or above: a popular, harmless service collects minor findings from
//! everywhere, and through them would chain the whole network into a single incident.
//!
//! A finding whose sender is not known is linked by its destination only, and one without any instant is an
//! incident of its own. Work is sorting and union-find: O(n log n).

pub use body::{INCIDENT_ADDRESSES_MAX, INCIDENT_OBJECTS_MAX, INCIDENT_QUERIES_MAX};
use outflow_record::Timestamp;
pub use reasons::{INCIDENT_WHY_MAX, reasons};

use crate::order::{gravest_first, risk_then_id, smallest_id_first, sorted};
use crate::{Finding, Incident, Severity};

/// How close in time two findings about one sender must be: a day, so that what works office hours or one
/// night after the other stays one incident.
pub const SENDER_GAP_SECS: i64 = 24 * 3600;

/// How close in time two findings about one destination group must be: three days, so that a weekend does
/// not part them.
pub const DESTINATION_GAP_SECS: i64 = 72 * 3600;

/// The least severity at which two findings are joined by their destination group.
pub const DESTINATION_SEVERITY_MIN: Severity = Severity::Medium;

/// Groups findings into incidents; every finding ends in exactly one, which its `incident` then names.
///
/// Incidents come by risk, the highest first, then by id; findings in the order of their incidents, within
/// each the gravest first. The result does not depend on the order of the input.
///
/// The evidence of an incident of several findings has the query of each as a statement of its own, behind a
/// comment with the finding's id.
///
/// ```
/// use outflow_finding::{Family, Finding, finding_id, group};
/// let findings = ["2026-10-01T08:00", "2026-10-01T20:00", "2026-10-05T08:00"].map(|at| Finding {
///     id: finding_id(&["eni-0a1", at]),
///     interface_id: Some("eni-0a1".to_owned()),
///     first_seen: at.parse().ok(),
///     ..Finding::new(Family::Beacon)
/// });
/// let (incidents, _) = group(findings.to_vec());
/// let sizes: Vec<usize> = incidents.iter().map(|incident| incident.finding_ids.len()).collect();
/// assert_eq!(incidents.len(), 2);
/// assert_eq!(sizes.iter().sum::<usize>(), 3);
/// ```
pub fn group(findings: Vec<Finding>) -> (Vec<Incident>, Vec<Finding>) {
    let findings = sorted(findings, smallest_id_first);
    let mut sets = Sets::new(findings.len());
    link(
        findings.iter().enumerate().filter_map(by_sender),
        SENDER_GAP_SECS,
        &mut sets,
    );
    link(
        findings.iter().enumerate().filter_map(by_destination),
        DESTINATION_GAP_SECS,
        &mut sets,
    );

    let mut members: Vec<Vec<Finding>> = vec![Vec::new(); findings.len()];
    for (at, finding) in findings.into_iter().enumerate() {
        members[sets.smallest(at)].push(finding);
    }
    members.retain(|own| !own.is_empty());

    let mut incidents: Vec<(Incident, Vec<Finding>)> = members.into_iter().map(sum_up).collect();
    incidents.sort_by(|(a, _), (b, _)| risk_then_id(a, b));
    let (incidents, findings): (Vec<_>, Vec<_>) = incidents.into_iter().unzip();
    (incidents, findings.into_iter().flatten().collect())
}

fn sum_up(members: Vec<Finding>) -> (Incident, Vec<Finding>) {
    let mut members = sorted(members, gravest_first);
    let incident = body::incident(&members);
    for member in &mut members {
        member.incident = Some(incident.body.id.clone());
    }
    (incident, members)
}

// A finding's place under one key; the derived order is by key, then by first instant.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Span<'a> {
    key: [Option<&'a str>; 3],
    first: Timestamp,
    last: Timestamp,
    at: usize,
}

fn by_sender((at, finding): (usize, &Finding)) -> Option<Span<'_>> {
    let workload = finding.workload.as_deref();
    let interface = finding
        .interface_id
        .as_deref()
        .filter(|_| workload.is_none());
    workload.or(interface)?;
    span(
        at,
        finding,
        [finding.account_id.as_deref(), workload, interface],
    )
}

fn by_destination((at, finding): (usize, &Finding)) -> Option<Span<'_>> {
    let group = finding.destination.group.as_deref()?;
    if finding.severity < DESTINATION_SEVERITY_MIN {
        return None;
    }
    span(at, finding, [None, None, Some(group)])
}

fn span<'a>(at: usize, finding: &'a Finding, key: [Option<&'a str>; 3]) -> Option<Span<'a>> {
    let first = finding.first_seen.or(finding.last_seen)?;
    let last = finding.last_seen.unwrap_or(first);
    Some(Span {
        key,
        first: first.min(last),
        last: first.max(last),
        at,
    })
}

// In order of first instants, a span that is near none of the spans before it is near none of their
// incident either, and the one that reaches furthest is the nearest of them.
fn link<'a>(spans: impl Iterator<Item = Span<'a>>, gap_secs: i64, sets: &mut Sets) {
    let mut spans: Vec<Span<'a>> = spans.collect();
    spans.sort_unstable();
    let mut reach = Timestamp(i64::MIN);
    for pair in spans.windows(2) {
        let [before, span] = pair else { continue };
        reach = reach.max(before.last);
        if before.key != span.key {
            reach = Timestamp(i64::MIN);
            continue;
        }
        if span.first.secs().saturating_sub(reach.secs()) <= gap_secs {
            sets.join(before.at, span.at);
        } else {
            reach = Timestamp(i64::MIN);
        }
    }
}

// Union-find in which the smallest member stands for its set.
struct Sets {
    parents: Vec<usize>,
}

impl Sets {
    fn new(len: usize) -> Self {
        Self {
            parents: (0..len).collect(),
        }
    }

    fn smallest(&mut self, mut at: usize) -> usize {
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.smallest(a), self.smallest(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

mod body;
mod reasons;
#[cfg(test)]
mod tests;
