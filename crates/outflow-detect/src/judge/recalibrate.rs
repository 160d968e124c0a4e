//! How rarely each family has told something as strong: what makes scores of several families comparable.
//!
//! A risk of 80 means something else in each family: where backups are heavy, volumes reach it each day, and beacons never.
//! So each finding is ranked among those of its own family on earlier days, as a rate for each day of a workload. Later days
//! have no say, nor has the day itself, so that a stream and a batch rank alike.

use std::collections::BTreeMap;

use outflow_finding::{Family, Finding, Severity, adjusted, share};

use super::chance::rounded;
use super::exceedance::{BITS_MAX, Exceedance, tail_bits};
use super::{Judged, Stratum};
use crate::policy::Baseline;
use crate::time::Day;

/// Bits of payload that break ties between findings of one risk.
const PAYLOAD_BITS: u32 = 48;

/// Ranks findings, which are in the order of days, among `active` workloads by day. Days on which nothing can be
/// established yet are left out: there, whatever is regular is told, and would make what follows look common.
pub(super) fn recalibrate(findings: &mut [Judged], active: &BTreeMap<Day, u64>, rule: &Baseline) {
    let began = active.keys().next().copied().unwrap_or_default();
    let from = Day(began.0 + rule.spread_days + rule.quarantine_days);
    let mut strata: BTreeMap<Key, Past> = BTreeMap::new();
    let mut days: BTreeMap<(Day, Key), Vec<usize>> = BTreeMap::new();
    let known = findings.iter_mut().enumerate();
    for (at, judged) in known.filter(|(_, judged)| judged.day >= from) {
        let is_note = judged.finding.severity <= Severity::Low;
        let key = (judged.finding.family, judged.rank.stratum, is_note);
        let past = strata.entry(key).or_insert_with(|| Past::from(from));
        past.catch_up(judged.day, active);
        past.rank(judged, is_note);
        days.entry((judged.day, key)).or_default().push(at);
    }
    for ((day, _), places) in days {
        let tests = active.get(&day).copied().unwrap_or_default();
        discoveries(findings, &places, tests);
    }
}

/// A family, what is compared within it, and whether that is a note.
type Key = (Family, Stratum, bool);

/// Sets at which false discovery rate the findings of a day and a stratum are chosen among so many workloads: what is told of
/// one destination is one test, as it is one event of its day.
fn discoveries(findings: &mut [Judged], places: &[usize], tests: u64) {
    let mut strongest: BTreeMap<String, f64> = BTreeMap::new();
    for at in places {
        let finding = &findings[*at].finding;
        if let Some(bits) = finding.rate_bits {
            let own = strongest.entry(place(finding)).or_default();
            *own = bits.max(*own);
        }
    }
    let p_values: Vec<f64> = strongest.values().map(|bits| (-bits).exp2()).collect();
    let q_values = adjusted(&p_values, tests);
    let q_of: BTreeMap<String, f64> = strongest.into_keys().zip(q_values).collect();
    for at in places {
        let finding = &mut findings[*at].finding;
        let q = finding.rate_bits.and_then(|_| q_of.get(&place(finding)));
        // Four digits are more than ranks tell, and rounding keeps platforms alike.
        finding.q_value = q.map(|q| (q * 10_000.0).round() / 10_000.0);
    }
}

/// The part of a stratum's share that its notes have: what is harmless by its shape must be rarer to be looked at.
const NOTE_SHARE: f64 = 0.125;

/// What a stratum told on earlier days.
#[derive(Debug)]
struct Past {
    before: Exceedance,
    /// How strong the strongest of each place and day were, of what was news, in order.
    octaves: Vec<f64>,
    /// Days before this one are in `before`.
    until: Day,
    /// Workload-days before it.
    days: u64,
    /// Of each destination, the strongest of the day: what many begin to use at once is one event.
    today: BTreeMap<String, (u64, f64)>,
    /// When each destination was told last, and how strong that was: what goes on is one event, until it doubles.
    told: BTreeMap<String, (Day, f64)>,
}

