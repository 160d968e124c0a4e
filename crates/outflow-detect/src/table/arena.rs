//! Counters by key: the entries one behind the other in pages, and a table of their places.
//!
//! Most keys of a log are met once. A new key then costs a look at the table, which is small enough for the
//! caches, and a write behind the last entry; growing moves no entry.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::counters::Counters;
use crate::key::{FixedState, Key};
use crate::rhythm::{Rhythm, Rhythms};

/// Entries of a page.
const PAGE: usize = 512;

/// The entries of a shard.
#[derive(Debug, Clone)]
pub(super) struct Arena<K> {
    places: HashTable<Place>,
    pages: Vec<Vec<(K, Counters)>>,
    len: usize,
    /// Those of the entries, in no order.
    rhythms: Rhythms,
}

/// Where an entry is, with half of its key's hash: growing the table then reads no entry.
#[derive(Debug, Clone, Copy)]
struct Place {
    half: u32,
    at: u32,
}

impl Place {
    /// The hash that the table goes by: its upper bits and its lower ones both come from the half.
    fn hash(half: u32) -> u64 {
        u64::from(half).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl<K> Default for Arena<K> {
    fn default() -> Self {
        Self {
            places: HashTable::new(),
            pages: Vec::new(),
            len: 0,
            rhythms: Rhythms::default(),
        }
    }
}

impl<K: Key> Arena<K> {
    /// Adds to the counters of a key; `from` are the rhythms of where they come from.
    #[inline]
    pub(super) fn add(&mut self, key: K, counters: &Counters, from: &Rhythms) {
        let Self {
            places,
            pages,
            len,
            rhythms,
        } = self;
        let half = half_of(&key);
        let hash = Place::hash(half);
        let is_ours = |place: &Place| place.half == half && entry(pages, place.at).0 == key;
        if let Some(place) = places.find(hash, is_ours) {
            let at = place.at as usize;
            let own = &mut pages[at / PAGE][at % PAGE].1;
            own.add(counters);
            own.add_beats(rhythms, counters, from);
            return;
        }
        if *len % PAGE == 0 {
            pages.push(Vec::with_capacity(PAGE));
        }
        let mut own = counters.without_beats();
        own.add_beats(rhythms, counters, from);
        if let Some(page) = pages.last_mut() {
            page.push((key, own));
        }
        let at = u32::try_from(*len).unwrap_or(u32::MAX);
        places.insert_unique(hash, Place { half, at }, |place| Place::hash(place.half));
        *len += 1;
    }

    /// Looks a key up without waiting for it: several such looks are under way at once, and what they bring into the
    /// cache, adding then finds there.
    #[inline]
    pub(super) fn warm_up(&self, key: &K) {
        let half = half_of(key);
        let is_alike = |place: &Place| place.half == half;
        std::hint::black_box(self.places.find(Place::hash(half), is_alike).is_some());
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The entries, in the order in which they came.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&K, &Counters)> {
        self.pages
            .iter()
            .flatten()
            .map(|(key, counters)| (key, counters))
    }

    /// How many of them have a rhythm.
    pub(super) fn rhythms_len(&self) -> usize {
        self.rhythms.len()
    }

    /// The beats of an entry.
    pub(super) fn rhythm(&self, counters: &Counters) -> Rhythm {
        counters.rhythm(&self.rhythms)
    }

    /// The entries, each page freed once it is read, and their rhythms.
    pub(super) fn into_entries(self) -> (impl Iterator<Item = (K, Counters)>, Rhythms) {
        (self.pages.into_iter().flatten(), self.rhythms)
    }

    /// Bytes on the heap, about.
    pub(super) fn heap_bytes(&self) -> usize {
        self.pages.len() * PAGE * size_of::<(K, Counters)>()
            + self.places.capacity() * 8 / 7 * 9
            + self.rhythms.heap_bytes()
    }
}

fn entry<K>(pages: &[Vec<(K, Counters)>], place: u32) -> &(K, Counters) {
    let place = place as usize;
    &pages[place / PAGE][place % PAGE]
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "half of the hash is enough"
)]
fn half_of<K: Key>(key: &K) -> u32 {
    FixedState::default().hash_one(key) as u32
}
