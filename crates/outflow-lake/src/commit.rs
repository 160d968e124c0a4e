//! Exactly once: how the files of a batch become rows of all tables, or of none.
//!
//! Batches are numbered. A batch is decided by one commit, that of `flows`, which carries its number and names the files
//! of all other tables; these follow, all at once, and the journal last. Every commit says which batch it is of, so that a table takes
//! none twice. Who comes next completes what the one before may have left, whoever that was, and only then decides a
//! batch of its own:
//!
//! ```text
//! flows     … n ─────────────────────────────► n+1 (files of all tables of n+1)
//! dns, …        └► n   completed by anyone         └► n+1
//! sources          └► n                               └► n+1
//! ```
//!
//! Two batches cannot both become number n+1: Delta lets one commit of a version in, and refuses one that says the same
//! number as another that came in between. The one that lost looks into the journal again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Error;
use crate::lake::{DataFile, JournalFiles, Lake, Snapshot, failed};
use crate::source::{Journal, Known, SourceId};
use crate::table::{DAY, REGION, Table};

/// Who numbers the batches, in the words of Delta's protocol.
const APP_ID: &str = "outflow-ingest";

/// The key under which the commit of `flows` tells of its batch.
const BATCH_KEY: &str = "outflowBatch";

/// Commits that may come in between before a batch is given up. Each took the time of at least one commit.
pub(crate) const ATTEMPTS_MAX: u32 = 100;

/// Commits of `flows` that are looked through for the last batch: of other kinds, compaction writes a few a day.
const LOOKED_BACK_MAX: u64 = 10_000;

/// Objects read, as files of all tables that wait to be committed.
#[derive(Debug, Default)]
pub struct Batch {
    /// The files.
    pub files: Vec<DataFile>,
    /// The objects: ids of their names and versions.
    pub sources: Vec<(SourceId, SourceId)>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// Every row of it is in the lake, once.
    Done {
        /// Its number.
        number: i64,
    },
    /// Another read some of its objects meanwhile: nothing of it is in the lake. These are the names of the objects.
    Overtaken(Vec<SourceId>),
}

/// What the commit of `flows` tells of a batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Plan {
    /// Drawn for each batch, so that it is known again.
    id: String,
    number: i64,
    /// Files of the other tables, by name of table.
    files: Vec<PlannedFile>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct PlannedFile {
    table: String,
    path: String,
    partition: HashMap<String, Option<String>>,
    size: u64,
    rows: u64,
    stats: String,
}

impl Lake {
    /// What has been read, once the last batch is complete.
    ///
    /// # Errors
    /// [`Error::Table`] and [`Error::File`] if a table cannot be read, or the last batch not completed.
    pub fn journal(&self) -> Result<Journal, Error> {
        self.wait(async {
            let flows = self.load(Table::Flows).await?;
            self.complete(&flows).await?;
            self.read_journal().await
        })
    }

