//! Which incidents alert.

use super::*;
use crate::{Family, Finding};

fn incident(id: &str, rate_bits: Option<f64>, risk: u8) -> Incident {
    Incident {
        finding_ids: vec![id.to_owned()],
        body: Finding {
            id: id.to_owned(),
            rate_bits,
            risk,
            ..Finding::new(Family::Beacon)
        },
        lane: None,
    }
}

fn alerts(per_thousand: f64, eni_days: u64) -> Vec<String> {
    let mut all = vec![
        incident("heavy", Some(3.0), 88),
        incident("rare", Some(20.0), 45),
        incident("rarer", Some(20.0), 60),
        incident("young", None, 90),
    ];
    part_by_budget(&mut all, per_thousand, eni_days);
    let is_alert = |of: &&Incident| of.lane == Some(Lane::Alert);
    let first = all.iter().position(|of| of.lane == Some(Lane::Digest));
    assert!(
        all[first.unwrap_or(all.len())..]
            .iter()
            .all(|of| !is_alert(&of))
    );
    all.iter()
        .filter(is_alert)
        .map(|of| of.body.id.clone())
        .collect()
}

#[test]
fn the_most_urgent_alert_by_risk() {
    assert_eq!(alerts(1.0, 1_000), ["rarer"]);
    // 88 + 2.5 · 3 is 95.5, 45 + 2.5 · 20 is 95.
    assert_eq!(alerts(1.0, 2_000), ["heavy", "rarer"]);
    assert_eq!(alerts(1.0, 2_001), ["heavy", "rarer", "rare"]);
    assert_eq!(alerts(5.0, 1_000), ["young", "heavy", "rarer", "rare"]);
}

#[test]
fn one_alerts_however_small_the_budget_is() {
    assert_eq!(alerts(0.1, 3), ["rarer"]);
    assert_eq!(alerts(0.1, 0), ["rarer"]);
}
