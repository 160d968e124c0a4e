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
use crate::key::Role;
use crate::parallel::in_parallel_mut;
use crate::policy::Policy;
use crate::services::Resolving;
use crate::view::{Entry, View, warm_up};
use shape::{Dialogue, Shape};

/// Findings `dns.bypass` and `dns.tunnel`: for an interface, a side, a transport and a day, one for what is shaped
/// like a tunnel, one for what only asks too fast, and one for ordinary questions to resolvers outside.
pub(super) fn judge(
    view: &View<'_>,
    policy: &Policy,
    mut parts: Vec<Vec<Entry<'_>>>,
) -> Vec<Judged> {
    let findings = in_parallel_mut(&mut parts, |_, part| judge_part(view, policy, part));
    findings.into_iter().flatten().collect()
}

fn judge_part(view: &View<'_>, policy: &Policy, entries: &mut [Entry<'_>]) -> Vec<Judged> {
    let side = |entry: &Entry<'_>| {
        let service = entry.service;
        let (day, way) = (entry.slot.day(), service.resolving);
        (entry.interface, serves(entry), service.external, day, way)
    };
    entries.sort_unstable_by_key(|own| (side(own), own.remote, own.slot, own.service));
    let mut findings = Vec::new();
    for run in entries.chunk_by(|a, b| side(a) == side(b)) {
        let Some(way) = run[0].service.resolving else {
            continue;
        };
        warm_up(run);
        let side = Side {
            view,
            bound: policy.bounds.resolver_day,
            way,
            first: run[0],
        };
        let peers = run.chunk_by(|a, b| a.remote == b.remote).map(Peer::of);
        side.judge(policy, peers.collect(), &mut findings);
    }
    findings
}

/// Whether the interface is the resolver. The port of one says so as well as a flag: nothing is excused by it.
fn serves(entry: &Entry<'_>) -> bool {
    entry.service.role != Role::Client
}

/// A day between an interface and one resolver or client.
#[derive(Clone, Copy)]
struct Peer<'a> {
    run: &'a [Entry<'a>],
    dialogue: Dialogue,
}

impl<'a> Peer<'a> {
    fn of(run: &'a [Entry<'a>]) -> Self {
        Self {
            run,
            dialogue: Dialogue::of(run),
        }
    }
}

fn sum(peers: &[Peer<'_>]) -> Dialogue {
    let dialogues = peers.iter().map(|peer| peer.dialogue);
    dialogues.fold(Dialogue::default(), Dialogue::with)
}

/// A day of an interface as client or as resolver, inside or outside, over one transport.
struct Side<'a> {
    view: &'a View<'a>,
    bound: u64,
    way: Resolving,
    first: Entry<'a>,
}

impl Side<'_> {
    fn judge(&self, policy: &Policy, peers: Vec<Peer<'_>>, findings: &mut Vec<Judged>) {
        let shape = |peer: &Peer<'_>| peer.dialogue.shape(self.way);
        let (odd, rest): (Vec<Peer<'_>>, Vec<Peer<'_>>) = peers
            .into_iter()
            .partition(|peer| peer.dialogue.payload() >= self.bound && !shape(peer).is_plausible());
        let (tunnels, busy): (Vec<Peer<'_>>, Vec<Peer<'_>>) =
            odd.into_iter().partition(|peer| shape(peer).is_tunnel());
        for alike in [tunnels, busy] {
            let gravest = alike.iter().max_by_key(|peer| peer.dialogue.payload());
            if let Some(gravest) = gravest {
                findings.push(self.finding(&alike, shape(gravest), "each"));
            }
        }
        // A tunnel split over many resolvers crosses the bound in the sum of those parts that are shaped like one;
        // or, where each has too few packets to tell, in the sum of all.
        let (parts, ordinary): (Vec<Peer<'_>>, Vec<Peer<'_>>) =
            rest.iter().partition(|peer| !shape(peer).is_plausible());
        let gravest = parts.iter().max_by_key(|peer| peer.dialogue.payload());
        let rest = match gravest {
            Some(gravest) if sum(&parts).payload() >= self.bound => {
                findings.push(self.finding(&parts, shape(gravest), "split"));
                ordinary
            }
            _ => rest,
        };
        let all = sum(&rest);
        let of_all = all.shape(self.way);
        if all.payload() >= self.bound && !of_all.is_plausible() {
            findings.push(self.finding(&rest, of_all, "together"));
            return;
        }
        let is_charged = |peer: &Peer<'_>| !is_allowed(policy, peer);
        let rest: Vec<Peer<'_>> = rest.into_iter().filter(is_charged).collect();
        let left = sum(&rest);
        if self.is_outside() && left.payload() >= self.bound {
            findings.push(self.finding(&rest, left.shape(self.way), "ordinary"));
        }
    }

    /// Whether the interface asks resolvers outside.
    fn is_outside(&self) -> bool {
        self.first.service.external && !serves(&self.first)
    }

    /// The finding of some peers; `how` they were told apart is part of its identity.
    fn finding(&self, peers: &[Peer<'_>], shape: Shape, how: &str) -> Judged {
        let first = &self.first;
        let draft = Draft::of_many(peers, |peer| peer.run);
        let payload = total(peers.iter().map(|peer| peer.dialogue.payload()));
        let (family, severity) = match (&shape, self.is_outside()) {
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
        let what = match self.way {
            Resolving::Dns => "DNS",
            Resolving::DnsOverTls => "DNS over TLS",
            Resolving::DnsOverHttps => "DNS over HTTPS",
        };
        let role = if serves(first) { "client" } else { "resolver" };
        let place = if first.service.external {
            "outside"
        } else {
            "inside"
        };
        let moved = human_bytes(payload);
        let text = format!(
            "{moved} of {what} payload both ways with {place} {role}s in a day; the bound is {}",
            human_bytes(self.bound)
        );
        let volume = bounded(payload, self.bound, "bytes", text);
        let limit = Why {
            unit: "names".to_owned(),
            text: "flow logs show no names; queries through the resolver of AWS are not in them at all"
                .to_owned(),
            ..Why::default()
        };
        let remote = draft.place(self.view);
        let measure = draft.measure(payload, self.bound);
        let party = self.view.interface(first.interface);
        let charge = Charge {
            family,
            day: first.slot.day(),
            identity: &[
                &party.key.interface.account_id,
                &party.id(),
                place,
                role,
                what,
                looks,
                how,
            ],
            title: format!("{moved} of {what} with {place} {role} {remote}, {looks}"),
            severity,
            risk: measure.risk(),
            bits: None,
            attack: &["T1071.004", "T1572", "T1048.003"],
            why: vec![volume, reason, limit],
            workload: Some(first.workload),
        };
        draft.finish(self.view, charge)
    }
}

fn is_allowed(policy: &Policy, peer: &Peer<'_>) -> bool {
    let mut networks = policy.resolvers_allowed.iter();
    networks.any(|network| peer.run.iter().all(|entry| entry.lies_in(network)))
}

#[cfg(test)]
mod tests;
