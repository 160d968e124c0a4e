//! Robust deviations of an interface's daily egress from its own past.

use super::facts::{Facts, days_of, start_of};
use super::statistics::median_and_deviation;
use crate::alert::Alert;
use crate::row::Row;
use crate::world::DAY_SECS;

/// Days that are looked back on.
const PAST: usize = 28;

/// The least deviation of a logarithm: a fifth, as bytes swing by that much anyway.
const FLOOR: f64 = 0.2;

/// How many median deviations (as standard deviations) a day's logarithm is above its median.
pub(super) fn daily(facts: &Facts<'_>, eni: u32, rows: &[Row]) -> Vec<Alert> {
    let days: Vec<f64> = days_of(facts.world, rows)
        .iter()
        .map(|own| (1.0 + own.bytes as f64).ln())
        .collect();
    let mut alerts = Vec::new();
    for day in facts.first_test_day()..days.len() {
        let (middle, spread) = median_and_deviation(&days[day.saturating_sub(PAST)..day]);
        let score = (days[day] - middle) / (1.4826 * spread + FLOOR);
        if score >= 1.0 {
            let span = (start_of(day), start_of(day) + DAY_SECS);
            alerts.push(Alert {
                by_default: score >= 3.5,
                ..Alert::of("robust", eni, span, score)
            });
        }
    }
    alerts
}
