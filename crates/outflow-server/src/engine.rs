//! What statements are planned and run with: one session, its threads, and who may use them how long.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use datafusion::logical_expr::{LogicalPlan, TableType};
use datafusion::prelude::{SQLOptions, SessionContext};
use datafusion::sql::parser::Statement as Planned;
use datafusion::sql::sqlparser::ast::Statement;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use outflow_query::{Answers, ScalarValue, Session, bind};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::catalog::{self, Dialect};
use crate::error::Error;
use crate::limits::ServeLimits;
use crate::problem::{Problem, sqlstate};
use crate::settings::Settings;
use crate::sql::{Parsed, parse};

/// Batches of rows that wait for a client that reads slowly.
const BATCHES_AHEAD: usize = 1;

/// Bytes of a statement that takes no time to read.
const SHORT_BYTES: usize = 16 << 10;

/// What the servers of one lake share: its session, and what clients may take of it.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}

struct Shared {
    context: SessionContext,
    /// What `name_at` knows, as of when a plan begins to run.
    answers: Answers,
    /// Threads that plan and run: not those that talk to clients, so that no statement keeps these waiting.
    workers: Handle,
    turns: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    limits: ServeLimits,
    dialect: Dialect,
    roles: Arc<OnceLock<Vec<String>>>,
}

impl Engine {
    /// An engine over a session, which runs on threads that have [`outflow_query::STACK_BYTES`] of stack each.
    ///
    /// The catalogue of PostgreSQL becomes part of the session, as `pg_catalog`.
    ///
    /// # Errors
    /// [`Error::Catalogue`] if that is there already.
    pub fn new(session: &Session, workers: &Handle, limits: ServeLimits) -> Result<Self, Error> {
        let context = session.engine().clone();
        let roles = Arc::new(OnceLock::new());
        catalog::register(&context, &roles).map_err(|source| Error::Catalogue {
            source: Box::new(source),
        })?;
        Ok(Self {
            shared: Arc::new(Shared {
                context,
                answers: session.answers(),
                workers: workers.clone(),
                turns: Arc::new(Semaphore::new(limits.statements)),
                connections: Arc::new(Semaphore::new(limits.connections)),
                limits,
                dialect: Dialect::new(),
                roles,
            }),
        })
    }

    /// What clients may take.
    pub fn limits(&self) -> &ServeLimits {
        &self.shared.limits
    }

    /// Says who there is; the first to say so is right.
    pub(crate) fn name_roles(&self, names: Vec<String>) {
        self.shared.roles.get_or_init(|| names);
    }

    /// Room for one more connection, if there is any.
    pub(crate) fn connection(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.shared.connections)
            .try_acquire_owned()
            .ok()
    }

    /// What one client asks with.
    pub(crate) fn desk(&self, user: &str, process: i32) -> Desk {
        let limits = &self.shared.limits;
        let settings = Settings::new(user, limits.connections, limits.statement_timeout);
        let settings = Arc::new(Mutex::new(settings));
        let context = SessionContext::new_with_state(self.shared.context.state());
        catalog::personal(&context, &settings, user, process);
        Desk {
            engine: self.clone(),
            context,
            settings,
        }
    }

    /// Waits for a turn.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let wait = self.shared.limits.queue_timeout;
        let turn = Arc::clone(&self.shared.turns).acquire_owned();
        match tokio::time::timeout(wait, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) => Err(Problem::fatal(
                sqlstate::ADMIN_SHUTDOWN,
                "the server is stopping",
            )),
            Err(_) => Err(self.too_many()),
        }
    }

    fn too_many(&self) -> Problem {
        let Self { shared } = self;
        let message = format!(
            "{} statements run already, and none ended within {} s",
            shared.limits.statements,
            shared.limits.queue_timeout.as_secs()
        );
        Problem::new(sqlstate::TOO_MANY_CONNECTIONS, message).hint("ask again later")
    }
}

/// What one client asks with: the session, with settings of its own.
pub(crate) struct Desk {
    engine: Engine,
    context: SessionContext,
    settings: Arc<Mutex<Settings>>,
}

impl Desk {
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn settings(&self) -> MutexGuard<'_, Settings> {
        // Settings are whole between any two statements, whoever panicked.
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn statement_timeout(&self) -> Duration {
        self.settings().statement_timeout()
    }

    /// Takes a text apart into statements.
    pub(crate) async fn parse(&self, sql: &str) -> Result<Vec<Parsed>, Problem> {
        // What is short is read at once: it must not wait for statements that keep all threads at work.
        if sql.len() <= SHORT_BYTES {
            return parse(sql, &self.engine.shared.dialect);
        }
        let (shared, sql) = (Arc::clone(&self.engine.shared), sql.to_owned());
        self.compute(move || parse(&sql, &shared.dialect)).await
    }

