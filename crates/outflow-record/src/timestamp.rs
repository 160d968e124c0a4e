//! The one timestamp type.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A UTC instant in whole Unix seconds, which is all the resolution that flow logs have.
///
/// ```
/// use outflow_record::Timestamp;
/// let at: Timestamp = "2026-10-01T08:30:00Z".parse().unwrap();
/// assert_eq!(at, "2026-10-01T08:30".parse().unwrap());
/// assert_eq!(at.to_string(), "2026-10-01T08:30:00Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(pub i64);

/// 9999-12-31T23:59:59Z, the last instant that four digits of a year can name.
pub(crate) const SECS_MAX: i64 = 253_402_300_799;

impl Timestamp {
    /// Unix seconds.
    pub const fn secs(self) -> i64 {
        self.0
    }

    /// Year, month and day of the instant, in UTC.
    pub fn date(self) -> (i64, u8, u8) {
        civil_from_days(self.0.div_euclid(86_400))
    }

    /// Hour, minute and second of the day, in UTC.
    pub fn time_of_day(self) -> (u8, u8, u8) {
        let secs = self.0.rem_euclid(86_400);
        (small(secs / 3600), small(secs / 60 % 60), small(secs % 60))
    }

    /// The instant of a UTC date and time; `None` where the calendar has no such date.
    pub fn from_utc(date: (i64, u8, u8), time: (u8, u8, u8)) -> Option<Self> {
        let (year, month, day) = date;
        let (hour, minute, second) = time;
        let days = days_from_civil(year, month, day);
        let exists = (1..=12).contains(&month) && civil_from_days(days) == date;
        (exists && hour < 24 && minute < 60 && second < 60).then(|| {
            let clock = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
            Self(days * 86_400 + clock)
        })
    }
}

fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in 400-year eras that start in March
// so that the leap day is the last of its year (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: u8, day: u8) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_from_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = small(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    let month = small(if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    });
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.time_of_day();
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// Reads `2026-10-01`, `2026-10-01T08:30`, `2026-10-01T08:30:00` (with or without `Z`) or Unix seconds.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::BadTimestamp {
            text: text.to_owned(),
        };
        if text.len() > 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let secs: i64 = text.parse().map_err(|_| wrong())?;
            return if secs <= SECS_MAX {
                Ok(Self(secs))
            } else {
                Err(wrong())
            };
        }
        let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
        let date: Vec<&str> = date.split('-').collect();
        let clock: Vec<&str> = clock.trim_end_matches('Z').split(':').collect();
        let ([year, month, day], [hour, minute, rest @ ..]) = (&date[..], &clock[..]) else {
            return Err(wrong());
        };
        let second = match rest {
            [] => "0",
            [second] => *second,
            _ => return Err(wrong()),
        };
        let number = |digits: &str| digits.parse::<u8>().map_err(|_| wrong());
        // Four digits, and no sign: no arithmetic on such years overflows.
        let digits = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
        let year = if digits { year } else { return Err(wrong()) };
        let date = (
            year.parse().map_err(|_| wrong())?,
            number(month)?,
            number(day)?,
        );
        let time = (number(hour)?, number(minute)?, number(second)?);
        Self::from_utc(date, time).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_they_are_written() {
        let cases = [
            "1970-01-01T00:00:00Z",
            "2024-02-29T23:59:59Z",
            "9999-12-31T23:59:59Z",
        ];
        for text in cases {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        assert_eq!(
            "2026-10-01".parse::<Timestamp>().unwrap().secs(),
            1_790_812_800
        );
        assert_eq!(
            "1790812800".parse::<Timestamp>().unwrap().secs(),
            1_790_812_800
        );
    }

    #[test]
    fn what_is_no_instant_is_refused_and_overflows_nothing() {
        let cases = "2026-02-30 2026-13-01 2026-1 now 9223372036854775807-01-01 +226-01-01 \
                     99999999999999 2026-01-01T24:00 2026-01-01T00:00:00:00 253402300800";
        for text in cases.split_ascii_whitespace() {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
