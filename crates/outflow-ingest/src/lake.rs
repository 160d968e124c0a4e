//! Objects into the tables of a lake, each once.
//!
//! ```text
//! objects ── journal: which are new ──► batches ──workers: decode, enrich, sort, encode──► files ──commit──► lake
//!               ▲                                                                                   │
//!               └──── overtaken: another has read some of them meanwhile ◄──────────────────────────┘
//! ```

mod files;
mod handing;
mod identity;
mod known;
mod loader;
mod rehash;
mod rows;
mod scan;
pub(crate) mod sources;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use outflow_enrich::{DestinationGroups, KnownDestinations, Networks, PassiveDns};
use outflow_finding::Accounts;
use outflow_lake::{
    Batch, Committed, EncodeError, Encoded, Error, FileWriter, Journal, Known, Lake, SourceId,
    Table,
};
use outflow_record::Format;

use crate::pipeline::duplicates;
use crate::pipeline::knowledge;
use crate::pipeline::queue::Queue;
use crate::pipeline::tally::Tally;
use crate::pipeline::threads;
use crate::{Context, Object, Problem, Progress};
use files::{Files, Held};
use identity::Identity;
use loader::{Loaded, Loader, Sink};
use sources::SourceRow;

pub use rehash::{Rehashed, rehash};
pub use scan::{Named, Scan};

/// Bytes, as stored, of the objects of a batch at most, but for the last of them: what is read again if the machine dies,
/// and some twenty seconds of work for one.
const BATCH_STORED_BYTES_MAX: u64 = 1 << 30;

/// Objects of a batch at most. Small ones end in few files that way; ids of as many are held in memory.
const BATCH_OBJECTS_MAX: usize = 20_000;

/// Threads at most. Each holds rows in memory.
const WORKERS_MAX: usize = 64;

/// How to read, and what to add.
#[derive(Debug, Clone, Default)]
pub struct IngestSettings {
    /// The border.
    pub networks: Networks,
    /// The format of objects that have no header.
    pub format: Option<Format>,
    /// What is known of addresses and interfaces from elsewhere.
    pub context: Arc<Context>,
    /// Threads that read; at least one, at most 64.
    pub workers: usize,
    /// What is written, of a lake of the moment that only one question is asked; all, if nothing is said. All is read and
    /// counted nonetheless, and what was read is in `sources`.
    pub wanted: Option<Wanted>,
}

/// Tables, and which of their columns are wanted. Of tables other than `flows` all columns are written.
pub type Wanted = BTreeMap<Table, BTreeSet<String>>;

/// What a run brought into a lake.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ingested {
    /// The books of what was committed.
    pub accounts: Accounts,
    /// Objects that were in the lake already.
    pub known: u64,
    /// Batches committed.
    pub batches: u64,
    /// Objects that are damaged, could not be read or hold nothing, by name.
    pub problems: Vec<Problem>,
    /// Names of objects of which nothing is in the lake, and of copies of such: another run may read them.
    pub left: BTreeSet<String>,
    /// Names of objects that were not begun with, as the run was asked to end.
    pub unread: BTreeSet<String>,
    /// Remarks on the run as a whole.
    pub remarks: Vec<String>,
}

/// Reads what of these objects is not in the lake yet, and commits it.
///
/// An object that cannot be read is a [`Problem`] and no end of the run. It stays out of the journal, so that the next
/// run reads it. One that is damaged is in the lake as far as it could be read. Once `is_ending` of its progress is set, no
/// object is begun with any more, and what was read to its end is committed.
///
/// # Errors
/// What [`Lake::commit`] returns. What was committed until then stays, and a new run goes on behind it.
pub fn ingest(
    objects: &[Object],
    settings: &IngestSettings,
    lake: &Lake,
    progress: &Progress,
) -> Result<Ingested, Error> {
    let (objects, copies) = duplicates::without(objects);
    let mut run = Run {
        settings,
        lake,
        progress,
        tally: Tally::default(),
        done: Ingested::default(),
        destinations: Arc::default(),
    };
    run.name_destinations();
    run.tally.copies = copies.len() as u64;
    let wanted = run.wanted(&objects, &lake.journal()?);
    for batch in batches(wanted) {
        run.load(batch)?;
    }
    // A copy of what could not be read was not read either.
    for (copy, first) in copies {
        let done = &mut run.done;
        for set in [&mut done.left, &mut done.unread] {
            if set.contains(&first) {
                set.insert(copy.clone());
            }
        }
    }
    Ok(run.finish())
}

