//! Route 53 Resolver query logs: JSON objects in, one row a query out.
//!
//! ```text
//! bytes ──► DnsDecoder ──► DnsDecoded { DnsBatch, rejects, counts }
//!               │
//!               ├─ fast    objects as AWS writes them: no blanks, no escapes, text where text belongs
//!               └─ frame + naive    everything else, by the definition
//! tables of Security Lake ──► DnsConformer (ocsf) ──► the same
//! ```

pub use batch::{DnsBatch, DnsDecoded, DnsField, dns_schema};
pub use decoder::{BATCH_BYTES_MAX, DnsDecoder};
pub use frame::{NESTING_MAX, RECORD_MAX};
pub use ocsf::DnsConformer;
pub use sniff::is_resolver_query_log;

mod batch;
mod columns;
mod decoder;
mod fast;
mod frame;
mod naive;
mod ocsf;
mod record;
mod sniff;
mod texts;

#[cfg(test)]
mod tests;
