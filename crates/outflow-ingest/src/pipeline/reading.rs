//! What was read, between reading and judging.

use std::borrow::Cow;
use std::sync::atomic::AtomicU64;

use outflow_detect::{SharedState, State};
use outflow_enrich::{HostBudget, PassiveDns};

use super::evidence::Ledger;
use super::queue::Queue;
use super::tally::Tally;
use super::worker::{Done, Worker};
use super::{Outcome, Progress, Read, Settings, WORKERS_MAX, duplicates, named_copies, threads};
use crate::{Object, Problem};

/// All that was read, added up: it can be judged by one policy after the other.
#[derive(Debug)]
pub struct Reading {
    pub(super) state: State,
    pub(super) tally: Tally,
    pub(super) ledger: Ledger,
    pub(super) names: PassiveDns,
    pub(super) problems: Vec<Problem>,
    pub(super) without_values: Vec<Problem>,
    pub(super) remarks: Vec<String>,
}

impl Reading {
    /// Reads all objects. Of the settings, policy and suppressions have no say in it.
    pub fn of(objects: &[Object], settings: &Settings, progress: &Progress) -> Self {
        let (objects, copies) = duplicates::without(objects);
        let queue = Queue::new(&objects);
        let entries = AtomicU64::new(0);
        let count = settings.workers.min(objects.len()).clamp(1, WORKERS_MAX);
        let shared = SharedState::default();
        let hosts = HostBudget::default();
        let work = || {
            let mut worker = Worker::new(settings, progress, &entries, &shared, hosts.clone());
            while let Some((object, fetched)) = queue.next() {
                worker.read(object, fetched);
            }
            worker.finish()
        };
        let workers: Vec<Done> = threads::on_each(count, work);
        let mut tally = Tally::default();
        tally.copies = copies.len() as u64;
        let mut sources = Vec::new();
        let (mut problems, mut without_values) = (Vec::new(), Vec::new());
        let mut names = PassiveDns::default();
        for done in workers {
            tally.merge(&done.tally);
            names.merge(&done.names);
            sources.push((done.sources, done.interfaces));
            problems.extend(done.problems);
            without_values.extend(done.without_values);
        }
        let mut ledger = Ledger::default();
        ledger.add(sources, entries.into_inner());
        Self {
            state: shared.into_state(),
            tally,
            ledger,
            names,
            problems,
            without_values,
            remarks: named_copies(copies.iter().map(|(copy, _)| copy)),
        }
    }

    /// Judges what was read. The settings must have the border, the time and the context that it was read with.
    pub fn outcome(&self, settings: &Settings) -> Outcome {
        let read = Read {
            tally: self.tally.clone(),
            ledger: &self.ledger,
            names: &self.names,
            problems: self.problems.clone(),
            without_values: self.without_values.clone(),
            remarks: self.remarks.clone(),
        };
        read.outcome(Cow::Borrowed(&self.state), settings)
    }

    /// As [`Reading::outcome`], once and for all.
    pub fn into_outcome(self, settings: &Settings) -> Outcome {
        let read = Read {
            tally: self.tally,
            ledger: &self.ledger,
            names: &self.names,
            problems: self.problems,
            without_values: self.without_values,
            remarks: self.remarks,
        };
        read.outcome(Cow::Owned(self.state), settings)
    }
}
