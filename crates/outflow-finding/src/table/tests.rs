use std::collections::BTreeMap;

use super::*;
use crate::{
    Coverage, Destination, Family, Resolution, SecurityGroup, Sender, Why, finding_id, group,
};

fn exfiltration() -> Finding {
    Finding {
        id: finding_id(&[
            "payments-api",
            "volume.ledger",
            "198.51.100.0/24",
            "2026-10-01",
        ]),
        title: "48.2 GB to a network never sent to before".to_owned(),
        severity: Severity::Critical,
        risk: 91,
        account_id: Some("123456789012".to_owned()),
        region: Some("eu-central-1".to_owned()),
        vpc_id: Some("vpc-0f00ba11".to_owned()),
        interface_id: Some("eni-0123456789abcdef0".to_owned()),
        workload: Some("payments-api".to_owned()),
        destination: Destination {
            group: Some("198.51.100.0/24".to_owned()),
            addresses: vec!["198.51.100.7".to_owned()],
            asn: Some(64500),
            org: Some("Example Transit".to_owned()),
            country: Some("NL".to_owned()),
            ..Destination::default()
        },
        first_seen: "2026-10-01T08:30:00Z".parse().ok(),
        last_seen: "2026-10-01T10:40:00Z".parse().ok(),
        bytes: 48_200_000_000,
        packets: 33_000_000,
        flows: 410,
        attack: vec!["T1048".to_owned(), "T1567.002".to_owned()],
        why: vec![
            Why {
                observed: 48.2e9,
                bound: Some(1.1e9),
                unit: "bytes".to_owned(),
                text:
                    "48.2 GB left in 2 h 10 min, where this workload never sent more than 1.1 GB a \
                       day in the 28 days before"
                        .to_owned(),
                ..Why::default()
            },
            Why {
                observed: 0.0,
                unit: "senders".to_owned(),
                text: "no other of 214 senders ever used 198.51.100.0/24".to_owned(),
                ..Why::default()
            },
        ],
        coverage: Some(Coverage {
            share: 0.985,
            minutes_covered: 985,
            minutes_expected: 1000,
            skipdata: 2,
            late_bytes: 0,
        }),
        ..Finding::new(Family::VolumeLedger)
    }
}

fn beacon() -> Finding {
    Finding {
        id: finding_id(&["eni-0fedcba9876543210", "beacon"]),
        title: "A connection every 60 s".to_owned(),
        severity: Severity::Medium,
        risk: 40,
        interface_id: Some("eni-0fedcba9876543210".to_owned()),
        destination: Destination {
            domain: Some("updates.example.net".to_owned()),
            ..Destination::default()
        },
        first_seen: "2026-10-01T00:00:00Z".parse().ok(),
        last_seen: "2026-10-02T00:00:00Z".parse().ok(),
        bytes: 1_440_000,
        why: vec![Why {
            observed: 60.0,
            expected: Some(0.5),
            unit: "seconds".to_owned(),
            ..Why::default()
        }],
        ..Finding::new(Family::Beacon)
    }
}

fn accounts() -> Accounts {
    Accounts {
        objects: 288,
        damaged: 1,
        lines: 1_200_000,
        header_lines: 288,
        blank_lines: 0,
        rows: 1_199_000,
        coverage_rows: 988,
        rejects: 12,
        rejects_by_reason: BTreeMap::from([
            ("bad-value:bytes".to_owned(), 3),
            ("truncated".to_owned(), 9),
        ]),
        bytes: 912_000_000_000,
        counted_bytes: 61_400_000_000,
        received_bytes: 700_000_000_000,
        inside_bytes: 150_600_000_000,
        enis: 214,
        first: "2026-10-01T00:00:00Z".parse().ok(),
        last: "2026-10-02T00:00:00Z".parse().ok(),
        seconds: 1.234,
        ..Accounts::default()
    }
}

