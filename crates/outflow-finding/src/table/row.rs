//! One incident's cells, and the line under its reasons.

use std::collections::BTreeSet;

use super::CELL_CHARS_MAX;
use crate::escape::escape;
use crate::explanation::{databases_text, known_to, paths_text, stages_text};
use crate::{
    Destination, Finding, Incident, Sender, human_bytes, human_count, human_duration, risk_text,
};

/// Security groups that a line names; an interface has five at most unless AWS was asked for more. JSON has all.
const SECURITY_GROUPS_SHOWN: usize = 5;

const UNKNOWN: &str = "unknown";

/// The cells of an incident at this rank; `members` are its findings.
pub(super) fn cells(rank: usize, body: &Finding, members: &[&Finding]) -> [String; 8] {
    [
        rank.to_string(),
        body.risk.to_string(),
        body.severity.name().to_owned(),
        body.family.name().to_owned(),
        who(body, members),
        to(body, members),
        human_bytes(body.bytes),
        when(body),
    ]
}

/// Id, number of findings, and what an analyst looks up next.
pub(super) fn footer(incident: &Incident) -> String {
    let body = &incident.body;
    let findings = match incident.finding_ids.len() {
        1 => "1 finding".to_owned(),
        many => format!("{many} findings"),
    };
    let mut parts = vec![escape(&body.id, CELL_CHARS_MAX), findings];
    // The instance is often what the workload is called by.
    let instance = &body.sender.instance_id;
    let instance = instance.as_ref().filter(|_| *instance != body.workload);
    let places = [body.interface_id.as_ref(), instance, body.vpc_id.as_ref()];
    parts.extend(places.into_iter().flatten().map(|place| short(place)));
    parts.extend(security_groups(&body.sender));
    if !body.attack.is_empty() {
        parts.push(escape(&body.attack.join(" "), CELL_CHARS_MAX));
    }
    if let Some(coverage) = &body.coverage {
        parts.push(format!("{:.1} % of minutes seen", coverage.share * 100.0));
    }
    parts.join(" · ")
}

