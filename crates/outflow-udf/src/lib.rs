//! Functions of SQL: of addresses, networks, names and bytes.
//!
//! ```text
//! Known: what a context tells ──► functions(known) ──► Functions ──► registered by whoever has a session
//! ```
//!
//! `name_at` knows what the table `dns` of a session tells: whoever has one gives it that with [`name_at`], query by query.
//!
//! Each is described by an [`About`], from which its help is printed and which holds an example with its answer.
//!
//! Not here: sessions, tables, files.

pub use about::{About, Argument, Kind};
pub use called::{CalledNames, NAME_AT, name_at};
pub use engine::of_engine;
pub use functions::{Functions, Known, functions};
pub use templates::{TO_CHAR, to_char};

mod about;
mod addresses;
mod amounts;
mod arguments;
mod called;
mod distinct;
mod engine;
mod functions;
mod moments;
mod names;
mod places;
mod scalar;
mod sessions;
mod templates;
