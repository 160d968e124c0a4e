//! What rules would have blocked.

use std::cmp::Reverse;

use outflow_record::Addr;
use serde::{Serialize, Serializer};

use super::{Observed, RuleSet, need};
use crate::network::Network;
use crate::traffic::{Entry, Key, Opened};

/// Connections that a replay names, those that would break the most first. The others are in its sums.
pub const BLOCKED_MAX: usize = 1_000;

/// What rules would have done to traffic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// Flows that would have gone through.
    pub allowed_flows: u64,
    /// Their bytes.
    pub allowed_bytes: u64,
    /// Flows that would not.
    pub blocked_flows: u64,
    /// Their bytes.
    pub blocked_bytes: u64,
    /// Connections that would not: most bytes first, at most [`BLOCKED_MAX`].
    pub blocked: Vec<Blocked>,
    /// The same of conversations of which neither flags nor ports tell who opened them: blocked only if the host did.
    pub undecided: Vec<Blocked>,
}

/// A connection that no rule lets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocked {
    /// `eni-…`.
    pub interface_id: String,
    /// Workload.
    pub workload: String,
    /// The other side.
    #[serde(serialize_with = "as_text")]
    pub destination: Addr,
    /// Its names.
    pub domains: Vec<String>,
    /// Port of the other side.
    pub port: u16,
    /// IANA number of the protocol.
    pub protocol: u8,
    /// Bytes.
    pub bytes: u64,
    /// Flows.
    pub flows: u64,
    /// First second.
    pub first: String,
    /// Last second.
    pub last: String,
    /// Whether an open incident is about it: it should be blocked.
    pub in_incident: bool,
}

impl RuleSet {
    /// Replays traffic of the same target and VPC, which may be other than what the rules were learnt from.
    pub fn replay(&self, observed: &Observed<'_>) -> Replay {
        let network = Network::new(observed.inventory, observed.at);
        let mut replay = Replay::default();
        for (key, entry) in observed.traffic.entries() {
            let is_own = *key.vpc_id == *self.vpc_id && *key.account_id == *self.account_id;
            let goes_out = key.opened != Opened::Inbound && entry.flows > 0;
            if !is_own || !goes_out || !self.target.has(&network, key, entry) {
                continue;
            }
            let need = need(key, entry);
            if self.rules.iter().any(|rule| rule.allows(&network, &need)) {
                replay.allowed_flows = replay.allowed_flows.saturating_add(entry.flows);
                replay.allowed_bytes = replay.allowed_bytes.saturating_add(entry.bytes);
                continue;
            }
            let blocked = Blocked::of(key, entry, observed.is_incident(key));
            if key.opened == Opened::Unknown {
                replay.undecided.push(blocked);
            } else {
                replay.blocked_flows = replay.blocked_flows.saturating_add(entry.flows);
                replay.blocked_bytes = replay.blocked_bytes.saturating_add(entry.bytes);
                replay.blocked.push(blocked);
            }
        }
        for list in [&mut replay.blocked, &mut replay.undecided] {
            // What is alike stays in the order of the traffic.
            list.sort_by_key(|blocked| (Reverse(blocked.bytes), Reverse(blocked.flows)));
            list.truncate(BLOCKED_MAX);
        }
        replay
    }
}

impl Blocked {
    fn of(key: &Key, entry: &Entry, in_incident: bool) -> Self {
        Self {
            interface_id: key.interface_id.to_string(),
            workload: key.workload.to_string(),
            destination: key.destination,
            domains: entry.domains.iter().map(ToString::to_string).collect(),
            port: key.port,
            protocol: key.protocol,
            bytes: entry.bytes,
            flows: entry.flows,
            first: entry.first_at.to_string(),
            last: entry.last_at.to_string(),
            in_incident,
        }
    }
}

fn as_text<S: Serializer>(addr: &Addr, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(addr)
}
