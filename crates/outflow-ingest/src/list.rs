//! From sources to the objects to read, in an order that no file system decides.
//!
//! Nothing is left out silently: what is found in a folder and is no flow log is listed with the reason.
//! Links are followed; every file counts once, however many ways lead to it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::{Error, Object, Problem, Source};

/// What the sources hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Objects to read, by the bytes of their paths; standard input first.
    pub objects: Vec<Object>,
    /// What was found and is not read, and why.
    pub skipped: Vec<(PathBuf, &'static str)>,
    /// Folders and entries that could not be looked into: what is below them is missing from `objects`.
    pub problems: Vec<Problem>,
}

/// Lists what the sources hold.
///
/// # Errors
/// [`Error::Missing`] for a path that does not exist, [`Error::List`] for a source that cannot be looked into and
/// [`Error::Empty`] for a folder without any object. What cannot be looked into below a folder is a [`Problem`] of
/// the listing.
pub fn list(sources: &[Source]) -> Result<Listing, Error> {
    let mut found = Found::default();
    for source in sources {
        match source {
            Source::Stdin => found.stdin = true,
            Source::Path(path) => found.take_named(path)?,
        }
    }
    Ok(found.into_listing())
}

/// A file by the name under which it is reported, and its size.
type Named = (PathBuf, u64);

#[derive(Default)]
struct Found {
    stdin: bool,
    /// By canonical path, so that a file reached twice is one.
    files: BTreeMap<PathBuf, Named>,
    skipped: BTreeMap<PathBuf, Skipped>,
    /// In order, and each once, however many ways lead to it.
    problems: BTreeSet<Problem>,
}

struct Skipped {
    reason: &'static str,
    /// Where the file really is, unless that cannot be told.
    canonical: Option<PathBuf>,
}

/// A folder on the way through all below it.
struct Walk {
    /// A link to a folder above must not be followed for ever.
    seen: BTreeSet<PathBuf>,
    /// Folders still to enter, each with its canonical path.
    folders: Vec<(PathBuf, PathBuf)>,
    objects: usize,
}

