//! Statements of Flight SQL, and how their rows are sent.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::{FlightData, IpcMessage, SchemaAsIpc};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::{BufMut as _, Bytes, BytesMut};
use datafusion::logical_expr::LogicalPlan;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::Statement;
use futures::{Stream, TryStreamExt as _};
use tokio::sync::mpsc::{self, error::SendTimeoutError};
use tokio::time::Instant;
use tonic::Status;

use super::{Shared, status};
use crate::engine::{Answer, Desk};
use crate::problem::{Problem, sqlstate};
use crate::sql::parse_query;

pub(super) type Rows = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>;

/// A statement with values for its places.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bound {
    pub(super) sql: String,
    /// One row, a column for each place. None before they are known.
    pub(super) values: Option<RecordBatch>,
}

impl Bound {
    /// Its bytes, which a client keeps for it.
    pub(super) fn encode(&self) -> Result<Bytes, Status> {
        let mut bytes = BytesMut::new();
        let length = u32::try_from(self.sql.len())
            .map_err(|_| Status::invalid_argument("the statement is too long"))?;
        bytes.put_u32(length);
        bytes.put_slice(self.sql.as_bytes());
        if let Some(values) = &self.values {
            let written = || {
                let mut writer = StreamWriter::try_new(Vec::new(), &values.schema())?;
                writer.write(values)?;
                writer.into_inner()
            };
            bytes.put_slice(&written().map_err(internal)?);
        }
        Ok(bytes.freeze())
    }

    /// Reads such bytes, which may be anybody's.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Status> {
        let wrong = || Status::invalid_argument("the handle is none that this server gave");
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(wrong)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| wrong())?;
        let (sql, values) = rest.split_at_checked(length).ok_or_else(wrong)?;
        let sql = std::str::from_utf8(sql).map_err(|_| wrong())?.to_owned();
        let values = match values.is_empty() {
            true => None,
            false => {
                let mut reader = StreamReader::try_new(values, None).map_err(|_| wrong())?;
                Some(reader.next().ok_or_else(wrong)?.map_err(|_| wrong())?)
            }
        };
        Ok(Self { sql, values })
    }

    fn named(&self) -> Result<Vec<(String, ScalarValue)>, Problem> {
        let Some(values) = &self.values else {
            return Ok(Vec::new());
        };
        if values.num_rows() != 1 {
            return Err(Problem::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                "a query takes one row of values, neither none nor several",
            ));
        }
        let columns = (1..).zip(values.columns());
        let named = columns.map(|(at, column): (usize, _)| {
            Ok((at.to_string(), ScalarValue::try_from_array(column, 0)?))
        });
        named.collect()
    }
}

/// What a client that prepares a statement is told of it.
pub(super) struct Described {
    pub(super) rows: Option<SchemaRef>,
    pub(super) places: Schema,
}

impl Shared {
    fn deadline(&self) -> Instant {
        Instant::now() + self.engine.limits().statement_timeout
    }

