//! Finds flow log objects, reads them whatever their compression, and feeds their bytes onward.
//!
//! ```text
//! "./logs", "-", "s3://…" ──► Source ──list──► Listing { objects, skipped, problems }
//!                                        │ one Reader per worker
//!                                        ▼
//!                     Object ──read──► decompressed pieces ──► sink
//!                                        └─► Read { compression, sha256, bytes, damage }
//! ```
//!
//! ```
//! use std::convert::Infallible;
//! use outflow_ingest::{Reader, Source, list};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let name = "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz";
//! std::fs::write(folder.path().join(name), "version\n2\n").unwrap(); // the name lies: it is plain text
//!
//! let listing = list(&[Source::Path(folder.path().to_owned())]).unwrap();
//! let object = &listing.objects[0];
//! assert_eq!(object.region.as_deref(), Some("us-east-1"));
//!
//! let mut text = Vec::new();
//! let mut sink = |piece: &[u8]| Ok::<(), Infallible>(text.extend_from_slice(piece));
//! let read = Reader::new().read(object, &mut sink).unwrap();
//! assert_eq!((read.compression.to_string().as_str(), read.bytes), ("plain", 10));
//! assert_eq!(read.damage, None);
//! assert_eq!(text, b"version\n2\n");
//! ```
//!
//! [`detect`] drives the whole pipeline, from objects to incidents; [`StoredLogs`] does so from the tables of a lake.
//!
//! A [`Parquet`] object has no text: the reader hands it out, and it is decoded as it is.
//!
//! Not here: the meaning of the bytes (`outflow-record`), judging (`outflow-detect`), and the command line.

pub use batch::Batch;
pub use context::{
    CONTEXT_FILE_BYTES_MAX, CONTEXT_INFLATED_BYTES_MAX, Context, ContextFile, ContextKind,
};
pub use error::{Error, ReadError};
pub use estimate::{Estimate, Share};
pub use filter::Filter;
pub use lake::{IngestSettings, Ingested, Named, Rehashed, Scan, Wanted, ingest, rehash};
pub use list::{ListOptions, Listing, list, list_with, no_log};
pub use object::Object;
pub use parquet::{Parquet, ParquetRead};
pub use pipeline::{
    Alerting, CheckpointError, Followed, Following, Outcome, PERIOD_DAYS, Progress, Reading,
    Settings, StoredLogs, Telling, Unwritable, detect, judged_by,
};
pub use problem::{Cause, Problem};
pub use reader::{Compression, Damage, INFLATED_MAX, PIECE_BYTES_MAX, Read, Reader, STORED_MAX};
pub use s3::{Place, S3, S3Error, S3Object, S3Options, lake_access};
pub use source::Source;
pub use sqs::{ANNOUNCED_MAX, Announced, Notice, NoticeError, Queue, QueueError, announced};

mod batch;
mod context;
mod error;
mod estimate;
mod file_uri;
mod filter;
mod lake;
mod list;
mod object;
mod parquet;
mod pipeline;
mod problem;
mod reader;
mod s3;
mod s3_name;
mod source;
mod sqs;
