//! How rare a value is among the workload-days of this very log.

/// Workload-days from which on the largest of all is rare: before, there are many that were the largest.
const RECORD_DAYS_MIN: f64 = 128.0;

/// The part of all workload-days that makes a tail: one in fifty; at least so many values, and no more than so many.
const TAIL_PART: usize = 50;
const TAIL_MIN: usize = 8;
const TAIL_MAX: usize = 400;

/// Bits beyond which nothing is claimed.
pub(super) const BITS_MAX: f64 = 40.0;

/// Bits that every network meets now and then: what is above counts.
pub(super) const BITS_USUAL: f64 = 8.0;

/// Octaves that a tail is taken to fall by a factor of e in before anything is known of it, and how many values that
/// counts as: each octave halves.
const FALL: f64 = std::f64::consts::LOG2_E;
const FALL_WEIGHT: f64 = 3.0;

/// The bits of a value that lies so far `above` a threshold which `count` of `all` exceed, by an `excess` that sums to so
/// much: its tail is exponential, of the mean that they have.
pub(super) fn tail_bits(count: usize, all: f64, (excess, above): (f64, f64)) -> f64 {
    let mean = (excess + FALL_WEIGHT * FALL) / (count as f64 + FALL_WEIGHT);
    let share = (1.0 + count as f64) / (1.0 + all);
    above / mean * std::f64::consts::LOG2_E - share.log2()
}

/// Values of all workload-days so far.
#[derive(Debug, Default)]
pub(super) struct Exceedance {
    sorted: Vec<u64>,
    /// Workload-days besides, with a value below all others.
    quiet: u64,
}

impl Exceedance {
    /// Adds the values of another day.
    pub(super) fn extend(&mut self, values: impl IntoIterator<Item = u64>) {
        self.sorted.extend(values);
        // Mostly one long run, which a stable sort keeps.
        self.sorted.sort();
    }

    /// Adds workload-days whose value is below all others.
    pub(super) fn extend_quiet(&mut self, days: u64) {
        self.quiet = self.quiet.saturating_add(days);
    }

    /// Minus the binary logarithm of the share of workload-days with at least this value, itself counted in
    /// addition: the p-value of a rank, which never claims more than the days observed can carry.
    pub(super) fn bits(&self, value: u64) -> f64 {
        let share = (1 + self.at_least(value)) as f64 / (1.0 + self.len());
        // A tenth of a bit is more than ranks tell, and rounding keeps platforms alike.
        // Nothing is no negative nothing.
        (-share.log2() * 10.0).round().max(0.0) / 10.0 + 0.0
    }

    /// How rare a value is, beyond what ranks can tell: of values `scaled` to a line on which tails fall evenly, those of the
    /// top fiftieth say how fast (peaks over a threshold with an exponential tail: Pickands 1975, with a shape of zero; of the
    /// logarithms of bytes, Hill 1975). It never claims more than what was counted where something was, nor more than
    /// [`BITS_MAX`].
    pub(super) fn tail_bits(&self, value: u64, scaled: impl Fn(u64) -> f64) -> f64 {
        let count =
            (self.sorted.len() + usize::try_from(self.quiet).unwrap_or(usize::MAX)) / TAIL_PART;
        let count = count.clamp(TAIL_MIN, TAIL_MAX).min(self.sorted.len());
        let ranked = self.bits(value);
        let Some(threshold) = self.sorted.len().checked_sub(count.max(1)) else {
            return ranked;
        };
        let top = &self.sorted[threshold..];
        if count < TAIL_MIN {
            return ranked;
        }
        self.beyond(value, (top, scaled(top[0])), scaled)
    }

    /// The same where values are known from a `floor` on, which is met by all that count: with too few to choose a threshold,
    /// the tail begins at the floor, and falls by half with each octave until values say otherwise ([`FALL_WEIGHT`] of them
    /// say as much). Sizes of transfers have tails of an index of about one (Crovella and Bestavros 1997), so that this
    /// is what chance would do, and no more is claimed.
    pub(super) fn tail_bits_from(
        &self,
        value: u64,
        floor: u64,
        scaled: impl Fn(u64) -> f64,
    ) -> f64 {
        if self.sorted.len() >= TAIL_MIN || self.len() < RECORD_DAYS_MIN {
            return self.tail_bits(value, scaled);
        }
        let top = &self.sorted[self.sorted.partition_point(|own| *own < floor)..];
        self.beyond(value, (top, scaled(floor)), scaled)
    }

