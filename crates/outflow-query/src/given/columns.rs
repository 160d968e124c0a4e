//! Columns out of values.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringViewBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow_schema::ArrowError;
use outflow_record::Timestamp;

/// A column by its name.
pub(super) type Column = (&'static str, ArrayRef);

/// A batch of columns of one length, each of which may have nulls.
pub(super) fn batch(columns: Vec<Column>) -> Result<RecordBatch, ArrowError> {
    let columns = columns.into_iter();
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
}

pub(super) fn texts<T: AsRef<str>>(values: impl Iterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.collect::<StringViewArray>())
}

pub(super) fn longs(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

pub(super) fn doubles(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

pub(super) fn flags(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.collect::<BooleanArray>())
}

pub(super) fn times(values: impl Iterator<Item = Option<Timestamp>>) -> ArrayRef {
    let micros = values.map(|at| at.map(|at| at.secs().saturating_mul(1_000_000)));
    let times: TimestampMicrosecondArray = micros.collect();
    Arc::new(times.with_timezone("UTC"))
}

/// Lists of texts; one without any is empty, and not null.
pub(super) fn lists<L: IntoIterator<Item = String>>(values: impl Iterator<Item = L>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    for list in values {
        for text in list {
            lists.values().append_value(text);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}
