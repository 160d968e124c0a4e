//! Findings over short lists of records whose sums are worked out by hand.

use outflow_detect::{Bounds, Day, Engine, Judged, Policy, Sanctioned, Verdict, judge};
use outflow_finding::{Coverage, Family, Severity};
use outflow_record::Timestamp;

use crate::fixture::engine_of;

pub(crate) const MB: u64 = 1_000_000;
/// 2024-10-04T00:00:00Z, day 20,000.
pub(crate) const START: i64 = 1_728_000_000;
pub(crate) const DAY: i64 = 86_400;
pub(crate) const FULL: &str = "account-id interface-id instance-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr \
                    srcport dstport protocol packets bytes start end action tcp-flags \
                    flow-direction log-status";
const V2: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets \
                  bytes start end action log-status";

pub(crate) fn judged(policy: &Policy, format: &str, lines: &[String]) -> Verdict {
    engine_of(policy.clone(), format, lines).finish()
}

pub(crate) fn findings(lines: &[String]) -> Vec<Judged> {
    judged(&Policy::default(), FULL, lines).findings
}

/// The findings of ledgers: what is as regular as the records of a test is a beacon, too.
fn of_ledgers(mut found: Vec<Judged>) -> Vec<Judged> {
    found.retain(|judged| judged.finding.family == Family::VolumeLedger);
    found
}

/// An upload over 443 of `payload` bytes in packets of 1,000 (and 52 of headers), a minute long.
pub(crate) fn upload(host: &str, remote: &str, at: i64, payload: u64) -> String {
    sent(host, "111111111111", remote, at, payload)
}

fn sent(host: &str, account: &str, remote: &str, at: i64, payload: u64) -> String {
    let packets = payload / 1_000;
    let (bytes, start, end) = (payload + 52 * packets, START + at, START + at + 59);
    format!(
        "{account} eni-{host} i-{host} 10.0.0.7 {remote} 10.0.0.7 {remote} 40000 443 6 {packets} \
         {bytes} {start} {end} ACCEPT 2 egress OK"
    )
}

fn lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Two uploads and the answers to one of them, a bucket that was covered between, and one that was lost behind.
fn an_hour() -> [String; 5] {
    let at = |secs: i64| START + secs;
    let (account, eni) = ("111111111111 eni-a i-a", "eni-a");
    [
        // 100,000 packets of 52 bytes of headers and 1,200 of payload.
        format!(
            "{account} 10.0.0.7 185.1.2.3 10.0.0.7 185.1.2.3 40000 443 6 100000 125200000 {} {} \
             ACCEPT 2 egress OK",
            at(100),
            at(159)
        ),
        // 50,000 acknowledgements, and 40,000 bytes of answers.
        format!(
            "{account} 185.1.2.3 10.0.0.7 185.1.2.3 10.0.0.7 443 40000 6 50000 2640000 {} {} \
             ACCEPT 18 ingress OK",
            at(101),
            at(161)
        ),
        format!(
            "{account} 10.0.0.7 185.1.2.9 10.0.0.7 185.1.2.9 40001 443 6 50000 62600000 {} {} \
             ACCEPT 2 egress OK",
            at(1_300),
            at(1_359)
        ),
        // The bucket between them was covered, and one behind them was lost.
        format!(
            "111111111111 {eni} - - - - - - - - - - {} {} - - - NODATA",
            at(600),
            at(659)
        ),
        format!(
            "111111111111 {eni} - - - - - - - - - - {} {} - - - SKIPDATA",
            at(1_900),
            at(1_959)
        ),
    ]
}

