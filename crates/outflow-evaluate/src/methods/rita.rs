//! Beacons, long connections, prevalence and first meetings, as RITA 5 scores a day of connections.

use std::collections::BTreeMap;

use super::facts::{Facts, day_of, start_of};
use super::statistics::{floor, quantile};
use super::subdomains;
use crate::alert::Alert;
use crate::row::Row;
use crate::world::{Asked, DAY_SECS};

/// Connections of a pair and a day above which it is a strobe.
const STROBE: usize = 86_400;

/// The score from which a threat is called high.
const HIGH: f64 = 0.6;

/// Bins of a day.
const BINS: usize = 24;

/// A connection, put together from the rows of its windows.
#[derive(Debug, Clone, Copy)]
struct Connection {
    start: u32,
    secs: u32,
    bytes: u64,
}

/// Pairs and days by the final score: the greatest threat and its modifiers.
pub(super) fn days(facts: &Facts<'_>, eni: u32, rows: &[Row]) -> Vec<Alert> {
    let test = rows
        .iter()
        .filter(|row| !row.served && row.start >= facts.world.test_start());
    let mut by_pair: BTreeMap<(u32, u32), Vec<&Row>> = BTreeMap::new();
    let mut met: BTreeMap<u32, u32> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.served) {
        met.entry(row.peer).or_insert_with(|| day_of(row));
    }
    for row in test {
        by_pair
            .entry((day_of(row), row.peer))
            .or_default()
            .push(row);
    }
    let mut alerts = Vec::new();
    for ((day, peer), rows) in by_pair {
        let threat = threat(&connections(&rows), start_of(day as usize));
        if threat == 0.0 {
            continue;
        }
        let (hosts, others_first) = facts.prevalence(peer, eni, day);
        let first = others_first.unwrap_or(day).min(met[&peer]);
        let share = hosts as f64 / f64::from(facts.world.config().enis);
        let score =
            threat + modifier(share, 0.02, 0.5) + modifier(f64::from(day - first), 7.0, 30.0);
        if score >= 0.4 {
            let start = start_of(day as usize);
            let alert = Alert::of("threat", eni, (start, start + DAY_SECS), score).to(peer);
            alerts.push(Alert {
                by_default: score >= HIGH,
                ..alert
            });
        }
    }
    alerts
}

/// Domains and days by how many different names were asked for below: the threat of command and control over DNS, which
/// is one tool's and not of flows. That nobody connected to what was resolved raises it; names that only ask lead nowhere.
pub(super) fn names(facts: &Facts<'_>, eni: u32, asked: &[Asked]) -> Vec<Alert> {
    let mut alerts = subdomains::days(facts, eni, asked);
    for alert in &mut alerts {
        alert.score = bucketed(alert.score, [100.0, 500.0, 800.0, 1_000.0]) + 0.15;
        alert.by_default = alert.score >= HIGH;
    }
    alerts.retain(|alert| alert.score >= 0.3);
    alerts
}

/// What is little raises the score, what is much lowers it.
fn modifier(value: f64, little: f64, much: f64) -> f64 {
    match value {
        value if value <= little => 0.15,
        value if value >= much => -0.15,
        _ => 0.0,
    }
}

/// Rows from one port without a new beginning are one connection.
fn connections(rows: &[&Row]) -> Vec<Connection> {
    let mut open: BTreeMap<(u16, u16, u8), Connection> = BTreeMap::new();
    let mut all = Vec::new();
    for row in rows {
        let key = (row.client_port, row.port, row.protocol);
        let fresh = Connection {
            start: row.start,
            secs: row.end - row.start,
            bytes: row.up_bytes,
        };
        match open.get_mut(&key) {
            Some(known) if !row.begins => {
                known.secs = row.end - known.start;
                known.bytes += row.up_bytes;
            }
            _ => all.extend(open.insert(key, fresh)),
        }
    }
    all.extend(open.into_values());
    all.sort_unstable_by_key(|own| own.start);
    all
}

fn threat(connections: &[Connection], day: u32) -> f64 {
    if connections.len() >= STROBE {
        return 0.8;
    }
    let hours = connections
        .iter()
        .map(|own| u64::from(own.secs))
        .sum::<u64>() as f64
        / 3_600.0;
    let long = bucketed(hours, [1.0, 4.0, 8.0, 12.0]);
    long.max(beacon(connections, day))
}

