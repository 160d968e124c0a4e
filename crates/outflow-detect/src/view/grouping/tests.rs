use ipnet::IpNet;
use outflow_enrich::{
    AwsRanges, DnsAnswer, GeoDatabases, GroupSources, Knowledge, KnownDestinations, PassiveDns,
};

use super::*;
use crate::judge::{Judged, judge_with};
use crate::policy::{Policy, Sanctioned};
use crate::reading::{START, state_of_lines};
use crate::time::Day;

const FORMAT: &str =
    "interface-id vpc-id srcaddr dstaddr srcport dstport protocol packets bytes start end";

const DAY: i64 = 86_400;

const RANGES: &[u8] = br#"{"createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [], "prefixes": [
    {"ip_prefix": "3.5.0.0/16", "region": "eu-west-1", "service": "S3", "network_border_group": "x"},
    {"ip_prefix": "52.0.0.0/11", "region": "eu-west-1", "service": "EC2", "network_border_group": "x"}]}"#;

/// Knowledge of AWS's ranges, and of answers by the second after [`START`], name and address.
fn knowledge(answers: &[(i64, &str, &str)]) -> Knowledge {
    let mut names = PassiveDns::default();
    for (at, name, addr) in answers {
        names.feed(&DnsAnswer {
            vpc_id: "vpc-1",
            at: Timestamp(START + at),
            name,
            addrs: &[addr.parse().unwrap()],
        });
    }
    let destinations = DestinationGroups::new(GroupSources {
        ranges: Some(&AwsRanges::from_json(RANGES).unwrap()),
        known: &KnownDestinations::built_in().unwrap(),
        names: &names,
        geo: &GeoDatabases::default(),
    });
    Knowledge {
        destinations: destinations.unwrap(),
        ..Knowledge::default()
    }
}

/// An upload: interface, destination, second after [`START`], megabytes.
type Upload<'t> = (&'t str, &'t str, i64, u64);

fn lines(uploads: &[Upload<'_>]) -> String {
    let line = |(id, remote, at, megabytes): &Upload<'_>| {
        let (bytes, start) = (megabytes * 1_000_000, START + at);
        format!("{id} vpc-1 10.0.0.7 {remote} 40000 443 6 1000 {bytes} {start} {start}\n")
    };
    uploads.iter().map(line).collect()
}

fn findings(policy: &Policy, knowledge: &Knowledge, uploads: &[Upload<'_>]) -> Vec<Judged> {
    let state = state_of_lines(FORMAT, &lines(uploads));
    judge_with(&state, policy, knowledge, Day(40_000)).findings
}

fn groups(findings: &[Judged]) -> Vec<&str> {
    let groups = findings.iter().map(|judged| &judged.finding.destination);
    groups
        .map(|of| of.group.as_deref().unwrap_or("-"))
        .collect()
}

#[test]
fn the_addresses_of_a_service_are_one_destination() {
    let uploads = [
        ("eni-a", "3.5.1.1", 0, 60),
        ("eni-a", "3.5.2.2", 60, 50),
        ("eni-a", "52.1.1.1", 120, 1),
    ];
    let found = findings(&Policy::default(), &knowledge(&[]), &uploads);
    assert_eq!(groups(&found), ["s3.eu-west-1"]);
    let finding = &found[0].finding;
    assert_eq!(
        finding.title,
        "111 MB of unexplained payload to s3.eu-west-1 over tcp/443 within 24 hours"
    );
    assert_eq!(
        finding.destination.addresses,
        ["3.5.1.1", "3.5.2.2", "52.1.1.1"]
    );
    let sql = finding.evidence.sql.as_deref().unwrap();
    assert!(sql.contains("'3.5.1.1', '3.5.2.2', '52.1.1.1'"), "{sql}");
}

/// Daily uploads to ever other addresses, and then a day on which they are as large as ever.
fn daily<'t>(addrs: &[&'t str]) -> Vec<Upload<'t>> {
    let days = addrs.iter().zip(0..);
    days.map(|(addr, day)| ("eni-a", *addr, day * DAY, 150))
        .collect()
}

