//! `outflow lake …` and `outflow compact`, and the options that say where a lake is.

mod compact;
mod expire;
mod status;
mod verify;

use std::time::Duration;

use outflow_ingest::S3Options;
use outflow_lake::{Access, Error, Lake, LakePlace};
use outflow_record::Timestamp;

use crate::exit::{Exit, Failure};
use crate::output;
use crate::sources::ServerArgs;
use crate::voice::Voice;

pub(crate) use compact::{CompactArgs, run as compact};

/// Look into a lake, check it, and take old days out of it.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum LakeCommand {
    Status(status::StatusArgs),
    Verify(verify::VerifyArgs),
    Expire(expire::ExpireArgs),
}

pub(crate) fn run(command: LakeCommand, voice: Voice) -> Result<Exit, Failure> {
    match command {
        LakeCommand::Status(args) => status::run(&args, voice),
        LakeCommand::Verify(args) => verify::run(&args, voice),
        LakeCommand::Expire(args) => expire::run(&args, voice),
    }
}

/// A lake that is there, how to reach it, and how to print what is told of it.
#[derive(Debug, clap::Args)]
struct OpenArgs {
    #[command(flatten)]
    lake: LakeArgs,
    #[command(flatten)]
    server: ServerArgs,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    format: OutputFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// A table for people.
    Table,
    /// One JSON object a line.
    Json,
}

/// How long files are kept that nothing needs any more: by readers of an older version of a table they may be read.
#[derive(Debug, clap::Args)]
struct KeepArgs {
    /// Days for which files stay once nothing needs them, for those who still read an older version of a table.
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=i64::from(outflow_lake::KEEP_DAYS_MAX)))]
    keep_days: u16,
}

impl KeepArgs {
    fn time(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_days) * 86_400)
    }
}

impl OpenArgs {
    /// Opens the lake.
    fn open(&self) -> Result<Lake, Failure> {
        self.lake.open(&self.server)
    }
}

/// Writes to stdout what a command tells.
fn tell(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Result<(), Failure> {
    output::tell(None, write)
}

/// Writes a line of JSON.
fn json_line(out: &mut dyn std::io::Write, line: &impl serde::Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    writeln!(out)
}

/// A day (days since 1970-01-01) as `2026-10-01`.
fn date(day: i32) -> String {
    let (year, month, day) = Timestamp(i64::from(day) * 86_400).date();
    format!("{year:04}-{month:02}-{day:02}")
}

/// Days, as `2026-10-01 to 2026-10-07`.
fn span(days: Option<(i32, i32)>) -> String {
    days.map_or_else(
        || "-".to_owned(),
        |(first, last)| format!("{} to {}", date(first), date(last)),
    )
}

/// Where a lake is.
#[derive(Debug, clap::Args)]
pub(crate) struct LakeArgs {
    /// The lake: a folder, or s3://bucket/prefix.
    #[arg(long, value_name = "PLACE")]
    lake: String,
    /// Region of the lake's bucket, if it is not --region.
    #[arg(long, value_name = "REGION", help_heading = "S3")]
    lake_region: Option<String>,
    /// The server of the lake, if it is not --endpoint-url.
    #[arg(long, value_name = "URL", help_heading = "S3")]
    lake_endpoint_url: Option<String>,
}

impl LakeArgs {
    /// Opens the lake, and makes what it lacks.
    pub(crate) fn create(&self, server: &ServerArgs) -> Result<Lake, Failure> {
        let place = place(&self.lake)?;
        let access = access(&place, &self.options(server))?;
        Lake::create(place, &access).map_err(unusable)
    }

    /// Opens the lake, which must be there.
    pub(crate) fn open(&self, server: &ServerArgs) -> Result<Lake, Failure> {
        open(&self.lake, &self.options(server))
    }

    /// How to reach it: as the sources, but for what is said of the lake alone.
    fn options(&self, server: &ServerArgs) -> S3Options {
        let of_sources = server.options();
        S3Options {
            endpoint_url: self.lake_endpoint_url.clone().or(of_sources.endpoint_url),
            region: self.lake_region.clone().or(of_sources.region),
            ..of_sources
        }
    }
}

/// Opens the lake of a place, which must have one.
pub(crate) fn open(given: &str, options: &S3Options) -> Result<Lake, Failure> {
    let place = place(given)?;
    let access = access(&place, options)?;
    Lake::open(place, &access).map_err(unusable)
}

fn place(given: &str) -> Result<LakePlace, Failure> {
    given.parse().map_err(unusable)
}

fn access(place: &LakePlace, options: &S3Options) -> Result<Access, Failure> {
    if !place.is_in_s3() {
        return Ok(Access::default());
    }
    outflow_ingest::lake_access(options).map_err(|source| {
        let error = outflow_ingest::Error::Connect {
            source: Box::new(source),
        };
        let hint = error.hint();
        Failure::unfinished(error, hint)
    })
}

/// What it means that a lake cannot be used.
pub(crate) fn unusable(error: Error) -> Failure {
    let hint = error.hint();
    match (&error, error.cause()) {
        (Error::Place { .. } | Error::NoLake { .. }, _) => Failure::usage(error, hint),
        (_, None) => Failure::unfinished(error, hint),
        // Not the whole chain: its links repeat one another.
        (_, Some(cause)) => Failure::unfinished(anyhow::anyhow!("{error}: {cause}"), hint),
    }
}
