//! Functions of times.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::Int64Type;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::interval_arithmetic::Interval;

use crate::about::{About, Argument, Kind};
use crate::arguments::times;
use crate::scalar::Scalar;

const MICROS: i64 = 1_000_000;

static UNIX_SECONDS: About = About {
    name: "unix_seconds",
    arguments: &[Argument {
        name: "time",
        kind: Kind::Time,
        tells: "a time",
    }],
    optional: &[],
    returns: Kind::Long,
    tells: "Seconds since 1970-01-01, as flow logs write times; a fraction is cut off. What is asked of it chooses files by the time.",
    fails: "",
    example: "SELECT unix_seconds(TIMESTAMP '2026-10-01T00:00:00Z')",
    answer: "1790812800",
};

pub(crate) fn all() -> Vec<(&'static About, Scalar)> {
    let seconds = Scalar::new(&UNIX_SECONDS, unix_seconds).turned_by(of_seconds);
    vec![(&UNIX_SECONDS, seconds)]
}

fn unix_seconds(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let seconds = times(columns, 0)?.unary::<_, Int64Type>(|at| at.div_euclid(MICROS));
    Ok(Arc::new(seconds))
}

/// The second that a number of seconds is: its first moment, and the first of the next.
fn of_seconds(value: &ScalarValue) -> Option<Interval> {
    let ScalarValue::Int64(Some(seconds)) = value else {
        return None;
    };
    let at = |seconds: i64| {
        let micros = seconds.checked_mul(MICROS)?;
        Some(ScalarValue::TimestampMicrosecond(
            Some(micros),
            Some(Arc::from("UTC")),
        ))
    };
    Interval::try_new(at(*seconds)?, at(seconds.checked_add(1)?)?).ok()
}
