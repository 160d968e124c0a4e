//! What makes payload look harmless, and how far that goes: bytes that came back, and ports that look served.

use outflow_detect::Policy;
use outflow_finding::Severity;

use crate::sums::{DAY, FULL, MB, START, findings, judged, upload};

/// What a server at the other side sent back beside it: a minute of `payload` bytes.
fn fetched(remote: &str, at: i64, payload: u64) -> String {
    let packets = payload / 1_000;
    let (bytes, start) = (payload + 52 * packets, START + at);
    format!(
        "111111111111 eni-a i-a {remote} 10.0.0.7 {remote} 10.0.0.7 443 40000 6 {packets} {bytes} \
         {start} {start} ACCEPT 18 ingress OK"
    )
}

#[test]
fn a_download_beside_a_theft_does_not_make_it_harmless() {
    let theft = upload("a", "185.1.2.3", 0, 900 * MB);
    let elsewhere = [
        theft,
        upload("a", "45.1.2.3", 60, MB),
        fetched("45.1.2.3", 60, 20_000 * MB),
    ];
    let finding = &findings(&elsewhere)[0].finding;
    assert_eq!(finding.severity, Severity::High);
    assert_eq!(finding.destination.group.as_deref(), Some("185.1.2.0/24"));
    assert!(
        finding.title.contains("to 185.1.2.0/24 over"),
        "{}",
        finding.title
    );
    assert!(
        finding.why[1].text.starts_with("900 MB went out and 0 B"),
        "{}",
        finding.why[1].text
    );
    // From the same place it is an exchange; far above the bound that is no excuse either.
    let same = |sent: u64, got: u64| {
        let records = [
            upload("a", "185.1.2.3", 0, sent * MB),
            fetched("185.1.2.3", 60, got * MB),
        ];
        findings(&records)[0].finding.severity
    };
    assert_eq!(same(900, 1_000), Severity::Low);
    assert_eq!(same(1_100, 1_200), Severity::Medium);
    assert_eq!(same(1_100, 4_400), Severity::Low);
}

/// A later window of a connection, without flags, from a port of the host's to one of the other side.
fn unflagged(ports: (u16, u16), protocol: u8, at: i64, payload: u64) -> String {
    let header = if protocol == 6 { 52 } else { 28 };
    let packets = payload / 1_000;
    let (bytes, start) = (payload + header * packets, START + at);
    format!(
        "111111111111 eni-a i-a 10.0.0.7 185.1.2.3 10.0.0.7 185.1.2.3 {} {} {protocol} {packets} \
         {bytes} {start} {start} ACCEPT 0 egress OK",
        ports.0, ports.1
    )
}

/// The host accepts a connection at a port.
fn accepted(port: u16, at: i64) -> String {
    let start = START + at;
    format!(
        "111111111111 eni-a i-a 10.0.0.7 45.9.9.9 10.0.0.7 45.9.9.9 {port} 50000 6 1 60 {start} \
         {start} ACCEPT 18 egress OK"
    )
}

#[test]
fn ports_alone_excuse_nothing_where_the_log_has_flags() {
    let charged = |records: &[String]| findings(records).len();
    let gigabytes = |ports| unflagged(ports, 6, 100, 5_000 * MB);
    let flags = upload("a", "45.1.2.3", 0, 1_000);
    for ports in [(20_000, 50_000), (443, 50_000)] {
        assert_eq!(charged(&[gigabytes(ports), flags.clone()]), 1, "{ports:?}");
        // Once the host was seen to accept connections there, it serves.
        let serves = [gigabytes(ports), flags.clone(), accepted(ports.0, 300)];
        assert_eq!(charged(&serves), 0, "{ports:?}");
        let elsewhere = [gigabytes(ports), flags.clone(), accepted(8_080, 300)];
        assert_eq!(charged(&elsewhere), 1, "{ports:?}");
        let later = [gigabytes(ports), flags.clone(), accepted(ports.0, DAY)];
        assert_eq!(charged(&later), 1, "{ports:?}: not before it did");
    }
}

#[test]
fn without_flags_a_well_known_port_serves_and_others_do_by_policy() {
    let charged = |ports, protocol, policy: &Policy| {
        let records = [unflagged(ports, protocol, 0, 5_000 * MB)];
        judged(policy, FULL, &records).findings.len()
    };
    let policy = Policy {
        services_served: vec!["tcp/8443".to_owned()],
        ..Policy::default()
    };
    for protocol in [6, 17] {
        assert_eq!(charged((443, 50_000), protocol, &Policy::default()), 0);
        assert_eq!(charged((8_443, 50_000), protocol, &Policy::default()), 1);
    }
    assert_eq!(charged((8_443, 50_000), 6, &policy), 0);
    assert_eq!(charged((8_443, 50_000), 17, &policy), 1, "another protocol");
    assert_eq!(charged((50_000, 8_443), 6, &policy), 1, "another direction");
}