#[test]
fn a_finding_adds_up_its_records() {
    let at = |secs: i64| Some(Timestamp(START + secs));
    let records = an_hour();
    let verdict = judged(&Policy::default(), FULL, &records);
    assert_eq!(verdict.counted_bytes, 125_200_000 + 62_600_000);
    let [judged] = &verdict.findings[..] else {
        panic!("one finding: {:#?}", verdict.findings)
    };
    let finding = &judged.finding;
    assert_eq!(judged.day, Day(20_000));
    assert_eq!(judged.interfaces.len(), 1);
    assert_eq!(finding.family, Family::VolumeLedger);
    let title = &finding.title;
    assert!(
        title.starts_with("180 MB of unexplained payload to 185.1.2.0/24"),
        "{title}"
    );
    assert_eq!(
        (finding.severity, finding.risk, finding.bits),
        (Severity::Medium, 69, Some(0.0))
    );
    assert_eq!(finding.account_id.as_deref(), Some("111111111111"));
    assert_eq!(finding.interface_id.as_deref(), Some("eni-a"));
    assert_eq!(finding.workload.as_deref(), Some("i-a"));
    assert_eq!(finding.destination.group.as_deref(), Some("185.1.2.0/24"));
    assert_eq!(finding.destination.addresses, ["185.1.2.3", "185.1.2.9"]);
    assert_eq!(finding.destination.service, None, "no AWS range holds it");
    assert_eq!(finding.first_seen, at(100));
    assert_eq!(finding.last_seen, at(1_359));
    assert_eq!(finding.bytes, 187_800_000);
    assert_eq!(finding.payload_bytes, 180_000_000);
    assert_eq!((finding.packets, finding.flows), (150_000, 3));
    assert_eq!(finding.attack, ["T1048", "T1041", "T1567"]);
    let coverage = Coverage {
        share: 1.0,
        minutes_covered: 22,
        minutes_expected: 22,
        skipdata: 1,
        late_bytes: 0,
    };
    assert_eq!(finding.coverage, Some(coverage));
}

#[test]
fn a_finding_says_why() {
    let found = findings(&an_hour());
    let finding = &found[0].finding;
    let why: Vec<_> = finding
        .why
        .iter()
        .map(|why| (why.observed, why.bound, why.unit.as_str()))
        .collect();
    assert_eq!(
        why,
        [
            (180_000_000.0, Some(100_000_000.0), "bytes"),
            (100.0, None, "percent of payload sent"),
            (0.0, None, "bytes"),
        ]
    );
    let says = |at: usize, part: &str| {
        let text = &finding.why[at].text;
        assert!(text.contains(part), "{text}");
    };
    says(0, "180 MB of payload to 185.1.2.0/24");
    says(0, "the bound is 100 MB");
    says(1, "180 MB went out and 40.0 kB came back");
    says(2, "it was first met on 2024-10-04");
    let sql = finding.evidence.sql.as_deref().unwrap();
    assert!(sql.contains("interface_id IN ('eni-a')") && sql.contains("'185.1.2.9'"));
}

#[test]
fn the_bound_itself_is_charged_and_a_byte_less_is_not() {
    let whole = [upload("a", "185.1.2.3", 0, 100 * MB)];
    assert_eq!(findings(&whole).len(), 1);
    let mut less = whole[0].clone();
    less = less.replace(" 105200000 ", " 105199999 ");
    assert_ne!(less, whole[0]);
    assert_eq!(findings(&[less]), []);
}

#[test]
fn rejected_flows_are_never_charged() {
    let refused: Vec<String> = (0..5)
        .map(|at| upload("a", "185.1.2.3", at * 60, 500 * MB).replace("ACCEPT", "REJECT"))
        .collect();
    let verdict = judged(&Policy::default(), FULL, &refused);
    assert_eq!((verdict.counted_bytes, verdict.findings), (0, Vec::new()));
    // They do show that the log covers their time.
    let mut with_one = refused;
    with_one.push(upload("a", "185.1.2.3", 1_200, 75 * MB));
    with_one.push(upload("a", "185.1.2.3", 3_000, 75 * MB));
    with_one.push(upload("a", "185.1.2.3", 2_400, 75 * MB).replace("ACCEPT", "REJECT"));
    let found = findings(&with_one);
    assert_eq!(found[0].finding.flows, 2);
    let coverage = found[0].finding.coverage.clone().unwrap();
    assert_eq!(
        (coverage.minutes_covered, coverage.minutes_expected),
        (12, 31),
        "of the gaps of 19 and 9 minutes, the shorter may be one of aggregation"
    );
}

