//! A row group of sorted rows, column by column.

use std::ops::Range;

use parquet::data_type::BoolType;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use crate::error::EncodeError;
use crate::file::chunk::{Chunk, ChunkWriter, Column, NOWHERE, Places};
use crate::file::dictionary::Dictionary;
use crate::file::occurring::Occurring;
use crate::file::pieces::Pieces;
use crate::flows::{
    Cells, Chosen, CountedRecords, Determined, Kept, LONG_NULL, NULL, Numbers, Ordered,
    SortedFlows, Values,
};
use crate::table::Table;

use super::different::{among, by_number_of, counted, numbered};
use super::in_order::Shared;

/// Different texts that are put in order, so that pages can tell which they hold. Of more, each page holds nearly all.
const SORTED_TEXTS_MAX: usize = 1 << 16;

/// A column of all rows that are sorted together, and what is looked up once for all row groups that they fill.
pub(super) struct Whole<'a> {
    cells: &'a Cells<'a>,
    /// Whether no row has a value.
    is_null: bool,
    /// What of it interfaces determine.
    determined: Option<Determined>,
    /// The key that all rows have, if it is one.
    only: Option<i32>,
    /// The keys of its texts, in the order in which dictionaries have them.
    texts: Vec<u32>,
    /// The place of the column of addresses that it repeats: `pkt_srcaddr` is mostly `srcaddr`.
    repeats: Option<usize>,
}

/// What a column is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    /// Whether it is stored.
    pub(super) is_stored: bool,
    /// Whether, and as what, it is kept to be rolled up.
    pub(super) kept: Option<Kept>,
}

/// Values of a column of a row group in their order. The memory serves for the next one.
#[derive(Default)]
pub(super) struct Gathered {
    keys: Vec<i32>,
    numbers: Vec<i64>,
    occurring: Occurring,
    shared: Shared,
    /// Columns that others follow from, by their place: keys or small numbers, and large ones.
    held: Vec<Vec<i32>>,
    held_longs: Vec<Vec<i64>>,
}

impl Gathered {
    /// The numbers that rows have which follow one another in this order.
    pub(super) fn numbers(&mut self, of: Numbers<'_>, order: &[u32]) -> &[u32] {
        &self.shared.of(of, order).numbers
    }
}

/// A row group under way.
pub(super) struct RowGroup<'a> {
    storing: Storing<'a>,
    gathered: &'a mut Gathered,
    rows: &'a SortedFlows<'a>,
    /// Which of the rows, by their places in the order.
    part: Range<usize>,
    /// Columns of addresses so far, by their place: what others repeat is not encoded again.
    addresses: Vec<(usize, Chunk)>,
}

/// Where columns of a row group are encoded and stored.
struct Storing<'a> {
    group: SerializedRowGroupWriter<'a, Pieces>,
    table: Table,
    chunks: &'a mut ChunkWriter,
    /// How many there are in the row group.
    rows: usize,
}

impl Storing<'_> {
    /// Whether a column is to have a Bloom filter.
    fn is_looked_up(&self, descriptor: &ColumnDescPtr) -> bool {
        self.table.looked_up_by().contains(&descriptor.name())
    }

    /// Appends a column.
    fn store(&mut self, column: Column<'_>, descriptor: &ColumnDescPtr) -> Result<(), EncodeError> {
        let chunk = self.store_to_repeat(column, descriptor)?;
        self.chunks.take_back(chunk);
        Ok(())
    }

    /// The same, of a column that others may repeat; [`ChunkWriter::take_back`] ends it.
    fn store_to_repeat(
        &mut self,
        column: Column<'_>,
        descriptor: &ColumnDescPtr,
    ) -> Result<Chunk, EncodeError> {
        let chunk = self
            .chunks
            .encode(&column.or_nulls(), self.rows, descriptor)?;
        self.repeat(&chunk, descriptor)?;
        Ok(chunk)
    }

    /// Appends a column that was stored before once more.
    fn repeat(&mut self, chunk: &Chunk, descriptor: &ColumnDescPtr) -> Result<(), EncodeError> {
        chunk.append(descriptor, &mut self.group)
    }
}

