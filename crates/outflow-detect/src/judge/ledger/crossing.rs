//! When a series of unexplained payload crosses a bound.

use crate::counters::total;
use crate::policy::Horizons;
use crate::time::{Day, SLOTS_PER_DAY, Slot};

/// Days of the longest span.
pub(super) const DAYS_MAX: u32 = 30;

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

/// A crossing: known when its day ends, and charged with the series from a place on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crossing {
    pub(super) day: Day,
    pub(super) horizon: Horizon,
    pub(super) from: usize,
}

/// Unexplained payload in a slot. A day may only be explained by what lies before the span that it is summed in:
/// otherwise what trickles out day by day would come to explain itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Payload {
    /// Unexplained by the days before the last week's.
    pub(super) week: u64,
    /// Unexplained by the days before the last thirty: never less.
    pub(super) month: u64,
}

impl Payload {
    /// Takes away what counts towards the bound of a span; how much that was.
    pub(super) fn charge(&mut self, horizon: Horizon) -> u64 {
        let charged = self.within(horizon);
        self.month = self.month.saturating_sub(charged);
        // Of the greater sum that the week's is a part of, either charge takes the week's part.
        self.week = 0;
        charged
    }

    /// What counts towards the bound of a span.
    pub(super) fn within(self, horizon: Horizon) -> u64 {
        match horizon {
            Horizon::Day | Horizon::Week => self.week,
            Horizon::Month => self.month,
        }
    }
}

/// The crossing of a day by a series that ends with it, of what no ledger has charged yet in the order of slots.
pub(super) fn crossing(
    series: &[(Slot, Payload)],
    day: Day,
    bounds: &Horizons,
) -> Option<Crossing> {
    let since = |days: u32| {
        let first = Day(day.0.saturating_sub(days - 1)).first_slot();
        series.partition_point(|(slot, _)| *slot < first)
    };
    let (horizon, from) = if let Some(from) = day_window(series, since(1), bounds.day) {
        (Horizon::Day, from)
    } else if sum(&series[since(7)..], Horizon::Week) >= bounds.week {
        (Horizon::Week, since(7))
    } else if sum(&series[since(DAYS_MAX)..], Horizon::Month) >= bounds.month {
        (Horizon::Month, since(DAYS_MAX))
    } else {
        return None;
    };
    Some(Crossing { day, horizon, from })
}

/// The start of the first window of four slots that ends in the last day and crosses the bound.
fn day_window(series: &[(Slot, Payload)], start: usize, bound: u64) -> Option<usize> {
    let mut at = start;
    for of_slot in series[start..].chunk_by(|a, b| a.0 == b.0) {
        at += of_slot.len();
        let first = Slot(of_slot[0].0.0.saturating_sub(SLOTS_PER_DAY - 1));
        let from = series[..at].partition_point(|(slot, _)| *slot < first);
        if sum(&series[from..at], Horizon::Day) >= bound {
            return Some(from);
        }
    }
    None
}

fn sum(series: &[(Slot, Payload)], horizon: Horizon) -> u64 {
    total(series.iter().map(|(_, sum)| sum.within(horizon)))
}

#[cfg(test)]
mod tests;