impl Found {
    /// A file named explicitly is taken whatever it is called.
    fn take_named(&mut self, path: &Path) -> Result<(), Error> {
        let metadata = match path.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::Missing {
                    path: path.to_owned(),
                });
            }
            Err(error) => return Err(could_not_list(path)(error)),
        };
        let canonical = match path.canonicalize() {
            Ok(canonical) => canonical,
            // A pipe behind /dev/fd has no path of its own: it is what it is named.
            Err(_) if !metadata.is_dir() && !metadata.is_file() => path.to_owned(),
            Err(error) => return Err(could_not_list(path)(error)),
        };
        if metadata.is_dir() {
            return self.walk(path, canonical);
        }
        self.take(path.to_owned(), canonical, metadata.len());
        Ok(())
    }

    /// Of several names the smallest is kept, which the order of the sources cannot change.
    fn take(&mut self, path: PathBuf, canonical: PathBuf, size: u64) {
        let named = self
            .files
            .entry(canonical)
            .or_insert_with(|| (path.clone(), size));
        if bytes(&path) < bytes(&named.0) {
            named.0 = path;
        }
    }

    fn walk(&mut self, root: &Path, canonical: PathBuf) -> Result<(), Error> {
        let skipped_before = self.skipped.len();
        let mut walk = Walk {
            seen: BTreeSet::from([canonical.clone()]),
            folders: vec![(root.to_owned(), canonical)],
            objects: 0,
        };
        let mut unread = 0;
        while let Some((folder, canonical)) = walk.folders.pop() {
            let entries = match entries(&folder) {
                Err(error) if folder == root => return Err(error),
                entries => entries,
            };
            let met = entries.map(|entries| {
                let each = entries.iter();
                each.filter_map(|entry| self.meet(&mut walk, entry, &folder, &canonical).err())
                    .collect()
            });
            // One closed folder is no reason to leave the others unread.
            for error in met.unwrap_or_else(|error| vec![error]) {
                unread += 1;
                self.problems.insert(Problem::unread(&error));
            }
        }
        if walk.objects == 0 && unread == 0 {
            let (path, skipped) = (root.to_owned(), self.skipped.len() - skipped_before);
            return Err(Error::Empty { path, skipped });
        }
        Ok(())
    }

    fn meet(
        &mut self,
        walk: &mut Walk,
        entry: &Entry,
        folder: &Path,
        canonical_folder: &Path,
    ) -> Result<(), Error> {
        let path = folder.join(&entry.name);
        let canonical = entry.canonical(&path, canonical_folder);
        if let Some(reason) = no_log(&entry.name.to_string_lossy()) {
            self.skip(path, reason, canonical.ok());
            return Ok(());
        }
        let canonical = match canonical {
            Ok(canonical) => canonical,
            Err(source) if source.kind() == io::ErrorKind::PermissionDenied => {
                return Err(could_not_list(&path)(source));
            }
            Err(_) => {
                self.skip(path, "a link that leads nowhere", None);
                return Ok(());
            }
        };
        let metadata = path.metadata().map_err(could_not_list(&path))?;
        if metadata.is_dir() {
            if walk.seen.insert(canonical.clone()) {
                walk.folders.push((path, canonical));
            }
        } else if metadata.is_file() {
            walk.objects += 1;
            self.take(path, canonical, metadata.len());
        } else {
            self.skip(path, "neither a file nor a folder", Some(canonical));
        }
        Ok(())
    }

    fn skip(&mut self, path: PathBuf, reason: &'static str, canonical: Option<PathBuf>) {
        self.skipped.insert(path, Skipped { reason, canonical });
    }

    fn into_listing(self) -> Listing {
        let read = |skipped: &Skipped| {
            skipped
                .canonical
                .as_ref()
                .is_some_and(|canonical| self.files.contains_key(canonical))
        };
        let unread = self.skipped.iter().filter(|(_, skipped)| !read(skipped));
        let skipped = unread
            .map(|(path, skipped)| (path.clone(), skipped.reason))
            .collect();
        let mut objects: Vec<Object> = self
            .files
            .into_iter()
            .map(|(canonical, (path, size))| Object::listed(path, &canonical, size))
            .chain(self.stdin.then(Object::stdin))
            .collect();
        objects.sort_by(|a, b| {
            a.path
                .as_deref()
                .map(bytes)
                .cmp(&b.path.as_deref().map(bytes))
        });
        Listing {
            objects,
            skipped,
            problems: self.problems.into_iter().collect(),
        }
    }
}

struct Entry {
    name: std::ffi::OsString,
    link: bool,
}

impl Entry {
    /// Only links are resolved: the rest is known from the folder, at the cost of no call.
    fn canonical(&self, path: &Path, canonical_folder: &Path) -> io::Result<PathBuf> {
        if self.link {
            path.canonicalize()
        } else {
            Ok(canonical_folder.join(&self.name))
        }
    }
}

/// Sorted: of two links to one folder, the walk must not take the one that the file system happens to give.
fn entries(folder: &Path) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for entry in folder.read_dir().map_err(could_not_list(folder))? {
        let entry = entry.map_err(could_not_list(folder))?;
        let link = entry
            .file_type()
            .map_err(could_not_list(&entry.path()))?
            .is_symlink();
        entries.push(Entry {
            name: entry.file_name(),
            link,
        });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Why a file of this name, found in a folder, is no flow log.
fn no_log(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let stem = lower.strip_suffix(".gz").unwrap_or(&lower);
    let ends = |suffix: &str| stem.ends_with(suffix);
    match name {
        "_SUCCESS" => Some("a job's marker"),
        "aws-logs-write-test" => Some("the write test of CloudWatch Logs"),
        _ if name.starts_with('.') => Some("hidden"),
        _ if ends(".csv") => Some("a table, read only if it is named"),
        _ if lower.ends_with(".json") => Some("JSON, read only if it is named"),
        _ if lower.ends_with(".md") => Some("a note, not a flow log"),
        _ => None,
    }
}

fn could_not_list(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |source| Error::List {
        path: path.to_owned(),
        source,
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

#[cfg(test)]
mod tests;
