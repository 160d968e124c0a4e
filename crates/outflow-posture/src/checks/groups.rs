//! Security groups: which of their egress rules are open, justified and used.

use std::collections::BTreeMap;

use outflow_enrich::inventory::SecurityGroup;
use outflow_finding::Severity;

use crate::criterion::{Criterion, Verdict};
use crate::finding::{Check, Draft};
use crate::metrics::Share;
use crate::network::present;
use crate::rule::{Need, Openness, Peer, Rule, rules_of};
use crate::traffic::Opened;
use crate::view::{Context, Out, View};

/// Looks at all groups of a VPC; returns how many of them have open egress that nothing justifies.
pub(crate) fn check(context: &Context<'_>, view: &View<'_>, out: &mut Out) -> Share {
    let (mut documented, mut default, mut none) =
        (Verdict::default(), Verdict::default(), Verdict::default());
    let inventory = &context.network.inventory;
    let listed = view.is_listed(&inventory.security_groups, context.network.at);
    if !listed {
        for verdict in [&mut documented, &mut default, &mut none] {
            verdict.doubt("security groups were not listed");
        }
    }
    let groups = present(&inventory.security_groups, context.network.at);
    let groups: Vec<_> = groups
        .filter(|(_, group, _)| group.vpc_id == view.vpc_id)
        .collect();
    let mut share = Share::of(0, groups.len());
    for (group_id, group, _) in &groups {
        let mut is_bare = false;
        doubt_unread(group_id, group, [&mut documented, &mut default, &mut none]);
        for rule in rules_of(&context.network, group_id) {
            match rule.openness(&context.network) {
                Openness::Closed => {}
                Openness::Unknown => {
                    let what = format!("{group_id}: networks of {}", rule.said());
                    documented.doubt(what.clone());
                    none.doubt(what);
                }
                Openness::Open => {
                    let said = format!("{group_id} ({}): {}", group.group_name, rule.said());
                    none.fail(said.clone());
                    if group.group_name == "default" {
                        default.fail(said.clone());
                    }
                    match justified(context, group, &rule) {
                        Some(why) => documented.hold(format!("{said}: {why}")),
                        None if was_tagged(context, &rule) => {
                            share.is_known = false;
                            let why = "its tag was seen before rules were asked for in vain";
                            documented.doubt(format!("{said}: {why}"));
                        }
                        None => {
                            is_bare = true;
                            documented.fail(said);
                            out.findings.push(undocumented(context, group, &rule));
                        }
                    }
                }
            }
        }
        share.part += usize::from(is_bare);
        if group.group_name == "default" {
            default_group(context, group_id, out);
        }
    }
    if listed {
        // A VPC always has its default group, so that a whole listing without any says something else.
        let said = format!("{} security groups", groups.len());
        match groups.is_empty() {
            true => none.doubt("no security group is listed for the VPC"),
            false => none.hold(format!("none of {said} is open")),
        }
        documented.hold(said);
        let mut names = groups.iter().map(|(_, group, _)| &group.group_name);
        match names.any(|name| name == "default") {
            true => default.hold("the default group lets nothing out to anywhere"),
            false => default.doubt("the default group is not among the security groups"),
        }
    }
    share.is_known &= listed;
    out.judge(Criterion::EgressDocumented, documented);
    out.judge(Criterion::DefaultGroupClosed, default);
    out.judge(Criterion::NoOpenEgress, none);
    share
}

/// What justifies a rule.
fn justified(context: &Context<'_>, group: &SecurityGroup, rule: &Rule<'_>) -> Option<String> {
    let policy = context.policy;
    let tag = policy.tagged(&group.tags);
    let tag = tag.or_else(|| policy.tagged(rule.tags?));
    if let Some(value) = tag {
        return Some(format!("tag: {value}"));
    }
    if let Some(reason) = rule.description.and_then(|text| policy.described(text)) {
        return Some(format!("description: {reason}"));
    }
    let given = policy.justifications.iter().find(|given| {
        let net = given.network.is_none_or(|net| rule.peer == Peer::Net(net));
        let port = given
            .port
            .is_none_or(|port| rule.ports.is_some_and(|ports| ports.0 == port));
        given.group_id == rule.group_id && net && port && given.holds(context.network.at)
    })?;
    Some(format!("file: {} ({})", given.reason, given.owner))
}

/// Whether a tag justified a rule when its tags were last told.
fn was_tagged(context: &Context<'_>, rule: &Rule<'_>) -> bool {
    let tags = rule.stale_tags;
    tags.is_some_and(|tags| context.policy.tagged(tags).is_some())
}

