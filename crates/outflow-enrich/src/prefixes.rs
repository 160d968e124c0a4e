//! Longest-prefix match, built once and then read only.

use ipnet::{IpNet, Ipv4Net};
use outflow_record::Addr;

use crate::Error;

/// Prefixes of a table at most: far more than any published list has, and few enough that their numbers fit 32
/// bits. A longer list is refused as a whole, as a table with holes would answer wrongly ([`Error::TooManyPrefixes`]).
pub const PREFIXES_MAX: usize = 1 << 24;

/// Values by network, looked up by address.
///
/// The prefixes cut each address family into intervals; an interval knows the most specific prefix that holds it,
/// and each prefix knows the next wider one. So a lookup is one binary search, however deep prefixes nest. IPv4 and
/// IPv6 are apart: `::/0` holds no IPv4 address, and a prefix below `::ffff:0:0/96` is the IPv4 prefix that it maps.
///
/// ```
/// use outflow_enrich::PrefixTable;
/// let prefixes = [("0.0.0.0/0", "anywhere"), ("10.0.0.0/8", "office"), ("10.1.0.0/16", "laboratory")];
/// let table = PrefixTable::new(prefixes.map(|(net, name)| (net.parse().unwrap(), name))).unwrap();
/// let name = |addr: &str| table.get(addr.parse().unwrap()).map(|(_, name)| *name);
/// assert_eq!(name("10.1.2.3"), Some("laboratory"));
/// assert_eq!(name("8.8.8.8"), Some("anywhere"));
/// assert_eq!(name("2001:db8::1"), None);
/// assert_eq!(table.covering("10.1.2.3".parse().unwrap()).count(), 3);
/// ```
#[derive(Debug, Clone)]
pub struct PrefixTable<V> {
    entries: Vec<Entry<V>>,
    v4: Intervals<u32>,
    v6: Intervals<u128>,
}

#[derive(Debug, Clone)]
struct Entry<V> {
    net: IpNet,
    value: V,
    /// The next wider prefix, or an earlier one of the same width.
    wider: Option<u32>,
}

impl<V> PrefixTable<V> {
    /// The table of these prefixes. Host bits are ignored. Of equal prefixes, the one given last is the more specific.
    ///
    /// # Errors
    /// [`Error::TooManyPrefixes`] beyond [`PREFIXES_MAX`].
    pub fn new(prefixes: impl IntoIterator<Item = (IpNet, V)>) -> Result<Self, Error> {
        let mut entries = Vec::new();
        for (net, value) in prefixes {
            if entries.len() == PREFIXES_MAX {
                return Err(Error::TooManyPrefixes);
            }
            entries.push(Entry {
                net: unmapped(net.trunc()),
                value,
                wider: None,
            });
        }
        // IPv4 before IPv6, then by first address, the wider before what it holds; equal ones stay as given.
        entries.sort_by_key(|entry| entry.net);
        let mut v4 = Sweep::default();
        let mut v6 = Sweep::default();
        for (number, entry) in (0u32..).zip(&mut entries) {
            entry.wider = match entry.net {
                IpNet::V4(net) => v4.open(number, net.network().into(), net.broadcast().into()),
                IpNet::V6(net) => v6.open(number, net.network().into(), net.broadcast().into()),
            };
        }
        Ok(Self {
            entries,
            v4: v4.finish(),
            v6: v6.finish(),
        })
    }

    /// The most specific prefix that holds an address, with its value.
    #[inline]
    pub fn get(&self, addr: Addr) -> Option<(IpNet, &V)> {
        self.covering(addr).next()
    }

    /// The most specific prefix of every address of a network, with its value, if that is the same one for all.
    pub fn whole(&self, net: IpNet) -> Option<(IpNet, &V)> {
        let holder = match unmapped(net.trunc()) {
            IpNet::V4(net) => {
                let (first, last) = (net.network().into(), net.broadcast().into());
                self.v4.holder_of_all(first, last)
            }
            IpNet::V6(net) => {
                let (first, last) = (net.network().into(), net.broadcast().into());
                self.v6.holder_of_all(first, last)
            }
        };
        let entry = self.entries.get(usize::try_from(holder?).ok()?)?;
        Some((entry.net, &entry.value))
    }

