//! Interfaces, where bytes are seen at them, and what their records teach.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use outflow_record::Addr;
use serde::{Deserialize, Serialize};

/// What identifies an interface: the account that owns it, and its id. A regional NAT gateway has no
/// interface; its resource id stands in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InterfaceKey {
    /// Owner; empty where neither record nor object name tells.
    pub account_id: String,
    /// `eni-…`, or `nat-…` for a regional NAT gateway; empty where the record has neither.
    pub interface_id: String,
}

impl InterfaceKey {
    /// Whether it is an attachment of a transit gateway (`tgw-attach-…`), whose own log has it in the stead of an
    /// interface.
    pub fn is_attachment(&self) -> bool {
        self.interface_id.starts_with("tgw-attach-")
    }
}

/// An observation point: an interface in one flow log, and whose packets it saw.
///
/// Every byte is logged at several: by each flow log that covers an interface, by the host that sent it, and by each
/// gateway that passed it on. Which of them counts can only be told from all of them, so they are kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PointKey {
    /// The interface whose log it is.
    pub interface: InterfaceKey,
    /// The flow log, `fl-…`; empty where the name of the object does not tell.
    pub flow_log: String,
    /// Whose packets.
    pub via: Via,
}

impl PointKey {
    /// What the interface itself sends and receives.
    pub fn own(interface: InterfaceKey, flow_log: String) -> Self {
        Self {
            interface,
            flow_log,
            via: Via::Own,
        }
    }
}

/// Whose packets are seen at an interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Via {
    /// Its own, or what it passes on in its own name.
    #[default]
    Own,
    /// A host's, on the side of an intermediary (NAT gateway, transit gateway, load balancer) where the record's
    /// address is the host's.
    Received(Addr),
    /// A host's, on the side of an intermediary where the record has the intermediary's address in the host's stead.
    Forwarded(Addr),
}

impl Via {
    /// The host, if packets of another are seen.
    pub fn host(self) -> Option<Addr> {
        match self {
            Self::Own => None,
            Self::Received(host) | Self::Forwarded(host) => Some(host),
        }
    }
}

/// Addresses that are kept of an interface: as many as the largest network interface takes (50 of IPv4, as many of
/// IPv6), rounded up. Of more the smallest are kept, in whatever order they come: what comes through an intermediary
/// for one of the others counts there too.
const ADDRESSES_MAX: usize = 128;

/// What is known of an interface. Merging takes the greater text of each attribute, so that the result does
/// not depend on the order of records, and a value wins over none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    /// Region, from the record or the object's name.
    pub region: Option<String>,
    /// VPC.
    pub vpc_id: Option<String>,
    /// Subnet.
    pub subnet_id: Option<String>,
    /// Instance; none on interfaces that AWS manages.
    pub instance_id: Option<String>,
    /// Group that the workload belongs to: tag of the Auto Scaling group, ECS service, or tag of the instance.
    pub group: Option<String>,
    /// Whether it passes on what others sent: it has no instance, and packets through it name other hosts.
    pub intermediary: bool,
    /// Its IPv4 address, as far as records tell.
    pub own_v4: OwnAddress,
    /// Its IPv6 address, as far as records tell.
    pub own_v6: OwnAddress,
    /// Addresses that packets from it had as their source, the smallest if there are very many.
    pub addresses: BTreeSet<Addr>,
    /// The day (since 1970) of its first accepted TCP record with `tcp-flags`: from then on, its log has flags.
    pub flags_since: Option<u32>,
}

impl Interface {
    /// Adds what another observation knows.
    pub fn merge(&mut self, other: &Self) {
        let greater = |own: &mut Option<String>, other: &Option<String>| {
            if *other > *own {
                own.clone_from(other);
            }
        };
        greater(&mut self.region, &other.region);
        greater(&mut self.vpc_id, &other.vpc_id);
        greater(&mut self.subnet_id, &other.subnet_id);
        greater(&mut self.instance_id, &other.instance_id);
        greater(&mut self.group, &other.group);
        self.intermediary |= other.intermediary;
        self.own_v4 = self.own_v4.both(other.own_v4);
        self.own_v6 = self.own_v6.both(other.own_v6);
        self.flags_since = earlier(self.flags_since, other.flags_since);
        for addr in &other.addresses {
            self.sends_from(*addr);
        }
    }

