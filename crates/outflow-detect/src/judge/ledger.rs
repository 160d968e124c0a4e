//! The exfiltration ledger: every byte of payload that a host chose to send outside is explained by its past or
//! by policy, or charged (the information accounting of Paxson et al., USENIX Security 2013, on flows).
//!
//! Three ledgers share the unexplained bytes: of a workload, of a destination over workloads that stay below
//! their own bound, and of an account over what is below both. A byte is charged once.

mod charges;
mod crossing;

use outflow_finding::{Family, Why, human_bytes};

use super::Judged;
use super::draft::{Charge, Draft, bounded, group_name};
use super::exceedance::Exceedance;
use crate::counters::total;
use crate::policy::{Horizons, Policy};
use crate::time::Day;
use crate::view::{Entry, View};
use charges::{Charges, Ledger, Unexplained};
use crossing::{Crossing, Horizon};

/// Findings of the three ledgers, day by day: what one charges on a day, none counts from then on.
pub(super) fn judge<'a>(
    view: &'a View<'_>,
    policy: &Policy,
    chosen: Vec<Entry<'a>>,
) -> Vec<Judged> {
    let mut charges = Charges::of(view, policy, chosen);
    let bounds = &policy.bounds;
    let accounts = charges.accounts(view);
    let of_workloads = Ledger::of(&charges, bounds.workload, |c| u128::from(c.workload));
    let of_destinations = Ledger::of(&charges, bounds.destination, |c| {
        u128::from_be_bytes(c.group.bytes())
    });
    let of_accounts = Ledger::of(&charges, bounds.account, |c| accounts[c.workload as usize]);
    let mut rarity = Exceedance::default();
    let mut findings = Vec::new();
    for (day, sums) in charges.workload_days() {
        rarity.extend(sums);
        for (crossing, members) in charges.cross(&of_workloads, day) {
            let bounds = bounds.workload;
            let finding = workload_finding(view, &charges, &crossing, &members, &rarity, bounds);
            findings.push(finding);
        }
        for (crossing, members) in charges.cross(&of_destinations, day) {
            let bounds = bounds.destination;
            let finding = shared_finding(
                view,
                &charges,
                &crossing,
                &members,
                bounds,
                Common::Destination,
            );
            findings.push(finding);
        }
        for (crossing, members) in charges.cross(&of_accounts, day) {
            let bounds = bounds.account;
            let finding =
                shared_finding(view, &charges, &crossing, &members, bounds, Common::Account);
            findings.push(finding);
        }
    }
    findings
}

fn bound_of(bounds: Horizons, horizon: Horizon) -> u64 {
    match horizon {
        Horizon::Day => bounds.day,
        Horizon::Week => bounds.week,
        Horizon::Month => bounds.month,
    }
}

fn horizon_text(horizon: Horizon) -> &'static str {
    match horizon {
        Horizon::Day => "24 hours",
        Horizon::Week => "7 days",
        Horizon::Month => "30 days",
    }
}

fn techniques(horizon: Horizon) -> &'static [&'static str] {
    match horizon {
        Horizon::Day => &["T1048", "T1041", "T1567"],
        // Low and slow: sized to stay below what is looked at in a day.
        Horizon::Week | Horizon::Month => &["T1048", "T1030", "T1029"],
    }
}

fn draft<'a>(charges: &'a Charges<'a>, members: &[usize]) -> Draft {
    Draft::of(members.iter().flat_map(|member| charges.entries(*member)))
}

fn observed(charges: &Charges<'_>, members: &[usize]) -> u64 {
    total(
        members
            .iter()
            .map(|member| charges.get(*member).unexplained),
    )
}

fn workload_finding(
    view: &View<'_>,
    charges: &Charges<'_>,
    crossing: &Crossing,
    members: &[usize],
    rarity: &Exceedance,
    bounds: Horizons,
) -> Judged {
    let draft = draft(charges, members);
    let observed = observed(charges, members);
    let bound = bound_of(bounds, crossing.horizon);
    let bits = rarity.bits(observed);
    let measure = draft.measure(observed, bound, bits);
    let workload = members.first().map(|member| charges.get(*member).workload);
    let (sent, span) = (human_bytes(observed), horizon_text(crossing.horizon));
    let place = destinations_text(&draft);
    let mut why = vec![volume_reason(observed, bound, span, &place)];
    why.push(shape_reason(&draft));
    if let Some(reason) = past_reason(charges, members) {
        why.push(reason);
    }
    let identity = workload.map(|id| view.workload(id));
    let account = identity.map_or("", |workload| workload.account_id.as_str());
    let name = identity.map_or("", |workload| workload.name.as_str());
    let charge = Charge {
        family: Family::VolumeLedger,
        day: crossing.day,
        identity: &["workload", account, name],
        title: format!("{sent} of unexplained payload to {place} within {span}"),
        severity: measure.severity(),
        risk: measure.risk(),
        bits: Some(bits),
        attack: techniques(crossing.horizon),
        why,
        workload,
    };
    draft.finish(view, charge)
}

