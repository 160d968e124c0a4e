//! Sums of an interface and a slot that have no pair, of the interfaces of a shard.

use std::collections::HashMap;

use crate::key::FixedState;
use crate::time::Slot;

/// An interface and a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SlotKey {
    /// Number of the interface within the state.
    pub(crate) entity: u32,
    pub(crate) slot: Slot,
}

/// A sum of an interface and a slot. Adding is associative and commutative, with the default as its zero.
pub(crate) trait OfSlot: Clone + Default {
    /// What a record adds to one.
    type Record;

    /// For each so many keys of pairs that a shard may have, it may have one of weight, as these are by interface alone.
    const KEYS_PER_WEIGHT: usize;

    /// Which one a record is added to.
    fn key(of: &Self::Record) -> SlotKey;

    /// How much room it takes. It grows with what is added, and is a function of the set of that.
    fn weight(&self) -> usize;

    /// Adds a record.
    fn add_record(&mut self, of: &Self::Record);

    /// Adds what another place has.
    fn add(&mut self, other: &Self);

    /// Bytes on the heap, about.
    fn heap_bytes(&self) -> usize;
}

/// The sums of a shard. Beyond its limit the earliest slots are dropped as a whole, so that what is kept is a function of the
/// set of records; [`BySlot::kept_from`] shows that it was reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct BySlot<T> {
    all: HashMap<SlotKey, T, FixedState>,
    /// Of all.
    weight: usize,
    /// Slots before this one were dropped.
    kept_from: u32,
}

impl<T: OfSlot> BySlot<T> {
    /// Adds records; at most so many keys of pairs may a shard have.
    pub(super) fn add_all(&mut self, records: &[T::Record], keys_max: usize) {
        for record in records {
            self.change(T::key(record), |own| own.add_record(record));
        }
        self.shrink(keys_max);
    }

    /// Adds a sum.
    pub(super) fn add(&mut self, key: SlotKey, sum: &T, keys_max: usize) {
        self.change(key, |own| own.add(sum));
        self.shrink(keys_max);
    }

    #[inline]
    fn change(&mut self, key: SlotKey, add: impl FnOnce(&mut T)) {
        if key.slot.0 < self.kept_from {
            return;
        }
        let (before, own) = match self.all.entry(key) {
            std::collections::hash_map::Entry::Occupied(own) => {
                let own = own.into_mut();
                (own.weight(), own)
            }
            std::collections::hash_map::Entry::Vacant(place) => (0, place.insert(T::default())),
        };
        add(own);
        self.weight += own.weight() - before;
    }

    /// Adds another shard; `entity` says which number its interfaces have here.
    pub(super) fn merge(&mut self, other: Self, entity: impl Fn(u32) -> u32, keys_max: usize) {
        self.keep_from(other.kept_from);
        for (key, sum) in other.all {
            let key = SlotKey {
                entity: entity(key.entity),
                ..key
            };
            self.add(key, &sum, keys_max);
        }
    }

    /// The sums, in an order that no output may have.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&SlotKey, &T)> {
        self.all.iter()
    }

    /// The first slot that is kept.
    pub(super) fn kept_from(&self) -> u32 {
        self.kept_from
    }

    /// Drops earlier slots.
    pub(super) fn keep_from(&mut self, slot: u32) {
        if slot > self.kept_from {
            self.kept_from = slot;
            self.all.retain(|key, _| key.slot.0 >= slot);
            self.weigh();
        }
    }

    /// Drops slots before one because nobody asks for them any more, which is no want of memory; `entity` says which number
    /// the interfaces have from now on.
    pub(super) fn forget(&mut self, before: Slot, entity: impl Fn(u32) -> Option<u32>) {
        let all = std::mem::take(&mut self.all);
        let kept = all.into_iter().filter(|(key, _)| key.slot >= before);
        self.all = kept
            .filter_map(|(key, own)| {
                let entity = entity(key.entity)?;
                Some((SlotKey { entity, ..key }, own))
            })
            .collect();
        self.weigh();
        if self.kept_from <= before.0 {
            self.kept_from = 0;
        }
    }

    /// Bytes on the heap, about.
    pub(super) fn heap_bytes(&self) -> usize {
        let own = self.all.values().map(T::heap_bytes);
        self.all.capacity() * size_of::<(SlotKey, T)>() + own.sum::<usize>()
    }

    fn weigh(&mut self) {
        self.weight = self.all.values().map(T::weight).sum();
    }

    fn shrink(&mut self, keys_max: usize) {
        let most = (keys_max / T::KEYS_PER_WEIGHT).max(1);
        while self.weight > most
            && self.all.len() > 1
            && let Some(first) = self.all.keys().map(|key| key.slot.0).min()
        {
            self.keep_from(first.saturating_add(1));
        }
    }
}
