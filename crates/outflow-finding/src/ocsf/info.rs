//! What was found, by what, and since when.

use std::collections::BTreeSet;

use outflow_record::Timestamp;
use serde::Serialize;

use super::{OCSF_RELATED_MAX, caption, millis};
use crate::attack;
use crate::{Family, Finding, Incident, Stage, Why};

#[derive(Serialize)]
pub(super) struct FindingInfo<'a> {
    uid: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    desc: String,
    types: Vec<&'static str>,
    analytic: Analytic<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_analytics: Vec<Analytic<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attacks: Vec<Attack<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kill_chain: Vec<Phase>,
    created_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen_time: Option<i64>,
    related_events: Vec<RelatedEvent<'a>>,
    related_events_count: usize,
}

impl<'a> FindingInfo<'a> {
    pub(super) fn new(incident: &'a Incident, members: &[&'a Finding], at: Timestamp) -> Self {
        let body = &incident.body;
        let others: BTreeSet<Family> = members.iter().map(|own| own.family).collect();
        let others = others.into_iter().filter(|family| *family != body.family);
        let families: Vec<Family> = std::iter::once(body.family).chain(others).collect();
        let reasons: Vec<String> = body.why.iter().map(Why::sentence).collect();
        Self {
            uid: &body.id,
            title: title(body),
            desc: reasons.join("\n"),
            types: families.iter().map(|family| family.name()).collect(),
            analytic: Analytic::new(body.family, body),
            related_analytics: families[1..]
                .iter()
                .map(|family| Analytic::new(*family, body))
                .collect(),
            attacks: body.attack.iter().map(|id| Attack::new(id)).collect(),
            kill_chain: phases(&body.stages),
            // The same in every run that finds it.
            created_time: millis(body.first_seen.unwrap_or(at)),
            modified_time: incident.is_again.then(|| millis(at)),
            first_seen_time: body.first_seen.map(millis),
            last_seen_time: body.last_seen.map(millis),
            related_events: related(members),
            related_events_count: incident.finding_ids.len(),
        }
    }
}

fn title(finding: &Finding) -> &str {
    match finding.title.trim() {
        "" => finding.family.name(),
        _ => &finding.title,
    }
}

/// A family of findings, as what found them.
#[derive(Serialize)]
struct Analytic<'a> {
    uid: &'static str,
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    type_id: u8,
    r#type: &'static str,
}

impl<'a> Analytic<'a> {
    fn new(family: Family, body: &'a Finding) -> Self {
        let (type_id, r#type) = kind(family);
        Self {
            uid: family.name(),
            name: family.name(),
            version: body.parameters.as_ref().map(|own| &*own.version),
            type_id,
            r#type,
        }
    }
}

/// How a family comes to its findings: by a bound alone, by what a workload did before, or by chance computed.
const fn kind(family: Family) -> (u8, &'static str) {
    match family {
        Family::DnsBypass
        | Family::ProtocolMisuse
        | Family::PolicyJurisdiction
        | Family::PolicyPath
        | Family::PolicyTelemetry
        | Family::PolicyPort => (1, "Rule"),
        Family::VolumeLedger
        | Family::VolumeServed
        | Family::ConnectionLong
        | Family::ScanFanout
        | Family::StagingRelay => (2, "Behavioral"),
        Family::VolumeShift
        | Family::VolumeTotal
        | Family::DestinationRare
        | Family::DnsTunnel
        | Family::Beacon => (3, "Statistical"),
    }
}

#[derive(Serialize)]
struct Attack<'a> {
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tactic: Option<Named<'a>>,
    technique: Named<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_technique: Option<Named<'a>>,
}

#[derive(Serialize)]
struct Named<'a> {
    uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

impl<'a> Attack<'a> {
    fn new(id: &'a str) -> Self {
        let named = |uid: &'a str| Named {
            uid,
            name: attack::known(uid).map(|of| of.name),
        };
        let parent = id.split_once('.').map(|(parent, _)| parent);
        Self {
            version: attack::VERSION,
            tactic: attack::known(id).map(|of| Named {
                uid: of.tactic.id,
                name: Some(of.tactic.name),
            }),
            technique: named(parent.unwrap_or(id)),
            sub_technique: parent.map(|_| named(id)),
        }
    }
}

/// A phase of the kill chain of Lockheed Martin, in OCSF's numbers.
#[derive(Serialize, PartialEq, Eq)]
struct Phase {
    phase_id: u8,
    phase: &'static str,
}

/// The phases of stages, each once: gathering data and sending it out are both what an attack is for.
fn phases(stages: &[Stage]) -> Vec<Phase> {
    let mut phases: Vec<Phase> = stages.iter().map(|stage| phase(*stage)).collect();
    phases.dedup();
    phases
}

const fn phase(stage: Stage) -> Phase {
    let (phase_id, phase) = match stage {
        Stage::Scan => (1, "Reconnaissance"),
        Stage::CommandAndControl => (6, "Command & Control"),
        Stage::Staging | Stage::Exfiltration => (7, "Actions on Objectives"),
    };
    Phase { phase_id, phase }
}

/// A finding of the incident.
#[derive(Serialize)]
struct RelatedEvent<'a> {
    uid: &'a str,
    r#type: &'static str,
    title: &'a str,
    severity_id: u8,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen_time: Option<i64>,
}

fn related<'a>(members: &[&'a Finding]) -> Vec<RelatedEvent<'a>> {
    let shown = members.iter().take(OCSF_RELATED_MAX);
    let related = shown.map(|own| RelatedEvent {
        uid: &own.id,
        r#type: own.family.name(),
        title: title(own),
        severity_id: own.severity.id(),
        severity: caption(own.severity),
        first_seen_time: own.first_seen.map(millis),
        last_seen_time: own.last_seen.map(millis),
    });
    related.collect()
}
