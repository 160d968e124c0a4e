//! `outflow detect`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::anyhow;
use outflow_finding::{Severity, part_by_budget};
use outflow_ingest::{Estimate, Listing, Outcome, Settings};
use outflow_record::Format;

use crate::deliver::{DeliverArgs, Delivery, PATIENCE_DEFAULT};
use crate::estimate;
use crate::exit::{self, Exit, Failure};
use crate::input::{self, Input, InputArgs};
use crate::judging::{JudgeArgs, Judging};
use crate::output;
use crate::report::{self, ReportArgs, ReportFormat};
use crate::voice::Voice;

/// Read flow logs and print ranked incidents, each with its reasons.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow detect ./flow-logs\n  outflow detect ./flow-logs --internal 10.0.0.0/8 \
                        --fail-on high --format json --out findings.jsonl\n  outflow detect \
                        s3://bucket/AWSLogs --since 2026-10-01 --plan\n  outflow detect --lake ./lake --since 2026-10-01\n  zcat *.gz | outflow detect -"
)]
pub(crate) struct DetectArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    judge: JudgeArgs,
    /// Print what would be read (objects, bytes and requests, by format, account, region and day), and stop.
    #[arg(long, conflicts_with = "lake")]
    plan: bool,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    deliver: DeliverArgs,
    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Incidents for each thousand days of an interface that people can look at: the most urgent alert, the others are a
    /// digest. In place of `alerting.budget` in the configuration.
    #[arg(long, value_name = "N", value_parser = budget)]
    budget: Option<f64>,
    /// Exit with 1 if an incident has at least this severity: informational, low, medium, high, critical.
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,
}

/// The arguments, resolved and valid.
struct Plan {
    input: Input,
    settings: Settings,
    /// Whether to stop before anything is read.
    dry: bool,
    report: ReportArgs,
    out: Option<PathBuf>,
    fail_on: Option<Severity>,
    budget: Option<f64>,
    delivery: Option<Delivery>,
}

fn budget(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    let number = number.filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| format!("`{text}` is no number above zero"))
}

impl Plan {
    fn new(args: DetectArgs, flow_format: Option<Format>, voice: Voice) -> Result<Self, Failure> {
        let server = &args.input.select.server;
        let delivery = args.deliver.open(server, PATIENCE_DEFAULT, voice)?;
        args.report.check(delivery.is_some())?;
        let is_planned = [ReportFormat::Table, ReportFormat::Json].contains(&args.report.format);
        if args.plan && !is_planned {
            let error = anyhow!("a plan has no incidents, of which this format is");
            let hint = "leave --format out, or say --format json";
            return Err(Failure::usage(error, hint));
        }
        let input = args.input.open(flow_format.as_ref())?;
        let Judging {
            settings, config, ..
        } = args
            .judge
            .settings(&args.input.select, flow_format, voice)?;
        let fail_on = match (args.fail_on, config.fail_on) {
            (Some(severity), _) => Some(severity),
            (None, Some(name)) => Some(name.parse().map_err(|error: outflow_finding::Error| {
                Failure::usage(error, "set fail_on in the configuration to one of these")
            })?),
            (None, None) => None,
        };
        input.check_out(args.out.as_deref(), &args.judge.files())?;
        Ok(Self {
            input,
            settings,
            dry: args.plan,
            report: args.report,
            out: args.out,
            fail_on,
            budget: args.budget.or(config.alerting.budget),
            delivery,
        })
    }
}

pub(crate) fn run(
    args: DetectArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    let plan = Plan::new(args, flow_format, voice)?;
    if let Some(listing) = plan.input.listing() {
        input::announce(listing, voice);
        if plan.dry {
            return show(&plan, listing, voice);
        }
    }
    let mut outcome = plan.input.read(&plan.settings, voice)?;
    if let Some(budget) = plan.budget {
        part_by_budget(&mut outcome.incidents, budget, outcome.coverage.eni_days());
    }
    let out = plan.out.as_deref();
    match plan.report.write(out, &outcome, voice) {
        // The exit code answers `--fail-on` all the same, and problems are said.
        Err(error) if exit::is_closed_pipe(&error) => {}
        Err(error) => return Err(report::untold(out, error)),
        Ok(()) => {}
    }
    plan.input.say(&outcome, voice);
    let mut exit = exit_of(&plan, &outcome);
    if let Some(delivery) = &plan.delivery {
        let last = outcome.accounts.last.unwrap_or_default();
        let times = (plan.report.found_at(last), last);
        let (incidents, findings) = (&outcome.incidents, &outcome.findings);
        let delivered = delivery.deliver(incidents, findings, &plan.report.asff, times)?;
        if delivered != Exit::Done {
            exit = delivered;
        }
    }
    // The process ends: the system takes all memory back at once, faster than each text by itself is given back.
    std::mem::forget(outcome);
    Ok(exit)
}

/// Says what would be read.
fn show(plan: &Plan, listing: &Listing, voice: Voice) -> Result<Exit, Failure> {
    let estimate = Estimate::of(listing);
    let render = |out: &mut dyn Write| match plan.report.format {
        ReportFormat::Json => estimate::write_json(out, &estimate),
        _ => estimate::write_table(out, &estimate),
    };
    let out = plan.out.as_deref();
    match output::write(out, render) {
        Err(error) if !exit::is_closed_pipe(&error) => return Err(output::unwritten(out, error)),
        Err(_) | Ok(()) => {}
    }
    for problem in &listing.problems {
        voice.error(&[&problem.reason], &problem.hint);
    }
    Ok(if listing.problems.is_empty() {
        Exit::Done
    } else {
        Exit::Unfinished
    })
}

fn exit_of(plan: &Plan, outcome: &Outcome) -> Exit {
    let reached = |severity: Severity| plan.fail_on.is_some_and(|least| severity >= least);
    if !outcome.problems.is_empty() || !plan.input.problems().is_empty() {
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
