//! A finding in the making: what its entries add up to.

use outflow_enrich::InterfaceKey;
use outflow_finding::{
    Coverage, Destination, Evidence, Family, Finding, Severity, Why, finding_id,
};
use outflow_record::{Addr, Timestamp};

use super::Judged;
use super::severity::{Measure, capped};
use crate::counters::{Counters, Volume, total};
use crate::key::Service;
use crate::services::service_name;
use crate::time::{BUCKET_SECS, BUCKETS_PER_SLOT, Day, Slot};
use crate::view::{Entry, View};

/// The query that every finding carries, with places to fill in.
const EVIDENCE_SQL: &str = include_str!("../../../../queries/evidence.sql");

/// Addresses that a finding lists, those with most payload first: a split over many destinations shows, and a
/// crawl does not fill the page.
const ADDRESSES_MAX: usize = 64;

/// Interfaces that a finding's query names.
const INTERFACES_MAX: usize = 16;

/// Sums over entries.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) total: Counters,
    by_group: Weights<Addr>,
    by_address: Weights<Addr>,
    by_service: Weights<Service>,
    by_interface: Weights<u32>,
    slots: Option<(Slot, Slot)>,
}

/// What a judge says about a draft.
pub(super) struct Charge<'a> {
    pub(super) family: Family,
    pub(super) day: Day,
    /// What tells this finding from others of its family and day.
    pub(super) identity: &'a [&'a str],
    pub(super) title: String,
    pub(super) severity: Severity,
    pub(super) risk: u8,
    pub(super) bits: Option<f64>,
    pub(super) attack: &'a [&'a str],
    pub(super) why: Vec<Why>,
    /// The workload, if it is one.
    pub(super) workload: Option<u32>,
}

