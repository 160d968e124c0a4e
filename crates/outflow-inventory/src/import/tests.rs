use std::fs;

use serde_json::json;

use super::*;

fn sources(files: &[(&str, Value)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in files {
        fs::write(folder.path().join(name), value.to_string()).unwrap();
    }
    folder
}

fn imported(files: &[(&str, Value)], options: &ImportOptions) -> (tempfile::TempDir, Imported) {
    let (from, out) = (sources(files), tempfile::tempdir().unwrap());
    let imported = import(out.path(), &[from.path().to_owned()], options).unwrap();
    (out, imported)
}

fn here() -> ImportOptions {
    ImportOptions {
        account_id: Some("111122223333".to_owned()),
        region: Some("eu-west-1".to_owned()),
        taken_at: Some("2026-10-01".parse().unwrap()),
    }
}

fn read(imported: &Imported, file: &str) -> Value {
    serde_json::from_slice(&fs::read(imported.written.path.join(file)).unwrap()).unwrap()
}

fn call<'a>(imported: &'a Imported, list: &str) -> &'a CollectedCall {
    let mut calls = imported.written.collected.calls.iter();
    calls.find(|call| call.list == list).unwrap()
}

fn stored(resources: Value) -> Value {
    json!({"version": 4, "terraform_version": "1.9.0", "resources": resources})
}

fn managed(kind: &str, name: &str, attributes: Value) -> Value {
    json!({"mode": "managed", "type": kind, "name": name, "instances": [{"attributes": attributes}]})
}

#[test]
fn lists_of_the_command_line_are_whole_unless_a_page_is_missing() {
    let files = [
        (
            "a.json",
            json!({"Vpcs": [{"VpcId": "vpc-1", "OwnerId": "111122223333"}]}),
        ),
        (
            "b.json",
            json!({"Subnets": [{"SubnetId": "subnet-1",
            "SubnetArn": "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1"}], "NextToken": "x"}),
        ),
        (
            "c.json",
            json!({"PrefixLists": [{"PrefixListId": "pl-1", "Cidrs": ["10.0.0.0/8"]}]}),
        ),
        (
            "d.json",
            json!({"PrefixLists": [{"PrefixListId": "pl-1", "Version": 3}]}),
        ),
        ("e.json", json!({"Buckets": []})),
        ("f.json", json!({"configurationItems": []})),
        ("g.txt", json!("no JSON is looked for here")),
    ];
    let options = ImportOptions {
        taken_at: here().taken_at,
        ..ImportOptions::default()
    };
    let (out, imported) = imported(&files, &options);
    let path = out.path().join("111122223333/eu-west-1/20261001T000000Z");
    assert_eq!(imported.written.path, path);
    assert_eq!(call(&imported, "Vpcs").state, CallState::Ok);
    assert_eq!(call(&imported, "Subnets").state, CallState::Partial);
    assert_eq!(call(&imported, "ConfigurationItems").state, CallState::Ok);
    let merged = json!([{"PrefixListId": "pl-1", "Cidrs": ["10.0.0.0/8"], "Version": 3}]);
    assert_eq!(read(&imported, "prefix-lists.json")["PrefixLists"], merged);
    assert!(imported.files_passed_over[0].ends_with("e.json"));
    assert_eq!(imported.written.collected.from, "cli+config");
}

#[test]
fn what_the_command_line_describes_alone_is_a_part_of_its_list() {
    let files = [
        (
            "a.json",
            json!({"UpdateToken": "x", "Firewall": {"FirewallArn": "arn:fw"}, "FirewallStatus": {}}),
        ),
        (
            "b.json",
            json!({"Firewalls": [{"FirewallArn": "arn:fw"}, {"FirewallArn": "arn:other"}]}),
        ),
        (
            "c.json",
            json!({"RuleGroup": {"RulesSource": {}}, "RuleGroupResponse": {"RuleGroupArn": "arn:g"}}),
        ),
    ];
    let (_out, imported) = imported(&files, &here());
    assert_eq!(call(&imported, "Firewalls").state, CallState::Partial);
    assert_eq!(call(&imported, "RuleGroups").items, 1);
    let firewalls = read(&imported, "network-firewalls.json");
    assert_eq!(firewalls["Firewalls"].as_array().unwrap().len(), 3);
    assert!(imported.files_passed_over.is_empty());
}

