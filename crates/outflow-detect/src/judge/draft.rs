//! A finding in the making: what its entries add up to.

mod records;
mod sender;
mod weights;

use outflow_enrich::InterfaceKey;
use outflow_finding::{
    Destination, Evidence, Family, Finding, Severity, TrafficPath, Why, finding_id,
};
use outflow_record::{Addr, Timestamp};

use super::severity::{Measure, Risk};
use super::{Judged, Rank};
use crate::counters::{Paths, Volume, total};
use crate::key::{Remote, Service};
use crate::parallel::in_parallel;
use crate::services::service_name;
use crate::state::Attempt;
use crate::time::Day;
use crate::view::{Entry, Group, View, warm_up};
use records::Records;
pub(super) use records::quoted;
pub(super) use sender::{Attached, of_known, sender};
pub(crate) use weights::Sides;
use weights::{Few, Many, first_ranked, ranked};

/// A destination whose address was dropped for want of memory.
pub(super) const UNKNOWN_PLACE: &str = "addresses that are no longer told apart";

/// Addresses that a finding lists, those with most payload first: a split over many destinations shows, and a
/// crawl does not fill the page.
const ADDRESSES_MAX: usize = 64;

/// Sums over entries; of each list, what was sent most comes first.
#[derive(Debug)]
pub(super) struct Draft {
    up: Volume,
    down: Volume,
    flows: u64,
    /// Start of the first packet and end of the last, Unix seconds.
    span: (u32, u32),
    paths: Paths,
    groups: Vec<(Group, Sides)>,
    /// Payload both ways with the addresses that were sent more than they sent.
    pushed: Sides,
    /// Whole addresses, as far as they were kept: the first [`ADDRESSES_MAX`].
    addresses: Vec<Addr>,
    /// How many there are.
    addresses_len: usize,
    /// Whether there are entries of which the address was not kept.
    is_coarse: bool,
    services: Vec<Service>,
    interfaces: Vec<u32>,
}

/// Items that one thread sums up at a time.
const ITEMS_AT_ONCE: usize = 1 << 15;

/// Items whose entries are looked at ahead of summing them up: as many as stay in the nearest caches.
const WARM_ITEMS: usize = 128;

/// Sums over entries, not yet ranked.
#[derive(Debug)]
struct Sums {
    up: Volume,
    down: Volume,
    flows: u64,
    span: (u32, u32),
    paths: Paths,
    /// Of what has no whole address.
    groups: Many<Group>,
    /// Of groups that are networks.
    addresses: Many<Addr>,
    /// Of groups that have names.
    named: Many<(Group, Addr)>,
    is_coarse: bool,
    services: Few<Service>,
    interfaces: Few<u32>,
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            up: Volume::default(),
            down: Volume::default(),
            flows: 0,
            span: (u32::MAX, 0),
            paths: Paths::default(),
            groups: Many::default(),
            addresses: Many::default(),
            named: Many::default(),
            is_coarse: false,
            services: Few::default(),
            interfaces: Few::default(),
        }
    }
}

impl Sums {
    fn add(&mut self, entry: &Entry<'_>) {
        let counters = entry.counters;
        self.up.add(&counters.up());
        self.down.add(&counters.down());
        self.flows = self.flows.saturating_add(u64::from(counters.flows));
        let (first, last) = self.span;
        self.span = (first.min(counters.first), last.max(counters.last));
        self.paths = self.paths.with(Paths::of(counters));
        let sides = Sides {
            up: counters.up().payload,
            down: counters.down().payload,
        };
        match entry.kept {
            Remote::Whole if entry.named.is_some() => {
                self.named.add((entry.group(), entry.remote), sides);
            }
            Remote::Whole => self.addresses.add(entry.remote, sides),
            Remote::Group => self.groups.add(entry.group(), sides),
            Remote::Dropped => {}
        }
        self.is_coarse |= entry.kept != Remote::Whole;
        self.services.add(entry.service, sides);
        self.interfaces.add(entry.interface, sides);
    }

    /// The same with addresses in their order: here, where several threads may be at it.
    fn in_order(mut self) -> Self {
        let addresses = std::mem::take(&mut self.addresses);
        self.addresses.merge(addresses.summed());
        let named = std::mem::take(&mut self.named);
        self.named.merge(named.summed());
        self
    }

    fn with(mut self, other: Self) -> Self {
        self.up.add(&other.up);
        self.down.add(&other.down);
        self.flows = self.flows.saturating_add(other.flows);
        self.span = (self.span.0.min(other.span.0), self.span.1.max(other.span.1));
        self.paths = self.paths.with(other.paths);
        self.groups.merge(other.groups.summed());
        self.addresses.merge(other.addresses.summed());
        self.named.merge(other.named.summed());
        self.is_coarse |= other.is_coarse;
        self.services.merge(other.services);
        self.interfaces.merge(other.interfaces);
        self
    }
}

