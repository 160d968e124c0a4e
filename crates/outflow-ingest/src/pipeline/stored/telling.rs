//! What was told of a lake that is followed, and what of it alerts before the day is over.
//!
//! ```text
//! Outcome ──► findings not decided yet ──► bounds, policy, no past to compare with ──────────────► alert
//!                                     └──► p-value, one stream for each family ──► discovery? ──► alert or digest
//!                 a day is over: what is among its discoveries (q-value) ────────────────────────► alert, after all
//! ```
//!
//! An incident alerts if one of its findings does, and, where there is a budget, has room for it or needs none. All of them are
//! told; those of the digest can be read when there is time.
//!
//! What was told is told again when it becomes graver, alerts after all, or shows another stage of an attack; and once
//! [`Alerting::cooldown_hours`] have passed, when it has doubled. What goes on as it did is told once.

use std::collections::{BTreeMap, BTreeSet};

use outflow_detect::Day;
use outflow_finding::{
    Family, Finding, Incident, Lane, OnlineDiscoveries, Severity, Stage, budget_room, urgency,
};
use outflow_record::Timestamp;
use serde::{Deserialize, Serialize};

use super::DAY_SECS;
use super::alerting::Alerting;
use crate::pipeline::Outcome;

/// Bytes of an id and what is known of it, about.
const ID_BYTES: usize = 256;

/// Ids that were told, and the state of the rule that decides within a day.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Telling {
    told: BTreeMap<String, Told>,
    streams: BTreeMap<Stream, Tests>,
    /// The day of the newest record when that was last looked at, counted from 1970.
    day: i64,
    /// The time of that record, Unix seconds.
    newest: i64,
}

/// A finding or incident that was told, or is to be.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Told {
    /// How grave it was then, as OCSF's number; none before it was told.
    severity: u8,
    /// Of a finding, the incident in which it was told.
    incident: Option<String>,
    /// Whether it alerts; not known of what a file alone tells.
    alerts: Option<bool>,
    /// How grave a finding was when that was decided: what becomes graver is compared with others, and asked again.
    decided: u8,
    /// The day of the newest record when it was last found; zero of what a file alone tells, until something is judged.
    seen: i64,
    /// How far an incident reached when it was last judged.
    now: Option<Extent>,
    /// How far it reached when it was told, and the time of the newest record then; nothing of what a file alone tells, until
    /// something is judged.
    then: Option<(Extent, i64)>,
}

/// How far an incident reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Extent {
    payload_bytes: u64,
    stages: Vec<Stage>,
    /// Destination groups.
    destinations: u64,
    /// Workloads, or interfaces where those are not known.
    senders: u64,
}

impl Extent {
    /// That of an incident with these findings.
    fn of(incident: &Incident, members: &[&Finding]) -> Self {
        let body = &incident.body;
        let sender = |own: &&Finding| {
            let workload = own.workload.clone().or_else(|| own.interface_id.clone());
            (own.account_id.clone(), workload)
        };
        let senders: BTreeSet<_> = members.iter().map(sender).collect();
        Self {
            payload_bytes: body.payload_bytes,
            stages: body.stages.clone(),
            destinations: body.destination.groups_total,
            senders: senders.len() as u64,
        }
    }

    /// That of two incidents that were told as one.
    fn with(mut self, other: &Self) -> Self {
        self.payload_bytes = self.payload_bytes.saturating_add(other.payload_bytes);
        self.destinations = self.destinations.saturating_add(other.destinations);
        self.senders = self.senders.saturating_add(other.senders);
        self.showing(other)
    }

    /// The same with the stages of another besides.
    fn showing(mut self, other: &Self) -> Self {
        let new = other.stages.iter().filter(|own| !self.stages.contains(own));
        let new: Vec<Stage> = new.copied().collect();
        self.stages.extend(new);
        self
    }

    /// Whether it shows a stage of an attack that it did not show before.
    fn has_new_stage(&self, before: &Self) -> bool {
        self.stages.iter().any(|own| !before.stages.contains(own))
    }

    /// Whether it has twice as many bytes, destinations or senders as before.
    fn has_doubled(&self, before: &Self) -> bool {
        [
            (self.payload_bytes, before.payload_bytes),
            (self.destinations, before.destinations),
            (self.senders, before.senders),
        ]
        .into_iter()
        .any(|(now, before)| now > before && now >= before.saturating_mul(2))
    }
}

