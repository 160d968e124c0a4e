//! `outflow contain`: an incident shut off, as files and, where asked for, by the API.

mod apply;
mod files;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use outflow_finding::escape;
use outflow_posture::{Containment, Deny, RunLines, RunRead, Suspect, bar};
use outflow_record::Timestamp;

use crate::clock;
use crate::config::Config;
use crate::context;
use crate::exit::{Exit, Failure};
use crate::incident;
use crate::output;
use crate::session::{RUN, run_lines};
use crate::voice::Voice;

/// Shut an incident off: a quarantine group for who sent, a denial of where to, a block of its domains.
///
/// Writes for each VPC Terraform (`contain.tf`), a script of the AWS CLI (`contain.sh`) and one that undoes it (`undo.sh`) into a
/// folder. Nothing is changed unless --apply says so.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow detect ./flow-logs --format json --out found.jsonl\n  outflow contain inc-3b28b336fa5d2bca \
                        --incidents found.jsonl --context ./inventory --out ./contain-17\n  outflow contain inc-3b28b336fa5d2bca \
                        --incidents found.jsonl --out ./contain-17 --apply\n  outflow contain --undo ./contain-17"
)]
pub(crate) struct ContainArgs {
    /// The incident's id, or what it begins with.
    #[arg(
        value_name = "ID",
        required_unless_present = "undo",
        conflicts_with = "undo"
    )]
    id: Option<String>,
    /// JSON lines of `outflow detect --format json`, or `incident.json` of a case.
    #[arg(long, value_name = "FILE", required_unless_present = "undo")]
    incidents: Option<PathBuf>,
    /// Folder of the account's inventory: it tells further interfaces of a host, and what a service of AWS manages.
    #[arg(long, value_name = "FOLDER")]
    context: Option<PathBuf>,
    /// The folder to make; it must not be there, but with --apply, if nothing was applied from it.
    #[arg(long, value_name = "DIR", required_unless_present = "undo")]
    out: Option<PathBuf>,
    /// How destinations are denied.
    #[arg(long, value_enum, default_value_t = DenyBy::NetworkAcl)]
    deny: DenyBy,
    /// Change the account: each change is rehearsed (DryRun) and confirmed, and what undoes it is kept first.
    #[arg(long, conflicts_with = "undo", help_heading = "Applying")]
    apply: bool,
    /// Take back what was applied, by the folder that --apply wrote.
    #[arg(long, value_name = "DIR", help_heading = "Applying")]
    undo: Option<PathBuf>,
    /// Do not ask to type the incident's id.
    #[arg(long, help_heading = "Applying")]
    yes: bool,
    /// Ask nobody, if the incident is above the bar of e-BH at 1 % and the configuration has `automatic = true` under
    /// `[containment]`; else nothing is written or changed.
    #[arg(
        long,
        requires = "apply",
        conflicts_with = "yes",
        help_heading = "Applying"
    )]
    automatic: bool,
    /// The configuration, for --automatic.
    #[arg(long, value_name = "FILE", help_heading = "Applying")]
    config: Option<PathBuf>,
    /// Another server than those of AWS, as http://127.0.0.1:5000.
    #[arg(long, value_name = "URL", help_heading = "Applying")]
    endpoint_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum DenyBy {
    /// Rules of the network ACLs of the subnets.
    NetworkAcl,
    /// A rule group, for the policy of a Network Firewall; it cannot be applied from here.
    NetworkFirewall,
}

