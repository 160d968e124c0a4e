//! A bounded table of counters.

mod arena;

use crate::counters::Counters;
use crate::key::{Key, Resolution};
use crate::parallel::in_parallel_mut;
use crate::rhythm::{Rhythm, Rhythms};
use crate::time::Slot;
use arena::Arena;

/// Shards of a table: each grows by itself, so that no doubling ever copies the whole.
pub(crate) const SHARDS: usize = 64;

/// Keys that are looked up ahead of adding to them: about as many as a processor has loads under way.
const WARM_KEYS: usize = 16;

/// Counters by key, in shards that are told by the interface.
///
/// A shard that has more keys than its limit, or more than three quarters as many rhythms, keeps less of each key
/// ([`Resolution`]). Which level it ends at depends on the set of records alone, not on their order or on how partial
/// tables were merged: it is the finest at which the keys of all records fit. No count is ever dropped.
#[derive(Debug, Clone)]
pub(crate) struct Table<K> {
    shards: Vec<Shard<K>>,
    keys_max: usize,
}

/// A shard of a table.
#[derive(Debug, Clone)]
pub(crate) struct Shard<K> {
    level: Resolution,
    counters: Arena<K>,
}

/// Rhythms that a shard of so many keys may have: ten million pairs of a hundred thousand interfaces, of which each has
/// one, keep their addresses, also where some shards have a fifth more than others.
const fn rhythms_max(keys_max: usize) -> usize {
    keys_max - keys_max / 4
}

impl<K> Default for Shard<K> {
    fn default() -> Self {
        Self {
            level: Resolution::Address,
            counters: Arena::default(),
        }
    }
}

impl<K: Key> Table<K> {
    /// An empty table of at most `keys_max` keys a shard.
    pub(crate) fn new(keys_max: usize) -> Self {
        Self::of_shards((0..SHARDS).map(|_| Shard::default()).collect(), keys_max)
    }

    /// The table of shards that were filled one by one, with the same limit.
    pub(crate) fn of_shards(shards: Vec<Shard<K>>, keys_max: usize) -> Self {
        Self { shards, keys_max }
    }

    /// Gives its memory back, on several threads.
    pub(crate) fn release(mut self)
    where
        K: Send,
    {
        in_parallel_mut(&mut self.shards, |_, shard| drop(std::mem::take(shard)));
    }

    /// Adds to the counters of a key; `from` are the rhythms of where they come from.
    #[inline]
    pub(crate) fn add(&mut self, shard: usize, key: K, counters: &Counters, from: &Rhythms) {
        self.shards[shard % SHARDS].add(key, counters, from, self.keys_max);
    }

    /// Adds to the counters of keys of one shard.
    pub(crate) fn add_all(&mut self, shard: usize, entries: &[(K, Counters)]) {
        self.shards[shard % SHARDS].add_all(entries, self.keys_max);
    }

    /// Adds another table; `shard` and `entity` say where its interfaces are in this one.
    pub(crate) fn merge(&mut self, other: Self, entity: impl Fn(u32) -> u32) {
        for (own, other) in self.shards.iter_mut().zip(other.shards) {
            while own.level < other.level {
                own.coarsen();
            }
            let (entries, rhythms) = other.counters.into_entries();
            for (key, counters) in entries {
                let key = key.with_entity(entity(key.entity()));
                own.add(key, &counters, &rhythms, self.keys_max);
            }
        }
    }

    /// Drops keys of slots before one, and of interfaces that have no number any more; `entity` says which number the others
    /// have from now on. What a shard kept less of stays so, unless nothing is left of it.
    pub(crate) fn forget(&mut self, before: Slot, entity: impl Fn(u32) -> Option<u32>) {
        for shard in &mut self.shards {
            let (entries, rhythms) = std::mem::take(&mut shard.counters).into_entries();
            for (key, counters) in entries {
                if key.slot() >= before
                    && let Some(number) = entity(key.entity())
                {
                    let key = key.with_entity(number);
                    shard.counters.add(key, &counters, &rhythms);
                }
            }
            if shard.counters.len() == 0 {
                shard.level = Resolution::default();
            }
        }
    }

    /// As [`Table::shard`], of all shards.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &Counters, Resolution)> {
        (0..self.shards.len()).flat_map(|at| self.shard(at))
    }

    /// Every key of a shard with its counters and the level that it is kept at, in an order that no output may have.
    pub(crate) fn shard(&self, at: usize) -> impl Iterator<Item = (&K, &Counters, Resolution)> {
        let shard = &self.shards[at];
        let entries = shard.counters.entries();
        entries.map(|(key, counters)| (key, counters, shard.level))
    }

    /// The beats of an entry of a shard.
    pub(crate) fn rhythm(&self, shard: usize, counters: &Counters) -> Rhythm {
        self.shards[shard % SHARDS].counters.rhythm(counters)
    }

    /// The level of each shard.
    pub(crate) fn levels(&self) -> impl Iterator<Item = Resolution> {
        self.shards.iter().map(|shard| shard.level)
    }

    /// Raises a shard to a level, as a decoded state had it.
    pub(crate) fn raise(&mut self, shard: usize, level: Resolution) {
        let shard = &mut self.shards[shard % SHARDS];
        while shard.level < level {
            shard.coarsen();
        }
    }

    /// Bytes on the heap, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.counters.heap_bytes())
            .sum()
    }
}

impl<K: Key> Shard<K> {
    #[inline]
    fn add(&mut self, key: K, counters: &Counters, from: &Rhythms, keys_max: usize) {
        self.counters.add(key.at(self.level), counters, from);
        if self.is_over(keys_max) {
            self.shrink(keys_max);
        }
    }

    /// Whether it holds more than `keys_max` allows: a rhythm takes more room than a key.
    #[inline]
    fn is_over(&self, keys_max: usize) -> bool {
        self.counters.len() > keys_max || self.counters.rhythms_len() > rhythms_max(keys_max)
    }

    /// Adds to the counters of keys, and keeps less of each key once there are more than `keys_max`.
    pub(crate) fn add_all(&mut self, entries: &[(K, Counters)], keys_max: usize) {
        // What comes one by one has no rhythm yet.
        let from = Rhythms::default();
        for some in entries.chunks(WARM_KEYS) {
            for (key, _) in some {
                self.counters.warm_up(&key.at(self.level));
            }
            for (key, counters) in some {
                self.add(*key, counters, &from, keys_max);
            }
        }
    }

    fn shrink(&mut self, keys_max: usize) {
        while self.is_over(keys_max) && self.level.coarser().is_some() {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        let Some(level) = self.level.coarser() else {
            return;
        };
        self.level = level;
        let (entries, rhythms) = std::mem::take(&mut self.counters).into_entries();
        for (key, counters) in entries {
            self.counters.add(key.at(level), &counters, &rhythms);
        }
    }
}

#[cfg(test)]
mod tests;
