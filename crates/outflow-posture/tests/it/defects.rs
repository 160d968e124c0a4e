use outflow_enrich::Direction;
use outflow_posture::{Check, Flow, PostureFinding, State};
use serde_json::{Value, json};

use crate::account::{Account, REGION, covered, criteria, to};

/// Adds a group with one egress rule to the account.
fn group(account: &mut Account, id: &str, rule: Value, more: Value) {
    let mut group =
        json!({"GroupId": id, "GroupName": id, "VpcId": "vpc-1", "IpPermissionsEgress": [rule]});
    let own = group.as_object_mut().unwrap();
    own.extend(more.as_object().unwrap().clone());
    account.list("SecurityGroups").push(group);
}

fn open(protocol: &str, port: Option<i64>, range: &str) -> Value {
    let list = if range.contains(':') {
        ("Ipv6Ranges", "CidrIpv6")
    } else {
        ("IpRanges", "CidrIp")
    };
    let mut rule = json!({"IpProtocol": protocol, list.0: [{list.1: range}]});
    if let Some(port) = port {
        rule["FromPort"] = port.into();
        rule["ToPort"] = port.into();
    }
    rule
}

/// The only finding of an account.
fn only(account: &Account) -> PostureFinding {
    let report = account.report();
    let [finding] = &report.findings[..] else {
        panic!("{:#?}", report.findings);
    };
    finding.clone()
}

#[test]
fn open_egress_is_found_whatever_its_form_and_each_rule_alone() {
    // Peers ask for a prefix longer than 0, or for all ports, or for IPv4.
    let mut account = Account::right();
    account.policy.unused_days_min = 99;
    for (id, rule) in [
        ("sg-all", open("-1", None, "0.0.0.0/0")),
        ("sg-https", open("tcp", Some(443), "0.0.0.0/0")),
        ("sg-v6", open("tcp", Some(22), "::/0")),
        ("sg-half", open("udp", Some(123), "128.0.0.0/1")),
        ("sg-narrow", open("-1", None, "198.51.100.0/24")),
        ("sg-private", open("-1", None, "10.0.0.0/8")),
    ] {
        group(&mut account, id, rule, json!({}));
    }
    let both = json!({"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81, "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}]});
    group(&mut account, "sg-two", both, json!({}));
    assert_eq!(
        account.found(),
        [
            "open-egress:sg-all:all protocols to 0.0.0.0/0",
            "open-egress:sg-half:udp/123 to 128.0.0.0/1",
            "open-egress:sg-https:tcp/443 to 0.0.0.0/0",
            "open-egress:sg-two:tcp/80-81 to 0.0.0.0/0",
            "open-egress:sg-two:tcp/80-81 to ::/0",
            "open-egress:sg-v6:tcp/22 to ::/0",
        ]
    );
    let report = account.report();
    let share = report.accounts[0].metrics.undocumented_open_groups;
    assert_eq!((share.part, share.of), (5, 10));
    assert_eq!(report.accounts[0].maturity.level, 1);
}

