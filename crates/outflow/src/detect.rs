//! `outflow detect`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use outflow_enrich::Networks;
use outflow_finding::{Severity, write_json, write_table};
use outflow_ingest::{Estimate, Listing, Outcome, Progress, Settings};
use outflow_record::Format;

use crate::config::Config;
use crate::context;
use crate::estimate;
use crate::exit::{self, Exit, Failure};
use crate::output;
use crate::progress;
use crate::sources::SourceArgs;
use crate::voice::Voice;

/// Read flow logs and print ranked incidents, each with its reasons.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow detect ./flow-logs\n  outflow detect ./flow-logs --internal 10.0.0.0/8 \
                        --fail-on high --format json --out findings.jsonl\n  outflow detect \
                        s3://bucket/AWSLogs --since 2026-10-01 --plan\n  zcat *.gz | outflow detect -"
)]
pub(crate) struct DetectArgs {
    #[command(flatten)]
    sources: SourceArgs,
    /// Print what would be read (objects, bytes and requests, by format, account, region and day), and stop.
    #[arg(long)]
    plan: bool,
    /// Networks that are inside, beside private space. Naming a private network narrows private space to
    /// what is named. May be repeated, or a list with commas.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    internal: Vec<String>,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    format: OutputFormat,
    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 1 if an incident has at least this severity: informational, low, medium, high, critical.
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,
    /// Bounds, baseline and allowed destinations.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of what is known of destinations and interfaces: AWS's ip-ranges.json, databases of countries and
    /// networks (.mmdb), inventories (JSON of `aws ec2 describe-…` or AWS Config).
    #[arg(long, value_name = "FOLDER")]
    context: Option<PathBuf>,
    /// Threads that read and count [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// A ranked table for people.
    Table,
    /// One JSON object a line: incidents, findings, and last the accounts.
    Json,
}

/// The arguments, resolved and valid.
struct Plan {
    listing: Listing,
    settings: Settings,
    /// Whether to stop before anything is read.
    dry: bool,
    format: OutputFormat,
    out: Option<PathBuf>,
    fail_on: Option<Severity>,
}

impl Plan {
    fn new(args: DetectArgs, flow_format: Option<Format>) -> Result<Self, Failure> {
        let config = Config::read(args.config.as_deref())?;
        let internal: Vec<&str> = args
            .internal
            .iter()
            .chain(&config.internal)
            .map(|text| text.trim())
            .collect();
        let networks = Networks::parse(internal).map_err(|error| {
            let hint = "write a network as 10.0.0.0/8 or 2001:db8::/32, or a single address";
            Failure::usage(error, hint)
        })?;
        let fail_on = match (args.fail_on, config.fail_on) {
            (Some(severity), _) => Some(severity),
            (None, Some(name)) => Some(name.parse().map_err(|error: outflow_finding::Error| {
                Failure::usage(error, "set fail_on in the configuration to one of these")
            })?),
            (None, None) => None,
        };
        let context = context::load(args.context.as_deref())?;
        let networks = networks.and(context.inventory.cidrs());
        let listing = args.sources.list()?;
        check_out(args.out.as_deref(), &listing, args.config.as_deref())?;
        let settings = Settings {
            networks,
            policy: config.policy,
            format: flow_format,
            since: args.sources.since,
            until: args.sources.until,
            context: Arc::new(context),
            workers: workers(args.threads),
            ..Settings::default()
        };
        Ok(Self {
            listing,
            settings,
            dry: args.plan,
            format: args.format,
            out: args.out,
            fail_on,
        })
    }
}

/// Threads that read: as asked for, or one for each core.
pub(crate) fn workers(threads: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    threads.map_or_else(cores, usize::from)
}

