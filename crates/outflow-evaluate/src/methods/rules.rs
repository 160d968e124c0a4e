//! Rules with constants.

use std::collections::BTreeMap;

use super::facts::{Facts, hours_of, span_of_hour};
use super::statistics::mean_and_deviation;
use crate::alert::Alert;
use crate::row::Row;

/// Bytes of a record that Tailpipe's detection of transfers asks for, in either direction.
const RECORD_BYTES: f64 = 500_000_000.0;

/// Records by their bytes. The score is their share of the constant, so that one alerts by default.
pub(super) fn tailpipe(facts: &Facts<'_>, eni: u32, rows: &[Row]) -> Vec<Alert> {
    let test = rows
        .iter()
        .filter(|row| row.start >= facts.world.test_start());
    let score = |row: &Row| row.up_bytes.max(row.down_bytes) as f64 / RECORD_BYTES;
    let large = test
        .map(|row| (row, score(row)))
        .filter(|(_, score)| *score >= 0.02);
    let alert = |(row, score): (&Row, f64)| Alert {
        by_default: score > 1.0,
        ..Alert::of("record", eni, (row.start, row.end), score).to(row.peer)
    };
    large.map(alert).collect()
}

/// Hours of seven days.
const PAST: usize = 7 * 24;

/// Hours by port below 1,024 whose bytes deviate from the last seven days by ten standard deviations, in either direction;
/// a port without any deviation is dropped, as the query does.
pub(super) fn panther(facts: &Facts<'_>, eni: u32, rows: &[Row]) -> Vec<Alert> {
    let mut by_port: BTreeMap<u16, Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.port < 1_024) {
        by_port.entry(row.port).or_default().push(row);
    }
    let mut alerts = Vec::new();
    for (port, rows) in by_port {
        let hours = hours_of(facts.world, rows.iter().copied());
        for hour in facts.first_test_day() * 24..hours.len() {
            let (mean, deviation) = mean_and_deviation(&hours[hour - PAST..hour]);
            let score = ((hours[hour] - mean) / deviation).abs();
            if deviation > 0.0 && score >= 3.0 {
                let alert = Alert::of("port", eni, span_of_hour(hour), score);
                alerts.push(Alert {
                    id: format!("{} {port}", alert.id),
                    by_default: score >= 10.0,
                    ..alert
                });
            }
        }
    }
    alerts
}
