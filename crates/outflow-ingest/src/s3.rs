//! Objects in S3: listed no further than they are wanted, and fetched ahead of the workers.
//!
//! ```text
//! s3://bucket/prefix ──layout, listing──► keys within the filter
//!                                           │
//!            one thread that only waits:    ▼  ahead: ranges of objects, in order, REQUESTS_MAX at once
//!                                        Fetched ──io::Read──► a worker
//! ```
//!
//! Every request is repeated where repeating may help (`client`), and every range is of the object that was listed:
//! what changed or vanished meanwhile is an error of that object.

mod access;
mod ahead;
mod client;
mod error;
mod layout;
mod listing;
mod object;

pub use access::lake_access;
pub(crate) use ahead::{Ahead, Fetched, PART_BYTES};
pub(crate) use client::{REGION_DEFAULT, configuration, waiting};
pub use client::{S3, S3Options};
pub use error::S3Error;
pub(crate) use error::root_cause;
pub use listing::Place;
pub use object::S3Object;

#[cfg(test)]
mod stub;
#[cfg(test)]
mod tests;
