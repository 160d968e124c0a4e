//! Methods of others, computed over the same rows.
//!
//! They are written down from what their sources say that they compute. Where a source gives no formula, the most
//! favourable reading is taken; what a score needs beyond the source so that it can be ranked is said beside it.

mod elastic;
mod facts;
mod guardduty;
mod hourly;
mod marchetti;
mod rita;
mod robust;
mod rules;
mod statistics;
mod subdomains;

pub use facts::Facts;

use crate::alert::Alert;
use crate::row::Row;
use crate::world::Asked;

/// A way of finding thefts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// The detector itself, as a budget ranks its findings.
    Outflow,
    /// The same findings, by risk alone.
    OutflowByRisk,
    /// Deviations of an interface's hourly egress from the mean of its last 14 days.
    ZScore,
    /// The same of its logarithm, from an exponentially weighted mean.
    Ewma,
    /// Robust deviations of its daily egress from its own past.
    RobustDaily,
    /// Beacons, long connections and prevalence, as RITA 5 scores them.
    Rita,
    /// Volume to a remote host without a history of so much, and new ports, as GuardDuty describes them.
    GuardDuty,
    /// Sums over three hours by destination among all destinations, as Elastic's jobs have them.
    Elastic,
    /// Hosts by their distance from their own past and from all others (Marchetti et al. 2016).
    Marchetti,
    /// A record of more than 500 MB, as Tailpipe's detection has it.
    Tailpipe,
    /// Hourly deviations by interface and well-known port over seven days, as Panther's query has them.
    Panther,
    /// Different names below a registered domain, as rules of subdomain counts have them.
    Subdomains,
}

/// What an interface does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Does<'d> {
    /// Its number.
    pub(crate) eni: u32,
    /// What it sends and gets, in the order of time.
    pub(crate) rows: &'d [Row],
    /// What its host asks the resolver for, likewise.
    pub(crate) asked: &'d [Asked],
}

impl Method {
    /// All, in the order of reports.
    pub const ALL: [Self; 12] = [
        Self::Outflow,
        Self::OutflowByRisk,
        Self::ZScore,
        Self::Ewma,
        Self::RobustDaily,
        Self::Rita,
        Self::GuardDuty,
        Self::Elastic,
        Self::Marchetti,
        Self::Tailpipe,
        Self::Panther,
        Self::Subdomains,
    ];

    /// Those of others.
    pub const OTHERS: [Self; 10] = [
        Self::ZScore,
        Self::Ewma,
        Self::RobustDaily,
        Self::Rita,
        Self::GuardDuty,
        Self::Elastic,
        Self::Marchetti,
        Self::Tailpipe,
        Self::Panther,
        Self::Subdomains,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outflow => "outflow",
            Self::OutflowByRisk => "by risk",
            Self::ZScore => "z-score 1 h",
            Self::Ewma => "EWMA log 1 h",
            Self::RobustDaily => "robust z 1 d",
            Self::Rita => "RITA-like",
            Self::GuardDuty => "GuardDuty-like",
            Self::Elastic => "Elastic-like",
            Self::Marchetti => "Marchetti-like",
            Self::Tailpipe => "Tailpipe-like",
            Self::Panther => "Panther-like",
            Self::Subdomains => "subdomains",
        }
    }

    /// What the method says of an interface that does this. Nothing of the detector and of what sums over all interfaces,
    /// which are asked otherwise.
    pub(crate) fn of_interface(self, facts: &Facts<'_>, does: Does<'_>) -> Vec<Alert> {
        let Does { eni, rows, asked } = does;
        match self {
            Self::Outflow | Self::OutflowByRisk | Self::Elastic => Vec::new(),
            Self::ZScore => hourly::z_score(facts, eni, rows),
            Self::Ewma => hourly::ewma(facts, eni, rows),
            Self::RobustDaily => robust::daily(facts, eni, rows),
            Self::Rita => {
                let mut all = rita::days(facts, eni, rows);
                all.extend(rita::names(facts, eni, asked));
                all
            }
            Self::GuardDuty => guardduty::hours(facts, eni, rows),
            Self::Marchetti => marchetti::days(facts, eni, rows),
            Self::Tailpipe => rules::tailpipe(facts, eni, rows),
            Self::Panther => rules::panther(facts, eni, rows),
            Self::Subdomains => subdomains::days(facts, eni, asked),
        }
    }

    /// What the method says of destinations, given what rows add to the benign ones.
    pub(crate) fn of_destinations(self, facts: &Facts<'_>, added: &[Row]) -> Vec<Alert> {
        match self {
            Self::Elastic => elastic::destinations(facts, added),
            _ => Vec::new(),
        }
    }
}