/// An object, and what it is known by.
type Source = (Object, Identity);

struct Run<'a> {
    settings: &'a IngestSettings,
    lake: &'a Lake,
    progress: &'a Progress,
    tally: Tally,
    done: Ingested,
    destinations: Arc<DestinationGroups>,
}

impl Run<'_> {
    /// Finds out which destinations have names. Those that answers tell are not among them: answers may come later.
    fn name_destinations(&mut self) {
        match destinations(&self.settings.context) {
            Ok(known) => self.destinations = known,
            Err(remark) => self.done.remarks.push(remark),
        }
    }

    /// What is to be read.
    fn wanted(&mut self, objects: &[Object], journal: &Journal) -> Vec<Source> {
        let mut wanted = Vec::new();
        for object in objects {
            let identity = match Identity::of(object) {
                Ok(identity) => identity,
                Err(problem) => {
                    self.refuse(*problem);
                    continue;
                }
            };
            match journal.known(identity.name_id, identity.source_id) {
                Known::New => wanted.push((object.clone(), identity)),
                Known::Read => self.done.known += 1,
                Known::Changed => self.refuse(Problem::changed(object)),
            }
        }
        wanted
    }

    fn refuse(&mut self, problem: Problem) {
        self.tally.objects += 1;
        self.tally.damaged += 1;
        self.done.left.insert(problem.uri.clone());
        self.done.problems.push(problem);
    }

    /// Reads a batch and commits it, without what others read meanwhile and what cannot be read to its end.
    fn load(&mut self, mut sources: Vec<Source>) -> Result<(), Error> {
        while !sources.is_empty() {
            let (mut loaded, unread) = self.read(&sources)?;
            if !unread.is_empty() {
                sources.retain(|(object, _)| !unread.contains(&object.uri));
                self.done.unread.extend(unread);
            }
            let unfinished = std::mem::take(&mut loaded.cut_off);
            if !unfinished.is_empty() {
                // Some of their rows are in files.
                self.lake.discard(&loaded.files);
                let (cut, rest) = sources
                    .into_iter()
                    .partition(|(_, id)| unfinished.contains_key(&id.source_id));
                sources = rest;
                let cut: Vec<Source> = cut;
                for (_, identity) in &cut {
                    if let Some(problem) = unfinished.get(&identity.source_id) {
                        self.refuse(problem.clone());
                    }
                }
                continue;
            }
            // Nothing could be read: there is nothing to commit.
            let committed = if loaded.sources.is_empty() {
                None
            } else {
                Some(self.commit(&mut loaded)?)
            };
            match committed {
                None | Some(Committed::Done { .. }) => {
                    self.tally.merge(&loaded.tally);
                    self.done.problems.append(&mut loaded.problems);
                    self.done.left.append(&mut loaded.left);
                    self.done.batches += u64::from(committed.is_some());
                    return Ok(());
                }
                Some(Committed::Overtaken(names)) => {
                    self.lake.discard(&loaded.files);
                    let names: HashSet<SourceId> = names.into_iter().collect();
                    let before = sources.len();
                    sources.retain(|(_, identity)| !names.contains(&identity.name_id));
                    self.done.known += (before - sources.len()) as u64;
                }
            }
        }
        Ok(())
    }

    /// Reads objects on all threads; and the names of those that were not begun with, as the run is to end.
    fn read(&self, sources: &[Source]) -> Result<(Loaded, BTreeSet<String>), Error> {
        let objects: Vec<Object> = sources.iter().map(|(object, _)| object.clone()).collect();
        let queue = Queue::new(&objects);
        let identities: BTreeMap<&str, &Identity> = sources
            .iter()
            .map(|(object, identity)| (object.uri.as_str(), identity))
            .collect();
        let failed: Mutex<Option<Error>> = Mutex::new(None);
        let count = self
            .settings
            .workers
            .min(objects.len())
            .clamp(1, WORKERS_MAX);
        let held = Held::of_workers(count);
        let work = || {
            let files = Files::new(self.lake, self.settings.wanted.as_ref(), &held);
            let mut loader = Loader::new(
                self.settings,
                Sink::Files(files),
                self.progress,
                &self.destinations,
            );
            while !self.progress.is_ending()
                && let Some((object, fetched)) = queue.next()
            {
                let Some(identity) = identities.get(object.uri.as_str()) else {
                    continue;
                };
                if failed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .is_some()
                {
                    break;
                }
                if let Err(error) = loader.read(object, identity, fetched) {
                    failed
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .get_or_insert(error);
                }
            }
            loader.finish()
        };
        let parts = threads::on_each(count, work);
        let mut all = Loaded::default();
        let mut error = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (loaded, unstored) in parts {
            all.merge(loaded);
            error = error.or(unstored);
        }
        let unread = queue.rest().iter().map(|object| object.uri.clone());
        match error {
            None => Ok((all, unread.collect())),
            Some(error) => {
                self.lake.discard(&all.files);
                Err(error)
            }
        }
    }

    fn commit(&self, loaded: &mut Loaded) -> Result<Committed, Error> {
        let by_partition = loaded.sources.iter().fold(BTreeMap::new(), |mut map, row| {
            let rows: &mut Vec<&SourceRow> = map.entry(row.partition.clone()).or_default();
            rows.push(row);
            map
        });
        let mut files = Vec::new();
        for (partition, mut rows) in by_partition {
            rows.sort_by_key(|row| (row.span, &row.uri));
            let rows = sources::batch_of(&rows).map_err(EncodeError::from)?;
            let mut file = FileWriter::new(Table::Sources, &rows.schema())?;
            file.write(&rows)?;
            let encoded: Encoded = file.finish()?;
            files.push(self.lake.store(Table::Sources, &partition, encoded)?);
        }
        loaded.files.extend(files);
        let ids = loaded.sources.iter().filter_map(|row| {
            Some((
                SourceId::parse(&row.name_id)?,
                SourceId::parse(&row.source_id)?,
            ))
        });
        self.lake.commit(&Batch {
            files: loaded.files.clone(),
            sources: ids.collect(),
        })
    }

    fn finish(mut self) -> Ingested {
        self.done.problems.sort();
        if self.tally.copies > 0 {
            self.done.remarks.push(format!(
                "{} objects have the very bytes of another and are in the lake once",
                self.tally.copies
            ));
        }
        self.done.accounts = self.tally.accounts();
        self.done
    }
}

/// The destinations that have names; else a remark that they have none.
fn destinations(context: &Context) -> Result<Arc<DestinationGroups>, String> {
    let known = KnownDestinations::built_in()
        .and_then(|built_in| knowledge::of(context, &PassiveDns::default(), &built_in));
    match known {
        Ok(known) => Ok(Arc::new(known.destinations)),
        Err(error) => Err(format!(
            "destinations have no names, and are told by network: {error}"
        )),
    }
}

/// Objects in their order, as many together as one commit is to hold.
fn batches(sources: Vec<Source>) -> Vec<Vec<Source>> {
    let mut batches: Vec<Vec<Source>> = Vec::new();
    let mut bytes = 0;
    for source in sources {
        let size = source.0.size.unwrap_or_default();
        let has_room =
            |batch: &Vec<Source>| bytes < BATCH_STORED_BYTES_MAX && batch.len() < BATCH_OBJECTS_MAX;
        match batches.last_mut() {
            Some(batch) if has_room(batch) => batch.push(source),
            _ => {
                batches.push(vec![source]);
                bytes = 0;
            }
        }
        bytes += size;
    }
    batches
}
