//! What is sent where the log saw it begin and few ever went: small sums of it are rarer than large ones of anything else.
//!
//! A destination that was met in the first weeks of a log may be as old as anything, and one that a roll-out brings is many
//! workloads' at once. What is left is what nobody has a reason for yet. Its sums over a day, a week and thirty days are ranked
//! among those of all workload-days before, by their tail; what of a day goes out in hours of the week in which a workload is
//! usually quiet is ranked among its like; and what trickles is told below every bound, if it is rare.

use std::collections::{BTreeMap, HashMap};

use outflow_finding::{Family, Severity, Why, human_bytes};

use super::charges::{Charges, Kind, Member, Place};
use super::crossing::{DAYS_MAX, Horizon};
use super::hours::{Hours, WEEKS_MIN, in_hours};
use super::{log2, sanction_reasons, shape_reason};
use crate::counters::total;
use crate::judge::draft::{Charge, Draft, bounded};
use crate::judge::exceedance::{BITS_USUAL, Exceedance};
use crate::judge::pairs::Census;
use crate::judge::severity::Measure;
use crate::judge::{Judged, Rank, Stratum};
use crate::key::FixedState;
use crate::policy::Policy;
use crate::time::Day;
use crate::view::View;

/// Payload of a slot below which it adds nothing to a tail.
const PAYLOAD_MIN: u64 = 20_000;

/// Days of a week.
const WEEK: u32 = 7;

/// What a workload sent to such destinations on a day, and within the days up to it.
#[derive(Debug, Clone, Copy)]
struct Sums {
    workload: u32,
    day: u64,
    week: u64,
    month: u64,
    /// The month without its greatest day: what one large upload is, is none of it.
    trickle: u64,
    /// Days of the month on which something was sent, and the most on one.
    days: u32,
    most: u64,
    /// What of the day went out in hours in which the workload is usually quiet.
    quiet: u64,
}

/// All of it, day by day.
#[derive(Debug)]
pub(super) struct Fresh {
    /// In the order of workloads.
    by_day: BTreeMap<Day, Vec<Sums>>,
    /// Places of charges, by workload, in the order of days.
    places: HashMap<u32, Vec<(Day, Place)>, FixedState>,
    /// Workload-days before the day.
    before: [Exceedance; 4],
    /// Those of which it may be known what went out in quiet hours.
    before_quiet: Exceedance,
    hours_from: Day,
    /// When something that trickles was told of a workload last, and how much.
    told: HashMap<u32, (Day, u64), FixedState>,
    began: Day,
}

/// Something that trickles.
pub(super) struct Trickle {
    day: Day,
    sums: Sums,
    bits: f64,
    tail_bits: f64,
    places: Vec<Place>,
}

impl Fresh {
    pub(super) fn of(charges: &Charges<'_>, policy: &Policy, census: &Census) -> Self {
        let first = census.active().keys().next().copied().unwrap_or_default();
        // What was met within the time that establishes a destination may be older than the log.
        let began = Day(first.0.saturating_add(policy.baseline.spread_days));
        let mut fresh = Self {
            by_day: BTreeMap::new(),
            places: HashMap::default(),
            before: std::array::from_fn(|_| Exceedance::default()),
            before_quiet: Exceedance::default(),
            hours_from: Day(first
                .0
                .saturating_add(policy.baseline.quarantine_days + 7 * WEEKS_MIN)),
            told: HashMap::default(),
            began,
        };
        let mut days: BTreeMap<(u32, Day), u64> = BTreeMap::new();
        for (at, charge) in charges.iter() {
            let payload = charge.unexplained.month;
            let is_plain = !charge.kind.excess && !charge.kind.fetched && payload >= PAYLOAD_MIN;
            if !is_plain || charge.first_day <= began {
                continue;
            }
            let Some(group) = charges.destination(charge) else {
                continue;
            };
            let (day, workload) = (charge.slot.day(), charges.workload(charge));
            if policy.is_rare(census.prevalence(group, day), census.workloads(day)) {
                let sum = days.entry((workload, day)).or_default();
                *sum = sum.saturating_add(payload);
                fresh.places.entry(workload).or_default().push((day, at));
            }
        }
        for places in fresh.places.values_mut() {
            places.sort_unstable();
        }
        let days: Vec<(u32, Day, u64)> = days
            .into_iter()
            .map(|((of, day), sum)| (of, day, sum))
            .collect();
        for of_workload in days.chunk_by(|a, b| a.0 == b.0) {
            for until in 1..=of_workload.len() {
                let known = &of_workload[..until];
                let (workload, day, sum) = known[until - 1];
                let sums = sums(workload, sum, day, known);
                fresh.by_day.entry(day).or_default().push(sums);
            }
        }
        fresh.look_at_hours(charges, policy);
        fresh
    }