    /// Plans a statement, with these values for its places, or with places.
    pub(crate) fn plan(
        &self,
        statement: Statement,
        values: Option<Vec<(String, ScalarValue)>>,
    ) -> BoxFuture<'_, Result<LogicalPlan, Problem>> {
        // A statement is large, and is not carried about.
        let mut statement = Planned::Statement(Box::new(statement));
        Box::pin(async move {
            let turn = self.engine.turn().await?;
            let state = self.context.state();
            let planned = self.work(async move {
                let _turn = turn;
                if let Some(values) = values {
                    bind(&mut statement, values)?;
                }
                let plan = state.statement_to_plan(statement).await?;
                check(&plan)?;
                Ok(plan)
            });
            Box::pin(planned).await
        })
    }

    /// Begins to run a plan.
    pub(crate) async fn run(&self, plan: LogicalPlan) -> Result<Answer, Problem> {
        let turn = self.engine.turn().await?;
        let context = self.context.clone();
        let answers = self.engine.shared.answers.clone();
        let begun = self.work(Box::pin(async move {
            let _turn = turn;
            let plan = answers.give(plan).await?;
            let frame = context.execute_logical_plan(plan).await?;
            Ok(frame.execute_stream().await?)
        }));
        let mut stream = begun.await?;
        let schema = stream.schema();
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let turns = Arc::clone(&self.engine.shared.turns);
        let task = self.engine.shared.workers.spawn(async move {
            loop {
                // A turn is for one batch: who waits for a slow client keeps none.
                let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
                    return;
                };
                let batch = stream.next().await;
                drop(turn);
                let Some(batch) = batch else {
                    return;
                };
                let batch = batch.map_err(Problem::from);
                let is_last = batch.is_err();
                if sender.send(batch).await.is_err() || is_last {
                    return;
                }
            }
        });
        Ok(Answer {
            schema,
            batches,
            task: Aborting(task),
        })
    }

    /// The tables of the lake: their names, what they are, and their columns.
    pub(crate) async fn tables(&self) -> Result<Vec<(String, TableType, SchemaRef)>, Problem> {
        let context = self.context.clone();
        let tables =
            self.work(async move { Ok(catalog::tables(context.state().catalog_list()).await?) });
        let tables = tables.await?.into_iter();
        Ok(tables
            .map(|(name, table)| (name, table.table_type(), table.schema()))
            .collect())
    }

    /// Does on the engine's threads what takes a while, and waits for nothing.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.work(async move { work() }).await
    }

    /// Does on the engine's threads what may take all of one.
    async fn work<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let mut task = Aborting(self.engine.shared.workers.spawn(work));
        match (&mut task.0).await {
            Ok(done) => done,
            Err(error) => Err(failed(&error)),
        }
    }
}

/// That a task did not come to its end.
fn failed(error: &tokio::task::JoinError) -> Problem {
    let message = match error.is_panic() {
        true => "the engine failed at this statement",
        false => "the engine is stopping",
    };
    Problem::new(sqlstate::INTERNAL_ERROR, message)
}

/// Refuses a plan that does more than read.
fn check(plan: &LogicalPlan) -> Result<(), Problem> {
    let inner = match plan {
        LogicalPlan::Analyze(analyze) => &analyze.input,
        LogicalPlan::Explain(explain) => &explain.plan,
        plan => {
            return match plan {
                LogicalPlan::Ddl(ddl) => Err(Problem::writes(ddl.name())),
                LogicalPlan::Dml(dml) => Err(Problem::writes(dml.op.name())),
                LogicalPlan::Copy(_) => Err(Problem::writes("COPY")),
                LogicalPlan::Statement(statement) => Err(Problem::writes(statement.name())),
                plan => {
                    let only_reads = SQLOptions::new()
                        .with_allow_ddl(false)
                        .with_allow_dml(false)
                        .with_allow_statements(false);
                    Ok(only_reads.verify_plan(plan)?)
                }
            };
        }
    };
    check(inner)
}

/// A task that ends with this.
struct Aborting<T>(JoinHandle<T>);

impl<T> Drop for Aborting<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a statement answers, batch by batch. It ends when this is dropped.
pub(crate) struct Answer {
    schema: SchemaRef,
    batches: mpsc::Receiver<Result<RecordBatch, Problem>>,
    task: Aborting<()>,
}

impl Answer {
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next rows; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>, Problem> {
        if let Some(batch) = self.batches.recv().await {
            return batch.map(Some);
        }
        // The end of what is sent is that of the task: by itself, or by a panic.
        match (&mut self.task.0).await {
            Ok(()) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }
}
