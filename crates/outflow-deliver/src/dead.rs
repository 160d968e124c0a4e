//! Dead letters: what could not be delivered, as JSON lines.
//!
//! The file only grows. A line says what failed, or that what failed before has been delivered since; what is still to
//! be delivered follows from all of them in order. So no crash can lose a letter, other processes may append while
//! letters are delivered again, and the file remains a record of what went wrong.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use outflow_finding::{Family, Severity};
use outflow_record::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sender::append;
use crate::{Error, Format, Item, Run};

/// Bytes of the file. Once it has more, no letter is added, which [`Report::unkept`](crate::Report::unkept) says: a
/// target that is gone for good would fill the disk.
pub const DEAD_LETTERS_BYTES_MAX: u64 = 1 << 30;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    /// An item could not be delivered.
    DeadLetter {
        target: String,
        id: String,
        format: String,
        severity: String,
        families: Vec<String>,
        run_id: String,
        run_at: String,
        at: String,
        error: String,
        /// The item's body, byte for byte.
        payload: String,
    },
    /// It has been delivered since.
    Redelivered {
        target: String,
        id: String,
        /// Of the item as it was delivered.
        digest: String,
        at: String,
    },
}

/// Something to append.
pub(crate) enum Entry<'a> {
    Failed {
        target: &'a str,
        run: &'a Run,
        item: &'a Item,
        reason: &'a str,
    },
    Redelivered {
        target: &'a str,
        item: &'a Item,
    },
}

/// An item that waits to be delivered again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) target: String,
    pub(crate) run: Run,
    pub(crate) item: Item,
}

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Letters {
    /// In the order in which they failed.
    pub(crate) waiting: Vec<Letter>,
    pub(crate) unreadable: Vec<u64>,
}

/// Appends entries, all of them or none.
pub(crate) fn write(path: &Path, entries: &[Entry<'_>], at: Timestamp) -> Result<(), Error> {
    let failed = |source| Error::DeadLetters {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    for entry in entries {
        let line = serde_json::to_string(&line(entry, at));
        text.push_str(&line.map_err(|error| failed(error.into()))?);
        text.push('\n');
    }
    let length = path.metadata().map_or(0, |metadata| metadata.len());
    let letters = entries
        .iter()
        .any(|entry| matches!(entry, Entry::Failed { .. }));
    if letters && length.saturating_add(text.len() as u64) > DEAD_LETTERS_BYTES_MAX {
        return Err(failed(ErrorKind::FileTooLarge.into()));
    }
    append(path, &text).map_err(failed)
}

fn line(entry: &Entry<'_>, at: Timestamp) -> Line {
    match entry {
        Entry::Failed {
            target,
            run,
            item,
            reason,
        } => Line::DeadLetter {
            target: (*target).to_owned(),
            id: item.id().to_owned(),
            format: item.format().to_string(),
            severity: item.severity().to_string(),
            families: item.families().iter().map(Family::to_string).collect(),
            run_id: run.id().to_owned(),
            run_at: run.at().to_string(),
            at: at.to_string(),
            error: (*reason).to_owned(),
            payload: item.body().to_owned(),
        },
        Entry::Redelivered { target, item } => Line::Redelivered {
            target: (*target).to_owned(),
            id: item.id().to_owned(),
            digest: item.digest(),
            at: at.to_string(),
        },
    }
}

/// Reads what waits: an item that failed twice at a target as it was waits once, and each change of it on its own.
pub(crate) fn read(path: &Path) -> Result<Letters, Error> {
    let failed = |source| Error::DeadLetters {
        path: path.to_owned(),
        source,
    };
    let mut lines = BufReader::new(File::open(path).map_err(failed)?);
    let mut unreadable = Vec::new();
    let mut waiting: BTreeMap<(String, String), (u64, Letter)> = BTreeMap::new();
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        if lines.read_until(b'\n', &mut bytes).map_err(failed)? == 0 {
            break;
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(&bytes).ok() {
            Some(Line::Redelivered { target, digest, .. }) => {
                waiting.remove(&(target, digest));
            }
            Some(letter) => match self::letter(letter) {
                Some(letter) => {
                    let key = (letter.target.clone(), letter.item.digest());
                    waiting.entry(key).or_insert((number, letter));
                }
                None => unreadable.push(number),
            },
            None => unreadable.push(number),
        }
    }
    let mut waiting: Vec<(u64, Letter)> = waiting.into_values().collect();
    waiting.sort_by_key(|(number, _)| *number);
    Ok(Letters {
        waiting: waiting.into_iter().map(|(_, letter)| letter).collect(),
        unreadable,
    })
}

fn letter(line: Line) -> Option<Letter> {
    let Line::DeadLetter {
        target,
        id,
        format,
        severity,
        families,
        run_id,
        run_at,
        payload,
        ..
    } = line
    else {
        return None;
    };
    let severity: Severity = severity.parse().ok()?;
    let families: Result<Vec<Family>, _> = families.iter().map(|name| name.parse()).collect();
    let format: Format = format.parse().ok()?;
    let run = Run::new(run_id, run_at.parse().ok()?).ok()?;
    let item = Item::new(id, severity, families.ok()?, format, &payload).ok()?;
    Some(Letter { target, run, item })
}

/// Keeps other processes from delivering the same letters again at the same time, until it is dropped. Appending goes
/// on.
pub(crate) fn claim(path: &Path) -> Result<File, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let claimed = PathBuf::from(name);
    let failed = |source| Error::DeadLetters {
        path: claimed.clone(),
        source,
    };
    let file = File::create(&claimed).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

#[cfg(test)]
mod tests;
