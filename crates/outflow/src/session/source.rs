//! Sources as a lake of the moment: in a folder for temporary files, which goes when the session ends.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use outflow_ingest::{Context, IngestSettings};
use outflow_lake::{Access, Lake};
use outflow_record::Format;
use tempfile::TempDir;

use super::SessionArgs;
use crate::exit::{Exit, Failure};
use crate::input;
use crate::lake;
use crate::sources;
use crate::voice::Voice;

pub(super) struct Read {
    pub(super) lake: Lake,
    pub(super) folder: TempDir,
    /// Whether all was read.
    pub(super) exit: Exit,
}

/// Reads what is wanted of the sources.
pub(super) fn read(
    args: &SessionArgs,
    out: Option<&Path>,
    context: Arc<Context>,
    flow_format: Option<Format>,
    workers: usize,
    voice: Voice,
) -> Result<Read, Failure> {
    let networks = sources::networks(&args.how.internal)?;
    let listing = args.how.select.list(&args.sources)?;
    input::check_out(out, &listing, &[])?;
    input::announce(&listing, voice);
    let folder = tempfile::Builder::new()
        .prefix("outflow-query-")
        .tempdir()
        .context("could not make a folder for what is read")
        .map_err(|error| {
            Failure::unfinished(error, "set TMPDIR to a folder that may be written to")
        })?;
    let place = folder.path().to_string_lossy().into_owned();
    let place = place.parse().map_err(lake::unusable)?;
    let lake = Lake::create(place, &Access::default()).map_err(lake::unusable)?;
    let settings = IngestSettings {
        networks: networks.and(context.inventory.cidrs()),
        format: flow_format,
        context,
        workers,
    };
    let (done, _) = input::timed(input::total(&listing), |watched| {
        outflow_ingest::ingest(&listing.objects, &settings, &lake, watched)
    });
    let done = done.map_err(lake::unusable)?;
    for remark in &done.remarks {
        voice.note(remark);
    }
    let problems: Vec<_> = listing.problems.iter().chain(&done.problems).collect();
    for problem in &problems {
        voice.error(&[&problem.reason], &problem.hint);
    }
    let exit = match problems.is_empty() {
        true => Exit::Done,
        false => Exit::Unfinished,
    };
    Ok(Read { lake, folder, exit })
}
