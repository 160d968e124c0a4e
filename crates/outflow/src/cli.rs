//! The arguments of all commands.

use clap::{Args, Parser, Subcommand};
use outflow_record::Format;

use crate::voice::Voice;

/// Accounts for every byte that leaves an AWS network.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) trace: TraceArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 an incident at or above --fail-on or a level --fail-below, 2 \
                          usage or configuration, 3 could not finish, or input was damaged or refused.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Detect(crate::detect::DetectArgs),
    Backtest(crate::backtest::BacktestArgs),
    Ingest(crate::ingest::IngestArgs),
    Watch(crate::watch::WatchArgs),
    Redeliver(crate::deliver::RedeliverArgs),
    Coverage(crate::coverage::CoverageArgs),
    Compact(crate::lake::CompactArgs),
    #[command(subcommand)]
    Lake(crate::lake::LakeCommand),
    Query(crate::query::QueryArgs),
    Serve(crate::serve::ServeArgs),
    Functions(crate::query::FunctionsArgs),
    Timeline(crate::timeline::TimelineArgs),
    #[command(subcommand)]
    Case(crate::case::CaseCommand),
    Contain(crate::contain::ContainArgs),
    #[command(subcommand)]
    Inventory(crate::inventory::InventoryCommand),
    Posture(crate::posture::PostureArgs),
    Rules(crate::rules::RulesArgs),
    Simulate(crate::simulate::SimulateArgs),
    Evaluate(crate::evaluate::EvaluateArgs),
    Completions(crate::completions::CompletionsArgs),
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// Log more to stderr: -v what was skipped, -vv every object.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// `text` or `json`: how the log on stderr looks. Or the format of flow logs without a header, as
    /// DescribeFlowLogs shows it: '${version} ${account-id} …'. May be given once for each.
    #[arg(long, global = true, value_name = "FORMAT", value_parser = log_format)]
    log_format: Vec<LogFormat>,
}

/// The two things that people call the format of a log.
#[derive(Debug, Clone)]
enum LogFormat {
    Text,
    Json,
    Flow(Format),
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        fields => fields
            .parse()
            .map(LogFormat::Flow)
            .map_err(|error: outflow_record::Error| {
                format!(
                    "{error}; expected `text`, `json`, or fields such as '${{version}} ${{bytes}}'"
                )
            }),
    }
}

impl TraceArgs {
    /// How to speak on stderr.
    pub(crate) fn voice(&self) -> Voice {
        let json = |format: &LogFormat| matches!(format, LogFormat::Json);
        if self.log_format.iter().any(json) {
            Voice::Json
        } else {
            Voice::Text
        }
    }

    /// The format of flow logs without a header, if it was given.
    pub(crate) fn flow_format(&self) -> Option<Format> {
        self.log_format
            .iter()
            .rev()
            .find_map(|format| match format {
                LogFormat::Flow(format) => Some(format.clone()),
                LogFormat::Text | LogFormat::Json => None,
            })
    }
}
