//! Egress rules of security groups, and what they let out.

use ipnet::IpNet;
use outflow_enrich::inventory::{Permission, Tags};
use outflow_enrich::{AddrClass, protocol};
use outflow_record::{Addr, Timestamp};

use crate::network::Network;

/// Length of an IPv4 prefix up to which a rule is open: a /7 is more than any one provider has.
pub const OPEN_V4_LEN_MAX: u8 = 7;

/// The same for IPv6, where `2000::/3` is all that is routed.
pub const OPEN_V6_LEN_MAX: u8 = 15;

/// An egress rule with one other side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule<'a> {
    pub(crate) group_id: &'a str,
    /// `tcp`, a number, or `-1` for all.
    pub(crate) protocol: &'a str,
    /// First and last; `None` for all.
    pub(crate) ports: Option<(i64, i64)>,
    pub(crate) peer: Peer<'a>,
    pub(crate) description: Option<&'a str>,
    pub(crate) tags: Option<&'a Tags>,
    /// Tags that it had when last seen, where it was asked for since and not told.
    pub(crate) stale_tags: Option<&'a Tags>,
}

/// The other side of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer<'a> {
    Net(IpNet),
    PrefixList(&'a str),
    Group(&'a str),
}

/// What a connection needs of a rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need<'a> {
    pub(crate) vpc_id: &'a str,
    pub(crate) addr: Addr,
    pub(crate) protocol: u8,
    pub(crate) port: u16,
    pub(crate) at: Timestamp,
}

/// Whether a rule is open to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Openness {
    Open,
    Closed,
    /// It leads to a prefix list whose networks are not described, or no more.
    Unknown,
}

impl<'a> Rule<'a> {
    pub(crate) fn openness(&self, network: &Network<'_>) -> Openness {
        match self.peer {
            Peer::Group(_) => Openness::Closed,
            Peer::Net(net) if is_open(net) => Openness::Open,
            Peer::Net(_) => Openness::Closed,
            Peer::PrefixList(id) => match network.prefix_list(id) {
                Some(list) if list.cidrs.iter().any(|net| is_open(*net)) => Openness::Open,
                // Those that AWS keeps for its services are never open.
                Some(list) if list.prefix_list_name.starts_with("com.amazonaws.") => {
                    Openness::Closed
                }
                Some(list) if !list.cidrs.is_empty() && !network.is_stale_list(id) => {
                    Openness::Closed
                }
                _ => Openness::Unknown,
            },
        }
    }

    pub(crate) fn allows(&self, network: &Network<'_>, need: &Need<'_>) -> bool {
        self.allows_service(need.protocol, need.port) && self.peer.reaches(network, need)
    }

    fn allows_service(&self, number: u8, port: u16) -> bool {
        let Some(own) = protocol_number(self.protocol) else {
            return true;
        };
        let has_ports = matches!(number, protocol::TCP | protocol::UDP);
        own == number
            && match self.ports {
                Some((first, last)) if has_ports => (first..=last).contains(&i64::from(port)),
                _ => true,
            }
    }

    /// What the rule lets out, such as `tcp/443 to 0.0.0.0/0`.
    pub(crate) fn said(&self) -> String {
        let peer = match self.peer {
            Peer::Net(net) => net.to_string(),
            Peer::PrefixList(id) | Peer::Group(id) => id.to_owned(),
        };
        let protocol = match self.protocol {
            "-1" => "all protocols",
            named => named,
        };
        match self.ports {
            None => format!("{protocol} to {peer}"),
            Some((first, last)) if first == last => format!("{protocol}/{first} to {peer}"),
            Some((first, last)) => format!("{protocol}/{first}-{last} to {peer}"),
        }
    }

    /// Whether all protocols or all ports are let out.
    pub(crate) fn is_wide(&self) -> bool {
        self.protocol == "-1"
            || self
                .ports
                .is_none_or(|(first, last)| first <= 1 && last >= 65_535)
    }

    /// Whether it is the same rule as another, whatever is said of it.
    fn is_same(&self, other: &Self) -> bool {
        let own = (protocol_number(self.protocol), self.ports, self.peer);
        own == (protocol_number(other.protocol), other.ports, other.peer)
    }
}

impl Peer<'_> {
    /// Whether what is needed lies behind it.
    pub(crate) fn reaches(&self, network: &Network<'_>, need: &Need<'_>) -> bool {
        let ip = IpNet::from(need.addr.to_ip());
        match self {
            Self::Net(net) => net.contains(&ip),
            Self::PrefixList(id) => {
                let list = network.prefix_list(id);
                list.is_some_and(|list| list.cidrs.iter().any(|net| net.contains(&ip)))
            }
            Self::Group(id) => {
                let holder = network.inventory.holder(need.vpc_id, need.addr, need.at);
                holder.is_some_and(|holder| holder.value.security_groups.contains_key(*id))
            }
        }
    }
}

