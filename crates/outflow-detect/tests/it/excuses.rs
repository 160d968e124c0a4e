//! What makes payload look harmless, and how far that goes: bytes that came back, and ports that look served.

use outflow_detect::{Judged, Policy};
use outflow_finding::{Family, Severity};

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

/// The first packet of the host from a port: flags of 2 open a connection, of 18 accept one.
fn handshake(remote: &str, port: u16, at: i64, flags: u8) -> String {
    let start = START + at;
    format!(
        "111111111111 eni-a i-a 10.0.0.7 {remote} 10.0.0.7 {remote} {port} 50000 6 1 60 {start} \
         {start} ACCEPT {flags} egress OK"
    )
}

/// The host accepts a connection at a port.
fn accepted(port: u16, at: i64) -> String {
    handshake("45.9.9.9", port, at, 18)
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
fn an_inside_connection_does_not_open_a_port_to_the_outside() {
    let inside = handshake("10.0.0.9", 53, 10, 18);
    let out = unflagged((53, 50_000), 6, 100, 5_000 * MB);
    let ledger = findings(&[inside, out])
        .into_iter()
        .filter(|judged| judged.finding.family == Family::VolumeLedger);
    assert_eq!(ledger.count(), 1);
}

const WITHOUT_FLAGS: &str = "account-id interface-id instance-id srcaddr dstaddr srcport dstport \
                             protocol packets bytes start end action flow-direction";

#[test]
fn without_flags_a_well_known_port_of_tcp_serves_and_others_do_by_policy() {
    let charged = |ports: (u16, u16), protocol: u8, policy: &Policy| {
        let packets = 5_000 * MB / 1_000;
        let bytes = 5_000 * MB + 52 * packets;
        let row = format!(
            "1 eni-a i-a 10.0.0.7 185.1.2.3 {} {} {protocol} {packets} {bytes} {START} {START} \
             ACCEPT egress",
            ports.0, ports.1
        );
        judged(policy, WITHOUT_FLAGS, &[row]).findings.len()
    };
    let none = Policy::default();
    let policy = Policy {
        services_served: vec!["tcp/8443".to_owned(), "udp/443".to_owned()],
        ..Policy::default()
    };
    assert_eq!(charged((443, 50_000), 6, &none), 0);
    assert_eq!(charged((8_443, 50_000), 6, &none), 1);
    assert_eq!(charged((8_443, 50_000), 6, &policy), 0);
    assert_eq!(charged((50_000, 8_443), 6, &policy), 1, "another direction");
    // Of UDP, nothing ever tells who came to whom.
    assert_eq!(charged((443, 50_000), 17, &none), 1);
    assert_eq!(charged((443, 50_000), 17, &policy), 0);
    assert_eq!(charged((8_443, 50_000), 17, &policy), 1, "another protocol");
}

#[test]
fn udp_from_a_port_of_a_service_is_charged_where_the_log_has_flags_too() {
    let flags = upload("a", "45.1.2.3", 0, 1_000);
    for port in [443, 53, 123] {
        let out = unflagged((port, 50_000), 17, 100, 5_000 * MB);
        let found = findings(&[flags.clone(), out]);
        let is_ledger = |judged: &Judged| judged.finding.family == Family::VolumeLedger;
        assert!(found.iter().any(is_ledger), "{port}: {found:#?}");
    }
}

#[test]
fn pushing_more_never_lowers_severity_or_risk() {
    let grade = |pushed: u64| {
        let records = [
            upload("a", "185.1.2.3", 0, 20_000 * MB),
            fetched("185.1.2.3", 60, 20_001 * MB),
            upload("a", "46.1.2.3", 120, pushed * MB),
        ];
        let graves = findings(&records).into_iter().map(|judged| {
            let finding = judged.finding;
            (finding.severity, finding.risk)
        });
        graves.max().unwrap()
    };
    let grades: Vec<_> = [1, 90, 150, 300, 5_000].map(grade).to_vec();
    assert!(grades.is_sorted(), "{grades:?}");
}

#[test]
fn a_past_that_was_greater_does_not_vouch_for_the_present() {
    // Twenty days of a gigabyte, then a month of a megabyte, then 900 MB at once.
    let day = |day: i64, payload: u64| upload("a", "185.1.2.3", day * DAY, payload * MB);
    let mut records: Vec<String> = (0..20).map(|at| day(at, 1_000)).collect();
    records.extend((31..61).map(|at| day(at, 1)));
    records.push(day(70, 900));
    let last = findings(&records).into_iter().next_back().unwrap();
    assert_eq!(
        (last.day.0 - 20_000, last.finding.payload_bytes),
        (70, 900 * MB)
    );
}

#[test]
fn what_a_day_charges_of_others_leaves_a_drip_to_the_month() {
    let mut records = Vec::new();
    for day in 0..60 {
        records.push(upload("a", "185.1.2.3", day * DAY, 50 * MB));
        let elsewhere = format!("45.1.{day}.3");
        records.push(upload("a", &elsewhere, day * DAY + 60, 150 * MB));
    }
    let told: f64 = findings(&records)
        .iter()
        .map(|j| j.finding.why[0].observed)
        .sum();
    // Of the drip, all until it was established for thirty days before.
    let least = (60 * 150 + 44 * 50 - 1_000) * MB;
    assert!(told >= least as f64, "{told}");
}

#[test]
fn an_allowance_is_for_the_whole_network_of_its_rule() {
    let policy = Policy {
        sanctioned: vec![outflow_detect::Sanctioned {
            destination: "45.1.0.0/16".parse().unwrap(),
            workload: None,
            bytes_per_day: 1_000 * MB,
            reason: "backup".to_owned(),
        }],
        ..Policy::default()
    };
    let spread: Vec<String> = (0..20)
        .map(|at| upload("a", &format!("45.1.{at}.3"), 60 * at, 500 * MB))
        .collect();
    let found = judged(&policy, FULL, &spread).findings;
    assert_eq!(found[0].finding.why[0].observed, (9_000 * MB) as f64);
    assert_eq!(judged(&policy, FULL, &spread[..2]).findings, []);
}

#[test]
fn what_is_fetched_each_day_does_not_use_up_what_a_month_is_to_see() {
    let mut records = Vec::new();
    for day in 0..60 {
        records.push(upload("a", "45.5.5.5", day * DAY, 101 * MB));
        records.push(fetched("45.5.5.5", day * DAY, 400 * MB));
        records.push(upload("a", "185.1.2.3", day * DAY + 60, 99 * MB));
    }
    let grave = findings(&records)
        .into_iter()
        .find(|judged| judged.finding.severity >= Severity::Medium)
        .unwrap();
    assert_eq!(grave.finding.destination.addresses, ["185.1.2.3"]);
}

#[test]
fn a_download_from_a_neighbour_is_no_excuse() {
    let records = [
        upload("a", "185.1.2.9", 0, 900 * MB),
        fetched("185.1.2.77", 60, 901 * MB),
    ];
    let own = upload("a", "185.1.2.77", 60, MB);
    let found = findings(&[&records[..], &[own]].concat());
    assert_eq!(found[0].finding.severity, Severity::High);
}

#[test]
fn a_past_of_two_levels_excuses_no_more_than_it_saw() {
    for (low, high) in [(1_000, 20 * MB), (20_000, 30 * MB)] {
        let mut records: Vec<String> = (0..60)
            .map(|day| {
                upload(
                    "a",
                    "185.1.2.3",
                    day * DAY,
                    if day % 2 == 0 { low } else { high },
                )
            })
            .collect();
        records.push(upload("a", "185.1.2.3", 60 * DAY, 300_000 * MB));
        let last = findings(&records).into_iter().next_back().unwrap();
        assert_eq!(last.day.0, 20_060);
        assert!(last.finding.why[0].observed > (299_000 * MB) as f64);
    }
}

#[test]
fn a_connection_that_the_host_opens_from_a_port_it_serves_is_charged() {
    let opens = handshake("185.1.2.3", 443, 50, 2);
    let pushes = unflagged((443, 50_000), 6, 100, 5_000 * MB);
    let serves = [accepted(443, 0), pushes];
    assert_eq!(findings(&serves), [], "a client's download");
    let found = findings(&[&serves[..], &[opens]].concat());
    assert_eq!(found[0].finding.payload_bytes / MB, 5_000);
}
