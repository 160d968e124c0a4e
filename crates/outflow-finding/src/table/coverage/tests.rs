use super::*;
use crate::{HourCoverage, write_coverage_json};

/// 2026-10-01T08:00:00Z
const START: i64 = 1_790_841_600;

fn hours() -> Vec<HourCoverage> {
    vec![
        HourCoverage {
            start: Timestamp(START),
            hours: 1,
            minutes: Minutes {
                ok: 1,
                missing: 59,
                ..Minutes::default()
            },
        },
        HourCoverage {
            start: Timestamp(START + 3_600),
            hours: 2,
            minutes: Minutes {
                missing: 119,
                ok: 1,
                ..Minutes::default()
            },
        },
    ]
}

fn report() -> CoverageReport {
    let whole = InterfaceCoverage {
        account_id: Some("123456789012".to_owned()),
        region: Some("eu-central-1".to_owned()),
        vpc_id: Some("vpc-1".to_owned()),
        interface_id: Some("eni-whole".to_owned()),
        instance_id: Some("i-1".to_owned()),
        first_seen: Some(Timestamp(START)),
        last_seen: Some(Timestamp(START + 7_140)),
        minutes: Minutes {
            ok: 80,
            nodata: 30,
            between: 9,
            skipdata: 1,
            skipdata_rows: 2,
            late_rows: 4,
            late_bytes: 1_000,
            ..Minutes::default()
        },
        rows: RowCounts {
            accepted: 1_200,
            rejected: 5,
            ..RowCounts::default()
        },
        hours: Vec::new(),
    };
    let blind = InterfaceCoverage {
        interface_id: Some("eni-\u{1b}[2J".to_owned()),
        minutes: Minutes {
            ok: 2,
            missing: 178,
            ..Minutes::default()
        },
        rows: RowCounts {
            rejected: 7,
            ..RowCounts::default()
        },
        hours: hours(),
        last_seen: Some(Timestamp(START + 10_740)),
        ..whole.clone()
    };
    let unknown = InterfaceCoverage {
        rows: RowCounts {
            unmeasured: 3,
            ..RowCounts::default()
        },
        ..InterfaceCoverage::default()
    };
    let flow_log = |id: &str, accepted, rejected| FlowLogCoverage {
        flow_log_id: id.to_owned(),
        rows: RowCounts {
            accepted,
            rejected,
            ..RowCounts::default()
        },
    };
    CoverageReport {
        interfaces: vec![whole, blind, unknown],
        flow_logs: vec![
            flow_log("fl-a", 1_200, 0),
            flow_log("fl-b", 0, 12),
            flow_log("fl-c", 1, 1),
        ],
    }
}