    /// Sets what of each day went out in quiet hours.
    fn look_at_hours(&mut self, charges: &Charges<'_>, policy: &Policy) {
        for (workload, places) in &self.places {
            let Some((_, at)) = places.last().filter(|(day, _)| *day >= self.hours_from) else {
                continue;
            };
            let hours = Hours::of(charges.of_workload(*at));
            let known = places.iter().filter(|(day, _)| *day >= self.hours_from);
            let mut quiet = None;
            for (day, at) in known {
                if quiet.is_none_or(|(of, _)| of != *day) {
                    quiet = Some((*day, hours.quiet(*day, policy.baseline.quarantine_days)));
                }
                if let Some((_, Some(quiet))) = &quiet
                    && let Some(of_day) = self.by_day.get_mut(day)
                    && let Some(place) = place_of(of_day, *workload)
                {
                    let own = in_hours(charges.entries(*at), quiet);
                    let sum = &mut of_day[place].quiet;
                    *sum = sum.saturating_add(own.min(charges.get(*at).unexplained.month));
                }
            }
        }
    }

    /// What of a workload's day went out in hours in which it is usually quiet.
    pub(super) fn in_quiet_hours(&self, workload: u32, day: Day) -> u64 {
        let of_day = self.by_day.get(&day).map_or(&[][..], Vec::as_slice);
        place_of(of_day, workload).map_or(0, |place| of_day[place].quiet)
    }

    /// What of a crossing went where few ever went, and the log saw it begin.
    pub(super) fn part(
        &self,
        policy: &Policy,
        census: &Census,
        day: Day,
        (charges, members): (&Charges<'_>, &[Member]),
    ) -> u64 {
        let is_rare = |group| policy.is_rare(census.prevalence(group, day), census.workloads(day));
        let is_fresh = |member: &&Member| {
            let own = charges.get(member.at);
            let is_plain = own.kind == Kind::default() && self.saw_begin(own.first_day);
            is_plain && charges.destination(own).is_some_and(is_rare)
        };
        total(members.iter().filter(is_fresh).map(|own| own.payload))
    }

    /// Whether the days before a destination was first met are known.
    pub(super) fn saw_begin(&self, first_day: Day) -> bool {
        first_day > self.began
    }

    /// How rare a crossing of a span's bound is, by the tail, in bits beyond what is usual; or what of it went out in `quiet`
    /// hours, whichever is rarer. The better of two questions is that much less of a surprise.
    pub(super) fn octaves(&self, horizon: Horizon, observed: u64, quiet: u64) -> f64 {
        let before = match horizon {
            Horizon::Day => &self.before[0],
            Horizon::Week => &self.before[1],
            Horizon::Month => &self.before[2],
        };
        let bits = before.tail_bits_from(observed, PAYLOAD_MIN, log2);
        let by_hours = self.before_quiet.tail_bits_from(quiet, PAYLOAD_MIN, log2) - 1.0;
        (bits.max(by_hours) - BITS_USUAL).max(0.0)
    }

    /// What trickles up to a day, and is told on it.
    pub(super) fn trickles(&mut self, policy: &Policy, day: Day) -> Vec<Trickle> {
        let mut found = Vec::new();
        for sums in self.by_day.get(&day).into_iter().flatten() {
            let is_much =
                sums.trickle >= policy.bounds.trickle && sums.days >= policy.baseline.active_days;
            let is_told = self.told.get(&sums.workload).is_some_and(|(told, sum)| {
                day.0 < told.0 + DAYS_MAX && sums.trickle < sum.saturating_mul(2)
            });
            let before = &self.before[3];
            let tail_bits = before.tail_bits(sums.trickle, log2);
            if is_much && !is_told && tail_bits >= f64::from(policy.scores.trickle) {
                self.told.insert(sums.workload, (day, sums.trickle));
                let from = Day((day.0 + 1).saturating_sub(DAYS_MAX));
                let places = self.places[&sums.workload].iter();
                let within = places.filter(|(of, _)| (from..=day).contains(of));
                found.push(Trickle {
                    day,
                    sums: *sums,
                    bits: before.bits(sums.trickle),
                    tail_bits,
                    places: within.map(|(_, at)| *at).collect(),
                });
            }
        }
        found
    }

    /// Takes in a day, on which so many workloads sent something.
    pub(super) fn pass(&mut self, day: Day, active: u64) {
        if day <= self.began {
            return;
        }
        let today = self.by_day.get(&day).map_or(&[][..], Vec::as_slice);
        let values: [fn(&Sums) -> u64; 4] = [
            |own| own.day,
            |own| own.week,
            |own| own.month,
            |own| own.trickle,
        ];
        for (before, value) in self.before.iter_mut().zip(values) {
            before.extend_quiet(active.saturating_sub(today.len() as u64));
            before.extend(today.iter().map(value));
        }
        if day >= self.hours_from {
            let quiet = today.iter().map(|own| own.quiet).filter(|own| *own > 0);
            let quiet: Vec<u64> = quiet.collect();
            self.before_quiet
                .extend_quiet(active.saturating_sub(quiet.len() as u64));
            self.before_quiet.extend(quiet);
        }
    }
}

/// Where a workload stands among those of a day.
fn place_of(of_day: &[Sums], workload: u32) -> Option<usize> {
    of_day
        .binary_search_by_key(&workload, |own| own.workload)
        .ok()
}

fn sums(workload: u32, sum: u64, day: Day, known: &[(u32, Day, u64)]) -> Sums {
    let within = |days: u32| {
        let recent = known.iter().filter(move |(_, of, _)| of.0 + days > day.0);
        recent.map(|(.., sum)| *sum)
    };
    let of = |days: u32| within(days).fold(0, u64::saturating_add);
    let (month, most) = (of(DAYS_MAX), within(DAYS_MAX).max().unwrap_or(0));
    Sums {
        workload,
        day: sum,
        week: of(WEEK),
        month,
        trickle: month - most,
        days: u32::try_from(within(DAYS_MAX).count()).unwrap_or(u32::MAX),
        most,
        quiet: 0,
    }
}

impl Trickle {
    /// The place of the first charge of it.
    pub(super) fn first(&self) -> Option<Place> {
        self.places.first().copied()
    }

