//! A lake, opened: its tables, and the files in them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake::kernel::schema::StructType;
use deltalake::logstore::{StorageConfig, default_logstore};
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::SaveMode;
use deltalake::table::state::DeltaTableState;
use deltalake::{DeltaTable, DeltaTableError};
use futures::TryStreamExt as _;
use futures::future::try_join_all;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use outflow_record::Timestamp;
use tokio::runtime::Runtime;
use url::Url;
use uuid::Uuid;

use crate::Error;
use crate::file::Encoded;
use crate::partition::Partition;
use crate::place::{Access, LakePlace};
use crate::source::SourceId;
use crate::table::{DAY, REGION, Table};
use crate::upkeep::KEEP_DAYS_MAX;

/// Commits between two checkpoints of a table's log: what a reader reads at most, one by one.
const CHECKPOINT_COMMITS: &str = "20";

/// The tables of one place.
#[derive(Clone)]
pub struct Lake {
    place: LakePlace,
    runtime: Arc<Runtime>,
    /// Its root is that of the lake.
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Its root is that of the file system or bucket, from which Delta's own reader names files.
    root: Arc<dyn ObjectStore>,
    url: Url,
    journal_files: Arc<Mutex<JournalFiles>>,
}

/// What files of the journal hold that were read: ids of names and versions, by path.
pub(crate) type JournalFiles = BTreeMap<String, Arc<Vec<(SourceId, SourceId)>>>;

impl fmt::Debug for Lake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lake")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// A file of a table, as the table's log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// The table.
    pub table: Table,
    /// Path within the table's folder.
    pub path: String,
    /// Where its rows lie.
    pub partition: Partition,
    /// Bytes stored.
    pub size: u64,
    /// Rows in it.
    pub rows: u64,
    /// Statistics in the form that Delta has for them; empty if none are known.
    pub stats: String,
}

/// A table at one version.
pub struct Snapshot {
    pub(crate) table: Table,
    pub(crate) delta: DeltaTable,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("table", &self.table)
            .field("version", &self.delta.version())
            .finish_non_exhaustive()
    }
}

impl Lake {
    /// Opens the lake of a place, and makes the tables that it lacks.
    ///
    /// # Errors
    /// [`Error::Place`] if there can be none, [`Error::Table`] if a table cannot be read or made.
    pub fn create(place: LakePlace, access: &Access) -> Result<Self, Error> {
        let (root, url) = place.open(access, true)?;
        Self::at(place, root, url)?.with_tables()
    }

    /// A lake in a store of one's own, whose root is that of the URL; made as [`Lake::create`] does.
    ///
    /// # Errors
    /// As [`Lake::create`].
    pub fn over(root: Arc<dyn ObjectStore>, url: Url) -> Result<Self, Error> {
        Self::at(LakePlace::other(&url), root, url)?.with_tables()
    }

    fn with_tables(self) -> Result<Self, Error> {
        // All at once: each waits for the store several times.
        let lake = &self;
        let made = Table::ALL.map(|table| async move {
            let made = lake.make(table).await;
            made.map_err(|error| failed("make", table, error))
        });
        self.wait(try_join_all(made))?;
        Ok(self)
    }

    /// Opens the lake of a place.
    ///
    /// # Errors
    /// [`Error::NoLake`] if there is none, [`Error::Place`] if there can be none.
    pub fn open(place: LakePlace, access: &Access) -> Result<Self, Error> {
        let (root, url) = place.open(access, false)?;
        let lake = Self::at(place, root, url)?;
        let table = lake.delta(Table::Flows);
        let exists = lake.wait(table.verify_deltatable_existence());
        match exists.map_err(|error| failed("read", Table::Flows, error))? {
            true => Ok(lake),
            false => Err(Error::NoLake {
                place: lake.place.to_string(),
            }),
        }
    }