impl<'a> Whole<'a> {
    /// Columns, in the order of their table. Of those that are for nothing, nothing is looked up.
    pub(super) fn all(all: &'a [Cells<'a>], rows: &SortedFlows<'_>, uses: &[Use]) -> Vec<Self> {
        let of = |(at, (cells, used)): (usize, (&'a Cells<'a>, &Use))| {
            let is_used = used.is_stored || used.kept.is_some();
            let texts = match cells {
                Cells::Texts { values, .. } if used.is_stored => ordered(values),
                _ => Vec::new(),
            };
            let is_null = !is_used || is_null(cells);
            let only = only(cells, rows.order.len()).filter(|_| is_used);
            // Of a column of nothing, or of one value, nothing is asked; nor of one that is held by numbers, which is quickly
            // brought into order.
            let asked = match cells {
                Cells::Texts { keys, .. } | Cells::Smalls(keys) => keys.own(),
                Cells::Addrs(keys) => Some(*keys),
                Cells::Chosen(_)
                | Cells::Longs(_)
                | Cells::Payload(_)
                | Cells::Counted(_)
                | Cells::Bools(_) => None,
            };
            let asked = asked.filter(|_| !is_null && only.is_none());
            let determined = asked.and_then(|keys| rows.runs.determined(keys));
            let before = all[..at].iter().zip(uses);
            let before = before.map(|(cells, used)| used.is_stored.then_some(cells));
            Self {
                cells,
                is_null,
                only: only.or_else(|| determined.as_ref().and_then(Determined::only)),
                determined,
                texts,
                repeats: used.is_stored.then(|| repeated(before, cells)).flatten(),
            }
        };
        all.iter().zip(uses).enumerate().map(of).collect()
    }
}

/// Whether a column is null in all rows: most fields are in few formats.
fn is_null(cells: &Cells<'_>) -> bool {
    let are_null = |keys: &[i32]| keys.iter().all(|key| *key == NULL);
    match cells {
        Cells::Texts { keys, values } => {
            values.is_empty() || (keys.own().is_none() && are_null(keys.different()))
        }
        Cells::Smalls(keys) => are_null(keys.different()),
        Cells::Addrs(keys) => are_null(keys),
        Cells::Chosen(of) => of.is_null(),
        Cells::Longs(numbers) => numbers.iter().all(|number| *number == LONG_NULL),
        Cells::Payload(of) => of.is_null(),
        Cells::Counted(_) | Cells::Bools(_) => false,
    }
}

/// The key or small number that all rows have, if there is but one.
fn only(cells: &Cells<'_>, rows: usize) -> Option<i32> {
    let keys = match cells {
        Cells::Texts { keys, values } if keys.own().is_none() || values.len() == 1 => keys,
        Cells::Smalls(keys) if keys.own().is_none() => keys,
        _ => return None,
    };
    let first = *keys.different().first()?;
    let differ = keys.different().iter();
    let differ = differ.fold(0, |differ, key| differ | (*key ^ first));
    (keys.len() == rows && differ == 0 && first != NULL).then_some(first)
}

/// The place of the first of these columns that has the same addresses.
fn repeated<'c>(
    mut before: impl Iterator<Item = Option<&'c Cells<'c>>>,
    cells: &Cells<'_>,
) -> Option<usize> {
    match cells {
        Cells::Addrs(keys) => {
            before.position(|of| matches!(of, Some(Cells::Addrs(other)) if other == keys))
        }
        Cells::Chosen(of) if of.are_addrs => {
            let only = of.only()?;
            before.nth(only)?.map(|_| only)
        }
        _ => None,
    }
}

