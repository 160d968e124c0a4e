//! What a table's log says of a file: rows, and the least and greatest values of some columns.
//!
//! Source of the form: Delta's protocol, "Per-file Statistics".

use std::cmp::Ordering;

use outflow_record::Timestamp;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use serde_json::{Map, Value, json};

use crate::table::Table;

/// The statistics of a file, as JSON.
pub(crate) fn of(table: Table, metadata: &ParquetMetaData) -> String {
    let (mut least, mut greatest, mut nulls) = (Map::new(), Map::new(), Map::new());
    for name in table.told_of_files() {
        let Some(told) = Told::of(name, metadata) else {
            continue;
        };
        nulls.insert((*name).to_owned(), json!(told.nulls));
        if let Some((min, max)) = told.range {
            least.insert((*name).to_owned(), min.json(Bound::Least));
            greatest.insert((*name).to_owned(), max.json(Bound::Greatest));
        }
    }
    json!({
        "numRecords": metadata.file_metadata().num_rows(),
        "minValues": least,
        "maxValues": greatest,
        "nullCount": nulls,
    })
    .to_string()
}

/// What the row groups together tell of a column.
struct Told {
    nulls: u64,
    range: Option<(Edge, Edge)>,
}

/// A least or greatest value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    /// Microseconds since 1970.
    Time(i64),
    Text(String),
}

#[derive(Clone, Copy)]
enum Bound {
    Least,
    Greatest,
}

impl Edge {
    /// The value as Delta has it: times in milliseconds, rounded outward.
    fn json(self, bound: Bound) -> Value {
        match (self, bound) {
            (Self::Text(text), _) => Value::String(text),
            (Self::Time(micros), Bound::Least) => Value::String(instant(micros.div_euclid(1_000))),
            (Self::Time(micros), Bound::Greatest) => {
                Value::String(instant(micros.saturating_add(999).div_euclid(1_000)))
            }
        }
    }
}

/// Microseconds between which years have four digits, as dates in a log must.
const TOLD_MICROS: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;

/// RFC 3339 with milliseconds.
fn instant(millis: i64) -> String {
    let second = Timestamp(millis.div_euclid(1_000)).to_string();
    let second = second.trim_end_matches('Z');
    format!("{second}.{:03}Z", millis.rem_euclid(1_000))
}

impl Told {
    /// None where a row group does not tell.
    fn of(name: &str, metadata: &ParquetMetaData) -> Option<Self> {
        let mut told = Self {
            nulls: 0,
            range: None,
        };
        for group in metadata.row_groups() {
            let column = group
                .columns()
                .iter()
                .find(|column| column.column_path().string() == name)?;
            let statistics = column.statistics()?;
            told.nulls += statistics.null_count_opt()?;
            let range = match statistics {
                Statistics::Int64(of) => match of.min_opt().zip(of.max_opt()) {
                    Some((min, max)) if TOLD_MICROS.contains(min) && TOLD_MICROS.contains(max) => {
                        Some((Edge::Time(*min), Edge::Time(*max)))
                    }
                    Some(_) => return None,
                    None => None,
                },
                Statistics::ByteArray(of) => match of.min_opt().zip(of.max_opt()) {
                    Some((min, max)) => Some((
                        Edge::Text(min.as_utf8().ok()?.to_owned()),
                        Edge::Text(max.as_utf8().ok()?.to_owned()),
                    )),
                    None => None,
                },
                _ => return None,
            };
            told.range = match (told.range, range) {
                (Some((least, greatest)), Some((min, max))) => Some((
                    pick(least, min, Ordering::Less),
                    pick(greatest, max, Ordering::Greater),
                )),
                (known, new) => known.or(new),
            };
        }
        Some(told)
    }
}

fn pick(a: Edge, b: Edge, wanted: Ordering) -> Edge {
    if a.cmp(&b) == wanted { a } else { b }
}
