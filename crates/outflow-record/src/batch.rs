//! What a decoder hands out: rows, coverage and rejects.

use std::fmt;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Int32Type, TimestampSecondType, UInt8Type, UInt16Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, FixedSizeBinaryArray, PrimitiveArray, RecordBatch,
};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{ArrowError, DataType, Schema, TimeUnit};

use crate::{DnsField, Error, Field, Kind, LogKind, Timestamp};

/// Flow records (`log-status` `OK`) as columns named like [`Field::column`], checked once here and never
/// again by readers. It holds the columns that the source has, in the source's order.
#[derive(Debug, Clone)]
pub struct FlowBatch {
    batch: RecordBatch,
    positions: [u8; Field::ALL.len()],
    kind: LogKind,
    combined: Vec<Combined>,
}

/// Columns of a batch whose values were met together: rows with the same number have the same value in each of them, so that
/// what follows from these is found once for a number. One combination may have several numbers.
#[derive(Debug, Clone)]
pub struct Combined {
    pub(crate) fields: Arc<[Field]>,
    pub(crate) list: CombinationList,
    pub(crate) numbers: ScalarBuffer<u32>,
}

/// Which combinations numbers are of: those of equal lists keep their meaning from batch to batch, as do the keys of the columns'
/// texts.
#[derive(Debug, Clone, Default)]
pub struct CombinationList(Arc<()>);

impl PartialEq for CombinationList {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Combined {
    /// The columns.
    pub fn fields(&self) -> &Arc<[Field]> {
        &self.fields
    }

    /// What the numbers are of.
    pub fn list(&self) -> &CombinationList {
        &self.list
    }

    /// By row, the number of its combination. They are counted from 0.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }
}

const ABSENT: u8 = u8::MAX;

impl FlowBatch {
    /// Takes a batch whose columns are flow log fields of the types that [`Kind`] names.
    ///
    /// # Errors
    /// [`Error::Schema`] names the first column that is none; [`Error::MixedKinds`] if no one log has them together.
    pub fn try_new(batch: RecordBatch) -> Result<Self, Error> {
        let mut positions = [ABSENT; Field::ALL.len()];
        let mut fields = Vec::new();
        for (at, column) in batch.schema().fields().iter().enumerate() {
            let wrong = |expected| Error::Schema {
                column: column.name().clone(),
                expected,
            };
            let field: Field = column.name().parse().map_err(|_| wrong("of any version"))?;
            if *column.data_type() != data_type(field.kind()) {
                return Err(wrong(type_name(field.kind())));
            }
            positions[field.index()] = u8::try_from(at).map_err(|_| wrong("within 255 columns"))?;
            fields.push(field);
        }
        let kind = LogKind::of(&fields)?;
        Ok(Self {
            batch,
            positions,
            kind,
            combined: Vec::new(),
        })
    }

    /// Other rows of the same columns, of which these were met together.
    ///
    /// # Errors
    /// What Arrow says of arrays that are not of the columns' types, or not equally long.
    pub(crate) fn with_rows(
        &self,
        arrays: Vec<ArrayRef>,
        combined: Vec<Combined>,
    ) -> Result<Self, ArrowError> {
        Ok(Self {
            batch: RecordBatch::try_new(self.batch.schema(), arrays)?,
            combined,
            ..*self
        })
    }

    /// Columns whose values were met together; none where rows were not read as text.
    pub fn combined(&self) -> &[Combined] {
        &self.combined
    }

    /// The list of combinations that a column is in; none if it was not met together with others, or with itself.
    pub fn list(&self, field: Field) -> Option<&CombinationList> {
        let mut combined = self.combined.iter();
        combined
            .find(|of| of.fields.contains(&field))
            .map(Combined::list)
    }

    /// What the records are of. Nothing that sums them may take both kinds: they are the same traffic, seen twice.
    pub fn kind(&self) -> LogKind {
        self.kind
    }

    /// The columns as Arrow has them.
    pub fn record_batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Rows in the batch.
    pub fn num_rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether the source has the field.
    pub fn has(&self, field: Field) -> bool {
        self.positions[field.index()] != ABSENT
    }

    /// A small-number column ([`Kind::U8`]); `None` if the source lacks the field.
    pub fn u8s(&self, field: Field) -> Option<&PrimitiveArray<UInt8Type>> {
        self.primitive(field)
    }

    /// A port column ([`Kind::U16`]); `None` if the source lacks the field.
    pub fn u16s(&self, field: Field) -> Option<&PrimitiveArray<UInt16Type>> {
        self.primitive(field)
    }

    /// A count column ([`Kind::U64`]); `None` if the source lacks the field.
    pub fn u64s(&self, field: Field) -> Option<&PrimitiveArray<UInt64Type>> {
        self.primitive(field)
    }

    /// A time column ([`Kind::Time`]); `None` if the source lacks the field.
    pub fn times(&self, field: Field) -> Option<&PrimitiveArray<TimestampSecondType>> {
        self.primitive(field)
    }

    /// An address column ([`Kind::Addr`]), 16 bytes a row; `None` if the source lacks the field.
    pub fn addrs(&self, field: Field) -> Option<&FixedSizeBinaryArray> {
        self.column(field)?.as_any().downcast_ref()
    }

    /// A text column ([`Kind::Text`], [`Kind::Tag`]); `None` if the source lacks the field.
    pub fn texts(&self, field: Field) -> Option<&DictionaryArray<Int32Type>> {
        self.column(field)?.as_any().downcast_ref()
    }

    fn primitive<T: ArrowPrimitiveType>(&self, field: Field) -> Option<&PrimitiveArray<T>> {
        self.column(field)?.as_any().downcast_ref()
    }

