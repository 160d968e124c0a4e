//! Seeded worlds that write VPC Flow Logs as AWS would, with labelled scenarios, and the arithmetic that
//! compares what was found with what was there.
//!
//! ```text
//! WorldConfig ──► World ──┬─► objects() ──► SimObject { path, text }   one at a time, in time order
//!   seed, span,    │      └─► labels()  ──► labels_csv()               what the scenarios moved
//!   scenarios      │                            │
//!                  │          charged findings ─┴─► evaluate() ──► Score { recalls, false_ones }
//!                  └ inventory (roles, addresses) + destinations + script of the scenarios
//! ```
//!
//! The same configuration gives the same bytes on every platform: all arithmetic is on integers.
//!
//! ```
//! use outflow_sim::{Scenario, World, WorldConfig, labels_csv};
//!
//! let config = WorldConfig { days: 1, scenarios: vec![Scenario::Burst], ..WorldConfig::default() };
//! let world = World::new(&config).unwrap();
//! let first = world.objects().next().unwrap();
//! assert!(first.text.starts_with(b"version account-id interface-id srcaddr "));
//! assert!(first.path.contains("/vpcflowlogs/us-east-1/2026/09/01/"));
//!
//! let csv = labels_csv(&world.labels());
//! let burst = csv.lines().nth(1).unwrap();
//! assert!(burst.contains(",outbound,") && burst.contains(",malicious,burst,T1048,"));
//! ```
//!
//! Not here: compression, files, clocks, Parquet, and detection itself.
pub use config::WorldConfig;
pub use error::Error;
pub use evaluate::{Charged, Recall, SEVERITY_LOW, Score, evaluate};
pub use label::{Label, labels_csv};
pub use objects::{LATE_ROWS_PER_MILLE, Objects, SimObject};
pub use rng::{Domain, Rng};
pub use scenario::{Class, Scenario};
pub use topology::{Topology, TopologyLog};
pub use world::World;

mod background;
mod config;
mod conversation;
mod destinations;
mod error;
mod evaluate;
mod inventory;
mod label;
mod load;
mod objects;
#[cfg(test)]
mod reading;
mod render;
mod rng;
mod row;
mod scenario;
mod scene;
mod script;
mod topology;
mod views;
mod world;
