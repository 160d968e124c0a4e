//! Payload to countries and networks that policy forbids.
//!
//! Where an address is, databases tell (`--context`): what none of them knows is judged as nowhere, and so forbidden by no
//! rule but a list of what is allowed, which it is not on. Of an address that stands for a network (for want of memory), the
//! first of the network's is looked up.

use std::collections::{BTreeMap, HashMap};

use outflow_enrich::{Geo, GeoDatabases};
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
    /// A network that is not on the list of those allowed; none that any database knows.
    NetworkNotAllowed(Option<u32>),
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

/// The rule that an address is against. A list of what is allowed judges nothing where no database could tell.
fn breach(rule: &Jurisdiction, databases: &GeoDatabases, addr: Addr) -> Option<Place> {
    let told = Told {
        countries: databases.has_countries(),
        networks: databases.has_networks(),
    };
    breach_of(rule, &databases.lookup(addr), told)
}

/// What databases tell of addresses at all.
#[derive(Debug, Clone, Copy)]
struct Told {
    countries: bool,
    networks: bool,
}

fn breach_of(rule: &Jurisdiction, geo: &Geo<'_>, told: Told) -> Option<Place> {
    if let Some(asn) = geo.asn.filter(|asn| rule.asns_denied.contains(asn)) {
        return Some(Place::DeniedNetwork(asn));
    }
    let country = geo.country_code.or(geo.registered_country_code);
    let is_in = |list: &[String]| country.is_some_and(|own| list.iter().any(|code| code == own));
    if is_in(&rule.countries_denied) {
        return country.map(|code| Place::DeniedCountry(code.to_owned()));
    }
    let is_any = rule.countries_allowed.is_empty() || !told.countries;
    if !is_any && !is_in(&rule.countries_allowed) {
        return Some(Place::NotAllowed(country.map(str::to_owned)));
    }
    let is_listed = |asn: u32| rule.asns_allowed.contains(&asn);
    let is_any = rule.asns_allowed.is_empty() || !told.networks;
    (!is_any && !geo.asn.is_some_and(is_listed)).then_some(Place::NetworkNotAllowed(geo.asn))
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
        Place::NetworkNotAllowed(None) => (
            "networks that no database knows".to_owned(),
            "policy names the networks that payload may go to",
        ),
        Place::NetworkNotAllowed(Some(asn)) => (
            format!("AS{asn}"),
            "it is none of the networks that policy allows",
        ),
    };
    let severity = match place {
        Place::NotAllowed(None) | Place::NetworkNotAllowed(None) => Severity::Low,
        Place::NotAllowed(Some(_)) | Place::NetworkNotAllowed(Some(_)) => Severity::Medium,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(country: Option<&'static str>, asn: Option<u32>) -> Geo<'static> {
        Geo {
            country_code: country,
            asn,
            ..Geo::default()
        }
    }

    fn rule(countries: &[&str], asns: &[u32], denied: &[u32]) -> Jurisdiction {
        Jurisdiction {
            countries_allowed: countries.iter().map(|own| (*own).to_owned()).collect(),
            asns_allowed: asns.to_vec(),
            asns_denied: denied.to_vec(),
            ..Jurisdiction::default()
        }
    }

    const ALL: Told = Told {
        countries: true,
        networks: true,
    };

    #[test]
    fn a_network_must_be_on_the_list_also_in_a_country_that_is_allowed() {
        let rule = rule(&["DE"], &[64_500], &[]);
        let of = |country, asn| breach_of(&rule, &at(country, asn), ALL);
        assert_eq!(of(Some("DE"), Some(64_500)), None);
        let other = Place::NetworkNotAllowed(Some(64_501));
        assert_eq!(of(Some("DE"), Some(64_501)), Some(other));
        assert_eq!(of(Some("DE"), None), Some(Place::NetworkNotAllowed(None)));
        // The country comes first.
        let elsewhere = Place::NotAllowed(Some("SE".to_owned()));
        assert_eq!(of(Some("SE"), Some(64_500)), Some(elsewhere));
    }

    #[test]
    fn what_is_denied_is_so_although_it_is_on_the_list() {
        let rule = rule(&[], &[64_500], &[64_500]);
        let found = breach_of(&rule, &at(None, Some(64_500)), ALL);
        assert_eq!(found, Some(Place::DeniedNetwork(64_500)));
    }

    #[test]
    fn a_list_that_no_database_could_tell_of_judges_nothing() {
        let both = rule(&["DE"], &[64_500], &[]);
        let country_alone = breach_of(
            &both,
            &at(Some("DE"), None),
            Told {
                networks: false,
                ..ALL
            },
        );
        assert_eq!(country_alone, None);
        let network_alone = breach_of(
            &both,
            &at(None, Some(64_500)),
            Told {
                countries: false,
                ..ALL
            },
        );
        assert_eq!(network_alone, None);
    }
}
