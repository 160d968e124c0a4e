//! What two judgements differ about.

use super::*;
use crate::{InterfaceCoverage, Minutes, group, write_comparison_json, write_comparison_table};

fn finding(id: &str, severity: Severity) -> Finding {
    Finding {
        id: id.to_owned(),
        severity,
        payload_bytes: 7,
        interface_id: Some(format!("eni-{id}")),
        title: format!("title {id}"),
        ..Finding::new(Family::Beacon)
    }
}

fn two_days() -> CoverageReport {
    let minutes = Minutes {
        ok: 2 * 24 * 60,
        ..Minutes::default()
    };
    CoverageReport {
        interfaces: vec![InterfaceCoverage {
            minutes,
            ..InterfaceCoverage::default()
        }],
        ..CoverageReport::default()
    }
}

fn compared() -> Comparison {
    let told =
        |all: &[(&str, Severity)]| group(all.iter().map(|(id, of)| finding(id, *of)).collect());
    let (high, low) = (Severity::High, Severity::Low);
    let (old_incidents, old) = told(&[
        ("gone", high),
        ("same", low),
        ("less", high),
        ("hushed", low),
    ]);
    let (new_incidents, new) = told(&[("same", low), ("less", low), ("new", high)]);
    let hushed = vec![("backup".to_owned(), finding("hushed", low))];
    let of = |incidents, findings, suppressed| Judgement {
        incidents,
        findings,
        suppressed,
        budget: None,
    };
    Comparison::of(
        of(&old_incidents, &old, &[]),
        of(&new_incidents, &new, &hushed),
        &two_days(),
    )
}

#[test]
fn findings_that_differ_are_told_apart() {
    let changed = compared().changed;
    let told: Vec<(Change, &str, Option<&str>)> = changed
        .iter()
        .map(|of| (of.change, of.finding.id.as_str(), of.suppression.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (Change::Fired, "new", None),
            (Change::Milder, "less", None),
            (Change::Hidden, "gone", None),
            (Change::Hidden, "hushed", Some("backup")),
        ]
    );
    assert_eq!(
        (changed[1].before, changed[1].after),
        (Some(Severity::High), Some(Severity::Low))
    );
    assert_eq!(
        (changed[2].before, changed[2].after),
        (Some(Severity::High), None)
    );
}

#[test]
fn sums_are_those_of_each() {
    let Comparison {
        eni_days,
        before,
        after,
        ..
    } = compared();
    assert_eq!(eni_days, 2);
    assert_eq!(
        (
            before.incidents,
            before.findings,
            before.suppressed_findings
        ),
        (4, 4, 0)
    );
    assert_eq!(
        (after.incidents, after.findings, after.suppressed_findings),
        (3, 3, 1)
    );
    assert_eq!(after.suppressed_payload_bytes, 7);
    assert_eq!(before.incidents_by_severity[&Severity::High.id()], 2);
    assert_eq!(before.incidents_per_thousand(eni_days), Some(2_000.0));
    assert_eq!(before.incidents_per_thousand(0), None);
    assert_eq!((before.alerts, after.alerts), (None, None));
}

#[test]
fn incidents_that_alert_are_counted_where_each_has_a_lane() {
    let lanes = [Lane::Alert, Lane::Digest, Lane::Alert];
    let incidents = lanes.map(|lane| Incident {
        finding_ids: Vec::new(),
        body: Finding::new(Family::Beacon),
        lane: Some(lane),
        is_again: false,
    });
    let judgement = |incidents, budget| Judgement {
        incidents,
        findings: &[],
        suppressed: &[],
        budget,
    };
    let compared = |before, after| Comparison::of(before, after, &CoverageReport::default());
    // A budget that has nothing to part is one all the same.
    let nothing = compared(judgement(&[], None), judgement(&[], Some(1.0)));
    assert_eq!(
        (nothing.before.alerts, nothing.after.alerts),
        (None, Some(0))
    );
    let compared = compared(judgement(&[], None), judgement(&incidents, Some(1.0)));
    assert_eq!(
        (compared.before.alerts, compared.after.alerts),
        (None, Some(2))
    );
    let mut out = Vec::new();
    write_comparison_json(&mut out, &compared).unwrap();
    let line: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(line["after"]["alerts"], 2);
    assert_eq!(line["before"]["alerts"], serde_json::Value::Null);
    out.clear();
    write_comparison_table(&mut out, &compared, Default::default()).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("that alert"), "{text}");
}

#[test]
fn a_table_shows_both_and_what_differs() {
    let mut out = Vec::new();
    write_comparison_table(&mut out, &compared(), Default::default()).unwrap();
    let text = String::from_utf8(out).unwrap();
    for part in [
        "1 finding told by the new settings alone",
        "1 finding less grave by the new settings",
        "was high, is low",
        "2 findings told no longer",
        "suppression `backup` hides it",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    assert!(!text.contains('\u{1}'));
}

#[test]
fn lines_of_json_end_with_the_sums() {
    let mut out = Vec::new();
    write_comparison_json(&mut out, &compared()).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0]["change"], "fired");
    assert_eq!(lines[0]["finding"]["id"], "new");
    assert_eq!(lines[3]["suppression"], "backup");
    assert_eq!(lines[4]["type"], "backtest");
    assert_eq!(lines[4]["after"]["findings_by_family"]["beacon"], 3);
    assert_eq!(lines[4]["before"]["incidents_per_1000_eni_days"], 2_000);
}
