//! Folders, and prefixes of S3, listed again and again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use outflow_ingest::{Cause, Error, ListOptions, Listing, Object, Problem, Source, list_with};
use outflow_record::Timestamp;

use super::{Found, Outcome, Stop, TRIES_MAX, again_after};
use crate::clock;

/// How often a prefix of S3 is listed as a whole; in between, only its last days are.
const WHOLE_LIST_SECS: i64 = 86_400;

/// Days back to which it is listed otherwise.
const RECENT_SECS: i64 = 2 * 86_400;

/// How long a file must not have been written to before it is taken for whole. Only renaming it into place is sure.
const SETTLED_SECS: i64 = 10;

/// How often who waits for a list looks whether the end was asked for.
const ASKED_EVERY: Duration = Duration::from_millis(100);

/// Places, and what was seen there. It is as large as what they hold: a list of that is in memory, too.
pub(super) struct Listed {
    sources: Vec<(Source, Whole)>,
    options: ListOptions,
    own: Vec<PathBuf>,
    /// By name, which for files need not be a text.
    seen: BTreeMap<Vec<u8>, Seen>,
    /// Counts the looks, to tell what was seen in the last one.
    look: u64,
}

/// When a source was last listed as a whole, Unix seconds.
#[derive(Default)]
struct Whole(i64);

/// An object that was seen, in the version that this tells.
struct Seen {
    version: String,
    stands: Stands,
    look: u64,
}

enum Stands {
    /// A file that may still grow.
    Growing,
    /// It was handed out, for the time after so many.
    Handed(u32),
    /// It is in the lake, or never will be.
    Done,
    /// It could not be read so often, and is tried again at this time.
    Failed(u32, i64, Box<Object>),
}

/// Lists a place, unless the end is asked for meanwhile: a prefix may hold millions of objects. Who lists then goes on until
/// the process ends, and nobody hears of it.
fn list_until(
    stop: &Stop,
    source: &Source,
    options: ListOptions,
) -> Option<Result<Listing, Error>> {
    if !matches!(source, Source::S3(_)) {
        return Some(list_with(std::slice::from_ref(source), &options));
    }
    let (tell, told) = mpsc::sync_channel(1);
    let (own, own_options) = (source.clone(), options.clone());
    let list = move || {
        // Nobody listens any more if the end was asked for.
        let _ = tell.send(list_with(std::slice::from_ref(&own), &own_options));
    };
    let started = thread::Builder::new()
        .name("outflow-list".to_owned())
        .spawn(list);
    if let Err(error) = started {
        tracing::debug!(%error, "the system starts no more threads: the end waits for the list");
        return Some(list_with(std::slice::from_ref(source), &options));
    }
    loop {
        match told.recv_timeout(ASKED_EVERY) {
            Ok(listing) => return Some(listing),
            Err(mpsc::RecvTimeoutError::Timeout) if !stop.is_asked() => {}
            Err(_) => return None,
        }
    }
}

impl Listed {
    pub(super) fn new(sources: Vec<Source>, options: ListOptions, own: Vec<PathBuf>) -> Self {
        Self {
            sources: sources
                .into_iter()
                .map(|of| (of, Whole::default()))
                .collect(),
            options,
            own,
            seen: BTreeMap::new(),
            look: 0,
        }
    }

    /// Adds what is new; what is wrong with folders.
    pub(super) fn look(&mut self, is_last: bool, stop: &Stop, found: &mut Found) -> Vec<Problem> {
        let now = clock::unix_secs();
        self.look += 1;
        let (mut problems, mut all_whole) = (Vec::new(), true);
        for (source, whole) in &mut self.sources {
            let mut options = self.options.clone();
            let is_whole = now.saturating_sub(whole.0) >= WHOLE_LIST_SECS;
            if !is_whole {
                let recent = Timestamp(now - RECENT_SECS);
                let since = options
                    .filter
                    .since
                    .map_or(recent, |since| since.max(recent));
                options.filter.since = Some(since);
            }
            all_whole &= is_whole || matches!(source, Source::Path(_));
            let listing = match list_until(stop, source, options) {
                // What is left is looked for by the next watch.
                None => return problems,
                Some(Ok(listing)) => listing,
                // Something may arrive.
                Some(Err(Error::Empty { .. } | Error::AllLeftOut { .. })) => continue,
                Some(Err(error)) => {
                    all_whole = false;
                    found.error.get_or_insert(error.into());
                    continue;
                }
            };
            if is_whole && listing.problems.is_empty() {
                whole.0 = now;
            }
            all_whole &= listing.problems.is_empty();
            problems.extend(listing.problems);
            for object in listing.objects {
                if is_new(
                    &mut self.seen,
                    &object,
                    &self.own,
                    (self.look, is_last, now),
                ) {
                    found.objects.push(object);
                }
            }
        }
        // Those that are not listed any more, or not among the last days.
        for seen in self.seen.values_mut() {
            if let Stands::Failed(tries, at, object) = &seen.stands
                && *at <= now
                && *tries < TRIES_MAX
            {
                found.objects.push((**object).clone());
                seen.stands = Stands::Handed(*tries);
            }
        }
        if all_whole {
            let look = self.look;
            self.seen.retain(|_, seen| {
                let is_over = match seen.stands {
                    Stands::Done | Stands::Growing => true,
                    Stands::Handed(_) => false,
                    Stands::Failed(tries, ..) => tries >= TRIES_MAX,
                };
                seen.look == look || !is_over
            });
        }
        problems
    }

