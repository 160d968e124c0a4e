//! The exfiltration ledger: every byte of payload that a host chose to send outside is explained by its past or
//! by policy, or charged (the information accounting of Paxson et al., USENIX Security 2013, on flows).
//!
//! Three ledgers share the unexplained bytes: of a workload, of a destination over workloads that stay below
//! their own bound, and of an account over what is below both. A byte is charged once.
//!
//! What was pushed out and what was fetched or exchanged are summed apart: the one does not excuse the other, nor use
//! up what the longer spans are to see. So are what has no past and what exceeds one: destinations that are used every day
//! swing by far more than any bound, so that only what is rare among such swings is more than a note.

mod charges;
mod crossing;
mod fresh;
mod hours;
mod peers;
mod total;

use std::collections::BTreeSet;

use outflow_finding::{Family, Severity, Why, human_bytes};

use super::draft::{Charge, Draft, UNKNOWN_PLACE, bounded};
use super::exceedance::Exceedance;
use super::history::Histories;
use super::pairs::Census;
use super::severity::Measure;
use super::{Judged, Rank, Stratum};
use crate::counters::total;
use crate::parallel::{both, in_parallel};
use crate::policy::{Horizons, Policy, Sanctioned};
use crate::view::{Entry, Group, View, Workload};
use charges::{Charges, Kind, Ledger, Member, Unexplained, sanction};
use crossing::{Crossing, Horizon};
use fresh::Fresh;

/// Findings of the three ledgers, day by day: what one charges on a day, none counts from then on.
pub(super) fn judge<'a>(
    view: &'a View<'_>,
    policy: &Policy,
    census: &Census,
    chosen: Vec<Vec<Entry<'a>>>,
    histories: &mut Histories,
) -> Vec<Judged> {
    let mut charges = Charges::of(view, policy, chosen);
    let bounds = &policy.bounds;
    let accounts = charges.accounts(view);
    let of_workload = |c: &Unexplained| Some((c.kind, charges.workload(c)));
    let of_destination = |c: &Unexplained| Some((c.kind, charges.destination(c)?));
    let of_account = |c: &Unexplained| Some((c.kind, *accounts.get(charges.workload(c) as usize)?));
    // That of destinations has most sums.
    let (of_destinations, (of_workloads, of_accounts)) = both(
        || Ledger::of(&charges, bounds.destination, of_destination),
        || {
            (
                Ledger::of(&charges, bounds.workload, of_workload),
                Ledger::of(&charges, bounds.account, of_account),
            )
        },
    );
    let mut rarities = <[Exceedance; 2]>::default();
    let mut fresh = Fresh::of(&charges, policy, census);
    let (mut found, mut trickles) = (Vec::new(), Vec::new());
    let mut sums_of = charges.workload_days();
    for (day, active) in census.active() {
        let (day, sums) = (*day, sums_of.remove(day).unwrap_or_default());
        for (rarity, sums) in rarities.iter_mut().zip(sums) {
            rarity.extend(sums);
        }
        for (ledger, of) in [
            (&of_workloads, Of::Workload),
            (&of_destinations, Of::Destination),
            (&of_accounts, Of::Account),
        ] {
            let crossings = charges.cross(ledger, day);
            let past = Past {
                policy,
                census,
                charges: &charges,
                fresh: &fresh,
                rarities: &rarities,
            };
            let of_ledger = (of, ledger.bounds());
            found.extend(
                crossings
                    .into_iter()
                    .map(|own| past.crossed(of_ledger, own)),
            );
        }
        trickles.extend(fresh.trickles(policy, day));
        fresh.pass(day, *active);
    }
    // What was found on a day depends on the days before; what is said of it does not.
    let mut findings = in_parallel(&found, |crossed| {
        let sum = Sum::of(view, &charges, crossed);
        let rank = sum.rank(policy, census, &fresh);
        let judged = match crossed.of {
            Of::Workload => workload_finding(view, policy, sum),
            Of::Destination | Of::Account => shared_finding(view, policy, sum),
        };
        judged.ranked(rank)
    });
    let slow = trickles
        .iter()
        .map(|own| own.finding(view, policy, &charges));
    findings.extend(slow);
    let firsts = found.iter().filter_map(|own| Some(own.members.first()?.at));
    let firsts = firsts.chain(trickles.iter().filter_map(fresh::Trickle::first));
    let of_workload = |at| (charges.workload(charges.get(at)), charges.of_workload(at));
    let wanted: BTreeSet<u32> = findings.iter().filter_map(|own| own.workload).collect();
    let known = firsts
        .map(of_workload)
        .filter(|(of, _)| wanted.contains(of));
    histories.add(known);
    findings.extend(totals(view, policy, (census, &charges), histories));
    findings
}

