//! The different names of a cell, with what each carries.
//!
//! Up to [`INFORMATION_EXACT_MAX`] the set is exact, whatever the number of names: so whether a bound below it is
//! crossed is known, not estimated, and nobody can choose names that hide among others. Beyond it, where the default
//! bound of a day is crossed for certain, the set is a priority sample: the [`SAMPLE`] names whose information, divided by a
//! uniform hash of theirs, is largest. The largest of a union are among the largest of its parts, so that either form is
//! a function of the set alone. A weighted HyperLogLog would take less room, but whoever chooses the names can
//! choose its registers, and it tells nothing of ten minutes.

use crate::time::BUCKETS_PER_SLOT;

/// Information in thousandths of a bit up to which all names are kept: above what a client may tell a domain a day.
pub(crate) const INFORMATION_EXACT_MAX: u64 = 40_000_000;

/// Names of a sample. The sum is known to one part in eleven then (its standard deviation is 1/√(n − 2)).
pub(super) const SAMPLE: usize = 128;

/// Bits of a packed name's buckets, and of its information behind them.
const BUCKET_BITS: u32 = BUCKETS_PER_SLOT;
const INFORMATION_BITS: u32 = 22;

/// Thousandths of a bit that a name can have. Names have 255 bytes, which cost less; what logs write longer counts as
/// this.
const INFORMATION_MAX: u32 = (1 << INFORMATION_BITS) - 1;

/// Bits of the hash that a priority is divided by.
const UNIFORM_BITS: u32 = 40;

/// A name, by its hash: when in the slot it was asked for, how much it carries, and for which kinds of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) hash: u64,
    /// From the low end: a bit for each bucket, the information, a bit for each kind.
    pub(super) packed: u64,
}

impl Item {
    pub(super) fn new(hash: u64, bucket: u32, millibits: u32, kinds: u8) -> Self {
        let millibits = u64::from(millibits.min(INFORMATION_MAX));
        let packed = 1 << bucket
            | millibits << BUCKET_BITS
            | u64::from(kinds) << (BUCKET_BITS + INFORMATION_BITS);
        Self { hash, packed }
    }

    fn buckets(self) -> u64 {
        self.packed & ((1 << BUCKET_BITS) - 1)
    }

    pub(super) fn millibits(self) -> u64 {
        self.packed >> BUCKET_BITS & u64::from(INFORMATION_MAX)
    }

    fn kinds(self) -> u64 {
        self.packed >> (BUCKET_BITS + INFORMATION_BITS)
    }

    /// Its place in a sample. Names of equal priority are told apart by their hash.
    fn priority(self) -> (u64, u64) {
        let uniform = (self.hash >> (u64::BITS - UNIFORM_BITS)) + 1;
        ((self.millibits() << UNIFORM_BITS) / uniform, self.hash)
    }
}

/// Different names below a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// By hash.
    items: Vec<Item>,
    /// Information of the items.
    sum: u64,
    /// Whether there were more.
    is_sample: bool,
    /// The least priority of a sample: what is below was left out.
    least: u64,
}

/// A sum over names, in thousandths of a bit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Estimate {
    /// The sum, exact unless names were left out.
    pub(crate) millibits: f64,
    /// Its standard deviation; zero if it is exact.
    pub(crate) deviation: f64,
    /// How many names there are.
    pub(crate) names: f64,
}

