//! Many addresses or ports outside that do not answer.
//!
//! Whoever knows what is there is answered; whoever tries is mostly not. A record of a connection that nobody accepted is
//! one way. What is tried [`inside`] is not kept by pair, and judged by itself.

mod inside;

use outflow_enrich::protocol;
use outflow_finding::{Family, Severity};

use super::Judged;
use super::draft::{Charge, Draft, bounded};
use super::pairs::{Census, Score};
use super::severity::Measure;
use crate::key::{Remote, Role};
use crate::parallel::in_parallel;
use crate::policy::Policy;
use crate::time::Day;
use crate::view::{Entry, View};
pub(super) use inside::judge as inside;

/// Of those tried, one in so many may answer: where more do, somebody is looking for something that is mostly there.
const TRIED_PER_ANSWER: usize = 5;

/// A workload that tries what is not there, on a day.
#[derive(Debug)]
pub(super) struct Scan<'p, 'a> {
    day: Day,
    /// Addresses and ports.
    tried: usize,
    unanswered: usize,
    addresses: usize,
    ports: usize,
    /// What was not answered.
    entries: Vec<&'p Entry<'a>>,
}

/// Looks at all that a workload sent.
pub(super) fn look<'p, 'a>(policy: &Policy, of_workload: &'p [Entry<'a>]) -> Vec<Scan<'p, 'a>> {
    let bound = policy.bounds.unanswered_day as usize;
    let silent = of_workload.iter().filter(|entry| !is_answered(entry));
    if silent.take(bound).count() < bound {
        return Vec::new();
    }
    // A log of one direction has no answers at all.
    let answered = of_workload.iter().filter(|entry| is_answered(entry));
    let Some(since) = answered.map(|entry| entry.slot.day()).min() else {
        return Vec::new();
    };
    let tried = of_workload.iter().filter(|entry| is_tried(entry));
    let mut tried: Vec<&Entry<'a>> = tried.collect();
    tried.sort_unstable_by_key(|entry| (entry.slot, entry.remote, entry.service, entry.interface));
    let days = tried.chunk_by(|a, b| a.slot.day() == b.slot.day());
    let judged = days.filter(|of_day| of_day[0].slot.day() >= since);
    judged.filter_map(|of_day| scan(bound, of_day)).collect()
}

fn is_answered(entry: &Entry<'_>) -> bool {
    entry.counters.down().packets > 0
}

fn is_tried(entry: &Entry<'_>) -> bool {
    let service = entry.service;
    service.protocol == protocol::TCP && service.role == Role::Client && entry.kept == Remote::Whole
}

fn scan<'p, 'a>(bound: usize, of_day: &[&'p Entry<'a>]) -> Option<Scan<'p, 'a>> {
    let place = |entry: &Entry<'_>| (entry.remote, entry.service.port);
    let mut places: Vec<&Entry<'_>> = of_day.to_vec();
    places.sort_unstable_by_key(|entry| (place(entry), !is_answered(entry)));
    // Of several six hours, one with an answer is an answer.
    places.dedup_by_key(|entry| place(entry));
    let tried = places.len();
    places.retain(|entry| !is_answered(entry));
    let unanswered = places.len();
    if unanswered < bound || (tried - unanswered) * TRIED_PER_ANSWER > tried {
        return None;
    }
    let different = |mut all: Vec<u128>| {
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    let address = |entry: &&Entry<'_>| u128::from_be_bytes(entry.remote.bytes());
    let port = |entry: &&Entry<'_>| u128::from(entry.service.port);
    let silent = of_day.iter().filter(|entry| !is_answered(entry));
    Some(Scan {
        day: of_day[0].slot.day(),
        tried,
        unanswered,
        addresses: different(places.iter().map(address).collect()),
        ports: different(places.iter().map(port).collect()),
        entries: silent.copied().collect(),
    })
}

/// The findings, notes unless such a thing is rare among all workload-days before.
pub(super) fn judge(
    view: &View<'_>,
    policy: &Policy,
    census: &Census,
    scans: Vec<Scan<'_, '_>>,
) -> Vec<Judged> {
    let score = |scan: &Scan<'_, '_>| Score {
        day: scan.day,
        workload: scan.entries[0].workload,
        value: scan.unanswered as u64,
        is_news: true,
    };
    let scans: Vec<_> = census.with_rarity(&scans, score).collect();
    // A scan has as many entries as it tried addresses and ports.
    in_parallel(&scans, |(scan, rarity)| {
        scan.finding(view, policy, census, *rarity)
    })
}

impl Scan<'_, '_> {
    fn finding(&self, view: &View<'_>, policy: &Policy, census: &Census, rarity: f64) -> Judged {
        let draft = Draft::of(self.entries.iter().copied());
        let Self {
            tried,
            unanswered,
            addresses,
            ports,
            ..
        } = *self;
        let bound = u64::from(policy.bounds.unanswered_day);
        let text = format!(
            "of {tried} addresses and ports that were tried in a day, {unanswered} did not answer: {ports} ports of \
             {addresses} addresses; the bound is {bound}"
        );
        let observed = unanswered as u64;
        let silent = bounded(observed, bound, "addresses and ports", text);
        let percent = (tried - unanswered) as u64 * 100 / tried as u64;
        let most = 100 / TRIED_PER_ANSWER as u64;
        let text = format!("{percent} % of those that were tried answered; the bound is {most} %");
        let share = bounded(percent, most, "percent answered", text);
        let measure = Measure {
            bits: rarity,
            ..draft.measure(observed, bound)
        };
        let workload = view.workload(self.entries[0].workload);
        let severity = match census.is_unusual(policy, self.day, rarity) {
            true => Severity::Medium,
            false => Severity::Low,
        };
        let charge = Charge {
            family: Family::ScanFanout,
            day: self.day,
            identity: &[&workload.account_id, &workload.unique_name()],
            title: format!(
                "{unanswered} of {tried} addresses and ports outside did not answer: {ports} ports of {addresses} \
                 addresses"
            ),
            severity,
            risk: measure.risk(),
            bits: Some(rarity),
            attack: &["T1046", "T1595"],
            why: vec![silent, share],
            workload: Some(self.entries[0].workload),
        };
        draft.finish(view, charge)
    }
}