/// What workloads send in all, and what they did before.
fn totals(
    view: &View<'_>,
    policy: &Policy,
    (census, charges): (&Census, &Charges<'_>),
    histories: &mut Histories,
) -> Vec<Judged> {
    let found = total::judge(view, policy, census, charges);
    let whole = found.iter().filter_map(|(part, own)| {
        let of = own.workload?;
        Some((of, charges.all_of(*part, of)))
    });
    histories.add(whole);
    found.into_iter().map(|(_, own)| own).collect()
}

/// The unit of what a rule of policy allows.
pub(super) const ALLOWED_UNIT: &str = "bytes allowed a day";

/// Tails of bytes fall evenly by octaves.
fn log2(payload: u64) -> f64 {
    (payload.max(1) as f64).log2()
}

/// What the charges of a ledger have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Workload,
    Destination,
    Account,
}

/// A crossing, and what it charges.
struct Crossed {
    of: Of,
    crossing: Crossing,
    members: Vec<Member>,
    observed: u64,
    bound: u64,
    /// Bits of rarity among workload-days.
    bits: f64,
    /// The same among what is sent where few ever went, by the tail beyond what was met, and above what is usual.
    octaves: f64,
    /// What of it went out, where few ever went, in hours in which the workload is usually quiet.
    quiet: u64,
    /// Whether what a workload sent where few ever went crosses the bound without the rest.
    is_alone: bool,
    /// Whether that is as rare as what exceeds a past must be.
    is_rare: bool,
}

/// What a crossing is compared with: all days before its own.
struct Past<'p, 'a> {
    policy: &'p Policy,
    census: &'p Census,
    charges: &'p Charges<'a>,
    fresh: &'p Fresh,
    /// Of what has no past, and of what exceeds one.
    rarities: &'p [Exceedance; 2],
}

impl Past<'_, '_> {
    /// A crossing of a ledger, and how rare it is.
    fn crossed(
        &self,
        (of, bounds): (Of, Horizons),
        (crossing, members): (Crossing, Vec<Member>),
    ) -> Crossed {
        let observed = total(members.iter().map(|member| member.payload));
        let first = members.first().map(|one| self.charges.get(one.at));
        let excess = first.is_some_and(|own| own.kind.excess);
        let rarity = &self.rarities[usize::from(excess)];
        let is_day = of == Of::Workload && crossing.horizon == Horizon::Day;
        let fresh_of = first.filter(|own| is_day && own.kind == Kind::default());
        let quiet = fresh_of.map_or(0, |own| {
            let workload = self.charges.workload(own);
            self.fresh.in_quiet_hours(workload, crossing.day)
        });
        let quiet = quiet.min(observed);
        let bound = bound_of(bounds, crossing.horizon);
        let all = (self.charges, members.as_slice());
        let alone = self.fresh.part(self.policy, self.census, crossing.day, all);
        let is_alone = of == Of::Workload && alone >= bound;
        let ranked = if is_alone { alone } else { observed };
        Crossed {
            of,
            bits: rarity.bits(observed),
            octaves: self.fresh.octaves(crossing.horizon, ranked, quiet),
            quiet,
            is_alone,
            is_rare: rarity.is_rare(observed, self.policy.scores.excess),
            observed,
            bound,
            crossing,
            members,
        }
    }
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
    view: &'c View<'c>,
    crossed: &'c Crossed,
    charges: &'c Charges<'a>,
    draft: Draft,
}

impl<'c, 'a> Sum<'c, 'a> {
    fn of(view: &'c View<'c>, charges: &'c Charges<'a>, crossed: &'c Crossed) -> Self {
        Self {
            view,
            draft: Draft::of_many(&crossed.members, |member| charges.entries(member.at)),
            charges,
            crossed,
        }
    }

