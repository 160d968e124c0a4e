//! The DNS information meter: what names carried that Resolver query logs show.
//!
//! ```text
//! Query ──zone──► client, registered domain, slot ──► Cell: counts, and the names below the domain
//!                                                       │    each with its code length: a set of integers
//!                                                       └─ judge/meter: bits against bounds
//! ```
//!
//! Resolver logs show what no cache answered: what reaches the name servers of a domain, and so what whoever runs them
//! can learn. All of it is kept as sums and sets of integers, as the sums of flows are: in any order, any parts.

mod cell;
pub(crate) mod codec;
mod lane;
mod names;
mod table;
mod zone;

use outflow_record::{Addr, Timestamp};

pub(crate) use cell::{Cell, Counts};
pub use lane::QueryNumber;
pub(crate) use lane::{QueryLane, QuerySums};
pub(crate) use names::{INFORMATION_EXACT_MAX, Names};
pub use table::Detail;
pub(crate) use table::{ClientKey, Clients, Queries, QueryShard, Zone};
pub(crate) use zone::NOT_DELEGATED;

/// A query of a Resolver query log, as its row has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<'q> {
    /// Account of the VPC.
    pub account_id: &'q str,
    /// Region of the VPC.
    pub region: &'q str,
    /// VPC that the query came from.
    pub vpc_id: &'q str,
    /// Instance that asked, where the log tells it.
    pub instance: Option<&'q str>,
    /// Address that asked.
    pub srcaddr: Option<Addr>,
    /// When.
    pub at: Timestamp,
    /// Name that was asked for, in lower case and without a final dot.
    pub name: &'q str,
    /// Type that was asked for, such as `A`.
    pub query_type: &'q str,
    /// Response code, such as `NXDOMAIN`.
    pub rcode: &'q str,
    /// Bytes of the answers' data, as the log writes them.
    pub answer_bytes: u64,
}
