//! Which incidents alert.

use super::*;
use crate::{Family, Finding};

fn incident(id: &str, urgency: Option<f64>, risk: u8) -> Incident {
    Incident {
        finding_ids: vec![id.to_owned()],
        body: Finding {
            id: id.to_owned(),
            urgency,
            risk,
            ..Finding::new(Family::Beacon)
        },
        lane: None,
        is_again: false,
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
fn the_most_urgent_alert_and_risk_decides_between_the_equally_rare() {
    assert_eq!(alerts(1.0, 1_000), ["rarer"]);
    assert_eq!(alerts(1.0, 2_000), ["rarer", "rare"]);
    assert_eq!(alerts(1.0, 2_001), ["heavy", "rarer", "rare"]);
    // Nothing says how rare it is, and so it comes last, whatever its risk.
    assert_eq!(alerts(5.0, 1_000), ["young", "heavy", "rarer", "rare"]);
}

#[test]
fn families_share_one_budget() {
    let sum: f64 = Family::ALL.iter().map(|family| share(*family)).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
}

#[test]
fn one_alerts_however_small_the_budget_is() {
    assert_eq!(alerts(0.1, 3), ["rarer"]);
    assert_eq!(alerts(0.1, 0), ["rarer"]);
}
