//! A column of a row group, put in order and encoded page by page.
//!
//! Parquet's own writer hashes every value of every row to find its key. Most of ours are known by key, so that the
//! distinct values are all that is looked at: for the dictionary, its statistics and its Bloom filter. The keys of a page
//! are brought into order, translated and packed while they are in the cache.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType, Type};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::PAGE_ROWS_MAX;
use super::dictionary::Dictionary;
use super::page::PageBuffer;
use crate::error::EncodeError;
use crate::flows::LONG_NULL;

/// Stands for a key without a place, among places.
pub(super) const NOWHERE: u32 = u32::MAX;

/// A column of a row group, in the order of its rows.
pub(super) enum Column<'a> {
    /// No row has a value.
    Nulls,
    /// Values that are held by key.
    Keyed {
        /// By row; a negative key is null.
        keys: &'a [i32],
        /// By key, the place of its value.
        places: &'a [u32],
        dictionary: Dictionary<'a>,
        /// Whether the dictionary is in ascending order.
        is_sorted: bool,
        /// Whether it has a Bloom filter.
        is_looked_up: bool,
    },
    /// Numbers, of which too many are different; [`LONG_NULL`] is null.
    Longs { numbers: &'a [i64] },
}

/// A column as it is stored.
pub(super) struct Chunk {
    bytes: Bytes,
    sizes: Sizes,
    rows: usize,
    encodings: Vec<Encoding>,
    compression: Compression,
    statistics: Statistics,
    filter: Option<Sbbf>,
    column_index: Option<ColumnIndexMetaData>,
    offset_index: OffsetIndexMetaData,
}

/// Encodes columns, one after the other, into memory.
pub(super) struct ChunkWriter {
    zstd: zstd::bulk::Compressor<'static>,
    compression: Compression,
    page: PageBuffer,
}

impl Chunk {
    /// Appends it to a row group.
    pub(super) fn append(
        &self,
        descriptor: &ColumnDescPtr,
        group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    ) -> Result<(), EncodeError> {
        let metadata = ColumnChunkMetaData::builder(descriptor.clone())
            .set_compression(self.compression)
            .set_encodings(self.encodings.clone())
            .set_total_compressed_size(self.sizes.compressed)
            .set_total_uncompressed_size(self.sizes.uncompressed)
            .set_num_values(i64::try_from(self.rows).unwrap_or(i64::MAX))
            .set_dictionary_page_offset((self.sizes.dictionary > 0).then_some(0))
            .set_data_page_offset(self.sizes.dictionary)
            .set_statistics(self.statistics.clone())
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: u64::try_from(self.sizes.compressed).unwrap_or_default(),
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: self.filter.clone(),
            column_index: self.column_index.clone(),
            offset_index: Some(self.offset_index.clone()),
        };
        Ok(group.append_column(&self.bytes, close)?)
    }
}

impl ChunkWriter {
    pub(super) fn new(level: i32, compression: Compression) -> Result<Self, EncodeError> {
        let zstd = zstd::bulk::Compressor::new(level);
        Ok(Self {
            zstd: zstd.map_err(|error| EncodeError::Parquet(error.into()))?,
            compression,
            page: PageBuffer::default(),
        })
    }

    /// Encodes a column of so many rows, and appends it to a row group.
    pub(super) fn store(
        &mut self,
        column: &Column<'_>,
        rows: usize,
        descriptor: &ColumnDescPtr,
        group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    ) -> Result<Chunk, EncodeError> {
        let chunk = self.encode(column, rows, descriptor)?;
        chunk.append(descriptor, group)?;
        Ok(chunk)
    }

