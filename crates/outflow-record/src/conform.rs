//! Flow logs as tables, conformed: columns of whatever order and type, as Parquet stores them, to flow batches.
//!
//! ```text
//! schema ──Conformer::try_new──► columns to read
//!                                      │ batches of these
//!                                      ▼
//!            records of OCSF ─ flat ─► NODATA, SKIPDATA apart ─► column by column ─► bad rows apart ─► Decoded
//! ```
//!
//! `cell` defines what a cell means, by spelling it as a line of text has it; `column` reads whole columns, and what
//! a dictionary repeats only once.

mod cell;
mod column;
mod ocsf;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, TimestampSecondType};
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::{DataType, Schema};
use arrow_select::filter::filter_record_batch;

use crate::batch::FlowBatch;
use crate::naive::{Value, ends_before_start, read_value};
use crate::{
    CoverageRow, CoverageStatus, Decoded, Error, Field, Format, Kind, Reject, RejectReason,
    Timestamp,
};
use column::Column;

pub(crate) use cell::spell;
pub(crate) use ocsf::{first, holds_events, leaf, strangers};

/// Conforms the batches of one table to the types that [`Kind`] names.
///
/// Columns are found by the name that AWS gives them in Parquet ([`Field::column`]). A number may be stored as an
/// integer of any width, as a floating-point number that is whole, or as text. Null, an empty text and `-` are no
/// value, nor is `None` in a column of numbers; an account that is stored as a number has its leading zeros
/// back. Records of OCSF's class Network Activity (4001), as Security Lake keeps them, are conformed to the columns
/// that they were made of; a row of another class is a reject ([`RejectReason::OtherClass`]).
///
/// The offset of a reject ([`Reject::offset`]) is the number of its row in the table, from 0, and its bytes are the bad
/// value.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Float64Array, RecordBatch, StringArray};
/// use outflow_record::{Conformer, Field};
///
/// let batch = RecordBatch::try_from_iter([
///     ("bytes", Arc::new(Float64Array::from(vec![1500.0, 0.5])) as _),
///     ("dstaddr", Arc::new(StringArray::from(vec!["203.0.113.5", "-"])) as _),
/// ]).unwrap();
/// let mut conformer = Conformer::try_new(&batch.schema()).unwrap();
/// let decoded = conformer.conform(&batch).unwrap();
/// assert_eq!(decoded.flows.u64s(Field::Bytes).unwrap().value(0), 1500);
/// assert_eq!(decoded.rejects[0].reason.to_string(), "bad-value:bytes");
/// assert_eq!(decoded.rejects[0].offset, 1);
/// ```
#[derive(Debug)]
pub struct Conformer {
    columns: Vec<Column>,
    schema: Arc<Schema>,
    paths: Vec<String>,
    unknown: Vec<String>,
    ocsf: bool,
    /// Rows so far.
    rows: u64,
}

impl Conformer {
    /// A conformer for a table with this schema.
    ///
    /// # Errors
    /// [`Error::Undecidable`] if most of its columns are those of no flow log, or its records are of another class of
    /// OCSF; [`Error::RepeatedField`] and [`Error::MixedKinds`] as for a header; [`Error::Schema`] for a column of a
    /// type that its field is never stored as.
    pub fn try_new(schema: &Schema) -> Result<Self, Error> {
        if holds_events(schema) {
            let paths = ocsf::paths(schema)?;
            let flat = ocsf::schema();
            return Ok(Self {
                paths,
                ocsf: true,
                ..Self::of_table(&flat)?
            });
        }
        Self::of_table(schema)
    }

