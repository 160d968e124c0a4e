//! The column of one field, made of a column of whatever type.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, DictionaryArray, FixedSizeBinaryArray, PrimitiveArray,
    StringArray, StringViewArray, TimestampSecondArray, UInt8Array, UInt16Array, UInt64Array,
    new_null_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow_data::{ByteView, MAX_INLINE_VIEW_LEN};
use arrow_schema::DataType;

use super::cell::{Whole, read_text, spell_number};
use crate::batch::data_type;
use crate::columns::{Interner, strings};
use crate::naive::{COUNT_MAX, TIME_MAX, Value};
use crate::{Field, Kind, swar};

/// Texts that the dictionary of a column keeps; the batch after that starts a new one. It is to stay within the
/// processor's caches.
const DICTIONARY_MAX: usize = 1 << 15;

/// Bytes that it keeps, likewise.
const DICTIONARY_BYTES_MAX: usize = 4 << 20;

/// Makes the column of a field, batch by batch.
#[derive(Debug)]
pub(super) struct Column {
    field: Field,
    tables: Tables,
    texts: Texts,
}

/// The rows of a batch that have no value of their field, ascending.
pub(super) type Bad = Vec<u32>;

impl Column {
    pub(super) fn new(field: Field) -> Self {
        Self {
            field,
            tables: Tables::None,
            texts: Texts::new(),
        }
    }

    pub(super) fn field(&self) -> Field {
        self.field
    }

    /// The column; `None` if its source is of a type that no field is stored as. What is bad is null.
    pub(super) fn make(&mut self, source: &dyn Array, bad: &mut Bad) -> Option<ArrayRef> {
        let field = self.field;
        if *source.data_type() == DataType::Null {
            return Some(new_null_array(&data_type(field.kind()), source.len()));
        }
        Some(match field.kind() {
            Kind::U8 => {
                let (values, nulls) = self.numbers(source, Tables::u8s, bad)?;
                Arc::new(UInt8Array::new(ScalarBuffer::from(values), nulls))
            }
            Kind::U16 => {
                let (values, nulls) = self.numbers(source, Tables::u16s, bad)?;
                Arc::new(UInt16Array::new(ScalarBuffer::from(values), nulls))
            }
            Kind::U64 => {
                let (values, nulls) = self.numbers(source, Tables::u64s, bad)?;
                Arc::new(UInt64Array::new(ScalarBuffer::from(values), nulls))
            }
            Kind::Time => {
                let (values, nulls) = self.numbers(source, Tables::times, bad)?;
                let array = TimestampSecondArray::new(ScalarBuffer::from(values), nulls);
                Arc::new(array.with_timezone("UTC"))
            }
            Kind::Addr => {
                let read = |text: &str| match read_text(field, text) {
                    Some(Value::Addr(addr)) => Cell::Value(addr.bytes()),
                    Some(_) => Cell::Null,
                    None => Cell::Bad,
                };
                let (values, nulls) = match source.as_string_view_opt() {
                    Some(source) => addrs(source, read, bad),
                    None => texts(source, self.tables.addrs(), read, bad)?,
                };
                let bytes = Buffer::from_vec(values.into_flattened());
                Arc::new(FixedSizeBinaryArray::new(16, bytes, nulls))
            }
            Kind::Text | Kind::Tag => self.keys(source, bad)?,
        })
    }

    fn numbers<T: Number>(
        &mut self,
        source: &dyn Array,
        table: fn(&mut Tables) -> &mut Table<T>,
        bad: &mut Bad,
    ) -> Option<Made<T>> {
        if is_text(source.data_type()) {
            let field = self.field;
            let read = |text: &str| match read_text(field, text) {
                Some(Value::Number(number)) => T::of(number).map_or(Cell::Bad, Cell::Value),
                Some(Value::Time(time)) => u64::try_from(time.secs())
                    .ok()
                    .and_then(T::of)
                    .map_or(Cell::Bad, Cell::Value),
                Some(_) => Cell::Null,
                None => Cell::Bad,
            };
            return texts(source, table(&mut self.tables), read, bad);
        }
        each_number(source, Narrow, bad)
    }

