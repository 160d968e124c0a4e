//! What `detect` and `coverage` read: sources, or the lake that keeps what was ingested of them.

use std::ffi::OsString;
use std::path::Path;

use anyhow::anyhow;
use outflow_ingest::{
    Filter, Listing, Object, Outcome, Problem, Progress, Reading, Settings, StoredLogs,
};
use outflow_lake::Lake;
use outflow_record::Format;

use crate::clock;
use crate::exit::Failure;
use crate::lake;
use crate::progress;
use crate::sources::SelectArgs;
use crate::voice::Voice;

/// Sources or a lake, and what of it is wanted.
#[derive(Debug, clap::Args)]
pub(crate) struct InputArgs {
    /// Files, folders (read recursively), s3://bucket/prefix, or `-` for standard input; gzip, zstd or plain text.
    #[arg(
        value_name = "SOURCE",
        required_unless_present = "lake",
        conflicts_with = "lake"
    )]
    sources: Vec<OsString>,
    /// Read what `outflow ingest` brought into this lake, instead of sources.
    #[arg(long, value_name = "PLACE")]
    lake: Option<String>,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
}

/// What is read.
pub(crate) enum Input {
    Sources(Listing),
    Lake { lake: Lake, filter: Filter },
}

/// Where records come from.
enum From<'a> {
    Objects(&'a [Object]),
    Logs(&'a StoredLogs<'a>),
}

impl InputArgs {
    /// Lists the sources, or opens the lake.
    pub(crate) fn open(&self, flow_format: Option<&Format>) -> Result<Input, Failure> {
        let Some(place) = &self.lake else {
            return self.select.list(&self.sources).map(Input::Sources);
        };
        if flow_format.is_some() {
            let error =
                anyhow!("--log-format says how to read sources, and a lake was read already");
            return Err(Failure::usage(error, "leave it out"));
        }
        Ok(Input::Lake {
            filter: self.select.filter()?,
            lake: lake::open(place, &self.select.server.options())?,
        })
    }
}

impl Input {
    /// What was listed; nothing of a lake.
    pub(crate) fn listing(&self) -> Option<&Listing> {
        match self {
            Self::Sources(listing) => Some(listing),
            Self::Lake { .. } => None,
        }
    }

    /// What could not be looked into.
    pub(crate) fn problems(&self) -> &[Problem] {
        self.listing().map_or(&[], |listing| &listing.problems)
    }

    /// Refuses to write over what is read.
    pub(crate) fn check_out(
        &self,
        out: Option<&Path>,
        files: &[(&str, Option<&Path>)],
    ) -> Result<(), Failure> {
        match self {
            Self::Sources(listing) => check_out(out, listing, files),
            Self::Lake { .. } => check_out(out, &Listing::default(), files),
        }
    }

    /// Reads and judges it.
    pub(crate) fn read(&self, settings: &Settings, voice: Voice) -> Result<Outcome, Failure> {
        let (outcome, seconds) = self.timed(voice, |from, watched| {
            Ok(match from {
                From::Objects(objects) => outflow_ingest::detect(objects, settings, watched),
                From::Logs(logs) => logs.detect(settings, watched)?,
            })
        })?;
        let mut outcome = outcome;
        outcome.accounts.seconds = seconds;
        Ok(outcome)
    }

    /// Reads it, to be judged more than once.
    pub(crate) fn reading(&self, settings: &Settings, voice: Voice) -> Result<Reading, Failure> {
        let (reading, _) = self.timed(voice, |from, watched| {
            Ok(match from {
                From::Objects(objects) => Reading::of(objects, settings, watched),
                From::Logs(logs) => logs.reading(settings, watched)?,
            })
        })?;
        Ok(reading)
    }

    /// Does what takes a while with what is read, with a bar, and says for how many seconds it did.
    fn timed<T>(
        &self,
        voice: Voice,
        work: impl FnOnce(From<'_>, &Progress) -> Result<T, outflow_lake::Error>,
    ) -> Result<(T, f64), Failure> {
        let (done, seconds) = match self {
            Self::Sources(listing) => timed(total(listing), |watched| {
                work(From::Objects(&listing.objects), watched)
            }),
            Self::Lake { lake, filter } => {
                let logs = StoredLogs::open(lake, filter).map_err(lake::unusable)?;
                if logs.left_out() > 0 {
                    voice.note(&format!(
                        "{} objects were left out, as they are of another account or region",
                        logs.left_out()
                    ));
                }
                timed(logs.stored_bytes(), |watched| {
                    work(From::Logs(&logs), watched)
                })
            }
        };
        Ok((done.map_err(lake::unusable)?, seconds))
    }

    /// Says what a reader of the results must know, and what is wrong with what was read.
    pub(crate) fn say(&self, outcome: &Outcome, voice: Voice) {
        for remark in &outcome.remarks {
            voice.note(remark);
        }
        for problem in self.problems().iter().chain(&outcome.problems) {
            voice.error(&[&problem.reason], &problem.hint);
        }
    }
}

/// Says what was passed over.
pub(crate) fn announce(listing: &Listing, voice: Voice) {
    for (path, reason) in &listing.skipped {
        // As text, which the log escapes: a name in a folder may hold anything.
        let path = path.to_string_lossy();
        tracing::info!(path = &*path, reason, "skipped");
    }
    if listing.left_out > 0 {
        voice.note(&format!(
            "{} objects or folders were left out, as their names say another time, account or region",
            listing.left_out
        ));
    }
}

/// Bytes of what was listed, as stored.
pub(crate) fn total(listing: &Listing) -> u64 {
    let sizes = listing.objects.iter().filter_map(|object| object.size);
    sizes.sum()
}

/// Does what takes a while, with a bar, and says for how many seconds it did.
pub(crate) fn timed<T>(total_bytes: u64, work: impl FnOnce(&Progress) -> T) -> (T, f64) {
    let watched = Progress::default();
    let started = clock::now();
    let done = progress::shown(total_bytes, &watched, || work(&watched));
    let seconds = (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    (done, seconds)
}

/// Refuses to write over what is read.
pub(crate) fn check_out(
    out: Option<&Path>,
    listing: &Listing,
    files: &[(&str, Option<&Path>)],
) -> Result<(), Failure> {
    let Some(out) = out.and_then(|out| out.canonicalize().ok()) else {
        return Ok(());
    };
    let is_out = |path: &Path| path.canonicalize().is_ok_and(|path| path == out);
    let mut read = listing.objects.iter().filter_map(|of| of.path.as_deref());
    let what = if read.any(is_out) {
        Some("one of the sources")
    } else {
        let of = files.iter().find(|(_, path)| path.is_some_and(is_out));
        of.map(|(what, _)| *what)
    };
    match what {
        Some(what) if out.is_file() => {
            let error = anyhow!("--out `{}` is {what}", out.display());
            Err(Failure::usage(error, "name another file to write to"))
        }
        _ => Ok(()),
    }
}
