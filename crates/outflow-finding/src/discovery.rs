//! Which of many p-values are discoveries, so that few of those told are false.
//!
//! Each day asks one question of every workload and family, so that one in a thousand is met each day in a network of a
//! thousand. What is told of a day is chosen by Benjamini and Hochberg's procedure, what is told within it by a rule that
//! knows no later test, and what acts by itself by e-values, which hold under any dependence.

/// The false discovery rate at which a day's findings are chosen.
pub const DAILY_RATE: f64 = 0.10;

/// The false discovery rate of what acts by itself.
pub const AUTOMATIC_RATE: f64 = 0.01;

/// The least false discovery rate at which each of some p-values would be chosen, in their order: Benjamini and Hochberg's
/// adjusted p-values (Journal of the Royal Statistical Society B 57, 1995; Yekutieli and Benjamini 1999).
///
/// `tests` is how many there were, of which those that are not listed have a p-value of one. Of independent tests, and of
/// such as depend positively, at most a share of `q` of those with a value of at most `q` is false on average.
///
/// ```
/// use outflow_finding::adjusted;
/// let q = adjusted(&[0.001, 0.04, 0.02], 10);
/// assert!((q[0] - 0.01).abs() < 1e-12);
/// // The second of rank would have 0.02 · 10 / 2, the third 0.04 · 10 / 3.
/// assert!((q[2] - 0.1).abs() < 1e-12 && (q[1] - 0.4 / 3.0).abs() < 1e-12);
/// ```
pub fn adjusted(p_values: &[f64], tests: u64) -> Vec<f64> {
    let tests = tests.max(p_values.len() as u64) as f64;
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*b].total_cmp(&p_values[*a]));
    let mut all = vec![1.0; p_values.len()];
    let mut least = 1.0_f64;
    for (at, place) in order.iter().enumerate() {
        let rank = (order.len() - at) as f64;
        least = least.min(p_values[*place] * tests / rank);
        all[*place] = least;
    }
    all
}

/// An e-value of a p-value, `(1 − p + p ln p) / (p ln² p)`: the mean of the calibrators `κ p^(κ−1)` over all `κ` (Vovk and
/// Wang, Annals of Statistics 49, 2021). One that says nothing has 0.
pub fn e_value(p: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return 0.0;
    }
    let ln = p.ln();
    (1.0 - p + p * ln) / (p * ln * ln)
}

/// How many of some e-values, the largest first, are discoveries at a rate: e-BH (Wang and Ramdas, Journal of the Royal
/// Statistical Society B 84, 2022). The `k`-th must reach `tests / (rate · k)`; all down to the last that does are chosen.
/// It holds under any dependence.
pub fn e_discoveries(e_values: &[f64], tests: u64, rate: f64) -> usize {
    let reaches = |rank: &usize| e_values[rank - 1] >= e_needed(*rank, tests, rate);
    (1..=e_values.len()).rev().find(reaches).unwrap_or(0)
}

/// What the e-value of a rank has to reach.
pub fn e_needed(rank: usize, tests: u64, rate: f64) -> f64 {
    tests as f64 / (rate * rank.max(1) as f64)
}

/// Discoveries of a stream, in which none knows of what comes after: LORD with a memory that fades (Ramdas et al. 2017;
/// Rebjock et al., NeurIPS 2021).
///
/// The level of test `t` is `rate · (η (1 − δ) + Σ δ^(t−τ) γ(t−τ))` over discoveries `τ` before it, with `δ` the memory
/// that a test leaves of the one before, `γ(k) = 6 / (π k)²`, which sums to one, and `η = 1`. So levels, faded, never sum to more
/// than `rate · (1 + discoveries)`, faded likewise: of independent tests the false ones among `1 + all` have a share of at
/// most `rate` on average, at any time, and a quiet month uses up nothing.
#[derive(Debug, Clone)]
pub struct OnlineDiscoveries {
    rate: f64,
    memory: f64,
    /// Tests since each discovery that is remembered, the oldest first.
    since: Vec<u64>,
}

/// What a discovery adds to levels is nothing any more once it has faded to so little.
const FORGOTTEN: f64 = 1e-6;

impl OnlineDiscoveries {
    /// A stream with so many tests until half of what was is forgotten.
    pub fn new(rate: f64, half_life: u64) -> Self {
        Self {
            rate,
            memory: (-1.0 / half_life.max(1) as f64).exp2(),
            since: Vec::new(),
        }
    }

    /// The same stream, of which another part was kept: tests since each discovery that it remembers, the oldest first, as
    /// [`OnlineDiscoveries::since`] tells them.
    #[must_use]
    pub fn resumed(mut self, since: Vec<u64>) -> Self {
        self.since = since;
        self
    }

    /// Tests since each discovery that is remembered, the oldest first: all that the rule knows of its past.
    pub fn since(&self) -> &[u64] {
        &self.since
    }

    /// The level at which the next test is a discovery.
    pub fn level(&self) -> f64 {
        let gained: f64 = self.since.iter().map(|since| self.gained(since + 1)).sum();
        self.rate * (1.0 - self.memory + gained)
    }

    fn gained(&self, tests: u64) -> f64 {
        let tests = tests as f64;
        self.memory.powf(tests) * 6.0 / (std::f64::consts::PI * tests).powi(2)
    }

    /// Whether the next test is a discovery.
    pub fn test(&mut self, p: f64) -> bool {
        let is_found = p <= self.level();
        self.pass(1);
        if is_found {
            self.since.push(0);
        }
        is_found
    }

    /// So many tests that say nothing.
    pub fn pass(&mut self, tests: u64) {
        for since in &mut self.since {
            *since = since.saturating_add(tests);
        }
        let memory = self.memory;
        self.since
            .retain(|since| memory.powf(*since as f64) > FORGOTTEN);
    }
}

#[cfg(test)]
mod tests;
