//! Sorted row groups of several files as one sorted stream.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow_array::{Array as _, RecordBatch};
use arrow_row::{RowConverter, Rows, SortField};
use arrow_select::interleave::interleave_record_batch;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};

use crate::Error;
use crate::error::EncodeError;
use crate::lake::{DataFile, Lake};
use crate::read::unread;
use crate::table::{SortKey, Table};

/// Rows that are handed out together at most.
const PIECE_ROWS_MAX: usize = 16 << 10;

/// Rows that all row groups together have decoded at once; where there are many of them, each has fewer.
const DECODED_ROWS_MAX: usize = 128 << 10;

/// Rows that a row group has decoded at least, so that decoding does not cost a step for each row.
const DECODED_ROWS_MIN: usize = 128;

/// Row groups, and the next row of each.
pub(super) struct Merge<'a> {
    converter: RowConverter,
    sorted_by: &'static [SortKey],
    runs: Vec<Run<'a>>,
    heads: BinaryHeap<Reverse<Head>>,
    /// The batches that heads, and rows of the piece under way, are in.
    held: Vec<RecordBatch>,
}

struct Run<'a> {
    file: &'a DataFile,
    reader: ParquetRecordBatchReader,
}

/// The next row of a run.
struct Head {
    keys: Arc<Rows>,
    row: usize,
    run: usize,
    /// Where in `held` its batch is.
    batch: usize,
}

impl<'a> Merge<'a> {
    /// Begins with the rows of these files of a table.
    pub(super) fn of(lake: &Lake, table: Table, files: &'a [DataFile]) -> Result<Self, Error> {
        let none = RecordBatch::new_empty(table.file_schema());
        let sorted_by = table.sorted_by();
        let keys = sorted_by.iter().filter_map(|key| key.of(&none));
        let fields = keys.map(|keys| SortField::new(keys.data_type().clone()));
        let converter = RowConverter::new(fields.collect()).map_err(EncodeError::from)?;
        let mut merge = Self {
            converter,
            sorted_by,
            runs: runs(lake, files)?,
            heads: BinaryHeap::new(),
            held: Vec::new(),
        };
        for run in 0..merge.runs.len() {
            merge.advance(run)?;
        }
        Ok(merge)
    }

    /// The next rows; none at the end.
    pub(super) fn next_piece(&mut self) -> Result<Option<RecordBatch>, Error> {
        let mut taken: Vec<(usize, usize)> = Vec::with_capacity(PIECE_ROWS_MAX);
        while taken.len() < PIECE_ROWS_MAX
            && let Some(Reverse(mut head)) = self.heads.pop()
        {
            taken.push((head.batch, head.row));
            head.row += 1;
            if head.row < head.keys.num_rows() {
                self.heads.push(Reverse(head));
            } else {
                self.advance(head.run)?;
            }
        }
        if taken.is_empty() {
            return Ok(None);
        }
        let held: Vec<&RecordBatch> = self.held.iter().collect();
        let piece = interleave_record_batch(&held, &taken).map_err(EncodeError::from)?;
        self.let_go();
        Ok(Some(piece))
    }

    /// Decodes the next rows of a run, unless it is at its end.
    fn advance(&mut self, run: usize) -> Result<(), Error> {
        let Run { file, reader } = &mut self.runs[run];
        let Some(batch) = reader.find(|batch| !matches!(batch, Ok(rows) if rows.num_rows() == 0))
        else {
            return Ok(());
        };
        let batch = batch.map_err(|error| unread(file, error))?;
        let columns: Vec<_> = self
            .sorted_by
            .iter()
            .filter_map(|key| key.of(&batch))
            .collect();
        let keys = self.converter.convert_columns(&columns);
        self.heads.push(Reverse(Head {
            keys: Arc::new(keys.map_err(EncodeError::from)?),
            row: 0,
            run,
            batch: self.held.len(),
        }));
        self.held.push(batch);
        Ok(())
    }

    /// Lets go of batches of which every row was handed out.
    fn let_go(&mut self) {
        let held = std::mem::take(&mut self.held);
        let heads = std::mem::take(&mut self.heads).into_vec();
        for Reverse(mut head) in heads {
            // A head has a batch of its own.
            self.held.push(held[head.batch].clone());
            head.batch = self.held.len() - 1;
            self.heads.push(Reverse(head));
        }
    }
}

/// The row groups of files, each as a reader. Each is sorted, but a file of several is not. Files of a lake that was made when rows had
/// another order are joined as they lie: nothing is lost, and what asks for little reads more.
fn runs<'a>(lake: &Lake, files: &'a [DataFile]) -> Result<Vec<Run<'a>>, Error> {
    let mut stored = Vec::with_capacity(files.len());
    for file in files {
        let bytes = lake.fetch(file)?;
        let metadata = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new());
        stored.push((file, bytes, metadata.map_err(|error| unread(file, error))?));
    }
    let groups = stored.iter().map(|(.., of)| of.metadata().num_row_groups());
    let rows = DECODED_ROWS_MAX / groups.sum::<usize>().max(1);
    let mut runs = Vec::new();
    for (file, bytes, metadata) in stored {
        for group in 0..metadata.metadata().num_row_groups() {
            let reader =
                ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), metadata.clone())
                    .with_row_groups(vec![group])
                    .with_batch_size(rows.max(DECODED_ROWS_MIN))
                    .build()
                    .map_err(|error| unread(file, error))?;
            runs.push(Run { file, reader });
        }
    }
    Ok(runs)
}

impl Ord for Head {
    /// By key; of equal ones, the run that comes first.
    fn cmp(&self, other: &Self) -> Ordering {
        let keys = self.keys.row(self.row).cmp(&other.keys.row(other.row));
        keys.then(self.run.cmp(&other.run))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

#[cfg(test)]
mod tests;