fn undocumented(context: &Context<'_>, group: &SecurityGroup, rule: &Rule<'_>) -> Draft {
    let severity = if rule.is_wide() {
        Severity::High
    } else {
        Severity::Medium
    };
    let said = rule.said();
    let name = &group.group_name;
    let summary = format!(
        "{} ({name}) lets out {said}, and nothing says why",
        group.group_id
    );
    let mut draft = Draft::new(Check::OpenEgress, severity, &group.group_id, summary);
    draft.detail = said;
    if let Some(description) = rule.description {
        draft
            .evidence
            .push(format!("its description is `{description}`"));
    }
    let expired = context
        .policy
        .justifications
        .iter()
        .find(|given| given.group_id == group.group_id && !given.holds(context.network.at));
    if let Some(until) = expired.and_then(|given| given.until) {
        draft
            .evidence
            .push(format!("its justification held until {until}"));
    }
    let members = context.network.members(&group.group_id);
    draft
        .evidence
        .push(format!("interfaces that have the group: {members}"));
    draft
}

fn default_group(context: &Context<'_>, group_id: &str, out: &mut Out) {
    let rules = rules_of(&context.network, group_id);
    let open = rules
        .iter()
        .filter(|rule| rule.openness(&context.network) == Openness::Open);
    let open: Vec<String> = open.map(Rule::said).collect();
    if open.is_empty() {
        return;
    }
    let summary =
        format!("The default group {group_id} is open: whatever is given no group has it");
    let mut draft = Draft::new(Check::DefaultGroupOpen, Severity::Medium, group_id, summary);
    draft.evidence = open;
    out.findings.push(draft);
}

/// Doubts what is said of a group of which not all that may go out was understood.
fn doubt_unread(group_id: &str, group: &SecurityGroup, verdicts: [&mut Verdict; 3]) {
    if group.unread_egress == 0 {
        return;
    }
    let parts = group.unread_egress;
    for verdict in verdicts {
        verdict.doubt(format!(
            "{group_id}: {parts} parts of its rules were not understood"
        ));
    }
}

/// Looks for open rules that no traffic needs. Nothing is said where the traffic does not show all, or too few days.
pub(crate) fn check_use(context: &Context<'_>, view: &View<'_>, out: &mut Out) {
    let Some(days) = days(view).filter(|days| *days >= context.policy.unused_days_min) else {
        return;
    };
    if !view.gaps(context).is_empty() {
        return;
    }
    let mut by_group: BTreeMap<&str, Vec<Need<'_>>> = BTreeMap::new();
    let mut rules_by_group: BTreeMap<&str, Vec<Rule<'_>>> = BTreeMap::new();
    let groups = present(
        &context.network.inventory.security_groups,
        context.network.at,
    );
    for (group_id, group, _) in groups {
        if group.vpc_id == view.vpc_id {
            rules_by_group.insert(group_id, rules_of(&context.network, group_id));
        }
    }
    for (key, entry) in &view.entries {
        // What neither flags nor ports tell may need the rule.
        if key.opened == Opened::Inbound || entry.flows == 0 {
            continue;
        }
        let known = context
            .network
            .inventory
            .interface(&key.interface_id, entry.last_at);
        let Some(interface) = known.map(|known| known.value) else {
            return; // It may have any group.
        };
        let need = Need {
            vpc_id: view.vpc_id,
            addr: key.destination,
            protocol: key.protocol,
            port: key.port,
            at: entry.last_at,
        };
        let own = interface.security_groups.keys();
        let is_narrow = |rule: &&Rule<'_>| rule.openness(&context.network) == Openness::Closed;
        let mut rules = own
            .clone()
            .filter_map(|id| rules_by_group.get(id.as_str()))
            .flatten();
        if rules.any(|rule| is_narrow(&rule) && rule.allows(&context.network, &need)) {
            continue;
        }
        for group_id in own {
            by_group.entry(group_id).or_default().push(need);
        }
    }
    for (group_id, rules) in &rules_by_group {
        let needs = by_group.get(group_id).map_or(&[][..], Vec::as_slice);
        for rule in rules {
            let is_open = rule.openness(&context.network) == Openness::Open;
            if is_open && !needs.iter().any(|need| rule.allows(&context.network, need)) {
                let said = rule.said();
                let summary =
                    format!("{group_id} lets out {said}, which nothing needed in {days} days");
                let mut draft = Draft::new(Check::OpenRuleUnused, Severity::Low, group_id, summary);
                draft.evidence.push(format!(
                    "{} flows of its interfaces need other rules",
                    needs.len()
                ));
                draft.detail = said;
                out.findings.push(draft);
            }
        }
    }
}

/// Whole days that the traffic spans.
fn days(view: &View<'_>) -> Option<u32> {
    let (first, last) = view.window()?;
    u32::try_from((last.secs() - first.secs()) / 86_400).ok()
}
