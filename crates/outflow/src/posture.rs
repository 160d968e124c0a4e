//! `outflow posture`.

mod guardduty;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use outflow_enrich::KnownDestinations;
use outflow_posture::{Every, Inputs, Period, Policy, Report};
use outflow_record::Format;

use crate::config;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::traffic::TrafficArgs;
use crate::voice::Voice;

/// Hold the configuration of accounts against their traffic: figures, maturity, and what is wrong.
///
/// The folder of `--context` must have the inventory of the accounts, as `outflow inventory` writes it. Without a lake or sources, configuration alone is looked at. What is not known is said to be unknown, and never holds.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow posture --lake ./lake --context ./inventory\n  outflow posture ./flow-logs --context \
                        ./inventory --policy posture.json --guardduty ./findings --format markdown --out posture.md"
)]
pub(crate) struct PostureArgs {
    #[command(flatten)]
    of: TrafficArgs,
    /// What it is judged by (JSON): justifications, where data may be, prices, and what is done elsewhere.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Findings of GuardDuty: JSON of `aws guardduty get-findings`, of an export or of EventBridge, plain or compressed; of a
    /// folder all of its files, also in folders below. May be repeated. Those that `outflow inventory collect` collected are
    /// read without.
    #[arg(long, value_name = "PATH")]
    guardduty: Vec<PathBuf>,
    /// Tell the figures over time, too: of each day, week or month, the inventory as it was at its end and its own traffic. Of
    /// many periods the latest 24.
    #[arg(long, value_enum, value_name = "PERIOD")]
    every: Option<PeriodArg>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,
    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 1 if the maturity that is shown of an account is below this level.
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(2..=5))]
    fail_below: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// A few lines for each account, and the gravest findings.
    Text,
    /// One JSON object.
    Json,
    /// A page with all criteria, their evidence, and all findings.
    Markdown,
    /// Compliance Findings of OCSF (class 2003), a line for each finding, and for each criterion of each VPC.
    Ocsf,
    /// A page that says which evidence serves which clause of GDPR, BSI C5 and ISO 27001, and what it does not claim.
    Mapping,
    /// A page to be read, printed and passed on, with charts.
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PeriodArg {
    /// From midnight to midnight (UTC).
    Day,
    /// From Monday to Monday.
    Week,
    /// Months of the calendar.
    Month,
}

impl PeriodArg {
    fn every(self) -> Every {
        match self {
            Self::Day => Every::Day,
            Self::Week => Every::Week,
            Self::Month => Every::Month,
        }
    }
}

pub(crate) fn run(
    args: &PostureArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    let policy = policy(args.policy.as_deref())?;
    let known = KnownDestinations::built_in()
        .context("the list of known destinations is damaged")
        .map_err(|error| Failure::unfinished(error, "install the program anew"))?;
    let out = args.out.as_deref();
    let given = guardduty::read(&args.guardduty, voice)?;
    let every = args.every.map(PeriodArg::every);
    let seen = args.of.read_over_time(every, (out, flow_format), voice)?;
    let guardduty = guardduty::collected(given, &seen.context)?;
    let inputs = Inputs {
        inventory: &seen.context.inventory,
        at: seen.at,
        traffic: seen.traffic.as_ref(),
        guardduty: guardduty.as_ref(),
        known: &known,
        policy: &policy,
    };
    let mut report = Report::new(&inputs);
    let periods = seen.periods.iter().map(|past| {
        let of_period = Report::new(&Inputs {
            at: past.until,
            traffic: past.traffic.as_ref(),
            ..inputs
        });
        Period::of(&of_period, past.from)
    });
    report.history = periods.collect();
    output::tell(out, |out: &mut dyn Write| match args.format {
        OutputFormat::Text => out.write_all(report.to_summary().as_bytes()),
        OutputFormat::Markdown => out.write_all(report.to_markdown().as_bytes()),
        OutputFormat::Mapping => out.write_all(report.to_mapping().as_bytes()),
        OutputFormat::Html => report.write_html(&mut &mut *out),
        OutputFormat::Ocsf => report.write_ocsf(&mut &mut *out),
        OutputFormat::Json => {
            serde_json::to_writer(&mut *out, &report)?;
            writeln!(out)
        }
    })?;
    if seen.exit == Exit::Done
        && args
            .fail_below
            .is_some_and(|level| is_below(&report, level))
    {
        return Ok(Exit::Found);
    }
    Ok(seen.exit)
}

/// Whether an account does not show a level; of no account none is shown.
fn is_below(report: &Report, level: u8) -> bool {
    let levels = report.accounts.iter().map(|account| account.maturity.level);
    levels.min().is_none_or(|shown| shown < level)
}

fn policy(path: Option<&Path>) -> Result<Policy, Failure> {
    let Some(path) = path else {
        return Ok(Policy::default());
    };
    let named = path.display();
    let text = config::read_text(path)
        .with_context(|| format!("could not read the policy `{named}`"))
        .map_err(|error| {
            let hint = "name a file that is there, may be read, and is JSON";
            Failure::usage(error, hint)
        })?;
    Policy::from_json(text.as_bytes())
        .with_context(|| format!("policy `{named}`"))
        .map_err(|error| {
            Failure::usage(
                error,
                "correct what is named; the README shows a policy under Posture",
            )
        })
}
