//! What is in a lake, without reading its rows.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::Error;
use crate::lake::Lake;
use crate::table::Table;
use crate::upkeep::{expired_before, groups};

/// What a lake holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Its tables, in the order of [`Table::ALL`].
    pub tables: Vec<TableStatus>,
    /// Number of the last batch; 0 if there is none.
    pub last_batch: i64,
    /// Whether that batch has reached all tables. If not, whoever writes next completes it.
    pub is_complete: bool,
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableStatus {
    /// The table.
    pub table: Table,
    /// Version of it.
    pub version: u64,
    /// Files.
    pub files: u64,
    /// Bytes stored in them.
    pub bytes: u64,
    /// Rows in them. Of `sources`: objects in the journal.
    pub rows: u64,
    /// The earliest and the latest day, as days since 1970-01-01.
    pub days: Option<(i32, i32)>,
    /// Regions, in order.
    pub regions: BTreeSet<String>,
    /// Files that a compaction would join.
    pub small_files: u64,
    /// Files that nothing needs any more.
    pub unneeded_files: u64,
    /// Bytes of those.
    pub unneeded_bytes: u64,
    /// The day before which rows were taken out, if any were.
    pub expired_before: Option<i32>,
}

impl Lake {
    /// What the tables hold, by their logs, and which files were taken out longer ago than `keep`. Nothing is changed.
    ///
    /// # Errors
    /// [`Error::Table`] and [`Error::File`] if a table cannot be read or its folder not listed.
    pub fn status(&self, keep: Duration) -> Result<Status, Error> {
        let (last_batch, is_complete) = self.wait(self.last_batch())?;
        let tables = Table::ALL.into_iter();
        let tables = tables.map(|table| self.wait(self.table_status(table, keep)));
        Ok(Status {
            tables: tables.collect::<Result<_, _>>()?,
            last_batch,
            is_complete,
        })
    }

    async fn table_status(&self, table: Table, keep: Duration) -> Result<TableStatus, Error> {
        let unneeded = self.unneeded_now(table, keep).await?;
        let snapshot = self.load(table).await?;
        let files = snapshot.files_now().await?;
        let days = || files.iter().filter_map(|file| file.partition.day);
        let regions = files
            .iter()
            .filter_map(|file| file.partition.region.clone());
        Ok(TableStatus {
            table,
            version: snapshot.version(),
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.size).sum(),
            rows: files.iter().map(|file| file.rows).sum(),
            days: days().min().zip(days().max()),
            regions: regions.collect(),
            unneeded_files: unneeded.len() as u64,
            unneeded_bytes: unneeded.iter().map(|file| file.bytes).sum(),
            expired_before: expired_before(&snapshot).await?,
            small_files: groups(files).iter().map(Vec::len).sum::<usize>() as u64,
        })
    }
}