    fn keys(&mut self, source: &dyn Array, bad: &mut Bad) -> Option<ArrayRef> {
        let (field, own) = (self.field, &mut self.texts);
        if own.renew() {
            self.tables = Tables::None;
        }
        let (keys, nulls) = if is_text(source.data_type()) {
            let read = |text: &str| match read_text(field, text) {
                Some(Value::Text(text)) => Cell::Value(own.key(&text)),
                Some(_) => Cell::Null,
                None => Cell::Bad,
            };
            texts(source, self.tables.keys(), read, bad)?
        } else {
            each_number(
                source,
                Spell {
                    field,
                    own,
                    last: None,
                },
                bad,
            )?
        };
        let keys = PrimitiveArray::<Int32Type>::new(ScalarBuffer::from(keys), nulls);
        Some(Arc::new(DictionaryArray::new(keys, own.array())))
    }
}

/// Values of a column, null where the source has none or a bad one. Nulls hold zero.
type Made<T> = (Vec<T>, Option<NullBuffer>);

enum Cell<T> {
    Value(T),
    Null,
    Bad,
}

/// What the values of a dictionary stand for, each read once, however many batches share it.
#[derive(Debug)]
struct Table<T> {
    /// The dictionary: as long as it is held, no other one has its place in memory.
    of: Option<StringArray>,
    values: Vec<T>,
    valid: Vec<bool>,
    bad: Vec<bool>,
    all_valid: bool,
    any_bad: bool,
}

/// The table of a column, of the one type that its field has.
#[derive(Debug)]
enum Tables {
    None,
    U8(Table<u8>),
    U16(Table<u16>),
    U64(Table<u64>),
    Time(Table<i64>),
    Addr(Table<[u8; 16]>),
    Keys(Table<i32>),
}

macro_rules! table_of {
    ($($name:ident $variant:ident $type:ty;)+) => {
        impl Tables {
            $(fn $name(&mut self) -> &mut Table<$type> {
                if !matches!(self, Self::$variant(_)) {
                    *self = Self::$variant(Table::new());
                }
                match self {
                    Self::$variant(table) => table,
                    _ => unreachable!("it was made so above"),
                }
            })+
        }
    };
}

table_of! {
    u8s U8 u8;
    u16s U16 u16;
    u64s U64 u64;
    times Time i64;
    addrs Addr [u8; 16];
    keys Keys i32;
}

impl<T: Copy + Default> Table<T> {
    fn new() -> Self {
        Self {
            of: None,
            values: Vec::new(),
            valid: Vec::new(),
            bad: Vec::new(),
            all_valid: true,
            any_bad: false,
        }
    }

    fn is_of(&self, dictionary: &StringArray) -> bool {
        let place = |own: &StringArray| {
            let (offsets, bytes) = (own.value_offsets(), own.value_data());
            (offsets.as_ptr(), offsets.len(), bytes.as_ptr())
        };
        self.of.as_ref().is_some_and(|own| {
            place(own) == place(dictionary) && own.null_count() == dictionary.null_count()
        })
    }

    fn read(&mut self, dictionary: &StringArray, mut read: impl FnMut(&str) -> Cell<T>) {
        *self = Self::new();
        for text in dictionary {
            let cell = text.map_or(Cell::Null, &mut read);
            let (value, valid, bad) = match cell {
                Cell::Value(value) => (value, true, false),
                Cell::Null => (T::default(), false, false),
                Cell::Bad => (T::default(), false, true),
            };
            self.values.push(value);
            self.valid.push(valid);
            self.bad.push(bad);
            self.all_valid &= valid;
            self.any_bad |= bad;
        }
        self.of = Some(dictionary.clone());
    }

    fn look_up(&self, source: &DictionaryArray<Int32Type>, bad: &mut Bad) -> Made<T> {
        let keys = source.keys().values();
        let at = |key: i32| usize::try_from(key).unwrap_or(usize::MAX);
        let value = |key: &i32| self.values.get(at(*key)).copied().unwrap_or_default();
        let mut values: Vec<T> = keys.iter().map(value).collect();
        let mut nulls = source
            .keys()
            .nulls()
            .filter(|own| own.null_count() > 0)
            .cloned();
        if let Some(nulls) = &nulls {
            for (row, value) in values.iter_mut().enumerate() {
                if nulls.is_null(row) {
                    *value = T::default();
                }
            }
        }
        if !self.all_valid {
            let valid = |row: usize| self.valid.get(at(keys[row])) == Some(&true);
            let own = NullBuffer::new(BooleanBuffer::collect_bool(keys.len(), valid));
            let absent = nulls;
            nulls = NullBuffer::union(absent.as_ref(), Some(&own));
            if self.any_bad {
                let is_bad = |row: &usize| {
                    self.bad.get(at(keys[*row])) == Some(&true)
                        && absent.as_ref().is_none_or(|absent| absent.is_valid(*row))
                };
                bad.extend((0..keys.len()).filter(is_bad).map(number));
            }
        }
        (values, nulls)
    }
}

