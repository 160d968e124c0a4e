//! Who tries what is not there is told, who knows what is there is not.

use outflow_detect::{Judged, Policy};
use outflow_finding::{Family, Severity};

use crate::fixture::engine_of;
use crate::sums::START;

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
