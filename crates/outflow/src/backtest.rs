//! `outflow backtest`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use outflow_finding::{
    Comparison, Judgement, part_by_budget, write_comparison_json, write_comparison_table,
};
use outflow_ingest::{Outcome, Settings};
use outflow_record::Format;

use crate::config::Config;
use crate::exit::{self, Exit, Failure};
use crate::input::{self, Input, InputArgs};
use crate::judging::{JudgeArgs, Judging};
use crate::output;
use crate::suppressions;
use crate::voice::Voice;

/// Read flow logs once, judge them by two settings, and print what the new ones would tell or hide.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow backtest --lake ./lake --new-config stricter.toml\n  outflow backtest ./flow-logs \
                        --config outflow.toml --new-config outflow.toml --new-suppressions suppressions.toml --format json"
)]
pub(crate) struct BacktestArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    judge: JudgeArgs,
    /// The configuration to try, in place of that of --config.
    #[arg(long, value_name = "FILE")]
    new_config: Option<PathBuf>,
    /// The suppressions to try, in place of those of --suppressions.
    #[arg(long, value_name = "FILE")]
    new_suppressions: Option<PathBuf>,
    /// How to print what differs.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    format: OutputFormat,
    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// Tables for people.
    Table,
    /// One JSON object a line: findings that differ, and last what each judgement comes to.
    Json,
}

pub(crate) fn run(
    args: BacktestArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    if args.new_config.is_none() && args.new_suppressions.is_none() {
        let error = anyhow!("both judgements would be the same");
        return Err(Failure::usage(
            error,
            "name --new-config, --new-suppressions, or both",
        ));
    }
    let input = args.input.open(flow_format.as_ref())?;
    let Judging {
        settings: now,
        config,
        ..
    } = args
        .judge
        .settings(&args.input.select, flow_format, voice)?;
    let new = new_settings(&args, &now, &config)?;
    let [config, suppressions] = args.judge.files();
    let files = [
        config,
        suppressions,
        ("the new configuration", args.new_config.as_deref()),
        (
            "the new file of suppressions",
            args.new_suppressions.as_deref(),
        ),
    ];
    input.check_out(args.out.as_deref(), &files)?;
    if let Some(listing) = input.listing() {
        input::announce(listing, voice);
    }
    let reading = input.reading(&now, voice)?;
    let outcome = |settings: &Settings| {
        let mut outcome = reading.outcome(settings);
        if let Some(budget) = settings.alerting.budget {
            part_by_budget(&mut outcome.incidents, budget, outcome.coverage.eni_days());
        }
        outcome
    };
    let (before, after) = (outcome(&now), outcome(&new));
    let comparison = Comparison::of(told(&before, &now), told(&after, &new), &after.coverage);
    let out = args.out.as_deref();
    let options = output::table_options(out);
    let render = |mut out: &mut dyn Write| match args.format {
        OutputFormat::Json => write_comparison_json(&mut out, &comparison),
        OutputFormat::Table => write_comparison_table(&mut out, &comparison, options),
    };
    match output::write(out, render) {
        Err(error) if !exit::is_closed_pipe(&error) => return Err(output::unwritten(out, error)),
        Err(_) | Ok(()) => {}
    }
    input.say(&after, voice);
    Ok(exit_of(&input, &after))
}

/// The settings to try.
fn new_settings(args: &BacktestArgs, now: &Settings, config: &Config) -> Result<Settings, Failure> {
    let mut new = now.clone();
    if let Some(path) = &args.new_config {
        let tried = Config::read(Some(path))?;
        if tried.internal != config.internal {
            let path = path.display();
            let error = anyhow!("`internal` in `{path}` is not that of the first configuration");
            let hint = "records are read once, by one border: compare two runs of `outflow detect` instead";
            return Err(Failure::usage(error, hint));
        }
        new.policy = tried.policy;
        new.alerting = tried.alerting;
    }
    if let Some(path) = &args.new_suppressions {
        new.suppressions = Arc::new(suppressions::read(Some(path))?.0);
    }
    Ok(new)
}

fn told<'o>(outcome: &'o Outcome, settings: &Settings) -> Judgement<'o> {
    Judgement {
        incidents: &outcome.incidents,
        findings: &outcome.findings,
        suppressed: &outcome.suppressed,
        budget: settings.alerting.budget,
    }
}

fn exit_of(input: &Input, outcome: &Outcome) -> Exit {
    if outcome.problems.is_empty() && input.problems().is_empty() {
        Exit::Done
    } else {
        Exit::Unfinished
    }
}
