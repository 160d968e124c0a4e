//! How much of what was there was found, and what was found that was not there.

use std::collections::{BTreeMap, BTreeSet};

use outflow_record::Addr;

use crate::{Class, Label};

/// The highest severity that does not ask for anybody's attention: 1 is a note, 2 is low.
pub const SEVERITY_LOW: u8 = 2;

/// A finding: who is charged with having sent to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// The interface.
    pub eni: String,
    /// The hosts outside that it names.
    pub peers: Vec<Addr>,
    /// From 1 to 5.
    pub severity: u8,
}

/// How many incidents of a label were found. An incident is a label on an interface, whatever the number of
/// its peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// Name of the label.
    pub label: String,
    /// Incidents in the labels.
    pub there: usize,
    /// Incidents that some finding touches.
    pub found: usize,
    /// Incidents that some finding above low touches.
    pub above_low: usize,
}

/// What [`evaluate`] counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// For each malicious label, in the order of names.
    pub recalls: Vec<Recall>,
    /// Positions of the findings above low that touch no malicious label.
    pub false_ones: Vec<usize>,
}

/// Compares findings with labels. A finding touches a label if it charges the label's interface with the
/// label's peer; one peer of many is enough.
///
/// ```
/// use outflow_sim::{Charged, Scenario, World, WorldConfig, evaluate};
/// let config = WorldConfig { scenarios: vec![Scenario::Burst], ..WorldConfig::default() };
/// let labels = World::new(&config).unwrap().labels();
/// let finding = Charged { eni: labels[0].eni.clone(), peers: vec![labels[0].peer], severity: 4 };
/// let score = evaluate(&labels, &[finding]);
/// assert_eq!((score.recalls[0].there, score.recalls[0].found), (1, 1));
/// assert!(score.false_ones.is_empty());
/// ```
pub fn evaluate(labels: &[Label], findings: &[Charged]) -> Score {
    let mut incidents: BTreeMap<(&str, &str), BTreeSet<Addr>> = BTreeMap::new();
    for label in labels
        .iter()
        .filter(|label| label.class == Class::Malicious)
    {
        incidents
            .entry((&label.label, &label.eni))
            .or_default()
            .insert(label.peer);
    }
    let touches = |finding: &Charged, eni: &str, peers: &BTreeSet<Addr>| {
        finding.eni == eni && finding.peers.iter().any(|peer| peers.contains(peer))
    };
    let mut recalls: Vec<Recall> = Vec::new();
    for ((name, eni), peers) in &incidents {
        if recalls.last().is_none_or(|last| last.label != *name) {
            recalls.push(Recall {
                label: (*name).to_owned(),
                there: 0,
                found: 0,
                above_low: 0,
            });
        }
        let highest = findings
            .iter()
            .filter(|finding| touches(finding, eni, peers))
            .map(|finding| finding.severity)
            .max();
        if let Some(recall) = recalls.last_mut() {
            recall.there += 1;
            recall.found += usize::from(highest.is_some());
            recall.above_low += usize::from(highest > Some(SEVERITY_LOW));
        }
    }
    let is_false = |finding: &Charged| {
        finding.severity > SEVERITY_LOW
            && !incidents
                .iter()
                .any(|((_, eni), peers)| touches(finding, eni, peers))
    };
    let false_ones = (0..findings.len())
        .filter(|at| is_false(&findings[*at]))
        .collect();
    Score {
        recalls,
        false_ones,
    }
}

#[cfg(test)]
mod tests;
