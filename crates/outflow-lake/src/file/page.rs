//! The rows of a page, encoded.

use std::ops::Range;

use parquet::file::metadata::ColumnIndexBuilder;

use super::chunk::{Column, NOWHERE, Places};
use super::dictionary::{Dictionary, range};
use super::{delta, hybrid};
use crate::flows::{LONG_NULL, NULL};

/// A page under way. Its memory serves for the next one.
#[derive(Default)]
pub(super) struct PageBuffer {
    /// What is to be compressed and stored.
    pub(super) bytes: Vec<u8>,
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
        part: Range<usize>,
    ) -> Told {
        self.bytes.clear();
        let rows = part.len();
        let (nulls, range) = match column {
            Column::Nulls => {
                self.append_levels(is_optional, rows, rows, std::iter::empty());
                (rows, None)
            }
            Column::Keyed {
                keys,
                places,
                dictionary,
                ..
            } => {
                let keys = &keys[part];
                let is_null = |key: &i32| *key == NULL;
                let nulls = keys.iter().filter(|key| is_null(key)).count();
                let values = keys.iter().map(|key| !is_null(key));
                self.append_levels(is_optional, rows, nulls, values);
                let into = &mut self.places;
                match places {
                    Places::Table(table) => {
                        take_places(into, (keys, nulls), |key| {
                            table[key.cast_unsigned() as usize]
                        });
                    }
                    Places::Occurring(of) => take_places(into, (keys, nulls), |key| of.place(key)),
                }
                (nulls, self.append_places(dictionary, column.is_sorted()))
            }
            Column::Numbered {
                numbers,
                places,
                may_be_null,
                dictionary,
                is_sorted,
                ..
            } => {
                let of = numbers[part].iter().map(|number| places[*number as usize]);
                self.places.clear();
                self.places.extend(of);
                let nulls = self.append_numbered(is_optional, *may_be_null);
                (nulls, self.append_places(dictionary, *is_sorted))
            }
            Column::Same { dictionary, .. } => {
                self.append_levels(is_optional, rows, 0, std::iter::empty());
                // Of one value, the place takes no bits.
                self.bytes.push(0);
                hybrid::repeat(&mut self.bytes, rows, 0, 0);
                let told = || dictionary.told(0);
                (0, told().zip(told()))
            }
            Column::Longs { numbers } => {
                let numbers = &numbers[part];
                let is_null = |number: &i64| *number == LONG_NULL;
                let nulls = numbers.iter().filter(|number| is_null(number)).count();
                let values = numbers.iter().map(|number| !is_null(number));
                self.append_levels(is_optional, rows, nulls, values);
                (nulls, self.append_numbers(numbers))
            }
        };
        Told { nulls, range }
    }

    /// Appends which of the rows have a value, where they may have none.
    fn append_levels(
        &mut self,
        is_optional: bool,
        rows: usize,
        nulls: usize,
        are_values: impl Iterator<Item = bool>,
    ) {
        if !is_optional {
            return;
        }
        self.bytes.extend_from_slice(&[0; 4]);
        if nulls == 0 || nulls == rows {
            hybrid::repeat(&mut self.bytes, rows, u32::from(nulls == 0), 1);
        } else {
            self.levels.clear();
            self.levels.extend(are_values.map(u32::from));
            hybrid::encode(&mut self.bytes, &self.levels, 1);
        }
        let len = u32::try_from(self.bytes.len() - 4).unwrap_or(u32::MAX);
        self.bytes[..4].copy_from_slice(&len.to_le_bytes());
    }

    /// Appends which of the rows have a place, and leaves out those that have none; how many.
    fn append_numbered(&mut self, is_optional: bool, may_be_null: bool) -> usize {
        let places = std::mem::take(&mut self.places);
        let are_values = || places.iter().map(|place| *place != NOWHERE);
        let nulls = if may_be_null {
            are_values().filter(|is_value| !is_value).count()
        } else {
            0
        };
        self.append_levels(is_optional, places.len(), nulls, are_values());
        self.places = places;
        if nulls > 0 {
            self.places.retain(|place| *place != NOWHERE);
        }
        nulls
    }

    /// Appends these places; the least and the greatest value, if that is told.
    fn append_places(
        &mut self,
        dictionary: &Dictionary<'_>,
        is_told: bool,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let greatest = dictionary.len().saturating_sub(1);
        let width = hybrid::width_of(u32::try_from(greatest).unwrap_or(u32::MAX));
        self.bytes.push(width.to_le_bytes()[0]);
        hybrid::encode(&mut self.bytes, &self.places, width);
        let (least, greatest) = range(self.places.iter().copied()).filter(|_| is_told)?;
        Some((dictionary.told(least)?, dictionary.told(greatest)?))
    }

    /// Appends numbers by their steps; the least and the greatest.
    fn append_numbers(&mut self, numbers: &[i64]) -> Option<(Vec<u8>, Vec<u8>)> {
        self.numbers.clear();
        let present = numbers.iter().filter(|number| **number != LONG_NULL);
        self.numbers.extend(present);
        delta::encode(&mut self.bytes, &self.numbers);
        let (least, greatest) = range(self.numbers.iter().copied())?;
        Some((
            least.to_le_bytes().to_vec(),
            greatest.to_le_bytes().to_vec(),
        ))
    }
}

/// Takes where values are in their dictionary, without those that are null.
fn take_places(into: &mut Vec<u32>, (keys, nulls): (&[i32], usize), place: impl Fn(i32) -> u32) {
    into.clear();
    if nulls == 0 {
        into.extend(keys.iter().map(|key| place(*key)));
    } else {
        let values = keys.iter().filter(|key| **key != NULL);
        into.extend(values.map(|key| place(*key)));
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
