//! How flow logs are commonly misread, end to end: each test is named after what it prevents.

use crate::run::{Report, detect_stdin};

const FULL: &str = "version account-id interface-id instance-id vpc-id srcaddr dstaddr srcport dstport protocol \
                    packets bytes start end action tcp-flags pkt-srcaddr pkt-dstaddr flow-direction log-status";

/// What was found in these lines, behind a header.
fn found(header: &str, lines: &[String], args: &[&str]) -> Report {
    let text = format!("{header}\n{}\n", lines.join("\n"));
    let folder = tempfile::tempdir().unwrap();
    let report = detect_stdin(folder.path(), args, text.as_bytes())
        .exits(0)
        .report();
    report.reconciles();
    assert_eq!(report.account("rejects"), 0);
    report
}

/// A record of the default format: 300 MB of payload over TCP.
fn large(from: &str, to: &str) -> String {
    let (packets, bytes) = (300_000, 300_000_000 + 300_000 * 52);
    format!(
        "2 123456789012 eni-1 {from} {to} 40000 443 6 {packets} {bytes} 1790000000 1790000010 ACCEPT OK"
    )
}

const DEFAULT: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start \
                       end action log-status";

#[test]
fn bytes_through_a_nat_gateway_are_not_counted_at_each_of_its_six_rows() {
    // The instance is 10.0.1.5, the gateway's own address 10.0.0.220: two rows of one, four of the other.
    let row = |eni: &str,
               instance: &str,
               [from, to]: [&str; 2],
               ports: &str,
               bytes: u64,
               packet: [&str; 2],
               direction: &str| {
        format!(
            "5 123456789012 {eni} {instance} vpc-1 {from} {to} {ports} 6 {} {bytes} 1790000000 1790000010 ACCEPT 2 {} {} {direction} OK",
            bytes / 1_000,
            packet[0],
            packet[1],
        )
    };
    let (host, nat, out) = ("10.0.1.5", "10.0.0.220", "203.0.113.5");
    let (up, down) = (300_000_000, 1_000_000);
    let rows = [
        row(
            "eni-host",
            "i-1",
            [host, out],
            "40000 443",
            up,
            [host, out],
            "egress",
        ),
        row(
            "eni-host",
            "i-1",
            [out, host],
            "443 40000",
            down,
            [out, host],
            "ingress",
        ),
        row(
            "eni-nat",
            "-",
            [host, nat],
            "40000 443",
            up,
            [host, out],
            "ingress",
        ),
        row(
            "eni-nat",
            "-",
            [nat, out],
            "50000 443",
            up,
            [nat, out],
            "egress",
        ),
        row(
            "eni-nat",
            "-",
            [out, nat],
            "443 50000",
            down,
            [out, nat],
            "ingress",
        ),
        row(
            "eni-nat",
            "-",
            [nat, host],
            "443 40000",
            down,
            [out, host],
            "egress",
        ),
    ];
    let report = found(FULL, &rows, &[]);
    assert_eq!(report.account("bytes"), 3 * (up + down));
    assert_eq!(report.account("counted_bytes"), up, "once, at the instance");
    assert_eq!(report.incidents.len(), 1);
    assert_eq!(report.incidents[0]["interface_id"], "eni-host");
    assert_eq!(report.incidents[0]["bytes"], up);
}

#[test]
fn a_download_is_not_charged_by_the_total_of_both_directions() {
    let acknowledgements = "2 123456789012 eni-1 10.0.0.5 203.0.113.9 40000 443 6 5000000 260000000 1790000000 1790000010 ACCEPT OK";
    let rows = [
        acknowledgements.to_owned(),
        large("203.0.113.9", "10.0.0.5"),
    ];
    assert!(found(DEFAULT, &rows, &[]).incidents.is_empty());
}

#[test]
fn networks_are_not_compared_as_text() {
    // `100.20.0.1` begins like `10`, and `10.0.0.0/8` is no prefix of `10.200.1.1` as text.
    let charged = |to: &str| {
        let report = found(
            DEFAULT,
            &[large("10.0.0.5", to)],
            &["--internal", "10.0.0.0/8"],
        );
        !report.incidents.is_empty()
    };
    assert!(charged("100.20.0.1"));
    assert!(charged("1.0.0.1"));
    assert!(!charged("10.200.1.1"));
}

#[test]
fn private_space_is_not_cut_short() {
    // Written as 10.0.0.0/24 and 172.16.0.0/20, most of it would be outside; as 172.0.0.0/8, the internet inside.
    for inside in [
        "10.255.255.254",
        "172.31.255.254",
        "192.168.255.1",
        "100.127.255.254",
    ] {
        let report = found(DEFAULT, &[large("10.0.0.5", inside)], &[]);
        assert!(report.incidents.is_empty(), "{inside}");
    }
    for outside in [
        "11.0.0.1",
        "172.15.255.254",
        "172.32.0.1",
        "192.169.0.1",
        "100.128.0.1",
    ] {
        let report = found(DEFAULT, &[large("10.0.0.5", outside)], &[]);
        assert_eq!(report.incidents.len(), 1, "{outside}");
    }
}

#[test]
fn what_comes_in_is_not_taken_for_what_leaves() {
    let incoming = "5 123456789012 eni-1 i-1 vpc-1 203.0.113.9 10.0.0.5 443 40000 6 300000 300000000 1790000000 1790000010 \
                    ACCEPT 18 203.0.113.9 10.0.0.5 ingress OK";
    let report = found(FULL, &[incoming.to_owned()], &[]);
    assert!(report.incidents.is_empty());
    assert_eq!(report.account("counted_bytes"), 0);
}

#[test]
fn refused_connections_are_not_counted_as_sent() {
    let refused = large("10.0.0.5", "203.0.113.9").replace("ACCEPT", "REJECT");
    let report = found(DEFAULT, &[refused], &[]);
    assert!(report.incidents.is_empty());
    assert_eq!(report.account("counted_bytes"), 0);
}

#[test]
fn rows_without_data_do_not_fail_the_object() {
    let gap = "2 123456789012 eni-1 - - - - - - - 1790000000 1790000060 - NODATA";
    let skipped = "2 123456789012 eni-2 - - - - - - - 1790000000 1790000060 - SKIPDATA";
    let rows = [
        gap.to_owned(),
        large("10.0.0.5", "203.0.113.9"),
        skipped.to_owned(),
    ];
    let report = found(DEFAULT, &rows, &[]);
    assert_eq!(
        (report.account("rows"), report.account("coverage_rows")),
        (1, 2)
    );
    assert_eq!(report.incidents.len(), 1);
}
