//! The one address type.

use std::cmp::Ordering;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An IPv4 or IPv6 address in 16 bytes, IPv4 mapped into IPv6 (`::ffff:a.b.c.d`), so that one column
/// and one ordering hold both.
///
/// ```
/// use outflow_record::Addr;
/// let addr: Addr = "203.0.113.5".parse().unwrap();
/// assert_eq!(addr.to_string(), "203.0.113.5");
/// assert!(addr.is_ipv4());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Addr([u8; 16]);

/// What stands before the four bytes of an IPv4 address.
const V4_PREFIX: u128 = 0xffff;

/// And before one behind NAT64: 64:ff9b::/96, RFC 6052.
const NAT64_PREFIX: u128 = 0x0064_ff9b << 64;

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
    #[inline]
    pub fn is_ipv4(self) -> bool {
        self.bits() >> 32 == V4_PREFIX
    }

    /// The address as a number, which orders and masks faster than bytes.
    #[inline]
    const fn bits(self) -> u128 {
        u128::from_be_bytes(self.0)
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

    /// The network that holds this address: /24 for IPv4, /48 for IPv6, the host part zero. Behind NAT64 it is the
    /// /120 that stands for an IPv4 /24.
    ///
    /// ```
    /// use outflow_record::Addr;
    /// let group = |text: &str| text.parse::<Addr>().unwrap().group().to_string();
    /// assert_eq!(group("203.0.113.5"), "203.0.113.0");
    /// assert_eq!(group("2001:db8:1:2::5"), "2001:db8:1::");
    /// assert_eq!(group("64:ff9b::203.0.113.5"), group("64:ff9b::203.0.113.9"));
    /// assert_ne!(group("64:ff9b::203.0.113.5"), group("64:ff9b::198.51.100.5"));
    /// ```
    #[must_use]
    #[inline]
    pub fn group(self) -> Self {
        let host = if self.is_ipv4() || self.is_nat64() {
            8
        } else {
            80
        };
        Self((self.bits() >> host << host).to_be_bytes())
    }

    /// Length of the prefix that [`Addr::group`] keeps.
    pub fn group_len(self) -> u8 {
        match (self.is_ipv4(), self.is_nat64()) {
            (true, _) => 24,
            (_, true) => 120,
            _ => 48,
        }
    }

    /// The IPv4 address that this is, or that it stands for behind NAT64 (64:ff9b::/96, RFC 6052).
    #[inline]
    pub fn ipv4(self) -> Option<[u8; 4]> {
        let [.., a, b, c, d] = self.0;
        (self.is_ipv4() || self.is_nat64()).then_some([a, b, c, d])
    }

    #[inline]
    fn is_nat64(self) -> bool {
        self.bits() >> 32 == NAT64_PREFIX
    }
}

impl Ord for Addr {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.bits().cmp(&other.bits())
    }
}

impl PartialOrd for Addr {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
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