    /// Every prefix that holds an address, the most specific first.
    pub fn covering(&self, addr: Addr) -> impl Iterator<Item = (IpNet, &V)> {
        let bytes = addr.bytes();
        let [.., a, b, c, d] = bytes;
        let first = if addr.is_ipv4() {
            self.v4.holder(u32::from_be_bytes([a, b, c, d]))
        } else {
            self.v6.holder(u128::from_be_bytes(bytes))
        };
        let entry = |number: u32| self.entries.get(usize::try_from(number).ok()?);
        std::iter::successors(first.and_then(entry), move |narrower| {
            narrower.wider.and_then(entry)
        })
        .map(|entry| (entry.net, &entry.value))
    }

    /// Every prefix with its value, IPv4 first, in the order of addresses.
    pub fn iter(&self) -> impl Iterator<Item = (IpNet, &V)> {
        self.entries.iter().map(|entry| (entry.net, &entry.value))
    }

    /// Number of prefixes.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no prefix.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<V> Default for PrefixTable<V> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            v4: Sweep::default().finish(),
            v6: Sweep::default().finish(),
        }
    }
}

/// The address that an address stands for: behind NAT64, published lists know only the IPv4 one.
pub(crate) fn published(addr: Addr) -> Addr {
    addr.ipv4().map_or(addr, Addr::from_v4)
}

/// An IPv6 prefix of mapped addresses is an IPv4 prefix, as such an [`Addr`] is an IPv4 address.
fn unmapped(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let v4 = v6.network().to_ipv4_mapped();
    let len = v6.prefix_len().checked_sub(96);
    let mapped = v4.zip(len).and_then(|(v4, len)| Ipv4Net::new(v4, len).ok());
    mapped.map_or(net, IpNet::V4)
}

/// Where each interval begins, and the number of the most specific prefix that holds it.
#[derive(Debug, Clone)]
struct Intervals<T> {
    starts: Vec<T>,
    holders: Vec<Option<u32>>,
}

impl<T: Ord + Copy> Intervals<T> {
    #[inline]
    fn holder(&self, point: T) -> Option<u32> {
        *self.holders.get(self.place(point)?)?
    }

    /// The holder of all points from one to another, if they are of one interval.
    fn holder_of_all(&self, first: T, last: T) -> Option<u32> {
        let place = self.place(first)?;
        (self.place(last) == Some(place)).then(|| *self.holders.get(place)?)?
    }

    #[inline]
    fn place(&self, point: T) -> Option<usize> {
        let after = self.starts.partition_point(|start| *start <= point);
        after.checked_sub(1)
    }

    /// From `start` on, `holder` holds, until another is noted. What was noted for the same start is overruled.
    fn note(&mut self, start: T, holder: Option<u32>) {
        if self.starts.last() == Some(&start) {
            self.starts.pop();
            self.holders.pop();
        }
        if self.holders.last() != Some(&holder) {
            self.starts.push(start);
            self.holders.push(holder);
        }
    }
}

/// A number of which the next one exists, but after the last.
trait Successor: Ord + Copy {
    fn next(self) -> Option<Self>;
}

impl Successor for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Successor for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

/// Passes over prefixes in order and cuts the intervals.
#[derive(Debug)]
struct Sweep<T> {
    /// Prefixes that hold the place of the sweep, the widest first: number and last address.
    open: Vec<(u32, T)>,
    intervals: Intervals<T>,
}

impl<T: Successor> Default for Sweep<T> {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            intervals: Intervals {
                starts: Vec::new(),
                holders: Vec::new(),
            },
        }
    }
}

impl<T: Successor> Sweep<T> {
    /// Begins a prefix, and returns the next wider one.
    fn open(&mut self, number: u32, first: T, last: T) -> Option<u32> {
        self.close(|open_last| open_last < first);
        let wider = self.open.last().map(|(number, _)| *number);
        self.open.push((number, last));
        self.intervals.note(first, Some(number));
        wider
    }

    /// Ends the narrowest prefixes as long as their last address says so.
    fn close(&mut self, ended: impl Fn(T) -> bool) {
        while let Some((_, last)) = self.open.pop_if(|(_, last)| ended(*last)) {
            if let Some(after) = last.next() {
                let holder = self.open.last().map(|(number, _)| *number);
                self.intervals.note(after, holder);
            }
        }
    }

    fn finish(mut self) -> Intervals<T> {
        self.close(|_| true);
        self.intervals
    }
}

#[cfg(test)]
mod tests;
