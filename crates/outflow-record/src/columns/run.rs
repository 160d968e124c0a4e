//! Adjacent columns that repeat themselves, read as one: a flow log says the same of an interface in every line.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, PrimitiveArray, StringArray, UInt8Array};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::Values;
use super::interner::{FREE, Interner};
use crate::batch::{CombinationList, Combined};
use crate::naive::{Value, read_value};
use crate::{BATCH_ROWS, Field, Kind};

/// Combinations, or texts of one column, that a run keeps; the batch after that starts anew. Columns such as
/// `ecs-task-id` grow without end, and what is looked up is to stay within the processor's caches.
const DICTIONARY_MAX: usize = 1 << 15;

/// Bytes of combinations that a run keeps, likewise.
const DICTIONARY_BYTES_MAX: usize = 4 << 20;

/// Rows that must share a combination on average; a run of columns that vary independently is read column by
/// column instead.
const ROWS_PER_COMBINATION_MIN: u64 = 4;

/// Rows that are looked up at a time.
const STEP_ROWS: usize = 32;

const NULL_KEY: i32 = -1;

/// Columns that stand beside each other, and the combinations of their values that were met.
///
/// A row is looked up once, by all its bytes from the first column to the last. Only a combination that is new
/// is taken apart, checked, and looked up column by column.
#[derive(Debug)]
pub(crate) struct Run {
    combinations: Interner,
    columns: Vec<Column>,
    /// The combination of each row of the batch under way.
    ids: Values<u32>,
    list: CombinationList,
    fields: Arc<[Field]>,
    /// Rows read since the combinations started anew.
    rows: u64,
}

/// One column of a run.
#[derive(Debug)]
struct Column {
    field: Field,
    /// The value of each combination: a key of the dictionary, a number, or [`NULL_KEY`].
    keys: Vec<i32>,
    nullable: bool,
    /// Whether all combinations have the same value.
    uniform: bool,
    texts: Interner,
    dictionary: Option<Arc<StringArray>>,
    /// A full batch of the only value, made once and handed out with every batch.
    repeated: Option<ArrayRef>,
    /// The keys of the batch before, whose memory serves again once nobody has that batch.
    before: Option<Buffer>,
}

/// Whether a field is read as part of a run: it has few values, whatever the traffic.
pub(crate) fn repeats(field: Field) -> bool {
    match field.kind() {
        Kind::Text | Kind::Tag => true,
        Kind::U8 => field != Field::Protocol,
        Kind::U16 | Kind::U64 | Kind::Time | Kind::Addr => false,
    }
}

/// Whether two neighbours stand in one run.
pub(crate) fn joins(before: Field, field: Field) -> bool {
    let both_repeat = repeats(before) && repeats(field);
    // What a tag decodes to may hold spaces, so its combination could not be taken apart.
    let apart = [before, field].map(Field::kind).contains(&Kind::Tag);
    // What tells interfaces apart, with all that their traffic may be, would make many more combinations than either.
    both_repeat && !apart && few_values(before) == few_values(field)
}

/// Whether a field has few values, however many interfaces there are.
fn few_values(field: Field) -> bool {
    use Field::{
        Action, AzId, EncryptionStatus, FlowDirection, InterfaceType, LogStatus, NextHopAzId,
        NextHopInterfaceType, PktDstAwsService, PktSrcAwsService, Region, RejectReason,
        SublocationId, SublocationType, TcpFlags, TrafficPath, Type,
    };
    matches!(
        field,
        Action
            | AzId
            | EncryptionStatus
            | FlowDirection
            | InterfaceType
            | LogStatus
            | NextHopAzId
            | NextHopInterfaceType
            | PktDstAwsService
            | PktSrcAwsService
            | Region
            | RejectReason
            | SublocationId
            | SublocationType
            | TcpFlags
            | TrafficPath
            | Type
    )
}

impl Run {
    pub(crate) fn new(fields: Vec<Field>) -> Self {
        let mut ids = Values::new();
        ids.begin();
        Self {
            combinations: Interner::new(),
            fields: fields.as_slice().into(),
            columns: fields.into_iter().map(Column::new).collect(),
            ids,
            list: CombinationList::default(),
            rows: 0,
        }
    }

