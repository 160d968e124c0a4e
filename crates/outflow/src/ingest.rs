//! `outflow ingest`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use outflow_finding::{human_bytes, human_count, human_duration};
use outflow_ingest::{IngestSettings, Ingested, Listing};
use outflow_lake::Lake;
use outflow_record::Format;
use serde::Serialize;

use crate::context;
use crate::exit::{self, Exit, Failure};
use crate::input;
use crate::judging;
use crate::lake::{self, LakeArgs};
use crate::output;
use crate::sources::{self, SelectArgs};
use crate::voice::Voice;

/// Read flow logs and Resolver query logs into the tables of a lake, each object once.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow ingest ./flow-logs --lake ./lake\n  outflow ingest s3://bucket/AWSLogs --since \
                        2026-10-01 --lake s3://bucket/lake --context ./context\n\nA run that was ended is run again: what was \
                        committed stays, and nothing is stored twice."
)]
pub(crate) struct IngestArgs {
    /// Files, folders (read recursively), s3://bucket/prefix, or `-` for standard input; gzip, zstd or plain text.
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<OsString>,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    lake: LakeArgs,
    /// Networks that are inside, beside private space. Naming a private network narrows private space to
    /// what is named. May be repeated, or a list with commas.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    internal: Vec<String>,
    /// Folder of what is known of destinations and interfaces, as for `outflow detect`.
    #[arg(long, value_name = "FOLDER")]
    context: Option<PathBuf>,
    /// How to print what was ingested.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    format: OutputFormat,
    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Threads that read and write [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// Characters of the lake's place that are printed.
const PLACE_CHARS_MAX: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// A few lines for people.
    Table,
    /// One JSON object.
    Json,
}

/// What was ingested, in figures.
#[derive(Debug, Serialize)]
struct Books<'a> {
    r#type: &'static str,
    lake: &'a str,
    objects: u64,
    objects_known: u64,
    copies: u64,
    damaged: u64,
    batches: u64,
    lines: u64,
    rows: u64,
    queries: u64,
    coverage_rows: u64,
    rejects: u64,
    rejects_by_reason: &'a BTreeMap<String, u64>,
    bytes: u64,
    first: Option<String>,
    last: Option<String>,
    seconds: f64,
}

pub(crate) fn run(
    args: IngestArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    let networks = sources::networks(&args.internal)?;
    let listing = args.select.list(&args.sources)?;
    input::check_out(args.out.as_deref(), &listing, &[])?;
    let context = context::load(args.context.as_deref())?;
    let settings = IngestSettings {
        networks: networks.and(context.inventory.cidrs()),
        format: flow_format,
        context: Arc::new(context),
        workers: judging::workers(args.threads),
        wanted: None,
    };
    if args.context.is_some() {
        context::note(&settings.context, voice);
    }
    input::announce(&listing, voice);
    let lake = args.lake.create(&args.select.server)?;
    let (done, seconds) = read(&listing, &settings, &lake)?;
    match write(&args, &lake, &done, seconds) {
        Err(error) if exit::is_closed_pipe(&error) => {}
        Err(error) => return Err(output::unwritten(args.out.as_deref(), error)),
        Ok(()) => {}
    }
    for remark in &done.remarks {
        voice.note(remark);
    }
    for problem in listing.problems.iter().chain(&done.problems) {
        voice.error(&[&problem.reason], &problem.hint);
    }
    Ok(if done.problems.is_empty() && listing.problems.is_empty() {
        Exit::Done
    } else {
        Exit::Unfinished
    })
}

fn read(
    listing: &Listing,
    settings: &IngestSettings,
    lake: &Lake,
) -> Result<(Ingested, f64), Failure> {
    let (done, seconds) = input::timed(input::total(listing), |watched| {
        outflow_ingest::ingest(&listing.objects, settings, lake, watched)
    });
    Ok((done.map_err(lake::unusable)?, seconds))
}

fn write(args: &IngestArgs, lake: &Lake, done: &Ingested, seconds: f64) -> anyhow::Result<()> {
    let of = &done.accounts;
    let place = lake.place().to_string();
    let books = Books {
        r#type: "ingest",
        lake: &place,
        objects: of.objects,
        objects_known: done.known,
        copies: of.copies,
        damaged: of.damaged,
        batches: done.batches,
        lines: of.lines,
        rows: of.rows,
        queries: of.queries,
        coverage_rows: of.coverage_rows,
        rejects: of.rejects,
        rejects_by_reason: &of.rejects_by_reason,
        bytes: of.bytes,
        first: of.first.map(|at| at.to_string()),
        last: of.last.map(|at| at.to_string()),
        seconds,
    };
    output::write(args.out.as_deref(), |out: &mut dyn Write| {
        match args.format {
            OutputFormat::Json => {
                serde_json::to_writer(&mut *out, &books)?;
                writeln!(out)
            }
            OutputFormat::Table => books.write(out),
        }
    })
}

impl Books<'_> {
    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let count = human_count;
        writeln!(
            out,
            "objects   {} read into `{}` ({} damaged), {} were there already, {} copies of others",
            count(self.objects),
            outflow_finding::escape(self.lake, PLACE_CHARS_MAX),
            count(self.damaged),
            count(self.objects_known),
            count(self.copies),
        )?;
        writeln!(
            out,
            "lines     {} = {} flow records + {} queries + {} coverage rows + {} rejects",
            count(self.lines),
            count(self.rows),
            count(self.queries),
            count(self.coverage_rows),
            count(self.rejects),
        )?;
        for (reason, times) in self.rejects_by_reason {
            writeln!(out, "rejects   {reason}: {}", count(*times))?;
        }
        if let (Some(first), Some(last)) = (&self.first, &self.last) {
            writeln!(
                out,
                "span      {first} to {last}, {} counted in records",
                human_bytes(self.bytes)
            )?;
        }
        let secs = self.seconds.max(0.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rounded, and not negative"
        )]
        let secs = secs as u64;
        writeln!(
            out,
            "commits   {}, in {}",
            count(self.batches),
            human_duration(secs)
        )
    }
}
