//! What keeps a lake in order: small files joined, old days taken out, files removed that nothing needs.
//!
//! ```text
//! compact   small files of a partition ──Merge──► large ones ─┐
//! expire    files of days before a day ───────────────────────┴─► one commit: old out, new in
//! unneeded  files that no version of the last days has ──► deleted
//! ```
//!
//! A commit that takes files out of a table becomes the very next version of what was looked at, or none at all: where
//! another came in between, the table is looked at again. Delta's own check of conflicts would let two compactions of
//! the same files in, as neither changes data, and every row would be there twice.

mod compact;
mod expire;
mod merge;
mod unneeded;

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use deltalake::DeltaTableError;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake::kernel::{Action, Add, Remove, Transaction};
use deltalake::protocol::DeltaOperation;

use crate::Error;
use crate::commit::ATTEMPTS_MAX;
use crate::lake::{DataFile, Lake, Snapshot, failed};
use crate::table::Table;

pub(crate) use compact::groups;
pub use compact::{Compacted, SMALL_BYTES};
pub(crate) use expire::expired_before;
pub use expire::{EXPIRING, Expired};
pub use unneeded::{KEEP_DAYS_MAX, Unneeded};

/// Files out of a table, and others in.
struct Change {
    table: Table,
    operation: DeltaOperation,
    removed: Vec<DataFile>,
    added: Vec<DataFile>,
    /// Whether the rows of the table are others than before.
    data_change: bool,
    /// What the table is to remember of it.
    transaction: Option<Transaction>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    Done,
    /// Another took some of the files out: nothing was changed.
    Overtaken,
}

impl Lake {
    /// Commits a change, unless some of the files that it takes out are no longer in the table.
    async fn change(&self, change: &Change) -> Result<Changed, Error> {
        for _ in 0..ATTEMPTS_MAX {
            let snapshot = self.load(change.table).await?;
            let files = snapshot.files_now().await?;
            let present: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
            let is_present = |file: &DataFile| present.contains(file.path.as_str());
            // It may have come in although its answer was lost.
            if change.added.iter().any(is_present) {
                return Ok(Changed::Done);
            }
            if !change.removed.iter().all(is_present) {
                return Ok(Changed::Overtaken);
            }
            match commit(&snapshot, change).await {
                Ok(()) => return Ok(Changed::Done),
                Err(error) if is_outrun(&error) => {}
                Err(error) => return Err(failed("write", change.table, error)),
            }
        }
        Err(Error::Contended {
            attempts: ATTEMPTS_MAX,
        })
    }
}

async fn commit(snapshot: &Snapshot, change: &Change) -> Result<(), DeltaTableError> {
    let at = now_millis();
    let removed = change.removed.iter().map(|file| remove(file, change, at));
    let added = change.added.iter().map(|file| add(file, change, at));
    let mut properties = CommitProperties::default().with_max_retries(0);
    if let Some(transaction) = &change.transaction {
        properties = properties.with_application_transaction(transaction.clone());
    }
    CommitBuilder::from(properties)
        .with_actions(removed.chain(added).collect())
        .build(
            Some(snapshot.delta.snapshot()?),
            snapshot.delta.log_store(),
            change.operation.clone(),
        )
        .await?;
    Ok(())
}

/// Whether a commit failed as others came in between.
pub(crate) fn is_outrun(error: &DeltaTableError) -> bool {
    matches!(
        error,
        DeltaTableError::VersionAlreadyExists(_)
            | DeltaTableError::Transaction {
                source: TransactionError::MaxCommitAttempts(_)
                    | TransactionError::VersionAlreadyExists(_)
                    | TransactionError::CommitConflict(_),
            }
    )
}

fn remove(file: &DataFile, change: &Change, at: i64) -> Action {
    Action::Remove(Remove {
        path: file.path.clone(),
        data_change: change.data_change,
        deletion_timestamp: Some(at),
        extended_file_metadata: Some(true),
        partition_values: Some(file.partition.values()),
        size: Some(i64::try_from(file.size).unwrap_or(i64::MAX)),
        ..Remove::default()
    })
}

fn add(file: &DataFile, change: &Change, at: i64) -> Action {
    Action::Add(Add {
        path: file.path.clone(),
        partition_values: file.partition.values(),
        size: i64::try_from(file.size).unwrap_or(i64::MAX),
        modification_time: at,
        data_change: change.data_change,
        stats: Some(file.stats.clone()),
        ..Add::default()
    })
}

/// Milliseconds since 1970, as Delta's log has the time of files.
#[expect(
    clippy::disallowed_methods,
    reason = "files are kept for days by the clock; no row depends on it"
)]
fn now_millis() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}
