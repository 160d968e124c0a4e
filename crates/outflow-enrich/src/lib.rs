//! What a flow record means: which side is inside, who opened the conversation, how much of it is payload. And what
//! is known of its addresses and interfaces from elsewhere, all of it optional.
//!
//! ```text
//! FlowBatch ──► Enricher ──► EnrichedBatch { flows seen from their interface, interfaces learnt }
//!                  │
//!      Networks (the border) · traffic (payload, initiator) · Interfaces (attributes, own addresses)
//!
//! out of bytes that somebody read:                                  they tell
//!   ip-ranges.json ────────► AwsRanges ──────────── of an address:  services, region
//!   .mmdb ─────────────────► GeoDatabases ───────── of an address:  country, autonomous system
//!   answers of DNS ────────► PassiveDns ─────────── of an address:  the name that a VPC knew it by
//!   a list, also built in ─► KnownDestinations ──── of a name:      vendor, site, country
//!   EC2 API, AWS Config ───► inventory::Inventory ─ of an interface, as of a time: attributes, lineage
//!   all of these ──────────► Knowledge ──────────── what judges ask for: workloads, gateways, destination groups, operators
//! ```
//!
//! ```
//! use outflow_enrich::{AddrClass, payload_bytes, protocol};
//! assert_eq!(AddrClass::of("100.64.3.2".parse().unwrap()), AddrClass::SharedSpace);
//! // The acknowledgements of a download: 1,000 packets of 52 bytes carry nothing.
//! assert_eq!(payload_bytes(protocol::TCP, false, 52_000, 1_000), 0);
//! ```
//!
//! A destination group is one of [`DestinationGroups`] that has a name, else [`outflow_record::Addr::group`]: /24 for
//! IPv4, /48 for IPv6, /120 behind NAT64.
//!
//! Not here: reading files and fetching lists, decoding logs of the resolver, joining what is known of an address to
//! its flows, counting a byte once over gateways, and any IO.

pub use api_service::{ApiService, is_region};
pub use aws::AwsService;
pub use destinations::{DestinationCategory, KnownDestination, KnownDestinations, VendorSite};
pub use domains::{NAME_BYTES_MAX, Registered, lies_within, registered_domain};
pub use enricher::{EnrichedBatch, Enricher, Flow, Origin};
pub use error::Error;
pub use geo::{GEO_SAMPLE_MAX, Geo, GeoDatabases};
pub use groups::{DestinationGroups, GroupId, GroupSources, NamingVpc};
pub use interface::{
    HOSTS_MAX, HostBudget, Interface, InterfaceKey, OwnAddress, PointKey, Points, Via,
};
pub use knowledge::Knowledge;
pub use networks::{AddrClass, Networks, Scope};
pub use operators::{Operator, OperatorVpc, Operators};
pub use passive_dns::{
    ADDR_DOMAINS_MAX, ANSWER_WINDOW_SECS, DnsAnswer, NamesByTime, Naming, PASSIVE_DNS_NAMES_MAX,
    PassiveDns,
};
pub use prefixes::{PREFIXES_MAX, PrefixTable};
pub use ranges::{AwsRange, AwsRanges};
pub use traffic::{Direction, Initiator, initiator, payload_bytes, protocol};

pub mod inventory;

mod api_service;
mod aws;
mod destinations;
mod domains;
mod enricher;
mod error;
#[cfg(test)]
mod fixtures;
mod geo;
mod groups;
mod interface;
mod knowledge;
mod networks;
mod operators;
mod passive_dns;
mod prefixes;
mod ranges;
mod traffic;