    async fn in_time<T>(
        &self,
        until: Instant,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Status> {
        match tokio::time::timeout_at(until, work).await {
            Ok(done) => done.map_err(status),
            Err(_) => Err(status(late())),
        }
    }

    async fn read(&self, sql: String) -> Result<(Statement, usize), Problem> {
        self.desk.compute(move || parse_query(&sql)).await
    }

    async fn plan(&self, desk: &Desk, bound: &Bound) -> Result<LogicalPlan, Problem> {
        let (statement, places) = self.read(bound.sql.clone()).await?;
        let values = bound.named()?;
        if values.len() != places {
            let message = format!(
                "the statement has {places} places, and {} values were given",
                values.len()
            );
            return Err(Problem::new(sqlstate::UNDEFINED_PARAMETER, message));
        }
        desk.plan(statement, (places > 0).then_some(values)).await
    }

    /// The columns of a statement's answer.
    pub(super) async fn columns(&self, bound: &Bound) -> Result<SchemaRef, Status> {
        let desk = self.call();
        let plan = self
            .in_time(self.deadline(), self.plan(&desk, bound))
            .await?;
        Ok(plain(plan.schema().inner()))
    }

    /// What can be told of a statement before values for its places are known.
    pub(super) async fn describe(&self, sql: &str) -> Result<Described, Status> {
        let until = self.deadline();
        let (statement, places) = self.in_time(until, self.read(sql.to_owned())).await?;
        if places == 0 {
            let plan = self.in_time(until, self.desk.plan(statement, None)).await?;
            return Ok(Described {
                rows: Some(plain(plan.schema().inner())),
                places: Schema::empty(),
            });
        }
        // The engine may not know enough without values: then a client is told of places alone.
        let plan = self
            .in_time(until, self.desk.plan(statement, None))
            .await
            .ok();
        let known = plan
            .as_ref()
            .and_then(|plan| plan.get_parameter_types().ok())
            .unwrap_or_default();
        let fields = (1..=places).map(|at| {
            let of = known.get(&format!("${at}")).cloned().flatten();
            Field::new(
                at.to_string(),
                plain_type(&of.unwrap_or(DataType::Utf8)),
                true,
            )
        });
        Ok(Described {
            rows: plan
                .map(|plan| plain(plan.schema().inner()))
                .filter(|schema| {
                    // A column of no type is one that a value will tell.
                    schema
                        .fields()
                        .iter()
                        .all(|field| *field.data_type() != DataType::Null)
                }),
            places: Schema::new(fields.collect::<Vec<_>>()),
        })
    }

    /// Runs a statement. Its rows are made for a client as long as it reads them.
    pub(super) async fn run(&self, bound: &Bound) -> Result<Rows, Status> {
        let until = self.deadline();
        let desk = self.call();
        let plan = self.in_time(until, self.plan(&desk, bound)).await?;
        let answer = self.in_time(until, desk.run(plan)).await?;
        let schema = plain(answer.schema());
        let (sender, taken) = mpsc::channel(1);
        let patience = self.engine.limits().write_timeout;
        let task = tokio::spawn(send(answer, sender, Arc::clone(&schema), until, patience));
        let batches = futures::stream::unfold(Some((taken, task)), |left| async move {
            let (mut taken, task) = left?;
            if let Some(batch) = taken.recv().await {
                return Some((Ok(batch), Some((taken, task))));
            }
            // Whether those were all rows, only what made them knows.
            let problem = match task.await {
                Ok(Ok(())) => return None,
                Ok(Err(problem)) => problem,
                Err(_) => Status::internal("[XX000] the engine failed at this statement"),
            };
            Some((Err(FlightError::Tonic(Box::new(problem))), None))
        });
        Ok(encoded(schema, batches))
    }
}

/// Makes rows as long as somebody takes them. An error is why not all were made.
async fn send(
    mut answer: Answer,
    sender: mpsc::Sender<RecordBatch>,
    columns: SchemaRef,
    until: Instant,
    patience: Duration,
) -> Result<(), Status> {
    loop {
        let next = tokio::select! {
            next = tokio::time::timeout_at(until, answer.next()) => next.unwrap_or_else(|_| Err(late())),
            // Who does not listen any more wants no rows.
            () = sender.closed() => return Ok(()),
        };
        let Some(batch) = next.map_err(status)? else {
            return Ok(());
        };
        // Who reads nothing for so long keeps memory from others.
        match sender
            .send_timeout(fitted(&batch, &columns)?, patience)
            .await
        {
            Ok(()) => {}
            Err(SendTimeoutError::Closed(_)) => return Ok(()),
            Err(SendTimeoutError::Timeout(_)) => return Err(status(unread(patience))),
        }
    }
}

fn unread(patience: Duration) -> Problem {
    let message = format!(
        "canceling statement as the client did not read for {} s",
        patience.as_secs()
    );
    Problem::new(sqlstate::QUERY_CANCELED, message)
}

fn late() -> Problem {
    Problem::new(
        sqlstate::QUERY_CANCELED,
        "canceling statement due to statement timeout",
    )
}

/// Rows as messages.
pub(super) fn encoded(
    schema: SchemaRef,
    batches: impl Stream<Item = Result<RecordBatch, FlightError>> + Send + 'static,
) -> Rows {
    let encoder = FlightDataEncoderBuilder::new().with_schema(schema);
    Box::pin(encoder.build(batches).map_err(Status::from))
}

/// Types that each client of Arrow knows: views of text are younger than many.
fn plain_type(of: &DataType) -> DataType {
    match of {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => plain_type(values),
        DataType::List(field) => {
            let element = field
                .as_ref()
                .clone()
                .with_data_type(plain_type(field.data_type()));
            DataType::List(Arc::new(element))
        }
        other => other.clone(),
    }
}

/// Columns of such types.
pub(super) fn plain(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let of = plain_type(field.data_type());
        Field::new(field.name(), of, field.is_nullable())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn fitted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Status> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| arrow_cast::cast(column, field.data_type()));
    let columns = columns.collect::<Result<_, _>>().map_err(internal)?;
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(internal)
}

pub(super) fn internal(error: impl std::fmt::Display) -> Status {
    Status::internal(format!("[{}] {error}", sqlstate::INTERNAL_ERROR))
}

/// A schema as a message of its own.
pub(super) fn schema_bytes(schema: &Schema) -> Result<Bytes, Status> {
    let message: IpcMessage = SchemaAsIpc::new(schema, &IpcWriteOptions::default())
        .try_into()
        .map_err(internal)?;
    Ok(message.0)
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int64Array};

    use super::*;

    #[test]
    fn a_handle_is_read_again() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![7]));
        let values = RecordBatch::try_from_iter([("1", column)]).unwrap();
        for values in [None, Some(values)] {
            let bound = Bound {
                sql: "SELECT ?".into(),
                values,
            };
            assert_eq!(Bound::decode(&bound.encode().unwrap()).unwrap(), bound);
        }
    }

    /// A handle comes back from a client, which may have made it up.
    #[test]
    fn a_handle_of_others_is_refused() {
        for bytes in [
            &b""[..],
            b"\0\0\0",
            b"\0\0\0\x05abc",
            b"\xff\xff\xff\xffabc",
            b"\0\0\0\x01a garbage",
            b"\0\0\0\x01\xff",
        ] {
            assert!(Bound::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
