//! Where rows of a table lie: by day and region.

use std::collections::HashMap;
use std::fmt::Write as _;

use outflow_record::Timestamp;

use crate::table::{DAY, REGION};

const DAY_SECS: i64 = 86_400;

/// Longest name that is taken for a region, and the names that are: `eu-west-1`, `us-gov-east-1`.
const REGION_BYTES_MAX: usize = 32;

/// What rows lie together. What is not known, or cannot be, is a partition of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// Days since 1970-01-01, UTC.
    pub day: Option<i32>,
    /// Region, in the form that AWS gives to names of regions.
    pub region: Option<String>,
}

impl Partition {
    /// Whether a text has the form of a region's name.
    pub fn is_region(name: &str) -> bool {
        is_region(name)
    }

    /// The partition of rows that begin at this time. A time outside the years 1 to 9999 has no day.
    pub fn new(at: Option<i64>, region: Option<&str>) -> Self {
        Self {
            day: at.and_then(day_of),
            region: region.filter(|name| is_region(name)).map(str::to_owned),
        }
    }

    /// The day as `2026-10-01`.
    fn date(&self) -> Option<String> {
        let (year, month, day) = Timestamp(i64::from(self.day?) * DAY_SECS).date();
        Some(format!("{year:04}-{month:02}-{day:02}"))
    }

    /// The values as a table's log has them.
    pub(crate) fn values(&self) -> HashMap<String, Option<String>> {
        HashMap::from([
            (DAY.to_owned(), self.date()),
            (REGION.to_owned(), self.region.clone()),
        ])
    }

    /// The partition of a file, by what the log has of it.
    pub(crate) fn from_values(values: &HashMap<String, Option<String>>) -> Self {
        let value = |name: &str| values.get(name).cloned().flatten();
        let day = value(DAY).and_then(|day| day.parse::<Timestamp>().ok());
        Self {
            day: day.and_then(|day| day_of(day.secs())),
            region: value(REGION),
        }
    }

    /// The folder of its files within the table.
    pub(crate) fn folder(&self) -> String {
        const NONE: &str = "__HIVE_DEFAULT_PARTITION__";
        let date = self.date();
        let mut folder = String::new();
        let (day, region) = (date.as_deref(), self.region.as_deref());
        // Writing to a text does not fail.
        let _ = write!(
            folder,
            "{DAY}={}/{REGION}={}",
            day.unwrap_or(NONE),
            region.unwrap_or(NONE)
        );
        folder
    }
}

fn day_of(secs: i64) -> Option<i32> {
    const YEARS: std::ops::Range<i64> = -719_162..2_932_897;
    let day = secs.div_euclid(DAY_SECS);
    YEARS
        .contains(&day)
        .then(|| i32::try_from(day).ok())
        .flatten()
}

/// Whether a text has the form of a region's name. Records may hold anything, and each partition costs a file.
fn is_region(name: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let parts: Vec<&str> = name.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    name.len() <= REGION_BYTES_MAX
        && words.len() >= 2
        && words.iter().all(|word| is_part(word))
        && number.len() <= 2
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !number.is_empty()
}

#[cfg(test)]
mod tests;
