//! What a workload's past explains of its traffic to a destination.

use crate::policy::Baseline;
use crate::time::Day;

/// Payload of one day.
pub(super) type DayPayload = (Day, u64);

/// Active days that are looked back on: a quarter of a year shows what is usual, and judging a long archive takes
/// time in proportion to its length.
const ACTIVE_DAYS_MAX: usize = 90;

/// Payload that the past explains on a day: the allowance of an established pair, else zero.
///
/// A pair is established after some active days spread over some weeks, all before the quarantine. Its
/// allowance is the median of those days raised by twice their median deviation, or one octave if that is more
/// (medians resist the very outliers that are looked for).
pub(super) fn allowance(history: &[DayPayload], day: Day, rule: &Baseline) -> u64 {
    let Some(before) = day.0.checked_sub(rule.quarantine_days) else {
        return 0;
    };
    let known = &history[..history.partition_point(|(past, _)| past.0 < before)];
    let known = &known[known.len().saturating_sub(ACTIVE_DAYS_MAX)..];
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return 0;
    };
    let active = u32::try_from(known.len()).unwrap_or(u32::MAX);
    if active < rule.active_days || last.0.0 - first.0.0 < rule.spread_days {
        return 0;
    }
    raised(known.iter().map(|(_, payload)| *payload).collect())
}

/// The median of some days' payload, raised by twice their median deviation or one octave.
pub(super) fn raised(payloads: Vec<u64>) -> u64 {
    let mut levels: Vec<u32> = payloads.into_iter().map(level).collect();
    let middle = median(&mut levels);
    let mut deviations: Vec<u32> = levels.iter().map(|own| own.abs_diff(middle)).collect();
    let spread = median(&mut deviations);
    payload_at(middle + (2 * spread).max(EIGHTHS))
}

const EIGHTHS: u32 = 8;

/// Eight times the binary logarithm of a payload, from its leading bits: integers, so that every machine has the
/// same.
fn level(payload: u64) -> u32 {
    let payload = payload.max(1);
    let octave = payload.ilog2();
    let mantissa = if octave >= 3 {
        payload >> (octave - 3) & 7
    } else {
        payload << (3 - octave) & 7
    };
    octave * EIGHTHS + u32::try_from(mantissa).unwrap_or(0)
}

/// The least payload above a level.
fn payload_at(level: u32) -> u64 {
    let (octave, mantissa) = (level / EIGHTHS, u64::from(level % EIGHTHS));
    let eighths = u128::from(8 + mantissa + 1) << octave.min(100);
    u64::try_from(eighths >> 3).unwrap_or(u64::MAX)
}

fn median(values: &mut [u32]) -> u32 {
    if values.is_empty() {
        return 0;
    }
    values.sort_unstable();
    values[values.len() / 2]
}

#[cfg(test)]
mod tests;
