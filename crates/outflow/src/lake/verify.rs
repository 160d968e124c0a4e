//! `outflow lake verify`.

use std::io::{self, Write};

use outflow_finding::{human_bytes, human_count};
use outflow_ingest::Rehashed;
use outflow_lake::{Fault, Table, Verified};
use serde::Serialize;

use super::{OpenArgs, OutputFormat, json_line, tell, unusable};
use crate::exit::{Exit, Failure};
use crate::voice::Voice;

/// Count the rows of every file of a lake, and compare them with its log and with what the journal says of each object.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow lake verify --lake ./lake\n  outflow lake verify --lake s3://bucket/lake \
                        --sources\n\nExit code 3 says that something does not add up; it is named on stderr."
)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    open: OpenArgs,
    /// Also read the objects that rows came from, where they can be reached, and compare their SHA-256.
    #[arg(long)]
    sources: bool,
}

/// A line of the JSON. Keys are only ever added, at the end.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Fault {
        name: &'a str,
        reason: &'a str,
    },
    Verify {
        lake: &'a str,
        files: u64,
        objects: u64,
        rows: u64,
        queries: u64,
        coverage_rows: u64,
        rejects: u64,
        bytes: u64,
        partly_expired: u64,
        objects_same: Option<u64>,
        objects_unreachable: Option<u64>,
        objects_without_digest: Option<u64>,
        faults: u64,
    },
}

pub(crate) fn run(args: &VerifyArgs, voice: Voice) -> Result<Exit, Failure> {
    let lake = args.open.open()?;
    let verified = lake.verify().map_err(unusable)?;
    let rehashed = args.sources.then(|| {
        let options = args.open.server.options();
        outflow_ingest::rehash(&verified.sources, &options)
    });
    let mut faults: Vec<&Fault> = verified.faults.iter().collect();
    faults.extend(rehashed.iter().flat_map(|of| &of.faults));
    let count = faults.len() as u64 + verified.more_faults;
    let place = lake.place().to_string();
    tell(|out| match args.open.format {
        OutputFormat::Table => write_table(out, &verified, rehashed.as_ref(), count),
        OutputFormat::Json => {
            for Fault { name, reason } in &faults {
                json_line(out, &Line::Fault { name, reason })?;
            }
            json_line(out, &line(&verified, rehashed.as_ref(), count, &place))
        }
    })?;
    for Fault { name, reason } in &faults {
        voice.error(
            &[&format!("`{name}` {reason}")],
            "ingest what its rows came from into a new lake, and compare the two",
        );
    }
    if verified.more_faults > 0 {
        let more = human_count(verified.more_faults);
        voice.note(&format!("{more} more things do not add up"));
    }
    Ok(match count {
        0 => Exit::Done,
        _ => Exit::Unfinished,
    })
}

fn rows(of: &Verified, table: Table) -> u64 {
    of.rows[table as usize]
}

fn write_table(
    out: &mut dyn Write,
    of: &Verified,
    rehashed: Option<&Rehashed>,
    faults: u64,
) -> io::Result<()> {
    let count = human_count;
    writeln!(out, "files     {}", count(of.files))?;
    writeln!(
        out,
        "rows      {} flow records of {}, {} queries, {} coverage rows, {} rejects",
        count(rows(of, Table::Flows)),
        human_bytes(of.bytes),
        count(rows(of, Table::Dns)),
        count(rows(of, Table::Coverage)),
        count(rows(of, Table::Rejects)),
    )?;
    writeln!(
        out,
        "objects   {} in the journal, {} of them of days that may have been taken out",
        count(of.sources.len() as u64),
        count(of.partly_expired),
    )?;
    if let Some(of) = rehashed {
        writeln!(
            out,
            "sources   {} have their SHA-256, {} cannot be reached, {} have none in the journal",
            count(of.same),
            count(of.unreachable),
            count(of.without_digest),
        )?;
    }
    writeln!(out, "faults    {}", count(faults))
}

fn line<'a>(of: &Verified, rehashed: Option<&Rehashed>, faults: u64, place: &'a str) -> Line<'a> {
    Line::Verify {
        lake: place,
        files: of.files,
        objects: of.sources.len() as u64,
        rows: rows(of, Table::Flows),
        queries: rows(of, Table::Dns),
        coverage_rows: rows(of, Table::Coverage),
        rejects: rows(of, Table::Rejects),
        bytes: of.bytes,
        partly_expired: of.partly_expired,
        objects_same: rehashed.map(|of| of.same),
        objects_unreachable: rehashed.map(|of| of.unreachable),
        objects_without_digest: rehashed.map(|of| of.without_digest),
        faults,
    }
}
