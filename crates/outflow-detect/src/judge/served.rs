//! Far more than usual fetched from a service of an interface.
//!
//! A host does not choose who comes to its service, so what it serves is no ledger's. But data also leaves when somebody
//! fetches it. Sums are by service, as clients of a service are not told apart.

use outflow_finding::{Family, Severity, Why, human_bytes};

use super::Judged;
use super::baseline::{Levels, establishing, payload_at, season};
use super::draft::{Charge, Draft};
use super::severity::Measure;
use crate::counters::total;
use crate::parallel::in_parallel;
use crate::policy::Policy;
use crate::services::service_name;
use crate::time::Day;
use crate::view::{Entry, View, warm_up};

/// How many times the median of its past a day must serve.
const TIMES_MIN: u64 = 4;

/// How many times its bound it must be above it to be more than a note: a service that is liked serves more, too.
const GRAVE_TIMES: u64 = 10;

/// Findings of what workloads serve, one for a workload, a service and a day.
pub(super) fn judge<'a>(
    view: &'a View<'_>,
    policy: &Policy,
    mut entries: Vec<Entry<'a>>,
) -> Vec<Judged> {
    entries.retain(Entry::sends_payload);
    entries.sort_unstable_by_key(|own| {
        (
            own.workload,
            own.service,
            own.slot,
            own.interface,
            own.remote,
        )
    });
    let services = entries.chunk_by(|a, b| (a.workload, a.service) == (b.workload, b.service));
    let services: Vec<&[Entry<'_>]> = services.collect();
    let found = in_parallel(&services, |run| {
        warm_up(*run);
        judge_service(view, policy, run)
    });
    found.into_iter().flatten().collect()
}

fn judge_service(view: &View<'_>, policy: &Policy, run: &[Entry<'_>]) -> Vec<Judged> {
    let days = run.chunk_by(|a, b| a.slot.day() == b.slot.day());
    let sent = |of_day: &[Entry<'_>]| total(of_day.iter().map(|own| own.counters.up().payload));
    let history: Vec<(Day, u64)> = days
        .clone()
        .map(|of_day| (of_day[0].slot.day(), sent(of_day)))
        .collect();
    let judged = days.zip(&history).filter_map(|(of_day, (day, payload))| {
        let rule = &policy.baseline;
        let known = establishing(&history, *day, rule.quarantine_days, rule)?;
        let mut levels = Levels::default();
        known.iter().for_each(|(_, payload)| levels.add(*payload));
        let usual = payload_at(levels.middle_and_spread().0);
        let explained = season(known, *day, usual.max(levels.raised()));
        let more = payload.saturating_sub(explained);
        let is_more = more >= policy.bounds.served_day && *payload / TIMES_MIN >= usual;
        is_more.then(|| finding(view, policy, of_day, (*payload, usual)))
    });
    judged.collect()
}

fn finding(
    view: &View<'_>,
    policy: &Policy,
    of_day: &[Entry<'_>],
    (payload, usual): (u64, u64),
) -> Judged {
    let draft = Draft::of(of_day);
    let first = &of_day[0];
    let (day, service) = (first.slot.day(), service_name(first.service));
    let bound = policy.bounds.served_day;
    let workload = view.workload(first.workload);
    let (sent, before) = (human_bytes(payload), human_bytes(usual));
    let text = format!(
        "{sent} of payload served over {service} in a day; the median of the days before is {before}, and the bound is {} \
         above what they explain",
        human_bytes(bound)
    );
    let volume = Why {
        observed: payload as f64,
        expected: Some(usual as f64),
        bound: Some(usual.saturating_add(bound) as f64),
        unit: "bytes".to_owned(),
        text,
    };
    let limit = Why {
        unit: "clients".to_owned(),
        text: "who fetched it is in the records, and not in this sum".to_owned(),
        ..Why::default()
    };
    let measure = Measure {
        bits: 0.0,
        ..draft.measure(payload - usual, bound)
    };
    let severity = match payload - usual >= bound.saturating_mul(GRAVE_TIMES) {
        true => Severity::Medium,
        false => Severity::Low,
    };
    let charge = Charge {
        family: Family::VolumeServed,
        day,
        identity: &[&workload.account_id, &workload.unique_name(), &service],
        title: format!("{sent} served over {service} in a day, {before} before"),
        severity,
        risk: measure.risk(),
        bits: None,
        attack: &["T1190", "T1213", "T1530"],
        why: vec![volume, limit],
        workload: Some(first.workload),
    };
    draft.finish(view, charge)
}
