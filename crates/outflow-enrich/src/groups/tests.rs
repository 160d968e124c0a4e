use super::*;
use crate::DnsAnswer;
use crate::fixtures::fixture;

const HOUR: i64 = 3_600;

const RANGES: &str = r#"{"createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [
        {"ipv6_prefix": "2a05:d07a:a000::/40", "region": "eu-south-1", "service": "S3", "network_border_group": "x"}],
    "prefixes": [
        {"ip_prefix": "3.5.140.0/22", "region": "eu-west-1", "service": "AMAZON", "network_border_group": "x"},
        {"ip_prefix": "3.5.140.0/22", "region": "eu-west-1", "service": "EC2", "network_border_group": "x"},
        {"ip_prefix": "3.5.140.0/22", "region": "eu-west-1", "service": "S3", "network_border_group": "x"},
        {"ip_prefix": "3.5.141.128/25", "region": "eu-west-1", "service": "EC2", "network_border_group": "x"},
        {"ip_prefix": "3.6.0.0/25", "region": "eu-west-2", "service": "DYNAMODB", "network_border_group": "x"},
        {"ip_prefix": "13.32.0.0/15", "region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "x"},
        {"ip_prefix": "13.34.0.0/15", "region": "GLOBAL", "service": "S3", "network_border_group": "x"},
        {"ip_prefix": "13.36.0.0/15", "region": "eu-west-3", "service": "API_GATEWAY", "network_border_group": "x"},
        {"ip_prefix": "13.38.0.0/15", "region": "eu-west-3", "service": "GLOBALACCELERATOR", "network_border_group": "x"},
        {"ip_prefix": "52.0.0.0/11", "region": "us-east-1", "service": "EC2", "network_border_group": "x"}]}"#;

/// Answers of `vpc-1`: hour, name and address.
fn groups(answers: &[(i64, &str, &str)]) -> DestinationGroups {
    let mut names = PassiveDns::default();
    for (hour, name, addr) in answers {
        names.feed(&DnsAnswer {
            vpc_id: "vpc-1",
            at: Timestamp(hour * HOUR),
            name,
            addrs: &[addr.parse().unwrap()],
        });
    }
    DestinationGroups::new(GroupSources {
        ranges: Some(&AwsRanges::from_json(RANGES.as_bytes()).unwrap()),
        known: &KnownDestinations::built_in().unwrap(),
        names: &names,
        geo: &GeoDatabases::default(),
    })
    .unwrap()
}

fn named<'g>(groups: &'g DestinationGroups, vpc: &str, addr: &str, hour: i64) -> Option<&'g str> {
    let addr = addr.parse().unwrap();
    let group = groups.of_addr(addr, groups.vpc(vpc), Timestamp(hour * HOUR));
    group.map(|group| groups.name(group))
}

#[test]
fn only_regional_fleets_of_aws_are_groups() {
    let groups = groups(&[]);
    let of = |addr| named(&groups, "vpc-1", addr, 0);
    assert_eq!(of("3.5.140.1"), Some("s3.eu-west-1"));
    assert_eq!(of("64:ff9b::3.5.140.1"), Some("s3.eu-west-1"));
    assert_eq!(of("2a05:d07a:a000::1"), Some("s3.eu-south-1"));
    assert_eq!(of("3.6.0.1"), Some("dynamodb.eu-west-2"));
    // The part of a service's range that is listed for instances, and what anybody can rent or is of no region.
    let others = [
        "3.5.141.129",
        "13.32.0.1",
        "13.34.0.1",
        "13.36.0.1",
        "13.38.0.1",
        "52.0.0.1",
        "8.8.8.8",
    ];
    for addr in others {
        assert_eq!(of(addr), None, "{addr}");
    }
}

#[test]
fn a_network_is_of_a_group_only_as_a_whole() {
    let groups = groups(&[]);
    let of = |network: &str| {
        let group = groups.of_network(network.parse().unwrap());
        group.map(|group| groups.name(group))
    };
    assert_eq!(of("3.5.140.0"), Some("s3.eu-west-1"));
    assert_eq!(of("64:ff9b::3.5.140.0"), Some("s3.eu-west-1"));
    assert_eq!(of("2a05:d07a:a000::"), Some("s3.eu-south-1"));
    assert_eq!(of("162.247.241.0"), Some("newrelic.com"));
    assert_eq!(of("3.5.141.0"), None, "half of it is instances");
    assert_eq!(of("3.6.0.0"), None, "half of it is no service's");
    assert_eq!(of("::"), None);
}

