//! All that a workload sends, together: what each destination's past explains may still add up to more than ever.
//!
//! The ledgers sum what nothing explains, and a shift is one destination's. Whoever sends a little more to each of many
//! established ones stays below both: within every allowance, which is an octave above the median at least. So the part of a
//! day that is explained is compared with all that the workload used to send, over one, seven and thirty active days. What
//! is not explained is left to the ledgers: of it nothing is told twice.

use std::collections::{BTreeMap, HashMap};

use outflow_finding::{Family, Severity, Why, human_bytes};

use super::charges::{Charges, Unexplained};
use super::shape_reason;
use crate::judge::baseline::{ACTIVE_DAYS_MAX, SEASON_DAYS_MIN, level, payload_at};
use crate::judge::draft::{Charge, Draft, bounded};
use crate::judge::exceedance::{BITS_USUAL, Exceedance};
use crate::judge::pairs::{AGAIN_DAYS, Census};
use crate::judge::severity::Measure;
use crate::judge::{Judged, Rank, Stratum};
use crate::key::FixedState;
use crate::parallel::in_parallel;
use crate::policy::Policy;
use crate::time::Day;
use crate::view::{Entry, View};

/// Active days whose median is compared with the past.
const RECENT: [usize; 3] = [1, 7, 30];

/// What a workload sent on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    workload: u32,
    day: Day,
    /// All payload that it chose to send outside.
    all: u64,
    /// What of it the past, others and policy explain.
    explained: u64,
}

/// Sums up what workloads sent by day. Charges come by workload, in their order.
pub(super) fn by_day(charges: &[Unexplained], workload: impl Fn(&Unexplained) -> u32) -> Vec<Sent> {
    let first = charges.iter().map(|own| own.slot.day().0).min();
    let first = first.unwrap_or(0);
    let mut all: Vec<Sent> = Vec::new();
    // By day, one more than the place of its sum.
    let mut places: Vec<usize> = Vec::new();
    for of_workload in charges.chunk_by(|a, b| workload(a) == workload(b)) {
        let from = all.len();
        for charge in of_workload {
            let day = charge.slot.day();
            let at = (day.0 - first) as usize;
            if places.len() <= at {
                places.resize(at + 1, 0);
            }
            if places[at] == 0 {
                all.push(Sent {
                    workload: workload(charge),
                    day,
                    all: 0,
                    explained: 0,
                });
                places[at] = all.len();
            }
            let own = &mut all[places[at] - 1];
            let explained = charge.payload.saturating_sub(charge.unexplained.week);
            own.all = own.all.saturating_add(charge.payload);
            own.explained = own.explained.saturating_add(explained);
        }
        let own = &mut all[from..];
        own.iter()
            .for_each(|sum| places[(sum.day.0 - first) as usize] = 0);
        own.sort_unstable_by_key(|sum| sum.day);
    }
    all
}

/// How far some days are from the past, in eighths of an octave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Swing {
    /// The level of the past.
    before: u16,
    /// By how much the days are above it.
    rise: i16,
    /// The median deviation of the past; of days that are not above it, nothing.
    spread: u16,
}

/// A day of a workload, compared with what was before.
#[derive(Debug, Clone, Copy)]
struct Row {
    part: u32,
    workload: u32,
    day: Day,
    /// For each of [`RECENT`], if the past is known.
    swings: [Option<Swing>; RECENT.len()],
}

/// The past of a workload as days go by.
#[derive(Debug, Default)]
struct Past {
    /// Levels of its days, in the order of levels.
    sorted: Vec<usize>,
    /// Which days these are.
    from: usize,
    until: usize,
}

impl Past {
    /// Takes in all days before one, and forgets those that are too long ago.
    fn advance(&mut self, days: &[Sent], before: Option<u32>) {
        while let Some(day) = days.get(self.until)
            && before.is_some_and(|before| day.day.0 < before)
        {
            let new = level(day.all);
            let at = self.sorted.partition_point(|own| *own < new);
            self.sorted.insert(at, new);
            self.until += 1;
            if self.sorted.len() > ACTIVE_DAYS_MAX {
                let old = level(days[self.from].all);
                let at = self.sorted.partition_point(|own| *own < old);
                self.sorted.remove(at);
                self.from += 1;
            }
        }
    }

