//! What a workload's past explains of its traffic to a destination.

use std::collections::VecDeque;

use crate::policy::Baseline;
use crate::time::Day;

/// Payload of one day.
pub(super) type DayPayload = (Day, u64);

/// Active days that are looked back on: a quarter of a year shows what is usual, and judging a long archive takes
/// time in proportion to its length.
pub(super) const ACTIVE_DAYS_MAX: usize = 90;

/// Payload that the past explains on a day: the allowance of an established pair, else zero. Days come in their order, each
/// with the ratchet of the one before.
///
/// A pair is established after some active days spread over some weeks, all of them at least `quarantine` days ago.
/// Its allowance is the median of those days raised by twice their median deviation, at least one octave and at most
/// two (medians resist the very outliers that are looked for), as far as the ratchet lets it grow; or what its season
/// explains, if that is more.
pub(super) fn allowance(
    history: &[DayPayload],
    day: Day,
    (quarantine, rule): (u32, &Baseline),
    ratchet: &mut Ratchet,
) -> u64 {
    let Some(known) = establishing(history, day, quarantine, rule) else {
        return 0;
    };
    let mut levels = Levels::default();
    known.iter().for_each(|(_, payload)| levels.add(*payload));
    let raised = levels.raised();
    let seasonal = season(known, day, raised);
    // What comes each week is no growth.
    match seasonal > raised {
        true => seasonal,
        false => ratchet.hold((day, known), raised, rule.growth_percent),
    }
}

/// Days that a past spans before its allowance is held: three weeks, so that each weekday has its part in the median.
const MATURE_DAYS: u32 = 21;

/// Days of a week.
const WEEK: u32 = 7;

/// Keeps an allowance from growing by more than some percent a week, so that what grows slowly does not make itself usual
/// (the lag of a median stops only who is in a hurry). It may fall at any time.
#[derive(Debug, Default)]
pub(super) struct Ratchet {
    /// What was allowed on the active days of the last two weeks, and on the last one before, in their order.
    held: VecDeque<DayPayload>,
}

impl Ratchet {
    /// As much of an allowance as it may have become since a week ago and longer.
    fn hold(
        &mut self,
        (day, known): (Day, &[DayPayload]),
        allowance: u64,
        growth_percent: u32,
    ) -> u64 {
        let span = known.first().zip(known.last());
        if span.is_none_or(|(first, last)| last.0.0 - first.0.0 < MATURE_DAYS) {
            return allowance;
        }
        let age = |own: &DayPayload| day.0.saturating_sub(own.0.0);
        // Of those that are two weeks old, the last stands for all.
        while self.held.get(1).is_some_and(|own| age(own) >= 2 * WEEK) {
            self.held.pop_front();
        }
        let grown = |own: &DayPayload| grown(own.1, age(own) / WEEK, growth_percent);
        let old = self.held.iter().filter(|own| age(own) >= WEEK);
        let of_a_week = old.clone().filter(|own| age(own) < 2 * WEEK).map(grown);
        let most = of_a_week.max().or_else(|| old.map(grown).next_back());
        let held = most.map_or(allowance, |most| most.min(allowance));
        self.held.push_back((day, held));
        held
    }
}

/// Payload that grows by so many percent a week, for some weeks.
fn grown(payload: u64, weeks: u32, percent: u32) -> u64 {
    // A past is no longer than a quarter of a year where days are active; of gaps beyond, a year is enough.
    (0..weeks.min(52)).fold(payload, |sum, _| {
        let more = u128::from(sum) * u128::from(percent) / 100;
        sum.saturating_add(u64::try_from(more).unwrap_or(u64::MAX))
    })
}

/// Active days of one weekday in a past that make its season: four weeks.
pub(super) const SEASON_DAYS_MIN: usize = 4;

