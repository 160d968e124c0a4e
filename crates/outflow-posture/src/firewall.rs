//! Network Firewalls: whether what no rule knows is let out.

use outflow_enrich::inventory::{
    DomainRules, FirewallPolicyRules, FirewallRuleGroup, NetworkFirewall, RuleGroupReference,
    RulesSource, StatefulRule, Timeline, When,
};

use crate::network::Network;
use crate::rule::is_open;
use crate::suricata;

/// Actions by which a policy drops what no stateful rule takes.
const DROPS_REST: [&str; 3] = [
    "aws:drop_strict",
    "aws:drop_established",
    "aws:drop_established_app_layer",
];

/// What something does with what leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    /// It lets out what it knows only, and why that is said.
    Filters(String),
    /// It lets out what it does not know.
    Passes(String),
    Unknown(String),
}

/// What a group of rules does with what leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// It tells, and drops nothing.
    Tells,
    /// It drops what it knows.
    DropsSome,
    /// It drops what it does not know.
    DropsRest,
    /// It passes everything, before others can drop it.
    PassesAll,
}

/// Whether others than hosts of the firewall's VPC send through it: a list of domains without `HOME_NET` lets theirs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guests {
    None,
    Some,
    Unknown,
}

/// What a firewall does with what leaves through it.
pub(crate) fn filter(network: &Network<'_>, firewall: &NetworkFirewall, guests: Guests) -> Filter {
    let name = &firewall.firewall_name;
    let unknown = |what: &str| Filter::Unknown(format!("firewall {name}: {what}"));
    let Some(arn) = &firewall.firewall_policy_arn else {
        return unknown("its policy is not described");
    };
    let policy = fresh(network, &network.inventory.firewall_policies, arn);
    let Some(policy) = policy.and_then(|policy| policy.rules.as_ref()) else {
        return unknown("the rules of its policy are not described");
    };
    match stateless(network, policy) {
        Ok(()) => {}
        Err(Filter::Passes(what)) => return Filter::Passes(format!("firewall {name} {what}")),
        Err(Filter::Unknown(what) | Filter::Filters(what)) => return unknown(&what),
    }
    match stateful(network, policy, guests) {
        Filter::Filters(what) => Filter::Filters(format!("firewall {name} {what}")),
        Filter::Passes(what) => Filter::Passes(format!("firewall {name} {what}")),
        Filter::Unknown(what) => unknown(&what),
    }
}

/// A resource that stands, and of which it is known what it is by now.
fn fresh<'a, T>(network: &Network<'a>, timeline: &'a Timeline<T>, id: &str) -> Option<&'a T> {
    let known = timeline.get(id, network.at)?;
    let is_fresh = known.when != When::Gone && !timeline.is_stale(&known, network.at);
    is_fresh.then_some(known.value)
}

/// Whether packets come to the stateful rules, or are dropped before.
fn stateless(network: &Network<'_>, policy: &FirewallPolicyRules) -> Result<(), Filter> {
    let groups = &policy.stateless_rule_group_references;
    for (actions, what) in [
        (&policy.stateless_default_actions, "packets"),
        (&policy.stateless_fragment_default_actions, "fragments"),
    ] {
        let does = |action: &str| actions.iter().any(|own| own == action);
        if does("aws:pass") && groups.is_empty() {
            return Err(Filter::Passes(format!(
                "passes {what} without looking at them"
            )));
        }
        if does("aws:pass") {
            return Err(Filter::Unknown(format!(
                "it passes {what} that no stateless rule takes, and these are not followed"
            )));
        }
        if !does("aws:forward_to_sfe") && !does("aws:drop") {
            return Err(Filter::Unknown(format!(
                "what it does with {what} by default is not described"
            )));
        }
    }
    for group in groups {
        let arn = &group.resource_arn;
        let rules = rules_of(network, group);
        let Some(rules) = rules else {
            return Err(Filter::Unknown(format!("{} is not described", short(arn))));
        };
        let own = rules
            .stateless_rules_and_custom_actions
            .stateless_rules
            .iter();
        let mut passing = own
            .map(|rule| &rule.rule_definition)
            .filter(|rule| rule.actions.iter().any(|action| action == "aws:pass"));
        let is_anywhere = passing.any(|rule| {
            let to = &rule.match_attributes.destinations;
            let open = |text: &str| text.parse().is_ok_and(is_open);
            to.is_empty() || to.iter().any(|net| open(&net.address_definition))
        });
        if is_anywhere {
            return Err(Filter::Passes(format!(
                "passes packets to anywhere by {}",
                short(arn)
            )));
        }
    }
    Ok(())
}

