//! What is known of addresses from elsewhere: files of a folder, told by their content.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use outflow_enrich::{AwsRanges, GeoDatabases};

use crate::Error;

/// Largest file of context that is read; city databases have some 70 MB, and the largest commercial ones 1.5 GB.
pub const CONTEXT_FILE_BYTES_MAX: u64 = 2 << 30;

/// The marker in front of the metadata of a database in MaxMind's format, and how far from the end it stands at most.
const DATABASE_MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
const DATABASE_TAIL_BYTES: usize = 128 << 10;

/// Context of destinations. Every part is optional, and what is not there names nothing.
#[derive(Debug, Default)]
pub struct Context {
    /// Ranges that AWS publishes.
    pub ranges: Option<AwsRanges>,
    /// Databases of countries and networks.
    pub geo: GeoDatabases,
    /// Files that were read, and what each was taken for.
    pub read: Vec<(PathBuf, ContextKind)>,
    /// Files that are none of these, by name.
    pub skipped: Vec<PathBuf>,
}

/// What a file of context holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextKind {
    /// AWS's `ip-ranges.json`.
    Ranges,
    /// A database in MaxMind's format.
    Database,
}

impl fmt::Display for ContextKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ranges => "AWS's ip-ranges.json",
            Self::Database => "a database of countries or networks",
        })
    }
}

impl Context {
    /// Reads the files of a folder, in order of name, so that the first database that tells something of an address
    /// is the same in every run. Folders in it are not looked into.
    ///
    /// # Errors
    /// [`Error::List`] and [`Error::Read`] if the folder or a file cannot be read, [`Error::Context`] if a file is
    /// damaged, or a second `ip-ranges.json`.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let listed = |source| Error::List {
            path: folder.to_owned(),
            source,
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(listed)? {
            paths.push(entry.map_err(listed)?.path());
        }
        paths.sort();
        let mut context = Self::default();
        for path in paths.into_iter().filter(|path| path.is_file()) {
            context.add(path)?;
        }
        Ok(context)
    }

    fn add(&mut self, path: PathBuf) -> Result<(), Error> {
        let failed = |source| Error::Read {
            uri: path.display().to_string(),
            source,
        };
        let wrong = |what: String| Error::Context {
            path: path.clone(),
            what,
        };
        let bytes = fs::metadata(&path).map_err(failed)?.len();
        if bytes > CONTEXT_FILE_BYTES_MAX {
            return Err(wrong(format!(
                "it has more than {CONTEXT_FILE_BYTES_MAX} bytes"
            )));
        }
        let content = fs::read(&path).map_err(failed)?;
        let Some(kind) = kind_of(&content) else {
            self.skipped.push(path);
            return Ok(());
        };
        let added = match kind {
            ContextKind::Database => self.geo.add(content),
            ContextKind::Ranges if self.ranges.is_some() => {
                return Err(wrong(
                    "there is another ip-ranges.json beside it".to_owned(),
                ));
            }
            ContextKind::Ranges => AwsRanges::from_json(&content).map(|ranges| {
                self.ranges = Some(ranges);
            }),
        };
        added.map_err(|error| wrong(error.to_string()))?;
        self.read.push((path, kind));
        Ok(())
    }
}

fn kind_of(content: &[u8]) -> Option<ContextKind> {
    let tail = &content[content.len().saturating_sub(DATABASE_TAIL_BYTES)..];
    let has = |text: &[u8], needle: &[u8]| text.windows(needle.len()).any(|at| at == needle);
    if has(tail, DATABASE_MARKER) {
        return Some(ContextKind::Database);
    }
    let json = content.trim_ascii_start().starts_with(b"{");
    // Its first keys; AWS has `syncToken` in no other file.
    let head = &content[..content.len().min(4096)];
    (json && has(head, b"\"syncToken\"")).then_some(ContextKind::Ranges)
}

#[cfg(test)]
mod tests;