/// What a past explains on a day, if so much is explained on any: more where most days of the same weekday had more, as with
/// a backup that is full on Sundays. Then it is their median, raised likewise. A single weekday that had more explains
/// nothing, nor does any other weekday.
pub(super) fn season(known: &[DayPayload], day: Day, explained: u64) -> u64 {
    let of_weekday = known
        .iter()
        .filter(|(past, _)| (day.0 - past.0).is_multiple_of(7));
    let mut levels: Vec<usize> = of_weekday.map(|(_, payload)| level(*payload)).collect();
    if levels.len() < SEASON_DAYS_MIN {
        return explained;
    }
    levels.sort_unstable();
    // Of an even number the lower one.
    let middle = levels[(levels.len() - 1) / 2];
    if payload_at(middle) <= explained {
        return explained;
    }
    let mut spreads: Vec<usize> = levels.iter().map(|own| own.abs_diff(middle)).collect();
    spreads.sort_unstable();
    let spread = spreads[(spreads.len() - 1) / 2];
    payload_at(middle + (2 * spread).clamp(EIGHTHS, RAISE_MAX))
}

/// Whether a pair is established on a day.
pub(super) fn is_established(history: &[DayPayload], day: Day, rule: &Baseline) -> bool {
    establishing(history, day, rule.quarantine_days, rule).is_some()
}

/// The days that establish a pair on a day, if they do.
pub(super) fn establishing<'h>(
    history: &'h [DayPayload],
    day: Day,
    quarantine: u32,
    rule: &Baseline,
) -> Option<&'h [DayPayload]> {
    let before = day.0.checked_sub(quarantine)?;
    let known = &history[..history.partition_point(|(past, _)| past.0 < before)];
    let known = &known[known.len().saturating_sub(ACTIVE_DAYS_MAX)..];
    let (first, last) = (known.first()?, known.last()?);
    let active = u32::try_from(known.len()).unwrap_or(u32::MAX);
    let is_spread = last.0.0 - first.0.0 >= rule.spread_days;
    (active >= rule.active_days && is_spread).then_some(known)
}

/// Two octaves: where a past swings between two levels, the deviation is their distance, which would excuse far more
/// than it ever saw.
const RAISE_MAX: usize = 2 * EIGHTHS;

/// How many payloads have each level: medians of a growing past without sorting it again.
#[derive(Debug, Clone)]
pub(super) struct Levels {
    counts: [u32; LEVELS],
    len: u32,
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            counts: [0; LEVELS],
            len: 0,
        }
    }
}

impl Levels {
    pub(super) fn add(&mut self, payload: u64) {
        self.counts[level(payload)] += 1;
        self.len += 1;
    }

    /// The median of the payloads, raised by twice their median deviation, at least one octave and at most two; zero
    /// if there is none.
    pub(super) fn raised(&self) -> u64 {
        if self.len == 0 {
            return 0;
        }
        let (middle, spread) = self.middle_and_spread();
        payload_at(middle + (2 * spread).clamp(EIGHTHS, RAISE_MAX))
    }

    /// The median level, and the median deviation from it.
    pub(super) fn middle_and_spread(&self) -> (usize, usize) {
        let counts = self.counts.iter().enumerate();
        let middle = self.median(counts.clone().map(|(_, count)| *count));
        let mut deviations = [0; LEVELS];
        for (level, count) in counts {
            deviations[level.abs_diff(middle)] += count;
        }
        (middle, self.median(deviations.into_iter()))
    }

    /// The place in the middle of counts by place; of two, the lower.
    fn median(&self, counts: impl Iterator<Item = u32>) -> usize {
        let mut before = 0;
        let mut counts = counts;
        let of_middle = counts.position(|count| {
            before += count;
            before > (self.len - 1) / 2
        });
        of_middle.unwrap_or(0)
    }
}

const EIGHTHS: usize = 8;

/// Levels of all payloads.
const LEVELS: usize = 64 * EIGHTHS;

/// Eight times the binary logarithm of a payload, from its leading bits: integers, so that every machine has the
/// same.
pub(super) fn level(payload: u64) -> usize {
    let payload = payload.max(1);
    let octave = payload.ilog2();
    let mantissa = if octave >= 3 {
        payload >> (octave - 3) & 7
    } else {
        payload << (3 - octave) & 7
    };
    octave as usize * EIGHTHS + usize::try_from(mantissa).unwrap_or(0)
}

/// The least payload above a level.
pub(super) fn payload_at(level: usize) -> u64 {
    let (octave, mantissa) = (level / EIGHTHS, level % EIGHTHS);
    let eighths = (8 + mantissa as u128 + 1) << octave.min(100);
    u64::try_from(eighths >> 3).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