    /// How rare a value is by those of the top, which are above some threshold.
    fn beyond(&self, value: u64, (top, least): (&[u64], f64), scaled: impl Fn(u64) -> f64) -> f64 {
        let (ranked, above) = (self.bits(value), scaled(value) - least);
        if above <= 0.0 {
            return ranked;
        }
        let excess: f64 = top.iter().map(|own| scaled(*own) - least).sum();
        let bits = tail_bits(top.len(), self.len(), (excess, above));
        match self.at_least(value) {
            0 => bits.clamp(ranked, BITS_MAX),
            // As many as there were, and no fewer.
            _ => bits.min(ranked + 1.0).max(ranked),
        }
    }

    /// Whether no more than one in `2^bits` workload-days have at least this value, itself among them. Of fewer
    /// workload-days, whether none has more, once there are [`RECORD_DAYS_MIN`].
    pub(super) fn is_rare(&self, value: u64, bits: u32) -> bool {
        let at_least = self.at_least(value) as f64;
        let share = at_least * f64::from(bits).exp2() <= self.len();
        share || (at_least <= 1.0 && self.len() >= RECORD_DAYS_MIN)
    }

    fn at_least(&self, value: u64) -> usize {
        self.sorted.len() - self.sorted.partition_point(|own| *own < value)
    }

    fn len(&self) -> f64 {
        self.sorted.len() as f64 + self.quiet as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log2(value: u64) -> f64 {
        (value as f64).log2()
    }

    /// So many of ten thousand workload-days have values with a tail of index one: half as many have twice as much.
    fn halving(seed: u64) -> Exceedance {
        let mut state = seed;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 + 1.0) / (1u64 << 53) as f64
        };
        let mut known = Exceedance::default();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive"
        )]
        known.extend((0..1_000).map(|_| (1_000.0 / uniform()) as u64));
        known.extend_quiet(9_000);
        known
    }

    #[test]
    fn a_tail_tells_on_average_what_no_rank_can() {
        // One in ten has a value; 2^20 times the least is met once in ten times 2^20 workload-days: 23.3 bits.
        let bits: Vec<f64> = (0..40)
            .map(|seed| halving(seed).tail_bits(1_000 << 20, log2))
            .collect();
        let mean = bits.iter().sum::<f64>() / bits.len() as f64;
        assert!((22.0..25.0).contains(&mean), "{mean}");
        assert!(halving(1).bits(1_000 << 20) <= 13.3);
    }

    #[test]
    fn a_tail_claims_little_more_than_what_was_counted_and_nothing_of_few() {
        let known = halving(3);
        for value in [1_000, 30_000, 300_000, 3_000_000] {
            let (ranked, tail) = (known.bits(value), known.tail_bits(value, log2));
            assert!(
                (ranked..=ranked + 1.0).contains(&tail),
                "{value}: {ranked}, {tail}"
            );
        }
        let mut few = Exceedance::default();
        few.extend([1, 2, 4, 8, 16, 32, 64]);
        few.extend_quiet(1_000);
        assert_eq!(few.tail_bits(1 << 40, log2), few.bits(1 << 40));
        assert_eq!(Exceedance::default().tail_bits(9, log2), 0.0);
        assert_eq!(Exceedance::default().tail_bits_from(9, 1, log2), 0.0);
        assert_eq!(known.tail_bits(u64::MAX, log2), BITS_MAX);
    }

    #[test]
    fn few_values_have_a_tail_from_the_floor_on() {
        // 1,023 workload-days without any: one in 1,024 at the floor, and half as many with each octave.
        let mut known = Exceedance::default();
        known.extend_quiet(1_023);
        assert_eq!(known.tail_bits_from(64 << 10, 64, log2), 20.0);
        assert_eq!(known.tail_bits_from(64, 64, log2), 10.0, "the floor itself");
        // Three of 1,024, two octaves above it each: six and three times 1.44 over six are 1.72 octaves, by which it falls
        // to one part in e; ten octaves are 8.4 bits, and four in 1,025 are 8.0.
        known.extend([256, 256, 256]);
        known.quiet = 1_021;
        let bits = known.tail_bits_from(64 << 10, 64, log2);
        assert!((bits - 16.4).abs() < 0.05, "{bits}");
        // What was met is little rarer than it was met.
        assert_eq!(known.tail_bits_from(256, 64, log2), known.bits(256) + 1.0);
        // Of few workload-days nothing is claimed.
        let mut young = Exceedance::default();
        young.extend_quiet(100);
        assert_eq!(young.tail_bits_from(64 << 10, 64, log2), young.bits(1));
    }
}
