//! The catalogue that clients of PostgreSQL look at, and the words of SQL that only they use.

use std::sync::{Arc, Mutex, OnceLock};

use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::Statement;
use datafusion_pg_catalog::pg_catalog::context::{PgCatalogContextProvider, Role};
use datafusion_pg_catalog::pg_catalog::setup_pg_catalog;
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_pg_catalog::sql::rules::{
    CurrentUserVariableToSessionUserFunctionCall, FixArrayLiteral, FixVersionColumnName,
    RewriteArrayAnyAllOperation, RewritePgCatalogOperator, SqlStatementRewriteRule,
    StripCallableQualifier, StripCollate,
};
use outflow_query::CATALOG;

use crate::settings::Settings;

mod functions;
mod information;
mod procedures;
mod rewrite;
mod search_path;
mod settings;

pub(crate) use information::each as tables;
pub(crate) use rewrite::names;

/// Makes the catalogue part of a session.
pub(crate) fn register(
    context: &SessionContext,
    roles: &Arc<OnceLock<Vec<String>>>,
) -> Result<(), DataFusionError> {
    setup_pg_catalog(context, CATALOG, Roles(Arc::clone(roles))).map_err(|error| *error)?;
    functions::register(context);
    information::register(context)
}

/// What is different for each client.
pub(crate) fn personal(
    context: &SessionContext,
    settings: &Arc<Mutex<Settings>>,
    user: &str,
    process: i32,
) {
    functions::personal(context, settings, user, process);
}

/// Who there is, as `pg_roles` tells it.
#[derive(Debug, Clone)]
struct Roles(Arc<OnceLock<Vec<String>>>);

impl PgCatalogContextProvider for Roles {
    fn roles<'s, 'f>(&'s self) -> std::pin::Pin<Box<dyn Future<Output = Vec<String>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async { self.0.get().cloned().unwrap_or_default() })
    }

    fn role<'s, 'n, 'f>(
        &'s self,
        name: &'n str,
    ) -> std::pin::Pin<Box<dyn Future<Output = Option<Role>> + Send + 'f>>
    where
        's: 'f,
        'n: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            self.0.get()?.iter().find(|known| *known == name)?;
            Some(Role {
                name: name.to_owned(),
                is_superuser: false,
                can_login: true,
                can_create_db: false,
                can_create_role: false,
                can_create_user: false,
                can_replication: false,
                grants: Vec::new(),
                inherited_roles: Vec::new(),
            })
        })
    }
}

/// How statements of clients of PostgreSQL become those of the engine.
pub(crate) struct Dialect {
    /// For questions to the catalogue: it rewrites what the engine has not.
    catalogue: PostgresCompatibilityParser,
    /// For all others: what has the same meaning in other words. Places of errors stay right.
    adapting: Vec<Box<dyn SqlStatementRewriteRule>>,
}

impl Dialect {
    pub(crate) fn new() -> Self {
        Self {
            catalogue: PostgresCompatibilityParser::new(),
            adapting: vec![
                Box::new(CurrentUserVariableToSessionUserFunctionCall),
                Box::new(StripCallableQualifier),
                Box::new(StripCollate),
                Box::new(RewritePgCatalogOperator),
                Box::new(RewriteArrayAnyAllOperation),
                Box::new(FixArrayLiteral),
                Box::new(FixVersionColumnName),
            ],
        }
    }

    /// Whether a word is one of the catalogue, rather than of the lake.
    pub(crate) fn is_of_catalogue(word: &str) -> bool {
        let word = word.to_lowercase();
        word.starts_with("pg_")
            || word.starts_with("_pg_")
            || word == "information_schema"
            || ["regclass", "regtype", "regproc", "regnamespace", "regrole"]
                .contains(&word.as_str())
    }

    /// Reads a question to the catalogue. None, if it is none that can be read so.
    pub(crate) fn read(&self, sql: &str) -> Option<Statement> {
        let listed = search_path::listed(sql);
        let statements = self
            .catalogue
            .parse(listed.as_deref().unwrap_or(sql))
            .ok()?;
        let [statement] = <[Statement; 1]>::try_from(statements).ok()?;
        Some(rewrite::catalogue(statement))
    }

    /// Puts a statement into words of the engine.
    pub(crate) fn adapt(&self, statement: Statement) -> Statement {
        let adapting = self.adapting.iter();
        let statement = adapting.fold(statement, |statement, rule| rule.rewrite(statement));
        rewrite::named(statement)
    }
}
