//! Rows of the tables that are not flows.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray as _;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow_schema::{ArrowError, DataType};
use outflow_enrich::registered_domain;
use outflow_lake::Table;
use outflow_record::{Addr, CoverageRow, CoverageStatus, DnsBatch, DnsField, Reject, Timestamp};

pub(super) const MICROS: i64 = 1_000_000;
const REGION: &str = outflow_lake::table::REGION;

/// `rejects`, of one object.
pub(super) fn rejects(of: &[Reject], source_id: &str) -> Result<RecordBatch, ArrowError> {
    let mut offsets = Int64Builder::new();
    let mut reasons = StringBuilder::new();
    let mut bytes = BinaryBuilder::new();
    for reject in of {
        offsets.append_value(signed(reject.offset));
        reasons.append_value(reject.reason.to_string());
        bytes.append_value(&reject.bytes);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(of.iter().map(|_| source_id))),
        Arc::new(offsets.finish()),
        Arc::new(reasons.finish()),
        Arc::new(bytes.finish()),
    ];
    RecordBatch::try_new(Table::Rejects.file_schema(), columns)
}

/// `coverage`, of one object and partition.
pub(super) fn coverage(
    of: &[&CoverageRow],
    source_id: &str,
    flow_log_id: Option<&str>,
) -> Result<RecordBatch, ArrowError> {
    let text = |value: fn(&CoverageRow) -> Option<&str>| -> ArrayRef {
        Arc::new(of.iter().map(|row| value(row)).collect::<StringArray>())
    };
    let status = |row: &CoverageRow| match row.status {
        CoverageStatus::NoData => "NODATA",
        CoverageStatus::SkipData => "SKIPDATA",
    };
    let columns: Vec<ArrayRef> = vec![
        text(|row| row.account_id.as_deref()),
        text(|row| row.interface_id.as_deref()),
        text(|row| row.tgw_attachment_id.as_deref()),
        times(of.iter().map(|row| row.start.map(Timestamp::secs))),
        times(of.iter().map(|row| row.end.map(Timestamp::secs))),
        Arc::new(StringArray::from_iter_values(
            of.iter().map(|row| status(row)),
        )),
        Arc::new(of.iter().map(|_| flow_log_id).collect::<StringArray>()),
        Arc::new(StringArray::from_iter_values(of.iter().map(|_| source_id))),
    ];
    RecordBatch::try_new(Table::Coverage.file_schema(), columns)
}

/// `dns`, of all rows of a batch.
pub(super) fn dns(
    of: &DnsBatch,
    source_id: &str,
    first_row: i64,
) -> Result<RecordBatch, ArrowError> {
    let rows = of.num_rows();
    let schema = Table::Dns.file_schema();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for (at, field) in DnsField::ALL.iter().enumerate() {
        let column = of.record_batch().column(at);
        columns.push(match field {
            DnsField::Region => continue,
            DnsField::SrcAddr => addresses(column),
            DnsField::SrcPort => Arc::new(
                of.srcports()
                    .iter()
                    .map(|port| port.map(i32::from))
                    .collect::<Int32Array>(),
            ),
            DnsField::Answers => answers(column.as_list(), &schema)?,
            _ if matches!(column.data_type(), DataType::Dictionary(..)) => plain(column),
            _ => Arc::clone(column),
        });
    }
    let domains = of
        .query_names()
        .iter()
        .map(|name| name.and_then(registered_domain));
    columns.push(Arc::new(domains.collect::<StringArray>()));
    columns.push(Arc::new(StringArray::from_iter_values(
        (0..rows).map(|_| source_id),
    )));
    let numbers = (first_row..).take(rows);
    columns.push(Arc::new(Int64Array::from_iter_values(numbers)));
    debug_assert!(schema.index_of(REGION).is_err());
    RecordBatch::try_new(schema, columns)
}

/// Answers with their types and classes as plain texts, and the names of fields that the table has.
fn answers(of: &ListArray, schema: &arrow_schema::Schema) -> Result<ArrayRef, ArrowError> {
    let field = schema.field_with_name(DnsField::Answers.column())?;
    let DataType::List(item) = field.data_type() else {
        return Err(ArrowError::SchemaError("answers are no list".to_owned()));
    };
    let DataType::Struct(fields) = item.data_type() else {
        return Err(ArrowError::SchemaError("an answer is no struct".to_owned()));
    };
    let values = of.values().as_struct();
    let columns = values
        .columns()
        .iter()
        .map(|column| match column.data_type() {
            DataType::Dictionary(..) => plain(column),
            _ => Arc::clone(column),
        });
    let values = StructArray::try_new(fields.clone(), columns.collect(), values.nulls().cloned())?;
    let list = ListArray::try_new(
        Arc::clone(item),
        of.offsets().clone(),
        Arc::new(values),
        of.nulls().cloned(),
    )?;
    Ok(Arc::new(list))
}

fn plain(column: &ArrayRef) -> ArrayRef {
    let texts = column
        .as_dictionary_opt::<Int32Type>()
        .and_then(|dictionary| dictionary.downcast_dict::<StringArray>());
    match texts {
        Some(texts) => Arc::new(texts.into_iter().collect::<StringArray>()),
        None => Arc::clone(column),
    }
}

fn addresses(column: &ArrayRef) -> ArrayRef {
    let of = column.as_fixed_size_binary();
    let addr = |bytes: &[u8]| {
        <[u8; 16]>::try_from(bytes)
            .ok()
            .map(|bytes| Addr::from_bytes(bytes).to_string())
    };
    Arc::new(
        of.iter()
            .map(|bytes| bytes.and_then(addr))
            .collect::<StringArray>(),
    )
}

pub(super) fn times(of: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    let mut times = TimestampMicrosecondBuilder::new().with_timezone("UTC");
    for at in of {
        times.append_option(at.map(|at| at.saturating_mul(MICROS)));
    }
    Arc::new(times.finish())
}

/// A count as tables have it. Delta has no unsigned numbers, and nothing counts as far as its greatest.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
