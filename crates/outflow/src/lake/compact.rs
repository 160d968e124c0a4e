//! `outflow compact`.

use std::io::{self, Write};

use outflow_finding::{human_bytes, human_count};
use outflow_lake::{Compacted, Lake, Table};
use serde::Serialize;

use super::{KeepArgs, OpenArgs, OutputFormat, json_line, tell, unusable};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::voice::Voice;

/// Join the small files of a lake into large ones, and delete files that nothing needs any more. Readers and ingests may
/// go on meanwhile.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow compact --lake ./lake\n  outflow compact --lake s3://bucket/lake --keep-days 1"
)]
pub(crate) struct CompactArgs {
    #[command(flatten)]
    open: OpenArgs,
    #[command(flatten)]
    keep: KeepArgs,
}

/// What was deleted.
#[derive(Default)]
struct Removed {
    files: u64,
    bytes: u64,
}

/// A line of the JSON. Keys are only ever added, at the end.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Table {
        table: &'a str,
        files_before: u64,
        files_after: u64,
        bytes_before: u64,
        bytes_after: u64,
        rows: u64,
        overtaken: bool,
    },
    Compact {
        lake: &'a str,
        removed_files: u64,
        removed_bytes: u64,
    },
}

pub(crate) fn run(args: CompactArgs, voice: Voice) -> Result<Exit, Failure> {
    let lake = args.open.open()?;
    let mut done = Vec::new();
    for table in Table::ALL {
        done.push((table, lake.compact(table).map_err(unusable)?));
    }
    let removed = remove(&lake, &args.keep)?;
    let place = lake.place().to_string();
    tell(|out| match args.open.format {
        OutputFormat::Table => write_table(out, &done, &removed),
        OutputFormat::Json => write_json(out, &done, &removed, &place),
    })?;
    for (table, _) in done.iter().filter(|(_, of)| of.overtaken) {
        voice.note(&format!(
            "another took files out of `{}` that were being joined: the rest of it was left as it is",
            table.name()
        ));
    }
    Ok(Exit::Done)
}

fn remove(lake: &Lake, keep: &KeepArgs) -> Result<Removed, Failure> {
    let mut removed = Removed::default();
    for table in Table::ALL {
        let files = lake.unneeded(table, keep.time()).map_err(unusable)?;
        lake.remove(&files).map_err(unusable)?;
        removed.files += files.len() as u64;
        removed.bytes += files.iter().map(|file| file.bytes).sum::<u64>();
    }
    Ok(removed)
}

fn write_table(
    out: &mut dyn Write,
    done: &[(Table, Compacted)],
    removed: &Removed,
) -> io::Result<()> {
    let head = ["table", "files", "into", "bytes", "into", "rows"];
    let row = |(table, of): &(Table, Compacted)| {
        [
            table.name().to_owned(),
            human_count(of.files_before),
            human_count(of.files_after),
            human_bytes(of.bytes_before),
            human_bytes(of.bytes_after),
            human_count(of.rows),
        ]
    };
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(done.iter().map(row));
    output::columns(out, &rows, 1)?;
    writeln!(
        out,
        "\nremoved   {} files of {} that nothing needs any more",
        human_count(removed.files),
        human_bytes(removed.bytes)
    )
}

fn write_json(
    out: &mut dyn Write,
    done: &[(Table, Compacted)],
    removed: &Removed,
    place: &str,
) -> io::Result<()> {
    for (table, of) in done {
        let line = Line::Table {
            table: table.name(),
            files_before: of.files_before,
            files_after: of.files_after,
            bytes_before: of.bytes_before,
            bytes_after: of.bytes_after,
            rows: of.rows,
            overtaken: of.overtaken,
        };
        json_line(out, &line)?;
    }
    let line = Line::Compact {
        lake: place,
        removed_files: removed.files,
        removed_bytes: removed.bytes,
    };
    json_line(out, &line)
}
