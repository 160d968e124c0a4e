//! What the log of an interface covers: a bit for each minute, by hour.
//!
//! A record covers every minute from that of its `start` to that of its `end`, both included, as AWS defines them as
//! the seconds of the first and the last packet. All of it is unions of bits and sums, so that order and grouping
//! of records are free.

use std::collections::BTreeMap;

use outflow_finding::{HourCoverage, Minutes, RowCounts};

use crate::time::{HOURS_PER_SLOT, Hour, MINUTES_PER_HOUR, Slot};

/// Minutes that one record covers at most: AWS aggregates over ten, `start` and `end` may each be a minute off, and
/// windows do not begin with a minute. Of a longer record only the first fifteen count as covered, so that one wrong
/// `end` does not vouch for years; [`RowCounts::overlong`] counts such records.
const RECORD_MINUTES_MAX: i64 = 15;

/// Minutes that no record touches between two that some do, without anything being lost: an interface without
/// traffic in part of a ten-minute window, the longest that AWS has, leaves up to so many. Longer gaps are missing.
pub(crate) const BETWEEN_MINUTES_MAX: i64 = 10;

/// What the log of an interface covers of an hour; bit 0 is its first minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Minutes with a record of traffic.
    pub(crate) ok: u64,
    /// Minutes with a `NODATA` row.
    pub(crate) nodata: u64,
    /// Minutes with a `SKIPDATA` row.
    pub(crate) skipdata: u64,
    /// `SKIPDATA` rows that start in it.
    pub(crate) skipdata_rows: u32,
    /// Records that start in it and came after the watermark had closed their bucket.
    pub(crate) late_rows: u32,
    /// Bytes of those that were accepted, either way.
    pub(crate) late_bytes: u64,
}

impl Marks {
    /// Adds what another place saw.
    pub(crate) fn add(&mut self, other: &Self) {
        self.ok |= other.ok;
        self.nodata |= other.nodata;
        self.skipdata |= other.skipdata;
        self.skipdata_rows = self.skipdata_rows.saturating_add(other.skipdata_rows);
        self.late_rows = self.late_rows.saturating_add(other.late_rows);
        self.late_bytes = self.late_bytes.saturating_add(other.late_bytes);
    }

    /// Adds what another flow log covers of the same interface: what one has lost, the other may have.
    fn add_beside(&mut self, other: &Self) {
        let sure = (self.ok & !self.skipdata) | (other.ok & !other.skipdata);
        self.add(other);
        self.skipdata &= !sure;
    }

    /// Minutes with a row of any kind.
    fn seen(&self) -> u64 {
        self.ok | self.nodata | self.skipdata
    }

    /// Adds these minutes, of which each has one state: what lost records is not vouched for by others.
    fn tell(&self, minutes: u64, out: &mut Minutes) {
        let count = |bits: u64| u64::from((bits & minutes).count_ones());
        out.ok += count(self.ok & !self.skipdata);
        out.nodata += count(self.nodata & !self.ok & !self.skipdata);
        out.skipdata += count(self.skipdata);
    }
}

/// The minutes that a record covers: bits of the hour in which it starts, and of the one behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) hour: Hour,
    pub(crate) minutes: u64,
    /// None but for a record that crosses the full hour.
    pub(crate) next: u64,
    pub(crate) is_overlong: bool,
}

impl Touched {
    /// Those of a record with this first and last second.
    #[inline]
    pub(crate) fn of(start: i64, end: i64) -> Self {
        let first = start.max(0) / 60;
        let span = end.max(0) / 60 - first;
        let hour = Hour::of_minute(first);
        let length = (span + 1).clamp(1, RECORD_MINUTES_MAX);
        let offset = (first - hour.first_minute()).min(MINUTES_PER_HOUR - 1);
        let bits = ((1 << length) - 1) << offset;
        let is_last = hour.0 == u32::MAX;
        Self {
            hour,
            minutes: bits & HOUR,
            // Fifteen minutes from the last of the hour end at bit 73, of which a u64 has not all.
            next: if is_last || offset + length <= MINUTES_PER_HOUR {
                0
            } else {
                (1 << (offset + length - MINUTES_PER_HOUR)) - 1
            },
            is_overlong: span >= RECORD_MINUTES_MAX,
        }
    }

    /// The hour behind, for [`Touched::next`].
    pub(crate) fn next_hour(self) -> Hour {
        Hour(self.hour.0.saturating_add(1))
    }
}

/// All minutes of an hour.
const HOUR: u64 = (1 << MINUTES_PER_HOUR) - 1;

/// What the log of an interface covers, and what kinds of rows it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Watch {
    pub(crate) hours: BTreeMap<Hour, Marks>,
    pub(crate) rows: RowCounts,
}

impl Watch {
    /// Adds to an hour; whether it is new.
    pub(crate) fn add(&mut self, hour: Hour, marks: &Marks) -> bool {
        let before = self.hours.len();
        self.hours.entry(hour).or_default().add(marks);
        self.hours.len() > before
    }