    /// The finding.
    pub(super) fn finding(
        &self,
        view: &View<'_>,
        policy: &Policy,
        charges: &Charges<'_>,
    ) -> Judged {
        let draft = Draft::of_many(&self.places, |at| charges.entries(*at));
        let workload = view.workload(self.sums.workload);
        let (bound, sent) = (policy.bounds.trickle, human_bytes(self.sums.month));
        let measure = Measure {
            bits: self.bits,
            ..draft.measure_of_pushed(self.sums.trickle, bound)
        };
        let place = draft.place(view);
        let most = human_bytes(self.sums.most);
        let text = format!(
            "{sent} of payload within 30 days to destinations that few know, on {} days, {most} at most on one; without \
             that day it is {}, and the bound is {}",
            self.sums.days,
            human_bytes(self.sums.trickle),
            human_bytes(bound),
        );
        let volume = bounded(self.sums.trickle, bound, "bytes", text);
        let rarity = Why {
            observed: self.tail_bits,
            bound: Some(f64::from(policy.scores.trickle)),
            unit: "bits".to_owned(),
            text: format!(
                "by the tail of what workloads send to such destinations, one workload-day in 2^{:.0} has as much; \
                 none of a log's first days counts",
                self.tail_bits
            ),
            ..Why::default()
        };
        let entries = self.places.iter().flat_map(|at| charges.entries(*at));
        let mut why = vec![volume, rarity, shape_reason(&measure)];
        why.extend(sanction_reasons(view, policy, entries));
        let severity = match measure.up > measure.down {
            true => Severity::Medium,
            false => Severity::Low,
        };
        let charge = Charge {
            family: Family::VolumeLedger,
            day: self.day,
            identity: &[
                "workload",
                &workload.account_id,
                &workload.unique_name(),
                "30 days",
                "trickle",
            ],
            title: format!("{sent} of payload to {place} within 30 days, {most} at most on one"),
            severity,
            risk: measure.risk(),
            bits: Some(self.bits),
            attack: &["T1048", "T1030", "T1029"],
            why,
            workload: Some(self.sums.workload),
        };
        draft.finish(view, charge).ranked(Rank {
            stratum: Stratum::Trickle,
            octaves: Some((self.tail_bits - BITS_USUAL).max(0.0)),
        })
    }
}
