//! The vocabulary of VPC and Transit Gateway Flow Logs and Route 53 Resolver query logs, and push decoders that turn
//! their text into Arrow batches.
//!
//! ```text
//!                      ┌► Decoder ─────► Decoded { FlowBatch, coverage rows, rejects, counts }
//! bytes, in any pieces ┤
//!                      └► DnsDecoder ──► DnsDecoded { DnsBatch, rejects, counts }
//!                             │
//!         ordinary lines and objects: fast;  anything else: naive (the definition, and the oracle in tests)
//! ```
//! Lines that CloudWatch Logs or Firehose wrapped are first taken out by an [`Unwrapper`]. Tables, as Parquet holds them,
//! are put into the same batches by a [`Conformer`] or a [`DnsConformer`].
//!
//! ```
//! use outflow_record::{Decoder, Field, Format};
//!
//! // CloudWatch delivers lines without a header: the subscriber's format string says how to read them.
//! let format: Format = "${interface-id} ${dstaddr} ${bytes} ${log-status}".parse().unwrap();
//! let mut decoder = Decoder::new(Some(format));
//! decoder.decode(b"eni-1 203.0.113.5 1500 OK\neni-1 203.0.113.500 1500 OK\n").unwrap();
//! decoder.finish().unwrap();
//! let decoded = decoder.flush().unwrap();
//! assert_eq!(decoded.flows.num_rows(), 1);
//! assert_eq!(decoded.rejects[0].reason.to_string(), "bad-value:dstaddr");
//! ```
//!
//! Not here: files, decompression, and any meaning beyond the record itself (direction, payload,
//! destinations, registered domains), which `outflow-enrich` adds.

pub use addr::Addr;
pub use batch::{
    CombinationList, Combined, CoverageRow, CoverageStatus, Decoded, FlowBatch, Reject,
    RejectReason, schema,
};
pub use conform::Conformer;
pub use decoder::{BATCH_ROWS, Decoder, Learnt};
pub use error::Error;
pub use field::{Field, Kind, LogKind};
pub use foreign::Foreign;
pub use format::{Column, Format};
pub use naive::{LINE_MAX, Line, Value, read_line, read_value};
pub use resolver::{
    BATCH_BYTES_MAX, DnsBatch, DnsConformer, DnsDecoded, DnsDecoder, DnsField, NESTING_MAX,
    RECORD_MAX, dns_schema, is_resolver_query_log,
};
pub use timestamp::Timestamp;
pub use wrapped::{
    HEAD_MAX, Messages, Packed, Place, TELLING_MAX, Unwrapped, Unwrapper, WRAPPED_MAX, Wrapping,
};

mod addr;
mod batch;
mod columns;
mod conform;
mod decoder;
mod error;
mod fast;
mod field;
mod foreign;
mod format;
mod naive;
mod resolver;
mod swar;
mod timestamp;
mod wrapped;
