//! Rows of tables other than `flows` on their way into a file.

use arrow_array::RecordBatch;
use arrow_ord::sort::{SortColumn, SortOptions, lexsort_to_indices};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;

use crate::Error;
use crate::error::EncodeError;
use crate::file::stands_for;
use crate::table::Table;

/// Batches of rows of one table and partition; handed out as one, sorted.
#[derive(Debug)]
pub struct RowBatches {
    table: Table,
    batches: Vec<RecordBatch>,
    len: usize,
}

impl RowBatches {
    /// None yet.
    pub fn new(table: Table) -> Self {
        Self {
            table,
            batches: Vec::new(),
            len: 0,
        }
    }

    /// Rows held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends rows that have the columns of the table's files, all batches in the same types.
    ///
    /// # Errors
    /// [`Error::Encode`] if they have not, which is a fault of the program.
    pub fn append(&mut self, rows: RecordBatch) -> Result<(), Error> {
        let schema = self.table.file_schema();
        let fits = rows.num_columns() == schema.fields().len()
            && rows
                .schema()
                .fields()
                .iter()
                .zip(schema.fields())
                .all(|(has, wanted)| {
                    has.name() == wanted.name() && stands_for(has.data_type(), wanted.data_type())
                });
        if !fits {
            let name = self.table.name();
            let what = format!("rows do not have the columns of `{name}`");
            return Err(EncodeError::Arrow(arrow_schema::ArrowError::SchemaError(what)).into());
        }
        self.len += rows.num_rows();
        self.batches.push(rows);
        Ok(())
    }

    /// Hands out all rows, sorted, and starts anew.
    ///
    /// # Errors
    /// [`Error::Encode`] if batches are of different types, which is a fault of the program.
    pub fn take_sorted(&mut self) -> Result<RecordBatch, Error> {
        let batches = std::mem::take(&mut self.batches);
        self.len = 0;
        let Some(first) = batches.first() else {
            return Ok(RecordBatch::new_empty(self.table.file_schema()));
        };
        let all = concat_batches(&first.schema(), &batches).map_err(EncodeError::from)?;
        let columns: Vec<SortColumn> = self
            .table
            .sorted_by()
            .iter()
            .filter_map(|key| key.of(&all))
            .map(|values| SortColumn {
                values,
                options: Some(SortOptions {
                    descending: false,
                    nulls_first: true,
                }),
            })
            .collect();
        let order = lexsort_to_indices(&columns, None).map_err(EncodeError::from)?;
        if order.values().iter().zip(0..).all(|(row, at)| *row == at) {
            return Ok(all);
        }
        Ok(take_record_batch(&all, &order).map_err(EncodeError::from)?)
    }
}
