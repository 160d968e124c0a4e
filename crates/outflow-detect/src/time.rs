//! The grid of time: minutes and hours of coverage, buckets of ten minutes, slots of six hours, UTC days.

use std::fmt;

use outflow_record::Timestamp;

/// Seconds of a bucket, the grain at which the watermark closes time.
pub const BUCKET_SECS: i64 = 600;

/// Seconds of a slot, the grain at which pairs are summed. Four make a day: a window of a day moves by slots,
/// so that any burst of up to 18 hours lies whole within some window, also over midnight.
pub const SLOT_SECS: i64 = 21_600;

/// Slots of a day.
pub const SLOTS_PER_DAY: u32 = 4;

/// Buckets of a slot.
pub const BUCKETS_PER_SLOT: u32 = 36;

/// Minutes of an hour.
pub(crate) const MINUTES_PER_HOUR: i64 = 60;

/// Hours of a slot.
pub(crate) const HOURS_PER_SLOT: usize = 6;

/// An hour, counted from 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Hour(pub(crate) u32);

/// A slot, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u32);

/// A UTC day, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Day(pub u32);

impl Hour {
    /// The hour of a minute since 1970; earlier ones are in the first, later ones than the last in the last.
    pub(crate) fn of_minute(minute: i64) -> Self {
        Self(u32::try_from(minute.max(0) / MINUTES_PER_HOUR).unwrap_or(u32::MAX))
    }

    /// Its first minute, counted from 1970.
    pub(crate) fn first_minute(self) -> i64 {
        i64::from(self.0) * MINUTES_PER_HOUR
    }

    /// Its last minute.
    pub(crate) fn last_minute(self) -> i64 {
        self.first_minute() + MINUTES_PER_HOUR - 1
    }
}

impl Slot {
    /// The slot of an instant; instants before 1970 are in the first, later ones than the last in the last.
    pub fn of(secs: i64) -> Self {
        Self(u32::try_from(secs.max(0) / SLOT_SECS).unwrap_or(u32::MAX))
    }

    /// Its first second.
    pub fn start(self) -> i64 {
        i64::from(self.0) * SLOT_SECS
    }

    /// Its hours.
    pub(crate) fn hours(self) -> [Hour; HOURS_PER_SLOT] {
        let first = Hour::of_minute(self.start() / 60).0;
        std::array::from_fn(|at| Hour(first.saturating_add(u32::try_from(at).unwrap_or(u32::MAX))))
    }

    /// The day that it belongs to.
    pub fn day(self) -> Day {
        Day(self.0 / SLOTS_PER_DAY)
    }

    /// The bits, within the slot, of the buckets that a span of time touches.
    pub fn buckets(self, start: i64, end: i64) -> u64 {
        let (first, last) = (self.bucket(start), self.bucket(end.max(start)));
        ((1 << (last - first + 1)) - 1) << first
    }

    /// The bucket of an instant within the slot; that of an earlier one is the first, of a later one the last.
    pub fn bucket(self, secs: i64) -> u32 {
        let bucket = (secs - self.start()).div_euclid(BUCKET_SECS);
        u32::try_from(bucket.max(0)).map_or(BUCKETS_PER_SLOT - 1, |at| at.min(BUCKETS_PER_SLOT - 1))
    }
}

impl Day {
    /// The last that there is: to judge up to it is to judge all.
    pub const LAST: Self = Self(u32::MAX / SLOTS_PER_DAY);

    /// Its first slot.
    pub fn first_slot(self) -> Slot {
        Slot(self.0 * SLOTS_PER_DAY)
    }

    /// Its last slot.
    pub fn last_slot(self) -> Slot {
        Slot(self.0 * SLOTS_PER_DAY + SLOTS_PER_DAY - 1)
    }

    /// Its first second.
    pub fn start(self) -> i64 {
        i64::from(self.0) * 86_400
    }

    /// The first second behind it.
    pub fn end(self) -> i64 {
        (i64::from(self.0) + 1) * 86_400
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = Timestamp(self.start()).date();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}
