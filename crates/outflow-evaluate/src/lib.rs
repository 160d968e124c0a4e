//! How much of what is stolen a detector finds, beside what the methods of others find: the same rows, the same grouping
//! and the same budget of incidents for each.
pub use alert::Alert;
pub use attack::{Kind, Placement, Scenario, Target};
pub use budget::Level;
pub use error::Error;
pub use harness::{Progress, Settings, evaluate};
pub use interval::Share;
pub use methods::{Facts, Method};
pub use report::{
    Calibration, DELIVERY_SECS, FalseAlarm, Grid, NEEDS_RESOLVER_LOGS, OfLevel, OfMethod,
    OfScenario, Report,
};
pub use row::{Row, Transfer};
pub use world::{Destination, Host, Role, Traits, Usage, World, WorldConfig};

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
