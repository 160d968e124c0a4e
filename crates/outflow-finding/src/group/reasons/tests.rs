use super::*;
use crate::{Destination, Severity};

const DAY: i64 = 86_400;

/// A finding of the day so many days after 2026-09-01, about so many megabytes to a network.
fn of_day(day: i64, megabytes: u64, group: &str) -> Finding {
    Finding {
        id: format!("f-{day}-{group}"),
        severity: Severity::High,
        interface_id: Some("eni-1".to_owned()),
        destination: Destination {
            group: Some(group.to_owned()),
            ..Destination::default()
        },
        first_seen: Some(outflow_record::Timestamp(1_788_220_800 + day * DAY)),
        payload_bytes: megabytes * 1_000_000,
        why: ["of payload", "pushed"]
            .map(|text| why(&format!("{megabytes} MB {text}")))
            .to_vec(),
        ..Finding::new(Family::VolumeLedger)
    }
}

fn why(text: &str) -> Why {
    Why {
        text: text.to_owned(),
        ..Why::default()
    }
}

fn texts(members: &[Finding]) -> Vec<String> {
    reasons(members).into_iter().map(|why| why.text).collect()
}

#[test]
fn a_single_finding_has_its_own_reasons() {
    let texts = texts(&[of_day(0, 160, "net")]);
    assert_eq!(texts, ["160 MB of payload", "160 MB pushed"]);
}

#[test]
fn days_of_one_destination_are_summed_up() {
    let days = [(2, 160), (0, 157), (1, 158), (6, 156)];
    let members = days.map(|(day, size)| of_day(day, size, "192.0.2.0/24"));
    let all = reasons(&members);
    let texts: Vec<&str> = all.iter().map(|why| why.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "2026-09-03: 160 MB of payload",
            "160 MB pushed",
            "4 findings to 192.0.2.0/24, 2026-09-01 to 2026-09-07: 631 MB of payload in all, 156 to 160 MB each",
        ]
    );
    assert_eq!((all[2].observed, all[2].unit.as_str()), (631e6, "bytes"));
}

#[test]
fn what_has_none_of_its_kind_says_its_day() {
    let members = [
        of_day(0, 417, "a"),
        of_day(3, 408, "b"),
        of_day(1, 400, "c"),
    ];
    let expected = [
        "2026-09-01: 417 MB of payload",
        "417 MB pushed",
        "2026-09-04: 408 MB of payload",
        "2026-09-02: 400 MB of payload",
    ];
    assert_eq!(texts(&members), expected);
}

#[test]
fn another_family_and_another_sender_are_named() {
    let dns = |day| Finding {
        family: Family::DnsTunnel,
        ..of_day(day, 1, "net")
    };
    let other = |day| Finding {
        interface_id: Some("eni-2".to_owned()),
        ..of_day(day, 2_000, "net")
    };
    let members = [of_day(0, 160, "net"), dns(0), dns(0), other(0), other(1)];
    assert_eq!(
        texts(&members)[2..],
        [
            "2 findings of dns.tunnel to net, 2026-09-01: 2.0 MB of payload in all, 1.0 MB each",
            "2 findings from eni-2 to net, 2026-09-01 to 2026-09-02: 4.0 GB of payload in all, 2.0 GB each",
        ]
    );
}

#[test]
fn what_finds_no_place_is_counted() {
    let members: Vec<Finding> = (0..10)
        .map(|at| of_day(at, 100, &format!("net {at}")))
        .collect();
    let texts = texts(&members);
    assert_eq!(texts.len(), INCIDENT_WHY_MAX);
    assert_eq!(texts[4], "2026-09-04: 100 MB of payload");
    assert_eq!(texts[5], "6 findings besides: 600 MB of payload in all");
    let exactly: Vec<Finding> = members.into_iter().take(5).collect();
    assert_eq!(reasons(&exactly)[5].text, "2026-09-05: 100 MB of payload");
}

#[test]
fn sizes_of_two_units_are_written_out() {
    assert_eq!(range(900, 900), "900 B");
    assert_eq!(range(900_000, 2_000_000), "900 kB to 2.0 MB");
    assert_eq!(range(1_100_000, 2_000_000), "1.1 to 2.0 MB");
}