    fn at(place: LakePlace, root: Arc<dyn ObjectStore>, url: Url) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("outflow-lake")
            .enable_all()
            .build()
            .map_err(Error::Thread)?;
        let prefix = Path::from_url_path(url.path()).map_err(|error| Error::Place {
            place: place.to_string(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            place,
            runtime: Arc::new(runtime),
            store: Arc::new(PrefixStore::new(Arc::clone(&root), prefix)),
            root,
            url,
            journal_files: Arc::default(),
        })
    }

    /// Where it is.
    pub fn place(&self) -> &LakePlace {
        &self.place
    }

    /// The store of its files, whose root is that of the lake: for readers that fetch what they need of a file.
    pub fn object_store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    pub(crate) fn journal_files(&self) -> MutexGuard<'_, JournalFiles> {
        let files = self.journal_files.lock();
        files.unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits on this thread for what the lake's own thread does.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn delta(&self, table: Table) -> DeltaTable {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{}", self.url.path(), table.name()));
        let prefix = Path::from(table.name());
        let files = Arc::new(PrefixStore::new(Arc::clone(&self.store), prefix));
        let store = default_logstore(
            files,
            Arc::clone(&self.root),
            &url,
            &StorageConfig::default(),
        );
        DeltaTable::new(store)
    }

    async fn make(&self, table: Table) -> Result<(), DeltaTableError> {
        let delta = self.delta(table);
        if delta.verify_deltatable_existence().await? {
            return Ok(());
        }
        let schema: StructType = table.schema().as_ref().try_into_kernel()?;
        let setting = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let made = CreateBuilder::new()
            .with_log_store(delta.log_store())
            .with_table_name(table.name())
            .with_columns(schema.fields().cloned())
            .with_partition_columns([DAY, REGION])
            .with_configuration([
                setting("delta.checkpointInterval", CHECKPOINT_COMMITS),
                // What was taken out is remembered for as long as it may be kept.
                setting(
                    "delta.deletedFileRetentionDuration",
                    &format!("interval {KEEP_DAYS_MAX} days"),
                ),
                // The statistics of files are those that `Table::told_of_files` names.
                setting(
                    "delta.dataSkippingStatsColumns",
                    &table.told_of_files().join(","),
                ),
            ])
            .with_save_mode(SaveMode::Ignore)
            .await;
        match made {
            Ok(_) => Ok(()),
            // Another may have made it at the same time.
            Err(error) => match self.delta(table).verify_deltatable_existence().await {
                Ok(true) => Ok(()),
                _ => Err(error),
            },
        }
    }

    /// A table as it is now.
    ///
    /// # Errors
    /// [`Error::Table`] if it cannot be read.
    pub fn snapshot(&self, table: Table) -> Result<Snapshot, Error> {
        self.wait(self.load(table))
    }

    pub(crate) async fn load(&self, table: Table) -> Result<Snapshot, Error> {
        let mut delta = self.delta(table);
        let loaded = delta.load().await;
        loaded.map_err(|error| failed("read", table, error))?;
        Ok(Snapshot { table, delta })
    }

    /// Stores a file. It belongs to the table once it is committed.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be stored.
    pub fn store(
        &self,
        table: Table,
        partition: &Partition,
        file: Encoded,
    ) -> Result<DataFile, Error> {
        let path = format!("{}/{}.zstd.parquet", partition.folder(), Uuid::new_v4());
        let size = file.bytes.len() as u64;
        let stored = Path::from(format!("{}/{path}", table.name()));
        let payload: PutPayload = file.bytes.into_bytes().collect();
        self.wait(self.store.put(&stored, payload))
            .map_err(|error| unfiled("write", &stored, error))?;
        Ok(DataFile {
            table,
            path,
            partition: partition.clone(),
            size,
            rows: file.rows,
            stats: file.stats,
        })
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read.
    pub fn fetch(&self, file: &DataFile) -> Result<Bytes, Error> {
        self.wait(self.fetch_now(file))
    }

    pub(crate) async fn fetch_now(&self, file: &DataFile) -> Result<Bytes, Error> {
        let stored = Path::from(file.location());
        let fetched = async { self.store.get(&stored).await?.bytes().await };
        fetched
            .await
            .map_err(|error| unfiled("read", &stored, error))
    }

    /// Keeps bytes beside the tables, in place of what has this name. Nothing but [`Lake::kept`] reads them.
    ///
    /// # Errors
    /// [`Error::File`] if they cannot be stored.
    pub fn keep(&self, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let stored = Path::from(name);
        self.wait(self.store.put(&stored, Bytes::from(bytes).into()))
            .map(|_| ())
            .map_err(|error| unfiled("write", &stored, error))
    }

    /// What is kept beside the tables under a name; none if nothing is.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read.
    pub fn kept(&self, name: &str) -> Result<Option<Bytes>, Error> {
        let stored = Path::from(name);
        let fetched = self.wait(async { self.store.get(&stored).await?.bytes().await });
        match fetched {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unfiled("read", &stored, error)),
        }
    }

    /// Deletes files that no table has: those of a batch that was given up. What cannot be deleted stays, and takes
    /// room until the next `compact`.
    pub fn discard(&self, files: &[DataFile]) {
        for file in files {
            let stored = Path::from(file.location());
            if let Err(error) = self.wait(self.store.delete(&stored)) {
                tracing::warn!(path = stored.as_ref(), %error, "a file that is not needed stays");
            }
        }
    }
}

