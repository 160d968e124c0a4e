//! `outflow lake status`.

use std::io::{self, Write};

use outflow_finding::{human_bytes, human_count};
use outflow_lake::{Status, TableStatus};
use serde::Serialize;

use super::{KeepArgs, OpenArgs, OutputFormat, date, json_line, span, tell, unusable};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::voice::Voice;

/// Print what the tables of a lake hold, and what a compaction would do.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow lake status --lake ./lake\n  outflow lake status --lake s3://bucket/lake --format \
                        json"
)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    open: OpenArgs,
    #[command(flatten)]
    keep: KeepArgs,
}

/// A line of the JSON. Keys are only ever added, at the end.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Table {
        table: &'a str,
        version: u64,
        files: u64,
        bytes: u64,
        rows: u64,
        first_day: Option<String>,
        last_day: Option<String>,
        regions: Vec<&'a str>,
        small_files: u64,
        unneeded_files: u64,
        unneeded_bytes: u64,
        expired_before: Option<String>,
    },
    Lake {
        lake: &'a str,
        objects: u64,
        last_batch: i64,
        is_complete: bool,
    },
}

pub(crate) fn run(args: &StatusArgs, voice: Voice) -> Result<Exit, Failure> {
    let lake = args.open.open()?;
    let status = lake.status(args.keep.time()).map_err(unusable)?;
    let place = lake.place().to_string();
    tell(|out| match args.open.format {
        OutputFormat::Table => write_table(out, &status),
        OutputFormat::Json => write_json(out, &status, &place),
    })?;
    if !status.is_complete {
        voice.note("the last batch is not in all tables yet: an ingest is at work, or was ended and the next completes it");
    }
    Ok(Exit::Done)
}

/// Objects in the journal, which is the last table.
fn objects(status: &Status) -> u64 {
    status.tables.last().map_or(0, |sources| sources.rows)
}

fn write_table(out: &mut dyn Write, status: &Status) -> io::Result<()> {
    let head = [
        "table", "days", "regions", "version", "files", "bytes", "rows", "small", "unneeded",
    ];
    let row = |of: &TableStatus| {
        let regions = match of.regions.len() {
            0 => "-".to_owned(),
            1 => of.regions.iter().cloned().collect(),
            more => more.to_string(),
        };
        [
            of.table.name().to_owned(),
            span(of.days),
            regions,
            human_count(of.version),
            human_count(of.files),
            human_bytes(of.bytes),
            human_count(of.rows),
            human_count(of.small_files),
            human_count(of.unneeded_files),
        ]
    };
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(status.tables.iter().map(row));
    output::columns(out, &rows, 3)?;
    let complete = if status.is_complete {
        "complete"
    } else {
        "not complete"
    };
    writeln!(
        out,
        "\nobjects   {} in the journal\nbatches   {}, the last is {complete}",
        human_count(objects(status)),
        human_count(status.last_batch.unsigned_abs()),
    )?;
    let expired = status
        .tables
        .iter()
        .filter_map(|of| of.expired_before)
        .max();
    match expired {
        Some(day) => writeln!(out, "expired   days before {}", date(day)),
        None => Ok(()),
    }
}

fn write_json(out: &mut dyn Write, status: &Status, place: &str) -> io::Result<()> {
    for of in &status.tables {
        let line = Line::Table {
            table: of.table.name(),
            version: of.version,
            files: of.files,
            bytes: of.bytes,
            rows: of.rows,
            first_day: of.days.map(|(first, _)| date(first)),
            last_day: of.days.map(|(_, last)| date(last)),
            regions: of.regions.iter().map(String::as_str).collect(),
            small_files: of.small_files,
            unneeded_files: of.unneeded_files,
            unneeded_bytes: of.unneeded_bytes,
            expired_before: of.expired_before.map(date),
        };
        json_line(out, &line)?;
    }
    let line = Line::Lake {
        lake: place,
        objects: objects(status),
        last_batch: status.last_batch,
        is_complete: status.is_complete,
    };
    json_line(out, &line)
}