    fn days<'d>(&self, days: &'d [Sent]) -> &'d [Sent] {
        &days[self.from..self.until]
    }

    fn is_known(&self, days: &[Sent], policy: &Policy) -> bool {
        let rule = &policy.baseline;
        let known = self.days(days);
        let ends = known.first().zip(known.last());
        let is_spread =
            ends.is_some_and(|(first, last)| last.day.0 - first.day.0 >= rule.spread_days);
        known.len() >= rule.active_days as usize && is_spread
    }

    /// How far a level is above it. Where days of the same weekday have more than others, these count.
    fn swing(&self, now: usize, weekday: impl Iterator<Item = usize>) -> Swing {
        let mut before = middle(&self.sorted);
        let mut spread = 0;
        if now > before {
            spread = deviation(&self.sorted, before);
            let mut weekday: Vec<usize> = weekday.collect();
            weekday.sort_unstable();
            let usual = middle(&weekday);
            if weekday.len() >= SEASON_DAYS_MIN && usual > before {
                before = usual;
                spread = spread.max(deviation(&weekday, usual));
            }
        }
        let rise = |to: usize| i64::try_from(to).unwrap_or(0);
        Swing {
            before: u16::try_from(before).unwrap_or(u16::MAX),
            rise: i16::try_from(rise(now) - rise(before)).unwrap_or(0),
            spread: u16::try_from(spread).unwrap_or(u16::MAX),
        }
    }
}

/// The one in the middle; of two, the lower.
fn middle(sorted: &[usize]) -> usize {
    let at = sorted.len().saturating_sub(1) / 2;
    sorted.get(at).copied().unwrap_or(0)
}

/// The median deviation from a level.
fn deviation(levels: &[usize], from: usize) -> usize {
    let mut apart: Vec<usize> = levels.iter().map(|own| own.abs_diff(from)).collect();
    apart.sort_unstable();
    middle(&apart)
}

/// The days of a workload, each compared with what was before.
fn rows(policy: &Policy, part: u32, days: &[Sent]) -> Vec<Row> {
    let mut pasts: [Past; RECENT.len()] = std::array::from_fn(|_| Past::default());
    let mut rows = Vec::new();
    for (at, today) in days.iter().enumerate() {
        let mut swings = [None; RECENT.len()];
        for ((past, count), swing) in pasts.iter_mut().zip(RECENT).zip(&mut swings) {
            let Some(recent) = recent(days, at, count) else {
                continue;
            };
            let before = recent[0].day.0.checked_sub(policy.baseline.quarantine_days);
            past.advance(days, before);
            if past.is_known(days, policy) {
                let known = past.days(days).iter();
                // Several days have each weekday.
                let same = known.filter(|own| count == 1 && (today.day.0 - own.day.0) % 7 == 0);
                let weekday = same.map(|own| level(own.all));
                *swing = Some(past.swing(level(usual(recent)), weekday));
            }
        }
        if swings.iter().any(Option::is_some) {
            rows.push(Row {
                part,
                workload: today.workload,
                day: today.day,
                swings,
            });
        }
    }
    rows
}

/// The last so many active days up to one.
fn recent(days: &[Sent], at: usize, count: usize) -> Option<&[Sent]> {
    Some(&days[(at + 1).checked_sub(count)?..=at])
}

/// What is explained of a usual one of some days.
fn usual(days: &[Sent]) -> u64 {
    let mut explained: Vec<u64> = days.iter().map(|own| own.explained).collect();
    explained.sort_unstable();
    let at = explained.len().saturating_sub(1) / 2;
    explained.get(at).copied().unwrap_or(0)
}

/// By how much what the workloads of an account send rose on a day, of each of [`RECENT`]: the middle of all, where they are as
/// many as peers must be. What all of them do is a busy day.
type Common<'v> = BTreeMap<(&'v str, usize), i16>;

fn common<'v>(view: &'v View<'_>, policy: &Policy, of_day: &[Row]) -> Common<'v> {
    let mut rises: BTreeMap<(&str, usize), Vec<i16>> = BTreeMap::new();
    for row in of_day {
        let account = view.workload(row.workload).account_id.as_str();
        for (at, swing) in row.swings.iter().enumerate() {
            if let Some(swing) = swing {
                rises.entry((account, at)).or_default().push(swing.rise);
            }
        }
    }
    rises.retain(|_, own| own.len() >= policy.baseline.peers as usize);
    let middle = rises.into_iter().map(|(of, mut own)| {
        own.sort_unstable();
        (of, own[(own.len() - 1) / 2].max(0))
    });
    middle.collect()
}

/// A day that is told.
struct Rise {
    row: Row,
    /// Which of [`RECENT`].
    at: usize,
    /// Of the rise, what other workloads share.
    common: i16,
    tenths: u64,
    bits: f64,
    tail_bits: f64,
}