#[test]
fn a_name_groups_in_its_vpc_and_time() {
    let groups = groups(&[
        (100, "www.example.com", "203.0.113.9"),
        (101, "api.example.com", "203.0.113.9"),
        (110, "b.example.com", "198.51.100.9"),
        (110, "b.example.com", "52.0.0.9"),
        (300, "www.example.net", "203.0.113.9"),
    ]);
    let of = |hour| named(&groups, "vpc-1", "203.0.113.9", hour);
    let expected = [
        (99, None),
        (100, Some("example.com")),
        (125, Some("example.com")),
        (126, None),
        (299, None),
        (300, Some("example.net")),
        (324, Some("example.net")),
        (325, None),
    ];
    for (hour, name) in expected {
        assert_eq!(of(hour), name, "{hour}");
    }
    assert_eq!(
        named(&groups, "vpc-1", "198.51.100.9", 110),
        Some("example.com")
    );
    assert_eq!(
        named(&groups, "vpc-1", "52.0.0.9", 110),
        Some("example.com")
    );
    assert_eq!(named(&groups, "vpc-1", "203.0.113.8", 110), None);
    assert_eq!(named(&groups, "vpc-2", "203.0.113.9", 110), None);
    // Groups compare as names, whatever was met first.
    let id = |hour| {
        let addr = "203.0.113.9".parse().unwrap();
        groups.of_addr(addr, groups.vpc("vpc-1"), Timestamp(hour * HOUR))
    };
    assert!(id(100) < id(300));
}

#[test]
fn what_is_shared_or_ambiguous_is_no_group() {
    let answers = [
        (1, "a.example.com", "203.0.113.1"),
        (9, "b.example.net", "203.0.113.1"),
        (1, "sqs.eu-west-1.amazonaws.com", "203.0.113.2"),
        (1, "203-0-113-3.nip.io", "203.0.113.3"),
        (1, "github.io", "203.0.113.4"),
        (1, "acme.splunkcloud.com", "203.0.113.5"),
        (1, "acme.eu-west-1.aws.found.io", "203.0.113.6"),
        (1, "www.example.com", "13.32.0.9"),
        (1, "www.example.com", "13.36.0.9"),
        (1, "leak.s3.eu-west-1.amazonaws.com", "3.5.140.9"),
    ];
    let groups = groups(&answers);
    assert_eq!(
        named(&groups, "vpc-1", "203.0.113.1", 8),
        Some("example.com")
    );
    assert_eq!(named(&groups, "vpc-1", "203.0.113.1", 9), None);
    assert_eq!(
        named(&groups, "vpc-1", "203.0.113.1", 26),
        Some("example.net")
    );
    for (_, _, addr) in &answers[2..9] {
        assert_eq!(named(&groups, "vpc-1", addr, 1), None, "{addr}");
    }
    // Which bucket it is the name tells, but for the address it is any of them.
    assert_eq!(
        named(&groups, "vpc-1", "3.5.140.9", 1),
        Some("s3.eu-west-1")
    );
}

#[test]
fn the_site_of_a_telemetry_service_is_a_group() {
    let groups = groups(&[
        (1, "http-intake.logs.datadoghq.eu", "203.0.113.1"),
        (1, "rum.browser-intake-datadoghq.eu", "203.0.113.2"),
        (1, "api.us3.datadoghq.com", "203.0.113.3"),
        (1, "api.datadoghq.com", "203.0.113.4"),
    ]);
    let of = |addr| named(&groups, "vpc-1", addr, 1);
    assert_eq!(of("203.0.113.1"), Some("datadoghq.eu"));
    assert_eq!(of("203.0.113.2"), Some("datadoghq.eu"));
    assert_eq!(of("203.0.113.3"), Some("us3.datadoghq.com"));
    assert_eq!(of("203.0.113.4"), Some("datadoghq.com"));
    assert_eq!(of("185.221.84.9"), Some("eu.newrelic.com"));
}

#[test]
fn where_many_share_a_network_its_names_tell_nothing() {
    let Some(database) = fixture("maxmind__MaxMind-DB/test-data/GeoLite2-ASN-Test.mmdb") else {
        return;
    };
    let mut geo = GeoDatabases::default();
    geo.add(database).unwrap();
    let shared: Addr = "1.0.0.9".parse().unwrap();
    assert_eq!(geo.lookup(shared).asn, Some(15_169));
    let mut names = PassiveDns::default();
    let own: Addr = "1.128.0.1".parse().unwrap();
    names.feed(&DnsAnswer {
        vpc_id: "vpc-1",
        at: Timestamp(0),
        name: "www.example.com",
        addrs: &[shared, own],
    });
    let groups = DestinationGroups::new(GroupSources {
        ranges: None,
        known: &KnownDestinations::built_in().unwrap(),
        names: &names,
        geo: &geo,
    })
    .unwrap();
    let vpc = groups.vpc("vpc-1");
    assert_eq!(groups.of_addr(shared, vpc, Timestamp(0)), None);
    assert!(groups.of_addr(own, vpc, Timestamp(0)).is_some());
}

#[test]
fn without_sources_there_is_no_group() {
    let groups = DestinationGroups::default();
    assert!(groups.is_empty());
    assert_eq!(named(&groups, "vpc-1", "3.5.140.1", 0), None);
}
