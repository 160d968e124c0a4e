//! The rows of a batch, source by source.

use std::ops::Range;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array as _, RecordBatch, StringArray, UInt32Array};
use outflow_lake::table::{SOURCE_ID, SOURCE_ROW};

use super::catalog::Catalog;

/// Rows that are read at once. Those of one source lie among those of all that tell of the same minutes: the more rows
/// are looked at together, the fewer parts there are.
pub(super) const ROWS_AT_ONCE: usize = 64 << 10;

/// Rows of one source that have one layout.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Number of the source.
    pub(super) source: u32,
    /// Number of the layout among those of the source.
    pub(super) layout: usize,
    /// Where the rows are, once they are in the order of [`Parts::order`].
    pub(super) rows: Range<usize>,
}

/// The parts of a batch.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) parts: Vec<Part>,
    /// The rows, part by part; none if they are so already.
    pub(super) order: Option<UInt32Array>,
    /// Rows of sources that the journal does not know.
    pub(super) unknown: u64,
}

/// Whose a row is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owner {
    /// A source that is wanted, by its number.
    Wanted(u32),
    /// One that is known and not wanted.
    Unwanted,
    /// One that the journal does not know: its batch was decided, and is not complete.
    Unknown,
}

/// The owner of each row of a batch; each source is looked up once.
pub(super) struct Owners<'b> {
    keys: &'b [i32],
    by_key: Vec<Owner>,
}

impl<'b> Owners<'b> {
    /// None if the batch does not have the column that tells.
    pub(super) fn of(batch: &'b RecordBatch, catalog: &Catalog) -> Option<Self> {
        let ids = batch
            .column_by_name(SOURCE_ID)?
            .as_dictionary_opt::<Int32Type>()?;
        let texts: &StringArray = ids.values().as_string_opt()?;
        if ids.null_count() > 0 {
            return None;
        }
        let keys: &[i32] = ids.keys().values();
        let mut is_used = vec![false; texts.len()];
        for key in keys {
            *is_used.get_mut(usize::try_from(*key).ok()?)? = true;
        }
        let owner = |(at, is_used): (usize, bool)| {
            if !is_used {
                return Owner::Unwanted;
            }
            match catalog.number(texts.value(at)) {
                Some(Some(number)) => Owner::Wanted(number),
                Some(None) => Owner::Unwanted,
                None => Owner::Unknown,
            }
        };
        Some(Self {
            keys,
            by_key: is_used.into_iter().enumerate().map(owner).collect(),
        })
    }

    /// Row by row: the key of its source in this batch, and the source.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, Owner)> + '_ {
        // Keys were checked above: none is negative, and each has an owner.
        let keys = self.keys.iter().map(|key| key.unsigned_abs() as usize);
        keys.map(|key| (key, self.by_key[key]))
    }
}

impl Parts {
    /// Splits a batch; none if it lacks the columns that tell its sources.
    pub(super) fn of(batch: &RecordBatch, catalog: &Catalog) -> Option<Self> {
        let owners = Owners::of(batch, catalog)?;
        let numbers = batch.column_by_name(SOURCE_ROW);
        let numbers = numbers.and_then(|column| column.as_primitive_opt::<Int64Type>());
        // Rows by part. The parts of a source follow one another, from the place that its key has.
        let mut rows_of: Vec<(u32, usize, Vec<u32>)> = Vec::new();
        let mut places: Vec<Option<usize>> = vec![None; owners.by_key.len()];
        let mut unknown = 0;
        for (row, (key, owner)) in (0..).zip(owners.iter()) {
            let source = match owner {
                Owner::Wanted(source) => source,
                Owner::Unwanted => continue,
                Owner::Unknown => {
                    unknown += 1;
                    continue;
                }
            };
            let layouts = &catalog.sources()[source as usize].layouts;
            let place = *places[key].get_or_insert_with(|| {
                let place = rows_of.len();
                rows_of.extend((0..layouts.len().max(1)).map(|layout| (source, layout, vec![])));
                place
            });
            let layout = if layouts.len() > 1 {
                let number = numbers?.value(row as usize);
                layouts
                    .partition_point(|(first, _)| *first <= number)
                    .checked_sub(1)?
            } else {
                0
            };
            rows_of[place + layout].2.push(row);
        }
        rows_of.retain(|(_, _, rows)| !rows.is_empty());
        let mut parts = Vec::with_capacity(rows_of.len());
        let mut order: Vec<u32> = Vec::with_capacity(batch.num_rows());
        for (source, layout, rows) in rows_of {
            let from = order.len();
            order.extend(rows);
            parts.push(Part {
                source,
                layout,
                rows: from..order.len(),
            });
        }
        let is_so = parts.len() <= 1 && order.len() == batch.num_rows();
        Some(Self {
            parts,
            order: (!is_so).then(|| UInt32Array::from(order)),
            unknown,
        })
    }
}
