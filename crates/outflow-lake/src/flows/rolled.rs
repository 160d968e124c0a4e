//! What of rows of `flows` is rolled up, in the order in which the rows are stored.
//!
//! A row group brings its columns into their order anyway; those that are rolled up are kept until it is written. Rows that
//! follow one another have most in common then, so that they are rolled up stretch by stretch.

use std::ops::Range;

use outflow_record::Field;

use super::column::{Column, LONG_NULL, NULL};
use super::{BUCKET_MICROS, FlowRows, Of, place_of_aws};

/// Columns of texts that all rows of a stretch have in common, in the order of the table `hours`.
pub(super) const TEXTS: usize = 8;

/// Which of them are those that rows are sorted by. A row without a scope lacks what a flow needs.
pub(super) const INTERFACE_ID: usize = 1;
pub(super) const DIRECTION: usize = 5;
pub(super) const SCOPE: usize = 6;
pub(super) const ACTION: usize = 7;

/// Further columns of keys and small numbers.
pub(super) const INITIATOR: usize = 8;
pub(super) const PROTOCOL: usize = 9;
pub(super) const LOCAL_PORT: usize = 10;
pub(super) const REMOTE_PORT: usize = 11;
pub(super) const REMOTE_ADDR: usize = 12;
const KEYS: usize = 13;

/// Columns of large numbers.
const START: usize = 0;
const END: usize = 1;
const PACKETS: usize = 2;
const BYTES: usize = 3;
const PAYLOAD_BYTES: usize = 4;
const LONGS: usize = 5;

/// What rows add up to, in the order of the tables' columns.
pub(crate) type Sums = [i64; 6];

/// A column that is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kept {
    /// Keys, places of addresses in their order, or small numbers.
    Keys(usize),
    /// Large numbers.
    Longs(usize),
}

/// Columns of the rows of a row group, in their order. The memory serves for the next one.
#[derive(Debug, Default)]
pub(crate) struct Ordered {
    keys: [Vec<i32>; KEYS],
    longs: [Vec<i64>; LONGS],
    pub(super) counted: Vec<bool>,
    /// Numbers of what is known of the other side.
    pub(super) remotes: Vec<u32>,
    /// Whether something that stretches have in common changes with a row.
    changes: Vec<bool>,
}

/// What no rows add up to.
pub(super) const fn nothing() -> Sums {
    [0, 0, 0, 0, i64::MAX, i64::MIN]
}

/// Adds up.
pub(super) fn add_up(sums: &mut Sums, more: Sums) {
    for (sum, more) in sums.iter_mut().zip(more).take(4) {
        *sum = sum.saturating_add(more);
    }
    sums[4] = sums[4].min(more[4]);
    sums[5] = sums[5].max(more[5]);
}

/// A column of texts.
#[derive(Debug, Clone, Copy)]
enum Text {
    Aws(Field),
    Own(Of),
}

/// The columns of [`TEXTS`].
const TEXT_COLUMNS: [Text; TEXTS] = [
    Text::Aws(Field::AccountId),
    Text::Aws(Field::InterfaceId),
    Text::Aws(Field::VpcId),
    Text::Own(Of::Workload),
    Text::Own(Of::FlowLogId),
    Text::Own(Of::Direction),
    Text::Own(Of::Scope),
    Text::Aws(Field::Action),
];

impl FlowRows {
    /// The columns of the texts that rows of a stretch have in common.
    pub(super) fn text_columns(&self) -> [&Column; TEXTS] {
        TEXT_COLUMNS.map(|column| match column {
            Text::Aws(field) => self.aws(field),
            Text::Own(of) => self.enriched(of),
        })
    }

