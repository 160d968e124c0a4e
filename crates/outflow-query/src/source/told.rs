//! Which objects a query needs not open, by what their names tell.
//!
//! A name tells the flow log, the region, and when the object was delivered. It tells an account, too, but that is whose flow log
//! it is: in a subnet that is shared, records are of accounts that own interfaces, so that `account_id` leaves no object out.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, UInt64Array};
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use outflow_ingest::Named;
use outflow_lake::table::{DAY, HOUR_SECS, REGION, enriched, hourly, profiled};
use outflow_lake::{Partition, Table};

use crate::files::may_hold;
use crate::table::schema;

/// How much earlier than its name an object may hold a time. AWS names it by the minutes in which its records end, which it
/// aggregates for up to ten minutes, and delivers what is late in a later object, without a promise of how late. A day is what
/// questions allow for; what comes still later, they find only without a time.
const NAME_LATE_SECS: i64 = 24 * 3_600;

/// How much later than its name an object may hold a time: who rewrites archives makes objects of an hour, and a record that starts
/// in one may end ten minutes behind it.
const NAME_EARLY_SECS: i64 = 3_600 + 600;

/// Of these objects, which may hold rows of a table that a filter lets through, if there is one.
pub(crate) fn needed(
    state: &dyn Session,
    table: Table,
    named: &[Named],
    filter: Option<&Expr>,
) -> Result<Vec<bool>, DataFusionError> {
    let log = match table {
        Table::Flows | Table::Profiles | Table::Hours | Table::Coverage => Some(Table::Flows),
        Table::Dns => Some(Table::Dns),
        // They tell of objects of all logs.
        Table::Rejects | Table::Sources => None,
    };
    let is_of_log = |named: &Named| log.is_none() || named.log.is_none() || named.log == log;
    let mut needed: Vec<bool> = named.iter().map(is_of_log).collect();
    if let Some(filter) = filter {
        let by_filter = by_filter(state, table, named, filter)?;
        for (needed, by_filter) in needed.iter_mut().zip(by_filter) {
            *needed &= by_filter;
        }
    }
    Ok(needed)
}

fn by_filter(
    state: &dyn Session,
    table: Table,
    named: &[Named],
    filter: &Expr,
) -> Result<Vec<bool>, DataFusionError> {
    // They tell of what was read, not of what happened.
    if matches!(table, Table::Rejects | Table::Sources) {
        return Ok(vec![true; named.len()]);
    }
    let schema = Arc::clone(schema(table).table_schema());
    let told = Told {
        named,
        schema: Arc::clone(&schema),
    };
    may_hold(state, filter.clone(), &schema, &told)
}

/// What names tell of the rows of objects.
struct Told<'a> {
    named: &'a [Named],
    schema: SchemaRef,
}

/// A bound of what an object holds.
#[derive(Clone, Copy)]
enum Bound {
    Least,
    Greatest,
}

impl Told<'_> {
    fn bounds(&self, column: &Column, bound: Bound) -> Option<ArrayRef> {
        let of = self.schema.field_with_name(column.name()).ok()?.data_type();
        let null = ScalarValue::try_from(of).ok()?;
        let value = |named| told(named, column.name(), of, bound).unwrap_or_else(|| null.clone());
        ScalarValue::iter_to_array(self.named.iter().map(value)).ok()
    }
}

fn told(named: &Named, column: &str, of: &DataType, bound: Bound) -> Option<ScalarValue> {
    let text = |text: &str| Some(ScalarValue::Utf8View(Some(text.to_owned())));
    match column {
        enriched::FLOW_LOG_ID => return text(named.flow_log_id.as_deref()?),
        REGION => return text(region(named)?),
        _ => {}
    }
    let at = named.delivered_at?.secs();
    let secs = match bound {
        // Sums of ten minutes and hours are told at their beginning.
        Bound::Least if [profiled::BUCKET, hourly::HOUR].contains(&column) => {
            at - NAME_LATE_SECS - i64::from(HOUR_SECS)
        }
        Bound::Least => at - NAME_LATE_SECS,
        Bound::Greatest => at + NAME_EARLY_SECS,
    };
    match (column, of) {
        (DAY, _) => Some(ScalarValue::Date32(Partition::new(Some(secs), None).day)),
        (_, DataType::Timestamp(TimeUnit::Microsecond, zone)) => Some(
            ScalarValue::TimestampMicrosecond(Some(secs.checked_mul(1_000_000)?), zone.clone()),
        ),
        _ => None,
    }
}

/// The region that rows have which do not tell another.
fn region(named: &Named) -> Option<&str> {
    let region = named.region.as_deref();
    region.filter(|region| Partition::is_region(region))
}

impl PruningStatistics for Told<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, Bound::Least)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, Bound::Greatest)
    }

    fn num_containers(&self) -> usize {
        self.named.len()
    }

    /// As of one row each: no row of an object has a flow log that its name does not tell.
    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let nulls = |named: &Named| match column.name() {
            enriched::FLOW_LOG_ID => Some(u64::from(named.flow_log_id.is_none())),
            REGION => region(named).map(|_| 0),
            _ => None,
        };
        let counts = self.named.iter().map(nulls);
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let one = std::iter::repeat_n(1, self.named.len());
        Some(Arc::new(UInt64Array::from_iter_values(one)))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
