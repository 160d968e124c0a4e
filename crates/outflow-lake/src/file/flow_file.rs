//! Files of `flows`, written column by column from rows that hold their values by key.

use std::collections::BTreeSet;

use outflow_record::Field;
use parquet::arrow::ArrowSchemaConverter;
use parquet::data_type::BoolType;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnDescPtr;

use super::chunk::{Chunk, ChunkWriter, Column, NOWHERE};
use super::dictionary::Dictionary;
use super::{Encoded, FILE_BYTES_TARGET, ZSTD_LEVEL, properties};
use crate::Error;
use crate::error::EncodeError;
use crate::flows::{
    AddrTexts, Cells, FlowRows, Hours, Interned, LONG_NULL, NULL, RollingUp, SortedFlows,
};
use crate::table::Table;

/// Different texts that are put in order, so that pages can tell which they hold. Of more, each page holds nearly all.
const SORTED_TEXTS_MAX: usize = 1 << 16;

/// Numbers that a small one may be: ports are the largest.
const SMALL_NUMBERS: usize = 1 << 16;

/// Different large numbers that are held in a dictionary. Of more, their steps take fewer bytes.
const LONGS_MAX: usize = 1 << 16;

/// Writes one file of `flows` or `profiles`.
pub struct FlowFile {
    table: Table,
    /// Which of the table's columns it has, if not all.
    wanted: Option<Vec<bool>>,
    writer: SerializedFileWriter<Vec<u8>>,
    chunks: ChunkWriter,
}

