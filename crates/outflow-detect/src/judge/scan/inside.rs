//! Many addresses or ports inside that do not answer an interface, or refuse it.
//!
//! Scanners of vulnerabilities, monitors and whoever discovers services try much that is not there, too, and do it again and
//! again. So an interface is compared with its own past before the quarantine, and among all workload-days: where it did half
//! as much before, nothing is told, and where others do as much or its past is not known, it is a note. Health checks and
//! monitors of what is there are answered, and count for nothing.

use std::collections::BTreeSet;

use outflow_finding::{Family, Severity, Why, human_count};

use crate::judge::Judged;
use crate::judge::draft::{Charge, Draft, bounded};
use crate::judge::pairs::{AGAIN_DAYS, Census, Score};
use crate::judge::severity::Measure;
use crate::parallel::in_parallel;
use crate::policy::Policy;
use crate::state::{Attempt, PLACES_MAX};
use crate::time::{Day, Slot};
use crate::view::View;

/// How many times as much as ever before an interface must try.
const TIMES_MIN: u64 = 2;

/// Addresses and ports that a reason lists.
const LISTED_MAX: usize = 8;

/// An interface that tries much on a day.
#[derive(Debug)]
struct Scan<'t> {
    interface: u32,
    workload: u32,
    day: Day,
    attempt: &'t Attempt,
    count: u64,
    /// The most that it tried on a day before the quarantine.
    before: u64,
    /// Whether such days are known.
    is_known: bool,
    is_news: bool,
}

/// Findings `scan.fanout` of what is tried inside.
pub(in crate::judge) fn judge(view: &View<'_>, policy: &Policy, census: &Census) -> Vec<Judged> {
    let attempted = view.attempted();
    let (bound, quarantine) = (
        u64::from(policy.bounds.unanswered_inside_day),
        policy.baseline.quarantine_days,
    );
    let mut scans = Vec::new();
    for (interface, days) in &attempted {
        let mut told: Option<Day> = None;
        let counts: Vec<(Day, u64)> = days
            .iter()
            .map(|(day, own)| (*day, own.1.count()))
            .collect();
        for ((day, (workload, attempt)), (_, count)) in days.iter().zip(&counts) {
            if *count < bound || told.is_some_and(|told| day.0 < told.0 + AGAIN_DAYS) {
                continue;
            }
            let past = counts
                .iter()
                .filter(|(own, _)| own.0 + quarantine <= day.0 && own < day);
            let before = past.map(|(_, count)| *count).max().unwrap_or(0);
            if *count < before.saturating_mul(TIMES_MIN) {
                continue;
            }
            scans.push(Scan {
                interface: *interface,
                workload: *workload,
                day: *day,
                attempt,
                count: *count,
                before,
                is_known: is_known(view, *interface, *day, quarantine),
                is_news: told.is_none(),
            });
            told = Some(*day);
        }
    }
    let score = |scan: &Scan<'_>| Score {
        day: scan.day,
        workload: scan.workload,
        value: scan.count,
        is_news: scan.is_news,
    };
    let scans: Vec<_> = census.with_rarity(&scans, score).collect();
    in_parallel(&scans, |(scan, rarity)| {
        scan.finding(view, policy, census, *rarity)
    })
}

/// Whether an interface was seen, and what it tried kept, as long before a day as the quarantine lasts.
fn is_known(view: &View<'_>, interface: u32, day: Day, quarantine: u32) -> bool {
    let limit = day.end().div_euclid(60) - 1;
    let Some((born, _)) = view.watch(interface).life(limit) else {
        return false;
    };
    let born = Slot::of(born.saturating_mul(60)).day();
    let born = view.attempts_from().map_or(born, |kept| kept.max(born));
    born.0.saturating_add(quarantine) <= day.0
}

impl Scan<'_> {
    fn finding(&self, view: &View<'_>, policy: &Policy, census: &Census, rarity: f64) -> Judged {
        let draft = Draft::of_attempt(self.interface, self.attempt);
        let bound = u64::from(policy.bounds.unanswered_inside_day);
        let measure = Measure {
            bits: rarity,
            ..draft.measure(self.count, bound)
        };
        let severity = match self.is_known && census.is_unusual(policy, self.day, rarity) {
            true => Severity::Medium,
            false => Severity::Low,
        };
        let workload = view.workload(self.workload);
        let interface = &view.interface(self.interface).key.interface.interface_id;
        let (addresses, ports) = self.different();
        let charge = Charge {
            family: Family::ScanFanout,
            day: self.day,
            identity: &[
                "inside",
                &workload.account_id,
                &workload.unique_name(),
                interface,
            ],
            title: format!(
                "{} addresses and ports inside did not answer: {ports} ports of {addresses} addresses",
                self.number()
            ),
            severity,
            risk: measure.risk(),
            bits: Some(rarity),
            attack: &["T1046"],
            why: self.reasons(bound),
            workload: Some(self.workload),
        };
        draft.finish(view, charge)
    }

    /// How many addresses and ports, as people write it.
    fn number(&self) -> String {
        match self.attempt.places().len() > PLACES_MAX {
            true => format!("some {}", human_count(self.count)),
            false => human_count(self.count),
        }
    }

    /// Different addresses and ports; of a sample, how many of these.
    fn different(&self) -> (String, String) {
        let places = self.attempt.places();
        let addresses: BTreeSet<_> = places.iter().map(|own| own.address).collect();
        let ports: BTreeSet<_> = places.iter().map(|own| own.port).collect();
        let least = match places.len() > PLACES_MAX {
            true => "at least ",
            false => "",
        };
        let number = |count: usize| format!("{least}{}", human_count(count as u64));
        (number(addresses.len()), number(ports.len()))
    }

    fn reasons(&self, bound: u64) -> Vec<Why> {
        let mut places: Vec<_> = self.attempt.places().iter().collect();
        places.sort_unstable_by_key(|own| (own.address, own.port));
        let listed = places.iter().take(LISTED_MAX);
        let listed: Vec<String> = listed
            .map(|own| format!("{} port {}", own.address, own.port))
            .collect();
        let text = format!(
            "{} addresses and ports inside that were tried in a day did not answer or were refused, in {} records; the bound is \
             {bound}. Among them: {}",
            self.number(),
            human_count(self.attempt.records),
            listed.join(", ")
        );
        let silent = bounded(self.count, bound, "addresses and ports", text);
        let text = match self.is_known {
            true => format!(
                "the interface tried {} at most on a day before the last week",
                human_count(self.before)
            ),
            false => "what the interface did more than a week before is not known".to_owned(),
        };
        let past = Why {
            observed: self.count as f64,
            expected: self.is_known.then_some(self.before as f64),
            unit: "addresses and ports".to_owned(),
            text,
            ..Why::default()
        };
        vec![silent, past]
    }
}
