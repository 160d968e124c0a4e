//! In which hours of the week a workload is usually quiet.
//!
//! Sums are kept by slots of six hours, and of each slot which ten minutes had traffic. What a slot sent is taken as spread
//! evenly over these: that tells when a host works, and ranks what it does when it does not. No bound goes by it.

use crate::time::{BUCKETS_PER_SLOT, Day, SLOTS_PER_DAY};
use crate::view::Entry;

/// Hours of a day, of a slot and of a week.
const OF_DAY: usize = 24;
const OF_SLOT: usize = OF_DAY / SLOTS_PER_DAY as usize;
const OF_WEEK: usize = 7 * OF_DAY;

/// Ten minutes of an hour.
const BUCKETS: u32 = 6;

const _: () = assert!(BUCKETS as usize * OF_SLOT == BUCKETS_PER_SLOT as usize);

/// Weeks that must be known, and those that are looked back on.
pub(super) const WEEKS_MIN: u32 = 4;
const WEEKS_MAX: u32 = 12;

/// The part of an average hour below which one is quiet: a quarter.
const QUIET_PART: u128 = 4;

/// What a workload sent, hour by hour, on the days on which it did.
#[derive(Debug)]
pub(super) struct Hours(Vec<(Day, [u64; OF_DAY])>);

impl Hours {
    /// Those of entries in any order.
    pub(super) fn of(entries: &[Entry<'_>]) -> Self {
        let mut all: Vec<(Day, [u64; OF_DAY])> = Vec::new();
        let mut slots: Vec<&Entry<'_>> = entries.iter().collect();
        slots.sort_by_key(|entry| entry.slot);
        for entry in slots {
            let day = entry.slot.day();
            if all.last().is_none_or(|(last, _)| *last != day) {
                all.push((day, [0; OF_DAY]));
            }
            if let Some((_, hours)) = all.last_mut() {
                let own = hours.iter_mut().zip(spread(entry));
                own.for_each(|(sum, payload)| *sum = sum.saturating_add(payload));
            }
        }
        Self(all)
    }

    /// The hours of a day that are quiet by the medians of the weeks before its quarantine; nothing, if fewer than
    /// [`WEEKS_MIN`] are known. An hour is quiet if it, the one before and the one behind usually have less than
    /// [`QUIET_PART`] of an average one, so that summer time and jobs that start late make none.
    pub(super) fn quiet(&self, day: Day, quarantine: u32) -> Option<[bool; OF_DAY]> {
        let before = day.0.checked_sub(quarantine)?;
        let weeks = before.checked_sub(self.0.first()?.0.0)? / 7;
        if weeks < WEEKS_MIN {
            return None;
        }
        let weeks = weeks.min(WEEKS_MAX);
        let mut usual = [0u64; OF_WEEK];
        for (weekday, usual) in (0..).zip(usual.chunks_mut(OF_DAY)) {
            let days = (1..=weeks).map(|week| self.day(before - 7 * week + weekday));
            let days: Vec<&[u64; OF_DAY]> = days.collect();
            for (hour, usual) in usual.iter_mut().enumerate() {
                let mut own: Vec<u64> = days.iter().map(|day| day[hour]).collect();
                own.sort_unstable();
                *usual = own[(own.len() - 1) / 2];
            }
        }
        let sum: u128 = usual.iter().map(|own| u128::from(*own)).sum();
        // Weekdays are counted from the first day that is too late to count.
        let midnight = quarantine as usize % 7 * OF_DAY;
        let is_quiet = |hour: usize| {
            let near = [OF_WEEK - 1, 0, 1].map(|by| usual[(midnight + hour + by) % OF_WEEK]);
            let most = near.into_iter().max().unwrap_or(0);
            u128::from(most) * QUIET_PART * (OF_WEEK as u128) < sum
        };
        Some(std::array::from_fn(is_quiet))
    }

    fn day(&self, day: u32) -> &[u64; OF_DAY] {
        const NOTHING: [u64; OF_DAY] = [0; OF_DAY];
        let place = self.0.binary_search_by_key(&Day(day), |(own, _)| *own);
        place.map_or(&NOTHING, |at| &self.0[at].1)
    }
}

/// What of some entries of a day went out in hours that are quiet.
pub(super) fn in_hours(entries: &[Entry<'_>], quiet: &[bool; OF_DAY]) -> u64 {
    let of_entry = |entry: &Entry<'_>| {
        let hours = spread(entry).into_iter().zip(quiet);
        let own = hours.filter(|(_, is_quiet)| **is_quiet);
        own.fold(0, |sum: u64, (payload, _)| sum.saturating_add(payload))
    };
    entries.iter().map(of_entry).fold(0, u64::saturating_add)
}

/// What an entry sent, by hours of its day.
fn spread(entry: &Entry<'_>) -> [u64; OF_DAY] {
    let active = entry.counters.active().max(1);
    let each = entry.counters.up().payload / u64::from(active.count_ones());
    let first = (entry.slot.0 % SLOTS_PER_DAY) as usize * OF_SLOT;
    let mut hours = [0; OF_DAY];
    let mut bits = active;
    for hour in &mut hours[first..first + OF_SLOT] {
        let own = bits & ((1 << BUCKETS) - 1);
        *hour = each * u64::from(own.count_ones());
        bits >>= BUCKETS;
    }
    hours
}

#[cfg(test)]
mod tests;
