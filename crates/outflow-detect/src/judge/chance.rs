//! How likely chance alone makes numbers as even as these.

use std::f64::consts::{LN_2, PI};

/// Minus the binary logarithm of the probability that a chi-squared variable of so many degrees of freedom is at most
/// this: the evidence against chance of a sum of squares that is too small.
///
/// The lower incomplete gamma function by its power series (Abramowitz and Stegun 6.5.29), in logarithms, as the
/// probabilities in question are far below what a float can hold. Above the mean there is no evidence.
pub(super) fn lower_tail_bits(chi_squared: f64, degrees: u32) -> f64 {
    let (shape, at) = (f64::from(degrees) / 2.0, chi_squared / 2.0);
    if at <= 0.0 || at >= shape {
        return 0.0;
    }
    // Terms shrink at least as fast as those of a geometric series of ratio `at / shape`.
    let (mut term, mut sum, mut step) = (1.0 / shape, 1.0 / shape, shape);
    while term > sum * 1e-12 {
        step += 1.0;
        term *= at / step;
        sum += term;
    }
    let ln = sum.ln() + shape * at.ln() - at - ln_gamma(shape);
    (-ln / LN_2).max(0.0)
}

/// The natural logarithm of the gamma function of a positive number: Stirling's series, from where it is exact to ten
/// digits.
fn ln_gamma(of: f64) -> f64 {
    let (mut at, mut below) = (of, 0.0);
    while at < 8.0 {
        below += at.ln();
        at += 1.0;
    }
    let series = 1.0 / (12.0 * at) - 1.0 / (360.0 * at.powi(3)) + 1.0 / (1260.0 * at.powi(5));
    (at - 0.5) * at.ln() - at + 0.5 * (2.0 * PI).ln() + series - below
}

/// A tenth of a bit is more than these tests tell, and rounding keeps platforms alike.
pub(super) fn rounded(bits: f64) -> f64 {
    (bits * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gamma_function_has_its_known_values() {
        for (at, value) in [
            (1.0, 1.0_f64),
            (0.5, PI.sqrt()),
            (5.0, 24.0),
            (11.0, 3_628_800.0),
        ] {
            assert!((ln_gamma(at) - value.ln()).abs() < 1e-9, "{at}");
        }
    }

    #[test]
    fn tails_are_those_of_tables() {
        // P(χ² ≤ x) of published tables.
        for (at, degrees, probability) in [
            (1.145, 5, 0.05),
            (0.554, 5, 0.01),
            (10.851, 20, 0.05),
            (8.260, 20, 0.01),
            (77.929, 100, 0.05),
            (70.065, 100, 0.01),
        ] {
            let bits = lower_tail_bits(at, degrees);
            assert!((bits + f64::log2(probability)).abs() < 0.01, "{at}: {bits}");
        }
        assert_eq!(lower_tail_bits(0.0, 5), 0.0);
        assert_eq!(lower_tail_bits(1e6, 5), 0.0);
        // Two degrees are an exponential.
        assert!((lower_tail_bits(1e-9, 2) - f64::log2(2e9)).abs() < 0.01);
    }
}
