//! What there is to ask, as Flight SQL tells it: the tables of the lake, and what the server can do.

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{CommandGetTables, SqlInfo};
use arrow_schema::{Schema, SchemaRef};
use datafusion::logical_expr::TableType;
use outflow_query::{CATALOG, SCHEMA};
use tonic::{Response, Status};

use super::statement::{Rows, encoded, internal, plain};
use super::{Shared, status};
use crate::problem::Problem;

/// Kinds of tables, as they are called here.
pub(super) const TABLE_TYPES: [&str; 2] = ["TABLE", "VIEW"];

/// What the server can do.
pub(super) fn sql_info() -> Result<&'static SqlInfoData, Status> {
    static TOLD: LazyLock<Result<SqlInfoData, String>> = LazyLock::new(|| {
        let mut told = SqlInfoDataBuilder::new();
        told.append(SqlInfo::FlightSqlServerName, "Outflow");
        told.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
        // The version of Arrow's format, which the protocol asks for.
        told.append(SqlInfo::FlightSqlServerArrowVersion, "1.3");
        told.append(SqlInfo::FlightSqlServerReadOnly, true);
        told.append(SqlInfo::FlightSqlServerSql, true);
        told.append(SqlInfo::FlightSqlServerSubstrait, false);
        // 0 says none of a kind: transactions, and cancelling by a call.
        told.append(SqlInfo::FlightSqlServerTransaction, 0_i32);
        told.append(SqlInfo::FlightSqlServerCancel, false);
        told.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
        told.append(SqlInfo::SqlDdlCatalog, false);
        told.append(SqlInfo::SqlDdlSchema, false);
        told.append(SqlInfo::SqlDdlTable, false);
        told.build().map_err(|error| error.to_string())
    });
    TOLD.as_ref().map_err(internal)
}

/// Rows that are there already, as an answer.
pub(super) fn told(
    batch: Result<RecordBatch, impl std::fmt::Display>,
) -> Result<Response<Rows>, Status> {
    let batch = batch.map_err(internal)?;
    let schema = batch.schema();
    let batches = futures::stream::once(async move { Ok(batch) });
    Ok(Response::new(encoded(schema, batches)))
}

/// No rows, of these columns.
pub(super) fn nothing(schema: SchemaRef) -> Response<Rows> {
    let none = futures::stream::empty::<Result<RecordBatch, arrow_flight::error::FlightError>>();
    Response::new(encoded(schema, none))
}

/// Whether a name is one that is asked for.
pub(super) fn is_wanted(name: &str, wanted: Option<&String>) -> bool {
    wanted.is_none_or(|wanted| wanted.is_empty() || wanted == name)
}

impl Shared {
    /// The tables of the lake, with their columns if they are asked for.
    pub(super) async fn tables(&self, query: CommandGetTables) -> Result<RecordBatch, Status> {
        let is_asked = query
            .catalog
            .as_ref()
            .is_none_or(|catalog| catalog.is_empty() || catalog == CATALOG);
        let wants_columns = query.include_schema;
        let mut builder = query.into_builder();
        if is_asked {
            for (name, kind, columns) in self.each_table(wants_columns).await.map_err(status)? {
                builder
                    .append(CATALOG, SCHEMA, name, kind, &columns)
                    .map_err(internal)?;
            }
        }
        builder.build().map_err(internal)
    }

    async fn each_table(
        &self,
        wants_columns: bool,
    ) -> Result<Vec<(String, &'static str, Schema)>, Problem> {
        self.desk
            .tables()
            .await?
            .into_iter()
            .map(|(name, kind, schema)| {
                let kind = match kind {
                    TableType::View => TABLE_TYPES[1],
                    TableType::Base | TableType::Temporary => TABLE_TYPES[0],
                };
                let columns = if wants_columns {
                    plain(&schema).as_ref().clone()
                } else {
                    Schema::empty()
                };
                Ok((name, kind, columns))
            })
            .collect()
    }
}
