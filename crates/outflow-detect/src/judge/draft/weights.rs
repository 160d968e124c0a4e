//! Payload by key.

use std::cmp::Reverse;

/// Payload both ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::judge) struct Sides {
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

    /// Whether more went out than came back.
    pub(in crate::judge) fn is_pushed(self) -> bool {
        self.up > self.down
    }
}

/// Keys with payload that adds up.
#[derive(Debug)]
pub(super) struct Weights<K>(Vec<(K, Sides)>);

impl<K> Default for Weights<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord + Copy> Weights<K> {
    pub(super) fn add(&mut self, key: K, sides: Sides) {
        match self.0.last_mut() {
            Some((last, sum)) if *last == key => sum.add(sides),
            _ => self.0.push((key, sides)),
        }
    }

    /// The keys and their sums: those first that sent most, then those that got most, then the smallest.
    pub(super) fn ranked(&self) -> Vec<(K, Sides)> {
        let mut sums = self.0.clone();
        sums.sort_unstable_by_key(|(key, _)| *key);
        sums.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                first.1.add(next.1);
            }
            same
        });
        sums.sort_unstable_by_key(|(key, Sides { up, down })| (Reverse(*up), Reverse(*down), *key));
        sums
    }
}

pub(super) fn keys<K: Copy>(ranked: &[(K, Sides)]) -> Vec<K> {
    ranked.iter().map(|(key, _)| *key).collect()
}
