//! The calls of Flight SQL.

use std::pin::Pin;
use std::sync::Arc;

use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest,
    ActionCreatePreparedStatementResult, CommandGetCatalogs, CommandGetCrossReference,
    CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys, CommandGetPrimaryKeys,
    CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables, CommandPreparedStatementQuery,
    CommandPreparedStatementUpdate, CommandStatementIngest, CommandStatementQuery,
    CommandStatementUpdate, DoPutPreparedStatementResult, ProstMessageExt, SqlInfo,
    TicketStatementQuery,
};
use arrow_flight::utils::flight_data_to_arrow_batch;
use arrow_flight::{
    Action, FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest,
    HandshakeResponse, Ticket,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use outflow_query::{CATALOG, SCHEMA};
use prost::Message as _;
use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status, Streaming};

use super::metadata::{TABLE_TYPES, is_wanted, nothing, sql_info, told};
use super::statement::{Bound, Rows, schema_bytes};
use super::{Caller, Shared, status};
use crate::problem::Problem;

/// The calls, for any number of connections.
#[derive(Clone)]
pub(super) struct Service {
    shared: Arc<Shared>,
}

impl Service {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
        }
    }

    /// Who calls, as the guard in front of all calls has seen.
    fn know<'r, T>(&self, request: &'r Request<T>) -> Result<&'r Caller, Status> {
        request
            .extensions()
            .get::<Caller>()
            .ok_or_else(super::unknown)
    }

    /// Where an answer of these columns is to be had.
    async fn info(
        &self,
        request: &Request<FlightDescriptor>,
        ticket: impl ProstMessageExt,
        schema: &Schema,
    ) -> Result<Response<FlightInfo>, Status> {
        let ticket = Ticket::new(ticket.as_any().encode_to_vec());
        let info = FlightInfo::new()
            .try_with_schema(schema)
            .map_err(super::statement::internal)?
            .with_endpoint(FlightEndpoint::new().with_ticket(ticket))
            .with_descriptor(request.get_ref().clone());
        Ok(Response::new(info))
    }
}

fn refused() -> Status {
    status(Problem::writes("a statement that writes"))
}

