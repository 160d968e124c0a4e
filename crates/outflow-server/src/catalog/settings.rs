//! `pg_settings`: the settings of the connection that asks, as they are when it does.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_schema::SchemaRef;
use datafusion::catalog::{MemTable, Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::plan_err;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;

use super::information::{Told, all, none, table};
use crate::settings::{Settings, Shown};

/// The function that `pg_settings` is a view of, as in PostgreSQL. Tables are those of all connections; functions are each one's own.
pub(super) const SHOW_ALL: &str = "pg_show_all_settings";

/// Makes the settings of a connection part of what it asks with.
pub(super) fn register(context: &SessionContext, settings: &Arc<Mutex<Settings>>) {
    let settings = Arc::clone(settings);
    context.register_udtf(SHOW_ALL, Arc::new(ShowAll { settings }));
}

#[derive(Debug)]
struct ShowAll {
    settings: Arc<Mutex<Settings>>,
}

impl TableFunctionImpl for ShowAll {
    fn call_with_args(
        &self,
        args: TableFunctionArgs<'_, '_>,
    ) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        if !args.exprs().is_empty() {
            return plan_err!("{SHOW_ALL} takes no arguments");
        }
        Ok(Arc::new(SettingsTable {
            schema: now(&self.settings)?.schema(),
            settings: Arc::clone(&self.settings),
        }))
    }
}

/// Settings, read when a plan of them is run: a statement may be prepared long before.
#[derive(Debug)]
struct SettingsTable {
    schema: SchemaRef,
    settings: Arc<Mutex<Settings>>,
}

impl TableProvider for SettingsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
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
        Box::pin(async move {
            let now = now(&self.settings)?;
            now.scan(state, projection, filters, limit).await
        })
    }
}

fn now(settings: &Mutex<Settings>) -> Result<Arc<MemTable>, DataFusionError> {
    // They are whole between any two statements, whoever panicked.
    shown(&settings.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Settings as PostgreSQL's view has them.
fn shown(settings: &Settings) -> Result<Arc<MemTable>, DataFusionError> {
    let known: Vec<Shown<'_>> = settings.shown().collect();
    let rows = known.len();
    let text = |name, of: &dyn Fn(&Shown<'_>) -> Option<String>| {
        Told::Text(name, known.iter().map(of).collect())
    };
    let either = |is: bool, one: &str, other: &str| Some(if is { one } else { other }.to_owned());
    table(vec![
        text("name", &|of| Some(of.name.to_owned())),
        text("setting", &|of| Some(of.value.clone())),
        text("unit", &|of| of.unit.map(str::to_owned)),
        none("category", rows),
        none("short_desc", rows),
        none("extra_desc", rows),
        text("context", &|of| either(of.is_fixed, "internal", "user")),
        text("vartype", &|of| either(of.is_number, "integer", "string")),
        text("source", &|of| either(of.is_set, "session", "default")),
        none("min_val", rows),
        none("max_val", rows),
        none("enumvals", rows),
        text("boot_val", &|of| of.reset.clone()),
        text("reset_val", &|of| of.reset.clone()),
        none("sourcefile", rows),
        Told::Number("sourceline", vec![None; rows]),
        all("pending_restart", "f", rows),
    ])
}
