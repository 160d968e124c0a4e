//! What was sent, by whom, where to and which way: the sums that configuration is held against.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use outflow_enrich::{Direction, Initiator};
use outflow_finding::{InterfaceCoverage, Minutes, RowCounts};
use outflow_record::{Addr, Timestamp};

/// Entries of [`Traffic`] at most: about half a gigabyte, and more than the peers of ten thousand interfaces in a
/// quarter. What exceeds it is summed by VPC in [`Traffic::beyond_of`], and no criterion of that VPC holds for it.
pub const TRAFFIC_ENTRIES_MAX: usize = 1_000_000;

/// Domains that an entry keeps: an address of a content delivery network has thousands, and a rule needs few. The
/// first in alphabetical order stay, and [`Entry::more_domains`] says that there were others.
pub const ENTRY_DOMAINS_MAX: usize = 8;

/// Interfaces of which the coverage is kept. Those beyond are counted in [`Traffic::uncounted_interfaces`].
pub const COVERED_INTERFACES_MAX: usize = 200_000;

/// VPCs of which [`Traffic::beyond_of`] has sums of their own; those of further ones are under two empty names.
pub const BEYOND_VPCS_MAX: usize = 10_000;

/// Values of `traffic-path`, 1 to 8, and none.
pub const PATHS: usize = 9;

/// A row, or a sum of rows, as it is handed in: at its one observation point, seen from the interface.
///
/// What is not known is empty or `None`. A caller that has rows of `flows` takes those that are `counted`, so that no
/// byte is there twice.
#[derive(Debug, Clone, Copy)]
pub struct Flow<'a> {
    /// Account of the interface.
    pub account_id: &'a str,
    /// VPC of the interface.
    pub vpc_id: &'a str,
    /// `eni-…`.
    pub interface_id: &'a str,
    /// Workload of the interface.
    pub workload: &'a str,
    /// Which way the bytes went. Rows of an unknown direction are counted in [`Traffic::undirected_rows`] only.
    pub direction: Direction,
    /// AWS's `traffic-path`, 1 to 8.
    pub traffic_path: Option<u8>,
    /// The other side.
    pub destination: Addr,
    /// Port of the other side.
    pub port: u16,
    /// IANA number of the protocol.
    pub protocol: u8,
    /// Name of the destination's group, such as `s3.eu-central-1`.
    pub group: Option<&'a str>,
    /// Name that the other side was known by.
    pub domain: Option<&'a str>,
    /// Service whose published range holds the other side, such as `S3`.
    pub aws_service: Option<&'a str>,
    /// Region of that range.
    pub aws_region: Option<&'a str>,
    /// Country of the other side, ISO 3166-1 alpha-2.
    pub country: Option<&'a str>,
    /// Organisation that announces the other side.
    pub org: Option<&'a str>,
    /// Bytes, headers included.
    pub bytes: u64,
    /// Bytes beyond headers.
    pub payload_bytes: u64,
    /// Records that this row sums up.
    pub flows: u64,
    /// First second.
    pub first_at: Timestamp,
    /// Last second.
    pub last_at: Timestamp,
    /// Who opened the conversation.
    pub opened: Opened,
    /// Whether a security group or network ACL refused it: nothing was sent.
    pub refused: bool,
}

/// Who opened a conversation. Only what the interface opens needs a rule for egress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Opened {
    /// The interface.
    Outbound,
    /// The other side.
    Inbound,
    /// Neither flags nor ports tell.
    #[default]
    Unknown,
}

impl From<Initiator> for Opened {
    fn from(initiator: Initiator) -> Self {
        match initiator {
            Initiator::Local | Initiator::LocalLikely => Self::Outbound,
            Initiator::Remote | Initiator::RemoteLikely => Self::Inbound,
            Initiator::Unknown => Self::Unknown,
        }
    }
}

/// What tells an entry from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Account of the interface.
    pub account_id: Arc<str>,
    /// VPC of the interface.
    pub vpc_id: Arc<str>,
    /// `eni-…`.
    pub interface_id: Arc<str>,
    /// Workload of the interface.
    pub workload: Arc<str>,
    /// The other side; its group where that opened the conversation.
    pub destination: Addr,
    /// Port of the other side; 0 where that opened the conversation, as it is of no service then.
    pub port: u16,
    /// IANA number of the protocol.
    pub protocol: u8,
    /// Who opened the conversation.
    pub opened: Opened,
}

