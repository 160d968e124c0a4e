//! What methods need to know of all interfaces, computed once for a world.

use std::collections::BTreeMap;

use super::statistics::median_and_deviation;
use crate::row::Row;
use crate::world::{DAY_SECS, WORLD_START, World};

/// Seconds of an hour.
pub(super) const HOUR_SECS: u32 = 3_600;

/// Seconds of the buckets of sums by destination.
pub(super) const BUCKET_SECS: u32 = 3 * HOUR_SECS;

/// What an interface does on a day: payload does not matter to the methods that ask.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct DayOf {
    pub(super) bytes: u64,
    pub(super) flows: u64,
    pub(super) peers: u64,
}

impl DayOf {
    /// The three as logarithms, which tame their tails.
    pub(super) fn features(self) -> [f64; 3] {
        [self.bytes, self.flows, self.peers].map(|value| (1.0 + value as f64).ln())
    }
}

/// What is true of a world as a whole.
#[derive(Debug)]
pub struct Facts<'w> {
    pub(crate) world: &'w World,
    /// When each interface first met a host outside: day and interface, in their order.
    pub(super) meetings: BTreeMap<u32, Vec<(u32, u32)>>,
    /// Bytes to each destination in each three hours.
    pub(super) by_peer: BTreeMap<(u32, u32), u64>,
    /// By day: the middle and the spread of each feature over all interfaces.
    pub(super) population: Vec<[(f64, f64); 3]>,
}

impl<'w> Facts<'w> {
    /// The facts of a world.
    pub fn new(world: &'w World) -> Self {
        let mut meetings: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
        let mut by_peer: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        let mut days: Vec<Vec<[f64; 3]>> = vec![Vec::new(); day_count(world)];
        // Who does nothing is no part of the population.
        let busy = (0..).zip(world.rows()).filter(|(_, rows)| !rows.is_empty());
        for (eni, rows) in busy {
            let mut met: BTreeMap<u32, u32> = BTreeMap::new();
            for row in rows.iter().filter(|row| !row.served) {
                met.entry(row.peer).or_insert_with(|| day_of(row));
                *by_peer.entry((bucket_of(row), row.peer)).or_default() += row.up_bytes;
            }
            for (peer, day) in met {
                meetings.entry(peer).or_default().push((day, eni));
            }
            for (day, own) in days_of(world, rows).into_iter().enumerate() {
                days[day].push(own.features());
            }
        }
        meetings.values_mut().for_each(|own| own.sort_unstable());
        let population = days.iter().map(|hosts| {
            std::array::from_fn(|at| {
                let values: Vec<f64> = hosts.iter().map(|own| own[at]).collect();
                median_and_deviation(&values)
            })
        });
        Self {
            world,
            meetings,
            by_peer,
            population: population.collect(),
        }
    }

    /// The first day of the test window.
    pub(super) fn first_test_day(&self) -> usize {
        self.world.config().learn_days as usize
    }

    /// How many interfaces had met a host outside when a day ended, beside one that has now; and when the first did.
    pub(super) fn prevalence(&self, peer: u32, eni: u32, day: u32) -> (usize, Option<u32>) {
        let met = self.meetings.get(&peer).map_or(&[][..], Vec::as_slice);
        let until = met.partition_point(|(first, _)| *first <= day);
        let others = met[..until].iter().filter(|(_, own)| *own != eni).count();
        (others + 1, met[..until].first().map(|(first, _)| *first))
    }
}

fn day_count(world: &World) -> usize {
    (world.config().learn_days + world.config().test_days) as usize
}

/// The day of a row, counted from the world's first.
pub(super) fn day_of(row: &Row) -> u32 {
    (row.start - WORLD_START) / DAY_SECS
}

/// The three hours of a row, likewise.
pub(super) fn bucket_of(row: &Row) -> u32 {
    (row.start - WORLD_START) / BUCKET_SECS
}

/// The first second of a day.
pub(super) fn start_of(day: usize) -> u32 {
    WORLD_START + u32::try_from(day).unwrap_or(0) * DAY_SECS
}

/// What an interface does outwards on each day.
pub(super) fn days_of(world: &World, rows: &[Row]) -> Vec<DayOf> {
    let mut days = vec![DayOf::default(); day_count(world)];
    let mut start = 0;
    while let Some(first) = rows.get(start) {
        let day = day_of(first);
        let len = rows[start..].partition_point(|row| day_of(row) == day);
        let own = &rows[start..start + len];
        start += len;
        let mut peers: Vec<u32> = own
            .iter()
            .filter(|row| !row.served)
            .map(|row| row.peer)
            .collect();
        peers.sort_unstable();
        peers.dedup();
        if let Some(place) = days.get_mut(day as usize) {
            *place = DayOf {
                bytes: own.iter().map(|row| row.up_bytes).sum(),
                flows: own.len() as u64,
                peers: peers.len() as u64,
            };
        }
    }
    days
}

/// What an interface sends in each hour, headers and answers to clients included.
pub(super) fn hours_of<'r>(world: &World, rows: impl Iterator<Item = &'r Row>) -> Vec<f64> {
    let mut hours = vec![0.0; day_count(world) * 24];
    for row in rows {
        let hour = ((row.start - WORLD_START) / HOUR_SECS) as usize;
        if let Some(sum) = hours.get_mut(hour) {
            *sum += row.up_bytes as f64;
        }
    }
    hours
}

/// The span of an hour of the world.
pub(super) fn span_of_hour(hour: usize) -> (u32, u32) {
    let start = WORLD_START + u32::try_from(hour).unwrap_or(0) * HOUR_SECS;
    (start, start + HOUR_SECS)
}
