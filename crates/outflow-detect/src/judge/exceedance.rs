//! How rare a value is among the workload-days of this very log.

/// Workload-days from which on the largest of all is rare: before, there are many that were the largest.
const RECORD_DAYS_MIN: f64 = 128.0;

/// The part of all workload-days that makes a tail: one in fifty; at least so many values, and no more than so many.
const TAIL_PART: usize = 50;
const TAIL_MIN: usize = 8;
const TAIL_MAX: usize = 400;

/// Bits beyond which nothing is claimed.
pub(super) const BITS_MAX: f64 = 40.0;

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
        let least = scaled(top[0]);
        let above = scaled(value) - least;
        if count < TAIL_MIN || above <= 0.0 {
            return ranked;
        }
        let excess: f64 = top.iter().map(|own| scaled(*own) - least).sum();
        let bits = tail_bits(count, self.len(), (excess, above));
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
