//! What has arrived since the last look: in folders, below prefixes of S3, and in a queue.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use outflow_ingest::{
    Filter, ListOptions, Notice, Object, Problem, Queue, S3, Source, announced, list_with, no_log,
};
use outflow_lake::Lake;
use outflow_record::Timestamp;

use super::meters::Meters;
use crate::clock;
use crate::voice::Voice;

/// Objects that are remembered as seen. With more, all are forgotten and looked up in the journal of the lake again.
const SEEN_MAX: usize = 1 << 20;

/// How often a prefix of S3 is listed as a whole; in between, only its last days are.
const WHOLE_LIST_SECS: i64 = 86_400;

/// Days back to which it is listed otherwise.
const RECENT_SECS: i64 = 2 * 86_400;

/// How often an object, or a message that announces it, is tried. Then the one is left until the next start, and the
/// other set aside.
const TRIES_MAX: u32 = 5;

/// How long to wait before an object is tried again, each time longer.
const AGAIN_AFTER_SECS: u32 = 15;

/// Where messages are set aside, in the folder of the lake.
const SET_ASIDE: &str = "watch/set-aside";

/// Where to look.
pub(super) struct Arrivals {
    sources: Vec<Source>,
    options: ListOptions,
    queue: Option<(Queue, S3)>,
    /// Those that were seen, by name.
    seen: BTreeMap<String, Seen>,
    whole_list_at: i64,
    /// Messages that are held, and the names of what they announce.
    held: BTreeMap<String, (Notice, BTreeSet<String>)>,
    voice: Voice,
}

/// An object that was seen, in the version that this tells.
struct Seen {
    version: String,
    stands: Stands,
}

enum Stands {
    /// It was there at the last look; a file may still grow.
    Growing,
    /// It was handed out.
    Read,
    /// It could not be read so often, and is tried again at this time.
    Failed(u32, i64),
}

impl Arrivals {
    pub(super) fn new(
        sources: Vec<Source>,
        options: ListOptions,
        queue: Option<(Queue, S3)>,
        voice: Voice,
    ) -> Self {
        Self {
            sources,
            options,
            queue,
            seen: BTreeMap::new(),
            whole_list_at: 0,
            held: BTreeMap::new(),
            voice,
        }
    }

    /// What is new, in the order of names. With `is_last`, a file is not waited for: nobody will look again.
    pub(super) fn look(
        &mut self,
        is_last: bool,
        wait: Duration,
        (lake, meters): (&Lake, &Meters),
    ) -> anyhow::Result<Vec<Object>> {
        let mut new = self.list(is_last)?;
        new.extend(self.receive(wait, (lake, meters))?);
        // Sources may overlap, and S3 may announce an object twice.
        new.sort_by(|a: &Object, b| a.uri.cmp(&b.uri));
        new.dedup_by(|a, b| a.uri == b.uri);
        Ok(new)
    }

    fn list(&mut self, is_last: bool) -> anyhow::Result<Vec<Object>> {
        let now = clock::unix_secs();
        if self.sources.is_empty() {
            return Ok(Vec::new());
        }
        let mut options = self.options.clone();
        if now.saturating_sub(self.whole_list_at) < WHOLE_LIST_SECS {
            let recent = Timestamp(now - RECENT_SECS);
            let since = options
                .filter
                .since
                .map_or(recent, |since| since.max(recent));
            options.filter.since = Some(since);
        } else {
            self.whole_list_at = now;
        }
        if self.seen.len() > SEEN_MAX {
            self.seen.clear();
        }
        let mut new = Vec::new();
        for source in &self.sources {
            let listing = match list_with(std::slice::from_ref(source), &options) {
                Ok(listing) => listing,
                // Something may arrive.
                Err(
                    outflow_ingest::Error::Empty { .. } | outflow_ingest::Error::AllLeftOut { .. },
                ) => continue,
                Err(error) => return Err(error.into()),
            };
            for problem in &listing.problems {
                self.voice.error(&[&problem.reason], &problem.hint);
            }
            for object in listing.objects {
                if is_new(&mut self.seen, &object, is_last, now) {
                    new.push(object);
                }
            }
        }
        Ok(new)
    }

    /// Receives messages until there are none, or as many as are held at most.
    fn receive(
        &mut self,
        wait: Duration,
        (lake, meters): (&Lake, &Meters),
    ) -> anyhow::Result<Vec<Object>> {
        let mut new = Vec::new();
        let Some((queue, s3)) = &self.queue else {
            return Ok(new);
        };
        let mut wait = wait;
        loop {
            let notices = queue.receive(wait)?;
            if notices.is_empty() {
                return Ok(new);
            }
            wait = Duration::ZERO;
            let mut done = Vec::new();
            for notice in notices {
                match objects_of(&notice, s3, &self.options.filter) {
                    Ok(objects) if objects.is_empty() => done.push(notice.id),
                    Ok(objects) => {
                        let names = objects.iter().map(|object| object.uri.clone()).collect();
                        self.held.insert(notice.id.clone(), (notice, names));
                        new.extend(objects);
                    }
                    Err(Unread::For(reason)) => {
                        set_aside(lake, &notice, &reason, self.voice)?;
                        meters.set_aside.inc();
                        done.push(notice.id);
                    }
                    Err(Unread::Yet(reason)) if notice.received >= TRIES_MAX => {
                        set_aside(lake, &notice, &reason, self.voice)?;
                        meters.set_aside.inc();
                        done.push(notice.id);
                    }
                    Err(Unread::Yet(reason)) => {
                        self.voice.error(&[&reason], "it is tried again");
                        queue.give_back(&[notice.id], again_after(notice.received))?;
                    }
                }
            }
            queue.delete(&done)?;
            if new.len() >= super::OBJECTS_MAX {
                return Ok(new);
            }
        }
    }