/// What the risk is made of, and what else explains an incident; nothing, where nothing of it is known.
pub(super) fn explanation(body: &Finding) -> Option<String> {
    let risk = (!body.risk_parts.is_empty())
        .then(|| format!("risk {} = {}", body.risk, risk_text(&body.risk_parts)));
    let to = &body.destination;
    let parts = [
        risk,
        stages_text(&body.stages),
        known_to(to),
        paths_text(&body.paths).map(|paths| format!("by {paths}")),
        databases_text(to).map(|all| escape(&all, CELL_CHARS_MAX)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// Ids of security groups, each with its name: what an analyst closes first.
fn security_groups(sender: &Sender) -> Option<String> {
    let groups = &sender.security_groups;
    let shown = groups.iter().take(SECURITY_GROUPS_SHOWN);
    let shown = shown.map(|group| match &group.name {
        Some(name) => format!("{} ({})", short(&group.id), short(name)),
        None => short(&group.id),
    });
    let shown = shown.collect::<Vec<_>>().join(" ");
    match groups.len().saturating_sub(SECURITY_GROUPS_SHOWN) {
        0 => (!shown.is_empty()).then_some(shown),
        more => Some(format!("{shown} +{more}")),
    }
}

/// Whose the destination is and what it was called, as far as its cell does not say it.
pub(super) fn known(destination: &Destination) -> Vec<String> {
    let whose = vendor(destination).map(|vendor| format!("the destination is {vendor}"));
    whose.into_iter().chain(names(destination)).collect()
}

/// `Datadog, site EU1 (telemetry)`.
fn vendor(destination: &Destination) -> Option<String> {
    let vendor = destination.vendor.as_deref()?;
    let name = match destination.product.as_deref() {
        // Most products have the name of their vendor in theirs.
        Some(product) if product.starts_with(vendor) => short(product),
        Some(product) => format!("{} {}", short(vendor), short(product)),
        None => short(vendor),
    };
    let site = match &destination.site {
        Some(site) => format!(", site {}", short(site)),
        None => ", at a site that is not known".to_owned(),
    };
    let category = destination.category.as_deref();
    let category = category.map(|category| format!(" ({})", short(category)));
    Some(name + &site + &category.unwrap_or_default())
}

/// Several names; a single one is what the destination is called.
fn names(destination: &Destination) -> Option<String> {
    let Destination {
        domains,
        domains_total,
        ambiguous,
        ..
    } = destination;
    if *domains_total < 2 {
        return None;
    }
    let listed: Vec<String> = domains.iter().map(|name| short(name)).collect();
    let more = match domains_total.saturating_sub(domains.len() as u64) {
        0 => String::new(),
        all if domains.is_empty() => format!("{} names or more", human_count(all)),
        more => format!(" and {} more", human_count(more)),
    };
    let names = listed.join(", ") + &more;
    Some(if *ambiguous {
        format!("one address had several names, and which of them was meant is not known: {names}")
    } else {
        format!("its addresses had several names: {names}")
    })
}

fn who(body: &Finding, members: &[&Finding]) -> String {
    let name = sender(body);
    let others = others(name, members.iter().map(|own| sender(own)));
    let account = body.account_id.as_deref().map(short);
    // The gravest finding may be of several senders, and name none of them.
    let (name, others) = match (name, others) {
        (None, 2..) => (Some("several"), others),
        known => known,
    };
    lines([
        labelled(name, others),
        account,
        body.region.as_deref().map(short),
    ])
}

fn sender(finding: &Finding) -> Option<&str> {
    finding
        .workload
        .as_deref()
        .or(finding.interface_id.as_deref())
}

fn to(body: &Finding, members: &[&Finding]) -> String {
    let name = receiver(&body.destination);
    let others = others(name, members.iter().map(|own| receiver(&own.destination)));
    let country = body.destination.country.as_deref().map(short);
    lines([labelled(name, others), operator(&body.destination), country])
}

fn receiver(destination: &Destination) -> Option<&str> {
    let Destination {
        group,
        addresses,
        domain,
        service,
        ..
    } = destination;
    let address = addresses.first();
    domain
        .as_ref()
        .or(group.as_ref())
        .or(address)
        .or(service.as_ref())
        .map(String::as_str)
}

fn operator(destination: &Destination) -> Option<String> {
    let asn = destination.asn.map(|asn| format!("AS{asn}"));
    let org = destination.org.as_deref().map(short);
    let service = destination.service.as_deref().map(short);
    let parts: Vec<String> = [asn, org, service].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn when(body: &Finding) -> String {
    let Some(first) = body.first_seen.or(body.last_seen) else {
        return UNKNOWN.to_owned();
    };
    let ((year, month, day), (hour, minute, _)) = (first.date(), first.time_of_day());
    let date = format!("{year:04}-{month:02}-{day:02}");
    let clock = format!("{hour:02}:{minute:02} UTC");
    let secs = body
        .last_seen
        .map(|last| last.secs().saturating_sub(first.secs()));
    // Of the packets that are the evidence: a window of 24 hours moves, and what is charged may span more.
    let last = secs.map(|secs| format!("+{}", human_duration(secs.max(0).unsigned_abs())));
    lines([Some(date), Some(clock), last])
}

fn others<'a>(own: Option<&str>, all: impl Iterator<Item = Option<&'a str>>) -> usize {
    all.flatten()
        .filter(|name| Some(*name) != own)
        .collect::<BTreeSet<_>>()
        .len()
}

fn labelled(name: Option<&str>, others: usize) -> Option<String> {
    let name = name.map_or_else(|| UNKNOWN.to_owned(), short);
    Some(if others == 0 {
        name
    } else {
        format!("{name} +{others}")
    })
}

fn lines(parts: [Option<String>; 3]) -> String {
    parts
        .into_iter()
        .flatten()
        .collect::<Vec<String>>()
        .join("\n")
}

fn short(text: &str) -> String {
    escape(text, CELL_CHARS_MAX)
}
