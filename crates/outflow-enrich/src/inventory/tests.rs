use super::*;
use crate::fixtures::folder;

fn at(secs: i64) -> Timestamp {
    Timestamp(secs)
}

fn snapshot(taken_at: i64) -> Snapshot {
    Snapshot {
        place: Place {
            account_id: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
        },
        taken_at: Timestamp(taken_at),
    }
}

/// An inventory of documents, each with the time at which it was taken.
fn inventory(documents: &[(i64, &str)]) -> Inventory {
    let mut builder = InventoryBuilder::default();
    for (taken_at, json) in documents {
        let name = format!("{taken_at}.json");
        builder
            .add(&name, json.as_bytes(), &snapshot(*taken_at))
            .unwrap();
    }
    builder.build().unwrap()
}

fn problems(inventory: &Inventory) -> Vec<String> {
    let said = |(problem, times): (&Problem, u64)| {
        format!(
            "{} {}: {} ×{times}",
            problem.source, problem.place, problem.what
        )
    };
    inventory.problems.iter().map(said).collect()
}

const FULL: &str = r#"{"NetworkInterfaces": [{
    "NetworkInterfaceId": "eni-1", "OwnerId": "123456789012", "VpcId": "vpc-1", "SubnetId": "subnet-1",
    "AvailabilityZoneId": "euw1-az1", "InterfaceType": "nat_gateway", "RequesterManaged": true,
    "Description": "Interface for NAT Gateway nat-0a", "SourceDestCheck": false,
    "PrivateIpAddress": "10.0.0.7", "Association": {"PublicIp": "198.51.100.1", "IpOwnerId": "amazon"},
    "PrivateIpAddresses": [
        {"Primary": true, "PrivateIpAddress": "10.0.0.7", "Association": {"PublicIp": "198.51.100.1"}},
        {"Primary": false, "PrivateIpAddress": "10.0.0.8"}],
    "Ipv6Addresses": [{"Ipv6Address": "2001:db8::7", "IsPrimaryIpv6": true}],
    "Ipv4Prefixes": [{"Ipv4Prefix": "10.0.1.0/28"}], "Ipv6Prefixes": [{"Ipv6Prefix": "2001:db8:1::/80"}],
    "Groups": [{"GroupId": "sg-2", "GroupName": "b"}, {"GroupId": "sg-1", "GroupName": "a"}],
    "Attachment": {"InstanceOwnerId": "amazon-aws", "DeviceIndex": 1},
    "TagSet": [{"Key": "Purpose", "Value": "egress"}], "Operator": {"Managed": false}}]}"#;

#[test]
fn an_interface_is_read_with_all_its_addresses() {
    let inventory = inventory(&[(100, FULL)]);
    assert_eq!(problems(&inventory), Vec::<String>::new());
    let known = inventory.interface("eni-1", at(100)).unwrap();
    assert_eq!(known.place, &snapshot(100).place);
    let interface = known.value;
    let addresses: Vec<String> = interface.addresses.iter().map(Addr::to_string).collect();
    assert_eq!(addresses, ["10.0.0.7", "10.0.0.8", "2001:db8::7"]);
    let public: Vec<String> = interface
        .public_addresses
        .iter()
        .map(Addr::to_string)
        .collect();
    assert_eq!(public, ["198.51.100.1"]);
    assert_eq!(interface.prefixes.len(), 2);
    assert_eq!(interface.kind, InterfaceKind::NatGateway);
    assert_eq!(interface.kind, InterfaceKind::named("natGateway"));
    assert_eq!(
        interface.security_groups.keys().collect::<Vec<_>>(),
        ["sg-1", "sg-2"]
    );
    assert_eq!(
        (
            interface.instance_id.as_deref(),
            interface.source_dest_check
        ),
        (None, false)
    );
    assert_eq!(interface.tags["Purpose"], "egress");
    assert_eq!(interface.managed_for(), Some("nat-0a"));
}

