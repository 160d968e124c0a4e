//! How evenly connections begin, against chance.

use crate::judge::chance::{lower_tail_bits, rounded};
use crate::judge::pairs::{BUCKETS_PER_DAY, Begins, Begun, day_of};
use crate::rhythm::CELLS;
use crate::time::{BUCKET_SECS, BUCKETS_PER_SLOT, Day};

/// Bits beyond which nothing is claimed: no log is long enough to tell.
const BITS_MAX: f64 = 40.0;

/// Spans of a test: with fewer, their counts vary too little to tell.
const SPANS_MIN: u32 = 6;

/// Intervals of the test for long periods. With more, counts tell as well.
const INTERVALS_MAX: usize = 200;

/// The shortest mean interval, in buckets, whose logarithm does not suffer from buckets being all that is known.
const INTERVAL_MIN: f64 = 12.0;

/// Lengths of spans, in buckets, in which connections of a day are counted: 10 and 30 minutes, 1 and 3 hours.
const DAY_SCALES: [u32; 4] = [1, 3, 6, 18];

/// Parts of a day that are looked at, in slots: where a program changes its pace, a part is more even than all. First slot
/// and length.
const DAY_PARTS: [(u32, u32); 8] = [
    (0, 1),
    (1, 1),
    (2, 1),
    (3, 1),
    (0, 2),
    (1, 2),
    (2, 2),
    (0, 4),
];

/// Days that are looked at for long periods, with lengths of spans in buckets: up to a day.
const LONGER: [(u32, &[u32]); 2] = [(7, &[1, 3, 6, 18, 36, 72]), (30, &[6, 18, 36, 72, 144])];

/// Tests of a day: 8 parts of 4 scales, and 11 scales of the longer spans, each by connections and by the buckets that
/// have some; and 2 of intervals. The best of so many is that much less of a surprise.
const TESTS: f64 = 88.0;

/// The dispersion above which connections come in bursts.
const BURSTY: f64 = 1.3;

/// Connections that begin evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Even {
    /// The evidence against chance.
    pub(super) bits: f64,
    /// Variance of counts over their mean, where chance alone makes 1.
    pub(super) dispersion: f64,
    pub(super) connections: u64,
    /// Length of the spans that were compared.
    pub(super) scale_secs: u64,
    /// Whether they come hours apart and keep no clock.
    pub(super) drifts: bool,
    counted: Counted,
    /// First and last bucket in which connections began.
    span: (u32, u32),
}

impl Even {
    pub(super) fn tenths(&self) -> u64 {
        tenths(self.bits)
    }

    pub(super) fn first_day(&self) -> Day {
        day_of(self.span.0)
    }

    /// From the first to the last of them.
    pub(super) fn length_secs(&self) -> u64 {
        secs((self.span.1 - self.span.0).saturating_add(1))
    }

    /// The mean time from one to the next.
    pub(super) fn period_secs(&self) -> u64 {
        secs(self.span.1 - self.span.0) / (self.connections - 1).max(1)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 400, and not negative"
)]
fn tenths(bits: f64) -> u64 {
    (bits * 10.0).round() as u64
}

fn secs(buckets: u32) -> u64 {
    u64::from(buckets) * BUCKET_SECS.unsigned_abs()
}

/// What is counted of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// Connections.
    Connections,
    /// Cells of new ports, of which a bucket has [`CELLS`].
    Cells,
    /// Buckets in which connections began: where each call is of several connections, their number may vary.
    Buckets,
}

impl Counted {
    /// How many a bucket can have, and which part of it may be filled: what is nearly full can only be even, and a day
    /// that is a third empty fills the rest more than the mean says.
    fn room(self) -> Option<(f64, f64)> {
        match self {
            Self::Connections => None,
            Self::Cells => Some((f64::from(CELLS), 1.0 / 2.0)),
            Self::Buckets => Some((1.0, 1.0 / 6.0)),
        }
    }

    fn of(self, begun: &Begun) -> u64 {
        match self {
            Self::Connections | Self::Cells => u64::from(begun.count),
            Self::Buckets => 1,
        }
    }
}