    /// Notes what became of objects.
    pub(super) fn settle<'o>(
        &mut self,
        objects: &[Object],
        outcome: impl Fn(&Object) -> Outcome<'o>,
    ) {
        let now = clock::unix_secs();
        for object in objects {
            let Some(seen) = self.seen.get_mut(&key_of(object)) else {
                continue;
            };
            let Stands::Handed(tries) = seen.stands else {
                continue;
            };
            let again = |tries: u32, of: u32| {
                let secs = i64::try_from(again_after(of).as_secs()).unwrap_or(i64::MAX);
                Stands::Failed(tries, now.saturating_add(secs), Box::new(object.clone()))
            };
            seen.stands = match outcome(object) {
                Outcome::Stored | Outcome::Left(Cause::Version, _) => Stands::Done,
                Outcome::Left(Cause::Way, _) => again(tries, 1),
                Outcome::Left(Cause::Object, _) => again(tries + 1, tries + 1),
            };
        }
    }

    /// Objects that could not be read when they were last tried.
    pub(super) fn failing(&self) -> usize {
        let stands = self.seen.values().map(|seen| &seen.stands);
        stands.filter(|of| matches!(of, Stands::Failed(..))).count()
    }
}

/// Whether an object is to be read now.
fn is_new(
    seen: &mut BTreeMap<Vec<u8>, Seen>,
    object: &Object,
    own: &[PathBuf],
    (look, is_last, now): (u64, bool, i64),
) -> bool {
    let (key, version) = identity_of(object);
    if let Some(known) = seen.get_mut(&key).filter(|known| known.version == version) {
        known.look = look;
        if !matches!(known.stands, Stands::Growing) {
            return false;
        }
    }
    let is_own = match &object.path {
        Some(path) => is_within(path.canonicalize().as_deref().unwrap_or(path), own),
        None => is_within(Path::new(&object.uri), own),
    };
    let stands = if is_own {
        Stands::Done
    } else if is_last || object.s3.is_some() || is_settled(object, now) {
        // What S3 has is whole.
        Stands::Handed(0)
    } else {
        Stands::Growing
    };
    let is_new = matches!(stands, Stands::Handed(_));
    seen.insert(
        key,
        Seen {
            version,
            stands,
            look,
        },
    );
    is_new
}

/// Whether a file holds something, and was not written to lately.
fn is_settled(object: &Object, now: i64) -> bool {
    let metadata = object.path.as_ref().and_then(|path| path.metadata().ok());
    metadata.is_some_and(|of| {
        let written = of
            .modified()
            .ok()
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let written = written.and_then(|since| i64::try_from(since.as_secs()).ok());
        of.len() > 0 && written.is_none_or(|at| now.saturating_sub(at) >= SETTLED_SECS)
    })
}

/// Whether a resolved path, or the address of an object in S3, lies in one of these.
pub(super) fn is_within(path: &Path, places: &[PathBuf]) -> bool {
    places.iter().any(|place| path.starts_with(place))
}

/// What tells an object, in its version, from all others.
pub(super) fn identity_of(object: &Object) -> (Vec<u8>, String) {
    (key_of(object), version_of(object))
}

/// What an object is known by.
fn key_of(object: &Object) -> Vec<u8> {
    let path = object.path.as_ref();
    path.map_or(object.uri.as_bytes(), |path| {
        path.as_os_str().as_encoded_bytes()
    })
    .to_vec()
}

/// What changes with an object's content.
fn version_of(object: &Object) -> String {
    if let Some(s3) = &object.s3 {
        return s3.etag().unwrap_or_default().to_owned();
    }
    let written = object.path.as_ref().and_then(|path| path.metadata().ok());
    let written = written.map(|of| (of.len(), of.modified().ok()));
    format!("{written:?}")
}

#[cfg(test)]
mod tests;
