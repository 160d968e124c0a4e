//! Parquet objects, row group by row group.
//!
//! A row group is read page by page, so that memory does not grow with the object, and only columns that are known.
//! Where all of a column's pages are stored as keys of a dictionary, it is read so, and each value is conformed once.
//! Damage is data here, too: the batches before it are delivered, exactly once.

mod guard;

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use ::parquet::basic::{Compression, Encoding};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use ::parquet::file::reader::{ChunkReader, Length};
use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};
use bytes::Bytes;
use guard::guarded;
use outflow_record::{BATCH_ROWS, Conformer, DnsConformer, Error};
use sha2::{Digest, Sha256};

use crate::Batch;
use crate::reader::{PIECE_BYTES_MAX, STORED_MAX, hex};

/// What every Parquet object begins with.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// What one ends with whose footer is encrypted.
const ENCRYPTED_MAGIC: &[u8] = b"PARE";

/// A Parquet object that is to be read: in memory if it has at most [`STORED_MAX`] bytes, or else a file.
pub struct Parquet {
    stored: Stored,
    sha256: Option<String>,
    /// What was wrong with what it was packed in.
    damage: Option<String>,
}

/// What was read of a Parquet object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParquetRead {
    /// Rows that were decoded.
    pub rows: u64,
    /// Names of columns that no flow log has; they were not read. Of events of OCSF, none are named.
    pub unknown: Vec<String>,
    /// Why it could not be read to its end, if it could not.
    pub damage: Option<String>,
}

#[derive(Clone)]
enum Stored {
    Memory(Bytes),
    File(Arc<File>),
}

impl Parquet {
    /// An object in memory.
    pub fn in_memory(stored: Vec<u8>) -> Self {
        Self::read_whole(stored, true)
    }

    /// An object in memory, with its digest if that is asked for.
    pub(crate) fn read_whole(stored: Vec<u8>, digests: bool) -> Self {
        let sha256 = digests.then(|| hex(&Sha256::digest(&stored)));
        Self::unpacked(stored, sha256, None)
    }

    /// An object that was unpacked into memory, with the digest of what is stored if it was made, and what is wrong
    /// with that.
    pub(crate) fn unpacked(plain: Vec<u8>, sha256: Option<String>, damage: Option<String>) -> Self {
        Self {
            stored: Stored::Memory(Bytes::from(plain)),
            sha256,
            damage,
        }
    }

