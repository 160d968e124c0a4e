//! What is decoded of an object.

use outflow_record::{Decoded, DnsDecoded, Reject, RejectReason};

/// A batch of records of either kind of log.
#[derive(Debug, Clone)]
pub enum Batch {
    /// Of flow logs.
    Flows(Decoded),
    /// Of Route 53 Resolver query logs.
    Queries(DnsDecoded),
}

impl Batch {
    /// Where a record begins within which the source ends, if it does.
    pub(crate) fn torn_at(&self) -> Option<u64> {
        let rejects = match self {
            Self::Flows(decoded) => &decoded.rejects,
            Self::Queries(decoded) => &decoded.rejects,
        };
        let torn = rejects
            .iter()
            .find(|reject| reject.reason == RejectReason::Truncated);
        torn.map(|reject| reject.offset)
    }

    pub(crate) fn rejects(&mut self) -> &mut [Reject] {
        match self {
            Self::Flows(decoded) => &mut decoded.rejects,
            Self::Queries(decoded) => &mut decoded.rejects,
        }
    }
}
