//! The tables of a lake by their names, each as it is when a query names it, and views of them.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::{MemTable, ViewTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ident};
use datafusion::prelude::SessionContext;
use outflow_ingest::Scan;
use outflow_lake::table::{DAY, SOURCE_ID, SOURCE_ROW};
use outflow_lake::{Lake, Table};
use outflow_record::{Field, Kind};

use crate::given::{GivenTable, given_of};
use crate::names::{self, ANSWERS_KNOWN};
use crate::once::{
    FLOWS_LOGGED, FLOWS_ONCE, PASSED_HOSTS, PROFILES_ONCE, REPEATED_LOGS, SENDER, Sightings,
};
use crate::only::Only;
use crate::source::{DECODED, SourceTable};
use crate::table::LakeTable;

/// The flow records as AWS's own queries for Athena have them: AWS's columns, times in seconds, days as `date`. Queries
/// of findings ask it.
pub(crate) const VPC_FLOW_LOGS: &str = "vpc_flow_logs";

/// The day of a row there, as AWS's queries for Athena name it.
const VPC_FLOW_LOGS_DAY: &str = "date";

/// Columns of views that no table has.
pub(crate) const VIEWS_OWN_COLUMNS: [&str; 2] = [VPC_FLOW_LOGS_DAY, SENDER];

/// The views that are listed.
pub(crate) const VIEWS: [&str; 4] = [VPC_FLOW_LOGS, FLOWS_LOGGED, FLOWS_ONCE, PROFILES_ONCE];

/// The state of an engine as it is now; it holds the tables, and so is not held by them.
type Engine = Box<dyn Fn() -> Option<SessionState> + Send + Sync>;

/// What views stand on, and the versions of `flows` and `profiles` that it was seen in.
type Seen = ((u64, u64), Arc<Sightings>);

/// What the engine finds tables in.
pub(crate) struct LakeTables {
    lake: Lake,
    store: ObjectStoreUrl,
    only: Only,
    engine: OnceLock<Engine>,
    sightings: tokio::sync::Mutex<Option<Seen>>,
    names: tokio::sync::Mutex<names::Read>,
    given: RwLock<BTreeMap<&'static str, Arc<MemTable>>>,
    /// Sources that are decoded where some of the lake's tables are named.
    sources: RwLock<Option<Arc<Scan>>>,
}

impl std::fmt::Debug for LakeTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LakeTables")
            .field("lake", &self.lake)
            .finish_non_exhaustive()
    }
}

impl LakeTables {
    /// The tables of a lake, whose files the engine gets from a store of this name.
    pub(crate) fn new(lake: Lake, store: ObjectStoreUrl, only: Only) -> Self {
        Self {
            lake,
            store,
            only,
            engine: OnceLock::new(),
            sightings: tokio::sync::Mutex::new(None),
            names: tokio::sync::Mutex::default(),
            given: RwLock::default(),
            sources: RwLock::default(),
        }
    }

    /// Says which engine finds its tables here: it plans views.
    pub(crate) fn serve(&self, engine: Engine) {
        // It is said once.
        self.engine.get_or_init(|| engine);
    }

    /// Has these sources decoded in the place of tables.
    pub(crate) fn decode(&self, scan: Arc<Scan>) {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        *sources = Some(scan);
    }

    /// The sources that are decoded where a table is named, if there are any; a table that they are not decoded as is an error, and
    /// no empty one.
    fn sources_of(&self, table: Table) -> Result<Option<Arc<Scan>>, DataFusionError> {
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        let Some(scan) = sources.as_ref() else {
            return Ok(None);
        };
        if DECODED.contains(&table) {
            return Ok(Some(Arc::clone(scan)));
        }
        let decoded = DECODED
            .map(|table| format!("`{}`", table.name()))
            .join(", ");
        Err(DataFusionError::Plan(format!(
            "sources are decoded as {decoded} alone: `{}` needs a lake of them",
            table.name()
        )))
    }

    /// Adds a table beside those of the lake, or puts it in the place of one of its name that was given before.
    pub(crate) fn give(&self, table: GivenTable) -> Result<(), DataFusionError> {
        let GivenTable { name, batch } = table;
        let provider = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        let mut given = self.given.write().unwrap_or_else(PoisonError::into_inner);
        given.insert(name, Arc::new(provider));
        Ok(())
    }

    /// The tables that were given.
    pub(crate) fn given(&self) -> BTreeMap<&'static str, Arc<MemTable>> {
        let given = self.given.read();
        given.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn context(&self) -> Result<SessionContext, DataFusionError> {
        let state = self.engine.get().and_then(|state| state());
        let state =
            state.ok_or_else(|| DataFusionError::Internal("there is no engine".to_owned()))?;
        Ok(SessionContext::new_with_state(state))
    }

