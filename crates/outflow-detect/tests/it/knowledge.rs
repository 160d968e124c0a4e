//! Knowledge beside the records: judging stays a function of the sums, whatever order they came in.

use std::collections::BTreeSet;
use std::sync::Arc;

use outflow_detect::{Day, Grain, Policy, SHARD_KEYS_MAX, State, judge_with};
use outflow_enrich::inventory::{InventoryBuilder, Place, Snapshot};
use outflow_enrich::{
    AwsRanges, DestinationGroups, DnsAnswer, GeoDatabases, GroupSources, Knowledge,
    KnownDestinations, Operators, PassiveDns,
};
use outflow_finding::{InterfaceCoverage, SENDER_TAGS_MAX};
use outflow_record::{Addr, Field, Timestamp};

use crate::fixture::{CASES, Case, Dice, Piece, engine_of, state_of, strict};

/// What somebody might know of a world: workloads that interfaces change on the way, a gateway, and names of half of
/// the addresses.
fn knowledge(case: &Case) -> Knowledge {
    let starts = case.objects.iter().map(|object| object.slot);
    let (first, last) = (starts.clone().min().unwrap(), starts.max().unwrap());
    let interfaces = case.state().coverage(Grain::Interface);
    let mut inventory = InventoryBuilder::default();
    for (part, taken_at) in [(3, first), (2, (first + last) / 2)] {
        let listed: Vec<String> = (0..)
            .zip(&interfaces)
            .map(|(number, of)| {
                let id = of.interface_id.as_deref().unwrap();
                let kind = if number == 0 {
                    "nat_gateway"
                } else {
                    "interface"
                };
                let app = number % part;
                format!(
                    r#"{{"NetworkInterfaceId": "{id}", "VpcId": "vpc-1", "InterfaceType": "{kind}",
                        "TagSet": [{{"Key": "app", "Value": "{app}"}}]}}"#
                )
            })
            .collect();
        let json = format!(
            r#"{{"NetworkInterfaces": [{}], "VpcEndpoints": [{}]}}"#,
            listed.join(","),
            endpoints(&interfaces)
        );
        let snapshot = Snapshot {
            place: Place::default(),
            taken_at: Timestamp(taken_at),
        };
        inventory.add("x", json.as_bytes(), &snapshot).unwrap();
    }
    let names = names(case, &interfaces, first);
    let ranges = br#"{"createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [], "prefixes": [
        {"ip_prefix": "52.0.0.0/8", "region": "eu-west-1", "service": "S3", "network_border_group": "x"}]}"#;
    let sources = GroupSources {
        ranges: Some(&AwsRanges::from_json(ranges).unwrap()),
        known: &KnownDestinations::built_in().unwrap(),
        names: &names,
        geo: &GeoDatabases::default(),
    };
    Knowledge {
        inventory: Arc::new(inventory.build().unwrap()),
        destinations: DestinationGroups::new(sources).unwrap(),
        operators: Operators::new(sources).unwrap(),
        geo: Arc::default(),
    }
}

/// Names of half of the addresses, in all VPCs.
fn names(case: &Case, interfaces: &[InterfaceCoverage], first: i64) -> PassiveDns {
    let mut names = PassiveDns::default();
    for piece in &case.pieces {
        for addr in piece
            .decoded
            .flows
            .addrs(Field::DstAddr)
            .unwrap()
            .iter()
            .flatten()
        {
            let addr = Addr::from_bytes(addr.try_into().unwrap());
            let [.., low] = addr.bytes();
            let name = [
                "a.example.com",
                "b.example.com",
                "a.example.net",
                "acme.splunkcloud.com",
                "other.splunkcloud.com",
            ][usize::from(low) % 5];
            for of in interfaces.iter().filter(|_| low < 128) {
                names.feed(&DnsAnswer {
                    vpc_id: of.vpc_id.as_deref().unwrap_or("vpc-1"),
                    at: Timestamp(first + 43_200),
                    name,
                    addrs: &[addr],
                });
            }
        }
    }
    names
}

