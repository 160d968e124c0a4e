//! Answers in the formats that others read.

mod table;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_json::EncoderOptions;
use arrow_json::writer::make_encoder;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

pub use table::{TABLE_ROWS_MAX, TableLayout};

/// A format of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerFormat {
    /// A table for people.
    Table(TableLayout),
    /// CSV with a header, RFC 4180. What is nested, such as the answers of a query, is JSON within it.
    Csv,
    /// The same, for who opens it in a spreadsheet: a text that such a program may take for a formula, or that begins with `'`, has
    /// `'` before it. Without that first `'`, each is what it was.
    SheetCsv,
    /// A JSON object a line.
    Json,
    /// A Parquet file, compressed with zstd.
    Parquet,
    /// An Arrow IPC stream.
    Arrow,
}

/// Writes an answer, batch by batch.
pub struct AnswerWriter<W: Write> {
    plain: SchemaRef,
    sink: Sink<W>,
    rows: u64,
    /// Whether texts are kept from being formulas.
    for_sheets: bool,
}

enum Sink<W: Write> {
    Table(Box<table::Table<W>>),
    Csv(Box<arrow_csv::Writer<W>>),
    Json(arrow_json::LineDelimitedWriter<W>),
    /// It writes into memory, for it may write on another thread; what is there is handed on.
    Parquet(Box<ArrowWriter<Vec<u8>>>, W),
    Arrow(Box<arrow_ipc::writer::StreamWriter<W>>),
}

impl<W: Write> std::fmt::Debug for AnswerWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerWriter")
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl<W: Write> AnswerWriter<W> {
    /// Begins an answer with these columns.
    ///
    /// # Errors
    /// If the beginning cannot be written, or the format has no such columns.
    pub fn new(format: AnswerFormat, schema: &SchemaRef, out: W) -> io::Result<Self> {
        let for_sheets = format == AnswerFormat::SheetCsv;
        let plain = plain(schema, for_sheets || format == AnswerFormat::Csv);
        let sink = match format {
            AnswerFormat::Table(layout) => {
                Sink::Table(Box::new(table::Table::new(layout, &plain, out)))
            }
            AnswerFormat::Csv | AnswerFormat::SheetCsv => {
                let mut csv = arrow_csv::WriterBuilder::new().with_header(true).build(out);
                // The header is written with the first rows, of which there may be none.
                csv.write(&RecordBatch::new_empty(Arc::clone(&plain)))
                    .map_err(unwritten)?;
                Sink::Csv(Box::new(csv))
            }
            AnswerFormat::Json => Sink::Json(
                arrow_json::WriterBuilder::new()
                    .with_explicit_nulls(true)
                    .build::<_, arrow_json::writer::LineDelimited>(out),
            ),
            AnswerFormat::Parquet => {
                let zstd = Compression::ZSTD(ZstdLevel::default());
                let properties = WriterProperties::builder().set_compression(zstd).build();
                let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&plain), Some(properties));
                Sink::Parquet(Box::new(writer.map_err(unstored)?), out)
            }
            AnswerFormat::Arrow => {
                let writer = arrow_ipc::writer::StreamWriter::try_new(out, &plain);
                Sink::Arrow(Box::new(writer.map_err(unwritten)?))
            }
        };
        Ok(Self {
            plain,
            sink,
            rows: 0,
            for_sheets,
        })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.rows += batch.num_rows() as u64;
        let columns = batch.columns().iter().zip(self.plain.fields());
        let columns = columns.map(|(column, field)| match column.data_type().is_nested() {
            true if !field.data_type().is_nested() => json(column, field),
            _ => arrow_cast::cast(column, field.data_type()),
        });
        let columns = columns.map(|column| match self.for_sheets {
            true => column.map(no_formulas),
            false => column,
        });
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(unwritten)?;
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.plain), columns, &options);
        let batch = batch.map_err(unwritten)?;
        match &mut self.sink {
            Sink::Table(table) => table.write(&batch).map_err(unwritten),
            Sink::Csv(csv) => csv.write(&batch).map_err(unwritten),
            Sink::Json(json) => json.write(&batch).map_err(unwritten),
            Sink::Parquet(parquet, out) => {
                parquet.write(&batch).map_err(unstored)?;
                out.write_all(&std::mem::take(parquet.inner_mut()))
            }
            Sink::Arrow(arrow) => arrow.write(&batch).map_err(unwritten),
        }
    }

    /// Ends the answer, and says how many rows it had.
    ///
    /// # Errors
    /// If the end cannot be written.
    pub fn finish(self) -> io::Result<u64> {
        match self.sink {
            Sink::Table(table) => table.finish()?,
            Sink::Csv(csv) => csv.into_inner().flush()?,
            Sink::Json(mut json) => {
                json.finish().map_err(unwritten)?;
                json.into_inner().flush()?;
            }
            Sink::Parquet(parquet, mut out) => {
                out.write_all(&parquet.into_inner().map_err(unstored)?)?;
                out.flush()?;
            }
            Sink::Arrow(mut arrow) => {
                arrow.finish().map_err(unwritten)?;
                arrow.into_inner().map_err(unwritten)?.flush()?;
            }
        }
        Ok(self.rows)
    }
}