#[test]
fn a_justification_counts_by_tag_description_and_file_until_it_expires() {
    let mut account = Account::right();
    account.policy.unused_days_min = 99;
    let https = || open("tcp", Some(443), "0.0.0.0/0");
    let tags = json!({"Tags": [{"Key": "Egress-Justification", "Value": "card schemes"}]});
    group(&mut account, "sg-tag", https(), tags);
    let described = json!({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
        "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "justification: card schemes"}]});
    group(&mut account, "sg-described", described, json!({}));
    group(&mut account, "sg-file", https(), json!({}));
    group(&mut account, "sg-rule", https(), json!({}));
    account.documents.insert("SecurityGroupRules".to_owned(), json!([
        {"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-rule", "IsEgress": true, "IpProtocol": "tcp", "FromPort": 443,
         "ToPort": 443, "CidrIpv4": "0.0.0.0/0", "Tags": [{"Key": "egress-justification", "Value": "card schemes"}]}]));
    let given = |until: &str| {
        let json = json!({"justifications": [{"group_id": "sg-file", "network": "0.0.0.0/0", "port": 443,
            "reason": "card schemes", "owner": "payments", "until": until}]});
        outflow_posture::Policy::from_json(json.to_string().as_bytes())
            .unwrap()
            .justifications
    };
    account.policy.justifications = given("2027-06-01");
    assert_eq!(account.found(), [""; 0]);
    let report = account.report();
    // Justified is not closed: the fifth level asks for none.
    assert_eq!(criteria(&report, State::Fails), ["no-open-egress"]);
    assert_eq!(report.accounts[0].maturity.level, 4);
    account.policy.justifications = given("2026-06-01");
    let finding = only(&account);
    assert_eq!(finding.id, "open-egress:sg-file:tcp/443 to 0.0.0.0/0");
    assert_eq!(
        finding.evidence[0],
        "its justification held until 2026-06-01T00:00:00Z"
    );
}

#[test]
fn the_default_group_is_a_finding_of_its_own() {
    let mut account = Account::right();
    account.policy.unused_days_min = 99;
    account.list("SecurityGroups")[0]["IpPermissionsEgress"] =
        json!([open("-1", None, "0.0.0.0/0")]);
    assert_eq!(
        account.found(),
        [
            "default-group-open:sg-default",
            "open-egress:sg-default:all protocols to 0.0.0.0/0",
        ]
    );
}

#[test]
fn an_open_rule_is_unused_if_narrower_ones_let_everything_through() {
    let mut account = Account::right();
    let rules = account.list("SecurityGroups")[1]["IpPermissionsEgress"]
        .as_array_mut()
        .unwrap();
    rules.push(
        json!({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges":
        [{"CidrIp": "0.0.0.0/0", "Description": "justification: was needed once"}]}),
    );
    // The key goes to 10.0.0.50 by tcp/443: that needs the open rule.
    assert_eq!(account.found(), [""; 0]);
    let rules = account.list("SecurityGroups")[1]["IpPermissionsEgress"]
        .as_array_mut()
        .unwrap();
    rules[0]["IpRanges"]
        .as_array_mut()
        .unwrap()
        .push(json!({"CidrIp": "10.0.0.0/16"}));
    assert_eq!(
        account.found(),
        ["open-rule-unused:sg-web:tcp/443 to 0.0.0.0/0"]
    );
    // With a gap in the records nobody can say so.
    account
        .traffic
        .as_mut()
        .unwrap()
        .cover(&covered("eni-db", |own| own.minutes.missing = 50_000));
    assert!(
        !account
            .found()
            .iter()
            .any(|id| id.starts_with("open-rule-unused"))
    );
}

#[test]
fn nat_without_a_firewall_is_found_on_either_side_of_it() {
    let mut account = Account::right();
    let route =
        json!({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"});
    account.list("RouteTables")[0]["Routes"][1] = route;
    let finding = only(&account);
    assert_eq!(finding.id, "nat-unfiltered:nat-1");
    assert_eq!(finding.evidence, ["rtb-a leads subnet-a to it"]);
    // A firewall may also lie behind it.
    account.list("RouteTables")[2]["Routes"][0]["GatewayId"] = "vpce-fw".into();
    assert_eq!(account.found(), [""; 0]);
}

#[test]
fn s3_by_a_public_path_and_around_its_endpoint_are_told_with_what_they_cost() {
    let mut account = Account::right();
    let by_nat = Flow {
        traffic_path: Some(1),
        aws_service: Some("S3"),
        aws_region: Some(REGION),
        ..to("3.5.136.10")
    };
    account.send(by_nat);
    account.send(Flow {
        direction: Direction::Ingress,
        bytes: 30 << 30,
        ..by_nat
    });
    account.list("RouteTables")[0]["Routes"] =
        json!([{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}]);
    account.list("RouteTables")[2]["Routes"][0]["GatewayId"] = "vpce-fw".into();
    let finding = only(&account);
    assert_eq!(finding.id, "endpoint-bypassed:vpce-s3:s3 (eu-central-1)");
    // 10 GB there and 30 back, at 0.05 each.
    let cost = finding.cost.unwrap();
    assert_eq!(
        (finding.bytes, cost.amount, cost.monthly),
        (Some(10 << 30), 2.0, Some(2.0))
    );
    account.list("VpcEndpoints").remove(0);
    assert_eq!(account.found(), ["s3-public-path:vpc-1:s3 (eu-central-1)"]);
}

#[test]
fn a_service_is_served_by_its_own_endpoint_and_by_no_namesake() {
    // `ec2` is part of `ec2messages`.
    let mut account = Account::right();
    account.list("VpcEndpoints")[1]["ServiceName"] =
        "com.amazonaws.eu-central-1.ec2messages".into();
    account.send(Flow {
        traffic_path: Some(1),
        domain: Some("ec2.eu-central-1.amazonaws.com"),
        ..to("3.120.0.1")
    });
    let finding = only(&account);
    assert_eq!(
        finding.id,
        "service-without-endpoint:vpc-1:ec2 (eu-central-1)"
    );
    let share = account.report().accounts[0].metrics.services_by_endpoint;
    assert_eq!((share.part, share.of), (2, 3));
    account.list("VpcEndpoints")[1]["ServiceName"] = "com.amazonaws.eu-central-1.ec2".into();
    assert_eq!(
        account.found(),
        ["endpoint-bypassed:vpce-kms:ec2 (eu-central-1)"]
    );
}

#[test]
fn path_2_is_a_gateway_endpoint_only_with_its_route() {
    let mut account = Account::right();
    account.send(Flow {
        traffic_path: Some(2),
        aws_service: Some("S3"),
        aws_region: Some(REGION),
        ..to("3.5.136.11")
    });
    assert_eq!(account.found(), [""; 0]);
    account.list("RouteTables")[0]["Routes"]
        .as_array_mut()
        .unwrap()
        .pop();
    assert_eq!(
        account.found(),
        ["endpoint-bypassed:vpce-s3:s3 (eu-central-1)"]
    );
}

#[test]
fn telemetry_abroad_is_told_by_vendor_and_site() {
    let mut account = Account::right();
    account.send(Flow {
        traffic_path: Some(1),
        domain: Some("agent.us3.datadoghq.com"),
        ..to("203.0.113.30")
    });
    account.send(Flow {
        traffic_path: Some(1),
        domain: Some("us3.evil-datadoghq.com"),
        ..to("203.0.113.31")
    });
    let finding = only(&account);
    assert_eq!(
        (finding.check, finding.bytes),
        (Check::TelemetryAbroad, Some(10 << 30))
    );
    assert_eq!(finding.evidence[0], "vendor Datadog, site US3");
    assert!(
        finding.summary.ends_with("went to Datadog in US"),
        "{}",
        finding.summary
    );
    assert_eq!(criteria(&account.report(), State::Fails), ["residency"]);
}

#[test]
fn hosts_that_ask_resolvers_outside_are_told() {
    let mut account = Account::right();
    account.send(Flow {
        port: 53,
        protocol: 17,
        ..to("203.0.113.53")
    });
    account.send(Flow {
        domain: Some("dns.google"),
        ..to("203.0.113.54")
    });
    // A resolver inside, what others asked, and a name that only looks like one.
    account.send(Flow {
        port: 53,
        protocol: 17,
        ..to("10.0.0.20")
    });
    account.send(Flow {
        domain: Some("notdns.google"),
        ..to("203.0.113.55")
    });
    let finding = only(&account);
    assert_eq!(finding.id, "resolver-bypass:eni-1");
    assert_eq!(finding.evidence[2], "ports 53, 443");
}

#[test]
fn policies_and_regions_beyond_the_border_are_told() {
    let mut account = Account::right();
    let open =
        json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}})
            .to_string();
    account.list("VpcEndpoints")[0]["PolicyDocument"] = open.into();
    account.send(Flow {
        traffic_path: Some(1),
        aws_service: Some("EC2"),
        aws_region: Some("us-east-1"),
        ..to("3.80.0.1")
    });
    assert_eq!(
        account.found(),
        [
            "endpoint-policy-open:vpce-s3",
            "region-outside:vpc-1:us-east-1"
        ]
    );
    account.policy.residency.regions = ["eu-west-1".to_owned()].into();
    let found = account.found();
    assert!(
        found.contains(&"region-outside:vpc-1".to_owned()),
        "{found:?}"
    );
}

#[test]
fn open_high_findings_of_guardduty_are_told() {
    let mut account = Account::right();
    let line = |id: &str, severity: f64, archived: bool| {
        json!({"id": id, "accountId": "111122223333", "region": REGION, "type": "Trojan:EC2/DropPoint", "severity": severity,
            "createdAt": "2026-12-02T08:00:00Z", "updatedAt": "2026-12-02T08:00:00Z", "service": {"archived": archived}})
        .to_string()
    };
    let guardduty = account.guardduty.as_mut().unwrap();
    for line in [
        line("a", 8.0, false),
        line("b", 6.9, false),
        line("c", 9.5, true),
    ] {
        guardduty.add("export.jsonl", line.as_bytes()).unwrap();
    }
    let report = account.report();
    assert_eq!(account.found(), ["guardduty-high:111122223333"]);
    let high = report.accounts[0].metrics.guardduty_high.as_ref().unwrap();
    assert_eq!(high.open, 1);
    assert_eq!(criteria(&report, State::Fails), ["threats-watched"]);
}

#[test]
fn all_faults_of_one_account_are_found_and_no_other() {
    let mut account = Account::right();
    account.list("FlowLogs")[0]["TrafficType"] = "REJECT".into();
    account.list("SecurityGroups")[0]["IpPermissionsEgress"] =
        json!([open("-1", None, "0.0.0.0/0")]);
    group(
        &mut account,
        "sg-https",
        open("tcp", Some(443), "0.0.0.0/0"),
        json!({}),
    );
    account.list("RouteTables")[0]["Routes"] =
        json!([{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}]);
    let everything = json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]});
    account.list("VpcEndpoints")[0]["PolicyDocument"] = everything.to_string().into();
    account.list("VpcEndpoints")[1]["ServiceName"] =
        "com.amazonaws.eu-central-1.ec2messages".into();
    let by_nat = |domain, destination| Flow {
        traffic_path: Some(1),
        domain: Some(domain),
        ..to(destination)
    };
    account.send(by_nat("bucket.s3.eu-central-1.amazonaws.com", "3.5.136.77"));
    account.send(by_nat("ec2.eu-central-1.amazonaws.com", "3.120.0.1"));
    account.send(by_nat("bucket.s3.us-east-1.amazonaws.com", "52.216.0.1"));
    account.send(by_nat("http-intake.logs.us5.datadoghq.com", "203.0.113.30"));
    account.send(Flow {
        port: 853,
        ..to("203.0.113.53")
    });
    assert_eq!(
        account.found(),
        [
            "default-group-open:sg-default",
            "endpoint-bypassed:vpce-s3:s3 (eu-central-1)",
            "endpoint-policy-open:vpce-s3",
            "flow-logs-blind:vpc-1",
            "nat-unfiltered:nat-1",
            "open-egress:sg-default:all protocols to 0.0.0.0/0",
            "open-egress:sg-https:tcp/443 to 0.0.0.0/0",
            "open-rule-unused:sg-default:all protocols to 0.0.0.0/0",
            "open-rule-unused:sg-https:tcp/443 to 0.0.0.0/0",
            "region-outside:vpc-1:us-east-1",
            "resolver-bypass:eni-1",
            "s3-public-path:vpc-1:s3 (us-east-1)",
            "service-without-endpoint:vpc-1:ec2 (eu-central-1)",
            "telemetry-abroad:vpc-1:Datadog US5",
        ]
    );
    assert_eq!(account.report().accounts[0].maturity.level_at_most, 1);
}
