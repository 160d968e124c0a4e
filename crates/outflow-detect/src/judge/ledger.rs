//! The exfiltration ledger: every byte of payload that a host chose to send outside is explained by its past or
//! by policy, or charged (the information accounting of Paxson et al., USENIX Security 2013, on flows).
//!
//! Three ledgers share the unexplained bytes: of a workload, of a destination over workloads that stay below
//! their own bound, and of an account over what is below both. A byte is charged once.

mod charges;
mod crossing;

use outflow_finding::{Family, Why, human_bytes};

use super::Judged;
use super::draft::{Charge, Draft, Sides, UNKNOWN_PLACE, bounded, group_name};
use super::exceedance::Exceedance;
use super::severity::Measure;
use crate::counters::total;
use crate::policy::{Horizons, Policy};
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
            let sum = Sum::of(&charges, &crossing, &members, bounds.workload);
            findings.push(workload_finding(view, sum, &rarity));
        }
        for (crossing, members) in charges.cross(&of_destinations, day) {
            let sum = Sum::of(&charges, &crossing, &members, bounds.destination);
            findings.push(shared_finding(view, sum, Common::Destination));
        }
        for (crossing, members) in charges.cross(&of_accounts, day) {
            let sum = Sum::of(&charges, &crossing, &members, bounds.account);
            findings.push(shared_finding(view, sum, Common::Account));
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

/// What a crossing charges, summed up.
struct Sum<'c, 'a> {
    crossing: &'c Crossing,
    charges: &'c Charges<'a>,
    members: &'c [usize],
    draft: Draft,
    bound: u64,
    observed: u64,
}

impl<'c, 'a> Sum<'c, 'a> {
    fn of(
        charges: &'c Charges<'a>,
        crossing: &'c Crossing,
        members: &'c [usize],
        bounds: Horizons,
    ) -> Self {
        let entries = members.iter().flat_map(|member| charges.entries(*member));
        Self {
            draft: Draft::of(entries),
            bound: bound_of(bounds, crossing.horizon),
            observed: charges.unexplained(members, crossing.horizon),
            crossing,
            charges,
            members,
        }
    }

    /// How grave it is. What is pushed out to some destinations does not become harmless by what is fetched from
    /// others: if it crosses the bound by itself, it is judged by itself.
    fn measure(&self, bits: f64) -> Measure {
        let mut pushed = Sides::default();
        let mut groups = Vec::new();
        for (group, sides) in self.draft.groups() {
            if sides.is_pushed() {
                pushed.add(sides);
                groups.push(group);
            }
        }
        groups.sort_unstable();
        let is_pushed = |member: &&usize| {
            let group = self.charges.get(**member).group;
            groups.binary_search(&group).is_ok()
        };
        let of_pushed: Vec<usize> = self.members.iter().filter(is_pushed).copied().collect();
        let observed = self.charges.unexplained(&of_pushed, self.crossing.horizon);
        let measure = self.draft.measure(self.observed, self.bound);
        if observed < self.bound {
            return Measure { bits, ..measure };
        }
        Measure {
            observed,
            up: pushed.up,
            down: pushed.down,
            bits,
            ..measure
        }
    }

    fn span(&self) -> &'static str {
        horizon_text(self.crossing.horizon)
    }

    /// The destination, or the first of those that make up most of the payload: what trickles elsewhere is listed
    /// among the addresses, and would only blur the title.
    fn place(&self) -> String {
        let service = self.draft.service();
        let service = service.map_or_else(String::new, |service| format!(" over {service}"));
        match self.draft.main_groups().as_slice() {
            [] => format!("{UNKNOWN_PLACE}{service}"),
            [one] => format!("{}{service}", group_name(*one)),
            [first, rest @ ..] => {
                format!("{} and {} more{service}", group_name(*first), rest.len())
            }
        }
    }

    fn volume_reason(&self) -> Why {
        let text = format!(
            "{} of payload to {} within {} is explained by nothing known; the bound is {}",
            human_bytes(self.observed),
            self.place(),
            self.span(),
            human_bytes(self.bound),
        );
        bounded(self.observed, self.bound, "bytes", text)
    }

    fn past_reason(&self) -> Option<Why> {
        let main = self.draft.main_groups();
        let of_main = |charge: &&Unexplained| main.contains(&charge.group);
        let charges = self.members.iter().map(|member| self.charges.get(*member));
        let first = charges
            .filter(of_main)
            .map(|charge| charge.first_day)
            .min()?;
        let payload = self
            .members
            .iter()
            .map(|member| self.charges.get(*member).payload);
        let explained = total(payload).saturating_sub(self.observed);
        let text = if explained > 0 {
            format!(
                "the past or policy explains {} more to the same destinations, first seen {first}",
                human_bytes(explained)
            )
        } else {
            match main.len() {
                1 => format!("the destination is not established: it was first met on {first}"),
                _ => {
                    format!("no destination of these is established; the first was met on {first}")
                }
            }
        };
        Some(Why {
            observed: explained as f64,
            expected: None,
            bound: None,
            unit: "bytes".to_owned(),
            text,
        })
    }
}

fn workload_finding(view: &View<'_>, sum: Sum<'_, '_>, rarity: &Exceedance) -> Judged {
    let bits = rarity.bits(sum.observed);
    let measure = sum.measure(bits);
    let workload = sum
        .members
        .first()
        .map(|member| sum.charges.get(*member).workload);
    let mut why = vec![sum.volume_reason(), shape_reason(&measure)];
    why.extend(sum.past_reason());
    let identity = workload.map(|id| view.workload(id));
    let account = identity.map_or("", |workload| workload.account_id.as_str());
    let name = identity.map_or("", |workload| workload.name.as_str());
    let (sent, place, span) = (human_bytes(sum.observed), sum.place(), sum.span());
    let charge = Charge {
        family: Family::VolumeLedger,
        day: sum.crossing.day,
        identity: &["workload", account, name],
        title: format!("{sent} of unexplained payload to {place} within {span}"),
        severity: measure.severity(),
        risk: measure.risk(),
        bits: Some(bits),
        attack: techniques(sum.crossing.horizon),
        why,
        workload,
    };
    sum.draft.finish(view, charge)
}

/// What the workloads of a shared finding have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Common {
    Destination,
    Account,
}

/// A finding of many workloads: to one destination, or of one account.
fn shared_finding(view: &View<'_>, sum: Sum<'_, '_>, common: Common) -> Judged {
    let measure = sum.measure(0.0);
    let mut workloads: Vec<u32> = sum
        .members
        .iter()
        .map(|member| sum.charges.get(*member).workload)
        .collect();
    workloads.sort_unstable();
    workloads.dedup();
    let (sent, place, span) = (human_bytes(sum.observed), sum.place(), sum.span());
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
        day: sum.crossing.day,
        identity: &identity,
        title: format!("{sent} of unexplained payload from {senders} to {place} within {span}"),
        severity: measure.severity(),
        risk: measure.risk(),
        bits: None,
        attack: techniques(sum.crossing.horizon),
        why: vec![sum.volume_reason(), shape_reason(&measure)],
        workload: match workloads.as_slice() {
            [one] => Some(*one),
            _ => None,
        },
    };
    sum.draft.finish(view, charge)
}

fn shape_reason(measure: &Measure) -> Why {
    let (up, down) = (measure.up, measure.down);
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
