//! What was observed of resources, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use outflow_record::Timestamp;

/// Whose resources a listing shows. Empty parts are one unknown account or region.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Account whose credentials asked.
    pub account_id: String,
    /// Region that was asked.
    pub region: String,
}

/// How an observation relates to the time that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum When {
    /// It was the last one by then, and no later listing lacked the resource.
    Current,
    /// The resource was first seen later. It may have been different by then.
    NotYet,
    /// By then, a listing lacked the resource, or it was seen to be deleted.
    Gone,
}

/// An observation, and how it relates to the time that was asked for.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known<'a, T> {
    /// What was seen.
    pub value: &'a T,
    /// Whether that holds for the time asked for.
    pub when: When,
    /// When it was seen.
    pub seen_at: Timestamp,
    /// Where it was seen.
    pub place: &'a Place,
}

/// Resources of one kind over time, by id. What is answered does not depend on the order of observations.
#[derive(Debug, Clone)]
pub struct Timeline<T> {
    listed_at: BTreeMap<Arc<Place>, BTreeSet<Timestamp>>,
    /// When a place was asked for its resources in vain.
    unlisted_at: BTreeMap<Arc<Place>, BTreeSet<Timestamp>>,
    resources: BTreeMap<String, BTreeMap<Timestamp, Observation<T>>>,
}

/// What was seen of a resource; no value where it was seen to be deleted. Equal values in a row are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Observation<T> {
    value: Option<Arc<T>>,
    place: Arc<Place>,
}

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self {
            listed_at: BTreeMap::new(),
            unlisted_at: BTreeMap::new(),
            resources: BTreeMap::new(),
        }
    }
}

impl<T> Timeline<T> {
    /// The resource as of a time: as it was last seen by then, or else as it was first seen.
    pub fn get(&self, id: &str, at: Timestamp) -> Option<Known<'_, T>> {
        let observations = self.resources.get(id)?;
        let mut latest = true;
        for (&seen_at, seen) in observations.range(..=at).rev() {
            if let Some(value) = &seen.value {
                let current = latest && !self.listed_between(&seen.place, seen_at, at);
                let when = if current { When::Current } else { When::Gone };
                return Some(seen.known(value, when, seen_at));
            }
            latest = false;
        }
        observations.iter().find_map(|(&seen_at, seen)| {
            let value = seen.value.as_ref()?;
            Some(seen.known(value, When::NotYet, seen_at))
        })
    }

    /// Every resource as of a time, in the order of ids.
    pub fn iter(&self, at: Timestamp) -> impl Iterator<Item = (&str, Known<'_, T>)> {
        let ids = self.resources.keys();
        ids.filter_map(move |id| Some((id.as_str(), self.get(id, at)?)))
    }

    /// Everything that was ever seen of a resource, from the first on.
    pub fn history(&self, id: &str) -> impl Iterator<Item = (Timestamp, &T)> {
        let observations = self.resources.get(id).into_iter().flatten();
        observations.filter_map(|(seen_at, seen)| Some((*seen_at, &**seen.value.as_ref()?)))
    }

    /// As [`Timeline::history`], each with until when it held: until something else was seen, or that it was deleted, or a listing
    /// lacked it. What holds as far as anything is known has no end.
    pub fn spans(&self, id: &str) -> impl Iterator<Item = (Timestamp, Option<Timestamp>, &T)> {
        let observations = self.resources.get(id).into_iter().flatten();
        let next = observations.clone().skip(1).map(|(seen_at, _)| *seen_at);
        let ends = next.map(Some).chain(std::iter::once(None));
        observations
            .zip(ends)
            .filter_map(|((&seen_at, seen), next)| {
                let lacked = self.listed_at.get(&seen.place).and_then(|times| {
                    let mut later = times.range((Bound::Excluded(seen_at), Bound::Unbounded));
                    later.next().copied()
                });
                let until = next.into_iter().chain(lacked).min();
                Some((seen_at, until, &**seen.value.as_ref()?))
            })
    }

    /// What was seen of a resource at exactly a time.
    pub(super) fn observed(&self, id: &str, at: Timestamp) -> Option<&T> {
        self.resources.get(id)?.get(&at)?.value.as_deref()
    }

    /// Ids of all resources ever seen, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.resources.keys().map(String::as_str)
    }

    /// Whether all resources of a place were listed by a time, and it was not asked in vain since. Only then does it say
    /// something that a resource is not there.
    pub fn is_listed(&self, place: &Place, by: Timestamp) -> bool {
        let last = |times: &BTreeMap<Arc<Place>, BTreeSet<Timestamp>>| {
            let times = times.get(place)?;
            times.range(..=by).next_back().copied()
        };
        let listed = last(&self.listed_at);
        listed.is_some_and(|listed| last(&self.unlisted_at).is_none_or(|vain| vain < listed))
    }

    /// Whether the place of a resource was asked in vain after the resource was seen: it may be gone or different by then.
    /// A listing that came in part is no such for what it shows.
    pub fn is_stale(&self, known: &Known<'_, T>, by: Timestamp) -> bool {
        let times = self.unlisted_at.get(known.place);
        let vain = times.and_then(|times| times.range(..=by).next_back());
        vain.is_some_and(|vain| *vain > known.seen_at)
    }

    /// When any place was listed, or asked in vain, in order.
    pub fn asked_at(&self) -> BTreeSet<Timestamp> {
        let times = self.listed_at.values().chain(self.unlisted_at.values());
        times.flatten().copied().collect()
    }

    /// Places of which all resources were listed at some time, in order.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.listed_at.keys().map(|place| &**place)
    }

    /// Notes that all resources of a place were listed.
    pub(super) fn listed(&mut self, place: &Arc<Place>, at: Timestamp) {
        let times = self.listed_at.entry(Arc::clone(place)).or_default();
        times.insert(at);
    }

    /// Notes that a place was asked for its resources, and did not tell all.
    pub(super) fn unlisted(&mut self, place: &Arc<Place>, at: Timestamp) {
        let times = self.unlisted_at.entry(Arc::clone(place)).or_default();
        times.insert(at);
    }

    /// Whether a place was listed after one time and by another.
    fn listed_between(&self, place: &Place, after: Timestamp, by: Timestamp) -> bool {
        let times = self.listed_at.get(place);
        times.is_some_and(|times| {
            times
                .range(..=by)
                .next_back()
                .is_some_and(|last| *last > after)
        })
    }
}

