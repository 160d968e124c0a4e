//! Connections out of the windows in which flow logs report them.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, Int64Array};
use arrow_schema::{DataType, Field, FieldRef};
use datafusion_common::Result;
use datafusion_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion_expr::{Documentation, PartitionEvaluator, Signature, WindowUDFImpl};

use crate::about::{About, Argument, Described, Kind};
use crate::arguments::{longs, times};

pub(crate) const ABOUT: &About = &About {
    name: "sessionize",
    arguments: &[
        Argument {
            name: "start",
            kind: Kind::Time,
            tells: "start of a record's window",
        },
        Argument {
            name: "end",
            kind: Kind::Time,
            tells: "end of it",
        },
        Argument {
            name: "gap",
            kind: Kind::Long,
            tells: "seconds without a record after which a connection is another one; at least the aggregation interval of \
                    the flow log",
        },
    ],
    optional: &[],
    returns: Kind::Long,
    tells: "A window function that numbers the connections of a partition, from 1, in the order of `start`: a record goes on \
            with the connection before it unless it starts more than `gap` seconds after all before it have ended. A \
            record without times is a connection of its own.",
    fails: "",
    example: "SELECT max(n) FROM (SELECT sessionize(s, s, 60) OVER (ORDER BY s) AS n FROM (VALUES (to_timestamp(0)), \
              (to_timestamp(50)), (to_timestamp(300))) AS t(s))",
    answer: "2",
};

/// The window function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sessionize(Described);

impl Sessionize {
    pub(crate) fn new() -> Self {
        Self(Described::new(ABOUT))
    }
}

impl WindowUDFImpl for Sessionize {
    fn name(&self) -> &str {
        ABOUT.name
    }

    fn signature(&self) -> &Signature {
        &self.0.signature
    }

    fn partition_evaluator(
        &self,
        _: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Numbering))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, false)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.0.documentation)
    }
}

#[derive(Debug)]
struct Numbering;

impl PartitionEvaluator for Numbering {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let (starts, ends) = (times(values, 0)?, times(values, 1)?);
        let gaps = longs(values, 2)?;
        let (mut session, mut until) = (0, None);
        let mut numbers = Vec::with_capacity(rows);
        for row in 0..rows {
            let start = starts.is_valid(row).then(|| starts.value(row));
            let end = ends.is_valid(row).then(|| ends.value(row)).or(start);
            let gap = if gaps.is_valid(row) {
                gaps.value(row)
            } else {
                0
            };
            let goes_on = match (start, until) {
                (Some(start), Some(until)) => {
                    start.saturating_sub(until) <= gap.saturating_mul(1_000_000)
                }
                _ => false,
            };
            if !goes_on {
                session += 1;
                until = None;
            }
            until = until.max(end);
            numbers.push(session);
        }
        Ok(Arc::new(Int64Array::from(numbers)))
    }
}