/// How many workloads each day has, and the share of alerts that may be chance.
type Rate = (u64, f64);

/// Whose p-values are compared: a family, and whether it is a note. So it is ranked, too.
type Stream = (String, bool);

/// What the rule knows of a stream.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Tests {
    /// Tests since each discovery.
    since: Vec<u64>,
    /// Tests of the day so far that said something.
    of_day: u64,
}

impl Telling {
    /// Notes that a finding or incident was told, how grave it was then (OCSF's number), and of a finding in which incident, of
    /// an incident in which lane.
    pub fn told(&mut self, id: &str, severity: u8, incident: Option<&str>, lane: Option<Lane>) {
        let day = self.day;
        let known = self.told.entry(id.to_owned()).or_default();
        known.severity = severity.max(known.severity);
        known.seen = day.max(known.seen);
        if let Some(incident) = incident {
            known.incident.get_or_insert_with(|| incident.to_owned());
        }
        if let Some(lane) = lane {
            known.alerts = Some(known.alerts == Some(true) || lane == Lane::Alert);
        }
    }

    /// Notes that an incident was told as it was last judged.
    pub fn told_incident(&mut self, incident: &Incident) {
        let body = &incident.body;
        self.told(&body.id, body.severity.id(), None, incident.lane);
        let newest = self.newest;
        if let Some(known) = self.told.get_mut(&body.id) {
            // A stage that was told once is no news when it comes again.
            known.then = match (known.now.clone(), known.then.take()) {
                (Some(now), Some((before, _))) => Some((now.showing(&before), newest)),
                (now, _) => now.map(|now| (now, newest)),
            };
        }
    }

    /// Whether anything was told.
    pub fn has_told(&self) -> bool {
        self.told.values().any(|known| known.severity > 0)
    }

    /// Of what was found, what is not told yet, or only as something less grave, or in the digest while it alerts now; and of
    /// incidents, those that show another stage of an attack, or have doubled since they were told at least
    /// [`Alerting::cooldown_hours`] ago. An incident keeps the id under which its first finding was told, whatever joins it later, and has its
    /// [`Incident::lane`].
    ///
    /// `now` bounds what records claim as their time. What is decided of a finding stays decided: asked again, and after
    /// [`crate::Following::decode`], this tells the same.
    pub fn untold(
        &mut self,
        outcome: &Outcome,
        now: Timestamp,
        rule: &Alerting,
    ) -> (Vec<Incident>, Vec<Finding>) {
        self.decide(outcome, now, rule);
        let is_new = |id: &str, severity: Severity| {
            let known = self.told.get(id);
            known.is_none_or(|known| known.severity < severity.id())
        };
        let first_told = |finding: &String| self.told.get(finding)?.incident.clone();
        let (mut incidents, mut findings) = (Vec::new(), Vec::new());
        let (mut ids, mut extents) = (BTreeMap::new(), BTreeMap::<String, Extent>::new());
        let members = members(&outcome.findings);
        for incident in &outcome.incidents {
            let id = incident.body.id.as_str();
            let known = incident.finding_ids.iter().filter_map(first_told).min();
            let own = known.unwrap_or_else(|| id.to_owned());
            let members = members.get(id).map_or(&[][..], Vec::as_slice);
            let extent = Extent::of(incident, members);
            // What was told as one may be several by now, as what joined them is forgotten.
            let extent = match extents.get(&own) {
                Some(other) => extent.with(other),
                None => extent,
            };
            extents.insert(own.clone(), extent);
            ids.insert(id, own);
        }
        let changed = extents
            .iter()
            .filter(|(own, extent)| self.is_changed(own, extent, rule));
        let mut changed: BTreeSet<String> = changed.map(|(own, _)| own.clone()).collect();
        let lanes = self.lanes(outcome, &ids, &members, rule);
        let mut now_told = BTreeSet::new();
        for (incident, lane) in outcome.incidents.iter().zip(lanes) {
            let Some(own) = ids.get(incident.body.id.as_str()).cloned() else {
                continue;
            };
            let was_digest = self.told.get(&own).and_then(|known| known.alerts) == Some(false);
            let is_raised = was_digest && lane == Lane::Alert;
            let is_changed = changed.remove(&own);
            if is_raised || is_changed || is_new(&own, incident.body.severity) {
                let mut incident = incident.clone();
                incident.body.id.clone_from(&own);
                incident.lane = Some(lane);
                let known = self.told.get(&own).is_some_and(|known| known.severity > 0);
                // What was one may be told as several.
                incident.is_again = !now_told.insert(own.clone()) || known;
                incidents.push(incident);
            }
        }
        for finding in outcome
            .findings
            .iter()
            .filter(|of| is_new(&of.id, of.severity))
        {
            let mut finding = finding.clone();
            finding.incident = finding
                .incident
                .map(|id| ids.get(id.as_str()).cloned().unwrap_or(id));
            findings.push(finding);
        }
        for (own, extent) in extents {
            let known = self.told.entry(own).or_default();
            known.seen = self.day;
            // Of what only a file tells, how far it reached is not known: what it comes to from now on counts.
            if known.severity > 0 && known.then.is_none() {
                known.then = Some((extent.clone(), self.newest));
            }
            known.now = Some(extent);
        }
        (incidents, findings)
    }

