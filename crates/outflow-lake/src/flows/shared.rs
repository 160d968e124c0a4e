//! Columns that rows share: what is in them follows from a number that a row has in common with many others.
//!
//! Most of a flow log repeats itself. The decoder reads columns that stand beside each other as one combination, and what is
//! known of an interface, of the other side or of an object is found once for all its rows. Such columns are held by the
//! number of a row; the value of each number is held once.

use std::sync::Arc;

use arrow_array::Array as _;
use outflow_record::{CombinationList, Combined, Field, FlowBatch, Kind};

use super::column::{Column, NULL, Rows};
use super::texts::Interned;

/// What is in a column, by row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values<'a, T> {
    /// That of each row; rows behind the last have none.
    Own(&'a [T]),
    /// That of each number that rows may have.
    Shared {
        numbers: Numbers<'a>,
        by_number: &'a [T],
    },
}

/// The numbers of all rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers<'a> {
    /// Which of the numbers that rows have.
    pub(crate) which: usize,
    pub(crate) of_rows: &'a [u32],
}

impl<'a, T: Copy> Values<'a, T> {
    /// What a row has.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<T> {
        match self {
            Self::Own(values) => values.get(row).copied(),
            Self::Shared { numbers, by_number } => {
                let number = numbers.of_rows.get(row)?;
                by_number.get(*number as usize).copied()
            }
        }
    }

    /// Rows that may have one.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Own(values) => values.len(),
            Self::Shared { numbers, .. } => numbers.of_rows.len(),
        }
    }

    /// Those of all rows, if each has its own.
    pub(crate) fn own(&self) -> Option<&'a [T]> {
        match self {
            Self::Own(values) => Some(values),
            Self::Shared { .. } => None,
        }
    }

    /// Those of all rows, or by number: each that a row has is among them.
    pub(crate) fn different(&self) -> &'a [T] {
        match self {
            Self::Own(values) => values,
            Self::Shared { by_number, .. } => by_number,
        }
    }

    /// By row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = T> {
        let (own, numbers, by_number) = match *self {
            Self::Own(values) => (values, &[][..], &[][..]),
            Self::Shared { numbers, by_number } => (&[][..], numbers.of_rows, by_number),
        };
        let shared = numbers.iter().map(|number| by_number[*number as usize]);
        own.iter().copied().chain(shared)
    }
}

/// Columns whose values the decoder met together.
#[derive(Debug)]
pub(super) struct Run {
    fields: Arc<[Field]>,
    /// Those of them that are held, and their places among all columns.
    columns: Vec<(Field, usize)>,
    /// The keys and small numbers of each combination.
    found: Interned<Box<[i32]>>,
    /// The list that was met last, and by its numbers the own ones.
    last: Option<(CombinationList, Vec<u32>)>,
}

/// Stands for a number that was not met yet.
const UNKNOWN: u32 = u32::MAX;

impl Run {
    /// One of these columns.
    pub(super) fn new(of: &Combined, place: impl Fn(Field) -> Option<usize>) -> Self {
        let fields = Arc::clone(of.fields());
        let held = fields
            .iter()
            .filter_map(|field| Some((*field, place(*field)?)));
        Self {
            columns: held.collect(),
            fields,
            found: Interned::default(),
            last: None,
        }
    }

    /// Whether it is of the same columns.
    pub(super) fn is_of(&self, of: &Combined) -> bool {
        self.fields == *of.fields()
    }

    /// The places of its columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().map(|(_, place)| *place)
    }

    /// Appends the numbers of these rows, and to the columns the values of those that are new.
    pub(super) fn append(
        &mut self,
        numbers: &mut Vec<u32>,
        (records, of): (&FlowBatch, &Combined),
        rows: Rows<'_>,
        columns: &mut [Column],
    ) {
        let is_last = |(list, _): &(CombinationList, Vec<u32>)| list == of.list();
        let last = self.last.take().filter(is_last);
        let (list, mut known) = last.unwrap_or_else(|| (of.list().clone(), Vec::new()));
        let theirs = of.numbers();
        let count = theirs.iter().max().map_or(0, |most| *most as usize + 1);
        if known.len() < count {
            known.resize(count, UNKNOWN);
        }
        let from = numbers.len();
        if rows.are_all {
            numbers.extend(theirs.iter().map(|number| known[*number as usize]));
        } else {
            let own = rows.numbers.iter();
            numbers.extend(own.map(|row| known[theirs[*row as usize] as usize]));
        }
        if numbers[from..].contains(&UNKNOWN) {
            for (number, row) in numbers[from..].iter_mut().zip(rows.numbers) {
                let known = &mut known[theirs[*row as usize] as usize];
                if *known == UNKNOWN {
                    *known = self.number(records, *row as usize, columns);
                }
                *number = *known;
            }
        }
        self.last = Some((list, known));
    }

    /// The number of the combination that a row has.
    fn number(&mut self, records: &FlowBatch, row: usize, columns: &mut [Column]) -> u32 {
        let key = |(field, place): &(Field, usize)| key(records, *field, row, &mut columns[*place]);
        let keys: Vec<i32> = self.columns.iter().map(key).collect();
        let count = self.found.values().len();
        let number = self
            .found
            .number(keys.as_slice(), |keys: &[i32]| Box::from(keys));
        if self.found.values().len() > count {
            for ((_, place), key) in self.columns.iter().zip(keys) {
                columns[*place].push_key(key);
            }
        }
        number.cast_unsigned()
    }

    /// Forgets all combinations.
    pub(super) fn clear(&mut self) {
        self.found.clear();
        self.last = None;
    }
}

/// The key or small number that a row has.
fn key(records: &FlowBatch, field: Field, row: usize, column: &mut Column) -> i32 {
    match field.kind() {
        Kind::U8 => {
            let of = records.u8s(field).filter(|of| of.is_valid(row));
            of.map_or(NULL, |of| i32::from(of.value(row)))
        }
        _ => {
            let of = records.texts(field).filter(|of| of.is_valid(row));
            let texts = of.and_then(|of| of.downcast_dict::<arrow_array::StringArray>());
            column.key(texts.map(|texts| arrow_array::ArrayAccessor::value(&texts, row)))
        }
    }
}
