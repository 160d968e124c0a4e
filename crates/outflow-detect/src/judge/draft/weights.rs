//! Payload by key.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;

use crate::key::FixedState;

/// Payload both ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sides {
    /// From the interfaces.
    pub(in crate::judge) up: u64,
    /// To the interfaces.
    pub(in crate::judge) down: u64,
}

impl Sides {
    /// Adds what another place counted.
    pub(in crate::judge) fn add(&mut self, other: Self) {
        self.up = self.up.saturating_add(other.up);
        self.down = self.down.saturating_add(other.down);
    }
}

/// Payload of a few keys that come again and again.
#[derive(Debug)]
pub(super) struct Few<K>(HashMap<K, Sides, FixedState>);

impl<K> Default for Few<K> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<K: Ord + Copy + Hash> Few<K> {
    pub(super) fn add(&mut self, key: K, sides: Sides) {
        self.0.entry(key).or_default().add(sides);
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (key, sides) in other.0 {
            self.add(key, sides);
        }
    }

    /// The keys, ranked.
    pub(super) fn ranked(self) -> Vec<K> {
        let mut sums: Vec<(K, Sides)> = self.0.into_iter().collect();
        sums.sort_unstable_by_key(rank);
        keys(&sums)
    }
}

/// Payload of many keys, most of which come once or in a row.
#[derive(Debug)]
pub(super) struct Many<K>(Vec<(K, Sides)>);

impl<K> Default for Many<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord + Copy> Many<K> {
    pub(super) fn add(&mut self, key: K, sides: Sides) {
        match self.0.last_mut() {
            Some((last, sum)) if *last == key => sum.add(sides),
            _ => self.0.push((key, sides)),
        }
    }

    /// Adds sums in the order of keys.
    pub(super) fn merge(&mut self, mut sums: Vec<(K, Sides)>) {
        self.0.append(&mut sums);
    }

    /// Each key once with its sum, in the order of keys. Sums that were merged are runs in that order, which a
    /// stable sort finds and merges.
    pub(super) fn summed(self) -> Vec<(K, Sides)> {
        let mut sums = self.0;
        sums.sort_by_key(|(key, _)| *key);
        sums.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                first.1.add(next.1);
            }
            same
        });
        sums
    }
}

/// The first keys of sums, ranked.
pub(super) fn first_ranked<K: Ord + Copy>(mut sums: Vec<(K, Sides)>, len: usize) -> Vec<K> {
    if sums.len() > len {
        sums.select_nth_unstable_by_key(len, rank);
        sums.truncate(len);
    }
    sums.sort_unstable_by_key(rank);
    keys(&sums)
}

/// Sums in the order of [`rank`].
pub(super) fn ranked<K: Ord + Copy>(mut sums: Vec<(K, Sides)>) -> Vec<(K, Sides)> {
    sums.sort_unstable_by_key(rank);
    sums
}

/// Those first that sent most, then those that got most, then the smallest.
fn rank<K: Copy>((key, Sides { up, down }): &(K, Sides)) -> (Reverse<u64>, Reverse<u64>, K) {
    (Reverse(*up), Reverse(*down), *key)
}

fn keys<K: Copy>(sums: &[(K, Sides)]) -> Vec<K> {
    sums.iter().map(|(key, _)| *key).collect()
}
