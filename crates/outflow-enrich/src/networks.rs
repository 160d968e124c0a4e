//! What kind of address an address is, and on which side of the border it lies.

use std::fmt;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use outflow_record::Addr;

use crate::Error;

/// The kind of an address by the registries' special-purpose ranges (RFC 6890 and its successors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AddrClass {
    /// RFC 1918: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16.
    Private,
    /// RFC 6598: 100.64.0.0/10, within AWS mostly the addresses of pods.
    SharedSpace,
    /// RFC 4193: fc00::/7.
    UniqueLocal,
    /// 169.254.0.0/16 and fe80::/10.
    LinkLocal,
    /// 127.0.0.0/8 and ::1.
    Loopback,
    /// 224.0.0.0/4 and ff00::/8.
    Multicast,
    /// 255.255.255.255, 0.0.0.0/8, :: and 240.0.0.0/4.
    Reserved,
    /// RFC 5737 and RFC 3849: 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32. They are on no
    /// network, but stand for outside hosts in logs whose addresses were made anonymous.
    Documentation,
    /// Everything else.
    Public,
}

impl AddrClass {
    /// The class of an address.
    pub fn of(addr: Addr) -> Self {
        let bytes = addr.bytes();
        if addr.is_ipv4() {
            Self::of_v4([bytes[12], bytes[13], bytes[14], bytes[15]])
        } else {
            Self::of_v6(bytes)
        }
    }

    fn of_v4(octets: [u8; 4]) -> Self {
        match octets {
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Self::Private,
            [100, 64..=127, ..] => Self::SharedSpace,
            [169, 254, ..] => Self::LinkLocal,
            [127, ..] => Self::Loopback,
            [224..=239, ..] => Self::Multicast,
            [0, ..] | [240..=255, ..] => Self::Reserved,
            [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Self::Documentation,
            _ => Self::Public,
        }
    }

    fn of_v6(bytes: [u8; 16]) -> Self {
        match bytes {
            [0xfc | 0xfd, ..] => Self::UniqueLocal,
            [0xfe, 0x80..=0xbf, ..] => Self::LinkLocal,
            [0xff, ..] => Self::Multicast,
            [0x20, 0x01, 0x0d, 0xb8, ..] => Self::Documentation,
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] => Self::Reserved,
            _ => Self::Public,
        }
    }
}

/// On which side of the border an address lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Inside the network that is watched.
    Internal,
    /// Outside: bytes to it leave.
    External,
    /// On the link, multicast or reserved: neither.
    Link,
}

/// Which networks are inside.
///
/// Without further ado, RFC 1918, RFC 6598 and RFC 4193 space is. A private network that is named narrows
/// this: private space is then inside only where it is named. A public network that is named is inside too.
///
/// ```
/// use outflow_enrich::{Networks, Scope};
/// let networks = Networks::parse(["10.20.0.0/16", "147.32.0.0/16"]).unwrap();
/// assert_eq!(networks.scope("10.20.1.1".parse().unwrap()), Scope::Internal);
/// assert_eq!(networks.scope("147.32.84.1".parse().unwrap()), Scope::Internal);
/// assert_eq!(networks.scope("192.168.0.5".parse().unwrap()), Scope::External);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks {
    named: Vec<(u128, u128)>,
    narrowed: bool,
}

