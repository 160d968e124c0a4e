//! What is known of addresses and interfaces from elsewhere: files of a folder, told by their content.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use outflow_enrich::inventory::{
    COLLECTED_FILE, Collected, Inventory, InventoryBuilder, Place, Snapshot, is_inventory,
};
use outflow_enrich::{AwsRanges, GeoDatabases};
use outflow_record::Timestamp;

use crate::{Error, Object, ReadError, Reader};

/// Largest file of context that is read; city databases have some 70 MB, and the largest commercial ones 1.5 GB. A
/// larger one is an error.
pub const CONTEXT_FILE_BYTES_MAX: u64 = 2 << 30;

/// What a compressed file of context may hold: snapshots of AWS Config have some tens of megabytes. One that holds more
/// is an error, so that a small file cannot fill the memory.
pub const CONTEXT_INFLATED_BYTES_MAX: u64 = 512 << 20;

/// What a database is called, compressed or not. It is told by its content; but one that lacks its end is told by
/// nothing else, and a run without it would look whole.
const DATABASE_NAMES: [&str; 3] = [".mmdb", ".mmdb.gz", ".mmdb.zst"];

/// The marker in front of the metadata of a database in MaxMind's format, and how far from the end it stands at most.
const DATABASE_MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
const DATABASE_TAIL_BYTES: usize = 128 << 10;

/// What is looked at to tell JSON: its first keys.
const HEAD_BYTES: usize = 4 << 10;

/// How deep below the folder snapshots lie: ACCOUNT/REGION/TIMESTAMP.
const SNAPSHOT_DEPTH: usize = 3;

/// Context of destinations and interfaces. Every part is optional, and what is not there names nothing.
#[derive(Debug, Default)]
pub struct Context {
    /// Ranges that AWS publishes.
    pub ranges: Option<AwsRanges>,
    /// Databases of countries and networks.
    pub geo: Arc<GeoDatabases>,
    /// What the account says of its network, over time.
    pub inventory: Arc<Inventory>,
    /// Files that were read, and what each was taken for.
    pub read: Vec<(PathBuf, ContextKind)>,
    /// The same files and those of snapshots, as they were: whoever has the same gets the same context.
    pub files: Vec<ContextFile>,
    /// Files that are none of these, by name.
    pub skipped: Vec<PathBuf>,
    /// Snapshots that `outflow inventory` wrote, each with its folder.
    pub collected: Vec<(PathBuf, Collected)>,
}

/// A file that context was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextFile {
    /// Where it lies.
    pub path: PathBuf,
    /// SHA-256 of the file as it is stored, in hexadecimal; none of a table in Parquet, which tells nothing.
    pub sha256: Option<String>,
    /// When a listing of the EC2 API was written, which stands for the time that it tells of. Others say that themselves.
    pub taken_at: Option<Timestamp>,
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
    /// The manifest of a snapshot, and the files beside it.
    Snapshot,
}

impl fmt::Display for ContextKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ranges => "AWS's ip-ranges.json",
            Self::Database => "a database of countries or networks",
            Self::Inventory => "an inventory (EC2 API or AWS Config)",
            Self::Snapshot => "a snapshot of an inventory",
        })
    }
}

