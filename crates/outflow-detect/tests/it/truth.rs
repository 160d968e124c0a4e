//! What scenarios move is charged, and what only looks like it is not.

use std::sync::LazyLock;

use outflow_detect::{Day, Judged, Policy, SHARD_KEYS_MAX, Sanctioned, judge};
use outflow_enrich::Networks;
use outflow_finding::{Family, Severity};
use outflow_sim::{Class, Label, Scenario, World, WorldConfig};

use crate::fixture::{alone, objects, pieces, state_of};

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
const DAYS: u32 = 4;

/// The worlds of the seeds in which nothing happens: their findings above low.
static QUIET: LazyLock<Vec<Vec<Judged>>> =
    LazyLock::new(|| SEEDS.iter().map(|seed| quiet(*seed, DAYS)).collect());

fn quiet(seed: u64, days: u32) -> Vec<Judged> {
    let config = WorldConfig {
        scenarios: Vec::new(),
        ..alone(Scenario::Burst, seed, days)
    };
    above_low(&config, &Policy::default()).0
}

/// A world's findings above low, and its labels.
fn above_low(config: &WorldConfig, policy: &Policy) -> (Vec<Judged>, Vec<Label>) {
    let pieces: Vec<_> = objects(config).iter().flat_map(pieces).collect();
    let state = state_of(&pieces, &Networks::default(), SHARD_KEYS_MAX);
    let mut findings = judge(&state, policy, Day(40_000)).findings;
    findings.retain(|judged| judged.finding.severity > Severity::Low);
    (findings, World::new(config).unwrap().labels())
}

/// Whether a finding charges the label's interface with the label's peer.
fn touches(judged: &Judged, label: &Label) -> bool {
    let finding = &judged.finding;
    let peer = label.peer.to_string();
    finding.interface_id.as_deref() == Some(&label.eni)
        && finding.destination.addresses.contains(&peer)
}

fn lines(findings: &[Judged]) -> String {
    let line = |judged: &Judged| {
        let finding = &judged.finding;
        let (day, severity, title) = (judged.day, finding.severity, &finding.title);
        format!("{day} {severity} {:?} {title}\n", finding.interface_id)
    };
    findings.iter().map(line).collect()
}

/// A finding above low that the same world does not have when nothing happens in it.
fn is_new(judged: &Judged, quiet: &[Judged]) -> bool {
    let place = |judged: &Judged| (judged.day, judged.finding.interface_id.clone());
    quiet.iter().all(|own| place(own) != place(judged))
}

/// In each seed's world with this scenario alone, it is charged, and nothing else is on its account.
fn is_found(scenario: Scenario, check: impl Fn(&[Label], &[Judged])) {
    for (seed, quiet) in SEEDS.iter().zip(QUIET.iter()) {
        is_found_in(&alone(scenario, *seed, DAYS), quiet, &check);
    }
}

fn is_found_in(config: &WorldConfig, quiet: &[Judged], check: impl Fn(&[Label], &[Judged])) {
    let (findings, labels) = above_low(config, &Policy::default());
    let place = (&config.scenarios, config.seed, lines(&findings));
    assert!(labels.iter().all(|label| label.class == Class::Malicious));
    let (charged, others): (Vec<Judged>, Vec<Judged>) = findings
        .into_iter()
        .partition(|judged| labels.iter().any(|label| touches(judged, label)));
    assert!(!charged.is_empty(), "{place:?}");
    assert!(
        !others.iter().any(|judged| is_new(judged, quiet)),
        "{place:?}"
    );
    check(&labels, &charged);
}

/// In each seed's world with this scenario alone, it adds no finding above low.
fn is_passed_over(scenario: Scenario) {
    assert_eq!(scenario.class(), Class::Benign);
    for (seed, quiet) in SEEDS.iter().zip(QUIET.iter()) {
        let (findings, _) = above_low(&alone(scenario, *seed, DAYS), &Policy::default());
        let is_false = findings.iter().any(|judged| is_new(judged, quiet));
        assert!(!is_false, "{scenario} {seed}: {}", lines(&findings));
    }
}

#[test]
fn a_burst_is_charged_on_its_day_with_its_bytes() {
    is_found(Scenario::Burst, |labels, charged| {
        let [label] = labels else { panic!("one label") };
        let [one] = charged else {
            panic!("{}", lines(charged))
        };
        assert_eq!(i64::from(one.day.0), label.start.secs() / 86_400);
        assert_eq!(one.finding.severity, Severity::High);
        assert!(one.finding.bytes >= label.bytes_out);
    });
}

#[test]
fn a_drip_of_which_no_day_stands_out_is_charged_within_the_week() {
    for seed in SEEDS {
        let config = alone(Scenario::Drip, seed, 7);
        is_found_in(&config, &quiet(seed, 7), |labels, charged| {
            let [one] = charged else {
                panic!("{}", lines(charged))
            };
            assert!(
                one.finding.title.ends_with("within 7 days"),
                "{}",
                lines(charged)
            );
            // All that was sent until then, which is most of it.
            assert!(one.finding.bytes > labels[0].bytes_out * 3 / 4);
        });
    }
}

