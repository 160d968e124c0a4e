//! How many incidents people can look at.

use crate::order::{lane_then_risk, risk_then_id};
use crate::{Family, Finding, Incident, Lane};

/// The part of a budget that a family has: what it may take of all false alarms. Together they are one. Ledgers and shifts,
/// which see most thefts, have half of it; rules of policy are met rarely, and need little.
pub const fn share(family: Family) -> f64 {
    match family {
        Family::VolumeLedger => 0.30,
        Family::VolumeShift => 0.20,
        Family::DnsTunnel => 0.08,
        Family::Beacon | Family::DestinationRare => 0.08,
        Family::VolumeServed | Family::VolumeTotal => 0.03,
        Family::DnsBypass | Family::ProtocolMisuse | Family::StagingRelay => 0.04,
        Family::ConnectionLong | Family::ScanFanout => 0.02,
        Family::PolicyJurisdiction
        | Family::PolicyPath
        | Family::PolicyTelemetry
        | Family::PolicyPort => 0.01,
    }
}

/// What a unit of risk is worth in bits of urgency: it decides between what is equally rare, and where nothing says how rare
/// anything is.
const BITS_PER_RISK: f64 = 0.001;

/// How soon somebody should look, in bits: [`Finding::urgency`], and risk where that does not tell two apart. Risk alone grows
/// with bytes, so that backups stand above every beacon.
pub fn urgency(finding: &Finding) -> f64 {
    finding.urgency.unwrap_or_default() + BITS_PER_RISK * f64::from(finding.risk)
}

/// How many incidents a budget has room for: of each thousand days of an interface so many, and one at least in all.
///
/// ```
/// use outflow_finding::budget_room;
/// assert_eq!([budget_room(1.0, 10), budget_room(1.0, 2_001), budget_room(0.5, 2_001)], [1, 3, 2]);
/// ```
pub fn budget_room(per_thousand: f64, eni_days: u64) -> usize {
    let room = (per_thousand * eni_days as f64 / 1_000.0).ceil().max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least one; what is beyond the largest number is that"
    )]
    let room = room as usize;
    room
}

/// Parts incidents into those that alert and a digest: of each thousand days of an interface, at most so many alert, and
/// one at least in all. Those of most [`urgency`] alert.
///
/// Nothing is dropped. Those that alert come first, each lane by risk.
pub fn part_by_budget(incidents: &mut [Incident], per_thousand: f64, eni_days: u64) {
    let mut ranked: Vec<&mut Incident> = incidents.iter_mut().collect();
    ranked.sort_by(|a, b| {
        let more_urgent = urgency(&b.body).total_cmp(&urgency(&a.body));
        more_urgent.then_with(|| risk_then_id(a, b))
    });
    let room = budget_room(per_thousand, eni_days);
    for (at, incident) in ranked.into_iter().enumerate() {
        let is_within = at < room;
        incident.lane = Some(if is_within { Lane::Alert } else { Lane::Digest });
    }
    incidents.sort_by(lane_then_risk);
}

#[cfg(test)]
mod tests;
