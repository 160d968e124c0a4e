//! What of a lake a query reads, so that of sources no more need be read or written down for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::config::Dialect;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr_rewriter::unnormalize_cols;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};
use outflow_ingest::{Named, Scan};
use outflow_lake::Table;

use crate::error::Error;
use crate::given::given_of;
use crate::names::Asked;
use crate::once::SEEN_AT_ONE_POINT;
use crate::session::{Session, check_size};
use crate::source::{DECODED, needed};
use crate::tables::named;

/// The tables that a query reads, and which of their columns.
pub type Needs = BTreeMap<Table, BTreeSet<String>>;

/// How a query reads tables, as it is planned.
#[derive(Debug, Clone, Default)]
pub struct Reads {
    /// What of them; `None` if all may be read, as by the views in which bytes are seen at one point: they look through the lake
    /// before they are planned.
    pub needs: Option<Needs>,
    /// Each table as often as it is read, with what all rows have to be that are wanted of it.
    scans: Vec<(Table, Option<Expr>)>,
    /// Whether names are asked for, which are found in `dns`.
    is_naming: bool,
    /// Whether it is asked which tables there are: all of them, then.
    is_listing: bool,
}

impl Reads {
    /// Whether the query reads rows of a single table, once, and such as sources hand on: it need not be written down what is
    /// read.
    pub fn is_one_pass(&self) -> bool {
        let one = matches!(&self.scans[..], [(table, _)] if DECODED.contains(table));
        one && self.needs.is_some() && !self.is_naming && !self.is_listing
    }
}

/// The schema that tells of tables.
const INFORMATION_SCHEMA: &str = "information_schema";

impl Session {
    /// How a query reads tables.
    ///
    /// # Errors
    /// Those of [`Session::query`] before it runs.
    pub async fn reads(
        &self,
        sql: &str,
        values: Vec<(String, ScalarValue)>,
    ) -> Result<Reads, Error> {
        check_size(sql)?;
        let state = self.context().state();
        let statement = state.sql_to_statement(sql, &Dialect::Generic)?;
        let references = state.resolve_table_references(&statement)?;
        if references
            .iter()
            .any(|name| SEEN_AT_ONE_POINT.contains(&name.table()))
        {
            return Ok(Reads::default());
        }
        let plan = self.plan(sql, values).await?;
        let mut needs = Needs::new();
        let mut reads = Reads {
            is_naming: Asked::of(&plan)?.any(),
            ..Reads::default()
        };
        if reads.is_naming {
            needs.entry(Table::Dns).or_default();
        }
        let is_known = scans(&state.optimize(&plan)?, &mut needs, &mut reads)?;
        reads.needs = is_known.then_some(needs);
        Ok(reads)
    }

    /// Of objects whose names tell this, which a query that reads tables like that needs.
    ///
    /// # Errors
    /// [`Error::Run`], which is a fault of the program.
    pub fn needed(&self, reads: &Reads, named: &[Named]) -> Result<Vec<bool>, Error> {
        let tells_of_objects =
            |(table, _): &(Table, _)| [Table::Sources, Table::Rejects].contains(table);
        if reads.needs.is_none() || reads.is_naming || reads.scans.iter().any(tells_of_objects) {
            return Ok(vec![true; named.len()]);
        }
        let state = self.context().state();
        let mut all = vec![false; named.len()];
        for (table, filter) in &reads.scans {
            let needed = needed(&state, *table, named, filter.as_ref())?;
            for (all, needed) in all.iter_mut().zip(needed) {
                *all |= needed;
            }
        }
        Ok(all)
    }

    /// Has queries decode sources as they read `flows`, `dns` and `coverage`, instead of reading those tables of the lake. Its other
    /// tables are refused from then on: they do not have what is in the sources.
    pub fn decode(&self, scan: Arc<Scan>) {
        self.tables().decode(scan);
    }
}

/// Notes what a plan reads; says whether all of it is known.
fn scans(
    plan: &LogicalPlan,
    needs: &mut Needs,
    reads: &mut Reads,
) -> Result<bool, DataFusionError> {
    let mut is_known = true;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let name = scan.table_name.table();
            let is_told = scan.table_name.schema() == Some(INFORMATION_SCHEMA);
            match named(name) {
                Some(table) => {
                    let columns = columns(scan);
                    // Columns go by the names that a query gives tables.
                    let filters = unnormalize_cols(scan.filters.iter().cloned());
                    reads.scans.push((table, conjunction(filters)));
                    needs.entry(table).or_default().extend(columns);
                }
                None => {
                    reads.is_listing |= is_told;
                    is_known &= is_told || given_of(name).is_some();
                }
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
