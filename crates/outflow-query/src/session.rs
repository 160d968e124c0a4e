//! One engine over one lake.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, TableProvider as _};
use datafusion::common::ScalarValue;
use datafusion::config::Dialect;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{AggregateUDF, LogicalPlan};
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
use crate::given::GivenTable;
use crate::only::Only;
use crate::sum::CheckedSum;
use crate::tables::{LakeTables, VIEWS, VIEWS_OWN_COLUMNS};

/// The catalog that tables are in: what a name without one means.
pub const CATALOG: &str = "outflow";

/// The schema in it that tables are in, likewise.
pub const SCHEMA: &str = "public";

/// Operators of a query at most. The engine goes down into an expression once for each, time and again, and a thread has only so much
/// stack; more is refused as [`Error::Sql`]. A list, as `IN (…)` has, is none however long.
pub const OPERATORS_MAX: usize = 1_000;

/// Parentheses within one another at most: the parser tries again and again what is within some of them.
pub const PARENTHESES_MAX: usize = 50;

/// Bytes of stack that a thread needs that plans or runs such a query.
pub const STACK_BYTES: usize = 64 << 20;

/// Rows that operators hand on at once: fewer where memory is scarce, as each of several operators holds some such batches, of rows
/// that may have all columns of `flows` (3.6 kB).
const BATCH_ROWS_MAX: usize = 32_768;
const BATCH_ROWS_MIN: usize = 1_024;
const ROW_BYTES: usize = 16 << 10;

/// Parts in which a question is worked on, for each thread: while one of them waits for others, the thread goes on with the next, and
/// tables of groups are small enough for caches. Measured: a tenth of the time of questions with millions of groups, and of those
/// that read little.
const PARTS_PER_THREAD: usize = 2;

/// Memory that a part needs to sort with: with less, there are fewer parts, so that each has enough to spill what is too much for
/// it. Measured by sorting ten million rows: with 128 MiB each, what is spilled could not be merged.
const PART_BYTES_MIN: usize = 192 << 20;

/// Bytes and rows that a join's first side may have, by what is estimated of it (which may be far off), to be held as a whole beside
/// each part of the other. Measured: `long_connections` takes 0.15 s less of 1.3 s.
const JOIN_WHOLE_BYTES_MAX: usize = 64 << 20;
const JOIN_WHOLE_ROWS_MAX: usize = 1_000_000;

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
    tables: Arc<LakeTables>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// The answers in `dns` of a session's lake, for those who run plans of [`Session::engine`] themselves.
#[derive(Debug, Clone)]
pub struct Answers(Arc<LakeTables>);

impl Answers {
    /// A plan whose calls of `name_at` know the answers that the lake has now; one without such calls is as it was. What the
    /// session does not see, it does not give, and answers are read once for each version of `dns`.
    ///
    /// # Errors
    /// Those of the engine if `dns` cannot be read.
    pub async fn give(&self, plan: LogicalPlan) -> Result<LogicalPlan, DataFusionError> {
        self.0.name(plan).await
    }
}

impl Session {
    /// A session over all of a lake, whose functions know what is known from elsewhere.
    ///
    /// # Errors
    /// [`Error::Session`] if there is no folder to spill to.
    pub fn over(lake: &Lake, limits: Limits, known: Known) -> Result<Self, Error> {
        Self::over_part(lake, Only::default(), limits, known)
    }

    /// As [`Session::over`], of which only some rows are seen.
    ///
    /// # Errors
    /// As [`Session::over`].
    pub fn over_part(lake: &Lake, only: Only, limits: Limits, known: Known) -> Result<Self, Error> {
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
        let tables = Arc::new(LakeTables::new(lake.clone(), url, only));
        let engine = context.state_weak_ref();
        tables.serve(Box::new(move || Some(engine.upgrade()?.read().clone())));
        let catalog = MemoryCatalogProvider::new();
        let schema = Arc::clone(&tables);
        catalog.register_schema(SCHEMA, schema).map_err(made)?;
        context.register_catalog(CATALOG, Arc::new(catalog));
        Ok(Self { context, tables })
    }

    /// Gives the session a table beside those of its lake, in the place of one of its name that it was given before.
    ///
    /// # Errors
    /// [`Error::Run`] if the engine does not take it, which is a fault of the program.
    pub fn give(&self, table: GivenTable) -> Result<(), Error> {
        Ok(self.tables.give(table)?)
    }

    /// The engine itself, for what speaks to it in another language than [`Session::query`] does, as servers do. Whoever plans a
    /// statement with it has to see that it only reads, and first that it is no larger than [`check_size`] allows. Whoever runs
    /// a plan of it has to give that the answers of `dns` first, with [`Answers::give`]: `name_at` knows none without. Whatever
    /// is registered with it is there for all that use the session.
    pub fn engine(&self) -> &SessionContext {
        &self.context
    }

    /// What plans of [`Session::engine`] are given before they are run.
    pub fn answers(&self) -> Answers {
        Answers(Arc::clone(&self.tables))
    }

