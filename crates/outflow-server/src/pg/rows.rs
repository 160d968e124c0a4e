//! Rows of the engine, as the protocol tells them.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_pg::datatypes::field_into_pg_type;
use arrow_pg::encoder::encode_value;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::BytesMut;
use datafusion::error::DataFusionError;
use pgwire::api::results::{DataRowEncoder, FieldFormat, FieldInfo};

use super::message::Output;
use crate::engine::Answer;
use crate::problem::{Problem, sqlstate};
use crate::sql::{CopyFormat, CopyOptions};

/// The columns of an answer, under these names, in these formats: none of them for text, one for all, or one for each.
pub(super) fn columns(
    schema: &Schema,
    names: Option<&[String]>,
    formats: &[i16],
) -> Result<Arc<Vec<FieldInfo>>, Problem> {
    let count = schema.fields().len();
    if formats.len() > 1 && formats.len() != count {
        return Err(Problem::new(
            sqlstate::PROTOCOL_VIOLATION,
            format!(
                "bind message has {} result formats but query has {count} columns",
                formats.len()
            ),
        ));
    }
    // Names that do not fit are of a statement that was put into other words.
    let names = names.filter(|names| names.len() == count);
    let columns = schema.fields().iter().enumerate().map(|(at, field)| {
        let name = names
            .and_then(|names| names.get(at))
            .unwrap_or(field.name());
        let code = formats
            .get(at)
            .or(formats.first().filter(|_| formats.len() == 1));
        let format = match code {
            Some(1) => FieldFormat::Binary,
            _ => FieldFormat::Text,
        };
        let of = field_into_pg_type(field).map_err(|_| {
            Problem::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                format!(
                    "column \"{}\" is of type {}, which PostgreSQL has not",
                    field.name(),
                    field.data_type()
                ),
            )
            .hint("cast it to another type, such as text")
        })?;
        Ok(FieldInfo::new(name.clone(), None, None, of, format))
    });
    columns.collect::<Result<_, Problem>>().map(Arc::new)
}

/// An answer that is told in parts.
pub(super) struct Telling {
    answer: Answer,
    /// Columns as they were described before, if that is in another way than they come.
    described: Option<SchemaRef>,
    batch: Option<(RecordBatch, usize)>,
    ended: bool,
}

impl Telling {
    pub(super) fn new(answer: Answer) -> Self {
        Self {
            answer,
            described: None,
            batch: None,
            ended: false,
        }
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        self.answer.schema()
    }

    /// Tells columns as they were described: types are those of values that were not known then.
    pub(super) fn fit(&mut self, described: &SchemaRef) {
        let types = |schema: &Schema| {
            schema
                .fields()
                .iter()
                .map(|field| field.data_type().clone())
                .collect::<Vec<_>>()
        };
        self.described = (types(described) != types(self.schema())).then(|| Arc::clone(described));
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Rows that are to be told next, as many as there are at once but no more than these: a batch, and which of its rows.
    pub(super) async fn next(
        &mut self,
        rows_max: usize,
    ) -> Result<Option<(RecordBatch, Range<usize>)>, Problem> {
        loop {
            if let Some((batch, told)) = &mut self.batch
                && *told < batch.num_rows()
            {
                let rows = *told..batch.num_rows().min(*told + rows_max);
                *told = rows.end;
                return Ok(Some((batch.clone(), rows)));
            }
            self.batch = None;
            if self.ended {
                return Ok(None);
            }
            match self.answer.next().await? {
                Some(batch) => self.batch = Some((self.fitted(batch)?, 0)),
                None => self.ended = true,
            }
        }
    }
}

impl Telling {
    fn fitted(&self, batch: RecordBatch) -> Result<RecordBatch, Problem> {
        let Some(described) = &self.described else {
            return Ok(batch);
        };
        let changed = || {
            Problem::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                "cached plan must not change result type",
            )
        };
        if described.fields().len() != batch.num_columns() {
            return Err(changed());
        }
        let columns = described.fields().iter().zip(batch.columns());
        let columns = columns.map(|(field, column)| arrow_cast::cast(column, field.data_type()));
        let columns = columns.collect::<Result<_, _>>().map_err(|_| changed())?;
        // Whether there may be none is not known of values that come later.
        let fields = described
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_nullable(true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        RecordBatch::try_new(schema, columns).map_err(|_| changed())
    }
}

/// What writes rows of these columns.
pub(super) struct RowWriter {
    fields: Arc<Vec<FieldInfo>>,
    encoder: DataRowEncoder,
    /// What goes in front of the next row that is copied.
    prefix: Vec<u8>,
}

impl RowWriter {
    pub(super) fn new(fields: Arc<Vec<FieldInfo>>) -> Self {
        Self {
            encoder: DataRowEncoder::new(Arc::clone(&fields)),
            fields,
            prefix: Vec::new(),
        }
    }

