//! A queue in which S3 announces objects.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use outflow_ingest::{
    Cause, Filter, Notice, Object, Problem, Queue, QueueError, S3, announced, no_log,
};
use outflow_lake::{Error, Lake};

use super::listed::{identity_of, is_within};
use super::{Beside, Found, Outcome, TRIES_MAX, again_after};
use crate::clock;
use crate::watch::OBJECTS_MAX;

/// Messages that are held at most. More of them wait in the queue.
const HELD_MAX: usize = 2 * OBJECTS_MAX;

/// The longest that a look receives messages: findings of what it has wait for it.
const RECEIVE_MAX: Duration = Duration::from_secs(10);

/// Messages whose tries are remembered. With more, all are tried as if for the first time.
const TRIED_MAX: usize = 100_000;

/// Where messages are set aside, in the folder of the lake.
const SET_ASIDE: &str = "watch/set-aside";

/// A queue, and what is held of it.
pub(super) struct Queued {
    queue: Queue,
    s3: S3,
    filter: Filter,
    own: Vec<PathBuf>,
    /// By id.
    held: BTreeMap<String, Held>,
    /// How often the objects of a message could not be read. What a queue counts itself are also rounds that failed for
    /// other reasons.
    tries: BTreeMap<String, u32>,
}

/// A message whose objects are under way.
struct Held {
    notice: Notice,
    /// Those of which nothing is known yet.
    open: BTreeSet<(Vec<u8>, String)>,
    /// Why one of them could not be read.
    left: Option<(Cause, String)>,
}

impl Queued {
    pub(super) fn new(queue: Queue, s3: S3, filter: Filter, own: Vec<PathBuf>) -> Self {
        Self {
            queue,
            s3,
            filter,
            own,
            held: BTreeMap::new(),
            tries: BTreeMap::new(),
        }
    }

    /// Receives messages until there are none, or as many as a round reads; what was set aside.
    pub(super) fn receive(
        &mut self,
        wait: Duration,
        beside: &Beside<'_>,
        found: &mut Found,
    ) -> Vec<Problem> {
        let (began, mut wait) = (clock::now(), wait);
        let (mut objects, mut told) = (0, Vec::new());
        while objects < OBJECTS_MAX && self.held.len() < HELD_MAX && began.elapsed() < RECEIVE_MAX {
            let notices = match self.queue.receive(wait) {
                Ok(notices) => notices,
                Err(error) => {
                    found.error.get_or_insert(error.into());
                    break;
                }
            };
            if notices.is_empty() {
                break;
            }
            for notice in notices {
                match self.take(notice, beside) {
                    Ok((some, problem)) => {
                        objects += some.len();
                        found.objects.extend(some);
                        told.extend(problem);
                    }
                    Err(error) => {
                        found.error.get_or_insert(error);
                    }
                }
            }
            wait = Duration::ZERO;
            if found.error.is_some() || beside.stop.is_asked() {
                break;
            }
        }
        told
    }

    /// Takes a message: its objects, or what became of it. After an error it is given back.
    fn take(
        &mut self,
        notice: Notice,
        beside: &Beside<'_>,
    ) -> anyhow::Result<(Vec<Object>, Option<Problem>)> {
        let id = notice.id.clone();
        let (cause, reason) = match self.objects_of(&notice) {
            Ok(objects) if objects.is_empty() => {
                self.delete(&id)?;
                return Ok((objects, None));
            }
            Ok(objects) => {
                let held = Held {
                    notice,
                    open: objects.iter().map(identity_of).collect(),
                    left: None,
                };
                self.held.insert(id, held);
                return Ok((objects, None));
            }
            Err(unread) => unread,
        };
        let told = self.refuse(&notice, cause, &reason, beside)?;
        match cause {
            Cause::Way => Err(anyhow::anyhow!(reason)),
            _ => Ok((Vec::new(), told)),
        }
    }

