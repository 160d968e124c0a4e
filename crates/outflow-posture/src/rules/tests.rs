use std::collections::BTreeSet;

use outflow_enrich::inventory::{InventoryBuilder, Place, Snapshot};
use proptest::prelude::*;

use super::*;
use crate::{Flow, Opened};

fn inventory() -> Inventory {
    inventory_of(Place {
        account_id: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
    })
}

fn inventory_of(place: Place) -> Inventory {
    let json = r#"{
        "Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}],
        "Subnets": [{"SubnetId": "subnet-a", "VpcId": "vpc-1"}],
        "RouteTables": [{"RouteTableId": "rtb-a", "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-a"}], "Routes": [
            {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}]}],
        "PrefixLists": [{"PrefixListId": "pl-s3", "PrefixListName": "com.amazonaws.eu-west-1.s3", "Cidrs": ["52.218.0.0/17"]},
            {"PrefixListId": "pl-all", "PrefixListName": "all", "Cidrs": ["0.0.0.0/0"]}],
        "VpcEndpoints": [],
        "NetworkInterfaces": [
            {"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-a", "PrivateIpAddress": "10.0.0.10",
             "Groups": [{"GroupId": "sg-web"}]},
            {"NetworkInterfaceId": "eni-2", "VpcId": "vpc-1", "SubnetId": "subnet-a", "PrivateIpAddress": "10.0.0.20",
             "Groups": [{"GroupId": "sg-db"}, {"GroupId": "sg-ops"}]},
            {"NetworkInterfaceId": "eni-3", "VpcId": "vpc-1", "SubnetId": "subnet-a", "PrivateIpAddress": "10.0.0.21",
             "Groups": [{"GroupId": "sg-cache"}, {"GroupId": "sg-ops"}]}]}"#;
    let mut builder = InventoryBuilder::default();
    builder
        .add(
            "inventory",
            json.as_bytes(),
            &Snapshot {
                place,
                taken_at: Timestamp(0),
            },
        )
        .unwrap();
    builder.build().unwrap()
}

fn to(destination: &str) -> Flow<'static> {
    Flow {
        account_id: "111122223333",
        vpc_id: "vpc-1",
        interface_id: "eni-1",
        workload: "web",
        port: 443,
        protocol: 6,
        bytes: 1_000,
        flows: 2,
        opened: Opened::Outbound,
        ..Flow::to(destination.parse().unwrap(), Timestamp(86_400))
    }
}

fn group() -> Target {
    Target::SecurityGroup("sg-web".to_owned())
}

