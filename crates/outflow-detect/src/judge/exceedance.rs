//! How rare a value is among the workload-days of this very log.

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
        let below = self.sorted.partition_point(|own| *own < value);
        let at_least = self.sorted.len() - below;
        let all = self.sorted.len() as f64 + self.quiet as f64;
        let share = (1 + at_least) as f64 / (1.0 + all);
        // A tenth of a bit is more than ranks tell, and rounding keeps platforms alike.
        // Nothing is no negative nothing.
        (-share.log2() * 10.0).round().max(0.0) / 10.0 + 0.0
    }
}
