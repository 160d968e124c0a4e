use std::sync::Arc;

use outflow_enrich::inventory::{InventoryBuilder, Place, Snapshot};
use outflow_enrich::{
    AwsRanges, DnsAnswer, GeoDatabases, GroupSources, Knowledge, KnownDestinations, Operators,
    PassiveDns,
};
use outflow_finding::Finding;
use outflow_record::Timestamp;

use super::*;
use crate::judge::judge_with;
use crate::policy::Path;
use crate::reading::{START, state_of_lines};

const FORMAT: &str = "account-id vpc-id subnet-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes \
                      start end pkt-dst-aws-service flow-direction traffic-path";

const RANGES: &[u8] = br#"{"createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [], "prefixes": [
    {"ip_prefix": "52.219.0.0/16", "region": "eu-central-1", "service": "S3", "network_border_group": "x"},
    {"ip_prefix": "52.216.0.0/16", "region": "us-east-1", "service": "S3", "network_border_group": "x"},
    {"ip_prefix": "3.64.0.0/13", "region": "eu-central-1", "service": "EC2", "network_border_group": "x"}]}"#;

const INVENTORY: &str = r#"{
    "VpcEndpoints": [
        {"VpcEndpointId": "vpce-s3", "VpcEndpointType": "Gateway", "VpcId": "vpc-1", "State": "available",
         "ServiceName": "com.amazonaws.eu-central-1.s3", "RouteTableIds": ["rtb-private"]},
        {"VpcEndpointId": "vpce-kms", "VpcEndpointType": "Interface", "VpcId": "vpc-1", "State": "available",
         "ServiceName": "com.amazonaws.eu-central-1.kms", "PrivateDnsEnabled": false}],
    "RouteTables": [
        {"RouteTableId": "rtb-private", "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-a"}]},
        {"RouteTableId": "rtb-main", "VpcId": "vpc-1", "Associations": [{"Main": true}]}]}"#;

fn knowledge() -> Knowledge {
    let mut builder = InventoryBuilder::default();
    let snapshot = Snapshot {
        place: Place::default(),
        taken_at: Timestamp(START - 86_400),
    };
    builder.add("x", INVENTORY.as_bytes(), &snapshot).unwrap();
    let mut names = PassiveDns::default();
    names.feed(&DnsAnswer {
        vpc_id: "vpc-1",
        at: Timestamp(START),
        name: "kms.eu-central-1.amazonaws.com",
        addrs: &["3.64.0.9".parse().unwrap()],
    });
    let operators = Operators::new(GroupSources {
        ranges: Some(&AwsRanges::from_json(RANGES).unwrap()),
        known: &KnownDestinations::built_in().unwrap(),
        names: &names,
        geo: &GeoDatabases::default(),
    });
    Knowledge {
        inventory: Arc::new(builder.build().unwrap()),
        operators: operators.unwrap(),
        ..Knowledge::default()
    }
}

/// An upload of so many packets of 1,000 bytes of payload.
fn sent(subnet: &str, to: &str, path: &str, day: i64, packets: u64) -> String {
    let (bytes, start) = (packets * 1_052, START + day * 86_400);
    let label = if to.starts_with("52.21") { "S3" } else { "-" };
    format!(
        "1 vpc-1 {subnet} eni-1 10.0.0.7 {to} 40000 443 6 {packets} {bytes} {start} {start} {label} egress {path}\n"
    )
}

fn judged(lines: &[String], path: Path, knowledge: &Knowledge) -> Vec<Finding> {
    let policy = Policy {
        path,
        ..Policy::default()
    };
    let state = state_of_lines(FORMAT, &lines.concat());
    let verdict = judge_with(&state, &policy, knowledge, Day(40_000));
    let findings = verdict
        .findings
        .into_iter()
        .map(|judged| judged.finding)
        .filter(|finding| finding.family == Family::PolicyPath);
    findings.collect()
}

fn titles(lines: &[String], path: Path) -> Vec<String> {
    let found = judged(lines, path, &knowledge());
    found.into_iter().map(|finding| finding.title).collect()
}

fn denied(ways: &[Way]) -> Path {
    Path {
        denied: ways.to_vec(),
        ..Path::default()
    }
}

const S3: &str = "52.219.1.1";

#[test]
fn payload_past_an_endpoint_is_told_by_the_path_of_its_records() {
    let past = ["105 kB of payload to s3 (eu-central-1) past the endpoint of vpc-1"];
    for (path, expected) in [("8", &past[..]), ("1", &past), ("7", &[])] {
        let lines = [sent("subnet-a", S3, path, 0, 105)];
        assert_eq!(titles(&lines, Path::default()), expected, "path {path}");
    }
}

#[test]
fn the_bound_is_told_and_a_byte_less_is_not() {
    let of = |packets| titles(&[sent("subnet-a", S3, "8", 0, packets)], Path::default()).len();
    assert_eq!((of(100), of(99)), (1, 0));
}

