//! The coarse rollup of rows of `flows`: what an interface exchanged in an hour, and with how many addresses.
//!
//! It is held until a batch of objects ends, across row groups, so that an interface has few rows an hour however its records come.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use outflow_record::Field;
use outflow_sketch::{Distinct, hash64};

use super::column::{Column, NULL};
use super::profiles::{Row, Sums, add_up, nothing};
use super::texts::Interned;
use super::{FlowRows, HOUR_MICROS, Of, SortedFlows};
use crate::Error;
use crate::error::EncodeError;
use crate::table::{Table, UTC};

/// Rows that are held, at most: with what they count some 50 MB.
const HOURS_MAX: usize = 1 << 16;

/// Texts that rows have in common, in the order of the table's columns.
const TEXTS: usize = 8;

/// Which of them is the direction.
const DIRECTION: usize = 5;

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
    /// By key of an address, the hash by which it is counted.
    hashes: Vec<u64>,
    /// Key of the direction in which an interface sends.
    egress: i32,
    /// By the keys that these rows have, the place of an hour.
    found: HashMap<Key, usize, FixedState>,
    /// The last two, the newest first: rows mostly change between what stays inside and what leaves.
    last: [Option<(Key, usize)>; 2],
}

/// The columns of the texts, in their order.
fn columns_of(rows: &FlowRows) -> [&Column; TEXTS] {
    [
        rows.aws(Field::AccountId),
        rows.aws(Field::InterfaceId),
        rows.aws(Field::VpcId),
        rows.enriched(Of::Workload),
        rows.enriched(Of::FlowLogId),
        rows.enriched(Of::Direction),
        rows.enriched(Of::Scope),
        rows.aws(Field::Action),
    ]
}

/// What a row has in them, by key.
fn texts_of(row: &Row) -> [i32; TEXTS] {
    let key = &row.key;
    [
        key.account_id,
        key.interface_id,
        key.vpc_id,
        key.workload,
        key.flow_log_id,
        key.direction.into(),
        key.scope.into(),
        key.action,
    ]
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
        let mut hashes = vec![0; sorted.addresses.len()];
        for (key, text) in sorted.addresses.iter() {
            hashes[key as usize] = hash64(text.as_bytes());
        }
        Adding {
            hours: self,
            columns: columns_of(rows),
            hashes,
            egress: rows.enriched(Of::Direction).key_of("egress"),
            found: HashMap::default(),
            last: [None; 2],
        }
    }

    /// Hands out all rows, with the columns of the table's files, and starts anew.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn take(&mut self) -> Result<RecordBatch, Error> {
        let Self { texts, rows, .. } = std::mem::take(self);
        let time = |of: &dyn Fn(&Hour) -> i64| -> ArrayRef {
            let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(of));
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

impl Adding<'_> {
    /// Adds a row.
    pub(crate) fn add(&mut self, row: &Row) {
        let key = Key {
            hour: row.start().div_euclid(HOUR_MICROS),
            texts: texts_of(row),
            counted: row.key.counted,
        };
        let known = self.last.iter().flatten().find(|last| last.0 == key);
        let place = match known {
            Some((_, place)) => *place,
            None => match self.found.get(&key) {
                Some(place) => *place,
                None => self.place(key),
            },
        };
        let is_newest = self.last[0].is_some_and(|newest| newest.0 == key);
        if !is_newest {
            self.last = [Some((key, place)), self.last[0]];
        }
        let hour = &mut self.hours.rows[place];
        add_up(&mut hour.sums, row.sums());
        if let (Some(sent_to), Ok(addr)) = (&mut hour.sent_to, usize::try_from(row.key.remote_addr))
        {
            sent_to.insert_hash(self.hashes[addr]);
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
