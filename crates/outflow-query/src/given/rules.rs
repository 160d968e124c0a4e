//! What security groups let out, and which interfaces have them, as tables.

use std::collections::{BTreeMap, BTreeSet};

use outflow_enrich::inventory::{Inventory, Permission, Timeline};
use outflow_record::Timestamp;

use super::GivenTable;
use super::columns::{batch, longs, texts, times};
use crate::error::Error;

/// The tables' names.
pub(super) const RULES: &str = "egress_rules";
pub(super) const MEMBERS: &str = "interface_groups";

/// The other side of what a group may let out beside its rules, as parts of them were not understood.
const UNREAD: &str = "not understood";

/// When something that was observed held: from the first observation of all on, it is taken to have been so before.
#[derive(Debug, Clone, Copy)]
struct Held {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// What a rule lets out, to one other side.
struct Rule<'a> {
    group_id: &'a str,
    group_name: &'a str,
    vpc_id: &'a str,
    protocol: Option<i64>,
    ports: Option<(i64, i64)>,
    peer: String,
    networks: Option<String>,
    held: Held,
}

/// The tables `egress_rules`, a row for each rule of a security group and other side of it (networks with commas between, as
/// `cidr_contains` takes them; null for a prefix list that is not described, and for all of a group that was not understood, which
/// is one row), and `interface_groups`, a row for each interface and
/// security group of it. Both say from when (null: as long as is known) until when (null: still) that was seen so.
///
/// # Errors
/// [`Error::Run`] if the columns do not fit one another, which is a fault of the program.
pub fn egress_rules(inventory: &Inventory) -> Result<[GivenTable; 2], Error> {
    let mut members: Vec<(&str, &str, Held)> = Vec::new();
    let mut addresses: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for id in inventory.interfaces.ids() {
        for (interface, held) in held(&inventory.interfaces, id) {
            for group in interface.security_groups.keys() {
                members.push((id, group, held));
                let of_group = addresses.entry(group).or_default();
                of_group.extend(interface.addresses.iter().map(network));
                of_group.extend(interface.prefixes.iter().map(ToString::to_string));
            }
        }
    }
    let mut rules = Vec::new();
    for id in inventory.security_groups.ids() {
        for (group, held) in held(&inventory.security_groups, id) {
            for permission in &group.ip_permissions_egress {
                for (peer, networks) in others(permission, inventory, &addresses) {
                    rules.push(Rule {
                        group_id: id,
                        group_name: &group.group_name,
                        vpc_id: &group.vpc_id,
                        protocol: protocol(&permission.ip_protocol),
                        ports: ports(permission),
                        peer,
                        networks,
                        held,
                    });
                }
            }
            if group.unread_egress > 0 {
                rules.push(Rule {
                    group_id: id,
                    group_name: &group.group_name,
                    vpc_id: &group.vpc_id,
                    protocol: None,
                    ports: None,
                    peer: UNREAD.to_owned(),
                    networks: None,
                    held,
                });
            }
        }
    }
    Ok([table(&rules)?, member_table(&members)?])
}

/// What was seen of a resource, each with when it held.
fn held<'t, T>(timeline: &'t Timeline<T>, id: &str) -> Vec<(&'t T, Held)> {
    let spans = timeline.spans(id).enumerate();
    let held = spans.map(|(at, (since, until, value))| {
        let since = (at > 0).then_some(since);
        (value, Held { since, until })
    });
    held.collect()
}

fn network(addr: &outflow_record::Addr) -> String {
    match addr.to_ip() {
        ip @ std::net::IpAddr::V4(_) => format!("{ip}/32"),
        ip @ std::net::IpAddr::V6(_) => format!("{ip}/128"),
    }
}

/// The other sides of a permission by name, with their networks.
fn others(
    permission: &Permission,
    inventory: &Inventory,
    addresses: &BTreeMap<&str, BTreeSet<String>>,
) -> Vec<(String, Option<String>)> {
    let ranges = permission.ip_ranges.iter().chain(&permission.ipv6_ranges);
    let mut others: Vec<(String, Option<String>)> = ranges
        .map(|range| (range.net.to_string(), Some(range.net.to_string())))
        .collect();
    for list in &permission.prefix_list_ids {
        let id = &list.prefix_list_id;
        let described = inventory.prefix_lists.history(id).last();
        let networks = described.map(|(_, list)| {
            let networks: Vec<String> = list.cidrs.iter().map(ToString::to_string).collect();
            networks.join(",")
        });
        others.push((id.clone(), networks.filter(|text| !text.is_empty())));
    }
    for pair in &permission.user_id_group_pairs {
        let members = addresses.get(pair.group_id.as_str());
        let networks = members.map(|all| {
            let networks: Vec<&str> = all.iter().map(String::as_str).collect();
            networks.join(",")
        });
        others.push((
            pair.group_id.clone(),
            networks.filter(|text| !text.is_empty()),
        ));
    }
    others
}

/// IANA's number of a protocol; none for all.
fn protocol(name: &str) -> Option<i64> {
    match name {
        "tcp" => Some(6),
        "udp" => Some(17),
        "icmp" => Some(1),
        "icmpv6" => Some(58),
        number => number.parse().ok().filter(|number| *number >= 0),
    }
}

/// The ports of TCP and UDP; none for all, and for what has none.
fn ports(permission: &Permission) -> Option<(i64, i64)> {
    let has_ports = matches!(protocol(&permission.ip_protocol), Some(6 | 17));
    let (from, to) = (permission.from_port?, permission.to_port?);
    (has_ports && from >= 0).then_some((from, to))
}

fn table(rules: &[Rule<'_>]) -> Result<GivenTable, Error> {
    let of = || rules.iter();
    let columns = vec![
        ("group_id", texts(of().map(|of| Some(of.group_id)))),
        ("group_name", texts(of().map(|of| Some(of.group_name)))),
        ("vpc_id", texts(of().map(|of| Some(of.vpc_id)))),
        ("protocol", longs(of().map(|of| of.protocol))),
        ("from_port", longs(of().map(|of| Some(of.ports?.0)))),
        ("to_port", longs(of().map(|of| Some(of.ports?.1)))),
        ("peer", texts(of().map(|of| Some(&of.peer)))),
        ("networks", texts(of().map(|of| of.networks.as_ref()))),
        ("since", times(of().map(|of| of.held.since))),
        ("until", times(of().map(|of| of.held.until))),
    ];
    Ok(GivenTable {
        name: RULES,
        batch: batch(columns)?,
    })
}

fn member_table(members: &[(&str, &str, Held)]) -> Result<GivenTable, Error> {
    let of = || members.iter();
    let columns = vec![
        ("interface_id", texts(of().map(|of| Some(of.0)))),
        ("group_id", texts(of().map(|of| Some(of.1)))),
        ("since", times(of().map(|of| of.2.since))),
        ("until", times(of().map(|of| of.2.until))),
    ];
    Ok(GivenTable {
        name: MEMBERS,
        batch: batch(columns)?,
    })
}