/// What the workloads of a shared finding have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Common {
    Destination,
    Account,
}

/// A finding of many workloads: to one destination, or of one account.
fn shared_finding(
    view: &View<'_>,
    charges: &Charges<'_>,
    crossing: &Crossing,
    members: &[usize],
    bounds: Horizons,
    common: Common,
) -> Judged {
    let draft = draft(charges, members);
    let observed = observed(charges, members);
    let bound = bound_of(bounds, crossing.horizon);
    let measure = draft.measure(observed, bound, 0.0);
    let mut workloads: Vec<u32> = members
        .iter()
        .map(|member| charges.get(*member).workload)
        .collect();
    workloads.sort_unstable();
    workloads.dedup();
    let (sent, span) = (human_bytes(observed), horizon_text(crossing.horizon));
    let place = destinations_text(&draft);
    let senders = match workloads.len() {
        1 => "1 workload".to_owned(),
        count => format!("{count} workloads, each below its own bound"),
    };
    let account = workloads
        .first()
        .map_or("", |id| view.workload(*id).account_id.as_str());
    let identity = match common {
        Common::Destination => ["destination", "", place.as_str()],
        Common::Account => ["account", account, ""],
    };
    let charge = Charge {
        family: Family::VolumeLedger,
        day: crossing.day,
        identity: &identity,
        title: format!("{sent} of unexplained payload from {senders} to {place} within {span}"),
        severity: measure.severity(),
        risk: measure.risk(),
        bits: None,
        attack: techniques(crossing.horizon),
        why: vec![
            volume_reason(observed, bound, span, &place),
            shape_reason(&draft),
        ],
        workload: match workloads.as_slice() {
            [one] => Some(*one),
            _ => None,
        },
    };
    draft.finish(view, charge)
}

/// The destination, or the first of those that make up most of the payload: what trickles elsewhere is listed
/// among the addresses, and would only blur the title.
fn destinations_text(draft: &Draft) -> String {
    let service = draft
        .service()
        .map(|service| format!(" over {service}"))
        .unwrap_or_default();
    match draft.main_groups().as_slice() {
        [] => format!("no known destination{service}"),
        [one] => format!("{}{service}", group_name(*one)),
        [first, rest @ ..] => format!("{} and {} more{service}", group_name(*first), rest.len()),
    }
}

fn volume_reason(observed: u64, bound: u64, span: &str, place: &str) -> Why {
    let text = format!(
        "{} of payload to {place} within {span} is explained by nothing known; the bound is {}",
        human_bytes(observed),
        human_bytes(bound),
    );
    bounded(observed, bound, "bytes", text)
}

fn shape_reason(draft: &Draft) -> Why {
    let (up, down) = (draft.up().payload, draft.down().payload);
    let share = 100.0 * up as f64 / up.saturating_add(down).max(1) as f64;
    let shape = if up > down {
        "pushed out rather than fetched"
    } else {
        "fetched or exchanged, not pushed"
    };
    Why {
        observed: (share * 10.0).round() / 10.0,
        expected: None,
        bound: None,
        unit: "percent of payload sent".to_owned(),
        text: format!(
            "{} went out and {} came back: {shape}",
            human_bytes(up),
            human_bytes(down)
        ),
    }
}

fn past_reason(charges: &Charges<'_>, members: &[usize]) -> Option<Why> {
    let explained = total(members.iter().map(|member| charges.get(*member).explained));
    let new: Vec<&Unexplained> = members.iter().map(|member| charges.get(*member)).collect();
    let first: Day = new.iter().map(|charge| charge.first_day).min()?;
    let text = if explained > 0 {
        format!(
            "the past or policy explains {} more to the same destinations, first seen {first}",
            human_bytes(explained)
        )
    } else {
        format!("no destination of these is established: the first was met on {first}")
    };
    Some(Why {
        observed: explained as f64,
        expected: None,
        bound: None,
        unit: "bytes".to_owned(),
        text,
    })
}