    /// Completes the last batch, whoever left it. What takes files out of tables, or deletes them, begins with it: files
    /// that a batch waits for are in no table yet.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        self.wait(async {
            let flows = self.load(Table::Flows).await?;
            self.complete(&flows).await.map(|_| ())
        })
    }

    /// All tables, in the order of [`Table::ALL`], each with the same batches.
    pub(crate) async fn at_one_batch(&self) -> Result<Vec<Snapshot>, Error> {
        for _ in 0..ATTEMPTS_MAX {
            let number = self.complete(&self.load(Table::Flows).await?).await?;
            let mut snapshots = Vec::with_capacity(Table::ALL.len());
            for table in Table::ALL {
                let snapshot = self.load(table).await?;
                if batches(&snapshot).await? == number {
                    snapshots.push(snapshot);
                }
            }
            if snapshots.len() == Table::ALL.len() {
                return Ok(snapshots);
            }
        }
        Err(Error::Contended {
            attempts: ATTEMPTS_MAX,
        })
    }

    /// The number of the last batch, and whether it is complete.
    pub(crate) async fn last_batch(&self) -> Result<(i64, bool), Error> {
        let number = batches(&self.load(Table::Flows).await?).await?;
        let complete = batches(&self.load(Table::Sources).await?).await? >= number;
        Ok((number, complete))
    }

    /// Makes a batch part of the lake, unless another has read one of its objects. Called again after any failure, it
    /// commits nothing twice as long as the objects of the batch are looked up in the journal anew.
    ///
    /// # Errors
    /// [`Error::Table`] and [`Error::File`] if a table cannot be read or written; the batch may then be in the lake, or
    /// not. [`Error::Contended`] if it never came its turn.
    pub fn commit(&self, batch: &Batch) -> Result<Committed, Error> {
        let id = Uuid::new_v4().to_string();
        self.wait(async {
            for _ in 0..ATTEMPTS_MAX {
                if let Some(done) = self.try_commit(batch, &id).await? {
                    return Ok(done);
                }
            }
            Err(Error::Contended {
                attempts: ATTEMPTS_MAX,
            })
        })
    }

    /// Commits a batch as the next; none if another was faster.
    async fn try_commit(&self, batch: &Batch, id: &str) -> Result<Option<Committed>, Error> {
        let flows = self.load(Table::Flows).await?;
        let last = self.complete(&flows).await?;
        let journal = self.read_journal().await?;
        let read =
            |(name, version): &&(SourceId, SourceId)| journal.known(*name, *version) != Known::New;
        let overtaken: Vec<SourceId> = batch
            .sources
            .iter()
            .filter(read)
            .map(|(name, _)| *name)
            .collect();
        if !overtaken.is_empty() {
            return Ok(Some(Committed::Overtaken(overtaken)));
        }
        let number = last + 1;
        let (own, others): (Vec<_>, Vec<_>) = batch
            .files
            .iter()
            .partition(|file| file.table == Table::Flows);
        let plan = Plan {
            id: id.to_owned(),
            number,
            files: others.into_iter().map(PlannedFile::of).collect(),
        };
        let adds = own
            .into_iter()
            .map(|file| add(&PlannedFile::of(file)))
            .collect();
        let told = serde_json::to_value(&plan).map_err(|error| Error::Table {
            what: "write",
            table: Table::Flows.name(),
            source: Box::new(error),
        })?;
        let properties = CommitProperties::default().with_metadata([(BATCH_KEY.to_owned(), told)]);
        let written = write(&flows, adds, number, properties).await;
        let flows = self.load(Table::Flows).await?;
        match (written, self.plan(&flows, number).await?) {
            // It was ours that came in, whatever was said of it.
            (_, Some(decided)) if decided.id == id => {
                self.complete(&flows).await?;
                Ok(Some(Committed::Done { number }))
            }
            (_, Some(_)) => Ok(None),
            // A commit of another kind may have come in between: retention, or a compaction.
            (Err(error), None) if !error.is_outrun() => Err(error),
            (_, None) => Ok(None),
        }
    }

    /// Completes the last batch in all tables; its number, or 0.
    async fn complete(&self, flows: &Snapshot) -> Result<i64, Error> {
        let number = batches(flows).await?;
        if number == 0 || batches(&self.load(Table::Sources).await?).await? >= number {
            return Ok(number);
        }
        let plan = self
            .plan(flows, number)
            .await?
            .ok_or_else(|| Error::Table {
                what: "complete the last batch in",
                table: Table::Flows.name(),
                source: format!("its log no longer tells of batch {number}").into(),
            })?;
        let others = Table::ALL.into_iter();
        let others = others.filter(|table| ![Table::Flows, Table::Sources].contains(table));
        try_join_all(others.map(|table| self.complete_in(table, &plan))).await?;
        self.complete_in(Table::Sources, &plan).await?;
        Ok(number)
    }

    /// Completes a batch in a table, unless it is.
    async fn complete_in(&self, table: Table, plan: &Plan) -> Result<(), Error> {
        for _ in 0..ATTEMPTS_MAX {
            let snapshot = self.load(table).await?;
            if batches(&snapshot).await? >= plan.number {
                return Ok(());
            }
            let files = plan.files.iter().filter(|file| file.table == table.name());
            let adds = files.map(add).collect();
            let written = write(&snapshot, adds, plan.number, CommitProperties::default()).await;
            match written {
                Ok(()) => return Ok(()),
                Err(error) if error.is_outrun() => {}
                Err(error) => {
                    return match batches(&self.load(table).await?).await? >= plan.number {
                        true => Ok(()),
                        false => Err(error),
                    };
                }
            }
        }
        Err(Error::Contended {
            attempts: ATTEMPTS_MAX,
        })
    }

    /// What the log of `flows` tells of a batch that is its last or last but few.
    async fn plan(&self, flows: &Snapshot, number: i64) -> Result<Option<Plan>, Error> {
        let unread = |error| failed("read", Table::Flows, error);
        let store = flows.delta.log_store();
        let latest = flows.version();
        for version in (latest.saturating_sub(LOOKED_BACK_MAX)..=latest).rev() {
            let Some(entry) = store.read_commit_entry(version).await.map_err(unread)? else {
                return Ok(None);
            };
            let plan = entry.split(|byte| *byte == b'\n').find_map(plan_of);
            if let Some(plan) = plan {
                return Ok((plan.number == number).then_some(plan));
            }
        }
        Ok(None)
    }

    async fn read_journal(&self) -> Result<Journal, Error> {
        let sources = self.load(Table::Sources).await?;
        let mut journal = Journal::default();
        let mut read = JournalFiles::new();
        for file in sources.files_now().await? {
            // Files never change, and one that was read needs not be fetched again with each commit.
            let known = self.journal_files().get(&file.path).cloned();
            let ids = match known {
                Some(ids) => ids,
                None => {
                    let bytes = self.fetch_now(&file).await?;
                    Arc::new(crate::read::journal(&file, bytes)?)
                }
            };
            for (name, version) in ids.iter() {
                journal.insert(*name, *version);
            }
            read.insert(file.path, ids);
        }
        *self.journal_files() = read;
        Ok(journal)
    }
}