/// An endpoint for S3 in each VPC that records or the listing name.
fn endpoints(interfaces: &[InterfaceCoverage]) -> String {
    let vpcs = interfaces
        .iter()
        .map(|of| of.vpc_id.as_deref().unwrap_or("vpc-1"));
    let vpcs: BTreeSet<&str> = vpcs.collect();
    let endpoint = |vpc_id: &&str| {
        format!(
            r#"{{"VpcEndpointId": "vpce-{vpc_id}", "VpcEndpointType": "Interface", "VpcId": "{vpc_id}",
                "ServiceName": "com.amazonaws.eu-west-1.s3"}}"#
        )
    };
    vpcs.iter().map(endpoint).collect::<Vec<_>>().join(",")
}

fn verdict(state: &State, knowledge: &Knowledge) -> String {
    format!(
        "{:#?}",
        judge_with(state, &strict(), knowledge, Day(40_000))
    )
}

#[test]
fn order_and_grouping_are_free_whatever_is_known() {
    for case in &CASES[..2] {
        let known = knowledge(case);
        let fold =
            |pieces: &[&Piece]| state_of(pieces.iter().copied(), &case.networks, SHARD_KEYS_MAX);
        let expected = verdict(&case.state(), &known);
        let name = case.name;
        for said in [
            "app=1",
            "s3.eu-west-1",
            "\"example.com\"",
            "to AWS in eu-west-1",
            "of customer other",
            "past the endpoint",
        ] {
            assert!(expected.contains(said), "{name}: nothing of {said}");
        }
        assert!(expected != verdict(&case.state(), &Knowledge::default()));
        let mut pieces: Vec<&Piece> = case.pieces.iter().collect();
        Dice::new(11).shuffle(&mut pieces);
        assert!(verdict(&fold(&pieces), &known) == expected, "{name}: order");
        let (left, right) = pieces.split_at(pieces.len() / 3);
        let mut merged = fold(right);
        merged.merge(fold(left));
        assert!(verdict(&merged, &known) == expected, "{name}: grouping");
        let restored = State::decode(&merged.encode(), SHARD_KEYS_MAX).unwrap();
        assert!(verdict(&restored, &known) == expected, "{name}: restored");
    }
}

/// A host behind a gateway, which logs for it, and one that logs itself; each sends 300 MB on a day of its own.
fn senders(interfaces: &[(i64, String)]) -> Vec<outflow_finding::Sender> {
    let format = "account-id vpc-id interface-id instance-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr srcport dstport \
                  protocol packets bytes start end action flow-direction";
    let day = |number: i64| (number * 86_400, number * 86_400 + 59);
    let ((first, end), (second, ends)) = (day(20_000), day(20_001));
    let lines = [
        format!(
            "1 vpc-1 eni-nat - 10.0.0.5 10.0.0.9 10.0.0.5 45.1.2.3 40000 443 6 1000 300000000 {first} {end} ACCEPT \
             ingress"
        ),
        format!(
            "1 vpc-1 eni-1 i-1 10.0.0.7 45.1.2.4 10.0.0.7 45.1.2.4 40000 443 6 1000 300000000 {second} {ends} ACCEPT \
             egress"
        ),
    ];
    let mut inventory = InventoryBuilder::default();
    for (taken_at, listed) in interfaces {
        let json = format!(r#"{{"NetworkInterfaces": [{listed}], "NextToken": "x"}}"#);
        let snapshot = Snapshot {
            place: Place::default(),
            taken_at: Timestamp(*taken_at),
        };
        inventory.add("x", json.as_bytes(), &snapshot).unwrap();
    }
    let subnets = br#"{"Subnets": [{"SubnetId": "subnet-1", "AvailabilityZoneId": "euc1-az1"}],
        "SecurityGroups": [{"GroupId": "sg-2", "GroupName": "db"}],
        "Instances": [{"InstanceId": "i-1", "Tags": [{"Key": "app", "Value": "shop"}, {"Key": "team", "Value": "a"}]}]}"#;
    inventory.add("y", subnets, &Snapshot::default()).unwrap();
    let knowledge = Knowledge {
        inventory: Arc::new(inventory.build().unwrap()),
        ..Knowledge::default()
    };
    let state = engine_of(Policy::default(), format, &lines).into_state();
    let verdict = judge_with(&state, &Policy::default(), &knowledge, Day(40_000));
    let mut findings = verdict.findings;
    findings.sort_by_key(|judged| judged.day);
    findings.into_iter().map(|own| own.finding.sender).collect()
}

