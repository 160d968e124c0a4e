//! Files of `flows`, written column by column from rows that hold their texts by key.

use parquet::arrow::ArrowSchemaConverter;
use parquet::data_type::{BoolType, Int64Type};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnDescPtr;

use super::chunk::{self, ChunkWriter, Column, Dictionary};
use super::{Encoded, FILE_BYTES_TARGET, ZSTD_LEVEL, properties};
use crate::Error;
use crate::error::EncodeError;
use crate::flows::{Cells, LONG_NULL, SortedFlows};
use crate::table::Table;

/// Different texts that are put in order, so that pages can tell which they hold. Of more, each page holds nearly all.
const SORTED_TEXTS_MAX: usize = 1 << 16;

/// Numbers that a small one may be: ports are the largest.
const SMALL_NUMBERS: usize = 1 << 16;

/// Writes one file of `flows`.
pub struct FlowFile {
    writer: SerializedFileWriter<Vec<u8>>,
    chunks: ChunkWriter,
}

impl std::fmt::Debug for FlowFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowFile").finish_non_exhaustive()
    }
}

impl FlowFile {
    /// Begins a file.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn new() -> Result<Self, Error> {
        let schema = ArrowSchemaConverter::new().convert(&Table::Flows.file_schema());
        let schema = schema.map_err(EncodeError::from)?.root_schema_ptr();
        let properties = WriterPropertiesPtr::new(properties(Table::Flows));
        let compression = properties.compression(&"start".into());
        let writer = SerializedFileWriter::new(Vec::new(), schema, properties);
        Ok(Self {
            writer: writer.map_err(EncodeError::from)?,
            chunks: ChunkWriter::new(ZSTD_LEVEL, compression)?,
        })
    }

    /// Writes sorted rows as a row group of their own.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn write(&mut self, rows: &SortedFlows) -> Result<(), Error> {
        let descriptors = self.writer.schema_descr().columns().to_vec();
        let mut group = self.writer.next_row_group().map_err(EncodeError::from)?;
        for (cells, descriptor) in rows.columns.iter().zip(descriptors) {
            write_column(
                &mut group,
                &mut self.chunks,
                (cells, &rows.addresses),
                descriptor,
                rows.len,
            )?;
        }
        group.close().map_err(EncodeError::from)?;
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
        Ok(Encoded::new(Table::Flows, &metadata, bytes))
    }
}

type Group<'a> = SerializedRowGroupWriter<'a, Vec<u8>>;

fn write_column(
    group: &mut Group<'_>,
    chunks: &mut ChunkWriter,
    (cells, addresses): (&Cells, &[Box<str>]),
    descriptor: ColumnDescPtr,
    rows: usize,
) -> Result<(), EncodeError> {
    match cells {
        Cells::Texts { keys, values } if !values.is_empty() => {
            let (keys, texts) = ordered(keys, values);
            let column = Column {
                is_looked_up: is_looked_up(&descriptor),
                is_sorted: values.len() <= SORTED_TEXTS_MAX,
                dictionary: Dictionary::Texts(&texts),
                keys: &keys,
                descriptor,
            };
            append(group, chunks, &column)
        }
        Cells::Addrs(places) if places.iter().any(|place| *place >= 0) => {
            let (keys, texts) = occurring(places, addresses);
            let column = Column {
                is_looked_up: is_looked_up(&descriptor),
                is_sorted: false,
                dictionary: Dictionary::Texts(&texts),
                keys: &keys,
                descriptor,
            };
            append(group, chunks, &column)
        }
        Cells::Smalls(numbers) if numbers.iter().any(Option::is_some) => {
            let (keys, numbers) = numbered(numbers);
            let column = Column {
                is_looked_up: false,
                is_sorted: true,
                dictionary: Dictionary::Numbers(&numbers),
                keys: &keys,
                descriptor,
            };
            append(group, chunks, &column)
        }
        Cells::Longs(values) => write_longs(group, values),
        Cells::Bools(values) => {
            let mut column = next(group)?;
            column.typed::<BoolType>().write_batch(values, None, None)?;
            column.close()?;
            Ok(())
        }
        Cells::Texts { .. } | Cells::Addrs(_) | Cells::Smalls(_) => write_nulls(group, rows),
    }
}

fn append(
    group: &mut Group<'_>,
    chunks: &mut ChunkWriter,
    column: &Column<'_>,
) -> Result<(), EncodeError> {
    let (bytes, close) = chunks.write(column)?;
    Ok(group.append_column(&bytes, close)?)
}