    fn of_table(source: &Schema) -> Result<Self, Error> {
        let mut fields = Vec::new();
        let mut unknown = Vec::new();
        for own in source.fields() {
            let Some(field) = Field::ALL.iter().find(|field| field.column() == own.name()) else {
                unknown.push(own.name().clone());
                continue;
            };
            if !suits(*field, own.data_type()) {
                return Err(not_stored_as(*field));
            }
            fields.push(*field);
        }
        if fields.len() <= unknown.len() {
            return Err(Error::Undecidable {
                reason: format!(
                    "most of its columns are those of no flow log ({})",
                    list(&unknown)
                ),
            });
        }
        let fields = Format::try_new(fields)?.fields().to_vec();
        Ok(Self {
            columns: fields.iter().copied().map(Column::new).collect(),
            schema: crate::batch::schema(&fields),
            paths: fields
                .iter()
                .map(|field| field.column().to_owned())
                .collect(),
            unknown,
            ocsf: false,
            rows: 0,
        })
    }

    /// The columns to read, in the table's order; those within others with dots between the names.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Names of columns that no flow log up to version 11 has. They are not read.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// Rows that were conformed.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Conforms the next rows, of which `batch` holds the columns of [`Conformer::paths`] alone.
    ///
    /// # Errors
    /// [`Error::Schema`] if it holds others.
    pub fn conform(&mut self, batch: &RecordBatch) -> Result<Decoded, Error> {
        let (mut flat, mut others) = (None, BTreeMap::new());
        if self.ocsf {
            flat = Some(ocsf::flat(batch)?);
            others = strangers(batch, ocsf::CLASS)?;
        }
        let batch = flat.as_ref().unwrap_or(batch);
        let known = self.schema.fields().iter().map(|field| field.name());
        if !known.eq(batch.schema_ref().fields().iter().map(|field| field.name())) {
            return Err(Error::Schema {
                column: "*".to_owned(),
                expected: "those that were asked for",
            });
        }
        let first = self.rows;
        self.rows += batch.num_rows() as u64;
        let mut sifted = self.sift(batch, others)?;
        let filtered = sifted.ok.as_ref().map(|ok| only(batch, ok));
        let rows = filtered.as_ref().unwrap_or(batch);
        let kept = sifted.ok.as_ref().map(|ok| positions(ok));
        let flows = self.make(
            rows,
            |row| kept.as_ref().map_or(row, |kept| kept[row]),
            &mut sifted.rejects,
        )?;
        let lines = batch.num_rows() as u64;
        let rejects = sifted
            .rejects
            .into_iter()
            .map(|(row, (reason, bytes))| Reject {
                offset: first + row as u64,
                reason,
                bytes,
            });
        Ok(Decoded {
            flows,
            coverage: sifted.coverage,
            rejects: rejects.collect(),
            lines,
            header_lines: 0,
            blank_lines: 0,
        })
    }

    /// Tells rows of flows from others by their status, of those that are not of another class.
    fn sift(
        &self,
        batch: &RecordBatch,
        mut others: BTreeMap<usize, Vec<u8>>,
    ) -> Result<Sifted, Error> {
        let mut sifted = Sifted::default();
        let position = |field| self.columns.iter().position(|own| own.field() == field);
        let Some(at) = position(Field::LogStatus) else {
            return Ok(sifted);
        };
        let statuses = batch.column(at).as_ref();
        if others.is_empty() && all_ok(statuses) {
            return Ok(sifted);
        }
        let mut ok = Vec::new();
        for row in 0..batch.num_rows() {
            if let Some(mut class) = others.remove(&row) {
                class.truncate(Reject::BYTES_MAX);
                sifted
                    .rejects
                    .insert(row, (RejectReason::OtherClass, class));
                ok.push(false);
                continue;
            }
            let status = status(statuses, row)?;
            ok.push(status == Status::Ok);
            let reject = match status {
                Status::Ok => continue,
                Status::Coverage(status) => match coverage(batch, &position, row, status)? {
                    Ok(row) => {
                        sifted.coverage.push(row);
                        continue;
                    }
                    Err(reject) => reject,
                },
                Status::Bad => bad_value(Field::LogStatus),
            };
            let (reason, field) = reject;
            let bytes = bad_bytes(batch, position(field), row);
            sifted.rejects.insert(row, (reason, bytes));
        }
        sifted.ok = ok.contains(&false).then_some(ok);
        Ok(sifted)
    }

