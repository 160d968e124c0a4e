//! The tables of a lake by their names, each as it is when a query names it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, ScalarUDF, ident};
use outflow_lake::table::{DAY, SOURCE_ID, SOURCE_ROW};
use outflow_lake::{Lake, Table};
use outflow_record::{Field, Kind};

use crate::table::LakeTable;

/// The flow records as AWS's own queries for Athena have them: AWS's columns, times in seconds, days as `date`. Queries
/// of findings ask it.
pub(crate) const VPC_FLOW_LOGS: &str = "vpc_flow_logs";

/// What the engine finds tables in.
#[derive(Debug)]
pub(crate) struct LakeTables {
    lake: Lake,
    store: ObjectStoreUrl,
    unix_seconds: Option<Arc<ScalarUDF>>,
}

impl LakeTables {
    /// The tables of a lake, whose files the engine gets from a store of this name.
    pub(crate) fn new(
        lake: Lake,
        store: ObjectStoreUrl,
        unix_seconds: Option<Arc<ScalarUDF>>,
    ) -> Self {
        Self {
            lake,
            store,
            unix_seconds,
        }
    }

    async fn vpc_flow_logs(&self) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        let flows = self.open(Table::Flows).await?;
        let lacking = || DataFusionError::Internal("there is no `unix_seconds`".to_owned());
        let unix_seconds = self.unix_seconds.as_ref().ok_or_else(lacking)?;
        let seconds = |name: &str| unix_seconds.call(vec![ident(name)]).alias(name);
        let mut columns: Vec<Expr> = Field::ALL
            .iter()
            .map(|field| match field.kind() {
                Kind::Time => seconds(field.column()),
                _ => ident(field.column()),
            })
            .collect();
        columns.push(ident(DAY).alias("date"));
        columns.extend([SOURCE_ID, SOURCE_ROW].map(ident));
        let plan = LogicalPlanBuilder::scan(Table::Flows.name(), provider_as_source(flows), None)?
            .project(columns)?
            .build()?;
        Ok(Arc::new(ViewTable::new(plan, None)))
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
        let own = Table::ALL.into_iter().map(Table::name);
        let own = own.chain([VPC_FLOW_LOGS]);
        own.map(str::to_owned).collect()
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
            if name == VPC_FLOW_LOGS {
                return self.vpc_flow_logs().await.map(Some);
            }
            match named(name) {
                Some(table) => self.open(table).await.map(Some),
                None => Ok(None),
            }
        })
    }

    fn table_exist(&self, name: &str) -> bool {
        name == VPC_FLOW_LOGS || named(name).is_some()
    }
}
