//! More than usual to a destination that is established, for days.
//!
//! A ledger explains an established pair up to some multiple of its median, as every pair swings. What stays high is no
//! swing: the median of the last days is compared, which one busy day does not move.

use outflow_finding::{Family, Severity, Why, human_bytes};

use super::Judged;
use super::baseline::{Levels, establishing, level, payload_at};
use super::draft::{Charge, Draft, bounded};
use super::pairs::{AGAIN_DAYS, Census, Pair, Score};
use super::severity::Measure;
use crate::policy::Policy;
use crate::time::Day;
use crate::view::{Entry, View};

/// Active days whose median is compared with the past.
const RECENT: [usize; 3] = [3, 7, 14];

/// The least deviation that a past is taken to have, in eighths of an octave: a fifth.
const SPREAD_MIN: usize = 2;

/// Median deviations above the median that are no swing.
const DEVIATIONS_MIN: u64 = 4;

/// A pair that sends more than it did.
#[derive(Debug)]
pub(super) struct Shift<'p, 'a> {
    day: Day,
    raised: Raised,
    entries: &'p [Entry<'a>],
}

/// By how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Raised {
    first: Day,
    /// Active days that are compared.
    days: usize,
    /// Their median, and that of the past: payload of a day.
    now: u64,
    before: u64,
    /// Tenths of the past's median deviation, between the two.
    tenths: u64,
}

/// Looks at a pair day by day; a shift that stays is told again after [`AGAIN_DAYS`], until it is the past.
pub(super) fn look<'p, 'a>(policy: &Policy, pair: Pair<'p, 'a>, found: &mut Vec<Shift<'p, 'a>>) {
    let rule = &policy.baseline;
    let age = pair.last().slot.day().0 - pair.first().slot.day().0;
    if age < rule.spread_days + rule.quarantine_days {
        return;
    }
    let history = pair.days();
    let mut told: Option<Day> = None;
    for until in 1..=history.len() {
        let day = history[until - 1].0;
        if told.is_some_and(|told| day.0 < told.0 + AGAIN_DAYS) {
            continue;
        }
        let known = &history[..until];
        let of = |days: &usize| raised(policy, known, *days);
        let Some(raised) = RECENT.iter().filter_map(of).max_by_key(|own| own.tenths) else {
            continue;
        };
        told = Some(day);
        found.push(Shift {
            day,
            raised,
            entries: pair.between(raised.first, day),
        });
    }
}

/// By how much the last so many active days exceed the past, if they do.
fn raised(policy: &Policy, history: &[(Day, u64)], days: usize) -> Option<Raised> {
    let recent = &history[history.len().checked_sub(days)?..];
    let first = recent.first()?.0;
    let past = establishing(
        history,
        first,
        policy.baseline.quarantine_days,
        &policy.baseline,
    )?;
    let mut levels = Levels::default();
    past.iter().for_each(|(_, payload)| levels.add(*payload));
    let (middle, spread) = levels.middle_and_spread();
    let mut payloads: Vec<u64> = recent.iter().map(|(_, payload)| *payload).collect();
    payloads.sort_unstable();
    // Of an even number the lower one.
    let now = payloads[(days - 1) / 2];
    let above = level(now).checked_sub(middle)? as u64;
    let tenths = above * 10 / spread.max(SPREAD_MIN) as u64;
    let before = payload_at(middle);
    let is_shift =
        tenths >= DEVIATIONS_MIN * 10 && now.checked_sub(before)? >= policy.bounds.shift_day;
    is_shift.then_some(Raised {
        first,
        days,
        now,
        before,
        tenths,
    })
}

/// The findings: notes, unless a shift is rare among all workload-days before and more than the ledger's own bound.
pub(super) fn judge(
    view: &View<'_>,
    policy: &Policy,
    census: &Census,
    shifts: Vec<Shift<'_, '_>>,
) -> Vec<Judged> {
    let score = |shift: &Shift<'_, '_>| Score {
        day: shift.day,
        workload: shift.entries[0].workload,
        value: shift.raised.tenths,
    };
    let shifts = census.with_rarity(&shifts, score);
    shifts
        .map(|(shift, rarity)| shift.finding(view, policy, census, rarity))
        .collect()
}

impl Shift<'_, '_> {
    fn finding(&self, view: &View<'_>, policy: &Policy, census: &Census, rarity: f64) -> Judged {
        let Raised {
            first,
            days,
            now,
            before,
            tenths,
        } = self.raised;
        let draft = Draft::of(self.entries);
        let entry = &self.entries[0];
        let workload = view.workload(entry.workload);
        let group = view.group_name(entry.group());
        let (more, bound) = (now - before, policy.bounds.shift_day);
        let text = format!(
            "{} of payload a day to {group}, the median of its last {days} active days from {first} on; {} before. That \
             is {} more; the bound is {}",
            human_bytes(now),
            human_bytes(before),
            human_bytes(more),
            human_bytes(bound),
        );
        let volume = Why {
            observed: now as f64,
            expected: Some(before as f64),
            bound: Some(before.saturating_add(bound) as f64),
            unit: "bytes a day".to_owned(),
            text,
        };
        let deviations = tenths / 10;
        let text = format!("that is {deviations} times the median deviation of the days before");
        let swing = bounded(deviations, DEVIATIONS_MIN, "median deviations", text);
        let measure = Measure {
            bits: rarity,
            ..draft.measure(more, policy.bounds.workload.day)
        };
        let is_unusual = census.is_unusual(policy, self.day, rarity);
        let is_grave = more >= policy.bounds.workload.day && measure.up > measure.down;
        let severity = match is_unusual && is_grave {
            true => Severity::Medium,
            false => Severity::Low,
        };
        let charge = Charge {
            family: Family::VolumeShift,
            day: self.day,
            identity: &[&workload.account_id, &workload.unique_name(), &group],
            title: format!(
                "{} a day to {group}, {} before: for {days} active days",
                human_bytes(now),
                human_bytes(before)
            ),
            severity,
            risk: measure.risk(),
            bits: Some(rarity),
            attack: &["T1567", "T1537", "T1048"],
            why: vec![volume, swing, super::ledger::shape_reason(&measure)],
            workload: Some(entry.workload),
        };
        draft.finish(view, charge)
    }
}
