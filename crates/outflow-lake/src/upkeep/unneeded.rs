//! Files that no version of a table needs any more.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;

use super::now_millis;
use crate::Error;
use crate::lake::{Lake, failed, unfiled};
use crate::table::{DAY, Table};

/// Days for which files may be kept at most once nothing needs them: a table's log remembers them for so long.
pub const KEEP_DAYS_MAX: u16 = 30;

/// A file that no version of its table needs that is younger than what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unneeded {
    /// Path in the lake.
    pub path: String,
    /// Bytes stored.
    pub bytes: u64,
}

impl Lake {
    /// The files of a table that were taken out of it longer ago than this, and those that were stored longer ago and
    /// never came in: of batches and compactions that did not end.
    ///
    /// The last batch is completed first, as the files of a batch that waits belong to no table yet.
    ///
    /// # Errors
    /// [`Error::Table`] and [`Error::File`] if the table cannot be read or its folder not listed.
    pub fn unneeded(&self, table: Table, keep: Duration) -> Result<Vec<Unneeded>, Error> {
        self.settle()?;
        self.wait(self.unneeded_now(table, keep))
    }

    /// The same, if there is no batch that waits.
    pub(crate) async fn unneeded_now(
        &self,
        table: Table,
        keep: Duration,
    ) -> Result<Vec<Unneeded>, Error> {
        let keep_millis = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let kept_from = now_millis().saturating_sub(keep_millis);
        // What is listed before the log is read was stored before it, too.
        let folder = Path::from(table.name());
        let listed = self.store.list(Some(&folder)).try_collect::<Vec<_>>();
        let listed = listed
            .await
            .map_err(|error| unfiled("list", &folder, error))?;
        let needed = self.needed(table).await?;
        let mut unneeded = Vec::new();
        for object in listed {
            let path = object.location.to_string();
            let Some(name) = path.strip_prefix(&format!("{}/", table.name())) else {
                continue;
            };
            // The log, and whatever else others may keep there, is none of these.
            let is_data = name.starts_with(&format!("{DAY}=")) && name.ends_with(".parquet");
            let stored_at = object.last_modified.timestamp_millis();
            let is_kept = match needed.get(name) {
                Some(None) => true,
                Some(Some(removed_at)) => *removed_at >= kept_from,
                None => stored_at >= kept_from,
            };
            if is_data && !is_kept {
                let bytes = object.size;
                unneeded.push(Unneeded { path, bytes });
            }
        }
        unneeded.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(unneeded)
    }

    /// The files that a table has, and those that were taken out with the time when.
    async fn needed(&self, table: Table) -> Result<BTreeMap<String, Option<i64>>, Error> {
        let snapshot = self.load(table).await?;
        let store = snapshot.delta.log_store();
        let mut removed = snapshot.state()?.all_tombstones(store.as_ref());
        let mut needed = BTreeMap::new();
        while let Some(file) = removed.next().await {
            let file = file.map_err(|error| failed("read", table, error))?;
            let at = file.deletion_timestamp().unwrap_or(i64::MAX);
            needed.insert(file.path().into_owned(), Some(at));
        }
        let files = snapshot.files_now().await?;
        needed.extend(files.into_iter().map(|file| (file.path, None)));
        Ok(needed)
    }

    /// Deletes files. One that is gone already is no error.
    ///
    /// # Errors
    /// [`Error::File`] if one cannot be deleted; others may have been.
    pub fn remove(&self, files: &[Unneeded]) -> Result<(), Error> {
        let Some(first) = files.first() else {
            return Ok(());
        };
        let folder = Path::from(first.path.as_str());
        let folder: Path = folder.parts().take(1).collect();
        let paths: Vec<Path> = files
            .iter()
            .map(|file| Path::from(file.path.as_str()))
            .collect();
        self.wait(async {
            let paths = futures::stream::iter(paths.into_iter().map(Ok)).boxed();
            let mut deleted = self.store.delete_stream(paths);
            while let Some(path) = deleted.next().await {
                match path {
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => {
                        return Err(unfiled("delete some of the files in", &folder, error));
                    }
                }
            }
            Ok(())
        })
    }
}