    /// Notes what became of objects that were handed out: all of them are in the lake, but for those of `left`, for
    /// which `problems` may tell why.
    pub(super) fn settle(
        &mut self,
        objects: &[Object],
        left: &BTreeSet<String>,
        problems: &[Problem],
        (lake, meters): (&Lake, &Meters),
    ) -> anyhow::Result<()> {
        let now = clock::unix_secs();
        for uri in objects.iter().map(|object| &object.uri) {
            let Some(seen) = self.seen.get_mut(uri).filter(|_| left.contains(uri)) else {
                continue;
            };
            let tries = match seen.stands {
                Stands::Failed(tries, _) => tries + 1,
                Stands::Growing | Stands::Read => 1,
            };
            let at = now.saturating_add(i64::from(AGAIN_AFTER_SECS.saturating_mul(tries)));
            seen.stands = Stands::Failed(tries, at);
        }
        let Some((queue, _)) = &self.queue else {
            return Ok(());
        };
        let handed: BTreeSet<&String> = objects.iter().map(|object| &object.uri).collect();
        let mut done = Vec::new();
        self.held.retain(|id, (notice, names)| {
            let is_of_another_round = names.iter().any(|name| !handed.contains(name));
            if is_of_another_round {
                return true;
            }
            done.push((id.clone(), notice.clone(), names.clone()));
            false
        });
        let mut stored = Vec::new();
        for (id, notice, names) in done {
            let unread = names.iter().find(|name| left.contains(*name));
            let Some(unread) = unread else {
                stored.push(id);
                continue;
            };
            if notice.received < TRIES_MAX {
                queue.give_back(&[id], again_after(notice.received))?;
                continue;
            }
            let told = problems.iter().find(|problem| problem.uri == *unread);
            let reason = told.map_or("it could not be read", |problem| &problem.reason);
            set_aside(lake, &notice, reason, self.voice)?;
            meters.set_aside.inc();
            stored.push(id);
        }
        queue.delete(&stored)?;
        Ok(())
    }

    /// Gives back all that was handed out and not settled.
    pub(super) fn give_back(&mut self, objects: &[Object]) {
        for object in objects {
            self.seen.remove(&object.uri);
        }
        let held = std::mem::take(&mut self.held);
        if let Some((queue, _)) = &self.queue {
            let ids: Vec<String> = held.into_keys().collect();
            let after = Duration::from_secs(u64::from(AGAIN_AFTER_SECS));
            if let Err(error) = queue.give_back(&ids, after) {
                tracing::warn!(%error, "messages come again by themselves, but later");
            }
        }
    }
}

fn again_after(tries: u32) -> Duration {
    Duration::from_secs(u64::from(AGAIN_AFTER_SECS.saturating_mul(tries)))
}

/// Whether an object is to be read now.
fn is_new(seen: &mut BTreeMap<String, Seen>, object: &Object, is_last: bool, now: i64) -> bool {
    let version = version_of(object);
    // What S3 has is whole.
    let is_whole = object.s3.is_some() || is_last;
    let known = seen
        .get(&object.uri)
        .filter(|known| known.version == version);
    let is_new = match known.map(|known| &known.stands) {
        None => is_whole,
        Some(Stands::Growing) => true,
        Some(Stands::Read) => false,
        Some(Stands::Failed(tries, at)) => *tries < TRIES_MAX && *at <= now,
    };
    let tries = match known.map(|known| &known.stands) {
        Some(Stands::Failed(tries, _)) => *tries,
        _ => 0,
    };
    let stands = match (is_new, known.is_some()) {
        (true, _) if tries > 0 => Stands::Failed(tries, i64::MAX),
        (true, _) => Stands::Read,
        (false, true) => return false,
        (false, false) => Stands::Growing,
    };
    seen.insert(object.uri.clone(), Seen { version, stands });
    is_new
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

/// Why a message names nothing that can be read.
enum Unread {
    /// It never will.
    For(String),
    /// It may at another time.
    Yet(String),
}

/// The objects that a message announces, of those that are wanted.
fn objects_of(notice: &Notice, s3: &S3, filter: &Filter) -> Result<Vec<Object>, Unread> {
    let announced = announced(&notice.body).map_err(|error| Unread::For(error.to_string()))?;
    let mut objects = Vec::new();
    for of in announced {
        let name = of.key.rsplit('/').next().unwrap_or_default();
        if name.is_empty() || no_log(name).is_some() {
            continue;
        }
        let object = s3
            .announced(&of)
            .map_err(|error| Unread::Yet(format!("`s3://{}/{}`: {error}", of.bucket, of.key)))?;
        let object = Object::in_s3(object);
        if filter.has_owner(object.account_id.as_deref(), object.region.as_deref()) {
            objects.push(object);
        }
    }
    Ok(objects)
}

/// Writes a message down in the lake, with the reason.
fn set_aside(lake: &Lake, notice: &Notice, reason: &str, voice: Voice) -> anyhow::Result<()> {
    let name = format!("{SET_ASIDE}/{}.json", notice.id);
    let told = serde_json::json!({
        "id": notice.id,
        "received": notice.received,
        "reason": reason,
        "body": notice.body,
    });
    lake.keep(&name, told.to_string().into_bytes())?;
    voice.error(
        &[&format!("a message of the queue was set aside: {reason}")],
        &format!(
            "it is kept as `{name}` in the lake; put it into the queue again once it can be read"
        ),
    );
    Ok(())
}