#[test]
fn downloads_and_what_is_served_are_not_charged() {
    let download = format!(
        "111111111111 eni-a i-a 10.0.0.7 185.1.2.3 10.0.0.7 185.1.2.3 40000 443 6 50000000 \
         2600000000 {START} {START} ACCEPT 2 egress OK"
    );
    let served = format!(
        "111111111111 eni-a i-a 10.0.0.7 185.1.2.3 10.0.0.7 185.1.2.3 443 40000 6 1000000 \
         1500000000 {START} {START} ACCEPT 18 egress OK"
    );
    let verdict = judged(&Policy::default(), FULL, &[download, served]);
    assert_eq!(verdict.findings, []);
    assert_eq!(verdict.counted_bytes, 4_100_000_000);
}

/// A row of a NAT gateway on the way out, behind the translation.
fn gateway(remote: &str, at: i64, payload: u64) -> [String; 2] {
    let packets = payload / 1_000;
    let (bytes, start, end) = (payload + 52 * packets, START + at, START + at + 59);
    let rest = format!("6 {packets} {bytes} {start} {end} ACCEPT 2");
    [
        format!(
            "111111111111 eni-nat - 10.0.0.7 10.0.0.220 10.0.0.7 {remote} 40000 443 {rest} ingress OK"
        ),
        format!(
            "111111111111 eni-nat - 10.0.0.220 {remote} 10.0.0.7 {remote} 50000 443 {rest} egress OK"
        ),
    ]
}

#[test]
fn a_gateway_counts_what_hosts_do_not_log_and_nothing_else() {
    let remote = "203.0.113.5";
    let host = upload("a", remote, 0, 150 * MB);
    let bytes = 150 * MB + 52 * 150_000;
    let mut both = gateway(remote, 2, 150 * MB).to_vec();
    both.push(host);
    let verdict = judged(&Policy::default(), FULL, &both);
    assert_eq!(verdict.counted_bytes, bytes);
    assert_eq!(verdict.findings.len(), 1);
    let finding = &verdict.findings[0].finding;
    assert_eq!(finding.interface_id.as_deref(), Some("eni-a"));
    assert_eq!((finding.bytes, finding.flows), (bytes, 1));

    let verdict = judged(&Policy::default(), FULL, &gateway(remote, 0, 150 * MB));
    assert_eq!(verdict.counted_bytes, bytes);
    let finding = &verdict.findings[0].finding;
    assert_eq!(finding.interface_id.as_deref(), Some("eni-nat"));
    assert_eq!(finding.bytes, bytes);

    // On another day, and to another address, only the gateway logs.
    both.extend(gateway(remote, 3 * DAY, 200 * MB));
    both.extend(gateway("203.0.113.77", 0, 300 * MB));
    let verdict = judged(&Policy::default(), FULL, &both);
    let by_gateway = |judged: &&Judged| judged.finding.interface_id.as_deref() == Some("eni-nat");
    let payload: Vec<u64> = verdict
        .findings
        .iter()
        .filter(by_gateway)
        .map(|judged| judged.finding.payload_bytes)
        .collect();
    assert_eq!(payload, [300 * MB, 200 * MB]);
    assert_eq!(verdict.counted_bytes, bytes + 500 * MB + 52 * 500_000);
}

#[test]
fn the_inside_leg_of_a_gateway_is_no_dialogue_of_its_own() {
    // A tunnel through an outside resolver: the host's row, and both of the gateway, 2,000 packets of 180.
    let rest = format!("17 2000 360000 {START} {START} ACCEPT 0");
    let tunnel = lines(&[
        &format!("1 eni-a i-a 10.0.0.7 45.1.2.3 10.0.0.7 45.1.2.3 40000 53 {rest} egress OK"),
        &format!("1 eni-nat - 10.0.0.7 10.0.0.220 10.0.0.7 45.1.2.3 40000 53 {rest} ingress OK"),
        &format!("1 eni-nat - 10.0.0.220 45.1.2.3 10.0.0.7 45.1.2.3 50000 53 {rest} egress OK"),
    ]);
    let found = findings(&tunnel);
    let who: Vec<_> = found
        .iter()
        .map(|judged| {
            (
                judged.finding.family,
                judged.finding.interface_id.as_deref(),
            )
        })
        .collect();
    assert_eq!(who, [(Family::DnsBypass, Some("eni-a"))]);
}

