//! A column of a row group, put in order and encoded page by page.
//!
//! Parquet's own writer hashes every value of every row to find its key. Most of ours are known by key, so that the
//! distinct values are all that is looked at: for the dictionary, its statistics and its Bloom filter. The keys of a page
//! are brought into order, translated and packed while they are in the cache.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType, Type, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::zstd_safe::CParameter;

use super::PAGE_ROWS_MAX;
use super::dictionary::{Dictionary, range};
use super::occurring::Occurring;
use super::page::PageBuffer;
use super::pieces::Pieces;
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
        /// By row; [`crate::flows::NULL`] is none.
        keys: &'a [i32],
        places: Places<'a>,
        dictionary: Dictionary<'a>,
        /// Whether the dictionary is in ascending order.
        is_sorted: bool,
        /// Whether it has a Bloom filter.
        is_looked_up: bool,
    },
    /// Values that follow from a number that rows share.
    Numbered {
        /// By row.
        numbers: &'a [u32],
        /// By number, where its value is in the dictionary; [`NOWHERE`] is null.
        places: &'a [u32],
        /// Whether any row has none.
        may_be_null: bool,
        dictionary: Dictionary<'a>,
        /// Whether the dictionary is in ascending order.
        is_sorted: bool,
        /// Whether it has a Bloom filter.
        is_looked_up: bool,
    },
    /// One value, which all rows have.
    Same {
        dictionary: Dictionary<'a>,
        /// Whether it has a Bloom filter.
        is_looked_up: bool,
    },
    /// Numbers, of which too many are different; [`LONG_NULL`] is null.
    Longs { numbers: &'a [i64] },
}

/// Where values are in a dictionary, by key.
#[derive(Clone, Copy)]
pub(super) enum Places<'a> {
    Table(&'a [u32]),
    Occurring(&'a Occurring),
}

/// A column as it is stored.
pub(super) struct Chunk {
    bytes: Vec<u8>,
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
    pages: Zstd,
    dictionaries: Zstd,
    compression: Compression,
    page: PageBuffer,
    /// A dictionary under way.
    plain: Vec<u8>,
    /// Memory of chunks that were appended: new memory is given page by page, which takes longer than to fill it.
    spare: Vec<Vec<u8>>,
}

/// Compresses pages.
struct Zstd {
    compressor: zstd::bulk::Compressor<'static>,
    /// The page that was compressed last; its memory serves for the next one.
    into: Vec<u8>,
}

/// The share of a column's bytes that has to be saved, for it to be compressed: packed numbers hardly repeat themselves, and it
/// takes as long to find that out as to compress others.
const WORTH_SHARE: usize = 12;

/// Size of the table that finds what repeats itself in dictionaries, as a power of two: zstd's smallest.
const NEAR_HASH_LOG: u32 = 6;

/// How fast zstd goes over the places of pages where nothing repeats itself. With any such step it also leaves out to code single bytes by
/// how often they are: packed numbers have all of them. `flows` takes 3.5 % more room by that.
const PAGE_STEP: u32 = 4;

/// Bytes that have to be the same there.
const NEAR_MATCH_MIN: u32 = 6;

/// Bytes of a chunk, as Parquet reads what it appends.
struct Stored<'a>(&'a [u8]);

impl Length for Stored<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

impl<'a> ChunkReader for Stored<'a> {
    type T = &'a [u8];

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let from = usize::try_from(start).ok();
        let rest = from.and_then(|from| self.0.get(from..));
        rest.ok_or_else(|| ParquetError::EOF("a chunk ends before its pages do".to_owned()))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.get_read(start)?.get(..length);
        let bytes = bytes.map(Bytes::copy_from_slice);
        bytes.ok_or_else(|| ParquetError::EOF("a chunk ends before its pages do".to_owned()))
    }
}

impl Chunk {
    /// Appends it to a row group.
    pub(super) fn append(
        &self,
        descriptor: &ColumnDescPtr,
        group: &mut SerializedRowGroupWriter<'_, Pieces>,
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
        Ok(group.append_column(&Stored(&self.bytes), close)?)
    }
}

impl ChunkWriter {
    pub(super) fn new(level: i32) -> Result<Self, EncodeError> {
        let unusable = |error: std::io::Error| EncodeError::Parquet(error.into());
        Ok(Self {
            pages: Zstd::of_pages(level).map_err(unusable)?,
            dictionaries: Zstd::near(level).map_err(unusable)?,
            compression: Compression::ZSTD(ZstdLevel::try_new(level)?),
            page: PageBuffer::default(),
            plain: Vec::new(),
            spare: Vec::new(),
        })
    }

    /// Takes back the memory of a chunk that is needed no more.
    pub(super) fn take_back(&mut self, chunk: Chunk) {
        self.spare.push(chunk.bytes);
    }

