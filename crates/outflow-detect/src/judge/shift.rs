//! More than usual to a destination that is established, for days.
//!
//! A ledger explains an established pair up to some multiple of its median, as every pair swings. What stays high is no
//! swing: the median of the last days is compared, which one busy day does not move.

use outflow_finding::{Family, Severity, Why, human_bytes};

use super::baseline::{Levels, establishing, level, payload_at};
use super::draft::{Charge, Draft, bounded};
use super::pairs::{AGAIN_DAYS, Census, Pair, Score, of_part};
use super::severity::Measure;
use super::{Judged, Rank, Stratum};
use crate::counters::total;
use crate::policy::Policy;
use crate::time::Day;
use crate::view::{Entry, Group, View};

/// Active days whose median is compared with the past.
const RECENT: [usize; 3] = [3, 7, 14];

/// Other destinations of which a rise in common can be told.
const OTHERS_MIN: usize = 3;

/// Days after which a pair that rises again is news: by then what rose before is its past.
const NEWS_DAYS: u32 = 30;

/// A pair that sends more than it did.
#[derive(Debug)]
pub(super) struct Shift<'p, 'a> {
    day: Day,
    raised: Raised,
    entries: &'p [Entry<'a>],
    /// Whether it is told for the first time since it was as usual.
    is_news: bool,
    /// By how many eighths of an octave what the workload pushes elsewhere rose at the same time.
    common: usize,
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
        let is_news = told.is_none_or(|told| day.0 > told.0 + NEWS_DAYS);
        told = Some(day);
        found.push(Shift {
            day,
            is_news,
            common: 0,
            raised,
            entries: pair.between(raised.first, day),
        });
    }
}

/// Sets how much of each shift of a workload its other uploads share: a host that does nine times as much sends nine times as
/// much everywhere, while a theft raises one. The middle of the rises of all other established destinations to which more is
/// sent than fetched, over as many active days; nothing where there are fewer than [`OTHERS_MIN`] of them, or they fell.
pub(super) fn less_common<'a>(
    policy: &Policy,
    of_workload: &[Entry<'a>],
    shifts: &mut [Shift<'_, 'a>],
) {
    if shifts.is_empty() {
        return;
    }
    let pushed = |pair: &Pair<'_, '_>| {
        let entries = || pair.entries.iter().map(|own| own.counters);
        let up = total(entries().map(|own| own.up().payload));
        up > total(entries().map(|own| own.down().payload))
    };
    let others: Vec<(Group, Vec<(Day, u64)>)> = of_part(of_workload)
        .filter(pushed)
        .map(|pair| (pair.first().group(), pair.days()))
        .collect();
    for shift in shifts {
        let own = shift.entries[0].group();
        let rises = others.iter().filter(|(group, _)| *group != own);
        let mut rises: Vec<i64> = rises
            .filter_map(|(_, days)| rise(policy, days, shift.day, shift.raised.days))
            .collect();
        rises.sort_unstable();
        if rises.len() >= OTHERS_MIN {
            let middle = rises[(rises.len() - 1) / 2];
            shift.common = usize::try_from(middle).unwrap_or(0);
        }
    }
}

/// By how many eighths of an octave the median of the last active days until a day is above that of the past.
fn rise(policy: &Policy, history: &[(Day, u64)], until: Day, days: usize) -> Option<i64> {
    let known = &history[..history.partition_point(|(day, _)| *day <= until)];
    let recent = &known[known.len().checked_sub(days)?..];
    let (first, rule) = (recent.first()?.0, &policy.baseline);
    let past = establishing(known, first, rule.quarantine_days, rule)?;
    let mut levels = [Levels::default(), Levels::default()];
    past.iter().for_each(|(_, payload)| levels[0].add(*payload));
    recent
        .iter()
        .for_each(|(_, payload)| levels[1].add(*payload));
    let [before, now] = levels.map(|own| i64::try_from(own.middle_and_spread().0).unwrap_or(0));
    Some(now - before)
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
    let least = policy.scores.spread_eighths;
    let tenths = above * 10 / (spread as u64).max(least.into());
    let before = payload_at(middle);
    let is_shift = tenths >= u64::from(policy.scores.shift_deviations) * 10
        && now.checked_sub(before)? >= policy.bounds.shift_day;
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
        is_news: shift.is_news,
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
        let least = u64::from(policy.scores.shift_deviations);
        let swing = bounded(deviations, least, "median deviations", text);
        let measure = Measure {
            bits: rarity,
            ..draft.measure(more, policy.bounds.workload.day)
        };
        let is_unusual = census.is_unusual(policy, self.day, rarity);
        // What all uploads of the workload do is expected of this one.
        let expected = payload_at(level(before).saturating_sub(1) + self.common);
        let beyond = now.saturating_sub(expected);
        let is_grave = beyond >= policy.bounds.workload.day && measure.up > measure.down;
        let severity = match is_unusual && is_grave {
            true => Severity::Medium,
            false => Severity::Low,
        };
        let mut why = vec![volume, swing, super::ledger::shape_reason(&measure)];
        why.extend(self.common_reason(expected, beyond));
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
            why,
            workload: Some(entry.workload),
        };
        let octaves = now as f64 / expected.saturating_add(bound).max(1) as f64;
        draft.finish(view, charge).ranked(Rank {
            stratum: Stratum::Plain,
            octaves: Some(octaves.log2().max(0.0)),
        })
    }

    /// What of the rise the workload's other uploads share, if they do.
    fn common_reason(&self, expected: u64, beyond: u64) -> Option<Why> {
        (self.common > 0).then(|| Why {
            observed: beyond as f64,
            expected: Some(expected as f64),
            unit: "bytes a day".to_owned(),
            text: format!(
                "what the workload pushes elsewhere rose by a factor of {:.1} at the same time; beyond that, {} a day are \
                 new",
                (self.common as f64 / 8.0).exp2(),
                human_bytes(beyond)
            ),
            ..Why::default()
        })
    }
}
