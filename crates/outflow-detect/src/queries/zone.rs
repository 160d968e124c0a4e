//! Which part of a name tells whom, and whether it leaves at all.

use std::net::Ipv4Addr;

use outflow_enrich::Registered;

/// The zone of reverse names of IPv4.
const ADDRESSES_OF_V4: &str = "in-addr.arpa";

/// The zone of reverse names of IPv6.
const ADDRESSES_OF_V6: &str = "ip6.arpa";

/// What stands for all top-level domains that nobody could have been given. Names below these reach no one but servers
/// of the root, or whom a rule of the Resolver forwards them to; where one is all digits and hyphens, it is data itself.
pub(crate) const NOT_DELEGATED: &str = ".";

/// Top-level domains that are never delegated (RFC 6761, RFC 6762, ICANN's decisions on `internal`, and on `corp`,
/// `home` and `mail`), or that only networks of their own use: what is below them does not leave.
const INSIDE: [&str; 15] = [
    "corp",
    "example",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "mail",
    "onion",
    "private",
    "test",
    "workgroup",
];

/// Letters of an unknown top-level domain at most, if it is to be told apart from others: names of private zones are
/// words.
const WORD_MAX: usize = 12;

/// A name, parted into whom it tells and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Zoned<'n> {
    /// The registered domain, or the zone that stands for it.
    pub(super) domain: &'n str,
    /// What stands below it.
    pub(super) below: &'n str,
    /// Whether it is a whole name with a search suffix behind it, as resolvers try them.
    pub(super) is_expansion: bool,
}

/// Parts a name in lower case and without a final dot. `None` for names that do not leave: of one label, below a
/// top-level domain of inside, or of an address of inside.
pub(super) fn of<'n>(name: &'n str, rcode: &str) -> Option<Zoned<'n>> {
    let (before, top) = name.rsplit_once('.')?;
    if top == "arpa" {
        return reverse(name);
    }
    if INSIDE.contains(&top) {
        return None;
    }
    let zoned = |domain, below| Zoned {
        domain,
        below,
        is_expansion: false,
    };
    match Registered::of(name) {
        Some(parts) if parts.is_listed => Some(Zoned {
            is_expansion: rcode == "NXDOMAIN" && is_whole(parts.below),
            ..zoned(parts.domain, parts.below)
        }),
        // The suffix of a service, below which anybody gets a name: whoever asks for it asks nobody in particular.
        None => None,
        Some(_) => {
            let is_word =
                top.len() <= WORD_MAX && top.bytes().all(|byte| byte.is_ascii_alphabetic());
            Some(if is_word {
                zoned(top, before)
            } else {
                zoned(NOT_DELEGATED, name)
            })
        }
    }
}

/// A name below `arpa`, unless it stands for an address of inside.
fn reverse(name: &str) -> Option<Zoned<'_>> {
    let below = |zone: &str| name.strip_suffix(zone)?.strip_suffix('.');
    let zoned = |domain, below| Zoned {
        domain,
        below,
        is_expansion: false,
    };
    if let Some(below) = below(ADDRESSES_OF_V4) {
        return (!is_inside_v4(below)).then(|| zoned(ADDRESSES_OF_V4, below));
    }
    if let Some(below) = below(ADDRESSES_OF_V6) {
        // fc00::/7 and fe80::/10: the first digit stands last.
        let is_inside = ["c.f", "d.f", "8.e.f", "9.e.f", "a.e.f", "b.e.f", "0.0.0.0"]
            .iter()
            .any(|first| below.ends_with(first));
        return (!is_inside).then(|| zoned(ADDRESSES_OF_V6, below));
    }
    None
}

/// Whether the octets before `in-addr.arpa` are those of a private address or network, and nothing else.
fn is_inside_v4(below: &str) -> bool {
    let mut octets = [0u8; 4];
    for (count, label) in below.rsplit('.').enumerate() {
        let (Some(octet), Ok(number)) = (octets.get_mut(count), label.parse()) else {
            return false;
        };
        *octet = number;
    }
    let addr = Ipv4Addr::from(octets);
    let is_shared = octets[0] == 100 && (64..128).contains(&octets[1]);
    addr.is_private() || addr.is_loopback() || addr.is_link_local() || is_shared
}

/// Whether what stands before a registered domain is a name for itself, of which a part may be one more suffix.
fn is_whole(below: &str) -> bool {
    let mut rest = below;
    while rest.contains('.') {
        if Registered::of(rest).is_some_and(|parts| parts.is_listed) {
            return true;
        }
        rest = rest.rsplit_once('.').map_or("", |(before, _)| before);
    }
    false
}

#[cfg(test)]
mod tests;