/// A record of the default format, over 443 unless `ports` say otherwise.
fn plain(ends: (&str, &str), ports: (u16, u16), at: i64, payload: u64) -> String {
    let packets = payload / 1_000;
    let (bytes, at) = (payload + 52 * packets, START + at);
    format!(
        "2 111111111111 eni-a {} {} {} {} 6 {packets} {bytes} {at} {at} ACCEPT OK",
        ends.0, ends.1, ports.0, ports.1
    )
}

#[test]
fn public_hosts_are_seen_from_the_address_that_all_their_records_share() {
    // Both addresses are public, and the own one is the greater, then the smaller of the two.
    for own in ["198.51.100.9", "4.4.4.4"] {
        let records = [
            plain((own, "45.1.2.3"), (40_000, 443), 0, 150 * MB),
            plain(("45.1.2.3", own), (443, 40_000), 1, 2 * MB),
            plain(("46.1.2.3", own), (443, 40_001), 2, 400 * MB),
            plain((own, "46.1.2.3"), (40_001, 443), 3, MB),
        ];
        let verdict = judged(&Policy::default(), V2, &records);
        assert_eq!(verdict.counted_bytes, 151 * MB + 52 * 151_000, "{own}");
        let [judged] = &verdict.findings[..] else {
            panic!("one finding: {:#?}", verdict.findings)
        };
        let finding = &judged.finding;
        // What came from the other does not make a download of it.
        assert_eq!(finding.destination.addresses, ["45.1.2.3"]);
        assert_eq!(finding.payload_bytes, 150 * MB);
        assert_eq!(finding.severity, Severity::Medium);
    }
}

#[test]
fn where_no_address_is_known_as_own_the_client_is_taken_to_be() {
    for (ends, ports) in [
        (("198.51.100.9", "45.1.2.3"), (40_000, 443)),
        (("4.4.4.4", "45.1.2.3"), (40_000, 443)),
    ] {
        let found = judged(&Policy::default(), V2, &[plain(ends, ports, 0, 150 * MB)]).findings;
        assert_eq!(found[0].finding.destination.addresses, ["45.1.2.3"]);
    }
    // The sender of a download is the server: the client's side got the bytes.
    let download = plain(("45.1.2.3", "198.51.100.9"), (443, 40_000), 0, 150 * MB);
    let verdict = judged(&Policy::default(), V2, &[download]);
    assert_eq!((verdict.findings, verdict.counted_bytes), (Vec::new(), 0));
}

#[test]
fn inside_names_are_oriented_in_the_default_format() {
    // 3,000 questions of 200 bytes to a resolver inside; other flows tell which address is the host's.
    let question = |ends: (&str, &str), ports: (u16, u16), bytes: u64| {
        format!(
            "2 111111111111 eni-a {} {} {} {} 17 3000 {bytes} {START} {START} ACCEPT OK",
            ends.0, ends.1, ports.0, ports.1
        )
    };
    let (host, resolver) = ("10.0.0.7", "10.0.0.2");
    let asked = question((host, resolver), (40_000, 53), 3_000 * 228);
    let answered = question((resolver, host), (53, 40_000), 3_000 * 128);
    let other = plain((host, "8.8.8.8"), (40_000, 443), 0, 1_000);
    let found = judged(
        &Policy::default(),
        V2,
        &[asked.clone(), answered.clone(), other],
    )
    .findings;
    assert_eq!(found.len(), 1);
    let finding = &found[0].finding;
    assert_eq!(
        (finding.family, finding.severity),
        (Family::DnsTunnel, Severity::Medium)
    );
    assert_eq!(finding.destination.addresses, ["10.0.0.2"]);
    assert!(finding.title.contains("inside resolver 10.0.0.2"));
    assert_eq!((finding.payload_bytes, finding.flows), (600_000, 2));
    // The resolver's own log shows the same from its side.
    let other = plain((resolver, "8.8.8.8"), (40_000, 443), 0, 1_000);
    let found = judged(&Policy::default(), V2, &[asked, answered, other]).findings;
    assert_eq!(found[0].finding.destination.addresses, ["10.0.0.7"]);
    assert!(found[0].finding.title.contains("inside client 10.0.0.7"));
    assert_eq!(found[0].finding.payload_bytes, 300_000);
}

