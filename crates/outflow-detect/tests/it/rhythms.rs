//! Beacons and long connections: what begins evenly or stays open is told, what only looks like it is not.

use outflow_detect::{Baseline, Judged, Policy, Scores, State};
use outflow_finding::{Family, Severity};

use crate::fixture::{Dice, engine_of};
use crate::sums::{DAY, START};

/// The default fields, which have no TCP flags.
const V2: &str = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end";

/// A minute's record of 10 packets that a host sends, with 300 bytes of payload.
fn row(host: &str, remote: &str, port: u32, at: i64) -> String {
    let (at, number) = (START + at, host.len());
    format!("eni-{host} 10.0.{number}.7 {remote} {port} 443 6 10 820 {at} {at}")
}

/// A connection each so many seconds for so long, each from a port of its own, with up to a tenth of jitter.
fn calls(host: &str, remote: &str, every: i64, (from, until): (i64, i64)) -> Vec<String> {
    let mut dice = Dice::new(7);
    let steps = (from..until).step_by(usize::try_from(every).unwrap());
    let steps = steps.zip(0..);
    let call = |(at, number): (i64, u32)| {
        let jitter = dice.below(usize::try_from(every / 10).unwrap().max(1));
        let at = at + i64::try_from(jitter).unwrap();
        row(host, remote, 32_768 + number * 7 % 28_000, at)
    };
    steps.map(call).collect()
}

/// One connection that stays open, with a record each so many seconds.
fn open(host: &str, remote: &str, every: usize, (from, until): (i64, i64)) -> Vec<String> {
    let steps = (from..until).step_by(every);
    steps.map(|at| row(host, remote, 40_001, at)).collect()
}

fn told(policy: &Policy, family: Family, lines: &[String]) -> Vec<Judged> {
    let mut found = engine_of(policy.clone(), V2, lines).finish().findings;
    found.retain(|judged| judged.finding.family == family);
    found
}

fn beacons(lines: &[String]) -> Vec<Judged> {
    told(&Policy::default(), Family::Beacon, lines)
}

fn long(lines: &[String]) -> Vec<Judged> {
    told(&Policy::default(), Family::ConnectionLong, lines)
}

#[test]
fn a_beacon_says_how_often_it_calls_and_why_it_is_one() {
    let found = beacons(&calls("a", "45.1.2.3", 300, (0, DAY)));
    let [one] = &found[..] else {
        panic!("{found:#?}")
    };
    let finding = &one.finding;
    assert_eq!(
        finding.title,
        "288 connections to 45.1.2.3 over tcp/443, about every 5 min"
    );
    assert_eq!((finding.severity, finding.bits), (Severity::Low, Some(0.0)));
    assert_eq!(finding.destination.group.as_deref(), Some("45.1.2.0/24"));
    assert_eq!((finding.flows, finding.payload_bytes), (288, 288 * 300));
    let why: Vec<_> = finding
        .why
        .iter()
        .map(|own| (own.unit.as_str(), own.expected, own.bound))
        .collect();
    let evenness = ("variance of the counts over their mean", Some(1.0), None);
    let bits = ("bits", None, Some(20.0));
    assert_eq!(why[..3], [evenness, bits, ("workloads", None, Some(3.0))]);
    assert!(finding.why[0].observed < 0.1 && finding.why[1].observed >= 20.0);
}

#[test]
fn flags_count_connections_and_not_windows() {
    let format = format!("{V2} tcp-flags");
    let flagged = |flags: &dyn Fn(usize) -> u8| -> Vec<Judged> {
        let lines = calls("a", "45.1.2.3", 60, (0, DAY));
        let lines = lines.iter().enumerate();
        let lines: Vec<String> = lines
            .map(|(at, line)| format!("{line} {}", flags(at)))
            .collect();
        let mut found = engine_of(Policy::default(), &format, &lines)
            .finish()
            .findings;
        found.retain(|judged| judged.finding.family == Family::Beacon);
        found
    };
    assert_eq!(flagged(&|_| 2).len(), 1);
    // Windows without SYN begin nothing, whatever their ports.
    assert_eq!(flagged(&|_| 0), []);
}

