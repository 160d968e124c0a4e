//! An incident by its id, and whose traffic shows it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;
use outflow_finding::{Finding, Incident};
use outflow_ingest::Outcome;
use outflow_query::Entity;
use outflow_record::{Addr, Timestamp};

use crate::exit::Failure;

/// Seconds before and after an incident that its timelines show.
pub(crate) const AROUND_SECS: u32 = 3_600;

/// Addresses of destinations of an incident that are asked about: who else talked to them. Those of the gravest findings come
/// first; how many are left out is told.
pub(crate) const DESTINATIONS_MAX: usize = 100;

/// Senders of an incident whose timelines are asked for, likewise: each is as many queries over its time as a timeline takes.
pub(crate) const SENDERS_MAX: usize = 50;

/// The incident of an id, or of what only one begins with.
pub(crate) fn found<'o>(outcome: &'o Outcome, id: &str) -> Result<&'o Incident, Failure> {
    meant(
        &outcome.incidents,
        |incident| &incident.body.id,
        id,
        "lake",
        "an id depends on what is judged: give the same --since, --until, --config, --suppressions, --context and \
         --internal as the `detect` that told it",
    )
}

/// The one of all incidents that an id means: the whole of its own, or what no other begins with. `of` is where they come from,
/// `remedy` what to do if there is none.
pub(crate) fn meant<'o, T>(
    all: &'o [T],
    own: impl Fn(&T) -> &str,
    id: &str,
    of: &str,
    remedy: &'static str,
) -> Result<&'o T, Failure> {
    // Every id begins with nothing; who gives nothing means none.
    let mut begin = all
        .iter()
        .filter(|incident| !id.is_empty() && own(incident).starts_with(id));
    match (begin.next(), begin.next()) {
        (Some(incident), None) => Ok(incident),
        (Some(_), Some(_)) => Err(Failure::usage(
            anyhow!("more than one incident begins with `{id}`"),
            "write more of the id, as `outflow detect --format json` tells it",
        )),
        (None, _) => Err(Failure::usage(
            anyhow!(
                "there is no incident `{id}` among {} of this {of}",
                all.len()
            ),
            remedy,
        )),
    }
}

/// Its findings, the gravest first.
pub(crate) fn findings<'o>(outcome: &'o Outcome, incident: &Incident) -> Vec<&'o Finding> {
    let ids = incident.finding_ids.iter();
    let finding = |id: &String| outcome.findings.iter().find(|finding| finding.id == *id);
    ids.filter_map(finding).collect()
}

/// Whose timelines show what these findings are about, each once and by name, [`SENDERS_MAX`] at most, and how many more there are.
pub(crate) fn senders(findings: &[&Finding]) -> (Vec<Entity>, u64) {
    let mut by_name: BTreeMap<String, Entity> = BTreeMap::new();
    let mut beyond: BTreeSet<String> = BTreeSet::new();
    for entity in findings.iter().filter_map(|finding| sender(finding)) {
        let name = entity.name().into_owned();
        if by_name.len() < SENDERS_MAX || by_name.contains_key(&name) {
            by_name.insert(name, entity);
        } else {
            beyond.insert(name);
        }
    }
    (by_name.into_values().collect(), beyond.len() as u64)
}

/// Whose timeline shows what a finding is about: of a host that a gateway tells of, the host's and not the gateway's.
fn sender(finding: &Finding) -> Option<Entity> {
    let instance = || finding.sender.instance_id.clone().map(Entity::Instance);
    let workload = || finding.workload.clone().map(Entity::Workload);
    host(finding)
        .map(|addr| Entity::Addr(addr.to_string()))
        .or_else(|| finding.interface_id.clone().map(Entity::Interface))
        .or_else(instance)
        .or_else(workload)
}

/// The host that a gateway tells of: its address is the first word of the workload then.
pub(crate) fn host(finding: &Finding) -> Option<Addr> {
    let name = finding.workload.as_deref()?;
    name.split(' ').next()?.parse().ok()
}

/// The addresses that these findings say bytes went to, [`DESTINATIONS_MAX`] at most, and how many more there are.
pub(crate) fn destinations(findings: &[&Finding]) -> (Vec<Addr>, u64) {
    let (mut addrs, mut known, mut unnamed) = (Vec::new(), BTreeSet::new(), 0);
    for finding in findings {
        let to = &finding.destination;
        let named = to.addresses.len() as u64;
        unnamed += to.addresses_total.saturating_sub(named);
        let new = to.addresses.iter().filter_map(|text| text.parse().ok());
        addrs.extend(new.filter(|addr: &Addr| known.insert(*addr)));
    }
    let beyond = addrs.len().saturating_sub(DESTINATIONS_MAX) as u64;
    addrs.truncate(DESTINATIONS_MAX);
    (addrs, unnamed + beyond)
}

/// The time of these findings, and as much around it; open where none has a time.
pub(crate) fn around(
    findings: &[&Finding],
    around_secs: u32,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let around = i64::from(around_secs);
    let firsts = findings.iter().filter_map(|finding| finding.first_seen);
    let lasts = findings.iter().filter_map(|finding| finding.last_seen);
    (
        firsts.min().map(|at| Timestamp(at.secs() - around)),
        lasts.max().map(|at| Timestamp(at.secs() + around)),
    )
}

#[cfg(test)]
mod tests {
    use outflow_finding::Family;

    use super::*;

    #[test]
    fn the_senders_of_the_gravest_findings_are_asked_about() {
        let of = |at: usize| {
            let mut finding = Finding::new(Family::ALL[0]);
            finding.interface_id = Some(format!("eni-{:03}", 999 - at));
            finding
        };
        let mut findings: Vec<Finding> = (0..SENDERS_MAX + 2).map(of).collect();
        // Of a sender that is asked about, and of one that is not.
        findings.extend([of(0), of(SENDERS_MAX)]);
        let findings: Vec<&Finding> = findings.iter().collect();
        let (asked, unasked) = senders(&findings);
        assert_eq!((asked.len(), unasked), (SENDERS_MAX, 2));
        let last = format!("eni-{:03}", 999 - (SENDERS_MAX - 1));
        assert_eq!(asked.first(), Some(&Entity::Interface(last)));
        let (asked, unasked) = senders(&findings[..2]);
        assert_eq!((asked.len(), unasked), (2, 0));
    }
}
