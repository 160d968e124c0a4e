//! ICMP that carries more than pings.

use outflow_finding::{Family, Severity, Why, human_bytes};

use super::Judged;
use super::draft::{Charge, Draft, bounded};
use crate::policy::Policy;
use crate::view::{Entry, View};

/// Payload per packet above which it is no ordinary ping: Linux sends 56 bytes, Windows 32.
const PING_BYTES_MAX: u64 = 64;

/// Findings `protocol.misuse` of ICMP to outside addresses: for an interface and a day, one for each address above
/// the bound, and one for all others if their sum is.
pub(super) fn judge<'a>(
    view: &'a View<'_>,
    policy: &Policy,
    mut entries: Vec<Entry<'a>>,
) -> Vec<Judged> {
    let day = |entry: &Entry<'_>| (entry.interface, entry.slot.day());
    entries.sort_unstable_by_key(|own| (day(own), own.remote, own.slot, own.service));
    let mut findings = Vec::new();
    for of_day in entries.chunk_by(|a, b| day(a) == day(b)) {
        let mut others = Vec::new();
        for run in of_day.chunk_by(|a, b| a.remote == b.remote) {
            match judge_run(view, policy, run, "one") {
                Some(finding) => findings.push(finding),
                None => others.extend_from_slice(run),
            }
        }
        findings.extend(judge_run(view, policy, &others, "others"));
    }
    findings
}

fn judge_run(view: &View<'_>, policy: &Policy, run: &[Entry<'_>], which: &str) -> Option<Judged> {
    let draft = Draft::of(run);
    let up = draft.up();
    let bound = policy.bounds.icmp_day;
    if run.is_empty() || up.payload < bound {
        return None;
    }
    let per_packet = up.payload / up.packets.max(1);
    let tunnel = per_packet > PING_BYTES_MAX;
    let severity = if tunnel {
        Severity::High
    } else {
        Severity::Low
    };
    let remote = draft.place(view);
    let sent = human_bytes(up.payload);
    let text = format!(
        "{sent} of ICMP payload to {remote} in a day; the bound is {}",
        human_bytes(bound)
    );
    let volume = bounded(up.payload, bound, "bytes", text);
    let text = format!("packets carry {per_packet} bytes; pings carry 56 (Linux) or 32 (Windows)");
    let size = Why {
        expected: Some(56.0),
        ..bounded(per_packet, PING_BYTES_MAX, "bytes per packet", text)
    };
    let measure = draft.measure(up.payload, bound);
    let party = view.interface(run[0].interface);
    let shape = if tunnel {
        "in packets too large for pings"
    } else {
        "in pings"
    };
    let charge = Charge {
        family: Family::ProtocolMisuse,
        day: run[0].slot.day(),
        identity: &[
            &party.key.interface.account_id,
            &party.id(),
            &remote,
            "icmp",
            which,
        ],
        title: format!("{sent} of ICMP to {remote}, {shape}"),
        severity,
        risk: measure.risk(),
        bits: None,
        attack: &["T1095", "T1048.003"],
        why: vec![volume, size],
        workload: Some(run[0].workload),
    };
    Some(draft.finish(view, charge))
}

#[cfg(test)]
mod tests;