#[test]
fn a_connection_that_stays_open_is_no_beacon_at_any_window() {
    for every in [60, 600] {
        let one = open("a", "45.1.2.3", every, (0, DAY));
        assert_eq!(beacons(&one), [], "{every} s");
        // Nor are eight of them.
        let pool = (0..8).flat_map(|port: u32| {
            let of_port = one
                .iter()
                .map(move |line| line.replace("40001", &format!("{}", 40_001 + port)));
            of_port.collect::<Vec<String>>()
        });
        assert_eq!(
            beacons(&pool.collect::<Vec<String>>()),
            [],
            "{every} s, a pool"
        );
    }
}

#[test]
fn calls_by_chance_are_no_beacon() {
    for seed in 0..12 {
        let mut dice = Dice::new(seed);
        let at = (0..300).map(|_| i64::try_from(dice.below(86_400)).unwrap());
        let mut at: Vec<i64> = at.collect();
        at.sort_unstable();
        let lines = at
            .iter()
            .zip(32_768..)
            .map(|(at, port)| row("a", "45.1.2.3", port, *at));
        assert_eq!(beacons(&lines.collect::<Vec<_>>()), [], "{seed}");
    }
}

#[test]
fn where_many_know_a_destination_its_callers_are_no_beacons() {
    let of = |hosts: &[&str]| -> Vec<String> {
        let calls = hosts
            .iter()
            .flat_map(|host| calls(host, "45.1.2.3", 300, (0, DAY)));
        calls.collect()
    };
    assert_eq!(beacons(&of(&["a", "bb", "ccc"])).len(), 3);
    assert_eq!(beacons(&of(&["a", "bb", "ccc", "dddd"])), []);
}

#[test]
fn a_beacon_that_goes_on_is_told_each_week_until_it_is_established() {
    let found = beacons(&calls("a", "45.1.2.3", 1_200, (0, 40 * DAY)));
    let days: Vec<u32> = found.iter().map(|judged| judged.day.0 - 20_000).collect();
    // Fourteen days, and a week in which it cannot vouch for itself.
    assert_eq!(days, [0, 7, 14, 21]);
}

#[test]
fn slow_beacons_are_told_within_days() {
    for (every, within) in [(3_600, 3), (4 * 3_600, 5), (8 * 3_600, 7)] {
        let found = beacons(&calls("a", "45.1.2.3", every, (0, 14 * DAY)));
        let first = found.first().unwrap_or_else(|| panic!("{every} s"));
        assert!(first.day.0 - 20_000 < within, "{every} s: {}", first.day);
    }
}

#[test]
fn a_beacon_is_an_alarm_where_such_a_thing_is_rare_and_a_note_where_it_is_not() {
    // Twenty hosts that say something at any time of four days, and one that begins to call on the fifth.
    let others = |at: i64| {
        let hosts = (2..22).zip(0..);
        hosts.map(move |(host, step)| row(&"h".repeat(host), "46.1.2.3", 40_000, at + 97 * step))
    };
    let mut lines: Vec<String> = (0..4).flat_map(|day| others(day * DAY)).collect();
    lines.extend(calls("a", "45.1.2.3", 300, (4 * DAY, 5 * DAY)));
    let found = beacons(&lines);
    let severities: Vec<Severity> = found.iter().map(|judged| judged.finding.severity).collect();
    assert_eq!(severities, [Severity::Medium]);
    assert!(found[0].finding.bits >= Some(5.0));
    // Where others do so too, it says less.
    lines.extend(calls("b", "47.1.2.3", 300, (2 * DAY, 3 * DAY)));
    lines.extend(calls("cc", "48.1.2.3", 300, (3 * DAY, 4 * DAY)));
    let found = beacons(&lines);
    let severities: Vec<Severity> = found.iter().map(|own| own.finding.severity).collect();
    assert_eq!(
        severities,
        [Severity::Medium, Severity::Medium, Severity::Low]
    );
}

#[test]
fn the_score_that_is_asked_for_is_the_least_that_is_told() {
    let calls = calls("a", "45.1.2.3", 1_500, (0, 9 * 3_600));
    let asking = |beacon| Policy {
        scores: Scores {
            beacon,
            ..Scores::default()
        },
        ..Policy::default()
    };
    let bits = told(&asking(1), Family::Beacon, &calls)[0].finding.why[1].observed;
    let whole = (1..40).filter(|bound| f64::from(*bound) <= bits).count();
    for bound in [whole, whole + 1] {
        let bound = u32::try_from(bound).unwrap();
        let is_told = !told(&asking(bound), Family::Beacon, &calls).is_empty();
        assert_eq!(is_told, f64::from(bound) <= bits, "{bound} of {bits}");
    }
}

