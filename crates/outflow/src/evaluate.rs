//! `outflow evaluate`.

mod datasets;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use outflow_evaluate::{Error, Report, Scenario, Settings, WorldConfig, evaluate};

use crate::exit::{Exit, Failure};
use crate::output;
use crate::voice::Voice;
use datasets::Datasets;

/// Measure what the detector finds in made-up networks, beside what the methods of others find there.
///
/// Thefts are laid over ordinary traffic, each scenario many times. Every method gets the same records, and a threshold
/// that keeps the same budget of incidents on another network. The same arguments give the same numbers.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow evaluate --placements 10\n  outflow evaluate --scenario drip-2gb \
                        --scenario beacon-4h --out evaluation.md\n  outflow evaluate --placements 0 --datasets ./datasets"
)]
pub(crate) struct EvaluateArgs {
    /// Number that everything random comes from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Times that each scenario happens.
    #[arg(long, default_value_t = 20)]
    placements: u32,
    /// Of these, how many are judged minute by minute, to tell how soon `outflow watch` would tell; this takes most
    /// of the time.
    #[arg(long, value_name = "N", default_value_t = 2)]
    followed: u32,
    /// Network interfaces of the networks.
    #[arg(long, default_value_t = 200)]
    enis: u32,
    /// Accounts of the networks.
    #[arg(long, default_value_t = 4)]
    accounts: u32,
    /// Days before the first theft.
    #[arg(long, value_name = "DAYS", default_value_t = 35)]
    learn_days: u32,
    /// Days of thefts.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    test_days: u32,
    /// Only these scenarios, by the names that the report has; all, if left out. May be repeated.
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<String>,
    /// Folder of labelled captures, each with AWSLogs and labels.csv, to judge beside.
    #[arg(long, value_name = "FOLDER")]
    datasets: Option<PathBuf>,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    format: OutputFormat,
    /// Write the report as Markdown to this file, too.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// Tables for people.
    Table,
    /// One JSON object.
    Json,
}

impl EvaluateArgs {
    fn settings(&self) -> Result<Settings, Failure> {
        let scenario = |name: &String| {
            let known = Scenario::ALL.iter().find(|own| own.name() == name);
            known.copied().ok_or_else(|| {
                let names: Vec<&str> = Scenario::ALL.iter().map(|own| own.name()).collect();
                let error = anyhow::anyhow!("there is no scenario `{name}`");
                Failure::usage(error, format!("name one of {}", names.join(", ")))
            })
        };
        let named: Vec<Scenario> = self
            .scenarios
            .iter()
            .map(scenario)
            .collect::<Result<_, _>>()?;
        let all = Scenario::ALL.iter();
        let wanted = all.filter(|own| named.is_empty() || named.contains(own));
        Ok(Settings {
            seed: self.seed,
            placements: self.placements,
            followed: self.followed,
            world: WorldConfig {
                enis: self.enis,
                accounts: self.accounts,
                learn_days: self.learn_days,
                test_days: self.test_days,
                ..WorldConfig::default()
            },
            scenarios: wanted.copied().collect(),
        })
    }
}

pub(crate) fn run(args: EvaluateArgs, voice: Voice) -> Result<Exit, Failure> {
    let settings = args.settings()?;
    let report = match settings.placements {
        0 => None,
        _ => Some(evaluated(&settings)?),
    };
    let datasets = match &args.datasets {
        Some(folder) => Some(Datasets::read(folder, voice)?),
        None => None,
    };
    let text = match args.format {
        OutputFormat::Table => joined(&report, &datasets, (Report::text, Datasets::text)),
        OutputFormat::Json => {
            let json = serde_json::json!({ "simulated": report, "datasets": datasets });
            format!("{json:#}\n")
        }
    };
    if let Some(out) = &args.out {
        let markdown = joined(&report, &datasets, (Report::markdown, Datasets::markdown));
        output::to_file(out, |file| file.write_all(markdown.as_bytes()))
            .with_context(|| format!("could not write `{}`", out.display()))
            .map_err(|error| output::unwritten(Some(out), error))?;
    }
    output::to_stdout(text.as_bytes()).map_err(output::lost)?;
    Ok(Exit::Done)
}

type Renderings = (fn(&Report) -> String, fn(&Datasets) -> String);

fn joined(
    report: &Option<Report>,
    datasets: &Option<Datasets>,
    (of_report, of_datasets): Renderings,
) -> String {
    let parts: Vec<String> = report
        .iter()
        .map(of_report)
        .chain(datasets.iter().map(of_datasets))
        .collect();
    parts.join("\n")
}

fn evaluated(settings: &Settings) -> Result<Report, Failure> {
    let terminal = std::io::stderr().is_terminal();
    let progress = |at: usize, of: usize| {
        if terminal {
            // Nobody may be listening.
            let _ = write!(std::io::stderr(), "\rjudged {at} of {of} ");
        }
    };
    let report = evaluate(settings, &progress).map_err(|error| match error {
        Error::OutOfRange { .. } => Failure::usage(error, "give a number within that range"),
        _ => Failure::unfinished(error, "this is a fault of the program: please report it"),
    })?;
    if terminal {
        let _ = writeln!(std::io::stderr());
    }
    Ok(report)
}
