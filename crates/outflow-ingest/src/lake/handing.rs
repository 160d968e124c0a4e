//! Rows that are handed on as they are decoded.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use arrow_array::RecordBatch;
use outflow_lake::{EncodeError, Error, FlowRows, Partition, Seen, Table};

/// Takes rows of one partition, and says whether it wants more.
pub(super) type Hand<'a> = &'a mut dyn FnMut(&Partition, &RecordBatch) -> ControlFlow<()>;

/// Rows of one table on their way to who asks for them.
pub(super) struct Handing<'a> {
    table: Table,
    columns: &'a BTreeSet<String>,
    flows: FlowRows,
    hand: Hand<'a>,
    /// Whether more is wanted.
    wanted: ControlFlow<()>,
}

impl<'a> Handing<'a> {
    /// Of a table these columns, to `hand`.
    pub(super) fn new(table: Table, columns: &'a BTreeSet<String>, hand: Hand<'a>) -> Self {
        Self {
            table,
            columns,
            flows: FlowRows::of_columns(columns),
            hand,
            wanted: ControlFlow::Continue(()),
        }
    }

    /// Whether more is wanted.
    pub(super) fn wanted(&self) -> ControlFlow<()> {
        self.wanted
    }

    /// Hands on these rows of a batch of flows.
    pub(super) fn append_flows(
        &mut self,
        partition: &Partition,
        seen: &Seen<'_>,
        rows: &[u32],
    ) -> Result<(), Error> {
        if self.table != Table::Flows || self.wanted.is_break() {
            return Ok(());
        }
        self.flows.append(seen, rows);
        let batch = self.flows.batch(self.columns);
        self.flows.clear();
        self.wanted = (self.hand)(partition, &batch.map_err(EncodeError::from)?);
        Ok(())
    }

    /// Hands on rows of another table.
    pub(super) fn append(
        &mut self,
        table: Table,
        partition: &Partition,
        rows: &RecordBatch,
    ) -> Result<(), Error> {
        if self.table != table || rows.num_rows() == 0 || self.wanted.is_break() {
            return Ok(());
        }
        let schema = rows.schema();
        let fields = schema.fields().iter().enumerate();
        let places = fields.filter(|(_, field)| self.columns.contains(field.name()));
        let places: Vec<usize> = places.map(|(at, _)| at).collect();
        let batch = rows.project(&places).map_err(EncodeError::from)?;
        self.wanted = (self.hand)(partition, &batch);
        Ok(())
    }
}