#[test]
fn many_workloads_to_one_destination_are_charged_together() {
    let few: Vec<String> = ["a", "b", "c", "d", "e"]
        .iter()
        .map(|host| upload(host, "185.1.2.3", 0, 60 * MB))
        .collect();
    let found = findings(&few);
    assert_eq!(found.len(), 1);
    let finding = &found[0].finding;
    let title = &finding.title;
    assert!(
        title.starts_with("300 MB of unexplained payload from 5 workloads"),
        "{title}"
    );
    assert_eq!(finding.destination.group.as_deref(), Some("185.1.2.0/24"));
    assert_eq!(
        (finding.workload.as_deref(), finding.interface_id.as_deref()),
        (None, None)
    );
    assert_eq!((found[0].interfaces.len(), finding.flows), (5, 5));
    assert_eq!(
        (finding.payload_bytes, finding.severity),
        (300 * MB, Severity::Medium)
    );
    assert_eq!(findings(&few[..4]), [], "240 MB are below the bound");

    // What a workload is charged with itself does not count again.
    let mut with_one = few[..4].to_vec();
    with_one.push(upload("z", "185.1.2.3", 0, 120 * MB));
    let found = findings(&with_one);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].finding.interface_id.as_deref(), Some("eni-z"));
}

#[test]
fn what_is_below_both_bounds_adds_up_by_account() {
    let spread = |account: &str, count: u64| -> Vec<String> {
        let to = |at: u64| {
            let (host, remote) = (format!("{account}-{at}"), format!("185.1.{at}.3"));
            sent(&host, account, &remote, 0, 90 * MB)
        };
        (0..count).map(to).collect()
    };
    let mut records = spread("111111111111", 12);
    records.extend(spread("222222222222", 11));
    // Two workloads to one destination make 180 MB, below the bound of a destination.
    let found = findings(&records);
    assert_eq!(found.len(), 1);
    let finding = &found[0].finding;
    assert_eq!(finding.account_id.as_deref(), Some("111111111111"));
    let title = &finding.title;
    assert!(
        title.starts_with("1.1 GB of unexplained payload from 12 workloads"),
        "{title}"
    );
    assert_eq!((finding.payload_bytes, finding.flows), (1_080 * MB, 12));
    assert_eq!(found[0].interfaces.len(), 12);
}

#[test]
fn low_and_slow_is_charged_over_seven_and_thirty_days() {
    let daily = |days: i64, payload: u64| -> Vec<String> {
        (0..days)
            .map(|day| upload("a", "185.1.2.3", day * DAY, payload))
            .collect()
    };
    let found = of_ledgers(findings(&daily(7, 60 * MB)));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].day, Day(20_006));
    let title = &found[0].finding.title;
    assert!(
        title.starts_with("420 MB") && title.contains("7 days"),
        "{title}"
    );
    assert_eq!(found[0].finding.flows, 7);
    // 53 MB a day are 371 MB in seven days, and more than a gigabyte on the nineteenth.
    let found = of_ledgers(findings(&daily(19, 53 * MB)));
    assert_eq!((found.len(), found[0].day), (1, Day(20_018)));
    assert_eq!(found[0].finding.payload_bytes, 19 * 53 * MB);
}

#[test]
fn a_drip_does_not_come_to_explain_itself() {
    // From its 23rd day on, three weeks of 45 MB a day would explain the fourth, before they are a gigabyte.
    let drip: Vec<String> = (0..60)
        .map(|day| upload("a", "185.1.2.3", day * DAY, 45 * MB))
        .collect();
    let found = of_ledgers(findings(&drip));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].day, Day(20_022));
    let finding = &found[0].finding;
    assert!(finding.title.starts_with("1.0 GB") && finding.title.contains("30 days"));
    assert_eq!(finding.severity, Severity::Medium);
}

