//! What an incident rests on: its findings, with who sent and where to.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::OCSF_EVIDENCES_MAX;
use crate::aws::known;
use crate::json::{FindingLine, finding_line};
use crate::{Destination, Family, Finding, TrafficPath};

#[derive(Serialize)]
pub(super) struct Evidence<'a> {
    name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_endpoint: Option<Endpoint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dst_endpoint: Option<Endpoint<'a>>,
    connection_info: Connection,
    /// The finding; only in the first evidence of each, as the others differ in the address alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<FindingLine<'a>>,
}

#[derive(Serialize)]
struct Connection {
    direction_id: u8,
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    boundary_id: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boundary: Option<&'static str>,
}

/// A side of the traffic. At least one of its names is there.
#[derive(Serialize, Default)]
pub(super) struct Endpoint<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hostname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    svc_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface_uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vpc_uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subnet_uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    autonomous_system: Option<AutonomousSystem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<Location<'a>>,
}

#[derive(Serialize)]
struct AutonomousSystem<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Location<'a> {
    pub(super) country: &'a str,
}

/// Evidences of these findings, the gravest first: one for each address of a finding, or one.
pub(super) fn of<'a>(members: &[&'a Finding]) -> Vec<Evidence<'a>> {
    // Each finding has its place before further addresses of any take what is left.
    let firsts = members.iter().take(OCSF_EVIDENCES_MAX);
    let mut all: Vec<Evidence<'a>> = firsts
        .map(|own| evidence(own, addresses(own).next()))
        .collect();
    for own in members {
        let room = OCSF_EVIDENCES_MAX.saturating_sub(all.len());
        let further = addresses(own).skip(1).take(room);
        all.extend(further.map(|address| Evidence {
            data: None,
            ..evidence(own, Some(address))
        }));
    }
    all
}

/// Addresses of a finding; of a network, only JSON lines tell. Those outside the network that the finding is about, which it
/// names as what else was met, are under `data` alone: whoever blocks what an event names must not block these.
fn addresses(finding: &Finding) -> impl Iterator<Item = IpAddr> {
    let to = &finding.destination;
    let network: Option<IpNet> = to.group.as_ref().and_then(|group| group.parse().ok());
    let all = to
        .addresses
        .iter()
        .filter_map(|address| address.parse().ok());
    all.filter(move |address| network.is_none_or(|network| network.contains(address)))
}

fn evidence(finding: &Finding, address: Option<IpAddr>) -> Evidence<'_> {
    Evidence {
        name: finding.family.name(),
        uid: &finding.id,
        src_endpoint: source(finding),
        dst_endpoint: destination(&finding.destination, address),
        connection_info: connection(finding),
        data: Some(finding_line(finding)),
    }
}

fn connection(finding: &Finding) -> Connection {
    let (direction_id, direction) = match finding.family {
        // What it answers was asked from outside.
        Family::VolumeServed => (1, "Inbound"),
        _ => (2, "Outbound"),
    };
    let boundary = match finding.paths[..] {
        [path] => boundary(path),
        // An event has room for one.
        _ => None,
    };
    Connection {
        direction_id,
        direction,
        boundary_id: boundary.map(|(id, _)| id),
        boundary: boundary.map(|(_, name)| name),
    }
}

/// The boundary that a path crosses, as OCSF numbers and calls it.
const fn boundary(TrafficPath(path): TrafficPath) -> Option<(u8, &'static str)> {
    Some(match path {
        1 => (4, "Same VPC"),
        2 => (5, "Internet/VPC Gateway"),
        3 => (6, "Virtual Private Gateway"),
        4 => (7, "Intra-region VPC"),
        5 => (8, "Inter-region VPC"),
        6 => (9, "Local Gateway"),
        7 => (10, "Gateway VPC"),
        8 => (11, "Internet Gateway"),
        _ => return None,
    })
}

fn source(finding: &Finding) -> Option<Endpoint<'_>> {
    let names = [
        &finding.workload,
        &finding.interface_id,
        &finding.sender.instance_id,
    ];
    names.into_iter().find_map(known)?;
    Some(Endpoint {
        name: known(&finding.workload),
        instance_uid: known(&finding.sender.instance_id),
        interface_uid: known(&finding.interface_id),
        vpc_uid: known(&finding.vpc_id),
        subnet_uid: known(&finding.sender.subnet_id),
        zone: known(&finding.sender.availability_zone_id),
        ..Endpoint::default()
    })
}

fn destination(to: &Destination, ip: Option<IpAddr>) -> Option<Endpoint<'_>> {
    let hostname = known(&to.domain).filter(|name| is_hostname(name));
    // Groups are networks, services or domains: a name that has no other attribute.
    let name = known(&to.group).or(known(&to.domain));
    let svc_name = known(&to.service);
    if ip.is_none() && hostname.is_none() && name.is_none() && svc_name.is_none() {
        return None;
    }
    let operator = (to.asn.is_some() || known(&to.org).is_some()).then(|| AutonomousSystem {
        number: to.asn,
        name: known(&to.org),
    });
    Some(Endpoint {
        ip,
        hostname,
        name,
        svc_name,
        autonomous_system: operator,
        location: known(&to.country).map(|country| Location { country }),
        ..Endpoint::default()
    })
}

/// Whether OCSF takes the name for one of a host: letters, digits and hyphens within labels of 63 characters.
fn is_hostname(name: &str) -> bool {
    let is_label = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}
