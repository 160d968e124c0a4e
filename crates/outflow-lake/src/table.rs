//! The tables of a lake: their columns, and how their rows are laid out.

use std::sync::{Arc, LazyLock};

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use outflow_record::{DnsField, Kind};

/// A table of the lake. Its name is that of its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// A row for each flow record.
    Flows,
    /// A row for what an interface exchanged with a destination, by service and ten minutes: sums over rows of `flows`.
    Profiles,
    /// A row for what an interface exchanged in an hour in a direction, with the number of addresses that it sent to: sums over rows
    /// of `flows`.
    Hours,
    /// A row for each query that a Route 53 Resolver logged.
    Dns,
    /// A row for each `NODATA` and `SKIPDATA` record.
    Coverage,
    /// A row for each line that is no record.
    Rejects,
    /// A row for each object that was read: the journal, by which nothing is read twice.
    Sources,
}

/// The zone of all times.
pub(crate) const UTC: &str = "UTC";

/// The column that holds the day of a row, by which every table is partitioned.
pub const DAY: &str = "day";

/// The column that holds the region of a row, by which every table is partitioned, too.
pub const REGION: &str = "region";

/// The column that names the source of a row: [`crate::SourceId`] as hexadecimal digits.
pub const SOURCE_ID: &str = "source_id";

/// Seconds of the buckets of `profiles`, aligned to UTC: those of detection.
pub const FLOWS_BUCKET_SECS: u32 = 600;

/// Seconds of the hours of `hours`, aligned to UTC, and of those by which rows of `flows` stand in a file first. Within an
/// hour rows stand by interface, so that what an interface determines comes in long runs.
pub const HOUR_SECS: u32 = 3_600;

