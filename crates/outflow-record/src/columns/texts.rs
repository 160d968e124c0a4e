//! Text columns as dictionaries: a flow log repeats its interfaces, actions and services in every line.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use crate::{BATCH_ROWS, swar};

/// Distinct texts that one dictionary holds; the batch after that starts a new one. Columns such as
/// `ecs-task-id` grow without end, and a dictionary is to stay within the processor's caches.
const DICTIONARY_MAX: usize = 1 << 15;

/// Words of a short text. AWS's ids (`subnet-` and 17 digits) fit in three; longer texts take the slow way.
const WORDS: usize = 3;

/// Repetitions in a row that make it worth looking for more.
const STEADY_ROWS_MIN: usize = 4;

/// Rows to read one by one after fewer.
const DOUBTED_ROWS: usize = 32;

const EMPTY: i32 = i32::MIN;
const NULL_KEY: i32 = -1;

/// A dictionary that lasts over batches, and the keys of the batch under way.
#[derive(Debug)]
pub(crate) struct Texts {
    keys: Vec<i32>,
    /// Negative as soon as a key of the batch is [`NULL_KEY`].
    signs: i32,
    /// Slot and length of the text before, for columns that hardly ever change; no length if it has no slot.
    last: usize,
    last_len: usize,
    table: Vec<Slot>,
    long: Vec<(u64, i32)>,
    bytes: Vec<u8>,
    ends: Vec<i32>,
    values: Option<Arc<StringArray>>,
}

/// A short text, padded with zeros, and its key. Zero bytes are in no text that comes here.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Slot {
    words: [u64; WORDS],
    key: i32,
}

const FREE: Slot = Slot {
    words: [0; WORDS],
    key: EMPTY,
};

impl Texts {
    pub(crate) fn new() -> Self {
        Self {
            keys: vec![0; BATCH_ROWS],
            signs: 0,
            last: 0,
            last_len: 0,
            table: vec![FREE; 16],
            long: Vec::new(),
            bytes: Vec::new(),
            ends: vec![0],
            values: None,
        }
    }

    /// Reads tokens into rows from `first` on, up to the first that is empty, no UTF-8, or holds controls; how many.
    #[inline(always)]
    pub(crate) fn read_rows(
        &mut self,
        first: usize,
        rows: usize,
        buf: &[u8],
        token: impl Fn(usize) -> (usize, usize),
    ) -> usize {
        let mut row = 0;
        while row < rows {
            let same = self.repeats(buf, rows - row, |ahead| token(row + ahead));
            if same > 0 {
                let key = self.table[self.last].key;
                self.signs |= key;
                self.keys[first + row..first + row + same].fill(key);
                row += same;
            }
            // Each text is looked up without a look at the one before: where a column changes now and then, that
            // would be a guess, and a wrong one costs more than it saves.
            let singles = if same < STEADY_ROWS_MIN {
                DOUBTED_ROWS
            } else {
                1
            };
            for _ in 0..singles.min(rows - row) {
                let (from, to) = token(row);
                if !self.read(first + row, buf, from, to) {
                    return row;
                }
                row += 1;
            }
        }
        row
    }

    /// Reads the token between two positions into a row.
    #[inline(always)]
    fn read(&mut self, row: usize, buf: &[u8], from: usize, to: usize) -> bool {
        if from == to {
            return false;
        }
        let Some(words) = words(buf, from, to - from) else {
            self.last_len = 0;
            return self.read_long(row, &buf[from..to]);
        };
        let mut at = self.find(words);
        if self.table[at].key == EMPTY {
            match self.add(words, &buf[from..to]) {
                Some(added) => at = added,
                None => return false,
            }
        }
        (self.last, self.last_len) = (at, to - from);
        self.set_key(row, self.table[at].key);
        true
    }

    /// How many of the next `rows` tokens repeat the text before.
    #[inline(always)]
    fn repeats(&self, buf: &[u8], rows: usize, token: impl Fn(usize) -> (usize, usize)) -> usize {
        let (len, [a, b, c]) = (self.last_len, self.table[self.last].words);
        let equal = |from: usize| match len {
            1..=8 => swar::load(buf, from).is_some_and(|word| (word ^ a) << (64 - 8 * len) == 0),
            9..16 => {
                let tail = swar::load(buf, from + len - 8).map(|word| word >> (128 - 8 * len));
                swar::load(buf, from) == Some(a) && tail == Some(b)
            }
            _ => words(buf, from, len).is_some_and(|words| same(words, [a, b, c])),
        };
        let other = |row: &usize| {
            let (from, to) = token(*row);
            to - from != len || !equal(from)
        };
        if len == 0 {
            return 0;
        }
        (0..rows).find(other).unwrap_or(rows)
    }

    /// A text of more than three words, or exactly three.
    #[cold]
    fn read_long(&mut self, row: usize, token: &[u8]) -> bool {
        match plain_text(token) {
            Some(text) => self.set(row, text),
            None => return false,
        }
        true
    }

    /// Sets a row to a text.
    pub(crate) fn set(&mut self, row: usize, text: &str) {
        let bytes = text.as_bytes();
        // Zero bytes would read like the padding of a shorter text.
        let key = if bytes.len() < 8 * WORDS && !bytes.contains(&0) {
            let mut padded = [0u8; 8 * WORDS];
            padded[..bytes.len()].copy_from_slice(bytes);
            let (chunks, _) = padded.as_chunks::<8>();
            let words = std::array::from_fn(|place| u64::from_le_bytes(chunks[place]));
            match self.table[self.find(words)].key {
                EMPTY => {
                    let key = self.add_value(text);
                    self.place(words, key);
                    key
                }
                key => key,
            }
        } else {
            self.long_key(bytes)
        };
        self.set_key(row, key);
    }

