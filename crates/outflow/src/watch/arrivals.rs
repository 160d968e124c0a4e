//! What has arrived since the last look: in folders and below prefixes of S3 (`listed`), and in a queue (`queued`).

mod listed;
mod queued;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use outflow_ingest::{Cause, ListOptions, Object, Problem, Queue, S3, Source};
use outflow_lake::Lake;

use super::meters::Meters;
use super::stop::Stop;
use crate::voice::Voice;
use listed::Listed;
use queued::Queued;

/// How often an object, or a message that announces it, is tried. Then the one is left until the next start, and the
/// other set aside.
const TRIES_MAX: u32 = 5;

/// How long to wait before an object is tried again, each time longer.
const AGAIN_AFTER_SECS: u32 = 15;

/// Problems that are remembered as said. With more, all are forgotten, and said once more if they last.
const SAID_MAX: usize = 10_000;

/// Where to look.
pub(super) struct Arrivals {
    listed: Listed,
    queued: Option<Queued>,
    /// What was said of objects and folders that cannot be read, so that it is said once.
    said: BTreeMap<String, String>,
    /// Whether anything was damaged, refused or out of reach so far.
    is_spoilt: bool,
    voice: Voice,
}

/// What was found, and what is in the way of the rest.
#[derive(Default)]
pub(super) struct Found {
    pub(super) objects: Vec<Object>,
    pub(super) error: Option<anyhow::Error>,
}

/// What a look needs beside.
pub(super) struct Beside<'a> {
    pub(super) lake: &'a Lake,
    pub(super) meters: &'a Meters,
    pub(super) stop: &'a Stop,
}

impl Arrivals {
    /// `own` are places of the watch itself, in which it never looks.
    pub(super) fn new(
        sources: Vec<Source>,
        options: ListOptions,
        queue: Option<(Queue, S3)>,
        own: Vec<PathBuf>,
        voice: Voice,
    ) -> Self {
        let filter = options.filter.clone();
        Self {
            queued: queue.map(|(queue, s3)| Queued::new(queue, s3, filter, own.clone())),
            listed: Listed::new(sources, options, own),
            said: BTreeMap::new(),
            is_spoilt: false,
            voice,
        }
    }

    /// What is new, in the order of names. What one place is in the way of, the others do not wait for. With `is_last`, a
    /// file is not waited for: nobody will look again.
    pub(super) fn look(&mut self, is_last: bool, wait: Duration, beside: &Beside<'_>) -> Found {
        let mut found = Found::default();
        let problems = self.listed.look(is_last, beside.stop, &mut found);
        self.say(&problems);
        if let Some(queued) = self.queued.as_mut().filter(|_| !beside.stop.is_asked()) {
            let problems = queued.receive(wait, beside, &mut found);
            self.say(&problems);
        }
        // Sources may overlap, and S3 may announce an object twice; but another version is another object.
        let mut met = BTreeSet::new();
        found
            .objects
            .retain(|object| met.insert(listed::identity_of(object)));
        found
    }

    /// Notes what became of objects that were handed out: all of them are in the lake, but for those of `left`, of which
    /// `problems` tell why. The error is what lies in the way to some of them.
    pub(super) fn settle(
        &mut self,
        objects: &[Object],
        left: &BTreeSet<String>,
        problems: &[Problem],
        beside: &Beside<'_>,
    ) -> anyhow::Result<()> {
        self.say(problems);
        let mut causes: BTreeMap<&str, &Problem> = BTreeMap::new();
        for problem in problems.iter().filter(|of| left.contains(&of.uri)) {
            causes.insert(&problem.uri, problem);
        }
        let way = causes.values().find(|problem| problem.cause == Cause::Way);
        let way = way.map(|problem| anyhow::anyhow!(problem.reason.clone()));
        let outcome = |object: &Object| -> Outcome<'_> {
            if !left.contains(&object.uri) {
                return Outcome::Stored;
            }
            match causes.get(object.uri.as_str()) {
                Some(problem) => Outcome::Left(problem.cause, &problem.reason),
                // A copy of one that could not be read.
                None => Outcome::Left(
                    Cause::Way,
                    "it is a copy of an object that could not be read",
                ),
            }
        };
        self.listed.settle(objects, outcome);
        let settled = match &mut self.queued {
            Some(queued) => queued.settle(objects, outcome, beside),
            None => Ok(Vec::new()),
        };
        let set_aside = settled?;
        self.say(&set_aside);
        way.map_or(Ok(()), Err)
    }

    /// Objects that cannot be read, and are tried again or were given up.
    pub(super) fn failing(&self) -> usize {
        self.listed.failing()
    }

    /// Whether all that was looked at could be read to its end so far.
    pub(super) fn are_sound(&self) -> bool {
        !self.is_spoilt
    }

    /// Gives back all that is held: nobody will look again.
    pub(super) fn end(&mut self) {
        if let Some(queued) = &mut self.queued {
            queued.give_back_all();
        }
    }

    /// Says what is new of problems.
    fn say(&mut self, problems: &[Problem]) {
        self.is_spoilt |= !problems.is_empty();
        if self.said.len() > SAID_MAX {
            self.said.clear();
        }
        for problem in problems {
            let before = self
                .said
                .insert(problem.uri.clone(), problem.reason.clone());
            if before.as_ref() != Some(&problem.reason) {
                self.voice.error(&[&problem.reason], &problem.hint);
            }
        }
    }
}

/// What became of an object.
#[derive(Clone, Copy)]
enum Outcome<'a> {
    /// It is in the lake.
    Stored,
    /// It is not, for this reason.
    Left(Cause, &'a str),
}

fn again_after(tries: u32) -> Duration {
    Duration::from_secs(u64::from(AGAIN_AFTER_SECS.saturating_mul(tries.max(1))))
}