/// An interface with an address, in a VPC.
fn listing(interfaces: &[(&str, &str, &str)]) -> String {
    let interfaces = interfaces.iter().map(|(id, vpc, addr)| {
        format!(
            r#"{{"NetworkInterfaceId": "{id}", "VpcId": "{vpc}", "PrivateIpAddress": "{addr}"}}"#
        )
    });
    let interfaces: Vec<String> = interfaces.collect();
    format!(r#"{{"NetworkInterfaces": [{}]}}"#, interfaces.join(","))
}

#[test]
fn a_snapshot_holds_until_the_next_of_its_place_and_the_first_also_before() {
    let first = listing(&[("eni-1", "vpc-1", "10.0.0.7")]);
    let second = listing(&[("eni-2", "vpc-1", "10.0.0.7")]);
    let groups = r#"{"SecurityGroups": [{"GroupId": "sg-1"}]}"#;
    for documents in [
        [(10, &*first), (15, groups), (20, &*second)],
        [(20, &*second), (15, groups), (10, &*first)],
    ] {
        let inventory = inventory(&documents);
        let when = |id: &str, secs| inventory.interface(id, at(secs)).map(|known| known.when);
        assert_eq!(when("eni-1", 5), Some(When::NotYet));
        // The listing of groups says nothing of interfaces.
        assert_eq!(when("eni-1", 19), Some(When::Current));
        assert_eq!(when("eni-1", 20), Some(When::Gone));
        assert_eq!(when("eni-2", 15), Some(When::NotYet));
        assert_eq!(when("eni-2", 99), Some(When::Current));
        assert_eq!(when("eni-3", 15), None);
        let holder = |secs| {
            let known = inventory.holder("vpc-1", "10.0.0.7".parse().unwrap(), at(secs));
            known.unwrap().value.interface_id.clone()
        };
        assert_eq!(
            (holder(15), holder(25)),
            ("eni-1".to_owned(), "eni-2".to_owned())
        );
    }
}

#[test]
fn equal_private_addresses_of_two_vpcs_have_two_holders() {
    let json = listing(&[
        ("eni-1", "vpc-1", "10.0.0.7"),
        ("eni-2", "vpc-2", "10.0.0.7"),
    ]);
    let inventory = inventory(&[(10, FULL), (20, &json)]);
    let holder = |vpc: &str, addr: &str, secs| {
        let known = inventory.holder(vpc, addr.parse().unwrap(), at(secs))?;
        Some(known.value.interface_id.as_str())
    };
    assert_eq!(holder("vpc-1", "10.0.0.7", 20), Some("eni-1"));
    assert_eq!(holder("vpc-2", "10.0.0.7", 20), Some("eni-2"));
    assert_eq!(holder("vpc-3", "10.0.0.7", 20), None);
    // A delegated network, as long as it was delegated.
    assert_eq!(holder("vpc-1", "10.0.1.15", 15), Some("eni-1"));
    assert_eq!(holder("vpc-1", "10.0.1.16", 15), None);
    assert_eq!(holder("vpc-1", "10.0.1.15", 20), None);
}

#[test]
fn vpcs_have_all_networks_that_are_associated() {
    let json = r#"{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16",
        "CidrBlockAssociationSet": [
            {"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}},
            {"CidrBlock": "30.1.0.0/16", "CidrBlockState": {"State": "associated"}},
            {"CidrBlock": "30.2.0.0/16", "CidrBlockState": {"State": "disassociated"}}],
        "Ipv6CidrBlockAssociationSet": [
            {"Ipv6CidrBlock": "2001:db8::/56", "Ipv6CidrBlockState": {"State": "associated"}}]}]}"#;
    let inventory = inventory(&[(10, json)]);
    let cidrs = inventory.vpc_cidrs("vpc-1");
    let cidrs: Vec<String> = cidrs.iter().map(IpNet::to_string).collect();
    assert_eq!(cidrs, ["10.0.0.0/16", "30.1.0.0/16", "2001:db8::/56"]);
    assert!(inventory.vpc_cidrs("vpc-2").is_empty());
}