    /// The rows as our columns, without those that have a bad value.
    fn make(
        &mut self,
        rows: &RecordBatch,
        place: impl Fn(usize) -> usize,
        rejects: &mut Rejects,
    ) -> Result<FlowBatch, Error> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        let mut ok = Vec::new();
        for (at, column) in self.columns.iter_mut().enumerate() {
            let mut bad = Vec::new();
            let source = rows.column(at).as_ref();
            let field = column.field();
            arrays.push(
                column
                    .make(source, &mut bad)
                    .ok_or_else(|| not_stored_as(field))?,
            );
            for row in bad.into_iter().map(|row| row as usize) {
                ok.resize(rows.num_rows(), true);
                if std::mem::take(&mut ok[row]) {
                    let bytes = bad_bytes(rows, Some(at), row);
                    rejects.insert(place(row), (RejectReason::BadValue(field), bytes));
                }
            }
        }
        let position = |field| self.columns.iter().position(|own| own.field() == field);
        let window = position(Field::Start).zip(position(Field::End));
        if let Some((start, end)) = window {
            for row in backwards(&arrays[start], &arrays[end]) {
                ok.resize(rows.num_rows(), true);
                if std::mem::take(&mut ok[row]) {
                    let bytes = bad_bytes(rows, Some(end), row);
                    rejects.insert(place(row), (RejectReason::EndBeforeStart, bytes));
                }
            }
        }
        let made = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .unwrap_or_else(|error| unreachable!("own columns: {error}"));
        FlowBatch::try_new(if ok.is_empty() {
            made
        } else {
            only(&made, &ok)
        })
    }
}

/// The rows whose window ends before it starts.
fn backwards(starts: &dyn Array, ends: &dyn Array) -> Vec<usize> {
    let times = |column: &dyn Array| column.as_primitive_opt::<TimestampSecondType>().cloned();
    let Some((starts, ends)) = times(starts).zip(times(ends)) else {
        return Vec::new();
    };
    let windows = || starts.values().iter().zip(ends.values());
    // Nulls hold zero, so that this may also be one without an end; hardly ever is there one.
    if !windows().fold(false, |any, (start, end)| any | (end < start)) {
        return Vec::new();
    }
    let time = |own: Option<i64>| own.map(Timestamp);
    let windows = starts.iter().zip(&ends).enumerate();
    let backwards = windows.filter(|(_, (start, end))| ends_before_start(time(*start), time(*end)));
    backwards.map(|(row, _)| row).collect()
}

/// By row of a batch: why it is a reject, and the bad value.
type Rejects = BTreeMap<usize, (RejectReason, Vec<u8>)>;

/// What the statuses of a batch tell.
#[derive(Default)]
struct Sifted {
    /// Which rows are of flows; `None` if all are.
    ok: Option<Vec<bool>>,
    coverage: Vec<CoverageRow>,
    rejects: Rejects,
}

#[derive(Clone, Copy, PartialEq)]
enum Status {
    Ok,
    Coverage(CoverageStatus),
    Bad,
}

/// The rows of a batch that are marked.
fn only(batch: &RecordBatch, marks: &[bool]) -> RecordBatch {
    filter_record_batch(batch, &BooleanArray::from(marks.to_vec()))
        .unwrap_or_else(|error| unreachable!("a mark for each row: {error}"))
}

/// Whether the keys of a dictionary tell at once that all rows are of flows.
fn all_ok(statuses: &dyn Array) -> bool {
    if statuses.null_count() > 0 {
        return false;
    }
    let Some(statuses) = statuses.as_dictionary_opt::<Int32Type>() else {
        return false;
    };
    let texts = statuses.values().as_string_opt::<i32>();
    let at = texts.and_then(|texts| texts.iter().position(|text| text == Some("OK")));
    let at = at.and_then(|at| i32::try_from(at).ok());
    at.is_some_and(|at| statuses.keys().values().iter().all(|key| *key == at))
}

