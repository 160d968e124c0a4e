//! Uploads over unencrypted HTTP.
//!
//! Port 80 is there to fetch by: what still uses it (packages, revocation lists, redirects) sends little. Who pushes files
//! over it (a WebDAV `PUT`, a form) gives them to everybody on the way, too. The bound is far below that of a ledger, so
//! it works on the first day.

use outflow_enrich::protocol;
use outflow_finding::{Family, Severity, human_bytes};

use super::Judged;
use super::baseline::is_established;
use super::draft::{Charge, Draft, bounded};
use super::pairs::{Census, Pair};
use crate::counters::total;
use crate::policy::Policy;
use crate::view::{Entry, View};

/// The port of HTTP.
const HTTP: u16 = 80;

/// At most so many times as much comes back where something was uploaded: requests are a hundredth of what they fetch. More
/// than nothing may, as who uploads to a host may fetch from it within the same hours.
const FETCHED_TIMES_MAX: u64 = 4;

/// Findings `protocol.misuse` of a pair: one for each day on which files were pushed in the clear.
pub(super) fn judge(
    view: &View<'_>,
    policy: &Policy,
    census: &Census,
    pair: Pair<'_, '_>,
) -> Vec<Judged> {
    let is_http =
        |entry: &&Entry<'_>| (entry.service.protocol, entry.service.port) == (protocol::TCP, HTTP);
    let http: Vec<&Entry<'_>> = pair.entries.iter().filter(is_http).collect();
    let days = http.chunk_by(|a, b| a.slot.day() == b.slot.day());
    days.filter_map(|of_day| upload(view, policy, census, pair, of_day))
        .collect()
}

fn upload(
    view: &View<'_>,
    policy: &Policy,
    census: &Census,
    pair: Pair<'_, '_>,
    of_day: &[&Entry<'_>],
) -> Option<Judged> {
    let (first, bound) = (of_day[0], policy.bounds.cleartext_day);
    // An address that is fetched from excuses no other.
    let is_pushed = |own: &&[&Entry<'_>]| {
        let up = total(own.iter().map(|entry| entry.counters.up().payload));
        let down = total(own.iter().map(|entry| entry.counters.down().payload));
        up.saturating_mul(FETCHED_TIMES_MAX) >= down
    };
    let of_addresses = of_day.chunk_by(|a, b| (a.slot, a.remote) == (b.slot, b.remote));
    let pushed: Vec<&Entry<'_>> = of_addresses.filter(is_pushed).flatten().copied().collect();
    let payload = total(pushed.iter().map(|entry| entry.counters.up().payload));
    if payload < bound {
        return None;
    }
    let draft = Draft::of(pushed);
    let day = first.slot.day();
    let place = draft.place(view);
    let sent = human_bytes(payload);
    let prevalence = census.prevalence(first.group(), day);
    let is_rare = policy.is_rare(prevalence, census.workloads(day));
    let is_known = is_established(&pair.days(), day, &policy.baseline);
    let severity = match is_rare && !is_known {
        true => Severity::Medium,
        false => Severity::Low,
    };
    let text = format!(
        "{sent} of payload was pushed to {place} over unencrypted HTTP on {day}; the bound is {}",
        human_bytes(bound)
    );
    let measure = draft.measure(payload, bound);
    let workload = view.workload(first.workload);
    let group = view.group_name(first.group());
    let charge = Charge {
        family: Family::ProtocolMisuse,
        day,
        identity: &[
            &workload.account_id,
            &workload.unique_name(),
            &group,
            "http",
        ],
        title: format!("{sent} uploaded to {place} over unencrypted HTTP"),
        severity,
        risk: measure.risk(),
        bits: None,
        attack: &["T1048.003"],
        why: vec![
            bounded(payload, bound, "bytes", text),
            super::ledger::shape_reason(&measure),
            census.prevalence_reason(policy, prevalence, day),
        ],
        workload: Some(first.workload),
    };
    Some(draft.finish(view, charge))
}
