//! The coarse rollup of rows of `flows`: what an interface exchanged in an hour, and with how many addresses.
//!
//! It is held until a batch of objects ends, across row groups, so that an interface has few rows an hour however its records come.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use outflow_sketch::{Distinct, hash64};

use super::column::{Column, NULL};
use super::rolled::{DIRECTION, INTERFACE_ID, Ordered, REMOTE_ADDR, Sums, TEXTS, add_up, nothing};
use super::texts::{Interned, places};
use super::{BUCKET_MICROS, FlowRows, HOUR_MICROS, Of, SortedFlows};
use crate::Error;
use crate::error::EncodeError;
use crate::table::{Table, UTC};

/// Rows that are held, at most: with what they count some 50 MB.
const HOURS_MAX: usize = 1 << 16;

/// Rows of `hours` of one partition.
#[derive(Debug, Default)]
pub struct Hours {
    texts: Interned<Box<str>>,
    found: HashMap<Key, usize, FixedState>,
    rows: Vec<Hour>,
}

/// What rows have in common that are summed up; [`NULL`] is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    hour: i64,
    texts: [i32; TEXTS],
    counted: bool,
}

#[derive(Debug)]
struct Hour {
    key: Key,
    sums: Sums,
    /// The addresses that it sent to, if it sent.
    sent_to: Option<Distinct>,
}

/// Rows that are being added.
pub(crate) struct Adding<'a> {
    hours: &'a mut Hours,
    columns: [&'a Column; TEXTS],
    /// By place of an address, the hash by which it is counted.
    hashes: Vec<u64>,
    /// Those of a stretch.
    sent_to: Vec<u64>,
    /// Key of the direction in which an interface sends.
    egress: i32,
    /// By the keys that these rows have, the place of an hour.
    found: HashMap<Key, usize, FixedState>,
}

impl Hours {
    /// Whether they are as many as memory is to hold.
    pub fn are_full(&self) -> bool {
        self.rows.len() >= HOURS_MAX
    }

    /// Begins to add rows that have this order.
    pub(crate) fn adding<'a>(
        &'a mut self,
        rows: &'a FlowRows,
        sorted: &SortedFlows<'_>,
    ) -> Adding<'a> {
        let texts = sorted.addresses.texts.iter();
        Adding {
            hours: self,
            columns: rows.text_columns(),
            hashes: texts.map(|text| hash64(text.as_bytes())).collect(),
            sent_to: Vec::new(),
            egress: rows.enriched(Of::Direction).key_of("egress"),
            found: HashMap::default(),
        }
    }

    /// Hands out all rows in the order of the table, with the columns of its files, and starts anew.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn take(&mut self) -> Result<RecordBatch, Error> {
        let Self { texts, rows, .. } = std::mem::take(self);
        let rows = sorted(&rows, texts.values());
        let time = |of: &dyn Fn(&Hour) -> i64| -> ArrayRef {
            let times = TimestampMicrosecondArray::from_iter_values(rows.iter().copied().map(of));
            Arc::new(times.with_timezone(UTC))
        };
        let count = |at: usize| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(
                rows.iter().map(|row| row.sums[at]),
            ))
        };
        let mut columns = vec![time(&|row| row.key.hour)];
        columns.extend((0..TEXTS).map(|at| {
            let mut column = StringBuilder::new();
            for row in &rows {
                let number = usize::try_from(row.key.texts[at]).ok();
                column.append_option(number.map(|number| &*texts.values()[number]));
            }
            Arc::new(column.finish()) as ArrayRef
        }));
        let counted: BooleanArray = rows.iter().map(|row| Some(row.key.counted)).collect();
        columns.push(Arc::new(counted));
        columns.extend((0..4).map(count));
        columns.extend([time(&|row| row.sums[4]), time(&|row| row.sums[5])]);
        let (mut sketches, mut bytes) = (BinaryBuilder::new(), Vec::new());
        for row in &rows {
            bytes.clear();
            if let Some(sent_to) = &row.sent_to {
                sent_to.encode(&mut bytes);
            }
            sketches.append_option(row.sent_to.is_some().then_some(&bytes));
        }
        columns.push(Arc::new(sketches.finish()));
        let rows = RecordBatch::try_new(Table::Hours.file_schema(), columns);
        Ok(rows.map_err(EncodeError::from)?)
    }
}

/// Rows as [`Table::sorted_by`] says, by hour, and by interface within it: by the places of their texts, which are quicker to compare than these.
fn sorted<'r>(rows: &'r [Hour], texts: &[Box<str>]) -> Vec<&'r Hour> {
    let places = places(texts);
    let place = |row: &Hour| {
        let interface = usize::try_from(row.key.texts[INTERFACE_ID]).ok();
        interface.map(|text| places[text])
    };
    let mut sorted: Vec<&Hour> = rows.iter().collect();
    sorted.sort_by_cached_key(|row| (row.key.hour, place(row)));
    sorted
}

impl Adding<'_> {
    /// Adds a stretch of rows, of the ten minutes with this number.
    pub(crate) fn add(&mut self, of: &Ordered, stretch: Range<usize>, bucket: i64) {
        let key = Key {
            hour: bucket.div_euclid(HOUR_MICROS / BUCKET_MICROS),
            texts: of.texts(stretch.start),
            counted: of.counted[stretch.start],
        };
        let place = match self.found.get(&key) {
            Some(place) => *place,
            None => self.place(key),
        };
        let hour = &mut self.hours.rows[place];
        let mut sums = hour.sums;
        for row in stretch.clone() {
            add_up(&mut sums, of.sums(row));
        }
        hour.sums = sums;
        if let Some(sent_to) = &mut hour.sent_to {
            let addresses = of.keys(REMOTE_ADDR)[stretch].iter();
            let addresses = addresses.filter_map(|addr| usize::try_from(*addr).ok());
            self.sent_to.clear();
            self.sent_to.extend(addresses.map(|addr| self.hashes[addr]));
            sent_to.insert_hashes(&mut self.sent_to);
        }
    }

    /// Where the hour of such rows stands; from now on known.
    fn place(&mut self, key: Key) -> usize {
        let mut own = Key {
            hour: key.hour.saturating_mul(HOUR_MICROS),
            ..key
        };
        let hours = &mut *self.hours;
        for (number, column) in own.texts.iter_mut().zip(self.columns) {
            let (_, values) = column.texts();
            *number = match usize::try_from(*number) {
                Ok(at) => hours.texts.number(&*values[at], |text| Box::from(text)),
                Err(_) => NULL,
            };
        }
        let place = *hours.found.entry(own).or_insert_with(|| {
            hours.rows.push(Hour {
                key: own,
                sums: nothing(),
                sent_to: (key.texts[DIRECTION] == self.egress && self.egress != NULL)
                    .then(Distinct::new),
            });
            hours.rows.len() - 1
        });
        self.found.insert(key, place);
        place
    }
}