#[test]
fn what_crosses_a_day_leaves_the_days_before_in_the_longer_ledgers() {
    // 85 MB on each of six days to many places, with a burst elsewhere on the third.
    let mut records: Vec<String> = (0..6)
        .map(|day| upload("a", &format!("185.1.{day}.3"), day * DAY + 1_000, 85 * MB))
        .collect();
    records.push(upload("a", "45.1.2.3", 2 * DAY + 2_000, 500 * MB));
    let found = findings(&records);
    let told: Vec<(u32, f64)> = found
        .iter()
        .map(|judged| (judged.day.0 - 20_000, judged.finding.why[0].observed))
        .collect();
    // The burst takes the day around it along; the five others are 425 MB within seven days.
    assert_eq!(told, [(2, 585e6), (5, 425e6)]);
}

#[test]
fn what_a_pair_has_sent_for_weeks_is_explained_and_what_is_above_is_charged() {
    let mut records: Vec<String> = (0..30)
        .map(|day| upload("a", "185.1.2.3", day * DAY, 10 * MB))
        .collect();
    records.push(upload("a", "185.1.2.3", 30 * DAY, 200 * MB));
    let found = of_ledgers(findings(&records));
    assert_eq!(found.len(), 1);
    let finding = &found[0].finding;
    // The median of 23 days is in the eighth of an octave from 9 << 20 on; an octave above, that eighth ends
    // at 10 << 21.
    let allowed = 10 << 21;
    assert_eq!(finding.why[0].observed, (200 * MB - allowed) as f64);
    assert!(
        finding.title.contains("beyond the usual"),
        "{}",
        finding.title
    );
    assert_eq!(
        finding.severity,
        Severity::Low,
        "thirty days of one workload rank nothing"
    );
    assert_eq!(finding.why[2].observed, allowed as f64);
    assert!(finding.why[2].text.contains("first seen 2024-10-04"));
    assert_eq!(finding.payload_bytes, 200 * MB);
    // A workload that has no such past is charged with all of it.
    records.push(upload("b", "185.1.2.3", 30 * DAY, 200 * MB));
    let of_new = of_ledgers(findings(&records));
    let new = of_new
        .iter()
        .find(|j| j.finding.workload.as_deref() == Some("i-b"));
    assert_eq!(new.unwrap().finding.why[0].observed, (200 * MB) as f64);
}

fn sanctioned(destination: &str, workload: Option<&str>) -> Policy {
    Policy {
        sanctioned: vec![Sanctioned {
            destination: destination.parse().unwrap(),
            workload: workload.map(str::to_owned),
            bytes_per_day: 40 * MB,
            reason: "backup".to_owned(),
        }],
        ..Policy::default()
    }
}

#[test]
fn a_sanctioned_destination_has_its_allowance_each_day() {
    let records = [
        upload("a", "185.1.2.3", 0, 130 * MB),
        upload("a", "185.1.2.3", 2 * DAY, 150 * MB),
        upload("a", "185.1.2.3", 2 * DAY + 60, 30 * MB),
    ];
    for (policy, expected) in [
        (Policy::default(), vec![130 * MB, 180 * MB]),
        (sanctioned("185.1.0.0/16", None), vec![140 * MB]),
        (sanctioned("185.1.2.3/32", Some("i-a")), vec![140 * MB]),
        (sanctioned("185.1.0.0/16", Some("eni-a")), vec![140 * MB]),
        (
            sanctioned("185.1.0.0/16", Some("i-b")),
            vec![130 * MB, 180 * MB],
        ),
        (sanctioned("185.2.0.0/16", None), vec![130 * MB, 180 * MB]),
    ] {
        let found = judged(&policy, FULL, &records).findings;
        let observed: Vec<f64> = found.iter().map(|j| j.finding.why[0].observed).collect();
        let expected: Vec<f64> = expected.into_iter().map(|bytes| bytes as f64).collect();
        assert_eq!(observed, expected, "{:?}", policy.sanctioned);
        // A rule that did not suffice is told, with its reason.
        for judged in &found {
            let told = |why: &outflow_finding::Why| why.text.contains("(backup)");
            let is_told = judged.finding.why.iter().any(told);
            assert_eq!(is_told, observed == [140e6], "{:#?}", judged.finding.why);
        }
    }
}

