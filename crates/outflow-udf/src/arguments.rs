//! Columns of arguments, by type.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, StringViewArray, TimestampMicrosecondArray,
};
use datafusion_common::{Result, exec_datafusion_err};
use outflow_record::Addr;

fn argument(columns: &[ArrayRef], at: usize) -> Result<&ArrayRef> {
    let column = columns.get(at);
    column.ok_or_else(|| exec_datafusion_err!("argument {} is missing", at + 1))
}

fn of_type<T>(column: Option<T>, at: usize) -> Result<T> {
    column.ok_or_else(|| exec_datafusion_err!("argument {} has another type than declared", at + 1))
}

/// The texts of an argument.
pub(crate) fn texts(columns: &[ArrayRef], at: usize) -> Result<&StringViewArray> {
    of_type(argument(columns, at)?.as_string_view_opt(), at)
}

/// The whole numbers of an argument.
pub(crate) fn longs(columns: &[ArrayRef], at: usize) -> Result<&Int64Array> {
    of_type(argument(columns, at)?.as_primitive_opt::<Int64Type>(), at)
}

/// The numbers of an argument.
pub(crate) fn doubles(columns: &[ArrayRef], at: usize) -> Result<&Float64Array> {
    of_type(argument(columns, at)?.as_primitive_opt::<Float64Type>(), at)
}

/// The times of an argument.
pub(crate) fn times(columns: &[ArrayRef], at: usize) -> Result<&TimestampMicrosecondArray> {
    let column = argument(columns, at)?;
    of_type(column.as_primitive_opt::<TimestampMicrosecondType>(), at)
}

/// The value of a row, if there is one.
pub(crate) fn text(column: &StringViewArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// A text that is an address; what is none, as the `-` of a record without, is null.
pub(crate) fn addr(text: &str) -> Option<Addr> {
    text.parse().ok()
}

/// What the same text gave last: rows that stand by each other share many values.
pub(crate) struct Last<T> {
    text: String,
    gave: Option<T>,
    known: bool,
}

impl<T: Clone> Last<T> {
    pub(crate) fn new() -> Self {
        Self {
            text: String::new(),
            gave: None,
            known: false,
        }
    }

    pub(crate) fn of(&mut self, text: &str, work: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        if !self.known || self.text != text {
            self.gave = work(text);
            text.clone_into(&mut self.text);
            self.known = true;
        }
        self.gave.clone()
    }
}

/// A column of texts out of one of texts.
pub(crate) fn map_text<T: AsRef<str> + Clone>(
    column: &StringViewArray,
    work: impl Fn(&str) -> Option<T>,
) -> StringViewArray {
    let mut last = Last::new();
    (0..column.len())
        .map(|row| last.of(text(column, row)?, &work))
        .collect()
}
