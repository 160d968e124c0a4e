//! Names of addresses, from the answers that a VPC was given.

mod by_time;
mod names;
mod spans;

use std::collections::BTreeMap;
use std::sync::Arc;

use outflow_record::{Addr, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domains::{canonical, registered_domain};
use names::Names;

pub use by_time::NamesByTime;
pub use names::ADDR_DOMAINS_MAX;

/// Time for which an answer names its address, to the hour. Resolver logs have no TTL, and repeats that the cache
/// answers are silent: a host may go on using what was logged hours ago. Longer than a day, and addresses of shared
/// hosting change hands.
pub const ANSWER_WINDOW_SECS: i64 = 24 * HOUR_SECS;

/// Names of addresses in an hour that are held at most, all VPCs together. When there are more, the oldest hours are
/// forgotten as a whole, so that what is left does not depend on the order of answers;
/// [`PassiveDns::forgotten_before`] tells. What is forgotten has no name, which excuses nothing.
pub const PASSIVE_DNS_NAMES_MAX: usize = 4_000_000;

const HOUR_SECS: i64 = 3_600;

/// An answer of the resolver to a query from a VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DnsAnswer<'a> {
    /// VPC from which the query came.
    pub vpc_id: &'a str,
    /// When.
    pub at: Timestamp,
    /// Name that was asked for, whatever aliases led on from it.
    pub name: &'a str,
    /// Addresses in the answer.
    pub addrs: &'a [Addr],
}

/// What an address was called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// All names belonged to one registered domain.
    Named {
        /// The registered domain, or a name that has none.
        domain: String,
        /// The nearest domain in which all of the names lay; the name itself if there was one. It tells the site of
        /// a service, and the bucket.
        within: String,
    },
    /// The address is shared by several registered domains: the name of a flow to it is not known.
    Ambiguous {
        /// How many; one more than [`ADDR_DOMAINS_MAX`] may be any number.
        count: usize,
    },
}

/// Names of addresses by VPC and time. What it answers does not depend on the order of feeding and merging.
///
/// ```
/// use outflow_enrich::{DnsAnswer, Naming, PassiveDns};
/// use outflow_record::{Addr, Timestamp};
/// let addr: Addr = "203.0.113.9".parse().unwrap();
/// let mut dns = PassiveDns::default();
/// dns.feed(&DnsAnswer { vpc_id: "vpc-1", at: Timestamp(7_200), name: "www.Example.com.", addrs: &[addr] });
/// let named = dns.name_of("vpc-1", addr, Timestamp(9_000)).unwrap();
/// let expected = Naming::Named { domain: "example.com".into(), within: "www.example.com".into() };
/// assert_eq!(named, expected);
/// assert_eq!(dns.name_of("vpc-2", addr, Timestamp(9_000)), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassiveDns {
    hours: BTreeMap<i64, Hour>,
    names_max: usize,
    held: usize,
    /// The first hour that is not forgotten.
    horizon: i64,
    refused: u64,
}

/// Names of addresses in an hour, by VPC.
type Hour = BTreeMap<Arc<str>, BTreeMap<Addr, Names>>;

impl Default for PassiveDns {
    fn default() -> Self {
        Self::with_names_max(PASSIVE_DNS_NAMES_MAX)
    }
}

impl PassiveDns {
    /// As [`PassiveDns::default`], with another limit than [`PASSIVE_DNS_NAMES_MAX`].
    pub fn with_names_max(names_max: usize) -> Self {
        Self {
            hours: BTreeMap::new(),
            names_max,
            held: 0,
            horizon: i64::MIN,
            refused: 0,
        }
    }

