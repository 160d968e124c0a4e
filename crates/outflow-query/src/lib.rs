//! SQL over the tables of a lake.
//!
//! ```text
//! lake ──LakeTables: tables as they are now──► Session ──Session::query(sql, values)──► Rows, batch by batch
//!                                                 ▲                                       │
//!           Library: saved queries, checked values┘          AnswerWriter: table, CSV, JSON, Parquet, Arrow
//! ```
//!
//! Of sources, [`Session::decode`] has tables decoded as they are read, instead of a lake's.
//!
//! One engine, DataFusion, in one [`Session`]. Only what reads is let through.
//!
//! Not here: what makes the tables (`outflow-ingest`), functions of SQL (`outflow-udf`), servers.

pub use bind::bind;
pub use datafusion::common::ScalarValue;
pub use error::{Error, Spot};
pub use given::{
    EvidenceRows, FOUND_LINE_BYTES_MAX, Found, FoundError, FoundLines, GivenTable, egress_rules,
    found, guardduty,
};
pub use library::{
    Bounds, Column, Library, LibraryError, Parameter, ParameterKind, QUERY_BYTES_MAX, SavedQuery,
    each_once,
};
pub use needs::{Needs, Reads};
pub use only::Only;
pub use row::{Row, rows};
pub use session::{
    Answers, CATALOG, Limits, OPERATORS_MAX, PARENTHESES_MAX, Rows, SCHEMA, STACK_BYTES, Session,
    check_size, is_whole,
};
pub use timeline::{
    Entity, Episode, Gap, MOMENTS_MAX, Moment, Questions, Timeline, TimelineRequest, What, Why,
};
pub use write::{
    AnswerFormat, AnswerWriter, TABLE_ROWS_MAX, TableLayout, parquet_as_csv, refused_by_format,
};

mod bind;
mod error;
mod files;
mod given;
mod library;
mod lookups;
mod names;
mod needs;
mod once;
mod only;
mod row;
mod scattered;
mod session;
mod source;
mod sum;
mod table;
mod tables;
mod timeline;
mod write;
