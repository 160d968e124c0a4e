//! Name resolution in flow logs: resolvers outside, and tunnels through any resolver.
//!
//! Flow logs never show what goes to the resolver of AWS. So whatever they show of ports 53 and 853 bypasses it
//! or serves it: outside resolvers are a finding above a bound, and traffic that does not look like questions
//! and answers is a tunnel, wherever the resolver is.

mod shape;

use outflow_finding::{Family, Severity, Why, human_bytes};

use super::Judged;
use super::draft::{Charge, Draft};
use crate::policy::Policy;
use crate::services::{Resolving, resolving};
use crate::view::{Entry, View};
use shape::{Dialogue, Shape};

/// Findings `dns.bypass` and `dns.tunnel`.
pub(super) fn judge(view: &View<'_>, policy: &Policy) -> Vec<Judged> {
    let mut entries = view.entries(|key, _| resolving(key.service, key.remote).is_some());
    // By interface, resolver and day; whether it serves keeps both sides of a resolver apart.
    entries.sort_by(|a, b| key(view, a).cmp(&key(view, b)));
    let runs = entries.chunk_by(|a, b| key(view, a) == key(view, b));
    runs.filter_map(|run| judge_run(view, policy, run))
        .collect()
}

type RunKey<'a> = (
    &'a outflow_enrich::InterfaceKey,
    bool,
    outflow_record::Addr,
    Option<Resolving>,
    u32,
);

fn key<'a>(view: &View<'a>, entry: &Entry<'_>) -> RunKey<'a> {
    let how = resolving(entry.service, entry.remote);
    let interface = &view.entity(entry.entity).key;
    (
        interface,
        entry.service.served,
        entry.remote,
        how,
        entry.slot.day().0,
    )
}

fn judge_run(view: &View<'_>, policy: &Policy, run: &[Entry<'_>]) -> Option<Judged> {
    let first = &run[0];
    let how = resolving(first.service, first.remote)?;
    let draft = Draft::of(run);
    let dialogue = Dialogue::of(run, &draft);
    let bound = policy.bounds.resolver_day;
    let payload = draft.up().payload + draft.down().payload;
    if payload < bound {
        return None;
    }
    let outside = first.service.external && !first.service.served;
    let shape = dialogue.shape(how);
    let allowed = policy
        .resolvers_allowed
        .iter()
        .any(|net| net.contains(&first.remote.to_ip()));
    let tunnel = matches!(shape, Shape::Tunnel(_) | Shape::Busy(_));
    if !tunnel && (!outside || allowed) {
        return None;
    }
    let family = if outside {
        Family::DnsBypass
    } else {
        Family::DnsTunnel
    };
    let severity = match shape {
        Shape::Tunnel(_) if outside => Severity::High,
        Shape::Tunnel(_) => Severity::Medium,
        Shape::Busy(_) if outside => Severity::Medium,
        Shape::Busy(_) | Shape::Plausible(_) => Severity::Low,
    };
    Some(finding(
        view,
        draft,
        &Case {
            run,
            how,
            family,
            severity,
            payload,
            bound,
            shape,
        },
    ))
}

struct Case<'a> {
    run: &'a [Entry<'a>],
    how: Resolving,
    family: Family,
    severity: Severity,
    payload: u64,
    bound: u64,
    shape: Shape,
}

fn finding(view: &View<'_>, draft: Draft, case: &Case<'_>) -> Judged {
    let first = &case.run[0];
    let remote = first.remote.to_string();
    let what = match case.how {
        Resolving::Dns => "DNS",
        Resolving::DnsOverTls => "DNS over TLS",
        Resolving::DnsOverHttps => "DNS over HTTPS",
    };
    let peer = if first.service.served {
        "client"
    } else {
        "resolver"
    };
    let place = if first.service.external {
        "outside"
    } else {
        "inside"
    };
    let moved = human_bytes(case.payload);
    let looks = match case.shape {
        Shape::Tunnel(_) => "shaped like a tunnel",
        Shape::Busy(_) => "faster than hosts ask",
        Shape::Plausible(_) => "shaped like questions and answers",
    };
    let (Shape::Tunnel(reason) | Shape::Busy(reason) | Shape::Plausible(reason)) = &case.shape;
    let volume = Why {
        observed: case.payload as f64,
        expected: None,
        bound: Some(case.bound as f64),
        unit: "bytes".to_owned(),
        text: format!(
            "{moved} of {what} payload both ways with an {place} {peer} in a day; the bound is {}",
            human_bytes(case.bound)
        ),
    };
    let limit = Why {
        observed: 0.0,
        expected: None,
        bound: None,
        unit: "names".to_owned(),
        text: "flow logs show no names; queries through the resolver of AWS are not in them at all"
            .to_owned(),
    };
    let measure = draft.measure(case.payload, case.bound, 0.0);
    let key = &view.entity(first.entity).key;
    let (interface, account) = (key.interface_id.clone(), key.account_id.clone());
    let transport = format!("{:?}", case.how);
    let charge = Charge {
        family: case.family,
        day: first.slot.day(),
        identity: &[&account, &interface, &remote, &transport, peer],
        title: format!("{moved} of {what} with the {place} {peer} {remote}, {looks}"),
        severity: case.severity,
        risk: measure.risk(),
        bits: None,
        attack: &["T1071.004", "T1572", "T1048.003"],
        why: vec![volume, reason.clone(), limit],
        workload: Some(first.workload),
    };
    draft.finish(view, charge)
}
