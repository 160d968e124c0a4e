//! Rows of one interface that follow one another, which have much in common.

use std::ops::Range;

use super::column::NULL;
use super::shared::Values;

/// What an interface has in a column: [`NULL`], a key, or one of these.
const UNSEEN: i32 = -2;
const MIXED: i32 = -3;

/// Rows that are looked at before a column may be given up, and the share of them that contradicts others.
const LOOKED_AT: usize = 4_096;
const MIXED_SHARE: usize = 8;

/// Rows in their order, as runs of one interface.
#[derive(Debug)]
pub(crate) struct Runs<'a> {
    /// By row, the key of its interface; rows behind the last have none.
    interfaces: Values<'a, i32>,
    /// Interfaces that have a key.
    count: usize,
    /// By place in the order: the runs, each with where it ends.
    runs: Vec<(usize, i32)>,
}

/// The key that each interface has in all its rows, as far as it has one.
#[derive(Debug)]
pub(crate) struct Determined(Vec<i32>);

impl Determined {
    /// The key that all rows have, if it is one.
    pub(crate) fn only(&self) -> Option<i32> {
        let mut seen = self.0.iter().filter(|key| **key != UNSEEN);
        let first = *seen.next()?;
        (first >= 0 && seen.all(|key| *key == first)).then_some(first)
    }
}

impl<'a> Runs<'a> {
    pub(super) fn new(interfaces: Values<'a, i32>, count: usize, order: &[u32]) -> Self {
        let of = |row: &u32| interfaces.get(*row as usize).unwrap_or(NULL);
        let runs = order.chunk_by(|a, b| of(a) == of(b)).scan(0, |end, run| {
            *end += run.len();
            Some((*end, run.first().map_or(NULL, of)))
        });
        Self {
            interfaces,
            count,
            runs: runs.collect(),
        }
    }

    /// What interfaces determine of a column; none if that is little, or if rows are behind the last of either.
    pub(crate) fn determined(&self, keys: &[i32]) -> Option<Determined> {
        let rows = self.runs.last().map_or(0, |(end, _)| *end);
        if keys.len() != rows || self.interfaces.len() != rows {
            return None;
        }
        let mut of = vec![UNSEEN; self.count + 1];
        let (mut seen, mut mixed) = (0, 0);
        let mut interfaces = self.interfaces.iter();
        for keys in keys.chunks(LOOKED_AT) {
            for (key, interface) in keys.iter().zip(interfaces.by_ref()) {
                let known = &mut of[place(interface)];
                if *known != *key {
                    mixed += usize::from(*known != UNSEEN);
                    *known = if *known == UNSEEN { *key } else { MIXED };
                }
            }
            seen += keys.len();
            if mixed > seen / MIXED_SHARE {
                return None;
            }
        }
        Some(Determined(of))
    }

    /// Calls back with the runs of a part of the order, each with the key that its interface has in all rows.
    pub(crate) fn each(
        &self,
        of: &Determined,
        part: Range<usize>,
        mut call: impl FnMut(Range<usize>, Option<i32>),
    ) {
        let first = self.runs.partition_point(|(end, _)| *end <= part.start);
        let mut from = part.start;
        for (end, interface) in &self.runs[first..] {
            let to = part.end.min(*end);
            let key = of.0[place(*interface)];
            call(from..to, (key >= NULL).then_some(key));
            from = to;
            if from == part.end {
                return;
            }
        }
    }
}

/// Where an interface stands among all; one without a key is the first.
fn place(interface: i32) -> usize {
    usize::try_from(interface + 1).unwrap_or_default()
}

#[cfg(test)]
mod tests;