/// Tenths of the past's median deviation by which a day exceeds it, beyond what others do as well.
fn tenths(policy: &Policy, swing: Swing, common: i16) -> u64 {
    let above = u64::try_from(swing.rise.saturating_sub(common)).unwrap_or(0);
    let least = u64::from(policy.scores.spread_eighths);
    above * 10 / u64::from(swing.spread).max(least).max(1)
}

/// Tails of deviations fall evenly.
fn deviations(tenths: u64) -> f64 {
    tenths as f64 / 10.0
}

/// The findings, with the part of each workload: days of workloads that are rare among all workload-days before, by the tail.
pub(super) fn judge(
    view: &View<'_>,
    policy: &Policy,
    census: &Census,
    charges: &Charges<'_>,
) -> Vec<(usize, Judged)> {
    let parts: Vec<(u32, &Vec<Sent>)> = (0..).zip(&charges.sent).collect();
    let parts = in_parallel(&parts, |(part, sent)| {
        let workloads = sent.chunk_by(|a, b| a.workload == b.workload);
        workloads
            .flat_map(|days| rows(policy, *part, days))
            .collect::<Vec<Row>>()
    });
    let mut all: Vec<Row> = parts.concat();
    all.sort_unstable_by_key(|row| (row.day, row.workload));
    let mut before: [Exceedance; RECENT.len()] = std::array::from_fn(|_| Exceedance::default());
    let mut told: HashMap<u32, Day, FixedState> = HashMap::default();
    let mut found = Vec::new();
    for of_day in all.chunk_by(|a, b| a.day == b.day) {
        let common = common(view, policy, of_day);
        let of = |row: &Row, at: usize| {
            let account = view.workload(row.workload).account_id.as_str();
            common.get(&(account, at)).copied().unwrap_or(0)
        };
        for row in of_day {
            let is_told = told.get(&row.workload);
            let is_told = is_told.is_some_and(|last| row.day.0 < last.0 + AGAIN_DAYS);
            let best = best(policy, &before, row, |at| of(row, at));
            if let Some(rise) = best.filter(|own| !is_told && own.is_much(policy, charges)) {
                told.insert(row.workload, row.day);
                found.push(rise);
            }
        }
        for (at, before) in before.iter_mut().enumerate() {
            // What goes on counts once.
            let is_news = |row: &&Row| {
                told.get(&row.workload)
                    .is_none_or(|last| *last == row.day || row.day.0 >= last.0 + AGAIN_DAYS)
            };
            let known = of_day.iter().filter(is_news);
            let known = known.filter_map(|row| Some((row, row.swings[at]?)));
            let values: Vec<u64> = known
                .map(|(row, swing)| tenths(policy, swing, of(row, at)))
                .collect();
            let above = values.iter().copied().filter(|value| *value > 0);
            before.extend_quiet(values.iter().filter(|value| **value == 0).count() as u64);
            before.extend(above);
        }
    }
    in_parallel(&found, |rise| {
        let finding = rise.finding(view, policy, census, charges);
        (rise.row.part as usize, finding)
    })
}

/// The rarest of the spans of a day. The best of several questions is that much less of a surprise.
fn best(
    policy: &Policy,
    before: &[Exceedance; RECENT.len()],
    row: &Row,
    common: impl Fn(usize) -> i16,
) -> Option<Rise> {
    let asked = (RECENT.len() as f64).log2();
    let spans = row.swings.iter().enumerate();
    let spans = spans.filter_map(|(at, swing)| Some((at, (*swing)?)));
    let rises = spans.map(|(at, swing)| {
        let common = common(at);
        let tenths = tenths(policy, swing, common);
        Rise {
            row: *row,
            at,
            common,
            tenths,
            bits: (before[at].bits(tenths) - asked).max(0.0),
            tail_bits: (before[at].tail_bits_from(tenths, 1, deviations) - asked).max(0.0),
        }
    });
    let rare = rises.filter(|own| own.tail_bits >= f64::from(policy.scores.total));
    rare.max_by(|a, b| a.tail_bits.total_cmp(&b.tail_bits))
}

impl Rise {
    /// The days that are compared, of the workload's.
    fn recent<'c>(&self, charges: &'c Charges<'_>) -> &'c [Sent] {
        let Row {
            part,
            workload,
            day,
            ..
        } = self.row;
        let sent = charges.sent[part as usize].as_slice();
        let until = sent.partition_point(|own| (own.workload, own.day) <= (workload, day));
        &sent[until.saturating_sub(RECENT[self.at])..until]
    }