/// The lineage of an interface with these further keys, and of an instance with these tags.
fn lineage(keys: &str, instance_tags: &str) -> String {
    let interfaces =
        format!(r#"{{"NetworkInterfaces": [{{"NetworkInterfaceId": "eni-1", {keys}}}]}}"#);
    let instances = format!(
        r#"{{"Reservations": [{{"Instances": [{{"InstanceId": "i-1", "Tags": [{instance_tags}]}}]}}]}}"#
    );
    let inventory = inventory(&[(10, &interfaces), (10, &instances)]);
    assert_eq!(problems(&inventory), Vec::<String>::new());
    inventory.lineage("eni-1", at(10)).unwrap().to_string()
}

#[test]
fn a_lineage_is_the_first_that_is_known() {
    let all = r#""Attachment": {"InstanceId": "i-1"}, "SubnetId": "subnet-1",
                 "Groups": [{"GroupId": "sg-2"}, {"GroupId": "sg-1"}]"#;
    let asg =
        r#"{"Key": "aws:autoscaling:groupName", "Value": "web"}, {"Key": "app", "Value": "shop"}"#;
    assert_eq!(lineage(all, asg), "asg/web");
    let task = r#""TagSet": [{"Key": "aws:ecs:serviceName", "Value": "pay"},
                  {"Key": "aws:ecs:clusterName", "Value": "prod"}, {"Key": "Name", "Value": "x"}]"#;
    assert_eq!(lineage(task, ""), "ecs/prod/pay");
    let tags = r#"{"Key": "Name", "Value": "web-1"}, {"Key": "Role", "Value": "db"}, {"Key": "App", "Value": " "}"#;
    assert_eq!(lineage(all, tags), "role=db");
    assert_eq!(
        lineage(all, r#"{"Key": "Name", "Value": "web-1"}"#),
        "name=web-1"
    );
    assert_eq!(lineage(all, ""), "sg-1+sg-2@subnet-1");
    assert_eq!(lineage(r#""Attachment": {"InstanceId": "i-1"}"#, ""), "i-1");
    assert_eq!(lineage(r#""VpcId": "vpc-1""#, ""), "eni-1");
}

#[test]
fn a_managed_interface_stands_for_what_it_serves_and_nobody_elses_description_counts() {
    let described = |kind: &str, description: &str| {
        let keys = format!(
            r#""InterfaceType": "{kind}", "Description": "{description}", "Groups": [{{"GroupId": "sg-1"}}]"#
        );
        lineage(&keys, "")
    };
    assert_eq!(
        described("vpc_endpoint", "VPC Endpoint Interface vpce-1"),
        "vpce-1"
    );
    assert_eq!(
        described("load_balancer", "ELB app/shop/50dc6c495c0c9188"),
        "app/shop/50dc6c495c0c9188"
    );
    assert_eq!(
        described(
            "lambda",
            "AWS Lambda VPC ENI-thumb-nail-6c1f6d4e-13d2-4a0f-9f5e-0a1b2c3d4e5f"
        ),
        "thumb-nail"
    );
    assert_eq!(described("lambda", "AWS Lambda VPC ENI-é"), "é");
    assert_eq!(
        described("interface", "ELB app/shop/50dc6c495c0c9188"),
        "sg-1@"
    );
}

const CONFIG: &str = r#"{"fileVersion": "1.0", "configSnapshotId": "x", "configurationItems": [
    {"resourceType": "AWS::EC2::NetworkInterface", "resourceId": "eni-1", "awsAccountId": "123456789012",
     "awsRegion": "eu-west-1", "configurationItemStatus": "OK",
     "configurationItemCaptureTime": "1970-01-01T00:00:30.250Z",
     "configuration": {"networkInterfaceId": "eni-1", "vpcId": "vpc-1", "association": null,
        "privateIpAddresses": [{"primary": true, "privateIpAddress": "10.0.0.9"}],
        "groups": [{"groupId": "sg-1", "groupName": "a"}], "tagSet": [{"key": "app", "value": "shop"}]}},
    {"resourceType": "AWS::EC2::NetworkInterface", "resourceId": "eni-1", "configurationItemStatus": "ResourceDeleted",
     "configurationItemCaptureTime": "1970-01-01T00:00:40+00:00", "configuration": null},
    {"resourceType": "AWS::EC2::SecurityGroup", "resourceId": "sg-1", "configurationItemStatus": "OK",
     "configurationItemCaptureTime": "1970-01-01T00:00:30Z",
     "configuration": "{\"groupId\": \"sg-1\", \"ipPermissionsEgress\": [{\"ipProtocol\": \"-1\", \"ipRanges\": [\"0.0.0.0/0\"], \"ipv4Ranges\": [{\"cidrIp\": \"0.0.0.0/0\"}]}]}"},
    {"resourceType": "AWS::S3::Bucket", "resourceId": "b"}, {"resourceType": "AWS::S3::Bucket", "resourceId": "c"},
    {"resourceType": "AWS::EC2::VPC", "configurationItemCaptureTime": "yesterday"},
    {"resourceType": "AWS::EC2::Subnet", "configurationItemCaptureTime": "1970-01-01T00:00:30Z", "configuration": "{"},
    7]}"#;

#[test]
fn config_items_say_when_they_were_seen() {
    let inventory = inventory(&[(1_000, CONFIG)]);
    let known = inventory.interface("eni-1", at(35)).unwrap();
    assert_eq!((known.when, known.seen_at), (When::Current, at(30)));
    assert_eq!(known.place, &snapshot(0).place);
    assert_eq!(
        inventory.lineage("eni-1", at(35)).unwrap().to_string(),
        "app=shop"
    );
    assert!(
        inventory
            .holder("vpc-1", "10.0.0.9".parse().unwrap(), at(35))
            .is_some()
    );
    assert_eq!(
        inventory.interface("eni-1", at(40)).unwrap().when,
        When::Gone
    );
    let groups = inventory.security_groups.get("sg-1", at(30)).unwrap();
    let egress = &groups.value.ip_permissions_egress[0];
    assert_eq!(
        (egress.ip_protocol.as_str(), egress.ip_ranges.len()),
        ("-1", 1)
    );
    let problems = problems(&inventory);
    assert_eq!(problems.len(), 4, "{problems:#?}");
    assert_eq!(
        problems[0],
        "1000.json ConfigurationItems: resources of type `AWS::S3::Bucket` are not read ×2"
    );
    assert!(problems[1].contains("[5]: configurationItemCaptureTime is no time"));
    assert!(problems[2].contains("[6]: invalid type"), "{}", problems[2]);
    assert!(problems[3].contains("[7]: it is no object"));
    assert_eq!(inventory.problems.total(), 5);
}

#[test]
fn what_is_malformed_is_a_problem_and_the_rest_is_read() {
    let json = r#"{"NextToken": "more", "Volumes": [{}, {}], "Weather": "fine",
        "NetworkInterfaces": [{"VpcId": "vpc-1"}, {"NetworkInterfaceId": "eni-1", "PrivateIpAddress": "10.0.0"},
                              7, {"NetworkInterfaceId": "eni-2"}],
        "Reservations": [7, {"Instances": 8}]}"#;
    let later = r#"{"NetworkInterfaces": [], "NextToken": "more"}"#;
    let inventory = inventory(&[(10, json), (20, later)]);
    // A page does not say what there is not.
    assert_eq!(
        inventory.interface("eni-2", at(30)).unwrap().when,
        When::Current
    );
    let problems = problems(&inventory);
    let expected = [
        "10.json Instances[0]: ",
        "10.json Instances[1]: ",
        "10.json NetworkInterfaces[0]: it has no id",
        "10.json NetworkInterfaces[1]: invalid IP address syntax",
        "10.json NetworkInterfaces[2]: ",
        "10.json NextToken: ",
        "10.json Volumes: a list of 2 of a kind that is not read",
        "10.json Weather: it is no list of resources",
        "20.json NextToken: ",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}");
    }
}

#[test]
fn a_rule_that_makes_no_sense_takes_no_other_with_it() {
    let json = r#"{"SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1",
        "IpPermissions": [7],
        "IpPermissionsEgress": [
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
             "IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "10.0.0.0/33"}, {"CidrIp": "10.1.0.0/16"}],
             "PrefixListIds": [{"PrefixListId": 7}, {"PrefixListId": "pl-1"}]},
            {"IpProtocol": "udp", "FromPort": "all", "IpRanges": [{"CidrIp": "10.2.0.0/16"}]},
            {"IpProtocol": "-1", "UserIdGroupPairs": "none"},
            {"IpProtocol": "-1", "Ipv6Ranges": ["2001:db8::/32"]}]}]}"#;
    let inventory = inventory(&[(10, json)]);
    let group = inventory.security_groups.get("sg-1", at(30)).unwrap().value;
    let nets = |own: &Permission| {
        let all = own.ip_ranges.iter().chain(&own.ipv6_ranges);
        all.map(|range| range.net.to_string()).collect::<Vec<_>>()
    };
    let egress: Vec<Vec<String>> = group.ip_permissions_egress.iter().map(nets).collect();
    assert_eq!(
        egress,
        [vec!["10.0.0.0/8", "10.1.0.0/16"], vec!["2001:db8::/32"]]
    );
    assert_eq!(group.ip_permissions_egress[0].prefix_list_ids.len(), 1);
    assert_eq!(group.ip_permissions.len(), 0);
    assert_eq!((group.unread_ingress, group.unread_egress), (1, 4));
    let problems = problems(&inventory);
    let expected = [
        "10.json SecurityGroups[0].IpPermissionsEgress[0].IpRanges[1]: a network of a rule is none",
        "10.json SecurityGroups[0].IpPermissionsEgress[0].PrefixListIds[0]: invalid type",
        "10.json SecurityGroups[0].IpPermissionsEgress[1]: invalid type: string \"all\"",
        "10.json SecurityGroups[0].IpPermissionsEgress[2]: invalid type: string \"none\"",
        "10.json SecurityGroups[0].IpPermissions[0]: invalid type",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}");
    }
    // Nobody is to take what is left for all that there is.
    assert!(
        !inventory
            .security_groups
            .is_listed(&snapshot(0).place, at(30))
    );
}

