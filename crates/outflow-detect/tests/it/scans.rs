//! Who tries what is not there is told, who knows what is there is not.

use outflow_detect::{Judged, Policy};
use outflow_finding::{Family, Severity};

use crate::fixture::engine_of;
use crate::sums::{DAY, FULL, MB, START, upload};

const FORMAT: &str =
    "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end";

/// A connection to a place, answered or not.
fn tried(remote: &str, port: u32, answered: bool, day: i64) -> Vec<String> {
    let at = START + day * 86_400;
    let mut lines = vec![format!(
        "eni-a 10.0.0.7 {remote} 40000 {port} 6 1 60 {at} {at}"
    )];
    if answered {
        lines.push(format!(
            "eni-a {remote} 10.0.0.7 {port} 40000 6 1 60 {at} {at}"
        ));
    }
    lines
}

fn scans(lines: &[String]) -> Vec<Judged> {
    let mut found = engine_of(Policy::default(), FORMAT, lines)
        .finish()
        .findings;
    found.retain(|judged| judged.finding.family == Family::ScanFanout);
    found
}

/// So many addresses without an answer, and so many with one.
fn mixed(silent: u32, answering: u32) -> Vec<String> {
    let of = |net: u32, answered: bool| {
        move |at: u32| {
            tried(
                &format!("45.{net}.{}.{}", at / 200, at % 200),
                445,
                answered,
                0,
            )
        }
    };
    let silent = (0..silent).flat_map(of(1, false));
    silent.chain((0..answering).flat_map(of(2, true))).collect()
}

#[test]
fn many_that_do_not_answer_are_a_scan_at_the_bound() {
    let found = scans(&mixed(100, 5));
    let [one] = &found[..] else {
        panic!("{found:#?}")
    };
    let finding = &one.finding;
    assert_eq!(
        finding.title,
        "100 of 105 addresses and ports outside did not answer: 1 ports of 100 addresses"
    );
    assert_eq!((finding.severity, finding.flows), (Severity::Low, 100));
    let why: Vec<_> = finding
        .why
        .iter()
        .map(|own| (own.observed, own.bound))
        .collect();
    assert_eq!(why, [(100.0, Some(100.0)), (4.0, Some(20.0))]);
    assert_eq!(scans(&mixed(99, 5)), []);
}

#[test]
fn ports_of_one_address_are_a_scan_too() {
    let mut lines: Vec<String> = (1..150)
        .flat_map(|port| tried("45.1.2.3", port, false, 0))
        .collect();
    lines.extend(tried("45.1.2.3", 443, true, 0));
    assert!(
        scans(&lines)[0]
            .finding
            .title
            .ends_with("149 ports of 1 addresses")
    );
}

#[test]
fn whoever_is_mostly_answered_knows_what_is_there() {
    assert_eq!(scans(&mixed(120, 30)).len(), 1);
    assert_eq!(scans(&mixed(120, 31)), []);
}

#[test]
fn a_log_of_one_direction_tells_nothing_and_neither_do_repeated_attempts() {
    assert_eq!(scans(&mixed(500, 0)), []);
    let mut lines: Vec<String> = (0..200)
        .flat_map(|_| tried("45.1.2.3", 445, false, 0))
        .collect();
    lines.extend(tried("45.1.2.4", 445, true, 0));
    assert_eq!(scans(&lines), []);
}

#[test]
fn it_takes_a_day_and_not_a_week() {
    let mut lines: Vec<String> = (0..7)
        .flat_map(|day| {
            (0..30).flat_map(move |at| tried(&format!("45.1.{day}.{at}"), 445, false, day))
        })
        .collect();
    lines.extend(tried("45.2.2.4", 445, true, 0));
    assert_eq!(scans(&lines), []);
}

/// A record of what a host sends inside: protocol, packets, bytes, action and TCP flags.
fn inside(host: &str, remote: &str, port: u32, at: i64, what: (u8, u64, u64, &str, u8)) -> String {
    let (protocol, packets, bytes, action, flags) = what;
    let (own, start) = (own(host), START + at);
    format!(
        "111111111111 eni-{host} i-{host} {own} {remote} {own} {remote} 40000 {port} {protocol} {packets} {bytes} {start} {} \
         {action} {flags} egress OK",
        start + 59
    )
}

fn own(host: &str) -> String {
    let sum: u32 = host.bytes().map(u32::from).sum();
    format!("10.0.{}.{}", sum / 250, sum % 250 + 1)
}

/// Two packets of SYN, which nobody answers.
const SILENT: (u8, u64, u64, &str, u8) = (6, 2, 120, "ACCEPT", 2);

/// So many hosts of a network on a day, each tried at one port.
fn sweep(host: &str, count: i64, at: i64, what: (u8, u64, u64, &str, u8)) -> Vec<String> {
    let one = |to: i64| {
        inside(
            host,
            &format!("10.9.{}.{}", to / 200, to % 200 + 1),
            445,
            at + to,
            what,
        )
    };
    (0..count).map(one).collect()
}

/// Forty hosts that send something outside each day.
fn network(days: i64) -> Vec<String> {
    let of_day =
        |day: i64| (0..40).map(move |host| upload(&format!("h{host}"), "46.1.2.3", day * DAY, MB));
    (0..days).flat_map(of_day).collect()
}

fn scans_inside(lines: &[String]) -> Vec<Judged> {
    let mut found = engine_of(Policy::default(), FULL, lines).finish().findings;
    found.retain(|judged| judged.finding.family == Family::ScanFanout);
    found
}

