//! Rows of files that a table has.

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, RecordBatch};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::Error;
use crate::lake::DataFile;
use crate::source::{Journal, SourceId};
use crate::table::SOURCE_ID;

/// Reads a file's rows, with these columns of it, or with all.
///
/// # Errors
/// [`Error::File`] if it is no Parquet.
pub fn rows(
    file: &DataFile,
    bytes: Bytes,
    columns: Option<&[&str]>,
) -> Result<ParquetRecordBatchReader, Error> {
    let damaged = |error: parquet::errors::ParquetError| unread(file, error);
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(damaged)?;
    let mask = match columns {
        Some(names) => ProjectionMask::columns(builder.parquet_schema(), names.iter().copied()),
        None => ProjectionMask::all(),
    };
    builder.with_projection(mask).build().map_err(damaged)
}

/// Adds what a file of `sources` tells.
pub(crate) fn journal(file: &DataFile, bytes: Bytes, journal: &mut Journal) -> Result<(), Error> {
    for batch in rows(file, bytes, Some(&[SOURCE_ID, "name_id"]))? {
        let batch = batch.map_err(|error| unread(file, error))?;
        let (Some(names), Some(versions)) = (texts(&batch, "name_id"), texts(&batch, SOURCE_ID))
        else {
            return Err(unread(file, "it lacks the columns of its table"));
        };
        for (name, version) in names.into_iter().zip(versions) {
            let ids = name
                .as_deref()
                .and_then(SourceId::parse)
                .zip(version.as_deref().and_then(SourceId::parse));
            let Some((name, version)) = ids else {
                return Err(unread(file, "a row has no id"));
            };
            journal.insert(name, version);
        }
    }
    Ok(())
}

fn texts(batch: &RecordBatch, name: &str) -> Option<Vec<Option<String>>> {
    let column = batch.column_by_name(name)?;
    let texts = column.as_string_opt::<i32>()?;
    let value = |row: usize| texts.is_valid(row).then(|| texts.value(row).to_owned());
    Some((0..texts.len()).map(value).collect())
}

/// A file that cannot be read.
pub(crate) fn unread(
    file: &DataFile,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::File {
        what: "read",
        path: format!("{}/{}", file.table.name(), file.path),
        source: error.into(),
    }
}
