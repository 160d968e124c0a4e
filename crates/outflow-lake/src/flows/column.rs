//! One column of rows on their way into a file.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Int32Type};
use arrow_array::{Array as _, ArrayRef, DictionaryArray, PrimitiveArray, StringArray};
use arrow_schema::DataType;
use outflow_record::{Field, FlowBatch, Kind};

use super::Cells;
use super::addresses::{Addresses, Appended};
use super::order::Ranks;
use super::shared::Values;
use super::texts::{Interned, places};
use crate::file::SORTED_ROWS_MAX;

/// Stands for null in a column of whole numbers, where no value of a flow log can be.
pub(crate) const LONG_NULL: i64 = i64::MIN;

/// Stands for null among keys and small numbers.
pub(crate) const NULL: i32 = -1;

const MICROS: i64 = 1_000_000;

/// Rows from which on there will be more.
const MANY_ROWS: usize = 1 << 16;

/// A dictionary, the keys that its values have in a column, and how many of them have none yet.
type Translated = (ArrayRef, Vec<i32>, usize);

/// A column. One that has had no value yet holds nothing: most tables of fields are mostly empty.
#[derive(Debug)]
pub(super) enum Column {
    /// Texts, by key.
    Texts {
        keys: Vec<i32>,
        values: Interned<Box<str>>,
        /// The dictionary that was appended last, and the keys that its values have here.
        last: Option<Translated>,
    },
    /// Addresses, by the key that [`super::addresses::Addresses`] gave.
    Addrs(Vec<i32>),
    /// Small numbers.
    Ints(Vec<i32>),
    /// Large numbers, and times in microseconds.
    Longs(Vec<i64>),
    /// Nothing, as nobody asks for it: what is appended is left out.
    Unwanted,
}

/// Rows of a batch that are to be appended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    /// Their numbers in the batch.
    pub(super) numbers: &'a [u32],
    /// Whether they are all of it, in their order.
    pub(super) are_all: bool,
    /// Rows that there are before.
    pub(super) before: usize,
}

impl Column {
    /// An empty column of this type.
    pub(super) fn of(data_type: &DataType, is_addr: bool) -> Self {
        match data_type {
            DataType::Int32 => Self::Ints(Vec::new()),
            DataType::Int64 | DataType::Timestamp(..) => Self::Longs(Vec::new()),
            _ if is_addr => Self::Addrs(Vec::new()),
            _ => Self::Texts {
                keys: Vec::new(),
                values: Interned::default(),
                last: None,
            },
        }
    }

    /// Makes room for so many more rows behind those that there are.
    pub(super) fn make_room(&mut self, before: usize, more: usize) {
        match self {
            Self::Texts { keys, .. } | Self::Addrs(keys) | Self::Ints(keys) => {
                make_room(keys, before, more);
            }
            Self::Longs(numbers) => make_room(numbers, before, more),
            Self::Unwanted => {}
        }
    }

    /// Appends these rows of a field.
    pub(super) fn append(&mut self, records: &FlowBatch, field: Field, rows: Rows<'_>) {
        match (self, field.kind()) {
            (Self::Ints(ints), Kind::U8) => {
                copy(ints, NULL, records.u8s(field), rows, i32::from);
            }
            (Self::Ints(ints), Kind::U16) => {
                copy(ints, NULL, records.u16s(field), rows, i32::from);
            }
            (Self::Longs(longs), Kind::U64) => {
                let long = |value| i64::try_from(value).unwrap_or(i64::MAX);
                copy(longs, LONG_NULL, records.u64s(field), rows, long);
            }
            (Self::Longs(longs), Kind::Time) => {
                let micros = |at: i64| at.saturating_mul(MICROS);
                copy(longs, LONG_NULL, records.times(field), rows, micros);
            }
            (Self::Texts { keys, values, last }, Kind::Text | Kind::Tag) => {
                let Some(of) = records.texts(field) else {
                    return;
                };
                keys.resize(rows.before, NULL);
                append_texts((keys, values, last), of, rows);
            }
            // A field always has a column of its own kind.
            _ => {}
        }
    }

    /// Appends large numbers.
    pub(super) fn longs(&mut self, before: usize, more: impl Iterator<Item = Option<i64>>) {
        if let Self::Longs(longs) = self {
            longs.resize(before, LONG_NULL);
            longs.extend(more.map(|value| value.unwrap_or(LONG_NULL)));
        }
    }

