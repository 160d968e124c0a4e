//! From sources to the objects to read, in an order that no file system decides.
//!
//! Nothing is left out silently: what is found in a folder and is no flow log is listed with the reason.
//! Links are followed; every file counts once, however many ways lead to it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::{Error, Filter, Object, Place, Problem, S3, S3Options, Source};

/// What the sources hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Objects to read, by the bytes of their paths or URIs; standard input first.
    pub objects: Vec<Object>,
    /// What was found and is not read, and why.
    pub skipped: Vec<(PathBuf, &'static str)>,
    /// Folders and entries that could not be looked into: what is below them is missing from `objects`.
    pub problems: Vec<Problem>,
    /// Objects, and folders of S3 with all that is in them, of which the filter wants nothing.
    pub left_out: u64,
    /// Requests for lists that S3 was sent.
    pub list_requests: u64,
}

/// What to list, and how to reach S3.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListOptions {
    /// What is wanted of the sources.
    pub filter: Filter,
    /// Used only if a source is in S3.
    pub s3: S3Options,
}

/// Lists all that the sources hold, as [`list_with`] does without options.
///
/// # Errors
/// As for [`list_with`].
pub fn list(sources: &[Source]) -> Result<Listing, Error> {
    list_with(sources, &ListOptions::default())
}

/// Lists what the sources hold and the filter wants. It wants what a name does not tell, and of files every time.
///
/// # Errors
/// [`Error::Missing`] for a path that does not exist, [`Error::List`] for a source that cannot be looked into,
/// [`Error::Empty`] for a folder without any object, [`Error::Connect`] if there are no credentials for S3 and
/// [`Error::AllLeftOut`] if the filter leaves nothing. What cannot be looked into below a folder is a [`Problem`] of
/// the listing.
pub fn list_with(sources: &[Source], options: &ListOptions) -> Result<Listing, Error> {
    let mut found = Found::default();
    for source in sources {
        match source {
            Source::Stdin => found.stdin = true,
            Source::Path(path) => found.take_named(path)?,
            Source::S3(place) => found.take_s3(place, options)?,
        }
    }
    found.into_listing(&options.filter)
}

/// A file by the name under which it is reported, and its size.
type Named = (PathBuf, u64);

#[derive(Default)]
struct Found {
    stdin: bool,
    /// By canonical path, so that a file reached twice is one.
    files: BTreeMap<PathBuf, Named>,
    /// One connection for all sources in S3.
    s3: Option<S3>,
    /// By URI.
    in_s3: BTreeMap<String, Object>,
    passed: u64,
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
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
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

    fn take_s3(&mut self, place: &Place, options: &ListOptions) -> Result<(), Error> {
        let s3 = match &self.s3 {
            Some(s3) => s3.clone(),
            None => S3::connect(&options.s3).map_err(|source| Error::Connect {
                source: Box::new(source),
            })?,
        };
        self.s3 = Some(s3.clone());
        let unlisted = |uri: &str, error| could_not_list(Path::new(uri))(io::Error::other(error));
        let uri = format!("s3://{}/{}", place.bucket, place.prefix);
        let found = s3
            .list(place, &options.filter)
            .map_err(|error| unlisted(&uri, error))?;
        let skipped_before = self.skipped.len();
        let (whole, mut objects) = (found.unlisted.is_empty(), 0);
        for (uri, error) in found.unlisted {
            self.problems
                .insert(Problem::unread(&unlisted(&uri, error)));
        }
        for object in found.objects.into_iter().map(Object::in_s3) {
            let name = object.uri.rsplit('/').next().unwrap_or_default();
            match no_log(name) {
                // An object named explicitly is taken whatever it is called.
                Some(reason) if object.uri != uri => {
                    self.skip(PathBuf::from(&object.uri), reason, None);
                }
                _ if name.is_empty() => {
                    self.skip(PathBuf::from(&object.uri), "the marker of a folder", None);
                }
                _ => {
                    objects += 1;
                    self.in_s3.insert(object.uri.clone(), object);
                }
            }
        }
        self.passed += found.passed;
        if objects == 0 && found.passed == 0 && whole {
            let skipped = self.skipped.len() - skipped_before;
            let path = PathBuf::from(uri);
            return Err(Error::Empty { path, skipped });
        }
        Ok(())
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

    fn into_listing(self, filter: &Filter) -> Result<Listing, Error> {
        let read = |path: &Path, skipped: &Skipped| {
            let canonical = skipped.canonical.as_ref();
            canonical.is_some_and(|canonical| self.files.contains_key(canonical))
                || path
                    .to_str()
                    .is_some_and(|uri| self.in_s3.contains_key(uri))
        };
        let unread = self.skipped.iter();
        let unread = unread.filter(|(path, skipped)| !read(path, skipped));
        let skipped = unread
            .map(|(path, skipped)| (path.clone(), skipped.reason))
            .collect();
        let mut objects: Vec<Object> = self
            .files
            .into_iter()
            .map(|(canonical, (path, size))| Object::listed(path, &canonical, size))
            .chain(self.in_s3.into_values())
            .chain(self.stdin.then(Object::stdin))
            .collect();
        let found = objects.len();
        // In a bucket reading costs; of files, the time is left to their records.
        objects.retain(|object| {
            let (account, region) = (object.account_id.as_deref(), object.region.as_deref());
            filter.has_owner(account, region)
                && (object.s3.is_none() || filter.has_key(&object.uri))
        });
        let left_out = self.passed + (found - objects.len()) as u64;
        if objects.is_empty() && left_out > 0 && self.problems.is_empty() {
            return Err(Error::AllLeftOut { left_out });
        }
        objects.sort_by(|a, b| place(a).cmp(&place(b)));
        Ok(Listing {
            objects,
            skipped,
            problems: self.problems.into_iter().collect(),
            left_out,
            list_requests: self.s3.map_or(0, |s3| s3.lists()),
        })
    }
}

/// What objects are put in order by.
fn place(object: &Object) -> Option<&[u8]> {
    let in_s3 = object.s3.as_ref().map(|_| object.uri.as_bytes());
    object.path.as_deref().map(bytes).or(in_s3)
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

/// Why a file of this name, found in a folder or announced, is no flow log; none if it may be one.
pub fn no_log(name: &str) -> Option<&'static str> {
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
