//! What a timeline tells, and how findings of an incident stand in it.

use std::collections::{BTreeMap, BTreeSet};

use outflow_finding::{Finding, Incident};
use outflow_query::{Entity, Episode, Moment, Questions, Timeline, What};
use outflow_record::{Addr, Timestamp};

use crate::incident;

/// What happened, to be told.
pub(crate) struct Story {
    /// Whose: an interface, a workload, an address.
    pub(crate) whose: String,
    /// The incident that it is told for.
    pub(crate) incident: Option<Incident>,
    /// From when and until when was asked.
    pub(crate) span: (Option<Timestamp>, Option<Timestamp>),
    /// By start.
    pub(crate) entries: Vec<Entry>,
    /// Moments beyond the limit of a timeline.
    pub(crate) omitted: u64,
    /// Addresses of destinations of the incident that were not asked about.
    pub(crate) unasked: u64,
    /// Senders of the incident whose timelines were not asked for.
    pub(crate) senders_unasked: u64,
}

/// A line of it.
pub(crate) enum Entry {
    /// Something that happened, and the ids of the findings that it is part of.
    Moment(Moment, Vec<String>),
    /// A finding, from its first packet to its last.
    Finding(Box<Finding>),
}

impl Entry {
    /// From when until when; a finding without a time has the first one there is.
    pub(crate) fn span(&self) -> (Timestamp, Timestamp) {
        match self {
            Self::Moment(moment, _) => (moment.at, moment.until),
            Self::Finding(finding) => span(finding),
        }
    }

    /// Whether somebody was met for the first time.
    pub(crate) fn first_seen(&self) -> bool {
        match self {
            Self::Moment(moment, _) => match &moment.what {
                What::Episode(of) => of.first_seen,
                What::Questions(of) => of.first_seen,
                What::Gap(_) => false,
            },
            Self::Finding(_) => false,
        }
    }

    /// What tells entries of one time apart in order: findings first.
    fn order(&self) -> (Timestamp, bool, Timestamp) {
        let (at, until) = self.span();
        (at, matches!(self, Self::Moment(..)), until)
    }
}

fn span(finding: &Finding) -> (Timestamp, Timestamp) {
    let first = finding.first_seen.or(finding.last_seen);
    let first = first.unwrap_or_default();
    (first, finding.last_seen.unwrap_or(first).max(first))
}

impl Story {
    /// The timeline of one whose, without findings.
    pub(crate) fn of(
        entity: &Entity,
        span: (Option<Timestamp>, Option<Timestamp>),
        timeline: Timeline,
    ) -> Self {
        let moments = timeline.moments.into_iter();
        Self {
            whose: entity.name().into_owned(),
            incident: None,
            span,
            entries: moments.map(|of| Entry::Moment(of, Vec::new())).collect(),
            omitted: timeline.omitted,
            unasked: 0,
            senders_unasked: 0,
        }
    }

    /// What an incident's senders did, who else talked to its destinations, and its findings among that.
    pub(crate) fn of_incident(
        (incident, findings): (&Incident, &[&Finding]),
        span: (Option<Timestamp>, Option<Timestamp>),
        (senders, senders_unasked): (Vec<(Entity, Timeline)>, u64),
        (others, unasked): (Timeline, u64),
    ) -> Self {
        let names: Vec<String> = senders
            .iter()
            .map(|(entity, _)| entity.name().into_owned())
            .collect();
        let mut omitted = others.omitted;
        let mut moments: Vec<Moment> = Vec::new();
        for (_, timeline) in senders {
            omitted += timeline.omitted;
            moments.extend(timeline.moments);
        }
        let own: BTreeSet<(String, String)> = moments.iter().filter_map(side).collect();
        let of_others = |moment: &Moment| side(moment).is_some_and(|side| !own.contains(&side));
        moments.extend(others.moments.into_iter().filter(of_others));
        let places = Places::of(findings);
        let part = |moment: Moment| {
            let ids = places.findings(&moment);
            Entry::Moment(moment, ids)
        };
        let mut entries: Vec<Entry> = unrepeated(moments).into_iter().map(part).collect();
        entries.extend(
            findings
                .iter()
                .map(|of| Entry::Finding(Box::new(Finding::clone(of)))),
        );
        entries.sort_by_key(Entry::order);
        Self {
            whose: names.join(", "),
            incident: Some(incident.clone()),
            span,
            entries,
            omitted,
            unasked,
            senders_unasked,
        }
    }
}

/// Whose traffic a moment is: the interface, and the address at it.
fn side(moment: &Moment) -> Option<(String, String)> {
    match &moment.what {
        What::Episode(of) => Some((of.interface_id.clone(), of.local_addr.clone())),
        What::Questions(_) | What::Gap(_) => None,
    }
}

/// The moments by start, each once: timelines of an interface and of its workload tell the same.
fn unrepeated(mut moments: Vec<Moment>) -> Vec<Moment> {
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// Where findings are met: by address, by group of destinations and by domain.
#[derive(Default)]
struct Places<'a> {
    by_addr: BTreeMap<Addr, Vec<&'a Finding>>,
    by_name: BTreeMap<&'a str, Vec<&'a Finding>>,
}

impl<'a> Places<'a> {
    fn of(findings: &[&'a Finding]) -> Self {
        let mut places = Self::default();
        for finding in findings {
            let to = &finding.destination;
            for addr in to.addresses.iter().filter_map(|text| text.parse().ok()) {
                places.by_addr.entry(addr).or_default().push(finding);
            }
            let names: BTreeSet<&str> = [&to.group, &to.domain]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            for name in names {
                places.by_name.entry(name).or_default().push(finding);
            }
        }
        places
    }

    /// The ids of the findings that a moment is part of: its other side is theirs, and so is its own, at their time.
    fn findings(&self, moment: &Moment) -> Vec<String> {
        let mut met: Vec<&&Finding> = match &moment.what {
            What::Episode(of) => {
                let addr = of.remote_addr.parse().ok();
                let by_addr = addr.and_then(|addr: Addr| self.by_addr.get(&addr));
                let by_name = of.destination.as_deref();
                let by_name = by_name.and_then(|name| self.by_name.get(name));
                by_addr.into_iter().chain(by_name).flatten().collect()
            }
            What::Questions(of) => {
                let by_name = self.by_name.get(of.domain.as_str());
                by_name.into_iter().flatten().collect()
            }
            What::Gap(_) => return Vec::new(),
        };
        met.retain(|finding| {
            let (first, last) = span(finding);
            let is_sender = match &moment.what {
                What::Episode(of) => sends(finding, of),
                What::Questions(of) => asks(finding, of),
                What::Gap(_) => false,
            };
            first <= moment.until && moment.at <= last && is_sender
        });
        let ids: BTreeSet<String> = met.into_iter().map(|of| of.id.clone()).collect();
        ids.into_iter().collect()
    }
}

/// Whether an episode is of a finding's sender.
fn sends(finding: &Finding, of: &Episode) -> bool {
    match (incident::host(finding), &finding.interface_id) {
        (Some(host), _) => of.local_addr == host.to_string(),
        (None, Some(interface)) => of.interface_id == *interface,
        (None, None) => finding.workload.as_ref() == Some(&of.workload),
    }
}

/// Whether questions may be of a finding's sender. A log of queries knows a client by its address only, which a finding of an
/// interface does not have: the timeline has the questions of the incident's senders and no others.
fn asks(finding: &Finding, of: &Questions) -> bool {
    incident::host(finding).is_none_or(|host| of.srcaddr == host.to_string())
}
