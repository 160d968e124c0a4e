//! How sure a share is.

use outflow_sim::{Domain, Rng};
use serde::Serialize;

/// A share of cases, with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// Cases with the property.
    pub of: usize,
    /// All cases.
    pub all: usize,
    /// The share.
    pub value: f64,
    /// Its interval.
    pub interval: (f64, f64),
}

impl Share {
    /// So many of so many, with Wilson's interval.
    pub fn new(of: usize, all: usize) -> Self {
        const Z: f64 = 1.96;
        let count = all.max(1) as f64;
        let value = of as f64 / count;
        let (squared, scale) = (Z * Z, 1.0 + Z * Z / count);
        let middle = (value + squared / (2.0 * count)) / scale;
        let half =
            Z * (value * (1.0 - value) / count + squared / (4.0 * count * count)).sqrt() / scale;
        Self {
            of,
            all,
            value,
            interval: ((middle - half).max(0.0), (middle + half).min(1.0)),
        }
    }
}

/// The 95 % interval of a mean over groups of cases, by drawing whole blocks again: what happens to one workload is no
/// independent case. A case is its group, its block, and whether it has the property; there is at least one of each group.
pub(crate) fn block_bootstrap(
    cases: &[(usize, u32, bool)],
    groups: usize,
    seed: u64,
) -> (f64, f64) {
    const DRAWS: usize = 500;
    let mut blocks: Vec<u32> = cases.iter().map(|(_, block, _)| *block).collect();
    blocks.sort_unstable();
    blocks.dedup();
    if blocks.is_empty() {
        return (0.0, 0.0);
    }
    let mut rng = Rng::keyed(seed, Domain::Evaluation, [2_000, 0]);
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let mut times = vec![0_u32; blocks.len()];
            for _ in 0..blocks.len() {
                times[rng.index(blocks.len())] += 1;
            }
            mean(cases, groups, |block| {
                let place = blocks.binary_search(&block).unwrap_or(0);
                times[place]
            })
        })
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    (means[DRAWS / 40], means[DRAWS - 1 - DRAWS / 40])
}

/// The mean of the shares of groups, a group of which nothing was drawn left out.
fn mean(cases: &[(usize, u32, bool)], groups: usize, times: impl Fn(u32) -> u32) -> f64 {
    let mut sums = vec![(0_u32, 0_u32); groups];
    for (group, block, has) in cases {
        let weight = times(*block);
        let (of, all) = &mut sums[*group];
        *of += if *has { weight } else { 0 };
        *all += weight;
    }
    let shares = sums.iter().filter(|(_, all)| *all > 0);
    let shares: Vec<f64> = shares
        .map(|(of, all)| f64::from(*of) / f64::from(*all))
        .collect();
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_wilson() {
        let share = Share::new(8, 10);
        assert!(
            (share.interval.0 - 0.490).abs() < 0.001 && (share.interval.1 - 0.943).abs() < 0.001
        );
        assert_eq!(Share::new(0, 50).interval.0, 0.0);
        assert_eq!(Share::new(0, 0).value, 0.0);
    }

    #[test]
    fn blocks_that_agree_leave_no_doubt_and_others_do() {
        let sure: Vec<_> = (0..40)
            .map(|at| (at % 2, u32::try_from(at).unwrap(), true))
            .collect();
        assert_eq!(block_bootstrap(&sure, 2, 1), (1.0, 1.0));
        let half: Vec<_> = (0..40)
            .map(|at| (0, u32::try_from(at).unwrap(), at % 2 == 0))
            .collect();
        let (low, high) = block_bootstrap(&half, 1, 1);
        assert!(
            low < 0.45 && high > 0.55 && low > 0.2 && high < 0.8,
            "{low} {high}"
        );
        assert_eq!(block_bootstrap(&half, 1, 1), (low, high));
    }
}
