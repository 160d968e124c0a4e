//! `outflow rules`.

mod incidents;
mod told;

use std::io::Write;
use std::path::PathBuf;

use anyhow::anyhow;
use outflow_posture::{Observed, Replay, RuleSet, Target};
use outflow_record::Format;

use self::incidents::Incidents;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::traffic::TrafficArgs;
use crate::voice::Voice;

/// Learn the smallest egress rules that what was sent needs, for a security group or a workload.
///
/// Of each VPC in which it was seen: rules, a list of domains for Network Firewall, and endpoints that services in use lack.
/// Destinations of incidents are never learnt. The folder of `--context` must have the inventory of the account.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow detect --lake ./lake --format json --out found.jsonl\n  outflow rules --security-group \
                        sg-0a1b --lake ./lake --context ./inventory --incidents found.jsonl --out egress.tf\n  outflow rules \
                        --workload asg/web ./flow-logs --context ./inventory --replay"
)]
pub(crate) struct RulesArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    of: TrafficArgs,
    /// Incidents to learn nothing from: JSON lines of `outflow detect --format json`.
    #[arg(long, value_name = "FILE")]
    incidents: Option<PathBuf>,
    /// Print what the rules would have blocked of what they were learnt from, most bytes first, instead of the rules.
    #[arg(long)]
    replay: bool,
    /// Replay over what this lake has instead, such as a later time: a folder, or s3://bucket/prefix.
    #[arg(long, value_name = "PLACE", requires = "replay")]
    replay_over: Option<String>,
    /// How to print it [default: terraform, or text of a replay].
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct TargetArgs {
    /// For what all interfaces need that have this security group.
    #[arg(long, value_name = "ID")]
    security_group: Option<String>,
    /// For what this workload needs, as `outflow detect` calls it.
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// Resources of Terraform (hashicorp/aws).
    Terraform,
    /// Lines for people; of a replay only.
    Text,
    /// A JSON object a line, for each VPC.
    Json,
}

impl TargetArgs {
    fn target(&self) -> Target {
        match (&self.security_group, &self.workload) {
            (Some(id), _) => Target::SecurityGroup(id.clone()),
            (None, name) => Target::Workload(name.clone().unwrap_or_default()),
        }
    }
}

pub(crate) fn run(
    args: &RulesArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    let format = format(args)?;
    let incidents = match &args.incidents {
        Some(path) => Incidents::read(path)?,
        None => {
            voice.note(
                "nothing was left out for incidents: name those of `outflow detect --format json` with --incidents",
            );
            Incidents::default()
        }
    };
    let out = args.out.as_deref();
    let seen = args.of.read(out, flow_format.clone(), voice)?;
    let Some(traffic) = &seen.traffic else {
        return Err(Failure::usage(
            anyhow!("it is not said what to learn from"),
            "name a lake with --lake, or flow logs",
        ));
    };
    let observed = Observed {
        inventory: &seen.context.inventory,
        at: seen.at,
        traffic,
        incidents: &incidents.among(traffic, voice),
    };
    let target = args.target.target();
    let sets = RuleSet::learn(&target, &observed);
    if sets.is_empty() {
        return Err(told::unseen(&target, traffic));
    }
    let over = args.replay_over.as_deref();
    let over = over.map(|lake| args.of.of_lake(lake).read(out, flow_format, voice));
    let over = over.transpose()?;
    let over_traffic = over.as_ref().and_then(|over| over.traffic.as_ref());
    let over_traffic = over_traffic.unwrap_or(traffic);
    let over_incidents = incidents.among(over_traffic, voice);
    let replayed = |set: &RuleSet| {
        let over = Observed {
            traffic: over_traffic,
            incidents: &over_incidents,
            ..observed
        };
        args.replay.then(|| set.replay(&over))
    };
    let sets: Vec<(RuleSet, Option<Replay>)> = sets
        .into_iter()
        .map(|set| (replayed(&set), set))
        .map(|(replay, set)| (set, replay))
        .collect();
    for (set, _) in &sets {
        told::note(set, voice);
    }
    output::tell(out, |out: &mut dyn Write| {
        sets.iter()
            .try_for_each(|(set, replay)| match (format, replay) {
                (OutputFormat::Json, None) => told::json(out, set),
                (OutputFormat::Json, Some(replay)) => told::replay_json(out, set, replay),
                (_, Some(replay)) => told::replay_text(out, set, replay),
                (_, None) => told::terraform(out, set),
            })
    })?;
    Ok(match over {
        Some(over) if over.exit != Exit::Done => over.exit,
        _ => seen.exit,
    })
}

fn format(args: &RulesArgs) -> Result<OutputFormat, Failure> {
    match (args.format, args.replay) {
        (Some(OutputFormat::Terraform), true) => Err(Failure::usage(
            anyhow!("what rules would have blocked is no Terraform"),
            "leave --format out, or say --format json",
        )),
        (Some(OutputFormat::Text), false) => Err(Failure::usage(
            anyhow!("only a replay is told as text"),
            "leave --format out, or add --replay",
        )),
        (Some(format), _) => Ok(format),
        (None, true) => Ok(OutputFormat::Text),
        (None, false) => Ok(OutputFormat::Terraform),
    }
}
