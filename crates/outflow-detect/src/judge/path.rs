//! Payload by ways that policy forbids, to regions of AWS that it forbids, and past an endpoint that the VPC has.
//!
//! The way is what `traffic-path` of the interface's own records tells. Where records do not tell it, the route tables of
//! the inventory do, but only of endpoints. Of what neither tells, nothing is said.

mod ways;

use std::collections::BTreeMap;

use outflow_enrich::{ApiService, Operator};
use outflow_finding::{Family, Severity, Why, human_bytes};

use super::draft::{Charge, Draft, bounded};
use super::{Judged, by_workload};
use crate::policy::{Policy, Way};
use crate::time::Day;
use crate::view::{Entry, View};
use ways::{Past, Ways};

/// What payload went against.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Breach {
    /// A way that is denied.
    Denied(Way),
    /// A region that is not on the list of those allowed.
    Region(String),
    /// An endpoint of a VPC that takes what was sent to this service.
    Past(ApiService, String),
}

/// What one day has of a breach: its entries, and what tells that an endpoint was passed.
#[derive(Debug, Default)]
struct OfDay<'a> {
    entries: Vec<&'a Entry<'a>>,
    past: Option<Past>,
}

/// Findings `policy.path`: one for a workload, a breach and a day; of what passes by an endpoint, only when it is first
/// told, and when a day has twice as much as any that was told.
pub(super) fn judge(view: &View<'_>, policy: &Policy, chosen: &[Vec<Entry<'_>>]) -> Vec<Judged> {
    let has_endpoints = view.inventory().vpc_endpoints.ids().next().is_some();
    let is_known = has_endpoints && !view.operators().is_empty();
    if !is_known && policy.path.denied.is_empty() && policy.path.regions_allowed.is_empty() {
        return Vec::new();
    }
    by_workload(chosen, |run| judge_workload(view, policy, run))
}

fn judge_workload<'a>(view: &View<'_>, policy: &Policy, run: &'a [Entry<'a>]) -> Vec<Judged> {
    let mut ways = Ways::new(view);
    let mut breaches: BTreeMap<Breach, BTreeMap<Day, OfDay<'a>>> = BTreeMap::new();
    let mut note = |breach: Breach, entry: &'a Entry<'a>, past: Option<Past>| {
        let days = breaches.entry(breach).or_default();
        let of_day = days.entry(entry.slot.day()).or_default();
        of_day.entries.push(entry);
        of_day.past = of_day.past.take().into_iter().chain(past).min();
    };
    for entry in run.iter().filter(|entry| entry.sends_payload()) {
        let operator = view.operator(entry);
        for breach in forbidden(policy, &mut ways, entry, operator) {
            note(breach, entry, None);
        }
        if let Some(past) = ways.past_endpoint(entry, operator) {
            let breach = Breach::Past(past.service.clone(), past.vpc_id.clone());
            note(breach, entry, Some(past));
        }
    }
    let mut findings = Vec::new();
    for (breach, days) in &breaches {
        let mut told = 0_u64;
        for (day, of_day) in days {
            let draft = Draft::of(of_day.entries.iter().copied());
            let payload = draft.up().payload;
            let is_posture = of_day.past.is_some();
            let is_news = !is_posture || payload >= told.saturating_mul(2);
            if payload >= policy.bounds.path_day && is_news {
                told = payload;
                findings.push(finding(view, policy, (*day, breach), of_day, draft));
            }
        }
    }
    findings
}

/// What the payload of an entry goes against, of what policy forbids.
fn forbidden(
    policy: &Policy,
    ways: &mut Ways<'_, '_>,
    entry: &Entry<'_>,
    operator: Operator<'_>,
) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let rule = &policy.path;
    if !rule.denied.is_empty() {
        let taken = ways.of(entry, operator);
        // Records of six hours that tell several ways do not tell which bytes went where.
        let are_denied = taken.iter().all(|way| rule.denied.contains(way));
        breaches.extend(
            taken
                .first()
                .filter(|_| are_denied)
                .map(|way| Breach::Denied(*way)),
        );
    }
    if let Some(region) = operator.region
        && !rule.regions_allowed.is_empty()
        && !rule.regions_allowed.iter().any(|own| own == region)
    {
        breaches.push(Breach::Region(region.to_owned()));
    }
    breaches
}

fn finding(
    view: &View<'_>,
    policy: &Policy,
    (day, breach): (Day, &Breach),
    of_day: &OfDay<'_>,
    draft: Draft,
) -> Judged {
    let (payload, bound) = (draft.up().payload, policy.bounds.path_day);
    let sent = human_bytes(payload);
    let (title, rule, identity) = match breach {
        Breach::Denied(way) => (
            format!("{sent} of payload by {way}, against policy"),
            "policy denies this way".to_owned(),
            format!("{way:?}"),
        ),
        Breach::Region(region) => (
            format!("{sent} of payload to AWS in {region}, against policy"),
            "it is none of the regions that policy allows".to_owned(),
            region.clone(),
        ),
        Breach::Past(service, vpc_id) => (
            format!("{sent} of payload to {service} past the endpoint of {vpc_id}"),
            format!(
                "{} takes what is sent to this service",
                of_day.past.as_ref().map_or("", |past| &past.endpoint_id)
            ),
            format!("{service} {vpc_id}"),
        ),
    };
    // Who sends past an endpoint may well mean to: the account's own buckets answer there, too.
    let (severity, attack): (_, &[&str]) = match breach {
        Breach::Denied(_) => (Severity::High, &["T1048"]),
        Breach::Region(_) => (Severity::Medium, &["T1537", "T1567"]),
        Breach::Past(..) => (Severity::Low, &["T1537", "T1567.002"]),
    };
    let text = format!(
        "{title} on {day}: {rule}; the bound is {}",
        human_bytes(bound)
    );
    let measure = draft.measure(payload, bound);
    let charged = Why {
        expected: Some(0.0),
        ..bounded(payload, bound, "bytes", text)
    };
    let mut why = vec![charged];
    why.extend(of_day.past.iter().flat_map(|past| past.reasons(day)));
    why.push(super::ledger::shape_reason(&measure));
    let workload = of_day.entries[0].workload;
    let who = view.workload(workload);
    let charge = Charge {
        family: Family::PolicyPath,
        day,
        identity: &[&who.account_id, &who.unique_name(), &identity],
        title,
        severity,
        risk: measure.risk(),
        bits: None,
        attack,
        why,
        workload: Some(workload),
    };
    draft.finish(view, charge)
}

#[cfg(test)]
mod tests;
