//! Connections that stay open for hours, or that are made anew all day.
//!
//! Flow logs have no sessions: a connection is a row for each window of time. One that stays open comes from the same port
//! window after window, which the beats of a pair keep, in cells.

use outflow_enrich::protocol;
use outflow_finding::{Family, Severity};

use super::Judged;
use super::baseline::is_established;
use super::beacon::{Beacon, span};
use super::draft::{Charge, Draft, bounded};
use super::pairs::{AGAIN_DAYS, BUCKETS_PER_DAY, Census, Pair, Score, Series, day_of};
use crate::key::Service;
use crate::policy::Policy;
use crate::rhythm::{Beat, CELLS};
use crate::services::service_name;
use crate::time::{BUCKET_SECS, Day};
use crate::view::{Entry, View};

/// Cells of a bucket that may be filled: in a fuller one, a cell is met again by chance.
const CELLS_MAX: u32 = CELLS / 2;

/// Buckets that a connection may be silent for: some keep alive every ten minutes or less often.
const GAP_MAX: u32 = 2;

/// A conversation that lasts.
#[derive(Debug)]
pub(super) struct Long<'p, 'a> {
    day: Day,
    service: Service,
    lasting: Lasting,
    entries: Vec<&'p Entry<'a>>,
    prevalence: usize,
}

/// What lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lasting {
    /// One connection, for so many buckets.
    Connection(u32),
    /// Connections after one another, in so many buckets of a day.
    Presence(u32),
}

/// Looks at a pair day by day. A connection is told when it has been open for longer than the bound, and each time that
/// this has doubled; presence again after [`AGAIN_DAYS`], unless it is that of a beacon.
pub(super) fn look<'p, 'a>(
    policy: &Policy,
    census: &Census,
    pair: Pair<'p, 'a>,
    series: &[Series],
    beacons: &[Beacon<'_, '_>],
) -> Vec<Long<'p, 'a>> {
    let mut found = Vec::new();
    let bound = policy.bounds.connection_hours.saturating_mul(6);
    let group = pair.first().group();
    let history = pair.days();
    for series in series {
        if !matches!(series.service.protocol, protocol::TCP | protocol::UDP) {
            continue;
        }
        let (mut told, mut present): (u32, Option<Day>) = (0, None);
        for (day, open) in open_by_day(series) {
            let prevalence = census.prevalence(group, day).max(1);
            if !policy.is_rare(prevalence, census.workloads(day))
                || is_established(&history, day, &policy.baseline)
            {
                continue;
            }
            let buckets = u32::try_from(series.of_day(day).len()).unwrap_or(u32::MAX);
            let is_told = present.is_some_and(|last| day.0 < last.0 + AGAIN_DAYS)
                || beacons.iter().any(|own| own.tells(series.service, day));
            let (lasting, first) = if open >= bound && open >= told.saturating_mul(2) {
                told = open;
                let days = open / BUCKETS_PER_DAY + 1;
                (Lasting::Connection(open), Day(day.0.saturating_sub(days)))
            } else if !is_told && told == 0 && buckets * 10 >= BUCKETS_PER_DAY * 9 {
                present = Some(day);
                (Lasting::Presence(buckets), day)
            } else {
                continue;
            };
            let entries = pair.between(first, day).iter();
            let own = entries.filter(|entry| entry.service == series.service);
            found.push(Long {
                day,
                service: series.service,
                lasting,
                entries: own.collect(),
                prevalence,
            });
        }
    }
    found
}

/// For each day, the buckets that the oldest connection has been open for.
fn open_by_day(series: &Series) -> Vec<(Day, u32)> {
    // By cell, the first bucket and the last of what goes on.
    let mut cells: [Option<(u32, u32)>; CELLS as usize] = [None; CELLS as usize];
    let mut days: Vec<(Day, u32)> = Vec::new();
    for (bucket, beat) in series.beats() {
        let open = advance(&mut cells, *bucket, *beat);
        match days.last_mut() {
            Some((day, longest)) if *day == day_of(*bucket) => *longest = open.max(*longest),
            _ => days.push((day_of(*bucket), open)),
        }
    }
    days
}

