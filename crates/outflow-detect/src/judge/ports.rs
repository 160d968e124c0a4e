//! Services that have no business with outside addresses.

use outflow_finding::{Family, Severity, Why, human_bytes};

use super::Judged;
use super::draft::{Charge, Draft};
use crate::policy::Policy;
use crate::services::{service_name, watched};
use crate::view::{Entry, View};

/// Findings `policy.port`: one for a workload, a service and a day.
pub(super) fn judge(view: &View<'_>, policy: &Policy) -> Vec<Judged> {
    let mut entries = view.entries(|key, counters| {
        key.service.external
            && !key.service.served
            && counters.up.payload > 0
            && watched(key.service).is_some()
    });
    let key = |entry: &Entry<'_>| {
        (
            entry.workload,
            watched(entry.service).map_or("", |service| service.name),
            entry.slot.day(),
        )
    };
    entries.sort_by_key(key);
    let runs = entries.chunk_by(|a, b| key(a) == key(b));
    runs.filter_map(|run| judge_run(view, policy, run))
        .collect()
}

fn judge_run(view: &View<'_>, policy: &Policy, run: &[Entry<'_>]) -> Option<Judged> {
    let is_allowed = |entry: &&Entry<'_>| {
        let service = service_name(entry.service);
        let name = watched(entry.service).map_or("", |service| service.name);
        policy
            .services_allowed
            .iter()
            .any(|allowed| *allowed == service || allowed == name)
    };
    let draft = Draft::of(run.iter().filter(|entry| !is_allowed(entry)));
    let service = watched(run[0].service)?;
    let bound = policy.bounds.service_day;
    // A handshake answered by nobody carries nothing; a service that answered was reached.
    if draft.up().payload < bound || draft.down().packets == 0 {
        return None;
    }
    let sent = human_bytes(draft.up().payload);
    let addresses = draft.addresses().len();
    let place = match draft.addresses().first() {
        Some(first) if addresses == 1 => first.to_string(),
        Some(first) => format!("{first} and {} more", addresses - 1),
        None => return None,
    };
    let volume = Why {
        observed: draft.up().payload as f64,
        expected: Some(0.0),
        bound: Some(bound as f64),
        unit: "bytes".to_owned(),
        text: format!(
            "{sent} of payload over {} ({}) to {place}: this service should not leave the network",
            service.name,
            draft.service().unwrap_or_default(),
        ),
    };
    let measure = draft.measure(draft.up().payload, bound, 0.0);
    let workload = view.workload(run[0].workload);
    let charge = Charge {
        family: Family::PolicyPort,
        day: run[0].slot.day(),
        identity: &[&workload.account_id, &workload.name, service.name],
        title: format!("{} to {place}: {sent} sent", service.name),
        severity: Severity::Low,
        risk: measure.risk(),
        bits: None,
        attack: &[service.technique],
        why: vec![volume],
        workload: Some(run[0].workload),
    };
    Some(draft.finish(view, charge))
}