#[test]
fn a_connection_is_told_at_its_bound_and_when_it_has_doubled() {
    let hours = |hours: i64| (0, hours * 3_600);
    let found = long(&open("a", "45.1.2.3", 60, hours(8)));
    let [one] = &found[..] else {
        panic!("{found:#?}")
    };
    assert_eq!(
        one.finding.title,
        "connection to 45.1.2.3 over tcp/443 open for 8 h"
    );
    assert_eq!(one.finding.severity, Severity::Low);
    let why = &one.finding.why[0];
    assert_eq!(
        (why.observed, why.bound, why.unit.as_str()),
        (8.0, Some(8.0), "hours")
    );
    assert_eq!(long(&open("a", "45.1.2.3", 60, (0, 8 * 3_600 - 600))), []);
    let days: Vec<u32> = long(&open("a", "45.1.2.3", 60, hours(6 * 24)))
        .iter()
        .map(|judged| judged.day.0 - 20_000)
        .collect();
    assert_eq!(days, [0, 1, 3]);
}

#[test]
fn a_pause_ends_a_connection() {
    let with_pause = |pause: i64| {
        let mut lines = open("a", "45.1.2.3", 60, (0, 5 * 3_600));
        lines.extend(open("a", "45.1.2.3", 60, (5 * 3_600 + pause, 10 * 3_600)));
        long(&lines).len()
    };
    assert_eq!((with_pause(600), with_pause(1_800)), (1, 0));
}

#[test]
fn what_begins_anew_all_day_is_present_and_not_one_connection() {
    let deaf = Policy {
        scores: Scores {
            beacon: 41,
            ..Scores::default()
        },
        ..Policy::default()
    };
    let calls_all_day = calls("a", "45.1.2.3", 300, (0, DAY));
    let found = told(&deaf, Family::ConnectionLong, &calls_all_day);
    let [one] = &found[..] else {
        panic!("{found:#?}")
    };
    assert_eq!(
        one.finding.title,
        "connections to 45.1.2.3 over tcp/443 all day long"
    );
    let shorter = calls("a", "45.1.2.3", 300, (0, DAY * 4 / 5));
    assert_eq!(told(&deaf, Family::ConnectionLong, &shorter), []);
    // A beacon says so already.
    assert_eq!(long(&calls_all_day), []);
}

#[test]
fn a_connection_to_what_is_established_or_known_to_many_is_not_told() {
    let mut lines: Vec<String> = (0..30)
        .map(|day| row("a", "45.1.2.3", 40_000, day * DAY))
        .collect();
    lines.extend(open("a", "45.1.2.3", 60, (30 * DAY, 30 * DAY + 20 * 3_600)));
    assert_eq!(long(&lines), []);
    let never = Policy {
        baseline: Baseline {
            active_days: 1_000,
            ..Baseline::default()
        },
        ..Policy::default()
    };
    assert_eq!(told(&never, Family::ConnectionLong, &lines).len(), 1);
    let known = ["bb", "ccc", "dddd"].map(|host| row(host, "45.1.2.9", 40_000, 0));
    lines.extend(known);
    assert_eq!(told(&never, Family::ConnectionLong, &lines), []);
}

#[test]
fn rhythms_are_kept_while_a_shard_has_room() {
    // Calls to many networks have a rhythm each; a shard that has no room for them keeps less of addresses.
    let lines: Vec<String> = (0..40)
        .flat_map(|net| calls("a", &format!("45.1.{net}.3"), 1_800, (0, 6 * 3_600)))
        .collect();
    let level = |keys_max: usize| {
        let engine = engine_of(Policy::default(), V2, &lines);
        let bytes = engine.state().encode();
        State::decode(&bytes, keys_max).unwrap().resolution()
    };
    // 40 rhythms are three quarters of 53.
    assert_eq!(level(53), outflow_detect::Resolution::Address);
    assert!(level(52) > outflow_detect::Resolution::Address);
}
