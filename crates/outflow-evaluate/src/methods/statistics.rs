//! Small statistics.

/// The mean and the standard deviation; zeros of nothing.
pub(super) fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>();
    (mean, (squares / count).sqrt())
}

/// The value so far in the order of values, by linear interpolation; zero of nothing.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = share * last as f64;
    let below = floor(place).min(last);
    let above = (below + 1).min(last);
    let part = place - below as f64;
    sorted[below] * (1.0 - part) + sorted[above] * part
}

/// The median and the median deviation from it.
pub(super) fn median_and_deviation(values: &[f64]) -> (f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = quantile(&sorted, 0.5);
    let mut away: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    away.sort_unstable_by(f64::total_cmp);
    (middle, quantile(&away, 0.5))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places within a list: not negative, and small"
)]
pub(super) fn floor(value: f64) -> usize {
    value.max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_resist_one_wild_value() {
        assert_eq!(
            median_and_deviation(&[1.0, 2.0, 3.0, 4.0, 900.0]),
            (3.0, 1.0)
        );
        assert_eq!(mean_and_deviation(&[2.0, 4.0]), (3.0, 1.0));
        assert_eq!(quantile(&[0.0, 10.0], 0.25), 2.5);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