/// What Terraform stores of a network.
fn network() -> Vec<Value> {
    vec![
        managed(
            "aws_vpc",
            "main",
            json!({"id": "vpc-1", "cidr_block": "10.0.0.0/16", "owner_id": "111122223333",
            "arn": "arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1", "tags_all": {"env": "prod"}}),
        ),
        managed(
            "aws_vpc_ipv4_cidr_block_association",
            "more",
            json!({"vpc_id": "vpc-1", "cidr_block": "10.1.0.0/16"}),
        ),
        managed(
            "aws_subnet",
            "a",
            json!({"id": "subnet-1", "vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24"}),
        ),
        managed(
            "aws_route_table",
            "rt",
            json!({"id": "rtb-1", "vpc_id": "vpc-1", "route": [
            {"cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1", "gateway_id": ""}]}),
        ),
        managed(
            "aws_route",
            "s3",
            json!({"route_table_id": "rtb-1", "destination_prefix_list_id": "pl-1",
            "vpc_endpoint_id": "vpce-1"}),
        ),
        managed(
            "aws_route_table_association",
            "a",
            json!({"route_table_id": "rtb-1", "subnet_id": "subnet-1"}),
        ),
        managed(
            "aws_flow_log",
            "f",
            json!({"id": "fl-1", "vpc_id": "vpc-1", "traffic_type": "ALL",
            "max_aggregation_interval": 60}),
        ),
        managed(
            "aws_network_interface",
            "n",
            json!({"id": "eni-1", "subnet_id": "subnet-1", "security_groups": ["sg-1"],
            "private_ips": ["10.0.1.5"]}),
        ),
        managed("aws_s3_bucket", "b", json!({"id": "b"})),
        json!({"mode": "data", "type": "aws_vpc", "name": "other", "instances": [{"attributes": {"id": "vpc-9"}}]}),
    ]
}