    /// Gives a message back, or sets it aside if it was tried often enough, or never will be read.
    fn refuse(
        &mut self,
        notice: &Notice,
        cause: Cause,
        reason: &str,
        beside: &Beside<'_>,
    ) -> anyhow::Result<Option<Problem>> {
        if self.tries.len() > TRIED_MAX {
            self.tries.clear();
        }
        let tries = self.tries.entry(notice.id.clone()).or_default();
        *tries += u32::from(cause == Cause::Object);
        let is_final = cause == Cause::Version || *tries >= TRIES_MAX;
        let again = again_after(*tries);
        if !is_final {
            self.give_back(&notice.id, again);
            return Ok(None);
        }
        let set_aside = set_aside(beside.lake, notice, reason).inspect_err(|_| {
            // It is whole in the queue.
            self.give_back(&notice.id, again);
        })?;
        beside.meters.set_aside.inc();
        self.tries.remove(&notice.id);
        self.delete(&notice.id)?;
        Ok(Some(set_aside))
    }

    /// Notes what became of objects; what was set aside.
    pub(super) fn settle<'o>(
        &mut self,
        objects: &[Object],
        outcome: impl Fn(&Object) -> Outcome<'o>,
        beside: &Beside<'_>,
    ) -> anyhow::Result<Vec<Problem>> {
        let handed: BTreeMap<_, &Object> = objects.iter().map(|of| (identity_of(of), of)).collect();
        for held in self.held.values_mut() {
            let left = &mut held.left;
            held.open.retain(|key| {
                let Some(object) = handed.get(key) else {
                    return true;
                };
                if let Outcome::Left(cause, reason) = outcome(object) {
                    *left = Some((cause, reason.to_owned()));
                }
                false
            });
        }
        let (mut stored, mut told, mut failed) = (Vec::new(), Vec::new(), None);
        let done = self.held.extract_if(.., |_, held| held.open.is_empty());
        for (id, held) in done.collect::<Vec<_>>() {
            match held.left {
                None => stored.push(id),
                Some((cause, reason)) => match self.refuse(&held.notice, cause, &reason, beside) {
                    Ok(problem) => told.extend(problem),
                    Err(error) => failed = Some(error),
                },
            }
        }
        for id in &stored {
            self.tries.remove(id);
        }
        self.queue.delete(&stored)?;
        failed.map_or(Ok(told), Err)
    }

    /// Gives back all that is held.
    pub(super) fn give_back_all(&mut self) {
        for id in std::mem::take(&mut self.held).into_keys() {
            self.give_back(&id, Duration::ZERO);
        }
    }

    fn give_back(&self, id: &str, after: Duration) {
        if let Err(error) = self.queue.give_back(&[id.to_owned()], after) {
            tracing::warn!(%error, "a message comes again by itself, but later");
        }
    }

    fn delete(&self, id: &str) -> Result<(), QueueError> {
        self.queue.delete(&[id.to_owned()])
    }

    /// The objects that a message announces, of those that are wanted; or why it names nothing that can be read. One that
    /// is no announcement never will.
    fn objects_of(&self, notice: &Notice) -> Result<Vec<Object>, (Cause, String)> {
        let announced =
            announced(&notice.body).map_err(|error| (Cause::Version, error.to_string()))?;
        let mut objects = Vec::new();
        for of in announced {
            let name = of.key.rsplit('/').next().unwrap_or_default();
            let uri = format!("s3://{}/{}", of.bucket, of.key);
            let is_own = is_within(Path::new(&uri), &self.own);
            if name.is_empty() || no_log(name).is_some() || is_own || !self.filter.has_key(&uri) {
                continue;
            }
            let object = self.s3.announced(&of).map_err(|error| {
                let cause = match error.is_of_way() {
                    true => Cause::Way,
                    false => Cause::Object,
                };
                (cause, format!("`{uri}`: {error}"))
            })?;
            let object = Object::in_s3(object);
            let owner = (object.account_id.as_deref(), object.region.as_deref());
            if self.filter.has_owner(owner.0, owner.1) {
                objects.push(object);
            }
        }
        Ok(objects)
    }
}

/// Writes a message down in the lake, with the reason.
fn set_aside(lake: &Lake, notice: &Notice, reason: &str) -> Result<Problem, Error> {
    let name = format!("{SET_ASIDE}/{}.json", notice.id);
    let told = serde_json::json!({
        "id": notice.id,
        "received": notice.received,
        "reason": reason,
        "body": notice.body,
    });
    lake.keep(&name, told.to_string().into_bytes())?;
    Ok(Problem {
        uri: name.clone(),
        reason: format!("a message of the queue was set aside: {reason}"),
        hint: format!(
            "it is kept as `{name}` in the lake; put it into the queue again once it can be read"
        ),
        cause: Cause::Object,
    })
}
