//! Sources that are asked: decoded as a query reads them, where it reads one table once; else as a lake of the moment, in a folder
//! for temporary files, which goes when the session ends.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use outflow_ingest::{Context, IngestSettings, Listing, Named, Problem, Scan};
use outflow_lake::{Access, Lake};
use outflow_query::{Needs, Reads, Session};
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

    /// Leaves out objects whose names tell that they hold nothing of what a query reads.
    ///
    /// # Errors
    /// Those of the session, which are faults of the program.
    pub(super) fn choose(
        &mut self,
        session: &Session,
        reads: &Reads,
        voice: Voice,
    ) -> Result<(), outflow_query::Error> {
        let named: Vec<Named> = self.listing.objects.iter().map(Named::of).collect();
        let mut needed = session.needed(reads, &named)?.into_iter();
        let before = self.listing.objects.len();
        self.listing
            .objects
            .retain(|_| needed.next().unwrap_or(true));
        let left_out = before - self.listing.objects.len();
        if left_out > 0 {
            voice.note(&format!(
                "{left_out} of {before} objects are not read, as their names say that they hold nothing of what is asked"
            ));
        }
        Ok(())
    }

    /// Has a session decode them as it reads tables.
    pub(super) fn decoded(self, voice: Voice) -> Decoded {
        input::announce(&self.listing, voice);
        Decoded {
            scan: Arc::new(Scan::new(self.listing.objects, self.settings)),
            problems: self.listing.problems,
        }
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
        let problems = self.listing.problems.iter().chain(&done.problems);
        Ok(told(problems, voice))
    }
}

/// Sources that are decoded as they are read.
pub(super) struct Decoded {
    pub(super) scan: Arc<Scan>,
    /// What could not be looked into.
    problems: Vec<Problem>,
}

impl Decoded {
    /// Says what is wrong with what was read; whether all was read.
    pub(super) fn say(&self, voice: Voice) -> Exit {
        for remark in self.scan.remarks() {
            voice.note(remark);
        }
        let problems = self.scan.problems();
        told(self.problems.iter().chain(&problems), voice)
    }
}

fn told<'p>(problems: impl Iterator<Item = &'p Problem>, voice: Voice) -> Exit {
    let mut exit = Exit::Done;
    for problem in problems {
        voice.error(&[&problem.reason], &problem.hint);
        exit = Exit::Unfinished;
    }
    exit
}
