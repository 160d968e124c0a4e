//! Requests to AWS that are signed and sent without an SDK, and answers that are trusted with nothing.
//!
//! ```text
//! Call { service, region, url, body } ──► Aws (credentials, signature) ──► Http ──► Answer
//!                                            │ what is refused
//!                                            ▼
//!                              Refused { code, Failed: passing, lasting, too large } ──► wait, try again
//! ```
//!
//! ```
//! use std::time::Duration;
//! use outflow_aws::{Failed, domain, wait};
//! // Between half and the whole of a time that doubles, and no less than was asked for.
//! assert_eq!(wait(1, None, 0.0), Duration::from_millis(250));
//! assert_eq!(wait(1, Some(Duration::from_secs(7)), 0.0), Duration::from_secs(7));
//! assert_eq!(domain("eusc-de-east-1"), "amazonaws.eu");
//! assert!(matches!(Failed::passing("busy"), Failed::Passing { after: None, .. }));
//! ```
//!
//! Not here: what is asked (`outflow-deliver`, `outflow-inventory`), and objects of S3 that are read (`outflow-ingest`).

pub use client::{Aws, AwsOptions, Call, NoCredentials, Refused, domain, is_passing};
pub use host::{Host, System};
pub use http::{ANSWER_BYTES_MAX, ATTEMPT_MAX, Answer, Http, root_cause};
pub use retry::{ATTEMPTS_MAX, Failed, wait};

mod client;
mod host;
mod http;
mod retry;
#[cfg(test)]
#[expect(dead_code, reason = "it is shared with crates that need more of it")]
mod stub;
