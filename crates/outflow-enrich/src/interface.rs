//! Interfaces, and what their records teach about them.

use std::collections::BTreeMap;

use outflow_record::Addr;

/// What identifies an interface: the account that owns it, and its id. A regional NAT gateway has no
/// interface; its resource id stands in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfaceKey {
    /// Owner; empty where neither record nor object name tells.
    pub account_id: String,
    /// `eni-…`, or `nat-…` for a regional NAT gateway; empty where the record has neither.
    pub interface_id: String,
}

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

/// The interfaces that an enricher has met, numbered in the order of meeting.
#[derive(Debug, Default)]
pub struct Interfaces {
    known: Vec<(InterfaceKey, Interface)>,
    /// What [`Interface::flags_since`] has, packed: it is asked for with every record. The greatest number is none.
    flags_since: Vec<u32>,
    numbers: BTreeMap<String, BTreeMap<String, u32>>,
}

impl Interfaces {
    /// Key and knowledge of the interface with this number.
    ///
    /// # Panics
    /// If this table did not hand out the number.
    pub fn get(&self, number: u32) -> (&InterfaceKey, &Interface) {
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

    pub(crate) fn number(&mut self, account_id: &str, interface_id: &str) -> u32 {
        let known = self
            .numbers
            .get(account_id)
            .and_then(|ids| ids.get(interface_id));
        if let Some(number) = known {
            return *number;
        }
        let number = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let ids = self.numbers.entry(account_id.to_owned()).or_default();
        ids.insert(interface_id.to_owned(), number);
        let key = InterfaceKey {
            account_id: account_id.to_owned(),
            interface_id: interface_id.to_owned(),
        };
        self.known.push((key, Interface::default()));
        self.flags_since.push(u32::MAX);
        number
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

    /// As [`Interfaces::learn`], for an accepted TCP record with flags, of this day.
    #[inline]
    pub(crate) fn learn_flags(&mut self, number: u32, day: u32) -> bool {
        let known = &mut self.flags_since[number as usize];
        let news = day < *known;
        if news {
            *known = day;
            self.known[number as usize].1.flags_since = Some(day);
        }
        news
    }

    /// As [`Interfaces::learn`], for a record's addresses alone.
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