    /// Names that a query may have in it: of tables and views, of their columns and of functions.
    pub fn names(&self) -> Vec<String> {
        let tables = Table::ALL.into_iter().flat_map(|table| {
            let schema = table.schema();
            let columns: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
            std::iter::once(table.name().to_owned()).chain(columns)
        });
        let views = VIEWS
            .into_iter()
            .chain(VIEWS_OWN_COLUMNS)
            .map(str::to_owned);
        let given = self.tables.given().into_iter().flat_map(|(name, table)| {
            let schema = table.schema();
            let columns: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
            std::iter::once(name.to_owned()).chain(columns)
        });
        let state = self.context.state();
        let functions = state.scalar_functions().keys();
        let functions = functions
            .chain(state.aggregate_functions().keys())
            .chain(state.window_functions().keys());
        tables
            .chain(views)
            .chain(given)
            .chain(functions.cloned())
            .collect()
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
        let plan = self.plan(sql, values).await?;
        let plan = self.tables.name(plan).await?;
        let frame = self.context.execute_logical_plan(plan).await?;
        let stream = frame.execute_stream().await?;
        Ok(Rows { stream })
    }

    /// Understands a query.
    pub(crate) async fn plan(
        &self,
        sql: &str,
        values: Vec<(String, ScalarValue)>,
    ) -> Result<LogicalPlan, Error> {
        check_size(sql)?;
        let state = self.context.state();
        let mut statement = state.sql_to_statement(sql, &Dialect::Generic)?;
        if !reads(&statement) {
            return Err(Error::Writes {
                statement: first_word(sql),
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
        Ok(plan)
    }

    /// What the engine finds tables in.
    pub(crate) fn tables(&self) -> &LakeTables {
        &self.tables
    }

    /// The engine.
    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }
}

/// Refuses what has too many operators, or too many parentheses within one another. What cannot be told apart into words is
/// left to the parser.
///
/// # Errors
/// [`Error::Sql`] beyond [`OPERATORS_MAX`] or [`PARENTHESES_MAX`].
pub fn check_size(sql: &str) -> Result<(), Error> {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else {
        return Ok(());
    };
    let (mut operators, mut depth, mut deepest) = (0, 0_usize, 0);
    for token in &tokens {
        match token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
            token => operators += usize::from(is_operator(token)),
        }
        deepest = depth.max(deepest);
    }
    let too_much = if operators > OPERATORS_MAX {
        format!("it has {operators} operators, and may have {OPERATORS_MAX}")
    } else if deepest > PARENTHESES_MAX {
        format!("it has {deepest} parentheses within one another, and may have {PARENTHESES_MAX}")
    } else {
        return Ok(());
    };
    Err(Error::Sql {
        message: too_much.into(),
        spot: None,
        help: Some("write long alternatives as `IN (…)`".into()),
    })
}

/// Whether a token makes an expression of two, or goes around one; of those in a list, none does.
fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::BETWEEN
                | Keyword::CASE
                | Keyword::EXCEPT
                | Keyword::ILIKE
                | Keyword::INTERSECT
                | Keyword::IS
                | Keyword::LIKE
                | Keyword::NOT
                | Keyword::OR
                | Keyword::UNION
        ),
        Token::Whitespace(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Placeholder(_)
        | Token::Comma
        | Token::Period
        | Token::SemiColon
        | Token::EOF => false,
        token => {
            let text = token.to_string();
            text.bytes().all(|byte| byte.is_ascii_punctuation())
        }
    }
}

/// Whether a text ends a query with a semicolon, and not within a quotation or a comment.
pub fn is_whole(sql: &str) -> bool {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize();
    let Ok(tokens) = tokens else {
        return false;
    };
    let last = tokens
        .iter()
        .rev()
        .find(|token| !matches!(token, Token::Whitespace(_)));
    last == Some(&Token::SemiColon)
}

/// The word that a statement begins with.
fn first_word(sql: &str) -> String {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize();
    let words = tokens.unwrap_or_default();
    let word = words.iter().find_map(|token| match token {
        Token::Word(word) => Some(word.value.to_uppercase()),
        _ => None,
    });
    word.unwrap_or_default()
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
    context.register_udaf(AggregateUDF::new_from_impl(CheckedSum::default()));
    let engine = context.state();
    if let Some(engine) = engine.scalar_functions().get(outflow_udf::TO_CHAR) {
        let engine = Arc::clone(engine);
        context.register_udf(outflow_udf::to_char(engine));
    }
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
    let wanted = limits.threads.saturating_mul(PARTS_PER_THREAD);
    let parts = wanted.min(limits.memory_bytes / PART_BYTES_MIN).max(1);
    let batch_rows = (limits.memory_bytes / ROW_BYTES).clamp(BATCH_ROWS_MIN, BATCH_ROWS_MAX);
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        .with_target_partitions(parts)
        .with_batch_size(batch_rows);
    let options = config.options_mut();
    // So that an error can point at the word.
    options.sql_parser.collect_spans = true;
    options.execution.parquet.reorder_filters = true;
    // Most groups of these questions are pairs of addresses, which hardly any two rows share: to look for them twice, once on
    // the thread that reads, takes longer than to hand rows on. Measured; a tenth as many groups as rows still pays.
    let execution = &mut options.execution;
    execution.skip_partial_aggregation_probe_rows_threshold = 20_000;
    execution.skip_partial_aggregation_probe_ratio_threshold = 0.3;
    // What a question finds first, as the pairs that it looks at, is mostly few enough for one table that all threads look up; else
    // each row of the other side would be handed to the thread that has its part.
    let optimizer = &mut options.optimizer;
    optimizer.hash_join_single_partition_threshold =
        JOIN_WHOLE_BYTES_MAX.min(limits.memory_bytes / 4);
    optimizer.hash_join_single_partition_threshold_rows = JOIN_WHOLE_ROWS_MAX;
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