fn text(width: Option<u16>) -> String {
    let mut out = Vec::new();
    let options = TableOptions {
        width,
        color: false,
    };
    write_coverage_table(&mut out, &report(), &Accounts::default(), options).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_table_tells_the_worst_first_and_why() {
    insta::assert_snapshot!(text(None), @r#"
    interface                  first, last            minutes  ok  nodata  skipdata  between  missing  late  covered
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    unknown                    never                        0   0       0         0        0        0     0        -
          • cannot be judged: none of its 3 rows has the addresses, times and bytes that counting needs
          • cannot be judged: its log spans 0 minutes, of at least 60

    eni-\u{1b}[2J              2026-10-01 08:00           180   2       0         0        0      178     0    1.1 %
    123456789012 eu-central-1  2026-10-01 10:59
    vpc-1 i-1
          • cannot be judged: all of its 7 rows are REJECT, so what left is not in its log
          • cannot be judged: 98.9 % of its minutes are missing, of at most 25 %
    eni-\u{1b}[2J              2026-10-01 08:00            60   1       0         0        0       59     0    1.7 %
    eni-\u{1b}[2J              2026-10-01 09:00 +2 h      120   1       0         0        0      119     0    0.8 %

    eni-whole                  2026-10-01 08:00           120  80      30         1        9        0     4   99.2 %
    123456789012 eu-central-1  2026-10-01 09:59
    vpc-1 i-1

    3 interfaces, 300 minutes, 40.3 % covered; 2 interfaces cannot be judged.
    fl-a has ACCEPT rows only: enough to judge what left; refused attempts are not in it.
    fl-b has REJECT rows only: it shows nothing of what left.

    objects  0, damaged 0
    lines    0 = rows 0 + coverage 0 + rejects 0; besides, headers 0, blank 0
    bytes    0 B = counted 0 B
    ENIs     0
    span     unknown
    seconds  0.00
    "#);
}

#[test]
fn a_narrow_table_fits() {
    let text = text(Some(100));
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{text}");
    assert!(text.contains("eni-whole") && text.contains("cannot be judged"));
}

#[test]
fn lines_of_json() {
    let mut out = Vec::new();
    write_coverage_json(&mut out, &report(), &Accounts::default()).unwrap();
    let out = String::from_utf8(out).unwrap();
    let (lines, accounts) = out.trim_end().rsplit_once('\n').unwrap();
    assert!(accounts.starts_with(r#"{"type":"accounts","#));
    insta::assert_snapshot!(lines, @r#"
    {"type":"coverage","account_id":null,"region":null,"vpc_id":null,"interface_id":null,"instance_id":null,"first_seen":null,"last_seen":null,"minutes_expected":0,"minutes_ok":0,"minutes_nodata":0,"minutes_skipdata":0,"minutes_between":0,"minutes_missing":0,"share":0,"skipdata_rows":0,"late_rows":0,"late_bytes":0,"rows_accepted":0,"rows_rejected":0,"rows_unmeasured":3,"rows_overlong":0,"blind":["no-values","short"]}
    {"type":"coverage","account_id":"123456789012","region":"eu-central-1","vpc_id":"vpc-1","interface_id":"eni-\u001b[2J","instance_id":"i-1","first_seen":"2026-10-01T08:00:00Z","last_seen":"2026-10-01T10:59:00Z","minutes_expected":180,"minutes_ok":2,"minutes_nodata":0,"minutes_skipdata":0,"minutes_between":0,"minutes_missing":178,"share":0.011111111111111112,"skipdata_rows":0,"late_rows":0,"late_bytes":0,"rows_accepted":0,"rows_rejected":7,"rows_unmeasured":0,"rows_overlong":0,"blind":["reject-only","missing"]}
    {"type":"coverage_hour","account_id":"123456789012","interface_id":"eni-\u001b[2J","hour":"2026-10-01T08:00:00Z","hours":1,"minutes_expected":60,"minutes_ok":1,"minutes_nodata":0,"minutes_skipdata":0,"minutes_between":0,"minutes_missing":59,"share":0.016666666666666666,"skipdata_rows":0,"late_rows":0,"late_bytes":0}
    {"type":"coverage_hour","account_id":"123456789012","interface_id":"eni-\u001b[2J","hour":"2026-10-01T09:00:00Z","hours":2,"minutes_expected":120,"minutes_ok":1,"minutes_nodata":0,"minutes_skipdata":0,"minutes_between":0,"minutes_missing":119,"share":0.008333333333333333,"skipdata_rows":0,"late_rows":0,"late_bytes":0}
    {"type":"coverage","account_id":"123456789012","region":"eu-central-1","vpc_id":"vpc-1","interface_id":"eni-whole","instance_id":"i-1","first_seen":"2026-10-01T08:00:00Z","last_seen":"2026-10-01T09:59:00Z","minutes_expected":120,"minutes_ok":80,"minutes_nodata":30,"minutes_skipdata":1,"minutes_between":9,"minutes_missing":0,"share":0.9916666666666667,"skipdata_rows":2,"late_rows":4,"late_bytes":1000,"rows_accepted":1200,"rows_rejected":5,"rows_unmeasured":0,"rows_overlong":0,"blind":[]}
    {"type":"flow_log","flow_log_id":"fl-a","rows_accepted":1200,"rows_rejected":0,"rows_unmeasured":0}
    {"type":"flow_log","flow_log_id":"fl-b","rows_accepted":0,"rows_rejected":12,"rows_unmeasured":0}
    {"type":"flow_log","flow_log_id":"fl-c","rows_accepted":1,"rows_rejected":1,"rows_unmeasured":0}
    "#);
}

#[test]
fn shares_are_not_rounded_to_all_or_none() {
    assert_eq!(percent(0, 0), "-");
    assert_eq!(percent(0, 9), "0.0 %");
    assert_eq!(percent(1, 100_000), "0.1 %");
    assert_eq!(percent(99_999, 100_000), "99.9 %");
    assert_eq!(percent(9, 9), "100.0 %");
}
