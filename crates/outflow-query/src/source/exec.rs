//! Objects, decoded on as many threads as a query may take.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_cast::cast;
use arrow_schema::SchemaRef;
use datafusion::arrow::compute::filter_record_batch;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet,
};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use outflow_ingest::Scan;
use outflow_lake::table::{DAY, REGION};
use outflow_lake::{Partition, Table};

/// Batches that are decoded and not taken yet, of each thread.
const WAITING_MAX: usize = 2;

/// What is read of objects.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) table: Table,
    /// The columns that are decoded.
    pub(super) schema: SchemaRef,
    /// Which rows go on.
    pub(super) filter: Option<Arc<dyn PhysicalExpr>>,
    /// Which of the columns go on, and in which order.
    pub(super) places: Vec<usize>,
    /// Rows of each thread at most.
    pub(super) limit: Option<usize>,
}

/// Reads objects.
pub(super) struct SourceExec {
    scan: Arc<Scan>,
    reading: Reading,
    /// The numbers of the objects that each thread reads.
    groups: Vec<Vec<usize>>,
    /// Objects that are not opened, as their names tell that they hold nothing of what is asked.
    left_out: usize,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// What `EXPLAIN ANALYZE` tells of a thread.
struct Counts {
    baseline: BaselineMetrics,
    opened: Count,
    decoded: Count,
}

impl SourceExec {
    pub(super) fn new(
        scan: Arc<Scan>,
        reading: Reading,
        groups: Vec<Vec<usize>>,
        left_out: usize,
    ) -> Result<Self, DataFusionError> {
        let schema = Arc::new(reading.schema.project(&reading.places)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(groups.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            scan,
            reading,
            groups,
            left_out,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    fn objects(&self) -> usize {
        self.groups.iter().map(Vec::len).sum()
    }
}

impl Reading {
    /// The columns of files that are decoded.
    fn columns(&self) -> BTreeSet<String> {
        let fields = self.schema.fields().iter();
        let names = fields.map(|field| field.name().clone());
        names.filter(|name| name != DAY && name != REGION).collect()
    }

    /// What goes on of rows of a partition.
    fn rows(
        &self,
        partition: &Partition,
        rows: &RecordBatch,
    ) -> Result<RecordBatch, DataFusionError> {
        let len = rows.num_rows();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for field in self.schema.fields() {
            let column = match field.name().as_str() {
                DAY => ScalarValue::Date32(partition.day).to_array_of_size(len)?,
                REGION => ScalarValue::Utf8View(partition.region.clone()).to_array_of_size(len)?,
                name => {
                    let column = rows.column_by_name(name).ok_or_else(|| {
                        DataFusionError::Internal(format!("rows came without `{name}`"))
                    })?;
                    cast(column, field.data_type())?
                }
            };
            columns.push(column);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(len));
        let schema = Arc::clone(&self.schema);
        let mut whole = RecordBatch::try_new_with_options(schema, columns, &options)?;
        if let Some(filter) = &self.filter {
            let wanted = filter.evaluate(&whole)?.into_array(len)?;
            let wanted = wanted.as_boolean_opt().ok_or_else(|| {
                DataFusionError::Internal("a filter is neither true nor false".to_owned())
            })?;
            if wanted.null_count() > 0 || wanted.true_count() < len {
                whole = filter_record_batch(&whole, wanted)?;
            }
        }
        Ok(whole.project(&self.places)?)
    }
}

/// Reads one group, and gives its rows to `take` until that wants no more.
fn read(
    scan: &Scan,
    reading: &Reading,
    group: &[usize],
    counts: &Counts,
    take: &mut dyn FnMut(RecordBatch) -> ControlFlow<()>,
) -> Result<(), DataFusionError> {
    let columns = reading.columns();
    let mut left = reading.limit.unwrap_or(usize::MAX);
    let mut failed = None;
    let hand = &mut |partition: &Partition, rows: &RecordBatch| {
        counts.decoded.add(rows.num_rows());
        match reading.rows(partition, rows) {
            Ok(rows) if rows.num_rows() == 0 => ControlFlow::Continue(()),
            Ok(rows) => {
                let rows = rows.slice(0, rows.num_rows().min(left));
                left -= rows.num_rows();
                counts.baseline.record_output(rows.num_rows());
                take(rows)?;
                match left {
                    0 => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    let opened = scan.read(group, (reading.table, &columns), hand);
    counts
        .opened
        .add(opened.map_err(|error| DataFusionError::External(Box::new(error)))?);
    failed.map_or(Ok(()), Err)
}

impl std::fmt::Debug for SourceExec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceExec").finish_non_exhaustive()
    }
}

impl DisplayAs for SourceExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = |of: &[usize]| -> Vec<&str> {
            let fields = self.reading.schema.fields();
            of.iter().map(|at| fields[*at].name().as_str()).collect()
        };
        write!(
            f,
            "SourceExec: table={}, objects={}, left_out={}, projection=[{}]",
            self.reading.table.name(),
            self.objects(),
            self.left_out,
            names(&self.reading.places).join(", ")
        )?;
        if let Some(filter) = &self.reading.filter {
            write!(f, ", filter={filter}")?;
        }
        match self.reading.limit {
            Some(limit) => write!(f, ", limit={limit}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for SourceExec {
    fn name(&self) -> &'static str {
        "SourceExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion, DataFusionError>,
    ) -> Result<TreeNodeRecursion, DataFusionError> {
        match &self.reading.filter {
            Some(filter) => f(filter),
            None => Ok(TreeNodeRecursion::Continue),
        }
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        _: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let mut builder = RecordBatchReceiverStreamBuilder::new(self.schema(), WAITING_MAX);
        let out = builder.tx();
        let counter = |name| MetricBuilder::new(&self.metrics).counter(name, partition);
        let counts = Counts {
            baseline: BaselineMetrics::new(&self.metrics, partition),
            opened: counter("objects_opened"),
            decoded: counter("rows_decoded"),
        };
        if partition == 0 {
            counter("objects_left_out").add(self.left_out);
        }
        let (scan, reading) = (Arc::clone(&self.scan), self.reading.clone());
        let group = self.groups.get(partition).cloned().unwrap_or_default();
        builder.spawn_blocking(move || {
            let mut take = |rows| match out.blocking_send(Ok(rows)) {
                Ok(()) => ControlFlow::Continue(()),
                // Nobody wants more.
                Err(_) => ControlFlow::Break(()),
            };
            read(&scan, &reading, &group, &counts, &mut take)
        });
        Ok(builder.build())
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