    /// A table, or a view of one, if it is one.
    async fn find(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        match name {
            VPC_FLOW_LOGS => self.vpc_flow_logs().await.map(Some),
            FLOWS_LOGGED | FLOWS_ONCE | PROFILES_ONCE => {
                let sightings = self.sightings().await?;
                let Some(sql) = sightings.sql(name) else {
                    return Ok(None);
                };
                let plan = self.context()?.state().create_logical_plan(&sql).await?;
                Ok(Some(Arc::new(ViewTable::new(plan, None))))
            }
            REPEATED_LOGS | PASSED_HOSTS => Ok(self.sightings().await?.table(name)),
            ANSWERS_KNOWN => {
                let only = self.only.with_answers_before();
                let dns = self.open(Table::Dns).await?;
                only.of(Table::Dns, dns).map(Some)
            }
            _ => match named(name) {
                Some(table) => self.only.of(table, self.open(table).await?).map(Some),
                None => self.find_given(name),
            },
        }
    }

    /// A table that was given, if it is one of those that may be.
    fn find_given(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let Some(of) = given_of(name) else {
            return Ok(None);
        };
        match self.given().remove(name) {
            Some(table) => Ok(Some(table as Arc<dyn TableProvider>)),
            None => Err(DataFusionError::Plan(format!(
                "there is no table `{name}`, as none was given: it is {of}"
            ))),
        }
    }

    /// A plan whose calls of `name_at` know the answers that the lake has now.
    pub(crate) async fn name(&self, plan: LogicalPlan) -> Result<LogicalPlan, DataFusionError> {
        let asked = names::Asked::of(&plan)?;
        if !asked.any() {
            return Ok(plan);
        }
        let lake = self.lake.clone();
        let version = waiting(move || Ok(lake.snapshot(Table::Dns)?.version())).await?;
        let mut read = self.names.lock().await;
        let names = read.names(asked, version, &self.context()?).await?;
        names::bound(plan, names)
    }

    /// What views stand on, looked for anew when the lake has more.
    async fn sightings(&self) -> Result<Arc<Sightings>, DataFusionError> {
        let lake = self.lake.clone();
        let versions = waiting(move || {
            let version = |table| lake.snapshot(table).map(|snapshot| snapshot.version());
            Ok((version(Table::Flows)?, version(Table::Profiles)?))
        })
        .await?;
        let mut seen = self.sightings.lock().await;
        if let Some((at, sightings)) = seen.as_ref()
            && *at == versions
        {
            return Ok(Arc::clone(sightings));
        }
        let sightings = Arc::new(Sightings::look(&self.context()?).await?);
        *seen = Some((versions, Arc::clone(&sightings)));
        Ok(sightings)
    }

    async fn vpc_flow_logs(&self) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        let flows = self.only.of(Table::Flows, self.open(Table::Flows).await?)?;
        let lacking = || DataFusionError::Internal("there is no `unix_seconds`".to_owned());
        let state = self.context()?.state();
        let unix_seconds = state.scalar_functions().get("unix_seconds");
        let unix_seconds = unix_seconds.ok_or_else(lacking)?;
        let seconds = |name: &str| unix_seconds.call(vec![ident(name)]).alias(name);
        let mut columns: Vec<Expr> = Field::ALL
            .iter()
            .map(|field| match field.kind() {
                Kind::Time => seconds(field.column()),
                _ => ident(field.column()),
            })
            .collect();
        columns.push(ident(DAY).alias(VPC_FLOW_LOGS_DAY));
        columns.extend([SOURCE_ID, SOURCE_ROW].map(ident));
        let plan = LogicalPlanBuilder::scan(Table::Flows.name(), provider_as_source(flows), None)?
            .project(columns)?
            .build()?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }

    async fn open(&self, table: Table) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        if let Some(scan) = self.sources_of(table)? {
            return Ok(Arc::new(SourceTable::new(table, scan)));
        }
        let lake = self.lake.clone();
        let files = waiting(move || lake.files(&lake.snapshot(table)?)).await?;
        Ok(Arc::new(LakeTable::new(table, files, self.store.clone())))
    }
}

/// Does what waits for a lake, which does that on a thread of its own: one of the engine's may not.
async fn waiting<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, outflow_lake::Error> + Send + 'static,
) -> Result<T, DataFusionError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| DataFusionError::External(Box::new(error)))?;
    done.map_err(|error| DataFusionError::External(Box::new(error)))
}

/// The table of a lake of this name.
pub(crate) fn named(name: &str) -> Option<Table> {
    Table::ALL.into_iter().find(|table| table.name() == name)
}

impl SchemaProvider for LakeTables {
    fn table_names(&self) -> Vec<String> {
        let own = Table::ALL.into_iter().map(Table::name);
        let own = own.chain(VIEWS).chain(self.given().into_keys());
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
        Box::pin(self.find(name))
    }

    fn table_exist(&self, name: &str) -> bool {
        let is_hidden = [REPEATED_LOGS, PASSED_HOSTS, ANSWERS_KNOWN].contains(&name);
        let is_given = || self.given().contains_key(name);
        is_hidden || VIEWS.contains(&name) || named(name).is_some() || is_given()
    }
}
