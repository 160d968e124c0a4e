//! A row group of sorted rows, column by column.

use std::ops::Range;

use parquet::data_type::BoolType;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use crate::error::EncodeError;
use crate::file::chunk::{Chunk, ChunkWriter, Column, NOWHERE};
use crate::file::dictionary::Dictionary;
use crate::flows::{Cells, Determined, Interned, LONG_NULL, NULL, SortedFlows};
use crate::table::Table;

/// Different texts that are put in order, so that pages can tell which they hold. Of more, each page holds nearly all.
const SORTED_TEXTS_MAX: usize = 1 << 16;

/// Numbers that a small one may be: ports are the largest.
const SMALL_NUMBERS: usize = 1 << 16;

/// Different large numbers that are held in a dictionary. Of more, their steps take fewer bytes.
const LONGS_MAX: usize = 1 << 14;

/// A column of all rows that are sorted together, and what is looked up once for all row groups that they fill.
pub(super) struct Whole<'a> {
    cells: &'a Cells<'a>,
    /// Whether no row has a value.
    is_null: bool,
    /// What of it interfaces determine.
    determined: Option<Determined>,
    /// The keys of its texts, in the order in which dictionaries have them.
    texts: Vec<u32>,
    /// The place of the column of addresses that it repeats: `pkt_srcaddr` is mostly `srcaddr`.
    repeats: Option<usize>,
}

/// Values of a column of a row group in their order. The memory serves for the next one.
#[derive(Default)]
pub(super) struct Gathered {
    keys: Vec<i32>,
    numbers: Vec<i64>,
}

/// A row group under way.
pub(super) struct RowGroup<'a> {
    group: SerializedRowGroupWriter<'a, Vec<u8>>,
    table: Table,
    chunks: &'a mut ChunkWriter,
    gathered: &'a mut Gathered,
    rows: &'a SortedFlows<'a>,
    /// Which of the rows, by their places in the order.
    part: Range<usize>,
    /// Columns of addresses so far, by their place: what others repeat is not encoded again.
    addresses: Vec<(usize, Chunk)>,
}

impl<'a> Whole<'a> {
    /// Columns, in the order of their table.
    pub(super) fn all(all: &'a [Cells<'a>], rows: &SortedFlows<'_>) -> Vec<Self> {
        let of = |(at, cells): (usize, &'a Cells<'a>)| {
            let (keys, texts) = match cells {
                Cells::Texts { keys, values } => (*keys, ordered(values)),
                Cells::Addrs(keys) | Cells::Smalls(keys) => (*keys, Vec::new()),
                Cells::Longs(_) | Cells::Bools(_) => (&[][..], Vec::new()),
            };
            let is_null = is_null(cells);
            Self {
                cells,
                is_null,
                // Of a column of nothing, nothing is asked.
                determined: (!is_null).then(|| rows.runs.determined(keys)).flatten(),
                texts,
                repeats: repeated(&all[..at], cells),
            }
        };
        all.iter().enumerate().map(of).collect()
    }
}

/// Whether a column is null in all rows: most fields are in few formats.
fn is_null(cells: &Cells<'_>) -> bool {
    match cells {
        Cells::Texts { values, .. } => values.is_empty(),
        Cells::Addrs(keys) | Cells::Smalls(keys) => keys.iter().all(|key| *key == NULL),
        Cells::Longs(numbers) => numbers.iter().all(|number| *number == LONG_NULL),
        Cells::Bools(_) => false,
    }
}

