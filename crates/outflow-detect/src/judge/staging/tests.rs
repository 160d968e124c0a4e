use std::fmt::Write as _;

use outflow_finding::Finding;

use super::*;
use crate::judge::judge;
use crate::reading::{START, state_of_lines};
use crate::state::{SHARD_KEYS_MAX, State};

const FORMAT: &str = "account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
                      flow-direction";

const MB: u64 = 1_000_000;

/// Records of eni-1, at 10.0.0.7.
#[derive(Default)]
struct Log(String);

impl Log {
    fn line(&mut self, at: i64, (from, to): (&str, &str), payload: u64, direction: &str) {
        let (bytes, start) = (payload + 52, START + at);
        writeln!(
            self.0,
            "1 eni-1 {from} {to} 40000 443 6 1 {bytes} {start} {start} {direction}"
        )
        .unwrap();
    }

    /// Days in which it takes in so much a day from each of eight hosts, and sends a little outside.
    fn past(&mut self, days: i64, each: u64) {
        for day in 0..days {
            for host in 20..28 {
                self.takes(day * 86_400, host, each);
            }
            self.line(day * 86_400 + 60, ("10.0.0.7", "52.1.2.3"), MB, "egress");
        }
    }

    fn takes(&mut self, at: i64, host: u8, payload: u64) {
        self.line(
            at,
            (&format!("10.0.0.{host}"), "10.0.0.7"),
            payload,
            "ingress",
        );
    }

    fn gathers(&mut self, day: i64, hosts: std::ops::Range<u8>, each: u64) {
        for host in hosts {
            self.takes(day * 86_400 + 3_600, host, each);
        }
    }

    fn sends(&mut self, day: i64, to: &str, payload: u64) {
        self.line(day * 86_400 + 43_200, ("10.0.0.7", to), payload, "egress");
    }

    fn told(&self) -> Vec<Finding> {
        self.told_by(&Policy::default())
    }

    fn told_by(&self, policy: &Policy) -> Vec<Finding> {
        let state = state_of_lines(FORMAT, &self.0);
        let verdict = judge(&state, policy, Day(40_000));
        let findings = verdict.findings.into_iter().map(|judged| judged.finding);
        findings
            .filter(|finding| finding.family == Family::StagingRelay)
            .collect()
    }
}

/// Gathers so much from each of so many hosts on day 10, and sends so much on day 11.
fn relay(past: u64, hosts: u8, each: u64, sent: u64) -> Vec<Finding> {
    let mut log = Log::default();
    log.past(7, past);
    log.gathers(10, 30..30 + hosts, each);
    log.sends(11, "45.1.2.3", sent);
    log.told()
}

#[test]
fn what_was_gathered_and_then_sent_is_told() {
    let found = relay(MB, 10, 50 * MB, 450 * MB);
    let title = "500 MB gathered from 10 hosts inside, then 450 MB sent to 45.1.2.3";
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].title.as_str(), found[0].severity),
        (title, Severity::Medium)
    );
    let (gathered, before) = (found[0].why[0].observed, found[0].why[0].expected);
    assert_eq!(
        (gathered, before),
        (500.0 * MB as f64, Some(24.0 * MB as f64))
    );
    assert_eq!(found[0].why[1].observed, 450.0 * MB as f64);
}

#[test]
fn the_bound_is_told_and_a_byte_less_is_not() {
    assert_eq!(relay(0, 10, 10 * MB, 100 * MB).len(), 1);
    assert_eq!(relay(0, 10, 10 * MB, 100 * MB - 1).len(), 0);
    assert_eq!(relay(0, 5, 20 * MB, 100 * MB).len(), 1);
    assert_eq!(relay(0, 4, 25 * MB, 100 * MB).len(), 0);
    assert_eq!(relay(0, 5, 20 * MB - 1, 100 * MB).len(), 0);
}

#[test]
fn what_a_host_always_takes_in_is_no_staging() {
    // 120 MB in three days, of which 480 are four times as much.
    assert_eq!(relay(5 * MB, 10, 48 * MB, 450 * MB).len(), 1);
    assert_eq!(relay(5 * MB, 10, 47 * MB, 450 * MB).len(), 0);
}

#[test]
fn far_more_or_far_less_than_was_gathered_is_no_relay() {
    assert_eq!(relay(0, 10, 50 * MB, 1_000 * MB).len(), 1);
    assert_eq!(relay(0, 10, 50 * MB, 1_001 * MB).len(), 0);
    assert_eq!(relay(0, 10, 200 * MB, 199 * MB).len(), 0);
}

#[test]
fn a_host_without_a_past_is_the_ledgers() {
    let mut log = Log::default();
    log.past(6, 0);
    log.gathers(6, 30..40, 50 * MB);
    log.sends(7, "45.1.2.3", 450 * MB);
    assert_eq!(log.told().len(), 0);
}

#[test]
fn what_went_out_before_came_from_elsewhere() {
    let mut log = Log::default();
    log.past(10, 0);
    log.sends(10, "45.1.2.3", 450 * MB);
    log.gathers(11, 30..40, 50 * MB);
    log.sends(12, "45.1.2.3", 10 * MB);
    assert_eq!(log.told().len(), 0);
    // Within the days, and behind it.
    log.sends(12, "45.1.2.3", 90 * MB);
    assert_eq!(log.told().len(), 1);
}

