//! Nothing is lost, what is decided stays, and chance alone rarely alerts.

use outflow_finding::{Accounts, CoverageReport, InterfaceCoverage, group};
use outflow_sim::{Domain, Rng};

use super::*;

const NOW: Timestamp = Timestamp(i64::MAX);

fn at(day: i64, secs: i64) -> Timestamp {
    Timestamp(day * DAY_SECS + secs)
}

fn finding(family: Family, id: &str, severity: Severity, bits: Option<f64>) -> Finding {
    Finding {
        id: id.to_owned(),
        severity,
        rate_bits: bits,
        workload: Some(format!("workload of {id}")),
        ..Finding::new(family)
    }
}

/// A beacon as rare as this says, on a day.
fn beacon(id: &str, day: i64, bits: f64) -> Finding {
    Finding {
        first_seen: Some(at(day, 100)),
        last_seen: Some(at(day, 200)),
        ..finding(Family::Beacon, id, Severity::Medium, Some(bits))
    }
}

/// What is found up to a second of a day, among so many interfaces.
fn outcome(findings: Vec<Finding>, (day, secs): (i64, i64), interfaces: usize) -> Outcome {
    let seen = InterfaceCoverage {
        last_seen: Some(at(day, secs)),
        ..InterfaceCoverage::default()
    };
    let (incidents, findings) = group(findings);
    Outcome {
        incidents,
        findings,
        suppressed: Vec::new(),
        accounts: Accounts {
            last: Some(at(day, secs)),
            ..Accounts::default()
        },
        coverage: CoverageReport {
            interfaces: vec![seen; interfaces],
            ..CoverageReport::default()
        },
        problems: Vec::new(),
        remarks: Vec::new(),
    }
}

/// What is told of an outcome, noted as told: incidents with their lanes, and findings.
fn tell(telling: &mut Telling, of: &Outcome) -> (Vec<(String, Lane)>, Vec<String>) {
    let (incidents, findings) = telling.untold(of, NOW, &Alerting::default());
    incidents.iter().for_each(|own| telling.told_incident(own));
    for own in &findings {
        let severity = own.severity.id();
        telling.told(&own.id, severity, own.incident.as_deref(), None);
    }
    let incidents = incidents
        .into_iter()
        .map(|own| (own.body.id, own.lane.unwrap()));
    let findings = findings.into_iter().map(|own| own.id);
    (incidents.collect(), findings.collect())
}

fn lane_of(findings: Vec<Finding>) -> Lane {
    let mut telling = Telling::default();
    let (incidents, told) = tell(&mut telling, &outcome(findings, (100, 300), 1_000));
    assert_eq!((incidents.len(), told.len()), (1, 1));
    incidents[0].1
}

#[test]
fn bounds_policy_and_what_is_grave_alert_whatever_else_is_told() {
    let often = Some(0.0);
    for (family, severity, lane) in [
        (Family::PolicyPath, Severity::Low, Lane::Alert),
        (Family::PolicyPort, Severity::Low, Lane::Alert),
        (Family::PolicyTelemetry, Severity::Low, Lane::Alert),
        (Family::PolicyJurisdiction, Severity::Low, Lane::Alert),
        (Family::VolumeLedger, Severity::Medium, Lane::Alert),
        (Family::VolumeLedger, Severity::Low, Lane::Digest),
        (Family::DnsTunnel, Severity::Medium, Lane::Alert),
        (Family::Beacon, Severity::High, Lane::Alert),
        (Family::VolumeShift, Severity::Critical, Lane::Alert),
        (Family::Beacon, Severity::Medium, Lane::Digest),
    ] {
        let got = lane_of(vec![finding(family, "a", severity, often)]);
        assert_eq!(got, lane, "{family} {severity:?}");
    }
    // Where nothing is known of the past, a note alone waits.
    let young = |severity| lane_of(vec![finding(Family::Beacon, "a", severity, None)]);
    assert_eq!(young(Severity::Medium), Lane::Alert);
    assert_eq!(young(Severity::Low), Lane::Digest);
    // What is rarer than one in ten thousand of a thousand tests a day is a discovery; one in a hundred is not.
    assert_eq!(lane_of(vec![beacon("a", 100, 14.0)]), Lane::Alert);
    assert_eq!(lane_of(vec![beacon("a", 100, 7.0)]), Lane::Digest);
}

