//! How many incidents people can look at.

use crate::order::{lane_then_risk, risk_then_id};
use crate::{Finding, Incident, Lane};

/// Points of urgency that a bit of rarity within the family is worth: forty bits, the most that any log can tell, are worth
/// as much as all of risk.
const POINTS_PER_BIT: f64 = 2.5;

/// How soon somebody should look: risk, and how rarely its family has told anything as strong ([`Finding::rate_bits`]). Risk
/// alone grows with bytes, so that backups stand above every beacon; rarity alone takes a small surprise for a theft.
pub fn urgency(finding: &Finding) -> f64 {
    f64::from(finding.risk) + POINTS_PER_BIT * finding.rate_bits.unwrap_or_default()
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
    let room = (per_thousand * eni_days as f64 / 1_000.0).ceil().max(1.0);
    for (at, incident) in ranked.into_iter().enumerate() {
        let is_within = (at as f64) < room;
        incident.lane = Some(if is_within { Lane::Alert } else { Lane::Digest });
    }
    incidents.sort_by(lane_then_risk);
}

#[cfg(test)]
mod tests;
