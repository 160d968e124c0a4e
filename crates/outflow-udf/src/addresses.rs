//! Functions of addresses.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, StringViewArray};
use datafusion_common::{Result, exec_datafusion_err};
use ipnet::IpNet;
use outflow_enrich::AddrClass;
use outflow_sketch::hash64;

use crate::about::{About, Argument, Kind};
use crate::arguments::{Last, addr, longs, map_text, text, texts};
use crate::scalar::Scalar;

pub(crate) const ADDR: Argument = Argument {
    name: "addr",
    kind: Kind::Text,
    tells: "an address, IPv4 or IPv6",
};

static CIDR_CONTAINS: About = About {
    name: "cidr_contains",
    arguments: &[
        Argument {
            name: "cidr",
            kind: Kind::Text,
            tells: "a network as address and prefix length, or several with commas",
        },
        ADDR,
    ],
    optional: &[],
    returns: Kind::Flag,
    tells: "Whether an address lies in one of these networks. Null for what is no address.",
    fails: "if a network is none, as `10.0.0.0/33`",
    example: "SELECT cidr_contains('10.0.0.0/8,fd00::/8', '10.1.2.3')",
    answer: "true",
};

static IP_CLASS: About = About {
    name: "ip_class",
    arguments: &[ADDR],
    optional: &[],
    returns: Kind::Text,
    tells: "The kind of an address by the special-purpose registries (RFC 6890): `private`, `shared`, `unique_local`, \
            `link_local`, `loopback`, `multicast`, `reserved`, `documentation` or `public`. Null for what is no address.",
    fails: "",
    example: "SELECT ip_class('100.64.1.1')",
    answer: "shared",
};

static IP_PREFIX: About = About {
    name: "ip_prefix",
    arguments: &[
        ADDR,
        Argument {
            name: "length",
            kind: Kind::Long,
            tells: "bits of the network's prefix: 0 to 32, or to 128 for IPv6",
        },
    ],
    optional: &[],
    returns: Kind::Text,
    tells: "The network of this prefix length that an address lies in. Null for what is no address, and for a length that \
            its family does not have.",
    fails: "",
    example: "SELECT ip_prefix('10.1.2.3', 24)",
    answer: "10.1.2.0/24",
};

static PAIR_HASH: About = About {
    name: "pair_hash",
    arguments: &[
        Argument {
            name: "a",
            kind: Kind::Text,
            tells: "a text, as an interface or an address",
        },
        Argument {
            name: "b",
            kind: Kind::Text,
            tells: "another one",
        },
    ],
    optional: &[],
    returns: Kind::Long,
    tells: "A number of 64 bits for two texts in this order, the same in every run: to group or join by millions of pairs faster \
            than by their texts. That any two of three million pairs share theirs has a probability of one in four million, \
            unless someone chose them so. Numbers and times are taken as their texts. Null where one is null.",
    fails: "",
    example: "SELECT pair_hash('eni-1', '10.0.0.1') = pair_hash('10.0.0.1', 'eni-1')",
    answer: "false",
};

pub(crate) fn all() -> Vec<(&'static About, Scalar)> {
    vec![
        (&PAIR_HASH, Scalar::new(&PAIR_HASH, pair_hash)),
        (&CIDR_CONTAINS, Scalar::new(&CIDR_CONTAINS, cidr_contains)),
        (&IP_CLASS, Scalar::new(&IP_CLASS, ip_class)),
        (&IP_PREFIX, Scalar::new(&IP_PREFIX, ip_prefix)),
    ]
}

fn cidr_contains(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (cidrs, addrs) = (texts(columns, 0)?, texts(columns, 1)?);
    let mut networks: Option<(&str, Vec<IpNet>)> = None;
    let mut last = Last::new();
    let mut contained = Vec::with_capacity(addrs.len());
    for row in 0..addrs.len() {
        let (Some(cidr), Some(tested)) = (text(cidrs, row), text(addrs, row)) else {
            contained.push(None);
            continue;
        };
        if networks.as_ref().is_none_or(|(known, _)| *known != cidr) {
            networks = Some((cidr, parse(cidr)?));
            last = Last::new();
        }
        let within = |addr: &str| {
            let ip = self::addr(addr)?.to_ip();
            let (_, networks) = networks.as_ref()?;
            Some(networks.iter().any(|network| network.contains(&ip)))
        };
        contained.push(last.of(tested, within));
    }
    Ok(Arc::new(BooleanArray::from(contained)))
}