impl Context {
    /// Reads the files of a folder, in order of name, so that the first database that tells something of an address
    /// is the same in every run. Of the folders in it only snapshots are read that `outflow inventory` wrote there
    /// (ACCOUNT/REGION/TIME/collected.json, or this folder itself). Files may be compressed (gzip, zstd), as AWS Config
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
        let mut snapshots = snapshots(folder)?;
        if folder.join(COLLECTED_FILE).is_file() {
            // The files beside the manifest are of its time and place.
            snapshots.insert(0, folder.to_owned());
            paths.clear();
        }
        let mut context = Self::default();
        let (mut inventory, mut reader) = (InventoryBuilder::default(), Reader::new());
        let mut geo = GeoDatabases::default();
        for path in paths.into_iter().filter(|path| !path.is_dir()) {
            // A pipe would be waited for, and a link may lead nowhere.
            if path.is_file() {
                context.add(path, &mut reader, (&mut geo, &mut inventory))?;
            } else {
                context.skipped.push(path);
            }
        }
        for path in snapshots {
            context.add_snapshot(&path, &mut reader, &mut inventory)?;
        }
        let inventory = inventory.build().map_err(|error| Error::Context {
            path: folder.to_owned(),
            what: error.to_string(),
        })?;
        context.inventory = Arc::new(inventory);
        context.geo = Arc::new(geo);
        Ok(context)
    }

    fn add(
        &mut self,
        path: PathBuf,
        reader: &mut Reader,
        (geo, inventory): (&mut GeoDatabases, &mut InventoryBuilder),
    ) -> Result<(), Error> {
        let failed = |source| Error::Read {
            uri: path.display().to_string(),
            source,
        };
        let wrong = |what: String| Error::Context {
            path: path.clone(),
            what,
        };
        let metadata = fs::metadata(&path).map_err(failed)?;
        let (content, sha256) = content(&path, metadata.len(), reader)?;
        let Some(kind) = kind_of(&content) else {
            let name = path.to_string_lossy().to_ascii_lowercase();
            if DATABASE_NAMES.iter().any(|end| name.ends_with(end)) {
                return Err(wrong(
                    "it is called a database in MaxMind's format, and lacks the end of one: it was cut or is damaged"
                        .to_owned(),
                ));
            }
            self.skipped.push(path);
            return Ok(());
        };
        let mut taken_at = None;
        let added = match kind {
            ContextKind::Database => geo.add(content),
            ContextKind::Ranges if self.ranges.is_some() => {
                return Err(wrong(
                    "there is another ip-ranges.json beside it".to_owned(),
                ));
            }
            ContextKind::Ranges => AwsRanges::from_json(&content).map(|ranges| {
                self.ranges = Some(ranges);
            }),
            ContextKind::Inventory | ContextKind::Snapshot => {
                let written_at = written_at(&metadata).map_err(failed)?;
                taken_at = Some(written_at);
                let snapshot = Snapshot {
                    place: Place::default(),
                    taken_at: written_at,
                };
                inventory.add(&path.to_string_lossy(), &content, &snapshot)
            }
        };
        added.map_err(|error| wrong(error.to_string()))?;
        self.files.push(ContextFile {
            path: path.clone(),
            sha256,
            taken_at,
        });
        self.read.push((path, kind));
        Ok(())
    }

    /// Reads the manifest of a snapshot and, of the files that it names, those of an inventory.
    fn add_snapshot(
        &mut self,
        folder: &Path,
        reader: &mut Reader,
        inventory: &mut InventoryBuilder,
    ) -> Result<(), Error> {
        let mut files_read = Vec::new();
        let mut read = |path: &Path, reader: &mut Reader| {
            let metadata = fs::metadata(path).map_err(|source| Error::Read {
                uri: path.display().to_string(),
                source,
            })?;
            let (content, sha256) = content(path, metadata.len(), reader)?;
            files_read.push(ContextFile {
                path: path.to_owned(),
                sha256,
                taken_at: None,
            });
            Ok::<_, Error>(content)
        };
        let wrong = |path: &Path, error: outflow_enrich::Error| Error::Context {
            path: path.to_owned(),
            what: error.to_string(),
        };
        let path = folder.join(COLLECTED_FILE);
        let collected = Collected::from_json(&read(&path, reader)?);
        let collected = collected.map_err(|error| wrong(&path, error))?;
        inventory.add_collected(&path.to_string_lossy(), &collected);
        let snapshot = Snapshot {
            place: collected.place(),
            taken_at: collected.instant().unwrap_or_default(),
        };
        let files: BTreeSet<&str> = collected
            .calls
            .iter()
            .filter_map(|call| call.file.as_deref())
            .collect();
        for file in files {
            if Path::new(file).file_name() != Some(file.as_ref()) {
                return Err(Error::Context {
                    path,
                    what: format!("it names `{file}`, which is no file beside it"),
                });
            }
            let path = folder.join(file);
            let content = read(&path, reader)?;
            // Others, such as findings and firewalls, are read by those who ask for them.
            if kind_of(&content) != Some(ContextKind::Inventory) {
                continue;
            }
            let name = path.to_string_lossy();
            let added = match collected.is_whole(file) {
                true => inventory.add(&name, &content, &snapshot),
                false => inventory.add_part(&name, &content, &snapshot),
            };
            added.map_err(|error| wrong(&path, error))?;
        }
        self.files.extend(files_read);
        self.read.push((path, ContextKind::Snapshot));
        self.collected.push((folder.to_owned(), collected));
        Ok(())
    }
}

