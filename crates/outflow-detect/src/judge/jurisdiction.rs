//! Payload to countries and networks that policy forbids.
//!
//! Where an address is, databases tell (`--context`): what none of them knows is judged as nowhere, and so forbidden by no
//! rule but a list of what is allowed, which it is not on. Of an address that stands for a network (for want of memory), the
//! first of the network's is looked up.

use std::collections::{BTreeMap, HashMap};

use outflow_enrich::GeoDatabases;
use outflow_finding::{Family, Severity, human_bytes};
use outflow_record::Addr;

use super::draft::{Charge, Draft, bounded};
use super::{Judged, by_workload};
use crate::key::{FixedState, Remote};
use crate::policy::{Jurisdiction, Policy};
use crate::time::Day;
use crate::view::{Entry, View};

/// Where payload went against a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A country that is not on the list of those allowed; none that any database knows.
    NotAllowed(Option<String>),
    /// A country that is denied.
    DeniedCountry(String),
    /// A network that is denied.
    DeniedNetwork(u32),
}

/// Findings `policy.jurisdiction`: one for a workload, a place and a day.
pub(super) fn judge(view: &View<'_>, policy: &Policy, chosen: &[Vec<Entry<'_>>]) -> Vec<Judged> {
    let rule = &policy.jurisdiction;
    // Without a database, all places are unknown.
    if rule.is_empty() || view.geo().sources().next().is_none() {
        return Vec::new();
    }
    by_workload(chosen, |run| judge_workload(view, policy, run))
}

fn judge_workload(view: &View<'_>, policy: &Policy, run: &[Entry<'_>]) -> Vec<Judged> {
    let mut places: HashMap<Addr, Option<Place>, FixedState> = HashMap::default();
    let mut of_days: BTreeMap<(Day, Place), Vec<&Entry<'_>>> = BTreeMap::new();
    let known = |entry: &&Entry<'_>| entry.kept != Remote::Dropped && entry.sends_payload();
    for entry in run.iter().filter(known) {
        let place = places.entry(entry.remote);
        let place = place.or_insert_with(|| breach(&policy.jurisdiction, view.geo(), entry.remote));
        if let Some(place) = place {
            let day = (entry.slot.day(), place.clone());
            of_days.entry(day).or_default().push(entry);
        }
    }
    let found = of_days.into_iter();
    found
        .filter_map(|((day, place), entries)| finding(view, policy, day, &place, &entries))
        .collect()
}

/// The rule that an address is against.
fn breach(rule: &Jurisdiction, geo: &GeoDatabases, addr: Addr) -> Option<Place> {
    let geo = geo.lookup(addr);
    if let Some(asn) = geo.asn.filter(|asn| rule.asns_denied.contains(asn)) {
        return Some(Place::DeniedNetwork(asn));
    }
    let country = geo.country_code.or(geo.registered_country_code);
    let is_in = |list: &[String]| country.is_some_and(|own| list.iter().any(|code| code == own));
    if is_in(&rule.countries_denied) {
        return country.map(|code| Place::DeniedCountry(code.to_owned()));
    }
    let is_allowed = rule.countries_allowed.is_empty() || is_in(&rule.countries_allowed);
    (!is_allowed).then(|| Place::NotAllowed(country.map(str::to_owned)))
}

fn finding(
    view: &View<'_>,
    policy: &Policy,
    day: Day,
    place: &Place,
    entries: &[&Entry<'_>],
) -> Option<Judged> {
    let draft = Draft::of(entries.iter().copied());
    let (payload, bound) = (draft.up().payload, policy.bounds.jurisdiction_day);
    if payload < bound {
        return None;
    }
    let (name, rule) = match place {
        Place::NotAllowed(None) => (
            "places that no database knows".to_owned(),
            "policy names the countries that payload may go to",
        ),
        Place::NotAllowed(Some(code)) => (
            code.clone(),
            "it is none of the countries that policy allows",
        ),
        Place::DeniedCountry(code) => (code.clone(), "policy denies this country"),
        Place::DeniedNetwork(asn) => (format!("AS{asn}"), "policy denies this network"),
    };
    let severity = match place {
        Place::NotAllowed(None) => Severity::Low,
        Place::NotAllowed(Some(_)) => Severity::Medium,
        Place::DeniedCountry(_) | Place::DeniedNetwork(_) => Severity::High,
    };
    let sent = human_bytes(payload);
    let text = format!(
        "{sent} of payload to {name} on {day}: {rule}; the bound is {}",
        human_bytes(bound)
    );
    let measure = draft.measure(payload, bound);
    let why = vec![
        bounded(payload, bound, "bytes", text),
        super::ledger::shape_reason(&measure),
    ];
    let workload = entries.first()?.workload;
    let who = view.workload(workload);
    let charge = Charge {
        family: Family::PolicyJurisdiction,
        day,
        identity: &[&who.account_id, &who.unique_name(), &name],
        title: format!("{sent} of payload to {name}, against policy"),
        severity,
        risk: measure.risk(),
        bits: None,
        attack: &["T1567", "T1048"],
        why,
        workload: Some(workload),
    };
    Some(draft.finish(view, charge))
}
