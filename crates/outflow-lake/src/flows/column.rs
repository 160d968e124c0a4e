//! One column of rows on their way into a file.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Int32Type};
use arrow_array::{Array as _, ArrayRef, DictionaryArray, PrimitiveArray, StringArray};
use arrow_schema::DataType;
use outflow_record::{Field, FlowBatch, Kind};

use super::Cells;
use super::texts::Interned;

/// Stands for null in a column of whole numbers, where no value of a flow log can be.
pub(crate) const LONG_NULL: i64 = i64::MIN;
const INT_NULL: i32 = i32::MIN;
pub(super) const KEY_NULL: i32 = -1;

const MICROS: i64 = 1_000_000;

/// A dictionary, and the keys that its values have in a column.
type Translated = (ArrayRef, Vec<i32>);

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
    /// Large numbers.
    Longs(Vec<i64>),
    /// Times, Unix seconds.
    Times(Vec<i64>),
}

impl Column {
    /// An empty column of this type.
    pub(super) fn of(data_type: &DataType, is_addr: bool) -> Self {
        match data_type {
            DataType::Int32 => Self::Ints(Vec::new()),
            DataType::Int64 => Self::Longs(Vec::new()),
            DataType::Timestamp(..) => Self::Times(Vec::new()),
            _ if is_addr => Self::Addrs(Vec::new()),
            _ => Self::Texts {
                keys: Vec::new(),
                values: Interned::default(),
                last: None,
            },
        }
    }

    /// Appends these rows of a field behind the rows that there are before.
    pub(super) fn append(
        &mut self,
        records: &FlowBatch,
        field: Field,
        rows: &[u32],
        before: usize,
    ) {
        match (self, field.kind()) {
            (Self::Ints(ints), Kind::U8) => {
                copy(
                    ints,
                    (before, INT_NULL),
                    records.u8s(field),
                    rows,
                    i32::from,
                );
            }
            (Self::Ints(ints), Kind::U16) => {
                copy(
                    ints,
                    (before, INT_NULL),
                    records.u16s(field),
                    rows,
                    i32::from,
                );
            }
            (Self::Longs(longs), Kind::U64) => {
                let long = |value| i64::try_from(value).unwrap_or(i64::MAX);
                copy(longs, (before, LONG_NULL), records.u64s(field), rows, long);
            }
            (Self::Times(times), Kind::Time) => {
                copy(
                    times,
                    (before, LONG_NULL),
                    records.times(field),
                    rows,
                    |at| at,
                );
            }
            (Self::Texts { keys, values, last }, Kind::Text | Kind::Tag) => {
                let Some(of) = records.texts(field) else {
                    return;
                };
                keys.resize(before, KEY_NULL);
                append_texts((keys, values, last), of, rows);
            }
            // A field always has a column of its own kind.
            _ => {}
        }
    }

    /// Appends small numbers.
    pub(super) fn ints(&mut self, before: usize, more: impl Iterator<Item = Option<i32>>) {
        if let Self::Ints(ints) = self {
            ints.resize(before, INT_NULL);
            ints.extend(more.map(|value| value.unwrap_or(INT_NULL)));
        }
    }

    /// Appends large numbers.
    pub(super) fn longs(&mut self, before: usize, more: impl Iterator<Item = Option<i64>>) {
        if let Self::Longs(longs) = self {
            longs.resize(before, LONG_NULL);
            longs.extend(more.map(|value| value.unwrap_or(LONG_NULL)));
        }
    }

    /// Appends keys of addresses.
    pub(super) fn addrs(&mut self, before: usize, more: Vec<i32>) {
        if let Self::Addrs(keys) = self {
            keys.resize(before, KEY_NULL);
            keys.extend(more);
        }
    }

