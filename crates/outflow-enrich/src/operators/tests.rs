use super::*;
use crate::{DnsAnswer, GeoDatabases, PassiveDns};

const RANGES: &[u8] = br#"{"createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [], "prefixes": [
    {"ip_prefix": "52.219.0.0/16", "region": "eu-central-1", "service": "S3", "network_border_group": "x"},
    {"ip_prefix": "3.64.0.0/13", "region": "eu-central-1", "service": "EC2", "network_border_group": "x"},
    {"ip_prefix": "13.32.0.0/15", "region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "x"}]}"#;

fn operators(answers: &[(&str, &str)]) -> Operators {
    let mut names = PassiveDns::default();
    for (name, addr) in answers {
        names.feed(&DnsAnswer {
            vpc_id: "vpc-1",
            at: Timestamp(7_200),
            name,
            addrs: &[addr.parse().unwrap()],
        });
    }
    Operators::new(GroupSources {
        ranges: Some(&AwsRanges::from_json(RANGES).unwrap()),
        known: &KnownDestinations::built_in().unwrap(),
        names: &names,
        geo: &GeoDatabases::default(),
    })
    .unwrap()
}

fn told(operators: &Operators, addr: &str) -> (Option<String>, Option<String>, Option<String>) {
    let vpc = operators.vpc("vpc-1");
    let own = operators.of_addr(addr.parse().unwrap(), vpc, Timestamp(9_000));
    let service = own.service.map(|service| service.to_string());
    (
        service,
        own.region.map(str::to_owned),
        own.site.map(|site| site.to_string()),
    )
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn ranges_tell_services_and_regions() {
    let operators = operators(&[]);
    let s3 = told(&operators, "52.219.1.1");
    assert_eq!(s3, (some("s3 (eu-central-1)"), some("eu-central-1"), None));
    assert_eq!(
        told(&operators, "3.64.0.9"),
        (None, some("eu-central-1"), None)
    );
    assert_eq!(told(&operators, "13.32.0.9"), (None, None, None));
    assert_eq!(told(&operators, "185.1.2.3"), (None, None, None));
}

#[test]
fn names_tell_what_ranges_do_not() {
    let operators = operators(&[
        ("kms.eu-central-1.amazonaws.com", "3.64.0.9"),
        ("http-inputs-acme.splunkcloud.com", "3.64.0.10"),
        ("http-intake.logs.datadoghq.eu", "3.64.0.11"),
        ("example.com", "3.64.0.12"),
    ]);
    let region = some("eu-central-1");
    let of = |addr| told(&operators, addr);
    assert_eq!(
        of("3.64.0.9"),
        (some("kms (eu-central-1)"), region.clone(), None)
    );
    assert_eq!(
        of("3.64.0.10"),
        (
            None,
            region.clone(),
            some("Splunk Cloud Platform of customer acme")
        )
    );
    assert_eq!(
        of("3.64.0.11"),
        (None, region.clone(), some("Datadog EU1 (DE)"))
    );
    assert_eq!(of("3.64.0.12"), (None, region, None));
    // Not before it was answered, and nowhere else.
    let addr = "3.64.0.9".parse().unwrap();
    let before = operators.of_addr(addr, operators.vpc("vpc-1"), Timestamp(0));
    assert_eq!(before.service, None);
    assert!(operators.vpc("vpc-2").is_none());
}

#[test]
fn an_address_that_two_customers_share_is_of_neither() {
    let shared = operators(&[
        ("acme.splunkcloud.com", "3.64.0.10"),
        ("evil.splunkcloud.com", "3.64.0.10"),
    ]);
    let (.., site) = told(&shared, "3.64.0.10");
    assert_eq!(site, some("Splunk Cloud Platform"));
    let several = operators(&[
        ("acme.splunkcloud.com", "3.64.0.10"),
        ("example.com", "3.64.0.10"),
    ]);
    assert_eq!(told(&several, "3.64.0.10").2, None);
}
