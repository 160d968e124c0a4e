//! When a series of unexplained payload crosses a bound.

use std::ops::Range;

use crate::policy::Horizons;
use crate::time::{Day, SLOTS_PER_DAY, Slot};

/// The span over which a bound was crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Horizon {
    /// Four slots in a row.
    Day,
    /// Seven UTC days.
    Week,
    /// Thirty UTC days.
    Month,
}

/// A crossing: known when its day ends, and charged with these members of the series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crossing {
    pub(super) day: Day,
    pub(super) horizon: Horizon,
    pub(super) members: Range<usize>,
}

/// Crossings of a series in the order of slots, at most one a day. What one charges counts for no later one,
/// so that each byte is charged once; nothing after a day has influence on it.
pub(super) fn crossings(series: &[(Slot, u64)], bounds: &Horizons) -> Vec<Crossing> {
    let mut found = Vec::new();
    let mut charged = 0;
    let mut end = 0;
    for of_day in series.chunk_by(|a, b| a.0.day() == b.0.day()) {
        let start = end;
        end += of_day.len();
        let day = of_day[0].0.day();
        let since = |days: u32| {
            let first = Day(day.0.saturating_sub(days - 1)).first_slot();
            charged.max(series[..end].partition_point(|(slot, _)| *slot < first))
        };
        let sum = |from: usize| {
            series[from..end]
                .iter()
                .map(|(_, payload)| *payload)
                .sum::<u64>()
        };
        let window = day_window(&series[..end], charged, start, bounds.day);
        let crossing = if let Some(from) = window {
            Some((Horizon::Day, from))
        } else if sum(since(7)) >= bounds.week {
            Some((Horizon::Week, since(7)))
        } else if sum(since(30)) >= bounds.month {
            Some((Horizon::Month, since(30)))
        } else {
            None
        };
        if let Some((horizon, from)) = crossing {
            found.push(Crossing {
                day,
                horizon,
                members: from..end,
            });
            charged = end;
        }
    }
    found
}

/// The start of the first window of four slots that ends in the last day and crosses the bound.
fn day_window(series: &[(Slot, u64)], charged: usize, start: usize, bound: u64) -> Option<usize> {
    let mut at = start;
    for of_slot in series[start..].chunk_by(|a, b| a.0 == b.0) {
        at += of_slot.len();
        let first = Slot(of_slot[0].0.0.saturating_sub(SLOTS_PER_DAY - 1));
        let from = charged.max(series[..at].partition_point(|(slot, _)| *slot < first));
        if series[from..at]
            .iter()
            .map(|(_, payload)| *payload)
            .sum::<u64>()
            >= bound
        {
            return Some(from);
        }
    }
    None
}

#[cfg(test)]
mod tests;
