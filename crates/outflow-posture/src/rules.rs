//! The smallest egress rules that observed traffic needs.

mod learn;
mod replay;
mod terraform;

use std::collections::BTreeSet;

use ipnet::IpNet;
use outflow_enrich::inventory::Inventory;
use outflow_enrich::protocol;
use outflow_record::{Addr, Timestamp};
use serde::Serialize;

use crate::network::Network;
use crate::report::Window;
use crate::rule::{Need, Peer};
use crate::traffic::{Entry, Key, Traffic};

pub use learn::GROUP_RULES_MAX;
pub use replay::{BLOCKED_MAX, Blocked, Replay};

/// Name and version of the JSON of a [`RuleSet`]. Keys are only ever added.
pub const RULES_SCHEMA: &str = "outflow.rules/1";

/// Whose egress the rules are for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A security group: what all interfaces need that have it.
    SecurityGroup(String),
    /// A workload, as the traffic calls it.
    Workload(String),
}

/// What rules are learnt from, and replayed over.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Prefix lists, groups and endpoints.
    pub inventory: &'a Inventory,
    /// The time of the rules.
    pub at: Timestamp,
    /// What was sent.
    pub traffic: &'a Traffic,
    /// Interfaces and destinations of open incidents: never learnt.
    pub incidents: &'a BTreeSet<(String, Addr)>,
}

/// Egress rules of a group or workload in one VPC, and what goes with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleSet {
    /// [`RULES_SCHEMA`].
    pub schema: &'static str,
    /// Whose they are.
    pub target: Target,
    /// Account.
    pub account_id: String,
    /// VPC.
    pub vpc_id: String,
    /// The time that they were learnt from; `None` if there was no traffic.
    pub learnt: Option<Window>,
    /// Rules: prefix lists first, then groups, then networks.
    pub rules: Vec<EgressRule>,
    /// Hosts asked by TLS or HTTP, for a list of allowed domains in Network Firewall.
    pub domains: Vec<String>,
    /// Networks of the VPC, which that list must know.
    pub home_nets: Vec<IpNet>,
    /// Endpoints that services in use lack.
    pub endpoints: Vec<EndpointProposal>,
    /// What was not learnt, and why.
    pub not_learnt: NotLearnt,
    /// What to know before it is applied.
    pub notes: Vec<String>,
}

/// One rule, as AWS has them: one other side, one protocol, one range of ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EgressRule {
    /// The other side.
    pub peer: RulePeer,
    /// IANA number of the protocol.
    pub protocol: u8,
    /// Ports; `None` for protocols that have none.
    pub ports: Option<PortRange>,
    /// Why it is there, in AWS's characters.
    pub description: String,
    /// Bytes that need it.
    pub bytes: u64,
    /// Flows that need it.
    pub flows: u64,
    /// Destinations behind it that were seen.
    pub destinations: usize,
}

/// First and last port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PortRange {
    /// First.
    pub first: u16,
    /// Last.
    pub last: u16,
}

/// The other side of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RulePeer {
    /// A prefix list, of a service of AWS or of one's own.
    PrefixList(String),
    /// A security group of the same VPC.
    SecurityGroup(String),
    /// A network.
    Cidr(IpNet),
}

/// An endpoint for a service that is reached by a public path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EndpointProposal {
    /// `com.amazonaws.<region>.<service>`.
    pub service_name: String,
    /// Whether AWS offers a gateway endpoint for it; else it is an interface endpoint.
    pub is_gateway: bool,
    /// Route tables that lead to a gateway endpoint.
    pub route_table_ids: Vec<String>,
    /// Subnets for an interface endpoint.
    pub subnet_ids: Vec<String>,
    /// Bytes that would take it.
    pub bytes: u64,
}

/// Flows that no rule was made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct NotLearnt {
    /// Flows of open incidents.
    pub incident_flows: u64,
    /// Their bytes.
    pub incident_bytes: u64,
    /// Flows of which neither flags nor ports tell who opened them.
    pub undecided_flows: u64,
    /// Their bytes.
    pub undecided_bytes: u64,
    /// Rows that found no room among the traffic of the VPC: rules may be missing for them.
    pub beyond_rows: u64,
}

impl Target {
    /// Whether an entry is of the target.
    fn has(&self, network: &Network<'_>, key: &Key, entry: &Entry) -> bool {
        match self {
            Self::Workload(workload) => *key.workload == **workload,
            Self::SecurityGroup(group_id) => {
                let known = network
                    .inventory
                    .interface(&key.interface_id, entry.last_at);
                known.is_some_and(|known| known.value.security_groups.contains_key(group_id))
            }
        }
    }
}

impl Observed<'_> {
    fn is_incident(&self, key: &Key) -> bool {
        let named = (key.interface_id.to_string(), key.destination);
        self.incidents.contains(&named)
    }
}

impl RulePeer {
    fn as_peer(&self) -> Peer<'_> {
        match self {
            Self::PrefixList(id) => Peer::PrefixList(id),
            Self::SecurityGroup(id) => Peer::Group(id),
            Self::Cidr(net) => Peer::Net(*net),
        }
    }
}

impl EgressRule {
    fn allows(&self, network: &Network<'_>, need: &Need<'_>) -> bool {
        let ports = self.ports;
        let in_range = ports.is_none_or(|ports| (ports.first..=ports.last).contains(&need.port));
        self.protocol == need.protocol && in_range && self.peer.as_peer().reaches(network, need)
    }
}

fn need<'a>(key: &'a Key, entry: &Entry) -> Need<'a> {
    Need {
        vpc_id: &key.vpc_id,
        addr: key.destination,
        protocol: key.protocol,
        port: key.port,
        at: entry.last_at,
    }
}

/// Whether a protocol has ports.
fn has_ports(number: u8) -> bool {
    matches!(number, protocol::TCP | protocol::UDP)
}

#[cfg(test)]
mod tests;
