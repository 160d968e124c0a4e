//! Volume to a remote host without a history of so much, and ports without a history.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Facts, HOUR_SECS, span_of_hour};
use crate::alert::Alert;
use crate::row::Row;
use crate::world::{DAY_SECS, WORLD_START};

/// Days of a history.
const PAST_DAYS: u32 = 14;

/// How many times the greatest hour of the history.
const TIMES: f64 = 3.0;

/// Bytes of an hour below which nothing is unusual.
const BYTES_MIN: f64 = 100_000_000.0;

/// Hours whose bytes to a remote host exceed its history, and new ports. The score is the hour's share of what is asked for,
/// so that one alerts by default; a new port scores one.
pub(super) fn hours(facts: &Facts<'_>, eni: u32, rows: &[Row]) -> Vec<Alert> {
    let chosen = rows.iter().filter(|row| !row.served);
    let mut by_pair: BTreeMap<u32, BTreeMap<u32, u64>> = BTreeMap::new();
    let mut ports: BTreeMap<u16, u32> = BTreeMap::new();
    let mut alerts = Vec::new();
    for row in chosen {
        let hour = (row.start - WORLD_START) / HOUR_SECS;
        *by_pair
            .entry(row.peer)
            .or_default()
            .entry(hour)
            .or_default() += row.up_bytes;
        let last = ports.insert(row.port, row.start);
        let is_new = last.is_none_or(|last| row.start - last > PAST_DAYS * DAY_SECS);
        if is_new && row.start >= facts.world.test_start() {
            alerts.push(Alert {
                by_default: true,
                ..Alert::of("new port", eni, span_of_hour(hour as usize), 1.0).to(row.peer)
            });
        }
    }
    let first = u32::try_from(facts.first_test_day() * 24).unwrap_or(0);
    for (peer, hours) in by_pair {
        let tested: BTreeSet<u32> = hours.range(first..).map(|(hour, _)| *hour).collect();
        for hour in tested {
            let past = hours.range(hour.saturating_sub(PAST_DAYS * 24)..hour);
            let greatest = past.map(|(_, bytes)| *bytes).max().unwrap_or(0) as f64;
            let score = hours[&hour] as f64 / (greatest * TIMES).max(BYTES_MIN);
            if score >= 0.1 {
                alerts.push(Alert {
                    by_default: score > 1.0,
                    ..Alert::of("volume", eni, span_of_hour(hour as usize), score).to(peer)
                });
            }
        }
    }
    alerts
}