/// Refuses to write over what is read.
pub(crate) fn check_out(
    out: Option<&Path>,
    listing: &Listing,
    config: Option<&Path>,
) -> Result<(), Failure> {
    let Some(out) = out.and_then(|out| out.canonicalize().ok()) else {
        return Ok(());
    };
    let is_out = |path: &Path| path.canonicalize().is_ok_and(|path| path == out);
    let mut read = listing.objects.iter().filter_map(|of| of.path.as_deref());
    let what = if read.any(is_out) {
        Some("one of the sources")
    } else {
        config
            .filter(|path| is_out(path))
            .map(|_| "the configuration")
    };
    match what {
        Some(what) if out.is_file() => {
            let error = anyhow!("--out `{}` is {what}", out.display());
            Err(Failure::usage(error, "name another file to write to"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn run(
    args: DetectArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    let with_context = args.context.is_some();
    let plan = Plan::new(args, flow_format)?;
    if with_context {
        context::note(&plan.settings.context, voice);
    }
    announce(&plan.listing, voice);
    if plan.dry {
        return show(&plan, voice);
    }
    let outcome = read(&plan.listing, &plan.settings);
    match write(&plan, &outcome) {
        // The exit code answers `--fail-on` all the same, and problems are said.
        Err(error) if exit::is_closed_pipe(&error) => {}
        Err(error) => return Err(output::unwritten(plan.out.as_deref(), error)),
        Ok(()) => {}
    }
    say(&plan.listing, &outcome, voice);
    let exit = exit_of(&plan, &outcome);
    // The process ends: the system takes all memory back at once, faster than each text by itself is given back.
    std::mem::forget(outcome);
    Ok(exit)
}

/// Says what was passed over.
pub(crate) fn announce(listing: &Listing, voice: Voice) {
    for (path, reason) in &listing.skipped {
        // As text, which the log escapes: a name in a folder may hold anything.
        let path = path.to_string_lossy();
        tracing::info!(path = &*path, reason, "skipped");
    }
    if listing.left_out > 0 {
        voice.note(&format!(
            "{} objects or folders were left out, as their names say another time, account or region",
            listing.left_out
        ));
    }
}

/// Reads what was listed.
pub(crate) fn read(listing: &Listing, settings: &Settings) -> Outcome {
    let total = listing
        .objects
        .iter()
        .filter_map(|object| object.size)
        .sum();
    let watched = Progress::default();
    #[expect(
        clippy::disallowed_methods,
        reason = "the accounts say how long the run took"
    )]
    let started = Instant::now();
    let mut outcome = progress::shown(total, &watched, || {
        outflow_ingest::detect(&listing.objects, settings, &watched)
    });
    outcome.accounts.seconds = (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    outcome
}

/// Says what a reader of the results must know, and what is wrong with the sources.
pub(crate) fn say(listing: &Listing, outcome: &Outcome, voice: Voice) {
    for remark in &outcome.remarks {
        voice.note(remark);
    }
    for problem in listing.problems.iter().chain(&outcome.problems) {
        voice.error(&[&problem.reason], &problem.hint);
    }
}

/// Says what would be read.
fn show(plan: &Plan, voice: Voice) -> Result<Exit, Failure> {
    let estimate = Estimate::of(&plan.listing);
    let render = |out: &mut dyn Write| match plan.format {
        OutputFormat::Json => estimate::write_json(out, &estimate),
        OutputFormat::Table => estimate::write_table(out, &estimate),
    };
    let out = plan.out.as_deref();
    match output::write(out, render) {
        Err(error) if !exit::is_closed_pipe(&error) => return Err(output::unwritten(out, error)),
        Err(_) | Ok(()) => {}
    }
    for problem in &plan.listing.problems {
        voice.error(&[&problem.reason], &problem.hint);
    }
    Ok(if plan.listing.problems.is_empty() {
        Exit::Done
    } else {
        Exit::Unfinished
    })
}

fn exit_of(plan: &Plan, outcome: &Outcome) -> Exit {
    let reached = |severity: Severity| plan.fail_on.is_some_and(|least| severity >= least);
    if !outcome.problems.is_empty() || !plan.listing.problems.is_empty() {
        Exit::Unfinished
    } else if outcome
        .incidents
        .iter()
        .any(|incident| reached(incident.body.severity))
    {
        Exit::Found
    } else {
        Exit::Done
    }
}

fn write(plan: &Plan, outcome: &Outcome) -> anyhow::Result<()> {
    let Outcome {
        incidents,
        findings,
        accounts,
        ..
    } = outcome;
    let out = plan.out.as_deref();
    let options = output::table_options(out);
    let render = |mut out: &mut dyn Write| match plan.format {
        OutputFormat::Json => write_json(&mut out, incidents, findings, accounts),
        OutputFormat::Table => write_table(&mut out, incidents, findings, accounts, options),
    };
    output::write(out, render)
}
