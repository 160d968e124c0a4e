//! Rules and replays, as they are told.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anyhow::anyhow;
use outflow_enrich::protocol;
use outflow_finding::{escape, human_bytes, human_count};
use outflow_posture::{Blocked, Replay, RuleSet, Target, Traffic};
use serde::Serialize;

use crate::exit::Failure;
use crate::output;
use crate::voice::Voice;

/// Characters of a name in a table.
const NAME_CHARS_MAX: usize = 64;

/// Workloads that are named where one is not found.
const NAMED_MAX: usize = 5;

/// A replay, and of what.
#[derive(Serialize)]
struct Replayed<'a> {
    schema: &'static str,
    target: &'a Target,
    account_id: &'a str,
    vpc_id: &'a str,
    replay: &'a Replay,
}

/// Name and version of the JSON of a replay. Keys are only ever added.
const REPLAY_SCHEMA: &str = "outflow.replay/1";

pub(super) fn json(out: &mut dyn Write, set: &RuleSet) -> io::Result<()> {
    serde_json::to_writer(&mut *out, set)?;
    writeln!(out)
}

pub(super) fn replay_json(out: &mut dyn Write, set: &RuleSet, replay: &Replay) -> io::Result<()> {
    let replayed = Replayed {
        schema: REPLAY_SCHEMA,
        target: &set.target,
        account_id: &set.account_id,
        vpc_id: &set.vpc_id,
        replay,
    };
    serde_json::to_writer(&mut *out, &replayed)?;
    writeln!(out)
}

pub(super) fn terraform(out: &mut dyn Write, set: &RuleSet) -> io::Result<()> {
    writeln!(out, "# {}\n", place(set))?;
    out.write_all(set.to_terraform().as_bytes())
}

pub(super) fn replay_text(out: &mut dyn Write, set: &RuleSet, replay: &Replay) -> io::Result<()> {
    let sum = |flows, bytes| format!("{} flows, {}", human_count(flows), human_bytes(bytes));
    writeln!(out, "{}: {} rules", place(set), set.rules.len())?;
    writeln!(
        out,
        "let through  {}",
        sum(replay.allowed_flows, replay.allowed_bytes)
    )?;
    writeln!(
        out,
        "blocked      {}",
        sum(replay.blocked_flows, replay.blocked_bytes)
    )?;
    for (blocked, what) in [
        (&replay.blocked, "blocked"),
        (
            &replay.undecided,
            "blocked only if the host opened it, which nothing tells",
        ),
    ] {
        if !blocked.is_empty() {
            writeln!(out, "\n{what}:")?;
            let rows: Vec<[String; 6]> = blocked.iter().map(row).collect();
            output::columns(out, &rows, 4)?;
        }
    }
    writeln!(out)
}

fn row(blocked: &Blocked) -> [String; 6] {
    let service = match blocked.protocol {
        protocol::TCP => format!("tcp/{}", blocked.port),
        protocol::UDP => format!("udp/{}", blocked.port),
        protocol::ICMP => "icmp".to_owned(),
        number => format!("protocol {number}"),
    };
    let name = blocked.domains.first();
    let name = name.map(|name| escape(name, NAME_CHARS_MAX));
    let incident = blocked.in_incident.then(|| "incident".to_owned());
    [
        format!("  {}", escape(&blocked.interface_id, NAME_CHARS_MAX)),
        format!("{} {service}", blocked.destination),
        name.unwrap_or_default(),
        incident.unwrap_or_default(),
        human_bytes(blocked.bytes),
        format!("{} flows", human_count(blocked.flows)),
    ]
}

/// Says what was not learnt.
pub(super) fn note(set: &RuleSet, voice: Voice) {
    let left_out = &set.not_learnt;
    for (flows, bytes, what) in [
        (
            left_out.incident_flows,
            left_out.incident_bytes,
            "are of incidents",
        ),
        (
            left_out.undecided_flows,
            left_out.undecided_bytes,
            "do not tell who opened them",
        ),
    ] {
        if flows > 0 {
            voice.note(&format!(
                "{}: not learnt: {} flows, {}, which {what}",
                set.vpc_id,
                human_count(flows),
                human_bytes(bytes)
            ));
        }
    }
}

/// Whose rules they are, and where.
fn place(set: &RuleSet) -> String {
    let of = match &set.target {
        Target::SecurityGroup(id) => format!("security group {id}"),
        Target::Workload(name) => format!("workload {name}"),
    };
    let (account, vpc) = (named(&set.account_id), named(&set.vpc_id));
    escape(&format!("{of} in {vpc}, account {account}"), 256)
}

fn named(id: &str) -> &str {
    if id.is_empty() { "(unknown)" } else { id }
}

/// What it means that nothing was seen of whom rules are wanted for.
pub(super) fn unseen(target: &Target, traffic: &Traffic) -> Failure {
    match target {
        Target::SecurityGroup(id) => Failure::usage(
            anyhow!("no interface that has the security group `{id}` is among the traffic"),
            "see that --context has the interfaces (`aws ec2 describe-network-interfaces`) with their groups, and that the logs are of these",
        ),
        Target::Workload(name) => {
            let names: BTreeSet<&str> = traffic.entries().map(|(key, _)| &*key.workload).collect();
            let some: Vec<&str> = names.iter().take(NAMED_MAX).copied().collect();
            let hint = match some.is_empty() {
                true => "see that the flow logs are those of the account: there is no traffic"
                    .to_owned(),
                false => format!(
                    "there are {} workloads, as {}; `outflow detect` tells them beside findings",
                    names.len(),
                    some.join(", ")
                ),
            };
            Failure::usage(
                anyhow!("there is no workload `{name}` among the traffic"),
                hint,
            )
        }
    }
}
