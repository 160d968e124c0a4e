//! The rows of a page, brought into order and encoded while they are in the cache.

use std::ops::Range;

use parquet::file::metadata::ColumnIndexBuilder;

use super::chunk::Column;
use super::dictionary::Dictionary;
use super::{delta, hybrid};
use crate::flows::{LONG_NULL, NULL, SortedFlows};

/// A page under way. Its memory serves for the next one.
#[derive(Default)]
pub(super) struct PageBuffer {
    /// What is to be compressed and stored.
    pub(super) bytes: Vec<u8>,
    keys: Vec<i32>,
    places: Vec<u32>,
    numbers: Vec<i64>,
    levels: Vec<u32>,
}

/// What a page holds.
pub(super) struct Told {
    pub(super) nulls: usize,
    /// The least and the greatest value; none if they are not told.
    range: Option<(Vec<u8>, Vec<u8>)>,
}

impl PageBuffer {
    /// Makes a page of a part of the rows.
    pub(super) fn fill(
        &mut self,
        (column, is_optional): (&Column<'_>, bool),
        flows: &SortedFlows<'_>,
        part: Range<usize>,
    ) -> Told {
        self.bytes.clear();
        self.keys.clear();
        self.numbers.clear();
        let nulls = match column {
            Column::Nulls => part.len(),
            Column::Keyed {
                keys, determined, ..
            } => {
                match determined {
                    Some(of) => flows.runs.each(of, part.clone(), |run, key| match key {
                        Some(key) => self.keys.extend(std::iter::repeat_n(key, run.len())),
                        None => gather(keys, &flows.order[run], NULL, &mut self.keys),
                    }),
                    None => gather(keys, &flows.order[part.clone()], NULL, &mut self.keys),
                }
                self.keys.iter().filter(|key| **key == NULL).count()
            }
            Column::Longs { numbers } => {
                let order = &flows.order[part.clone()];
                gather(numbers, order, LONG_NULL, &mut self.numbers);
                let none = |number: &&i64| **number == LONG_NULL;
                self.numbers.iter().filter(none).count()
            }
        };
        if is_optional {
            self.append_levels(part.len(), nulls);
        }
        let range = match column {
            Column::Nulls => None,
            Column::Keyed {
                places, dictionary, ..
            } => self.append_places(places, dictionary),
            Column::Longs { .. } => self.append_numbers(),
        };
        let is_told = column.is_sorted();
        Told {
            nulls,
            range: range.filter(|_| is_told),
        }
    }

    /// Appends which of the rows have a value, where they may have none.
    fn append_levels(&mut self, rows: usize, nulls: usize) {
        self.bytes.extend_from_slice(&[0; 4]);
        if nulls == 0 || nulls == rows {
            hybrid::repeat(&mut self.bytes, rows, u32::from(nulls == 0), 1);
        } else {
            let keys = self.keys.iter().map(|key| *key != NULL);
            let numbers = self.numbers.iter().map(|number| *number != LONG_NULL);
            self.levels.clear();
            self.levels.extend(keys.chain(numbers).map(u32::from));
            hybrid::encode(&mut self.bytes, &self.levels, 1);
        }
        let len = u32::try_from(self.bytes.len() - 4).unwrap_or(u32::MAX);
        self.bytes[..4].copy_from_slice(&len.to_le_bytes());
    }

    /// Appends where the values are in their dictionary; the least and the greatest.
    fn append_places(
        &mut self,
        places: &[u32],
        dictionary: &Dictionary<'_>,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        // A null is beyond all places.
        let place = |key: &i32| places.get(key.cast_unsigned() as usize);
        self.places.clear();
        self.places.extend(self.keys.iter().filter_map(place));
        let greatest = dictionary.len().saturating_sub(1);
        let width = hybrid::width_of(u32::try_from(greatest).unwrap_or(u32::MAX));
        self.bytes.push(width.to_le_bytes()[0]);
        hybrid::encode(&mut self.bytes, &self.places, width);
        let places = || self.places.iter().copied();
        let least = dictionary.told(places().min()?)?;
        let greatest = dictionary.told(places().max()?)?;
        Some((least, greatest))
    }

    /// Appends numbers by their steps; the least and the greatest.
    fn append_numbers(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.numbers.retain(|number| *number != LONG_NULL);
        delta::encode(&mut self.bytes, &self.numbers);
        let bytes = |number: &i64| number.to_le_bytes().to_vec();
        let least = self.numbers.iter().min().map(bytes)?;
        let greatest = self.numbers.iter().max().map(bytes)?;
        Some((least, greatest))
    }
}

impl Told {
    /// Enters the page into the index; one of which nothing can be told makes an end of that.
    pub(super) fn enter(self, rows: usize, index: &mut ColumnIndexBuilder) {
        let nulls = i64::try_from(self.nulls).unwrap_or(i64::MAX);
        match self.range {
            Some((least, greatest)) => index.append(false, least, greatest, nulls),
            None if self.nulls == rows => index.append(true, Vec::new(), Vec::new(), nulls),
            None => index.to_invalid(),
        }
    }
}

/// Appends what these rows have. Nothing else is done on the way: the rows lie anywhere, and the fewer instructions there
/// are between them, the more of them are fetched at once.
fn gather<T: Copy>(values: &[T], rows: &[u32], null: T, into: &mut Vec<T>) {
    let value = |row: &u32| values.get(*row as usize).copied().unwrap_or(null);
    into.extend(rows.iter().map(value));
}
