//! Which files of a table a query needs not read, by what the table's log tells of them.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, UInt64Array};
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use outflow_lake::DataFile;
use outflow_lake::table::{DAY, REGION};
use outflow_record::Timestamp;
use serde_json::Value;

/// Of files or objects of which this is told, whether each may hold rows of a table with this schema that a filter lets through.
pub(crate) fn may_hold(
    state: &dyn Session,
    filter: Expr,
    schema: &SchemaRef,
    told: &dyn PruningStatistics,
) -> Result<Vec<bool>, DataFusionError> {
    let of = DFSchema::try_from(Arc::clone(schema))?;
    let filter = state.create_physical_expr(filter, &of)?;
    let predicate = PruningPredicateBuilder::new()
        .with_file_schema(Arc::clone(schema))
        .try_build(filter)?;
    predicate.prune(told)
}

/// What a table's log tells of its files.
pub(crate) struct Told<'a> {
    files: &'a [DataFile],
    /// Statistics of each, parsed.
    stats: Vec<Value>,
    schema: SchemaRef,
}

impl<'a> Told<'a> {
    /// Of these files of a table with this schema.
    pub(crate) fn of(files: &'a [DataFile], schema: SchemaRef) -> Self {
        // A file without statistics, or with ones that cannot be read, may hold anything.
        let stats = files.iter().map(|file| serde_json::from_str(&file.stats));
        let stats = stats.map(Result::unwrap_or_default).collect();
        Self {
            files,
            stats,
            schema,
        }
    }

    fn bounds(&self, column: &Column, bound: &str) -> Option<ArrayRef> {
        let of = self.schema.field_with_name(column.name()).ok()?.data_type();
        let value = |(file, stats): (&DataFile, &Value)| match column.name() {
            DAY | REGION => partition_value(file, column.name()),
            name => told(stats, bound, name, of),
        };
        let null = ScalarValue::try_from(of).ok()?;
        let values = self.files.iter().zip(&self.stats);
        let values = values.map(|file| value(file).unwrap_or_else(|| null.clone()));
        ScalarValue::iter_to_array(values).ok()
    }
}

/// The value that all rows of a file have of a column that partitions its table.
pub(crate) fn partition_value(file: &DataFile, column: &str) -> Option<ScalarValue> {
    match column {
        DAY => Some(ScalarValue::Date32(Some(file.partition.day?))),
        _ => Some(ScalarValue::Utf8View(Some(file.partition.region.clone()?))),
    }
}

/// A bound of a column of a file. Times are told in milliseconds, rounded outward.
fn told(stats: &Value, bound: &str, column: &str, of: &DataType) -> Option<ScalarValue> {
    let text = stats.get(bound)?.get(column)?.as_str()?;
    match of {
        DataType::Utf8View => Some(ScalarValue::Utf8View(Some(text.to_owned()))),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let (second, fraction) = text.trim_end_matches('Z').split_once('.')?;
            let second: Timestamp = format!("{second}Z").parse().ok()?;
            let millis: i64 = fraction.parse().ok().filter(|_| fraction.len() == 3)?;
            let micros = second.secs().checked_mul(1_000_000)? + millis * 1_000;
            Some(ScalarValue::TimestampMicrosecond(
                Some(micros),
                zone.clone(),
            ))
        }
        _ => None,
    }
}

impl PruningStatistics for Told<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, "minValues")
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, "maxValues")
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let name = column.name();
        let nulls = |(file, stats): (&DataFile, &Value)| match name {
            DAY | REGION => Some(match partition_value(file, name) {
                Some(_) => 0,
                None => file.rows,
            }),
            _ => stats.get("nullCount")?.get(name)?.as_u64(),
        };
        let counts = self.files.iter().zip(&self.stats).map(nulls);
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows = self.files.iter().map(|file| file.rows);
        Some(Arc::new(UInt64Array::from_iter_values(rows)))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