fn status(column: &dyn Array, row: usize) -> Result<Status, Error> {
    let spelt = spell(Field::LogStatus, column, row);
    Ok(
        match spelt
            .ok_or_else(|| not_stored_as(Field::LogStatus))?
            .as_ref()
        {
            "OK" => Status::Ok,
            "NODATA" => Status::Coverage(CoverageStatus::NoData),
            "SKIPDATA" => Status::Coverage(CoverageStatus::SkipData),
            _ => Status::Bad,
        },
    )
}

/// Why a row is a reject, and the field whose value says so.
type Bad = (RejectReason, Field);

fn bad_value(field: Field) -> Bad {
    (RejectReason::BadValue(field), field)
}

/// The coverage row of a batch's row, or why it is none.
fn coverage(
    batch: &RecordBatch,
    position: &dyn Fn(Field) -> Option<usize>,
    row: usize,
    status: CoverageStatus,
) -> Result<Result<CoverageRow, Bad>, Error> {
    let token = |field| match position(field) {
        Some(at) => spell(field, batch.column(at).as_ref(), row)
            .ok_or_else(|| not_stored_as(field))
            .map(|text| Some(text).filter(|text| text != "-")),
        None => Ok(None),
    };
    let text = |field| Ok(token(field)?.map(|text| text.into_owned()));
    let mut times = [None; 2];
    for (time, field) in times.iter_mut().zip([Field::Start, Field::End]) {
        *time = match token(field)?.map(|text| time_of(&text)) {
            Some(None) => return Ok(Err(bad_value(field))),
            Some(time) => time,
            None => None,
        };
    }
    if ends_before_start(times[0], times[1]) {
        return Ok(Err((RejectReason::EndBeforeStart, Field::End)));
    }
    Ok(Ok(CoverageRow {
        account_id: text(Field::AccountId)?,
        interface_id: text(Field::InterfaceId)?,
        tgw_attachment_id: text(Field::TgwAttachmentId)?,
        start: times[0],
        end: times[1],
        status,
    }))
}

fn time_of(text: &str) -> Option<Timestamp> {
    match read_value(Field::Start, text) {
        Some(Value::Time(time)) => Some(time),
        _ => None,
    }
}

fn bad_bytes(batch: &RecordBatch, at: Option<usize>, row: usize) -> Vec<u8> {
    let column = at.map(|at| batch.column(at).as_ref());
    // Any text field: a number is to be shown as it is stored.
    let spelt = column.and_then(|column| spell(Field::Type, column, row));
    let bytes = spelt.iter().flat_map(|text| text.bytes());
    bytes.take(Reject::BYTES_MAX).collect()
}

fn positions(ok: &[bool]) -> Vec<usize> {
    let all = ok.iter().enumerate();
    all.filter(|(_, ok)| **ok).map(|(row, _)| row).collect()
}

/// Whether a field is ever stored as this type.
fn suits(field: Field, stored: &DataType) -> bool {
    match stored {
        DataType::Null | DataType::Binary | DataType::Dictionary(_, _) => true,
        DataType::Utf8 | DataType::Utf8View => true,
        stored if field.kind() == Kind::Addr => stored.is_null(),
        stored => stored.is_integer() || matches!(stored, DataType::Float32 | DataType::Float64),
    }
}

fn not_stored_as(field: Field) -> Error {
    Error::Schema {
        column: field.column().to_owned(),
        expected: match field.kind() {
            Kind::Addr => "text",
            _ => "a number or text",
        },
    }
}

/// Some names, for a message.
fn list(names: &[String]) -> String {
    const SHOWN_MAX: usize = 5;
    let shown: Vec<&str> = names.iter().take(SHOWN_MAX).map(String::as_str).collect();
    let more = if names.len() > SHOWN_MAX { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests;
