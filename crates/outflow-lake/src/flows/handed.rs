//! Rows of `flows` as a batch, for who asks for them without a file.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, RecordBatchOptions,
    StringViewArray, TimestampMicrosecondArray,
};
use arrow_schema::{ArrowError, DataType, Schema};

use super::column::{Column, LONG_NULL, NULL};
use super::{Cells, FlowRows};
use crate::table::{Table, enriched};

impl FlowRows {
    /// Rows of which these columns alone are held, to be handed on by [`FlowRows::batch`]: they are neither stored nor rolled up.
    pub fn of_columns(wanted: &BTreeSet<String>) -> Self {
        let mut rows = Self {
            are_handed_on: true,
            are_all_held: true,
            ..Self::default()
        };
        let schema = Table::Flows.file_schema();
        let fields = schema.fields().iter();
        let stored = fields.filter(|field| field.name() != enriched::COUNTED);
        for (field, column) in stored.zip(&mut rows.columns) {
            if !wanted.contains(field.name()) {
                *column = Column::Unwanted;
            }
        }
        rows
    }

    /// The rows in the order in which they were appended, with those of the table's columns that are wanted, in the order of its
    /// files. Texts are views.
    ///
    /// # Errors
    /// What Arrow says, which is a fault of the program.
    pub fn batch(&self, wanted: &BTreeSet<String>) -> Result<RecordBatch, ArrowError> {
        let schema = Table::Flows.file_schema();
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        let mut addresses = None;
        for (field, cells) in schema.fields().iter().zip(self.cells()) {
            if !wanted.contains(field.name()) {
                continue;
            }
            let column: ArrayRef = match cells {
                Cells::Texts { keys, values } => {
                    let texts = values.iter().map(|text| Some(&**text));
                    taken(&texts.collect::<StringViewArray>(), keys.iter(), self.len())?
                }
                Cells::Addrs(keys) => {
                    let texts = addresses.get_or_insert_with(|| self.address_texts());
                    taken(texts, keys.iter().copied(), self.len())?
                }
                Cells::Chosen(of) if of.are_addrs => {
                    let texts = addresses.get_or_insert_with(|| self.address_texts());
                    taken(texts, self.spread(&of).into_iter(), self.len())?
                }
                Cells::Chosen(of) => smalls(self.spread(&of).into_iter(), self.len()),
                Cells::Smalls(numbers) => smalls(numbers.iter(), self.len()),
                Cells::Longs(numbers) => {
                    longs(numbers.iter().copied(), self.len(), field.data_type())
                }
                Cells::Payload(of) => longs(
                    self.payload_by_row(&of).into_iter(),
                    self.len(),
                    field.data_type(),
                ),
                Cells::Counted(of) => {
                    let rows: Vec<u32> = (0..).take(self.len()).collect();
                    let mut numbers = Vec::with_capacity(rows.len());
                    of.append(&rows, of.numbers.of_rows, &mut numbers);
                    longs(numbers.into_iter(), self.len(), field.data_type())
                }
                Cells::Bools(values) => Arc::new(values.iter().map(Some).collect::<BooleanArray>()),
            };
            let as_type = column.data_type().clone();
            fields.push(field.as_ref().clone().with_data_type(as_type));
            columns.push(column);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.len()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
    }

    /// All addresses, by key.
    fn address_texts(&self) -> StringViewArray {
        self.addresses.by_key().iter().map(Some).collect()
    }
}

/// Small numbers.
fn smalls(numbers: impl Iterator<Item = i32>, len: usize) -> ArrayRef {
    let numbers = filled(numbers, NULL, len);
    let numbers = numbers.map(|number| (number != NULL).then_some(number));
    Arc::new(numbers.collect::<Int32Array>())
}

/// Large numbers, or times.
fn longs(numbers: impl Iterator<Item = i64>, len: usize, data_type: &DataType) -> ArrayRef {
    let numbers = filled(numbers, LONG_NULL, len);
    let numbers = numbers.map(|number| (number != LONG_NULL).then_some(number));
    match data_type {
        DataType::Timestamp(_, zone) => {
            let times = numbers.collect::<TimestampMicrosecondArray>();
            Arc::new(times.with_timezone_opt(zone.clone()))
        }
        _ => Arc::new(numbers.collect::<Int64Array>()),
    }
}

/// So many values; behind the last there is null.
fn filled<V: Copy>(
    values: impl Iterator<Item = V>,
    null: V,
    len: usize,
) -> impl Iterator<Item = V> {
    values.chain(std::iter::repeat(null)).take(len)
}

/// The texts that keys stand for.
fn taken(
    texts: &StringViewArray,
    keys: impl Iterator<Item = i32>,
    len: usize,
) -> Result<ArrayRef, ArrowError> {
    let keys = filled(keys, NULL, len).map(|key| (key != NULL).then_some(key));
    arrow_select::take::take(texts, &keys.collect::<Int32Array>(), None)
}
