//! How rare a value is among the workload-days of this very log.

/// Workload-days from which on the largest of all is rare: before, there are many that were the largest.
const RECORD_DAYS_MIN: f64 = 128.0;

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