fn parse(cidrs: &str) -> Result<Vec<IpNet>> {
    let parsed = |text: &str| {
        let text = text.trim();
        let network: Option<IpNet> = text.parse().ok();
        let single = || Some(IpNet::from(addr(text)?.to_ip()));
        network.or_else(single).ok_or_else(|| {
            exec_datafusion_err!("`{text}` is no network: write one as 10.0.0.0/8 or fd00::/8")
        })
    };
    cidrs.split(',').map(parsed).collect()
}

/// Hashes of pairs, and of which columns they are.
struct Hashed {
    of: [Weak<dyn Array>; 2],
    hashes: ArrayRef,
}

thread_local! {
    /// A join asks the same of the same columns several times over: for its bounds, then for its table.
    static HASHED: RefCell<Option<Hashed>> = const { RefCell::new(None) };
}

fn pair_hash(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (a, b) = (texts(columns, 0)?, texts(columns, 1)?);
    // What is held weakly keeps its address, so that no other column has it.
    let is_known = |known: &Hashed| {
        let mut pairs = known.of.iter().zip(columns);
        pairs.all(|(known, column)| std::ptr::addr_eq(known.as_ptr(), Arc::as_ptr(column)))
    };
    let known = HASHED.take().filter(is_known);
    let known = known.unwrap_or_else(|| Hashed {
        of: [&columns[0], &columns[1]].map(Arc::downgrade),
        hashes: Arc::new(pair_hashes(a, b)),
    });
    let hashes = Arc::clone(&known.hashes);
    HASHED.set(Some(known));
    Ok(hashes)
}

fn pair_hashes(a: &StringViewArray, b: &StringViewArray) -> Int64Array {
    // Of a column, equal views are equal texts; rows that stand by each other share many.
    let mut last = [(u128::MAX, 0); 2];
    let mut hash = |of: &StringViewArray, row: usize, at: usize| {
        let view = of.views()[row];
        if last[at].0 != view {
            last[at] = (view, hash64(of.value(row).as_bytes()));
        }
        last[at].1
    };
    let both = |row| {
        if a.is_null(row) || b.is_null(row) {
            return None;
        }
        // Turned, so that their order counts.
        let joined = hash(a, row, 0) ^ hash(b, row, 1).rotate_left(32);
        Some(hash64(&joined.to_le_bytes()).cast_signed())
    };
    (0..a.len()).map(both).collect()
}

fn ip_class(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let class = |text: &str| {
        Some(match AddrClass::of(addr(text)?) {
            AddrClass::Private => "private",
            AddrClass::SharedSpace => "shared",
            AddrClass::UniqueLocal => "unique_local",
            AddrClass::LinkLocal => "link_local",
            AddrClass::Loopback => "loopback",
            AddrClass::Multicast => "multicast",
            AddrClass::Reserved => "reserved",
            AddrClass::Documentation => "documentation",
            AddrClass::Public => "public",
        })
    };
    Ok(Arc::new(map_text(texts(columns, 0)?, class)))
}

fn ip_prefix(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (addrs, lengths) = (texts(columns, 0)?, longs(columns, 1)?);
    let prefix = |row: usize| {
        let ip = addr(text(addrs, row)?)?.to_ip();
        let length = lengths.is_valid(row).then(|| lengths.value(row))?;
        let network = IpNet::new(ip, u8::try_from(length).ok()?).ok()?;
        Some(network.trunc().to_string())
    };
    let prefixes: StringViewArray = (0..addrs.len()).map(prefix).collect();
    Ok(Arc::new(prefixes))
}

#[cfg(test)]
mod tests;
