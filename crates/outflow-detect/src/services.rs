//! Services by port: known resolvers, and services that have no business with outside addresses.

use std::collections::BTreeSet;

use outflow_enrich::protocol;
use outflow_record::Addr;

use crate::key::{Role, Service};

/// A service that policy names when it goes to an outside address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watched {
    /// Short name, as the field has it.
    pub name: &'static str,
    /// Technique of MITRE ATT&CK that it serves.
    pub technique: &'static str,
}

/// The service, if policy names it.
pub(crate) fn watched(service: Service) -> Option<Watched> {
    let named = |name, technique| Some(Watched { name, technique });
    match (service.protocol, service.port) {
        (protocol::TCP, 20 | 21 | 989 | 990) => named("ftp", "T1048.003"),
        (protocol::TCP, 22) => named("ssh", "T1021.004"),
        (protocol::TCP, 23) => named("telnet", "T1021"),
        (protocol::TCP, 69) | (protocol::UDP, 69) => named("tftp", "T1048.003"),
        (protocol::TCP, 135 | 137..=139 | 445) | (protocol::UDP, 137..=138) => {
            named("smb", "T1021.002")
        }
        (protocol::TCP | protocol::UDP, 389 | 636 | 3268 | 3269) => named("ldap", "T1071"),
        (protocol::TCP, 512..=514) => named("rsh", "T1021"),
        (protocol::TCP, 873) => named("rsync", "T1048"),
        (protocol::TCP, 1433 | 1434 | 1521) => named("database", "T1048"),
        (protocol::TCP, 3306 | 5432 | 6379 | 9042 | 11211 | 27017..=27019) => {
            named("database", "T1048")
        }
        (protocol::TCP, 2049 | 111) | (protocol::UDP, 2049 | 111) => named("nfs", "T1048"),
        (protocol::TCP | protocol::UDP, 3389) => named("rdp", "T1021.001"),
        (protocol::TCP, 5900..=5909) => named("vnc", "T1021.005"),
        (protocol::TCP, 5985 | 5986) => named("winrm", "T1021.006"),
        (protocol::TCP, 6660..=6669 | 6697) => named("irc", "T1071"),
        (protocol::TCP | protocol::UDP, 6881..=6889) => named("bittorrent", "T1048"),
        (protocol::TCP, 9001 | 9030 | 9050 | 9150) => named("tor", "T1090.003"),
        (protocol::TCP, 1883 | 8883) => named("mqtt", "T1071"),
        (protocol::TCP | protocol::UDP, 5060 | 5061) => named("sip", "T1071"),
        (protocol::IPIP, _) => named("ipip", "T1572"),
        (protocol::IPV6_IN_IP, _) => named("6in4", "T1572"),
        (protocol::GRE, _) => named("gre", "T1572"),
        (protocol::ESP, _) => named("esp", "T1572"),
        (protocol::AH, _) => named("ah", "T1572"),
        (protocol::SCTP, _) => named("sctp", "T1095"),
        _ => None,
    }
}

/// Protocol and port of a service named as `tcp/22`.
pub(crate) fn port_of(name: &str) -> Option<(u8, u16)> {
    let (number, port) = name.split_once('/')?;
    let number = match number {
        "tcp" => protocol::TCP,
        "udp" => protocol::UDP,
        "sctp" => protocol::SCTP,
        _ => return None,
    };
    Some((number, port.parse().ok()?))
}

/// Whether a policy may name this service: by the name of a watched one, or as `tcp/22`.
pub(crate) fn is_service(name: &str) -> bool {
    if name.contains('/') {
        return port_of(name).is_some();
    }
    names().contains(name)
}

/// The names of all watched services.
fn names() -> BTreeSet<&'static str> {
    let ports = (0..=u16::MAX).flat_map(|port| [(protocol::TCP, port), (protocol::UDP, port)]);
    let others = (0..=u8::MAX).map(|protocol| (protocol, 0));
    let services = ports.chain(others).map(|(protocol, port)| Service {
        protocol,
        role: Role::Client,
        external: true,
        resolving: None,
        port,
    });
    let watched = services.filter_map(watched);
    watched.map(|service| service.name).collect()
}

/// Letters that a typing error changes at most.
const TYPING_ERRORS_MAX: usize = 2;

/// The names that may have been meant by one that is none: the nearest, or all if none is near.
pub(crate) fn meant(name: &str) -> Vec<&'static str> {
    let away = |own: &str| distance(own.as_bytes(), name.as_bytes());
    let all = names();
    let nearest = all.iter().map(|own| away(own)).min().unwrap_or_default();
    let is_meant = |own: &&str| nearest > TYPING_ERRORS_MAX || away(own) == nearest;
    all.into_iter().filter(is_meant).collect()
}