/// What Terraform stores of a security group, with rules in it and apart.
fn groups() -> Vec<Value> {
    vec![
        managed(
            "aws_security_group",
            "web",
            json!({"id": "sg-1", "name": "web", "vpc_id": "vpc-1", "egress": [
            {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"], "ipv6_cidr_blocks": ["::/0"],
             "prefix_list_ids": [], "security_groups": [], "self": true, "description": "all"}]}),
        ),
        managed(
            "aws_vpc_security_group_egress_rule",
            "db",
            json!({"id": "sgr-1", "security_group_rule_id": "sgr-1",
            "security_group_id": "sg-1", "ip_protocol": "tcp", "from_port": 5432, "to_port": 5432,
            "referenced_security_group_id": "sg-2"}),
        ),
        managed(
            "aws_security_group_rule",
            "old",
            json!({"id": "sgrule-1", "security_group_id": "sg-1", "type": "egress",
            "protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["198.51.100.0/24", "203.0.113.0/24"]}),
        ),
        managed(
            "aws_vpc_security_group_egress_rule",
            "all",
            json!({"id": "sgr-9", "security_group_id": "sg-1", "ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"}),
        ),
    ]
}

#[test]
fn a_state_of_terraform_is_described_as_aws_does_and_never_whole() {
    let state = stored(json!([network(), groups()].concat()));
    let (_out, imported) = imported(&[("terraform.tfstate", state)], &ImportOptions::default());
    let vpc = &read(&imported, "vpcs.json")["Vpcs"][0];
    assert_eq!(vpc["CidrBlockAssociationSet"].as_array().unwrap().len(), 2);
    assert_eq!(vpc["Tags"], json!([{"Key": "env", "Value": "prod"}]));
    let group = &read(&imported, "security-groups.json")["SecurityGroups"][0];
    let egress = group["IpPermissionsEgress"].as_array().unwrap();
    let inline = json!({"IpProtocol": "-1", "PrefixListIds": [],
        "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0", "Description": "all"}],
        "UserIdGroupPairs": [{"GroupId": "sg-1", "Description": "all"}]});
    let https = |net| json!({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": net}]});
    let db = json!({"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": "sg-2"}]});
    // That all is let out stands in the group and as a rule, and is there once.
    assert_eq!(
        egress,
        &[
            inline,
            db,
            https("198.51.100.0/24"),
            https("203.0.113.0/24")
        ]
    );
    let rules = read(&imported, "security-group-rules.json");
    let rules = rules["SecurityGroupRules"].as_array().unwrap();
    let nets: Vec<_> = rules
        .iter()
        .map(|rule| rule.get("CidrIpv4").and_then(Value::as_str))
        .collect();
    assert_eq!(
        nets,
        [
            None,
            Some("0.0.0.0/0"),
            Some("198.51.100.0/24"),
            Some("203.0.113.0/24")
        ]
    );
    assert_eq!(rules[0]["ReferencedGroupInfo"], json!({"GroupId": "sg-2"}));
    let table = &read(&imported, "route-tables.json")["RouteTables"][0];
    assert_eq!(
        table["Routes"],
        json!([{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"},
        {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1"}])
    );
    assert_eq!(table["Associations"][0]["SubnetId"], "subnet-1");
    assert_eq!(
        read(&imported, "network-interfaces.json")["NetworkInterfaces"][0]["VpcId"],
        "vpc-1"
    );
    let calls = &imported.written.collected.calls;
    assert!(
        calls.iter().all(|call| call.state == CallState::Partial),
        "{calls:?}"
    );
    assert_eq!(
        imported.kinds_passed_over,
        BTreeMap::from([("aws_s3_bucket".to_owned(), 1)])
    );
    assert_eq!(imported.written.collected.account_id, "111122223333");
}

#[test]
fn a_plan_is_joined_by_its_references_and_says_what_is_known_after_apply() {
    let module = json!([
        {"address": "aws_vpc.main", "mode": "managed", "type": "aws_vpc", "name": "main",
            "values": {"cidr_block": "10.0.0.0/16"}},
        {"address": "aws_security_group.web", "mode": "managed", "type": "aws_security_group", "name": "web",
            "values": {"name": "web"}},
        {"address": "aws_vpc_security_group_egress_rule.all[0]", "mode": "managed", "index": 0,
            "type": "aws_vpc_security_group_egress_rule", "name": "all",
            "values": {"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"}},
    ]);
    let within = json!([
        {"address": "module.net.aws_internet_gateway.gw", "mode": "managed", "type": "aws_internet_gateway", "name": "gw",
            "values": {}},
        {"address": "module.net.aws_route_table.rt", "mode": "managed", "type": "aws_route_table", "name": "rt",
            "values": {"vpc_id": "vpc-7", "route": [{"cidr_block": "0.0.0.0/0"}]}},
        {"address": "module.net.aws_route.lost", "mode": "managed", "type": "aws_route", "name": "lost",
            "values": {"destination_cidr_block": "0.0.0.0/0"}},
    ]);
    let refer = |name: &str| json!({"references": [format!("{name}.id"), name]});
    let plan = json!({
        "format_version": "1.2", "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": module,
            "child_modules": [{"address": "module.net", "resources": within}]}},
        "resource_changes": [{"address": "aws_security_group.web", "change": {"after_unknown": {"egress": true, "id": true}}}],
        "configuration": {
            "provider_config": {"aws": {"expressions": {"region": {"constant_value": "eu-central-1"}}}},
            "root_module": {
                "resources": [
                    {"address": "aws_security_group.web", "expressions": {"vpc_id": refer("aws_vpc.main")}},
                    {"address": "aws_vpc_security_group_egress_rule.all",
                        "expressions": {"security_group_id": refer("aws_security_group.web")}}],
                "module_calls": {"net": {"module": {"resources": [
                    {"address": "aws_route_table.rt",
                        "expressions": {"route": [{"gateway_id": refer("aws_internet_gateway.gw")}]}},
                    {"address": "aws_route.lost", "expressions": {"route_table_id": refer("aws_route_table.gone")}},
                ]}}}}},
    });
    let options = ImportOptions {
        region: None,
        ..here()
    };
    let (_out, imported) = imported(&[("plan.json", plan)], &options);
    assert_eq!(imported.written.collected.region, "eu-central-1");
    let group = &read(&imported, "security-groups.json")["SecurityGroups"][0];
    let (vpc, own) = ("vpc-(aws_vpc.main)", "sg-(aws_security_group.web)");
    assert_eq!(
        (group["VpcId"].as_str(), group["GroupId"].as_str()),
        (Some(vpc), Some(own))
    );
    let rule = &read(&imported, "security-group-rules.json")["SecurityGroupRules"][0];
    assert_eq!(
        (&rule["GroupId"], &rule["IsEgress"]),
        (&json!(own), &json!(true))
    );
    let table = &read(&imported, "route-tables.json")["RouteTables"][0];
    let gateway = &table["Routes"][0]["GatewayId"];
    assert_eq!(gateway, "igw-(module.net.aws_internet_gateway.gw)");
    let unknown = imported.unknown.join("\n");
    for what in [
        "aws_security_group.web: egress is known after apply",
        "module.net.aws_route.lost: ",
    ] {
        assert!(unknown.contains(what), "{unknown}");
    }
    assert_eq!(call(&imported, "SecurityGroups").state, CallState::Partial);
}

#[test]
fn a_plan_is_joined_through_variables_and_outputs_of_modules() {
    let group = |module: &str, values: Value| {
        json!({"address": format!("{module}aws_security_group.g"), "mode": "managed",
            "type": "aws_security_group", "name": "g", "values": values})
    };
    let rule = |name: &str, values: Value| {
        json!({"address": format!("aws_vpc_security_group_egress_rule.{name}"), "mode": "managed",
            "type": "aws_vpc_security_group_egress_rule", "name": name, "values": values})
    };
    let all = json!({"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"});
    let there =
        json!({"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0", "security_group_id": "sg-old"});
    let vpc = json!({"address": "module.net[0].aws_vpc.v", "mode": "managed", "type": "aws_vpc",
        "name": "v", "values": {}});
    let refer = |name: &str| json!({"references": [name]});
    let plan = json!({
        "format_version": "1.2", "terraform_version": "1.9.0",
        "planned_values": {"root_module": {
            "resources": [rule("out", all), rule("there", there),
                json!({"address": "aws_security_group.old", "mode": "managed", "type": "aws_security_group",
                    "name": "old", "values": {"vpc_id": "vpc-9"}}),
                json!({"address": "aws_security_group.lost", "mode": "managed", "type": "aws_security_group",
                    "name": "lost", "values": {}})],
            "child_modules": [
                {"address": "module.net[0]", "resources": [vpc]},
                {"address": "module.app", "resources": [group("module.app.", json!({}))]}]}},
        "configuration": {"root_module": {
            "resources": [{"address": "aws_vpc_security_group_egress_rule.out",
                "expressions": {"security_group_id": refer("module.app.group_id")}}],
            "module_calls": {
                "net": {"module": {"outputs": {"vpc_id": {"expression": refer("aws_vpc.v")}}}},
                "app": {"expressions": {"vpc_id": refer("module.net[0].vpc_id")}, "module": {
                    "outputs": {"group_id": {"expression": refer("aws_security_group.g")}},
                    "resources": [{"address": "aws_security_group.g",
                        "expressions": {"vpc_id": refer("var.vpc_id")}}]}}}}},
    });
    let (_out, imported) = imported(&[("plan.json", plan)], &here());
    let groups = read(&imported, "security-groups.json");
    let groups = groups["SecurityGroups"].as_array().unwrap();
    let of = |id: &str| groups.iter().find(|own| own["GroupId"] == id).unwrap();
    let app = of("sg-(module.app.aws_security_group.g)");
    assert_eq!(app["VpcId"], "vpc-(module.net[0].aws_vpc.v)");
    let open = json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
    assert_eq!(app["IpPermissionsEgress"], open);
    let vpcs = read(&imported, "vpcs.json");
    let vpcs = vpcs["Vpcs"].as_array().unwrap();
    assert!(vpcs.contains(&json!({"VpcId": "vpc-9"})), "{vpcs:?}");
    assert_eq!(vpcs.len(), 2);
    let mut unknown = imported.unknown;
    unknown.sort();
    assert_eq!(
        unknown,
        [
            "aws_security_group.lost: its VPC is not known: what it lets out is not judged",
            "aws_vpc_security_group_egress_rule.there: its group is not among the resources: what it lets out is not judged",
        ]
    );
}

#[test]
fn a_splat_is_all_instances_and_what_comes_from_a_local_is_said_to_be_unknown() {
    let of = |kind: &str, name: &str, index: Option<u64>, values: Value| {
        let at = index.map_or(String::new(), |index| format!("[{index}]"));
        let mut resource = json!({"address": format!("{kind}.{name}{at}"), "mode": "managed", "type": kind, "name": name,
            "values": values});
        if let Some(index) = index {
            resource["index"] = index.into();
        }
        resource
    };
    let subnet = |index| of("aws_subnet", "a", Some(index), json!({"vpc_id": "vpc-1"}));
    let endpoint = |name| {
        of(
            "aws_vpc_endpoint",
            name,
            None,
            json!({"vpc_id": "vpc-1", "service_name": "com.amazonaws.eu-west-1.kms"}),
        )
    };
    let group = of("aws_security_group", "lost", None, json!({"name": "lost"}));
    let table = of(
        "aws_route_table",
        "rt",
        None,
        json!({"vpc_id": "vpc-1", "route": [{"cidr_block": "0.0.0.0/0"}]}),
    );
    let refer = |names: &[&str]| json!({"references": names});
    let after = |address: &str, unknown: Value| json!({"address": address, "change": {"after_unknown": unknown}});
    let plan = json!({
        "format_version": "1.2", "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": [subnet(0), subnet(1), endpoint("all"), endpoint("one"), group, table]}},
        "resource_changes": [
            after("aws_vpc_endpoint.all", json!({"subnet_ids": true})),
            after("aws_security_group.lost", json!({"vpc_id": true, "egress": [{"cidr_blocks": [true]}]})),
            after("aws_route_table.rt", json!({"route": [{"nat_gateway_id": true}]}))],
        "configuration": {"root_module": {"resources": [
            {"address": "aws_vpc_endpoint.all", "expressions": {"subnet_ids": refer(&["aws_subnet.a"])}},
            {"address": "aws_vpc_endpoint.one", "expressions": {"subnet_ids": refer(&["aws_subnet.a[1].id", "aws_subnet.a[1]", "aws_subnet.a"])}},
            {"address": "aws_security_group.lost", "expressions": {"vpc_id": refer(&["local.vpc_id"])}},
            {"address": "aws_route_table.rt", "expressions": {"route": [{"nat_gateway_id": refer(&["data.aws_nat_gateway.n.id"])}]}},
        ]}},
    });
    let (_out, imported) = imported(&[("plan.json", plan)], &here());
    let endpoints = read(&imported, "vpc-endpoints.json");
    let subnets = |id: &str| {
        let all = endpoints["VpcEndpoints"].as_array().unwrap().iter();
        let mut own = all.filter(|own| own["VpcEndpointId"] == id);
        own.next().unwrap()["SubnetIds"].clone()
    };
    let [first, second] = ["subnet-(aws_subnet.a[0])", "subnet-(aws_subnet.a[1])"];
    assert_eq!(
        subnets("vpce-(aws_vpc_endpoint.all)"),
        json!([first, second])
    );
    assert_eq!(subnets("vpce-(aws_vpc_endpoint.one)"), json!([second]));
    let mut unknown = imported.unknown;
    unknown.sort();
    assert_eq!(
        unknown,
        [
            "aws_route_table.rt: route is known after apply",
            "aws_route_table.rt: route.0.nat_gateway_id is taken from data.aws_nat_gateway.n.id, which is not among the resources",
            "aws_security_group.lost: egress is known after apply",
            "aws_security_group.lost: its VPC is not known: what it lets out is not judged",
            "aws_security_group.lost: vpc_id is taken from local.vpc_id, and plans do not tell what locals are",
        ]
    );
}

