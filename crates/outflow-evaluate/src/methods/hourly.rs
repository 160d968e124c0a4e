//! Deviations of an interface's hourly egress.

use super::facts::{Facts, hours_of, span_of_hour};
use super::statistics::mean_and_deviation;
use crate::alert::Alert;
use crate::row::Row;

/// Hours of 14 days.
const PAST: usize = 14 * 24;

/// Scores below which nothing is kept: no budget reaches down to them.
const SCORE_MIN: f64 = 3.0;

/// The score at which such rules alert when nobody tunes them.
const DEFAULT: f64 = 3.0;

/// How many standard deviations above the mean of the last 14 days.
pub(super) fn z_score(facts: &Facts<'_>, eni: u32, rows: &[Row]) -> Vec<Alert> {
    let hours = hours_of(facts.world, rows.iter());
    let test = facts.first_test_day() * 24..hours.len();
    let scored = test.map(|hour| {
        let past = &hours[hour.saturating_sub(PAST)..hour];
        let (mean, deviation) = mean_and_deviation(past);
        (hour, (hours[hour] - mean) / deviation.max(1.0))
    });
    alerts("z", eni, scored)
}

/// How many exponentially weighted deviations above the exponentially weighted mean of logarithms.
pub(super) fn ewma(facts: &Facts<'_>, eni: u32, rows: &[Row]) -> Vec<Alert> {
    const ALPHA: f64 = 2.0 / (PAST as f64 + 1.0);
    let hours = hours_of(facts.world, rows.iter());
    let first = facts.first_test_day() * 24;
    let (mut mean, mut variance) = ((1.0 + hours[0]).ln(), 1.0_f64);
    let mut scored = Vec::new();
    for (hour, bytes) in hours.iter().enumerate() {
        let delta = (1.0 + bytes).ln() - mean;
        if hour >= first {
            scored.push((hour, delta / variance.sqrt().max(0.1)));
        }
        mean += ALPHA * delta;
        variance = (1.0 - ALPHA) * (variance + ALPHA * delta * delta);
    }
    alerts("ewma", eni, scored.into_iter())
}

fn alerts(kind: &str, eni: u32, scored: impl Iterator<Item = (usize, f64)>) -> Vec<Alert> {
    // Logarithms of hours deviate less: for them half of it is kept.
    let least = if kind == "ewma" {
        SCORE_MIN / 2.0
    } else {
        SCORE_MIN
    };
    let above = scored.filter(|(_, score)| *score >= least);
    let alert = |(hour, score)| Alert {
        by_default: score >= DEFAULT,
        ..Alert::of(kind, eni, span_of_hour(hour), score)
    };
    above.map(alert).collect()
}
