//! Flow logs: whether they are there, work, and show what leaves.

use std::collections::BTreeSet;

use outflow_enrich::inventory::{FlowLog, When};
use outflow_finding::Severity;
use outflow_record::{Field, Format};

use crate::checks::recorder;
use crate::criterion::{Criterion, Verdict};
use crate::finding::{Check, Draft};
use crate::metrics::Share;
use crate::network::dated;
use crate::render::counted;
use crate::view::{Context, Out, View};

/// Fields without which nobody can say who sent how much to whom.
const NEEDED: [Field; 11] = [
    Field::InterfaceId,
    Field::SrcAddr,
    Field::DstAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::Protocol,
    Field::Bytes,
    Field::Start,
    Field::End,
    Field::Action,
    Field::LogStatus,
];

/// Fields by which a path, a direction and the true other side are known.
const FORENSIC: [Field; 8] = [
    Field::VpcId,
    Field::Packets,
    Field::TcpFlags,
    Field::PktSrcAddr,
    Field::PktDstAddr,
    Field::PktDstAwsService,
    Field::FlowDirection,
    Field::TrafficPath,
];

/// What one flow log is worth.
enum Worth {
    Effective {
        forensic: Result<(), String>,
    },
    /// It works, and does not show what leaves.
    Blind(String),
    /// It does not work.
    Dead(String),
    Unknown(String),
}

/// What a VPC's flow logs cover together.
#[derive(Default)]
struct Logs<'a> {
    /// Whether the whole VPC is logged.
    whole: bool,
    effective: Vec<&'a str>,
    /// Subnets and interfaces that are.
    parts: BTreeSet<&'a str>,
    blind: Vec<String>,
    dead: Vec<String>,
    unknown: Vec<String>,
    lacking: Vec<String>,
}

/// Looks at the flow logs of a VPC; returns whether they are effective, as a share of one.
pub(crate) fn check(context: &Context<'_>, view: &View<'_>, out: &mut Out) -> Share {
    let mut logs = logs_of(context, view);
    let mut share = Share::of(0, 1);
    let (mut effective, mut forensics) = (Verdict::default(), Verdict::default());
    let listed = view.is_listed(&context.network.inventory.flow_logs, context.network.at);
    let covers = match covers(context, view, &logs) {
        Ok(()) => Ok(()),
        Err(Uncovered::Known(what)) => Err(what),
        Err(Uncovered::Unknown(what)) => {
            logs.unknown.push(what.clone());
            Err(what)
        }
    };
    if covers == Ok(()) {
        share.part = 1;
        effective.hold(format!(
            "what was accepted is delivered by {}",
            logs.effective.join(", ")
        ));
        match logs.lacking.is_empty() {
            true => forensics.hold("all have the fields of forensics"),
            false => logs.lacking.iter().for_each(|what| forensics.fail(what)),
        }
    } else if !listed || !logs.unknown.is_empty() {
        share.is_known = false;
        if !listed {
            effective.doubt("flow logs were not listed");
        }
        logs.unknown.iter().for_each(|what| effective.doubt(what));
        forensics.doubt("it is not known whether flow logs are effective");
    }
    if let (Err(what), true) = (&covers, listed && logs.unknown.is_empty()) {
        effective.fail(what);
        logs.dead
            .iter()
            .chain(&logs.blind)
            .for_each(|what| effective.fail(what));
        forensics.fail("flow logs are not effective");
        let (check, mut evidence) = match logs.blind.is_empty() {
            true => (Check::FlowLogsAbsent, logs.dead),
            false => (Check::FlowLogsBlind, [logs.blind, logs.dead].concat()),
        };
        let summary = format!("{}: {what}", view.vpc_id);
        evidence.extend(
            logs.effective
                .iter()
                .map(|id| format!("{id} covers a part of it")),
        );
        let mut draft = Draft::new(check, Severity::High, view.vpc_id, summary);
        draft.evidence = evidence;
        out.findings.push(draft);
    }
    recorder::judge(context, view, &mut forensics);
    blind_records(context, view, covers == Ok(()), out);
    out.judge(Criterion::FlowLogsEffective, effective);
    out.judge(Criterion::Forensics, forensics);
    covered(context, view, out);
    share
}