    fn members(&self) -> impl Iterator<Item = &'c Unexplained> {
        let charges = self.charges;
        let members = self.crossed.members.iter();
        members.map(|member| charges.get(member.at))
    }

    /// The workload of each.
    fn workloads(&self) -> impl Iterator<Item = u32> {
        self.members().map(|own| self.charges.workload(own))
    }

    fn entries(&self) -> impl Iterator<Item = &'c Entry<'a>> {
        let charges = self.charges;
        let members = self.crossed.members.iter();
        members.flat_map(|member| charges.entries(member.at))
    }

    fn measure(&self, bits: f64) -> Measure {
        let Crossed {
            observed, bound, ..
        } = *self.crossed;
        let measure = if self.is_fetched() {
            self.draft.measure(observed, bound)
        } else {
            self.draft.measure_of_pushed(observed, bound)
        };
        Measure { bits, ..measure }
    }

    /// Whether this is of what was fetched or exchanged; no ledger sums both.
    fn is_fetched(&self) -> bool {
        self.members().next().is_some_and(|own| own.kind.fetched)
    }

    /// Whether this is what exceeds a past; no ledger sums both.
    fn is_excess(&self) -> bool {
        self.members().next().is_some_and(|own| own.kind.excess)
    }

    /// Which way the bytes went, which is part of a finding's identity.
    fn way(&self) -> &'static str {
        match (self.is_excess(), self.is_fetched()) {
            (false, false) => "pushed",
            (false, true) => "fetched",
            (true, false) => "pushed beyond",
            (true, true) => "fetched beyond",
        }
    }

    /// How grave it is. What exceeds a past is a note, unless a day of a workload is rare for it: what stays is a shift,
    /// and told as such.
    fn severity(&self, measure: &Measure) -> Severity {
        let Crossed {
            of,
            crossing,
            is_rare,
            ..
        } = *self.crossed;
        let is_day = of == Of::Workload && crossing.horizon == Horizon::Day;
        match self.is_excess() && !(is_day && is_rare) {
            true => measure.severity().min(Severity::Low),
            false => measure.severity(),
        }
    }

    /// What it is compared with: what one workload sends where few ever did is another thing than what a roll-out brings.
    fn rank(&self, policy: &Policy, census: &Census, fresh: &Fresh) -> Rank {
        let day = self.crossed.crossing.day;
        let workloads = census.workloads(day);
        let main = self.draft.main_groups();
        let few_know =
            |(group, _): &(Group, _)| policy.is_rare(census.prevalence(*group, day), workloads);
        let of_main = |own: &&Unexplained| {
            let own = self.charges.first(own).group();
            main.iter().any(|(group, _)| *group == own)
        };
        let is_old = self
            .members()
            .filter(of_main)
            .any(|own| !fresh.saw_begin(own.first_day));
        let stratum = match self.crossed.of {
            _ if self.is_excess() => Stratum::Excess,
            _ if self.is_fetched() => Stratum::Fetched,
            // What else a host did on that day makes it no more usual.
            _ if self.crossed.is_alone => Stratum::Plain,
            _ if is_old => Stratum::Old,
            Of::Workload if main.iter().all(few_know) => Stratum::Plain,
            _ => Stratum::Shared,
        };
        let octaves = (stratum == Stratum::Plain).then_some(self.crossed.octaves);
        Rank { stratum, octaves }
    }

    /// What the payload is, in a title.
    fn what(&self) -> &'static str {
        match self.is_excess() {
            true => "of payload beyond the usual",
            false => "of unexplained payload",
        }
    }

    fn span(&self) -> &'static str {
        horizon_text(self.crossed.crossing.horizon)
    }

    /// The destination, or the first of those that make up most of the payload: what trickles elsewhere is listed
    /// among the addresses, and would only blur the title.
    fn place(&self) -> String {
        let service = self.draft.service();
        let service = service.map_or_else(String::new, |service| format!(" over {service}"));
        match self.draft.main_groups() {
            [] => format!("{UNKNOWN_PLACE}{service}"),
            [(one, _)] => format!("{}{service}", self.view.group_name(*one)),
            [(first, _), rest @ ..] => {
                let first = self.view.group_name(*first);
                format!("{first} and {} more{service}", rest.len())
            }
        }
    }

    fn volume_reason(&self) -> Why {
        let what = match self.is_excess() {
            true => "exceeds what was sent there before",
            false => "is explained by nothing known",
        };
        let text = format!(
            "{} of payload to {} within {} {what}; the bound is {}",
            human_bytes(self.crossed.observed),
            self.place(),
            self.span(),
            human_bytes(self.crossed.bound),
        );
        bounded(self.crossed.observed, self.crossed.bound, "bytes", text)
    }

    /// That most of it went out in quiet hours.
    fn hours_reason(&self) -> Option<Why> {
        let Crossed {
            observed, quiet, ..
        } = *self.crossed;
        (quiet > observed / 2).then(|| Why {
            observed: quiet as f64,
            unit: "bytes off hours".to_owned(),
            text: format!(
                "{} of it went out off hours: in hours of the week in which this workload usually sends less than a quarter \
                 of what it does in an average one, by the medians of four weeks or more",
                human_bytes(quiet)
            ),
            ..Why::default()
        })
    }

    fn past_reason(&self) -> Option<Why> {
        let main: BTreeSet<Group> = self
            .draft
            .main_groups()
            .iter()
            .map(|(group, _)| *group)
            .collect();
        let group = |own: &Unexplained| self.charges.first(own).group();
        let of_main = self.members().filter(|own| main.contains(&group(own)));
        let first = of_main.map(|own| own.first_day).min()?;
        let payload = total(self.members().map(|own| own.payload));
        let explained = payload.saturating_sub(self.crossed.observed);
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

/// Rules that a finding tells.
const RULES_MAX: usize = 4;

/// The rules that allow a part of what was charged beyond them.
fn sanction_reasons<'e, 'a: 'e>(
    view: &View<'_>,
    policy: &Policy,
    entries: impl Iterator<Item = &'e Entry<'a>>,
) -> Vec<Why> {
    if policy.sanctioned.is_empty() {
        return Vec::new();
    }
    let mut rules: Vec<&Sanctioned> = entries
        .filter_map(|entry| sanction(view, policy, entry))
        .collect();
    rules.sort_unstable_by_key(|rule| (rule.destination, &rule.reason, rule.bytes_per_day));
    rules.dedup();
    let reason = |rule: &Sanctioned| {
        let text = format!(
            "policy allows {} a day to {} ({}); only what is above is charged",
            human_bytes(rule.bytes_per_day),
            rule.destination,
            rule.reason
        );
        Why {
            observed: rule.bytes_per_day as f64,
            unit: ALLOWED_UNIT.to_owned(),
            text,
            ..Why::default()
        }
    };
    rules.into_iter().take(RULES_MAX).map(reason).collect()
}

