//! Time along a chart.

use outflow_record::Timestamp;

/// Marks on the axis at most.
const MARKS_MAX: i64 = 7;

/// Seconds between marks: whole parts of an hour and a day, then days.
const STEPS: [i64; 15] = [
    60,
    300,
    600,
    1_800,
    3_600,
    3 * 3_600,
    6 * 3_600,
    12 * 3_600,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    90 * DAY,
    365 * DAY,
];
const DAY: i64 = 86_400;

/// A span of time, and the stretch of a chart that it takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeAxis {
    /// Where the span begins.
    pub first: Timestamp,
    /// Where it ends; later than `first`.
    pub last: Timestamp,
    /// Where the stretch begins, in units of the chart.
    pub left: f64,
    /// Where it ends.
    pub right: f64,
}

impl TimeAxis {
    /// The place of a time.
    pub fn x(&self, at: Timestamp) -> f64 {
        let span = self.last.secs().saturating_sub(self.first.secs()).max(1) as f64;
        let passed = at.secs().saturating_sub(self.first.secs()) as f64;
        self.left + (self.right - self.left) * (passed / span)
    }

    /// Round times within the span, with their texts: days, or hours and minutes where they are closer.
    pub fn marks(&self) -> Vec<(Timestamp, String)> {
        let (first, last) = (self.first.secs(), self.last.secs());
        let span = last.saturating_sub(first);
        let fits = |step: &&i64| span / **step <= MARKS_MAX;
        let step = *STEPS.iter().find(fits).unwrap_or(&STEPS[STEPS.len() - 1]);
        let mut at = first
            .div_euclid(step)
            .saturating_add(1)
            .saturating_mul(step);
        let mut marks = Vec::new();
        for _ in 0..=MARKS_MAX {
            if at > last {
                break;
            }
            marks.push((Timestamp(at), text(Timestamp(at), step)));
            at = at.saturating_add(step);
        }
        marks
    }
}

fn text(at: Timestamp, step: i64) -> String {
    let ((_, month, day), (hour, minute, _)) = (at.date(), at.time_of_day());
    match step {
        DAY.. => format!("{month:02}-{day:02}"),
        _ => format!("{month:02}-{day:02} {hour:02}:{minute:02}"),
    }
}
