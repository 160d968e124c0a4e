//! How many incidents people can look at.

use crate::order::risk_then_id;
use crate::{Incident, Lane};

/// Parts incidents into those that alert and a digest: of each thousand days of an interface, at most so many alert, and
/// one at least in all. Those alert whose kind is met least often ([`crate::Finding::rate_bits`]), then those of most risk.
///
/// Nothing is dropped. In the order of the incidents, those that alert come first.
pub fn part_by_budget(incidents: &mut [Incident], per_thousand: f64, eni_days: u64) {
    let mut ranked: Vec<&mut Incident> = incidents.iter_mut().collect();
    let bits = |incident: &Incident| incident.body.rate_bits.unwrap_or_default();
    ranked.sort_by(|a, b| bits(b).total_cmp(&bits(a)).then_with(|| risk_then_id(a, b)));
    let room = (per_thousand * eni_days as f64 / 1_000.0).ceil().max(1.0);
    for (at, incident) in ranked.into_iter().enumerate() {
        let lane = if (at as f64) < room {
            Lane::Alert
        } else {
            Lane::Digest
        };
        incident.lane = Some(lane);
    }
    incidents.sort_by(|a, b| {
        let is_digest = |of: &Incident| of.lane == Some(Lane::Digest);
        is_digest(a)
            .cmp(&is_digest(b))
            .then_with(|| risk_then_id(a, b))
    });
}

#[cfg(test)]
mod tests;