fn render(findings: Vec<Finding>, options: TableOptions) -> String {
    let (incidents, findings) = group(findings);
    let mut out = Vec::new();
    write_table(&mut out, &incidents, &findings, &accounts(), options).unwrap();
    String::from_utf8(out).unwrap()
}

fn at_width(width: u16) -> TableOptions {
    TableOptions {
        width: Some(width),
        color: false,
    }
}

fn elsewhere() -> Finding {
    Finding {
        id: finding_id(&[
            "orders-api",
            "volume.ledger",
            "198.51.100.0/24",
            "2026-10-01",
        ]),
        workload: Some("orders-api".to_owned()),
        risk: 30,
        ..exfiltration()
    }
}

#[test]
fn a_table_of_100_columns() {
    let table = render(vec![exfiltration(), elsewhere(), beacon()], at_width(100));
    insta::assert_snapshot!(table, @"
    #  risk  severity  family         who                    where                    sent  first, last
    ────────────────────────────────────────────────────────────────────────────────────────────────────
    1    91  critical  volume.ledger  payments-api +1        198.51.100.0/24       96.4 GB  2026-10-01
                                      123456789012           AS64500 Example                08:30 UTC
                                      eu-central-1           Transit                        +2 h 10 min
                                                             NL
          48.2 GB to a network never sent to before (+1 more)
          • 2026-10-01: 48.2 GB left in 2 h 10 min, where this workload never sent more than 1.1 GB a
            day in the 28 days before
          • no other of 214 senders ever used 198.51.100.0/24
          inc-70bb1126042d3a6c · 2 findings · eni-0123456789abcdef0 · vpc-0f00ba11 · T1048 T1567.002 ·
          98.5 % of minutes seen

    2    40  medium    beacon         eni-0fedcba9876543210  updates.example.net    1.4 MB  2026-10-01
                                                                                            00:00 UTC
                                                                                            +1 d
          A connection every 60 s
          • 60 seconds, against 0.5
          inc-8c5c7ea76608ca9c · 1 finding · eni-0fedcba9876543210

    objects  288, damaged 1
    lines    1,200,000 = rows 1,199,000 + coverage 988 + rejects 12; besides, headers 288, blank 0
    rejects  truncated 9, bad-value:bytes 3
    bytes    912 GB = counted 61.4 GB + received 700 GB + inside 151 GB
    ENIs     214
    span     2026-10-01T00:00:00Z → 2026-10-02T00:00:00Z (1 d)
    seconds  1.23
    ");
}

#[test]
fn a_table_of_80_columns() {
    let table = render(vec![exfiltration(), beacon()], at_width(80));
    insta::assert_snapshot!(table, @"
    #  risk  severity  family         who          where          sent  first, last
    ────────────────────────────────────────────────────────────────────────────────
    1    91  critical  volume.ledger  payments-ap  198.51.100  48.2 GB  2026-10-01
                                      i            .0/24                08:30 UTC
                                      12345678901  AS64500              +2 h 10 min
                                      2            Example
                                      eu-central-  Transit
                                      1            NL
          48.2 GB to a network never sent to before
          • 48.2 GB left in 2 h 10 min, where this workload never sent more than 1.1
            GB a day in the 28 days before
          • no other of 214 senders ever used 198.51.100.0/24
          inc-1faac5ce8d215b0e · 1 finding · eni-0123456789abcdef0 · vpc-0f00ba11 ·
          T1048 T1567.002 · 98.5 % of minutes seen

    2    40  medium    beacon         eni-0fedcba  updates.ex   1.4 MB  2026-10-01
                                      9876543210   ample.net            00:00 UTC
                                                                        +1 d
          A connection every 60 s
          • 60 seconds, against 0.5
          inc-8c5c7ea76608ca9c · 1 finding · eni-0fedcba9876543210

    objects  288, damaged 1
    lines    1,200,000 = rows 1,199,000 + coverage 988 + rejects 12; besides,
             headers 288, blank 0
    rejects  truncated 9, bad-value:bytes 3
    bytes    912 GB = counted 61.4 GB + received 700 GB + inside 151 GB
    ENIs     214
    span     2026-10-01T00:00:00Z → 2026-10-02T00:00:00Z (1 d)
    seconds  1.23
    ");
}

#[test]
fn without_a_width_nothing_wraps() {
    let table = render(vec![exfiltration(), beacon()], TableOptions::default());
    insta::assert_snapshot!(table, @"
    #  risk  severity  family         who                    where                       sent  first, last
    ───────────────────────────────────────────────────────────────────────────────────────────────────────
    1    91  critical  volume.ledger  payments-api           198.51.100.0/24          48.2 GB  2026-10-01
                                      123456789012           AS64500 Example Transit           08:30 UTC
                                      eu-central-1           NL                                +2 h 10 min
          48.2 GB to a network never sent to before
          • 48.2 GB left in 2 h 10 min, where this workload never sent more than 1.1 GB a day in the 28 days before
          • no other of 214 senders ever used 198.51.100.0/24
          inc-1faac5ce8d215b0e · 1 finding · eni-0123456789abcdef0 · vpc-0f00ba11 · T1048 T1567.002 · 98.5 % of minutes seen

    2    40  medium    beacon         eni-0fedcba9876543210  updates.example.net       1.4 MB  2026-10-01
                                                                                               00:00 UTC
                                                                                               +1 d
          A connection every 60 s
          • 60 seconds, against 0.5
          inc-8c5c7ea76608ca9c · 1 finding · eni-0fedcba9876543210

    objects  288, damaged 1
    lines    1,200,000 = rows 1,199,000 + coverage 988 + rejects 12; besides, headers 288, blank 0
    rejects  truncated 9, bad-value:bytes 3
    bytes    912 GB = counted 61.4 GB + received 700 GB + inside 151 GB
    ENIs     214
    span     2026-10-01T00:00:00Z → 2026-10-02T00:00:00Z (1 d)
    seconds  1.23
    ");
}

#[test]
fn without_incidents_it_says_what_was_covered() {
    insta::assert_snapshot!(render(Vec::new(), at_width(100)), @"
    No incidents in 1,199,000 rows of 214 ENIs, 2026-10-01T00:00:00Z → 2026-10-02T00:00:00Z (1 d): 61.4
    GB counted as leaving.

    objects  288, damaged 1
    lines    1,200,000 = rows 1,199,000 + coverage 988 + rejects 12; besides, headers 288, blank 0
    rejects  truncated 9, bad-value:bytes 3
    bytes    912 GB = counted 61.4 GB + received 700 GB + inside 151 GB
    ENIs     214
    span     2026-10-01T00:00:00Z → 2026-10-02T00:00:00Z (1 d)
    seconds  1.23
    ");
}

#[test]
fn without_traffic_it_does_not_claim_that_all_is_well() {
    let mut out = Vec::new();
    write_table(
        &mut out,
        &[],
        &[],
        &Accounts::default(),
        TableOptions::default(),
    )
    .unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @"
    No incidents, but no traffic was read either: this says nothing about the network.

    objects  0, damaged 0
    lines    0 = rows 0 + coverage 0 + rejects 0; besides, headers 0, blank 0
    bytes    0 B = counted 0 B
    ENIs     0
    span     unknown
    seconds  0.00
    ");
}

#[test]
fn what_was_not_counted_is_shown_where_there_is_any() {
    let mut out = Vec::new();
    let accounts = Accounts {
        unmeasured: 1_000,
        outside: 24,
        copies: 3,
        resolution: Resolution::Group,
        control_messages: 7,
        ..accounts()
    };
    write_table(&mut out, &[], &[], &accounts, TableOptions::default()).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @"
    No incidents in 1,197,976 rows of 214 ENIs, 2026-10-01T00:00:00Z → 2026-10-02T00:00:00Z (1 d): 61.4 GB counted as leaving.

    objects    288, damaged 1; besides, copies 3
    lines      1,200,000 = rows 1,199,000 + coverage 988 + rejects 12; besides, headers 288, blank 0, control messages 7
    rejects    truncated 9, bad-value:bytes 3
    uncounted  1,000 rows without addresses, times or bytes, 24 rows outside the time asked for
    bytes      912 GB = counted 61.4 GB + received 700 GB + inside 151 GB
    ENIs       214
    remotes    summed in part by /24 and /48: more pairs than memory allows
    span       2026-10-01T00:00:00Z → 2026-10-02T00:00:00Z (1 d)
    seconds    1.23
    ");
}

#[test]
fn rows_that_could_not_be_counted_are_no_clean_bill() {
    let accounts = Accounts {
        rows: 7,
        unmeasured: 4,
        outside: 3,
        ..Accounts::default()
    };
    let mut out = Vec::new();
    write_table(&mut out, &[], &[], &accounts, TableOptions::default()).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.starts_with("No incidents, but none of 7 rows could be counted"),
        "{text}"
    );
}

#[test]
fn books_that_do_not_balance_show_it() {
    let mut out = Vec::new();
    let accounts = Accounts {
        rejects: 11,
        ..accounts()
    };
    write_table(&mut out, &[], &[], &accounts, TableOptions::default()).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains("1,200,000 ≠ rows 1,199,000 + coverage 988 + rejects 11"),
        "{text}"
    );
}

#[test]
fn colour_is_there_only_when_asked_for() {
    let plain = render(vec![exfiltration()], at_width(100));
    let color = render(
        vec![exfiltration()],
        TableOptions {
            width: Some(100),
            color: true,
        },
    );
    assert!(!plain.contains('\x1b'));
    assert!(color.contains("\x1b[1;31mcritical\x1b[0m"));
    assert_eq!(
        color
            .replace("\x1b[1;31m", "")
            .replace("\x1b[1m", "")
            .replace("\x1b[0m", ""),
        plain
    );
}

#[test]
fn lines_stay_within_the_width() {
    let wide = Finding {
        severity: Severity::Informational,
        family: Family::PolicyJurisdiction,
        workload: Some("a-workload-with-a-name-that-nobody-would-want-to-type".repeat(9)),
        bytes: 999_000,
        risk: 100,
        ..exfiltration()
    };
    let findings: Vec<Finding> = (0..12)
        .map(|at| Finding {
            id: format!("f-{at}"),
            ..wide.clone()
        })
        .collect();
    for (asked, given) in [(200, 200), (100, 100), (80, 80), (73, 73), (1, 73), (0, 73)] {
        let table = render(findings.clone(), at_width(asked));
        for line in table.lines() {
            assert!(line.chars().count() <= given, "{asked}: {line}");
        }
    }
}

#[test]
fn hostile_text_is_shown_and_does_not_act() {
    let hostile = "x\x1b[2J\r\n\u{1}\u{1}\u{202e}evil\u{9b}m";
    let text = || hostile.to_owned();
    let finding = Finding {
        id: text(),
        title: text(),
        account_id: Some(text()),
        region: Some(text()),
        vpc_id: Some(text()),
        interface_id: Some(text()),
        workload: Some(text()),
        destination: Destination {
            group: Some(text()),
            addresses: vec![text()],
            domain: Some(text()),
            org: Some(text()),
            country: Some(text()),
            service: Some(text()),
            vendor: Some(text()),
            product: Some(text()),
            site: Some(text()),
            category: Some(text()),
            domains: vec![text()],
            domains_total: 2,
            ..Destination::default()
        },
        attack: vec![text()],
        sender: Sender {
            instance_id: Some(text()),
            security_groups: vec![SecurityGroup {
                id: text(),
                name: Some(text()),
            }],
            ..Sender::default()
        },
        why: vec![
            Why {
                text: text(),
                ..Why::default()
            },
            Why {
                unit: text(),
                ..Why::default()
            },
        ],
        ..exfiltration()
    };
    let (incidents, findings) = group(vec![finding]);
    let mut accounts = accounts();
    accounts.rejects_by_reason.insert(text(), 1);
    for width in [None, Some(100)] {
        let mut out = Vec::new();
        let options = TableOptions {
            width,
            color: false,
        };
        write_table(&mut out, &incidents, &findings, &accounts, options).unwrap();
        let table = String::from_utf8(out).unwrap();
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!table.contains(acts), "{table:?}");
    }
}

#[test]
fn instance_and_security_groups_stand_under_the_reasons() {
    let group = |id: &str, name: Option<&str>| SecurityGroup {
        id: id.to_owned(),
        name: name.map(str::to_owned),
    };
    let sender = |groups: &[SecurityGroup]| Sender {
        instance_id: Some("i-1".to_owned()),
        security_groups: groups.to_vec(),
        ..Sender::default()
    };
    let two = [group("sg-1", Some("web")), group("sg-2", None)];
    let footer = |finding: Finding| {
        let table = render(vec![finding], at_width(200));
        let line = table.lines().find(|line| line.contains("1 finding"));
        line.unwrap().to_owned()
    };
    let told = footer(Finding {
        sender: sender(&two),
        ..exfiltration()
    });
    assert!(
        told.contains("· eni-0123456789abcdef0 · i-1 · vpc-0f00ba11 · sg-1 (web) sg-2 ·"),
        "{told}"
    );
    let many: Vec<SecurityGroup> = (1..=7).map(|at| group(&format!("sg-{at}"), None)).collect();
    let told = footer(Finding {
        workload: Some("i-1".to_owned()),
        sender: sender(&many),
        ..exfiltration()
    });
    assert!(!told.contains("i-1 "), "the workload says it: {told}");
    assert!(told.contains("· sg-1 sg-2 sg-3 sg-4 sg-5 +2 ·"), "{told}");
}

#[test]
fn whose_a_destination_is_and_which_names_it_had_stand_with_the_reasons() {
    let lines = |destination: Destination| -> Vec<String> {
        let finding = Finding {
            destination,
            why: Vec::new(),
            ..exfiltration()
        };
        let table = render(vec![finding], TableOptions::default());
        let items = table
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("• "));
        items.map(str::to_owned).collect()
    };
    let text = |text: &str| Some(text.to_owned());
    let of = |vendor: &str, product: &str, site: Option<String>| Destination {
        vendor: text(vendor),
        product: text(product),
        site,
        category: text("telemetry"),
        ..Destination::default()
    };
    assert_eq!(
        lines(of("Datadog", "Datadog", text("EU1"))),
        ["the destination is Datadog, site EU1 (telemetry)"]
    );
    assert_eq!(
        lines(of("Acme", "Drive", None)),
        ["the destination is Acme Drive, at a site that is not known (telemetry)"]
    );
    let called = |names: &[&str], domains_total, ambiguous| Destination {
        domains: names.iter().map(|name| (*name).to_owned()).collect(),
        domains_total,
        ambiguous,
        ..Destination::default()
    };
    assert_eq!(
        lines(called(&["a.example", "b.example"], 3, true)),
        [
            "one address had several names, and which of them was meant is not known: a.example, b.example and 1 more"
        ]
    );
    assert_eq!(
        lines(called(&[], 65, true)),
        [
            "one address had several names, and which of them was meant is not known: 65 names or more"
        ]
    );
    assert_eq!(
        lines(called(&["a.example", "b.example"], 2, false)),
        ["its addresses had several names: a.example, b.example"]
    );
    assert_eq!(
        lines(called(&["a.example"], 1, false)),
        Vec::<String>::new()
    );
}