    /// By place of a column: whether it is kept to be rolled up.
    pub(crate) fn kept(&self) -> Vec<Option<Kept>> {
        let mut kept = vec![None; self.columns.len() + 1];
        let others = [
            self.place_of(Of::Initiator),
            place_of_aws(Field::Protocol),
            self.place_of(Of::LocalPort),
            self.place_of(Of::RemotePort),
            self.place_of(Of::RemoteAddr),
        ];
        let texts = TEXT_COLUMNS.map(|column| match column {
            Text::Aws(field) => place_of_aws(field),
            Text::Own(of) => self.place_of(of),
        });
        let keys = texts.into_iter().chain(others);
        let longs: [usize; LONGS] = [
            place_of_aws(Field::Start),
            place_of_aws(Field::End),
            place_of_aws(Field::Packets),
            place_of_aws(Field::Bytes),
            self.place_of(Of::PayloadBytes),
        ];
        for (at, place) in keys.enumerate() {
            kept[place] = Some(Kept::Keys(at));
        }
        for (at, place) in longs.into_iter().enumerate() {
            kept[place] = Some(Kept::Longs(at));
        }
        kept
    }
}

impl Ordered {
    /// Takes a column, and leaves memory for another one.
    pub(crate) fn keep(&mut self, kept: Kept, keys: &mut Vec<i32>, longs: &mut Vec<i64>) {
        match kept {
            Kept::Keys(at) => std::mem::swap(&mut self.keys[at], keys),
            Kept::Longs(at) => std::mem::swap(&mut self.longs[at], longs),
        }
    }

    /// Takes the numbers, by row, of what is known of their other sides.
    pub(crate) fn keep_remotes(&mut self, remotes: &[u32]) {
        self.remotes.clear();
        self.remotes.extend_from_slice(remotes);
    }

    /// Takes the numbers, by row, of what is seen of them, and finds out where something changes. All else is kept by then.
    pub(crate) fn complete(&mut self, rows: &FlowRows, seen: &[u32]) {
        self.counted.clear();
        let counted = seen.iter().map(|number| rows.counted[*number as usize]);
        self.counted.extend(counted);
        self.changes.clear();
        self.changes.resize(seen.len(), false);
        let changes = self.changes.get_mut(1..).unwrap_or_default();
        for keys in &self.keys[..TEXTS] {
            for (changes, pair) in changes.iter_mut().zip(keys.array_windows::<2>()) {
                *changes |= pair[0] != pair[1];
            }
        }
        for (changes, pair) in changes.iter_mut().zip(self.counted.array_windows::<2>()) {
            *changes |= pair[0] != pair[1];
        }
    }

    /// Calls back with each stretch of rows that are flows, of the same ten minutes, and have all [`TEXTS`] and whether they
    /// are counted in common; and with the number of these ten minutes.
    pub(crate) fn stretches(&self, mut call: impl FnMut(Range<usize>, i64)) {
        let starts = &self.longs[START];
        let mut from = 0;
        while let Some(start) = starts.get(from) {
            let bucket = start.div_euclid(BUCKET_MICROS);
            let begin = bucket.saturating_mul(BUCKET_MICROS);
            let bucket_micros = begin..begin.saturating_add(BUCKET_MICROS);
            let rest = self.changes[from + 1..].iter().zip(&starts[from + 1..]);
            let same =
                rest.take_while(|(change, start)| !**change && bucket_micros.contains(start));
            let to = from + 1 + same.count();
            if self.keys[SCOPE][from] != NULL {
                call(from..to, bucket);
            }
            from = to;
        }
    }

    /// The keys of the texts that a row has.
    pub(super) fn texts(&self, row: usize) -> [i32; TEXTS] {
        std::array::from_fn(|at| self.keys[at][row])
    }

    /// A column of keys or small numbers.
    pub(super) fn keys(&self, at: usize) -> &[i32] {
        &self.keys[at]
    }

    /// What a row alone adds up to.
    pub(super) fn sums(&self, row: usize) -> Sums {
        // Null, too, is less than zero.
        let count = |at: usize| self.longs[at][row].max(0);
        let (start, end) = (self.longs[START][row], self.longs[END][row]);
        let first = if start == LONG_NULL { end } else { start };
        let last = if end == LONG_NULL { start } else { end };
        [
            1,
            count(PACKETS),
            count(BYTES),
            count(PAYLOAD_BYTES),
            first,
            last,
        ]
    }
}
