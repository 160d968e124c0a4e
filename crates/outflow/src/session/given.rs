//! Tables beside those of a lake: findings of GuardDuty, and what a run of `outflow detect` found.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use outflow_finding::escape;
use outflow_ingest::{CONTEXT_INFLATED_BYTES_MAX, Object, ReadError, Reader};
use outflow_posture::GuardDutyRecords;
use outflow_query::{FoundLines, Session};

use crate::exit::{Exit, Failure};
use crate::session::{RUN, failure, run_lines};
use crate::sources::SelectArgs;
use crate::voice::Voice;

/// Characters of a reason that are told.
const REASON_CHARS_MAX: usize = 160;

/// What a session is given beside its lake.
#[derive(Debug, clap::Args)]
pub(crate) struct GivenArgs {
    #[command(flatten)]
    pub(crate) guardduty: GuardDutyArgs,
    /// What `outflow detect --format json` wrote, as the tables `incidents` and `findings`.
    #[arg(long, value_name = "FILE")]
    incidents: Option<PathBuf>,
}

/// Findings of GuardDuty.
#[derive(Debug, clap::Args)]
pub(crate) struct GuardDutyArgs {
    /// Findings of GuardDuty, as the table `guardduty`: an export to S3 (JSON lines), what `aws guardduty get-findings` prints, or
    /// events of EventBridge, plain or compressed: files, folders, s3://bucket/prefix. Of updates of one finding, the last is
    /// taken; samples are left out. May be repeated.
    #[arg(long, value_name = "SOURCE")]
    guardduty: Vec<OsString>,
}

impl GivenArgs {
    /// Reads what is given, and gives it to a session.
    pub(crate) fn give(
        &self,
        session: &Session,
        select: &SelectArgs,
        voice: Voice,
    ) -> Result<Exit, Failure> {
        if let Some(path) = &self.incidents {
            for table in found(path, voice)? {
                session.give(table).map_err(|error| failure(error, ""))?;
            }
        }
        let read = self.guardduty.give(session, select, voice)?;
        Ok(read.map_or(Exit::Done, |read| read.exit))
    }
}

impl GuardDutyArgs {
    /// Reads findings of GuardDuty, and gives them to a session; says what was read, if any are given.
    pub(crate) fn give(
        &self,
        session: &Session,
        select: &SelectArgs,
        voice: Voice,
    ) -> Result<Option<GuardDutyRead>, Failure> {
        if self.guardduty.is_empty() {
            return Ok(None);
        }
        let (records, read) = read(&self.guardduty, select, voice)?;
        let table = outflow_query::guardduty(&records).map_err(|error| failure(error, ""))?;
        session.give(table).map_err(|error| failure(error, ""))?;
        Ok(Some(read))
    }
}

/// What was read of findings of GuardDuty.
#[derive(Debug)]
pub(crate) struct GuardDutyRead {
    /// Whether all of it was.
    pub(crate) exit: Exit,
    /// Objects, in the order in which they were read.
    pub(crate) objects: Vec<GivenObject>,
    /// What could not be looked into.
    pub(crate) unlisted: Vec<String>,
    /// Samples, which are left out.
    pub(crate) samples: u64,
    /// Findings that found no room.
    pub(crate) beyond: u64,
    /// Lines that are no findings.
    pub(crate) no_findings: u64,
}

/// An object that was given beside a lake.
#[derive(Debug)]
pub(crate) struct GivenObject {
    /// Its name.
    pub(crate) uri: String,
    /// Digest of what is stored; none if it could not be read.
    pub(crate) sha256: Option<String>,
    /// Why it could not be read to its end.
    pub(crate) damage: Option<String>,
}

fn found(path: &Path, voice: Voice) -> Result<[outflow_query::GivenTable; 2], Failure> {
    let no_run = || format!("`{}` is no run of `outflow detect`", path.display());
    let mut lines = FoundLines::default();
    run_lines(path, |line| lines.add(line).with_context(no_run))?;
    let found = lines.finish().with_context(no_run);
    let found = found.map_err(|error| Failure::usage(error, RUN))?;
    if found.told_again > 0 {
        voice.note(&format!(
            "{} lines of `{}` tell again of what was told before: of each the last one is taken",
            found.told_again,
            path.display()
        ));
    }
    Ok(found.tables)
}

/// Reads findings of GuardDuty, and says what of them was damaged.
fn read(
    sources: &[OsString],
    select: &SelectArgs,
    voice: Voice,
) -> Result<(GuardDutyRecords, GuardDutyRead), Failure> {
    let listing = select.list_whole(sources)?;
    let (mut records, mut reader) = (GuardDutyRecords::default(), Reader::new());
    let (mut exit, mut objects) = (Exit::Done, Vec::new());
    for problem in &listing.problems {
        voice.error(&[&problem.reason], &problem.hint);
        exit = Exit::Unfinished;
    }
    for object in &listing.objects {
        let read = content(object, &mut reader);
        records.add(&object.uri, &read.text);
        if let Some(damage) = &read.damage {
            let hint = "what it held until there was used; give it again when it is whole";
            voice.error(&[&format!("`{}`: {damage}", object.uri)], hint);
            exit = Exit::Unfinished;
        }
        objects.push(GivenObject {
            uri: object.uri.clone(),
            sha256: read.sha256,
            damage: read.damage,
        });
    }
    tell(&records, voice);
    let unlisted = listing.problems.into_iter().map(|problem| problem.reason);
    let read = GuardDutyRead {
        exit,
        objects,
        unlisted: unlisted.collect(),
        samples: records.samples(),
        beyond: records.beyond(),
        no_findings: records.damaged(),
    };
    Ok((records, read))
}

/// What an object holds, as far as it can be read.
struct Content {
    text: Vec<u8>,
    sha256: Option<String>,
    /// Why it cannot be read to its end.
    damage: Option<String>,
}

fn content(object: &Object, reader: &mut Reader) -> Content {
    let mut text = Vec::new();
    let read = reader.read(object, &mut |piece: &[u8]| {
        if (text.len() + piece.len()) as u64 > CONTEXT_INFLATED_BYTES_MAX {
            return Err(());
        }
        text.extend_from_slice(piece);
        Ok(())
    });
    let (sha256, damage) = match read {
        Ok(read) => (read.sha256, read.damage.map(|damage| damage.reason)),
        Err(ReadError::Object(error)) => (None, Some(format!("{:#}", anyhow!(error)))),
        Err(ReadError::Parquet(_)) => (None, Some("it is a table in Parquet".to_owned())),
        Err(ReadError::Sink { sha256, .. }) => {
            let megabytes = CONTEXT_INFLATED_BYTES_MAX >> 20;
            (sha256, Some(format!("it holds more than {megabytes} MiB")))
        }
    };
    Content {
        text,
        sha256,
        damage,
    }
}

fn tell(records: &GuardDutyRecords, voice: Voice) {
    let (samples, damaged) = (records.samples(), records.damaged());
    if samples > 0 {
        voice.note(&format!(
            "{samples} findings of GuardDuty are samples, and were left out"
        ));
    }
    if records.beyond() > 0 {
        voice.note(&format!(
            "{} findings of GuardDuty found no room, and were left out",
            records.beyond()
        ));
    }
    if damaged == 0 {
        return;
    }
    voice.note(&format!(
        "{damaged} lines are no findings of GuardDuty, and were left out"
    ));
    for damage in records.damage() {
        voice.note(&format!(
            "`{}`, line {}: {}",
            damage.source,
            damage.line,
            escape(&damage.what, REASON_CHARS_MAX)
        ));
    }
}