/// By what rows stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// A column.
    Column(&'static str),
    /// A column of times, by hours of [`HOUR_SECS`].
    Hour(&'static str),
}

/// Columns of `flows` that the records themselves do not have, in their order, behind those that AWS names.
pub mod enriched {
    /// Flow log that delivered the record, as the name of its object tells.
    pub const FLOW_LOG_ID: &str = "flow_log_id";
    /// `egress` or `ingress` as the interface sees it; null where neither record nor border tells.
    pub const DIRECTION: &str = "direction";
    /// Address on the interface's side, of the packet itself where a gateway passed it on.
    pub const LOCAL_ADDR: &str = "local_addr";
    /// Address on the other side.
    pub const REMOTE_ADDR: &str = "remote_addr";
    /// Port on the interface's side.
    pub const LOCAL_PORT: &str = "local_port";
    /// Port on the other side.
    pub const REMOTE_PORT: &str = "remote_port";
    /// Who opened the conversation: `local`, `remote` or `unknown`.
    pub const INITIATOR: &str = "initiator";
    /// What told the initiator: `flags` or, as a guess, `ports`.
    pub const INITIATOR_BY: &str = "initiator_by";
    /// Bytes beyond the headers of the packets.
    pub const PAYLOAD_BYTES: &str = "payload_bytes";
    /// `external` or `internal`, the side of the border on which the other address lies, or `link` if it goes no further.
    pub const SCOPE: &str = "scope";
    /// `own`, or how a gateway saw the packets of another host: `received` or `forwarded`.
    pub const VIA: &str = "via";
    /// Whether sums of bytes over what crossed the border take this row: accepted, across the border, and seen at the
    /// interface of the host itself.
    pub const COUNTED: &str = "counted";
    /// Number of the network that holds the other address.
    pub const REMOTE_ASN: &str = "remote_asn";
    /// Who runs that network.
    pub const REMOTE_ORG: &str = "remote_org";
    /// Country of the other address, ISO 3166-1 alpha-2.
    pub const REMOTE_COUNTRY: &str = "remote_country";
    /// AWS service that has the other address.
    pub const REMOTE_SERVICE: &str = "remote_service";
    /// The group of destinations to which the other address belongs, if it is sure to have one with a name, as
    /// `s3.eu-central-1`; all others are compared by /24 and /48. Names that a VPC was answered are not among them, as answers may
    /// be ingested after the flows: they are in `dns`.
    pub const DESTINATION: &str = "destination";
    /// What the interface belongs to: the part of it that outlives it, else its own id.
    pub const WORKLOAD: &str = "workload";
}

/// Columns of `profiles` that rows of `flows` do not have, or have otherwise.
pub mod profiled {
    /// Start of the ten minutes in which the flows started.
    pub const BUCKET: &str = "bucket";
    /// Port of the side that was called; null for protocols without, and where it is one that clients take.
    pub const PORT: &str = "port";
    /// Group of the other side: its name, or its /24 or /48. Null for what stays inside, which is summed by service.
    pub const DESTINATION: &str = "destination";
    /// How many rows of `flows` it stands for.
    pub const FLOWS: &str = "flows";
    /// Start of the earliest of them.
    pub const FIRST: &str = "first";
    /// End of the latest.
    pub const LAST: &str = "last";

    /// How many columns the table's files have.
    pub(crate) const COLUMNS: usize = 24;
}

/// Columns of `hours` that no other table has.
pub mod hourly {
    /// Start of the hour in which the flows started.
    pub const HOUR: &str = "hour";
    /// How many different addresses the interface sent to, as `distinct_hll_sketch` counts; null of what it received.
    pub const SENT_TO: &str = "sent_to_hll";
}

/// The column that numbers the rows of a source, from 0.
pub const SOURCE_ROW: &str = "source_row";

impl SortKey {
    /// What rows of a batch have of it.
    pub(crate) fn of(self, rows: &RecordBatch) -> Option<ArrayRef> {
        match self {
            Self::Column(name) => rows.column_by_name(name).cloned(),
            Self::Hour(name) => {
                let times = rows.column_by_name(name)?;
                let times = times.as_primitive_opt::<TimestampMicrosecondType>()?;
                let micros = i64::from(HOUR_SECS) * 1_000_000;
                let hours = times.unary::<_, Int64Type>(|at| at.div_euclid(micros));
                Some(Arc::new(hours))
            }
        }
    }
}

impl Table {
    /// Every table: that which tells of a batch comes first, the journal last.
    pub const ALL: [Self; 7] = [
        Self::Flows,
        Self::Profiles,
        Self::Hours,
        Self::Dns,
        Self::Coverage,
        Self::Rejects,
        Self::Sources,
    ];

    /// The name in SQL, and that of its folder in the lake.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flows => "flows",
            Self::Profiles => "profiles",
            Self::Hours => "hours",
            Self::Dns => "dns",
            Self::Coverage => "coverage",
            Self::Rejects => "rejects",
            Self::Sources => "sources",
        }
    }

    /// The columns of its rows, without those that partition it: those of its files.
    pub fn file_schema(self) -> SchemaRef {
        static SCHEMAS: LazyLock<[SchemaRef; Table::ALL.len()]> =
            LazyLock::new(|| Table::ALL.map(|table| Arc::new(Schema::new(table.columns()))));
        Arc::clone(&SCHEMAS[self as usize])
    }

    /// All its columns; those that partition it come last.
    pub fn schema(self) -> SchemaRef {
        let mut columns = self.columns();
        columns.push(Field::new(DAY, DataType::Date32, true));
        columns.push(Field::new(REGION, DataType::Utf8, true));
        Arc::new(Schema::new(columns))
    }

    fn columns(self) -> Vec<Field> {
        match self {
            Self::Flows => flows(),
            Self::Profiles => profiles(),
            Self::Hours => hours(),
            Self::Dns => dns(),
            Self::Coverage => vec![
                text("account_id"),
                text("interface_id"),
                text("tgw_attachment_id"),
                time("start"),
                time("end"),
                required("status", DataType::Utf8),
                text(enriched::FLOW_LOG_ID),
                required(SOURCE_ID, DataType::Utf8),
            ],
            Self::Rejects => vec![
                required(SOURCE_ID, DataType::Utf8),
                required("offset", DataType::Int64),
                required("reason", DataType::Utf8),
                required("bytes", DataType::Binary),
            ],
            Self::Sources => vec![
                required(SOURCE_ID, DataType::Utf8),
                required("name_id", DataType::Utf8),
                required("uri", DataType::Utf8),
                required("given_uri", DataType::Utf8),
                text("version"),
                long("size"),
                text("sha256"),
                text("format"),
                text("fields"),
                text("account_id"),
                text(enriched::FLOW_LOG_ID),
                required("lines", DataType::Int64),
                required("header_lines", DataType::Int64),
                required("blank_lines", DataType::Int64),
                required("control_messages", DataType::Int64),
                required("rows", DataType::Int64),
                required("queries", DataType::Int64),
                required("coverage_rows", DataType::Int64),
                required("rejects", DataType::Int64),
                required("bytes", DataType::Int64),
                time("first"),
                time("last"),
                text("problem"),
            ],
        }
    }

    /// By what rows stand in a file, so that questions of a time and an interface read little of it; of missing values
    /// first. What was refused is a few of all flows, and asked for on its own: it stands apart. What crosses the border is asked
    /// for most: of an interface and hour, it stands together.
    pub const fn sorted_by(self) -> &'static [SortKey] {
        use SortKey::{Column, Hour};
        match self {
            Self::Flows => &[
                Column("action"),
                Hour("start"),
                Column("interface_id"),
                Column(enriched::SCOPE),
                Column(enriched::DIRECTION),
                Column("start"),
            ],
            Self::Profiles => &[
                Column("action"),
                Hour(profiled::BUCKET),
                Column("interface_id"),
            ],
            Self::Hours => &[Column(hourly::HOUR), Column("interface_id")],
            Self::Dns => &[Column("query_timestamp"), Column("srcaddr")],
            Self::Coverage => &[Column("start"), Column("interface_id")],
            Self::Rejects => &[Column(SOURCE_ID), Column("offset")],
            Self::Sources => &[Column("first"), Column("uri")],
        }
    }

    /// The columns that are asked for by single values which lie anywhere: each has a Bloom filter.
    pub const fn looked_up_by(self) -> &'static [&'static str] {
        match self {
            Self::Flows => &[
                "srcaddr",
                "dstaddr",
                "pkt_srcaddr",
                "pkt_dstaddr",
                enriched::LOCAL_ADDR,
                enriched::REMOTE_ADDR,
            ],
            Self::Profiles => &[profiled::DESTINATION],
            Self::Dns => &["query_name", "srcaddr"],
            Self::Hours | Self::Coverage | Self::Rejects | Self::Sources => &[],
        }
    }

    /// The columns of which the table's log holds the least and the greatest value in each file.
    pub const fn told_of_files(self) -> &'static [&'static str] {
        match self {
            Self::Flows => &["start", "end", "interface_id", "account_id", "vpc_id"],
            Self::Profiles => &[profiled::BUCKET, "interface_id", "account_id", "vpc_id"],
            Self::Hours => &[hourly::HOUR, "interface_id", "account_id", "vpc_id"],
            Self::Dns => &["query_timestamp", "vpc_id", "account_id"],
            Self::Coverage => &["start", "end", "interface_id"],
            Self::Rejects => &[SOURCE_ID],
            Self::Sources => &["first", "last", SOURCE_ID],
        }
    }
}

