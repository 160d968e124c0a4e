use outflow_enrich::inventory::{Inventory, InventoryBuilder, Snapshot};
use outflow_record::Timestamp;
use serde_json::{Value, json};

use super::*;

const ARN: &str = "arn:aws:network-firewall:eu-central-1:111122223333";

/// What a firewall does, by its policy and the groups of rules that the inventory has.
fn of(policy: Value, groups: &[(&str, Value)], guests: Guests) -> Filter {
    let policy_arn = format!("{ARN}:firewall-policy/p");
    let groups: Vec<Value> = groups
        .iter()
        .map(|(name, group)| json!({"RuleGroupResponse": {"RuleGroupArn": arn_of(name)}, "RuleGroup": group}))
        .collect();
    let document = json!({
        "FirewallPolicies": [{"FirewallPolicyResponse": {"FirewallPolicyArn": policy_arn}, "FirewallPolicy": policy}],
        "RuleGroups": groups});
    let mut builder = InventoryBuilder::default();
    let text = document.to_string();
    builder
        .add("account", text.as_bytes(), &Snapshot::default())
        .unwrap();
    let inventory: Inventory = builder.build().unwrap();
    assert_eq!(inventory.problems.total(), 0, "{:?}", inventory.problems);
    let firewall = NetworkFirewall {
        firewall_name: "fw".to_owned(),
        firewall_policy_arn: Some(policy_arn),
        ..NetworkFirewall::default()
    };
    filter(&Network::new(&inventory, Timestamp(10)), &firewall, guests)
}

fn arn_of(name: &str) -> String {
    format!("{ARN}:stateful-rulegroup/{name}")
}

/// A policy that hands all packets to the stateful rules.
fn policy(more: Value) -> Value {
    let mut policy = json!({"StatelessDefaultActions": ["aws:forward_to_sfe"],
        "StatelessFragmentDefaultActions": ["aws:forward_to_sfe"]});
    let own = policy.as_object_mut().unwrap();
    own.extend(more.as_object().unwrap().clone());
    policy
}

fn using(names: &[&str]) -> Value {
    let groups = names
        .iter()
        .map(|name| json!({"ResourceArn": arn_of(name), "Priority": 1}));
    json!({"StatefulRuleGroupReferences": groups.collect::<Vec<_>>()})
}

fn domains(kind: &str, targets: &[&str]) -> Value {
    json!({"RulesSource": {"RulesSourceList": {"Targets": targets, "TargetTypes": ["TLS_SNI"], "GeneratedRulesType": kind}}})
}

fn passes(filter: &Filter, what: &str) {
    let Filter::Passes(why) = filter else {
        panic!("{filter:?}");
    };
    assert!(why.contains(what), "{why}");
}

fn filters(filter: &Filter) {
    assert!(matches!(filter, Filter::Filters(_)), "{filter:?}");
}

fn unknown(filter: &Filter) {
    assert!(matches!(filter, Filter::Unknown(_)), "{filter:?}");
}

#[test]
fn a_policy_filters_if_it_drops_what_it_does_not_know() {
    let allowing = [(
        "d",
        domains("ALLOWLIST", &[".example.com", "api.partner.net"]),
    )];
    filters(&of(policy(using(&["d"])), &allowing, Guests::None));
    filters(&of(
        policy(json!({"StatefulDefaultActions": ["aws:drop_established"]})),
        &[],
        Guests::None,
    ));
    let rest = json!({"RulesSource": {"StatefulRules": [
        {"Action": "PASS", "Header": {"Protocol": "TLS", "Source": "ANY", "SourcePort": "ANY", "Direction": "FORWARD",
            "Destination": "203.0.113.0/24", "DestinationPort": "443"}, "RuleOptions": [{"Keyword": "sid:1"}]},
        {"Action": "DROP", "Header": {"Protocol": "IP", "Source": "ANY", "SourcePort": "ANY", "Direction": "FORWARD",
            "Destination": "ANY", "DestinationPort": "ANY"}, "RuleOptions": [{"Keyword": "sid", "Settings": ["2"]}]}]}});
    filters(&of(policy(using(&["r"])), &[("r", rest)], Guests::None));
    let text = json!({"RulesSource": {"RulesString": "drop ip any any -> any any (sid:1;)"}});
    filters(&of(policy(using(&["s"])), &[("s", text)], Guests::None));
    let drops = json!({"StatelessDefaultActions": ["aws:drop"], "StatelessFragmentDefaultActions": ["aws:drop"]});
    filters(&of(drops, &[], Guests::None));
}

