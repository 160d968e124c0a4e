//! Whatever is lacking, nothing is said that all of it would not say: no criterion holds, none fails, no figure is known and
//! no finding is there that is not with everything.

use std::collections::BTreeSet;

use outflow_posture::{Flow, Metrics, Report, State, Traffic};
use serde_json::{Value, json};

use crate::account::{Account, REGION, to};

/// Something that a report is not given.
#[derive(Debug, Clone, Copy)]
enum Lacking {
    /// A list that nobody asked for.
    List(&'static str),
    /// A list that was asked for in vain after it had been there.
    Denied(&'static str),
    Traffic,
    /// What the logs cover of the traffic.
    Coverage,
    GuardDuty,
}

const LISTS: [&str; 20] = [
    "Vpcs",
    "Subnets",
    "NetworkInterfaces",
    "RouteTables",
    "NatGateways",
    "VpcEndpoints",
    "PrefixLists",
    "SecurityGroups",
    "FlowLogs",
    "ResolverQueryLogConfigAssociations",
    "FirewallRuleGroupAssociations",
    "NetworkAcls",
    "InternetGateways",
    "EgressOnlyInternetGateways",
    "TransitGatewayAttachments",
    "Firewalls",
    "FirewallPolicies",
    "RuleGroups",
    "ConfigurationRecorders",
    "ConfigurationRecordersStatus",
];

fn everything() -> Vec<Lacking> {
    let lists = LISTS.into_iter();
    let each = lists.flat_map(|list| [Lacking::List(list), Lacking::Denied(list)]);
    each.chain([Lacking::Traffic, Lacking::Coverage, Lacking::GuardDuty])
        .collect()
}

fn without(make: &dyn Fn(Account) -> Account, lacking: &[Lacking]) -> Report {
    let is_covered = !lacking.iter().any(|own| matches!(own, Lacking::Coverage));
    let mut account = make(match is_covered {
        true => Account::right(),
        false => Account::uncovered(),
    });
    for what in lacking {
        match what {
            Lacking::List(list) => drop(account.documents.remove(*list)),
            Lacking::Denied(list) => account.denied.push(list),
            Lacking::Traffic => account.traffic = None,
            Lacking::Coverage => {}
            Lacking::GuardDuty => account.guardduty = None,
        }
    }
    account.report()
}

/// What a part says and the whole does not.
fn claims(part: &Report, whole: &Report) -> Vec<String> {
    let mut claims = Vec::new();
    let known: BTreeSet<&str> = whole.findings.iter().map(|of| of.id.as_str()).collect();
    for finding in &part.findings {
        // That S3 is reached by a public path is true whether an endpoint is there or not.
        let service = finding.id.strip_prefix("s3-public-path:vpc-1");
        let around = service.map(|service| format!("endpoint-bypassed:vpce-s3{service}"));
        let is_around = around.is_some_and(|id| known.contains(id.as_str()));
        if !known.contains(finding.id.as_str()) && !is_around {
            claims.push(format!("finding {}", finding.id));
        }
    }
    let [whole] = &whole.accounts[..] else {
        panic!("{:?}", whole.accounts);
    };
    for account in &part.accounts {
        if account.account_id != whole.account_id {
            continue;
        }
        let own = &account.maturity;
        if own.level > whole.maturity.level {
            claims.push(format!("level {}", own.level));
        }
        if own.level_at_most < whole.maturity.level {
            claims.push(format!("level {} at most", own.level_at_most));
        }
        for (judged, of_whole) in own.criteria.iter().zip(&whole.maturity.criteria) {
            if judged.state != State::Unknown && judged.state != of_whole.state {
                let (name, state) = (judged.criterion.name(), judged.state);
                claims.push(format!("{name} {state:?}: {:?}", judged.evidence));
            }
        }
        claims.extend(figures(&account.metrics, &whole.metrics));
    }
    claims
}

/// Figures that are said to be known, and are others than those of the whole.
fn figures(part: &Metrics, whole: &Metrics) -> Vec<String> {
    let of = |metrics: &Metrics| {
        [
            metrics.undocumented_open_groups,
            metrics.effective_flow_logs,
            metrics.services_by_endpoint,
        ]
    };
    let pairs = of(part).into_iter().zip(of(whole)).enumerate();
    let mut claims: Vec<String> = pairs
        .filter(|(_, (part, whole))| part.is_known && part != whole)
        .map(|(at, (part, whole))| format!("figure {at}: {part:?}, and it is {whole:?}"))
        .collect();
    if part.guardduty_high.is_some() && part.guardduty_high != whole.guardduty_high {
        claims.push(format!("{:?}", part.guardduty_high));
    }
    claims
}

/// Looks at each thing that may lack, and at each two of them.
fn nothing_more_is_said(make: &dyn Fn(Account) -> Account) {
    let whole = without(make, &[]);
    let all = everything();
    let mut wrong = BTreeSet::new();
    for (at, one) in all.iter().enumerate() {
        for other in &all[at..] {
            let part = without(make, &[*one, *other]);
            let claims = claims(&part, &whole).into_iter();
            wrong.extend(claims.map(|claim| format!("without {one:?} and {other:?}: {claim}")));
        }
    }
    assert!(wrong.is_empty(), "{} claims: {wrong:#?}", wrong.len());
}

#[test]
fn of_an_account_without_a_fault_a_part_says_nothing_more() {
    nothing_more_is_said(&|account| account);
}

/// An account with a fault of every kind.
fn faulty(mut account: Account) -> Account {
    account.list("SecurityGroups")[0]["IpPermissionsEgress"] =
        json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
    account.list("FlowLogs")[0]["TrafficType"] = "REJECT".into();
    account.list("VpcEndpoints")[0]["PolicyDocument"] =
        json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}})
            .to_string()
            .into();
    account.list("RouteTables")[0]["Routes"] =
        json!([{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}]);
    account.list("ResolverQueryLogConfigAssociations").clear();
    account.list("FirewallRuleGroupAssociations").clear();
    account.list("ConfigurationRecordersStatus")[0]["recording"] = false.into();
    account.send(Flow {
        traffic_path: Some(1),
        aws_service: Some("S3"),
        aws_region: Some(REGION),
        ..to("3.5.136.10")
    });
    account.send(Flow {
        traffic_path: Some(1),
        domain: Some("sqs.eu-central-1.amazonaws.com"),
        ..to("203.0.113.20")
    });
    account.send(Flow {
        traffic_path: Some(1),
        domain: Some("agent.us3.datadoghq.com"),
        ..to("203.0.113.30")
    });
    account.send(Flow {
        port: 53,
        protocol: 17,
        ..to("203.0.113.53")
    });
    account
}