/// What is learnt of flows, and the replay of these.
fn learnt(flows: &[Flow<'_>], incidents: &[&str]) -> (RuleSet, Replay) {
    let mut traffic = Traffic::default();
    flows.iter().for_each(|flow| traffic.add(flow));
    let incidents: BTreeSet<_> = incidents
        .iter()
        .map(|addr| ("eni-1".to_owned(), addr.parse().unwrap()))
        .collect();
    let inventory = inventory();
    let observed = Observed {
        inventory: &inventory,
        at: Timestamp(90_000),
        traffic: &traffic,
        incidents: &incidents,
    };
    let mut sets = RuleSet::learn(&group(), &observed);
    let set = sets.remove(0);
    let replay = set.replay(&observed);
    (set, replay)
}

fn said(set: &RuleSet) -> Vec<String> {
    let rules = set.rules.iter().map(|rule| {
        let ports = rule.ports.map_or("-".to_owned(), |ports| {
            format!("{}-{}", ports.first, ports.last)
        });
        let peer = match &rule.peer {
            RulePeer::PrefixList(id) | RulePeer::SecurityGroup(id) => id.clone(),
            RulePeer::Cidr(net) => net.to_string(),
        };
        format!("{}/{ports} {peer}", rule.protocol)
    });
    rules.collect()
}

#[test]
fn lists_go_before_groups_and_groups_before_networks() {
    let (set, replay) = learnt(
        &[
            to("52.218.3.4"),
            // The group that both have is enough.
            Flow {
                port: 5432,
                ..to("10.0.0.20")
            },
            Flow {
                port: 5432,
                ..to("10.0.0.21")
            },
            to("203.0.113.4"),
            to("203.0.113.5"),
            to("203.0.113.7"),
            Flow {
                port: 80,
                ..to("203.0.113.7")
            },
            Flow {
                port: 81,
                ..to("203.0.113.7")
            },
            Flow {
                protocol: 1,
                port: 0,
                ..to("203.0.113.7")
            },
            to("2001:db8::5"),
        ],
        &[],
    );
    assert_eq!(
        said(&set),
        [
            "6/443-443 pl-s3",
            "6/5432-5432 sg-ops",
            "6/443-443 203.0.113.4/31",
            "1/- 203.0.113.7/32",
            "6/80-81 203.0.113.7/32",
            "6/443-443 203.0.113.7/32",
            "6/443-443 2001:db8::5/128",
        ]
    );
    assert_eq!((replay.blocked_flows, replay.allowed_flows), (0, 20));
}

#[test]
fn what_was_refused_served_undecided_or_in_an_incident_is_not_learnt() {
    let undecided = Flow {
        opened: Opened::Unknown,
        ..to("203.0.113.6")
    };
    let (set, replay) = learnt(
        &[
            to("203.0.113.4"),
            Flow {
                refused: true,
                ..to("203.0.113.5")
            },
            Flow {
                opened: Opened::Inbound,
                ..to("198.51.100.5")
            },
            undecided,
            Flow {
                bytes: 7_000,
                ..to("203.0.113.66")
            },
            // The same destination of another host is no part of it, and neither is another group's host.
            Flow {
                interface_id: "eni-2",
                ..to("203.0.113.99")
            },
        ],
        &["203.0.113.66"],
    );
    assert_eq!(said(&set), ["6/443-443 203.0.113.4/32"]);
    assert_eq!(set.not_learnt.incident_bytes, 7_000);
    assert_eq!(set.not_learnt.undecided_flows, 2);
    let [blocked] = &replay.blocked[..] else {
        panic!("{replay:?}");
    };
    assert!(blocked.in_incident && blocked.bytes == 7_000);
    assert_eq!(replay.undecided.len(), 1);
}

#[test]
fn a_replay_ranks_new_destinations_by_what_they_would_break() {
    let (set, _) = learnt(&[to("203.0.113.4")], &[]);
    let mut traffic = Traffic::default();
    for (destination, bytes, port) in [
        ("198.51.100.1", 10, 443),
        ("198.51.100.2", 500, 443),
        ("203.0.113.4", 70, 22),
    ] {
        traffic.add(&Flow {
            bytes,
            port,
            domain: Some("new.example"),
            ..to(destination)
        });
    }
    let inventory = inventory();
    let replay = set.replay(&Observed {
        inventory: &inventory,
        at: Timestamp(90_000),
        traffic: &traffic,
        incidents: &BTreeSet::new(),
    });
    let order: Vec<u64> = replay.blocked.iter().map(|blocked| blocked.bytes).collect();
    assert_eq!((order, replay.blocked_bytes), (vec![500, 70, 10], 580));
    let json = serde_json::to_value(&replay).unwrap();
    assert_eq!(json["blocked"][0]["destination"], "198.51.100.2");
}

#[test]
fn more_networks_than_a_group_may_have_are_widened_and_it_is_said() {
    let names: Vec<String> = (0..100).map(|at| format!("203.0.113.{}", at * 2)).collect();
    let flows: Vec<Flow<'_>> = names.iter().map(|name| to(name)).collect();
    let (set, replay) = learnt(&flows, &[]);
    assert_eq!(said(&set), ["6/443-443 203.0.113.0/24"]);
    assert!(
        set.notes[0].starts_with("100 rules are more than the 60"),
        "{:?}",
        set.notes
    );
    assert_eq!(replay.blocked_flows, 0);
}

/// What is learnt of a host that uses services without endpoints, and sites with names.
fn learnt_of_services() -> RuleSet {
    learnt(
        &[
            Flow {
                traffic_path: Some(1),
                aws_service: Some("S3"),
                aws_region: Some("eu-west-1"),
                ..to("52.218.3.4")
            },
            Flow {
                traffic_path: Some(1),
                domain: Some("kms.eu-west-1.amazonaws.com"),
                ..to("52.95.1.1")
            },
            Flow {
                traffic_path: Some(1),
                domain: Some("kms.us-east-1.amazonaws.com"),
                ..to("52.95.2.1")
            },
            Flow {
                domain: Some("API.partner.example."),
                ..to("203.0.113.4")
            },
            Flow {
                domain: Some("${x}.example"),
                ..to("203.0.113.5")
            },
        ],
        &[],
    )
    .0
}

#[test]
fn a_listing_without_region_is_where_the_traffic_says() {
    let inventory = inventory_of(Place::default());
    let mut traffic = Traffic::default();
    traffic.add(&Flow {
        traffic_path: Some(1),
        aws_service: Some("S3"),
        aws_region: Some("eu-west-1"),
        ..to("52.218.3.4")
    });
    let proposed = |traffic: &Traffic| {
        let observed = Observed {
            inventory: &inventory,
            at: Timestamp(100),
            traffic,
            incidents: &BTreeSet::new(),
        };
        let sets = RuleSet::learn(&Target::SecurityGroup("sg-web".to_owned()), &observed);
        sets.into_iter().next().unwrap().endpoints.len()
    };
    assert_eq!(proposed(&traffic), 0);
    let mut other = Traffic::default();
    other.locate("vpc-1", "eu-west-1");
    traffic.merge(&other);
    assert_eq!(proposed(&traffic), 1);
    // Of two that are told, the last by name: no proposal for where the service is not.
    traffic.locate("vpc-1", "us-east-1");
    assert_eq!(proposed(&traffic), 0);
}

#[test]
fn services_without_an_endpoint_get_one_and_hosts_are_listed() {
    let set = learnt_of_services();
    let endpoints: Vec<_> = set
        .endpoints
        .iter()
        .map(|own| (&*own.service_name, own.is_gateway))
        .collect();
    assert_eq!(
        endpoints,
        [
            ("com.amazonaws.eu-west-1.kms", false),
            ("com.amazonaws.eu-west-1.s3", true)
        ]
    );
    assert_eq!(set.endpoints[1].route_table_ids, ["rtb-a"]);
    assert_eq!(
        set.domains,
        [
            "api.partner.example",
            "kms.eu-west-1.amazonaws.com",
            "kms.us-east-1.amazonaws.com"
        ]
    );
    assert!(
        set.notes
            .iter()
            .any(|note| note.starts_with("1 destinations by TLS or HTTP have no name"))
    );
}

#[test]
fn terraform_has_every_part_and_interpolates_nothing() {
    let set = learnt_of_services();
    let terraform = set.to_terraform();
    for line in [
        "resource \"aws_vpc_endpoint\" \"e_com_amazonaws_eu_west_1_s3\" {",
        "  route_table_ids   = [\"rtb-a\"]",
        "          \"aws:ResourceAccount\" = \"111122223333\"",
        "          \"api.partner.example\",",
        "          definition = [\"10.0.0.0/16\"]",
        "  security_group_id = \"sg-web\"",
        "  prefix_list_id = \"pl-s3\"",
    ] {
        assert!(
            terraform.lines().any(|own| own == line),
            "{line}\n{terraform}"
        );
    }
    // What stands in a name is text, and closes no literal.
    assert!(
        terraform.contains("$${x}.example") && !terraform.contains("\"${"),
        "{terraform}"
    );
    let open = terraform.matches(['{', '[']).count();
    assert_eq!(open, terraform.matches(['}', ']']).count());
    assert_eq!(
        serde_json::to_value(&set).unwrap()["rules"][0]["peer"]["prefix-list"],
        "pl-s3"
    );
}

#[test]
fn a_workload_is_given_its_group_by_a_variable() {
    let mut traffic = Traffic::default();
    traffic.add(&Flow {
        workload: "batch",
        interface_id: "eni-unknown",
        ..to("203.0.113.4")
    });
    traffic.add(&Flow {
        workload: "batch",
        vpc_id: "vpc-2",
        ..to("203.0.113.5")
    });
    let inventory = inventory();
    let observed = Observed {
        inventory: &inventory,
        at: Timestamp(90_000),
        traffic: &traffic,
        incidents: &BTreeSet::new(),
    };
    let sets = RuleSet::learn(&Target::Workload("batch".to_owned()), &observed);
    let vpcs: Vec<&str> = sets.iter().map(|set| &*set.vpc_id).collect();
    assert_eq!(vpcs, ["vpc-1", "vpc-2"]);
    let terraform = sets[0].to_terraform();
    assert!(
        terraform.starts_with("variable \"security_group_id\" {\n"),
        "{terraform}"
    );
    assert!(terraform.contains("  security_group_id = var.security_group_id\n"));
    assert_eq!(
        RuleSet::learn(&Target::Workload("none".to_owned()), &observed),
        []
    );
}

#[test]
fn descriptions_are_of_the_characters_and_length_that_aws_takes() {
    let text = crate::hcl::description(&format!("a\"b\\c\n{}é", "x".repeat(300)));
    assert_eq!(text.chars().count(), crate::DESCRIPTION_CHARS_MAX);
    assert!(text.starts_with("a_b_c_xxx"));
}

proptest! {
    #[test]
    fn a_replay_of_what_was_learnt_from_blocks_incidents_alone(
        rows in proptest::collection::vec((0u8..6, 0u8..255, 0u16..6, 0u8..3, 0u8..3), 1..120),
        incident in 0u8..255,
    ) {
        let mut traffic = Traffic::default();
        traffic.add(&to("203.0.113.1"));
        for (net, host, port, protocol, opened) in rows {
            let destination = match net {
                0 => format!("10.0.0.{}", 20 + host % 3),
                1 => format!("52.218.{}.{host}", host % 200),
                2 => format!("198.51.{host}.7"),
                3 => format!("2001:db8:{host:x}::{port}"),
                4 => format!("64:ff9b::203.0.113.{host}"),
                _ => format!("203.0.113.{host}"),
            };
            traffic.add(&Flow {
                port: 440 + port,
                protocol: [6, 17, 50][usize::from(protocol)],
                opened: [Opened::Outbound, Opened::Inbound, Opened::Unknown][usize::from(opened)],
                last_at: Timestamp(86_400 + i64::from(host)),
                ..to(&destination)
            });
        }
        let incidents = BTreeSet::from([("eni-1".to_owned(), format!("203.0.113.{incident}").parse().unwrap())]);
        let inventory = inventory();
        let observed = Observed { inventory: &inventory, at: Timestamp(90_000), traffic: &traffic, incidents: &incidents };
        for set in RuleSet::learn(&group(), &observed) {
            let replay = set.replay(&observed);
            prop_assert!(replay.blocked.iter().all(|blocked| blocked.in_incident), "{:?}", replay.blocked);
            let wide = set.rules.iter().any(|rule| matches!(rule.peer, RulePeer::Cidr(net) if crate::rule::is_open(net)));
            prop_assert!(!wide);
            prop_assert!(set.rules.iter().all(|rule| rule.flows > 0));
        }
    }
}
