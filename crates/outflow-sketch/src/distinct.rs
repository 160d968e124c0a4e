//! How many different items there were.
//!
//! Up to [`EXACT_MAX`] items the state is the sorted set of their hashes and the count is exact; beyond, it is
//! the 1,024 registers of a HyperLogLog. Which of the two it is depends only on how many different hashes
//! went in, and either is a function of their set, so that every order of insertion and every tree of merges
//! ends in the same bytes.
//!
//! The registers are our own. The `hyperloglogplus` crate gives no access to its registers, and its sparse
//! form is not canonical: pending items wait in a randomly seeded set, and when they are merged, and with that
//! when the dense form takes over, depends on how the items arrived.

use crate::hash64;

/// The most items that are counted exactly: their hashes take as much room as the registers, 1 KiB, so that
/// no state is ever larger. At the limit the set becomes registers, which [`Distinct::exact`] shows.
pub const EXACT_MAX: usize = REGISTERS / size_of::<u64>();

/// Relative standard deviation of a count beyond [`EXACT_MAX`]: 1.04/√1024.
pub const STANDARD_ERROR: f64 = 1.04 / 32.0;

/// Hashes that are looked for one by one: to merge them takes longer.
const FEW: usize = 8;

const PRECISION: u32 = 10;
const REGISTERS: usize = 1 << PRECISION;

// A register holds the position of the first one among the bits that do not choose the register, or one more
// than there are such bits.
const RANK_MAX: u8 = 55;
const _: () = assert!(RANK_MAX as u32 == u64::BITS - PRECISION + 1);

/// A count of different items that can be merged with others.
///
/// `merge` is associative, commutative and idempotent, and [`Distinct::new`] is its identity. Equal sets of
/// items give equal values and equal bytes.
///
/// ```
/// use outflow_sketch::Distinct;
/// let mut hosts = Distinct::new();
/// for host in ["10.0.0.1", "10.0.0.2", "10.0.0.1"] {
///     hosts.insert(host.as_bytes());
/// }
/// assert_eq!(hosts.count(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distinct(State);

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    // Strictly ascending, EXACT_MAX at most.
    Exact(Vec<u64>),
    // Of more than EXACT_MAX different hashes.
    Registers(Box<[u8; REGISTERS]>),
}

impl Distinct {
    /// No items.
    pub const fn new() -> Self {
        Self(State::Exact(Vec::new()))
    }

    /// Adds an item.
    pub fn insert(&mut self, item: &[u8]) {
        self.insert_hash(hash64(item));
    }

    /// Adds the item that has this [`hash64`], for callers that need the hash for more than one count.
    pub fn insert_hash(&mut self, hash: u64) {
        match &mut self.0 {
            State::Registers(registers) => raise(registers, hash),
            State::Exact(hashes) => {
                let Err(place) = hashes.binary_search(&hash) else {
                    return;
                };
                hashes.insert(place, hash);
                self.promote_when_over();
            }
        }
    }

    /// Adds the items that have these hashes, which are put in order on the way: the same as one by one, and faster.
    pub fn insert_hashes(&mut self, hashes: &mut [u64]) {
        if hashes.len() < FEW {
            hashes.iter().for_each(|hash| self.insert_hash(*hash));
            return;
        }
        for more in hashes.chunks_mut(EXACT_MAX) {
            match &mut self.0 {
                State::Registers(registers) => more.iter().for_each(|hash| raise(registers, *hash)),
                State::Exact(hashes) => {
                    more.sort_unstable();
                    hashes.extend_from_slice(more);
                    // Two ascending runs are merged.
                    hashes.sort();
                    hashes.dedup();
                    self.promote_when_over();
                }
            }
        }
    }

    /// Adds the items of another count.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (State::Registers(own), State::Registers(others)) => {
                for (register, other) in own.iter_mut().zip(others.iter()) {
                    *register = (*register).max(*other);
                }
            }
            (State::Registers(own), State::Exact(hashes)) => {
                for hash in hashes {
                    raise(own, *hash);
                }
            }
            (State::Exact(hashes), State::Registers(others)) => {
                let mut registers = others.clone();
                for hash in hashes {
                    raise(&mut registers, *hash);
                }
                self.0 = State::Registers(registers);
            }
            (State::Exact(hashes), State::Exact(others)) => {
                hashes.extend_from_slice(others);
                hashes.sort_unstable();
                hashes.dedup();
                self.promote_when_over();
            }
        }
    }

    /// How many different items there were: exact up to [`EXACT_MAX`], then with [`STANDARD_ERROR`].
    pub fn count(&self) -> u64 {
        match &self.0 {
            State::Exact(hashes) => hashes.len() as u64,
            State::Registers(registers) => over_exact(estimate::count(registers)),
        }
    }

    /// A number of items that there were at least: the count itself where it is exact, otherwise three
    /// standard errors below it, which the truth undercuts about once in 700.
    pub fn lower_bound(&self) -> u64 {
        match &self.0 {
            State::Exact(hashes) => hashes.len() as u64,
            State::Registers(registers) => {
                over_exact(estimate::count(registers) * (1.0 - 3.0 * STANDARD_ERROR))
            }
        }
    }

    /// Whether the count is exact.
    pub fn exact(&self) -> bool {
        matches!(self.0, State::Exact(_))
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            State::Exact(hashes) => hashes.capacity() * size_of::<u64>(),
            State::Registers(_) => REGISTERS,
        }
    }

    fn promote_when_over(&mut self) {
        let State::Exact(hashes) = &self.0 else {
            return;
        };
        if hashes.len() <= EXACT_MAX {
            return;
        }
        let mut registers = Box::new([0; REGISTERS]);
        for hash in hashes {
            raise(&mut registers, *hash);
        }
        self.0 = State::Registers(registers);
    }
}

impl Default for Distinct {
    fn default() -> Self {
        Self::new()
    }
}

fn raise(registers: &mut [u8; REGISTERS], hash: u64) {
    let (index, rank) = place(hash);
    registers[index] = registers[index].max(rank);
}

// The first bits choose the register; the bit set below the others stops the count of zeros.
fn place(hash: u64) -> (usize, u8) {
    let stop = 1 << (PRECISION - 1);
    let zeros = ((hash << PRECISION) | stop).leading_zeros();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "ten bits, and a rank of 55 at most"
    )]
    let place = ((hash >> (u64::BITS - PRECISION)) as usize, zeros as u8 + 1);
    place
}

// Registers exist only where there were more items than are counted exactly.
fn over_exact(estimate: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; what exceeds 64 bits becomes the largest number"
    )]
    let rounded = estimate.round() as u64;
    rounded.max(EXACT_MAX as u64 + 1)
}

mod codec;
mod estimate;
#[cfg(test)]
mod tests;