fn is_looked_up(descriptor: &ColumnDescPtr) -> bool {
    Table::Flows.looked_up_by().contains(&descriptor.name())
}

/// Keys and texts, in the order of the texts if there are not too many.
fn ordered<'a>(keys: &[i32], values: &'a [Box<str>]) -> (Vec<u32>, Vec<&'a str>) {
    let mut places: Vec<u32> = (0..u32::try_from(values.len()).unwrap_or(u32::MAX)).collect();
    if values.len() <= SORTED_TEXTS_MAX {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_unstable_by(|a, b| values[*a].cmp(&values[*b]));
        for (place, key) in (0..).zip(&order) {
            places[*key] = place;
        }
        let texts = order.iter().map(|key| &*values[*key]).collect();
        return (placed(keys, &places), texts);
    }
    (
        placed(keys, &places),
        values.iter().map(|text| &**text).collect(),
    )
}

/// The addresses that a column has, in the order in which they stand among all, and the place of each row's.
fn occurring<'a>(places: &[i32], addresses: &'a [Box<str>]) -> (Vec<u32>, Vec<&'a str>) {
    let mut occurs = vec![chunk::NULL; addresses.len()];
    for place in places
        .iter()
        .filter_map(|place| usize::try_from(*place).ok())
    {
        occurs[place] = 0;
    }
    let mut texts = Vec::new();
    for (place, text) in occurs.iter_mut().zip(addresses) {
        if *place != chunk::NULL {
            *place = u32::try_from(texts.len()).unwrap_or(u32::MAX);
            texts.push(&**text);
        }
    }
    (placed(places, &occurs), texts)
}

fn placed(keys: &[i32], places: &[u32]) -> Vec<u32> {
    let place = |key: &i32| usize::try_from(*key).map_or(chunk::NULL, |key| places[key]);
    keys.iter().map(place).collect()
}

/// The places of small numbers among those that there are, and these in their order.
fn numbered(numbers: &[Option<u16>]) -> (Vec<u32>, Vec<i32>) {
    let mut places = vec![chunk::NULL; SMALL_NUMBERS];
    for number in numbers.iter().flatten() {
        places[usize::from(*number)] = 0;
    }
    let mut different = Vec::new();
    for (number, place) in (0..).zip(&mut places) {
        if *place != chunk::NULL {
            *place = u32::try_from(different.len()).unwrap_or(u32::MAX);
            different.push(number);
        }
    }
    let place =
        |number: &Option<u16>| number.map_or(chunk::NULL, |number| places[usize::from(number)]);
    (numbers.iter().map(place).collect(), different)
}

fn next<'g>(
    group: &'g mut Group<'_>,
) -> Result<parquet::file::writer::SerializedColumnWriter<'g>, EncodeError> {
    let column = group.next_column()?;
    column.ok_or_else(|| {
        EncodeError::Parquet(parquet::errors::ParquetError::General(
            "rows have more columns than their table".to_owned(),
        ))
    })
}

fn write_longs(group: &mut Group<'_>, values: &[i64]) -> Result<(), EncodeError> {
    let mut column = next(group)?;
    let levels: Vec<i16> = values
        .iter()
        .map(|value| i16::from(*value != LONG_NULL))
        .collect();
    let has_nulls = levels.contains(&0);
    let present: Vec<i64>;
    let stored = if has_nulls {
        present = values
            .iter()
            .copied()
            .filter(|value| *value != LONG_NULL)
            .collect();
        &present
    } else {
        values
    };
    column
        .typed::<Int64Type>()
        .write_batch(stored, Some(&levels), None)?;
    column.close()?;
    Ok(())
}

fn write_nulls(group: &mut Group<'_>, rows: usize) -> Result<(), EncodeError> {
    use parquet::column::writer::ColumnWriter;
    let mut column = next(group)?;
    let levels = vec![0; rows];
    match column.untyped() {
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            writer.write_batch(&[], Some(&levels), None)?
        }
        ColumnWriter::Int32ColumnWriter(writer) => writer.write_batch(&[], Some(&levels), None)?,
        ColumnWriter::Int64ColumnWriter(writer) => writer.write_batch(&[], Some(&levels), None)?,
        _ => {
            let what = "a column without values has a type that flows have not".to_owned();
            return Err(EncodeError::Parquet(
                parquet::errors::ParquetError::General(what),
            ));
        }
    };
    column.close()?;
    Ok(())
}

#[cfg(test)]
mod tests;