    /// An object in a file, which is read once for its digest if that is asked for.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn in_file(mut file: File, digests: bool) -> io::Result<Self> {
        file.rewind()?;
        let sha256 = digests.then(|| digest(&mut file)).transpose()?;
        let stored = Stored::File(Arc::new(file));
        Ok(Self {
            stored,
            sha256,
            damage: None,
        })
    }

    /// An object that comes in a stream, of which `head` was taken; `None` if it has more than [`STORED_MAX`]
    /// bytes, as its end must be read first.
    pub(crate) fn in_stream(
        head: &[u8],
        rest: &mut dyn Read,
        digests: bool,
    ) -> io::Result<Option<Self>> {
        let mut stored = head.to_vec();
        rest.take(STORED_MAX + 1 - head.len() as u64)
            .read_to_end(&mut stored)?;
        let fits = stored.len() as u64 <= STORED_MAX;
        Ok(fits.then(|| Self::read_whole(stored, digests)))
    }

    /// Digest of the object as stored; lower-case hexadecimal. None from a [`crate::Reader::undigested`].
    pub fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }

    /// Bytes of the table, as far as it is not packed in something else.
    pub fn stored_bytes(&self) -> u64 {
        self.stored.len()
    }

    /// Reads the object, and gives what it decodes to, batch by batch, to `sink`.
    ///
    /// # Errors
    /// As [`Conformer::try_new`], before anything was given to `sink`.
    pub fn decode(&self, sink: &mut dyn FnMut(&Batch)) -> Result<ParquetRead, Error> {
        if self.stored.ends_with(ENCRYPTED_MAGIC) {
            return Err(Error::Undecidable {
                reason:
                    "its footer is encrypted, and so are its columns; write it without encryption"
                        .to_owned(),
            });
        }
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = match guarded(|| ArrowReaderMetadata::load(&self.stored, options)) {
            Ok(metadata) => metadata,
            Err(error) => {
                return Ok(ParquetRead {
                    rows: 0,
                    unknown: Vec::new(),
                    damage: Some(error.to_string()),
                });
            }
        };
        let mut table = Table::try_new(metadata.schema())?;
        codecs_are_known(&metadata, table.paths())?;
        let mut damage = Damage::default();
        for group in 0..metadata.metadata().num_row_groups() {
            match self.decode_group(&metadata, group, &mut table, sink) {
                Ok(()) => {}
                // Each stands by itself: those behind it may be sound.
                Err(Stopped::Damaged(error)) => damage.add(group, &error),
                Err(Stopped::Refused(error)) => return Err(error),
            }
        }
        let damage = damage.told(metadata.metadata().num_row_groups());
        Ok(ParquetRead {
            rows: table.rows(),
            unknown: table.unknown().to_vec(),
            damage: damage.or_else(|| self.damage.clone()),
        })
    }

    fn decode_group(
        &self,
        metadata: &ArrowReaderMetadata,
        group: usize,
        table: &mut Table,
        sink: &mut dyn FnMut(&Batch),
    ) -> Result<(), Stopped> {
        let parquet = metadata.metadata();
        let row_group = parquet.row_group(group);
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_schema(Arc::new(as_stored(metadata.schema(), row_group)));
        let own = guarded(|| ArrowReaderMetadata::try_new(Arc::clone(parquet), options))?;
        let paths = table.paths().iter().map(String::as_str);
        let mask = ProjectionMask::columns(own.parquet_schema(), paths);
        let stored = self.stored.clone();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(stored, own)
            .with_projection(mask)
            .with_row_groups(vec![group])
            .with_batch_size(BATCH_ROWS);
        let mut reader = guarded(|| builder.build())?;
        let before = table.rows();
        while let Some(batch) = guarded(|| Ok(reader.next().transpose()?))? {
            sink(&table.conform(&batch).map_err(Stopped::Refused)?);
        }
        let rows = table.rows() - before;
        if i64::try_from(rows) != Ok(row_group.num_rows()) {
            let told = row_group.num_rows();
            let reason = format!("row group {group} has {rows} rows, its footer says {told}");
            return Err(ParquetError::General(reason).into());
        }
        Ok(())
    }
}

impl fmt::Debug for Parquet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parquet")
            .field("sha256", &self.sha256)
            .finish_non_exhaustive()
    }
}

/// What makes batches of the rows.
enum Table {
    Flows(Box<Conformer>),
    Queries(Box<DnsConformer>),
}

impl Table {
    fn try_new(schema: &Schema) -> Result<Self, Error> {
        if DnsConformer::suits(schema) {
            return Ok(Self::Queries(Box::default()));
        }
        Conformer::try_new(schema).map(|own| Self::Flows(Box::new(own)))
    }

    fn paths(&self) -> &[String] {
        match self {
            Self::Flows(own) => own.paths(),
            Self::Queries(own) => own.paths(),
        }
    }

    fn unknown(&self) -> &[String] {
        match self {
            Self::Flows(own) => own.unknown(),
            Self::Queries(_) => &[],
        }
    }

    fn rows(&self) -> u64 {
        match self {
            Self::Flows(own) => own.rows(),
            Self::Queries(own) => own.rows(),
        }
    }

    fn conform(&mut self, batch: &RecordBatch) -> Result<Batch, Error> {
        match self {
            Self::Flows(own) => own.conform(batch).map(Batch::Flows),
            Self::Queries(own) => own.conform(batch).map(Batch::Queries),
        }
    }
}

/// Row groups that could not be read to their ends.
#[derive(Default)]
struct Damage {
    groups: usize,
    /// The first of them, and why.
    first: Option<(usize, String)>,
}

impl Damage {
    fn add(&mut self, group: usize, error: &ParquetError) {
        self.groups += 1;
        self.first.get_or_insert_with(|| (group, error.to_string()));
    }

    /// What is to be said of it, of so many row groups; none if there is none.
    fn told(self, all: usize) -> Option<String> {
        let (first, why) = self.first?;
        let of = match self.groups {
            1 => format!("row group {first}"),
            more => format!("{more} row groups, {first} the first,"),
        };
        Some(format!("{of} of {all} cannot be read to the end: {why}"))
    }
}

