//! Inventories of AWS accounts, as of a time: collected by calls that only read, or from what Terraform and AWS's
//! command line wrote.
//!
//! ```text
//! accounts (roles) × regions ──► read-only calls, all pages ──┐
//!                                                             ├──► ACCOUNT/REGION/TIME/ *.json, collected.json
//! Terraform state or plan, JSON of `aws … describe-…` ────────┘                 │
//!                                                                               ▼
//!                                                      `--context` of every command (outflow-enrich)
//! ```
//!
//! ```
//! use outflow_inventory::iam_policy;
//! // What the caller must be allowed, and nothing else.
//! let policy = iam_policy(&["arn:aws:iam::111122223333:role/audit"]);
//! assert_eq!(policy["Statement"][1]["Action"], "sts:AssumeRole");
//! ```
//!
//! A call that is denied or fails leaves its list unknown, and the manifest says so; nothing is ever taken for empty
//! that was not listed to its end.
//!
//! Not here: what inventories mean (`outflow-enrich`, `outflow-posture`), and any call that changes something.

pub use api::guardduty::GUARDDUTY_FINDINGS_MAX;
pub use collect::{CALLS_AT_ONCE_DEFAULT, Options, collect};
pub use error::Error;
pub use import::{ImportOptions, Imported, import};
pub use policy::iam_policy;
pub use role::Role;
pub use store::Written;

mod api;
mod collect;
mod error;
mod import;
mod listing;
mod policy;
mod role;
mod store;
#[cfg(test)]
use outflow_aws::Host;

#[cfg(test)]
#[path = "../../outflow-aws/src/stub.rs"]
#[expect(dead_code, reason = "it is shared with crates that need more of it")]
mod stub;
