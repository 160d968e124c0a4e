use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use outflow_enrich::inventory::Inventory;
use outflow_posture::RunRead;
use outflow_record::Timestamp;
use serde_json::json;

use super::*;
use crate::stub::{Asked, Play, Stub, Told};

const ACCOUNT: &str = "111122223333";

fn containment(deny: Deny) -> Containment {
    let line = json!({"type": "incident", "id": "i-00ff", "account_id": ACCOUNT, "region": "eu-central-1", "vpc_id": "vpc-1",
        "interface_id": "eni-1", "destination": {"addresses": ["203.0.113.9"], "addresses_total": 1, "domain": "drop.example"}});
    let run = RunRead::from_json_lines("a", &line.to_string()).unwrap();
    Containment::of(&run.incidents[0], &Inventory::default(), Timestamp(0), deny).unwrap()
}

fn api(stub: &Stub) -> Containing {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let url: Url = stub.url().parse().unwrap();
    Containing::with(Aws::new(
        Http::new(Arc::new(Told::default()), ATTEMPT_MAX),
        SharedCredentialsProvider::new(credentials),
        None,
        Some(&url),
    ))
}

fn identity(account: &str) -> Play {
    Play::body(&format!("<R><Account>{account}</Account></R>"))
}

fn interface(groups: &[&str]) -> Play {
    let groups: String = groups
        .iter()
        .map(|id| format!("<item><groupId>{id}</groupId><groupName>n</groupName></item>"))
        .collect();
    Play::body(&format!(
        "<R><item><networkInterfaceId>eni-1</networkInterfaceId><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>\
         <requesterManaged>false</requesterManaged><groupSet>{groups}</groupSet></item></R>"
    ))
}

fn acl(entries: &[(u32, &str, &str)]) -> Play {
    let entries: String = entries
        .iter()
        .map(|(number, action, net)| {
            format!(
                "<item><ruleNumber>{number}</ruleNumber><ruleAction>{action}</ruleAction><egress>true</egress>\
                 <cidrBlock>{net}</cidrBlock></item>"
            )
        })
        .collect();
    Play::body(&format!(
        "<R><networkAclId>acl-1</networkAclId><entrySet>{entries}</entrySet></R>"
    ))
}

fn group(egress: &str) -> Play {
    Play::body(&format!(
        "<R><groupId>sg-q</groupId><ipPermissionsEgress>{egress}</ipPermissionsEgress></R>"
    ))
}

fn rehearsed() -> Play {
    let body = "<Response><Errors><Error><Code>DryRunOperation</Code></Error></Errors></Response>";
    Play::Answer(412, "", body.to_owned())
}