impl Names {
    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }

    /// Whether there are none, or none were kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether names were left out.
    pub(crate) fn is_sample(&self) -> bool {
        self.is_sample
    }

    /// Information that there is at least, in thousandths of a bit: of a set that is exact, all.
    pub(crate) fn weight(&self) -> u64 {
        if self.is_sample {
            INFORMATION_EXACT_MAX
        } else {
            self.sum.min(INFORMATION_EXACT_MAX)
        }
    }

    #[inline]
    pub(super) fn add(&mut self, item: Item) {
        if self.is_sample && self.items.len() >= SAMPLE && item.priority().0 < self.least {
            return;
        }
        match self.items.binary_search_by_key(&item.hash, |own| own.hash) {
            Ok(at) => {
                // Names that collide count as the larger.
                let own = self.items[at];
                let more = item.millibits().max(own.millibits());
                self.sum += more - own.millibits();
                let rest = !(u64::from(INFORMATION_MAX) << BUCKET_BITS);
                self.items[at].packed = (own.packed | item.packed) & rest | more << BUCKET_BITS;
            }
            Err(at) => {
                if self.items.is_empty() {
                    // Most cells have one name.
                    self.items.reserve_exact(1);
                }
                self.items.insert(at, item);
                self.sum += item.millibits();
            }
        }
        self.shrink();
    }

    pub(super) fn merge(&mut self, other: &Self) {
        // What another sample left out ranks behind all that it kept, and so behind as many of the union.
        self.is_sample |= other.is_sample;
        for item in &other.items {
            self.add(*item);
        }
    }

    /// Restores what was written.
    pub(super) fn of_items(items: Vec<Item>, is_sample: bool) -> Self {
        let mut names = Self {
            sum: items.iter().map(|item| item.millibits()).sum(),
            items,
            is_sample,
            least: 0,
        };
        if is_sample {
            names.least = names.lowest().0;
        }
        names
    }

    fn shrink(&mut self) {
        let is_over = self.is_sample || self.sum > INFORMATION_EXACT_MAX;
        if !is_over || self.items.len() <= SAMPLE {
            return;
        }
        self.is_sample = true;
        while self.items.len() > SAMPLE {
            if self.items.len() > SAMPLE + 1 {
                let mut ranks: Vec<_> = self.items.iter().map(|item| item.priority()).collect();
                let (_, least, _) = ranks.select_nth_unstable_by(SAMPLE - 1, |a, b| b.cmp(a));
                let least = *least;
                self.items.retain(|item| item.priority() >= least);
            } else if let Some((at, _)) =
                (self.items.iter().enumerate()).min_by_key(|(_, item)| item.priority())
            {
                self.items.remove(at);
            }
        }
        self.items.shrink_to_fit();
        self.sum = self.items.iter().map(|item| item.millibits()).sum();
        self.least = self.lowest().0;
    }

    /// The least priority.
    fn lowest(&self) -> (u64, u64) {
        let priorities = self.items.iter().map(|item| item.priority());
        priorities.min().unwrap_or_default()
    }

    /// What all names carry that are among these in any of some slots, each counted once.
    pub(crate) fn union<'n>(slots: impl Iterator<Item = &'n Self> + Clone) -> Self {
        let mut all = Self {
            is_sample: slots.clone().any(|names| names.is_sample),
            ..Self::default()
        };
        if all.is_sample {
            slots.for_each(|names| all.merge(names));
            return all;
        }
        // Exact, however large: it is not kept.
        for names in slots {
            all.items.extend_from_slice(&names.items);
        }
        all.items
            .sort_unstable_by_key(|item| (item.hash, std::cmp::Reverse(item.millibits())));
        all.items.dedup_by_key(|item| item.hash);
        all.sum = all.items.iter().map(|item| item.millibits()).sum();
        all
    }

    /// What the names carry together.
    pub(crate) fn estimate(&self) -> Estimate {
        self.estimate_of(|_| true)
    }

    /// What those carry together that were asked for in a bucket of the slot.
    pub(crate) fn in_bucket(&self, bucket: u32) -> Estimate {
        self.estimate_of(|item| item.buckets() >> bucket & 1 != 0)
    }

    /// How many kinds of types names were asked for with: each name chooses among them.
    pub(crate) fn ways(&self) -> u32 {
        let ways = self
            .items
            .iter()
            .fold(0u64, |all, item| all | 1 << item.kinds());
        ways.count_ones().max(1)
    }

    /// How often names came back after a pause, and the most queries that a cache would have let through for them if it
    /// held each answer for a minute.
    pub(crate) fn rhythm(&self) -> (u64, u64) {
        let returns = self.items.iter().map(|item| {
            let buckets = item.buckets();
            u64::from((buckets & !(buckets << 1)).count_ones()).saturating_sub(1)
        });
        let present = self.items.iter().map(|item| {
            let kinds = u64::from(item.kinds().count_ones()).max(1);
            u64::from(item.buckets().count_ones()) * 10 * kinds
        });
        (returns.sum(), present.sum())
    }

    /// Duffield, Lund and Thorup, "Priority sampling for estimation of arbitrary subset sums": each name of the sample
    /// but the last stands for the priority of that, or for itself if it is more.
    fn estimate_of(&self, is_meant: impl Fn(Item) -> bool) -> Estimate {
        let least = if self.is_sample {
            self.lowest()
        } else {
            (0, 0)
        };
        let threshold = least.0 as f64;
        let mut all = Estimate::default();
        let mut variance = 0.0;
        for item in self.items.iter().filter(|item| is_meant(**item)) {
            if self.is_sample && item.priority() == least {
                continue;
            }
            let own = item.millibits() as f64;
            all.millibits += own.max(threshold);
            all.names += (threshold / own.max(1.0)).max(1.0);
            variance += threshold * (threshold - own).max(0.0);
        }
        all.deviation = variance.sqrt();
        all
    }
}

#[cfg(test)]
mod tests;
