//! Connections that begin more evenly than chance has them: a program that calls home.
//!
//! People and programs that wait for them begin connections as chance or worse has it: counts of equal spans vary at least
//! as much as their mean. A timer makes them vary less, whatever its jitter. So the test is one of dispersion, over many
//! lengths of spans, and needs no second at which a connection began, which flow logs do not tell.

mod evenness;

use outflow_enrich::protocol;
use outflow_finding::{Family, Severity, Why};

use super::baseline::is_established;
use super::draft::{Charge, Draft};
use super::pairs::{AGAIN_DAYS, Begins, Census, Pair, Score, Series};
use super::severity::Measure;
use super::{Judged, Rank, Stratum};
use crate::key::Service;
use crate::policy::Policy;
use crate::services::service_name;
use crate::time::Day;
use crate::view::{Entry, View};
use evenness::{Even, evenness};

/// Ten-minute spans in which connections must begin: fewer are no rhythm.
const BEATS_MIN: usize = 6;

/// The port of the network time protocol, whose clients are even by design.
const NTP: u16 = 123;

/// A pair whose connections begin too evenly for chance.
#[derive(Debug)]
pub(super) struct Beacon<'p, 'a> {
    day: Day,
    service: Service,
    even: Even,
    entries: Vec<&'p Entry<'a>>,
    prevalence: usize,
    /// Whether it is told for the first time.
    is_news: bool,
}

/// Looks at a pair day by day; a beacon that goes on is told again after [`AGAIN_DAYS`].
pub(super) fn look<'p, 'a>(
    policy: &Policy,
    census: &Census,
    pair: Pair<'p, 'a>,
    series: &[Series],
) -> Vec<Beacon<'p, 'a>> {
    let mut found = Vec::new();
    let group = pair.first().group();
    let history = pair.days();
    for series in series {
        if !is_judged(series.service) || series.beats().len() < BEATS_MIN {
            continue;
        }
        let mut told: Option<Day> = None;
        let mut days: Vec<(Day, Option<Begins>)> = Vec::new();
        for day in series.days() {
            days.push((day, series.begins(day)));
            // Connections without payload are no meeting.
            let prevalence = census.prevalence(group, day).max(1);
            if told.is_some_and(|told| day.0 < told.0 + AGAIN_DAYS)
                || !policy.is_rare(prevalence, census.workloads(day))
                || is_established(&history, day, &policy.baseline)
            {
                continue;
            }
            let Some(even) = evenness(&days, f64::from(policy.scores.beacon)) else {
                continue;
            };
            let is_news = told.is_none();
            told = Some(day);
            found.push(Beacon {
                day,
                is_news,
                service: series.service,
                entries: of_service(pair, series, &even, day),
                even,
                prevalence,
            });
        }
    }
    found
}

/// The entries that a beacon is told by.
fn of_service<'p, 'a>(
    pair: Pair<'p, 'a>,
    series: &Series,
    even: &Even,
    day: Day,
) -> Vec<&'p Entry<'a>> {
    let entries = pair.between(even.first_day(), day).iter();
    let own = entries.filter(|entry| entry.service == series.service);
    own.collect()
}

fn is_judged(service: Service) -> bool {
    match service.protocol {
        protocol::TCP => true,
        protocol::UDP => service.port != NTP,
        _ => false,
    }
}

/// The findings: how rare a beacon is among all workload-days before says whether it is one to look at. Where programs
/// call home everywhere, it is a note.
pub(super) fn judge(
    view: &View<'_>,
    policy: &Policy,
    census: &Census,
    beacons: Vec<Beacon<'_, '_>>,
) -> Vec<Judged> {
    let beacons = census.with_rarity(&beacons, Beacon::score);
    beacons
        .map(|(beacon, rarity)| beacon.finding(view, policy, census, rarity))
        .collect()
}

impl Beacon<'_, '_> {
    /// Whether it tells of a service on a day, or did within [`AGAIN_DAYS`].
    pub(super) fn tells(&self, service: Service, day: Day) -> bool {
        let until = self.day.0 + AGAIN_DAYS;
        self.service == service && (self.day.0..until).contains(&day.0)
    }