    /// Whether an incident that was told is to be told again, as grave as it was.
    fn is_changed(&self, id: &str, extent: &Extent, rule: &Alerting) -> bool {
        let then = self.told.get(id).and_then(|known| known.then.as_ref());
        then.is_some_and(|(before, at)| {
            let is_cool = self.newest.saturating_sub(*at) >= rule.cooldown_secs();
            extent.has_new_stage(before) || is_cool && extent.has_doubled(before)
        })
    }

    /// Forgets ids that were last found before a day: their findings lie before all that is judged.
    pub(super) fn forget(&mut self, day: Day) {
        let from = i64::from(day.0);
        self.told
            .retain(|_, known| known.seen == 0 || known.seen >= from);
    }

    /// Bytes on the heap, about.
    pub(super) fn heap_bytes(&self) -> usize {
        let tests = self.streams.values().map(|own| own.since.capacity() * 8);
        self.told.len() * ID_BYTES + tests.sum::<usize>()
    }

    /// In which lane each incident is: of those that a finding of theirs would have alert and that nothing makes
    /// unconditional, the most urgent, while the budget has room beside those that were told as an alert. What is
    /// unconditional takes no room, whenever it was told: it would leave none to all others for good.
    fn lanes(
        &self,
        outcome: &Outcome,
        ids: &BTreeMap<&str, String>,
        members: &BTreeMap<&str, Vec<&Finding>>,
        rule: &Alerting,
    ) -> Vec<Lane> {
        let alerts = |id: &String| {
            let known = self.told.get(id);
            known.is_some_and(|known| known.alerts == Some(true))
        };
        let wants = |own: &Incident| own.finding_ids.iter().any(alerts);
        let mut lanes: Vec<Lane> = vec![Lane::Digest; outcome.incidents.len()];
        let mut waiting: Vec<usize> = Vec::new();
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for (at, incident) in outcome.incidents.iter().enumerate() {
            let id = incident.body.id.as_str();
            let own = ids.get(id).filter(|own| alerts(own));
            let mut members = members.get(id).into_iter().flatten();
            if let Some(own) = own {
                // What was told as an alert stays one.
                if !members.any(|own| is_unconditional(own)) {
                    told.insert(own);
                }
                lanes[at] = Lane::Alert;
            } else if wants(incident) {
                match rule.budget.is_none() || members.any(|own| is_unconditional(own)) {
                    true => lanes[at] = Lane::Alert,
                    false => waiting.push(at),
                }
            }
        }
        let Some(budget) = rule.budget else {
            return lanes;
        };
        let body = |at: &usize| &outcome.incidents[*at].body;
        waiting.sort_by(|a, b| {
            let more_urgent = urgency(body(b)).total_cmp(&urgency(body(a)));
            more_urgent.then_with(|| body(a).id.cmp(&body(b).id))
        });
        let room = budget_room(budget, outcome.coverage.eni_days());
        for at in waiting.into_iter().take(room.saturating_sub(told.len())) {
            lanes[at] = Lane::Alert;
        }
        lanes
    }