impl Networks {
    /// The border with these networks inside.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        let mut named = Vec::new();
        let mut narrowed = false;
        for network in networks {
            narrowed |= is_private(AddrClass::of(Addr::from(network.network())));
            named.push(match network {
                IpNet::V4(v4) => mask_v4(v4),
                IpNet::V6(v6) => mask_v6(v6),
            });
        }
        Self { named, narrowed }
    }

    /// The border with the public ones of these networks inside, too. Private ones are as they were.
    #[must_use]
    pub fn and(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        let public = |network: &IpNet| !is_private(AddrClass::of(Addr::from(network.network())));
        self.named
            .extend(Self::new(networks.into_iter().filter(public)).named);
        self
    }

    /// As [`Networks::new`], from text.
    ///
    /// # Errors
    /// [`Error::BadNetwork`] names the first text that is no network; a bare address is one.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let networks = texts.into_iter().map(|text| {
            let bare = || text.parse::<std::net::IpAddr>().map(IpNet::from);
            text.parse::<IpNet>()
                .or_else(|_| bare())
                .map_err(|_| Error::BadNetwork {
                    text: text.to_owned(),
                })
        });
        Ok(Self::new(networks.collect::<Result<Vec<_>, _>>()?))
    }

    /// The named networks in their canonical form: each once, by its first address and prefix length, in the order of addresses.
    /// [`Networks::parse`] makes the same border of them.
    ///
    /// ```
    /// let networks = outflow_enrich::Networks::parse(["10.20.9.9/16", "10.0.0.0/16", "10.20.0.0/16"])?;
    /// assert_eq!(networks.listed(), ["10.0.0.0/16", "10.20.0.0/16"]);
    /// assert_eq!(outflow_enrich::Networks::parse(networks.listed().iter().map(String::as_str))?.listed(), networks.listed());
    /// # Ok::<(), outflow_enrich::Error>(())
    /// ```
    pub fn listed(&self) -> Vec<String> {
        let mut named = self.named.clone();
        named.sort_unstable();
        named.dedup();
        let listed = named.into_iter().map(|(network, mask)| {
            let addr = Addr::from_bytes(network.to_be_bytes());
            let unused = if addr.is_ipv4() { 96 } else { 0 };
            format!("{addr}/{}", mask.count_ones().saturating_sub(unused))
        });
        listed.collect()
    }

    /// The side on which an address lies.
    #[inline]
    pub fn scope(&self, addr: Addr) -> Scope {
        // One way or the other, nothing foretells: a table is looked at without a guess.
        let [.., first, _, _, _] = addr.bytes();
        if self.named.is_empty()
            && addr.is_ipv4()
            && let Some(scope) = BY_FIRST_OCTET[usize::from(first)]
        {
            return scope;
        }
        self.scope_by_class(addr)
    }

    fn scope_by_class(&self, addr: Addr) -> Scope {
        let class = AddrClass::of(addr);
        if !self.named.is_empty() {
            let bits = u128::from_be_bytes(addr.bytes());
            if self
                .named
                .iter()
                .any(|(network, mask)| bits & mask == *network)
            {
                return Scope::Internal;
            }
        }
        match class {
            AddrClass::Public | AddrClass::Documentation => Scope::External,
            class if is_private(class) && self.narrowed => Scope::External,
            class if is_private(class) => Scope::Internal,
            _ => Scope::Link,
        }
    }
}

/// The networks that were named, each once and in order, with commas between them: the same text is the same border.
///
/// ```
/// use outflow_enrich::Networks;
/// let networks = Networks::parse(["147.32.0.0/16", "10.20.0.0/16", "2001:db8::/48"]).unwrap();
/// assert_eq!(networks.to_string(), "10.20.0.0/16,147.32.0.0/16,2001:db8::/48");
/// assert_eq!(Networks::default().to_string(), "");
/// ```
impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.listed().join(","))
    }
}

/// The side of all IPv4 addresses that begin with an octet, where no network is named; none where the octets behind it tell.
static BY_FIRST_OCTET: [Option<Scope>; 256] = {
    let mut sides = [None; 256];
    let mut at = 0;
    while at < sides.len() {
        sides[at] = match at {
            10 => Some(Scope::Internal),
            0 | 127 | 224.. => Some(Scope::Link),
            100 | 169 | 172 | 192 => None,
            _ => Some(Scope::External),
        };
        at += 1;
    }
    sides
};

fn is_private(class: AddrClass) -> bool {
    matches!(
        class,
        AddrClass::Private | AddrClass::SharedSpace | AddrClass::UniqueLocal
    )
}

fn mask_v4(network: Ipv4Net) -> (u128, u128) {
    let mask = u128::MAX << (32 - u32::from(network.prefix_len()));
    (
        u128::from_be_bytes(Addr::from_v4(network.network().octets()).bytes()),
        mask,
    )
}

fn mask_v6(network: Ipv6Net) -> (u128, u128) {
    let mask = u128::MAX
        .checked_shl(128 - u32::from(network.prefix_len()))
        .unwrap_or(0);
    (u128::from_be_bytes(network.network().octets()), mask)
}

#[cfg(test)]
mod tests;