/// What is known of the flows of a key. Sums stop at the largest number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Bytes to the other side.
    pub bytes: u64,
    /// Those beyond headers.
    pub payload_bytes: u64,
    /// Bytes that came back.
    pub returned_bytes: u64,
    /// Bytes to the other side by AWS's `traffic-path`; in the first place those of rows that have none.
    pub path_bytes: [u64; PATHS],
    /// Records of what was sent or came back.
    pub flows: u64,
    /// Records of what was refused.
    pub refused_flows: u64,
    /// First second.
    pub first_at: Timestamp,
    /// Last second.
    pub last_at: Timestamp,
    /// Group of the destination. Here and below, of several the last in alphabetical order.
    pub group: Option<Arc<str>>,
    /// AWS's service.
    pub aws_service: Option<Arc<str>>,
    /// Region of the service.
    pub aws_region: Option<Arc<str>>,
    /// Country.
    pub country: Option<Arc<str>>,
    /// Organisation.
    pub org: Option<Arc<str>>,
    /// Names of the other side, in order, at most [`ENTRY_DOMAINS_MAX`].
    pub domains: BTreeSet<Arc<str>>,
    /// Whether it had other names, too.
    pub more_domains: bool,
}

/// What the log of an interface covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Covered {
    /// What became of the minutes.
    pub minutes: Minutes,
    /// Rows of traffic.
    pub rows: RowCounts,
}

/// Rows that found no room as entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Rows.
    pub rows: u64,
    /// Their bytes, either way.
    pub bytes: u64,
}

/// Sums of flows, and what the logs cover.
///
/// Adding and merging are free of order as long as there is room; beyond [`TRAFFIC_ENTRIES_MAX`] the sums still are,
/// but not which entries are kept.
///
/// ```
/// use outflow_enrich::Direction;
/// use outflow_posture::{Flow, Opened, Traffic};
/// use outflow_record::Timestamp;
/// let flow = Flow { interface_id: "eni-1", vpc_id: "vpc-1", port: 443, protocol: 6, bytes: 1_500, flows: 1,
///     opened: Opened::Outbound, ..Flow::to("203.0.113.5".parse().unwrap(), Timestamp(60)) };
/// let mut traffic = Traffic::default();
/// traffic.add(&flow);
/// traffic.add(&Flow { direction: Direction::Ingress, bytes: 90_000, ..flow });
/// let (key, entry) = traffic.entries().next().unwrap();
/// assert_eq!((key.port, entry.bytes, entry.returned_bytes), (443, 1_500, 90_000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    entries_max: usize,
    entries: BTreeMap<Key, Entry>,
    names: BTreeSet<Arc<str>>,
    covered: BTreeMap<(Arc<str>, Arc<str>), Covered>,
    uncounted_interfaces: u64,
    beyond: BTreeMap<(Arc<str>, Arc<str>), Beyond>,
    undirected_rows: u64,
    regions: BTreeMap<Arc<str>, Arc<str>>,
}

impl<'a> Flow<'a> {
    /// A row of which only the other side and the time are known, to be filled in.
    pub fn to(destination: Addr, at: Timestamp) -> Self {
        Self {
            account_id: "",
            vpc_id: "",
            interface_id: "",
            workload: "",
            direction: Direction::Egress,
            traffic_path: None,
            destination,
            port: 0,
            protocol: 0,
            group: None,
            domain: None,
            aws_service: None,
            aws_region: None,
            country: None,
            org: None,
            bytes: 0,
            payload_bytes: 0,
            flows: 0,
            first_at: at,
            last_at: at,
            opened: Opened::Unknown,
            refused: false,
        }
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self::bounded(TRAFFIC_ENTRIES_MAX)
    }
}

impl Traffic {
    /// No traffic yet, and fewer entries at most than [`TRAFFIC_ENTRIES_MAX`].
    pub fn bounded(entries_max: usize) -> Self {
        Self {
            entries_max: entries_max.min(TRAFFIC_ENTRIES_MAX),
            entries: BTreeMap::new(),
            names: BTreeSet::new(),
            covered: BTreeMap::new(),
            uncounted_interfaces: 0,
            beyond: BTreeMap::new(),
            undirected_rows: 0,
            regions: BTreeMap::new(),
        }
    }