/// The place of the first of these columns that has the same addresses.
fn repeated(before: &[Cells<'_>], cells: &Cells<'_>) -> Option<usize> {
    let Cells::Addrs(keys) = cells else {
        return None;
    };
    let is_same = |of: &Cells<'_>| matches!(of, Cells::Addrs(other) if other == keys);
    before.iter().position(is_same)
}

impl<'a> RowGroup<'a> {
    /// Begins one of this part of the rows.
    pub(super) fn new(
        (group, table): (SerializedRowGroupWriter<'a, Vec<u8>>, Table),
        (chunks, gathered): (&'a mut ChunkWriter, &'a mut Gathered),
        rows: &'a SortedFlows<'a>,
        part: Range<usize>,
    ) -> Self {
        Self {
            group,
            table,
            chunks,
            gathered,
            rows,
            part,
            addresses: Vec::new(),
        }
    }

    /// Appends the column at this place.
    pub(super) fn append(
        &mut self,
        at: usize,
        column: &Whole<'_>,
        descriptor: &ColumnDescPtr,
    ) -> Result<(), EncodeError> {
        match column.cells {
            _ if column.is_null => {
                self.chunks
                    .store(&Column::Nulls, self.part.len(), descriptor, &mut self.group)?;
            }
            Cells::Texts { keys, values } => {
                self.gather_keys(keys, column);
                let text = |key: &u32| (*key, &*values[*key as usize]);
                let texts = column.texts.iter().map(text);
                let (places, texts) = occurring(&self.gathered.keys, values.len(), texts);
                let is_sorted = values.len() <= SORTED_TEXTS_MAX;
                self.keyed(&places, Dictionary::Texts(&texts), is_sorted, descriptor)?;
            }
            Cells::Addrs(keys) => {
                let known = self.addresses.iter();
                let mut known = known.filter(|(known, _)| column.repeats == Some(*known));
                if let Some((_, chunk)) = known.next() {
                    return chunk.append(descriptor, &mut self.group);
                }
                self.gather_keys(keys, column);
                let all = &self.rows.addresses;
                let (places, texts) = occurring(&self.gathered.keys, all.len(), all.iter());
                let chunk = self.keyed(&places, Dictionary::Texts(&texts), false, descriptor)?;
                self.addresses.push((at, chunk));
            }
            Cells::Smalls(numbers) => {
                self.gather_keys(numbers, column);
                let (places, different) = numbered(&self.gathered.keys);
                self.keyed(&places, Dictionary::Smalls(&different), true, descriptor)?;
            }
            Cells::Longs(numbers) => self.append_longs(numbers, descriptor)?,
            Cells::Bools(values) => self.append_bools(values)?,
        }
        Ok(())
    }

    /// Ends the row group.
    pub(super) fn close(self) -> Result<(), EncodeError> {
        self.group.close()?;
        Ok(())
    }

    /// Brings the keys of a column into the order of the rows.
    fn gather_keys(&mut self, keys: &[i32], column: &Whole<'_>) {
        let gathered = &mut self.gathered.keys;
        gathered.clear();
        let (order, part) = (&self.rows.order, self.part.clone());
        match &column.determined {
            Some(of) => self.rows.runs.each(of, part, |run, key| match key {
                Some(key) => gathered.extend(std::iter::repeat_n(key, run.len())),
                None => gather(keys, &order[run], NULL, gathered),
            }),
            None => gather(keys, &order[part], NULL, gathered),
        }
    }

    /// Appends the keys that were gathered.
    fn keyed(
        &mut self,
        places: &[u32],
        dictionary: Dictionary<'_>,
        is_sorted: bool,
        descriptor: &ColumnDescPtr,
    ) -> Result<Chunk, EncodeError> {
        let column = Column::Keyed {
            keys: &self.gathered.keys,
            places,
            dictionary,
            is_sorted,
            is_looked_up: self.table.looked_up_by().contains(&descriptor.name()),
        };
        let column = column.or_nulls();
        let rows = self.part.len();
        self.chunks
            .store(&column, rows, descriptor, &mut self.group)
    }

    fn append_longs(
        &mut self,
        numbers: &[i64],
        descriptor: &ColumnDescPtr,
    ) -> Result<(), EncodeError> {
        let Gathered { keys, numbers: own } = &mut *self.gathered;
        own.clear();
        gather(numbers, &self.rows.order[self.part.clone()], LONG_NULL, own);
        if let Some((places, different)) = counted(own, keys) {
            self.keyed(&places, Dictionary::Longs(&different), true, descriptor)?;
            return Ok(());
        }
        let column = Column::Longs { numbers: own };
        let rows = self.part.len();
        self.chunks
            .store(&column, rows, descriptor, &mut self.group)?;
        Ok(())
    }

    fn append_bools(&mut self, values: &[bool]) -> Result<(), EncodeError> {
        let order = self.rows.order[self.part.clone()].iter();
        let values: Vec<bool> = order.map(|row| values[*row as usize]).collect();
        let column = self.group.next_column()?;
        let mut column = column.ok_or_else(|| {
            EncodeError::Parquet(ParquetError::General(
                "rows have more columns than their table".to_owned(),
            ))
        })?;
        column
            .typed::<BoolType>()
            .write_batch(&values, None, None)?;
        column.close()?;
        Ok(())
    }
}

/// Appends what these rows have. Nothing else is done on the way: the rows lie anywhere, and the fewer instructions there
/// are between them, the more of them are fetched at once.
fn gather<T: Copy>(values: &[T], rows: &[u32], null: T, into: &mut Vec<T>) {
    let value = |row: &u32| values.get(*row as usize).copied().unwrap_or(null);
    into.extend(rows.iter().map(value));
}

/// The keys of texts, in the order of these unless they are too many.
fn ordered(values: &[Box<str>]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..u32::try_from(values.len()).unwrap_or(u32::MAX)).collect();
    if values.len() <= SORTED_TEXTS_MAX {
        order.sort_unstable_by(|a, b| values[*a as usize].cmp(&values[*b as usize]));
    }
    order
}

/// Of so many texts those that are among the keys, and by key the place of each.
fn occurring<'t>(
    keys: &[i32],
    count: usize,
    texts: impl Iterator<Item = (u32, &'t str)>,
) -> (Vec<u32>, Vec<&'t str>) {
    let mut places = vec![NOWHERE; count];
    for key in keys.iter().filter_map(|key| usize::try_from(*key).ok()) {
        places[key] = 0;
    }
    let mut own = Vec::new();
    for (key, text) in texts {
        let place = &mut places[key as usize];
        if *place != NOWHERE {
            *place = u32::try_from(own.len()).unwrap_or(u32::MAX);
            own.push(text);
        }
    }
    (places, own)
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

/// Gives large numbers keys. The place of each, and the numbers in their order; none if there are too many.
fn counted(numbers: &[i64], keys: &mut Vec<i32>) -> Option<(Vec<u32>, Vec<i64>)> {
    let mut different = Interned::default();
    let mut last = (LONG_NULL, NULL);
    // By small number, its key: most counts are small, and are found without a hash.
    let mut smalls = vec![NULL; SMALL_NUMBERS];
    keys.clear();
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
    Some((places, order.into_iter().map(|(of, _)| of).collect()))
}