    /// What writes rows that are copied in binary: the first is behind a header, in one message with it.
    pub(super) fn copying(fields: Arc<Vec<FieldInfo>>, format: CopyFormat) -> Self {
        let mut writer = Self::new(fields);
        if format == CopyFormat::Binary {
            // The signature, no flags, no more of a header.
            writer.prefix = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
        }
        writer
    }

    /// What ends a copy in binary.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.prefix.extend([0xff, 0xff]);
        self.prefix
    }

    /// Messages of rows.
    pub(super) fn rows(
        &mut self,
        batch: &RecordBatch,
        rows: Range<usize>,
    ) -> Result<Output, Problem> {
        let batch = &without_bytes(batch)?;
        let mut output = Output::default();
        for row in rows {
            let data = self.row(batch, row)?;
            output.row(self.fields.len(), &data);
        }
        Ok(output)
    }

    /// Messages of rows that are copied.
    pub(super) fn copied(
        &mut self,
        batch: &RecordBatch,
        rows: Range<usize>,
        options: &CopyOptions,
    ) -> Result<Output, Problem> {
        let batch = &without_bytes(batch)?;
        let mut output = Output::default();
        let mut line = Vec::new();
        for row in rows {
            let data = self.row(batch, row)?;
            line.clear();
            line.append(&mut self.prefix);
            if options.format == CopyFormat::Binary {
                let count = u16::try_from(self.fields.len()).unwrap_or(u16::MAX);
                line.extend(count.to_be_bytes());
                line.extend_from_slice(&data);
            } else {
                options.write(fields(&data), &mut line);
            }
            output.copy_data(&line);
        }
        Ok(output)
    }

    /// The fields of a row, each behind its length in four bytes, which is -1 for none.
    fn row(&mut self, batch: &RecordBatch, row: usize) -> Result<BytesMut, Problem> {
        let schema = batch.schema_ref();
        for (at, field) in self.fields.iter().enumerate() {
            let encoded = encode_value(
                &mut self.encoder,
                batch.column(at),
                row,
                schema.field(at),
                field,
            );
            encoded.map_err(|error| {
                Problem::new(
                    sqlstate::DATA_EXCEPTION,
                    format!("column \"{}\": {error}", field.name()),
                )
            })?;
        }
        Ok(self.encoder.take_row().data)
    }
}

/// Numbers of one byte as those of two: PostgreSQL has no smaller ones, and they were described so.
fn without_bytes(batch: &RecordBatch) -> Result<RecordBatch, Problem> {
    let schema = batch.schema_ref();
    let is_byte = |field: &Arc<Field>| *field.data_type() == DataType::Int8;
    if !schema.fields().iter().any(is_byte) {
        return Ok(batch.clone());
    }
    let unfit = |error| Problem::from(DataFusionError::from(error));
    let fields = schema.fields().iter().map(|field| match is_byte(field) {
        true => Arc::new(field.as_ref().clone().with_data_type(DataType::Int16)),
        false => Arc::clone(field),
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| match column.data_type() {
        DataType::Int8 => arrow_cast::cast(column, field.data_type()),
        _ => Ok(Arc::clone(column)),
    });
    let columns = columns.collect::<Result<_, _>>().map_err(unfit)?;
    RecordBatch::try_new(schema, columns).map_err(unfit)
}

/// Takes a row apart into its fields.
fn fields(row: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = row;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(i32::from_be_bytes(*length)).ok();
        let (field, after) = after.split_at_checked(length.unwrap_or(0))?;
        rest = after;
        Some(length.map(|_| field))
    })
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int8Array};

    use super::*;

    #[test]
    fn a_number_of_one_byte_is_told_as_one_of_two() -> Result<(), Problem> {
        let numbers: ArrayRef = Arc::new(Int8Array::from(vec![Some(-3), None]));
        let batch = RecordBatch::try_from_iter_with_nullable([("n", numbers, true)])
            .map_err(DataFusionError::from)?;
        let fields = columns(batch.schema_ref(), None, &[1])?;
        let told = RowWriter::new(fields).rows(&batch, 0..2)?;
        assert_eq!(
            told.0.as_ref(),
            b"D\0\0\0\x0c\0\x01\0\0\0\x02\xff\xfdD\0\0\0\x0a\0\x01\xff\xff\xff\xff"
        );
        Ok(())
    }
}