#[test]
fn what_is_not_known_to_be_whose_is_refused() {
    let from = |owners: [&str; 2]| {
        let vpcs = owners.map(|owner| json!({"VpcId": "vpc-1", "OwnerId": owner}));
        sources(&[("vpcs.json", json!({"Vpcs": vpcs}))])
    };
    let out = tempfile::tempdir().unwrap();
    let two = from(["111122223333", "444455556666"]);
    let none = from(["", "x"]);
    for (folder, said) in [
        (&two, "111122223333 and 444455556666"),
        (&none, "they name none"),
    ] {
        let error = import(
            out.path(),
            &[folder.path().to_owned()],
            &ImportOptions::default(),
        );
        assert!(error.unwrap_err().to_string().contains(said), "{said}");
    }
    for (account, region) in [("1", "eu-west-1"), ("111122223333", "../x")] {
        let options = ImportOptions {
            account_id: Some(account.to_owned()),
            region: Some(region.to_owned()),
            ..here()
        };
        assert!(import(out.path(), &[two.path().to_owned()], &options).is_err());
    }
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn files_that_are_none_are_named() {
    let folder = sources(&[
        ("other.json", json!({"a": 1})),
        (
            "old.tfstate",
            json!({"version": 3,
        "terraform_version": "0.11", "resources": []}),
        ),
    ]);
    fs::write(folder.path().join("cut.json"), "{").unwrap();
    let out = tempfile::tempdir().unwrap();
    for name in ["other.json", "old.tfstate", "cut.json", "missing.json"] {
        let error = import(out.path(), &[folder.path().join(name)], &here()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert!(!error.hint().is_empty());
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(import(out.path(), &[empty.path().to_owned()], &here()).is_err());
}