    /// Decides of each finding whether it alerts, in an order of their own.
    fn decide(&mut self, outcome: &Outcome, now: Timestamp, rule: &Alerting) {
        let newest = outcome
            .accounts
            .last
            .map_or(0, Timestamp::secs)
            .min(now.secs());
        let tests = (workloads(outcome, newest), rule.rate());
        self.newest = newest.max(self.newest);
        self.pass_to(newest.div_euclid(DAY_SECS), tests);
        let mut findings: Vec<&Finding> = outcome.findings.iter().collect();
        findings.sort_by_key(|finding| (finding.last_seen, &finding.id));
        for finding in findings {
            let severity = finding.severity.id();
            let known = self.told.get(&finding.id);
            let known =
                known.filter(|known| known.alerts == Some(true) || known.decided >= severity);
            let known = known.and_then(|known| known.alerts);
            let is_held =
                !is_unconditional(finding) && !is_of_its_day(finding, self.day, rule.rate());
            let alerts = match known {
                Some(alerts) => alerts || !is_held,
                None if !is_held => true,
                None => self.test(finding, tests),
            };
            let known = self.told.entry(finding.id.clone()).or_default();
            known.alerts = Some(alerts);
            known.decided = severity;
            known.seen = self.day;
        }
        for known in self.told.values_mut().filter(|known| known.seen == 0) {
            known.seen = self.day;
        }
    }

    /// Whether a finding is a discovery of its stream; where there is no past to compare it with, whether it is no note.
    fn test(&mut self, finding: &Finding, tests: Rate) -> bool {
        let is_note = finding.severity <= Severity::Low;
        let Some(bits) = finding.rate_bits else {
            return !is_note;
        };
        let key = (finding.family.name().to_owned(), is_note);
        let own = self.streams.entry(key).or_default();
        own.of_day = own.of_day.saturating_add(1);
        // Only what is rare is found: so many others were asked the same, and said nothing. Without them, what comes next would
        // stand where a discovery just made the level high.
        own.with(tests, |rule| {
            rule.pass(tests.0.saturating_sub(1));
            rule.test((-bits).exp2())
        })
    }

    /// Notes that a day began: on the days before it, all workloads of which nothing was told were tests that said nothing.
    fn pass_to(&mut self, day: i64, tests: Rate) {
        let passed = u64::try_from(day - self.day).unwrap_or(0);
        if passed == 0 {
            return;
        }
        for own in self.streams.values_mut() {
            let all = tests.0.saturating_mul(passed);
            let quiet = all.saturating_sub(own.of_day);
            own.of_day = 0;
            own.with(tests, |rule| rule.pass(quiet));
        }
        self.day = day;
    }
}

impl Tests {
    /// Asks the rule, of whose past half is forgotten within as many tests as a day has.
    fn with<T>(
        &mut self,
        (workloads, rate): Rate,
        ask: impl FnOnce(&mut OnlineDiscoveries) -> T,
    ) -> T {
        let since = std::mem::take(&mut self.since);
        let mut rule = OnlineDiscoveries::new(rate, workloads).resumed(since);
        let answer = ask(&mut rule);
        self.since = rule.since().to_vec();
        answer
    }
}

/// Findings by the incident that holds them.
fn members(findings: &[Finding]) -> BTreeMap<&str, Vec<&Finding>> {
    let mut members: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        if let Some(id) = &finding.incident {
            members.entry(id).or_default().push(finding);
        }
    }
    members
}

/// Interfaces that were seen within the last day; at least one.
fn workloads(outcome: &Outcome, newest: i64) -> u64 {
    let from = newest.saturating_sub(DAY_SECS);
    let interfaces = outcome.coverage.interfaces.iter();
    let seen = interfaces.filter(|own| own.last_seen.is_some_and(|at| at.secs() >= from));
    (seen.count() as u64).max(1)
}

/// Whether a finding alerts whatever else is told: it is grave, a rule of policy forbids it, or it crossed a bound that no
/// past moves, and was pushed rather than fetched.
fn is_unconditional(finding: &Finding) -> bool {
    match finding.family {
        Family::PolicyJurisdiction
        | Family::PolicyPath
        | Family::PolicyTelemetry
        | Family::PolicyPort => true,
        Family::VolumeLedger | Family::DnsTunnel => finding.severity >= Severity::Medium,
        _ => finding.severity >= Severity::High,
    }
}

/// Whether a finding is of a day that is over, and among what that day tells.
fn is_of_its_day(finding: &Finding, day: i64, rate: f64) -> bool {
    let is_over = finding
        .last_seen
        .is_some_and(|last| last.secs().div_euclid(DAY_SECS) < day);
    is_over && finding.q_value.is_some_and(|q| q <= rate)
}

#[cfg(test)]
mod tests;