#[test]
fn of_an_account_with_faults_a_part_says_nothing_more() {
    let report = without(&faulty, &[]);
    assert!(report.findings.len() > 8, "{:?}", report.findings);
    nothing_more_is_said(&faulty);
}

#[test]
fn of_an_account_that_narrow_acls_filter_a_part_says_nothing_more() {
    nothing_more_is_said(&|mut account| {
        account.list("RouteTables")[0]["Routes"][1] = json!({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"});
        account.list("NetworkAcls")[0]["Entries"][0]["CidrBlock"] = "203.0.113.0/24".into();
        account
    });
}

#[test]
fn of_an_account_that_is_logged_in_parts_a_part_says_nothing_more() {
    for logged in [
        &["subnet-a", "subnet-f", "subnet-n"][..],
        &["subnet-a", "subnet-n"],
        &["eni-1", "eni-db", "eni-kms", "subnet-n"],
    ] {
        let whole = |mut account: Account| {
            let log = account.list("FlowLogs")[0].clone();
            account.list("FlowLogs").clear();
            for resource in logged {
                let mut own = log.clone();
                own["FlowLogId"] = format!("fl-{resource}").into();
                own["ResourceId"] = (*resource).into();
                account.list("FlowLogs").push(own);
            }
            account
        };
        assert_eq!(without(&whole, &[]).findings, [], "{logged:?}");
        nothing_more_is_said(&whole);
    }
}

#[test]
fn before_the_account_was_ever_listed_nothing_of_it_holds() {
    let account = Account::right();
    let report = account.report_at(outflow_record::Timestamp(crate::account::AT.0 - 2 * 86_400));
    // What traffic and GuardDuty show, and the owner says, is not enough for any of them, as there may be other VPCs.
    let account = &report.accounts[0];
    let own = account.maturity.criteria.iter();
    let held = own.filter(|own| own.state == State::Holds).count();
    assert_eq!(held, 0);
    assert_eq!(
        (account.maturity.level, account.maturity.level_at_most),
        (1, 5)
    );
    for vpc in &account.vpcs {
        for judged in vpc
            .maturity
            .criteria
            .iter()
            .filter(|own| own.state == State::Holds)
        {
            let name = judged.criterion.name();
            // GuardDuty says since when it is on.
            let known = ["anomalies-alerted", "threats-watched"];
            assert!(known.contains(&name), "{name}: {:?}", judged.evidence);
        }
    }
}

/// What a value is turned into that nobody should take for one.
fn spoilt(value: &Value) -> Vec<Option<Value>> {
    let other = match value {
        Value::String(_) => json!(7),
        Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => json!("x"),
        Value::Null => json!([]),
    };
    vec![
        None,
        Some(Value::Null),
        Some(other),
        Some(json!([[[{}]]])),
        Some(json!({"a": null})),
    ]
}

#[test]
fn nothing_gets_better_by_a_value_that_is_gone_or_is_none() {
    let whole = without(&faulty, &[]);
    let whole = &whole.accounts[0].maturity;
    let documents = faulty(Account::right()).documents;
    for (list, items) in &documents {
        for (at, item) in items.as_array().unwrap().iter().enumerate() {
            for (key, value) in item.as_object().unwrap() {
                for other in spoilt(value) {
                    let mut account = faulty(Account::right());
                    account.is_spoilt = true;
                    let own = account.list(list)[at].as_object_mut().unwrap();
                    match &other {
                        Some(other) => drop(own.insert(key.clone(), other.clone())),
                        None => drop(own.remove(key)),
                    }
                    let report = account.report();
                    let account = report
                        .accounts
                        .iter()
                        .find(|own| own.account_id == crate::account::ACCOUNT);
                    let part = &account.unwrap().maturity;
                    let what = format!("{list}[{at}].{key}: {other:?}");
                    assert!(part.level <= whole.level, "{what}");
                    for (judged, of_whole) in part.criteria.iter().zip(&whole.criteria) {
                        let better = judged.state == State::Holds && of_whole.state != State::Holds;
                        assert!(!better, "{what}: {judged:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn without_traffic_and_lists_there_is_still_a_report() {
    let mut account = Account::right();
    account.documents.clear();
    account.traffic = Some(Traffic::default());
    let report = account.report();
    assert!(report.accounts.iter().all(|own| own.maturity.level == 1));
}
