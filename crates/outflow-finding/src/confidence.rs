//! How sure one may be that a finding is no chance.

use crate::Finding;

/// Percent of the workload-days before on which this family told nothing as strong; unknown without
/// [`Finding::rate_bits`]. Rounded down, so that nothing that ever happened is told as certain.
pub(crate) fn confidence(finding: &Finding) -> Option<u8> {
    let bits = finding.rate_bits.filter(|bits| *bits >= 0.0)?;
    let percent = (100.0 * (1.0 - (-bits).exp2())).floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 100"
    )]
    Some((percent as u8).min(99))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Family;

    #[test]
    fn confidence_is_the_share_of_days_that_told_less() {
        for (bits, percent) in [
            (None, None),
            (Some(0.0), Some(0)),
            (Some(1.0), Some(50)),
            (Some(10.0), Some(99)),
            (Some(60.0), Some(99)),
            (Some(f64::INFINITY), Some(99)),
            (Some(f64::NAN), None),
        ] {
            let finding = Finding {
                rate_bits: bits,
                ..Finding::new(Family::Beacon)
            };
            assert_eq!(confidence(&finding), percent, "{bits:?}");
        }
    }
}
