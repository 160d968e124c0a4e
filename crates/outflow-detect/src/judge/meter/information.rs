//! What the names of some slots carried, in bits.
//!
//! Each name costs its code length once. What else a client can tell by asking: which of its names comes when, and which
//! kind of type it chooses. Of two codings of the former the shorter is charged: the number of each repeated name; or the
//! pauses after which names come back, and the number of what is asked faster than a cache that holds answers for a
//! minute lets through. So a host that asks for the same names by its timers tells next to nothing.

use crate::queries::{Cell, Counts, Names};
use crate::time::BUCKETS_PER_SLOT;

/// Standard deviations that are added to what only a sample tells: it may add suspicion, and hides nothing.
const DEVIATIONS: f64 = 2.0;

/// What a client told a domain within some slots.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Information {
    /// Bits of different names.
    pub(super) names_bits: f64,
    /// Bits of what was asked again, and of types.
    pub(super) choice_bits: f64,
    /// How many names there are; of what was kept without names, queries.
    pub(super) names: f64,
    /// Whether names were left out, so that the bits are an upper end.
    pub(super) is_estimate: bool,
    pub(super) counts: Counts,
}

impl Information {
    /// What cells carry together, each name counted once.
    pub(super) fn of<'c>(cells: impl Iterator<Item = &'c Cell> + Clone) -> Self {
        let mut counts = Counts::default();
        let (mut apart, mut choice, mut coarse) = (0.0, 0.0, (0.0, 0.0));
        for cell in cells.clone() {
            counts.add(&cell.counts);
            if cell.names.is_empty() {
                coarse.0 += cell.counts.millibits as f64;
                coarse.1 += cell.counts.queries as f64;
            } else {
                let estimate = cell.names.estimate();
                apart += estimate.names;
                choice += repeated(cell, estimate.names);
            }
        }
        let union = Names::union(cells.map(|cell| &cell.names));
        let all = union.estimate();
        let again = (apart - all.names).max(0.0) * (1.0 + all.names).log2();
        let ways = all.names * f64::from(union.ways()).log2();
        // Each query counted as if it were the first is an upper end, too.
        let millibits = all.millibits + DEVIATIONS * all.deviation + coarse.0;
        Self {
            names_bits: millibits.min(counts.millibits as f64) / 1_000.0,
            choice_bits: choice + again + ways,
            names: all.names.min(counts.queries as f64 - coarse.1) + coarse.1,
            is_estimate: union.is_sample() || coarse.1 > 0.0,
            counts,
        }
    }

    /// All that was told.
    pub(super) fn bits(&self) -> f64 {
        self.names_bits + self.choice_bits
    }

    /// What is told together with others, of other names.
    pub(super) fn with(mut self, other: &Self) -> Self {
        self.names_bits += other.names_bits;
        self.choice_bits += other.choice_bits;
        self.names += other.names;
        self.is_estimate |= other.is_estimate;
        self.counts.add(&other.counts);
        self
    }
}

/// What a client chose by asking again within a slot.
fn repeated(cell: &Cell, names: f64) -> f64 {
    let queries = cell.counts.queries as f64;
    let one = (names * f64::from(cell.names.ways())).log2().max(0.0);
    let by_number = (queries - names).max(0.0) * one;
    if cell.names.is_sample() {
        return by_number;
    }
    let (returns, present) = cell.names.rhythm();
    let moment = f64::from(BUCKETS_PER_SLOT).log2();
    let by_pauses = 2.0 * moment * returns as f64 + (queries - present as f64).max(0.0) * one;
    by_number.min(by_pauses)
}

/// No less than [`Information::of`] a cell can come to, without a look at its names.
pub(super) fn at_most(cell: &Cell) -> f64 {
    let queries = cell.counts.queries as f64;
    cell.counts.millibits as f64 / 1_000.0 + queries * (2.0 * (1.0 + queries).log2() + 8.0)
}

/// The most that a cell's names carry within a bucket, and which.
pub(super) fn densest(cell: &Cell) -> (f64, u32) {
    let of = |bucket| {
        let estimate = cell.names.in_bucket(bucket);
        let millibits = estimate.millibits + DEVIATIONS * estimate.deviation;
        (millibits / 1_000.0, bucket)
    };
    let all = (0..BUCKETS_PER_SLOT).map(of);
    all.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
        .unwrap_or_default()
}