pub(crate) fn run(args: &ContainArgs, voice: Voice) -> Result<Exit, Failure> {
    let server = args.endpoint_url.as_deref();
    if let Some(folder) = &args.undo {
        return apply::undo(folder, server, args.yes, voice);
    }
    let (Some(id), Some(incidents), Some(out)) = (&args.id, &args.incidents, &args.out) else {
        return Err(Failure::usage(
            anyhow!("it is not said what to contain"),
            "give an id, --incidents and --out, or --undo",
        ));
    };
    let run = read(incidents)?;
    let suspect = found(&run, id)?;
    if out.exists() {
        may_be_used(out, &suspect.id, args.apply)?;
    }
    if args.automatic {
        may_be_automatic(args, &run, suspect, voice)?;
    }
    let context = context::load(args.context.as_deref())?;
    let deny = match args.deny {
        DenyBy::NetworkAcl => Deny::NetworkAcl,
        DenyBy::NetworkFirewall => Deny::NetworkFirewall,
    };
    let at = Timestamp(clock::unix_secs());
    let containment = Containment::of(suspect, &context.inventory, at, deny).map_err(|error| {
        let hint = "name the folder of the account's inventory with --context, or another incident";
        Failure::usage(error, hint)
    })?;
    for what in &containment.left_out {
        voice.note(&format!("left out: {what}"));
    }
    for note in &containment.notes {
        voice.note(note);
    }
    files::write(&containment, out)?;
    let told = told(&containment);
    output::tell(None, |out| out.write_all(told.as_bytes()))?;
    if args.apply {
        let is_asked = !(args.yes || args.automatic);
        return apply::apply(&containment, out, server, is_asked, voice);
    }
    Ok(Exit::Done)
}

/// Whether files may be written into a folder that is there: by --apply, if it is of a dry run of the same incident.
fn may_be_used(folder: &Path, incident: &str, is_applied: bool) -> Result<(), Failure> {
    let named = folder.display();
    let why = match is_applied {
        true => match files::applied_from(folder, incident) {
            None => return Ok(()),
            Some(why) => format!("`{named}` is there already, and {why}"),
        },
        false => format!("`{named}` is there already"),
    };
    Err(Failure::usage(
        anyhow!(why),
        "name another folder with --out: nothing is written into what is there, as it may hold what undoes an earlier one",
    ))
}

fn read(path: &Path) -> Result<RunRead, Failure> {
    let mut lines = RunLines::new(&path.display().to_string());
    run_lines(path, |line| Ok(lines.add(line)?))?;
    lines.finish().map_err(|error| Failure::usage(error, RUN))
}

/// The incident of an id, or of what only one begins with.
fn found<'r>(run: &'r RunRead, id: &str) -> Result<&'r Suspect, Failure> {
    incident::meant(
        &run.incidents,
        |suspect| &suspect.id,
        id,
        "run",
        "give an id as `outflow detect` tells it, and the file of that run",
    )
}

/// Whether nobody needs to be asked.
fn may_be_automatic(
    args: &ContainArgs,
    run: &RunRead,
    suspect: &Suspect,
    voice: Voice,
) -> Result<(), Failure> {
    let config = Config::read(args.config.as_deref())?;
    if !config.containment.automatic {
        return Err(Failure::usage(
            anyhow!("automatic containment is not configured"),
            "write `automatic = true` under [containment] into the file of --config, or leave --automatic out",
        ));
    }
    let bar = bar(run, &suspect.id).map_err(|error| {
        let hint = "a person may apply it: leave --automatic out, and type the id or give --yes";
        Failure::usage(error, hint)
    })?;
    voice.note(&format!(
        "above the bar of automatic containment: e-value {:.3e}, needed {:.3e}; rank {} among {} interface-days",
        bar.e, bar.e_min, bar.rank, bar.tests
    ));
    Ok(())
}

/// What is shut off, in a few lines.
fn told(containment: &Containment) -> String {
    let mut out = String::new();
    // Writing to a text does not fail.
    let _ = writeln!(
        out,
        "Incident {}: {}",
        containment.incident,
        escape(&containment.title, 200)
    );
    for vpc in &containment.vpcs {
        let _ = writeln!(
            out,
            "{} in {}, account {}",
            vpc.vpc_id, vpc.region, vpc.account_id
        );
        for own in &vpc.interfaces {
            let host = own.instance_id.as_deref().unwrap_or("no instance");
            let groups = match own.groups.is_empty() {
                true => "unknown groups".to_owned(),
                false => own.groups.join(", "),
            };
            let id = &own.interface_id;
            let _ = writeln!(out, "  quarantine {id} ({host}): {groups} -> {}", vpc.name);
        }
        for net in &vpc.denied {
            let _ = writeln!(out, "  deny {net}");
        }
        for domain in &vpc.domains {
            let _ = writeln!(out, "  block {domain} and all below it");
        }
    }
    out
}
