//! Name resolution in flow logs: resolvers outside, and tunnels through any resolver.
//!
//! Flow logs never show what goes to the resolver of AWS. So whatever they show of ports 53 and 853 bypasses it
//! or serves it: outside resolvers are a finding above a bound, and traffic that does not look like questions
//! and answers is a tunnel, wherever the resolver is.

mod shape;

use outflow_finding::{Family, Severity, Why, human_bytes};

use super::Judged;
use super::draft::{Charge, Draft, bounded};
use crate::counters::total;
use crate::policy::Policy;
use crate::services::{Resolving, resolving};
use crate::view::{Entry, View};
use shape::{Dialogue, Shape};

/// Findings `dns.bypass` and `dns.tunnel`: for an interface, a side and a day, one for what is shaped like a
/// tunnel, and one for ordinary questions to resolvers outside.
pub(super) fn judge<'a>(
    view: &'a View<'_>,
    policy: &Policy,
    mut entries: Vec<Entry<'a>>,
) -> Vec<Judged> {
    let side = |entry: &Entry<'_>| {
        (
            entry.interface,
            entry.service.served,
            entry.service.external,
            entry.slot.day(),
        )
    };
    let peer = |entry: &Entry<'_>| (entry.remote, resolving(entry.service, entry.remote));
    entries.sort_unstable_by_key(|entry| (side(entry), peer(entry), entry.slot, entry.service));
    let mut findings = Vec::new();
    for run in entries.chunk_by(|a, b| side(a) == side(b)) {
        let peers = run
            .chunk_by(|a, b| peer(a) == peer(b))
            .map(Peer::of)
            .collect();
        judge_side(view, policy, peers, &mut findings);
    }
    findings
}

/// A day between an interface and one resolver or client.
struct Peer<'a> {
    run: &'a [Entry<'a>],
    dialogue: Dialogue,
    shape: Shape,
}

impl<'a> Peer<'a> {
    fn of(run: &'a [Entry<'a>]) -> Self {
        let dialogue = Dialogue::of(run);
        let shape = dialogue.shape(how(run));
        Self {
            run,
            dialogue,
            shape,
        }
    }
}

fn how(run: &[Entry<'_>]) -> Resolving {
    let how = run
        .first()
        .and_then(|entry| resolving(entry.service, entry.remote));
    how.unwrap_or(Resolving::Dns)
}

fn judge_side(view: &View<'_>, policy: &Policy, peers: Vec<Peer<'_>>, findings: &mut Vec<Judged>) {
    let bound = policy.bounds.resolver_day;
    let first = peers[0].run[0];
    let outside = first.service.external && !first.service.served;
    let (tunnels, mut rest): (Vec<Peer<'_>>, Vec<Peer<'_>>) = peers
        .into_iter()
        .partition(|peer| peer.dialogue.payload() >= bound && !peer.shape.is_plausible());
    // A tunnel split over many resolvers keeps its shape in their sum.
    let plain = rest.iter().filter(|peer| how(peer.run) == Resolving::Dns);
    let sum = plain.fold(Dialogue::default(), |sum, peer| sum.with(peer.dialogue));
    let split = sum.shape(Resolving::Dns);
    if tunnels.is_empty() && sum.payload() >= bound && !split.is_plausible() {
        let (parts, others) = rest
            .into_iter()
            .partition(|peer| how(peer.run) == Resolving::Dns);
        rest = others;
        findings.push(finding(view, bound, &parts, split));
    } else if let Some(gravest) = tunnels.iter().max_by_key(|peer| peer.dialogue.payload()) {
        let shape = gravest.shape.clone();
        findings.push(finding(view, bound, &tunnels, shape));
    }
    rest.retain(|peer| !is_allowed(policy, peer));
    let payload = total(rest.iter().map(|peer| peer.dialogue.payload()));
    if outside && payload >= bound {
        let Some(main) = rest.iter().max_by_key(|peer| peer.dialogue.payload()) else {
            return;
        };
        let shape = main.shape.clone().plausible();
        findings.push(finding(view, bound, &rest, shape));
    }
}

fn is_allowed(policy: &Policy, peer: &Peer<'_>) -> bool {
    let remote = peer.run[0].remote.to_ip();
    policy
        .resolvers_allowed
        .iter()
        .any(|network| network.contains(&remote))
}

fn finding(view: &View<'_>, bound: u64, peers: &[Peer<'_>], shape: Shape) -> Judged {
    let first = &peers[0].run[0];
    let draft = Draft::of(peers.iter().flat_map(|peer| peer.run));
    let payload = total(peers.iter().map(|peer| peer.dialogue.payload()));
    let outside = first.service.external && !first.service.served;
    let (family, severity) = match (&shape, outside) {
        (Shape::Tunnel(_), true) => (Family::DnsBypass, Severity::High),
        (Shape::Busy(_), true) => (Family::DnsBypass, Severity::Medium),
        (Shape::Plausible(_), true) => (Family::DnsBypass, Severity::Low),
        (Shape::Tunnel(_), false) => (Family::DnsTunnel, Severity::Medium),
        (Shape::Busy(_) | Shape::Plausible(_), false) => (Family::DnsTunnel, Severity::Low),
    };
    let (looks, reason) = match shape {
        Shape::Tunnel(reason) => ("shaped like a tunnel", reason),
        Shape::Busy(reason) => ("faster than hosts ask", reason),
        Shape::Plausible(reason) => ("shaped like questions and answers", reason),
    };
    let what = transports(peers);
    let role = if first.service.served {
        "client"
    } else {
        "resolver"
    };
    let place = if first.service.external {
        "outside"
    } else {
        "inside"
    };
    let moved = human_bytes(payload);
    let text = format!(
        "{moved} of {what} payload both ways with {place} {role}s in a day; the bound is {}",
        human_bytes(bound)
    );
    let volume = bounded(payload, bound, "bytes", text);
    let limit = Why {
        unit: "names".to_owned(),
        text: "flow logs show no names; queries through the resolver of AWS are not in them at all"
            .to_owned(),
        ..Why::default()
    };
    let addresses = draft.addresses();
    let more = match addresses.len() {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let main = addresses
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    let measure = draft.measure(payload, bound, 0.0);
    let key = &view.interface(first.interface).key;
    let charge = Charge {
        family,
        day: first.slot.day(),
        identity: &[&key.account_id, &key.interface_id, place, role, looks],
        title: format!("{moved} of {what} with {place} {role} {main}{more}, {looks}"),
        severity,
        risk: measure.risk(),
        bits: None,
        attack: &["T1071.004", "T1572", "T1048.003"],
        why: vec![volume, reason, limit],
        workload: Some(first.workload),
    };
    draft.finish(view, charge)
}

fn transports(peers: &[Peer<'_>]) -> &'static str {
    let main = peers.iter().max_by_key(|peer| peer.dialogue.payload());
    match main.map(|peer| how(peer.run)) {
        Some(Resolving::DnsOverTls) => "DNS over TLS",
        Some(Resolving::DnsOverHttps) => "DNS over HTTPS",
        Some(Resolving::Dns) | None => "DNS",
    }
}

#[cfg(test)]
mod tests;