    /// Appends addresses; `appended` are the columns of the rows that are being appended so far, of which it becomes one.
    pub(super) fn addrs<'a>(
        &mut self,
        before: usize,
        (addresses, appended): (&mut Addresses, &mut Vec<Appended<'a>>),
        column: Appended<'a>,
    ) {
        if let Self::Addrs(keys) = self {
            keys.resize(before, NULL);
            addresses.append(keys, appended, &column);
            appended.push(column);
        }
    }

    /// Hands out its small numbers, with room for so many more; to be given back by [`Column::hold`].
    pub(super) fn take(&mut self, before: usize, more: usize) -> Vec<i32> {
        let mut numbers = match self {
            Self::Ints(numbers) => std::mem::take(numbers),
            _ => Vec::new(),
        };
        numbers.resize(before, NULL);
        numbers.reserve(more);
        numbers
    }

    /// Has it hold these keys or small numbers, by row: also what [`Column::take`] handed out.
    pub(super) fn hold(&mut self, given: Vec<i32>) {
        if let Self::Addrs(keys) | Self::Ints(keys) = self {
            *keys = given;
        }
    }

    /// The key of a text; that of null for none.
    pub(super) fn key(&mut self, text: Option<&str>) -> i32 {
        match (self, text) {
            (Self::Texts { values, .. }, Some(text)) => values.number(text, |text| Box::from(text)),
            _ => NULL,
        }
    }

    /// The key of a text that it may have.
    pub(super) fn key_of(&self, text: &str) -> i32 {
        let (_, values) = self.texts();
        let at = values.iter().position(|value| **value == *text);
        at.and_then(|at| i32::try_from(at).ok()).unwrap_or(NULL)
    }

    /// Appends a key that [`Column::key`] gave, or a small number.
    pub(super) fn push_key(&mut self, key: i32) {
        if let Self::Texts { keys, .. } | Self::Ints(keys) = self {
            keys.push(key);
        }
    }

    /// Gives each row its own key or small number, of those by number.
    pub(super) fn spread(&mut self, numbers: &[u32]) {
        if let Self::Texts { keys, .. } | Self::Ints(keys) = self {
            *keys = numbers.iter().map(|at| keys[*at as usize]).collect();
        }
    }

    /// The numbers by row; none behind the last that has one.
    pub(super) fn numbers(&self) -> &[i64] {
        match self {
            Self::Longs(numbers) => numbers,
            _ => &[],
        }
    }

    /// By row, the place of its text among all in their order, from 1; 0 where it has none. The keys are its own, by row.
    pub(super) fn ranks(&self, keys: Values<'_, i32>, rows: usize) -> Ranks {
        let (_, values) = self.texts();
        let places = places(values);
        let rank = |key: &i32| usize::try_from(*key).map_or(0, |key| places[key] + 1);
        let mut of_rows: Vec<u32> = match keys {
            Values::Own(keys) => keys.iter().map(rank).collect(),
            Values::Shared { numbers, by_number } => {
                let ranks: Vec<u32> = by_number.iter().map(rank).collect();
                let of_rows = numbers.of_rows.iter();
                of_rows.map(|number| ranks[*number as usize]).collect()
            }
        };
        of_rows.resize(rows, 0);
        Ranks {
            of_rows,
            count: values.len() + 1,
        }
    }

    /// The keys of texts, by row or number, and the texts by key.
    pub(super) fn texts(&self) -> (&[i32], &[Box<str>]) {
        match self {
            Self::Texts { keys, values, .. } => (keys, values.values()),
            _ => (&[], &[]),
        }
    }

    /// Its keys or small numbers, by row or number.
    pub(super) fn own_keys(&self) -> &[i32] {
        match self {
            Self::Texts { keys, .. } | Self::Addrs(keys) | Self::Ints(keys) => keys,
            Self::Longs(_) | Self::Unwanted => &[],
        }
    }

    /// What is in it; `keys` are its own, by row.
    pub(super) fn cells<'a>(&'a self, keys: Values<'a, i32>) -> Cells<'a> {
        match self {
            Self::Texts { values, .. } => Cells::Texts {
                keys,
                values: values.values(),
            },
            Self::Addrs(keys) => Cells::Addrs(keys),
            Self::Ints(_) => Cells::Smalls(keys),
            Self::Longs(numbers) => Cells::Longs(numbers),
            Self::Unwanted => Cells::Smalls(Values::Own(&[])),
        }
    }

