//! `outflow coverage`.

use std::io::Write;
use std::path::PathBuf;

use outflow_detect::Grain;
use outflow_finding::{write_coverage_json, write_coverage_table};
use outflow_ingest::{Outcome, Settings};
use outflow_record::Format;

use crate::exit::{self, Exit, Failure};
use crate::input::{self, Input, InputArgs};
use crate::judging;
use crate::output;
use crate::voice::Voice;

/// Read flow logs and print what they cover of each interface's time, and where they are blind.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow coverage ./flow-logs\n  outflow coverage ./flow-logs --by hour --format json \
                        --out coverage.jsonl"
)]
pub(crate) struct CoverageArgs {
    #[command(flatten)]
    input: InputArgs,
    /// What a row of the output is.
    #[arg(long, value_enum, default_value_t = By::Interface)]
    by: By,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    format: OutputFormat,
    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Threads that read and count [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// An interface.
    Interface,
    /// An hour of an interface, below what all its hours add up to.
    Hour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// A table for people, the worst first.
    Table,
    /// One JSON object a line: interfaces (and their hours), flow logs, and last the accounts.
    Json,
}

/// The arguments, resolved and valid.
struct Plan {
    input: Input,
    settings: Settings,
    format: OutputFormat,
    out: Option<PathBuf>,
}

impl Plan {
    fn new(args: CoverageArgs, flow_format: Option<Format>) -> Result<Self, Failure> {
        let input = args.input.open(flow_format.as_ref())?;
        input.check_out(args.out.as_deref(), &[])?;
        let settings = Settings {
            format: flow_format,
            since: args.input.select.since,
            until: args.input.select.until,
            workers: judging::workers(args.threads),
            grain: match args.by {
                By::Interface => Grain::Interface,
                By::Hour => Grain::Hour,
            },
            ..Settings::default()
        };
        Ok(Self {
            input,
            settings,
            format: args.format,
            out: args.out,
        })
    }
}

pub(crate) fn run(
    args: CoverageArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    let plan = Plan::new(args, flow_format)?;
    // The books are those of `detect`, so what is read and counted is the same.
    if let Some(listing) = plan.input.listing() {
        input::announce(listing, voice);
    }
    let outcome = plan.input.read(&plan.settings, voice)?;
    match write(&plan, &outcome) {
        Err(error) if exit::is_closed_pipe(&error) => {}
        Err(error) => return Err(output::unwritten(plan.out.as_deref(), error)),
        Ok(()) => {}
    }
    plan.input.say(&outcome, voice);
    if outcome.problems.is_empty() && plan.input.problems().is_empty() {
        Ok(Exit::Done)
    } else {
        Ok(Exit::Unfinished)
    }
}

fn write(plan: &Plan, outcome: &Outcome) -> anyhow::Result<()> {
    let Outcome {
        coverage, accounts, ..
    } = outcome;
    let out = plan.out.as_deref();
    let options = output::table_options(out);
    output::write(out, |mut out: &mut dyn Write| match plan.format {
        OutputFormat::Json => write_coverage_json(&mut out, coverage, accounts),
        OutputFormat::Table => write_coverage_table(&mut out, coverage, accounts, options),
    })
}
