//! How rarely each family has told something as strong: what makes scores of several families comparable.
//!
//! A risk of 80 means something else in each family: where backups are heavy, volumes reach it each day, and beacons never.
//! So each finding is ranked among those of its own family on earlier days, as a rate for each day of a workload. Later days
//! have no say, nor has the day itself, so that a stream and a batch rank alike.

use std::collections::BTreeMap;

use outflow_finding::{Family, Finding};

use super::Judged;
use super::exceedance::Exceedance;
use crate::policy::Baseline;
use crate::time::Day;

/// Bits of payload that break ties between findings of one risk.
const PAYLOAD_BITS: u32 = 48;

/// Ranks findings, which are in the order of days, among `active` workloads by day. Days on which nothing can be
/// established yet are left out: there, whatever is regular is told, and would make what follows look common.
pub(super) fn recalibrate(findings: &mut [Judged], active: &BTreeMap<Day, u64>, rule: &Baseline) {
    let began = active.keys().next().copied().unwrap_or_default();
    let from = Day(began.0 + rule.spread_days + rule.quarantine_days);
    let known = findings.iter_mut().filter(|judged| judged.day >= from);
    let mut families: BTreeMap<Family, Past> = BTreeMap::new();
    for judged in known {
        let past = families
            .entry(judged.finding.family)
            .or_insert_with(|| Past::from(from));
        past.catch_up(judged.day, active);
        judged.finding.rate_bits = past.rank(judged);
    }
}

/// What a family told on earlier days.
#[derive(Debug)]
struct Past {
    before: Exceedance,
    /// Days before this one are in `before`.
    until: Day,
    /// Workload-days before it.
    days: u64,
    /// Of each destination, the strongest of the day: what many begin to use at once is one event.
    today: BTreeMap<String, u64>,
}

impl Past {
    fn from(day: Day) -> Self {
        Self {
            before: Exceedance::default(),
            until: day,
            days: 0,
            today: BTreeMap::new(),
        }
    }

    /// Takes in all days before one.
    fn catch_up(&mut self, day: Day, active: &BTreeMap<Day, u64>) {
        if day == self.until {
            return;
        }
        let passed: u64 = active.range(self.until..day).map(|(_, count)| count).sum();
        let told = std::mem::take(&mut self.today);
        self.before
            .extend_quiet(passed.saturating_sub(told.len() as u64));
        self.before.extend(told.into_values());
        self.days = self.days.saturating_add(passed);
        self.until = day;
    }

    /// The rank of a finding of the day; none where no day of a workload was seen before.
    fn rank(&mut self, judged: &Judged) -> Option<f64> {
        let finding = &judged.finding;
        let value = strength(finding);
        let known = self.today.entry(place(finding)).or_default();
        *known = value.max(*known);
        (self.days > 0).then(|| self.before.bits(value))
    }
}

/// Where to; if that is not known, who.
fn place(finding: &Finding) -> String {
    let names = [
        &finding.destination.domain,
        &finding.destination.group,
        &finding.workload,
        &finding.interface_id,
    ];
    let name = names.into_iter().flatten().next();
    name.cloned().unwrap_or_default()
}

fn strength(finding: &Finding) -> u64 {
    let payload = finding.payload_bytes.min((1 << PAYLOAD_BITS) - 1);
    u64::from(finding.risk) << PAYLOAD_BITS | payload
}

#[cfg(test)]
mod tests;