    /// Says in which region a VPC is, which listings of the EC2 API do not tell. Of several the last in alphabetical order
    /// stays; of more than [`BEYOND_VPCS_MAX`] VPCs those beyond have none, and what needs it is unknown.
    pub fn locate(&mut self, vpc_id: &str, region: &str) {
        let room = self.regions.len() < BEYOND_VPCS_MAX;
        match self.regions.get_mut(vpc_id) {
            Some(known) if **known < *region => *known = region.into(),
            None if room => drop(self.regions.insert(vpc_id.into(), region.into())),
            Some(_) | None => {}
        }
    }

    /// The region of a VPC, as far as rows tell.
    pub fn region_of(&self, vpc_id: &str) -> Option<&str> {
        self.regions.get(vpc_id).map(|region| &**region)
    }

    /// Adds a row.
    pub fn add(&mut self, flow: &Flow<'_>) {
        let outward = match flow.direction {
            Direction::Egress => true,
            Direction::Ingress => false,
            Direction::Unknown => {
                // A sum stands for as many rows as it has.
                let rows = flow.flows.max(1);
                self.undirected_rows = self.undirected_rows.saturating_add(rows);
                return;
            }
        };
        // A refused packet that came in says nothing of what goes out.
        if flow.refused && !outward {
            return;
        }
        let room = self.entries.len() < self.entries_max;
        let Some(key) = self.key(flow, room) else {
            return self.beyond((flow.account_id, flow.vpc_id), beyond(flow));
        };
        if !room && !self.entries.contains_key(&key) {
            return self.beyond((flow.account_id, flow.vpc_id), beyond(flow));
        }
        let entry = self.entry(flow, outward);
        self.take(key, entry);
    }

    /// Adds what the log of an interface covers. Rows of one interface may come in parts.
    pub fn cover(&mut self, of: &InterfaceCoverage) {
        let name = |name: &Option<String>| -> Arc<str> { name.as_deref().unwrap_or("").into() };
        let covered = Covered {
            minutes: of.minutes,
            rows: of.rows,
        };
        self.cover_one((name(&of.vpc_id), name(&of.interface_id)), &covered);
    }

    /// Adds all that another has.
    pub fn merge(&mut self, other: &Self) {
        for (key, entry) in &other.entries {
            let room = self.entries.len() < self.entries_max;
            if room || self.entries.contains_key(key) {
                self.take(key.clone(), entry.clone());
            } else {
                let rows = entry.flows.saturating_add(entry.refused_flows);
                let bytes = entry.bytes.saturating_add(entry.returned_bytes);
                self.beyond((&key.account_id, &key.vpc_id), Beyond { rows, bytes });
            }
        }
        for (key, covered) in &other.covered {
            self.cover_one(key.clone(), covered);
        }
        for ((account_id, vpc_id), beyond) in &other.beyond {
            self.beyond((account_id, vpc_id), *beyond);
        }
        for (vpc_id, region) in &other.regions {
            self.locate(vpc_id, region);
        }
        self.names.extend(other.names.iter().cloned());
        self.uncounted_interfaces += other.uncounted_interfaces;
        self.undirected_rows = self.undirected_rows.saturating_add(other.undirected_rows);
    }

    /// The sums, by account, VPC, interface and destination.
    pub fn entries(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.entries.iter()
    }

    /// What logs of interfaces cover, by VPC and interface.
    pub fn covered(&self) -> impl Iterator<Item = (&str, &str, &Covered)> {
        let covered = self.covered.iter();
        covered.map(|((vpc, interface), covered)| (&**vpc, &**interface, covered))
    }

    /// Interfaces beyond [`COVERED_INTERFACES_MAX`], met again with each part of theirs.
    pub fn uncounted_interfaces(&self) -> u64 {
        self.uncounted_interfaces
    }

    /// Rows beyond [`TRAFFIC_ENTRIES_MAX`], by account and VPC.
    pub fn beyond_of(&self, account_id: &str, vpc_id: &str) -> Beyond {
        let key = (account_id.into(), vpc_id.into());
        self.beyond.get(&key).copied().unwrap_or_default()
    }

    /// All rows beyond [`TRAFFIC_ENTRIES_MAX`].
    pub fn beyond_rows(&self) -> u64 {
        let rows = self.beyond.values().map(|beyond| beyond.rows);
        rows.fold(0, u64::saturating_add)
    }

    /// Rows whose direction was not known.
    pub fn undirected_rows(&self) -> u64 {
        self.undirected_rows
    }