#[test]
fn the_cooldown_and_the_share_of_chance_are_what_is_configured() {
    let hour = Alerting {
        cooldown_hours: 1,
        ..Alerting::default()
    };
    let mut telling = Telling::default();
    let mut told = |payload, secs| {
        let found = outcome(vec![upload(payload, 100)], (100, secs), 50);
        let (incidents, _) = telling.untold(&found, NOW, &hour);
        incidents.iter().for_each(|own| telling.told_incident(own));
        let again: Vec<bool> = incidents.iter().map(|own| own.is_again).collect();
        again
    };
    assert_eq!(told(1, 300), [false]);
    assert_eq!(told(2, 3_899), [false; 0]);
    assert_eq!(told(2, 3_900), [true]);
    let held = Finding {
        q_value: Some(0.04),
        ..beacon("a", 100, 3.0)
    };
    let found = outcome(vec![held], (101, 10), 50);
    for (chance_percent, lane) in [(4, Lane::Alert), (3, Lane::Digest)] {
        let rule = Alerting {
            chance_percent,
            ..Alerting::default()
        };
        let (incidents, _) = Telling::default().untold(&found, NOW, &rule);
        assert_eq!(incidents[0].lane, Some(lane), "{chance_percent}");
    }
}

#[test]
fn a_budget_holds_the_less_urgent_back_and_neither_bounds_nor_what_was_told() {
    let rule = Alerting {
        budget: Some(1.0),
        ..Alerting::default()
    };
    let urgent = |id: &str, urgency: f64| Finding {
        urgency: Some(urgency),
        ..beacon(id, 100, 20.0)
    };
    let bound = finding(Family::PolicyPort, "bound", Severity::Low, Some(0.0));
    let all = vec![
        urgent("a", 9.0),
        urgent("b", 12.0),
        urgent("c", 10.0),
        bound,
    ];
    // Days of interfaces, from which the room follows.
    let within = |findings: &[Finding], days: u64| {
        let mut found = outcome(findings.to_vec(), (100, 300), 1);
        found.coverage.interfaces[0].minutes.ok = days * 1_440;
        found
    };
    let lane = |telling: &mut Telling, found: &Outcome, noted: bool| {
        let (incidents, _) = telling.untold(found, NOW, &rule);
        if noted {
            incidents.iter().for_each(|own| telling.told_incident(own));
        }
        let alerts = incidents.iter().filter(|own| own.lane == Some(Lane::Alert));
        let mut alerts: Vec<String> = alerts.map(|own| own.finding_ids.concat()).collect();
        alerts.sort();
        alerts
    };
    let mut telling = Telling::default();
    let few = within(&all, 10);
    assert_eq!(lane(&mut telling, &few, false), ["b", "bound"]);
    // Nothing was noted as told: asked again, it tells the same.
    assert_eq!(lane(&mut telling, &few, true), ["b", "bound"]);
    // Two more have room once there are more days: of what was told, what a bound decided takes none.
    assert_eq!(lane(&mut telling, &few, true), [""; 0]);
    let more = within(&all, 2_500);
    assert_eq!(lane(&mut telling, &more, true), ["a", "c"]);
    let none = Alerting::default();
    let (incidents, _) = Telling::default().untold(&few, NOW, &none);
    assert!(incidents.iter().all(|own| own.lane == Some(Lane::Alert)));
}

#[test]
fn an_incident_of_the_digest_is_told_again_once_it_alerts() {
    let mut telling = Telling::default();
    let first = beacon("a", 100, 3.0);
    let (incidents, _) = tell(&mut telling, &outcome(vec![first.clone()], (100, 300), 50));
    let (id, lane) = incidents[0].clone();
    assert_eq!(lane, Lane::Digest);
    let again = tell(&mut telling, &outcome(vec![first.clone()], (100, 400), 50));
    assert_eq!(again, Default::default(), "nothing is new");
    // What joins it is found by a bound: it is the same incident, and alerts.
    let joins = Finding {
        workload: first.workload.clone(),
        first_seen: first.first_seen,
        last_seen: first.last_seen,
        ..finding(Family::VolumeLedger, "0", Severity::Medium, None)
    };
    let both = outcome(vec![first, joins], (100, 500), 50);
    assert_eq!(both.incidents.len(), 1);
    let (incidents, findings) = tell(&mut telling, &both);
    assert_eq!(incidents, [(id, Lane::Alert)]);
    assert_eq!(findings, ["0"]);
    assert_eq!(tell(&mut telling, &both), Default::default());
}