#[test]
fn what_is_no_document_is_an_error() {
    for json in ["", "[]", "7", "{", &"[".repeat(100_000)] {
        let mut builder = InventoryBuilder::default();
        let error = builder.add("x", json.as_bytes(), &snapshot(0)).unwrap_err();
        assert!(
            error.to_string().starts_with("not an inventory: "),
            "{error}"
        );
    }
}

#[test]
fn changed_bytes_are_refused_or_harmless() {
    let mut read = 0;
    for document in [FULL, CONFIG] {
        for seed in 0..2_000usize {
            let mut bytes = document.as_bytes().to_vec();
            for step in 1..=3usize {
                let at = (seed * 7_919 + step * 104_729) % bytes.len();
                bytes[at] ^= u8::try_from((seed * 31 + step * 17) % 8).unwrap();
            }
            let mut builder = InventoryBuilder::default();
            if builder.add("x", &bytes, &snapshot(10)).is_ok() {
                let inventory = builder.build().unwrap();
                inventory.holder("vpc-1", "10.0.0.7".parse().unwrap(), at(20));
                for id in inventory.interfaces.ids() {
                    // Of what was only seen to be deleted, nothing is known.
                    let known = inventory.interface(id, at(20)).is_some();
                    assert_eq!(inventory.lineage(id, at(20)).is_some(), known);
                }
                read += 1;
            }
        }
    }
    assert!(read > 100, "only {read} were read at all");
}

