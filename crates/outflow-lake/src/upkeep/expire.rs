//! Whole days taken out of tables.

use deltalake::kernel::Transaction;
use deltalake::protocol::DeltaOperation;

use super::{Change, Changed};
use crate::Error;
use crate::commit::ATTEMPTS_MAX;
use crate::lake::{DataFile, Lake, Snapshot, failed};
use crate::table::Table;

/// The tables that days are taken out of. Not the journal: what it lacks would be read again.
pub const EXPIRING: [Table; 6] = [
    Table::Flows,
    Table::Profiles,
    Table::Hours,
    Table::Dns,
    Table::Coverage,
    Table::Rejects,
];

/// Under what name a table remembers the day before which its rows were taken out, in the words of Delta's protocol.
const APP_ID: &str = "outflow-expire";

/// What was taken out of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expired {
    /// Files.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Rows in them.
    pub rows: u64,
    /// The earliest and the latest day, as days since 1970-01-01.
    pub days: Option<(i32, i32)>,
}

impl Lake {
    /// Takes out all rows of days before this one (days since 1970-01-01). Rows without a day stay. The files stay until
    /// [`Lake::unneeded`] names them.
    ///
    /// # Errors
    /// [`Error::Table`] if a table cannot be read or written, [`Error::Contended`] if others were faster every time.
    pub fn expire(&self, table: Table, before: i32) -> Result<Expired, Error> {
        self.settle()?;
        let is_old = |file: &DataFile| file.partition.day.is_some_and(|day| day < before);
        for _ in 0..ATTEMPTS_MAX {
            let snapshot = self.snapshot(table)?;
            let mut files = self.files(&snapshot)?;
            files.retain(is_old);
            if files.is_empty() || !EXPIRING.contains(&table) {
                return Ok(Expired::default());
            }
            let remembered = self.wait(expired_before(&snapshot))?;
            let day = before.max(remembered.unwrap_or(before));
            let change = Change {
                table,
                operation: DeltaOperation::Delete {
                    predicate: Some(format!("day < {}", date(before))),
                },
                removed: files,
                added: Vec::new(),
                data_change: true,
                transaction: Some(Transaction::new(APP_ID, day.into())),
            };
            if self.wait(self.change(&change))? == Changed::Done {
                return Ok(Expired::of(&change.removed));
            }
        }
        Err(Error::Contended {
            attempts: ATTEMPTS_MAX,
        })
    }
}

/// The day before which rows of a table were taken out, if any were.
pub(crate) async fn expired_before(snapshot: &Snapshot) -> Result<Option<i32>, Error> {
    let store = snapshot.delta.log_store();
    let day = snapshot
        .state()?
        .transaction_version(store.as_ref(), APP_ID)
        .await;
    let day = day.map_err(|error| failed("read", snapshot.table, error))?;
    Ok(day.and_then(|day| day.try_into().ok()))
}

fn date(day: i32) -> String {
    let at = outflow_record::Timestamp(i64::from(day) * 86_400);
    let (year, month, day) = at.date();
    format!("'{year:04}-{month:02}-{day:02}'")
}

impl Expired {
    fn of(files: &[DataFile]) -> Self {
        let days = || files.iter().filter_map(|file| file.partition.day);
        Self {
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.size).sum(),
            rows: files.iter().map(|file| file.rows).sum(),
            days: days().min().zip(days().max()),
        }
    }
}