fn flows() -> Vec<Field> {
    let named_by_aws = outflow_record::Field::ALL
        .iter()
        .filter(|field| field.column() != REGION)
        .map(|field| Field::new(field.column(), stored(field.kind()), true));
    let mut columns: Vec<Field> = named_by_aws.collect();
    columns.extend([
        text(enriched::FLOW_LOG_ID),
        text(enriched::DIRECTION),
        text(enriched::LOCAL_ADDR),
        text(enriched::REMOTE_ADDR),
        Field::new(enriched::LOCAL_PORT, DataType::Int32, true),
        Field::new(enriched::REMOTE_PORT, DataType::Int32, true),
        text(enriched::INITIATOR),
        text(enriched::INITIATOR_BY),
        long(enriched::PAYLOAD_BYTES),
        text(enriched::SCOPE),
        text(enriched::VIA),
        required(enriched::COUNTED, DataType::Boolean),
        long(enriched::REMOTE_ASN),
        text(enriched::REMOTE_ORG),
        text(enriched::REMOTE_COUNTRY),
        text(enriched::REMOTE_SERVICE),
        text(enriched::DESTINATION),
        text(enriched::WORKLOAD),
        required(SOURCE_ID, DataType::Utf8),
        required(SOURCE_ROW, DataType::Int64),
    ]);
    columns
}