/// What the stateful rules of a policy do together.
fn stateful(network: &Network<'_>, policy: &FirewallPolicyRules, guests: Guests) -> Filter {
    let forwards = policy
        .stateless_default_actions
        .iter()
        .any(|action| action == "aws:forward_to_sfe");
    if !forwards {
        return Filter::Filters("drops what no stateless rule passes".to_owned());
    }
    let drops_rest = policy
        .stateful_default_actions
        .iter()
        .find(|action| DROPS_REST.contains(&action.as_str()));
    let mut unknown = None;
    let mut most = drops_rest.map_or((Effect::Tells, String::new()), |action| {
        (Effect::DropsRest, format!("drops the rest ({action})"))
    });
    for group in &policy.stateful_rule_group_references {
        let name = short(&group.resource_arn);
        let effect = match of_group(network, group, guests) {
            Ok(effect) => effect,
            Err(why) => {
                unknown = Some(why);
                continue;
            }
        };
        let only_tells = group.changed.action.as_deref() == Some("DROP_TO_ALERT");
        let (effect, what) = match effect {
            (Effect::PassesAll, what) => return Filter::Passes(format!("{what} ({name})")),
            (Effect::DropsRest | Effect::DropsSome, _) if only_tells => {
                (Effect::Tells, format!("only tells what {name} would drop"))
            }
            (effect, what) => (effect, format!("{what} ({name})")),
        };
        if effect > most.0 || most.1.is_empty() {
            most = (effect, what);
        }
    }
    match (most.0, unknown) {
        // What is not described may pass everything.
        (_, Some(why)) => Filter::Unknown(why),
        (Effect::DropsRest, None) => Filter::Filters(most.1),
        (Effect::DropsSome, None) => Filter::Passes(format!("{}, and passes the rest", most.1)),
        (_, None) if most.1.is_empty() => Filter::Passes("has no rule".to_owned()),
        (_, None) => Filter::Passes(format!("{}, and drops nothing", most.1)),
    }
}

/// The rules of a group, where they are described.
fn rules_of<'a>(network: &Network<'a>, group: &RuleGroupReference) -> Option<&'a RulesSource> {
    described(network, group)?.rules.as_ref()
}

fn described<'a>(
    network: &Network<'a>,
    group: &RuleGroupReference,
) -> Option<&'a FirewallRuleGroup> {
    let groups = &network.inventory.firewall_rule_groups;
    fresh(network, groups, &group.resource_arn)
}

/// What a group does, and how that is said.
fn of_group(
    network: &Network<'_>,
    group: &RuleGroupReference,
    guests: Guests,
) -> Result<(Effect, String), String> {
    let arn = &group.resource_arn;
    if arn.contains(":aws-managed:") {
        return Ok((Effect::DropsSome, "drops what AWS lists as bad".to_owned()));
    }
    let own = described(network, group);
    let rules = own.and_then(|own| own.rules.as_ref());
    let (Some(own), Some(rules)) = (own, rules) else {
        return Err(format!("{} is not described", short(arn)));
    };
    if let Some(list) = &rules.rules_source_list {
        return of_domains(list, own.has_home_net, guests);
    }
    if let Some(text) = &rules.rules_string {
        return suricata::effect(text);
    }
    let effects = rules.stateful_rules.iter().map(of_rule);
    let effect = effects.max().unwrap_or(Effect::Tells);
    Ok((effect, said(effect).to_owned()))
}

/// How the effect of rules is said.
pub(crate) fn said(effect: Effect) -> &'static str {
    match effect {
        Effect::Tells => "only tells",
        Effect::DropsSome => "drops what rules name",
        Effect::DropsRest => "drops what no rule passes",
        Effect::PassesAll => "passes everything by a rule",
    }
}

/// What a list of domains does.
fn of_domains(
    list: &DomainRules,
    has_home_net: bool,
    guests: Guests,
) -> Result<(Effect, String), String> {
    let count = list.targets.len();
    match list.generated_rules_type.as_str() {
        "ALLOWLIST" => {}
        "DENYLIST" | "REJECTLIST" => {
            return Ok((Effect::DropsSome, format!("drops {count} domains")));
        }
        "ALERTLIST" => return Ok((Effect::Tells, format!("only tells of {count} domains"))),
        other => return Err(format!("a list of domains of type `{other}` is not known")),
    }
    // All names below a top-level domain are as good as all.
    let is_wide = |name: &&String| !name.trim_matches('.').contains('.');
    if let Some(wide) = list.targets.iter().find(is_wide) {
        return Ok((Effect::DropsSome, format!("allows all of `{wide}`")));
    }
    if !has_home_net && guests == Guests::Some {
        let what =
            "allows domains for networks of its own VPC only, and others come by a transit gateway";
        return Ok((Effect::DropsSome, what.to_owned()));
    }
    if !has_home_net && guests == Guests::Unknown {
        return Err("its list of domains has no HOME_NET, and attachments of transit gateways were not listed".to_owned());
    }
    let what = format!("lets out {count} domains by TLS and HTTP, and drops other names");
    Ok((Effect::DropsRest, what))
}

/// What a rule by address and port does.
fn of_rule(rule: &StatefulRule) -> Effect {
    let header = &rule.header;
    let is_all = |text: &str, all: &[&str]| all.iter().any(|own| own.eq_ignore_ascii_case(text));
    let anywhere = is_all(&header.destination, &["ANY", "0.0.0.0/0", "$EXTERNAL_NET"])
        && is_all(&header.destination_port, &["ANY", "0:65535", "1:65535"])
        && is_all(&header.source, &["ANY", "0.0.0.0/0", "$HOME_NET"]);
    let options = || rule.rule_options.iter();
    let plain = options().all(|own| suricata::is_plain(&own.keyword));
    let opens = |text: &String| suricata::is_of_opening(text);
    let opening = options().any(|own| opens(&own.keyword) || own.settings.iter().any(opens));
    let most = anywhere && plain && is_all(&header.protocol, &["IP", "TCP"]);
    match rule.action.to_ascii_uppercase().as_str() {
        "PASS" if most && !opening => Effect::PassesAll,
        "DROP" | "REJECT" if most => Effect::DropsRest,
        "DROP" | "REJECT" => Effect::DropsSome,
        _ => Effect::Tells,
    }
}

/// The end of an ARN, which names it.
fn short(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests;