#[test]
fn what_is_split_over_destinations_is_charged_as_one() {
    is_found(Scenario::SplitDestinations, |labels, charged| {
        // It goes on for two days, on each of which all of its destinations are in one finding.
        let [first, second] = charged else {
            panic!("{}", lines(charged))
        };
        assert_eq!((labels.len(), second.day.0 - first.day.0), (40, 1));
        for label in labels {
            assert!(touches(first, label) && touches(second, label));
        }
    });
}

#[test]
fn a_tunnel_to_an_outside_resolver_is_found_on_its_host_alone() {
    is_found(Scenario::ResolverBypass, |labels, charged| {
        let [one] = charged else {
            panic!("{}", lines(charged))
        };
        assert_eq!(one.finding.severity, Severity::High);
        assert_eq!(one.finding.bytes, labels[0].bytes_out);
    });
}

#[test]
fn a_tunnel_through_icmp_is_found() {
    is_found(Scenario::IcmpTunnel, |labels, charged| {
        let [one] = charged else {
            panic!("{}", lines(charged))
        };
        assert_eq!(one.finding.severity, Severity::High);
        assert_eq!(
            (one.finding.bytes, one.finding.packets),
            (labels[0].bytes_out, labels[0].packets_out)
        );
    });
}

#[test]
fn a_beacon_is_found_on_its_first_day() {
    // Before, most of a week shows that such a thing is rare here.
    for seed in SEEDS {
        is_found_in(
            &alone(Scenario::Beacon, seed, 7),
            &quiet(seed, 7),
            |labels, charged| {
                let first = &charged[0];
                assert_eq!(i64::from(first.day.0), labels[0].start.secs() / 86_400);
                assert_eq!(first.finding.family, Family::Beacon);
                assert_eq!(first.finding.severity, Severity::Medium);
            },
        );
    }
}

#[test]
fn a_connection_that_stays_open_and_takes_data_out_is_found() {
    for seed in SEEDS {
        let config = alone(Scenario::LongConnection, seed, 7);
        is_found_in(&config, &quiet(seed, 7), |_, charged| {
            let [one] = charged else {
                panic!("{}", lines(charged))
            };
            assert_eq!(one.finding.family, Family::ConnectionLong);
            assert!(
                one.finding.title.ends_with("open for 15 h"),
                "{}",
                lines(charged)
            );
        });
    }
}

#[test]
fn agents_that_many_hosts_have_are_passed_over() {
    is_passed_over(Scenario::Agents);
    // Not even a note.
    let config = alone(Scenario::Agents, 1, DAYS);
    let pieces: Vec<_> = objects(&config).iter().flat_map(pieces).collect();
    let state = state_of(&pieces, &Networks::default(), SHARD_KEYS_MAX);
    let found = judge(&state, &Policy::default(), Day(40_000)).findings;
    let labels = World::new(&config).unwrap().labels();
    let told: Vec<Judged> = found
        .into_iter()
        .filter(|judged| labels.iter().any(|label| touches(judged, label)))
        .collect();
    assert!(told.is_empty(), "{}", lines(&told));
}

#[test]
fn downloads_are_passed_over() {
    is_passed_over(Scenario::BigDownload);
}

#[test]
fn deploys_are_passed_over() {
    is_passed_over(Scenario::Deploy);
}

#[test]
fn worlds_in_which_nothing_happens_are_all_but_silent() {
    let all: Vec<&Judged> = QUIET.iter().flatten().collect();
    // Before any destination is established, one upload in these twenty days is larger than the bound of a day.
    assert!(all.len() <= 1, "{all:#?}");
    let highest = all.iter().map(|judged| judged.finding.severity).max();
    assert!(highest <= Some(Severity::Medium));
}

#[test]
fn a_backup_that_moves_is_passed_over_once_it_is_established_or_sanctioned() {
    for seed in SEEDS {
        let long = WorldConfig {
            base_flows_per_eni_hour: 0,
            enis: 8,
            ..alone(Scenario::BackupMoved, seed, 36)
        };
        // It moves on day 24. Until it was established before a whole window of thirty days, it is told once, as
        // a gigabyte in them: nothing tells a backup from a drip that began before the log.
        let established = Day(u32::try_from(long.start.secs() / 86_400).unwrap() + 22);
        let (mut findings, labels) = above_low(&long, &Policy::default());
        findings.retain(|judged| judged.day >= established);
        let is_month = |judged: &Judged| judged.finding.title.ends_with("within 30 days");
        let is_told_once = match &findings[..] {
            [] => true,
            [one] => is_month(one) && labels.iter().any(|label| touches(one, label)),
            _ => false,
        };
        assert!(is_told_once, "{seed}: {}", lines(&findings));

        let policy = Policy {
            sanctioned: vec![Sanctioned {
                destination: "38.27.106.0/24".parse().unwrap(),
                workload: None,
                bytes_per_day: 6_000_000_000,
                reason: "backup".to_owned(),
            }],
            ..Policy::default()
        };
        let short = WorldConfig { days: 3, ..long };
        let (findings, _) = above_low(&short, &policy);
        assert_eq!(findings, [], "{seed}: {}", lines(&findings));
    }
}