    /// Columns in the run.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Reads what lies between two positions of `buf` into each row from `first` on, up to the first that is out of
    /// the ordinary; how many.
    #[inline(always)]
    pub(crate) fn read_rows(
        &mut self,
        first: usize,
        rows: usize,
        buf: &[u8],
        span: impl Fn(usize) -> (usize, usize),
    ) -> usize {
        // In steps of their own, so that the table is loaded for many rows at once: it lies in the second-level cache.
        let mut spans = [(0, 0); STEP_ROWS];
        let mut slots = [FREE; STEP_ROWS];
        let mut row = 0;
        while row < rows {
            let step = STEP_ROWS.min(rows - row);
            for at in 0..step {
                spans[at] = span(row + at);
                let (from, to) = spans[at];
                slots[at] = self.combinations.likely(buf, from, to);
            }
            for at in 0..step {
                let (from, to) = spans[at];
                let id = if self.combinations.holds(slots[at], buf, from, to) {
                    slots[at].id
                } else {
                    match self.look_up(buf, from, to) {
                        Some(id) => id,
                        None => return row + at,
                    }
                };
                self.ids.set(first + row + at, id);
            }
            row += step;
        }
        rows
    }

    /// The combination at a place, wherever it is in the table; a new one is read.
    #[inline(never)]
    fn look_up(&mut self, buf: &[u8], from: usize, to: usize) -> Option<u32> {
        let found = self.combinations.find(buf, from, to);
        found.or_else(|| self.read(&buf[from..to]))
    }

    /// The combination that tokens parted by single spaces make; `None` if one is empty, no UTF-8, holds
    /// controls, or is no value of its column.
    #[cold]
    fn read(&mut self, tokens: &[u8]) -> Option<u32> {
        let mut values = Vec::with_capacity(self.columns.len());
        for token in tokens.split(|byte| *byte == b' ') {
            let column = self.columns.get(values.len())?;
            values.push(read_value(column.field, plain_text(token)?)?);
        }
        (values.len() == self.columns.len()).then(|| self.add(tokens, &values))
    }

