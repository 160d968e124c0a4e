//! `outflow query`.

mod answer;
mod asked;
mod cancel;
mod library;
mod shell;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use outflow_query::{AnswerFormat, TableLayout};
use outflow_record::Format;

use self::answer::Stop;
pub(crate) use self::answer::cancellable;
pub(crate) use self::asked::Asked;
use self::shell::Shell;
use crate::exit::{self, Exit, Failure};
use crate::output;
use crate::session::{GivenArgs, Opened, SessionArgs};
use crate::voice::Voice;

/// Ask questions in SQL of a lake, or straight of sources: your own, or saved ones.
///
/// Without a query it reads them from a terminal, with completion and history.
///
/// Tables are `flows`, `profiles` (ten-minute sums of flows), `hours` (hourly ones), `dns`, `coverage`, `rejects` and `sources`; with --guardduty also
/// `guardduty`, and with --incidents `incidents` and `findings`. Views are `flows_once` and `profiles_once` (each byte at one point),
/// `flows_logged` (without what another flow log of the interface tells, too) and `vpc_flow_logs` (`flows` in AWS's columns, as its queries for Athena
/// have them).
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow query --lake ./lake 'SELECT count(*), sum(bytes) FROM flows'\n  outflow query --list\n  \
                        outflow query --lake ./lake --name top_talkers -p since=2026-10-01 -p top=5\n  outflow query --source \
                        ./flow-logs --file ./question.sql --format parquet --out answer.parquet"
)]
pub(crate) struct QueryArgs {
    /// The query, or `-` to read it from standard input.
    #[arg(value_name = "SQL", conflicts_with_all = ["file", "name"])]
    sql: Option<String>,
    /// Read the query from this file.
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    file: Option<PathBuf>,
    /// Ask a saved query.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A value for a parameter of a saved query, or for a place `$NAME` in one's own, as a text. May be repeated.
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = asked::parameter)]
    params: Vec<(String, String)>,
    /// List the saved queries.
    #[arg(long, conflicts_with_all = ["sql", "file", "name", "show"])]
    list: bool,
    /// Print a saved query: its question, its parameters and its SQL.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["sql", "file", "name"])]
    show: Option<String>,
    /// A folder of saved queries of one's own (.sql), beside those that come with the program.
    #[arg(long, value_name = "DIR")]
    queries: Option<PathBuf>,
    #[command(flatten)]
    of: SessionArgs,
    #[command(flatten)]
    given: GivenArgs,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    format: OutputFormat,
    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// A table for people.
    Table,
    /// Comma-separated values with a header.
    Csv,
    /// A JSON object a line.
    Json,
    /// A Parquet file.
    Parquet,
    /// An Arrow IPC stream.
    Arrow,
}

/// The functions of SQL that Outflow adds to those of the engine, and those of the engine for times.
#[derive(Debug, clap::Args)]
pub(crate) struct FunctionsArgs {
    /// Tell of this one only.
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

pub(crate) fn functions(args: &FunctionsArgs) -> Result<Exit, Failure> {
    library::functions(args.name.as_deref())
}

pub(crate) fn run(
    args: QueryArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    if args.list || args.show.is_some() {
        return library::tell(args.show.as_deref(), args.queries.as_deref());
    }
    let asked = Asked::of(&args)?;
    if args.of.lake.is_some() {
        args.of.how.check_lake()?;
    }
    let only = args.of.only()?;
    let out = args.out.as_deref();
    let mut opened = args.of.begin(only, out, flow_format, voice)?;
    let given = args
        .given
        .give(&opened.session, &args.of.how.select, voice)?;
    // A wrong query is told before anything is read for it.
    let reads = match &asked {
        Some(asked) if opened.is_unread() => {
            let reads = answer::reads(&opened, asked);
            Some(reads.map_err(|stop| stop.failure(&asked.sql))?)
        }
        _ => None,
    };
    opened.read(reads.as_ref(), voice)?;
    let told = match asked {
        Some(asked) => {
            let told = tell(&opened, &asked, &args);
            opened.say(voice);
            told.map(|()| opened.exit)
        }
        None => {
            let library = asked::library(args.queries.as_deref())?;
            Shell::new(&opened, &library, voice).run()
        }
    };
    match told? {
        Exit::Done => Ok(given),
        exit => Ok(exit),
    }
}

/// Answers one query.
fn tell(opened: &Opened, asked: &Asked, args: &QueryArgs) -> Result<(), Failure> {
    let out = args.out.as_deref();
    let format = args.format.of(out);
    // A wrong query must not leave a file.
    let rows = answer::begin(opened, asked);
    let mut rows = rows.map_err(|stop| stop.failure(&asked.sql))?;
    let mut stopped = None;
    let written = output::write(out, |out: &mut dyn Write| {
        let written = answer::write(opened, &mut rows, format, out);
        written.map(|_| ()).map_err(|stop| match stop {
            Stop::Output(error) => error,
            other => {
                stopped = Some(other);
                io::Error::other("the answer has no end")
            }
        })
    });
    match (stopped, written) {
        (Some(stop), _) => Err(stop.failure(&asked.sql)),
        (None, Err(error)) if exit::is_closed_pipe(&error) => Ok(()),
        (None, Err(error)) => Err(output::untold(out, error)),
        (None, Ok(())) => Ok(()),
    }
}

impl OutputFormat {
    /// The format, as it is to look where it goes.
    fn of(self, out: Option<&Path>) -> AnswerFormat {
        match self {
            Self::Table => AnswerFormat::Table(TableLayout {
                width: output::table_options(out).width,
            }),
            Self::Csv => AnswerFormat::Csv,
            Self::Json => AnswerFormat::Json,
            Self::Parquet => AnswerFormat::Parquet,
            Self::Arrow => AnswerFormat::Arrow,
        }
    }
}
