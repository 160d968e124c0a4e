//! Asks what a timeline is made of.

use arrow_array::RecordBatch;
use datafusion::common::ScalarValue;
use outflow_record::Timestamp;

use super::{Moment, TimelineRequest};
use crate::error::Error;
use crate::session::Session;

pub(super) use crate::row::{Row, rows};

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
            ScalarValue::Utf8View(Some(request.entity.name().into_owned())),
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