    /// Adds what another flow log covers of the same interface.
    pub(crate) fn add_beside(&mut self, other: &Self) {
        self.rows.add(&other.rows);
        for (hour, marks) in &other.hours {
            self.hours.entry(*hour).or_default().add_beside(marks);
        }
    }

    /// Minutes with a record of traffic, of each hour of a slot.
    pub(crate) fn logged(&self, slot: Slot) -> [u64; HOURS_PER_SLOT] {
        slot.hours()
            .map(|hour| self.hours.get(&hour).map_or(0, |marks| marks.ok))
    }

    /// The first and the last minute with a row, up to a minute.
    pub(crate) fn life(&self, limit: i64) -> Option<(i64, i64)> {
        let (born, gone) = (self.next_seen(0)?, self.last_seen(limit)?);
        (born <= gone).then_some((born, gone))
    }

    fn next_seen(&self, from: i64) -> Option<i64> {
        let mut hours = self.hours.range(Hour::of_minute(from)..);
        hours.find_map(|(hour, marks)| {
            let seen = marks.seen() & from_minute(*hour, from);
            (seen != 0).then(|| hour.first_minute() + i64::from(seen.trailing_zeros()))
        })
    }

    fn last_seen(&self, until: i64) -> Option<i64> {
        let mut hours = self.hours.range(..=Hour::of_minute(until)).rev();
        hours.find_map(|(hour, marks)| {
            let seen = marks.seen() & until_minute(*hour, until);
            (seen != 0).then(|| hour.first_minute() + i64::from(seen.ilog2()))
        })
    }

    /// What became of the minutes from `first` to `last`, which lie within the interface's life up to `limit`.
    pub(crate) fn minutes(&self, first: i64, last: i64, limit: i64) -> Minutes {
        let mut out = Minutes::default();
        if first > last {
            return out;
        }
        let mut gap = |from: i64, to: i64| {
            let within = (to.min(last) - from.max(first) + 1).max(0).unsigned_abs();
            if to - from < BETWEEN_MINUTES_MAX {
                out.between += within;
            } else {
                out.missing += within;
            }
        };
        // Where the gap began that `first` may lie in, and where the one ends that `last` may lie in.
        let mut open = self.last_seen(first).map_or(first, |minute| minute + 1);
        let end = self.next_seen(last).filter(|minute| *minute <= limit);
        let (from, to) = (Hour::of_minute(first), Hour::of_minute(last));
        for (hour, marks) in self.hours.range(from..=to) {
            let wanted = from_minute(*hour, first) & until_minute(*hour, last);
            let mut left = marks.seen() & wanted;
            while left != 0 {
                let start = left.trailing_zeros();
                let length = (left >> start).trailing_ones();
                left &= !(((1 << length) - 1) << start);
                let minute = hour.first_minute() + i64::from(start);
                if open < minute {
                    gap(open, minute - 1);
                }
                open = open.max(minute + i64::from(length));
            }
        }
        if open <= last {
            gap(open, end.map_or(last, |minute| minute - 1));
        }
        for (hour, marks) in self.hours.range(from..=to) {
            marks.tell(
                from_minute(*hour, first) & until_minute(*hour, last),
                &mut out,
            );
            out.skipdata_rows += u64::from(marks.skipdata_rows);
            out.late_rows += u64::from(marks.late_rows);
            out.late_bytes = out.late_bytes.saturating_add(marks.late_bytes);
        }
        out
    }

    /// All of it by hour; hours without any row that follow one another are one item.
    pub(crate) fn by_hour(&self) -> Vec<HourCoverage> {
        let Some((born, gone)) = self.life(i64::MAX) else {
            return Vec::new();
        };
        let of = |from: i64, to: i64| HourCoverage {
            start: outflow_record::Timestamp(from.div_euclid(60) * 3_600),
            hours: (to.div_euclid(60) - from.div_euclid(60) + 1).unsigned_abs(),
            minutes: self.minutes(from.max(born), to.min(gone), gone),
        };
        let (mut out, mut next) = (Vec::new(), born);
        for hour in self.hours.keys() {
            if next < hour.first_minute() {
                out.push(of(next, hour.first_minute() - 1));
            }
            out.push(of(hour.first_minute(), hour.last_minute()));
            next = hour.last_minute() + 1;
        }
        out
    }
}

/// The bits of an hour's minutes from a minute on.
fn from_minute(hour: Hour, minute: i64) -> u64 {
    let before = minute
        .saturating_sub(hour.first_minute())
        .clamp(0, MINUTES_PER_HOUR);
    HOUR & (!0u64 << before)
}

/// The bits of an hour's minutes from one to another, both included.
pub(crate) fn minutes_between(hour: Hour, first: i64, last: i64) -> u64 {
    from_minute(hour, first) & until_minute(hour, last)
}

/// The bits of an hour's minutes up to a minute.
fn until_minute(hour: Hour, minute: i64) -> u64 {
    let behind = minute.saturating_sub(hour.first_minute());
    let up_to = behind.saturating_add(1).clamp(0, MINUTES_PER_HOUR);
    (1 << up_to) - 1
}

#[cfg(test)]
mod tests;