#[test]
fn a_sweep_inside_is_told_at_the_bound_where_a_host_never_did_it() {
    let with = |count: i64| {
        let mut lines = network(12);
        lines.extend(sweep("h3", count, 10 * DAY, SILENT));
        scans_inside(&lines)
    };
    assert_eq!(with(99), []);
    let found = with(100);
    let [one] = &found[..] else {
        panic!("{found:#?}")
    };
    let finding = &one.finding;
    assert_eq!(
        finding.title,
        "100 addresses and ports inside did not answer: 1 ports of 100 addresses"
    );
    assert_eq!((one.day.0, finding.severity), (20_010, Severity::Medium));
    assert_eq!(finding.interface_id.as_deref(), Some("eni-h3"));
    assert_eq!(finding.workload.as_deref(), Some("i-h3"));
    assert_eq!(
        (finding.flows, finding.packets, finding.payload_bytes),
        (100, 200, 0)
    );
    assert_eq!(
        (finding.why[0].observed, finding.why[0].bound),
        (100.0, Some(100.0))
    );
    assert!(
        finding.why[0].text.contains("10.9.0.1 port 445"),
        "{}",
        finding.why[0].text
    );
    // Of more, a sample tells.
    let many = &with(1_500)[0].finding;
    assert!(many.title.starts_with("some 1,"), "{}", many.title);
    assert!(
        many.title
            .ends_with("at least 1 ports of at least 129 addresses"),
        "{}",
        many.title
    );
}

#[test]
fn what_the_own_security_group_refuses_counts_and_so_do_ports_of_one_host() {
    let mut lines = network(12);
    lines.extend(sweep("h3", 120, 10 * DAY, (17, 1, 60, "REJECT", 0)));
    lines.extend((1..200).map(|port| inside("h4", "10.9.0.7", port, 10 * DAY, SILENT)));
    let found = scans_inside(&lines);
    let titles: Vec<&str> = found.iter().map(|own| own.finding.title.as_str()).collect();
    assert_eq!(found.len(), 2, "{titles:?}");
    assert!(
        titles
            .iter()
            .any(|own| own.contains("1 ports of 120 addresses")),
        "{titles:?}"
    );
    assert!(
        titles
            .iter()
            .any(|own| own.ends_with("of at least 1 addresses")),
        "{titles:?}"
    );
}

#[test]
fn who_always_scanned_is_a_note_while_that_is_not_known_and_then_nothing() {
    let mut daily = network(30);
    daily.extend((0..30).flat_map(|day| sweep("h3", 300, day * DAY + 60, SILENT)));
    let found = scans_inside(&daily);
    assert!(found.iter().all(|own| own.day.0 < 20_007), "{found:#?}");
    assert!(
        found
            .iter()
            .all(|own| own.finding.severity == Severity::Low),
        "{found:#?}"
    );
    // Once a week, from the log's first week on.
    let mut weekly = network(40);
    weekly.extend((0..5).flat_map(|week| sweep("h3", 300, (6 + 7 * week) * DAY, SILENT)));
    let found = scans_inside(&weekly);
    let told: Vec<_> = found
        .iter()
        .map(|own| (own.day.0 - 20_000, own.finding.severity))
        .collect();
    assert_eq!(told, [(6, Severity::Low)]);
    // Three times as many as ever are told.
    weekly.extend(sweep("h3", 1_500, 38 * DAY, SILENT));
    assert_eq!(
        scans_inside(&weekly).last().map(|own| own.day.0),
        Some(20_038)
    );
}

#[test]
fn a_scan_that_goes_on_is_told_once_and_again_after_a_week() {
    let mut lines = network(40);
    lines.extend((20..40).flat_map(|day| sweep("h3", 200, day * DAY, SILENT)));
    let days: Vec<u32> = scans_inside(&lines)
        .iter()
        .map(|own| own.day.0 - 20_000)
        .collect();
    assert_eq!(days, [20]);
}

#[test]
fn health_checks_monitors_and_dead_peers_are_no_scan() {
    let mut lines = network(12);
    for at in 0..4 {
        let at = 10 * DAY + at * 3_600;
        // A check of each target: SYN and FIN in one window, nothing but headers.
        lines.extend(sweep("h1", 300, at, (6, 3, 164, "ACCEPT", 3)));
        // Refused by RST after it was open, as some checks end.
        lines.extend(sweep("h2", 300, at, (6, 3, 164, "ACCEPT", 6)));
        // A monitor that scrapes every host: the first window of connections that stay open.
        lines.extend(sweep("h3", 300, at, (6, 12, 4_000, "ACCEPT", 2)));
        // Later windows have no flags.
        lines.extend(sweep("h4", 300, at, (6, 2, 104, "ACCEPT", 0)));
        // Ninety targets that are gone, checked again and again.
        lines.extend(sweep("h5", 90, at, SILENT));
        // Questions over UDP, some of which are lost.
        lines.extend(sweep("h6", 300, at, (17, 1, 76, "ACCEPT", 0)));
    }
    assert_eq!(scans_inside(&lines), []);
}

#[test]
fn what_a_host_is_tried_by_is_not_its_own_and_neither_is_what_has_no_direction() {
    let came = |line: String| line.replace("egress", "ingress");
    let mut lines = network(12);
    lines.extend(sweep("h3", 300, 10 * DAY, SILENT).into_iter().map(came));
    let refused = (6, 1, 60, "REJECT", 2);
    lines.extend(sweep("h4", 300, 10 * DAY, refused).into_iter().map(came));
    lines.extend(
        sweep("h5", 300, 10 * DAY, SILENT)
            .into_iter()
            .map(|line| line.replace("egress", "-")),
    );
    assert_eq!(scans_inside(&lines), []);
}