/// What rows are rolled up to as they are written.
#[derive(Debug, Default)]
pub struct RollUps<'a> {
    /// A file of `profiles`, as [`FlowFile::profiles`] begins it.
    pub profiles: Option<&'a mut FlowFile>,
    /// Rows of `hours`.
    pub hours: Option<&'a mut Hours>,
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
    pub fn flows() -> Result<Self, Error> {
        Self::of(Table::Flows, &|_| true)
    }

    /// As [`FlowFile::flows`], of a lake of the moment: with these columns alone, and the start in any case. Who reads others in
    /// it finds them null, or no file at all.
    ///
    /// # Errors
    /// As for [`FlowFile::flows`].
    pub fn flows_with(columns: &BTreeSet<String>) -> Result<Self, Error> {
        let is_wanted = |name: &str| name == Field::Start.column() || columns.contains(name);
        Self::of(Table::Flows, &is_wanted)
    }

    /// Begins a file of what is rolled up beside one.
    ///
    /// # Errors
    /// As for [`FlowFile::flows`].
    pub fn profiles() -> Result<Self, Error> {
        Self::of(Table::Profiles, &|_| true)
    }

    fn of(table: Table, is_wanted: &dyn Fn(&str) -> bool) -> Result<Self, Error> {
        let whole = table.file_schema();
        let wanted: Vec<bool> = whole
            .fields()
            .iter()
            .map(|of| is_wanted(of.name()))
            .collect();
        let places = (0..wanted.len())
            .filter(|at| wanted[*at])
            .collect::<Vec<_>>();
        let schema = whole.project(&places).map_err(EncodeError::from)?;
        let schema = ArrowSchemaConverter::new().convert(&schema);
        let schema = schema.map_err(EncodeError::from)?.root_schema_ptr();
        let properties = WriterPropertiesPtr::new(properties(table));
        let compression = properties.compression(&"bytes".into());
        let writer = SerializedFileWriter::new(Vec::new(), schema, properties);
        let is_whole = places.len() == wanted.len();
        Ok(Self {
            table,
            wanted: (!is_whole).then_some(wanted),
            writer: writer.map_err(EncodeError::from)?,
            chunks: ChunkWriter::new(ZSTD_LEVEL, compression)?,
        })
    }

    /// Writes rows, in their order, as a row group of their own, and rolls them up.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn write(&mut self, rows: &FlowRows, up: RollUps<'_>) -> Result<(), Error> {
        let sorted = rows.sorted();
        let mut rolling_up = up.profiles.is_some().then(|| RollingUp::of(rows));
        let mut adding = up.hours.map(|hours| hours.adding(rows, &sorted));
        if rolling_up.is_some() || adding.is_some() {
            rows.each_rolled(&sorted, |row| {
                if let Some(profiles) = &mut rolling_up {
                    profiles.add(row);
                }
                if let Some(hours) = &mut adding {
                    hours.add(row);
                }
            });
        }
        if let (Some(file), Some(profiles)) = (up.profiles, rolling_up) {
            let profiles = profiles.finish();
            if profiles.len() > 0 {
                file.write_cells(profiles.cells(), profiles.sorted())?;
            }
        }
        self.write_cells(rows.cells(), sorted)
    }

    fn write_cells<'r>(
        &mut self,
        cells: impl Iterator<Item = Cells<'r>>,
        rows: SortedFlows<'r>,
    ) -> Result<(), Error> {
        // A file with a row group like those that files have will have its size: memory that grows bit by bit is copied.
        let written = self.writer.bytes_written();
        if written >= FILE_BYTES_TARGET / 16 {
            let room = FILE_BYTES_TARGET + FILE_BYTES_TARGET / 4;
            self.writer
                .inner_mut()
                .reserve(room.saturating_sub(written));
        }
        let wanted = self.wanted.as_deref();
        let is_wanted = |at: usize| wanted.is_none_or(|wanted| wanted.get(at) == Some(&true));
        let cells = cells.enumerate().filter(|(at, _)| is_wanted(*at));
        let cells = cells.map(|(_, cells)| cells);
        let descriptors = self.writer.schema_descr().columns().to_vec();
        let group = self.writer.next_row_group().map_err(EncodeError::from)?;
        let mut writing = Writing {
            group,
            table: self.table,
            chunks: &mut self.chunks,
            rows,
            addresses: Vec::new(),
        };
        for (cells, descriptor) in cells.zip(&descriptors) {
            writing.append(&cells, descriptor)?;
        }
        writing.group.close().map_err(EncodeError::from)?;
        Ok(())
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.writer.flushed_row_groups().is_empty()
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

/// A row group under way.
struct Writing<'a> {
    table: Table,
    group: SerializedRowGroupWriter<'a, Vec<u8>>,
    chunks: &'a mut ChunkWriter,
    rows: SortedFlows<'a>,
    /// The columns of addresses so far: what others repeat (`pkt_srcaddr` is mostly `srcaddr`) is not encoded again.
    addresses: Vec<(&'a [i32], Chunk)>,
}

impl<'a> Writing<'a> {
    fn append(&mut self, cells: &Cells<'a>, descriptor: &ColumnDescPtr) -> Result<(), EncodeError> {
        match cells {
            Cells::Texts { keys, values } if !values.is_empty() => {
                let is_sorted = values.len() <= SORTED_TEXTS_MAX;
                let (places, texts) = ordered(values, is_sorted);
                let column = Column::Keyed {
                    keys,
                    places: &places,
                    dictionary: Dictionary::Texts(&texts),
                    is_sorted,
                    is_looked_up: is_looked_up(self.table, descriptor),
                    determined: self.rows.runs.determined(keys),
                };
                self.write(&column, descriptor)
            }
            Cells::Addrs(keys) if keys.iter().any(|key| *key != NULL) => {
                self.append_addrs(keys, descriptor)
            }
            Cells::Smalls(numbers) if numbers.iter().any(|number| *number != NULL) => {
                let (places, different) = numbered(numbers);
                let column = Column::Keyed {
                    keys: numbers,
                    places: &places,
                    dictionary: Dictionary::Smalls(&different),
                    is_sorted: true,
                    is_looked_up: false,
                    determined: self.rows.runs.determined(numbers),
                };
                self.write(&column, descriptor)
            }
            Cells::Longs(numbers) if numbers.iter().any(|number| *number != LONG_NULL) => {
                self.append_longs(numbers, descriptor)
            }
            Cells::Bools(values) => self.append_bools(values),
            _ => self.write(&Column::Nulls, descriptor),
        }
    }

    fn append_addrs(
        &mut self,
        keys: &'a [i32],
        descriptor: &ColumnDescPtr,
    ) -> Result<(), EncodeError> {
        if let Some((_, chunk)) = self.addresses.iter().find(|(known, _)| *known == keys) {
            let (bytes, close) = chunk.closed(descriptor.clone())?;
            return Ok(self.group.append_column(&bytes, close)?);
        }
        let (places, texts) = occurring(keys, &self.rows.addresses);
        let column = Column::Keyed {
            keys,
            places: &places,
            dictionary: Dictionary::Texts(&texts),
            is_sorted: false,
            is_looked_up: is_looked_up(self.table, descriptor),
            determined: self.rows.runs.determined(keys),
        };
        let chunk = self.chunks.write(&column, &self.rows, descriptor)?;
        let (bytes, close) = chunk.closed(descriptor.clone())?;
        self.group.append_column(&bytes, close)?;
        self.addresses.push((keys, chunk));
        Ok(())
    }

    fn append_longs(
        &mut self,
        numbers: &[i64],
        descriptor: &ColumnDescPtr,
    ) -> Result<(), EncodeError> {
        let Some((keys, places, different)) = counted(numbers) else {
            return self.write(&Column::Longs { numbers }, descriptor);
        };
        let column = Column::Keyed {
            keys: &keys,
            places: &places,
            dictionary: Dictionary::Longs(&different),
            is_sorted: true,
            is_looked_up: false,
            determined: None,
        };
        self.write(&column, descriptor)
    }

    fn append_bools(&mut self, values: &[bool]) -> Result<(), EncodeError> {
        let order = self.rows.order.iter();
        let values: Vec<bool> = order.map(|row| values[*row as usize]).collect();
        let column = self.group.next_column()?;
        let mut column = column.ok_or_else(|| {
            EncodeError::Parquet(parquet::errors::ParquetError::General(
                "rows have more columns than their table".to_owned(),
            ))
        })?;
        column
            .typed::<BoolType>()
            .write_batch(&values, None, None)?;
        column.close()?;
        Ok(())
    }

    fn write(&mut self, column: &Column<'_>, of: &ColumnDescPtr) -> Result<(), EncodeError> {
        let chunk = self.chunks.write(column, &self.rows, of)?;
        let (bytes, close) = chunk.closed(of.clone())?;
        Ok(self.group.append_column(&bytes, close)?)
    }
}

fn is_looked_up(table: Table, descriptor: &ColumnDescPtr) -> bool {
    table.looked_up_by().contains(&descriptor.name())
}

/// Texts, in their order if they are to be, and the place of each.
fn ordered(values: &[Box<str>], is_sorted: bool) -> (Vec<u32>, Vec<&str>) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    if is_sorted {
        order.sort_unstable_by(|a, b| values[*a].cmp(&values[*b]));
    }
    let mut places = vec![NOWHERE; values.len()];
    for (place, key) in (0..).zip(&order) {
        places[*key] = place;
    }
    let texts = order.iter().map(|key| &*values[*key]).collect();
    (places, texts)
}

