//! Judging: a pure function from sums and policy to findings.

mod baseline;
mod draft;
mod exceedance;
mod icmp;
mod ledger;
mod names;
mod ports;
mod severity;

use outflow_enrich::InterfaceKey;
use outflow_finding::Finding;

use crate::policy::Policy;
use crate::state::State;
use crate::time::Day;
use crate::view::View;

/// A finding, the day that it belongs to, and the interfaces that its records are of.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The UTC day at whose end it is known.
    pub day: Day,
    /// The interfaces, those with most payload first.
    pub interfaces: Vec<InterfaceKey>,
    /// The finding, still without evidence objects and incident.
    pub finding: Finding,
}

/// What a state tells of all days up to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The findings, by day, then by id.
    pub findings: Vec<Judged>,
    /// Bytes that crossed the border outwards, headers included, each counted at one interface.
    pub counted_bytes: u64,
}

/// Judges every day up to `through`. Later traffic has no influence, so that the verdict on a day is the same
/// whenever it is asked for.
pub fn judge(state: &State, policy: &Policy, through: Day) -> Verdict {
    let view = View::new(state, through);
    let mut findings = ledger::judge(&view, policy);
    findings.extend(names::judge(&view, policy));
    findings.extend(icmp::judge(&view, policy));
    findings.extend(ports::judge(&view, policy));
    findings.sort_by(|a, b| (a.day, &a.finding.id).cmp(&(b.day, &b.finding.id)));
    Verdict {
        findings,
        counted_bytes: view.counted_bytes(),
    }
}