    fn column(&self, field: Field) -> Option<&dyn Array> {
        let at = self.positions[field.index()];
        (at != ABSENT).then(|| self.batch.column(usize::from(at)).as_ref())
    }
}

/// The Arrow type of a column.
pub(crate) fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::U8 => DataType::UInt8,
        Kind::U16 => DataType::UInt16,
        Kind::U64 => DataType::UInt64,
        Kind::Time => DataType::Timestamp(TimeUnit::Second, Some("UTC".into())),
        Kind::Addr => DataType::FixedSizeBinary(16),
        Kind::Text | Kind::Tag => {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
        }
    }
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::U8 => "UInt8",
        Kind::U16 => "UInt16",
        Kind::U64 => "UInt64",
        Kind::Time => "Timestamp(s, UTC)",
        Kind::Addr => "FixedSizeBinary(16)",
        Kind::Text | Kind::Tag => "Dictionary(Int32, Utf8)",
    }
}

/// The Arrow schema of a source with these fields, in this order.
pub fn schema(fields: &[Field]) -> Arc<Schema> {
    let columns: Vec<_> = fields
        .iter()
        .map(|f| arrow_schema::Field::new(f.column(), data_type(f.kind()), true))
        .collect();
    Arc::new(Schema::new(columns))
}

/// Why a window has no flow records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CoverageStatus {
    /// The interface or attachment had no traffic in the window.
    NoData,
    /// AWS lost records of the window: one row may stand for many flows.
    SkipData,
}

/// A `NODATA` or `SKIPDATA` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageRow {
    /// Owner of the interface or the transit gateway.
    pub account_id: Option<String>,
    /// The interface; absent in logs of a transit gateway.
    pub interface_id: Option<String>,
    /// The attachment of a transit gateway; absent in VPC flow logs.
    pub tgw_attachment_id: Option<String>,
    /// Start of the window.
    pub start: Option<Timestamp>,
    /// End of the window.
    pub end: Option<Timestamp>,
    /// Which of the two it was.
    pub status: CoverageStatus,
}

/// A line that is no record, kept as data: nothing is lost silently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Byte offset of the line in the decompressed source. Of a line that was wrapped, where its wrapping begins
    /// ([`crate::Place::offset`]); of a row of a table, its number ([`crate::Conformer`], [`crate::DnsConformer`]).
    pub offset: u64,
    /// Why it is no record.
    pub reason: RejectReason,
    /// The line, or a row's bad value, cut to [`Reject::BYTES_MAX`].
    pub bytes: Vec<u8>,
}

impl Reject {
    /// Bytes kept of a rejected line: enough to recognise it, and a hostile source cannot fill the memory.
    pub const BYTES_MAX: usize = 256;
}

/// Why a line is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RejectReason {
    /// The line has another number of tokens than the format.
    FieldCount,
    /// A field that should hold a number, time, address or verdict does not.
    BadValue(Field),
    /// The line is not UTF-8.
    NotUtf8,
    /// The line is longer than [`crate::LINE_MAX`], or the object than [`crate::RECORD_MAX`].
    TooLong,
    /// The source ended within the line, or was damaged there.
    Truncated,
    /// What should be an object is no JSON, or another value.
    NotJson,
    /// An object lacks a key that a query must have.
    MissingKey(DnsField),
    /// A key that should hold a text, time, port or address holds something else.
    BadKey(DnsField),
    /// What should wrap a record holds no message.
    NoMessage,
    /// A packed record is not base64, or not sound gzip within it.
    BadPayload,
    /// An event of a table is of another class of OCSF than the table's columns tell.
    OtherClass,
    /// The window of the record ends before it starts.
    EndBeforeStart,
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RejectReason::FieldCount => f.write_str("field-count"),
            RejectReason::BadValue(field) => write!(f, "bad-value:{field}"),
            RejectReason::NotUtf8 => f.write_str("not-utf8"),
            RejectReason::TooLong => f.write_str("line-too-long"),
            RejectReason::Truncated => f.write_str("truncated"),
            RejectReason::NotJson => f.write_str("not-json"),
            RejectReason::MissingKey(key) => write!(f, "missing:{key}"),
            RejectReason::BadKey(key) => write!(f, "bad-value:{key}"),
            RejectReason::NoMessage => f.write_str("no-message"),
            RejectReason::BadPayload => f.write_str("bad-payload"),
            RejectReason::OtherClass => f.write_str("other-class"),
            RejectReason::EndBeforeStart => f.write_str("end-before-start"),
        }
    }
}

/// What a decoder has read since it was last flushed.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The flow records.
    pub flows: FlowBatch,
    /// The `NODATA` and `SKIPDATA` rows.
    pub coverage: Vec<CoverageRow>,
    /// The lines that are no records.
    pub rejects: Vec<Reject>,
    /// Data lines: always rows + coverage rows + rejects.
    pub lines: u64,
    /// Header lines.
    pub header_lines: u64,
    /// Lines without any token.
    pub blank_lines: u64,
}

impl Decoded {
    /// Rejects that no decoder met, such as those of an [`crate::Unwrapper`], and header lines of a wrapping.
    pub fn without_rows(kind: LogKind, rejects: Vec<Reject>, header_lines: u64) -> Self {
        Self {
            flows: FlowBatch {
                batch: RecordBatch::new_empty(schema(&[])),
                positions: [ABSENT; Field::ALL.len()],
                kind,
                combined: Vec::new(),
            },
            coverage: Vec::new(),
            lines: rejects.len() as u64,
            rejects,
            header_lines,
            blank_lines: 0,
        }
    }
}
