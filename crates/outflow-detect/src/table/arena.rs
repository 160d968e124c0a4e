//! Counters by key: the entries one behind the other in pages, and a table of their places.
//!
//! Most keys of a log are met once. A new key then costs a look at the table, which is small enough for the
//! caches, and a write behind the last entry; growing moves no entry.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::counters::Counters;
use crate::key::{FixedState, Key};

/// Entries of a page.
const PAGE: usize = 512;

/// The entries of a shard.
#[derive(Debug, Clone)]
pub(super) struct Arena<K> {
    places: HashTable<u32>,
    pages: Vec<Vec<(K, Counters)>>,
    len: usize,
}

impl<K> Default for Arena<K> {
    fn default() -> Self {
        Self {
            places: HashTable::new(),
            pages: Vec::new(),
            len: 0,
        }
    }
}

impl<K: Key> Arena<K> {
    /// Adds to the counters of a key.
    #[inline]
    pub(super) fn add(&mut self, key: K, counters: &Counters) {
        let Self { places, pages, len } = self;
        let hash = hash_of(&key);
        let found = places.find(hash, |place| entry(pages, *place).0 == key);
        if let Some(place) = found {
            let place = *place as usize;
            pages[place / PAGE][place % PAGE].1.add(counters);
            return;
        }
        if *len % PAGE == 0 {
            pages.push(Vec::with_capacity(PAGE));
        }
        if let Some(page) = pages.last_mut() {
            page.push((key, *counters));
        }
        let place = u32::try_from(*len).unwrap_or(u32::MAX);
        places.insert_unique(hash, place, |place| hash_of(&entry(pages, *place).0));
        *len += 1;
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

    /// The entries, each page freed once it is read.
    pub(super) fn into_entries(self) -> impl Iterator<Item = (K, Counters)> {
        self.pages.into_iter().flatten()
    }

    /// Bytes on the heap, about.
    pub(super) fn heap_bytes(&self) -> usize {
        self.pages.len() * PAGE * size_of::<(K, Counters)>() + self.places.capacity() * 8 / 7 * 5
    }
}

fn entry<K>(pages: &[Vec<(K, Counters)>], place: u32) -> &(K, Counters) {
    let place = place as usize;
    &pages[place / PAGE][place % PAGE]
}

fn hash_of<K: Key>(key: &K) -> u64 {
    FixedState::default().hash_one(key)
}
