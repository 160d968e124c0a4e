//! What was not understood of an inventory.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Different problems that are kept: enough to find a cause, however many resources have it. Further ones are
/// counted in [`Problems::unnamed`].
pub const PROBLEMS_MAX: usize = 1_000;

/// A part of an inventory that was not understood, and is lacking in what is answered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Name of the document, as it was given.
    pub source: Arc<str>,
    /// Place in the document, such as `NetworkInterfaces[3]`.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

/// Problems, each with the number of times it was met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    met: BTreeMap<Problem, u64>,
    unnamed: u64,
}

impl Problems {
    /// The problems, in the order of sources and places.
    pub fn iter(&self) -> impl Iterator<Item = (&Problem, u64)> {
        self.met.iter().map(|(problem, times)| (problem, *times))
    }

    /// Problems beyond [`PROBLEMS_MAX`], of which only the number is known.
    pub fn unnamed(&self) -> u64 {
        self.unnamed
    }

    /// Number of all problems.
    pub fn total(&self) -> u64 {
        self.met.values().sum::<u64>() + self.unnamed
    }

    pub(super) fn meet(&mut self, problem: Problem) {
        let room = self.met.len() < PROBLEMS_MAX;
        match self.met.get_mut(&problem) {
            Some(times) => *times += 1,
            None if room => {
                self.met.insert(problem, 1);
            }
            None => self.unnamed += 1,
        }
    }
}
