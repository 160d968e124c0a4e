//! A column of a row group whose values are held by key: the dictionary as it is, and the keys in pages.
//!
//! Parquet's own writer hashes every value of every row to find its key. Ours are known, so that the distinct values are
//! all that is looked at: for the dictionary, its statistics and its Bloom filter.

use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Compression, Encoding, PageType};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::{BLOOM_FALSE_POSITIVES, PAGE_ROWS_MAX, hybrid};
use crate::error::EncodeError;

/// Stands for null among keys.
pub(super) const NULL: u32 = u32::MAX;

/// Texts longer than this are in no statistics: these are there to be compared with in passing.
const TOLD_BYTES_MAX: usize = 64;

/// The different values of a column, in ascending order if pages are to tell theirs.
pub(super) enum Dictionary<'a> {
    Texts(&'a [&'a str]),
    Numbers(&'a [i32]),
}

/// A column that is to be written.
pub(super) struct Column<'a> {
    pub(super) descriptor: ColumnDescPtr,
    /// By row, the place of its value, or [`NULL`].
    pub(super) keys: &'a [u32],
    pub(super) dictionary: Dictionary<'a>,
    /// Whether the dictionary is in ascending order.
    pub(super) is_sorted: bool,
    /// Whether it has a Bloom filter.
    pub(super) is_looked_up: bool,
}

/// Writes column chunks, one after the other, into memory.
pub(super) struct ChunkWriter {
    zstd: zstd::bulk::Compressor<'static>,
    compression: Compression,
    page: Vec<u8>,
    levels: Vec<u32>,
    present: Vec<u32>,
}

impl Dictionary<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    /// All values, as a dictionary page has them.
    fn plain(&self) -> Vec<u8> {
        match self {
            Self::Texts(texts) => {
                let mut plain = Vec::with_capacity(texts.iter().map(|text| text.len() + 4).sum());
                for text in *texts {
                    let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
                    plain.extend_from_slice(&len.to_le_bytes());
                    plain.extend_from_slice(text.as_bytes());
                }
                plain
            }
            Self::Numbers(numbers) => numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
        }
    }

    /// A value as the page index has it; none if it is too long to tell.
    fn told(&self, at: u32) -> Option<Vec<u8>> {
        match self {
            Self::Texts(texts) => {
                let text = texts[at as usize];
                (text.len() <= TOLD_BYTES_MAX).then(|| text.as_bytes().to_vec())
            }
            Self::Numbers(numbers) => Some(numbers[at as usize].to_le_bytes().to_vec()),
        }
    }

    fn statistics(&self, nulls: u64) -> Statistics {
        match self {
            Self::Texts(texts) => {
                let told = |text: Option<&&str>| {
                    text.filter(|text| text.len() <= TOLD_BYTES_MAX)
                        .map(|text| ByteArray::from(*text))
                };
                let (min, max) = (told(texts.iter().min()), told(texts.iter().max()));
                Statistics::byte_array(min, max, None, Some(nulls), false)
            }
            Self::Numbers(numbers) => {
                let (min, max) = (numbers.iter().min().copied(), numbers.iter().max().copied());
                Statistics::int32(min, max, None, Some(nulls), false)
            }
        }
    }

    fn bloom_filter(&self) -> Result<Sbbf, EncodeError> {
        let mut filter = Sbbf::new_with_ndv_fpp(self.len().max(1) as u64, BLOOM_FALSE_POSITIVES)?;
        match self {
            Self::Texts(texts) => texts.iter().for_each(|text| filter.insert(*text)),
            Self::Numbers(numbers) => numbers.iter().for_each(|number| filter.insert(number)),
        }
        Ok(filter)
    }
}

impl ChunkWriter {
    pub(super) fn new(level: i32, compression: Compression) -> Result<Self, EncodeError> {
        let zstd = zstd::bulk::Compressor::new(level);
        Ok(Self {
            zstd: zstd.map_err(|error| EncodeError::Parquet(error.into()))?,
            compression,
            page: Vec::new(),
            levels: Vec::new(),
            present: Vec::new(),
        })
    }

