//! The columns of the batch under way: one builder per known field.

mod texts;

use std::sync::Arc;

use arrow_array::{
    ArrayRef, FixedSizeBinaryArray, TimestampSecondArray, UInt8Array, UInt16Array, UInt64Array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};

pub(crate) use texts::Texts;

use crate::naive::Value;
use crate::{BATCH_ROWS, Kind};

/// Values of a fixed width, and the rows that have none. A column without nulls pays nothing for them.
///
/// Rows are set by number, so that a line which turns out not to be ordinary half-way is set anew;
/// [`Builder::forget`] takes back its nulls.
#[derive(Debug)]
pub(crate) struct Values<T> {
    values: Vec<T>,
    nulls: Nulls,
}

/// Row numbers, ascending.
#[derive(Debug, Default)]
struct Nulls(Vec<u32>);

impl Nulls {
    fn push(&mut self, row: usize) {
        self.0.push(u32::try_from(row).unwrap_or(u32::MAX));
    }

    fn forget(&mut self, row: usize) {
        while self.0.last().is_some_and(|last| *last as usize >= row) {
            self.0.pop();
        }
    }

    fn take(&mut self, rows: usize) -> Option<NullBuffer> {
        if self.0.is_empty() {
            return None;
        }
        let mut words = vec![u64::MAX; rows.div_ceil(64)];
        for row in self.0.drain(..) {
            words[row as usize / 64] &= !(1 << (row % 64));
        }
        Some(NullBuffer::new(BooleanBuffer::new(
            Buffer::from_vec(words),
            0,
            rows,
        )))
    }
}

impl<T: Copy + Default> Values<T> {
    fn new() -> Self {
        Self {
            values: vec![T::default(); BATCH_ROWS],
            nulls: Nulls::default(),
        }
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, row: usize, value: T) {
        self.values[row] = value;
    }

    #[inline(always)]
    pub(crate) fn get(&self, row: usize) -> T {
        self.values[row]
    }

    #[inline]
    pub(crate) fn set_null(&mut self, row: usize) {
        self.nulls.push(row);
        self.values[row] = T::default();
    }

    fn take(&mut self, rows: usize) -> (Vec<T>, Option<NullBuffer>) {
        let mut values = std::mem::replace(&mut self.values, vec![T::default(); BATCH_ROWS]);
        values.truncate(rows);
        (values, self.nulls.take(rows))
    }
}

/// The builder of one column.
#[derive(Debug)]
pub(crate) enum Builder {
    U8(Values<u8>),
    U16(Values<u16>),
    U64(Values<u64>),
    Time(Values<i64>),
    Addr(Values<[u8; 16]>),
    Text(Texts),
}

impl Builder {
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::U8 => Builder::U8(Values::new()),
            Kind::U16 => Builder::U16(Values::new()),
            Kind::U64 => Builder::U64(Values::new()),
            Kind::Time => Builder::Time(Values::new()),
            Kind::Addr => Builder::Addr(Values::new()),
            Kind::Text | Kind::Tag => Builder::Text(Texts::new()),
        }
    }

    /// Sets a row to a value that the naive reading found.
    ///
    /// # Panics
    /// If the value is not of the column's kind, which [`crate::naive::read_value`] guarantees.
    pub(crate) fn set(&mut self, row: usize, value: &Value<'_>) {
        match (self, value) {
            (Builder::U8(column), Value::Number(number)) => column.set(row, narrow(*number)),
            (Builder::U16(column), Value::Number(number)) => column.set(row, narrow(*number)),
            (Builder::U64(column), Value::Number(number)) => column.set(row, *number),
            (Builder::Time(column), Value::Time(time)) => column.set(row, time.secs()),
            (Builder::Addr(column), Value::Addr(addr)) => column.set(row, addr.bytes()),
            (Builder::Text(column), Value::Text(text)) => column.set(row, text),
            (Builder::U8(column), Value::Null) => column.set_null(row),
            (Builder::U16(column), Value::Null) => column.set_null(row),
            (Builder::U64(column), Value::Null) => column.set_null(row),
            (Builder::Time(column), Value::Null) => column.set_null(row),
            (Builder::Addr(column), Value::Null) => column.set_null(row),
            (Builder::Text(column), Value::Null) => column.set_null(row),
            (_, value) => unreachable!("value {value:?} is not of its column's kind"),
        }
    }

    /// Forgets that a line which was given up half-way left a null at this row.
    pub(crate) fn forget(&mut self, row: usize) {
        match self {
            Builder::U8(column) => column.nulls.forget(row),
            Builder::U16(column) => column.nulls.forget(row),
            Builder::U64(column) => column.nulls.forget(row),
            Builder::Time(column) => column.nulls.forget(row),
            Builder::Addr(column) => column.nulls.forget(row),
            // A text column keeps its nulls among its keys.
            Builder::Text(_) => {}
        }
    }

    /// The first `rows` rows as an Arrow array; the builder starts anew.
    pub(crate) fn take(&mut self, rows: usize) -> ArrayRef {
        match self {
            Builder::U8(column) => {
                let (values, nulls) = column.take(rows);
                Arc::new(UInt8Array::new(ScalarBuffer::from(values), nulls))
            }
            Builder::U16(column) => {
                let (values, nulls) = column.take(rows);
                Arc::new(UInt16Array::new(ScalarBuffer::from(values), nulls))
            }
            Builder::U64(column) => {
                let (values, nulls) = column.take(rows);
                Arc::new(UInt64Array::new(ScalarBuffer::from(values), nulls))
            }
            Builder::Time(column) => {
                let (values, nulls) = column.take(rows);
                let array = TimestampSecondArray::new(ScalarBuffer::from(values), nulls);
                Arc::new(array.with_timezone("UTC"))
            }
            Builder::Addr(column) => {
                let (values, nulls) = column.take(rows);
                let bytes = Buffer::from_vec(values.into_flattened());
                Arc::new(FixedSizeBinaryArray::new(16, bytes, nulls))
            }
            Builder::Text(column) => column.take(rows),
        }
    }
}

// `read_value` has checked the range; a wider number would be a fault in it, and becomes the largest.
fn narrow<T: TryFrom<u64> + Bounded>(number: u64) -> T {
    T::try_from(number).unwrap_or(T::MAX)
}

trait Bounded {
    const MAX: Self;
}

impl Bounded for u8 {
    const MAX: Self = u8::MAX;
}

impl Bounded for u16 {
    const MAX: Self = u16::MAX;
}
