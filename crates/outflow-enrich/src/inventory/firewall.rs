//! Network Firewalls, their policies and rule groups, as Network Firewall lists or describes them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::resource::Resource;

/// A Network Firewall. One that is only listed has no policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "AnyFirewall")]
pub struct NetworkFirewall {
    /// `arn:aws:network-firewall:…:firewall/…`.
    pub firewall_arn: String,
    /// Name.
    pub firewall_name: String,
    /// VPC in which it stands.
    pub vpc_id: String,
    /// Its policy; `None` where it is not described.
    pub firewall_policy_arn: Option<String>,
    /// Its endpoints (`vpce-…`), each with the subnet in which it is.
    pub endpoints: BTreeMap<String, String>,
}

/// What a Network Firewall does with packets. One that is only listed is not described.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "AnyPolicy")]
pub struct FirewallPolicy {
    /// `arn:aws:network-firewall:…:firewall-policy/…`.
    pub firewall_policy_arn: String,
    /// What it says; `None` where it is not described.
    pub rules: Option<FirewallPolicyRules>,
}

/// What a policy of a Network Firewall says.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FirewallPolicyRules {
    /// What becomes of packets that no stateless rule takes: `aws:pass`, `aws:drop` or `aws:forward_to_sfe`.
    pub stateless_default_actions: Vec<String>,
    /// The same for fragments.
    pub stateless_fragment_default_actions: Vec<String>,
    /// Groups of stateless rules.
    pub stateless_rule_group_references: Vec<RuleGroupReference>,
    /// What becomes of packets that no stateful rule takes, where rules have a strict order: `aws:drop_strict` and others.
    pub stateful_default_actions: Vec<String>,
    /// Groups of stateful rules.
    pub stateful_rule_group_references: Vec<RuleGroupReference>,
}

/// A use of a group of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RuleGroupReference {
    /// The group; one that AWS keeps has `aws-managed` for an account.
    pub resource_arn: String,
    /// What the policy changes of the group.
    #[serde(rename = "Override")]
    pub changed: RuleGroupOverride,
}

/// What a policy changes of a group of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RuleGroupOverride {
    /// `DROP_TO_ALERT`: what the group drops is only told.
    pub action: Option<String>,
}

/// A group of rules. One that is only listed is not described.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "AnyRuleGroup")]
pub struct FirewallRuleGroup {
    /// `arn:aws:network-firewall:…:stateful-rulegroup/…`.
    pub rule_group_arn: String,
    /// Its rules; `None` where it is not described.
    pub rules: Option<RulesSource>,
    /// Whether it says which networks are one's own (`HOME_NET`); else they are those of the firewall's VPC.
    pub has_home_net: bool,
}

/// The rules of a group, in one of four forms.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RulesSource {
    /// Rules as Suricata reads them.
    pub rules_string: Option<String>,
    /// A list of domains.
    pub rules_source_list: Option<DomainRules>,
    /// Rules by address and port.
    pub stateful_rules: Vec<StatefulRule>,
    /// Rules for single packets.
    pub stateless_rules_and_custom_actions: StatelessRules,
}

/// Rules that are made of a list of domains.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DomainRules {
    /// Names; with a dot in front also all below.
    pub targets: Vec<String>,
    /// `ALLOWLIST`, `DENYLIST`, `REJECTLIST` or `ALERTLIST`.
    pub generated_rules_type: String,
}

/// A rule by address and port.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StatefulRule {
    /// `PASS`, `DROP`, `REJECT` or `ALERT`.
    pub action: String,
    /// What it takes.
    pub header: StatefulHeader,
    /// What else it asks of a packet.
    pub rule_options: Vec<RuleOption>,
}

/// What a rule by address and port takes; `ANY` for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(missing_docs, reason = "the names are AWS's, and say what they are")]
pub struct StatefulHeader {
    pub protocol: String,
    pub source: String,
    pub destination: String,
    pub destination_port: String,
}

/// Something that a rule asks of a packet, or says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RuleOption {
    /// Such as `sid`.
    pub keyword: String,
    /// What it is set to.
    pub settings: Vec<String>,
}

/// Rules for single packets.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StatelessRules {
    /// The rules.
    pub stateless_rules: Vec<StatelessRule>,
}

/// A rule for single packets.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StatelessRule {
    /// What it says.
    pub rule_definition: StatelessDefinition,
}

/// What a rule for single packets says.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StatelessDefinition {
    /// `aws:pass`, `aws:drop`, `aws:forward_to_sfe`, or actions of one's own.
    pub actions: Vec<String>,
    /// What it takes.
    pub match_attributes: StatelessMatch,
}

/// What a rule for single packets takes. Without destinations, it takes those to anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StatelessMatch {
    /// Networks that packets go to.
    pub destinations: Vec<AddressDefinition>,
}

/// A network, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AddressDefinition {
    /// Such as `10.0.0.0/8`.
    pub address_definition: String,
}

impl Resource for NetworkFirewall {
    fn id(&self) -> &str {
        &self.firewall_arn
    }
}

impl Resource for FirewallPolicy {
    fn id(&self) -> &str {
        &self.firewall_policy_arn
    }
}

impl Resource for FirewallRuleGroup {
    fn id(&self) -> &str {
        &self.rule_group_arn
    }
}