    fn key(&mut self, flow: &Flow<'_>, room: bool) -> Option<Key> {
        let served = flow.opened == Opened::Inbound;
        Some(Key {
            account_id: self.name(flow.account_id, room)?,
            vpc_id: self.name(flow.vpc_id, room)?,
            interface_id: self.name(flow.interface_id, room)?,
            workload: self.name(flow.workload, room)?,
            destination: match served {
                true => flow.destination.group(),
                false => flow.destination,
            },
            port: if served { 0 } else { flow.port },
            protocol: flow.protocol,
            opened: flow.opened,
        })
    }

    /// A name as it is shared; without room only one that is known already.
    fn name(&mut self, name: &str, room: bool) -> Option<Arc<str>> {
        if let Some(known) = self.names.get(name) {
            return Some(Arc::clone(known));
        }
        let name: Arc<str> = name.into();
        if room {
            self.names.insert(Arc::clone(&name));
        }
        room.then_some(name)
    }

    fn entry(&mut self, flow: &Flow<'_>, outward: bool) -> Entry {
        // Names of an entry are as many as entries, at most, so that they are shared whatever their number.
        let mut name = |name: Option<&str>| name.and_then(|name| self.name(name, true));
        let passed = |bytes: u64, counts: bool| if counts && !flow.refused { bytes } else { 0 };
        let mut path_bytes = [0; PATHS];
        let path = flow.traffic_path.map_or(0, usize::from);
        path_bytes[if path < PATHS { path } else { 0 }] = passed(flow.bytes, outward);
        Entry {
            bytes: passed(flow.bytes, outward),
            path_bytes,
            payload_bytes: passed(flow.payload_bytes, outward),
            returned_bytes: passed(flow.bytes, !outward),
            flows: passed(flow.flows, true),
            refused_flows: if flow.refused { flow.flows } else { 0 },
            first_at: flow.first_at,
            last_at: flow.last_at,
            group: name(flow.group),
            aws_service: name(flow.aws_service),
            aws_region: name(flow.aws_region),
            country: name(flow.country),
            org: name(flow.org),
            domains: name(flow.domain).into_iter().collect(),
            more_domains: false,
        }
    }

    fn take(&mut self, key: Key, entry: Entry) {
        match self.entries.get_mut(&key) {
            Some(known) => known.add(entry),
            None => {
                self.entries.insert(key, entry);
            }
        }
    }

    fn cover_one(&mut self, key: (Arc<str>, Arc<str>), covered: &Covered) {
        if self.covered.len() >= COVERED_INTERFACES_MAX && !self.covered.contains_key(&key) {
            self.uncounted_interfaces += 1;
            return;
        }
        let known = self.covered.entry(key).or_default();
        known.minutes.add(&covered.minutes);
        known.rows.add(&covered.rows);
    }

    fn beyond(&mut self, (account_id, vpc_id): (&str, &str), more: Beyond) {
        let mut key = (account_id.into(), vpc_id.into());
        if self.beyond.len() >= BEYOND_VPCS_MAX && !self.beyond.contains_key(&key) {
            key = ("".into(), "".into());
        }
        let known = self.beyond.entry(key).or_default();
        known.rows = known.rows.saturating_add(more.rows);
        known.bytes = known.bytes.saturating_add(more.bytes);
    }
}

fn beyond(flow: &Flow<'_>) -> Beyond {
    Beyond {
        rows: flow.flows,
        bytes: flow.bytes,
    }
}

impl Entry {
    /// Bytes of both ways, which gateways charge for.
    pub fn processed_bytes(&self) -> u64 {
        self.bytes.saturating_add(self.returned_bytes)
    }

    fn add(&mut self, other: Self) {
        for (sum, more) in [
            (&mut self.bytes, other.bytes),
            (&mut self.payload_bytes, other.payload_bytes),
            (&mut self.returned_bytes, other.returned_bytes),
            (&mut self.flows, other.flows),
            (&mut self.refused_flows, other.refused_flows),
        ] {
            *sum = sum.saturating_add(more);
        }
        for (sum, more) in self.path_bytes.iter_mut().zip(other.path_bytes) {
            *sum = sum.saturating_add(more);
        }
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
        for (known, more) in [
            (&mut self.group, other.group),
            (&mut self.aws_service, other.aws_service),
            (&mut self.aws_region, other.aws_region),
            (&mut self.country, other.country),
            (&mut self.org, other.org),
        ] {
            if *known < more {
                *known = more;
            }
        }
        self.domains.extend(other.domains);
        self.more_domains |= other.more_domains;
        while self.domains.len() > ENTRY_DOMAINS_MAX {
            self.domains.pop_last();
            self.more_domains = true;
        }
    }
}

#[cfg(test)]
mod tests;
