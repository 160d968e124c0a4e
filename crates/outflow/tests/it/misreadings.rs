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

/// A conversation of 10.0.1.5 through a gateway whose own address is 10.0.0.220: two rows of the one interface, four of
/// the other. What a row has: interface, instance, addresses, ports, bytes, addresses of the packet, direction.
const THROUGH_NAT: [&str; 6] = [
    "eni-host i-1 10.0.1.5 203.0.113.5 40000 443 300000000 10.0.1.5 203.0.113.5 egress",
    "eni-host i-1 203.0.113.5 10.0.1.5 443 40000 1000000 203.0.113.5 10.0.1.5 ingress",
    "eni-nat - 10.0.1.5 10.0.0.220 40000 443 300000000 10.0.1.5 203.0.113.5 ingress",
    "eni-nat - 10.0.0.220 203.0.113.5 50000 443 300000000 10.0.0.220 203.0.113.5 egress",
    "eni-nat - 203.0.113.5 10.0.0.220 443 50000 1000000 203.0.113.5 10.0.0.220 ingress",
    "eni-nat - 10.0.0.220 10.0.1.5 443 40000 1000000 203.0.113.5 10.0.1.5 egress",
];

#[test]
fn bytes_through_a_nat_gateway_are_not_counted_at_each_of_its_six_rows() {
    let rows = THROUGH_NAT.map(|row| {
        let tokens: Vec<&str> = row.split(' ').collect();
        let [eni, instance, from, to, source, target, bytes, packet_from, packet_to, direction] = tokens[..] else {
            panic!("{row}");
        };
        format!(
            "5 123456789012 {eni} {instance} vpc-1 {from} {to} {source} {target} 6 1000 {bytes} 1790000000 1790000010 \
             ACCEPT 2 {packet_from} {packet_to} {direction} OK"
        )
    });
    let report = found(FULL, &rows, &[]);
    assert_eq!(report.account("bytes"), 3 * 301_000_000);
    assert_eq!(
        report.account("counted_bytes"),
        300_000_000,
        "once, at the instance"
    );
    assert_eq!(report.incidents.len(), 1);
    assert_eq!(report.incidents[0]["interface_id"], "eni-host");
    assert_eq!(report.incidents[0]["bytes"], 300_000_000);
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
