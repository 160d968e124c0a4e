//! What the numbers of one record mean: payload, and who opened the conversation.

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
    #[inline]
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
    let transport = u64::from(TRANSPORT_BYTES[usize::from(protocol)]);
    bytes.saturating_sub(packets.saturating_mul(ip + transport))
}

/// Who opened the conversation of a record, with its sender as the local side, from the TCP flags, else from the
/// ports.
///
/// Only the first windows of a connection carry flags; then the port that looks more like a service's tells
/// (IANA's ranges: well-known below 1,024, registered, and dynamic, which Linux starts at 32,768).
#[inline]
pub fn initiator(protocol: u8, tcp_flags: Option<u8>, ports: (u16, u16)) -> Initiator {
    // Nothing foretells what comes of it, so that tables are looked at rather than guesses made.
    let flags = tcp_flags.filter(|_| protocol == protocol::TCP).unwrap_or(0);
    let by_flags = [Initiator::Local, Initiator::Remote];
    let by_flags = by_flags[usize::from(flags & tcp_flags::ACK != 0)];
    let by_ports = [
        Initiator::RemoteLikely,
        Initiator::RemoteLikely,
        Initiator::Unknown,
        Initiator::LocalLikely,
        Initiator::LocalLikely,
    ];
    let by_ports = by_ports[2 + port_rank(ports.0) - port_rank(ports.1)];
    [by_ports, by_flags][usize::from(flags & tcp_flags::SYN != 0)]
}

/// 0 for a well-known port, 1 for a registered one, 2 for a dynamic one.
#[inline]
fn port_rank(port: u16) -> usize {
    usize::from(port >= 1_024) + usize::from(port >= 32_768)
}

/// By protocol, the bytes of a packet's header behind that of IP.
static TRANSPORT_BYTES: [u8; 256] = {
    let mut bytes = [0; 256];
    bytes[protocol::TCP as usize] = 32;
    bytes[protocol::UDP as usize] = 8;
    bytes[protocol::ICMP as usize] = 8;
    bytes[protocol::ICMPV6 as usize] = 8;
    bytes
};

#[cfg(test)]
mod tests;