/// Days after which what is told of a destination again is another event.
const NEWS_DAYS: u32 = 30;

impl Past {
    fn from(day: Day) -> Self {
        Self {
            before: Exceedance::default(),
            octaves: Vec::new(),
            until: day,
            days: 0,
            today: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    /// Takes in all days before one.
    fn catch_up(&mut self, day: Day, active: &BTreeMap<Day, u64>) {
        if day == self.until {
            return;
        }
        let passed: u64 = active.range(self.until..day).map(|(_, count)| count).sum();
        let told = std::mem::take(&mut self.today);
        self.before
            .extend_quiet(passed.saturating_sub(told.len() as u64));
        self.before
            .extend(told.values().map(|(strength, _)| *strength));
        for (place, (_, octaves)) in told {
            if self.is_news(&place, octaves) {
                self.octaves.push(octaves);
            }
        }
        self.octaves.sort_unstable_by(f64::total_cmp);
        self.days = self.days.saturating_add(passed);
        self.until = day;
    }

    /// Whether a destination was not told lately, or half as strong; from then on it is known.
    fn is_news(&mut self, place: &str, octaves: f64) -> bool {
        let until = self.until;
        match self.told.get_mut(place) {
            Some((day, known)) if until.0 <= day.0 + NEWS_DAYS && octaves < *known + 1.0 => {
                *day = until;
                false
            }
            Some(known) => {
                *known = (until, octaves);
                true
            }
            None => {
                self.told.insert(place.to_owned(), (until, octaves));
                true
            }
        }
    }

    /// Ranks a finding of the day, unless no day of a workload was seen before.
    fn rank(&mut self, judged: &mut Judged, is_note: bool) {
        let octaves = octaves(judged);
        let finding = &mut judged.finding;
        let value = strength(finding);
        let known = self.today.entry(place(finding)).or_default();
        *known = (value.max(known.0), octaves.max(known.1));
        if self.days > 0 {
            finding.rate_bits = Some(self.before.bits(value));
            let note = if is_note { NOTE_SHARE } else { 1.0 };
            let share = share(finding.family) * judged.rank.stratum.share() * note;
            finding.urgency = Some(rounded(self.tail_bits(octaves) + share.log2()));
        }
    }

    /// How rare something as strong is: counted where it was met, and by an exponential tail beyond.
    fn tail_bits(&self, octaves: f64) -> f64 {
        let days = self.days as f64;
        let excess: f64 = self.octaves.iter().sum();
        let bits = tail_bits(self.octaves.len(), days, (excess, octaves));
        let stronger = self.octaves.len() - self.octaves.partition_point(|own| *own < octaves);
        let counted = (days + 1.0).log2() - (stronger.max(1) as f64).log2();
        let most = if stronger > 0 { counted } else { BITS_MAX };
        bits.clamp(0.0, most)
    }
}

/// How strong a finding is, from nothing up: how often its bound was doubled, if its family does not say otherwise.
fn octaves(judged: &Judged) -> f64 {
    let of_bound = || {
        let why = judged.finding.why.iter();
        let mut bounded =
            why.filter_map(|own| Some(own.observed / own.bound.filter(|bound| *bound > 0.0)?));
        bounded.next().unwrap_or(1.0).max(1.0).log2()
    };
    judged
        .rank
        .octaves
        .unwrap_or_else(of_bound)
        .clamp(0.0, BITS_MAX)
}

/// Where to; if that is not known, who.
fn place(finding: &Finding) -> String {
    let names = [
        &finding.destination.domain,
        &finding.destination.group,
        &finding.workload,
        &finding.interface_id,
    ];
    let name = names.into_iter().flatten().next();
    name.cloned().unwrap_or_default()
}

fn strength(finding: &Finding) -> u64 {
    let payload = finding.payload_bytes.min((1 << PAYLOAD_BITS) - 1);
    u64::from(finding.risk) << PAYLOAD_BITS | payload
}

#[cfg(test)]
mod tests;
