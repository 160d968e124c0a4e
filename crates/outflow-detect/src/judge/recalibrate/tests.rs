//! Ranks of findings within their family.

use super::*;
use crate::judge::Rank;

fn judged(day: u32, family: Family, workload: &str, risk: u8) -> Judged {
    Judged {
        day: Day(day),
        interfaces: Vec::new(),
        finding: Finding {
            workload: Some(workload.to_owned()),
            risk,
            ..Finding::new(family)
        },
        rank: Rank::default(),
        group: None,
        workload: None,
        sides: Default::default(),
    }
}

/// So many workloads on each of some days.
fn active(days: u32, count: u64) -> BTreeMap<Day, u64> {
    (0..days).map(|day| (Day(day), count)).collect()
}

fn ranked(mut findings: Vec<Judged>, active: &BTreeMap<Day, u64>) -> Vec<Option<f64>> {
    let rule = Baseline {
        spread_days: 0,
        quarantine_days: 0,
        ..Baseline::default()
    };
    recalibrate(&mut findings, active, &rule);
    findings.iter().map(|of| of.finding.rate_bits).collect()
}

#[test]
fn the_first_of_its_family_is_as_rare_as_the_days_before_can_tell() {
    let findings = vec![
        judged(0, Family::Beacon, "a", 50),
        judged(10, Family::Beacon, "b", 60),
    ];
    // Nothing is known on the first day. Then one of 1 + 1,023 workload-days, with the one before weaker.
    let all = active(20, 1_023);
    assert_eq!(ranked(findings, &all), [None, Some(13.3)]);
}

#[test]
fn families_are_ranked_each_for_itself() {
    let heavy = (0..8).map(|day| judged(day, Family::VolumeLedger, "a", 90));
    let mut findings: Vec<Judged> = heavy.collect();
    findings.push(judged(8, Family::VolumeLedger, "b", 80));
    findings.push(judged(8, Family::Beacon, "b", 40));
    let bits = ranked(findings, &active(9, 64));
    // 8 of 512 workload-days had a stronger one; of beacons none did.
    assert_eq!(bits[8], Some(5.8));
    assert_eq!(bits[9], Some(9.0));
}

#[test]
fn several_findings_of_a_sender_and_a_day_are_one() {
    let twice = vec![
        judged(0, Family::Beacon, "a", 50),
        judged(0, Family::Beacon, "a", 50),
        judged(1, Family::Beacon, "b", 50),
    ];
    let once = vec![
        judged(0, Family::Beacon, "a", 50),
        judged(1, Family::Beacon, "b", 50),
    ];
    let all = active(2, 100);
    assert_eq!(ranked(twice, &all)[2], ranked(once, &all)[1]);
}

#[test]
fn what_comes_before_anything_can_be_established_does_not_count() {
    let mut findings: Vec<Judged> = (0..22)
        .map(|day| judged(day, Family::Beacon, "a", 50))
        .collect();
    let rule = Baseline::default();
    let all = active(22, 100);
    recalibrate(&mut findings, &all, &rule);
    let known = findings.iter().filter(|of| of.finding.rate_bits.is_some());
    assert_eq!(
        known.count(),
        0,
        "14 days and 7 more, and the first day has none before it"
    );
    findings.push(judged(23, Family::Beacon, "b", 50));
    recalibrate(&mut findings, &active(24, 100), &rule);
    // One of 200 workload-days had as much.
    assert_eq!(findings[22].finding.rate_bits, Some(6.7));
}

#[test]
fn a_day_is_no_evidence_for_itself() {
    let alone = vec![judged(5, Family::Beacon, "a", 50)];
    let mut together = alone.clone();
    together.extend(["b", "c"].map(|name| judged(5, Family::Beacon, name, 70)));
    let all = active(6, 100);
    assert_eq!(ranked(alone, &all)[0], ranked(together, &all)[0]);
}

/// A finding about a destination, so many times above its bound.
fn about(day: u32, family: Family, place: &str, octaves: f64) -> Judged {
    let mut judged = judged(day, family, "a", 50);
    judged.finding.destination.group = Some(place.to_owned());
    judged.finding.severity = Severity::Medium;
    judged.rank.octaves = Some(octaves);
    judged
}

fn urgencies(mut findings: Vec<Judged>, active: &BTreeMap<Day, u64>) -> Vec<Option<f64>> {
    let rule = Baseline {
        spread_days: 0,
        quarantine_days: 0,
        ..Baseline::default()
    };
    recalibrate(&mut findings, active, &rule);
    findings.iter().map(|of| of.finding.urgency).collect()
}

#[test]
fn urgency_goes_beyond_ranks_and_each_family_has_its_share() {
    let of = |family, octaves| {
        urgencies(vec![about(10, family, "b", octaves)], &active(20, 1_023))[0].unwrap()
    };
    // One of 1 + 10,230 workload-days, and each doubling halves; the plain stratum has half of 0.30 and of 0.08.
    assert_eq!(of(Family::VolumeLedger, 0.0), 10.6);
    assert_eq!(of(Family::VolumeLedger, 4.0), 14.6);
    assert_eq!(of(Family::Beacon, 4.0), 12.7);
}

#[test]
fn what_goes_on_is_one_event_until_it_doubles() {
    let daily = |octaves: fn(u32) -> f64| {
        let mut all: Vec<Judged> = (0..10)
            .map(|day| about(day, Family::VolumeLedger, "b", octaves(day)))
            .collect();
        all.push(about(10, Family::VolumeLedger, "c", 0.0));
        urgencies(all, &active(20, 1_023))[10].unwrap()
    };
    let once = daily(|_| 1.0);
    // Ten that were each twice the one before are ten.
    assert!(daily(f64::from) < once - 2.0);
    let alone = vec![
        about(0, Family::VolumeLedger, "b", 1.0),
        about(10, Family::VolumeLedger, "c", 0.0),
    ];
    assert_eq!(urgencies(alone, &active(20, 1_023))[1], Some(once));
}

#[test]
fn a_stratum_is_ranked_by_itself_and_a_note_has_less_of_the_budget() {
    let mut all: Vec<Judged> = (0..10)
        .map(|day| about(day, Family::VolumeLedger, &day.to_string(), 3.0))
        .collect();
    all.iter_mut()
        .for_each(|own| own.rank.stratum = Stratum::Excess);
    all.push(about(10, Family::VolumeLedger, "c", 0.0));
    assert_eq!(urgencies(all.clone(), &active(20, 1_023))[10], Some(10.6));
    all[10].finding.severity = Severity::Low;
    assert_eq!(urgencies(all, &active(20, 1_023))[10], Some(7.6));
}

#[test]
fn the_findings_of_a_day_have_adjusted_p_values_among_its_workloads() {
    let mut all = vec![
        about(10, Family::Beacon, "b", 1.0),
        about(10, Family::Beacon, "c", 1.0),
        about(10, Family::Beacon, "c", 1.0),
    ];
    let rule = Baseline {
        spread_days: 0,
        quarantine_days: 0,
        ..Baseline::default()
    };
    recalibrate(&mut all, &active(20, 1_023), &rule);
    let q: Vec<f64> = all.iter().map(|own| own.finding.q_value.unwrap()).collect();
    // Two tests of 1,023 with p = 2^−13.3 each: 1,023 / 2 · 2^−13.3.
    assert_eq!(q, [0.0507; 3]);
}