/// The most surprising evenness of the last of some days, if it has so many bits.
pub(super) fn evenness(days: &[(Day, Option<Begins>)], bits_min: f64) -> Option<Even> {
    let (today, begins) = days.last()?;
    let begins = begins.as_ref()?;
    let midnight = today.0.saturating_mul(BUCKETS_PER_DAY);
    let mut tests: Vec<Even> = Vec::new();
    for (first, slots) in DAY_PARTS {
        let from = midnight.saturating_add(first * BUCKETS_PER_SLOT);
        let until = from.saturating_add(slots * BUCKETS_PER_SLOT);
        let part = between(&begins.all, from, until);
        tests.extend(dispersions(part, begins.are_cells, &DAY_SCALES));
    }
    for (length, scales) in LONGER {
        let Some(past) = last_days(days, *today, length) else {
            continue;
        };
        let counted = dispersions(&past.all, past.are_cells, scales);
        // Intervals of what comes in bursts are of few lengths, too.
        let of_buckets = counted
            .iter()
            .filter(|even| even.counted == Counted::Buckets);
        if of_buckets.clone().all(|even| even.dispersion <= BURSTY) {
            tests.extend(intervals(&past.all));
        }
        tests.extend(counted);
    }
    let best = tests.into_iter().max_by(|a, b| a.bits.total_cmp(&b.bits))?;
    let bits = rounded((best.bits - TESTS.log2()).clamp(0.0, BITS_MAX));
    (bits >= bits_min).then(|| {
        let longest = LONGER
            .map(|(length, _)| length)
            .into_iter()
            .max()
            .unwrap_or(0);
        let past = last_days(days, *today, longest);
        let all = past.as_ref().unwrap_or(begins);
        Even {
            bits,
            drifts: drifts(&all.all),
            ..best
        }
    })
}

/// All tests of counts of a span of time.
fn dispersions(begun: &[Begun], are_cells: bool, scales: &[u32]) -> Vec<Even> {
    let whole = match are_cells {
        true => Counted::Cells,
        false => Counted::Connections,
    };
    let both = [whole, Counted::Buckets].into_iter();
    let tests = both.flat_map(|counted| scales.iter().map(move |scale| (counted, *scale)));
    tests
        .filter_map(|(counted, scale)| dispersion(begun, counted, scale))
        .collect()
}

/// What began within so many days up to one; nothing, if some day is not counted, or there is no other day.
fn last_days(days: &[(Day, Option<Begins>)], today: Day, length: u32) -> Option<Begins> {
    let from = days.partition_point(|(day, _)| day.0 + length <= today.0);
    let past = &days[from..];
    if past.len() < 2 {
        return None;
    }
    let mut all = Begins::default();
    for (_, begins) in past {
        let begins = begins.as_ref()?;
        all.all.extend_from_slice(&begins.all);
        all.are_cells |= begins.are_cells;
    }
    Some(all)
}

fn between(begun: &[Begun], from: u32, until: u32) -> &[Begun] {
    let place = |bucket: u32| begun.partition_point(|own| own.bucket < bucket);
    &begun[place(from)..place(until)]
}

/// How much counts of spans of a scale vary, among those that lie between the first connection and the last.
///
/// For counts by chance, the sum of squared deviations over the mean is chi-squared (Fisher's index of dispersion; the
/// variance to mean ratio is also known as the Fano factor). Counts are whole numbers, which can be equal by chance more
/// easily than the distribution has it: the least step between two sums is added. What has little room in a bucket is
/// more even than that by chance alone, by the part that is filled.
fn dispersion(begun: &[Begun], counted: Counted, scale: u32) -> Option<Even> {
    let (first, last) = (begun.first()?.bucket, begun.last()?.bucket);
    let (from, until) = (first / scale + 1, last / scale);
    let spans = until
        .checked_sub(from)
        .filter(|spans| *spans >= SPANS_MIN)?;
    let within = between(
        begun,
        from.saturating_mul(scale),
        until.saturating_mul(scale),
    );
    let (mut sum, mut squares) = (0u64, 0u64);
    for of_span in within.chunk_by(|a, b| a.bucket / scale == b.bucket / scale) {
        let count: u64 = of_span.iter().map(|own| counted.of(own)).sum();
        sum += count;
        squares += count * count;
    }
    if sum < u64::from(spans) {
        return None;
    }
    let (spans_, sum_) = (f64::from(spans), sum as f64);
    let mean = sum_ / spans_;
    let (room, filled_max) = counted.room().unwrap_or((f64::INFINITY, 1.0));
    let filled = mean / (room * f64::from(scale));
    if filled > filled_max {
        return None;
    }
    let deviations = ((squares as f64 - sum_ * mean) / mean).max(0.0);
    let chi_squared = (deviations + 2.0 / mean) / (1.0 - filled);
    Some(Even {
        bits: lower_tail_bits(chi_squared, spans - 1),
        dispersion: deviations / (spans_ - 1.0) / (1.0 - filled),
        counted,
        connections: begun.iter().map(|own| u64::from(own.count)).sum(),
        scale_secs: secs(scale),
        drifts: false,
        span: (first, last),
    })
}