#[test]
fn a_place_that_is_established_is_none() {
    let mut log = Log::default();
    log.past(40, 0);
    log.gathers(40, 30..40, 50 * MB);
    log.sends(41, "52.1.2.3", 450 * MB);
    assert_eq!(log.told().len(), 0);
    log.sends(41, "45.1.2.3", 450 * MB);
    assert_eq!(log.told().len(), 1);
}

#[test]
fn it_is_told_again_when_it_has_doubled_or_a_week_later() {
    let mut log = Log::default();
    log.past(7, 0);
    log.gathers(10, 30..40, 100 * MB);
    for (day, sent) in [(10, 200), (11, 100), (12, 100)] {
        log.sends(day, "45.1.2.3", sent * MB);
    }
    let told: Vec<u64> = log
        .told()
        .iter()
        .map(|own| own.payload_bytes / MB)
        .collect();
    assert_eq!(told, [200, 400]);
}

#[test]
fn small_records_are_no_deliveries() {
    let count = |payload: u64| {
        let mut log = Log::default();
        log.past(7, 0);
        for _ in 0..10 {
            log.gathers(10, 30..40, payload);
        }
        log.sends(11, "45.1.2.3", 3 * MB / 2);
        let mut policy = Policy::default();
        policy.bounds.relay = MB;
        log.told_by(&policy).len()
    };
    assert_eq!((count(16_384), count(16_383)), (1, 0));
}

#[test]
fn order_grouping_and_codec_are_free() {
    let mut log = Log::default();
    log.past(7, MB);
    log.gathers(10, 30..80, 50 * MB);
    log.sends(11, "45.1.2.3", 450 * MB);
    let verdict = |state: &State| format!("{:#?}", judge(state, &Policy::default(), Day(40_000)));
    let state = state_of_lines(FORMAT, &log.0);
    let (bytes, expected) = (state.encode(), verdict(&state));
    assert!(expected.contains("more than 32 hosts"), "{expected}");
    let lines: Vec<&str> = log.0.split_inclusive('\n').collect();
    let turned: String = lines.iter().rev().copied().collect();
    let mut parts = lines
        .chunks(17)
        .map(|part| state_of_lines(FORMAT, &part.concat()));
    let mut merged = parts.next_back().unwrap();
    parts.for_each(|part| merged.merge(part));
    let restored = State::decode(&bytes, SHARD_KEYS_MAX).unwrap();
    for got in [state_of_lines(FORMAT, &turned), merged, restored] {
        assert!(got.encode() == bytes);
        assert!(verdict(&got) == expected);
    }
}

#[test]
fn nothing_later_changes_the_verdict_on_a_day() {
    let mut log = Log::default();
    log.past(7, MB);
    log.gathers(10, 30..40, 50 * MB);
    log.sends(11, "45.1.2.3", 450 * MB);
    let day = Day(20_011);
    let then = judge(&state_of_lines(FORMAT, &log.0), &Policy::default(), day);
    log.gathers(12, 30..40, 900 * MB);
    log.sends(12, "45.1.2.3", 900 * MB);
    let later = judge(&state_of_lines(FORMAT, &log.0), &Policy::default(), day);
    assert!(!then.findings.is_empty());
    assert_eq!(then.findings, later.findings);
}

#[test]
fn the_most_before_is_that_of_every_window_before() {
    let days = [
        (1, 5_u64),
        (2, 9),
        (4, 7),
        (5, 1),
        (6, 1),
        (20, 30),
        (23, 2),
    ];
    let slots = days.iter().flat_map(|(day, payload)| {
        let slot = |at: Slot, payload| (at, Receipt::of_parts(payload, vec![1]).unwrap());
        let day = Day(*day);
        [
            slot(day.first_slot(), 1_000 * payload),
            slot(day.last_slot(), *payload),
        ]
    });
    let past = Past::new(&slots.collect());
    for first in 0..30 {
        let windows =
            (0..first).map(|end: u32| past.gathered(Day(end.saturating_sub(2)), Day(end)));
        assert_eq!(
            past.before(Day(first)),
            windows.max().unwrap_or(0),
            "{first}"
        );
    }
}

#[test]
fn a_past_of_which_the_beginning_was_dropped_is_none() {
    let mut log = Log::default();
    log.past(7, 0);
    log.gathers(10, 30..40, 50 * MB);
    log.sends(11, "45.1.2.3", 450 * MB);
    let mut state = state_of_lines(FORMAT, &log.0);
    let count = |state: &State| {
        let verdict = judge(state, &Policy::default(), Day(40_000));
        let findings = verdict.findings.iter().map(|judged| &judged.finding);
        let own = findings.filter(|finding| finding.family == Family::StagingRelay);
        own.count()
    };
    let born = Slot::of(START).day();
    state.keep_receipts_from(born.first_slot());
    assert_eq!(count(&state), 1);
    // The days are 9 to 11, and seven must have been before.
    state.keep_receipts_from(Day(born.0 + 2).first_slot());
    assert_eq!(count(&state), 1);
    state.keep_receipts_from(Slot(Day(born.0 + 2).first_slot().0 + 1));
    assert_eq!(count(&state), 0);
}