/// The addresses that a column has, in the order in which they stand among all, and by key the place of each.
fn occurring<'t>(keys: &[i32], addresses: &'t AddrTexts) -> (Vec<u32>, Vec<&'t str>) {
    let mut places = vec![NOWHERE; addresses.len()];
    for key in keys.iter().filter_map(|key| usize::try_from(*key).ok()) {
        places[key] = 0;
    }
    let mut texts = Vec::new();
    for (key, text) in addresses.iter() {
        if places[key as usize] != NOWHERE {
            places[key as usize] = u32::try_from(texts.len()).unwrap_or(u32::MAX);
            texts.push(text);
        }
    }
    (places, texts)
}

/// By small number, its place among those that there are, and these in their order.
fn numbered(numbers: &[i32]) -> (Vec<u32>, Vec<i32>) {
    let mut places = vec![NOWHERE; SMALL_NUMBERS];
    for number in numbers.iter().filter_map(|of| usize::try_from(*of).ok()) {
        places[number] = 0;
    }
    let mut different = Vec::new();
    for (number, place) in (0..).zip(&mut places) {
        if *place != NOWHERE {
            *place = u32::try_from(different.len()).unwrap_or(u32::MAX);
            different.push(number);
        }
    }
    (places, different)
}

/// The keys of large numbers, the place of each, and the numbers in their order; none if there are too many.
fn counted(numbers: &[i64]) -> Option<(Vec<i32>, Vec<u32>, Vec<i64>)> {
    let mut different = Interned::default();
    let mut keys = Vec::with_capacity(numbers.len());
    let mut last = (LONG_NULL, NULL);
    // By small number, its key: most counts are small, and are found without a hash.
    let mut smalls = vec![NULL; SMALL_NUMBERS];
    for number in numbers {
        if *number != last.0 {
            let small = usize::try_from(*number).ok();
            let key = match small.and_then(|number| smalls.get_mut(number)) {
                _ if *number == LONG_NULL => NULL,
                Some(key) => {
                    if *key == NULL {
                        *key = different.number(number, i64::clone);
                    }
                    *key
                }
                None => different.number(number, i64::clone),
            };
            last = (*number, key);
            if different.values().len() > LONGS_MAX {
                return None;
            }
        }
        keys.push(last.1);
    }
    let mut order: Vec<(i64, usize)> = different.values().iter().copied().zip(0..).collect();
    order.sort_unstable();
    let mut places = vec![NOWHERE; order.len()];
    for (place, (_, key)) in (0..).zip(&order) {
        places[*key] = place;
    }
    Some((keys, places, order.into_iter().map(|(of, _)| of).collect()))
}

#[cfg(test)]
mod tests;
