//! Two judgements of the same records, side by side: what another bound or suppression would have told, and what it
//! would have hidden.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::order::gravest_first;
use crate::{CoverageReport, Family, Finding, Incident, Lane, Severity};

/// What a judgement told, and what it did not.
#[derive(Debug, Clone, Copy)]
pub struct Judgement<'a> {
    /// Incidents.
    pub incidents: &'a [Incident],
    /// Findings in them.
    pub findings: &'a [Finding],
    /// Findings that a suppression hid, with its id.
    pub suppressed: &'a [(String, Finding)],
    /// The budget that parted incidents, if one did ([`part_by_budget`](crate::part_by_budget)): each has a lane then.
    pub budget: Option<f64>,
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is told now and was not.
    Fired,
    /// It is graver than it was.
    Graver,
    /// It is less grave than it was.
    Milder,
    /// It was told and is not.
    Hidden,
}

/// A finding that two judgements differ about.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// What became of it.
    pub change: Change,
    /// How grave it was, if it was told.
    pub before: Option<Severity>,
    /// How grave it is, if it is told.
    pub after: Option<Severity>,
    /// The suppression that hides it, or hid it.
    pub suppression: Option<String>,
    /// The finding: as it is told now, or else as it was.
    pub finding: Finding,
}

/// What a judgement comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Sums {
    /// Incidents.
    pub incidents: u64,
    /// Incidents, by OCSF's number of their severity.
    pub incidents_by_severity: BTreeMap<u8, u64>,
    /// Findings.
    pub findings: u64,
    /// Findings, by family.
    pub findings_by_family: BTreeMap<Family, u64>,
    /// Findings that a suppression hid.
    pub suppressed_findings: u64,
    /// Payload of these, as findings have it: what several are about counts for each.
    pub suppressed_payload_bytes: u64,
    /// Incidents that alert ([`Lane::Alert`]), where there is a budget.
    #[serde(skip)]
    pub alerts: Option<u64>,
}

/// The difference between two judgements.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison {
    /// Minutes that the logs of all interfaces span, in days.
    pub eni_days: u64,
    /// The first.
    pub before: Sums,
    /// The second.
    pub after: Sums,
    /// Findings that they differ about: those that fired first, of each kind the gravest.
    pub changed: Vec<Changed>,
}

impl Comparison {
    /// Compares two judgements of records that cover this.
    pub fn of(before: Judgement<'_>, after: Judgement<'_>, coverage: &CoverageReport) -> Self {
        let hid = by_id(before.suppressed.iter().map(|(id, finding)| (finding, id)));
        let hides = by_id(after.suppressed.iter().map(|(id, finding)| (finding, id)));
        let old = by_id(before.findings.iter().map(|finding| (finding, finding)));
        let new = by_id(after.findings.iter().map(|finding| (finding, finding)));
        let changed = |change, finding: &Finding| {
            let id = finding.id.as_str();
            let by = hides.get(id).or_else(|| hid.get(id));
            Changed {
                change,
                before: old.get(id).map(|finding| finding.severity),
                after: new.get(id).map(|finding| finding.severity),
                suppression: by.map(|by| (*by).clone()),
                finding: finding.clone(),
            }
        };
        let gone = old.iter().filter(|(id, _)| !new.contains_key(*id));
        let mut all: Vec<Changed> = gone
            .map(|(_, finding)| changed(Change::Hidden, finding))
            .collect();
        for (id, finding) in &new {
            let was = old.get(id).map(|old| finding.severity.cmp(&old.severity));
            let change = match was {
                None => Change::Fired,
                Some(std::cmp::Ordering::Greater) => Change::Graver,
                Some(std::cmp::Ordering::Less) => Change::Milder,
                Some(std::cmp::Ordering::Equal) => continue,
            };
            all.push(changed(change, finding));
        }
        all.sort_by(|a, b| {
            a.change
                .cmp(&b.change)
                .then_with(|| gravest_first(&a.finding, &b.finding))
        });
        Self {
            eni_days: coverage.eni_days(),
            before: Sums::of(before),
            after: Sums::of(after),
            changed: all,
        }
    }
}

impl Sums {
    fn of(judgement: Judgement<'_>) -> Self {
        let lanes = judgement.incidents.iter().map(|own| own.lane);
        let alerts = lanes.filter(|lane| *lane == Some(Lane::Alert)).count() as u64;
        let mut sums = Self {
            alerts: judgement.budget.map(|_| alerts),
            incidents: judgement.incidents.len() as u64,
            findings: judgement.findings.len() as u64,
            suppressed_findings: judgement.suppressed.len() as u64,
            ..Self::default()
        };
        for incident in judgement.incidents {
            let severity = incident.body.severity.id();
            *sums.incidents_by_severity.entry(severity).or_default() += 1;
        }
        for finding in judgement.findings {
            *sums.findings_by_family.entry(finding.family).or_default() += 1;
        }
        for (_, finding) in judgement.suppressed {
            let all = &mut sums.suppressed_payload_bytes;
            *all = all.saturating_add(finding.payload_bytes);
        }
        sums
    }

    /// Incidents for each thousand days of an interface; unknown without any.
    pub fn incidents_per_thousand(&self, eni_days: u64) -> Option<f64> {
        (eni_days > 0).then(|| 1_000.0 * self.incidents as f64 / eni_days as f64)
    }
}

fn by_id<'a, T>(all: impl Iterator<Item = (&'a Finding, T)>) -> BTreeMap<&'a str, T> {
    all.map(|(finding, of)| (finding.id.as_str(), of)).collect()
}

#[cfg(test)]
mod tests;
