//! The tables of a lake by their names, each as it is when a query names it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::ObjectStoreUrl;
use outflow_lake::{Lake, Table};

use crate::table::LakeTable;

/// What the engine finds tables in.
#[derive(Debug)]
pub(crate) struct LakeTables {
    lake: Lake,
    store: ObjectStoreUrl,
}

impl LakeTables {
    /// The tables of a lake, whose files the engine gets from a store of this name.
    pub(crate) fn new(lake: Lake, store: ObjectStoreUrl) -> Self {
        Self { lake, store }
    }

    async fn open(&self, table: Table) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        let lake = self.lake.clone();
        // The lake waits on a thread of its own, which one of the engine's may not do.
        let files = tokio::task::spawn_blocking(move || lake.files(&lake.snapshot(table)?));
        let files = files
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))?
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(Arc::new(LakeTable::new(table, files, self.store.clone())))
    }
}

fn named(name: &str) -> Option<Table> {
    Table::ALL.into_iter().find(|table| table.name() == name)
}

impl SchemaProvider for LakeTables {
    fn table_names(&self) -> Vec<String> {
        Table::ALL.map(|table| table.name().to_owned()).to_vec()
    }

    fn table<'s, 'name, 'all>(
        &'s self,
        name: &'name str,
    ) -> Pin<
        Box<
            dyn Future<Output = Result<Option<Arc<dyn TableProvider>>, DataFusionError>>
                + Send
                + 'all,
        >,
    >
    where
        's: 'all,
        'name: 'all,
        Self: 'all,
    {
        Box::pin(async move {
            match named(name) {
                Some(table) => self.open(table).await.map(Some),
                None => Ok(None),
            }
        })
    }

    fn table_exist(&self, name: &str) -> bool {
        named(name).is_some()
    }
}
