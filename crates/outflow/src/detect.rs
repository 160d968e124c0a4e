//! `outflow detect`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use outflow_enrich::Networks;
use outflow_finding::{Severity, TableOptions, write_json, write_table};
use outflow_ingest::{Context, Estimate, Listing, Outcome, Progress, Settings};
use outflow_record::Format;

use crate::config::Config;
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
    /// Folder of what names destinations: AWS's ip-ranges.json, databases of countries and networks (.mmdb).
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
        let listing = args.sources.list()?;
        if let Some(out) = args.out.as_ref().and_then(|out| out.canonicalize().ok()) {
            let read = listing
                .objects
                .iter()
                .filter_map(|object| object.path.as_ref());
            let is_out = |path: &&PathBuf| path.canonicalize().is_ok_and(|path| path == out);
            let config = args.config.as_ref();
            let what = if read.clone().any(|path| is_out(&path)) {
                Some("one of the sources")
            } else {
                config.filter(is_out).map(|_| "the configuration")
            };
            if let (true, Some(what)) = (out.is_file(), what) {
                let error = anyhow!("--out `{}` is {what}", out.display());
                return Err(Failure::usage(error, "name another file to write to"));
            }
        }
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let settings = Settings {
            networks,
            policy: config.policy,
            format: flow_format,
            since: args.sources.since,
            until: args.sources.until,
            context: Arc::new(context(args.context.as_deref())?),
            workers: args.threads.map_or_else(cores, usize::from),
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

fn context(folder: Option<&Path>) -> Result<Context, Failure> {
    let Some(folder) = folder else {
        return Ok(Context::default());
    };
    Context::load(folder).map_err(|error| {
        let hint = error.hint();
        Failure::usage(error, hint)
    })
}

/// Says once what the context lacks.
fn note_context(context: &Context, voice: Voice) {
    for (path, kind) in &context.read {
        tracing::info!(
            path = &*path.to_string_lossy(),
            kind = &*kind.to_string(),
            "context"
        );
    }
    for path in &context.skipped {
        voice.note(&format!(
            "`{}` in the folder of --context is neither ip-ranges.json nor a database of addresses, and is not used",
            path.display()
        ));
    }
    let missing: Vec<&str> = [
        ("AWS services (ip-ranges.json)", context.ranges.is_none()),
        (
            "countries and networks (.mmdb)",
            context.geo.sources().next().is_none(),
        ),
    ]
    .into_iter()
    .filter_map(|(what, is_missing)| is_missing.then_some(what))
    .collect();
    if !missing.is_empty() {
        voice.note(&format!("--context names no {}", missing.join(", and no ")));
    }
}

pub(crate) fn run(
    args: DetectArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    let named = args.context.is_some();
    let plan = Plan::new(args, flow_format)?;
    if named {
        note_context(&plan.settings.context, voice);
    }
    for (path, reason) in &plan.listing.skipped {
        // As text, which the log escapes: a name in a folder may hold anything.
        let path = path.to_string_lossy();
        tracing::info!(path = &*path, reason, "skipped");
    }
    let unread = plan
        .listing
        .skipped
        .iter()
        .filter(|(_, reason)| reason.ends_with("yet"))
        .count();
    if unread > 0 {
        voice.note(&format!(
            "{unread} files hold logs that are not read yet (-v names them)"
        ));
    }
    if plan.listing.left_out > 0 {
        voice.note(&format!(
            "{} objects or folders were left out, as their names say another time, account or region",
            plan.listing.left_out
        ));
    }
    if plan.dry {
        return show(&plan, voice);
    }
    let total = plan
        .listing
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
        outflow_ingest::detect(&plan.listing.objects, &plan.settings, &watched)
    });
    outcome.accounts.seconds = (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    match write(&plan, &outcome) {
        // The exit code answers `--fail-on` all the same, and problems are said.
        Err(error) if exit::is_closed_pipe(&error) => {}
        Err(error) => return Err(unwritten(&plan, error)),
        Ok(()) => {}
    }
    for remark in &outcome.remarks {
        voice.note(remark);
    }
    for problem in plan.listing.problems.iter().chain(&outcome.problems) {
        voice.error(&[&problem.reason], &problem.hint);
    }
    Ok(exit_of(&plan, &outcome))
}

/// Says what would be read.
fn show(plan: &Plan, voice: Voice) -> Result<Exit, Failure> {
    let estimate = Estimate::of(&plan.listing);
    let render = |out: &mut dyn Write| match plan.format {
        OutputFormat::Json => estimate::write_json(out, &estimate),
        OutputFormat::Table => estimate::write_table(out, &estimate),
    };
    match put(plan, render) {
        Err(error) if !exit::is_closed_pipe(&error) => return Err(unwritten(plan, error)),
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

fn unwritten(plan: &Plan, error: anyhow::Error) -> Failure {
    match &plan.out {
        Some(_) => Failure::unfinished(
            error,
            "name a file with --out, in a folder that is there and may be written to",
        ),
        None => output::lost(error),
    }
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
    let screen = plan.out.is_none() && std::io::stdout().is_terminal();
    let options = TableOptions {
        width: screen.then(|| console::Term::stdout().size().1),
        color: screen && console::colors_enabled(),
    };
    let render = |mut out: &mut dyn Write| match plan.format {
        OutputFormat::Json => write_json(&mut out, incidents, findings, accounts),
        OutputFormat::Table => write_table(&mut out, incidents, findings, accounts, options),
    };
    put(plan, render)
}

/// Writes to where the plan says.
fn put(
    plan: &Plan,
    render: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    match &plan.out {
        Some(path) => output::to_file(path, render)
            .with_context(|| format!("could not write `{}`", path.display())),
        None => Ok(output::stream(render)?),
    }
}