fn workload_finding(view: &View<'_>, policy: &Policy, sum: Sum<'_, '_>) -> Judged {
    let Crossed {
        bits,
        observed,
        crossing,
        ..
    } = *sum.crossed;
    let measure = sum.measure(bits);
    let workload = sum.workloads().next();
    let mut why = vec![sum.volume_reason(), shape_reason(&measure)];
    why.extend(sum.past_reason());
    why.extend(sum.hours_reason());
    why.extend(sanction_reasons(view, policy, sum.entries()));
    let identity = workload.map(|id| view.workload(id));
    let account = identity.map_or("", |workload| workload.account_id.as_str());
    let name = identity.map_or_else(String::new, Workload::unique_name);
    let (sent, place) = (human_bytes(observed), sum.place());
    let (span, way) = (sum.span(), sum.way());
    let charge = Charge {
        family: Family::VolumeLedger,
        day: crossing.day,
        identity: &["workload", account, &name, span, way],
        title: format!("{sent} {} to {place} within {span}", sum.what()),
        severity: sum.severity(&measure),
        risk: measure.risk(),
        bits: Some(bits),
        attack: techniques(crossing.horizon),
        why,
        workload,
    };
    sum.draft.finish(view, charge)
}

/// A finding of many workloads: to one destination, or of one account.
fn shared_finding(view: &View<'_>, policy: &Policy, sum: Sum<'_, '_>) -> Judged {
    let Crossed {
        observed, crossing, ..
    } = *sum.crossed;
    let measure = sum.measure(0.0);
    let mut workloads: Vec<u32> = sum.workloads().collect();
    workloads.sort_unstable();
    workloads.dedup();
    let (sent, place) = (human_bytes(observed), sum.place());
    let (span, way) = (sum.span(), sum.way());
    let senders = match workloads.len() {
        1 => "1 workload".to_owned(),
        count => format!("{count} workloads, each below its own bound"),
    };
    let account = workloads
        .first()
        .map_or("", |id| view.workload(*id).account_id.as_str());
    let identity = match sum.crossed.of {
        Of::Account => ["account", account, "", span, way],
        Of::Destination | Of::Workload => ["destination", "", place.as_str(), span, way],
    };
    let mut why = vec![sum.volume_reason(), shape_reason(&measure)];
    why.extend(sanction_reasons(view, policy, sum.entries()));
    let charge = Charge {
        family: Family::VolumeLedger,
        day: crossing.day,
        identity: &identity,
        title: format!(
            "{sent} {} from {senders} to {place} within {span}",
            sum.what()
        ),
        severity: sum.severity(&measure),
        risk: measure.risk(),
        bits: None,
        attack: techniques(crossing.horizon),
        why,
        workload: match workloads.as_slice() {
            [one] => Some(*one),
            _ => None,
        },
    };
    sum.draft.finish(view, charge)
}

pub(super) fn shape_reason(measure: &Measure) -> Why {
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
