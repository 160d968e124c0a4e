//! What of a lake a query reads, so that of sources no more need be written down for it.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::config::Dialect;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{LogicalPlan, TableScan};
use outflow_lake::Table;

use crate::error::Error;
use crate::given::GIVEN;
use crate::names::Asked;
use crate::once::SEEN_AT_ONE_POINT;
use crate::session::{Session, check_size};
use crate::tables::named;

/// The tables that a query reads, and which of their columns.
pub type Needs = BTreeMap<Table, BTreeSet<String>>;

/// The schema that tells of tables.
const INFORMATION_SCHEMA: &str = "information_schema";

impl Session {
    /// What a query reads, as it is planned; `None` if all may be read, as by the views in which bytes are seen at one point: they
    /// look through the lake before they are planned.
    ///
    /// # Errors
    /// Those of [`Session::query`] before it runs.
    pub async fn needs(
        &self,
        sql: &str,
        values: Vec<(String, ScalarValue)>,
    ) -> Result<Option<Needs>, Error> {
        check_size(sql)?;
        let state = self.context().state();
        let statement = state.sql_to_statement(sql, &Dialect::Generic)?;
        let references = state.resolve_table_references(&statement)?;
        if references
            .iter()
            .any(|name| SEEN_AT_ONE_POINT.contains(&name.table()))
        {
            return Ok(None);
        }
        let plan = self.plan(sql, values).await?;
        let mut needs = Needs::new();
        if Asked::of(&plan)?.any() {
            needs.entry(Table::Dns).or_default();
        }
        let is_known = scans(&state.optimize(&plan)?, &mut needs)?;
        Ok(is_known.then_some(needs))
    }
}

/// Notes what a plan reads; says whether all of it is known.
fn scans(plan: &LogicalPlan, needs: &mut Needs) -> Result<bool, DataFusionError> {
    let mut is_known = true;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let name = scan.table_name.table();
            let is_told = scan.table_name.schema() == Some(INFORMATION_SCHEMA);
            match named(name) {
                Some(table) => {
                    let columns = columns(scan);
                    needs.entry(table).or_default().extend(columns);
                }
                None => is_known &= is_told || GIVEN.contains(&name),
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(is_known)
}

/// The columns that a scan hands on, or chooses rows by.
fn columns(scan: &TableScan) -> BTreeSet<String> {
    let schema = scan.source.schema();
    let handed_on: Vec<String> = match &scan.projection {
        Some(places) => places
            .iter()
            .filter_map(|at| schema.fields().get(*at))
            .map(|field| field.name().clone())
            .collect(),
        None => schema.fields().iter().map(|f| f.name().clone()).collect(),
    };
    let filters = scan.filters.iter();
    let chosen_by = filters.flat_map(|filter| filter.column_refs());
    let chosen_by = chosen_by.map(|column| column.name.clone());
    handed_on.into_iter().chain(chosen_by).collect()
}