    /// Sets a row to null.
    pub(crate) fn set_null(&mut self, row: usize) {
        self.set_key(row, NULL_KEY);
    }

    #[inline(always)]
    fn set_key(&mut self, row: usize, key: i32) {
        self.signs |= key;
        self.keys[row] = key;
    }

    /// The slot of these words, or the free one where they belong.
    #[inline(always)]
    fn find(&self, words: [u64; WORDS]) -> usize {
        let mask = self.table.len() - 1;
        let mut at = hash(words) & mask;
        loop {
            let slot = &self.table[at & mask];
            // A free slot has no words; no text has none.
            if same(slot.words, words) || slot.key == EMPTY {
                return at & mask;
            }
            at += 1;
        }
    }

    /// The slot of a new text.
    #[cold]
    fn add(&mut self, words: [u64; WORDS], token: &[u8]) -> Option<usize> {
        if token == b"-" {
            return Some(self.place(words, NULL_KEY));
        }
        let key = self.add_value(plain_text(token)?);
        Some(self.place(words, key))
    }

    /// The slot of words that have none yet.
    fn place(&mut self, words: [u64; WORDS], key: i32) -> usize {
        if self.ends.len() * 2 > self.table.len() {
            let old = std::mem::take(&mut self.table);
            self.table = vec![FREE; old.len() * 2];
            for slot in old.into_iter().filter(|slot| slot.key != EMPTY) {
                let at = self.find(slot.words);
                self.table[at] = slot;
            }
            // The text before has another slot now.
            self.last_len = 0;
        }
        let at = self.find(words);
        self.table[at] = Slot { words, key };
        at
    }

    fn add_value(&mut self, text: &str) -> i32 {
        let key = self.ends.len() - 1;
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends
            .push(i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
        self.values = None;
        i32::try_from(key).unwrap_or(i32::MAX)
    }

    /// The key of a long text, kept in order of a hash of its bytes.
    fn long_key(&mut self, text: &[u8]) -> i32 {
        let hash = text.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let from = self.long.partition_point(|entry| entry.0 < hash);
        let same = self.long[from..].iter().take_while(|entry| entry.0 == hash);
        for (_, key) in same {
            if self.value(*key) == text {
                return *key;
            }
        }
        let key = self.add_value(std::str::from_utf8(text).unwrap_or(""));
        self.long.insert(from, (hash, key));
        key
    }

    fn value(&self, key: i32) -> &[u8] {
        let bound = |at: usize| usize::try_from(self.ends[at]).unwrap_or(0);
        let key = usize::try_from(key).unwrap_or(0);
        &self.bytes[bound(key)..bound(key + 1)]
    }

    /// The first `rows` rows as a dictionary array; the dictionary stays for the next batch unless it is full.
    pub(crate) fn take(&mut self, rows: usize) -> ArrayRef {
        let mut keys = std::mem::replace(&mut self.keys, vec![0; BATCH_ROWS]);
        keys.truncate(rows);
        let nulls = (std::mem::take(&mut self.signs) < 0).then(|| {
            let valid = BooleanBuffer::collect_bool(rows, |row| keys[row] >= 0);
            keys.iter_mut().for_each(|key| *key = (*key).max(0));
            NullBuffer::new(valid)
        });
        let values = Arc::clone(self.values.get_or_insert_with(|| {
            let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends.clone()));
            Arc::new(StringArray::new(
                ends,
                Buffer::from_vec(self.bytes.clone()),
                None,
            ))
        }));
        if self.ends.len() > DICTIONARY_MAX {
            *self = Self::new();
        }
        let keys: PrimitiveArray<Int32Type> = PrimitiveArray::new(ScalarBuffer::from(keys), nulls);
        Arc::new(DictionaryArray::new(keys, values))
    }
}

/// A token's text, unless it is no UTF-8 or holds controls: some of those part tokens like a space.
fn plain_text(token: &[u8]) -> Option<&str> {
    let plain = !token.iter().any(u8::is_ascii_control);
    std::str::from_utf8(token).ok().filter(|_| plain)
}

/// A token of less than three words, padded with zeros; `None` if it is longer.
#[inline(always)]
fn words(buf: &[u8], from: usize, len: usize) -> Option<[u64; WORDS]> {
    let kept = |bytes: usize| (1 << (8 * bytes)) - 1;
    match len {
        0..8 => Some([swar::load(buf, from)? & kept(len), 0, 0]),
        8..16 => Some([
            swar::load(buf, from)?,
            swar::load(buf, from + 8)? & kept(len - 8),
            0,
        ]),
        16..24 => Some([
            swar::load(buf, from)?,
            swar::load(buf, from + 8)?,
            swar::load(buf, from + 16)? & kept(len - 16),
        ]),
        _ => None,
    }
}

/// Equality word by word: that of arrays goes through memory, and waits for it.
#[inline(always)]
fn same(one: [u64; WORDS], other: [u64; WORDS]) -> bool {
    (one[0] ^ other[0]) | (one[1] ^ other[1]) | (one[2] ^ other[2]) == 0
}

#[inline(always)]
fn hash(words: [u64; WORDS]) -> usize {
    let mixed = words[0].wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ words[1].wrapping_mul(0xc2b2_ae3d_27d4_eb4f).rotate_left(23)
        ^ words[2].wrapping_mul(0x1656_67b1_9e37_79f9).rotate_left(41);
    ((mixed ^ (mixed >> 29)) >> 17) as usize
}
