//! When the detector could have told, had it judged after every minute: what a watch does.

use std::collections::BTreeMap;

use super::overlay::{Hit, Overlay, Test};
use crate::Error;
use crate::attack::Placement;
use crate::budget::{Level, Rule};
use crate::methods::Method;
use crate::world::DAY_SECS;

/// Instants of a day that are told apart: halving them six times finds one.
const INSTANTS_MAX: usize = 64;

/// A placement that is followed: among its instants of the day on which it is told, the first at which it is.
struct Followed {
    at: usize,
    level: usize,
    rule: Rule,
    /// The hit's place, and its day's last second.
    hit: usize,
    day_end: u32,
    instants: Vec<u32>,
    /// It is told at the last of these, and not before the first.
    from: usize,
    to: usize,
}

impl Test<'_> {
    /// Sets when the detector could have told of each placement that is followed, at the main level and by default: all are
    /// halved at once.
    pub(super) fn follow(
        &self,
        overlay: &Overlay,
        all: &mut [BTreeMap<Method, Vec<Hit>>],
    ) -> Result<(), Error> {
        let rules = &self.rules[&Method::Outflow];
        for level in [Level::MAIN, Level::DEFAULT] {
            let mut followed: Vec<Followed> = Vec::new();
            for (at, placement) in overlay.placements.iter().enumerate() {
                let hits = &all[at][&Method::Outflow];
                if placement.number < u64::from(self.followed) {
                    followed.extend(start(at, level, rules[level], placement, hits));
                }
            }
            while followed.iter().any(|own| own.from < own.to) {
                self.halve(overlay, &mut followed)?;
            }
            for own in followed {
                if let Some(hits) = all[own.at].get_mut(&Method::Outflow) {
                    let live = &mut hits[own.hit].live;
                    live.resize(Level::ALL.len(), None);
                    live[own.level] = own.instants.get(own.to).copied();
                }
            }
        }
        Ok(())
    }

    fn halve(&self, overlay: &Overlay, followed: &mut [Followed]) -> Result<(), Error> {
        let middle = |own: &Followed| usize::midpoint(own.from, own.to);
        let of = |at: usize| {
            let own = followed.iter().find(|own| own.at == at);
            own.map_or(u32::MAX, |own| own.instants[middle(own)])
        };
        let alerts = self.detect(overlay, of)?;
        for own in followed.iter_mut().filter(|own| own.from < own.to) {
            let placement = &overlay.placements[own.at];
            let hits = self.hits(Method::Outflow, placement, &alerts);
            let middle = middle(own);
            if hits
                .iter()
                .any(|hit| hit.counts(own.rule) && hit.at <= own.day_end)
            {
                own.to = middle;
            } else {
                own.from = middle + 1;
            }
        }
        Ok(())
    }
}

/// The first hit that counts, if there is one.
pub(crate) fn first(hits: &[Hit], rule: Rule) -> Option<usize> {
    let counting = (0..hits.len()).filter(|at| hits[*at].counts(rule));
    counting.min_by_key(|at| hits[*at].at)
}

fn start(
    at: usize,
    level: usize,
    rule: Rule,
    placement: &Placement,
    hits: &[Hit],
) -> Option<Followed> {
    let hit = first(hits, rule)?;
    let day_end = hits[hit].at;
    let day_start = (day_end / DAY_SECS - 1) * DAY_SECS;
    let sent = placement.rows.iter().map(|row| row.end);
    let within = sent.chain(placement.asked.iter().map(|own| own.at));
    let mut instants: Vec<u32> = within
        .filter(|end| (day_start..day_end).contains(end))
        .collect();
    instants.sort_unstable();
    instants.dedup();
    let step = instants.len().div_ceil(INSTANTS_MAX).max(1);
    // The last one stays: by then it is told.
    let last = instants.len().checked_sub(1)?;
    let kept: Vec<u32> = (0..=last)
        .filter(|own| (last - own) % step == 0)
        .map(|own| instants[own])
        .collect();
    let to = kept.len() - 1;
    Some(Followed {
        at,
        level,
        rule,
        hit,
        day_end,
        instants: kept,
        from: 0,
        to,
    })
}