/// Why the reading of a row group stopped.
enum Stopped {
    Damaged(ParquetError),
    Refused(Error),
}

impl From<ParquetError> for Stopped {
    fn from(error: ParquetError) -> Self {
        Self::Damaged(error)
    }
}

/// Whether the columns to read are compressed in a way that can be read.
///
/// # Errors
/// [`Error::Undecidable`] with the codec, which is not damage.
fn codecs_are_known(metadata: &ArrowReaderMetadata, paths: &[String]) -> Result<(), Error> {
    let groups = metadata.metadata().row_groups().iter();
    let is_read = |chunk: &ColumnChunkMetaData| {
        let path = chunk.column_path().string();
        let is_within = |own: &String| path == *own || path.starts_with(&format!("{own}."));
        paths.iter().any(is_within)
    };
    let unknown =
        |chunk: &&ColumnChunkMetaData| chunk.compression() == Compression::LZO && is_read(chunk);
    match groups.flat_map(RowGroupMetaData::columns).find(unknown) {
        None => Ok(()),
        Some(chunk) => Err(Error::Undecidable {
            reason: format!(
                "its column `{}` is compressed with LZO, which is not read; write it with another codec",
                chunk.column_path().string()
            ),
        }),
    }
}

/// The schema in which a row group is to be read: texts with the dictionary that they are stored with, if they all are.
fn as_stored(schema: &Schema, row_group: &RowGroupMetaData) -> Schema {
    let column = |field: &Arc<arrow_schema::Field>| {
        if !matches!(field.data_type(), DataType::Utf8 | DataType::Binary) {
            return Arc::clone(field);
        }
        let mut chunks = row_group.columns().iter();
        let chunk = chunks.find(|chunk| chunk.column_path().parts() == [field.name().as_str()]);
        let as_type = if chunk.is_some_and(is_all_keys) {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
        } else {
            DataType::Utf8View
        };
        Arc::new(field.as_ref().clone().with_data_type(as_type))
    };
    Schema::new(schema.fields().iter().map(column).collect::<Vec<_>>())
}

/// Whether all pages of values hold keys of the chunk's dictionary. Where the footer does not say so, the encodings of
/// the chunk are looked at, among which that of the dictionary may be; if they mislead, that costs time alone.
fn is_all_keys(chunk: &ColumnChunkMetaData) -> bool {
    use Encoding::{PLAIN, PLAIN_DICTIONARY, RLE_DICTIONARY};
    if let Some(mask) = chunk.page_encoding_stats_mask() {
        return mask.is_only(PLAIN_DICTIONARY) || mask.is_only(RLE_DICTIONARY);
    }
    let has = |encoding| chunk.encodings_mask().is_set(encoding);
    has(RLE_DICTIONARY) || has(PLAIN_DICTIONARY) && !has(PLAIN)
}

fn digest(file: &mut File) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES_MAX];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(hex(&digest.finalize())),
            Ok(read) => digest.update(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl Length for Stored {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(file) => file.len(),
        }
    }
}

impl Stored {
    fn ends_with(&self, mark: &[u8]) -> bool {
        let start = self.len().checked_sub(mark.len() as u64);
        let end = start.and_then(|start| self.get_bytes(start, mark.len()).ok());
        end.is_some_and(|end| end == mark)
    }
}

impl ChunkReader for Stored {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> ::parquet::errors::Result<Self::T> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(bytes.get_read(start)?),
            Self::File(file) => Box::new(file.get_read(start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ::parquet::errors::Result<Bytes> {
        // Memory is not asked for on the word of a damaged footer.
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.len()) {
            return Err(ParquetError::EOF("it ends within a page".to_owned()));
        }
        match self {
            Self::Memory(bytes) => bytes.get_bytes(start, length),
            Self::File(file) => file.get_bytes(start, length),
        }
    }
}

/// Whether a file begins as Parquet does. It is left at its start.
pub(crate) fn begins(file: &mut File) -> io::Result<bool> {
    let mut head = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(head == MAGIC)
}

#[cfg(test)]
mod tests;