/// Columns of keys, of which there are none.
fn keys(names: &[&str]) -> SchemaRef {
    let fields = names.iter().map(|name| {
        let of = match *name {
            "key_sequence" => DataType::Int32,
            "update_rule" | "delete_rule" => DataType::UInt8,
            _ => DataType::Utf8,
        };
        Field::new(*name, of, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

const PRIMARY: [&str; 6] = [
    "catalog_name",
    "db_schema_name",
    "table_name",
    "column_name",
    "key_sequence",
    "key_name",
];

const FOREIGN: [&str; 13] = [
    "pk_catalog_name",
    "pk_db_schema_name",
    "pk_table_name",
    "pk_column_name",
    "fk_catalog_name",
    "fk_db_schema_name",
    "fk_table_name",
    "fk_column_name",
    "key_sequence",
    "fk_key_name",
    "pk_key_name",
    "update_rule",
    "delete_rule",
];

#[tonic::async_trait]
impl FlightSqlService for Service {
    type FlightService = Self;

    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<
        Response<Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>>,
        Status,
    > {
        let caller = self.know(&request)?;
        if caller.by_given_token {
            return Err(Status::unauthenticated(
                "a token that was given for a password is good for calls, and not for another token",
            ));
        }
        let token = self.shared.token(caller.name.clone())?;
        let answer = HandshakeResponse {
            protocol_version: 0,
            payload: token.clone().into(),
        };
        let answers: Pin<Box<dyn Stream<Item = _> + Send>> =
            Box::pin(futures::stream::once(async { Ok(answer) }));
        let mut response = Response::new(answers);
        let bearer = MetadataValue::try_from(format!("Bearer {token}"))
            .map_err(super::statement::internal)?;
        response.metadata_mut().insert("authorization", bearer);
        Ok(response)
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.know(&request)?;
        let bound = Bound {
            sql: query.query,
            values: None,
        };
        let schema = self.shared.columns(&bound).await?;
        let ticket = TicketStatementQuery {
            statement_handle: bound.encode()?,
        };
        self.info(&request, ticket, &schema).await
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.know(&request)?;
        let bound = Bound::decode(&ticket.statement_handle)?;
        Ok(Response::new(self.shared.run(&bound).await?))
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        self.know(&request)?;
        let described = self.shared.describe(&query.query).await?;
        let bound = Bound {
            sql: query.query,
            values: None,
        };
        let rows = described
            .rows
            .map(|schema| schema_bytes(&schema))
            .transpose()?;
        let parameter_schema = match described.places.fields().is_empty() {
            true => bytes::Bytes::new(),
            false => schema_bytes(&described.places)?,
        };
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: bound.encode()?,
            dataset_schema: rows.unwrap_or_default(),
            parameter_schema,
        })
    }

    async fn do_action_close_prepared_statement(
        &self,
        _query: ActionClosePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        // Nothing was kept.
        self.know(&request)?;
        Ok(())
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        self.know(&request)?;
        let before = Bound::decode(&query.prepared_statement_handle)?;
        // The columns and a row of values; a third is one too many already.
        let messages = request.into_inner().take(3).try_collect();
        let patience = self.shared.engine.limits().write_timeout;
        let messages: Vec<FlightData> = match tokio::time::timeout(patience, messages).await {
            Ok(messages) => messages?,
            Err(_) => {
                return Err(Status::deadline_exceeded(format!(
                    "the values of a statement did not come within {} s",
                    patience.as_secs()
                )));
            }
        };
        let values = match messages.as_slice() {
            [schema, values] => {
                let schema = Schema::try_from(schema)
                    .map_err(|error| Status::invalid_argument(error.to_string()))?;
                let none = std::collections::HashMap::default();
                let batch = flight_data_to_arrow_batch(values, Arc::new(schema), &none);
                Some(batch.map_err(|error| Status::invalid_argument(error.to_string()))?)
            }
            [] | [_] => None,
            _ => {
                return Err(Status::unimplemented(
                    "a query takes one row of values, not several",
                ));
            }
        };
        let bound = Bound { values, ..before };
        Ok(DoPutPreparedStatementResult {
            prepared_statement_handle: Some(bound.encode()?),
        })
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.know(&request)?;
        let bound = Bound::decode(&query.prepared_statement_handle)?;
        let schema = self.shared.columns(&bound).await?;
        self.info(&request, query, &schema).await
    }

    async fn do_get_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.know(&request)?;
        let bound = Bound::decode(&query.prepared_statement_handle)?;
        Ok(Response::new(self.shared.run(&bound).await?))
    }

    async fn get_flight_info_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.know(&request)?;
        let schema = query.into_builder().schema();
        self.info(&request, query, &schema).await
    }

    async fn do_get_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.know(&request)?;
        let mut builder = query.into_builder();
        builder.append(CATALOG);
        told(builder.build())
    }

    async fn get_flight_info_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.know(&request)?;
        let schema = query.clone().into_builder().schema();
        self.info(&request, query, &schema).await
    }

    async fn do_get_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.know(&request)?;
        let is_asked = is_wanted(CATALOG, query.catalog.as_ref());
        let mut builder = query.into_builder();
        if is_asked {
            builder.append(CATALOG, SCHEMA);
        }
        told(builder.build())
    }

    async fn get_flight_info_tables(
        &self,
        query: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.know(&request)?;
        let schema = query.clone().into_builder().schema();
        self.info(&request, query, &schema).await
    }

    async fn do_get_tables(
        &self,
        query: CommandGetTables,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.know(&request)?;
        told(Ok::<_, Status>(self.shared.tables(query).await?))
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.know(&request)?;
        let schema = query.into_builder().schema();
        self.info(&request, query, &schema).await
    }

    async fn do_get_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.know(&request)?;
        let mut builder = query.into_builder();
        TABLE_TYPES.iter().for_each(|kind| builder.append(kind));
        told(builder.build())
    }

    async fn get_flight_info_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.know(&request)?;
        let schema = query.clone().into_builder(sql_info()?).schema();
        self.info(&request, query, &schema).await
    }

    async fn do_get_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.know(&request)?;
        told(query.into_builder(sql_info()?).build())
    }

    async fn get_flight_info_primary_keys(
        &self,
        query: CommandGetPrimaryKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.know(&request)?;
        self.info(&request, query, &keys(&PRIMARY)).await
    }

    async fn do_get_primary_keys(
        &self,
        _query: CommandGetPrimaryKeys,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.know(&request)?;
        Ok(nothing(keys(&PRIMARY)))
    }

    async fn get_flight_info_exported_keys(
        &self,
        query: CommandGetExportedKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.know(&request)?;
        self.info(&request, query, &keys(&FOREIGN)).await
    }

    async fn do_get_exported_keys(
        &self,
        _query: CommandGetExportedKeys,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.know(&request)?;
        Ok(nothing(keys(&FOREIGN)))
    }

    async fn get_flight_info_imported_keys(
        &self,
        query: CommandGetImportedKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.know(&request)?;
        self.info(&request, query, &keys(&FOREIGN)).await
    }

    async fn do_get_imported_keys(
        &self,
        _query: CommandGetImportedKeys,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.know(&request)?;
        Ok(nothing(keys(&FOREIGN)))
    }

    async fn get_flight_info_cross_reference(
        &self,
        query: CommandGetCrossReference,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.know(&request)?;
        self.info(&request, query, &keys(&FOREIGN)).await
    }

    async fn do_get_cross_reference(
        &self,
        _query: CommandGetCrossReference,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.know(&request)?;
        Ok(nothing(keys(&FOREIGN)))
    }

    async fn do_put_statement_update(
        &self,
        _command: CommandStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        self.know(&request)?;
        Err(refused())
    }

    async fn do_put_statement_ingest(
        &self,
        _command: CommandStatementIngest,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        self.know(&request)?;
        Err(refused())
    }

    async fn do_put_prepared_statement_update(
        &self,
        _command: CommandPreparedStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        self.know(&request)?;
        Err(refused())
    }

    async fn register_sql_info(&self, _id: i32, _result: &SqlInfo) {}
}
