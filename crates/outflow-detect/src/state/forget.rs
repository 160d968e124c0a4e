//! Forgetting: a state without the days before one, as if their records had never been folded.
//!
//! ```text
//! sums by slot        pairs, receipts, attempts, cells of queries, coverage    what is older is dropped
//! taught for ever     attributes and addresses of interfaces, kinds of rows,   made anew of the lessons of the
//!                     services of AWS, bytes without a pair                    periods that are kept
//! ```
//!
//! What records teach beside their sums has no time: an interface's own address is what all of its records have in common.
//! So whoever wants to forget keeps [`Lessons`] for each period apart. They are as small as there are interfaces, and tell
//! what is left once a period is dropped, to the bit.

use super::{AwsServices, Lane, QueryLane, State, Uncounted};
use crate::Error;
use crate::time::{Day, Hour};

/// What the records of a period teach beside sums by slot. Lessons of a period merge as states do.
#[derive(Debug, Clone, Default)]
pub struct Lessons(State);

impl Lessons {
    /// What was taught by a state that holds the records of a period alone, which begins with this day: those that start in
    /// it.
    pub fn of(state: &State, first: Day) -> Self {
        let mut lessons = State::with_keys_max(state.keys_max);
        lessons.entities = state.entities.lessons(first_hour(first));
        lessons.aws = state.aws.clone();
        lessons.unpaired = state.unpaired;
        Self(lessons)
    }

    /// Adds what other records of the same period teach.
    pub fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.0.encode()
    }

    /// What these bytes hold, with the limit of keys that their state had.
    ///
    /// # Errors
    /// [`Error::State`] for bytes of another version, cut or changed bytes.
    pub fn decode(bytes: &[u8], keys_max: usize) -> Result<Self, Error> {
        State::decode(bytes, keys_max).map(Self)
    }

    /// Bytes on the heap, about.
    pub fn heap_bytes(&self) -> usize {
        self.0.taught_bytes()
    }
}

impl State {
    /// Forgets all records that start before a day. What is left is what a state has into which only the others were folded,
    /// to the byte, but for what memory did not suffice for while they all were there: [`State::is_coarse`] tells.
    ///
    /// `taught` are the lessons of the periods from that day on, which together hold all records that start then; the first
    /// is of the period that begins with the day itself. An interface that none of them knows is forgotten. Batches that are
    /// folded from now on must be of a new enricher.
    pub fn forget<'l>(&mut self, before: Day, taught: impl IntoIterator<Item = &'l Lessons>) {
        let old = std::mem::take(&mut self.entities);
        let (mut aws, mut unpaired) = (AwsServices::default(), Uncounted::default());
        let first = first_hour(before);
        for (number, Lessons(of)) in taught.into_iter().enumerate() {
            self.entities.learn(&of.entities);
            if number == 0 {
                // Records of the day before may have covered minutes of this hour.
                let of_first = |hour: Hour| hour == first;
                self.entities.cover_as(&of.entities, first, of_first);
            }
            aws.merge(of.aws.clone());
            unpaired.add(&of.unpaired);
        }
        let numbers = self.entities.cover_as(&old, first, |hour| hour > first);
        drop(old);
        let number = |old: u32| numbers.get(old as usize).copied().flatten();
        let slot = before.first_slot();
        self.pairs.forget(slot, number);
        self.unoriented.forget(slot, number);
        for shard in &mut self.receipts {
            shard.forget(slot, number);
        }
        for shard in &mut self.attempts {
            shard.forget(slot, number);
        }
        self.queries.forget(slot);
        (self.aws, self.unpaired) = (aws, unpaired);
        (self.lane, self.query_lane) = (Lane::default(), QueryLane::default());
    }

    /// Whether it holds less than it would of the same records from a day on if there had been no others: what lay before
    /// took the memory.
    pub fn is_coarse(&self, from: Day) -> bool {
        let lost =
            |at: Option<outflow_record::Timestamp>| at.is_some_and(|at| at.secs() > from.start());
        self.resolution() > Default::default()
            || self.query_detail() > Default::default()
            || lost(self.coverage_kept_from())
            || lost(self.received_from())
            || lost(self.tried_from())
    }

    /// Bytes on the heap that no limit of keys bounds, about: interfaces with what was learnt of them, hours of coverage, and
    /// who asked.
    pub fn taught_bytes(&self) -> usize {
        self.entities.heap_bytes() + self.aws.heap_bytes() + self.queries.client_bytes()
    }
}

fn first_hour(day: Day) -> Hour {
    Hour::of_minute(day.start() / 60)
}