/// An upload that began on the first day of a network, of which so much is known by now.
fn upload(payload_bytes: u64, day: i64) -> Finding {
    Finding {
        payload_bytes,
        bytes: payload_bytes,
        stages: vec![Stage::Exfiltration],
        first_seen: Some(at(100, 100)),
        last_seen: Some(at(day, 200)),
        ..finding(Family::VolumeLedger, "0", Severity::Medium, None)
    }
}

#[test]
fn an_incident_that_doubles_is_told_again_after_three_days() {
    let mut telling = Telling::default();
    let mut told = |payload, day, secs| {
        let found = outcome(vec![upload(payload, day)], (day, secs), 50);
        let (incidents, findings) = tell(&mut telling, &found);
        (incidents.len(), findings.len())
    };
    assert_eq!(told(1_000, 100, 300), (1, 1));
    assert_eq!(told(2_000, 101, 300), (0, 0), "a day later");
    assert_eq!(told(9_000, 103, 299), (0, 0), "a second too soon");
    assert_eq!(told(1_999, 103, 300), (0, 0), "it has not doubled");
    assert_eq!(told(9_000, 103, 300), (1, 0), "the incident alone");
    assert_eq!(told(18_000, 106, 299), (0, 0), "it cools down anew");
    assert_eq!(told(17_999, 110, 300), (0, 0));
    assert_eq!(told(18_000, 110, 300), (1, 0));
}

#[test]
fn an_incident_of_twice_as_many_senders_or_destinations_has_doubled() {
    let of = |senders: usize, groups_total: u64, day: i64| {
        let own = |at: usize| {
            let mut own = upload(12_000 / senders as u64, day);
            own.id = format!("{at}");
            own.workload = Some(format!("web-{at}"));
            own.destination.group = Some("45.1.2.0/24".to_owned());
            own.destination.groups_total = groups_total;
            own
        };
        outcome((0..senders).map(own).collect(), (day, 300), 50)
    };
    for (senders, groups, again) in [(3, 3, 0), (4, 2, 1), (2, 4, 1)] {
        let mut telling = Telling::default();
        // The payload stays the same.
        let first = of(2, 2, 100);
        assert_eq!(tell(&mut telling, &first).0.len(), 1);
        let later = of(senders, groups, 104);
        assert_eq!(
            tell(&mut telling, &later).0.len(),
            again,
            "{senders} {groups}"
        );
    }
}

#[test]
fn what_was_told_as_one_and_is_several_by_now_is_told_no_more() {
    let staged = |id: &str, stage: Stage, secs: i64| Finding {
        stages: vec![stage],
        workload: Some("web".to_owned()),
        first_seen: Some(at(100, secs)),
        last_seen: Some(at(100, secs + 100)),
        ..finding(Family::Beacon, id, Severity::High, None)
    };
    let (one, joins, other) = (
        staged("a", Stage::CommandAndControl, 100),
        staged("b", Stage::CommandAndControl, 80_000),
        staged("c", Stage::Exfiltration, 160_000),
    );
    let mut telling = Telling::default();
    let whole = outcome(vec![one.clone(), joins, other.clone()], (102, 300), 50);
    assert_eq!(whole.incidents.len(), 1);
    assert_eq!(tell(&mut telling, &whole).0.len(), 1);
    // What joined them is gone: each lacks a stage of the whole, and what one has the other lacks.
    for secs in [400, 500] {
        let parts = outcome(vec![one.clone(), other.clone()], (102, secs), 50);
        assert_eq!(parts.incidents.len(), 2);
        assert_eq!(tell(&mut telling, &parts), Default::default());
    }
    // A stage that comes again is no news.
    let less = outcome(vec![one.clone()], (102, 600), 50);
    assert_eq!(tell(&mut telling, &less), Default::default());
    let again = outcome(vec![one, other], (102, 700), 50);
    assert_eq!(tell(&mut telling, &again), Default::default());
}