/// A firewall as it is listed, or as it is described.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AnyFirewall {
    firewall_arn: String,
    firewall_name: String,
    firewall: Option<Firewall>,
    firewall_status: FirewallStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Firewall {
    firewall_arn: String,
    firewall_name: String,
    firewall_policy_arn: Option<String>,
    vpc_id: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct FirewallStatus {
    /// By availability zone.
    sync_states: BTreeMap<String, SyncState>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SyncState {
    attachment: FirewallAttachment,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct FirewallAttachment {
    endpoint_id: String,
    subnet_id: String,
}

impl From<AnyFirewall> for NetworkFirewall {
    fn from(any: AnyFirewall) -> Self {
        let Some(own) = any.firewall else {
            return Self {
                firewall_arn: any.firewall_arn,
                firewall_name: any.firewall_name,
                ..Self::default()
            };
        };
        let states = any.firewall_status.sync_states.into_values();
        let endpoints =
            states.map(|state| (state.attachment.endpoint_id, state.attachment.subnet_id));
        Self {
            firewall_arn: own.firewall_arn,
            firewall_name: own.firewall_name,
            vpc_id: own.vpc_id,
            firewall_policy_arn: own.firewall_policy_arn,
            endpoints: endpoints.filter(|(id, _)| !id.is_empty()).collect(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AnyPolicy {
    arn: String,
    firewall_policy: Option<FirewallPolicyRules>,
    firewall_policy_response: PolicyResponse,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PolicyResponse {
    firewall_policy_arn: String,
}

impl From<AnyPolicy> for FirewallPolicy {
    fn from(any: AnyPolicy) -> Self {
        Self {
            firewall_policy_arn: either(any.firewall_policy_response.firewall_policy_arn, any.arn),
            rules: any.firewall_policy,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AnyRuleGroup {
    arn: String,
    rule_group: Option<RuleGroup>,
    rule_group_response: RuleGroupResponse,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RuleGroupResponse {
    rule_group_arn: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RuleGroup {
    rule_variables: RuleVariables,
    rules_source: Option<RulesSource>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RuleVariables {
    #[serde(rename = "IPSets")]
    ip_sets: BTreeMap<String, IpSet>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct IpSet {
    definition: Vec<String>,
}

impl From<AnyRuleGroup> for FirewallRuleGroup {
    fn from(any: AnyRuleGroup) -> Self {
        let own = any.rule_group.unwrap_or_default();
        let home = own.rule_variables.ip_sets.get("HOME_NET");
        Self {
            rule_group_arn: either(any.rule_group_response.rule_group_arn, any.arn),
            rules: own.rules_source,
            has_home_net: home.is_some_and(|set| !set.definition.is_empty()),
        }
    }
}

/// The first text that is not empty.
fn either(one: String, other: String) -> String {
    if one.is_empty() { other } else { one }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_firewall_is_read_as_it_is_listed_and_as_it_is_described() {
        let listed: NetworkFirewall =
            serde_json::from_value(json!({"FirewallName": "fw", "FirewallArn": "arn:fw"})).unwrap();
        assert_eq!(
            (listed.id(), &listed.firewall_policy_arn),
            ("arn:fw", &None)
        );
        let described = json!({"UpdateToken": "x", "Firewall": {"FirewallName": "fw", "FirewallArn": "arn:fw",
                "FirewallPolicyArn": "arn:policy", "VpcId": "vpc-1", "SubnetMappings": [{"SubnetId": "subnet-1"}]},
            "FirewallStatus": {"Status": "READY", "SyncStates": {
                "eu-west-1a": {"Attachment": {"SubnetId": "subnet-1", "EndpointId": "vpce-1", "Status": "READY"}},
                "eu-west-1b": {"Attachment": {"Status": "CREATING"}}}}});
        let described: NetworkFirewall = serde_json::from_value(described).unwrap();
        assert_eq!(
            described.endpoints,
            BTreeMap::from([("vpce-1".to_owned(), "subnet-1".to_owned())])
        );
        assert_eq!(described.firewall_policy_arn.as_deref(), Some("arn:policy"));
    }

    #[test]
    fn policies_and_groups_that_are_only_listed_say_nothing_of_their_rules() {
        let policy: FirewallPolicy =
            serde_json::from_value(json!({"Name": "p", "Arn": "arn:p"})).unwrap();
        assert_eq!((policy.id(), &policy.rules), ("arn:p", &None));
        let group: FirewallRuleGroup =
            serde_json::from_value(json!({"Name": "g", "Arn": "arn:g"})).unwrap();
        assert_eq!((group.id(), &group.rules), ("arn:g", &None));
        let described = json!({"RuleGroupResponse": {"RuleGroupArn": "arn:g", "Type": "STATEFUL"}, "RuleGroup": {
            "RuleVariables": {"IPSets": {"HOME_NET": {"Definition": ["10.0.0.0/8"]}}},
            "RulesSource": {"RulesSourceList": {"Targets": [".example.com"], "GeneratedRulesType": "ALLOWLIST"}}}});
        let group: FirewallRuleGroup = serde_json::from_value(described).unwrap();
        assert!(group.has_home_net);
        let list = group
            .rules
            .and_then(|rules| rules.rules_source_list)
            .unwrap();
        assert_eq!(list.generated_rules_type, "ALLOWLIST");
    }
}