    fn score(&self) -> Score {
        Score {
            day: self.day,
            workload: self.entries[0].workload,
            value: self.even.tenths(),
            is_news: self.is_news,
        }
    }

    fn finding(&self, view: &View<'_>, policy: &Policy, census: &Census, rarity: f64) -> Judged {
        let draft = Draft::of(self.entries.iter().copied());
        let is_unusual = census.is_unusual(policy, self.day, rarity);
        let severity = if is_unusual {
            Severity::Medium
        } else {
            Severity::Low
        };
        let bound = policy.scores.beacon;
        let measure = Measure {
            bits: rarity,
            ..draft.measure(self.even.tenths(), u64::from(bound) * 10)
        };
        let entry = self.entries[0];
        let workload = view.workload(entry.workload);
        let (place, service) = (draft.place(view), service_name(self.service));
        let group = view.group_name(entry.group());
        let charge = Charge {
            family: Family::Beacon,
            day: self.day,
            identity: &[
                &workload.account_id,
                &workload.unique_name(),
                &group,
                &service,
            ],
            title: format!(
                "{} connections to {place} over {service}, about every {}",
                self.even.connections,
                span(self.even.period_secs())
            ),
            severity,
            risk: measure.risk(),
            bits: Some(rarity),
            attack: &["T1071.001", "T1573", "T1008"],
            why: self.reasons(policy, census),
            workload: Some(entry.workload),
        };
        draft.finish(view, charge).ranked(self.rank(policy))
    }

    /// What it is compared with: harmless timers keep a clock more often than they wander, so that the ones are no measure of the
    /// others. How often either is told here says what it is worth. What wanders is as even as chance has it so rarely; of what
    /// keeps a clock, more evidence that it does says nothing.
    fn rank(&self, policy: &Policy) -> Rank {
        let beyond = self.even.bits - f64::from(policy.scores.beacon);
        match self.even.drifts {
            true => Rank {
                stratum: Stratum::Drifting,
                octaves: Some(beyond.max(0.0)),
            },
            false => Rank::default(),
        }
    }

    fn reasons(&self, policy: &Policy, census: &Census) -> Vec<Why> {
        let Even {
            bits,
            dispersion,
            connections,
            scale_secs,
            ..
        } = self.even;
        let evenness = Why {
            observed: dispersion,
            expected: Some(1.0),
            unit: "variance of the counts over their mean".to_owned(),
            text: format!(
                "{connections} connections within {} begin too evenly for chance: counts of {} vary by {dispersion:.2} \
                 of their mean, where chance alone makes 1",
                span(self.even.length_secs()),
                span(scale_secs),
            ),
            ..Why::default()
        };
        let bound = policy.scores.beacon;
        let score = Why {
            observed: bits,
            bound: Some(f64::from(bound)),
            unit: "bits".to_owned(),
            text: format!(
                "chance makes counts as even once in 2^{bits:.0} times; the bound is 2^{bound}"
            ),
            ..Why::default()
        };
        let prevalence = census.prevalence_reason(policy, self.prevalence, self.day);
        let limit = "harmless programs have timers, too; flow logs do not tell which program it is";
        let text = match self.even.drifts {
            true => format!(
                "{limit}. It keeps no clock, as what is scheduled does: no fixed period has nine of ten calls at its times, so that \
                 it sleeps between them, by a time that varies"
            ),
            false => limit.to_owned(),
        };
        let limit = Why {
            unit: "connections".to_owned(),
            text,
            ..Why::default()
        };
        vec![evenness, score, prevalence, limit]
    }
}

/// A time as people say it.
pub(super) fn span(secs: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 3_600;
    const DAY: u64 = 86_400;
    match secs {
        0..120 => format!("{secs} s"),
        120..7_200 => format!("{} min", (secs + MINUTE / 2) / MINUTE),
        7_200..172_800 => format!("{} h", (secs + HOUR / 2) / HOUR),
        _ => format!("{} days", (secs + DAY / 2) / DAY),
    }
}
