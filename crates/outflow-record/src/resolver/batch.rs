//! What a [`super::DnsDecoder`] hands out.

use std::fmt;
use std::sync::{Arc, LazyLock};

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, TimestampMicrosecondType, UInt16Type};
use arrow_array::{
    Array as _, DictionaryArray, FixedSizeBinaryArray, ListArray, PrimitiveArray, RecordBatch,
    StringArray,
};
use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};

use crate::{Error, Reject};

/// Declares the columns in their order, with AWS's names.
macro_rules! dns_fields {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A column of the table `dns`, named like AWS's key.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum DnsField {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl DnsField {
            /// Every column, in the order of the schema.
            pub const ALL: &'static [DnsField] = &[$(DnsField::$variant,)+];

            /// The column's name, which is AWS's key.
            pub const fn column(self) -> &'static str {
                match self {
                    $(DnsField::$variant => $name,)+
                }
            }
        }
    };
}

dns_fields! {
    /// Version of the log format, such as `1.100000`.
    Version = "version",
    /// Account that made the VPC.
    AccountId = "account_id",
    /// Region of the VPC.
    Region = "region",
    /// VPC that the query came from.
    VpcId = "vpc_id",
    /// When the query was sent.
    QueryTimestamp = "query_timestamp",
    /// Name that was asked for: ASCII lower-cased, one trailing dot taken off, except that of the root `.`.
    QueryName = "query_name",
    /// Type that was asked for, such as `A`.
    QueryType = "query_type",
    /// Class that was asked for, mostly `IN`.
    QueryClass = "query_class",
    /// Response code, such as `NXDOMAIN`.
    Rcode = "rcode",
    /// Records of the answer, in its order.
    Answers = "answers",
    /// Address that the query came from.
    SrcAddr = "srcaddr",
    /// Port that the query came from.
    SrcPort = "srcport",
    /// Transport, such as `UDP`.
    Transport = "transport",
    /// Instance that asked; of `srcids`.
    Instance = "instance",
    /// Resolver endpoint that the query passed; of `srcids`.
    ResolverEndpoint = "resolver_endpoint",
    /// Network interface of that endpoint; of `srcids`.
    ResolverNetworkInterface = "resolver_network_interface",
    /// `ALERT` or `BLOCK`, where a rule of DNS Firewall matched.
    FirewallRuleAction = "firewall_rule_action",
    /// Group of that rule.
    FirewallRuleGroupId = "firewall_rule_group_id",
    /// Domain list of that rule.
    FirewallDomainListId = "firewall_domain_list_id",
}

impl DnsField {
    /// Position in [`DnsField::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }

    /// A bit of its own.
    pub(super) const fn bit(self) -> u32 {
        1 << self.index()
    }

    /// Whether the column is a dictionary of texts.
    pub(super) const fn is_text(self) -> bool {
        use DnsField::{Answers, QueryName, QueryTimestamp, SrcAddr, SrcPort};
        !matches!(
            self,
            QueryTimestamp | QueryName | Answers | SrcAddr | SrcPort
        )
    }

    /// Whether the value is in `srcids`, not in the object itself.
    pub(super) const fn is_of_srcids(self) -> bool {
        use DnsField::{Instance, ResolverEndpoint, ResolverNetworkInterface};
        matches!(self, Instance | ResolverEndpoint | ResolverNetworkInterface)
    }

    /// Whether every row has a value.
    const fn is_required(self) -> bool {
        matches!(self, DnsField::QueryTimestamp | DnsField::QueryName)
    }

    /// The Arrow type of the column.
    pub(super) fn data_type(self) -> DataType {
        match self {
            DnsField::QueryTimestamp => {
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
            }
            DnsField::QueryName => DataType::Utf8,
            DnsField::Answers => DataType::List(answer_item()),
            DnsField::SrcAddr => DataType::FixedSizeBinary(16),
            DnsField::SrcPort => DataType::UInt16,
            _ => dictionary(),
        }
    }
}

impl fmt::Display for DnsField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.column())
    }
}

fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// The fields of one answer.
pub(super) fn answer_fields() -> Fields {
    Fields::from(vec![
        Field::new("rdata", DataType::Utf8, true),
        Field::new("type", dictionary(), true),
        Field::new("class", dictionary(), true),
    ])
}

/// The item of the list of answers.
pub(super) fn answer_item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Struct(answer_fields()), false))
}

/// The schema of the table `dns`, the same for every source.
///
/// `query_timestamp` has microseconds, because AWS may write a fraction and Parquet's readers agree on this unit.
/// `answers` is a list of structs, so that a query stays one row, a chain of `CNAME` keeps its order, and DuckDB,
/// Athena and Spark read it as it is; it is null where the log has no such key, and empty where it has no records.
pub fn dns_schema() -> Arc<Schema> {
    static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
        let column =
            |field: &DnsField| Field::new(field.column(), field.data_type(), !field.is_required());
        let columns: Vec<Field> = DnsField::ALL.iter().map(column).collect();
        Arc::new(Schema::new(columns))
    });
    Arc::clone(&SCHEMA)
}

/// Resolver queries in the columns of [`dns_schema`], checked once here and never again by readers.
#[derive(Debug, Clone)]
pub struct DnsBatch(RecordBatch);

impl DnsBatch {
    /// Takes a batch that has the columns of [`dns_schema`], in this order.
    ///
    /// # Errors
    /// [`Error::DnsSchema`] names the first column that is missing, has another type, or lacks a value that every
    /// row must have.
    pub fn try_new(batch: RecordBatch) -> Result<Self, Error> {
        for (at, field) in DnsField::ALL.iter().enumerate() {
            let schema = batch.schema_ref();
            let fits = schema.fields().get(at).is_some_and(|column| {
                column.name() == field.column() && *column.data_type() == field.data_type()
            });
            if !fits || field.is_required() && batch.column(at).null_count() > 0 {
                return Err(Error::DnsSchema { column: *field });
            }
        }
        Ok(Self(batch))
    }

    /// The columns as Arrow has them.
    pub fn record_batch(&self) -> &RecordBatch {
        &self.0
    }

    /// Queries in the batch.
    pub fn num_rows(&self) -> usize {
        self.0.num_rows()
    }

    /// When each query was sent: microseconds since 1970, UTC. Without nulls.
    pub fn query_timestamps(&self) -> &PrimitiveArray<TimestampMicrosecondType> {
        self.column(DnsField::QueryTimestamp).as_primitive()
    }

    /// The names that were asked for. Without nulls.
    pub fn query_names(&self) -> &StringArray {
        self.column(DnsField::QueryName).as_string()
    }

    /// The answers: structs of `rdata`, `type` and `class`.
    pub fn answers(&self) -> &ListArray {
        self.column(DnsField::Answers).as_list()
    }

    /// The addresses that asked, 16 bytes a row as of [`crate::Addr`].
    pub fn srcaddrs(&self) -> &FixedSizeBinaryArray {
        self.column(DnsField::SrcAddr).as_fixed_size_binary()
    }

    /// The ports that asked.
    pub fn srcports(&self) -> &PrimitiveArray<UInt16Type> {
        self.column(DnsField::SrcPort).as_primitive()
    }

    /// A column whose values repeat; `None` for the columns that have an accessor of their own.
    pub fn texts(&self, field: DnsField) -> Option<&DictionaryArray<Int32Type>> {
        self.column(field).as_dictionary_opt()
    }

    fn column(&self, field: DnsField) -> &dyn arrow_array::Array {
        self.0.column(field.index()).as_ref()
    }
}

/// What a decoder has read since it was last flushed.
#[derive(Debug, Clone)]
pub struct DnsDecoded {
    /// The queries.
    pub queries: DnsBatch,
    /// What is no record.
    pub rejects: Vec<Reject>,
    /// Records, whether each has a line to itself or not: always rows + rejects.
    pub lines: u64,
    /// Lines without anything but white space.
    pub blank_lines: u64,
    /// Rows that have a key which is not read, in the object itself, in `srcids` or in an answer. AWS adds keys in
    /// minor versions, and these are left out.
    pub unknown_keys: u64,
}
