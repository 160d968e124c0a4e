//! The columns of the batch under way: a builder for each known field, or for several that stand side by side.

mod interner;
mod run;

use std::sync::Arc;

use arrow_array::{
    ArrayRef, FixedSizeBinaryArray, TimestampSecondArray, UInt8Array, UInt16Array, UInt64Array,
};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};

pub(crate) use interner::Interner;
pub(crate) use run::{Run, strings};

use crate::batch::Combined;
use crate::naive::Value;
use crate::{Addr, BATCH_ROWS, Field, Kind};

/// Values of a fixed width, and the rows that have none. A column without nulls pays nothing for them.
///
/// Rows are set by number, so that a line which turns out not to be ordinary half-way is set anew;
/// [`Builder::forget`] takes back its nulls.
#[derive(Debug)]
pub(crate) struct Values<T> {
    values: Vec<T>,
    nulls: Nulls,
    /// The memory of the batch before, which serves again once nobody has that batch: it is still in the cache.
    before: Option<Buffer>,
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

impl<T: ArrowNativeType> Values<T> {
    fn new() -> Self {
        Self {
            values: Vec::new(),
            nulls: Nulls::default(),
            before: None,
        }
    }

    /// Makes room for a batch.
    fn begin(&mut self) {
        if self.values.is_empty() {
            let before = self.before.take().and_then(|before| before.into_vec().ok());
            self.values = before.unwrap_or_else(|| vec![T::default(); BATCH_ROWS]);
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

    /// So many values from a row on, zero where there is none.
    #[inline(always)]
    pub(crate) fn rows(&self, first: usize, rows: usize) -> &[T] {
        &self.values[first..first + rows]
    }

    #[inline]
    pub(crate) fn set_null(&mut self, row: usize) {
        self.nulls.push(row);
        self.values[row] = T::default();
    }

    fn take(&mut self, rows: usize) -> (ScalarBuffer<T>, Option<NullBuffer>) {
        // Of a batch without rows nothing was set.
        self.begin();
        let values = Buffer::from_vec(std::mem::take(&mut self.values));
        self.before = Some(values.clone());
        (ScalarBuffer::new(values, 0, rows), self.nulls.take(rows))
    }
}

/// The builder of one column, or of a run of them.
#[derive(Debug)]
pub(crate) enum Builder {
    U8(Values<u8>),
    U16(Values<u16>),
    U64(Values<u64>),
    Time(Values<i64>),
    /// Addresses as [`addr_value`] writes them, as memory is only given back for numbers.
    Addr(Values<i128>),
    Run(Run),
}

impl Builder {
    fn fixed(field: Field) -> Self {
        match field.kind() {
            Kind::U8 => Self::U8(Values::new()),
            Kind::U16 => Self::U16(Values::new()),
            Kind::U64 => Self::U64(Values::new()),
            Kind::Time => Self::Time(Values::new()),
            Kind::Addr => Self::Addr(Values::new()),
            Kind::Text | Kind::Tag => Self::Run(Run::new(vec![field])),
        }
    }

    /// Columns that it builds.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Run(run) => run.width(),
            _ => 1,
        }
    }