fn is_text(source: &DataType) -> bool {
    use DataType::{Dictionary, Utf8, Utf8View};
    matches!(source, Utf8 | Utf8View | Dictionary(_, _))
}

fn number(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}

/// Reads texts, those of a dictionary once each.
fn texts<T: Copy + Default>(
    source: &dyn Array,
    table: &mut Table<T>,
    mut read: impl FnMut(&str) -> Cell<T>,
    bad: &mut Bad,
) -> Option<Made<T>> {
    if let Some(source) = source.as_dictionary_opt::<Int32Type>() {
        let dictionary = source.values().as_string_opt::<i32>()?;
        if !table.is_of(dictionary) {
            table.read(dictionary, read);
        }
        return Some(table.look_up(source, bad));
    }
    let mut made = Rows::of(source.len());
    let mut push = |(row, text): (usize, Option<&str>)| {
        made.push(row, text.map_or(Cell::Null, &mut read), bad);
    };
    match source.as_string_view_opt() {
        Some(source) => source.iter().enumerate().for_each(&mut push),
        None => source
            .as_string_opt::<i32>()?
            .iter()
            .enumerate()
            .for_each(push),
    }
    Some(made.finish())
}

/// Reads addresses that no dictionary holds, from where they are stored: nearly all are IPv4.
fn addrs(
    source: &StringViewArray,
    mut read: impl FnMut(&str) -> Cell<[u8; 16]>,
    bad: &mut Bad,
) -> Made<[u8; 16]> {
    let (views, buffers) = (source.views(), source.data_buffers());
    let inline = views.inner().as_slice();
    let mut made = Rows::of(source.len());
    for (row, view) in views.iter().enumerate() {
        let own = ByteView::from(*view);
        let (length, offset) = (own.length as usize, own.offset as usize);
        let (buffer, from) = if own.length <= MAX_INLINE_VIEW_LEN {
            // The text stands in the view itself, behind its length.
            (Some(inline), row * size_of::<u128>() + size_of::<u32>())
        } else {
            let buffer = buffers.get(own.buffer_index as usize);
            (buffer.map(|buffer| buffer.as_slice()), offset)
        };
        let ipv4 = buffer.and_then(|buffer| swar::ipv4(buffer, from, from + length));
        let cell = match ipv4 {
            _ if source.is_null(row) => Cell::Null,
            Some(addr) => Cell::Value(addr.bytes()),
            None => read(source.value(row)),
        };
        made.push(row, cell, bad);
    }
    made.finish()
}

/// Values that come one by one.
struct Rows<T> {
    values: Vec<T>,
    nulls: Vec<usize>,
}

impl<T: Copy + Default> Rows<T> {
    fn of(rows: usize) -> Self {
        Self {
            values: Vec::with_capacity(rows),
            nulls: Vec::new(),
        }
    }

    #[inline(always)]
    fn push(&mut self, row: usize, cell: Cell<T>, bad: &mut Bad) {
        let value = match cell {
            Cell::Value(value) => Some(value),
            Cell::Null => None,
            Cell::Bad => {
                bad.push(number(row));
                None
            }
        };
        if value.is_none() {
            self.nulls.push(row);
        }
        self.values.push(value.unwrap_or_default());
    }

    fn finish(self) -> Made<T> {
        if self.nulls.is_empty() {
            return (self.values, None);
        }
        let mut valid = vec![true; self.values.len()];
        for row in self.nulls {
            valid[row] = false;
        }
        (self.values, Some(NullBuffer::from(valid)))
    }
}

/// A number of a column of ours.
trait Number: Copy + Default {
    fn of(number: u64) -> Option<Self>;
}

impl Number for u8 {
    #[inline(always)]
    fn of(number: u64) -> Option<Self> {
        Self::try_from(number).ok()
    }
}

impl Number for u16 {
    #[inline(always)]
    fn of(number: u64) -> Option<Self> {
        Self::try_from(number).ok()
    }
}

impl Number for u64 {
    #[inline(always)]
    fn of(number: u64) -> Option<Self> {
        Some(number).filter(|number| *number <= COUNT_MAX)
    }
}

