//! Rows of an answer, by the names of their columns.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array as _, RecordBatch};
use arrow_schema::DataType;
use datafusion::common::ScalarValue;
use outflow_record::Timestamp;

use super::{Moment, TimelineRequest};
use crate::error::Error;
use crate::session::Session;

/// What a query answers, with the places that all queries of a timeline have.
pub(super) async fn ask(
    session: &Session,
    sql: &str,
    request: &TimelineRequest,
) -> Result<Vec<RecordBatch>, Error> {
    let time = |at: Option<Timestamp>| {
        let micros = at.map(|at| at.secs().saturating_mul(1_000_000));
        ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()))
    };
    let mut values = vec![
        (
            "entity".to_owned(),
            ScalarValue::Utf8View(Some(request.entity.name().to_owned())),
        ),
        ("since".to_owned(), time(request.since)),
        ("until".to_owned(), time(request.until)),
        (
            "gap".to_owned(),
            ScalarValue::Int64(Some(i64::from(request.gap_secs))),
        ),
    ];
    values.retain(|(name, _)| sql.contains(&format!("${name}")));
    let mut rows = session.query(sql, values).await?;
    let mut batches = Vec::new();
    while let Some(batch) = rows.next().await? {
        batches.push(batch);
    }
    Ok(batches)
}

/// The moments that the rows of an answer are, and how many more there are than it has: each row says how many there are
/// in all, as `total`.
pub(super) fn moments(
    batches: &[RecordBatch],
    moment: impl Fn(Row<'_>) -> Option<Moment>,
) -> (Vec<Moment>, u64) {
    let moments: Vec<Moment> = rows(batches).filter_map(moment).collect();
    let total = rows(batches).next().map_or(0, |row| row.count("total"));
    let omitted = total.saturating_sub(moments.len() as u64);
    (moments, omitted)
}

/// A row of an answer.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

/// The rows of an answer.
pub(super) fn rows(batches: &[RecordBatch]) -> impl Iterator<Item = Row<'_>> {
    let of = |batch| (0..RecordBatch::num_rows(batch)).map(move |row| Row { batch, row });
    batches.iter().flat_map(of)
}

impl Row<'_> {
    pub(super) fn text(self, name: &str) -> Option<String> {
        let column = self.batch.column_by_name(name)?;
        if column.is_null(self.row) {
            return None;
        }
        Some(match column.data_type() {
            DataType::Utf8View => column.as_string_view().value(self.row).to_owned(),
            DataType::LargeUtf8 => column.as_string::<i64>().value(self.row).to_owned(),
            _ => column.as_string_opt::<i32>()?.value(self.row).to_owned(),
        })
    }

    pub(super) fn long(self, name: &str) -> Option<i64> {
        let column = self.batch.column_by_name(name)?;
        if column.is_null(self.row) {
            return None;
        }
        let of_longs = column.as_primitive_opt::<Int64Type>();
        let of_ints = || column.as_primitive_opt::<Int32Type>();
        let long = of_longs.map(|longs| longs.value(self.row));
        long.or_else(|| Some(i64::from(of_ints()?.value(self.row))))
    }

    pub(super) fn count(self, name: &str) -> u64 {
        self.long(name)
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or_default()
    }

    pub(super) fn time(self, name: &str) -> Option<Timestamp> {
        let column = self.batch.column_by_name(name)?;
        let times = column.as_primitive_opt::<TimestampMicrosecondType>()?;
        let micros = times.is_valid(self.row).then(|| times.value(self.row))?;
        Some(Timestamp(micros.div_euclid(1_000_000)))
    }

    pub(super) fn flag(self, name: &str) -> bool {
        let flags = self
            .batch
            .column_by_name(name)
            .and_then(|column| column.as_boolean_opt());
        flags.is_some_and(|flags| flags.is_valid(self.row) && flags.value(self.row))
    }
}