/// The columns in types that all readers know: no views, which are the engine's own business, and, if it is to be `flat`,
/// nothing nested.
fn plain(schema: &SchemaRef, flat: bool) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let kind = match field.data_type() {
            DataType::Utf8View => DataType::Utf8,
            DataType::BinaryView => DataType::Binary,
            nested if flat && nested.is_nested() => DataType::Utf8,
            other => other.clone(),
        };
        // The engine may say of a column that it has no nulls and mean another one of that name.
        Field::new(field.name(), kind, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Nested values as JSON.
fn json(column: &ArrayRef, field: &FieldRef) -> Result<ArrayRef, ArrowError> {
    let nested = Arc::new(Field::new(field.name(), column.data_type().clone(), true));
    let options = EncoderOptions::default();
    let mut encoder = make_encoder(&nested, column.as_ref(), &options)?;
    let mut texts = StringBuilder::new();
    let mut text = Vec::new();
    for row in 0..column.len() {
        if column.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        encoder.encode(row, &mut text);
        texts.append_value(String::from_utf8_lossy(&text));
    }
    Ok(Arc::new(texts.finish()))
}

/// What programs for spreadsheets take for the beginning of a formula, also behind what they skip and in the forms of full width
/// that some of them read alike (CWE-1236).
const FORMULA: [char; 11] = [
    '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];

/// Texts of which none is a formula. Numbers are none, whatever their sign.
fn no_formulas(column: ArrayRef) -> ArrayRef {
    let Some(texts) = column.as_string_opt::<i32>() else {
        return column;
    };
    let is_meant = |text: &str| text.starts_with(FORMULA) || text.starts_with('\'');
    if !texts.iter().flatten().any(is_meant) {
        return column;
    }
    let safe = texts.iter().map(|text| {
        text.map(|text| match is_meant(text) {
            true => Cow::Owned(format!("'{text}")),
            false => Cow::Borrowed(text),
        })
    });
    Arc::new(safe.collect::<StringArray>())
}

/// Why a format does not take an answer, if that is what failed.
pub fn refused_by_format(error: &io::Error) -> Option<String> {
    let inner = error.get_ref()?;
    let of_format = inner.is::<ArrowError>() || inner.is::<ParquetError>();
    of_format.then(|| inner.to_string())
}

/// The rows of a Parquet file, as [`AnswerFormat::SheetCsv`].
///
/// # Errors
/// If it is none, or cannot be read, or the other cannot be written.
pub fn parquet_as_csv(file: File, out: impl Write) -> io::Result<()> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unstored)?;
    let schema = Arc::clone(reader.schema());
    let mut csv = AnswerWriter::new(AnswerFormat::SheetCsv, &schema, out)?;
    for batch in reader.build().map_err(unstored)? {
        csv.write(&batch.map_err(unwritten)?)?;
    }
    csv.finish().map(|_| ())
}

/// What failed below the format, so that a reader who went away is known as such.
fn unwritten(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        ArrowError::CsvError(text) if text.contains("Broken pipe") => {
            io::ErrorKind::BrokenPipe.into()
        }
        other => io::Error::other(other),
    }
}

fn unstored(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests;