/// Unix seconds.
impl Number for i64 {
    #[inline(always)]
    fn of(number: u64) -> Option<Self> {
        let number = Some(number).filter(|number| *number <= TIME_MAX);
        number.and_then(|number| Self::try_from(number).ok())
    }
}

/// What a number becomes.
trait Reading<T> {
    fn read<N: Whole>(&mut self, number: N) -> Option<T>;
}

/// The same number in the type of our column.
struct Narrow;

impl<T: Number> Reading<T> for Narrow {
    #[inline(always)]
    fn read<N: Whole>(&mut self, number: N) -> Option<T> {
        number.whole().and_then(T::of)
    }
}

/// The key of the number's spelling: an account is stored as one now and then.
struct Spell<'a> {
    field: Field,
    own: &'a mut Texts,
    last: Option<(u64, i32)>,
}

impl Reading<i32> for Spell<'_> {
    #[inline]
    fn read<N: Whole>(&mut self, number: N) -> Option<i32> {
        let whole = number.whole();
        match self.last {
            Some((last, key)) if whole == Some(last) => return Some(key),
            _ => {}
        }
        let spelt = spell_number(self.field, number);
        read_text(self.field, &spelt)?;
        let key = self.own.key(&spelt);
        self.last = whole.map(|whole| (whole, key));
        Some(key)
    }
}

/// Reads a column of numbers; `None` if it is none.
fn each_number<T: Copy + Default>(
    source: &dyn Array,
    reading: impl Reading<T>,
    bad: &mut Bad,
) -> Option<Made<T>> {
    fn of<P, T>(source: &dyn Array, mut reading: impl Reading<T>, bad: &mut Bad) -> Option<Made<T>>
    where
        P: ArrowPrimitiveType,
        P::Native: Whole,
        T: Copy + Default,
    {
        let source = source.as_primitive_opt::<P>()?;
        if source.null_count() == 0 {
            let mut sound = true;
            let mut value = |number: &P::Native| {
                let value = reading.read(*number);
                sound &= value.is_some();
                value.unwrap_or_default()
            };
            let values: Vec<T> = source.values().iter().map(&mut value).collect();
            if sound {
                return Some((values, None));
            }
        }
        let mut made = Rows::of(source.len());
        for (row, number) in source.iter().enumerate() {
            let cell = match number {
                Some(number) => reading.read(number).map_or(Cell::Bad, Cell::Value),
                None => Cell::Null,
            };
            made.push(row, cell, bad);
        }
        Some(made.finish())
    }
    match source.data_type() {
        DataType::Int8 => of::<Int8Type, T>(source, reading, bad),
        DataType::Int16 => of::<Int16Type, T>(source, reading, bad),
        DataType::Int32 => of::<Int32Type, T>(source, reading, bad),
        DataType::Int64 => of::<Int64Type, T>(source, reading, bad),
        DataType::UInt8 => of::<UInt8Type, T>(source, reading, bad),
        DataType::UInt16 => of::<UInt16Type, T>(source, reading, bad),
        DataType::UInt32 => of::<UInt32Type, T>(source, reading, bad),
        DataType::UInt64 => of::<UInt64Type, T>(source, reading, bad),
        DataType::Float32 => of::<Float32Type, T>(source, reading, bad),
        DataType::Float64 => of::<Float64Type, T>(source, reading, bad),
        _ => None,
    }
}

/// The texts of a column over many batches.
#[derive(Debug)]
struct Texts {
    known: Interner,
    array: Option<Arc<StringArray>>,
}

impl Texts {
    fn new() -> Self {
        Self {
            known: Interner::new(),
            array: None,
        }
    }

    /// Forgets all if there is too much, and says so.
    fn renew(&mut self) -> bool {
        let full =
            self.known.len() > DICTIONARY_MAX || self.known.text_bytes() > DICTIONARY_BYTES_MAX;
        if full {
            *self = Self::new();
        }
        full
    }

    fn key(&mut self, text: &str) -> i32 {
        let before = self.known.len();
        let id = self.known.intern(text.as_bytes());
        if self.known.len() > before {
            self.array = None;
        }
        i32::try_from(id).unwrap_or(i32::MAX)
    }

    fn array(&mut self) -> ArrayRef {
        let known = &self.known;
        let array = self.array.get_or_insert_with(|| Arc::new(strings(known)));
        Arc::clone(array) as ArrayRef
    }
}