    fn encode(
        &mut self,
        column: &Column<'_>,
        rows: usize,
        descriptor: &ColumnDescPtr,
    ) -> Result<Chunk, EncodeError> {
        let mut sink = TrackedWrite::new(Vec::new());
        let mut writer = SerializedPageWriter::new(&mut sink);
        let mut sizes = Sizes::default();
        if let Column::Keyed {
            dictionary,
            is_sorted,
            ..
        } = column
        {
            let plain = dictionary.plain();
            let page = Page::DictionaryPage {
                buf: compress(&mut self.zstd, &plain)?,
                num_values: u32::try_from(dictionary.len()).unwrap_or(u32::MAX),
                encoding: Encoding::PLAIN,
                is_sorted: *is_sorted,
            };
            sizes.add(&writer.write_page(CompressedPage::new(page, plain.len()))?);
        }
        let mut offsets = OffsetIndexBuilder::new();
        let mut index = ColumnIndexBuilder::new(descriptor.physical_type());
        let mut nulls = 0;
        let is_optional = descriptor.max_def_level() > 0;
        for from in (0..rows).step_by(column.page_rows()) {
            let part = from..rows.min(from.saturating_add(column.page_rows()));
            let len = part.len();
            let told = self.page.fill((column, is_optional), part);
            let page = Page::DataPage {
                buf: compress(&mut self.zstd, &self.page.bytes)?,
                num_values: u32::try_from(len).unwrap_or(u32::MAX),
                encoding: column.encoding(),
                def_level_encoding: Encoding::RLE,
                rep_level_encoding: Encoding::RLE,
                statistics: None,
            };
            let spec = writer.write_page(CompressedPage::new(page, self.page.bytes.len()))?;
            sizes.add(&spec);
            offsets.append_row_count(i64::try_from(len).unwrap_or(i64::MAX));
            offsets.append_offset_and_size(
                i64::try_from(spec.offset).unwrap_or(i64::MAX),
                i32::try_from(spec.compressed_size).unwrap_or(i32::MAX),
            );
            nulls += told.nulls as u64;
            told.enter(len, &mut index);
        }
        writer.close()?;
        let bytes = sink.into_inner().map_err(EncodeError::Parquet)?;
        Ok(Chunk {
            bytes: Bytes::from(bytes),
            sizes,
            rows,
            encodings: column.encodings(),
            compression: self.compression,
            statistics: column.statistics(nulls, descriptor.physical_type()),
            filter: column.bloom_filter().transpose()?,
            column_index: index.valid().then(|| index.build()).transpose()?,
            offset_index: offsets.build(),
        })
    }
}

fn compress(
    zstd: &mut zstd::bulk::Compressor<'static>,
    plain: &[u8],
) -> Result<Bytes, EncodeError> {
    let compressed = zstd.compress(plain);
    let compressed = compressed.map_err(|error| EncodeError::Parquet(error.into()))?;
    Ok(Bytes::from(compressed))
}

impl Column<'_> {
    /// The same, unless there are no values in it.
    pub(super) fn or_nulls(self) -> Self {
        match &self {
            Self::Keyed { dictionary, .. } if dictionary.len() == 0 => Self::Nulls,
            _ => self,
        }
    }

    /// Rows of a page at most; nothing is saved by pages of nothing.
    fn page_rows(&self) -> usize {
        match self {
            Self::Nulls => usize::MAX,
            Self::Keyed { .. } | Self::Longs { .. } => PAGE_ROWS_MAX,
        }
    }

    /// Whether pages can tell their values apart.
    pub(super) fn is_sorted(&self) -> bool {
        match self {
            Self::Keyed { is_sorted, .. } => *is_sorted,
            Self::Nulls | Self::Longs { .. } => true,
        }
    }

    fn encoding(&self) -> Encoding {
        match self {
            Self::Nulls => Encoding::PLAIN,
            Self::Keyed { .. } => Encoding::RLE_DICTIONARY,
            Self::Longs { .. } => Encoding::DELTA_BINARY_PACKED,
        }
    }

    /// All encodings: of the values, of the levels, and of the dictionary.
    fn encodings(&self) -> Vec<Encoding> {
        let mut encodings = vec![Encoding::RLE, self.encoding()];
        if let Self::Keyed { .. } = self {
            encodings.push(Encoding::PLAIN);
        }
        encodings
    }

    fn statistics(&self, nulls: u64, of: Type) -> Statistics {
        let none = Some(nulls);
        match (self, of) {
            (Self::Keyed { dictionary, .. }, _) => dictionary.statistics(nulls),
            (Self::Longs { numbers }, _) => {
                let present = || {
                    numbers
                        .iter()
                        .copied()
                        .filter(|number| *number != LONG_NULL)
                };
                Statistics::int64(present().min(), present().max(), None, none, false)
            }
            (Self::Nulls, Type::INT32) => Statistics::int32(None, None, None, none, false),
            (Self::Nulls, Type::INT64) => Statistics::int64(None, None, None, none, false),
            (Self::Nulls, _) => Statistics::byte_array(None, None, None, none, false),
        }
    }

    fn bloom_filter(&self) -> Option<Result<Sbbf, EncodeError>> {
        match self {
            Self::Keyed {
                dictionary,
                is_looked_up: true,
                ..
            } => Some(dictionary.bloom_filter()),
            _ => None,
        }
    }
}

/// Bytes of a chunk, headers of pages included.
#[derive(Default)]
struct Sizes {
    compressed: i64,
    uncompressed: i64,
    /// Those of the dictionary page, as stored.
    dictionary: i64,
}

impl Sizes {
    fn add(&mut self, page: &parquet::column::page::PageWriteSpec) {
        let bytes = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
        self.compressed += bytes(page.compressed_size);
        self.uncompressed += bytes(page.uncompressed_size);
        if page.page_type == PageType::DICTIONARY_PAGE {
            self.dictionary = bytes(page.compressed_size);
        }
    }
}