#[test]
fn another_stage_of_an_attack_is_told_at_once() {
    let mut telling = Telling::default();
    let first = Finding {
        stages: vec![Stage::CommandAndControl],
        ..finding(Family::Beacon, "a", Severity::High, None)
    };
    let first = Finding {
        first_seen: Some(at(100, 100)),
        last_seen: Some(at(100, 200)),
        ..first
    };
    let (incidents, _) = tell(&mut telling, &outcome(vec![first.clone()], (100, 300), 50));
    let joins = Finding {
        workload: first.workload.clone(),
        ..upload(10, 100)
    };
    let both = outcome(vec![first, joins], (100, 500), 50);
    let (again, findings) = tell(&mut telling, &both);
    assert_eq!((again, findings), (incidents, vec!["0".to_owned()]));
    assert_eq!(tell(&mut telling, &both), Default::default());
}

#[test]
fn what_a_file_alone_tells_counts_from_when_it_is_judged() {
    let mut telling = Telling::default();
    let found = |payload, day| outcome(vec![upload(payload, day)], (day, 300), 50);
    let first = found(1_000, 100);
    let id = first.incidents[0].body.id.clone();
    telling.told(&id, Severity::Medium.id(), None, Some(Lane::Alert));
    telling.told("0", Severity::Medium.id(), Some(&id), None);
    assert_eq!(tell(&mut telling, &first), Default::default());
    assert_eq!(tell(&mut telling, &found(2_000, 102)), Default::default());
    assert_eq!(tell(&mut telling, &found(2_000, 103)).0.len(), 1);
}

#[test]
fn what_becomes_graver_is_asked_again() {
    let mut telling = Telling::default();
    let of = |severity| {
        let note = finding(Family::Beacon, "a", severity, None);
        outcome(vec![note], (100, 300), 50)
    };
    let lanes = |told: (Vec<(String, Lane)>, Vec<String>)| -> Vec<Lane> {
        told.0.into_iter().map(|(_, lane)| lane).collect()
    };
    let first = tell(&mut telling, &of(Severity::Low));
    assert_eq!(lanes(first), [Lane::Digest]);
    let graver = tell(&mut telling, &of(Severity::Medium));
    assert_eq!(lanes(graver), [Lane::Alert]);
    // What was once more than a note stays told so.
    assert_eq!(tell(&mut telling, &of(Severity::Low)), Default::default());
}

#[test]
fn once_its_day_is_over_the_day_itself_decides() {
    let mut telling = Telling::default();
    let held = Finding {
        q_value: Some(0.04),
        ..beacon("a", 100, 3.0)
    };
    let (incidents, _) = tell(&mut telling, &outcome(vec![held.clone()], (100, 300), 50));
    assert_eq!(incidents[0].1, Lane::Digest);
    let (incidents, findings) = tell(&mut telling, &outcome(vec![held], (101, 10), 50));
    assert_eq!(incidents[0].1, Lane::Alert);
    assert!(findings.is_empty());
    // A clock that runs ahead ends no day.
    let mut other = Telling::default();
    let held = Finding {
        q_value: Some(0.04),
        ..beacon("b", 100, 3.0)
    };
    let found = outcome(vec![held], (900, 10), 50);
    let (incidents, _) = other.untold(&found, at(100, 300), &Alerting::default());
    assert_eq!(incidents[0].lane, Some(Lane::Digest));
}

/// Numbers that nobody chose.
fn random(seed: u64) -> Rng {
    Rng::keyed(seed, Domain::Evaluation, [0, 0])
}

/// One between 0 and 1.
fn uniform(random: &mut Rng) -> f64 {
    (random.bits() >> 11) as f64 / (1u64 << 53) as f64
}