#[test]
fn problems_beyond_the_limit_are_counted() {
    let items = vec!["7"; PROBLEMS_MAX + 5].join(",");
    let json = format!(r#"{{"Vpcs": [{items}]}}"#);
    let inventory = inventory(&[(10, &json)]);
    assert_eq!(inventory.problems.iter().count(), PROBLEMS_MAX);
    assert_eq!(inventory.problems.unnamed(), 5);
    assert_eq!(inventory.problems.total(), PROBLEMS_MAX as u64 + 5);
}

#[test]
fn published_outputs_are_read_without_a_problem() {
    let Some(folder) = folder("aws__aws-cli/ec2") else {
        return;
    };
    let mut builder = InventoryBuilder::default();
    let mut refused = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if builder
            .add(&name, &std::fs::read(&path).unwrap(), &snapshot(10))
            .is_err()
        {
            refused.push(name);
        }
    }
    // It shows what a projection prints, not the API's own form.
    assert_eq!(refused, ["describe-security-groups.1.json"]);
    let inventory = builder.build().unwrap();
    assert_eq!(
        problems(&inventory),
        [
            "get-managed-prefix-list-entries.1.json Entries: a list of 2 of a kind that is not read ×1"
        ]
    );
    let known = inventory.interface("eni-e5aa89a3", at(10)).unwrap().value;
    assert_eq!(known.instance_id.as_deref(), Some("i-1234567890abcdef0"));
    assert_eq!(
        inventory
            .lineage("eni-e5aa89a3", at(10))
            .unwrap()
            .to_string(),
        "sg-8637d3e3@subnet-b61f49f0"
    );
    let second = "10.0.1.117".parse().unwrap();
    let holder = inventory.holder("vpc-8941ebec", second, at(10)).unwrap();
    assert_eq!(holder.value.interface_id, "eni-b9a5ac93");
    assert_eq!(inventory.vpc_cidrs("vpc-0e9801d129EXAMPLE").len(), 1);
    let nat = inventory
        .nat_gateways
        .get("nat-01234567890abcdef", at(10))
        .unwrap()
        .value;
    assert_eq!(nat.nat_gateway_addresses.len(), 2);
    let lists = inventory
        .prefix_lists
        .get("pl-63a5400a", at(10))
        .unwrap()
        .value;
    assert_eq!(lists.cidrs.len(), 1);
    let counts = [
        inventory.security_group_rules.ids().count(),
        inventory.vpc_endpoints.ids().count(),
        inventory.flow_logs.ids().count(),
        inventory.transit_gateway_attachments.ids().count(),
    ];
    assert!(counts.iter().all(|count| *count >= 2), "{counts:?}");
    let routes = inventory
        .route_tables
        .get("rtb-a1eec7de", at(10))
        .unwrap()
        .value;
    assert_eq!(routes.routes[1].gateway_id.as_deref(), Some("igw-fEXAMPLE"));
}

