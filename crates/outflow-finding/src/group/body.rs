//! What an incident says about its findings as a whole.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use super::reasons::reasons;
use crate::parallel::both;
use crate::{
    Coverage, Destination, Evidence, EvidenceObject, Family, Finding, Incident, RiskPart, RiskTerm,
    incident_id,
};

/// Addresses listed in an incident's destination: enough to recognise it and to block it by hand. Those of
/// the gravest findings are kept; the findings themselves list all of theirs.
pub const INCIDENT_ADDRESSES_MAX: usize = 16;

/// Objects listed in an incident's evidence: a line of JSON stays within a few kilobytes. Those of the
/// gravest findings are kept; the findings themselves list all of theirs.
pub const INCIDENT_OBJECTS_MAX: usize = 32;

/// Queries listed in an incident's evidence, for the sake of that line too. Those of the gravest findings are
/// kept, and a last comment says how many there are besides.
pub const INCIDENT_QUERIES_MAX: usize = 16;

/// From how many findings on an incident is summed up on two threads: starting one takes as long as a few dozen findings.
const MEMBERS_IN_PARALLEL: usize = 512;

// Each further family is another kind of behaviour that agrees with the first.
const RISK_PER_FAMILY: u8 = 5;
const RISK_MAX: u8 = 100;

/// The incident of these findings, which are one or more, the gravest first.
///
/// Who, where, family and title are those of the gravest finding.
pub(super) fn incident(members: &[Finding]) -> Incident {
    let gravest = &members[0];
    let smallest = members
        .iter()
        .map(|own| own.id.as_str())
        .min()
        .unwrap_or_default();
    let volume = volume(members);
    let to = || destination(gravest, members);
    let told = || (reasons(members), evidence(members));
    // Of an incident of thousands of findings, the addresses are most of the work.
    let (destination, (why, evidence)) = match members.len() >= MEMBERS_IN_PARALLEL {
        true => both(to, told),
        false => (to(), told()),
    };
    let mut ids = BTreeSet::new();
    let (risk, risk_parts) = risk(members);
    let body = Finding {
        id: incident_id(smallest),
        incident: None,
        title: title(gravest, members.len() - 1),
        risk,
        risk_parts,
        stages: united(members, |own| &own.stages),
        paths: united(members, |own| &own.paths),
        bits: most(members, |own| own.bits),
        rate_bits: most(members, |own| own.rate_bits),
        urgency: most(members, |own| own.urgency),
        q_value: most(members, |own| own.q_value.map(|q| -q)).map(|q| -q),
        destination,
        first_seen: members.iter().filter_map(|own| own.first_seen).min(),
        last_seen: members.iter().filter_map(|own| own.last_seen).max(),
        bytes: volume.bytes,
        payload_bytes: volume.payload_bytes,
        packets: volume.packets,
        flows: volume.flows,
        attack: united(members, |own| &own.attack),
        why,
        coverage: coverage(members),
        evidence,
        ..gravest.clone()
    };
    let finding_ids = members
        .iter()
        .map(|own| own.id.clone())
        .filter(|id| ids.insert(id.clone()));
    Incident {
        finding_ids: finding_ids.collect(),
        body,
        lane: None,
        is_again: false,
    }
}

fn most(members: &[Finding], of: fn(&Finding) -> Option<f64>) -> Option<f64> {
    members.iter().filter_map(of).max_by(f64::total_cmp)
}

fn title(gravest: &Finding, others: usize) -> String {
    match others {
        0 => gravest.title.clone(),
        _ => format!("{} (+{others} more)", gravest.title),
    }
}

/// What findings have in common or apart, each once and in order.
fn united<T: Clone + Ord>(members: &[Finding], of: fn(&Finding) -> &Vec<T>) -> Vec<T> {
    let all: BTreeSet<&T> = members.iter().flat_map(of).collect();
    all.into_iter().cloned().collect()
}

/// The highest of all risks, more for each further family, and what it is made of.
fn risk(members: &[Finding]) -> (u8, Vec<RiskPart>) {
    // Of equal ones that of the gravest finding, which comes first.
    let highest = members.iter().rev().max_by_key(|own| own.risk);
    let highest = highest.unwrap_or(&members[0]);
    let families: BTreeSet<_> = members.iter().map(|own| own.family).collect();
    let further = u8::try_from(families.len())
        .unwrap_or(u8::MAX)
        .saturating_sub(1);
    let more = further.saturating_mul(RISK_PER_FAMILY);
    let risk = highest.risk.saturating_add(more).min(RISK_MAX);
    let mut parts = highest.risk_parts.clone();
    let above = i16::from(risk) - i16::from(highest.risk) - i16::from(more);
    for (part, points) in [
        (RiskTerm::Families, i16::from(more)),
        (RiskTerm::Limit, above),
    ] {
        match parts.iter_mut().find(|own| own.part == part) {
            Some(own) => own.points += points,
            None if points != 0 => parts.push(RiskPart { part, points }),
            None => {}
        }
    }
    // What is not known of the finding is not of the incident either.
    if highest.risk_parts.is_empty() {
        parts.clear();
    }
    (risk, parts)
}