#[test]
fn a_past_at_other_addresses_of_the_group_explains() {
    let addrs: Vec<String> = (0..40).map(|day| format!("203.0.{day}.9")).collect();
    let addrs: Vec<&str> = addrs.iter().map(String::as_str).collect();
    let uploads = daily(&addrs);
    let answers: Vec<(i64, &str, &str)> = uploads
        .iter()
        .map(|(_, addr, at, _)| (*at, "logs.example.com", *addr))
        .collect();
    let named = findings(&Policy::default(), &knowledge(&answers), &uploads);
    let days = |found: &[Judged]| found.iter().map(|of| of.day.0 - 20_000).max();
    assert_eq!(groups(&named)[0], "example.com");
    let last = days(&named).unwrap();
    assert!(last < 39, "established by then: {last}");
    // Address by address, each day is new.
    let unnamed = findings(&Policy::default(), &knowledge(&[]), &uploads);
    assert_eq!(days(&unnamed), Some(39));
    // What nobody asked for on the last day is no part of the group.
    let but_last = &answers[..answers.len() - 1];
    let novel = findings(&Policy::default(), &knowledge(but_last), &uploads);
    assert_eq!(days(&novel), Some(39));
    assert!(groups(&novel).contains(&"203.0.39.0/24"));
}

#[test]
fn an_address_of_anybody_is_not_joined_with_what_is_established() {
    let mut addrs = vec!["52.1.1.1"; 39];
    addrs.push("52.1.2.1");
    let found = findings(&Policy::default(), &knowledge(&[]), &daily(&addrs));
    let last = found.last().unwrap();
    assert_eq!(last.day, Day(20_039));
    assert_eq!(
        last.finding.destination.group.as_deref(),
        Some("52.1.2.0/24")
    );
}

#[test]
fn a_rule_for_a_network_allows_a_part_of_a_group() {
    let network: IpNet = "3.5.1.0/24".parse().unwrap();
    let policy = Policy {
        sanctioned: vec![Sanctioned {
            destination: network,
            workload: None,
            bytes_per_day: 1_000_000_000,
            reason: "backup".to_owned(),
        }],
        ..Policy::default()
    };
    let to = |addr| [("eni-a", addr, 0, 150)];
    let known = knowledge(&[]);
    assert_eq!(groups(&findings(&policy, &known, &to("3.5.1.1"))), [""; 0]);
    assert_eq!(
        groups(&findings(&policy, &known, &to("3.5.2.2"))),
        ["s3.eu-west-1"]
    );
}

#[test]
fn many_senders_to_a_group_cross_the_bound_of_a_destination() {
    let ids: Vec<String> = (0..6).map(|host| format!("eni-{host}")).collect();
    let addrs: Vec<String> = (0..6).map(|host| format!("3.5.{host}.1")).collect();
    let of = ids.iter().zip(&addrs);
    let uploads: Vec<Upload<'_>> = of.map(|(id, addr)| (&**id, &**addr, 0, 60)).collect();
    let found = findings(&Policy::default(), &knowledge(&[]), &uploads);
    assert_eq!(groups(&found), ["s3.eu-west-1"]);
    assert!(found[0].finding.title.contains("from 6 workloads"));
    assert!(findings(&Policy::default(), &Knowledge::default(), &uploads).is_empty());
}

#[test]
fn names_change_no_order_of_networks() {
    let network = |text: &str| Group::new(None, text.parse().unwrap());
    let known = knowledge(&[
        (0, "a.example.com", "203.0.113.1"),
        (0, "b.example.net", "203.0.113.2"),
    ]);
    let groups = &known.destinations;
    let named = |addr: &str| {
        let addr = addr.parse().unwrap();
        let id = groups.of_addr(addr, groups.vpc("vpc-1"), Timestamp(START));
        Group::new(Some(id.unwrap()), addr)
    };
    let ordered = [
        network("3.5.0.1"),
        network("203.0.113.9"),
        named("203.0.113.1"),
        named("203.0.113.2"),
        named("3.5.0.1"),
    ];
    assert!(ordered.is_sorted());
    assert_eq!(network("203.0.113.9"), network("203.0.113.1"));
}