    /// Adds an address that packets from it had; whether that is news.
    fn sends_from(&mut self, addr: Addr) -> bool {
        let full = self.addresses.len() >= ADDRESSES_MAX;
        if full && self.addresses.last().is_some_and(|last| *last <= addr) {
            return false;
        }
        let news = self.addresses.insert(addr);
        if self.addresses.len() > ADDRESSES_MAX {
            self.addresses.pop_last();
        }
        news
    }

    /// Whether an address is the interface's own, or `None` if its records do not tell.
    pub fn owns(&self, addr: Addr) -> Option<bool> {
        let own = if addr.is_ipv4() {
            self.own_v4
        } else {
            self.own_v6
        };
        match own {
            OwnAddress::One(own) => Some(own == addr),
            _ => None,
        }
    }
}

/// What one record says of its interface, under the names of [`Interface`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attributes<'a> {
    pub(crate) region: Option<&'a str>,
    pub(crate) vpc_id: Option<&'a str>,
    pub(crate) subnet_id: Option<&'a str>,
    pub(crate) instance_id: Option<&'a str>,
    pub(crate) group: Option<&'a str>,
    pub(crate) intermediary: bool,
}

/// The addresses that every record of an interface has on one of its two sides: a set that shrinks until one
/// is left. Intersection knows no order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OwnAddress {
    /// No record yet: any address may be it.
    #[default]
    Any,
    /// One of two, the smaller first.
    Two(Addr, Addr),
    /// This one.
    One(Addr),
    /// None: the interface has several addresses, or passes on the packets of others.
    Several,
}

impl OwnAddress {
    /// What a record between these two addresses tells.
    pub fn of_record(source: Addr, destination: Addr) -> Self {
        match source.cmp(&destination) {
            std::cmp::Ordering::Less => Self::Two(source, destination),
            std::cmp::Ordering::Equal => Self::One(source),
            std::cmp::Ordering::Greater => Self::Two(destination, source),
        }
    }

    /// What two observations tell together.
    #[must_use]
    pub fn both(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, known) | (known, Self::Any) => known,
            (Self::Several, _) | (_, Self::Several) => Self::Several,
            (Self::One(one), other) | (other, Self::One(one)) => {
                if other.may_be(one) {
                    Self::One(one)
                } else {
                    Self::Several
                }
            }
            (Self::Two(a, b), Self::Two(..)) => match (other.may_be(a), other.may_be(b)) {
                (true, true) => self,
                (true, false) => Self::One(a),
                (false, true) => Self::One(b),
                (false, false) => Self::Several,
            },
        }
    }

    fn may_be(self, addr: Addr) -> bool {
        match self {
            Self::Any => true,
            Self::Two(a, b) => a == addr || b == addr,
            Self::One(one) => one == addr,
            Self::Several => false,
        }
    }
}

fn earlier(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    a.into_iter().chain(b).min()
}

/// Hosts behind intermediaries that all enrichers of a run tell apart, each counted where it is met: at some 2 kB each
/// (here, and in the state that they are summed in) they take a gigabyte. The packets of others count for the
/// interface that passed them on, so that no byte is lost; [`Points::rows_beyond`] says how many rows did. Which hosts
/// those are depends on the order of the records: only here it does.
pub const HOSTS_MAX: u64 = 1 << 19;

/// How many more hosts the enrichers of a run may tell apart.
#[derive(Debug, Clone)]
pub struct HostBudget(Arc<AtomicU64>);

impl Default for HostBudget {
    fn default() -> Self {
        Self::of(HOSTS_MAX)
    }
}

impl HostBudget {
    pub(crate) fn of(hosts: u64) -> Self {
        Self(Arc::new(AtomicU64::new(hosts)))
    }

