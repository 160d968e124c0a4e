//! One engine over one lake.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider};
use datafusion::common::ScalarValue;
use datafusion::config::Dialect;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use futures::StreamExt as _;
use outflow_lake::{Lake, Table};
use outflow_udf::Known;

use crate::bind::bind;
use crate::error::Error;
use crate::tables::LakeTables;

/// The catalog, and the schema in it that tables are in: what an unqualified name means.
const CATALOG: &str = "outflow";
const SCHEMA: &str = "public";

/// Operators of a query at most. The engine goes down into an expression once for each, time and again, and a thread has only so much
/// stack; more is refused as [`Error::Sql`]. A list, as `IN (…)` has, is none however long.
pub const OPERATORS_MAX: usize = 1_000;

/// Bytes of stack that a thread needs that plans or runs such a query.
pub const STACK_BYTES: usize = 64 << 20;

/// What queries may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory for what is sorted, grouped and joined, of all queries of a session together. What does not fit
    /// is spilled to disk; what cannot be spilled is [`Error::Memory`].
    pub memory_bytes: usize,
    /// Bytes of spilled files on disk.
    pub spill_bytes: u64,
    /// Threads; at least one.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            spill_bytes: 64 << 30,
            threads: 1,
        }
    }
}

/// SQL over the tables of one lake. Each query sees tables as they are when it is asked.
pub struct Session {
    context: SessionContext,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// A session over a lake, whose functions know what is known from elsewhere.
    ///
    /// # Errors
    /// [`Error::Session`] if there is no folder to spill to.
    pub fn over(lake: &Lake, limits: Limits, known: Known) -> Result<Self, Error> {
        let made = |error: DataFusionError| Error::Session {
            source: Box::new(error),
        };
        let url = ObjectStoreUrl::parse("outflow://lake").map_err(made)?;
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(limits.memory_bytes)))
            .with_disk_manager_builder(
                DiskManagerBuilder::default().with_max_temp_directory_size(limits.spill_bytes),
            )
            .build_arc()
            .map_err(made)?;
        runtime.register_object_store(url.as_ref(), Arc::clone(lake.object_store()));
        let state = SessionStateBuilder::new()
            .with_config(config(limits))
            .with_runtime_env(runtime)
            .with_default_features()
            .build();
        let context = SessionContext::new_with_state(state);
        register(&context, known);
        let unix_seconds = context
            .state()
            .scalar_functions()
            .get("unix_seconds")
            .cloned();
        let tables = LakeTables::new(lake.clone(), url, unix_seconds);
        let catalog = MemoryCatalogProvider::new();
        catalog
            .register_schema(SCHEMA, Arc::new(tables))
            .map_err(made)?;
        context.register_catalog(CATALOG, Arc::new(catalog));
        Ok(Self { context })
    }

    /// Names that a query may have in it: of tables, of their columns and of functions.
    pub fn names(&self) -> Vec<String> {
        let tables = Table::ALL.into_iter().flat_map(|table| {
            let schema = table.schema();
            let columns: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
            std::iter::once(table.name().to_owned()).chain(columns)
        });
        let state = self.context.state();
        let functions = state.scalar_functions().keys();
        let functions = functions
            .chain(state.aggregate_functions().keys())
            .chain(state.window_functions().keys());
        tables.chain(functions.cloned()).collect()
    }

    /// Runs a query, whose places `$name` have these values.
    ///
    /// # Errors
    /// [`Error::Sql`] if it cannot be understood, [`Error::Writes`] if it is no query, [`Error::Place`] if a value is for a place
    /// that it does not have, or the other way round.
    pub async fn query(
        &self,
        sql: &str,
        values: Vec<(String, ScalarValue)>,
    ) -> Result<Rows, Error> {
        check_operators(sql)?;
        let state = self.context.state();
        let mut statement = state.sql_to_statement(sql, &Dialect::Generic)?;
        if !reads(&statement) {
            let word = sql.split_whitespace().next().unwrap_or_default();
            return Err(Error::Writes {
                statement: word.to_uppercase(),
            });
        }
        bind(&mut statement, values)?;
        let plan = state.statement_to_plan(statement).await?;
        // What is explained may be no query, and be run for it.
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)?;
        let frame = self.context.execute_logical_plan(plan).await?;
        let stream = frame.execute_stream().await?;
        Ok(Rows { stream })
    }
}

/// Refuses what has too many operators. What cannot be told apart into words is left to the parser.
fn check_operators(sql: &str) -> Result<(), Error> {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else {
        return Ok(());
    };
    let is_operator = |token: &&Token| match token {
        Token::Word(word) => matches!(word.keyword, Keyword::AND | Keyword::OR | Keyword::NOT),
        Token::Plus | Token::Minus | Token::Mul | Token::Div | Token::Mod | Token::StringConcat => {
            true
        }
        _ => false,
    };
    match tokens.iter().filter(is_operator).count() {
        ..=OPERATORS_MAX => Ok(()),
        count => Err(Error::Sql {
            message: format!("it has {count} operators, and may have {OPERATORS_MAX}").into(),
            spot: None,
            help: Some("write long alternatives as `IN (…)`".into()),
        }),
    }
}

/// Whether a statement is one that only reads.
fn reads(statement: &Statement) -> bool {
    use sqlparser::ast::Statement as Sql;
    match statement {
        Statement::Statement(sql) => matches!(
            **sql,
            Sql::Query(_)
                | Sql::ExplainTable { .. }
                | Sql::ShowTables { .. }
                | Sql::ShowColumns { .. }
                | Sql::ShowFunctions { .. }
                | Sql::ShowVariable { .. }
        ),
        Statement::Explain(explained) => reads(&explained.statement),
        _ => false,
    }
}

fn register(context: &SessionContext, known: Known) {
    let functions = outflow_udf::functions(known);
    for function in functions.scalar {
        context.register_udf(function);
    }
    for function in functions.aggregate {
        context.register_udaf(function);
    }
    for function in functions.window {
        context.register_udwf(function);
    }
}

fn config(limits: Limits) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        .with_target_partitions(limits.threads.max(1));
    let options = config.options_mut();
    // So that an error can point at the word.
    options.sql_parser.collect_spans = true;
    // Rows that a filter lets through are few in the questions of forensics: the other columns are read for those alone.
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    config
}

/// What a query answers, batch by batch.
pub struct Rows {
    stream: SendableRecordBatchStream,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}

impl Rows {
    /// Its columns.
    pub fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }

    /// The next rows; none at the end.
    ///
    /// # Errors
    /// [`Error::Run`] or [`Error::Memory`] if it cannot go on.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        Ok(self.stream.next().await.transpose()?)
    }
}
