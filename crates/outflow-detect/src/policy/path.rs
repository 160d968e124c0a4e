//! By which way payload may leave a VPC.

use std::fmt;

use outflow_enrich::is_region;
use outflow_finding::TrafficPath;
use serde::{Deserialize, Serialize};

use super::named;

/// Ways and regions. Without any of these, all are allowed, and only what passes by an endpoint is told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Path {
    /// Ways that are forbidden, such as `internet-gateway`. None by default.
    pub denied: Vec<Way>,
    /// Regions of AWS, such as `eu-central-1`: payload to AWS in any other is forbidden. Any, if there are none. It needs the
    /// ranges of AWS, or names.
    #[serde(deserialize_with = "named", skip_serializing_if = "Vec::is_empty")]
    pub regions_allowed: Vec<String>,
}

impl Path {
    /// What makes no sense.
    pub(crate) fn wrong(&self) -> Option<String> {
        let mut regions = self.regions_allowed.iter();
        let region = regions.find(|region| !is_region(region))?;
        Some(format!(
            "path.regions_allowed: `{region}` is no region such as `eu-central-1`"
        ))
    }
}

/// A way out of an interface, as `traffic-path` of its own records tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Through another interface of the VPC: that of a NAT gateway, of a transit gateway or of a firewall (path 1).
    VpcResource,
    /// By an internet gateway (path 8; path 2 where no gateway endpoint can be meant).
    InternetGateway,
    /// By a virtual private gateway: a VPN, or Direct Connect (path 3).
    VirtualPrivateGateway,
    /// To a VPC of the same region by a peering (path 4). What stays inside the border is not judged.
    Peering,
    /// To a VPC of another region by a peering (path 5), likewise.
    PeeringOtherRegion,
    /// By the local gateway of an Outpost (path 6).
    LocalGateway,
    /// By a gateway endpoint (path 7; path 2 where routes lead to one).
    GatewayEndpoint,
}

impl Way {
    /// The number that `traffic-path` has for it, where it is not ambiguous.
    const fn path(self) -> TrafficPath {
        TrafficPath(match self {
            Self::VpcResource => 1,
            Self::VirtualPrivateGateway => 3,
            Self::Peering => 4,
            Self::PeeringOtherRegion => 5,
            Self::LocalGateway => 6,
            Self::GatewayEndpoint => 7,
            Self::InternetGateway => 8,
        })
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let article = match self {
            Self::VpcResource => "",
            Self::InternetGateway => "an ",
            _ => "a ",
        };
        write!(f, "{article}{}", self.path().words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_calls_ways_as_findings_do() {
        for path in [1, 3, 4, 5, 6, 7, 8].map(TrafficPath) {
            let toml = path.name().to_owned();
            let ways = [
                Way::VpcResource,
                Way::InternetGateway,
                Way::VirtualPrivateGateway,
                Way::Peering,
                Way::PeeringOtherRegion,
                Way::LocalGateway,
                Way::GatewayEndpoint,
            ];
            let way = ways.into_iter().find(|way| way.path() == path).unwrap();
            let deserializer =
                serde::de::value::StringDeserializer::<serde::de::value::Error>::new(toml);
            assert_eq!(Way::deserialize(deserializer).unwrap(), way);
            assert!(way.to_string().ends_with(path.words()));
        }
        assert_eq!(Way::InternetGateway.to_string(), "an internet gateway");
    }
}