/// The number of the last batch that a table has.
async fn batches(snapshot: &Snapshot) -> Result<i64, Error> {
    let store = snapshot.delta.log_store();
    let number = snapshot
        .state()?
        .transaction_version(store.as_ref(), APP_ID)
        .await;
    let number = number.map_err(|error| failed("read", snapshot.table, error))?;
    Ok(number.unwrap_or(0))
}

/// Commits files to a table as those of a batch.
async fn write(
    snapshot: &Snapshot,
    adds: Vec<Action>,
    number: i64,
    properties: CommitProperties,
) -> Result<(), Error> {
    let properties = properties.with_application_transaction(Transaction::new(APP_ID, number));
    let operation = DeltaOperation::Write {
        mode: SaveMode::Append,
        partition_by: Some(vec![DAY.to_owned(), REGION.to_owned()]),
        predicate: None,
    };
    let written = CommitBuilder::from(properties)
        .with_actions(adds)
        .build(
            Some(snapshot.state()?),
            snapshot.delta.log_store(),
            operation,
        )
        .await;
    match written {
        Ok(_) => Ok(()),
        Err(error) => Err(failed("write", snapshot.table, error)),
    }
}

/// The batch that a line of a commit tells of.
fn plan_of(line: &[u8]) -> Option<Plan> {
    let mut action: serde_json::Value = serde_json::from_slice(line).ok()?;
    let told = action.get_mut("commitInfo")?.get_mut(BATCH_KEY)?.take();
    serde_json::from_value(told).ok()
}

impl PlannedFile {
    fn of(file: &DataFile) -> Self {
        Self {
            table: file.table.name().to_owned(),
            path: file.path.clone(),
            partition: file.partition.values(),
            size: file.size,
            rows: file.rows,
            stats: file.stats.clone(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "Delta's log says when a file was written; no row or decision depends on it"
)]
fn add(file: &PlannedFile) -> Action {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Action::Add(Add {
        path: file.path.clone(),
        partition_values: file.partition.clone(),
        size: i64::try_from(file.size).unwrap_or(i64::MAX),
        modification_time: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
        data_change: true,
        stats: Some(file.stats.clone()),
        ..Add::default()
    })
}
