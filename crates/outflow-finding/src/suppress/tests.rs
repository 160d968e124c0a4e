//! What is hidden, what is told all the same, and what is counted.

use super::*;
use crate::Destination;

fn day(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn finding(payload_bytes: u64) -> Finding {
    Finding {
        payload_bytes,
        account_id: Some("111122223333".to_owned()),
        interface_id: Some("eni-0a1".to_owned()),
        workload: Some("asg/backup-7".to_owned()),
        destination: Destination {
            group: Some("203.0.113.0/24".to_owned()),
            addresses: vec!["203.0.113.9".to_owned()],
            addresses_total: 1,
            groups_total: 1,
            ..Destination::default()
        },
        ..Finding::new(Family::VolumeLedger)
    }
}

fn backup() -> Suppression {
    Suppression {
        id: "backup".to_owned(),
        reason: "nightly copies".to_owned(),
        owner: "storage team".to_owned(),
        expires: day("2026-12-31"),
        payload_bytes_day: 1_000,
        matcher: Matcher {
            workload: Some("asg/backup-*".to_owned()),
            ..Matcher::default()
        },
    }
}

/// Findings of days that are told and hidden by a suppression, and its book.
fn parted(
    one: Suppression,
    findings: Vec<(Timestamp, Finding)>,
) -> (usize, usize, SuppressionBook) {
    let mut parted = Suppressions::new(vec![one]).unwrap().part(findings);
    (
        parted.told.len(),
        parted.hidden.len(),
        parted.books.remove(0),
    )
}

fn hides(matcher: Matcher, finding: Finding) -> bool {
    let one = Suppression {
        payload_bytes_day: u64::MAX,
        matcher,
        ..backup()
    };
    let (told, hidden, _) = parted(one, vec![(day("2026-10-01"), finding)]);
    assert_eq!(told + hidden, 1);
    hidden == 1
}

#[test]
fn what_fits_is_hidden_and_counted() {
    let at = day("2026-10-01T22:00");
    let (told, hidden, book) = parted(backup(), vec![(at, finding(400)), (at, finding(600))]);
    assert_eq!((told, hidden), (0, 2));
    assert_eq!((book.findings, book.payload_bytes), (2, 1_000));
    assert_eq!(book.expires, "2026-12-31");
}

#[test]
fn a_day_with_more_than_the_cap_is_told_as_a_whole() {
    let (first, second) = (day("2026-10-01"), day("2026-10-02"));
    let findings = vec![
        (first, finding(400)),
        (first, finding(601)),
        (second, finding(9)),
    ];
    let suppressions = Suppressions::new(vec![backup()]).unwrap();
    let parted = suppressions.part(findings);
    assert_eq!((parted.told.len(), parted.hidden.len()), (2, 1));
    let why = &parted.told[0].why[0];
    assert_eq!((why.observed, why.bound), (1_001.0, Some(1_000.0)));
    assert!(
        why.text.contains("`backup` of storage team"),
        "{}",
        why.text
    );
    let book = &parted.books[0];
    assert_eq!(
        (book.findings, book.payload_bytes, book.exceeded_days),
        (1, 9, 1)
    );
}

#[test]
fn findings_of_several_families_may_be_about_the_same_bytes() {
    let at = day("2026-10-01");
    let beacon = Finding {
        family: Family::Beacon,
        ..finding(900)
    };
    let (told, hidden, book) = parted(backup(), vec![(at, finding(1_000)), (at, beacon)]);
    assert_eq!((told, hidden, book.payload_bytes), (0, 2, 1_000));
}

#[test]
fn the_last_day_is_the_last() {
    let last = day("2026-12-31T23:59:59");
    let next = day("2027-01-01");
    let (told, hidden, book) = parted(backup(), vec![(last, finding(1)), (next, finding(5_000))]);
    assert_eq!((told, hidden), (1, 1));
    assert_eq!((book.expired_findings, book.exceeded_days), (1, 0));
}

#[test]
fn all_that_is_given_must_fit() {
    let none = Matcher::default;
    let some = |text: &str| Some(text.to_owned());
    assert!(hides(
        Matcher {
            interface_id: some("eni-0a1"),
            account_id: some("111122223333"),
            ..none()
        },
        finding(1)
    ));
    assert!(!hides(
        Matcher {
            interface_id: some("eni-0a1"),
            account_id: some("999999999999"),
            ..none()
        },
        finding(1)
    ));
    assert!(!hides(
        Matcher {
            workload: some("asg/backup"),
            ..none()
        },
        finding(1)
    ));
    assert!(!hides(
        Matcher {
            workload: some("asg/backup-*"),
            families: vec![Family::Beacon],
            ..none()
        },
        finding(1)
    ));
    assert!(!hides(
        Matcher {
            workload: some("asg/backup-*"),
            vpc_id: some("vpc-1"),
            ..none()
        },
        finding(1)
    ));
}

#[test]
fn a_destination_hides_only_what_went_there_as_a_whole() {
    let to = |place: &str| Matcher {
        destination: Some(place.to_owned()),
        ..Matcher::default()
    };
    assert!(hides(to("203.0.113.0/24"), finding(1)));
    assert!(hides(to("203.0.113.9"), finding(1)), "its only address");
    assert!(!hides(to("203.0.113.8"), finding(1)));
    assert!(!hides(to("2001:db8::/32"), finding(1)));
    let of = |destination: Destination| Finding {
        destination,
        ..finding(1)
    };
    let two = of(Destination {
        groups_total: 2,
        addresses_total: 2,
        ..finding(1).destination
    });
    assert!(
        !hides(to("203.0.113.0/24"), two),
        "the list of addresses is cut"
    );
    let named = Destination {
        group: Some("eu.backup.example".to_owned()),
        ..finding(1).destination
    };
    assert!(hides(to("backup.example"), of(named.clone())));
    assert!(hides(to("eu.backup.example"), of(named.clone())));
    assert!(!hides(to("up.example"), of(named.clone())), "half a label");
    assert!(!hides(
        to("backup.example"),
        of(Destination {
            ambiguous: true,
            ..named.clone()
        })
    ));
    assert!(!hides(
        to("backup.example"),
        of(Destination {
            groups_total: 3,
            ..named
        })
    ));
}

#[test]
fn the_first_that_fits_hides() {
    let other = Suppression {
        id: "other".to_owned(),
        ..backup()
    };
    let both = Suppressions::new(vec![backup(), other]).unwrap();
    let parted = both.part(vec![(day("2026-10-01"), finding(1))]);
    assert_eq!(parted.hidden[0].0, "backup");
    assert_eq!(parted.books[1].findings, 0);
}

#[test]
fn suppressions_that_make_no_sense_are_refused() {
    let said = |list: Vec<Suppression>| Suppressions::new(list).unwrap_err().to_string();
    assert!(
        said(vec![Suppression {
            owner: " ".to_owned(),
            ..backup()
        }])
        .contains("`owner` is empty")
    );
    assert!(
        said(vec![backup(), backup()])
            .contains("suppression 2 `backup`: suppression 1 has this id")
    );
    assert!(
        said(vec![Suppression {
            payload_bytes_day: 0,
            ..backup()
        }])
        .contains("hides nothing")
    );
    let all = |matcher: Matcher| {
        said(vec![Suppression {
            matcher,
            ..backup()
        }])
    };
    let families = Matcher {
        families: vec![Family::Beacon],
        ..Matcher::default()
    };
    assert!(all(families).contains("everybody"));
    let anywhere = Matcher {
        destination: Some("0.0.0.0/0".to_owned()),
        ..Matcher::default()
    };
    assert!(all(anywhere).contains("everybody"));
}

#[test]
fn without_suppressions_all_is_told() {
    let parted = Suppressions::default().part(vec![(day("2026-10-01"), finding(1))]);
    assert_eq!((parted.told.len(), parted.books.len()), (1, 0));
}
