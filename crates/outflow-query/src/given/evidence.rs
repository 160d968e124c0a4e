//! Which rows show what was found, as a table.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, ArrayRef, Int64Array, RecordBatch};
use datafusion::error::DataFusionError;
use outflow_lake::table::{SOURCE_ID, SOURCE_ROW};

use super::GivenTable;
use super::columns::batch;
use crate::error::Error;

/// The table's name.
pub(super) const NAME: &str = "evidence";

/// The rows that queries of findings returned, by where they were read from: some 40 bytes each.
#[derive(Debug)]
pub struct EvidenceRows {
    findings: StringViewBuilder,
    sources: StringViewBuilder,
    rows: Vec<Option<i64>>,
}

impl Default for EvidenceRows {
    fn default() -> Self {
        Self {
            // Ids repeat: each is kept once.
            findings: StringViewBuilder::new().with_deduplicate_strings(),
            sources: StringViewBuilder::new().with_deduplicate_strings(),
            rows: Vec::new(),
        }
    }
}

impl EvidenceRows {
    /// Adds what the query of a finding returned.
    ///
    /// # Errors
    /// [`Error::Run`] if that does not tell its rows by `source_id` and `source_row`.
    pub fn add(&mut self, finding: &str, batch: &RecordBatch) -> Result<(), Error> {
        let sources = batch.column_by_name(SOURCE_ID);
        let rows = batch.column_by_name(SOURCE_ROW);
        let (Some(sources), Some(rows)) = (
            sources.and_then(|column| column.as_string_view_opt()),
            rows.and_then(|column| column.as_primitive_opt::<Int64Type>()),
        ) else {
            return Err(DataFusionError::Internal(format!(
                "the query of `{finding}` returns no `{SOURCE_ID}` and `{SOURCE_ROW}`"
            ))
            .into());
        };
        for at in 0..batch.num_rows() {
            self.findings.append_value(finding);
            match sources.is_valid(at) {
                true => self.sources.append_value(sources.value(at)),
                false => self.sources.append_null(),
            }
            self.rows.push(rows.is_valid(at).then(|| rows.value(at)));
        }
        Ok(())
    }

    /// The table `evidence`: `finding`, `source_id` and `source_row`, as often as findings have the row.
    ///
    /// # Errors
    /// [`Error::Run`] if the columns do not fit one another, which is a fault of the program.
    pub fn table(mut self) -> Result<GivenTable, Error> {
        let rows: Int64Array = self.rows.into_iter().collect();
        let (findings, sources) = (self.findings.finish(), self.sources.finish());
        Ok(GivenTable {
            name: NAME,
            batch: batch(vec![
                ("finding", Arc::new(findings) as ArrayRef),
                (SOURCE_ID, Arc::new(sources)),
                (SOURCE_ROW, Arc::new(rows)),
            ])?,
        })
    }
}
