//! One column of rows on their way into a file.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Int32Type};
use arrow_array::{Array as _, ArrayRef, DictionaryArray, PrimitiveArray, StringArray};
use arrow_schema::DataType;
use outflow_record::{Addr, Field, FlowBatch, Kind};

use super::Cells;
use super::addresses::Addresses;
use super::texts::Interned;

/// Stands for null in a column of whole numbers, where no value of a flow log can be.
pub(crate) const LONG_NULL: i64 = i64::MIN;

/// Stands for null among keys and small numbers.
pub(crate) const NULL: i32 = -1;

const MICROS: i64 = 1_000_000;

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
                append_texts((keys, values, last), of, rows.numbers);
            }
            // A field always has a column of its own kind.
            _ => {}
        }
    }

    /// Appends small numbers.
    pub(super) fn ints(&mut self, before: usize, more: impl Iterator<Item = Option<i32>>) {
        if let Self::Ints(ints) = self {
            ints.resize(before, NULL);
            ints.extend(more.map(|value| value.unwrap_or(NULL)));
        }
    }

    /// Appends large numbers.
    pub(super) fn longs(&mut self, before: usize, more: impl Iterator<Item = Option<i64>>) {
        if let Self::Longs(longs) = self {
            longs.resize(before, LONG_NULL);
            longs.extend(more.map(|value| value.unwrap_or(LONG_NULL)));
        }
    }

    /// Appends addresses.
    pub(super) fn addrs(
        &mut self,
        before: usize,
        addresses: &mut Addresses,
        more: impl Iterator<Item = Option<Addr>>,
    ) {
        if let Self::Addrs(keys) = self {
            keys.resize(before, NULL);
            addresses.append(keys, more);
        }
    }

    /// Appends words of a few that repeat themselves.
    pub(super) fn words(
        &mut self,
        before: usize,
        more: impl Iterator<Item = Option<&'static str>>,
    ) {
        if let Self::Texts { keys, values, .. } = self {
            keys.resize(before, NULL);
            // Of a word's few places in the program, each is looked up once.
            let mut known: Vec<(&'static str, i32)> = Vec::new();
            keys.extend(more.map(|word| {
                let Some(word) = word else {
                    return NULL;
                };
                let is_own = |(own, _): &&(&'static str, i32)| std::ptr::eq(*own, word);
                if let Some((_, key)) = known.iter().find(is_own) {
                    return *key;
                }
                let key = values.number(word, |text| Box::from(text));
                known.push((word, key));
                key
            }));
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

    /// Appends keys that [`Column::key`] gave.
    pub(super) fn keys(&mut self, before: usize, more: impl Iterator<Item = i32>) {
        if let Self::Texts { keys, .. } = self {
            keys.resize(before, NULL);
            keys.extend(more);
        }
    }

    /// The numbers by row; none behind the last that has one.
    pub(super) fn numbers(&self) -> &[i64] {
        match self {
            Self::Longs(numbers) => numbers,
            _ => &[],
        }
    }

    /// By key, the place of each text among all in their order, from 1; and how many places there are.
    pub(super) fn ranks(&self) -> (Vec<u32>, usize) {
        let Self::Texts { values, .. } = self else {
            return (Vec::new(), 1);
        };
        let values = values.values();
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_unstable_by(|a, b| values[*a].cmp(&values[*b]));
        let mut ranks = vec![0; values.len()];
        for (rank, key) in (1..).zip(order) {
            ranks[key] = rank;
        }
        (ranks, values.len() + 1)
    }

    /// The rank of a row's text; 0 where it has none.
    pub(super) fn rank_at(&self, row: u32, ranks: &[u32]) -> u32 {
        let Self::Texts { keys, .. } = self else {
            return 0;
        };
        let key = keys.get(row as usize).copied().unwrap_or(NULL);
        usize::try_from(key).map_or(0, |key| ranks[key])
    }

    /// The keys of texts by row, and the texts by key.
    pub(super) fn texts(&self) -> (&[i32], &[Box<str>]) {
        match self {
            Self::Texts { keys, values, .. } => (keys, values.values()),
            _ => (&[], &[]),
        }
    }

    /// What is in it.
    pub(super) fn cells(&self) -> Cells<'_> {
        match self {
            Self::Texts { keys, values, .. } => Cells::Texts {
                keys,
                values: values.values(),
            },
            Self::Addrs(keys) => Cells::Addrs(keys),
            Self::Ints(numbers) => Cells::Smalls(numbers),
            Self::Longs(numbers) => Cells::Longs(numbers),
            Self::Unwanted => Cells::Smalls(&[]),
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
    if rows.are_all && of.null_count() == 0 {
        values.extend(of.values().iter().map(|value| convert(*value)));
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
    rows: &[u32],
) {
    let is_last = matches!(last, Some((known, ..)) if Arc::ptr_eq(known, of.values()));
    const UNKNOWN: i32 = -2;
    if !is_last {
        // Behind the keys of the dictionary stands that of none.
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
    let at = |row: &u32| {
        let row = *row as usize;
        let key = from.is_valid(row).then(|| from.value(row));
        key.and_then(|key| usize::try_from(key).ok())
            .unwrap_or(texts.len())
    };
    let mut rest = rows.iter().map(at);
    while *unknown > 0
        && let Some(at) = rest.next()
    {
        if known[at] == UNKNOWN {
            known[at] = values.number(texts.value(at), |text| Box::from(text));
            *unknown -= 1;
        }
    }
    keys.extend(rows.iter().map(|row| known[at(row)]));
}