fn logs_of<'a>(context: &Context<'a>, view: &View<'_>) -> Logs<'a> {
    let network = &context.network;
    let subnets = network.subnets.get(view.vpc_id).into_iter().flatten();
    let subnets: BTreeSet<&str> = subnets.map(|subnet| subnet.subnet_id.as_str()).collect();
    let interfaces = network.interfaces_of(view.vpc_id).iter();
    let interfaces: BTreeSet<&str> = interfaces.map(|own| own.interface_id.as_str()).collect();
    let mut logs = Logs::default();
    let listed = [
        (
            "subnet-",
            view.is_listed(&network.inventory.subnets, network.at),
        ),
        (
            "eni-",
            view.is_listed(&network.inventory.interfaces, network.at),
        ),
    ];
    for (id, known, is_stale) in dated(&network.inventory.flow_logs, network.at) {
        let log = known.value;
        let resource = log.resource_id.as_str();
        let is_whole = resource == view.vpc_id;
        if !is_whole && !subnets.contains(resource) && !interfaces.contains(resource) {
            // Where what it logs is not listed, it may be of this VPC.
            let mut unlisted = listed.iter().filter(|(_, listed)| !listed);
            if view.place == Some(known.place) && unlisted.any(|(is, _)| resource.starts_with(is)) {
                let what = format!("{id} of {resource}: it is not known in which VPC that is");
                logs.unknown.push(what);
            }
            continue;
        }
        let worth = match (is_stale, known.when) {
            (true, _) => {
                Worth::Unknown("it was seen before flow logs were asked for in vain".to_owned())
            }
            (false, When::NotYet) => Worth::Unknown("it was seen later only".to_owned()),
            (false, _) => worth(log),
        };
        match worth {
            Worth::Effective { forensic } => {
                logs.effective.push(id);
                logs.whole |= is_whole;
                if !is_whole {
                    logs.parts.insert(resource);
                }
                if let Err(lacking) = forensic {
                    logs.lacking.push(format!("{id} lacks {lacking}"));
                }
            }
            Worth::Blind(why) => logs.blind.push(format!("{id} of {resource} {why}")),
            Worth::Dead(why) => logs.dead.push(format!("{id} of {resource} {why}")),
            Worth::Unknown(why) => logs.unknown.push(format!("{id} of {resource}: {why}")),
        }
    }
    logs
}

fn worth(log: &FlowLog) -> Worth {
    match log.flow_log_status.as_str() {
        "ACTIVE" => {}
        "" => return Worth::Unknown("its status is not described".to_owned()),
        other => return Worth::Dead(format!("is {other}")),
    }
    match log.deliver_logs_status.as_deref() {
        Some("SUCCESS") => {}
        // AWS says nothing until it first delivers.
        None => return Worth::Unknown("it is not known to have delivered".to_owned()),
        Some(other) => return Worth::Dead(format!("delivers nothing: {other}")),
    }
    match log.traffic_type.as_str() {
        "ALL" | "ACCEPT" => {}
        "REJECT" => {
            return Worth::Blind(
                "logs REJECT only, so that nothing that leaves is in it".to_owned(),
            );
        }
        other => return Worth::Unknown(format!("its traffic type is `{other}`")),
    }
    let Some(text) = log.log_format.as_deref() else {
        return Worth::Unknown("its format is not described".to_owned());
    };
    let format: Format = match text.parse() {
        Ok(format) => format,
        Err(error) => return Worth::Unknown(format!("its format is not understood: {error}")),
    };
    match lacking(&format, &NEEDED) {
        Some(lacking) => Worth::Blind(format!("lacks {lacking}")),
        None => Worth::Effective {
            forensic: lacking(&format, &FORENSIC).map_or(Ok(()), Err),
        },
    }
}

