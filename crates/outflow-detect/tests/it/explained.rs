//! What findings say beside their reasons.

use outflow_detect::{Day, Judged, Policy, SHARD_KEYS_MAX, judge_with};
use outflow_finding::{Family, Finding, Harmless, Held, Prevalence, Stage, TrafficPath};
use outflow_record::Timestamp;

use crate::network::{Item, fold, items, knowledge, policy};
use crate::sums::{DAY, FULL, MB, START, judged};

/// Findings of a network in which every family speaks.
fn of_every_family() -> Vec<Judged> {
    let items = items();
    let all: Vec<&Item> = items.iter().collect();
    let state = fold(&all, SHARD_KEYS_MAX);
    judge_with(&state, &policy(), &knowledge(), Day(40_000)).findings
}

#[test]
fn every_risk_is_the_sum_of_its_parts() {
    for judged in of_every_family() {
        let finding = judged.finding;
        let sum: i16 = finding.risk_parts.iter().map(|own| own.points).sum();
        assert_eq!(sum, i16::from(finding.risk), "{finding:?}");
        assert!(finding.risk_parts.len() >= 3, "{finding:?}");
    }
}

#[test]
fn every_finding_has_its_stages_and_what_flow_logs_tell_of_its_destination() {
    let (mut known, mut unknown) = (0, 0);
    for judged in of_every_family() {
        let finding = judged.finding;
        assert_eq!(finding.stages, Stage::of(finding.family, &finding.attack));
        let to = &finding.destination;
        let Some((first, Prevalence { workloads, of })) = to.first_seen.zip(to.prevalence) else {
            unknown += 1;
            continue;
        };
        known += 1;
        assert!((1..=of).contains(&workloads), "{finding:?}");
        assert!(Some(first) <= finding.last_seen, "{finding:?}");
        assert_ne!(finding.family, Family::VolumeServed);
    }
    assert!(known > unknown && unknown > 0, "{known} and {unknown}");
}

/// An upload of 150 MB by a host, on a path.
fn upload((host, path): (&str, &str), remote: &str, at: i64) -> String {
    let (payload, packets) = (150 * MB, 150 * MB / 1_000);
    let (bytes, start, end) = (payload + 52 * packets, START + at, START + at + 59);
    format!(
        "111111111111 eni-{host} i-{host} 10.0.0.7 {remote} 10.0.0.7 {remote} 40000 443 6 {packets} \
         {bytes} {start} {end} ACCEPT 2 egress OK {path}"
    )
}

#[test]
fn who_else_sent_there_since_when_and_by_which_way_is_as_of_the_day() {
    let format = format!("{FULL} traffic-path");
    let lines = [
        upload(("a", "8"), "45.1.2.3", 600),
        upload(("b", "1"), "45.1.2.200", 7_200),
        upload(("b", "8"), "45.1.2.201", 8_200),
        // The last one begins a day later, and knows another destination alone.
        upload(("c", "-"), "45.1.2.4", DAY + 30),
        upload(("c", "-"), "45.9.9.9", DAY + 90),
    ];
    let mut found = judged(&Policy::default(), &format, &lines).findings;
    found.retain(|own| own.finding.family == Family::VolumeLedger);
    let of = |host: &str, group: &str| {
        let own = found.iter().find(|own| {
            let finding = &own.finding;
            let addresses = finding.destination.group.as_deref();
            finding.interface_id.as_deref() == Some(host) && addresses == Some(group)
        });
        &own.unwrap_or_else(|| panic!("{host} to {group}: {found:#?}"))
            .finding
    };
    let first = of("eni-a", "45.1.2.0/24");
    let prevalence = |workloads, of| Some(Prevalence { workloads, of });
    assert_eq!(first.destination.prevalence, prevalence(2, 2));
    assert_eq!(first.destination.first_seen, Some(Timestamp(START + 600)));
    assert_eq!(first.paths, [TrafficPath(8)]);
    let second = of("eni-b", "45.1.2.0/24");
    assert_eq!(second.paths, [TrafficPath(1), TrafficPath(8)]);
    assert_eq!(second.destination.first_seen, Some(Timestamp(START + 600)));
    // Of two alike the first network is told.
    let third = of("eni-c", "45.1.2.0/24");
    assert_eq!(third.destination.prevalence, prevalence(3, 3));
    assert_eq!(third.paths, []);
}

#[test]
fn every_finding_says_which_harmless_explanations_were_tested() {
    let mut asked_of_days = 0;
    for judged in of_every_family() {
        let finding = judged.finding;
        let asked: Vec<Harmless> = finding.harmless.iter().map(|own| own.explanation).collect();
        assert!(asked.is_sorted(), "{finding:?}");
        let of_days = [Harmless::OwnHistory, Harmless::Weekday].map(|own| asked.contains(&own));
        assert_eq!(of_days[0], of_days[1], "{finding:?}");
        asked_of_days += usize::from(of_days[0]);
        let is_ledger = finding.family == Family::VolumeLedger;
        assert_eq!(asked.contains(&Harmless::Allowance), is_ledger);
        // What is known of the past is so in both places, and what is not in none.
        let own = of_days[0].then(|| outcome(&finding, Harmless::OwnHistory));
        let is_known = own.is_some_and(|own| own != Held::Unknown);
        assert_eq!(is_known, finding.history.is_some(), "{finding:?}");
        // Who else sends there is tested where it is counted.
        let is_counted = finding.destination.prevalence.is_some();
        assert_eq!(asked.contains(&Harmless::Peers), is_counted, "{finding:?}");
    }
    assert!(asked_of_days > 5, "{asked_of_days}");
}