#[test]
fn what_is_told_as_an_inventory_is_what_a_builder_reads() {
    let lists = [
        "configurationItems",
        "FlowLogs",
        "Instances",
        "NatGateways",
        "NetworkInterfaces",
        "PrefixLists",
        "Reservations",
        "RouteTables",
        "SecurityGroupRules",
        "SecurityGroups",
        "Subnets",
        "TransitGatewayAttachments",
        "VpcEndpoints",
        "Vpcs",
        "KeyPairs",
    ];
    for list in lists {
        let json = format!(r#"{{"{list}": []}}"#);
        let mut builder = InventoryBuilder::default();
        builder
            .add("x", json.as_bytes(), &Snapshot::default())
            .unwrap();
        let is_read = builder.build().unwrap().problems.total() == 0;
        assert_eq!(is_inventory(json.as_bytes()), is_read, "{list}");
        assert_eq!(is_read, list != "KeyPairs");
    }
}

#[test]
fn what_watches_and_filters_the_resolver_is_read() {
    let logs = r#"{"TotalCount": 1, "TotalFilteredCount": 1, "ResolverQueryLogConfigAssociations": [
        {"Id": "rslvr-qlcassoc-1", "ResolverQueryLogConfigId": "rslvr-qlc-1", "ResourceId": "vpc-1",
         "Status": "ACTIVE", "Error": "NONE", "ErrorMessage": "", "CreationTime": "2026-01-01T00:00:00Z"}]}"#;
    let firewalls = r#"{"FirewallRuleGroupAssociations": [
        {"Id": "rslvr-frgassoc-1", "FirewallRuleGroupId": "rslvr-frg-1", "VpcId": "vpc-1", "Priority": 101,
         "Status": "COMPLETE"}]}"#;
    let inventory = inventory(&[(10, logs), (20, firewalls)]);
    assert_eq!(problems(&inventory), Vec::<String>::new());
    let log = inventory
        .resolver_query_logs
        .get("rslvr-qlcassoc-1", at(10));
    let log = log.unwrap().value;
    assert_eq!((&*log.resource_id, &*log.status), ("vpc-1", "ACTIVE"));
    let firewall = inventory.dns_firewalls.get("rslvr-frgassoc-1", at(20));
    let firewall = firewall.unwrap().value;
    assert_eq!(
        (&*firewall.vpc_id, &*firewall.status),
        ("vpc-1", "COMPLETE")
    );
}