/// Days of so many workloads each, whose findings are chance but for the first of each tenth day; by the hour at which each
/// is found.
fn stream(random: &mut Rng, days: i64, workloads: usize) -> Vec<Outcome> {
    let mut all = Vec::new();
    for day in 0..days {
        let mut found = Vec::new();
        for at in 0..workloads {
            let p = match day % 10 == 9 && at == 0 {
                true => uniform(random) * 1e-5,
                false => uniform(random),
            };
            // Most of what is common is never found.
            if p < 0.05 {
                let kind = if p < 1e-5 { "theft" } else { "chance" };
                found.push(beacon(&format!("{kind} {day} {at}"), day, -p.log2()));
            }
        }
        for hour in [6, 12, 18] {
            let some = found
                .iter()
                .take(found.len() * hour / 18)
                .cloned()
                .collect();
            all.push(outcome(
                some,
                (day, i64::try_from(hour).unwrap() * 3_600),
                workloads,
            ));
        }
    }
    all
}

#[test]
fn chance_rarely_alerts_what_is_rare_does_and_nothing_is_lost() {
    let mut random = random(3);
    let (mut wrong, mut right) = (0, 0);
    let mut telling = Telling::default();
    let mut findings = 0;
    for found in stream(&mut random, 300, 100) {
        let expected: Vec<String> = found.findings.iter().map(|own| own.id.clone()).collect();
        let (incidents, told) = telling.untold(&found, NOW, &Alerting::default());
        findings += told.len();
        for own in &incidents {
            telling.told(&own.body.id, own.body.severity.id(), None, own.lane);
            if own.lane == Some(Lane::Alert) {
                let is_theft = own.finding_ids.iter().any(|id| id.starts_with("theft"));
                right += usize::from(is_theft);
                wrong += usize::from(!is_theft);
            }
        }
        for own in &told {
            let severity = own.severity.id();
            telling.told(&own.id, severity, own.incident.as_deref(), None);
        }
        // Whatever the lane, each was told.
        for id in expected {
            assert!(telling.told[&id].severity > 0, "{id}");
        }
    }
    // Thirty thefts, and some fifteen hundred findings of chance.
    assert!(right >= 29 && findings > 1_000, "{right} of {findings}");
    // At most a tenth of a false one for each day, and for each that was found.
    assert!(wrong * 10 <= 300 + right, "{wrong} of {}", right + wrong);
}

#[test]
fn lanes_do_not_depend_on_restarts() {
    let all = stream(&mut random(8), 60, 60);
    let mut always = Telling::default();
    let mut restarted = Telling::default();
    for found in &all {
        let bytes = postcard::to_stdvec(&restarted).unwrap();
        restarted = postcard::from_bytes(&bytes).unwrap();
        // Who is ended before it could note what it told decides the same again.
        let first: Vec<_> = restarted.untold(found, NOW, &Alerting::default()).0;
        let lanes = |of: &[Incident]| -> Vec<(String, Option<Lane>)> {
            of.iter()
                .map(|own| (own.body.id.clone(), own.lane))
                .collect()
        };
        let second = lanes(&restarted.untold(found, NOW, &Alerting::default()).0);
        assert_eq!(lanes(&first), second);
        assert_eq!(tell(&mut always, found), tell(&mut restarted, found));
    }
    assert_eq!(
        postcard::to_stdvec(&always).unwrap(),
        postcard::to_stdvec(&restarted).unwrap()
    );
}

#[test]
fn what_a_file_alone_tells_is_not_forgotten_before_anything_is_judged() {
    let mut telling = Telling::default();
    let found = outcome(vec![beacon("a", 100, 3.0)], (100, 300), 9);
    let incident = found.incidents[0].body.id.clone();
    let severity = Severity::Medium.id();
    telling.told("a", severity, Some(&incident), None);
    telling.told(&incident, severity, None, Some(Lane::Digest));
    telling.forget(Day(60));
    assert_eq!(tell(&mut telling, &found), Default::default());
    telling.forget(Day(101));
    assert!(!telling.has_told());
}

#[test]
fn ids_are_forgotten_once_nothing_is_found_of_them() {
    let mut telling = Telling::default();
    for day in 100..400 {
        let found = outcome(vec![beacon(&format!("of {day}"), day, 2.0)], (day, 300), 9);
        tell(&mut telling, &found);
        let from = u32::try_from(day).unwrap().saturating_sub(40);
        telling.forget(Day(from));
        assert!(telling.told.len() <= 2 * 41, "{}", telling.told.len());
    }
    assert!(telling.has_told() && telling.heap_bytes() < 100_000);
}