    fn take(&self) -> bool {
        let one_less = |left: u64| left.checked_sub(1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.0.fetch_update(set, fetch, one_less).is_ok()
    }
}

/// The observation points that an enricher has met, numbered in the order of meeting.
#[derive(Debug, Default)]
pub struct Points {
    known: Vec<(PointKey, Interface)>,
    /// What [`Interface::flags_since`] has, packed: it is asked for with every record. The greatest number is none.
    flags_since: Vec<u32>,
    /// The address that each last sent from, packed likewise.
    last_sender: Vec<Addr>,
    numbers: BTreeMap<PointKey, u32>,
    /// Points at which packets of a host are seen, by that of the interface itself.
    passing: HashMap<(u32, Via), u32, BuildHasherDefault<DefaultHasher>>,
    budget: HostBudget,
    rows_beyond: u64,
}

impl Points {
    /// Key and knowledge of the point with this number.
    ///
    /// # Panics
    /// If this table did not hand out the number.
    pub fn get(&self, number: u32) -> (&PointKey, &Interface) {
        let (key, interface) = &self.known[number as usize];
        (key, interface)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(crate) fn sharing(budget: HostBudget) -> Self {
        Self {
            budget,
            ..Self::default()
        }
    }

    /// Rows of hosts beyond [`HOSTS_MAX`], which count for the interface that passed them on.
    pub fn rows_beyond(&self) -> u64 {
        self.rows_beyond
    }

    pub(crate) fn number(&mut self, key: PointKey) -> u32 {
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        self.numbers.insert(key.clone(), number);
        self.known.push((key, Interface::default()));
        self.flags_since.push(u32::MAX);
        self.last_sender.push(Addr::default());
        number
    }

    /// The point at which packets of a host are seen at the interface of another point; that one itself if there are
    /// too many hosts.
    pub(crate) fn passing(&mut self, number: u32, via: Via) -> u32 {
        if let Some(known) = self.passing.get(&(number, via)) {
            return *known;
        }
        if !self.budget.take() {
            self.rows_beyond += 1;
            return number;
        }
        let own = self.get(number).0.clone();
        let passing = self.number(PointKey { via, ..own });
        self.passing.insert((number, via), passing);
        passing
    }

    /// Whether a packet's source is another one than that of the last one that left the interface.
    #[inline]
    pub(crate) fn is_sender_news(&self, number: u32, sender: Addr) -> bool {
        self.last_sender[number as usize] != sender
    }

    /// As [`Points::learn`], for the source of a packet that left the interface, which is another one than that of the last.
    pub(crate) fn learn_sender(&mut self, number: u32, sender: Addr) -> bool {
        self.last_sender[number as usize] = sender;
        self.known[number as usize].1.sends_from(sender)
    }

    /// Merges what a record says; whether it told anything new. Nearly none does, so that nothing is copied to find
    /// out.
    pub(crate) fn learn(&mut self, number: u32, seen: &Attributes<'_>) -> bool {
        let known = &mut self.known[number as usize].1;
        let mut news = seen.intermediary && !known.intermediary;
        known.intermediary |= seen.intermediary;
        for (own, seen) in [
            (&mut known.region, seen.region),
            (&mut known.vpc_id, seen.vpc_id),
            (&mut known.subnet_id, seen.subnet_id),
            (&mut known.instance_id, seen.instance_id),
            (&mut known.group, seen.group),
        ] {
            if seen > own.as_deref() {
                *own = seen.map(str::to_owned);
                news = true;
            }
        }
        news
    }

    /// Whether no record with flags of this day or an earlier one is known.
    #[inline]
    pub(crate) fn are_flags_news(&self, number: u32, day: u32) -> bool {
        day < self.flags_since[number as usize]
    }

    /// As [`Points::learn`], for an accepted TCP record with flags, of a day that is news.
    pub(crate) fn learn_flags(&mut self, number: u32, day: u32) {
        self.flags_since[number as usize] = day;
        self.known[number as usize].1.flags_since = Some(day);
    }

    /// As [`Points::learn`], for a record's addresses alone.
    pub(crate) fn learn_addresses(&mut self, number: u32, source: Addr, destination: Addr) -> bool {
        let known = &mut self.known[number as usize].1;
        let own = if source.is_ipv4() {
            &mut known.own_v4
        } else {
            &mut known.own_v6
        };
        let after = own.both(OwnAddress::of_record(source, destination));
        let news = after != *own;
        *own = after;
        news
    }
}

#[cfg(test)]
mod tests;