#[test]
fn that_a_kind_was_listed_is_known_from_whole_listings_only() {
    let whole = r#"{"SecurityGroupRules": [{"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "IsEgress": true,
        "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0", "Description": "why",
        "Tags": [{"Key": "owner", "Value": "ops"}]}]}"#;
    let cut = r#"{"NextToken": "more", "FlowLogs": []}"#;
    let inventory = inventory(&[(10, whole), (10, cut)]);
    let place = snapshot(0).place;
    assert!(inventory.security_group_rules.is_listed(&place, at(10)));
    assert!(!inventory.security_group_rules.is_listed(&place, at(9)));
    assert!(
        !inventory
            .security_group_rules
            .is_listed(&Place::default(), at(10))
    );
    assert!(!inventory.flow_logs.is_listed(&place, at(10)));
    assert_eq!(
        inventory.security_group_rules.places().collect::<Vec<_>>(),
        [&place]
    );
    let rule = inventory.security_group_rules.get("sgr-1", at(10));
    let rule = rule.unwrap().value;
    assert_eq!(rule.description.as_deref(), Some("why"));
    assert_eq!(rule.tags["owner"], "ops");
}

#[test]
fn a_listing_of_which_something_is_not_understood_is_not_whole() {
    let whole =
        r#"{"SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissionsEgress": []}]}"#;
    let listed = |json: &str| {
        let inventory = inventory(&[(10, json)]);
        let place = snapshot(10).place;
        (
            inventory.security_groups.is_listed(&place, at(10)),
            inventory.problems.total(),
        )
    };
    assert_eq!(listed(whole), (true, 0));
    let group = |more: &str| {
        format!(r#"{{"SecurityGroups": [{{"GroupId": "sg-1", "VpcId": "vpc-1"{more}}}]}}"#)
    };
    for json in [
        // Cut down by who asked, so that it looks closed.
        group(""),
        group(r#", "IpPermissionsEgress": null"#),
        group(r#", "IpPermissionsEgress": {}"#),
        group(r#", "IpPermissionsEgress": [{"IpRanges": [{"CidrIp": "10.0.0.0/33"}]}]"#),
        group(r#", "IpPermissionsEgress": [{"IpRanges": [{"CidrIp": "nonsense"}]}]"#),
        group(r#", "IpPermissionsEgress": [{"IpRanges": "0.0.0.0/0"}]"#),
        group(r#", "IpPermissionsEgress": [{"FromPort": "443"}]"#),
        r#"{"SecurityGroups": [{"GroupId": "sg-1", "IpPermissionsEgress": []}]}"#.to_owned(),
        r#"{"SecurityGroups": [{"VpcId": "vpc-1", "IpPermissionsEgress": []}]}"#.to_owned(),
        r#"{"SecurityGroups": ["sg-1"]}"#.to_owned(),
        r#"{"SecurityGroups": [null]}"#.to_owned(),
        r#"{"SecurityGroups": {"GroupId": "sg-1"}}"#.to_owned(),
    ] {
        assert_eq!(listed(&json), (false, 1), "{json}");
    }
    // The same twice is no contradiction, and another of the same id is.
    let open =
        r#"{"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissionsEgress": [{"IpProtocol": "-1"}]}"#;
    let closed = r#"{"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissionsEgress": []}"#;
    let both = |a: &str, b: &str| format!(r#"{{"SecurityGroups": [{a}, {b}]}}"#);
    assert_eq!(listed(&both(closed, closed)), (true, 0));
    assert_eq!(listed(&both(open, closed)), (false, 1));
    assert_eq!(listed(&both(closed, open)), (false, 1));
}

#[test]
fn what_a_listing_understands_stays_when_another_part_of_it_is_not_understood() {
    let first = r#"{"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1"}, {"SubnetId": "subnet-2", "VpcId": "vpc-1"}]}"#;
    let second = r#"{"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1"}, {"SubnetId": 2}]}"#;
    let inventory = inventory(&[(10, first), (20, second)]);
    let place = snapshot(20).place;
    assert!(!inventory.subnets.is_listed(&place, at(20)));
    let stale = |id: &str| {
        let known = inventory.subnets.get(id, at(20)).unwrap();
        (known.when, inventory.subnets.is_stale(&known, at(20)))
    };
    assert_eq!(stale("subnet-1"), (When::Current, false));
    // Nobody knows whether the other is the one that is not understood.
    assert_eq!(stale("subnet-2"), (When::Current, true));
}

#[test]
fn firewalls_are_read_one_by_one_as_the_command_line_describes_them() {
    let firewall = r#"{"UpdateToken": "x", "Firewall": {"FirewallName": "fw", "FirewallArn": "arn:fw",
        "FirewallPolicyArn": "arn:p"}, "FirewallStatus": {"SyncStates": {"a": {"Attachment": {"EndpointId": "vpce-1"}}}}}"#;
    let policy = r#"{"FirewallPolicyResponse": {"FirewallPolicyArn": "arn:p"}, "FirewallPolicy": {"StatelessDefaultActions": []}}"#;
    let group = r#"{"RuleGroup": {"RulesSource": {"RulesString": ""}}, "RuleGroupResponse": {"RuleGroupArn": "arn:g"}}"#;
    for json in [firewall, policy, group] {
        assert!(is_inventory(json.as_bytes()), "{json}");
    }
    let inventory = inventory(&[(10, firewall), (10, policy), (10, group)]);
    assert_eq!(problems(&inventory), Vec::<String>::new());
    let known = inventory.network_firewalls.get("arn:fw", at(10)).unwrap();
    assert_eq!(known.value.firewall_policy_arn.as_deref(), Some("arn:p"));
    assert!(inventory.firewall_policies.get("arn:p", at(10)).is_some());
    assert!(
        inventory
            .firewall_rule_groups
            .get("arn:g", at(10))
            .is_some()
    );
    // One of them is not all of them.
    assert!(
        !inventory
            .network_firewalls
            .is_listed(&snapshot(10).place, at(10))
    );
}

#[test]
fn recorders_of_one_name_are_kept_apart_by_place() {
    let json = |records: bool| {
        format!(
            r#"{{"ConfigurationRecordersStatus": [{{"name": "default", "recording": {records}}}]}}"#
        )
    };
    let mut builder = InventoryBuilder::default();
    for (region, records) in [("eu-west-1", true), ("us-east-1", false)] {
        let mut snapshot = snapshot(10);
        snapshot.place.region = region.to_owned();
        builder
            .add("status.json", json(records).as_bytes(), &snapshot)
            .unwrap();
    }
    let inventory = builder.build().unwrap();
    let states = &inventory.config_recorder_states;
    let records = |id: &str| states.get(id, at(10)).unwrap().value.recording;
    assert!(records("123456789012/eu-west-1/default"));
    assert!(!records("123456789012/us-east-1/default"));
}