fn destination(gravest: &Finding, members: &[Finding]) -> Destination {
    let mut addresses: Vec<String> = Vec::new();
    let mut seen: HashSet<&str, BuildHasherDefault<DefaultHasher>> = HashSet::default();
    for address in members.iter().flat_map(|own| &own.destination.addresses) {
        if seen.insert(address) && addresses.len() < INCIDENT_ADDRESSES_MAX {
            addresses.push(address.clone());
        }
    }
    let groups: BTreeSet<_> = members
        .iter()
        .filter_map(|own| own.destination.group.as_ref())
        .collect();
    let most = |of: fn(&Destination) -> u64| members.iter().map(|own| of(&own.destination)).max();
    Destination {
        addresses,
        addresses_total: most(|of| of.addresses_total)
            .unwrap_or(0)
            .max(seen.len() as u64),
        groups_total: most(|of| of.groups_total)
            .unwrap_or(0)
            .max(groups.len() as u64),
        ..gravest.destination.clone()
    }
}

// An incident is known no better than the finding that saw least.
fn coverage(members: &[Finding]) -> Option<Coverage> {
    let known = members.iter().filter_map(|own| own.coverage.as_ref());
    known.min_by(|a, b| a.share.total_cmp(&b.share)).cloned()
}

fn evidence(members: &[Finding]) -> Evidence {
    let mut objects: Vec<EvidenceObject> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    // Findings mostly name the same objects in the same order: then no name, which is long, need be compared.
    let mut next = 0;
    for object in members.iter().flat_map(|own| &own.evidence.objects) {
        let is_next = objects
            .get(next)
            .is_some_and(|own| Arc::ptr_eq(&own.uri, &object.uri));
        let place = match is_next {
            true => Some(next),
            false => places.get(&*object.uri).copied(),
        };
        match place {
            Some(place) => {
                objects[place].rows = objects[place].rows.max(object.rows);
                next = place + 1;
            }
            None if objects.len() < INCIDENT_OBJECTS_MAX => {
                places.insert(&object.uri, objects.len());
                objects.push(object.clone());
            }
            None => {}
        }
    }
    // At the least: whether what one finding does not name is what another does, cannot be told here.
    let totals = members.iter().map(|own| own.evidence.objects_total);
    Evidence {
        objects,
        sql: queries(members),
        objects_total: totals.max().unwrap_or_default(),
    }
}

// The query of a single finding as it is. Those of several cannot be made one honestly, as each has its own
// addresses and its own time: they follow each other as statements, each under the id of its finding.
fn queries(members: &[Finding]) -> Option<String> {
    let own = |own: &'_ Finding| {
        let sql = own.evidence.sql.clone();
        sql.map(|sql| (own.id.clone(), sql))
    };
    let all: Vec<(String, String)> = members.iter().filter_map(own).collect();
    if members.len() == 1 {
        return all.into_iter().map(|(_, sql)| sql).next();
    }
    let shown = all.iter().take(INCIDENT_QUERIES_MAX);
    let mut statements: Vec<String> = shown.map(|(id, sql)| format!("-- {id}\n{sql};")).collect();
    match all.len().saturating_sub(INCIDENT_QUERIES_MAX) {
        0 => {}
        left => statements.push(format!("-- {left} more: each finding has its own")),
    }
    (!statements.is_empty()).then(|| statements.join("\n"))
}

#[derive(Clone, Copy, Default)]
struct Volume {
    bytes: u64,
    payload_bytes: u64,
    packets: u64,
    flows: u64,
}

impl Volume {
    fn of(finding: &Finding) -> Self {
        Self {
            bytes: finding.bytes,
            payload_bytes: finding.payload_bytes,
            packets: finding.packets,
            flows: finding.flows,
        }
    }

    fn with(self, other: Self, op: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            bytes: op(self.bytes, other.bytes),
            payload_bytes: op(self.payload_bytes, other.payload_bytes),
            packets: op(self.packets, other.packets),
            flows: op(self.flows, other.flows),
        }
    }
}

// Findings of one family about one interface are of different days or destinations, and add up; different
// families report the same bytes, so that of them only the largest counts. A finding without an interface may
// be about all of them: it counts only as far as it exceeds the sum of the others. What comes out is what left
// at the least.
fn volume(members: &[Finding]) -> Volume {
    let mut sums: BTreeMap<(Option<&str>, Family), Volume> = BTreeMap::new();
    for own in members {
        let sum = sums
            .entry((own.interface_id.as_deref(), own.family))
            .or_default();
        *sum = sum.with(Volume::of(own), u64::saturating_add);
    }
    let mut interfaces: BTreeMap<Option<&str>, Volume> = BTreeMap::new();
    for ((interface, _), sum) in sums {
        let largest = interfaces.entry(interface).or_default();
        *largest = largest.with(sum, u64::max);
    }
    let whole = interfaces.remove(&None).unwrap_or_default();
    let sum = |sum: Volume, own: Volume| sum.with(own, u64::saturating_add);
    whole.with(
        interfaces.into_values().fold(Volume::default(), sum),
        u64::max,
    )
}
