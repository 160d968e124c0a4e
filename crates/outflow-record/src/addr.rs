//! The one address type.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An IPv4 or IPv6 address in 16 bytes, IPv4 mapped into IPv6 (`::ffff:a.b.c.d`), so that one column
/// and one ordering hold both.
///
/// ```
/// use outflow_record::Addr;
/// let addr: Addr = "203.0.113.5".parse().unwrap();
/// assert_eq!(addr.to_string(), "203.0.113.5");
/// assert!(addr.is_ipv4());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Addr([u8; 16]);

const V4_PREFIX: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

impl Addr {
    /// The address with these 16 bytes, in network order.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The IPv4 address with these four bytes.
    pub const fn from_v4(octets: [u8; 4]) -> Self {
        let mut bytes = [0u8; 16];
        bytes[10] = 0xff;
        bytes[11] = 0xff;
        bytes[12] = octets[0];
        bytes[13] = octets[1];
        bytes[14] = octets[2];
        bytes[15] = octets[3];
        Self(bytes)
    }

    /// The 16 bytes, in network order.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Whether this is an IPv4 address.
    pub fn is_ipv4(self) -> bool {
        self.0[..12] == V4_PREFIX
    }

    /// The address as the standard library has it.
    pub fn to_ip(self) -> IpAddr {
        let [.., a, b, c, d] = self.0;
        if self.is_ipv4() {
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        } else {
            IpAddr::V6(Ipv6Addr::from(self.0))
        }
    }

    /// The network that holds this address: /24 for IPv4, /48 for IPv6, the host part zero.
    #[must_use]
    pub fn group(self) -> Self {
        let mut bytes = self.0;
        let kept = if self.is_ipv4() { 15 } else { 6 };
        bytes[kept..].fill(0);
        Self(bytes)
    }
}

impl From<IpAddr> for Addr {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) => Self::from_v4(v4.octets()),
            IpAddr::V6(v6) => Self(v6.octets()),
        }
    }
}

impl FromStr for Addr {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<IpAddr>().map(Self::from)
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_ip().fmt(f)
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_ip().fmt(f)
    }
}