impl Draft {
    pub(super) fn of<'a>(entries: impl IntoIterator<Item = &'a Entry<'a>>) -> Self {
        let mut draft = Self::default();
        entries.into_iter().for_each(|entry| draft.add(entry));
        draft
    }

    pub(super) fn add(&mut self, entry: &Entry<'_>) {
        // Payload ranks; a packet more tells apart what has none.
        let weight = entry
            .counters
            .up
            .payload
            .max(entry.counters.down.payload)
            .max(1);
        self.total.add(entry.counters);
        self.by_group.add(entry.group, weight);
        self.by_address.add(entry.remote, weight);
        self.by_service.add(entry.service, weight);
        self.by_interface.add(entry.interface, weight);
        let (first, last) = self.slots.unwrap_or((entry.slot, entry.slot));
        self.slots = Some((first.min(entry.slot), last.max(entry.slot)));
    }

    /// Payload from the interfaces.
    pub(super) fn up(&self) -> Volume {
        self.total.up
    }

    /// Payload to the interfaces.
    pub(super) fn down(&self) -> Volume {
        self.total.down
    }

    /// The destination groups, those with most payload first.
    pub(super) fn groups(&self) -> Vec<Addr> {
        keys(self.by_group.ranked())
    }

    /// The fewest destination groups that make up nineteen twentieths of the payload.
    pub(super) fn main_groups(&self) -> Vec<Addr> {
        let mut groups = self.by_group.ranked();
        let total = total(groups.iter().map(|(_, weight)| *weight));
        let mut left = total - total / 20;
        let enough = groups.iter().position(|(_, weight)| {
            left = left.saturating_sub(*weight);
            left == 0
        });
        groups.truncate(enough.map_or(groups.len(), |last| last + 1));
        keys(groups)
    }

    /// The addresses, those with most payload first.
    pub(super) fn addresses(&self) -> Vec<Addr> {
        keys(self.by_address.ranked())
    }

    /// The service with most payload.
    pub(super) fn service(&self) -> Option<String> {
        self.by_service
            .ranked()
            .first()
            .map(|(service, _)| service_name(*service))
    }

    /// A measure of the draft's shape against a bound.
    pub(super) fn measure(&self, observed: u64, bound: u64, bits: f64) -> Measure {
        Measure {
            observed,
            bound,
            up: self.up().payload,
            down: self.down().payload,
            bits,
        }
    }

    /// The finding.
    pub(super) fn finish(self, view: &View<'_>, charge: Charge<'_>) -> Judged {
        let entities = keys(self.by_interface.ranked());
        let addresses = self.addresses();
        let main = entities.first().map(|number| view.interface(*number));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (family, day) = (charge.family, charge.day.to_string());
        let mut identity = vec![family.name(), day.as_str()];
        identity.extend_from_slice(charge.identity);
        let account = main.and_then(|entity| text(&entity.key.account_id));
        let single = charge.workload.is_some();
        let of_one = |value: Option<String>| value.filter(|_| single || entities.len() == 1);
        let attribute = |pick: fn(&outflow_enrich::Interface) -> &Option<String>| {
            main.and_then(|entity| pick(&entity.interface).clone())
        };
        let finding = Finding {
            id: finding_id(&identity),
            title: charge.title,
            severity: charge.severity,
            risk: capped(charge.risk, charge.severity),
            bits: charge.bits,
            account_id: account,
            region: attribute(|interface| &interface.region),
            vpc_id: of_one(attribute(|interface| &interface.vpc_id)),
            interface_id: of_one(main.and_then(|entity| text(&entity.key.interface_id))),
            workload: charge.workload.and_then(|id| text(&view.workload(id).name)),
            destination: self.destination(view, &addresses),
            first_seen: Some(Timestamp(self.total.first)),
            last_seen: Some(Timestamp(self.total.last)),
            bytes: self.total.up.bytes,
            payload_bytes: self.total.up.payload,
            packets: self.total.up.packets,
            flows: self.total.flows,
            attack: charge.attack.iter().map(|id| (*id).to_owned()).collect(),
            why: charge.why,
            coverage: self.coverage(view, &entities),
            evidence: Evidence {
                objects: Vec::new(),
                sql: Some(self.sql(view, &entities, &addresses)),
            },
            ..Finding::new(family)
        };
        let keys = entities
            .iter()
            .map(|number| view.interface(*number).key.clone());
        let interfaces: Vec<InterfaceKey> = keys.collect();
        Judged {
            day: charge.day,
            interfaces,
            finding,
        }
    }

    fn destination(&self, view: &View<'_>, addresses: &[Addr]) -> Destination {
        let groups = self.groups();
        let known = |addr: &&Addr| **addr != Addr::default();
        Destination {
            group: groups.iter().find(known).map(|group| group_name(*group)),
            addresses: addresses
                .iter()
                .filter(known)
                .take(ADDRESSES_MAX)
                .map(ToString::to_string)
                .collect(),
            service: groups.first().and_then(|group| view.aws_service(*group)),
            ..Destination::default()
        }
    }

    /// The share of the ten-minute buckets, between the first and the last that the log of the interfaces covers
    /// within the slots of this finding, that it covers.
    fn coverage(&self, view: &View<'_>, entities: &[u32]) -> Option<Coverage> {
        let (first, last) = self.slots?;
        let (mut covered, mut expected, mut skipdata) = (0u64, 0u64, 0u64);
        for number in entities {
            let slots = view.interface(*number).coverage.range(first..=last);
            let mut ends: Option<(u64, u64)> = None;
            for (slot, coverage) in slots {
                covered += u64::from(coverage.buckets.count_ones());
                skipdata = skipdata.saturating_add(coverage.skipdata);
                if coverage.buckets != 0 {
                    let base = u64::from(slot.0) * u64::from(BUCKETS_PER_SLOT);
                    let low = base + u64::from(coverage.buckets.trailing_zeros());
                    let high = base + u64::from(63 - coverage.buckets.leading_zeros());
                    ends =
                        Some(ends.map_or((low, high), |(from, to)| (from.min(low), to.max(high))));
                }
            }
            expected += ends.map_or(0, |(from, to)| to - from + 1);
        }
        let minutes = BUCKET_SECS.unsigned_abs() / 60;
        (expected > 0).then(|| Coverage {
            share: covered as f64 / expected as f64,
            minutes_covered: covered * minutes,
            minutes_expected: expected * minutes,
            skipdata,
        })
    }

    /// The query that returns the records behind the finding, from a table with AWS's column names.
    fn sql(&self, view: &View<'_>, entities: &[u32], addresses: &[Addr]) -> String {
        let ids: Vec<String> = entities
            .iter()
            .take(INTERFACES_MAX)
            .map(|number| quoted(&view.interface(*number).key.interface_id))
            .collect();
        let addresses: Vec<String> = addresses
            .iter()
            .take(ADDRESSES_MAX)
            .map(|addr| quoted(&addr.to_string()))
            .collect();
        // Ids last: a hostile one may look like a place to fill in.
        EVIDENCE_SQL
            .trim_end()
            .replace("{first}", &self.total.first.to_string())
            .replace("{last}", &self.total.last.to_string())
            .replace("{addresses}", &addresses.join(", "))
            .replace("{interfaces}", &ids.join(", "))
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

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A destination group as people write it.
pub(super) fn group_name(group: Addr) -> String {
    let prefix = if group.is_ipv4() { 24 } else { 48 };
    format!("{group}/{prefix}")
}

/// Keys with weights that add up.
#[derive(Debug)]
struct Weights<K>(Vec<(K, u64)>);

impl<K> Default for Weights<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord + Copy> Weights<K> {
    fn add(&mut self, key: K, weight: u64) {
        match self.0.last_mut() {
            Some((last, sum)) if *last == key => *sum = sum.saturating_add(weight),
            _ => self.0.push((key, weight)),
        }
    }

    /// The keys and their sums, the heaviest first, then the smallest.
    fn ranked(&self) -> Vec<(K, u64)> {
        let mut sums = self.0.clone();
        sums.sort_unstable_by_key(|(key, _)| *key);
        sums.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                first.1 = first.1.saturating_add(next.1);
            }
            same
        });
        sums.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        sums
    }
}

fn keys<K: Copy>(ranked: Vec<(K, u64)>) -> Vec<K> {
    ranked.into_iter().map(|(key, _)| key).collect()
}
