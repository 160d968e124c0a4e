//! A table of a lake, as the engine reads it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use outflow_lake::table::{DAY, REGION};
use outflow_lake::{DataFile, Table};

use crate::files::{Told, may_hold, partition_value};
use crate::lookups::Lookups;
use crate::scattered::are_scattered;

/// A file's footer is fetched with this many of its last bytes, mostly in one request.
pub(crate) const FOOTER_BYTES: usize = 256 << 10;

/// A table at one version: its files, which are read from a store.
#[derive(Debug)]
pub(crate) struct LakeTable {
    table: Table,
    schema: TableSchema,
    files: Vec<DataFile>,
    store: ObjectStoreUrl,
}

/// The columns of a table as the engine has them: texts as views, which are cheap to group by and to compare.
pub(crate) fn schema(table: Table) -> TableSchema {
    let viewed = |field: &FieldRef| -> FieldRef {
        let kind = match field.data_type() {
            DataType::Utf8 => DataType::Utf8View,
            DataType::Binary => DataType::BinaryView,
            other => other.clone(),
        };
        Arc::new(Field::clone(field).with_data_type(kind))
    };
    let file = table.file_schema();
    let columns: Vec<FieldRef> = file.fields().iter().map(viewed).collect();
    let whole = table.schema();
    let partition = [DAY, REGION].map(|name| whole.field_with_name(name).cloned().ok());
    let partition = partition.into_iter().flatten().map(Arc::new);
    TableSchema::builder(Arc::new(Schema::new(columns)))
        .with_table_partition_cols(partition.map(|field| viewed(&field)).collect::<Vec<_>>())
        .build()
}

impl LakeTable {
    /// A table with these files.
    pub(crate) fn new(table: Table, files: Vec<DataFile>, store: ObjectStoreUrl) -> Self {
        Self {
            table,
            schema: schema(table),
            files,
            store,
        }
    }

    /// The files that may hold what these filters let through.
    fn needed(
        &self,
        state: &dyn Session,
        filters: &[Expr],
    ) -> Result<Vec<&DataFile>, DataFusionError> {
        let all = || self.files.iter().collect();
        let Some(filter) = conjunction(filters.iter().cloned()) else {
            return Ok(all());
        };
        let schema = Arc::clone(self.schema.table_schema());
        let told = Told::of(&self.files, Arc::clone(&schema));
        let needed = may_hold(state, filter, &schema, &told)?;
        let needed = self.files.iter().zip(needed);
        Ok(needed
            .filter(|(_, needed)| *needed)
            .map(|(file, _)| file)
            .collect())
    }

    async fn plan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let needed = self.needed(state, filters)?;
        let rows: u64 = needed.iter().map(|file| file.rows).sum();
        let bytes: u64 = needed.iter().map(|file| file.size).sum();
        let mut statistics = Statistics::new_unknown(self.schema.table_schema());
        statistics.num_rows = exact(rows);
        statistics.total_byte_size = exact(bytes).to_inexact();
        let all = self.schema.table_schema().fields().len();
        let columns = projection.map_or(all, Vec::len);
        let mut options = state.table_options().parquet.clone();
        // Rows that a filter lets through are few in most questions of forensics: the other columns are read for those alone.
        options.global.pushdown_filters = !are_scattered(filters, columns);
        let store = state.runtime_env().object_store(&self.store)?;
        // Files never change: a footer that was read stays, also for the other parts of its file.
        let footers = state.runtime_env().cache_manager.get_file_metadata_cache();
        let reader = CachedParquetFileReaderFactory::new(Arc::clone(&store), Arc::clone(&footers));
        let source = ParquetSource::new(self.schema.clone())
            .with_table_parquet_options(options)
            .with_metadata_size_hint(FOOTER_BYTES)
            .with_parquet_file_reader_factory(Arc::new(reader));
        let files = needed
            .into_iter()
            .map(|file| Ok((stored(file)?, file.size)));
        let mut files = files.collect::<Result<Vec<_>, DataFusionError>>()?;
        if let Some(lookups) = Lookups::of(self.table, filters) {
            files = lookups.may_be_in(&store, &footers, files).await?;
            statistics = statistics.to_inexact();
        }
        let groups = spread(files, state.config().target_partitions());
        let groups = groups.into_iter().map(FileGroup::new).collect();
        let scan = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}

/// What is read, with its bytes, in so many groups, alike in bytes; at least one group, and of one order the
/// same groups.
pub(crate) fn spread<T>(all: Vec<(T, u64)>, groups: usize) -> Vec<Vec<T>> {
    let count = groups.clamp(1, all.len().max(1));
    let mut spread: Vec<(u64, Vec<T>)> = (0..count).map(|_| (0, Vec::new())).collect();
    for (one, size) in all {
        if let Some((bytes, group)) = spread.iter_mut().min_by_key(|(bytes, _)| *bytes) {
            // What is empty costs its opening.
            *bytes += size.max(1);
            group.push(one);
        }
    }
    spread.into_iter().map(|(_, group)| group).collect()
}

fn exact(count: u64) -> Precision<usize> {
    usize::try_from(count).map_or(Precision::Absent, Precision::Exact)
}

fn stored(file: &DataFile) -> Result<PartitionedFile, DataFusionError> {
    let value = |column: &str| match partition_value(file, column) {
        Some(value) => Ok(value),
        None => schema(file.table)
            .table_schema()
            .field_with_name(column)?
            .data_type()
            .try_into(),
    };
    let values = vec![value(DAY)?, value(REGION)?];
    let stored = PartitionedFile::new(file.location(), file.size);
    Ok(stored.with_partition_values(values))
}

impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// What the trait's macro writes, by hand: macros over types of the engine take seconds to compile.
    fn scan<'s, 'state, 'projection, 'filters, 'all>(
        &'s self,
        state: &'state dyn Session,
        projection: Option<&'projection Vec<usize>>,
        filters: &'filters [Expr],
        limit: Option<usize>,
    ) -> Pin<Box<dyn Future<Output = Result<Arc<dyn ExecutionPlan>, DataFusionError>> + Send + 'all>>
    where
        's: 'all,
        'state: 'all,
        'projection: 'all,
        'filters: 'all,
        Self: 'all,
    {
        Box::pin(self.plan(state, projection, filters, limit))
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>, DataFusionError> {
        // They choose files here; rows are told apart by the engine, which hands them on to the reader of Parquet.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
