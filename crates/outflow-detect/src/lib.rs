//! Detection as a fold: records add up to sums by pair and six-hour slot, and findings are a pure function of
//! the sums.
//!
//! ```text
//! EnrichedBatch ──fold──► State ──merge──► State ──judge(policy, knowledge, day)──► findings
//!                           │  integers only: any order, grouping, cut or restart gives the same bytes
//!                           └─ encode / decode
//! ```
//!
//! ```
//! use outflow_detect::{Engine, Policy};
//! use outflow_enrich::{Enricher, Networks, Origin};
//! use outflow_record::Decoder;
//!
//! let mut decoder = Decoder::new(None);
//! let line = "2 123456789012 eni-1 10.0.0.7 185.1.2.3 40000 443 6 200000 300000000 0 60 ACCEPT OK\n";
//! decoder.decode(line.as_bytes()).unwrap();
//! let mut enricher = Enricher::new(Networks::default());
//! let mut engine = Engine::new(Policy::default());
//! engine.fold(&enricher.enrich(&decoder.flush().unwrap().flows, &Origin::default()));
//! let findings = engine.finish().findings;
//! assert_eq!(
//!     findings[0].finding.title,
//!     "290 MB of unexplained payload to 185.1.2.0/24 over tcp/443 within 24 hours"
//! );
//! ```
//!
//! Not here: a clock, IO, SQL, incidents (`outflow-finding` groups findings), and the families that need owners or
//! countries.

pub use engine::{Engine, LATENESS_SECS, open_from};
pub use error::Error;
pub use judge::{Judged, Verdict, judge, judge_with};
pub use key::Resolution;
pub use labels::{LabelCounts, LabelModel, NAME_MILLIBITS_MIN};
pub use policy::{
    Baseline, Bounds, Dns, Horizons, Jurisdiction, KnownDomain, Path, Policy, Sanctioned, Scores,
    Telemetry, Way,
};
pub use queries::{Detail, Query, QueryNumber};
pub use state::{Folder, Grain, Lessons, SHARD_KEYS_MAX, SharedState, State, Uncounted};
pub use time::{BUCKET_SECS, BUCKETS_PER_SLOT, Day, SLOT_SECS, SLOTS_PER_DAY, Slot};

mod counters;
mod coverage;
mod engine;
mod entities;
mod error;
mod judge;
mod key;
mod labels;
mod parallel;
mod policy;
mod queries;
#[cfg(test)]
mod reading;
mod rhythm;
mod services;
mod state;
mod table;
mod time;
mod view;
