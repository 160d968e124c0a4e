//! Sources as tables: objects that are decoded as a query reads them.
//!
//! Filters do twice: what names of objects tell chooses which are opened (`told`), and rows that they do not let through go no
//! further than the thread that decodes them (`exec`).

mod exec;
mod told;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode as _;
use datafusion::datasource::TableType;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use outflow_ingest::Scan;
use outflow_lake::Table;

use crate::table::{schema, spread};
use exec::{Reading, SourceExec};
pub(crate) use told::needed;

/// Tables whose rows each stand for themselves, so that they need no other object than the one that has them.
pub(crate) const DECODED: [Table; 3] = [Table::Flows, Table::Dns, Table::Coverage];

/// A table of sources.
pub(crate) struct SourceTable {
    table: Table,
    schema: SchemaRef,
    scan: Arc<Scan>,
}

impl std::fmt::Debug for SourceTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceTable")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

impl SourceTable {
    /// One of [`DECODED`], of these sources.
    pub(crate) fn new(table: Table, scan: Arc<Scan>) -> Self {
        Self {
            table,
            schema: Arc::clone(schema(table).table_schema()),
            scan,
        }
    }

    async fn plan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let filter = conjunction(filters.iter().cloned());
        let named = self.scan.named();
        let chosen = needed(state, self.table, &named, filter.as_ref())?;
        let chosen: Vec<usize> = (0..named.len()).filter(|at| chosen[*at]).collect();
        let left_out = named.len() - chosen.len();
        let scan = Arc::clone(&self.scan);
        // Copies are found by what they hold, if they are of one size.
        let chosen = tokio::task::spawn_blocking(move || scan.without_copies(&chosen)).await;
        let chosen = chosen.map_err(|error| DataFusionError::External(Box::new(error)))?;
        let sizes = chosen.iter().map(|at| (*at, named[*at].size)).collect();
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let handed_on = projection.unwrap_or(&all);
        let mut read: BTreeSet<usize> = handed_on.iter().copied().collect();
        for column in filter.iter().flat_map(Expr::column_refs) {
            read.insert(self.schema.index_of(&column.name)?);
        }
        let read: Vec<usize> = read.into_iter().collect();
        let places = handed_on
            .iter()
            .filter_map(|at| read.binary_search(at).ok());
        let schema = Arc::new(self.schema.project(&read)?);
        let filter = filter
            .map(|filter| {
                let of = DFSchema::try_from(Arc::clone(&schema))?;
                state.create_physical_expr(filter, &of)
            })
            .transpose()?;
        let reading = Reading {
            table: self.table,
            schema,
            filter,
            places: places.collect(),
            limit,
        };
        let groups = spread(sizes, state.config().target_partitions());
        let plan = SourceExec::new(Arc::clone(&self.scan), reading, groups, left_out)?;
        Ok(Arc::new(plan))
    }
}

/// Whether rows can be told apart by a filter one by one, where they are decoded.
fn is_of_rows(filter: &Expr) -> bool {
    let is_query = |expr: &Expr| {
        let is_query = matches!(
            expr,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
        );
        Ok(is_query)
    };
    // What cannot be looked through is left to the engine.
    !filter.exists(is_query).unwrap_or(true)
}

impl TableProvider for SourceTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// What the trait's macro writes, by hand: macros over types of the engine take seconds to compile.
    fn scan<'s, 'state, 'projection, 'filters, 'all>(
        &'s self,
        state: &'state dyn Session,
        projection: Option<&'projection Vec<usize>>,
        filters: &'filters [Expr],
        limit: Option<usize>,
    ) -> Pin<Box<dyn Future<Output = Result<Arc<dyn ExecutionPlan>, DataFusionError>> + Send + 'all>>
    where
        's: 'all,
        'state: 'all,
        'projection: 'all,
        'filters: 'all,
        Self: 'all,
    {
        Box::pin(self.plan(state, projection, filters, limit))
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>, DataFusionError> {
        let support = |filter: &&Expr| match is_of_rows(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }
}