impl DataFile {
    /// Path within the lake.
    pub fn location(&self) -> String {
        format!("{}/{}", self.table.name(), self.path)
    }

    /// The least and the greatest time of a column, if the table's log tells and every row has one.
    pub fn times(&self, column: &str) -> Option<(Timestamp, Timestamp)> {
        let stats: serde_json::Value = serde_json::from_str(&self.stats).ok()?;
        let time = |bound: &str| {
            let text = stats.get(bound)?.get(column)?.as_str()?;
            // Without the fraction of the second, which the times of flow logs do not have.
            text.get(..19)?.parse::<Timestamp>().ok()
        };
        let nulls = stats.get("nullCount")?.get(column)?.as_u64()?;
        let range = time("minValues").zip(time("maxValues"));
        range.filter(|_| nulls == 0)
    }
}

impl Snapshot {
    /// Version of the table.
    pub fn version(&self) -> u64 {
        self.delta.version().unwrap_or_default()
    }

    pub(crate) fn state(&self) -> Result<&DeltaTableState, Error> {
        let state = self.delta.snapshot();
        state.map_err(|error| failed("read", self.table, error))
    }

    pub(crate) async fn files_now(&self) -> Result<Vec<DataFile>, Error> {
        let unread = |error| failed("read", self.table, error);
        let store = self.delta.log_store();
        let views = self.state()?.snapshot().file_views(store.as_ref(), None);
        let views: Vec<_> = views.try_collect().await.map_err(unread)?;
        let mut files = Vec::with_capacity(views.len());
        for view in views {
            let values: HashMap<String, Option<String>> = view.partition_values_map();
            files.push(DataFile {
                table: self.table,
                path: view.object_store_path().to_string(),
                partition: Partition::from_values(&values),
                size: u64::try_from(view.size()).unwrap_or_default(),
                rows: view.num_records().unwrap_or_default() as u64,
                stats: view.stats().unwrap_or_default(),
            });
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}

impl Lake {
    /// The files of a table, by path.
    ///
    /// # Errors
    /// [`Error::Table`] if the table's log cannot be read.
    pub fn files(&self, snapshot: &Snapshot) -> Result<Vec<DataFile>, Error> {
        self.wait(snapshot.files_now())
    }
}

/// An error of a table.
pub(crate) fn failed(what: &'static str, table: Table, error: DeltaTableError) -> Error {
    Error::Table {
        what,
        table: table.name(),
        source: Box::new(error),
    }
}

/// An error of a file.
pub(crate) fn unfiled(what: &'static str, path: &Path, error: object_store::Error) -> Error {
    Error::File {
        what,
        path: path.to_string(),
        source: Box::new(error),
    }
}
