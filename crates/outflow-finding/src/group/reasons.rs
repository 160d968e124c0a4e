//! Why an incident is reported: the reasons of its findings, without the same again for each day.

use std::collections::BTreeSet;

use crate::{Family, Finding, Why, human_bytes, human_count};

/// Reasons listed in an incident: what fits on half a screen. Those of the gravest findings are kept, and the
/// last says how many findings are left; the findings themselves list all of theirs.
pub const INCIDENT_WHY_MAX: usize = 6;

/// The reasons of these findings, the gravest first: all of the gravest finding; then what findings of one
/// family, sender and destination sum up to, or the first reason of what has none of its kind. Where there are
/// several findings, each reason that is one finding's says on which day that begins.
pub fn reasons(members: &[Finding]) -> Vec<Why> {
    let Some((gravest, further)) = members.split_first() else {
        return Vec::new();
    };
    if further.is_empty() {
        return gravest.why.iter().take(INCIDENT_WHY_MAX).cloned().collect();
    }
    let mut reasons: Vec<Why> = dated(gravest).into_iter().collect();
    reasons.extend(gravest.why.iter().skip(1).cloned());
    // One place is for what the others sum up to.
    reasons.truncate(INCIDENT_WHY_MAX - 1);
    let mut kinds = kinds(members).into_iter();
    while let Some(kind) = kinds.next() {
        let reason = match &kind[..] {
            [one] if std::ptr::eq(*one, gravest) => None,
            [one] => dated(one),
            several => Some(sum(several, gravest)),
        };
        let Some(reason) = reason.filter(|reason| !reasons.contains(reason)) else {
            continue;
        };
        if reasons.len() == INCIDENT_WHY_MAX - 1 {
            let left: Vec<&Finding> = kinds.by_ref().flatten().collect();
            reasons.push(if left.is_empty() {
                reason
            } else {
                rest(&[kind, left].concat())
            });
        } else {
            reasons.push(reason);
        }
    }
    reasons
}

type Kind<'a> = (Family, Option<&'a str>, Option<&'a str>);

fn kind_of(finding: &Finding) -> Kind<'_> {
    let group = finding.destination.group.as_deref();
    (finding.family, sender(finding), group)
}

fn sender(finding: &Finding) -> Option<&str> {
    let interface = finding.interface_id.as_deref();
    finding.workload.as_deref().or(interface)
}

/// The findings by family, sender and destination, in the order of the gravest of each.
fn kinds(members: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut places = std::collections::BTreeMap::new();
    let mut kinds: Vec<Vec<&Finding>> = Vec::new();
    for own in members {
        let place = *places.entry(kind_of(own)).or_insert(kinds.len());
        if place == kinds.len() {
            kinds.push(Vec::new());
        }
        kinds[place].push(own);
    }
    kinds
}

/// The first reason of a finding, behind the day on which it begins.
fn dated(finding: &Finding) -> Option<Why> {
    let why = finding.why.first()?.clone();
    // A reason without text is made one from its numbers.
    match day(finding) {
        Some(day) if !why.text.is_empty() => Some(Why {
            text: format!("{day}: {}", why.text),
            ..why
        }),
        _ => Some(why),
    }
}

fn day(finding: &Finding) -> Option<String> {
    let (year, month, day) = finding.first_seen.or(finding.last_seen)?.date();
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

/// Several findings of one kind, which differ in their days.
fn sum(kind: &[&Finding], gravest: &Finding) -> Why {
    let mut what = format!("{} findings", human_count(kind.len() as u64));
    let ((family, sender, group), of) = (kind_of(kind[0]), kind_of(gravest));
    if family != of.0 {
        what = format!("{what} of {family}");
    }
    // Who and where are those of the gravest finding unless told otherwise.
    if let Some(sender) = sender.filter(|sender| Some(*sender) != of.1) {
        what = format!("{what} from {sender}");
    }
    if let Some(group) = group {
        what = format!("{what} to {group}");
    }
    let days: BTreeSet<String> = kind.iter().filter_map(|own| day(own)).collect();
    match (days.first(), days.last()) {
        (Some(first), Some(last)) if first != last => what = format!("{what}, {first} to {last}"),
        (Some(first), _) => what = format!("{what}, {first}"),
        _ => {}
    }
    let sizes = kind.iter().map(|own| own.payload_bytes);
    let (least, most) = (sizes.clone().min(), sizes.max());
    let each = range(least.unwrap_or_default(), most.unwrap_or_default());
    payload(kind, |all| {
        format!("{what}: {all} of payload in all, {each} each")
    })
}

/// The findings for which no place is left.
fn rest(left: &[&Finding]) -> Why {
    let count = human_count(left.len() as u64);
    payload(left, |all| {
        format!("{count} findings besides: {all} of payload in all")
    })
}

fn payload(findings: &[&Finding], text: impl Fn(String) -> String) -> Why {
    let sizes = findings.iter().map(|own| own.payload_bytes);
    let all = sizes.fold(0, u64::saturating_add);
    Why {
        observed: all as f64,
        expected: None,
        bound: None,
        unit: "bytes".to_owned(),
        text: text(human_bytes(all)),
    }
}

/// `156 to 160 MB`, and one size where both read the same.
fn range(least: u64, most: u64) -> String {
    let (least, most) = (human_bytes(least), human_bytes(most));
    match (least.rsplit_once(' '), most.rsplit_once(' ')) {
        _ if least == most => most,
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number} to {most}"),
        _ => format!("{least} to {most}"),
    }
}

#[cfg(test)]
mod tests;