/// The egress rules of a group: those of its description, with what the flat form says of them, and rules that only
/// the flat form has.
pub(crate) fn rules_of<'a>(network: &Network<'a>, group_id: &'a str) -> Vec<Rule<'a>> {
    let group = network.group(group_id);
    let permissions = group
        .into_iter()
        .flat_map(|group| &group.ip_permissions_egress);
    let mut rules: Vec<Rule<'a>> = permissions
        .flat_map(|permission| expanded(group_id, permission))
        .collect();
    for &(flat, is_stale) in network.flat_rules(group_id) {
        if !flat.is_egress {
            continue;
        }
        let nets = [flat.cidr_ipv4, flat.cidr_ipv6];
        let net = nets.into_iter().flatten().next().map(Peer::Net);
        let Some(peer) = net.or(flat.prefix_list_id.as_deref().map(Peer::PrefixList)) else {
            continue; // Groups are never open, and the group's own description has them.
        };
        let rule = Rule {
            group_id,
            protocol: &flat.ip_protocol,
            ports: ports(&flat.ip_protocol, flat.from_port, flat.to_port),
            peer,
            description: flat.description.as_deref(),
            tags: Some(&flat.tags).filter(|_| !is_stale),
            stale_tags: Some(&flat.tags).filter(|_| is_stale),
        };
        match rules.iter_mut().find(|known| known.is_same(&rule)) {
            Some(known) if is_stale => known.stale_tags = rule.stale_tags,
            Some(known) => {
                known.description = known.description.or(rule.description);
                known.tags = rule.tags;
            }
            // The description of a group is whole, and of its own time, unless some of it was not understood.
            None if group.is_none_or(|group| group.unread_egress > 0) => rules.push(rule),
            None => {}
        }
    }
    rules
}

fn expanded<'a>(group_id: &'a str, permission: &'a Permission) -> Vec<Rule<'a>> {
    let ranges = permission.ip_ranges.iter().chain(&permission.ipv6_ranges);
    let nets = ranges.map(|range| (Peer::Net(range.net), &range.description));
    let lists = permission.prefix_list_ids.iter();
    let lists = lists.map(|list| (Peer::PrefixList(&list.prefix_list_id), &list.description));
    let groups = permission.user_id_group_pairs.iter();
    let groups = groups.map(|pair| (Peer::Group(&pair.group_id), &pair.description));
    let protocol = permission.ip_protocol.as_str();
    let peers = nets.chain(lists).chain(groups);
    peers
        .map(|(peer, description)| Rule {
            group_id,
            protocol,
            ports: ports(protocol, permission.from_port, permission.to_port),
            peer,
            description: description.as_deref(),
            tags: None,
            stale_tags: None,
        })
        .collect()
}

/// Ports as a range; `None` where all are meant.
fn ports(protocol: &str, from: Option<i64>, to: Option<i64>) -> Option<(i64, i64)> {
    let (from, to) = (from?, to?);
    (protocol != "-1" && from >= 0).then_some((from, to.max(from)))
}

/// The number of a protocol; `None` for all.
fn protocol_number(name: &str) -> Option<u8> {
    match name {
        "-1" => None,
        "tcp" => Some(protocol::TCP),
        "udp" => Some(protocol::UDP),
        "icmp" => Some(protocol::ICMP),
        "icmpv6" => Some(protocol::ICMPV6),
        // What is none is nobody's, rather than everybody's.
        number => Some(number.parse().unwrap_or(u8::MAX)),
    }
}

/// Whether a network is so large that a rule to it is open: the whole of a family, and what is as good as that.
pub(crate) fn is_open(net: IpNet) -> bool {
    let len = net.prefix_len();
    let inside = match AddrClass::of(Addr::from(net.network())) {
        AddrClass::UniqueLocal => 7,
        AddrClass::LinkLocal => 10,
        AddrClass::Multicast if net.addr().is_ipv4() => 4,
        AddrClass::Multicast => 8,
        _ => u8::MAX,
    };
    if len >= inside {
        return false;
    }
    match net {
        IpNet::V4(_) => len <= OPEN_V4_LEN_MAX,
        // Behind NAT64 (RFC 6052) lies all of IPv4.
        IpNet::V6(v6) => {
            let nat64 = v6.network().segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
            len <= OPEN_V6_LEN_MAX || nat64 && len <= 96 + OPEN_V4_LEN_MAX
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_that_are_as_good_as_all_are_open() {
        for net in [
            "0.0.0.0/0",
            "::/0",
            "0.0.0.0/1",
            "128.0.0.0/1",
            "32.0.0.0/3",
            "2000::/3",
            "64:ff9b::/96",
        ] {
            assert!(is_open(net.parse().unwrap()), "{net}");
        }
        for net in [
            "10.0.0.0/8",
            "203.0.113.0/24",
            "52.0.0.0/8",
            "fc00::/7",
            "fe80::/10",
            "224.0.0.0/4",
            "ff00::/8",
            "2a00:1450::/32",
            "64:ff9b::203.0.113.0/120",
        ] {
            assert!(!is_open(net.parse().unwrap()), "{net}");
        }
    }

    #[test]
    fn a_rule_allows_its_protocol_and_ports_only() {
        let rule = |protocol, from, to| Rule {
            group_id: "sg-1",
            protocol,
            ports: ports(protocol, from, to),
            peer: Peer::Net("0.0.0.0/0".parse().unwrap()),
            description: None,
            tags: None,
            stale_tags: None,
        };
        let https = rule("tcp", Some(443), Some(443));
        assert!(https.allows_service(6, 443));
        assert!(!https.allows_service(6, 444) && !https.allows_service(17, 443));
        assert!(rule("-1", None, None).allows_service(47, 0));
        assert!(rule("tcp", Some(-1), Some(-1)).allows_service(6, 9));
        // Types of ICMP are no ports.
        assert!(rule("icmp", Some(8), Some(0)).allows_service(1, 0));
        assert!(rule("50", None, None).allows_service(50, 0));
        assert!(!rule("nonsense", None, None).allows_service(6, 443));
        assert_eq!(https.said(), "tcp/443 to 0.0.0.0/0");
        assert!(!https.is_wide() && rule("tcp", Some(0), Some(65_535)).is_wide());
    }
}