#[test]
fn a_sanctioned_address_is_not_its_whole_group() {
    let policy = sanctioned("185.1.2.3/32", None);
    for neighbour in ["185.1.2.2", "185.1.2.4"] {
        let records = [
            upload("a", neighbour, 0, 100 * MB),
            upload("a", "185.1.2.3", 0, 40 * MB),
        ];
        let found = judged(&policy, FULL, &records).findings;
        assert_eq!(found.len(), 1, "{neighbour}");
        let observed = found[0].finding.why[0].observed;
        assert_eq!(observed, (100 * MB) as f64, "{neighbour}");
    }
}

#[test]
fn what_a_ledger_charges_later_does_not_change_what_another_told() {
    // Three workloads to one destination, each below its bound for four days and above that of a week then.
    let mut records = Vec::new();
    for day in 0..8 {
        for host in ["a", "b", "c"] {
            records.push(upload(host, "185.1.2.3", day * DAY, 90 * MB));
        }
    }
    let mut engine: Engine = engine_of(Policy::default(), FULL, &records);
    let state = engine.state().clone();
    let all = engine.finish().findings;
    for day in 0..8 {
        let through = Day(20_000 + day);
        let then = judge(&state, &Policy::default(), through).findings;
        let expected: Vec<Judged> = all.iter().filter(|j| j.day <= through).cloned().collect();
        let titles = |all: &[Judged]| -> Vec<String> {
            all.iter()
                .map(|j| format!("{} {}", j.day, j.finding.title))
                .collect()
        };
        assert_eq!(titles(&then), titles(&expected), "through {through}");
    }
    // Each day's 270 MB are charged on that day, to the destination, and never again.
    let charged: Vec<(Day, u64, f64)> = of_ledgers(all)
        .iter()
        .map(|j| (j.day, j.finding.payload_bytes, j.finding.why[0].observed))
        .collect();
    let day = |day: u32| (Day(20_000 + day), 270 * MB, (270 * MB) as f64);
    assert_eq!(charged, (0..8).map(day).collect::<Vec<_>>());
}

#[test]
fn counts_beyond_all_measure_neither_panic_nor_hide() {
    // The greatest count of a record; their sums are beyond what is counted.
    let (most, huge) = (i64::MAX.unsigned_abs(), u64::MAX);
    let row = |host: &str, remote: &str, protocol: u8, port: u16, at: i64| {
        let at = START + at;
        format!(
            "1 eni-{host} i-{host} 10.0.0.7 {remote} 10.0.0.7 {remote} 40000 {port} {protocol} 1 \
             {most} {at} {at} ACCEPT 2 egress OK"
        )
    };
    let back = |host: &str, remote: &str, protocol: u8, port: u16| {
        format!(
            "1 eni-{host} i-{host} {remote} 10.0.0.7 {remote} 10.0.0.7 {port} 40000 {protocol} \
             {most} {most} {START} {START} ACCEPT 18 ingress OK"
        )
    };
    let mut records = Vec::new();
    for host in ["a", "b", "c"] {
        for (protocol, port) in [(6, 443), (6, 22), (17, 53), (6, 853), (1, 0)] {
            for (at, remote) in [(0, "185.1.2.3"), (30_000, "185.1.2.4"), (DAY, "45.1.2.3")] {
                records.push(row(host, remote, protocol, port, at));
                records.push(back(host, remote, protocol, port));
            }
        }
    }
    let policy = Policy {
        bounds: Bounds {
            workload: outflow_detect::Horizons {
                day: huge,
                week: huge,
                month: huge,
            },
            ..Bounds::default()
        },
        ..Policy::default()
    };
    for policy in [policy, Policy::default()] {
        let verdict = judged(&policy, FULL, &records);
        assert_eq!(verdict.counted_bytes, huge);
        assert!(verdict.findings.len() > 10);
    }
}
