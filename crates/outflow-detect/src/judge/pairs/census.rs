//! Who is there, and who met which destination when: exact counts, each as of a day.

use std::collections::{BTreeMap, BTreeSet};

use super::of_part;
use crate::judge::exceedance::Exceedance;
use crate::parallel::in_parallel;
use crate::time::Day;
use crate::view::{Entry, Group};

/// A workload's first payload to a destination group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::judge) struct Meeting {
    pub(in crate::judge) group: Group,
    pub(in crate::judge) day: Day,
    pub(in crate::judge) workload: u32,
    /// Payload of that day.
    pub(in crate::judge) payload: u64,
}

/// Counts of workloads, by day.
#[derive(Debug, Default)]
pub(in crate::judge) struct Census {
    /// In the order of groups and days.
    meetings: Vec<Meeting>,
    /// Workloads that sent something on a day.
    active: BTreeMap<Day, u64>,
    /// Workloads that had ever sent something when a day ended, of the days on which that grew.
    known: BTreeMap<Day, usize>,
}

/// What is compared over workload-days: the more, the rarer.
#[derive(Debug, Clone, Copy)]
pub(in crate::judge) struct Score {
    pub(in crate::judge) day: Day,
    pub(in crate::judge) workload: u32,
    pub(in crate::judge) value: u64,
}

impl Census {
    pub(super) fn of(chosen: &[Vec<Entry<'_>>]) -> Self {
        let parts = in_parallel(chosen, |entries| {
            let days = entries.iter().map(|own| (own.workload, own.slot.day()));
            let days: BTreeSet<(u32, Day)> = days.collect();
            let meeting = |pair: super::Pair<'_, '_>| {
                let (day, payload) = pair.first_day()?;
                Some(Meeting {
                    group: pair.first().group(),
                    day,
                    workload: pair.first().workload,
                    payload,
                })
            };
            let meetings: Vec<Meeting> = of_part(entries).filter_map(meeting).collect();
            (days, meetings)
        });
        let mut census = Self::default();
        let mut born: BTreeMap<u32, Day> = BTreeMap::new();
        for (days, meetings) in parts {
            census.meetings.extend(meetings);
            for (workload, day) in days {
                *census.active.entry(day).or_default() += 1;
                born.entry(workload).or_insert(day);
            }
        }
        census.meetings.sort_unstable();
        let mut days: Vec<Day> = born.into_values().collect();
        days.sort_unstable();
        census.known = days.into_iter().zip(1..).collect();
        census
    }

    /// How many workloads had met a group when a day ended.
    pub(in crate::judge) fn prevalence(&self, group: Group, day: Day) -> usize {
        let from = self.meetings.partition_point(|own| own.group < group);
        let of_group = &self.meetings[from..];
        of_group.partition_point(|own| own.group == group && own.day <= day)
    }

    /// How many workloads there had been when a day ended.
    pub(in crate::judge) fn workloads(&self, day: Day) -> usize {
        let until = self.known.range(..=day);
        until.last().map_or(0, |(_, count)| *count)
    }

    /// First meetings, in the order of groups and days.
    pub(in crate::judge) fn meetings(&self) -> &[Meeting] {
        &self.meetings
    }

    /// Workloads that sent something, by day.
    pub(in crate::judge) fn active(&self) -> &BTreeMap<Day, u64> {
        &self.active
    }

    /// How rare each score is among the greatest of each workload-day before its own day, in bits. The day itself has no
    /// say, so that nothing is evidence for itself.
    pub(in crate::judge) fn rarities(&self, scores: &[Score]) -> Vec<f64> {
        let mut of_days: BTreeMap<Day, Vec<usize>> = BTreeMap::new();
        for (at, score) in scores.iter().enumerate() {
            of_days.entry(score.day).or_default().push(at);
        }
        let mut bits = vec![0.0; scores.len()];
        let mut past = Exceedance::default();
        for (day, active) in &self.active {
            let mut greatest: BTreeMap<u32, u64> = BTreeMap::new();
            for at in of_days.get(day).into_iter().flatten() {
                let Score {
                    workload, value, ..
                } = scores[*at];
                bits[*at] = past.bits(value);
                let own = greatest.entry(workload).or_default();
                *own = value.max(*own);
            }
            past.extend_quiet(active.saturating_sub(greatest.len() as u64));
            past.extend(greatest.into_values());
        }
        bits
    }
}