fn outcome(finding: &Finding, of: Harmless) -> Held {
    let mut all = finding.harmless.iter().filter(|own| own.explanation == of);
    let own = all.next().unwrap_or_else(|| panic!("{of:?}: {finding:?}"));
    assert!(all.next().is_none() && !own.text.is_empty(), "{finding:?}");
    own.outcome
}

/// Megabytes that a host pushes on a day.
fn pushed(host: &str, remote: &str, (day, mb): (i64, u64)) -> String {
    let (payload, packets) = (mb * MB, mb * MB / 1_000);
    let (bytes, start) = (payload + 52 * packets, START + day * DAY + 3_600);
    let end = start + 59;
    format!(
        "111111111111 eni-{host} i-{host} 10.0.0.7 {remote} 10.0.0.7 {remote} 40000 443 6 {packets} \
         {bytes} {start} {end} ACCEPT 2 egress OK"
    )
}

#[test]
fn the_past_of_a_workload_is_that_before_the_finding_and_decides_what_holds() {
    let usual = |host: &'static str, mb: fn(i64) -> u64| {
        (0..30).map(move |day| pushed(host, "45.1.2.3", (day, mb(day))))
    };
    // One that sends twenty megabytes a day, and one that sends three gigabytes each seventh day.
    let mut lines: Vec<String> = usual("quiet", |_| 20).collect();
    lines.extend(usual("weekly", |day| if day % 7 == 0 { 3_000 } else { 20 }));
    for host in ["quiet", "weekly"] {
        lines.push(pushed(host, "45.9.9.9", (28, 300)));
    }
    lines.push(pushed("new", "45.7.7.7", (28, 300)));
    let found = judged(&Policy::default(), FULL, &lines).findings;
    let of = |host: &str, group: &str| {
        let own = found.iter().map(|own| &own.finding).find(|own| {
            own.family == Family::VolumeLedger
                && own.interface_id.as_deref() == Some(host)
                && own.destination.group.as_deref() == Some(group)
                && own.last_seen >= Some(Timestamp(START + 28 * DAY))
        });
        own.unwrap_or_else(|| panic!("{host}: {found:#?}"))
    };
    let quiet = of("eni-quiet", "45.9.9.0/24");
    let history = quiet.history.as_ref().unwrap();
    assert_eq!(
        (history.days, history.median, history.p99, history.observed),
        (28, 20 * MB, 20 * MB, 320 * MB)
    );
    assert_eq!(outcome(quiet, Harmless::OwnHistory), Held::Rejected);
    assert_eq!(outcome(quiet, Harmless::Weekday), Held::Rejected);
    assert_eq!(outcome(quiet, Harmless::Fetched), Held::Rejected);
    assert_eq!(outcome(quiet, Harmless::Allowance), Held::Rejected);
    let new = of("eni-new", "45.7.7.0/24");
    assert_eq!(new.history, None);
    for own in [Harmless::OwnHistory, Harmless::Weekday] {
        assert_eq!(outcome(new, own), Held::Unknown);
    }
    let weekly = of("eni-weekly", "45.9.9.0/24");
    let history = weekly.history.as_ref().unwrap();
    assert_eq!((history.median, history.p99), (20 * MB, 3_000 * MB));
    // It sends three gigabytes there as well, as on four such days before.
    assert_eq!(history.observed, 3_300 * MB);
    assert_eq!(outcome(weekly, Harmless::OwnHistory), Held::Rejected);
    assert_eq!(outcome(weekly, Harmless::Weekday), Held::Holds);
}

#[test]
fn a_theft_of_days_before_is_no_past_that_makes_another_harmless_and_a_rollout_is_of_the_day_of_meeting()
 {
    // It takes as much day by day, each time elsewhere.
    let mut lines: Vec<String> = (0..30)
        .map(|day| pushed("thief", "45.1.2.3", (day, 1)))
        .collect();
    for day in 20..30 {
        lines.push(pushed("thief", &format!("45.9.{day}.9"), (day, 300)));
    }
    for host in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        lines.push(pushed(host, "45.5.5.5", (29, 200)));
    }
    let found = judged(&Policy::default(), FULL, &lines).findings;
    let ledger = || {
        let all = found.iter().map(|own| &own.finding);
        all.filter(|own| own.family == Family::VolumeLedger)
    };
    let last = ledger().rfind(|own| own.interface_id.as_deref() == Some("eni-thief"));
    assert_eq!(outcome(last.unwrap(), Harmless::OwnHistory), Held::Partly);
    let rollouts: Vec<&Finding> = ledger()
        .filter(|own| own.destination.group.as_deref() == Some("45.5.5.0/24"))
        .collect();
    assert!(!rollouts.is_empty());
    for own in rollouts {
        assert_eq!(outcome(own, Harmless::Rollout), Held::Partly, "{own:?}");
    }
}