fn beacon(connections: &[Connection], day: u32) -> f64 {
    let mut times: Vec<u32> = connections.iter().map(|own| own.start).collect();
    times.dedup();
    let mut deltas: Vec<f64> = times
        .windows(2)
        .map(|two| f64::from(two[1] - two[0]))
        .collect();
    if times.len() < 4 || deltas.len() < 3 {
        return 0.0;
    }
    let mut sizes: Vec<f64> = connections.iter().map(|own| own.bytes as f64).collect();
    deltas.sort_unstable_by(f64::total_cmp);
    sizes.sort_unstable_by(f64::total_cmp);
    let (first, last) = (times[0], times[times.len() - 1]);
    let counts = histogram(&times, day);
    let score = evenness(&deltas, 1.0)
        + evenness(&sizes, 0.0)
        + shape(&counts)
        + duration(&counts, f64::from(last - first) / f64::from(DAY_SECS));
    bucketed(score / 4.0 * 100.0, [50.0, 70.0, 90.0, 100.0])
}

/// Symmetry after Bowley, and the median deviation's distance from the median; `of_small` where the median is below one.
fn evenness(sorted: &[f64], of_small: f64) -> f64 {
    let [low, middle, high] = [0.25, 0.5, 0.75].map(|share| quantile(sorted, share));
    let is_degenerate = high - low < 10.0 || middle == low || middle == high;
    let skew = if is_degenerate {
        0.0
    } else {
        (high + low - 2.0 * middle) / (high - low)
    };
    let mut away: Vec<f64> = sorted.iter().map(|value| (value - middle).abs()).collect();
    away.sort_unstable_by(f64::total_cmp);
    let deviation = quantile(&away, 0.5);
    let near = if middle < 1.0 {
        of_small
    } else {
        ((middle - deviation) / middle).max(0.0)
    };
    f64::midpoint(1.0 - skew.abs(), near)
}

fn histogram(times: &[u32], day: u32) -> [u32; BINS] {
    let mut counts = [0; BINS];
    for time in times {
        let bin = (time - day) as usize * BINS / DAY_SECS as usize;
        counts[bin.min(BINS - 1)] += 1;
    }
    counts
}

/// How flat the bins are, or how well two heights describe them.
fn shape(counts: &[u32; BINS]) -> f64 {
    let values = counts.map(f64::from);
    let (mean, deviation) = super::statistics::mean_and_deviation(&values);
    let variation = deviation / mean;
    let flat = if variation > 1.0 {
        0.0
    } else {
        1.0 - variation
    };
    let filled: Vec<f64> = values.into_iter().filter(|value| *value > 0.0).collect();
    if filled.len() < 11 {
        return flat;
    }
    let step = (filled.iter().copied().fold(0.0, f64::max) * 0.05).max(1.0);
    let mut heights: BTreeMap<usize, usize> = BTreeMap::new();
    for value in &filled {
        *heights.entry(floor(value / step)).or_default() += 1;
    }
    let mut common: Vec<usize> = heights.into_values().collect();
    common.sort_unstable_by(|a, b| b.cmp(a));
    let two: usize = common.iter().take(2).sum();
    flat.max((two as f64 / (filled.len() - 1) as f64).min(1.0))
}

/// How much of the day it spans, or its longest run of hours.
fn duration(counts: &[u32; BINS], span: f64) -> f64 {
    if counts.iter().filter(|count| **count > 0).count() < 6 {
        return 0.0;
    }
    let (mut run, mut longest) = (0, 0);
    // Runs go on over the end of the day.
    for count in counts.iter().chain(counts) {
        run = if *count > 0 { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    span.max((f64::from(longest.min(24)) / 12.0).min(1.0))
}

/// A value between the four breakpoints of a threat, as a score up to 0.8; below the first it is no threat.
fn bucketed(value: f64, [base, low, medium, high]: [f64; 4]) -> f64 {
    let within = |from: f64, to: f64, score: f64| score + 0.2 * (value - from) / (to - from);
    match value {
        value if value < base => 0.0,
        value if value < low => within(base, low, 0.2),
        value if value < medium => within(low, medium, 0.4),
        value if value < high => within(medium, high, 0.6),
        _ => 0.8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(secs: u32, bytes: impl Fn(u32) -> u64) -> Vec<Connection> {
        let count = DAY_SECS / secs;
        let one = |at| Connection {
            start: at * secs,
            secs: 1,
            bytes: bytes(at),
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn a_clock_scores_all_but_one_and_office_hours_far_less() {
        assert!(beacon(&every(300, |_| 400), 0) > 0.75);
        let office = every(300, |at| u64::from(at * at % 7_919));
        let office: Vec<Connection> = office
            .into_iter()
            .filter(|own| own.start % 86_400 < 10_800)
            .collect();
        assert!(beacon(&office, 0) < 0.4);
        assert_eq!(beacon(&every(40_000, |_| 1), 0), 0.0);
    }

    #[test]
    fn breakpoints_are_where_the_tool_has_them() {
        for (hours, score) in [
            (0.5, 0.0),
            (1.0, 0.2),
            (4.0, 0.4),
            (8.0, 0.6),
            (12.0, 0.8),
            (30.0, 0.8),
        ] {
            assert!((bucketed(hours, [1.0, 4.0, 8.0, 12.0]) - score).abs() < 1e-9);
        }
    }
}