#[test]
fn where_records_do_not_tell_routes_do() {
    let of = |subnet: &str, path: &str| {
        let found = judged(
            &[sent(subnet, S3, path, 0, 200)],
            Path::default(),
            &knowledge(),
        );
        found.first().map(|finding| finding.why[1].text.clone())
    };
    // The private table leads to the endpoint, the main one does not.
    assert_eq!(of("subnet-a", "-"), None);
    let by_routes =
        "no record tells the path, and the routes of its subnet do not lead to the endpoint";
    assert_eq!(of("subnet-b", "-").as_deref(), Some(by_routes));
    // Old instances say the same of both.
    assert_eq!(of("subnet-a", "2"), None);
    let by_path = "the traffic-path of its records is an internet gateway";
    assert_eq!(of("subnet-b", "2").as_deref(), Some(by_path));
    // Nothing tells the subnet.
    assert_eq!(of("-", "2"), None);
    // A path that nobody knows is no accusation.
    assert_eq!(of("subnet-b", "12"), None);
}

#[test]
fn an_interface_endpoint_has_no_public_address() {
    let found = judged(
        &[sent("subnet-a", "3.64.0.9", "-", 0, 200)],
        Path::default(),
        &knowledge(),
    );
    let texts: Vec<&str> = found[0].why.iter().map(|why| &*why.text).collect();
    assert!(
        texts[1].contains("what was sent to are public ones"),
        "{texts:?}"
    );
    assert!(texts[3].contains("private DNS is off"), "{texts:?}");
    // Another customer's instance is no service.
    assert_eq!(
        titles(
            &[sent("subnet-a", "3.64.0.10", "8", 0, 200)],
            Path::default()
        ),
        [""; 0]
    );
    // The bucket of another region, which no gateway reaches.
    let elsewhere = [sent("subnet-a", "52.216.1.1", "8", 0, 200)];
    assert_eq!(titles(&elsewhere, Path::default()), [""; 0]);
}

#[test]
fn a_posture_is_told_again_only_when_it_has_doubled() {
    let packets = [200, 300, 399, 400, 500, 800];
    let lines: Vec<String> = (0..)
        .zip(packets)
        .map(|(day, packets)| sent("subnet-a", S3, "8", day, packets))
        .collect();
    let told = judged(&lines, Path::default(), &knowledge());
    let payloads: Vec<u64> = told.iter().map(|own| own.payload_bytes / 1_000).collect();
    assert_eq!(payloads, [200, 400, 800]);
    assert!(told.iter().all(|own| own.severity == Severity::Low));
}

#[test]
fn ways_that_policy_denies_are_told_each_day() {
    let lines: Vec<String> = (0..2)
        .map(|day| sent("subnet-a", "185.1.2.3", "8", day, 200))
        .collect();
    let told = titles(&lines, denied(&[Way::InternetGateway]));
    let title = "200 kB of payload by an internet gateway, against policy";
    assert_eq!(told, [title, title]);
    assert_eq!(titles(&lines, denied(&[Way::VpcResource])), [""; 0]);
    let unknown = [sent("subnet-a", "185.1.2.3", "-", 0, 200)];
    assert_eq!(titles(&unknown, denied(&[Way::InternetGateway])), [""; 0]);
    // What six hours sent by two ways is against policy only if both are.
    let both = ["1", "8"].map(|path| sent("subnet-a", "185.1.2.3", path, 0, 200));
    assert_eq!(titles(&both, denied(&[Way::InternetGateway])), [""; 0]);
    let all = denied(&[Way::InternetGateway, Way::VpcResource]);
    assert_eq!(titles(&both, all).len(), 1);
}

#[test]
fn path_two_is_an_internet_gateway_where_no_endpoint_can_be_meant() {
    let of = |knowledge: &Knowledge, to: &str| {
        let lines = [sent("-", to, "2", 0, 200)];
        judged(&lines, denied(&[Way::InternetGateway]), knowledge).len()
    };
    assert_eq!(of(&knowledge(), "185.1.2.3"), 1);
    // Without ranges, an address without a label may be anybody's; with the label of S3, a bucket behind a gateway.
    assert_eq!(of(&Knowledge::default(), "185.1.2.3"), 0);
    assert_eq!(of(&Knowledge::default(), S3), 0);
}

#[test]
fn regions_that_policy_does_not_allow_are_told() {
    let allowed = || Path {
        regions_allowed: vec!["eu-central-1".to_owned()],
        ..Path::default()
    };
    let lines =
        ["52.216.1.1", "3.64.0.10", "185.1.2.3"].map(|to| sent("subnet-a", to, "8", 0, 200));
    assert_eq!(
        titles(&lines, allowed()),
        ["200 kB of payload to AWS in us-east-1, against policy"]
    );
    let wrong = Policy {
        path: Path {
            regions_allowed: vec!["Frankfurt".to_owned()],
            ..Path::default()
        },
        ..Policy::default()
    };
    let error = wrong.validate().unwrap_err().to_string();
    assert!(error.contains("`Frankfurt` is no region"), "{error}");
}