fn profiles() -> Vec<Field> {
    let mut columns = vec![
        time(profiled::BUCKET),
        text("account_id"),
        text("interface_id"),
        text("vpc_id"),
        text(enriched::WORKLOAD),
        text(enriched::FLOW_LOG_ID),
        text(enriched::DIRECTION),
        text(enriched::SCOPE),
        text(enriched::INITIATOR),
        text("action"),
        required(enriched::COUNTED, DataType::Boolean),
        Field::new("protocol", DataType::Int32, true),
        Field::new(profiled::PORT, DataType::Int32, true),
        text(profiled::DESTINATION),
        long(enriched::REMOTE_ASN),
        text(enriched::REMOTE_ORG),
        text(enriched::REMOTE_COUNTRY),
        text(enriched::REMOTE_SERVICE),
    ];
    columns.extend(sums());
    columns
}

fn hours() -> Vec<Field> {
    let mut columns = vec![
        time(hourly::HOUR),
        text("account_id"),
        text("interface_id"),
        text("vpc_id"),
        text(enriched::WORKLOAD),
        text(enriched::FLOW_LOG_ID),
        text(enriched::DIRECTION),
        text(enriched::SCOPE),
        text("action"),
        required(enriched::COUNTED, DataType::Boolean),
    ];
    columns.extend(sums());
    columns.push(Field::new(hourly::SENT_TO, DataType::Binary, true));
    columns
}

/// What rollups say of the rows of `flows` that they stand for.
fn sums() -> [Field; 6] {
    let count = |name| required(name, DataType::Int64);
    [
        count(profiled::FLOWS),
        count("packets"),
        count("bytes"),
        count(enriched::PAYLOAD_BYTES),
        time(profiled::FIRST),
        time(profiled::LAST),
    ]
}

/// The type in which a field is stored: Delta has no unsigned numbers, and addresses are texts, so that anyone can read
/// them.
pub fn stored(kind: Kind) -> DataType {
    match kind {
        Kind::U8 | Kind::U16 => DataType::Int32,
        Kind::U64 => DataType::Int64,
        Kind::Time => micros(),
        Kind::Addr | Kind::Text | Kind::Tag => DataType::Utf8,
    }
}

fn dns() -> Vec<Field> {
    let answer = DataType::Struct(vec![text("rdata"), text("type"), text("class")].into());
    let item = Arc::new(Field::new("item", answer, true));
    let named_by_aws = DnsField::ALL
        .iter()
        .filter(|field| field.column() != REGION)
        .map(|field| match field {
            DnsField::QueryTimestamp => required(field.column(), micros()),
            DnsField::QueryName => required(field.column(), DataType::Utf8),
            DnsField::Answers => {
                Field::new(field.column(), DataType::List(Arc::clone(&item)), true)
            }
            DnsField::SrcPort => Field::new(field.column(), DataType::Int32, true),
            _ => text(field.column()),
        });
    let mut columns: Vec<Field> = named_by_aws.collect();
    columns.extend([
        text("registered_domain"),
        required(SOURCE_ID, DataType::Utf8),
        required(SOURCE_ROW, DataType::Int64),
    ]);
    columns
}

fn micros() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn long(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

fn time(name: &str) -> Field {
    Field::new(name, micros(), true)
}

fn required(name: &str, of: DataType) -> Field {
    Field::new(name, of, false)
}
