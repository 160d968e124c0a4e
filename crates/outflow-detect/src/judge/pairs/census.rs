//! Who is there, and who met which destination when: exact counts, each as of a day.

use std::collections::BTreeMap;

use outflow_finding::Why;

use super::{Pair, of_part};
use crate::judge::exceedance::Exceedance;
use crate::parallel::{in_parallel, sort};
use crate::policy::Policy;
use crate::time::Day;
use crate::view::{Entry, Group, warm_up};

/// A workload's first payload to a destination group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::judge) struct Meeting {
    pub(in crate::judge) group: Group,
    pub(in crate::judge) day: Day,
    /// The first packet of that day, Unix seconds.
    first: u32,
    pub(in crate::judge) workload: u32,
    /// Payload of that day.
    pub(in crate::judge) payload: u64,
}

// There are as many as pairs.
const _: () = assert!(size_of::<Meeting>() <= 40);

/// Counts of workloads, by day.
#[derive(Debug, Default)]
pub(in crate::judge) struct Census {
    /// In the order of groups, days and first packets.
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
    /// Whether it is told for the first time: what goes on is ranked likewise, and counts once.
    pub(in crate::judge) is_news: bool,
}

fn meeting(pair: Pair<'_, '_>) -> Option<Meeting> {
    let (day, payload, first) = pair.first_day()?;
    Some(Meeting {
        group: pair.first().group(),
        day,
        first,
        workload: pair.first().workload,
        payload,
    })
}

impl Census {
    pub(in crate::judge) fn of(chosen: &[Vec<Entry<'_>>]) -> Self {
        let parts = in_parallel(chosen, |entries| {
            let (mut days, mut meetings) = (Vec::new(), Vec::new());
            for of_workload in entries.chunk_by(|a, b| a.workload == b.workload) {
                warm_up(of_workload);
                meetings.extend(of_part(of_workload).filter_map(meeting));
                let mut own: Vec<Day> = of_workload.iter().map(|own| own.slot.day()).collect();
                own.dedup();
                own.sort_unstable();
                own.dedup();
                days.push(own);
            }
            (days, meetings)
        });
        let mut census = Self::default();
        let mut born: Vec<Day> = Vec::new();
        for (workloads, meetings) in parts {
            census.meetings.extend(meetings);
            for days in workloads {
                born.extend(days.first());
                for day in days {
                    *census.active.entry(day).or_default() += 1;
                }
            }
        }
        sort(&mut census.meetings);
        born.sort_unstable();
        census.known = born.into_iter().zip(1..).collect();
        census
    }

    /// How many workloads had met a group when a day ended.
    pub(in crate::judge) fn prevalence(&self, group: Group, day: Day) -> usize {
        let from = self.meetings.partition_point(|own| own.group < group);
        let of_group = &self.meetings[from..];
        of_group.partition_point(|own| own.group == group && own.day <= day)
    }

    /// Of some days, the one on which most workloads met a group, and how many; of equal ones the first.
    pub(in crate::judge) fn most_met(
        &self,
        group: Group,
        (first, last): (Day, Day),
    ) -> Option<(Day, usize)> {
        let until = |end: (Group, Day)| {
            let is_before = |own: &Meeting| (own.group, own.day) < end;
            self.meetings.partition_point(is_before)
        };
        let met = &self.meetings[until((group, first))..until((group, Day(last.0 + 1)))];
        let by_day = met.chunk_by(|a, b| a.day == b.day);
        let days = by_day.map(|of_day| (of_day[0].day, of_day.len()));
        days.rev().max_by_key(|(_, count)| *count)
    }

    /// The first packet of the first day on which a workload sent to a group, Unix seconds; none, if none ever did.
    pub(in crate::judge) fn first(&self, group: Group) -> Option<u32> {
        let from = self.meetings.partition_point(|own| own.group < group);
        let first = self.meetings.get(from)?;
        (first.group == group).then_some(first.first)
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

    /// Whether something of this rarity is more than a note on a day: it has the bits that policy asks for, and as strong a
    /// thing is met less than once a day among all workloads, so that no size of network floods who reads of it.
    pub(in crate::judge) fn is_unusual(&self, policy: &Policy, day: Day, rarity: f64) -> bool {
        let active = self.active.get(&day).copied().unwrap_or_default().max(1);
        rarity >= f64::from(policy.scores.unusual).max((active as f64).log2())
    }

    /// Each of these with the rarity of its score.
    pub(in crate::judge) fn with_rarity<'f, T>(
        &self,
        found: &'f [T],
        score: impl Fn(&T) -> Score,
    ) -> impl Iterator<Item = (&'f T, f64)> {
        let scores: Vec<Score> = found.iter().map(score).collect();
        found.iter().zip(self.rarities(&scores))
    }

    /// How many workloads had sent to a destination when a day ended, as a reason.
    pub(in crate::judge) fn prevalence_reason(
        &self,
        policy: &Policy,
        prevalence: usize,
        day: Day,
    ) -> Why {
        let all = self.workloads(day);
        Why {
            observed: prevalence as f64,
            bound: Some(policy.rare_workloads(all) as f64),
            unit: "workloads".to_owned(),
            text: format!("{prevalence} of {all} workloads had sent to this destination by then"),
            ..Why::default()
        }
    }

    /// How rare each score is among the greatest news of each workload-day before its own day, in bits. The day itself has
    /// no say, so that nothing is evidence for itself.
    fn rarities(&self, scores: &[Score]) -> Vec<f64> {
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
                if scores[*at].is_news {
                    let own = greatest.entry(workload).or_default();
                    *own = value.max(*own);
                }
            }
            past.extend_quiet(active.saturating_sub(greatest.len() as u64));
            past.extend(greatest.into_values());
        }
        bits
    }
}