/// Folders of snapshots below a folder, in order of name. What is hidden is not looked into: a snapshot that is being
/// written is.
fn snapshots(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut level = vec![folder.to_owned()];
    let mut found = Vec::new();
    for _ in 0..SNAPSHOT_DEPTH {
        let mut next = Vec::new();
        for folder in level {
            let listed = |source| Error::List {
                path: folder.clone(),
                source,
            };
            for entry in fs::read_dir(&folder).map_err(listed)? {
                let entry = entry.map_err(listed)?;
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                // Links are not followed, so that none leads round and round.
                if entry.file_type().map_err(listed)?.is_dir() && !hidden {
                    next.push(entry.path());
                }
            }
        }
        let is_snapshot = |path: &PathBuf| path.join(COLLECTED_FILE).is_file();
        let (snapshots, others) = next.into_iter().partition::<Vec<_>, _>(is_snapshot);
        found.extend(snapshots);
        level = others;
    }
    found.sort();
    Ok(found)
}

/// What a file of so many bytes holds, unpacked, and its SHA-256 as it is stored. Of a table in Parquet, which is no context,
/// nothing.
fn content(
    path: &Path,
    stored_bytes: u64,
    reader: &mut Reader,
) -> Result<(Vec<u8>, Option<String>), Error> {
    let wrong = |what: String| Error::Context {
        path: path.to_owned(),
        what,
    };
    if stored_bytes > CONTEXT_FILE_BYTES_MAX {
        let megabytes = CONTEXT_FILE_BYTES_MAX >> 20;
        return Err(wrong(format!("it has more than {megabytes} MiB")));
    }
    // A file that is not compressed holds no more than it has.
    let bytes_max = CONTEXT_INFLATED_BYTES_MAX.max(stored_bytes);
    let mut content = Vec::new();
    let read = reader.read(&Object::file(path), &mut |piece: &[u8]| {
        if (content.len() + piece.len()) as u64 > bytes_max {
            return Err(());
        }
        content.extend_from_slice(piece);
        Ok(())
    });
    match read {
        Ok(read) => match read.damage {
            None => match utf8(content) {
                Ok(content) => Ok((content, read.sha256)),
                Err(what) => Err(wrong(what.to_owned())),
            },
            Some(damage) => Err(wrong(damage.reason)),
        },
        Err(ReadError::Object(error)) => Err(error),
        Err(ReadError::Parquet(_)) => Ok((Vec::new(), None)),
        Err(ReadError::Sink { .. }) => {
            let megabytes = bytes_max >> 20;
            Err(wrong(format!(
                "it is compressed and holds more than {megabytes} MiB"
            )))
        }
    }
}

/// The content without a mark of its encoding, in UTF-8 if it has that of UTF-16: what PowerShell writes where its `>`
/// takes the JSON of AWS's command line.
fn utf8(content: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    let units: Vec<u16> = match &content[..] {
        _ if is_database(&content) => return Ok(content),
        [0xef, 0xbb, 0xbf, plain @ ..] => return Ok(plain.to_vec()),
        [0xff, 0xfe, wide @ ..] => units(wide, u16::from_le_bytes),
        [0xfe, 0xff, wide @ ..] => units(wide, u16::from_be_bytes),
        _ => return Ok(content),
    };
    let is_whole = content.len().is_multiple_of(2);
    let text: Result<String, _> = char::decode_utf16(units).collect();
    match text {
        Ok(text) if is_whole => Ok(text.into_bytes()),
        _ => Err("it begins as UTF-16 does, and is none"),
    }
}

fn units(wide: &[u8], order: fn([u8; 2]) -> u16) -> Vec<u16> {
    wide.as_chunks().0.iter().copied().map(order).collect()
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
    if is_database(content) {
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

fn is_database(content: &[u8]) -> bool {
    let tail = &content[content.len().saturating_sub(DATABASE_TAIL_BYTES)..];
    has(tail, DATABASE_MARKER)
}

fn has(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|at| at == needle)
}

#[cfg(test)]
mod tests;
