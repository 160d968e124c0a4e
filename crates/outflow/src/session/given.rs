//! Tables beside those of a lake: findings of GuardDuty, and what a run of `outflow detect` found.

use std::ffi::OsString;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use outflow_finding::escape;
use outflow_ingest::{CONTEXT_INFLATED_BYTES_MAX, Object, ReadError, Reader};
use outflow_posture::GuardDutyRecords;
use outflow_query::Session;

use crate::exit::{Exit, Failure};
use crate::session::failure;
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
            for table in found(path)? {
                session.give(table).map_err(|error| failure(error, ""))?;
            }
        }
        self.guardduty.give(session, select, voice)
    }
}

impl GuardDutyArgs {
    /// Whether there are any.
    pub(crate) fn is_given(&self) -> bool {
        !self.guardduty.is_empty()
    }

    /// Reads findings of GuardDuty, and gives them to a session.
    pub(crate) fn give(
        &self,
        session: &Session,
        select: &SelectArgs,
        voice: Voice,
    ) -> Result<Exit, Failure> {
        if !self.is_given() {
            return Ok(Exit::Done);
        }
        let (records, exit) = read(&self.guardduty, select, voice)?;
        let table = outflow_query::guardduty(&records).map_err(|error| failure(error, ""))?;
        session.give(table).map_err(|error| failure(error, ""))?;
        Ok(exit)
    }
}

fn found(path: &Path) -> Result<[outflow_query::GivenTable; 2], Failure> {
    let named = path.display();
    let hint = "give what `outflow detect --format json` wrote";
    let file = File::open(path).with_context(|| format!("could not read `{named}`"));
    let file = file.map_err(|error| Failure::usage(error, hint))?;
    let found = outflow_query::found(BufReader::new(file));
    let found = found.with_context(|| format!("`{named}` is no run of `outflow detect`"));
    found.map_err(|error| Failure::usage(error, hint))
}

/// Reads findings of GuardDuty, and says what of them was damaged.
fn read(
    sources: &[OsString],
    select: &SelectArgs,
    voice: Voice,
) -> Result<(GuardDutyRecords, Exit), Failure> {
    let listing = select.list_whole(sources)?;
    let (mut records, mut reader) = (GuardDutyRecords::default(), Reader::new());
    let mut exit = Exit::Done;
    for problem in &listing.problems {
        voice.error(&[&problem.reason], &problem.hint);
        exit = Exit::Unfinished;
    }
    for object in &listing.objects {
        let (text, damage) = content(object, &mut reader);
        records.add(&object.uri, &text);
        if let Some(damage) = damage {
            let hint = "what it held until there was used; give it again when it is whole";
            voice.error(&[&format!("`{}`: {damage}", object.uri)], hint);
            exit = Exit::Unfinished;
        }
    }
    tell(&records, voice);
    Ok((records, exit))
}

/// The text of an object, as far as it can be read, and why it cannot be read to its end.
fn content(object: &Object, reader: &mut Reader) -> (Vec<u8>, Option<String>) {
    let mut text = Vec::new();
    let read = reader.read(object, &mut |piece: &[u8]| {
        if (text.len() + piece.len()) as u64 > CONTEXT_INFLATED_BYTES_MAX {
            return Err(());
        }
        text.extend_from_slice(piece);
        Ok(())
    });
    let damage = match read {
        Ok(read) => read.damage.map(|damage| damage.reason),
        Err(ReadError::Object(error)) => Some(format!("{:#}", anyhow!(error))),
        Err(ReadError::Parquet(_)) => Some("it is a table in Parquet".to_owned()),
        Err(ReadError::Sink { .. }) => {
            let megabytes = CONTEXT_INFLATED_BYTES_MAX >> 20;
            Some(format!("it holds more than {megabytes} MiB"))
        }
    };
    (text, damage)
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