    /// Sets a row to values that the naive reading found, one for each column.
    ///
    /// # Panics
    /// If a value is not of its column's kind, which [`crate::naive::read_value`] guarantees.
    fn set(&mut self, row: usize, values: &[Value<'_>]) {
        match (self, values) {
            (Self::Run(run), values) => run.set(row, values),
            (Self::U8(column), [Value::Number(number)]) => column.set(row, narrow(*number)),
            (Self::U16(column), [Value::Number(number)]) => column.set(row, narrow(*number)),
            (Self::U64(column), [Value::Number(number)]) => column.set(row, *number),
            (Self::Time(column), [Value::Time(time)]) => column.set(row, time.secs()),
            (Self::Addr(column), [Value::Addr(addr)]) => column.set(row, addr_value(*addr)),
            (Self::U8(column), [Value::Null]) => column.set_null(row),
            (Self::U16(column), [Value::Null]) => column.set_null(row),
            (Self::U64(column), [Value::Null]) => column.set_null(row),
            (Self::Time(column), [Value::Null]) => column.set_null(row),
            (Self::Addr(column), [Value::Null]) => column.set_null(row),
            (_, values) => unreachable!("values {values:?} are not of their column's kind"),
        }
    }

    /// Makes room for a batch.
    fn begin(&mut self) {
        match self {
            Self::U8(column) => column.begin(),
            Self::U16(column) => column.begin(),
            Self::U64(column) => column.begin(),
            Self::Time(column) => column.begin(),
            Self::Addr(column) => column.begin(),
            Self::Run(run) => run.begin(),
        }
    }

    /// Forgets that a line which was given up half-way left a null at this row.
    fn forget(&mut self, row: usize) {
        match self {
            Self::U8(column) => column.nulls.forget(row),
            Self::U16(column) => column.nulls.forget(row),
            Self::U64(column) => column.nulls.forget(row),
            Self::Time(column) => column.nulls.forget(row),
            Self::Addr(column) => column.nulls.forget(row),
            // A run knows its nulls by their combination.
            Self::Run(_) => {}
        }
    }

    /// The first `rows` rows as an Arrow array for each column; the builder starts anew.
    fn take(&mut self, rows: usize, combined: &mut Vec<Combined>) -> Vec<ArrayRef> {
        let array: ArrayRef = match self {
            Self::Run(run) => {
                let (arrays, own) = run.take(rows);
                combined.push(own);
                return arrays;
            }
            Self::U8(column) => {
                let (values, nulls) = column.take(rows);
                Arc::new(UInt8Array::new(values, nulls))
            }
            Self::U16(column) => {
                let (values, nulls) = column.take(rows);
                Arc::new(UInt16Array::new(values, nulls))
            }
            Self::U64(column) => {
                let (values, nulls) = column.take(rows);
                Arc::new(UInt64Array::new(values, nulls))
            }
            Self::Time(column) => {
                let (values, nulls) = column.take(rows);
                let array = TimestampSecondArray::new(values, nulls);
                Arc::new(array.with_timezone("UTC"))
            }
            Self::Addr(column) => {
                let (values, nulls) = column.take(rows);
                Arc::new(FixedSizeBinaryArray::new(16, values.into_inner(), nulls))
            }
        };
        vec![array]
    }
}

/// The columns of a format, in its order.
#[derive(Debug)]
pub(crate) struct Columns {
    builders: Vec<Builder>,
    /// Whether columns of a run are read on their own by now.
    are_apart: bool,
}

impl Columns {
    pub(crate) fn new(fields: &[Field]) -> Self {
        let one_run = |before: &Field, field: &Field| run::joins(*before, *field);
        let builder = |fields: &[Field]| match fields {
            [field] if !run::repeats(*field) => Builder::fixed(*field),
            fields => Builder::Run(Run::new(fields.to_vec())),
        };
        Self {
            builders: fields.chunk_by(one_run).map(builder).collect(),
            are_apart: false,
        }
    }

    /// The builders, in order of the columns that they build, with room for rows from the given one on.
    pub(crate) fn builders(&mut self, first: usize) -> &mut [Builder] {
        if first == 0 {
            self.builders.iter_mut().for_each(Builder::begin);
        }
        &mut self.builders
    }

    /// Sets a row to the values of a line.
    pub(crate) fn set(&mut self, row: usize, values: &[Value<'_>]) {
        let mut rest = values;
        for builder in self.builders(row) {
            let (own, behind) = rest.split_at(builder.width());
            builder.set(row, own);
            rest = behind;
        }
    }

    /// Forgets what lines that were given up half-way left at this row and behind.
    pub(crate) fn forget(&mut self, row: usize) {
        let builders = self.builders.iter_mut();
        builders.for_each(|builder| builder.forget(row));
    }

    /// Texts and combinations that are known, of the run that knows most.
    pub(crate) fn known(&self) -> usize {
        let runs = self.builders.iter().filter_map(|builder| match builder {
            Builder::Run(run) => Some(run.known()),
            _ => None,
        });
        runs.max().unwrap_or(0)
    }

    /// Whether columns of a run are read on their own by now, as rows hardly shared any combinations.
    pub(crate) fn are_apart(&self) -> bool {
        self.are_apart
    }

    /// The first `rows` rows as Arrow arrays, and what runs of columns have in common in them; the columns start anew.
    pub(crate) fn take(&mut self, rows: usize) -> (Vec<ArrayRef>, Vec<Combined>) {
        let mut combined = Vec::new();
        let builders = self.builders.iter_mut();
        let arrays = builders
            .flat_map(|builder| builder.take(rows, &mut combined))
            .collect();
        let renewed = |builder| match builder {
            Builder::Run(run) => run.renew().into_iter().map(Builder::Run).collect(),
            fixed => vec![fixed],
        };
        let count = self.builders.len();
        self.builders = std::mem::take(&mut self.builders)
            .into_iter()
            .flat_map(renewed)
            .collect();
        self.are_apart |= self.builders.len() > count;
        (arrays, combined)
    }
}

/// The bytes of an address as a number that lies in memory as they do.
pub(crate) fn addr_value(addr: Addr) -> i128 {
    i128::from_ne_bytes(addr.bytes())
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
