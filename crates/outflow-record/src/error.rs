//! What can go wrong as a whole. A bad line is not an error but a [`crate::Reject`].

use crate::{DnsField, Field, Foreign};

/// Errors of formats, timestamps and undecidable input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A format or header names a field that no version has.
    #[error("`{field}` is no field of any flow log version")]
    UnknownField {
        /// The name as given.
        field: String,
    },
    /// A format names a field twice.
    #[error("the format names `{field}` twice")]
    RepeatedField {
        /// The field.
        field: Field,
    },
    /// A format without any field.
    #[error("the format names no field")]
    EmptyFormat,
    /// Text that is no timestamp.
    #[error("`{text}` is no UTC timestamp such as 2026-10-01T08:30:00Z")]
    BadTimestamp {
        /// The text as given.
        text: String,
    },
    /// A format of fields that no one log has together.
    #[error(
        "`{vpc}` is a field of VPC flow logs, and `{gateway}` one of Transit Gateway flow logs"
    )]
    MixedKinds {
        /// A field that only VPC flow logs have.
        vpc: Field,
        /// A field that only Transit Gateway flow logs have.
        gateway: Field,
    },
    /// A batch whose columns are not those of flow records.
    #[error("column `{column}` is no flow log column, or has another type than {expected}")]
    Schema {
        /// The column's name.
        column: String,
        /// The type that the field has.
        expected: &'static str,
    },
    /// A batch that is no batch of Resolver queries.
    #[error(
        "column `{column}` of a Resolver query is not there, has another type, or lacks values"
    )]
    DnsSchema {
        /// The column that was wanted.
        column: DnsField,
    },
    /// JSON of which nothing is a record or wraps one.
    #[error(
        "the format cannot be told: this is JSON, but no delivery of CloudWatch Logs or Firehose that wraps flow log \
         records, and no Route 53 Resolver query log; it begins with `{seen}`"
    )]
    OtherJson {
        /// Its first bytes.
        seen: String,
    },
    /// What is no log at all.
    #[error("the format cannot be told: this is {}", .0.what)]
    Foreign(Foreign),
    /// A line that is meant as a header, and is none.
    #[error("the format cannot be told: {reason}")]
    SpoiltHeader {
        /// What was seen.
        reason: String,
    },
    /// Neither a header nor the lines tell the format.
    #[error("the format cannot be told: {reason}")]
    Undecidable {
        /// What was seen.
        reason: String,
    },
}

const _: () = assert!(size_of::<Error>() <= 64);