    /// Encodes a column of so many rows; [`ChunkWriter::take_back`] ends it.
    pub(super) fn encode(
        &mut self,
        column: &Column<'_>,
        rows: usize,
        descriptor: &ColumnDescPtr,
    ) -> Result<Chunk, EncodeError> {
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        let mut sink = TrackedWrite::new(bytes);
        let mut writer = SerializedPageWriter::new(&mut sink);
        let mut sizes = Sizes::default();
        let mut compression = None;
        let mut offsets = OffsetIndexBuilder::new();
        let mut index = ColumnIndexBuilder::new(descriptor.physical_type());
        let mut nulls = 0;
        let is_optional = descriptor.max_def_level() > 0;
        for from in (0..rows).step_by(column.page_rows()) {
            let part = from..rows.min(from.saturating_add(column.page_rows()));
            let len = part.len();
            let told = self.page.fill((column, is_optional), part);
            let uncompressed = self.page.bytes.len();
            let compression = match compression {
                // The first page tells whether it is worth while.
                None => {
                    self.pages.compress(&self.page.bytes)?;
                    let pages = rows.div_ceil(column.page_rows());
                    *compression.insert(self.begin(column, pages, &mut writer, &mut sizes)?)
                }
                Some(Compression::UNCOMPRESSED) => Compression::UNCOMPRESSED,
                Some(compression) => {
                    self.pages.compress(&self.page.bytes)?;
                    compression
                }
            };
            let bytes = match compression {
                Compression::UNCOMPRESSED => &mut self.page.bytes,
                _ => &mut self.pages.into,
            };
            let page = |buf| Page::DataPage {
                buf,
                num_values: u32::try_from(len).unwrap_or(u32::MAX),
                encoding: column.encoding(),
                def_level_encoding: Encoding::RLE,
                rep_level_encoding: Encoding::RLE,
                statistics: None,
            };
            let spec = write(bytes, uncompressed, page, &mut writer)?;
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
            bytes,
            sizes,
            rows,
            encodings: column.encodings(),
            compression: compression.unwrap_or(self.compression),
            statistics: column.statistics(nulls, descriptor.physical_type()),
            filter: column.bloom_filter().transpose()?,
            column_index: index.valid().then(|| index.build()).transpose()?,
            offset_index: offsets.build(),
        })
    }

    /// Writes the dictionary of a column of so many pages, of which the first was compressed; and says how all of it is stored.
    fn begin(
        &mut self,
        column: &Column<'_>,
        pages: usize,
        writer: &mut SerializedPageWriter<'_, Vec<u8>>,
        sizes: &mut Sizes,
    ) -> Result<Compression, EncodeError> {
        let dictionary = column.dictionary();
        self.plain.clear();
        if let Some(dictionary) = dictionary {
            dictionary.plain(&mut self.plain);
        }
        let (first, compressed) = (self.page.bytes.len(), self.pages.into.len());
        let all = first * pages + self.plain.len();
        // A dictionary counts as saved: where it is much of a column, that is worth it.
        let saved = first.saturating_sub(compressed) * pages + self.plain.len();
        let compression = if saved < all / WORTH_SHARE {
            Compression::UNCOMPRESSED
        } else {
            self.compression
        };
        let Some(dictionary) = dictionary else {
            return Ok(compression);
        };
        let page = |buf| Page::DictionaryPage {
            buf,
            num_values: u32::try_from(dictionary.len()).unwrap_or(u32::MAX),
            encoding: Encoding::PLAIN,
            is_sorted: column.is_sorted(),
        };
        let uncompressed = self.plain.len();
        let bytes = match compression {
            Compression::UNCOMPRESSED => &mut self.plain,
            _ => self.dictionaries.compress(&self.plain)?,
        };
        sizes.add(&write(bytes, uncompressed, page, writer)?);
        Ok(compression)
    }
}

impl Zstd {
    /// Of pages of rows.
    fn of_pages(level: i32) -> std::io::Result<Self> {
        let mut of_pages = Self::of_level(level)?;
        of_pages
            .compressor
            .set_parameter(CParameter::TargetLength(PAGE_STEP))?;
        Ok(of_pages)
    }

    /// With the table of a level.
    fn of_level(level: i32) -> std::io::Result<Self> {
        Ok(Self {
            compressor: zstd::bulk::Compressor::new(level)?,
            into: Vec::new(),
        })
    }

    /// With a table so small that it holds what was last alone: in a dictionary, values begin as those just before them do. Bytes
    /// are found sooner, and take less to tell where. For addresses that is 0.20 of their bytes instead of 0.24, in two thirds of
    /// the time.
    fn near(level: i32) -> std::io::Result<Self> {
        let mut near = Self::of_level(level)?;
        let compressor = &mut near.compressor;
        compressor.set_parameter(CParameter::HashLog(NEAR_HASH_LOG))?;
        compressor.set_parameter(CParameter::MinMatch(NEAR_MATCH_MIN))?;
        Ok(near)
    }