fn preparing() -> Vec<Play> {
    vec![
        identity(ACCOUNT),
        Play::body("<R/>"),
        interface(&["sg-b", "sg-a"]),
        acl(&[(1, "deny", "198.51.100.0/24"), (100, "allow", "0.0.0.0/0")]),
        Play::body(r#"{"FirewallRuleGroupAssociations": [{"Priority": 101}], "NextToken": "n"}"#),
        Play::body(r#"{"FirewallRuleGroupAssociations": [{"Priority": 102}]}"#),
        rehearsed(),
        rehearsed(),
        rehearsed(),
    ]
}

fn applying() -> Vec<Play> {
    vec![
        Play::body("<R><groupId>sg-q</groupId></R>"),
        group("<item><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>"),
        Play::body("<R/>"),
        group(""),
        interface(&["sg-b", "sg-a"]),
        Play::body("<R/>"),
        Play::body("<R/>"),
        Play::body(r#"{"FirewallDomainList": {"Id": "rslvr-fdl-1"}}"#),
        Play::body("{}"),
        Play::body(r#"{"FirewallRuleGroup": {"Id": "rslvr-frg-1"}}"#),
        Play::body("{}"),
        Play::body(r#"{"FirewallRuleGroupAssociation": {"Id": "rslvr-frgassoc-1"}}"#),
    ]
}

fn absent() -> Play {
    let body = r#"{"__type": "ResourceNotFoundException", "Message": "none"}"#;
    Play::Answer(400, "", body.to_owned())
}

fn undoing(groups: &[&str]) -> Vec<Play> {
    vec![
        identity(ACCOUNT),
        interface(groups),
        Play::body("<R/>"),
        Play::body("{}"),
        Play::body(r#"{"FirewallRuleGroupAssociation": {"Status": "DELETING"}}"#),
        absent(),
        Play::body("{}"),
        absent(),
        Play::body("{}"),
        acl(&[(2, "deny", "203.0.113.9/32"), (100, "allow", "0.0.0.0/0")]),
        Play::body("<R/>"),
        group(""),
        Play::body("<R/>"),
    ]
}

/// What a request asked for.
fn action(asked: &Asked) -> String {
    let target = asked.headers.get("x-amz-target");
    let target = target.and_then(|target| target.rsplit('.').next());
    let form = || {
        asked
            .body
            .split('&')
            .find_map(|pair| pair.strip_prefix("Action="))
    };
    let action = target.or_else(form).unwrap();
    let is_rehearsal = asked.body.contains("DryRun=true");
    format!("{action}{}", if is_rehearsal { "?" } else { "" })
}

fn actions(stub: &Stub) -> Vec<String> {
    stub.asked().iter().map(action).collect()
}

/// What is asked before anything is changed; `?` marks rehearsals.
const PREPARING: [&str; 9] = [
    "GetCallerIdentity",
    "DescribeSecurityGroups",
    "DescribeNetworkInterfaces",
    "DescribeNetworkAcls",
    "ListFirewallRuleGroupAssociations",
    "ListFirewallRuleGroupAssociations",
    "CreateSecurityGroup?",
    "ModifyNetworkInterfaceAttribute?",
    "CreateNetworkAclEntry?",
];

/// What takes it back, behind the question whose account it is.
const UNDOING: [&str; 12] = [
    "DescribeNetworkInterfaces",
    "ModifyNetworkInterfaceAttribute",
    "DisassociateFirewallRuleGroup",
    "GetFirewallRuleGroupAssociation",
    "GetFirewallRuleGroupAssociation",
    "DeleteFirewallRule",
    "DeleteFirewallRuleGroup",
    "DeleteFirewallDomainList",
    "DescribeNetworkAcls",
    "DeleteNetworkAclEntry",
    "DescribeSecurityGroups",
    "DeleteSecurityGroup",
];

#[tokio::test]
async fn it_is_rehearsed_kept_applied_and_taken_back() {
    let all = [preparing(), applying(), undoing(&["sg-q"])].concat();
    let stub = Stub::start(&all);
    let api = api(&stub);
    let mut undo = api.prepare(&containment(Deny::NetworkAcl)).await.unwrap();
    let rehearsal = actions(&stub);
    assert_eq!(rehearsal, PREPARING);
    let vpc = &undo.vpcs[0];
    assert_eq!(vpc.interfaces[0].groups, ["sg-a", "sg-b"]);
    assert_eq!((vpc.acl_entries[0].rule_number, vpc.dns.priority), (2, 103));
    let mut keeps: Vec<(usize, Undo)> = Vec::new();
    let mut keep = |undo: &Undo| {
        keeps.push((stub.asked().len(), undo.clone()));
        Ok(())
    };
    api.apply(&mut undo, &mut keep).await.unwrap();
    assert_eq!(keeps[0].0, rehearsal.len(), "kept before the first change");
    let (_, last) = keeps.last().unwrap();
    assert_eq!(*last, undo);
    assert_eq!(undo.vpcs[0].group_id.as_deref(), Some("sg-q"));
    assert_eq!(
        undo.vpcs[0].dns.association_id.as_deref(),
        Some("rslvr-frgassoc-1")
    );
    let json = serde_json::to_vec(&undo).unwrap();
    let mut read = Undo::from_json(&json).unwrap();
    assert_eq!(read, undo);
    let before = actions(&stub).len();
    let left = api.undo(&mut read, &mut |_| Ok(())).await.unwrap();
    assert_eq!(left, [""; 0]);
    assert_eq!(read.vpcs[0].group_id, None);
    let asked = stub.asked();
    let back = asked.iter().skip(before);
    let back: Vec<String> = back.map(action).collect();
    assert_eq!(back[1..], UNDOING);
    let bodies = stub.bodies();
    assert!(bodies[before + 2].ends_with("SecurityGroupId.1=sg-a&SecurityGroupId.2=sg-b"));
    let denied = bodies
        .iter()
        .find(|body| body.contains("CreateNetworkAclEntry") && !body.contains("DryRun"));
    let denied = denied.unwrap();
    assert!(
        denied.contains(
            "RuleNumber=2&Protocol=-1&RuleAction=deny&Egress=true&CidrBlock=203.0.113.9%2F32"
        ),
        "{denied}"
    );
    let blocked = bodies.iter().find(|body| body.contains("REPLACE")).unwrap();
    assert!(
        blocked.contains(r#"["drop.example","*.drop.example"]"#),
        "{blocked}"
    );
    assert!(
        asked
            .iter()
            .all(|of| of.headers["authorization"].starts_with("AWS4-HMAC-SHA256 "))
    );
}

#[tokio::test]
async fn who_changed_groups_since_keeps_them() {
    let mut plays = undoing(&["sg-other"]);
    // No groups are given back, and the group is not asked for.
    plays.remove(2);
    plays.truncate(10);
    let stub = Stub::start(&[preparing(), applying(), plays].concat());
    let api = api(&stub);
    let mut undo = api.prepare(&containment(Deny::NetworkAcl)).await.unwrap();
    api.apply(&mut undo, &mut |_| Ok(())).await.unwrap();
    let left = api.undo(&mut undo, &mut |_| Ok(())).await.unwrap();
    assert_eq!(
        left,
        ["eni-1: its groups were changed since, and are left: sg-other"]
    );
    assert_eq!(
        undo.vpcs[0].group_id.as_deref(),
        Some("sg-q"),
        "it is still in use"
    );
    assert_eq!(actions(&stub).last().unwrap(), "DeleteNetworkAclEntry");
}

#[tokio::test]
async fn nothing_is_changed_of_an_account_that_is_otherwise() {
    let with = |at: usize, play: Play| {
        let mut plays = preparing();
        plays[at] = play;
        plays
    };
    let taken: Vec<(u32, &str, &str)> = vec![(1, "allow", "0.0.0.0/0")];
    for (plays, what) in [
        (
            with(0, identity("999999999999")),
            "are of account 999999999999",
        ),
        (with(1, group("")), "applied before"),
        (with(2, interface(&[])), "no groups"),
        (with(3, acl(&taken)), "room for 0 rules"),
        (
            with(6, Play::body("<R><groupId>sg-1</groupId></R>")),
            "rehearsed only",
        ),
        (
            with(
                7,
                Play::Answer(403, "", "<Code>UnauthorizedOperation</Code>".to_owned()),
            ),
            "UnauthorizedOperation",
        ),
    ] {
        let stub = Stub::start(&plays);
        let error = api(&stub)
            .prepare(&containment(Deny::NetworkAcl))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert!(actions(&stub).iter().all(|action| {
            action.starts_with("Describe")
                || action.starts_with("List")
                || action.starts_with("Get")
                || action.ends_with('?')
        }));
    }
    let stub = Stub::start(&preparing());
    let error = api(&stub)
        .prepare(&containment(Deny::NetworkFirewall))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("Network Firewall"), "{error}");
}

#[tokio::test]
async fn without_a_place_to_keep_it_nothing_is_changed() {
    let stub = Stub::start(&preparing());
    let api = api(&stub);
    let mut undo = api.prepare(&containment(Deny::NetworkAcl)).await.unwrap();
    let asked = actions(&stub).len();
    let full = &mut |_: &Undo| Err(io::Error::other("full"));
    let error = api.apply(&mut undo, full).await.unwrap_err();
    assert!(matches!(error, Error::Keep { .. }), "{error}");
    assert_eq!(actions(&stub).len(), asked);
}

#[tokio::test]
async fn a_group_that_still_lets_out_is_used_for_nothing() {
    let mut plays = [preparing(), applying()].concat();
    let open = group("<item><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>");
    plays[12] = open;
    let stub = Stub::start(&plays);
    let api = api(&stub);
    let mut undo = api.prepare(&containment(Deny::NetworkAcl)).await.unwrap();
    let error = api.apply(&mut undo, &mut |_| Ok(())).await.unwrap_err();
    assert!(
        error.to_string().contains("still lets out to 0.0.0.0/0"),
        "{error}"
    );
    assert!(!actions(&stub).contains(&"ModifyNetworkInterfaceAttribute".to_owned()));
    assert_eq!(
        undo.vpcs[0].group_id.as_deref(),
        Some("sg-q"),
        "what was made is known"
    );
}

#[test]
fn what_is_no_undo_file_is_refused() {
    for text in [
        "",
        "{}",
        r#"{"schema": "outflow.undo/9", "incident": "i-1", "vpcs": []}"#,
    ] {
        assert!(Undo::from_json(text.as_bytes()).is_err(), "{text}");
    }
}

/// AWS's refusal of a call.
fn refusal(code: &str) -> Play {
    let body = format!("<Response><Errors><Error><Code>{code}</Code></Error></Errors></Response>");
    Play::Answer(400, "", body)
}

/// What applied it, and what takes it back after that; the last without a question whose account it is.
async fn applied_with(plays: Vec<Play>) -> (Stub, Containing, Undo, Result<(), Error>) {
    let stub = Stub::start(&plays);
    let api = api(&stub);
    let mut undo = api.prepare(&containment(Deny::NetworkAcl)).await.unwrap();
    let applied = api.apply(&mut undo, &mut |_| Ok(())).await;
    (stub, api, undo, applied)
}

#[tokio::test]
async fn what_is_gone_is_no_reason_to_stop() {
    let mut plays = undoing(&["sg-q"]);
    // The ACL, and before it the interface: neither gets anything.
    plays.splice(9..11, [refusal("InvalidNetworkAclID.NotFound")]);
    plays.splice(1..3, [refusal("InvalidNetworkInterfaceID.NotFound")]);
    let all = [preparing(), applying(), plays].concat();
    let (stub, api, mut undo, applied) = applied_with(all).await;
    applied.unwrap();
    let left = api.undo(&mut undo, &mut |_| Ok(())).await.unwrap();
    assert_eq!(left, [""; 0]);
    assert_eq!(undo.vpcs[0].group_id, None);
    assert_eq!(actions(&stub).last().unwrap(), "DeleteSecurityGroup");
}

#[tokio::test]
async fn groups_that_are_gone_keep_nobody_else_cut_off() {
    let mut plays = undoing(&["sg-q"]);
    plays[2] = refusal("InvalidGroup.NotFound");
    plays.truncate(11);
    let all = [preparing(), applying(), plays].concat();
    let (stub, api, mut undo, applied) = applied_with(all).await;
    applied.unwrap();
    let left = api.undo(&mut undo, &mut |_| Ok(())).await.unwrap();
    assert_eq!(left.len(), 1);
    assert!(left[0].contains("one of its groups is gone"), "{left:?}");
    assert_eq!(actions(&stub).last().unwrap(), "DeleteNetworkAclEntry");
}

#[tokio::test]
async fn a_problem_of_dns_keeps_no_host_cut_off() {
    let mut plays = undoing(&["sg-q"]);
    plays[3] = refusal("AccessDeniedException");
    let all = [preparing(), applying(), plays].concat();
    let (stub, api, mut undo, applied) = applied_with(all).await;
    applied.unwrap();
    let error = api.undo(&mut undo, &mut |_| Ok(())).await.unwrap_err();
    assert!(
        error.to_string().contains("AccessDeniedException"),
        "{error}"
    );
    let asked = actions(&stub);
    assert_eq!(
        asked[asked.len() - 2..],
        [
            "ModifyNetworkInterfaceAttribute",
            "DisassociateFirewallRuleGroup"
        ]
    );
}

#[tokio::test]
async fn an_answer_that_was_lost_is_found() {
    let mut plays = applying();
    let denied = acl(&[(2, "deny", "203.0.113.9/32"), (100, "allow", "0.0.0.0/0")]);
    let exists = refusal("NetworkAclEntryAlreadyExists");
    plays.splice(6..7, [Play::status(503), exists.clone(), denied]);
    plays.splice(
        2..3,
        [Play::status(503), refusal("InvalidPermission.NotFound")],
    );
    let lost = [
        Play::status(503),
        refusal("InvalidGroup.Duplicate"),
        group(""),
    ];
    plays.splice(0..1, lost);
    let (_stub, _, undo, applied) = applied_with([preparing(), plays].concat()).await;
    applied.unwrap();
    let vpc = &undo.vpcs[0];
    assert_eq!((vpc.group_id.as_deref(), vpc.making), (Some("sg-q"), false));
    assert!(vpc.dns.association_id.is_some());
    // A rule of the same number is not the same rule.
    let mut plays = applying();
    let of_others = acl(&[(2, "deny", "198.51.100.7/32"), (100, "allow", "0.0.0.0/0")]);
    plays.splice(6.., [Play::status(503), exists, of_others]);
    let (.., applied) = applied_with([preparing(), plays].concat()).await;
    let error = applied.unwrap_err().to_string();
    assert!(error.contains("rule 2 of acl-1"), "{error}");
}

#[tokio::test]
async fn a_group_whose_answer_never_came_is_taken_back_and_one_of_others_is_not() {
    let denied = refusal("UnauthorizedOperation");
    let mut plays = vec![identity(ACCOUNT), group("")];
    plays.push(interface(&["sg-a", "sg-b"]));
    plays.push(acl(&[(100, "allow", "0.0.0.0/0")]));
    plays.extend([group(""), Play::body("<R/>")]);
    let all = [preparing(), vec![Play::status(503), denied], plays].concat();
    let (stub, api, undo, applied) = applied_with(all).await;
    applied.unwrap_err();
    assert_eq!((&undo.vpcs[0].group_id, undo.vpcs[0].making), (&None, true));
    // As it is read again.
    let mut undo = Undo::from_json(&serde_json::to_vec(&undo).unwrap()).unwrap();
    let left = api.undo(&mut undo, &mut |_| Ok(())).await.unwrap();
    assert_eq!(left, [""; 0]);
    assert_eq!(actions(&stub).last().unwrap(), "DeleteSecurityGroup");
    assert!(!undo.vpcs[0].making);

    let mut plays = vec![refusal("InvalidGroup.Duplicate"), identity(ACCOUNT)];
    plays.push(acl(&[(100, "allow", "0.0.0.0/0")]));
    let all = [preparing(), plays].concat();
    let (stub, api, mut undo, applied) = applied_with(all).await;
    let error = applied.unwrap_err().to_string();
    assert!(error.contains("InvalidGroup.Duplicate"), "{error}");
    api.undo(&mut undo, &mut |_| Ok(())).await.unwrap();
    assert_eq!(actions(&stub).last().unwrap(), "DescribeNetworkAcls");
}

#[test]
fn undo_files_of_earlier_versions_are_read() {
    let json = json!({"schema": UNDO_SCHEMA, "incident": "i-1", "vpcs": [{"vpc_id": "vpc-1", "account_id": ACCOUNT,
        "region": "eu-central-1", "name": "n", "group_id": null, "interfaces": [], "acl_entries": [], "patterns": [],
        "dns": {"priority": 0, "list_id": null, "group_id": null, "has_rule": false, "association_id": null}}]});
    let undo = Undo::from_json(json.to_string().as_bytes()).unwrap();
    assert!(!undo.vpcs[0].making);
}

#[tokio::test]
async fn groups_are_read_again_before_they_are_replaced() {
    let mut plays = applying();
    plays[4] = interface(&["sg-new"]);
    let (_stub, _, undo, applied) = applied_with([preparing(), plays].concat()).await;
    applied.unwrap();
    assert_eq!(undo.vpcs[0].interfaces[0].groups, ["sg-new"]);
}

#[tokio::test]
async fn pages_in_a_circle_are_refused() {
    let mut plays = preparing();
    let again = plays[4].clone();
    plays.splice(5.., [again]);
    let stub = Stub::start(&plays);
    let prepared = api(&stub).prepare(&containment(Deny::NetworkAcl)).await;
    let error = prepared.unwrap_err().to_string();
    assert!(error.contains("go in a circle"), "{error}");
}