    /// Forgets all rows, and keeps their memory for others.
    pub(super) fn clear(&mut self) {
        match self {
            Self::Texts { keys, values, last } => {
                keys.clear();
                values.clear();
                *last = None;
            }
            Self::Addrs(keys) | Self::Ints(keys) => keys.clear(),
            Self::Longs(numbers) => numbers.clear(),
            Self::Unwanted => {}
        }
    }
}

/// Makes room for so many more rows behind those that there are. Where they are many, it is for as many as are sorted together:
/// memory that doubles is copied again and again, and what is not filled takes none.
pub(super) fn make_room<T>(values: &mut Vec<T>, before: usize, more: usize) {
    // A column that has had no value yet takes no memory.
    if !values.is_empty() && values.capacity() < values.len() + more {
        let room = if before < MANY_ROWS {
            more
        } else {
            more.max(SORTED_ROWS_MAX.next_power_of_two().saturating_sub(before))
        };
        values.reserve(room);
    }
}

/// Copies these rows of an array; `null` stands for none.
fn copy<T: ArrowPrimitiveType, V: Copy>(
    values: &mut Vec<V>,
    null: V,
    of: Option<&PrimitiveArray<T>>,
    rows: Rows<'_>,
    convert: impl Fn(T::Native) -> V,
) {
    let Some(of) = of else { return };
    values.resize(rows.before, null);
    if rows.are_all {
        let all = of.values().iter().map(|value| convert(*value));
        match of.nulls() {
            None => values.extend(all),
            Some(nulls) => {
                let valid = all.zip(nulls);
                values.extend(valid.map(|(value, is_valid)| if is_valid { value } else { null }));
            }
        }
        return;
    }
    let value = |row: &u32| {
        let row = *row as usize;
        if of.is_valid(row) {
            convert(of.value(row))
        } else {
            null
        }
    };
    values.extend(rows.numbers.iter().map(value));
}

fn append_texts(
    (keys, values, last): (
        &mut Vec<i32>,
        &mut Interned<Box<str>>,
        &mut Option<Translated>,
    ),
    of: &DictionaryArray<Int32Type>,
    rows: Rows<'_>,
) {
    let is_last = matches!(last, Some((known, ..)) if Arc::ptr_eq(known, of.values()));
    const UNKNOWN: i32 = -2;
    if !is_last {
        let mut known = vec![UNKNOWN; of.values().len()];
        known.push(NULL);
        *last = Some((Arc::clone(of.values()), known, of.values().len()));
    }
    let Some((dictionary, known, unknown)) = last else {
        return;
    };
    let Some(texts) = dictionary.as_any().downcast_ref::<StringArray>() else {
        return;
    };
    let from = of.keys();
    if *unknown > 0 {
        let own = rows.numbers.iter().map(|row| *row as usize);
        let own = own.filter(|row| from.is_valid(*row));
        for at in own.filter_map(|row| usize::try_from(from.value(row)).ok()) {
            if known[at] == UNKNOWN {
                known[at] = values.number(texts.value(at), |text| Box::from(text));
                *unknown -= 1;
                if *unknown == 0 {
                    break;
                }
            }
        }
    }
    // Behind the keys of the dictionary stands that of none.
    let known = |key: i32| known[key.cast_unsigned() as usize];
    let none = i32::try_from(texts.len()).unwrap_or(i32::MAX);
    match (rows.are_all, from.nulls()) {
        (true, None) if texts.len() == 1 => {
            keys.resize(rows.before + rows.numbers.len(), known(0));
        }
        (true, None) => keys.extend(from.values().iter().map(|key| known(*key))),
        (true, Some(nulls)) => {
            let valid = from.values().iter().zip(nulls);
            keys.extend(valid.map(|(key, is_valid)| known(if is_valid { *key } else { none })));
        }
        (false, _) => keys.extend(rows.numbers.iter().map(|row| {
            let row = *row as usize;
            known(if from.is_valid(row) {
                from.value(row)
            } else {
                none
            })
        })),
    }
}
