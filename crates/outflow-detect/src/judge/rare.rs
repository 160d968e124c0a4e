//! First meetings that are rarer than those that a network has every day.
//!
//! Every workload meets new destinations. How rare a meeting is, is counted, not assumed: among the workload-days of the
//! five weeks before, how many had one at least as new, to a destination that as few know, with at least as much payload?
//! While a log is young, every meeting is new and none is rare (the missing mass of Good and Turing), so the family is
//! silent by itself until it has seen enough.

use std::collections::{BTreeMap, VecDeque};

use outflow_finding::{Family, Severity, Why, human_bytes};

use super::Judged;
use super::chance::rounded;
use super::draft::{Charge, Draft, bounded};
use super::pairs::{Census, Meeting, of_part};
use crate::policy::Policy;
use crate::time::Day;
use crate::view::{Entry, View};

/// Payload of a first day below which nothing was said.
const PAYLOAD_MIN: u64 = 1_000;

/// Days that are looked back on.
const DAYS: u32 = 35;

/// To whom a destination is new: to the workload alone, to its account, to all.
const NOVELTIES: usize = 3;
/// Numbers of workloads that know it, by octave; the first are the fewest.
const PREVALENCES: usize = 8;
/// Payload of the first day, by octave from [`PAYLOAD_MIN`] on.
const PAYLOADS: usize = 24;

const CELLS: usize = NOVELTIES * PREVALENCES * PAYLOADS;

/// How new, how rare and how heavy a meeting is; each the greater, the more surprising.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    novelty: usize,
    rarity: usize,
    payload: usize,
}

impl Kind {
    fn cell(self) -> usize {
        (self.novelty * PREVALENCES + self.rarity) * PAYLOADS + self.payload
    }
}

/// A meeting that stands out.
#[derive(Debug, Clone, Copy)]
struct Rare {
    meeting: Meeting,
    kind: Kind,
    prevalence: usize,
    /// Workload-days before it, and how many of them had a meeting like it.
    days: u64,
    alike: u64,
    bits: f64,
}

