//! Parquet files of a table.

mod chunk;
mod delta;
mod dictionary;
mod flow_file;
mod hybrid;
mod occurring;
mod packed;
mod page;
mod pieces;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{ParquetMetaData, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::error::{EncodeError, Error};
use crate::stats;
use crate::table::{SOURCE_ROW, SortKey, Table, enriched, hourly};

pub use flow_file::{FlowFile, RollUps, Scratch};
pub use pieces::{Pieces, SpareMemory};

/// Bytes of a file at most, but for the last row group: large enough that a year of a busy network is some thousand files,
/// small enough to be written from memory.
pub const FILE_BYTES_TARGET: usize = 96 << 20;

/// Rows that are sorted at once, and held in memory until then, at most, but for those of a batch: with them, they are not more than
/// 2^20, up to which memory that doubles has grown by then.
pub const SORTED_ROWS_MAX: usize = 1_000_000;

/// Rows of a row group at most. Sorted rows fill several: an interface is in few of them, and so are its addresses, so that
/// bounds and Bloom filters leave the others out, and the dictionaries of those that are read are small.
const ROW_GROUP_ROWS_MAX: usize = 256 << 10;

/// Rows of a data page at most: what is read to find one row.
const PAGE_ROWS_MAX: usize = 20_000;

/// How hard to compress. The next levels take more time than they save bytes.
const ZSTD_LEVEL: i32 = 1;

/// The chance that a Bloom filter holds an address that its row group does not.
const BLOOM_FALSE_POSITIVES: f64 = 0.02;

/// Different values that a Bloom filter is laid out for.
const BLOOM_VALUES: u64 = 1 << 16;

/// A file of a table as bytes, and what the table's log says of it.
#[derive(Debug)]
pub struct Encoded {
    /// The file.
    pub bytes: Pieces,
    /// Rows in it.
    pub rows: u64,
    /// Statistics in the form that Delta has for them.
    pub stats: String,
}

impl Encoded {
    fn new(table: Table, metadata: &ParquetMetaData, bytes: Pieces) -> Self {
        Self {
            bytes,
            rows: u64::try_from(metadata.file_metadata().num_rows()).unwrap_or_default(),
            stats: stats::of(table, metadata),
        }
    }
}

/// Writes one file.
pub struct FileWriter {
    table: Table,
    writer: ArrowWriter<Pieces>,
}

impl std::fmt::Debug for FileWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileWriter")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

impl FileWriter {
    /// Begins a file for batches of this schema: that of the table, though texts may come as dictionaries.
    ///
    /// # Errors
    /// [`Error::Encode`] if Parquet has no such schema.
    pub fn new(table: Table, schema: &Arc<Schema>) -> Result<Self, Error> {
        let options = ArrowWriterOptions::new()
            .with_properties(properties(table))
            // That texts came as dictionaries is nothing to readers.
            .with_skip_arrow_metadata(true);
        let schema = Arc::clone(schema);
        let writer = ArrowWriter::try_new_with_options(Pieces::default(), schema, options);
        let writer = writer.map_err(EncodeError::from)?;
        Ok(Self { table, writer })
    }

    /// Writes sorted rows as a row group of their own.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), Error> {
        self.append(rows)?;
        self.writer.flush().map_err(EncodeError::from)?;
        Ok(())
    }

    /// Writes sorted rows that follow those before. Row groups end by themselves, where they have as many rows as they may.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn append(&mut self, rows: &RecordBatch) -> Result<(), Error> {
        self.writer.write(rows).map_err(EncodeError::from)?;
        Ok(())
    }

    /// Whether the file has the size that files are to have.
    pub fn is_full(&self) -> bool {
        self.writer.bytes_written() >= FILE_BYTES_TARGET
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn finish(mut self) -> Result<Encoded, Error> {
        let metadata = self.writer.finish().map_err(EncodeError::from)?;
        let bytes = std::mem::take(self.writer.inner_mut());
        Ok(Encoded::new(self.table, &metadata, bytes))
    }
}

fn properties(table: Table) -> WriterProperties {
    let schema = table.file_schema();
    let level = ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default();
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_data_page_row_count_limit(PAGE_ROWS_MAX)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_sorting_columns(sorting_columns(table));
    for name in table.looked_up_by() {
        let path = ColumnPath::from(*name);
        properties = properties
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_fpp(path.clone(), BLOOM_FALSE_POSITIVES)
            .set_column_bloom_filter_max_ndv(path, BLOOM_VALUES);
    }
    // Numbers that hardly repeat themselves are stored in as many bits as their steps take.
    for name in [
        "start",
        "end",
        "query_timestamp",
        "bytes",
        "packets",
        enriched::PAYLOAD_BYTES,
        SOURCE_ROW,
    ] {
        let is_number = |field: &Field| !field.data_type().is_binary();
        if schema.field_with_name(name).is_ok_and(is_number) {
            let path = ColumnPath::from(name);
            // Counts often repeat themselves, as do times of rows that do not stand by them; these are steps only where
            // there are too many different ones.
            let is_time = name == "start" || name == "end";
            let is_count = ["bytes", "packets", enriched::PAYLOAD_BYTES].contains(&name);
            let repeats = is_count || (is_time && table == Table::Flows);
            properties = properties
                .set_column_dictionary_enabled(path.clone(), repeats)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    // Sketches are hardly ever the same.
    properties
        .set_column_dictionary_enabled(ColumnPath::from(hourly::SENT_TO), false)
        .build()
}

/// What the footer says of the order of rows: none if that is no order by columns alone, as readers may rely on it.
fn sorting_columns(table: Table) -> Option<Vec<SortingColumn>> {
    let schema = table.file_schema();
    let sorting = |key: &SortKey| match key {
        SortKey::Column(name) => Some(SortingColumn {
            column_idx: i32::try_from(schema.index_of(name).ok()?).ok()?,
            descending: false,
            nulls_first: true,
        }),
        SortKey::Hour(_) => None,
    };
    table.sorted_by().iter().map(sorting).collect()
}

/// Whether an array of a batch may stand for a column of a table: of its type, or texts as a dictionary.
pub(crate) fn stands_for(array: &DataType, column: &DataType) -> bool {
    let values = match array {
        DataType::Dictionary(_, values) => values,
        plain => plain,
    };
    values == column
}
