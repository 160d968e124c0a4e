//! How much of what is stolen a detector finds, beside what the methods of others find: the same rows, the same grouping
//! and the same budget of incidents for each.
//!
//! ```text
//! seed ─┬► World (calibration) ──► alerts of each method ──► thresholds that keep a budget
//!       └► World (test) ──┬► alerts where nothing happens ──► false incidents
//!                         └► + Placements of each Scenario ──► alerts ──► recall, time, bytes lost ──► Report
//! ```
//!
//! A world is rows of flow logs and queries of Resolver query logs in memory. The benign rows are folded once; the rows of attacks are folded apart and
//! merged on top, as merging states is a sum. What counts as found is told from what the same world tells without the
//! attack.
//!
//! ```
//! use outflow_evaluate::{Scenario, Settings, WorldConfig, evaluate};
//!
//! let settings = Settings {
//!     placements: 1,
//!     followed: 0,
//!     world: WorldConfig { enis: 8, accounts: 1, learn_days: 14, test_days: 2, ..WorldConfig::default() },
//!     scenarios: vec![Scenario::Burst],
//!     ..Settings::default()
//! };
//! let report = evaluate(&settings, &|_, _| {}).unwrap();
//! let by_default = &report.methods[0].levels[3];
//! assert_eq!((by_default.scenarios[0].found.of, by_default.scenarios[0].found.all), (1, 1));
//! ```
//!
//! Not here: files, clocks, and labelled captures, which `outflow evaluate` reads.

pub use alert::Alert;
pub use attack::{Kind, Placement, Scenario, Target};
pub use budget::Level;
pub use error::Error;
pub use harness::{Progress, Settings, evaluate};
pub use interval::Share;
pub use methods::{Facts, Method};
pub use report::{
    Calibration, DELIVERY_SECS, FalseAlarm, Grid, NOT_EVALUATED, OfLevel, OfMethod, OfScenario,
    Report,
};
pub use row::{Row, Transfer};
pub use world::{Asked, Destination, Host, Role, Traits, Usage, World, WorldConfig};

mod alert;
mod attack;
mod batch;
mod budget;
mod detector;
mod error;
mod harness;
mod interval;
mod methods;
mod report;
mod row;
mod world;
