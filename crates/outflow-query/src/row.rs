//! Rows of an answer, by the names of their columns.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array as _, RecordBatch};
use arrow_schema::DataType;
use outflow_record::Timestamp;

/// A row of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

/// The rows of an answer.
pub fn rows(batches: &[RecordBatch]) -> impl Iterator<Item = Row<'_>> {
    let of = |batch| (0..RecordBatch::num_rows(batch)).map(move |row| Row { batch, row });
    batches.iter().flat_map(of)
}

impl<'a> Row<'a> {
    /// A text; `None` if it is null, or there is no such column of texts.
    pub fn text(self, name: &str) -> Option<&'a str> {
        let column = self.batch.column_by_name(name)?;
        if column.is_null(self.row) {
            return None;
        }
        Some(match column.data_type() {
            DataType::Utf8View => column.as_string_view().value(self.row),
            DataType::LargeUtf8 => column.as_string::<i64>().value(self.row),
            _ => column.as_string_opt::<i32>()?.value(self.row),
        })
    }

    /// A number; `None` likewise.
    pub fn long(self, name: &str) -> Option<i64> {
        let column = self.batch.column_by_name(name)?;
        if column.is_null(self.row) {
            return None;
        }
        let of_longs = column.as_primitive_opt::<Int64Type>();
        let of_ints = || column.as_primitive_opt::<Int32Type>();
        let long = of_longs.map(|longs| longs.value(self.row));
        long.or_else(|| Some(i64::from(of_ints()?.value(self.row))))
    }

    /// A number that is none below zero; zero likewise.
    pub fn count(self, name: &str) -> u64 {
        self.long(name)
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or_default()
    }

    /// A time; `None` likewise.
    pub fn time(self, name: &str) -> Option<Timestamp> {
        let column = self.batch.column_by_name(name)?;
        let times = column.as_primitive_opt::<TimestampMicrosecondType>()?;
        let micros = times.is_valid(self.row).then(|| times.value(self.row))?;
        Some(Timestamp(micros.div_euclid(1_000_000)))
    }

    /// Whether something is so; not, if it is null.
    pub fn flag(self, name: &str) -> bool {
        let flags = self
            .batch
            .column_by_name(name)
            .and_then(|column| column.as_boolean_opt());
        flags.is_some_and(|flags| flags.is_valid(self.row) && flags.value(self.row))
    }
}