    /// Notes an answer.
    pub fn feed(&mut self, answer: &DnsAnswer<'_>) {
        let Some(name) = canonical(answer.name).filter(|name| !name.is_empty()) else {
            self.refused += 1;
            return;
        };
        let hour = hour(answer.at);
        if hour < self.horizon || answer.addrs.is_empty() {
            return;
        }
        let domain = registered_domain(&name);
        let domain = domain.as_deref().unwrap_or(&name);
        let vpcs = self.hours.entry(hour).or_default();
        let addrs = match vpcs.get_mut(answer.vpc_id) {
            Some(addrs) => addrs,
            None => vpcs.entry(answer.vpc_id.into()).or_default(),
        };
        for addr in answer.addrs {
            let names = addrs.entry(*addr).or_default();
            let before = names.weight();
            names.add(domain, &name);
            self.held += names.weight() - before;
        }
        self.keep_limit();
    }

    /// What an address was called in a VPC at a time, by the answers of [`ANSWER_WINDOW_SECS`] until then. `None` if
    /// none of them had it: it was written down somewhere, or asked of another resolver.
    pub fn name_of(&self, vpc_id: &str, addr: Addr, at: Timestamp) -> Option<Naming> {
        self.names(vpc_id, addr, at).naming()
    }

    /// As [`PassiveDns::name_of`], all that it was called, in the order of registered domains: for each the nearest
    /// domain in which all of its names lay. `None` if there were more than [`ADDR_DOMAINS_MAX`].
    pub fn names_of(&self, vpc_id: &str, addr: Addr, at: Timestamp) -> Option<Vec<String>> {
        self.names(vpc_id, addr, at).listed()
    }

    fn names(&self, vpc_id: &str, addr: Addr, at: Timestamp) -> Names {
        let until = hour(at);
        let since = until.saturating_sub(ANSWER_WINDOW_SECS / HOUR_SECS);
        let mut all = Names::default();
        for (_, vpcs) in self.hours.range(since..=until) {
            if let Some(names) = vpcs.get(vpc_id).and_then(|addrs| addrs.get(&addr)) {
                all.merge(names);
            }
        }
        all
    }

    /// Adds what another has been fed, with the same limit.
    pub fn merge(&mut self, other: &Self) {
        self.refused += other.refused;
        self.forget_hours(other.horizon);
        for (hour, other) in other.hours.range(self.horizon..) {
            let vpcs = self.hours.entry(*hour).or_default();
            for (vpc_id, other) in other {
                let addrs = vpcs.entry(Arc::clone(vpc_id)).or_default();
                for (addr, other) in other {
                    let names = addrs.entry(*addr).or_default();
                    let before = names.weight();
                    names.merge(other);
                    self.held += names.weight() - before;
                }
            }
        }
        self.keep_limit();
    }

    /// Forgets answers that are too old to name anything at a time or later.
    pub fn forget(&mut self, at: Timestamp) {
        self.forget_hours(hour(at).saturating_sub(ANSWER_WINDOW_SECS / HOUR_SECS));
    }

    /// The time before which all is forgotten, by demand or for want of room; within a window after it, names may
    /// be lacking. `None` if nothing was.
    pub fn forgotten_before(&self) -> Option<Timestamp> {
        (self.horizon > i64::MIN).then(|| Timestamp(self.horizon.saturating_mul(HOUR_SECS)))
    }

    /// Names of addresses that are held, each hour's for itself.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Answers that were not noted because what was asked for is no name.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    fn keep_limit(&mut self) {
        while self.held > self.names_max
            && let Some((oldest, _)) = self.hours.first_key_value()
        {
            self.forget_hours(oldest.saturating_add(1));
        }
    }

    fn forget_hours(&mut self, before: i64) {
        self.horizon = self.horizon.max(before);
        while let Some(oldest) = self.hours.first_entry()
            && *oldest.key() < self.horizon
        {
            let vpcs = oldest.remove();
            let names = vpcs.values().flat_map(BTreeMap::values);
            self.held -= names.map(Names::weight).sum::<usize>();
        }
    }
}

fn hour(at: Timestamp) -> i64 {
    at.secs().div_euclid(HOUR_SECS)
}

#[cfg(test)]
mod tests;
