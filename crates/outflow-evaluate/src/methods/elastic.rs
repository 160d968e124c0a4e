//! Sums over three hours by destination, among those of all destinations.

use std::collections::BTreeMap;

use outflow_finding::{Family, Severity};

use super::facts::{BUCKET_SECS, Facts, bucket_of};
use super::statistics::mean_and_deviation;
use crate::alert::{Alert, address};
use crate::row::Row;
use crate::world::WORLD_START;

/// Buckets of a day.
const BUCKETS: u32 = 8;

/// Days that the population is learned from.
const PAST_DAYS: u32 = 14;

/// Deviations below which nothing is kept.
const SCORE_MIN: f64 = 2.0;

/// Destinations whose logarithm of bytes is far above that of all destinations of the last 14 days. The jobs' own anomaly
/// score cannot be had without the product; this ranks as a population of log-normal sums does.
pub(super) fn destinations(facts: &Facts<'_>, added: &[Row]) -> Vec<Alert> {
    let mut sums: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for row in added.iter().filter(|row| !row.served) {
        *sums.entry((bucket_of(row), row.peer)).or_default() += row.up_bytes;
    }
    for (place, sum) in &mut sums {
        *sum += facts.by_peer.get(place).copied().unwrap_or(0);
    }
    let asked = if added.is_empty() {
        &facts.by_peer
    } else {
        &sums
    };
    let mut alerts = Vec::new();
    let first = u32::try_from(facts.first_test_day()).unwrap_or(0) * BUCKETS;
    let mut population: Option<(u32, (f64, f64))> = None;
    for ((bucket, peer), bytes) in asked.range((first, 0)..) {
        let day = bucket / BUCKETS;
        let (mean, deviation) = match population {
            Some((of, known)) if of == day => known,
            _ => {
                let known = of_day(facts, day);
                population = Some((day, known));
                known
            }
        };
        let score = ((1.0 + *bytes as f64).ln() - mean) / deviation.max(0.1);
        if score >= SCORE_MIN {
            alerts.push(alert((*bucket, *peer), score));
        }
    }
    alerts
}

/// The mean and deviation of logarithms over the days before one.
fn of_day(facts: &Facts<'_>, day: u32) -> (f64, f64) {
    let from = day.saturating_sub(PAST_DAYS) * BUCKETS;
    let past = facts.by_peer.range((from, 0)..(day * BUCKETS, 0));
    let logarithms: Vec<f64> = past.map(|(_, bytes)| (1.0 + *bytes as f64).ln()).collect();
    mean_and_deviation(&logarithms)
}

fn alert((bucket, peer): (u32, u32), score: f64) -> Alert {
    let start = WORLD_START + bucket * BUCKET_SECS;
    let addr = address(peer);
    Alert {
        title: String::new(),
        id: format!("sum {bucket} {addr}"),
        score,
        risk: 0.0,
        by_default: score >= 4.0,
        at: start + BUCKET_SECS,
        span: (start, start + BUCKET_SECS),
        enis: Vec::new(),
        peers: vec![peer],
        domains: Vec::new(),
        destination: Some(format!("{}/24", addr.group())),
        family: Family::VolumeShift,
        bits: None,
        severity: Severity::Medium,
    }
}
