//! From registers to a count.
//!
//! The improved estimator of Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches"
//! (2017), algorithm 6. It needs only how often each rank occurs, is nearly unbiased over the whole range
//! without the tables of corrections that HyperLogLog++ switches between, and uses no operation that
//! machines round differently (addition, multiplication, division, square root).

use super::{PRECISION, RANK_MAX, REGISTERS};

// 1 / (2 ln 2)
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// The estimated number of different hashes; infinite when every register is full.
pub(super) fn count(registers: &[u8; REGISTERS]) -> f64 {
    let mut occurrences = [0u16; RANK_MAX as usize + 1];
    for rank in registers {
        occurrences[usize::from(*rank)] += 1;
    }
    let size = f64::from(1u32 << PRECISION);
    let full = f64::from(occurrences[usize::from(RANK_MAX)]);
    let mut z = size * tau(1.0 - full / size);
    for many in occurrences[1..usize::from(RANK_MAX)].iter().rev() {
        z = 0.5 * (z + f64::from(*many));
    }
    z += size * sigma(f64::from(occurrences[0]) / size);
    ALPHA * size * size / z
}

// x + Σ x^(2^k) · 2^(k−1) for k from 1: the share of the registers that are still empty.
fn sigma(share: f64) -> f64 {
    if share >= 1.0 {
        return f64::INFINITY;
    }
    let (mut x, mut y, mut z) = (share, 1.0, share);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

// (1 − x − Σ (1 − x^(2^−k))² · 2^−k for k from 1) / 3: the share of the registers that are full.
fn tau(share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        return 0.0;
    }
    let (mut x, mut y, mut z) = (share, 1.0, 1.0 - share);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}
