//! What is decoded of an object.

use outflow_record::{Decoded, DnsDecoded, Reject};

/// A batch of records of either kind of log.
#[derive(Debug, Clone)]
pub enum Batch {
    /// Of flow logs.
    Flows(Decoded),
    /// Of Route 53 Resolver query logs.
    Queries(DnsDecoded),
}

impl Batch {
    pub(crate) fn rejects(&mut self) -> &mut [Reject] {
        match self {
            Self::Flows(decoded) => &mut decoded.rejects,
            Self::Queries(decoded) => &mut decoded.rejects,
        }
    }
}
