//! Row groups that a query needs not read, as what it looks for is in none of several columns.
//!
//! The engine asks Bloom filters for what one column must have. That one of two has it, as `srcaddr = x OR dstaddr = x`, is
//! how an address is looked for, and is asked here, before the reader is planned.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetAccessPlan;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::error::DataFusionError;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::ObjectStore;
use outflow_lake::Table;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::ParquetMetaData;

use crate::table::FOOTER_BYTES;

/// Files of which filters are fetched at a time.
const FILES_AT_ONCE: usize = 16;

/// Values of columns of which a row has at least one.
type AnyOf = Vec<(String, String)>;

/// What a query looks for in several columns at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lookups(Vec<AnyOf>);

impl Lookups {
    /// What rows of a table have that these filters all let through; none if they ask nothing of several columns with filters.
    pub(crate) fn of(table: Table, filters: &[Expr]) -> Option<Self> {
        let parts = filters.iter().flat_map(split_conjunction);
        let all: Vec<AnyOf> = parts
            .filter_map(|part| {
                let mut any = AnyOf::new();
                is_any(table, part, &mut any).then_some(any)
            })
            .filter(|any| {
                let columns: BTreeSet<&String> = any.iter().map(|(column, _)| column).collect();
                columns.len() > 1
            })
            .collect();
        (!all.is_empty()).then_some(Self(all))
    }

    /// Of these files, with their bytes, those that may have it, each with the row groups that may.
    pub(crate) async fn may_be_in(
        &self,
        store: &Arc<dyn ObjectStore>,
        footers: &Arc<FileMetadataCache>,
        files: Vec<(PartitionedFile, u64)>,
    ) -> Result<Vec<(PartitionedFile, u64)>, DataFusionError> {
        let asked = files.into_iter().map(|(file, size)| async move {
            let plan = self.row_groups(&**store, footers, &file).await?;
            let is_needed = !plan.row_group_indexes().is_empty();
            Ok(is_needed.then(|| (file.with_extension(plan), size)))
        });
        let asked = stream::iter(asked).buffered(FILES_AT_ONCE);
        let needed = asked.try_filter_map(|file| std::future::ready(Ok(file)));
        needed.try_collect().await
    }

    async fn row_groups(
        &self,
        store: &dyn ObjectStore,
        footers: &Arc<FileMetadataCache>,
        file: &PartitionedFile,
    ) -> Result<ParquetAccessPlan, DataFusionError> {
        let metadata = DFParquetMetadata::new(store, &file.object_meta)
            .with_metadata_size_hint(Some(FOOTER_BYTES))
            .with_file_metadata_cache(Some(Arc::clone(footers)));
        let metadata = metadata.fetch_metadata().await?;
        let mut plan = ParquetAccessPlan::new_all(metadata.num_row_groups());
        for any in &self.0 {
            let columns: BTreeSet<&str> = any.iter().map(|(column, _)| column.as_str()).collect();
            let stored = stored(&metadata, &columns);
            let ranges: Vec<_> = stored.iter().map(|of| of.range.clone()).collect();
            let bytes = store
                .get_ranges(&file.object_meta.location, &ranges)
                .await?;
            // A row group of which a filter is missing may have anything.
            let mut asked = vec![0; metadata.num_row_groups()];
            let mut may_have = vec![false; metadata.num_row_groups()];
            for (of, bytes) in stored.iter().zip(bytes) {
                let filter = Sbbf::from_bytes(&bytes)?;
                let own = any.iter().filter(|(column, _)| column == of.column);
                asked[of.row_group] += 1;
                may_have[of.row_group] |= own
                    .map(|(_, value)| value)
                    .any(|value| filter.check(value.as_str()));
            }
            for (row_group, asked) in asked.into_iter().enumerate() {
                if asked == columns.len() && !may_have[row_group] {
                    plan.skip(row_group);
                }
            }
        }
        Ok(plan)
    }
}

/// A Bloom filter in a file.
struct Stored<'a> {
    row_group: usize,
    column: &'a str,
    range: Range<u64>,
}