#[test]
fn a_sender_is_what_its_interface_was_at_the_last_packet() {
    let noon = |day: i64| day * 86_400 + 43_200;
    let of = |id: &str, addr: &str, rest: &str| {
        format!(
            r#"{{"NetworkInterfaceId": "{id}", "VpcId": "vpc-1", "SubnetId": "subnet-1", "PrivateIpAddress": "{addr}",
                "PrivateIpAddresses": [{{"PrivateIpAddress": "{addr}"}}], {rest}}}"#
        )
    };
    let of_host = of(
        "eni-host",
        "10.0.0.5",
        r#""Attachment": {"InstanceId": "i-host"}, "Groups": [{"GroupId": "sg-1", "GroupName": "web"}]"#,
    );
    let of_gateway = of(
        "eni-nat",
        "10.0.0.9",
        r#""InterfaceType": "nat_gateway", "Groups": [{"GroupId": "sg-nat"}]"#,
    );
    let tags: Vec<String> = (0..60)
        .map(|at| format!(r#"{{"Key": "k{at:02}", "Value": "v"}}"#))
        .collect();
    let of_logged = of(
        "eni-1",
        "10.0.0.7",
        &format!(
            r#""Groups": [{{"GroupId": "sg-2"}}], "TagSet": [{{"Key": "team", "Value": "b"}}, {}]"#,
            tags.join(",")
        ),
    );
    let later = of("eni-1", "10.0.0.7", r#""Groups": [{"GroupId": "sg-3"}]"#);
    let listed = [
        (noon(19_999), format!("{of_host}, {of_gateway}")),
        (noon(20_000), of_logged),
        (noon(20_001), later),
    ];
    let [behind, logged] = &senders(&listed)[..] else {
        panic!("two findings");
    };
    let groups = |of: &outflow_finding::Sender| -> Vec<(String, Option<String>)> {
        let groups = of.security_groups.iter();
        groups
            .map(|group| (group.id.clone(), group.name.clone()))
            .collect()
    };
    let named = |id: &str, name: &str| vec![(id.to_owned(), Some(name.to_owned()))];
    // The host's own interface, not that of the gateway which logged for it.
    assert_eq!(groups(behind), named("sg-1", "web"));
    assert_eq!(behind.instance_id.as_deref(), Some("i-host"));
    assert_eq!(behind.observed_at, Some(Timestamp(noon(19_999))));
    // What was listed after the packets is not told, and another listing names the group.
    assert_eq!(groups(logged), named("sg-2", "db"));
    assert_eq!(logged.observed_at, Some(Timestamp(noon(20_000))));
    assert_eq!(logged.instance_id.as_deref(), Some("i-1"));
    assert_eq!(logged.subnet_id.as_deref(), Some("subnet-1"));
    assert_eq!(logged.availability_zone_id.as_deref(), Some("euc1-az1"));
    assert_eq!(logged.lineage.as_deref(), Some("sg-2@subnet-1"));
    assert_eq!(logged.tags.len(), SENDER_TAGS_MAX);
    assert_eq!(logged.tags_total, 62);
    assert_eq!(
        senders(&[])[1].instance_id.as_deref(),
        Some("i-1"),
        "by records"
    );
    assert_eq!(senders(&[])[1].security_groups, []);
}