#[test]
fn a_policy_that_passes_what_it_does_not_know_does_not_filter() {
    let pass = json!({"StatelessDefaultActions": ["aws:pass"], "StatelessFragmentDefaultActions": ["aws:drop"]});
    passes(&of(pass, &[], Guests::None), "without looking");
    let fragments = json!({"StatelessDefaultActions": ["aws:forward_to_sfe"], "StatelessFragmentDefaultActions": ["aws:pass"],
        "StatefulDefaultActions": ["aws:drop_strict"]});
    passes(&of(fragments, &[], Guests::None), "fragments");
    passes(&of(policy(json!({})), &[], Guests::None), "has no rule");
    let deny = [("d", domains("DENYLIST", &["bad.example"]))];
    passes(
        &of(policy(using(&["d"])), &deny, Guests::None),
        "passes the rest",
    );
    let alert = [("d", domains("ALERTLIST", &["bad.example"]))];
    passes(
        &of(policy(using(&["d"])), &alert, Guests::None),
        "drops nothing",
    );
    // A top-level domain is as good as all.
    let wide = [("d", domains("ALLOWLIST", &["api.partner.net", ".com"]))];
    passes(
        &of(policy(using(&["d"])), &wide, Guests::None),
        "all of `.com`",
    );
    let managed = json!({"StatefulRuleGroupReferences": [
        {"ResourceArn": "arn:aws:network-firewall:eu-central-1:aws-managed:stateful-rulegroup/BotNet"}]});
    passes(&of(policy(managed), &[], Guests::None), "AWS lists as bad");
    // What would be dropped is only told.
    let told = json!({"StatefulRuleGroupReferences": [
        {"ResourceArn": arn_of("d"), "Override": {"Action": "DROP_TO_ALERT"}}]});
    let allowing = [("d", domains("ALLOWLIST", &["api.partner.net"]))];
    passes(&of(policy(told), &allowing, Guests::None), "only tells");
    let all = json!({"RulesSource": {"RulesString": "pass ip any any -> any any (sid:9;)"}});
    let both = [allowing[0].clone(), ("s", all)];
    passes(
        &of(policy(using(&["d", "s"])), &both, Guests::None),
        "passes everything",
    );
    let stateless = json!({"RulesSource": {"StatelessRulesAndCustomActions": {"StatelessRules": [{"Priority": 1,
        "RuleDefinition": {"Actions": ["aws:pass"], "MatchAttributes": {"Destinations": [{"AddressDefinition": "0.0.0.0/0"}]}}}]}}});
    let by_packet = json!({"StatelessRuleGroupReferences": [{"ResourceArn": arn_of("p"), "Priority": 1}],
        "StatefulDefaultActions": ["aws:drop_strict"]});
    passes(
        &of(policy(by_packet), &[("p", stateless)], Guests::None),
        "to anywhere",
    );
}

#[test]
fn a_list_of_domains_without_home_net_is_for_the_vpc_of_the_firewall_only() {
    let allowing = [("d", domains("ALLOWLIST", &["api.partner.net"]))];
    passes(
        &of(policy(using(&["d"])), &allowing, Guests::Some),
        "transit gateway",
    );
    unknown(&of(policy(using(&["d"])), &allowing, Guests::Unknown));
    let mut home = domains("ALLOWLIST", &["api.partner.net"]);
    home["RuleVariables"] = json!({"IPSets": {"HOME_NET": {"Definition": ["10.0.0.0/8"]}}});
    filters(&of(policy(using(&["d"])), &[("d", home)], Guests::Some));
}

#[test]
fn what_is_not_described_is_unknown_whatever_else_is() {
    let allowing = [("d", domains("ALLOWLIST", &["api.partner.net"]))];
    unknown(&of(policy(using(&["d", "lost"])), &allowing, Guests::None));
    unknown(&of(json!({}), &[], Guests::None));
    let passing = json!({"StatelessDefaultActions": ["aws:pass"], "StatelessFragmentDefaultActions": ["aws:drop"],
        "StatelessRuleGroupReferences": [{"ResourceArn": arn_of("p")}]});
    unknown(&of(passing, &[], Guests::None));
    let odd = [("d", domains("NEWLIST", &["api.partner.net"]))];
    unknown(&of(policy(using(&["d"])), &odd, Guests::None));
    let inventory = Inventory::default();
    let network = Network::new(&inventory, Timestamp(10));
    unknown(&filter(&network, &NetworkFirewall::default(), Guests::None));
}
