//! Mergeable, canonical sketches: the same items give the same bytes, in whatever order and parts they came.
//!
//! ```text
//!  items ──▶ hash64() ──▶ Distinct ──▶ count(), lower_bound()
//!                          ▲    │
//!                  merge() ┘    └──▶ encode() ──▶ bytes ──▶ decode()
//! ```
//!
//! ```
//! use outflow_sketch::Distinct;
//!
//! let mut monday = Distinct::new();
//! let mut tuesday = Distinct::new();
//! for host in 0..100u64 {
//!     monday.insert(&host.to_le_bytes());
//!     tuesday.insert(&(host + 50).to_le_bytes());
//! }
//! monday.merge(&tuesday);
//! assert_eq!(format!("about {}, at least {}", monday.count(), monday.lower_bound()), "about 151, at least 136");
//! ```
//!
//! Not here: windows and keys (detectors), and what a count means.

pub use distinct::{Distinct, EXACT_MAX, STANDARD_ERROR};
pub use error::Error;
pub use hash::hash64;

mod distinct;
mod error;
mod hash;
