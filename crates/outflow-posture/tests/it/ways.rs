//! Ways to the internet, and what filters on them.

use outflow_posture::{Flow, State};
use serde_json::{Value, json};

use crate::account::{Account, criteria, to};

/// The account with a NAT gateway that hosts reach by themselves.
fn unfiltered() -> Account {
    let mut account = Account::right();
    account.list("RouteTables")[0]["Routes"][1] =
        json!({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"});
    assert_eq!(account.found(), ["nat-unfiltered:nat-1"]);
    account
}

fn state(account: &Account) -> State {
    let report = account.report();
    let mut own = report.accounts[0].maturity.criteria.iter();
    let judged = own.find(|own| own.criterion.name() == "nat-filtered");
    judged.unwrap().state
}

/// What the firewall's list of domains is.
fn domains(account: &mut Account) -> &mut Value {
    &mut account.list("RuleGroups")[0]["RuleGroup"]["RulesSource"]["RulesSourceList"]
}

#[test]
fn a_firewall_that_lets_out_what_it_does_not_know_is_none() {
    for kind in ["DENYLIST", "ALERTLIST"] {
        let mut account = Account::right();
        domains(&mut account)["GeneratedRulesType"] = kind.into();
        assert_eq!(account.found(), ["firewall-open:egress"], "{kind}");
        assert_eq!(criteria(&account.report(), State::Fails), ["nat-filtered"]);
    }
    let mut account = Account::right();
    let policy = &mut account.list("FirewallPolicies")[0]["FirewallPolicy"];
    policy["StatelessDefaultActions"] = json!(["aws:pass"]);
    assert_eq!(account.found(), ["firewall-open:egress"]);
    let policy = &mut account.list("FirewallPolicies")[0]["FirewallPolicy"];
    policy["StatelessDefaultActions"] = json!(["aws:forward_to_sfe"]);
    policy["StatefulRuleGroupReferences"] = json!([]);
    assert_eq!(account.found(), ["firewall-open:egress"]);
    // Without a list of its own, it drops all that no rule passes.
    let policy = &mut account.list("FirewallPolicies")[0]["FirewallPolicy"];
    policy["StatefulDefaultActions"] = json!(["aws:drop_established"]);
    assert_eq!(account.found(), [""; 0]);
    // Who comes by a transit gateway is not in the networks that a list is for.
    let mut account = Account::right();
    account
        .list("TransitGatewayAttachments")
        .push(json!({"TransitGatewayAttachmentId": "tgw-attach-1",
        "ResourceType": "vpc", "ResourceId": "vpc-1", "State": "available"}));
    assert_eq!(account.found(), ["firewall-open:egress"]);
}

#[test]
fn an_appliance_of_others_filters_if_its_owner_says_so() {
    let mut account = Account::right();
    account.list("Firewalls").clear();
    assert_eq!(state(&account), State::Unknown);
    assert_eq!(account.found(), [""; 0]);
    account.policy.practices.appliances_filter = Some(true);
    assert_eq!(state(&account), State::Holds);
    account.policy.practices.appliances_filter = Some(false);
    assert_eq!(account.found(), ["firewall-open:vpce-fw"]);
    // A firewall that is only listed may have that endpoint.
    let mut account = Account::right();
    account.policy.practices.appliances_filter = Some(true);
    account.list("Firewalls")[0] = json!({"FirewallName": "egress", "FirewallArn": "arn:aws:network-firewall:x:1:firewall/egress"});
    assert_eq!(state(&account), State::Unknown);
    // What the owner says of appliances says nothing of a Network Firewall.
    let mut account = Account::right();
    account.policy.practices.appliances_filter = Some(true);
    account.documents.remove("RuleGroups");
    assert_eq!(state(&account), State::Unknown);
}

#[test]
fn a_network_acl_that_lets_out_to_few_networks_is_a_filter() {
    let mut account = unfiltered();
    let entry = &mut account.list("NetworkAcls")[0]["Entries"][0];
    entry["CidrBlock"] = "203.0.113.0/24".into();
    assert_eq!(account.found(), [""; 0]);
    assert_eq!(state(&account), State::Holds);
    // It is of other subnets.
    account.list("NetworkAcls")[0]["IsDefault"] = false.into();
    account.list("NetworkAcls")[0]["Associations"] = json!([{"SubnetId": "subnet-f"}]);
    assert_eq!(account.found(), ["nat-unfiltered:nat-1"]);
    account.documents.remove("NetworkAcls");
    assert_eq!(
        (state(&account), account.found()),
        (State::Unknown, Vec::new())
    );
}

#[test]
fn half_a_default_route_goes_around_the_firewall_behind_a_nat_gateway() {
    let mut account = unfiltered();
    let routes = &mut account.list("RouteTables")[2]["Routes"];
    routes[0]["GatewayId"] = "vpce-fw".into();
    assert_eq!(account.found(), [""; 0]);
    let half =
        json!({"DestinationCidrBlock": "128.0.0.0/1", "GatewayId": "igw-1", "State": "active"});
    let routes = account.list("RouteTables")[2]["Routes"]
        .as_array_mut()
        .unwrap();
    routes.push(half);
    assert_eq!(account.found(), ["nat-unfiltered:nat-1"]);
}

#[test]
fn a_regional_gateway_is_judged_by_its_own_table() {
    let mut account = unfiltered();
    account.list("NatGateways")[0]["SubnetId"] = "".into();
    // The main table leads to the firewall, and the gateway does not use it.
    account.list("RouteTables")[2]["Routes"][0]["GatewayId"] = "vpce-fw".into();
    assert_eq!(account.found(), ["nat-unfiltered:nat-1"]);
    account.list("NatGateways")[0]["RouteTableId"] = "rtb-n".into();
    assert_eq!(account.found(), [""; 0]);
}

#[test]
fn hosts_with_public_addresses_leave_by_the_internet_gateway() {
    let mut account = Account::right();
    account.list("RouteTables")[0]["Routes"][1]["GatewayId"] = "igw-1".into();
    // Without a public address, nothing of IPv4 passes it.
    assert_eq!(state(&account), State::Holds);
    account.list("NetworkInterfaces")[0]["Association"] = json!({"PublicIp": "198.51.100.7"});
    assert_eq!(account.found(), ["internet-unfiltered:vpc-1"]);
    let report = account.report();
    assert_eq!(
        report.findings[0].evidence[0],
        "rtb-a leads 1 host of subnet-a to igw-1 by IPv4, eni-1 among them"
    );
    // All of it may be blocked.
    account.list("Vpcs")[0]["BlockPublicAccessStates"] =
        json!({"InternetGatewayBlockMode": "block-bidirectional"});
    assert_eq!(account.found(), [""; 0]);
    account.list("Vpcs")[0]["BlockPublicAccessStates"] =
        json!({"InternetGatewayBlockMode": "block-ingress"});
    assert_eq!(account.found(), ["internet-unfiltered:vpc-1"]);
    // A load balancer only answers.
    account.list("NetworkInterfaces")[0]["InterfaceType"] = "network_load_balancer".into();
    assert_eq!(account.found(), [""; 0]);
}

#[test]
fn traffic_and_ipv6_show_hosts_that_leave_by_the_internet_gateway_too() {
    let mut account = Account::right();
    account.list("RouteTables")[0]["Routes"][1]["GatewayId"] = "igw-1".into();
    account.send(Flow {
        traffic_path: Some(8),
        ..to("203.0.113.9")
    });
    let report = account.report();
    let ids: Vec<&str> = report.findings.iter().map(|own| own.id.as_str()).collect();
    assert_eq!(ids, ["internet-unfiltered:vpc-1"]);
    assert!(report.findings[0].bytes.is_some());
    let mut account = Account::right();
    let v6 = json!({"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1", "State": "active"});
    account.list("RouteTables")[0]["Routes"]
        .as_array_mut()
        .unwrap()
        .push(v6);
    let entry = json!({"Egress": true, "RuleNumber": 101, "RuleAction": "allow", "Protocol": "-1", "Ipv6CidrBlock": "::/0"});
    account.list("NetworkAcls")[0]["Entries"]
        .as_array_mut()
        .unwrap()
        .push(entry);
    assert_eq!(account.found(), [""; 0]);
    account.list("NetworkInterfaces")[0]["Ipv6Addresses"] = json!([{"Ipv6Address": "2001:db8::7"}]);
    assert_eq!(account.found(), ["internet-unfiltered:vpc-1"]);
}

#[test]
fn forensics_ask_for_a_recorder_that_works() {
    let mut account = Account::right();
    let holds = |account: &Account| {
        let report = account.report();
        criteria(&report, State::Holds).contains(&"forensics")
    };
    assert!(holds(&account));
    for (list, key, value) in [
        ("ConfigurationRecordersStatus", "recording", json!(false)),
        (
            "ConfigurationRecordersStatus",
            "lastStatus",
            json!("FAILURE"),
        ),
        (
            "ConfigurationRecorders",
            "recordingGroup",
            json!({"allSupported": false, "resourceTypes": ["AWS::EC2::Instance"]}),
        ),
        (
            "ConfigurationRecorders",
            "recordingGroup",
            json!({"recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
            "exclusionByResourceTypes": {"resourceTypes": ["AWS::EC2::NetworkInterface"]}}),
        ),
    ] {
        let before = account.list(list)[0][key].clone();
        account.list(list)[0][key] = value.clone();
        assert_eq!(
            criteria(&account.report(), State::Fails),
            ["forensics"],
            "{key}: {value}"
        );
        account.list(list)[0][key] = before;
    }
    account.list("DeliveryChannels").clear();
    assert_eq!(criteria(&account.report(), State::Fails), ["forensics"]);
    account.documents.remove("DeliveryChannels");
    assert_eq!(criteria(&account.report(), State::Unknown), ["forensics"]);
}