/// The buckets that the oldest connection of a bucket has been open for.
fn advance(cells: &mut [Option<(u32, u32)>], bucket: u32, beat: Beat) -> u32 {
    let is_clear = beat.ports().count_ones() <= CELLS_MAX;
    let mut longest = 0;
    for (cell, open) in (0..).zip(cells) {
        if beat.ports() >> cell & 1 == 0 {
            continue;
        }
        let goes_on = open.filter(|(_, last)| is_clear && bucket - last <= GAP_MAX);
        let since = goes_on.map_or(bucket, |(since, _)| since);
        *open = Some((since, bucket));
        longest = longest.max(bucket - since + 1);
    }
    longest
}

/// The findings, notes unless such a thing is rare among all workload-days before.
pub(super) fn judge(
    view: &View<'_>,
    policy: &Policy,
    census: &Census,
    all: Vec<Long<'_, '_>>,
) -> Vec<Judged> {
    let all = census.with_rarity(&all, Long::score);
    all.map(|(long, rarity)| long.finding(view, policy, census, rarity))
        .collect()
}

fn hours(buckets: u32) -> u64 {
    u64::from(buckets) / 6
}

impl Long<'_, '_> {
    fn score(&self) -> Score {
        let (Lasting::Connection(buckets) | Lasting::Presence(buckets)) = self.lasting;
        Score {
            day: self.day,
            workload: self.entries[0].workload,
            value: u64::from(buckets),
            is_news: true,
        }
    }

    fn finding(&self, view: &View<'_>, policy: &Policy, census: &Census, rarity: f64) -> Judged {
        let draft = Draft::of(self.entries.iter().copied());
        let entry = self.entries[0];
        let workload = view.workload(entry.workload);
        let (place, service) = (draft.place(view), service_name(self.service));
        let secs = |buckets: u32| u64::from(buckets) * BUCKET_SECS.unsigned_abs();
        let (title, kind, reason) = match self.lasting {
            Lasting::Connection(buckets) => {
                let bound = u64::from(policy.bounds.connection_hours);
                let lasts = span(secs(buckets));
                let text = format!(
                    "a connection came from one port for {lasts} without a longer pause than 20 minutes; the bound \
                     is {bound} h"
                );
                (
                    format!("connection to {place} over {service} open for {lasts}"),
                    "connection",
                    bounded(hours(buckets), bound, "hours", text),
                )
            }
            Lasting::Presence(buckets) => {
                let percent = u64::from(buckets) * 100 / u64::from(BUCKETS_PER_DAY);
                let text = format!(
                    "something was sent in {percent} % of the day's ten minutes, over connections that end; the bound \
                     is 90 %"
                );
                (
                    format!("connections to {place} over {service} all day long"),
                    "presence",
                    bounded(percent, 90, "percent of the day", text),
                )
            }
        };
        let prevalence = census.prevalence_reason(policy, self.prevalence, self.day);
        let is_unusual = census.is_unusual(policy, self.day, rarity);
        let severity = match (is_unusual, draft.up().payload > draft.down().payload) {
            (true, true) => Severity::Medium,
            _ => Severity::Low,
        };
        let group = view.group_name(entry.group());
        let risk = super::severity::Measure {
            bits: rarity,
            ..draft.measure(draft.up().payload, policy.bounds.workload.day)
        };
        let charge = Charge {
            family: Family::ConnectionLong,
            day: self.day,
            identity: &[
                &workload.account_id,
                &workload.unique_name(),
                &group,
                &service,
                kind,
            ],
            title,
            severity,
            risk: risk.risk(),
            bits: Some(rarity),
            attack: &["T1572", "T1090", "T1219"],
            why: vec![reason, super::ledger::shape_reason(&risk), prevalence],
            workload: Some(entry.workload),
        };
        draft.finish(view, charge)
    }
}
