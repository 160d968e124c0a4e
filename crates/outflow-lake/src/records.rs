//! Rows of `flows` on their way back: to records in the form in which they were decoded.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, FixedSizeBinaryArray, PrimitiveArray, RecordBatch, StringArray,
    TimestampSecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::Buffer;
use arrow_schema::{ArrowError, Schema};
use arrow_select::take::take;
use outflow_record::{Addr, Field, FlowBatch, Kind};

use crate::table::REGION;

const MICROS: i64 = 1_000_000;

/// The fields that the records of a source have: what it lacks is null in the table, but not all that is null is lacking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    fields: Vec<Field>,
    schema: Arc<Schema>,
}

impl Layout {
    /// That of a source with these fields. The region is none of them: it is a row's partition.
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Self {
        let fields: Vec<Field> = fields
            .into_iter()
            .filter(|field| field.column() != REGION)
            .collect();
        Self {
            schema: outflow_record::schema(&fields),
            fields,
        }
    }

    /// The fields, in their order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}

/// Columns of some rows of `flows`, in the types that [`Kind`] names.
#[derive(Debug)]
pub struct FlowColumns {
    /// By field.
    columns: Vec<Option<ArrayRef>>,
}

impl FlowColumns {
    /// The columns of a batch that flow logs have.
    ///
    /// # Errors
    /// That a value is none of its field.
    pub fn of(batch: &RecordBatch) -> Result<Self, ArrowError> {
        let column = |field: &Field| {
            let stored = batch.column_by_name(field.column())?;
            Some(conformed(field.kind(), stored).ok_or_else(|| {
                let name = field.column();
                ArrowError::InvalidArgumentError(format!("`{name}` holds what no flow log has"))
            }))
        };
        let columns: Result<_, _> = Field::ALL
            .iter()
            .map(|field| column(field).transpose())
            .collect();
        Ok(Self { columns: columns? })
    }

    /// The same rows in this order.
    ///
    /// # Errors
    /// That it names a row that is not there.
    pub fn in_order(&self, order: &UInt32Array) -> Result<Self, ArrowError> {
        let taken = |column: &Option<ArrayRef>| {
            let column = column.as_ref()?;
            Some(take(column.as_ref(), order, None))
        };
        let columns: Result<_, _> = self
            .columns
            .iter()
            .map(|column| taken(column).transpose())
            .collect();
        Ok(Self { columns: columns? })
    }

    /// Some of the rows as a source of this layout had them.
    ///
    /// # Errors
    /// That one of its columns was not read, or that no one log has such fields.
    pub fn records(&self, layout: &Layout, rows: Range<usize>) -> Result<FlowBatch, ArrowError> {
        let mut columns = Vec::with_capacity(layout.fields.len());
        for field in &layout.fields {
            let column = self.columns[field.index()].as_ref().ok_or_else(|| {
                ArrowError::InvalidArgumentError(format!("`{}` is missing", field.column()))
            })?;
            columns.push(column.slice(rows.start, rows.len()));
        }
        let batch = RecordBatch::try_new(Arc::clone(&layout.schema), columns)?;
        FlowBatch::try_new(batch).map_err(|error| ArrowError::ExternalError(Box::new(error)))
    }
}

/// A column in the type of its field; none if it holds what the field cannot.
fn conformed(kind: Kind, stored: &ArrayRef) -> Option<ArrayRef> {
    Some(match kind {
        Kind::U8 => {
            let of = stored.as_primitive_opt::<Int32Type>()?;
            let narrow: UInt8Array = of.try_unary(u8::try_from).ok()?;
            Arc::new(narrow)
        }
        Kind::U16 => {
            let of = stored.as_primitive_opt::<Int32Type>()?;
            let narrow: UInt16Array = of.try_unary(u16::try_from).ok()?;
            Arc::new(narrow)
        }
        Kind::U64 => {
            let of = stored.as_primitive_opt::<Int64Type>()?;
            let wide: UInt64Array = of.try_unary(u64::try_from).ok()?;
            Arc::new(wide)
        }
        Kind::Time => {
            let of: &PrimitiveArray<TimestampMicrosecondType> = stored.as_primitive_opt()?;
            let secs: TimestampSecondArray = of.unary(|micros| micros.div_euclid(MICROS));
            Arc::new(secs.with_timezone("UTC"))
        }
        Kind::Addr => Arc::new(addrs(stored)?),
        Kind::Text | Kind::Tag => {
            let of = stored.as_dictionary_opt::<Int32Type>()?;
            of.values().as_string_opt::<i32>()?;
            Arc::clone(stored)
        }
    })
}

/// Addresses out of texts, each of which is parsed once.
fn addrs(stored: &ArrayRef) -> Option<FixedSizeBinaryArray> {
    let of = stored.as_dictionary_opt::<Int32Type>()?;
    let texts: &StringArray = of.values().as_string_opt()?;
    let mut known: Vec<Option<[u8; 16]>> = vec![None; texts.len()];
    let mut values: Vec<[u8; 16]> = Vec::with_capacity(of.len());
    for (row, key) in of.keys().values().iter().enumerate() {
        if of.is_null(row) {
            values.push([0; 16]);
            continue;
        }
        let at = usize::try_from(*key).ok()?;
        let addr = match known.get(at)? {
            Some(addr) => *addr,
            None => {
                let addr = texts.value(at).parse::<Addr>().ok()?.bytes();
                known[at] = Some(addr);
                addr
            }
        };
        values.push(addr);
    }
    let bytes = Buffer::from_vec(values.into_flattened());
    Some(FixedSizeBinaryArray::new(16, bytes, of.nulls().cloned()))
}

#[cfg(test)]
mod tests;