/// What a judge says about a draft.
pub(super) struct Charge<'a> {
    pub(super) family: Family,
    pub(super) day: Day,
    /// What tells this finding from others of its family and day.
    pub(super) identity: &'a [&'a str],
    pub(super) title: String,
    pub(super) severity: Severity,
    pub(super) risk: Risk,
    pub(super) bits: Option<f64>,
    pub(super) attack: &'a [&'a str],
    pub(super) why: Vec<Why>,
    /// The workload, if it is one.
    pub(super) workload: Option<u32>,
}

impl Draft {
    pub(super) fn of<'a>(entries: impl IntoIterator<Item = &'a Entry<'a>>) -> Self {
        let mut sums = Sums::default();
        entries.into_iter().for_each(|entry| sums.add(entry));
        Self::of_sums(sums)
    }

    /// As [`Draft::of`], of the entries that items stand for; where these are many, on several threads.
    pub(super) fn of_many<'a, T: Sync, I: IntoIterator<Item = &'a Entry<'a>>>(
        items: &[T],
        entries: impl Fn(&T) -> I + Sync,
    ) -> Self {
        let parts: Vec<&[T]> = items.chunks(ITEMS_AT_ONCE).collect();
        let sums = in_parallel(&parts, |part| {
            let mut sums = Sums::default();
            for some in part.chunks(WARM_ITEMS) {
                warm_up(some.iter().flat_map(&entries));
                let entries = some.iter().flat_map(&entries);
                entries.for_each(|entry| sums.add(entry));
            }
            sums.in_order()
        });
        let one = sums.into_iter().reduce(Sums::with);
        Self::of_sums(one.unwrap_or_default())
    }

    /// Of what an interface tried inside, where no pairs are kept: addresses are a sample, and listed by who tells of them.
    pub(super) fn of_attempt(interface: u32, attempt: &Attempt) -> Self {
        let mut sums = Sums {
            up: Volume {
                bytes: attempt.bytes,
                payload: 0,
                packets: attempt.packets,
            },
            flows: attempt.records,
            span: attempt.span,
            is_coarse: true,
            ..Sums::default()
        };
        sums.interfaces.add(interface, Sides::default());
        Self::of_sums(sums)
    }

    fn of_sums(sums: Sums) -> Self {
        let mut groups = sums.groups;
        let mut addresses = sums.addresses.summed();
        for (address, sides) in &addresses {
            groups.add(Group::new(None, *address), *sides);
        }
        let named = sums.named.summed();
        if !named.is_empty() {
            // An address may have had a name for a part of the time.
            let mut all = Many::default();
            all.merge(addresses);
            for ((group, address), sides) in named {
                groups.add(group, sides);
                all.add(address, sides);
            }
            addresses = all.summed();
        }
        let mut pushed = Sides::default();
        for (_, sides) in &addresses {
            if sides.up > sides.down {
                pushed.add(*sides);
            }
        }
        Self {
            up: sums.up,
            down: sums.down,
            flows: sums.flows,
            span: sums.span,
            paths: sums.paths,
            groups: ranked(groups.summed()),
            pushed,
            addresses_len: addresses.len(),
            addresses: first_ranked(addresses, ADDRESSES_MAX),
            is_coarse: sums.is_coarse,
            services: sums.services.ranked(),
            interfaces: sums.interfaces.ranked(),
        }
    }

    /// From the interfaces.
    pub(super) fn up(&self) -> Volume {
        self.up
    }

    /// To the interfaces.
    pub(super) fn down(&self) -> Volume {
        self.down
    }

    /// The fewest destination groups that make up nineteen twentieths of the payload sent.
    pub(super) fn main_groups(&self) -> &[(Group, Sides)] {
        let total = total(self.groups.iter().map(|(_, sides)| sides.up));
        let mut left = total - total / 20;
        let enough = self.groups.iter().position(|(_, sides)| {
            left = left.saturating_sub(sides.up);
            left == 0
        });
        &self.groups[..enough.map_or(self.groups.len(), |last| last + 1)]
    }

    /// The address that was sent most, and how many more there are; or the group, where addresses were not kept.
    pub(super) fn place(&self, view: &View<'_>) -> String {
        let more = match self.addresses_len {
            0 | 1 if !self.is_coarse => String::new(),
            0 => " and others".to_owned(),
            count if self.is_coarse => format!(" and more than {}", count - 1),
            count => format!(" and {} more", count - 1),
        };
        let group = || {
            self.groups
                .first()
                .map(|(group, _)| view.group_name(*group))
        };
        let main = self.addresses.first().map(ToString::to_string);
        let main = main.or_else(group).map(|main| main + &more);
        main.unwrap_or_else(|| UNKNOWN_PLACE.to_owned())
    }

    /// The service that sent most.
    pub(super) fn service(&self) -> Option<String> {
        self.services.first().map(|service| service_name(*service))
    }

    /// As [`Draft::measure`], by the shape of what was pushed: what one address sent is no excuse for what another got.
    pub(super) fn measure_of_pushed(&self, observed: u64, bound: u64) -> Measure {
        let whole = self.measure(observed, bound);
        if self.is_coarse || self.pushed.up == 0 {
            return whole;
        }
        Measure {
            up: self.pushed.up,
            down: self.pushed.down,
            ..whole
        }
    }

    /// A measure of the draft's shape against a bound.
    pub(super) fn measure(&self, observed: u64, bound: u64) -> Measure {
        Measure {
            observed,
            bound,
            up: self.up.payload,
            down: self.down.payload,
            bits: 0.0,
        }
    }

    /// The finding.
    pub(super) fn finish(self, view: &View<'_>, charge: Charge<'_>) -> Judged {
        let entities = &self.interfaces;
        let main = entities.first().map(|number| view.interface(*number));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (family, day) = (charge.family, charge.day.to_string());
        let mut identity = vec![family.name(), day.as_str()];
        identity.extend_from_slice(charge.identity);
        let account = main.and_then(|entity| text(&entity.key.interface.account_id));
        let single = charge.workload.is_some();
        let is_one = single || entities.len() == 1;
        let of_one = |value: Option<String>| value.filter(|_| is_one);
        // By records, or else by the inventory.
        let placed = entities.first().map(|number| view.placed(*number));
        let placed = main.zip(placed);
        let region = placed.and_then(|(entity, placed)| placed.region(entity));
        let vpc_id = placed.and_then(|(entity, placed)| placed.vpc_id(entity));
        let records = Records {
            interfaces: entities,
            addresses: &self.addresses,
            are_all_addresses: !self.is_coarse && self.addresses_len == self.addresses.len(),
            first: i64::from(self.span.0),
            last: i64::from(self.span.1),
            day: charge.day,
        };
        let sender = entities
            .first()
            .filter(|_| is_one)
            .map(|party| sender(view, *party, Timestamp(records.last)))
            .unwrap_or_default();
        let risk = charge.risk.capped(charge.severity);
        let finding = Finding {
            id: finding_id(&identity),
            title: charge.title,
            severity: charge.severity,
            risk: risk.points(),
            risk_parts: risk.parts(),
            paths: self.paths.iter().map(TrafficPath).collect(),
            bits: charge.bits,
            account_id: account,
            region: region.map(str::to_owned),
            vpc_id: of_one(vpc_id.map(str::to_owned)),
            interface_id: of_one(main.and_then(|entity| text(&entity.key.interface.interface_id))),
            workload: charge.workload.and_then(|id| text(&view.workload(id).name)),
            destination: self.destination(view),
            first_seen: Some(Timestamp(records.first)),
            last_seen: Some(Timestamp(records.last)),
            bytes: self.up.bytes,
            payload_bytes: self.up.payload,
            packets: self.up.packets,
            flows: self.flows,
            attack: charge.attack.iter().map(|id| (*id).to_owned()).collect(),
            why: charge.why,
            coverage: records.coverage(view),
            evidence: Evidence {
                objects: Vec::new(),
                sql: Some(records.sql(view)),
                ..Evidence::default()
            },
            sender,
            ..Finding::new(family)
        };
        Judged {
            day: charge.day,
            interfaces: self.keys(view),
            finding,
            rank: Rank::default(),
            group: self.groups.first().map(|(group, _)| *group),
            workload: charge.workload,
            sides: self.sides(),
        }
    }

    /// The interfaces, those with most payload first.
    fn keys(&self, view: &View<'_>) -> Vec<InterfaceKey> {
        let entities = self.interfaces.iter();
        entities
            .map(|number| view.interface(*number).key.interface.clone())
            .collect()
    }

    /// Payload both ways.
    fn sides(&self) -> Sides {
        Sides {
            up: self.up.payload,
            down: self.down.payload,
        }
    }

    fn destination(&self, view: &View<'_>) -> Destination {
        let main = self.groups.first().map(|(group, _)| *group);
        // Records name the services of networks. Of a group that is none, the main address has one.
        let main_address = || self.addresses.first().map(|addr| addr.group());
        let network = main.and_then(Group::network).or_else(main_address);
        let listed = self.addresses.iter();
        Destination {
            group: main.map(|group| view.group_name(group)),
            addresses: listed.map(ToString::to_string).collect(),
            // What is not told apart is one more, at least.
            addresses_total: self.addresses_len as u64 + u64::from(self.is_coarse),
            groups_total: self.groups.len() as u64 + u64::from(self.is_coarse),
            service: network.and_then(|network| view.aws_service(network)),
            ..Destination::default()
        }
    }
}

/// A reason that is a count against its bound.
pub(super) fn bounded(observed: u64, bound: u64, unit: &str, text: String) -> Why {
    Why {
        observed: observed as f64,
        expected: None,
        bound: Some(bound as f64),
        unit: unit.to_owned(),
        text,
    }
}
