//! How busy an hour of the week is, in percent of about the average hour of a working day.

use outflow_record::Timestamp;

/// How a role's traffic follows the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Follows people: quiet nights, a peak in the evening, somewhat less on weekends.
    People,
    /// Follows offices: nothing much outside working hours.
    Office,
    /// Follows schedules: busy at night.
    Nightly,
}

const PEOPLE: [u64; 24] = [
    58, 44, 36, 32, 32, 38, 55, 78, 101, 118, 127, 131, 135, 133, 129, 127, 129, 135, 146, 154,
    150, 131, 104, 77,
];
const OFFICE: [u64; 24] = [
    22, 20, 20, 20, 20, 24, 48, 110, 190, 230, 240, 225, 180, 220, 235, 225, 190, 130, 78, 50, 38,
    32, 28, 24,
];
const NIGHTLY: [u64; 24] = [
    190, 240, 260, 230, 180, 120, 80, 60, 60, 64, 66, 68, 70, 70, 68, 66, 64, 60, 60, 66, 76, 94,
    120, 150,
];

impl Shape {
    /// Percent in the hour of the week that holds `at`.
    pub(crate) fn percent(self, at: Timestamp) -> u64 {
        let (hour, _, _) = at.time_of_day();
        let (table, weekend) = match self {
            Self::People => (&PEOPLE, 85),
            Self::Office => (&OFFICE, 25),
            Self::Nightly => (&NIGHTLY, 100),
        };
        // 1970-01-01 was a Thursday, the fourth day of a week that begins on Monday.
        let day_of_week = (at.secs().div_euclid(86_400) + 3).rem_euclid(7);
        let day = if day_of_week >= 5 { weekend } else { 100 };
        table[usize::from(hour)] * day / 100
    }
}

#[cfg(test)]
mod tests;