    /// Appends words of a few that repeat themselves.
    pub(super) fn words(
        &mut self,
        before: usize,
        more: impl Iterator<Item = Option<&'static str>>,
    ) {
        if let Self::Texts { keys, values, .. } = self {
            keys.resize(before, KEY_NULL);
            let mut last: Option<(&'static str, i32)> = None;
            for word in more {
                let key = match (word, last) {
                    (None, _) => KEY_NULL,
                    (Some(word), Some((known, key))) if std::ptr::eq(word, known) => key,
                    (Some(word), _) => {
                        let key = values.number(word, |text| Box::from(text));
                        last = Some((word, key));
                        key
                    }
                };
                keys.push(key);
            }
        }
    }

    /// The key of a text; that of null for none.
    pub(super) fn key(&mut self, text: Option<&str>) -> i32 {
        match (self, text) {
            (Self::Texts { values, .. }, Some(text)) => values.number(text, |text| Box::from(text)),
            _ => KEY_NULL,
        }
    }

    /// Appends keys that [`Column::key`] gave.
    pub(super) fn keys(&mut self, before: usize, more: impl Iterator<Item = i32>) {
        if let Self::Texts { keys, .. } = self {
            keys.resize(before, KEY_NULL);
            keys.extend(more);
        }
    }

    /// The time or number of a row; the least where it has none.
    pub(super) fn long_at(&self, row: u32) -> i64 {
        match self {
            Self::Longs(values) | Self::Times(values) => {
                values.get(row as usize).copied().unwrap_or(LONG_NULL)
            }
            _ => LONG_NULL,
        }
    }

    /// By key, the place of each text among all in their order, from 1.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let Self::Texts { values, .. } = self else {
            return Vec::new();
        };
        let values = values.values();
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_unstable_by(|a, b| values[*a].cmp(&values[*b]));
        let mut ranks = vec![0; values.len()];
        for (rank, key) in (1..).zip(order) {
            ranks[key] = rank;
        }
        ranks
    }

    /// The rank of a row's text; 0 where it has none.
    pub(super) fn rank_at(&self, row: u32, ranks: &[u32]) -> u32 {
        let Self::Texts { keys, .. } = self else {
            return 0;
        };
        let key = keys.get(row as usize).copied().unwrap_or(KEY_NULL);
        usize::try_from(key).map_or(0, |key| ranks[key])
    }

    /// The cells in this order of rows; `places` are those of the addresses by key.
    pub(super) fn finish(self, order: &[u32], places: &[i32]) -> Cells {
        match self {
            Self::Ints(values) => {
                let small = |value: i32| u16::try_from(value).ok();
                Cells::Smalls(sorted(&values, order, INT_NULL).map(small).collect())
            }
            Self::Longs(values) => Cells::Longs(sorted(&values, order, LONG_NULL).collect()),
            Self::Times(values) => {
                let micros = |at: i64| {
                    if at == LONG_NULL {
                        at
                    } else {
                        at.saturating_mul(MICROS)
                    }
                };
                Cells::Longs(sorted(&values, order, LONG_NULL).map(micros).collect())
            }
            Self::Texts { keys, values, .. } => Cells::Texts {
                keys: sorted(&keys, order, KEY_NULL).collect(),
                values: values.into_values(),
            },
            Self::Addrs(keys) => {
                let place = |key: i32| {
                    let place = usize::try_from(key).ok().and_then(|key| places.get(key));
                    place.copied().unwrap_or(KEY_NULL)
                };
                Cells::Addrs(sorted(&keys, order, KEY_NULL).map(place).collect())
            }
        }
    }
}

/// Copies these rows of an array behind the `before` rows that there are; `null` stands for none.
fn copy<T: ArrowPrimitiveType, V: Copy>(
    values: &mut Vec<V>,
    (before, null): (usize, V),
    of: Option<&PrimitiveArray<T>>,
    rows: &[u32],
    convert: impl Fn(T::Native) -> V,
) {
    let Some(of) = of else { return };
    values.resize(before, null);
    let value = |row: &u32| {
        let row = *row as usize;
        if of.is_valid(row) {
            convert(of.value(row))
        } else {
            null
        }
    };
    values.extend(rows.iter().map(value));
}

/// Values in this order; rows behind the last have none.
fn sorted<'a, T: Copy + 'a>(
    values: &'a [T],
    order: &'a [u32],
    null: T,
) -> impl Iterator<Item = T> + 'a {
    order
        .iter()
        .map(move |row| values.get(*row as usize).copied().unwrap_or(null))
}

fn append_texts(
    (keys, values, last): (
        &mut Vec<i32>,
        &mut Interned<Box<str>>,
        &mut Option<Translated>,
    ),
    of: &DictionaryArray<Int32Type>,
    rows: &[u32],
) {
    let is_last = matches!(last, Some((known, _)) if Arc::ptr_eq(known, of.values()));
    if !is_last {
        *last = Some((Arc::clone(of.values()), Vec::new()));
    }
    let Some((dictionary, known)) = last else {
        return;
    };
    let Some(texts) = dictionary.as_any().downcast_ref::<StringArray>() else {
        return;
    };
    const UNKNOWN: i32 = -2;
    known.resize(texts.len(), UNKNOWN);
    let from = of.keys();
    for row in rows {
        let row = *row as usize;
        let key = if from.is_valid(row) {
            let at = usize::try_from(from.value(row)).unwrap_or_default();
            if known[at] == UNKNOWN {
                known[at] = values.number(texts.value(at), |text| Box::from(text));
            }
            known[at]
        } else {
            KEY_NULL
        };
        keys.push(key);
    }
}