    /// Encodes a column: its bytes, and what its row group says of them.
    pub(super) fn write(
        &mut self,
        column: &Column<'_>,
    ) -> Result<(Bytes, ColumnCloseResult), EncodeError> {
        let mut sink = TrackedWrite::new(Vec::new());
        let mut writer = SerializedPageWriter::new(&mut sink);
        let mut sizes = Sizes::default();
        let plain = column.dictionary.plain();
        let page = Page::DictionaryPage {
            buf: self.compress(&plain)?,
            num_values: u32::try_from(column.dictionary.len()).unwrap_or(u32::MAX),
            encoding: Encoding::PLAIN,
            is_sorted: column.is_sorted,
        };
        sizes.add(&writer.write_page(CompressedPage::new(page, plain.len()))?);
        let mut offsets = OffsetIndexBuilder::new();
        let mut index = ColumnIndexBuilder::new(column.descriptor.physical_type());
        let mut nulls = 0;
        for keys in column.keys.chunks(PAGE_ROWS_MAX) {
            let (page, uncompressed) = self.page(column, keys)?;
            let spec = writer.write_page(CompressedPage::new(page, uncompressed))?;
            sizes.add(&spec);
            offsets.append_row_count(i64::try_from(keys.len()).unwrap_or(i64::MAX));
            offsets.append_offset_and_size(
                i64::try_from(spec.offset).unwrap_or(i64::MAX),
                i32::try_from(spec.compressed_size).unwrap_or(i32::MAX),
            );
            let absent = keys.len() - self.present.len();
            nulls += absent as u64;
            self.tell(column, absent, &mut index);
        }
        writer.close()?;
        let metadata = ColumnChunkMetaData::builder(column.descriptor.clone())
            .set_compression(self.compression)
            .set_encodings(vec![
                Encoding::PLAIN,
                Encoding::RLE,
                Encoding::RLE_DICTIONARY,
            ])
            .set_total_compressed_size(sizes.compressed)
            .set_total_uncompressed_size(sizes.uncompressed)
            .set_num_values(i64::try_from(column.keys.len()).unwrap_or(i64::MAX))
            .set_dictionary_page_offset(Some(0))
            .set_data_page_offset(sizes.dictionary)
            .set_statistics(column.dictionary.statistics(nulls))
            .build()?;
        let filter = column
            .is_looked_up
            .then(|| column.dictionary.bloom_filter());
        let close = ColumnCloseResult {
            bytes_written: u64::try_from(sizes.compressed).unwrap_or_default(),
            rows_written: column.keys.len() as u64,
            metadata,
            bloom_filter: filter.transpose()?,
            column_index: if index.valid() {
                Some(index.build()?)
            } else {
                None
            },
            offset_index: Some(offsets.build()),
        };
        let bytes = sink.into_inner().map_err(EncodeError::Parquet)?;
        Ok((Bytes::from(bytes), close))
    }

    /// A page of these keys, and its size before it was compressed. Leaves the keys that are not null in `present`.
    fn page(&mut self, column: &Column<'_>, keys: &[u32]) -> Result<(Page, usize), EncodeError> {
        self.page.clear();
        self.present.clear();
        self.present
            .extend(keys.iter().copied().filter(|key| *key != NULL));
        if column.descriptor.max_def_level() > 0 {
            self.levels.clear();
            self.levels
                .extend(keys.iter().map(|key| u32::from(*key != NULL)));
            self.page.extend_from_slice(&[0; 4]);
            hybrid::encode(&mut self.page, &self.levels, 1);
            let len = u32::try_from(self.page.len() - 4).unwrap_or(u32::MAX);
            self.page[..4].copy_from_slice(&len.to_le_bytes());
        }
        let greatest = u32::try_from(column.dictionary.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let width = hybrid::width_of(greatest);
        self.page.push(width.to_le_bytes()[0]);
        hybrid::encode(&mut self.page, &self.present, width);
        let page = std::mem::take(&mut self.page);
        let compressed = self.compress(&page)?;
        self.page = page;
        let page = Page::DataPage {
            buf: compressed,
            num_values: u32::try_from(keys.len()).unwrap_or(u32::MAX),
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        Ok((page, self.page.len()))
    }

    /// Tells the page index of the page that was written last.
    fn tell(&self, column: &Column<'_>, nulls: usize, index: &mut ColumnIndexBuilder) {
        if !column.is_sorted {
            index.to_invalid();
            return;
        }
        let nulls = i64::try_from(nulls).unwrap_or(i64::MAX);
        let range = self.present.iter().min().zip(self.present.iter().max());
        let Some((least, greatest)) = range else {
            index.append(true, Vec::new(), Vec::new(), nulls);
            return;
        };
        match column
            .dictionary
            .told(*least)
            .zip(column.dictionary.told(*greatest))
        {
            Some((least, greatest)) => index.append(false, least, greatest, nulls),
            None => index.to_invalid(),
        }
        index.set_boundary_order(BoundaryOrder::UNORDERED);
    }

    fn compress(&mut self, plain: &[u8]) -> Result<Bytes, EncodeError> {
        let compressed = self.zstd.compress(plain);
        let compressed = compressed.map_err(|error| EncodeError::Parquet(error.into()))?;
        Ok(Bytes::from(compressed))
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
