//! Sources as a lake of the moment: in a folder for temporary files, which goes when the session ends.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use outflow_ingest::{Context, IngestSettings, Listing};
use outflow_lake::{Access, Lake};
use outflow_query::Needs;
use outflow_record::Format;
use tempfile::TempDir;

use super::SessionArgs;
use crate::exit::{Exit, Failure};
use crate::input;
use crate::lake;
use crate::sources;
use crate::voice::Voice;

/// An empty lake, and the folder that it goes with.
pub(super) fn empty() -> Result<(Lake, TempDir), Failure> {
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
    Ok((lake, folder))
}

/// Sources that are not read yet.
pub(super) struct Unread {
    pub(super) listing: Listing,
    pub(super) settings: IngestSettings,
}

impl Unread {
    /// Lists what is wanted of the sources; `out` is where the answer will go.
    pub(super) fn list(
        args: &SessionArgs,
        out: Option<&Path>,
        context: Arc<Context>,
        flow_format: Option<Format>,
    ) -> Result<Self, Failure> {
        let networks = sources::networks(&args.how.internal)?;
        let listing = args.how.select.list(&args.sources)?;
        input::check_out(out, &listing, &[])?;
        Ok(Self {
            listing,
            settings: IngestSettings {
                networks: networks.and(context.inventory.cidrs()),
                format: flow_format,
                context,
                workers: args.how.workers(),
                wanted: None,
            },
        })
    }

    /// Reads them into a lake, of which this is needed; says whether all was read.
    pub(super) fn read(
        mut self,
        lake: &Lake,
        needs: Option<Needs>,
        voice: Voice,
    ) -> Result<Exit, Failure> {
        self.settings.wanted = needs;
        input::announce(&self.listing, voice);
        let (done, _) = input::timed(input::total(&self.listing), |watched| {
            outflow_ingest::ingest(&self.listing.objects, &self.settings, lake, watched)
        });
        let done = done.map_err(lake::unusable)?;
        for remark in &done.remarks {
            voice.note(remark);
        }
        let problems: Vec<_> = self.listing.problems.iter().chain(&done.problems).collect();
        for problem in &problems {
            voice.error(&[&problem.reason], &problem.hint);
        }
        Ok(match problems.is_empty() {
            true => Exit::Done,
            false => Exit::Unfinished,
        })
    }
}