/// Letters to add, drop or change until one text is the other.
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.iter().enumerate() {
        let mut diagonal = at;
        row[0] = at + 1;
        for (place, with) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != with);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

/// Text of a service, as `tcp/443` or `gre`; without a port where that was not kept.
pub(crate) fn service_name(service: Service) -> String {
    let port = service.port;
    match service.protocol {
        protocol::TCP if port == 0 => "tcp".to_owned(),
        protocol::UDP if port == 0 => "udp".to_owned(),
        protocol::TCP => format!("tcp/{port}"),
        protocol::UDP => format!("udp/{port}"),
        protocol::SCTP => format!("sctp/{port}"),
        protocol::ICMP => "icmp".to_owned(),
        protocol::ICMPV6 => "icmpv6".to_owned(),
        protocol::IPIP => "ipip".to_owned(),
        protocol::IPV6_IN_IP => "6in4".to_owned(),
        protocol::GRE => "gre".to_owned(),
        protocol::ESP => "esp".to_owned(),
        protocol::AH => "ah".to_owned(),
        other => format!("protocol {other}"),
    }
}

/// How a service resolves names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Resolving {
    /// Port 53.
    Dns = 1,
    /// Port 853: DNS over TLS or QUIC.
    DnsOverTls = 2,
    /// Port 443 of a public resolver: DNS over HTTPS.
    DnsOverHttps = 3,
}

/// How a service at this port resolves names, if it does; `remote` is the other side's address, which tells DNS over
/// HTTPS where the other side serves.
#[inline]
pub(crate) fn resolving(number: u8, role: Role, port: u16, remote: Addr) -> Option<Resolving> {
    if !matches!(number, protocol::TCP | protocol::UDP) {
        return None;
    }
    match port {
        53 => Some(Resolving::Dns),
        853 => Some(Resolving::DnsOverTls),
        443 if role == Role::Client && is_public_resolver(remote) => Some(Resolving::DnsOverHttps),
        _ => None,
    }
}

/// Addresses that public resolvers publish for DNS over HTTPS, and that serve nothing else: Cloudflare, Google,
/// Quad9, OpenDNS, AdGuard, CleanBrowsing, NextDNS, Control D, DNS.SB, AliDNS, DNSPod and Mullvad.
const PUBLIC_RESOLVERS_V4: &[[u8; 4]] = &[
    [1, 0, 0, 1],
    [1, 0, 0, 2],
    [1, 0, 0, 3],
    [1, 1, 1, 1],
    [1, 1, 1, 2],
    [1, 1, 1, 3],
    [1, 12, 12, 12],
    [8, 8, 4, 4],
    [8, 8, 8, 8],
    [9, 9, 9, 9],
    [9, 9, 9, 10],
    [9, 9, 9, 11],
    [45, 11, 45, 11],
    [45, 90, 28, 0],
    [45, 90, 30, 0],
    [76, 76, 2, 0],
    [76, 76, 10, 0],
    [94, 140, 14, 14],
    [94, 140, 15, 15],
    [120, 53, 53, 53],
    [149, 112, 112, 9],
    [149, 112, 112, 10],
    [149, 112, 112, 11],
    [149, 112, 112, 112],
    [185, 222, 222, 222],
    [185, 228, 168, 9],
    [185, 228, 168, 168],
    [194, 242, 2, 2],
    [208, 67, 220, 220],
    [208, 67, 222, 222],
    [223, 5, 5, 5],
    [223, 6, 6, 6],
];

/// The same resolvers' IPv6 prefixes, as far as a prefix holds resolvers alone.
const PUBLIC_RESOLVERS_V6: &[[u8; 6]] = &[
    [0x26, 0x06, 0x47, 0x00, 0x47, 0x00], // 2606:4700:4700::/48, Cloudflare
    [0x20, 0x01, 0x48, 0x60, 0x48, 0x60], // 2001:4860:4860::/48, Google
    [0x26, 0x20, 0x00, 0xfe, 0x00, 0x00], // 2620:fe::/48, Quad9
    [0x26, 0x20, 0x01, 0x19, 0x00, 0x35], // 2620:119:35::/48, OpenDNS
];

fn is_public_resolver(addr: Addr) -> bool {
    let bytes = addr.bytes();
    if let Some(octets) = addr.ipv4() {
        PUBLIC_RESOLVERS_V4.binary_search(&octets).is_ok()
    } else {
        PUBLIC_RESOLVERS_V6
            .iter()
            .any(|prefix| bytes.starts_with(prefix))
    }
}

#[cfg(test)]
mod tests;
