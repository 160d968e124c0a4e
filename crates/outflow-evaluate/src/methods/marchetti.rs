//! Hosts ranked by how far they are from all others and from their own past (Marchetti et al. 2016).

use super::facts::{Facts, days_of, start_of};
use super::statistics::median_and_deviation;
use crate::alert::Alert;
use crate::row::Row;
use crate::world::DAY_SECS;

/// Days of an own past.
const PAST: usize = 14;

/// The least deviation of a logarithm.
const FLOOR: f64 = 0.1;

/// The sum of both distances, of what is above only. Logarithms are taken of the three features, which the source does not
/// say; without them the heaviest host of every day would fill the budget.
pub(super) fn days(facts: &Facts<'_>, eni: u32, rows: &[Row]) -> Vec<Alert> {
    let days: Vec<[f64; 3]> = days_of(facts.world, rows)
        .iter()
        .map(|own| own.features())
        .collect();
    let mut alerts = Vec::new();
    for day in facts.first_test_day()..days.len() {
        let past = &days[day.saturating_sub(PAST)..day];
        let (mut among, mut since) = (0.0, 0.0);
        for at in 0..3 {
            let own: Vec<f64> = past.iter().map(|features| features[at]).collect();
            among += above(days[day][at], facts.population[day][at]);
            since += above(days[day][at], median_and_deviation(&own));
        }
        let score = f64::sqrt(among) + f64::sqrt(since);
        if score >= 3.0 {
            let span = (start_of(day), start_of(day) + DAY_SECS);
            alerts.push(Alert::of("rank", eni, span, score));
        }
    }
    alerts
}

/// The square of the distance above.
fn above(value: f64, (middle, spread): (f64, f64)) -> f64 {
    ((value - middle) / (1.4826 * spread + FLOOR))
        .max(0.0)
        .powi(2)
}
