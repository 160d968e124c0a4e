//! What the numbers of one record mean: payload, and who opened the conversation.

use std::cmp::Ordering;

/// IANA protocol numbers that are treated by name.
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// IPv4 in IPv4.
    pub const IPIP: u8 = 4;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// IPv6 in IPv4.
    pub const IPV6_IN_IP: u8 = 41;
    /// Generic routing encapsulation.
    pub const GRE: u8 = 47;
    /// IPsec, encrypted.
    pub const ESP: u8 = 50;
    /// IPsec, authenticated.
    pub const AH: u8 = 51;
    /// ICMP for IPv6.
    pub const ICMPV6: u8 = 58;
    /// SCTP.
    pub const SCTP: u8 = 132;
}

/// Which way a record's bytes went, seen from the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// From the interface.
    Egress,
    /// To the interface.
    Ingress,
    /// Not told by the record itself; known once the interface's own address is.
    Unknown,
}

/// Who opened the conversation: told by TCP flags, or only suggested by the ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Initiator {
    /// The side of the interface, by flags.
    Local,
    /// The side of the interface, by the ports.
    LocalLikely,
    /// The other side, by flags: the interface serves.
    Remote,
    /// The other side, by the ports. Ports are the sender's choice, so this is no proof that the interface serves.
    RemoteLikely,
    /// Neither flags nor ports tell.
    Unknown,
}

impl Initiator {
    /// The same, seen from the other side.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Local => Self::Remote,
            Self::LocalLikely => Self::RemoteLikely,
            Self::Remote => Self::Local,
            Self::RemoteLikely => Self::LocalLikely,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Bits of `tcp-flags`: AWS records ACK only beside SYN, so that SYN alone marks a client's window, and both a
/// server's.
pub(crate) mod tcp_flags {
    pub(crate) const SYN: u8 = 2;
    pub(crate) const ACK: u8 = 16;
}

/// Bytes of a record beyond the headers of its packets, which is what carries data.
///
/// Headers are taken as IP plus 32 bytes of TCP (with the timestamp option that all common systems send), 8 of
/// UDP or ICMP, none of others; so the acknowledgements of a download count for nothing.
#[inline]
pub fn payload_bytes(protocol: u8, ipv6: bool, bytes: u64, packets: u64) -> u64 {
    let ip = if ipv6 { 40 } else { 20 };
    let transport = match protocol {
        protocol::TCP => 32,
        protocol::UDP | protocol::ICMP | protocol::ICMPV6 => 8,
        _ => 0,
    };
    bytes.saturating_sub(packets.saturating_mul(ip + transport))
}

/// Who opened the conversation of a record, with its sender as the local side, from the TCP flags, else from the
/// ports.
///
/// Only the first windows of a connection carry flags; then the port that looks more like a service's tells
/// (IANA's ranges: well-known below 1,024, registered, and dynamic, which Linux starts at 32,768).
#[inline]
pub fn initiator(protocol: u8, tcp_flags: Option<u8>, ports: (u16, u16)) -> Initiator {
    if protocol == protocol::TCP
        && let Some(flags) = tcp_flags
        && flags & tcp_flags::SYN != 0
    {
        return if flags & tcp_flags::ACK == 0 {
            Initiator::Local
        } else {
            Initiator::Remote
        };
    }
    match port_rank(ports.0).cmp(&port_rank(ports.1)) {
        Ordering::Less => Initiator::RemoteLikely,
        Ordering::Equal => Initiator::Unknown,
        Ordering::Greater => Initiator::LocalLikely,
    }
}

fn port_rank(port: u16) -> u8 {
    match port {
        0..1_024 => 0,
        1_024..32_768 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests;
