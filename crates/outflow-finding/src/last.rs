//! What is told again takes the place of what was told.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Things in the order in which they were first told, of each id the last telling: a watch tells an incident again when it
/// grew, and then tells all of it.
///
/// ```
/// use outflow_finding::LastOf;
///
/// let mut told = LastOf::default();
/// for (id, bytes) in [("inc-1", 10), ("inc-2", 20), ("inc-1", 30)] {
///     told.add(Some(id.to_owned()), bytes);
/// }
/// assert_eq!(told.replaced(), 1);
/// assert_eq!(told.into_vec(), [30, 20]);
/// ```
#[derive(Debug, Clone)]
pub struct LastOf<T> {
    all: Vec<T>,
    places: BTreeMap<String, usize>,
    replaced: u64,
}

impl<T> Default for LastOf<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            places: BTreeMap::new(),
            replaced: 0,
        }
    }
}

impl<T> LastOf<T> {
    /// Takes one, in the place of the last that was told under its id; one without an id is like no other.
    pub fn add(&mut self, id: Option<String>, told: T) {
        let Some(id) = id else {
            self.all.push(told);
            return;
        };
        match self.places.entry(id) {
            Entry::Occupied(place) => {
                self.all[*place.get()] = told;
                self.replaced += 1;
            }
            Entry::Vacant(place) => {
                place.insert(self.all.len());
                self.all.push(told);
            }
        }
    }

    /// How many took the place of another.
    pub fn replaced(&self) -> u64 {
        self.replaced
    }

    /// All that stand, in the order in which their ids were first told.
    pub fn as_slice(&self) -> &[T] {
        &self.all
    }

    /// The same, taken out.
    pub fn into_vec(self) -> Vec<T> {
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_id_takes_the_place_of_nothing() {
        let mut told = LastOf::default();
        for (id, value) in [(None, 1), (Some("a"), 2), (None, 3), (Some("a"), 4)] {
            told.add(id.map(str::to_owned), value);
        }
        assert_eq!((told.as_slice(), told.replaced()), (&[1, 4, 3][..], 1));
    }
}
