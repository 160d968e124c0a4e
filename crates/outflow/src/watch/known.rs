//! What is known from elsewhere, read again when the folder of `--context` changes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use outflow_enrich::Networks;
use outflow_ingest::Context;

use super::meters::Meters;
use crate::clock;
use crate::config::Config;
use crate::context;
use crate::judging::JudgeArgs;
use crate::voice::Voice;

/// How deep below the folder files lie: ACCOUNT/REGION/TIMESTAMP/FILE.
const DEPTH: usize = 4;

/// How long after it could not be read a folder that looks the same is tried again: a disk may have been gone.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The folder of `--context`, and how it looked when it was last read.
pub(super) struct Known {
    judge: JudgeArgs,
    seen: io::Result<Vec<Seen>>,
    failed_at: Option<Instant>,
}

/// What changes with a file: a new content changes its size or a time, and a file that is renamed into place has another
/// number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    path: PathBuf,
    bytes: u64,
    /// Seconds and nanoseconds.
    written: (i64, i64),
    changed: (i64, i64),
    number: u64,
}

/// What is known now.
pub(super) struct Fresh {
    pub(super) context: Arc<Context>,
    /// The border, to which an inventory adds.
    pub(super) networks: Networks,
}

impl Known {
    /// What these options name. Their context is read only after this, so that no change is missed.
    pub(super) fn new(judge: JudgeArgs) -> Self {
        let seen = match judge.context.as_deref() {
            Some(folder) => look(folder),
            None => Ok(Vec::new()),
        };
        Self {
            judge,
            seen,
            failed_at: None,
        }
    }

    /// What the options are.
    pub(super) fn judge(&self) -> &JudgeArgs {
        &self.judge
    }

    /// What is known, if the folder has changed and can be read. Where it cannot, it is said, and what was known stays.
    pub(super) fn look(&mut self, config: &Config, meters: &Meters, voice: Voice) -> Option<Fresh> {
        let folder = self.judge.context.as_deref()?;
        let seen = look(folder);
        let is_same = match (&seen, &self.seen) {
            (Ok(now), Ok(before)) => now == before,
            (Err(now), Err(before)) => now.kind() == before.kind(),
            _ => false,
        };
        let is_due = |at: Instant| at.elapsed() >= AGAIN_AFTER;
        if is_same && !self.failed_at.is_some_and(is_due) {
            return None;
        }
        let was_failing = is_same;
        self.seen = seen;
        let read = context::load(Some(folder)).and_then(|context| {
            let networks = self.judge.networks(config, &context)?;
            Ok((context, networks))
        });
        match read {
            Ok((context, networks)) => {
                self.failed_at = None;
                meters.context_loads.inc();
                voice.note("the folder of --context has changed and was read again");
                context::note(&context, voice);
                Some(Fresh {
                    context: Arc::new(context),
                    networks,
                })
            }
            Err(failure) => {
                self.failed_at = Some(clock::now());
                meters.context_failures.inc();
                if !was_failing {
                    let text = format!("{:#}", failure.error);
                    let hint = "the watch goes by what was known of --context before, until it can be read";
                    voice.error(&[&text], hint);
                }
                None
            }
        }
    }
}

/// How a folder looks, in order of names. Nothing hidden is looked at: a snapshot that is being written is.
fn look(folder: &Path) -> io::Result<Vec<Seen>> {
    let mut level = vec![folder.to_owned()];
    let mut all = Vec::new();
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for folder in level {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_name().to_string_lossy().starts_with('.') {
                    continue;
                }
                // Links to folders are not followed, so that none leads round and round.
                if entry.file_type()?.is_dir() {
                    next.push(entry.path());
                } else if let Ok(of) = fs::metadata(entry.path()) {
                    all.push(Seen::of(entry.path(), &of));
                }
            }
        }
        level = next;
    }
    all.sort();
    Ok(all)
}

impl Seen {
    fn of(path: PathBuf, of: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            path,
            bytes: of.len(),
            written: (of.mtime(), of.mtime_nsec()),
            changed: (of.ctime(), of.ctime_nsec()),
            number: of.ino(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_shows_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let nested = path.join("111122223333/eu-west-1/2026-10-01");
        fs::create_dir_all(&nested).unwrap();
        fs::write(path.join("ip-ranges.json"), "{}").unwrap();
        fs::write(nested.join("collected.json"), "{}").unwrap();
        let mut before = look(path).unwrap();
        assert_eq!(before.len(), 2);
        assert_eq!(look(path).unwrap(), before);
        let mut changes = |what: &str, change: &dyn Fn()| {
            change();
            let now = look(path).unwrap();
            assert_ne!(now, before, "{what}");
            before = now;
        };
        changes("longer", &|| {
            fs::write(path.join("ip-ranges.json"), "{ }").unwrap();
        });
        changes("renamed into place, of one size", &|| {
            fs::write(path.join(".new"), "[ ]").unwrap();
            fs::rename(path.join(".new"), path.join("ip-ranges.json")).unwrap();
        });
        changes("deep below", &|| {
            fs::write(nested.join("more.json"), "{}").unwrap();
        });
        changes("taken away", &|| {
            fs::remove_file(nested.join("more.json")).unwrap();
        });
        fs::write(path.join(".hidden"), "{}").unwrap();
        assert_eq!(look(path).unwrap(), before);
        assert!(look(&path.join("gone")).is_err());
    }
}
