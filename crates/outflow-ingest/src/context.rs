//! What is known of addresses and interfaces from elsewhere: files of a folder, told by their content.

use std::fmt;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::read::MultiGzDecoder;
use outflow_enrich::inventory::{Inventory, InventoryBuilder, Place, Snapshot, is_inventory};
use outflow_enrich::{AwsRanges, GeoDatabases};
use outflow_record::Timestamp;

use crate::Error;

/// Largest file of context that is read, and what a compressed one may hold; city databases have some 70 MB, and the
/// largest commercial ones 1.5 GB. A larger one is an error.
pub const CONTEXT_FILE_BYTES_MAX: u64 = 2 << 30;

/// The marker in front of the metadata of a database in MaxMind's format, and how far from the end it stands at most.
const DATABASE_MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
const DATABASE_TAIL_BYTES: usize = 128 << 10;

/// What is looked at to tell JSON: its first keys.
const HEAD_BYTES: usize = 4 << 10;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Context of destinations and interfaces. Every part is optional, and what is not there names nothing.
#[derive(Debug, Default)]
pub struct Context {
    /// Ranges that AWS publishes.
    pub ranges: Option<AwsRanges>,
    /// Databases of countries and networks.
    pub geo: GeoDatabases,
    /// What the account says of its network, over time.
    pub inventory: Arc<Inventory>,
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
    /// An output of `aws ec2 describe-…`, or JSON of AWS Config.
    Inventory,
}

impl fmt::Display for ContextKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ranges => "AWS's ip-ranges.json",
            Self::Database => "a database of countries or networks",
            Self::Inventory => "an inventory (EC2 API or AWS Config)",
        })
    }
}

impl Context {
    /// Reads the files of a folder, in order of name, so that the first database that tells something of an address
    /// is the same in every run. Folders in it are not looked into. Files may be compressed (gzip), as AWS Config
    /// delivers them.
    ///
    /// A listing of the EC2 API does not say when it was made: the time of its file stands for it. AWS Config says when
    /// it saw each resource. What of an inventory is not understood is in [`Inventory::problems`].
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
        let mut inventory = InventoryBuilder::default();
        for path in paths.into_iter().filter(|path| path.is_file()) {
            context.add(path, &mut inventory)?;
        }
        let inventory = inventory.build().map_err(|error| Error::Context {
            path: folder.to_owned(),
            what: error.to_string(),
        })?;
        context.inventory = Arc::new(inventory);
        Ok(context)
    }

    fn add(&mut self, path: PathBuf, inventory: &mut InventoryBuilder) -> Result<(), Error> {
        let failed = |source| Error::Read {
            uri: path.display().to_string(),
            source,
        };
        let wrong = |what: String| Error::Context {
            path: path.clone(),
            what,
        };
        let too_large = || wrong(format!("it has more than {CONTEXT_FILE_BYTES_MAX} bytes"));
        let metadata = fs::metadata(&path).map_err(failed)?;
        if metadata.len() > CONTEXT_FILE_BYTES_MAX {
            return Err(too_large());
        }
        let mut content = fs::read(&path).map_err(failed)?;
        if content.starts_with(&GZIP_MAGIC) {
            let mut plain = Vec::new();
            let mut unzipped = MultiGzDecoder::new(&*content).take(CONTEXT_FILE_BYTES_MAX + 1);
            let unzipped = unzipped.read_to_end(&mut plain);
            unzipped.map_err(|error| wrong(error.to_string()))?;
            if plain.len() as u64 > CONTEXT_FILE_BYTES_MAX {
                return Err(too_large());
            }
            content = plain;
        }
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
            ContextKind::Inventory => {
                let snapshot = Snapshot {
                    place: Place::default(),
                    taken_at: written_at(&metadata).map_err(failed)?,
                };
                inventory.add(&path.to_string_lossy(), &content, &snapshot)
            }
        };
        added.map_err(|error| wrong(error.to_string()))?;
        self.read.push((path, kind));
        Ok(())
    }
}

/// When a file was last written.
fn written_at(metadata: &fs::Metadata) -> std::io::Result<Timestamp> {
    let seconds = |from: SystemTime, to: SystemTime| {
        let between = to.duration_since(from).ok()?;
        i64::try_from(between.as_secs()).ok()
    };
    let written = metadata.modified()?;
    let after = seconds(UNIX_EPOCH, written);
    let before = || seconds(written, UNIX_EPOCH).map(|seconds| -seconds);
    Ok(Timestamp(after.or_else(before).unwrap_or_default()))
}

fn kind_of(content: &[u8]) -> Option<ContextKind> {
    let tail = &content[content.len().saturating_sub(DATABASE_TAIL_BYTES)..];
    let has = |text: &[u8], needle: &[u8]| text.windows(needle.len()).any(|at| at == needle);
    if has(tail, DATABASE_MARKER) {
        return Some(ContextKind::Database);
    }
    let json = content.trim_ascii_start().starts_with(b"{");
    // Its first keys; AWS has `syncToken` in no other file.
    let head = &content[..content.len().min(HEAD_BYTES)];
    if json && has(head, b"\"syncToken\"") {
        return Some(ContextKind::Ranges);
    }
    is_inventory(head).then_some(ContextKind::Inventory)
}

#[cfg(test)]
mod tests;