impl<T: Ord> Timeline<T> {
    /// Notes what was seen of a resource, or that it was deleted; returns whether that adds an observation. Of two
    /// that differ at the same time, the greater stays, whichever came first.
    pub(super) fn observe(
        &mut self,
        id: &str,
        place: &Arc<Place>,
        at: Timestamp,
        value: Option<T>,
    ) -> bool {
        let observations = self.resources.entry(id.to_owned()).or_default();
        let before = observations.range(..at).next_back();
        let after = observations.range(at..).next();
        let mut near = before.into_iter().chain(after);
        let shared = near.find_map(|(_, seen)| {
            let same = seen.value.as_deref() == value.as_ref();
            seen.value.as_ref().filter(|_| same).map(Arc::clone)
        });
        let seen = Observation {
            value: shared.or_else(|| value.map(Arc::new)),
            place: Arc::clone(place),
        };
        match observations.get_mut(&at) {
            Some(known) => {
                if *known < seen {
                    *known = seen;
                }
                false
            }
            None => {
                observations.insert(at, seen);
                true
            }
        }
    }
}

impl<T> Observation<T> {
    fn known<'a>(&'a self, value: &'a T, when: When, seen_at: Timestamp) -> Known<'a, T> {
        Known {
            value,
            when,
            seen_at,
            place: &self.place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(timeline: &Timeline<&str>, at: i64) -> String {
        match timeline.get("eni-1", Timestamp(at)) {
            Some(known) => format!("{} {:?} {}", known.value, known.when, known.seen_at.0),
            None => "-".to_owned(),
        }
    }

    #[test]
    fn a_resource_is_as_it_was_last_seen() {
        let place = Arc::new(Place::default());
        let elsewhere = Arc::new(Place {
            region: "eu-west-1".to_owned(),
            ..Place::default()
        });
        // Last first, as order is free.
        let mut timeline = Timeline::default();
        timeline.listed(&place, Timestamp(30));
        timeline.observe("eni-1", &place, Timestamp(20), Some("b"));
        timeline.observe("eni-1", &place, Timestamp(10), Some("a"));
        timeline.listed(&elsewhere, Timestamp(15));
        assert_eq!(said(&timeline, 5), "a NotYet 10");
        assert_eq!(said(&timeline, 10), "a Current 10");
        assert_eq!(said(&timeline, 19), "a Current 10");
        assert_eq!(said(&timeline, 20), "b Current 20");
        assert_eq!(said(&timeline, 30), "b Gone 20");
        timeline.observe("eni-1", &place, Timestamp(40), None);
        timeline.observe("eni-1", &place, Timestamp(50), Some("c"));
        assert_eq!(said(&timeline, 45), "b Gone 20");
        assert_eq!(said(&timeline, 50), "c Current 50");
        assert_eq!(timeline.history("eni-1").count(), 3);
        let spans: Vec<(i64, Option<i64>, &str)> = timeline
            .spans("eni-1")
            .map(|(from, until, value)| (from.0, until.map(|until| until.0), *value))
            .collect();
        let held = [(10, Some(20), "a"), (20, Some(30), "b"), (50, None, "c")];
        assert_eq!(spans, held, "neither listed nor deleted is b");
        assert!(timeline.get("eni-2", Timestamp(10)).is_none());
    }

    #[test]
    fn a_place_that_was_asked_in_vain_is_not_listed_until_it_answers() {
        let place = Arc::new(Place::default());
        let mut timeline = Timeline::<&str>::default();
        timeline.unlisted(&place, Timestamp(20));
        timeline.listed(&place, Timestamp(10));
        timeline.listed(&place, Timestamp(30));
        let listed = [5, 10, 19, 20, 29, 30].map(|at| timeline.is_listed(&place, Timestamp(at)));
        assert_eq!(listed, [false, true, true, false, false, true]);
        timeline.unlisted(&place, Timestamp(30));
        assert!(!timeline.is_listed(&place, Timestamp(30)));
    }

    #[test]
    fn what_was_seen_before_its_place_was_asked_in_vain_is_stale() {
        let place = Arc::new(Place::default());
        let elsewhere = Arc::new(Place {
            region: "eu-west-1".to_owned(),
            ..Place::default()
        });
        let mut timeline = Timeline::default();
        timeline.observe("eni-1", &place, Timestamp(10), Some("a"));
        timeline.observe("eni-2", &elsewhere, Timestamp(10), Some("b"));
        timeline.observe("eni-3", &place, Timestamp(20), Some("c"));
        timeline.unlisted(&place, Timestamp(20));
        let is_stale = |id, by| {
            let known = timeline.get(id, Timestamp(by)).unwrap();
            timeline.is_stale(&known, Timestamp(by))
        };
        assert!(!is_stale("eni-1", 19) && is_stale("eni-1", 20) && is_stale("eni-1", 99));
        assert!(!is_stale("eni-2", 99), "another place");
        assert!(!is_stale("eni-3", 99), "the part that came shows it");
        assert!(!is_stale("eni-3", 5), "it is not seen yet");
    }

    #[test]
    fn of_two_at_the_same_time_the_greater_stays() {
        let place = Arc::new(Place::default());
        for order in [["a", "b"], ["b", "a"]] {
            let mut timeline = Timeline::default();
            let new =
                order.map(|value| timeline.observe("eni-1", &place, Timestamp(1), Some(value)));
            assert_eq!(new, [true, false]);
            assert_eq!(said(&timeline, 1), "b Current 1");
        }
    }

    #[test]
    fn equal_values_in_a_row_are_held_once() {
        let place = Arc::new(Place::default());
        let mut timeline = Timeline::default();
        for at in [30, 10, 20] {
            timeline.observe("eni-1", &place, Timestamp(at), Some("a"));
        }
        let observations = &timeline.resources["eni-1"];
        let values: Vec<_> = observations
            .values()
            .filter_map(|seen| seen.value.as_ref())
            .collect();
        assert!(values.iter().all(|value| Arc::ptr_eq(value, values[0])));
        assert_eq!(values.len(), 3);
    }
}