    /// Compresses a page.
    fn compress(&mut self, plain: &[u8]) -> Result<&mut Vec<u8>, EncodeError> {
        self.into.clear();
        self.into
            .reserve(zstd::zstd_safe::compress_bound(plain.len()));
        let compressed = self.compressor.compress_to_buffer(plain, &mut self.into);
        compressed.map_err(|error| EncodeError::Parquet(error.into()))?;
        Ok(&mut self.into)
    }
}

/// Writes a page of these bytes, and leaves their memory.
fn write(
    bytes: &mut Vec<u8>,
    uncompressed: usize,
    page: impl FnOnce(Bytes) -> Page,
    writer: &mut SerializedPageWriter<'_, Vec<u8>>,
) -> Result<PageWriteSpec, EncodeError> {
    let buf = Bytes::from(std::mem::take(bytes));
    let spec = writer.write_page(CompressedPage::new(page(buf.clone()), uncompressed))?;
    // The page is gone, so that nobody else has the bytes.
    *bytes = buf.try_into_mut().map(Vec::from).unwrap_or_default();
    Ok(spec)
}

impl Column<'_> {
    /// The same, unless there are no values in it.
    pub(super) fn or_nulls(self) -> Self {
        match &self {
            Self::Keyed { dictionary, .. } | Self::Numbered { dictionary, .. }
                if dictionary.len() == 0 =>
            {
                Self::Nulls
            }
            _ => self,
        }
    }

    fn dictionary(&self) -> Option<&Dictionary<'_>> {
        match self {
            Self::Keyed { dictionary, .. }
            | Self::Numbered { dictionary, .. }
            | Self::Same { dictionary, .. } => Some(dictionary),
            Self::Nulls | Self::Longs { .. } => None,
        }
    }

    /// Rows of a page at most; nothing is saved by pages of nothing.
    fn page_rows(&self) -> usize {
        match self {
            Self::Nulls => usize::MAX,
            Self::Keyed { .. } | Self::Numbered { .. } | Self::Same { .. } | Self::Longs { .. } => {
                PAGE_ROWS_MAX
            }
        }
    }

    /// Whether pages can tell their values apart.
    pub(super) fn is_sorted(&self) -> bool {
        match self {
            Self::Keyed { is_sorted, .. } | Self::Numbered { is_sorted, .. } => *is_sorted,
            Self::Nulls | Self::Same { .. } | Self::Longs { .. } => true,
        }
    }

    fn encoding(&self) -> Encoding {
        match self {
            Self::Nulls => Encoding::PLAIN,
            Self::Keyed { .. } | Self::Numbered { .. } | Self::Same { .. } => {
                Encoding::RLE_DICTIONARY
            }
            Self::Longs { .. } => Encoding::DELTA_BINARY_PACKED,
        }
    }

    /// All encodings: of the values, of the levels, and of the dictionary.
    fn encodings(&self) -> Vec<Encoding> {
        let mut encodings = vec![Encoding::RLE, self.encoding()];
        if self.dictionary().is_some() {
            encodings.push(Encoding::PLAIN);
        }
        encodings
    }

    fn statistics(&self, nulls: u64, of: Type) -> Statistics {
        let none = Some(nulls);
        if let Some(dictionary) = self.dictionary() {
            return dictionary.statistics(nulls);
        }
        match (self, of) {
            (Self::Longs { numbers }, _) => {
                let present = numbers.iter().copied().filter(|of| *of != LONG_NULL);
                let (min, max) = range(present).unzip();
                Statistics::int64(min, max, None, none, false)
            }
            (_, Type::INT32) => Statistics::int32(None, None, None, none, false),
            (_, Type::INT64) => Statistics::int64(None, None, None, none, false),
            _ => Statistics::byte_array(None, None, None, none, false),
        }
    }

    fn bloom_filter(&self) -> Option<Result<Sbbf, EncodeError>> {
        match self {
            Self::Keyed {
                dictionary,
                is_looked_up: true,
                ..
            }
            | Self::Numbered {
                dictionary,
                is_looked_up: true,
                ..
            }
            | Self::Same {
                dictionary,
                is_looked_up: true,
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
    fn add(&mut self, page: &PageWriteSpec) {
        let bytes = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
        self.compressed += bytes(page.compressed_size);
        self.uncompressed += bytes(page.uncompressed_size);
        if page.page_type == PageType::DICTIONARY_PAGE {
            self.dictionary = bytes(page.compressed_size);
        }
    }
}