impl<'a> RowGroup<'a> {
    /// Begins one of this part of the rows.
    pub(super) fn new(
        (group, table): (SerializedRowGroupWriter<'a, Pieces>, Table),
        (chunks, gathered): (&'a mut ChunkWriter, &'a mut Gathered),
        rows: &'a SortedFlows<'a>,
        part: Range<usize>,
    ) -> Self {
        gathered.shared.clear();
        Self {
            storing: Storing {
                group,
                table,
                chunks,
                rows: part.len(),
            },
            gathered,
            rows,
            part,
            addresses: Vec::new(),
        }
    }

    /// Brings a column into the order of the rows, to be appended.
    pub(super) fn gather(&mut self, column: &Whole<'_>) {
        let numbers = &mut self.gathered.numbers;
        let order = &self.rows.order[self.part.clone()];
        match column.cells {
            Cells::Texts { keys, .. } | Cells::Smalls(keys) => match *keys {
                Values::Own(keys) => self.gather_keys(keys, column),
                Values::Shared { .. } if column.only.is_some() => self.gather_keys(&[], column),
                Values::Shared { numbers, by_number } => {
                    let Gathered { keys, shared, .. } = &mut *self.gathered;
                    let numbers = &shared.of(numbers, order).numbers;
                    keys.clear();
                    keys.extend(numbers.iter().map(|number| by_number[*number as usize]));
                }
            },
            Cells::Addrs(of) => {
                self.gather_keys(of, column);
                self.rows.addresses.place(&mut self.gathered.keys);
            }
            Cells::Chosen(of) => {
                let Gathered {
                    keys, shared, held, ..
                } = &mut *self.gathered;
                let among: Vec<&[i32]> = of.among.iter().map(|at| &*held[*at]).collect();
                keys.clear();
                of.append(&shared.of(of.numbers, order).numbers, &among, keys);
            }
            Cells::Longs(of) => {
                numbers.clear();
                gather(of, order, LONG_NULL, numbers);
            }
            Cells::Payload(of) => {
                let Gathered {
                    numbers,
                    shared,
                    held,
                    held_longs,
                    ..
                } = &mut *self.gathered;
                let records = CountedRecords {
                    protocols: &held[of.protocol],
                    packets: &held_longs[of.packets],
                    bytes: &held_longs[of.bytes],
                };
                numbers.clear();
                of.append(&shared.of(of.numbers, order).numbers, records, numbers);
            }
            Cells::Counted(of) => {
                numbers.clear();
                let sources = &self.gathered.shared.of(of.numbers, order).numbers;
                of.append(order, sources, numbers);
            }
            // They are taken as they are appended.
            Cells::Bools(_) => {}
        }
    }

    /// Keeps the column at this place, which was gathered last, for others that follow from it.
    pub(super) fn hold(&mut self, at: usize, column: &Whole<'_>) {
        let Gathered {
            keys,
            numbers,
            held,
            held_longs,
            ..
        } = &mut *self.gathered;
        if held.len() <= at {
            held.resize_with(at + 1, Vec::new);
            held_longs.resize_with(at + 1, Vec::new);
        }
        match column.cells {
            Cells::Longs(_) => std::mem::swap(&mut held_longs[at], numbers),
            _ => std::mem::swap(&mut held[at], keys),
        }
    }

    /// Hands the column that was gathered last to what is rolled up.
    pub(super) fn keep(&mut self, kept: Kept, into: &mut Ordered) {
        into.keep(kept, &mut self.gathered.keys, &mut self.gathered.numbers);
    }

    /// The same, of the column at this place, which was held.
    pub(super) fn keep_held(&mut self, at: usize, kept: Kept, into: &mut Ordered) {
        let Gathered {
            held, held_longs, ..
        } = &mut *self.gathered;
        into.keep(kept, &mut held[at], &mut held_longs[at]);
    }

    /// Whether a column is gathered to be appended, rather than known already, or by number.
    pub(super) fn is_gathered(&self, column: &Whole<'_>) -> bool {
        let is_told = column.is_null || column.only.is_some();
        let is_numbered = match column.cells {
            Cells::Texts { keys, .. } | Cells::Smalls(keys) => self.by_number(keys).is_some(),
            _ => false,
        };
        !is_told && !is_numbered && repeated_chunk(&self.addresses, column).is_none()
    }

    /// Appends the column at this place, which was gathered unless that is not needed.
    pub(super) fn append(
        &mut self,
        at: usize,
        column: &Whole<'_>,
        descriptor: &ColumnDescPtr,
    ) -> Result<(), EncodeError> {
        match column.cells {
            _ if column.is_null => self.storing.store(Column::Nulls, descriptor)?,
            Cells::Texts { keys, values } => {
                if let Some(only) = column.only {
                    let texts = [&*values[only.cast_unsigned() as usize]];
                    return self.same(Dictionary::Texts(&texts), descriptor);
                }
                let text = |key: &u32| (*key, &*values[*key as usize]);
                let texts = column.texts.iter().map(text);
                let is_sorted = values.len() <= SORTED_TEXTS_MAX;
                if let Some((numbers, by_number)) = self.by_number(keys) {
                    let keys = self.different(numbers, by_number);
                    let (places, texts) = among(&keys, values.len(), texts);
                    let places = by_number_of(&places, by_number);
                    let dictionary = Dictionary::Texts(&texts);
                    return self.numbered(numbers, &places, dictionary, is_sorted, descriptor);
                }
                let (places, texts) = among(&self.gathered.keys, values.len(), texts);
                let (places, dictionary) = (Places::Table(&places), Dictionary::Texts(&texts));
                self.keyed(places, dictionary, is_sorted, descriptor)?;
            }
            Cells::Addrs(_) => {
                if let Some(only) = column.only {
                    let mut place = [only];
                    self.rows.addresses.place(&mut place);
                    let texts = [self
                        .rows
                        .addresses
                        .texts
                        .get(place[0].cast_unsigned() as usize)];
                    return self.same(Dictionary::Texts(&texts), descriptor);
                }
                self.append_addresses((at, column), descriptor)?;
            }
            Cells::Chosen(Chosen {
                are_addrs: true, ..
            }) => self.append_addresses((at, column), descriptor)?,
            Cells::Chosen(_) => self.append_smalls(descriptor)?,
            Cells::Smalls(keys) => {
                if let Some(only) = column.only {
                    return self.same(Dictionary::Smalls(&[only]), descriptor);
                }
                if let Some((numbers, by_number)) = self.by_number(keys) {
                    let (places, different) = numbered(&self.different(numbers, by_number));
                    let places = by_number_of(&places, by_number);
                    let dictionary = Dictionary::Smalls(&different);
                    return self.numbered(numbers, &places, dictionary, true, descriptor);
                }
                self.append_smalls(descriptor)?;
            }
            Cells::Longs(_) | Cells::Payload(_) => self.append_longs(descriptor)?,
            // Mostly each is in few rows, so that a dictionary saves nothing; and their steps take little room anyway.
            Cells::Counted(_) => {
                let numbers = &self.gathered.numbers;
                self.storing.store(Column::Longs { numbers }, descriptor)?;
            }
            Cells::Bools(values) => self.append_bools(*values)?,
        }
        Ok(())
    }

    /// Ends the row group.
    pub(super) fn close(self) -> Result<(), EncodeError> {
        for (_, chunk) in self.addresses {
            self.storing.chunks.take_back(chunk);
        }
        self.storing.group.close()?;
        Ok(())
    }

    /// Brings the keys of a column into the order of the rows.
    fn gather_keys(&mut self, keys: &[i32], column: &Whole<'_>) {
        let gathered = &mut self.gathered.keys;
        gathered.clear();
        let (order, part) = (&self.rows.order, self.part.clone());
        if let Some(only) = column.only {
            gathered.resize(part.len(), only);
            return;
        }
        match &column.determined {
            Some(of) => self.rows.runs.each(of, part, |run, key| match key {
                Some(key) => gathered.extend(std::iter::repeat_n(key, run.len())),
                None => gather(keys, &order[run], NULL, gathered),
            }),
            None => gather(keys, &order[part], NULL, gathered),
        }
    }

    /// Appends a column of one value, which all rows have.
    fn same(
        &mut self,
        dictionary: Dictionary<'_>,
        descriptor: &ColumnDescPtr,
    ) -> Result<(), EncodeError> {
        let is_looked_up = self.storing.is_looked_up(descriptor);
        let column = Column::Same {
            dictionary,
            is_looked_up,
        };
        self.storing.store(column, descriptor)
    }

    /// Appends the keys that were gathered.
    fn keyed(
        &mut self,
        places: Places<'_>,
        dictionary: Dictionary<'_>,
        is_sorted: bool,
        descriptor: &ColumnDescPtr,
    ) -> Result<(), EncodeError> {
        let is_looked_up = self.storing.is_looked_up(descriptor);
        let column = Column::Keyed {
            keys: &self.gathered.keys,
            places,
            dictionary,
            is_sorted,
            is_looked_up,
        };
        self.storing.store(column, descriptor)
    }

    /// The numbers that a column is appended by, and its keys or small numbers by these; none if there are more of them than rows,
    /// as it is quicker to look at the rows then.
    fn by_number<'v>(&self, keys: &Values<'v, i32>) -> Option<(Numbers<'v>, &'v [i32])> {
        match *keys {
            Values::Shared { numbers, by_number } if by_number.len() <= self.part.len() => {
                Some((numbers, by_number))
            }
            _ => None,
        }
    }

