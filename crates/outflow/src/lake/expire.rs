//! `outflow lake expire`.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use outflow_finding::{human_bytes, human_count};
use outflow_lake::{EXPIRING, Expired, Table};
use serde::Serialize;

use super::{OpenArgs, OutputFormat, date, json_line, span, tell, unusable};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::voice::Voice;

/// Take whole days out of a lake: flows, queries, coverage and rejects. The journal stays, so that nothing is read again.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow lake expire --lake ./lake --older-than 400\n\nThe files are deleted by `outflow \
                        compact`, once they have been kept for as long as it says."
)]
pub(crate) struct ExpireArgs {
    #[command(flatten)]
    open: OpenArgs,
    /// Take out what began more than so many days before today (UTC).
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
    older_than: u16,
}

/// A line of the JSON. Keys are only ever added, at the end.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Table {
        table: &'a str,
        files: u64,
        bytes: u64,
        rows: u64,
        first_day: Option<String>,
        last_day: Option<String>,
    },
    Expire {
        lake: &'a str,
        before: &'a str,
    },
}

pub(crate) fn run(args: &ExpireArgs, voice: Voice) -> Result<Exit, Failure> {
    let lake = args.open.open()?;
    let before = today().saturating_sub(args.older_than.into());
    let mut done = Vec::new();
    for table in EXPIRING {
        done.push((table, lake.expire(table, before).map_err(unusable)?));
    }
    let (place, day) = (lake.place().to_string(), date(before));
    tell(|out| match args.open.format {
        OutputFormat::Table => write_table(out, &done, &day),
        OutputFormat::Json => write_json(out, &done, &place, &day),
    })?;
    if done.iter().any(|(_, of)| of.files > 0) {
        voice.note("the files are deleted by `outflow compact`, once they have been kept for its --keep-days");
    }
    Ok(Exit::Done)
}

/// Days since 1970-01-01.
#[expect(
    clippy::disallowed_methods,
    reason = "what is old is told from the day of the run"
)]
fn today() -> i32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i32::try_from(now.unwrap_or_default().as_secs() / 86_400).unwrap_or(i32::MAX)
}

fn write_table(out: &mut dyn Write, done: &[(Table, Expired)], day: &str) -> io::Result<()> {
    let head = ["table", "days", "files", "bytes", "rows"];
    let row = |(table, of): &(Table, Expired)| {
        [
            table.name().to_owned(),
            span(of.days),
            human_count(of.files),
            human_bytes(of.bytes),
            human_count(of.rows),
        ]
    };
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(done.iter().map(row));
    output::columns(out, &rows, 2)?;
    writeln!(out, "\nexpired   days before {day}")
}

fn write_json(
    out: &mut dyn Write,
    done: &[(Table, Expired)],
    place: &str,
    day: &str,
) -> io::Result<()> {
    for (table, of) in done {
        let line = Line::Table {
            table: table.name(),
            files: of.files,
            bytes: of.bytes,
            rows: of.rows,
            first_day: of.days.map(|(first, _)| date(first)),
            last_day: of.days.map(|(_, last)| date(last)),
        };
        json_line(out, &line)?;
    }
    let line = Line::Expire {
        lake: place,
        before: day,
    };
    json_line(out, &line)
}