    /// Sets a row to values, one for each column.
    pub(crate) fn set(&mut self, row: usize, values: &[Value<'_>]) {
        let mut spelt = String::new();
        for value in values {
            match value {
                Value::Number(number) => spelt.push_str(&number.to_string()),
                // Alone in its run, so that the mark sets `-` and what is empty apart from what is absent.
                Value::Text(text) if self.columns[0].field.kind() == Kind::Tag => {
                    spelt.push('=');
                    spelt.push_str(text);
                }
                Value::Text(text) => spelt.push_str(text),
                Value::Null | Value::Time(_) | Value::Addr(_) => spelt.push('-'),
            }
            spelt.push(' ');
        }
        let spelt = &spelt.as_bytes()[..spelt.len().saturating_sub(1)];
        let id = self.add(spelt, values);
        self.ids.set(row, id);
    }

    fn add(&mut self, spelt: &[u8], values: &[Value<'_>]) -> u32 {
        let known = self.combinations.len();
        let id = self.combinations.intern(spelt);
        if self.combinations.len() > known {
            for (column, value) in self.columns.iter_mut().zip(values) {
                column.add(value);
            }
        }
        id
    }

    /// Makes room for a batch.
    pub(crate) fn begin(&mut self) {
        self.ids.begin();
    }

    /// The first `rows` rows as an array for each column, and their combinations.
    pub(crate) fn take(&mut self, rows: usize) -> (Vec<ArrayRef>, Combined) {
        self.rows += rows as u64;
        let (numbers, _) = self.ids.take(rows);
        let columns = self.columns.iter_mut();
        let arrays = columns.map(|column| column.take(&numbers)).collect();
        let combined = Combined {
            fields: Arc::clone(&self.fields),
            list: self.list.clone(),
            numbers,
        };
        (arrays, combined)
    }

    /// How many combinations are known, or texts of a column, if these are more.
    pub(crate) fn known(&self) -> usize {
        let texts = self.columns.iter().map(|column| column.texts.len());
        texts.chain([self.combinations.len()]).max().unwrap_or(0)
    }

    /// Forgets the combinations if there are too many. Where rows hardly shared any, a run for each column takes
    /// the place of this one.
    pub(crate) fn renew(self) -> Vec<Self> {
        let full =
            self.known() > DICTIONARY_MAX || self.combinations.text_bytes() > DICTIONARY_BYTES_MAX;
        if !full {
            return vec![self];
        }
        let fields = self.fields;
        let shared = self.rows / ROWS_PER_COMBINATION_MIN >= self.combinations.len() as u64;
        let width = if shared { fields.len() } else { 1 };
        fields
            .chunks(width)
            .map(|fields| Self::new(fields.to_vec()))
            .collect()
    }
}

impl Column {
    fn new(field: Field) -> Self {
        Self {
            field,
            keys: Vec::new(),
            nullable: false,
            uniform: true,
            texts: Interner::new(),
            dictionary: None,
            repeated: None,
            before: None,
        }
    }

    /// Adds the value of the next combination.
    fn add(&mut self, value: &Value<'_>) {
        let key = match value {
            Value::Text(text) => {
                let known = self.texts.len();
                let key = self.texts.intern(text.as_bytes());
                if self.texts.len() > known {
                    self.dictionary = None;
                }
                i32::try_from(key).unwrap_or(i32::MAX)
            }
            Value::Number(number) => i32::try_from(*number).unwrap_or(i32::MAX),
            Value::Null | Value::Time(_) | Value::Addr(_) => NULL_KEY,
        };
        self.nullable |= key == NULL_KEY;
        self.uniform &= self.keys.first().is_none_or(|first| *first == key);
        self.keys.push(key);
    }

    fn take(&mut self, ids: &[u32]) -> ArrayRef {
        if let (true, Some(only)) = (self.uniform, self.keys.first().copied()) {
            let repeated = match self.repeated.take() {
                Some(repeated) => repeated,
                None => self.array(vec![only; BATCH_ROWS]),
            };
            return self.repeated.insert(repeated).slice(0, ids.len());
        }
        let before = self.before.take().and_then(|before| before.into_vec().ok());
        let mut keys: Vec<i32> = before.unwrap_or_default();
        keys.clear();
        keys.extend(ids.iter().map(|id| self.keys[*id as usize]));
        self.array(keys)
    }

    /// The values that keys stand for.
    fn array(&mut self, mut keys: Vec<i32>) -> ArrayRef {
        let nulls = self.nullable.then(|| {
            let valid = BooleanBuffer::collect_bool(keys.len(), |row| keys[row] >= 0);
            NullBuffer::new(valid)
        });
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        if self.field.kind() == Kind::U8 {
            let number = |key: &i32| u8::try_from((*key).max(0)).unwrap_or(u8::MAX);
            let numbers: Vec<u8> = keys.iter().map(number).collect();
            return Arc::new(UInt8Array::new(ScalarBuffer::from(numbers), nulls));
        }
        if nulls.is_some() {
            keys.iter_mut().for_each(|key| *key = (*key).max(0));
        }
        let keys = ScalarBuffer::from(keys);
        self.before = Some(keys.inner().clone());
        let keys: PrimitiveArray<Int32Type> = PrimitiveArray::new(keys, nulls);
        let texts = &self.texts;
        let dictionary = self
            .dictionary
            .get_or_insert_with(|| Arc::new(strings(texts)));
        Arc::new(DictionaryArray::new(
            keys,
            Arc::clone(dictionary) as ArrayRef,
        ))
    }
}

/// The texts of an interner, by their numbers.
pub(crate) fn strings(texts: &Interner) -> StringArray {
    let lengths = texts.texts().map(<[u8]>::len);
    let mut bytes: Vec<u8> = Vec::with_capacity(texts.text_bytes());
    texts.texts().for_each(|text| bytes.extend_from_slice(text));
    StringArray::new(
        OffsetBuffer::from_lengths(lengths),
        Buffer::from_vec(bytes),
        None,
    )
}

/// A token's text, unless it is empty, no UTF-8, or holds controls: some of those part tokens like a space.
fn plain_text(token: &[u8]) -> Option<&str> {
    let plain = !token.is_empty() && !token.iter().any(u8::is_ascii_control);
    std::str::from_utf8(token).ok().filter(|_| plain)
}

#[cfg(test)]
mod tests;