/// How alike intervals of hours are: for intervals by chance, the difference between the logarithm of their mean and the
/// mean of their logarithms is chi-squared (Moran's test of a Poisson process).
fn intervals(begun: &[Begun]) -> Option<Even> {
    let (first, last) = (begun.first()?.bucket, begun.last()?.bucket);
    let count = begun.len() - 1;
    if count < SPANS_MIN as usize || count > INTERVALS_MAX {
        return None;
    }
    let number = count as f64;
    let mean = f64::from(last - first) / number;
    if mean < INTERVAL_MIN {
        return None;
    }
    // That only buckets are known spreads a length over two of them.
    let ln = |steps: u32| match steps {
        0 | 1 => -0.114,
        _ => f64::from(steps).ln() - 1.0 / (12.0 * f64::from(steps).powi(2)),
    };
    let logarithms: f64 = begun
        .windows(2)
        .map(|two| ln(two[1].bucket - two[0].bucket))
        .sum();
    let difference = (mean.ln() - logarithms / number).max(0.0);
    let correction = 1.0 + (number + 1.0) / (6.0 * number);
    let chi_squared = 2.0 * number * difference / correction;
    let degrees = u32::try_from(count - 1).unwrap_or(u32::MAX);
    // Of equal intervals the difference is nothing, which would be a certainty: as much as buckets hide is added.
    let hidden = number / (6.0 * mean * mean);
    Some(Even {
        bits: lower_tail_bits(chi_squared + hidden, degrees),
        dispersion: (2.0 * difference).min(1.0),
        counted: Counted::Buckets,
        connections: begun.iter().map(|own| u64::from(own.count)).sum(),
        scale_secs: secs(1),
        drifts: false,
        span: (first, last),
    })
}

/// Buckets by which a call may be beside the time that a clock has for it: that of a bucket at either end, and a minute or two.
const BESIDE_MAX: f64 = 2.0;

/// Calls that may be missing, or between others, of a clock's: one in so many.
const IRREGULAR: usize = 10;

/// Whether calls hours apart keep no clock: what a scheduler starts stays where it began, however late a call may be, while a
/// program that sleeps between its calls, by a time that varies, wanders off. Any period is a clock by whose times nine of ten
/// calls come. Of calls less than [`INTERVAL_MIN`] apart, buckets do not tell.
fn drifts(begun: &[Begun]) -> bool {
    let ends = begun.first().zip(begun.last());
    let Some((first, last)) = ends.filter(|_| begun.len() > SPANS_MIN as usize) else {
        return false;
    };
    let (from, length) = (
        f64::from(first.bucket),
        f64::from(last.bucket - first.bucket),
    );
    let steps = begun.len() - 1;
    if length / (steps as f64) < INTERVAL_MIN {
        return false;
    }
    let some = begun.len() / IRREGULAR;
    let is_clock = |steps: usize| {
        let period = length / steps as f64;
        let is_beside = |own: &&Begun| {
            let turns = (f64::from(own.bucket) - from) / period;
            (turns - turns.round()).abs() * period > BESIDE_MAX
        };
        begun.iter().filter(is_beside).count() <= some
    };
    // As many as there are, some that are missing, or some between others.
    let fewest = steps.saturating_sub(some).max(1);
    !(fewest..=steps + some).any(is_clock)
}

#[cfg(test)]
mod tests;
