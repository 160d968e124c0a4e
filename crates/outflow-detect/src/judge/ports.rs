//! Services that have no business with outside addresses.

use outflow_finding::{Family, Severity, Why, human_bytes};

use super::Judged;
use super::draft::{Charge, Draft, bounded};
use crate::parallel::in_parallel;
use crate::policy::Policy;
use crate::services::{service_name, watched};
use crate::view::{Entry, View, warm_up};

/// Findings `policy.port`: one for a workload, a service and a day.
pub(super) fn judge<'a>(view: &View<'_>, policy: &Policy, entries: Vec<Entry<'a>>) -> Vec<Judged> {
    let named = |entry: Entry<'a>| watched(entry.service).map(|service| (service.name, entry));
    let mut entries: Vec<(&str, Entry<'_>)> = entries.into_iter().filter_map(named).collect();
    entries.sort_unstable_by_key(|(name, entry)| {
        let Entry {
            workload,
            slot,
            interface,
            remote,
            service,
            ..
        } = *entry;
        (workload, *name, slot, interface, remote, service)
    });
    let runs = entries.chunk_by(|(name, entry), (next_name, next)| {
        (entry.workload, name, entry.slot.day()) == (next.workload, next_name, next.slot.day())
    });
    let runs: Vec<&[(&str, Entry<'_>)]> = runs.collect();
    let found = in_parallel(&runs, |run| {
        warm_up(run.iter().map(|(_, entry)| entry));
        judge_run(view, policy, run)
    });
    found.into_iter().flatten().collect()
}

fn judge_run(view: &View<'_>, policy: &Policy, run: &[(&str, Entry<'_>)]) -> Option<Judged> {
    let first = run[0].1;
    let is_allowed = |entry: &&Entry<'_>| {
        let service = service_name(entry.service);
        let name = watched(entry.service).map_or("", |service| service.name);
        policy
            .services_allowed
            .iter()
            .any(|allowed| *allowed == service || allowed == name)
    };
    let draft = Draft::of(
        run.iter()
            .map(|(_, entry)| entry)
            .filter(|entry| !is_allowed(entry)),
    );
    let service = watched(first.service)?;
    let bound = policy.bounds.service_day;
    // A handshake answered by nobody carries nothing; a service that answered was reached.
    if draft.up().payload < bound || draft.down().packets == 0 {
        return None;
    }
    let sent = human_bytes(draft.up().payload);
    let place = draft.place(view);
    let text = format!(
        "{sent} of payload over {} ({}) to {place}: this service should not leave the network",
        service.name,
        draft.service().unwrap_or_default(),
    );
    let volume = Why {
        expected: Some(0.0),
        ..bounded(draft.up().payload, bound, "bytes", text)
    };
    let measure = draft.measure(draft.up().payload, bound);
    let workload = view.workload(first.workload);
    let charge = Charge {
        family: Family::PolicyPort,
        day: first.slot.day(),
        identity: &[&workload.account_id, &workload.unique_name(), service.name],
        title: format!("{} to {place}: {sent} sent", service.name),
        severity: Severity::Low,
        risk: measure.risk(),
        bits: None,
        attack: &[service.technique],
        why: vec![volume],
        workload: Some(first.workload),
    };
    Some(draft.finish(view, charge))
}

#[cfg(test)]
mod tests;