    /// The keys or small numbers that rows have by these numbers, some of them more than once.
    fn different(&mut self, numbers: Numbers<'_>, by_number: &[i32]) -> Vec<i32> {
        let order = &self.rows.order[self.part.clone()];
        let own = self.gathered.shared.of(numbers, order);
        own.tell_apart(by_number.len());
        let keys = own.different.iter();
        keys.map(|number| by_number[*number as usize]).collect()
    }

    /// Appends a column that is held by number; `places` are where the values of numbers are in the dictionary.
    fn numbered(
        &mut self,
        numbers: Numbers<'_>,
        places: &[u32],
        dictionary: Dictionary<'_>,
        is_sorted: bool,
        descriptor: &ColumnDescPtr,
    ) -> Result<(), EncodeError> {
        let is_looked_up = self.storing.is_looked_up(descriptor);
        let order = &self.rows.order[self.part.clone()];
        let own = self.gathered.shared.of(numbers, order);
        let column = Column::Numbered {
            numbers: &own.numbers,
            places,
            may_be_null: own
                .different
                .iter()
                .any(|of| places[*of as usize] == NOWHERE),
            dictionary,
            is_sorted,
            is_looked_up,
        };
        self.storing.store(column, descriptor)
    }

    /// Appends the addresses of the column at this place: those that it repeats, or that were gathered, which others may repeat.
    fn append_addresses(
        &mut self,
        (at, column): (usize, &Whole<'_>),
        descriptor: &ColumnDescPtr,
    ) -> Result<(), EncodeError> {
        if let Some(chunk) = repeated_chunk(&self.addresses, column) {
            return self.storing.repeat(chunk, descriptor);
        }
        let Gathered {
            keys, occurring, ..
        } = &mut *self.gathered;
        let all = &self.rows.addresses.texts;
        occurring.take(keys, all.len());
        let mut texts: Vec<&str> = Vec::with_capacity(occurring.len());
        texts.extend(occurring.iter().map(|place| all.get(place)));
        let column = Column::Keyed {
            keys,
            places: Places::Occurring(occurring),
            dictionary: Dictionary::Texts(&texts),
            is_sorted: false,
            is_looked_up: self.storing.is_looked_up(descriptor),
        };
        let chunk = self.storing.store_to_repeat(column, descriptor)?;
        self.addresses.push((at, chunk));
        Ok(())
    }

    /// Appends the small numbers that were gathered.
    fn append_smalls(&mut self, descriptor: &ColumnDescPtr) -> Result<(), EncodeError> {
        let (places, different) = numbered(&self.gathered.keys);
        let (places, numbers) = (Places::Table(&places), Dictionary::Smalls(&different));
        self.keyed(places, numbers, true, descriptor)
    }

    /// Appends the numbers that were gathered.
    fn append_longs(&mut self, descriptor: &ColumnDescPtr) -> Result<(), EncodeError> {
        let Gathered { keys, numbers, .. } = &mut *self.gathered;
        if let Some((places, different)) = counted(numbers, keys) {
            let (places, numbers) = (Places::Table(&places), Dictionary::Longs(&different));
            return self.keyed(places, numbers, true, descriptor);
        }
        self.storing.store(Column::Longs { numbers }, descriptor)
    }

    fn append_bools(&mut self, values: Values<'_, bool>) -> Result<(), EncodeError> {
        let order = &self.rows.order[self.part.clone()];
        let values: Vec<bool> = match values {
            Values::Own(values) => order.iter().map(|row| values[*row as usize]).collect(),
            Values::Shared { numbers, by_number } => {
                let numbers = self.gathered.numbers(numbers, order).iter();
                numbers.map(|number| by_number[*number as usize]).collect()
            }
        };
        let column = self.storing.group.next_column()?;
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

/// The column of addresses that this one repeats, of those that are appended.
fn repeated_chunk<'c>(appended: &'c [(usize, Chunk)], column: &Whole<'_>) -> Option<&'c Chunk> {
    let mut appended = appended.iter();
    let (_, chunk) = appended.find(|(place, _)| column.repeats == Some(*place))?;
    Some(chunk)
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
