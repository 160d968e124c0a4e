//! Delivers incidents to where people and machines read them, and keeps what it could not deliver.
//!
//! ```text
//!                       Target: "s3://…", "https://…", "arn:aws:sns:…", "securityhub:", "incidents.jsonl"
//!                          │ takes: severity, families, format
//!                          ▼
//! Items, rendered ──► batches within the target's limits ──► attempts, further and further apart ──► Report
//!                                                                │ what does not arrive
//!                                                                ▼
//!                                                    file of dead letters ──redeliver──►
//! ```
//!
//! ```
//! use outflow_deliver::{Deliverer, Format, Item, Options, Run};
//! use outflow_finding::{Family, Severity};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! let folder = tempfile::tempdir().unwrap();
//! let file = folder.path().join("incidents.jsonl");
//! let target = format!("{}#severity=high", file.display()).parse().unwrap();
//! let deliverer = Deliverer::open(vec![target], Options::default()).await.unwrap();
//!
//! let run = Run::new("2026-10-01", "2026-10-01T08:30:00Z".parse().unwrap()).unwrap();
//! let item = |id, severity| {
//!     let body = format!(r#"{{"type":"incident","id":"{id}"}}"#);
//!     Item::new(id, severity, [Family::VolumeLedger], Format::Json, &body).unwrap()
//! };
//! let items = [item("in-1", Severity::High), item("in-2", Severity::Low)];
//! let reports = deliverer.deliver(&run, &items).await;
//! assert_eq!((reports[0].delivered, reports[0].passed_over), (1, 1));
//! assert_eq!(std::fs::read_to_string(file).unwrap(), "{\"type\":\"incident\",\"id\":\"in-1\"}\n");
//! # });
//! ```
//!
//! A containment ([`Containing`]) goes the same way: it is rehearsed, kept for being taken back, and applied.
//!
//! Not here: what is contained (`outflow-posture`), rendering (`outflow-finding`), and which runs deliver what (`outflow`).

pub use outflow_aws::{ATTEMPTS_MAX, Host, System};

pub use contain::{AclEntry, Containing, DnsUndo, InterfaceUndo, Keep, UNDO_SCHEMA, Undo, VpcUndo};
pub use dead::DEAD_LETTERS_BYTES_MAX;
pub use deliverer::{Deliverer, Options, PATIENCE_DEFAULT};
pub use error::Error;
pub use item::{Format, Item, Run};
pub use report::{Failure, Redelivery, Report};
pub use secret::SECRET_BYTES_MIN;
pub use sender::{
    OBJECT_BYTES_MAX, SNS_MESSAGE_BYTES_MAX, SQS_BATCH_BYTES_MAX, SQS_BATCH_MESSAGES_MAX,
    WEBHOOK_BODY_BYTES_MAX, WEBHOOK_ITEMS_MAX,
};
pub use target::Target;

mod batch;
mod contain;
mod dead;
mod deliverer;
mod error;
#[cfg(test)]
mod fixtures;
mod item;
mod report;
mod secret;
mod sender;
#[cfg(test)]
#[path = "../../outflow-aws/src/stub.rs"]
#[expect(dead_code, reason = "it is shared with crates that need more of it")]
mod stub;
mod target;