/// The fields that a format lacks of those that are asked for.
fn lacking(format: &Format, fields: &[Field]) -> Option<String> {
    let missing = fields
        .iter()
        .filter(|field| !format.fields().contains(field));
    let names: Vec<&str> = missing.map(|field| field.name()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Why flow logs do not cover all of a VPC, or are not known to.
#[derive(Debug, PartialEq, Eq)]
enum Uncovered {
    Known(String),
    Unknown(String),
}

/// Whether effective logs cover all of a VPC.
fn covers(context: &Context<'_>, view: &View<'_>, logs: &Logs<'_>) -> Result<(), Uncovered> {
    if logs.whole {
        return Ok(());
    }
    if logs.effective.is_empty() {
        let what = match (logs.blind.is_empty(), logs.dead.is_empty()) {
            (false, _) => "its flow logs do not show what leaves",
            (true, false) => "its flow logs do not work",
            (true, true) => "it has no flow log",
        };
        return Err(Uncovered::Known(what.to_owned()));
    }
    let network = &context.network;
    let subnets = network
        .subnets
        .get(view.vpc_id)
        .map_or(&[][..], Vec::as_slice);
    let subnets_known =
        view.is_listed(&network.inventory.subnets, network.at) && !subnets.is_empty();
    let is_logged = |subnet: &str| logs.parts.contains(subnet);
    if subnets_known && subnets.iter().all(|subnet| is_logged(&subnet.subnet_id)) {
        return Ok(());
    }
    let interfaces = network.interfaces_of(view.vpc_id);
    if !view.is_listed(&network.inventory.interfaces, network.at) {
        let what = "which interfaces flow logs of subnets cover, as interfaces were not listed";
        return Err(Uncovered::Unknown(what.to_owned()));
    }
    let covered = interfaces
        .iter()
        .filter(|own| logs.parts.contains(own.interface_id.as_str()) || is_logged(&own.subnet_id));
    let (covered, all) = (covered.count(), interfaces.len());
    if covered == all && all > 0 {
        return Ok(());
    }
    Err(Uncovered::Known(format!(
        "flow logs of subnets and interfaces cover {covered} of {all} interfaces"
    )))
}

/// Holds what logs should show against what the records do.
fn blind_records(context: &Context<'_>, view: &View<'_>, effective: bool, out: &mut Out) {
    let mut reasons = view.blind_spots(context);
    let silent = view.silent(context);
    let is_there = context.traffic.is_some() && view.has_coverage();
    if effective && is_there && !silent.is_empty() {
        let first: Vec<&str> = silent.iter().take(3).copied().collect();
        reasons.push(format!(
            "without any record: {}, {} among them",
            counted(silent.len(), "interface"),
            first.join(", ")
        ));
    }
    if reasons.is_empty() {
        return;
    }
    let summary = format!(
        "Records of {} do not show all of its time: {}",
        view.vpc_id, reasons[0]
    );
    let mut draft = Draft::new(Check::FlowLogsBlind, Severity::Medium, view.vpc_id, summary);
    draft.detail = "records".to_owned();
    draft.evidence = reasons;
    out.findings.push(draft);
}

fn covered(context: &Context<'_>, view: &View<'_>, out: &mut Out) {
    let mut verdict = Verdict::default();
    let blind = view.blind_spots(context);
    if !blind.is_empty() {
        blind.into_iter().for_each(|why| verdict.fail(why));
    } else if view.is_empty(context) {
        verdict.hold("no interface is there");
    } else {
        let gaps = view.gaps(context);
        match gaps.is_empty() {
            true => verdict.hold(format!(
                "records of {} interfaces have no gaps",
                view.covered().count()
            )),
            false => gaps.into_iter().for_each(|why| verdict.doubt(why)),
        }
    }
    out.judge(Criterion::TrafficCovered, verdict);
}
