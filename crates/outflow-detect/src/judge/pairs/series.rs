//! When the connections of a pair to one service began, over all of its days.

use super::{Census, Pair};
use crate::key::{Role, Service};
use crate::policy::Policy;
use crate::rhythm::{BEGUN_MAX, Beat, CELLS};
use crate::time::{BUCKETS_PER_SLOT, Day, SLOTS_PER_DAY};
use crate::view::View;

/// Buckets of a day.
pub(in crate::judge) const BUCKETS_PER_DAY: u32 = BUCKETS_PER_SLOT * SLOTS_PER_DAY;

/// The beats of a pair and a service, in the order of buckets counted from 1970.
#[derive(Debug)]
pub(in crate::judge) struct Series {
    pub(in crate::judge) service: Service,
    beats: Vec<(u32, Beat)>,
}

/// Connections that began within a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::judge) struct Begun {
    pub(in crate::judge) bucket: u32,
    pub(in crate::judge) count: u32,
}

/// What began on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::judge) struct Begins {
    pub(in crate::judge) all: Vec<Begun>,
    /// Whether they are counted by the cells of new ports, of which each counts once.
    pub(in crate::judge) are_cells: bool,
}

/// Of records from ports of their own, four fifths at least are taken for all: the estimate is a rough one. The rest may
/// be of connections that stay open, whose records come evenly; a fifth of them makes no beacon of what chance does.
const OWN_PORTS: f64 = 0.8;

/// Buckets with traffic below which a pair has no series: too few for a rhythm.
const ACTIVE_MIN: u32 = 6;

/// The series of a pair, of services that hosts choose: all but name resolution. None, if its destination was never rare.
pub(super) fn series(
    view: &View<'_>,
    policy: &Policy,
    census: &Census,
    pair: Pair<'_, '_>,
) -> Vec<Series> {
    let counters = pair.entries.iter().map(|own| own.counters);
    let active = counters.map(|own| own.active().count_ones());
    let (first, last) = (pair.first(), pair.last().slot.day());
    // Both only grow.
    let least = census.prevalence(first.group(), first.slot.day());
    if active.sum::<u32>() < ACTIVE_MIN || !policy.is_rare(least, census.workloads(last)) {
        return Vec::new();
    }
    let mut all: Vec<(Service, u32, Beat)> = Vec::new();
    for entry in pair.entries {
        let service = entry.service;
        if service.role != Role::Client || service.resolving.is_some() {
            continue;
        }
        let first = entry.slot.0.saturating_mul(BUCKETS_PER_SLOT);
        let beats = (0u32..).zip(view.rhythm(entry));
        let beats = beats.filter(|(_, beat)| *beat != Beat::default());
        all.extend(beats.map(|(at, beat)| (service, first.saturating_add(at), beat)));
    }
    all.sort_unstable_by_key(|(service, bucket, _)| (*service, *bucket));
    let services = all.chunk_by(|a, b| a.0 == b.0);
    let series = services.map(|own| {
        let buckets = own.chunk_by(|a, b| a.1 == b.1);
        // Of several addresses of the group.
        let beat = |of: &[(Service, u32, Beat)]| {
            let beats = of.iter().map(|(.., beat)| *beat);
            (of[0].1, beats.fold(Beat::default(), Beat::with))
        };
        Series {
            service: own[0].0,
            beats: buckets.map(beat).collect(),
        }
    });
    series.collect()
}

impl Series {
    /// The beats from one bucket to before another.
    pub(in crate::judge) fn between(&self, from: u32, until: u32) -> &[(u32, Beat)] {
        let place = |bucket: u32| self.beats.partition_point(|(own, _)| *own < bucket);
        &self.beats[place(from)..place(until)]
    }

    /// The beats of a day.
    pub(in crate::judge) fn of_day(&self, day: Day) -> &[(u32, Beat)] {
        let from = day.0.saturating_mul(BUCKETS_PER_DAY);
        self.between(from, from.saturating_add(BUCKETS_PER_DAY))
    }

    /// The days with beats, in their order.
    pub(in crate::judge) fn days(&self) -> Vec<Day> {
        let days = self.beats.iter().map(|(bucket, _)| day_of(*bucket));
        let mut days: Vec<Day> = days.collect();
        days.dedup();
        days
    }

    /// All beats.
    pub(in crate::judge) fn beats(&self) -> &[(u32, Beat)] {
        &self.beats
    }

    /// The connections that began on a day; nothing, if there were more than a beat counts.
    ///
    /// With TCP flags they are counted. Without, each record is a connection of its own only if each has a port of its
    /// own: else those count that come from a port which the bucket before had not seen, so that a connection which
    /// stays open begins once.
    pub(in crate::judge) fn begins(&self, day: Day) -> Option<Begins> {
        let beats = self.of_day(day);
        let from = self.beats.partition_point(|(own, _)| day_of(*own) < day);
        let before = |at: usize| {
            let (bucket, _) = beats[at];
            let place = (from + at).checked_sub(1)?;
            let (last, beat) = self.beats[place];
            (bucket - last == 1).then_some(beat)
        };
        let (mut counted, mut met) = (0, 0.0);
        for (at, (_, beat)) in beats.iter().enumerate() {
            if beat.begun() == BEGUN_MAX {
                return None;
            }
            let known = before(at).map_or(0, Beat::ports);
            counted += beat.begun();
            met += ports(known | beat.ports()) - ports(known);
        }
        let are_cells = met < OWN_PORTS * f64::from(counted);
        let begun = beats.iter().enumerate().map(|(at, (bucket, beat))| {
            let known = before(at).map_or(0, Beat::ports);
            let count = match are_cells {
                true => (beat.ports() & !known).count_ones(),
                false => beat.begun(),
            };
            Begun {
                bucket: *bucket,
                count,
            }
        });
        Some(Begins {
            all: begun.filter(|own| own.count > 0).collect(),
            are_cells,
        })
    }
}

/// The day of a bucket.
pub(in crate::judge) fn day_of(bucket: u32) -> Day {
    Day(bucket / BUCKETS_PER_DAY)
}

/// About how many ports fill so many cells, by linear counting.
fn ports(cells: u32) -> f64 {
    let all = f64::from(CELLS);
    // All are filled by as many ports as leave half a cell empty.
    let empty = (all - f64::from(cells.count_ones())).max(0.5);
    all * (all / empty).ln()
}