/// The Bloom filters that these columns have.
fn stored<'a>(metadata: &ParquetMetaData, columns: &BTreeSet<&'a str>) -> Vec<Stored<'a>> {
    let mut all = Vec::new();
    for (row_group, of) in metadata.row_groups().iter().enumerate() {
        for chunk in of.columns() {
            let column = columns.get(chunk.column_descr().name());
            let from = chunk
                .bloom_filter_offset()
                .and_then(|at| u64::try_from(at).ok());
            let len = chunk
                .bloom_filter_length()
                .and_then(|len| u64::try_from(len).ok());
            if let (Some(column), Some(from), Some(len)) = (column, from, len) {
                let range = from..from.saturating_add(len);
                all.push(Stored {
                    row_group,
                    column,
                    range,
                });
            }
        }
    }
    all
}

/// Whether a filter asks that one of some columns with Bloom filters has a value, and which.
fn is_any(table: Table, filter: &Expr, any: &mut AnyOf) -> bool {
    let mut equals = |column: &Expr, value: &Expr| match (column, value) {
        (Expr::Column(column), Expr::Literal(value, _))
            if table.looked_up_by().contains(&column.name()) =>
        {
            let text = value.try_as_str().flatten();
            any.extend(text.map(|text| (column.name().to_owned(), text.to_owned())));
            text.is_some()
        }
        _ => false,
    };
    match filter {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Or,
            right,
        }) => is_any(table, left, any) && is_any(table, right, any),
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Eq,
            right,
        }) => equals(left, right) || equals(right, left),
        Expr::InList(list) if !list.negated => {
            list.list.iter().all(|value| equals(&list.expr, value))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::common::ScalarValue;
    use datafusion::prelude::{col, lit};

    use super::*;

    fn of(filter: Expr) -> Option<Lookups> {
        Lookups::of(Table::Flows, &[filter])
    }

    #[test]
    fn what_one_of_several_columns_has_is_looked_up() {
        let either = col("srcaddr")
            .eq(lit("192.0.2.1"))
            .or(lit("192.0.2.2").eq(col("dstaddr")));
        let pair = |column: &str, value: &str| (column.to_owned(), value.to_owned());
        let wanted = vec![pair("srcaddr", "192.0.2.1"), pair("dstaddr", "192.0.2.2")];
        assert_eq!(of(either.clone()), Some(Lookups(vec![wanted.clone()])));
        // Whatever else is asked, and however often.
        let more = either.clone().and(col("bytes").gt(lit(5))).and(either);
        assert_eq!(of(more), Some(Lookups(vec![wanted.clone(), wanted])));
        let listed = col("srcaddr")
            .in_list(vec![lit("a"), lit("b")], false)
            .or(col("dstaddr").eq(lit("c")));
        let wanted = vec![
            pair("srcaddr", "a"),
            pair("srcaddr", "b"),
            pair("dstaddr", "c"),
        ];
        assert_eq!(of(listed), Some(Lookups(vec![wanted])));
    }

    #[test]
    fn what_other_rows_may_have_too_is_not() {
        let source = || col("srcaddr").eq(lit("192.0.2.1"));
        // One column alone is the engine's.
        assert_eq!(of(source()), None);
        assert_eq!(of(source().or(col("srcaddr").eq(lit("192.0.2.2")))), None);
        for other in [
            col("dstaddr").not_eq(lit("192.0.2.1")),
            col("dstaddr").eq(col("srcaddr")),
            col("dstport").eq(lit(53)),
            col("dstaddr").is_null(),
            col("dstaddr").in_list(vec![lit("192.0.2.1")], true),
            // No filter is kept of it.
            col("interface_id").eq(lit("eni-1")),
            // Nothing equals null, but that is for the engine to find.
            col("dstaddr").eq(lit(ScalarValue::Utf8View(None))),
        ] {
            assert_eq!(of(source().or(other.clone())), None, "{other}");
            assert_eq!(of(other.clone().or(source())), None, "{other}");
        }
    }
}
