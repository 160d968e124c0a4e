//! A lake over PostgreSQL's wire protocol and over Flight SQL.
//!
//! ```text
//! psql, JDBC, Grafana ──Pg─────┐
//!                              ├──► Engine: whose turn it is, how long ──► Session of `outflow-query`
//! ADBC, Arrow clients ──Flight─┘       ▲
//!                          Users, Tls──┘ who may ask, over what
//! ```
//!
//! Nothing is written: what would change something is refused. Each statement sees the tables as they are when it is asked.
//!
//! Not here: what tables there are (`outflow-query`), arguments and signals (`outflow`), a web console.

// What a statement awaits holds plans of the engine, whose types nest too deeply for the default.
#![recursion_limit = "256"]

pub use engine::Engine;
pub use error::Error;
pub use flight::Flight;
pub use limits::ServeLimits;
pub use pg::Pg;
pub use tls::Tls;
pub use users::{Users, line_of_password, line_of_token};

mod catalog;
mod engine;
mod error;
mod flight;
mod limits;
mod listen;
mod pg;
mod problem;
mod settings;
mod sql;
mod tls;
mod users;