    /// What was sent before, and what is expected by what others do.
    fn before(&self) -> (u64, u64) {
        let before = self.row.swings[self.at].map_or(0, |swing| swing.before);
        let common = u16::try_from(self.common).unwrap_or(0);
        let payload = |level: u16| payload_at(usize::from(level));
        (payload(before), payload(before.saturating_add(common)))
    }

    fn beyond(&self, charges: &Charges<'_>) -> u64 {
        usual(self.recent(charges)).saturating_sub(self.before().1)
    }

    fn is_much(&self, policy: &Policy, charges: &Charges<'_>) -> bool {
        self.beyond(charges) >= policy.bounds.total_day
    }

    fn finding(
        &self,
        view: &View<'_>,
        policy: &Policy,
        census: &Census,
        charges: &Charges<'_>,
    ) -> Judged {
        let Row {
            part,
            workload: number,
            day,
            ..
        } = self.row;
        let recent = self.recent(charges);
        let first = recent.first().map_or(day, |own| own.day);
        let all = charges.all_of(part as usize, number).iter();
        let within = all.filter(|own| (first..=day).contains(&own.slot.day()));
        let within: Vec<&Entry<'_>> = within.collect();
        let draft = Draft::of_many(&within, |entry| [*entry]);
        let measure = Measure {
            bits: self.bits,
            ..draft.measure_of_pushed(self.beyond(charges), policy.bounds.total_day)
        };
        let is_unusual = census.is_unusual(policy, day, self.tail_bits);
        let severity = match is_unusual && measure.up > measure.down {
            true => Severity::Medium,
            false => Severity::Low,
        };
        let workload = view.workload(number);
        let (now, days) = (human_bytes(usual(recent)), recent.len());
        let (before, place) = (human_bytes(self.before().0), draft.place(view));
        let why = self.reasons(policy, charges, first);
        let why = why.into_iter().chain([shape_reason(&measure)]);
        let noun = if days == 1 {
            "active day"
        } else {
            "active days"
        };
        let charge = Charge {
            family: Family::VolumeTotal,
            day,
            identity: &[&workload.account_id, &workload.unique_name()],
            title: format!(
                "{now} a day in all to {place}, each explained by itself; {before} before: for {days} {noun}"
            ),
            severity,
            risk: measure.risk(),
            bits: Some(self.bits),
            attack: &["T1048", "T1567", "T1030"],
            why: why.collect(),
            workload: Some(number),
        };
        draft.finish(view, charge).ranked(Rank {
            stratum: Stratum::Plain,
            octaves: Some((self.tail_bits - BITS_USUAL).max(0.0)),
        })
    }

    fn reasons(&self, policy: &Policy, charges: &Charges<'_>, first: Day) -> Vec<Why> {
        let (before, expected) = self.before();
        let recent = self.recent(charges);
        let (now, bound) = (usual(recent), policy.bounds.total_day);
        let text = format!(
            "{} of payload a day in all that the past, others or policy explain, the median of {} active days from {first} \
             on; all that the workload sent was {} a day before. That is {} more; the bound is {}",
            human_bytes(now),
            recent.len(),
            human_bytes(before),
            human_bytes(now.saturating_sub(before)),
            human_bytes(bound),
        );
        let volume = Why {
            observed: now as f64,
            expected: Some(expected as f64),
            bound: Some(expected.saturating_add(bound) as f64),
            unit: "bytes a day".to_owned(),
            text,
        };
        let text = format!(
            "that is {:.1} times the median deviation of the days before; by the tail of what workloads do, one \
             workload-day in 2^{:.0} is as far from its past",
            deviations(self.tenths),
            self.tail_bits
        );
        let rarity = Why {
            observed: self.tail_bits,
            bound: Some(f64::from(policy.scores.total)),
            unit: "bits".to_owned(),
            text,
            ..Why::default()
        };
        let shared = (self.common > 0).then(|| {
            let text = format!(
                "what the workloads of the account send rose by a factor of {:.1} at the same time, the middle of all; {} is \
                 beyond that",
                (f64::from(self.common) / 8.0).exp2(),
                human_bytes(self.beyond(charges))
            );
            bounded(self.beyond(charges), bound, "bytes a day beyond", text)
        });
        [volume, rarity].into_iter().chain(shared).collect()
    }
}

#[cfg(test)]
mod tests;
