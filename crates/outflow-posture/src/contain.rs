//! What shuts an incident off: a quarantine group, a denial of its destinations, and a block of its domains.
//!
//! What stands in a log was chosen by others, perhaps by whom the incident is about. So an id, an address or a name becomes
//! part of what is proposed only if it has the form that AWS gives it; whatever has not is left out, and said.

mod bar;
mod cli;
mod plan;
mod suspect;
mod terraform;

use ipnet::IpNet;
use serde::Serialize;

pub use bar::{Bar, BarRefused, SIGNIFICANCE, bar};
pub use suspect::{Destination, GroupRef, JudgedSpan, Located, RunLines, RunRead, Sender, Suspect};

/// Name and version of the JSON of a [`Containment`]. Keys are only ever added.
pub const CONTAINMENT_SCHEMA: &str = "outflow.containment/1";

/// Interfaces that one containment shuts off. More are left out, and said: a mistake must not take a site down.
pub const INTERFACES_CONTAINED_MAX: usize = 64;

/// Networks that are denied: a network ACL takes 20 rules unless AWS raised its quota. More are left out, and said.
pub const ACL_RULES_MAX: usize = 16;

/// Domains that are blocked. More are left out, and said.
pub const DOMAINS_DENIED_MAX: usize = 200;

/// How destinations are denied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deny {
    /// By rules of the network ACLs of the senders' subnets: it cuts off also what is established, of all hosts there.
    #[default]
    NetworkAcl,
    /// By a rule group of Network Firewall, which a policy of a firewall has to name.
    NetworkFirewall,
}

/// What shuts an incident off, by VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Containment {
    /// [`CONTAINMENT_SCHEMA`].
    pub schema: &'static str,
    /// The incident's id.
    pub incident: String,
    /// What the incident says of itself, in AWS's characters.
    pub title: String,
    /// How destinations are denied.
    pub deny: Deny,
    /// By VPC.
    pub vpcs: Vec<VpcContainment>,
    /// What was left out, and why.
    pub left_out: Vec<String>,
    /// What to know before it is applied.
    pub notes: Vec<String>,
}

/// What shuts an incident off in one VPC. Ids, names and networks have the form that AWS gives them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VpcContainment {
    /// `vpc-…`.
    pub vpc_id: String,
    /// Account; 12 digits.
    pub account_id: String,
    /// Region.
    pub region: String,
    /// Name of the quarantine group, of the parts of DNS Firewall and of the rule group.
    pub name: String,
    /// Interfaces that get no group but that of quarantine.
    pub interfaces: Vec<Quarantined>,
    /// Networks that are denied to the subnets of these interfaces.
    pub denied: Vec<IpNet>,
    /// Domains that the VPC's resolver does not answer, each also with a `*.` before it.
    pub domains: Vec<String>,
}

/// An interface to be shut off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Quarantined {
    /// `eni-…`.
    pub interface_id: String,
    /// Instance to which it is attached, where that is known.
    pub instance_id: Option<String>,
    /// Its subnet; `None` where it is not known, and then Terraform cannot take it over.
    pub subnet_id: Option<String>,
    /// Its groups, as records or inventory saw them last. What puts it back reads them anew before it changes them.
    pub groups: Vec<String>,
}

impl VpcContainment {
    /// Subnets of the interfaces, each once.
    pub fn subnets(&self) -> Vec<&str> {
        let subnets = self.interfaces.iter();
        let mut subnets: Vec<&str> = subnets.filter_map(|of| of.subnet_id.as_deref()).collect();
        subnets.sort_unstable();
        subnets.dedup();
        subnets
    }

    /// Patterns of DNS Firewall: a name and all below it.
    pub fn patterns(&self) -> Vec<String> {
        let domains = self.domains.iter();
        domains
            .flat_map(|domain| [domain.clone(), format!("*.{domain}")])
            .collect()
    }
}

#[cfg(test)]
mod tests;
