//! Text columns of the batch under way.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use hashbrown::HashTable;

use crate::BATCH_ROWS;

/// Distinct texts that one dictionary holds; the batch after that starts a new one. It is to stay within the
/// processor's caches.
const DICTIONARY_MAX: usize = 1 << 15;

/// Bytes that one dictionary holds, as for [`DICTIONARY_MAX`].
const DICTIONARY_BYTES_MAX: usize = 1 << 20;

/// Texts that are found again without their hash.
const RECENT: usize = 64;

const NULL_KEY: i32 = -1;

/// Texts one after another.
#[derive(Debug, Clone)]
pub(super) struct Strings {
    bytes: Vec<u8>,
    ends: Vec<i32>,
}

impl Strings {
    pub(super) fn new() -> Self {
        let (bytes, ends) = (Vec::new(), vec![0]);
        Self { bytes, ends }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len() - 1
    }

    #[inline]
    pub(super) fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(to_i32(self.bytes.len()));
    }

    /// Lower-cases ASCII in all texts at once.
    pub(super) fn make_ascii_lowercase(&mut self) {
        self.bytes.make_ascii_lowercase();
    }

    /// All texts; none are left.
    pub(super) fn take(&mut self) -> Self {
        let next = Self {
            bytes: Vec::with_capacity(self.bytes.len()),
            ends: Vec::with_capacity(self.ends.len()),
        };
        let taken = std::mem::replace(self, next);
        self.ends.push(0);
        taken
    }

    #[inline]
    fn get(&self, at: usize) -> Option<&[u8]> {
        let [from, to] = *self.ends.get(at..)?.first_chunk()?;
        self.bytes
            .get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
    }

    /// The texts as an Arrow array, for which they must be UTF-8.
    pub(super) fn into_array(self, nulls: Option<NullBuffer>) -> StringArray {
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        StringArray::new(ends, Buffer::from_vec(self.bytes), nulls)
    }
}

/// A position that limits keep far below where this would cut it off: see [`super::BATCH_BYTES_MAX`].
pub(super) fn to_i32(at: usize) -> i32 {
    i32::try_from(at).unwrap_or(i32::MAX)
}

/// A dictionary that lasts over batches, and the keys of the batch under way.
#[derive(Debug)]
pub(super) struct Texts {
    keys: Vec<i32>,
    /// Negative as soon as a key of the batch is [`NULL_KEY`].
    signs: i32,
    /// The key of the last row, if its text is still in the dictionary.
    last: i32,
    /// The last key of each [`place`]: a column mostly has few texts, and hardly ever changes.
    recent: [i32; RECENT],
    table: HashTable<i32>,
    values: Strings,
    array: Option<Arc<StringArray>>,
}

impl Texts {
    pub(super) fn new() -> Self {
        Self {
            keys: Vec::with_capacity(BATCH_ROWS),
            signs: 0,
            last: NULL_KEY,
            recent: [NULL_KEY; RECENT],
            table: HashTable::new(),
            values: Strings::new(),
            array: None,
        }
    }

    /// Adds a row.
    #[inline(always)]
    pub(super) fn push(&mut self, text: Option<&[u8]>) {
        let key = match text {
            Some(text) => self.key(text),
            None => NULL_KEY,
        };
        self.signs |= key;
        self.last = key;
        self.keys.push(key);
    }

    /// Adds a row of the same text as the last one has, and says whether it could.
    #[inline(always)]
    pub(super) fn repeat(&mut self) -> bool {
        let known = self.last != NULL_KEY;
        if known {
            self.keys.push(self.last);
        }
        known
    }

    #[inline(always)]
    fn key(&mut self, text: &[u8]) -> i32 {
        let place = place(text);
        let recent = self.recent[place];
        if value(&self.values, recent).is_some_and(|value| same(value, text)) {
            return recent;
        }
        let key = self.look_up(text);
        self.recent[place] = key;
        key
    }

    #[inline(never)]
    fn look_up(&mut self, text: &[u8]) -> i32 {
        let (values, hash) = (&self.values, hash(text));
        if let Some(key) = self
            .table
            .find(hash, |key| value(values, *key) == Some(text))
        {
            return *key;
        }
        let key = to_i32(values.len());
        self.values.push(text);
        self.array = None;
        let values = &self.values;
        let hasher = |key: &i32| value(values, *key).map_or(0, self::hash);
        self.table.insert_unique(hash, key, hasher);
        key
    }

    /// The rows as an Arrow array; the dictionary stays for the next batch unless it is full.
    pub(super) fn take(&mut self) -> ArrayRef {
        let next = Vec::with_capacity(self.keys.len());
        let mut keys = std::mem::replace(&mut self.keys, next);
        let nulls = (std::mem::take(&mut self.signs) < 0).then(|| {
            let valid = BooleanBuffer::collect_bool(keys.len(), |row| keys[row] >= 0);
            keys.iter_mut().for_each(|key| *key = (*key).max(0));
            NullBuffer::new(valid)
        });
        let keys: PrimitiveArray<Int32Type> = PrimitiveArray::new(ScalarBuffer::from(keys), nulls);
        let values = self
            .array
            .get_or_insert_with(|| Arc::new(self.values.clone().into_array(None)));
        let array = DictionaryArray::new(keys, Arc::clone(values) as ArrayRef);
        if self.values.len() > DICTIONARY_MAX || self.values.bytes.len() > DICTIONARY_BYTES_MAX {
            *self = Self::new();
        }
        Arc::new(array)
    }
}

#[inline(always)]
fn value(values: &Strings, key: i32) -> Option<&[u8]> {
    values.get(usize::try_from(key).ok()?)
}

/// Equality without a call for short texts.
#[inline(always)]
fn same(one: &[u8], other: &[u8]) -> bool {
    let len = one.len();
    if len != other.len() {
        return false;
    }
    match len {
        0 => true,
        1..4 => [0, len / 2, len - 1]
            .iter()
            .all(|at| one[*at] == other[*at]),
        // Two words that may overlap hold all bytes.
        4..8 => {
            one.first_chunk::<4>() == other.first_chunk()
                && one.last_chunk::<4>() == other.last_chunk()
        }
        8..=16 => {
            one.first_chunk::<8>() == other.first_chunk()
                && one.last_chunk::<8>() == other.last_chunk()
        }
        17..=32 => {
            one.first_chunk::<16>() == other.first_chunk()
                && one.last_chunk::<16>() == other.last_chunk()
        }
        _ => one == other,
    }
}

/// A number that tells most texts of a column apart, by their length and their ends.
#[inline(always)]
fn place(text: &[u8]) -> usize {
    let ends = match text {
        [first, .., before, last] => {
            usize::from(*first) + 5 * usize::from(*before) + 31 * usize::from(*last)
        }
        _ => text.iter().map(|byte| usize::from(*byte)).sum(),
    };
    (ends + 17 * text.len()) % RECENT
}

/// A hash without a seed: whoever chooses the texts can make it slow, within the limits of a dictionary.
fn hash(text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mix = |sum: u64, word: &[u8; 8]| {
        let mixed = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 32)
    };
    let sum = words.iter().fold(text.len() as u64, mix);
    mix(sum, &last).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
}