/// Findings of first meetings, one for each.
pub(super) fn judge(
    view: &View<'_>,
    policy: &Policy,
    census: &Census,
    chosen: &[Vec<Entry<'_>>],
) -> Vec<Judged> {
    let rare = stand_out(view, policy, census);
    if rare.is_empty() {
        return Vec::new();
    }
    let mut by_pair: BTreeMap<_, Rare> = BTreeMap::new();
    for own in rare {
        by_pair.insert((own.meeting.workload, own.meeting.group), own);
    }
    let pairs = chosen.iter().flat_map(|entries| of_part(entries));
    let told = pairs.filter_map(|pair| {
        let own = by_pair.get(&(pair.first().workload, pair.first().group()))?;
        let entries = pair.between(own.meeting.day, own.meeting.day);
        Some(finding(view, policy, own, entries))
    });
    told.collect()
}

/// The meetings that are as rare as policy asks for.
fn stand_out(view: &View<'_>, policy: &Policy, census: &Census) -> Vec<Rare> {
    let bits_min = f64::from(policy.scores.rare);
    if !any_could_tell(census, bits_min) {
        return Vec::new();
    }
    let mut by_day: BTreeMap<Day, Vec<(Meeting, Kind, usize)>> = BTreeMap::new();
    for of_group in census.meetings().chunk_by(|a, b| a.group == b.group) {
        for (meeting, kind, prevalence) in kinds(view, of_group) {
            by_day
                .entry(meeting.day)
                .or_default()
                .push((meeting, kind, prevalence));
        }
    }
    let mut past = Past::default();
    let mut rare = Vec::new();
    for (day, active) in census.active() {
        past.forget(*day);
        let today = by_day.remove(day).unwrap_or_default();
        if !today.is_empty() && past.could_tell(bits_min) {
            let at_least = past.at_least();
            for (meeting, kind, prevalence) in &today {
                let alike = at_least[kind.cell()];
                let bits = bits(alike, past.days);
                if bits >= bits_min && policy.is_rare(*prevalence, census.workloads(*day)) {
                    rare.push(Rare {
                        meeting: *meeting,
                        kind: *kind,
                        prevalence: *prevalence,
                        days: past.days,
                        alike,
                        bits,
                    });
                }
            }
        }
        past.add(*day, *active, today.iter().map(|(_, kind, _)| *kind));
    }
    rare
}

/// Whether any day has so many workload-days before it that something of it could have so many bits. A log of a few days has
/// none, and millions of meetings.
fn any_could_tell(census: &Census, bits_min: f64) -> bool {
    let mut past = Past::default();
    census.active().iter().any(|(day, active)| {
        past.forget(*day);
        let could = past.could_tell(bits_min);
        past.add(*day, *active, std::iter::empty());
        could
    })
}

fn bits(alike: u64, days: u64) -> f64 {
    let share = (1 + alike) as f64 / (1.0 + days as f64);
    rounded((-share.log2()).max(0.0))
}

/// The kinds of a group's meetings, which come in the order of days. Who meets it on the same day knows it together: what
/// is rolled out is not rare.
fn kinds(view: &View<'_>, of_group: &[Meeting]) -> Vec<(Meeting, Kind, usize)> {
    let account = |meeting: &Meeting| view.workload(meeting.workload).account_id.as_str();
    let mut known = 0usize;
    let mut all = Vec::new();
    for of_day in of_group.chunk_by(|a, b| a.day == b.day) {
        let before = &of_group[..known];
        known += of_day.len();
        for meeting in of_day.iter().filter(|own| own.payload >= PAYLOAD_MIN) {
            let novelty = match before {
                [] => 2,
                known if known.iter().all(|own| account(own) != account(meeting)) => 1,
                _ => 0,
            };
            let octave = known.ilog2() as usize;
            let payload = (meeting.payload / PAYLOAD_MIN).ilog2() as usize;
            let kind = Kind {
                novelty,
                rarity: PREVALENCES - 1 - octave.min(PREVALENCES - 1),
                payload: payload.min(PAYLOADS - 1),
            };
            all.push((*meeting, kind, known));
        }
    }
    all
}

/// Meetings and workload-days of the days looked back on.
#[derive(Debug)]
struct Past {
    counts: [u64; CELLS],
    days: u64,
    recent: VecDeque<(Day, u64, Vec<Kind>)>,
}

impl Default for Past {
    fn default() -> Self {
        Self {
            counts: [0; CELLS],
            days: 0,
            recent: VecDeque::new(),
        }
    }
}

impl Past {
    fn add(&mut self, day: Day, active: u64, kinds: impl Iterator<Item = Kind>) {
        let kinds: Vec<Kind> = kinds.collect();
        for kind in &kinds {
            self.counts[kind.cell()] += 1;
        }
        self.days += active;
        self.recent.push_back((day, active, kinds));
    }

    /// Drops what is too old on a day.
    fn forget(&mut self, today: Day) {
        while let Some((day, ..)) = self.recent.front()
            && day.0 + DAYS < today.0
        {
            if let Some((_, active, kinds)) = self.recent.pop_front() {
                self.days -= active;
                for kind in kinds {
                    self.counts[kind.cell()] -= 1;
                }
            }
        }
    }

    /// Whether anything could have so many bits.
    fn could_tell(&self, bits_min: f64) -> bool {
        bits(0, self.days) >= bits_min
    }

    /// By cell, how many meetings were at least as surprising in every way.
    fn at_least(&self) -> [u64; CELLS] {
        let mut sums = self.counts;
        for (step, len) in [
            (1, PAYLOADS),
            (PAYLOADS, PREVALENCES),
            (PAYLOADS * PREVALENCES, NOVELTIES),
        ] {
            for cell in (0..CELLS).rev() {
                if cell / step % len + 1 < len {
                    sums[cell] += sums[cell + step];
                }
            }
        }
        sums
    }
}

fn finding(view: &View<'_>, policy: &Policy, own: &Rare, entries: &[Entry<'_>]) -> Judged {
    let draft = Draft::of(entries);
    let workload = view.workload(own.meeting.workload);
    let (place, group) = (draft.place(view), view.group_name(own.meeting.group));
    let sent = human_bytes(own.meeting.payload);
    let new_to = match own.kind.novelty {
        0 => "this workload",
        1 => "this account",
        _ => "all accounts",
    };
    let text = format!(
        "{sent} of payload on the first day to a destination that is new to {new_to}; of {} workload-days before, {} had \
         a meeting at least as new, as rare and as heavy",
        own.days, own.alike
    );
    let rarity = Why {
        observed: own.bits,
        bound: Some(f64::from(policy.scores.rare)),
        unit: "bits".to_owned(),
        text,
        ..Why::default()
    };
    let known = own.prevalence as u64;
    let text = format!("{known} workloads had sent to this destination by then");
    let prevalence = Why {
        bound: None,
        ..bounded(known, 0, "workloads", text)
    };
    let measure = super::severity::Measure {
        bits: own.bits,
        ..draft.measure(own.meeting.payload, policy.bounds.workload.day)
    };
    let severity = if measure.up > measure.down {
        Severity::Medium
    } else {
        Severity::Low
    };
    let charge = Charge {
        family: Family::DestinationRare,
        day: own.meeting.day,
        identity: &[&workload.account_id, &workload.unique_name(), &group],
        title: format!("first payload to {place}, new to {new_to}: {sent}"),
        severity,
        risk: measure.risk(),
        bits: Some(own.bits),
        attack: &["T1583", "T1584", "T1071"],
        why: vec![rarity, prevalence, super::ledger::shape_reason(&measure)],
        workload: Some(own.meeting.workload),
    };
    draft.finish(view, charge)
}
