//! Rows of `sources`: what each object came to.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use outflow_lake::{Partition, Table};
use outflow_record::{Field, FlowBatch};

use super::rows::{MICROS, signed, times};

/// What an object came to, as a row of `sources` has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SourceRow {
    pub(crate) source_id: String,
    pub(crate) name_id: String,
    /// Where it is, whatever folder the program was started in.
    pub(crate) uri: String,
    /// The same as it was given, by which its reader will recognise it.
    pub(crate) given_uri: String,
    pub(crate) version: String,
    pub(crate) size: Option<u64>,
    pub(crate) sha256: Option<String>,
    /// `vpc-flow-logs`, `transit-gateway-flow-logs` or `resolver-query-logs`.
    pub(crate) format: Option<&'static str>,
    /// The fields of its records, as a header names them, behind the number of the first row that has them. A header
    /// in its midst adds a line.
    pub(crate) fields: String,
    pub(crate) account_id: Option<String>,
    pub(crate) flow_log_id: Option<String>,
    pub(crate) lines: u64,
    pub(crate) header_lines: u64,
    pub(crate) blank_lines: u64,
    pub(crate) control_messages: u64,
    pub(crate) rows: u64,
    pub(crate) queries: u64,
    pub(crate) coverage_rows: u64,
    pub(crate) rejects: u64,
    pub(crate) bytes: u64,
    /// Start of the earliest and end of the latest row, Unix seconds.
    pub(crate) span: Option<(i64, i64)>,
    pub(crate) problem: Option<String>,
    pub(crate) partition: Partition,
}

impl SourceRow {
    /// Notes the fields of the next rows, if they are others than those of the last.
    pub(crate) fn note_fields(&mut self, records: &FlowBatch) {
        let mut names = String::new();
        for field in Field::ALL.iter().filter(|field| records.has(**field)) {
            names.push(' ');
            names.push_str(field.name());
        }
        let last = self.fields.lines().next_back();
        let last = last.map_or("", |line| {
            line.trim_start_matches(|c: char| c.is_ascii_digit())
        });
        if last != names {
            let feed = if self.fields.is_empty() { "" } else { "\n" };
            // Writing to a text does not fail.
            let _ = write!(self.fields, "{feed}{}{names}", self.rows);
        }
    }

    /// The fields of its records, each set with the number of the first row that has it. None if they cannot be read.
    pub(crate) fn formats(&self) -> Option<Vec<(i64, Vec<Field>)>> {
        let format = |line: &str| {
            let mut words = line.split(' ');
            let first = words.next()?.parse().ok()?;
            let fields: Result<_, _> = words.map(str::parse).collect();
            Some((first, fields.ok()?))
        };
        self.fields.lines().map(format).collect()
    }
}

/// `sources`, of objects that lie in one partition.
pub(crate) fn batch_of(rows: &[&SourceRow]) -> Result<RecordBatch, ArrowError> {
    let text = |of: fn(&SourceRow) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| of(row)).collect::<StringArray>())
    };
    let long = |of: fn(&SourceRow) -> Option<u64>| -> ArrayRef {
        let of = rows.iter().map(|row| of(row).map(signed));
        Arc::new(of.collect::<Int64Array>())
    };
    let time = |of: fn(&SourceRow) -> Option<i64>| times(rows.iter().map(|row| of(row)));
    let columns = vec![
        text(|row| Some(&row.source_id)),
        text(|row| Some(&row.name_id)),
        text(|row| Some(&row.uri)),
        text(|row| Some(&row.given_uri)),
        text(|row| Some(&row.version)),
        long(|row| row.size),
        text(|row| row.sha256.as_deref()),
        text(|row| row.format),
        text(|row| Some(row.fields.as_str()).filter(|fields| !fields.is_empty())),
        text(|row| row.account_id.as_deref()),
        text(|row| row.flow_log_id.as_deref()),
        long(|row| Some(row.lines)),
        long(|row| Some(row.header_lines)),
        long(|row| Some(row.blank_lines)),
        long(|row| Some(row.control_messages)),
        long(|row| Some(row.rows)),
        long(|row| Some(row.queries)),
        long(|row| Some(row.coverage_rows)),
        long(|row| Some(row.rejects)),
        long(|row| Some(row.bytes)),
        time(|row| row.span.map(|(first, _)| first)),
        time(|row| row.span.map(|(_, last)| last)),
        text(|row| row.problem.as_deref()),
    ];
    RecordBatch::try_new(Table::Sources.file_schema(), columns)
}

/// The columns of `sources` that [`rows_of`] reads: what only SQL asks for is left out.
pub(crate) const READ: [&str; 22] = [
    "source_id",
    "name_id",
    "uri",
    "given_uri",
    "version",
    "size",
    "sha256",
    "fields",
    "account_id",
    "flow_log_id",
    "lines",
    "header_lines",
    "blank_lines",
    "control_messages",
    "rows",
    "queries",
    "coverage_rows",
    "rejects",
    "bytes",
    "first",
    "last",
    "problem",
];

/// Reads rows of `sources` that lie in a partition.
///
/// # Errors
/// The column that is missing or of another type.
pub(crate) fn rows_of(
    batch: &RecordBatch,
    partition: &Partition,
) -> Result<Vec<SourceRow>, &'static str> {
    let text = |name: &'static str| {
        let column = batch.column_by_name(name).ok_or(name)?;
        let column = column.as_dictionary_opt::<Int32Type>().ok_or(name)?;
        let texts = column.downcast_dict::<StringArray>().ok_or(name)?;
        Ok::<_, &str>(texts.into_iter().map(|text| text.map(str::to_owned)))
    };
    let long = |name: &'static str| {
        let column = batch.column_by_name(name).ok_or(name)?;
        let column = column.as_primitive_opt::<Int64Type>().ok_or(name)?;
        let count = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
        Ok::<_, &str>(column.iter().map(count))
    };
    let text_or_none = |name| text(name).map(|texts| texts.map(Some));
    let long_or_none = |name| long(name).map(|counts| counts.map(Some));
    let mut rows = vec![
        SourceRow {
            partition: partition.clone(),
            ..SourceRow::default()
        };
        batch.num_rows()
    ];
    macro_rules! fill {
        ($($of:ident: $($name:ident)+;)+) => { $($(
            for (row, value) in rows.iter_mut().zip($of(stringify!($name))?) {
                row.$name = value.unwrap_or_default();
            }
        )+)+ };
    }
    fill! {
        text: source_id name_id uri given_uri version fields;
        long: lines header_lines blank_lines control_messages rows queries coverage_rows rejects bytes;
        long_or_none: size;
        text_or_none: sha256 account_id flow_log_id problem;
    }
    let time = |name: &'static str| {
        let column = batch.column_by_name(name).ok_or(name)?;
        let column = column.as_primitive_opt::<TimestampMicrosecondType>();
        let column = column.ok_or(name)?;
        Ok::<_, &str>(column.iter().map(|at| at.map(|at| at.div_euclid(MICROS))))
    };
    for (row, span) in rows.iter_mut().zip(time("first")?.zip(time("last")?)) {
        row.span = span.0.zip(span.1);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
