//! Rows of files that a table has.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, RecordBatch};
use arrow_schema::{DataType, Schema};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;

use crate::Error;
use crate::lake::{DataFile, Lake};
use crate::source::SourceId;
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
    let damaged = |error: ParquetError| unread(file, error);
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(damaged)?;
    let mask = match columns {
        Some(names) => ProjectionMask::columns(builder.parquet_schema(), names.iter().copied()),
        None => ProjectionMask::all(),
    };
    builder.with_projection(mask).build().map_err(damaged)
}

/// A file of a table that was fetched, to be read row group by row group. Texts come as dictionaries, so that what
/// repeats itself is looked at once.
#[derive(Debug)]
pub struct StoredFile {
    file: DataFile,
    bytes: Bytes,
    metadata: ArrowReaderMetadata,
}

impl Lake {
    /// Fetches a file and reads its footer.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read or is no Parquet.
    pub fn open_file(&self, file: DataFile) -> Result<StoredFile, Error> {
        let bytes = self.fetch(&file)?;
        let plain = || ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let opened = guarded(|| {
            let metadata = ArrowReaderMetadata::load(&bytes, plain())?;
            let schema = Arc::new(with_dictionaries(metadata.schema()));
            let options = plain().with_schema(schema);
            ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)
        });
        let metadata = opened.map_err(|error| unread(&file, error))?;
        Ok(StoredFile {
            file,
            bytes,
            metadata,
        })
    }
}

impl StoredFile {
    /// The file as its table has it.
    pub fn file(&self) -> &DataFile {
        &self.file
    }

    /// How many row groups it has.
    pub fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Bytes of a row group as stored.
    pub fn stored_bytes(&self, row_group: usize) -> u64 {
        let bytes = self
            .metadata
            .metadata()
            .row_group(row_group)
            .compressed_size();
        u64::try_from(bytes).unwrap_or_default()
    }

    /// Reads these columns of a row group, so many rows at once.
    ///
    /// # Errors
    /// [`Error::File`] if the file is damaged.
    pub fn read(
        &self,
        row_group: usize,
        columns: &[&str],
        rows_at_once: usize,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, Error>> + '_, Error> {
        let metadata = self.metadata.clone();
        let mask = ProjectionMask::columns(metadata.parquet_schema(), columns.iter().copied());
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), metadata)
                .with_projection(mask)
                .with_row_groups(vec![row_group])
                .with_batch_size(rows_at_once);
        let mut reader = guarded(|| builder.build()).map_err(|error| unread(&self.file, error))?;
        let mut next = move || guarded(|| Ok(reader.next().transpose()?)).transpose();
        Ok(std::iter::from_fn(move || {
            next().map(|batch| batch.map_err(|error| unread(&self.file, error)))
        }))
    }

    /// That its rows are not what the table's are.
    pub fn damaged(&self, reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        unread(&self.file, reason)
    }
}

fn with_dictionaries(schema: &Schema) -> Schema {
    let dictionary = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let column = |field: &Arc<arrow_schema::Field>| match field.data_type() {
        DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(dictionary())),
        _ => Arc::clone(field),
    };
    Schema::new(schema.fields().iter().map(column).collect::<Vec<_>>())
}

/// Does what may meet bytes that the `parquet` crate takes for its own and asserts about: a panic there is damage.
fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(ParquetError::General("its pages make no sense".to_owned())))
}

/// What a file of `sources` tells: ids of names and versions.
pub(crate) fn journal(file: &DataFile, bytes: Bytes) -> Result<Vec<(SourceId, SourceId)>, Error> {
    let mut journal = Vec::new();
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
            journal.push((name, version));
        }
    }
    Ok(journal)
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
        path: file.location(),
        source: error.into(),
    }
}
