//! Values that repeat themselves, each held once.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Values by the number under which each is held, from 0.
#[derive(Debug)]
pub(crate) struct Interned<T> {
    values: Vec<T>,
    numbers: HashTable<u32>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            numbers: HashTable::new(),
        }
    }
}

impl<T: Hash + Eq> Interned<T> {
    /// The number of a value. One that is new is kept as `own` makes it.
    #[inline]
    pub(crate) fn number<Q>(&mut self, value: &Q, own: impl FnOnce(&Q) -> T) -> i32
    where
        Q: Hash + Eq + ?Sized,
        T: Borrow<Q>,
    {
        let hasher = FixedState::default();
        let values = &self.values;
        let found = self.numbers.entry(
            hasher.hash_one(value),
            |number| values[*number as usize].borrow() == value,
            |number| hasher.hash_one(values[*number as usize].borrow()),
        );
        let number = match found {
            hashbrown::hash_table::Entry::Occupied(known) => *known.get(),
            hashbrown::hash_table::Entry::Vacant(place) => {
                let number = u32::try_from(values.len()).unwrap_or(u32::MAX);
                place.insert(number);
                self.values.push(own(value));
                number
            }
        };
        i32::try_from(number).unwrap_or(i32::MAX)
    }

    /// The values, by number.
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }

    /// Forgets all values, and keeps their memory for others.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.numbers.clear();
    }
}

/// By key, the place of a text among all in their order.
pub(super) fn places(texts: &[Box<str>]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_unstable_by(|a, b| texts[*a].cmp(&texts[*b]));
    let mut places = vec![0; texts.len()];
    for (place, key) in (0..).zip(order) {
        places[key] = place;
    }
    places
}
