//! A finding in the making: what its entries add up to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use outflow_enrich::InterfaceKey;
use outflow_finding::{
    Coverage, Destination, Evidence, Family, Finding, Severity, Why, finding_id,
};
use outflow_record::{Addr, Timestamp};

use super::Judged;
use super::severity::{Measure, capped};
use crate::counters::{Counters, Volume};
use crate::services::service_name;
use crate::time::{BUCKET_SECS, BUCKETS_PER_SLOT, Day, Slot};
use crate::view::{Entry, View};

/// Addresses that a finding lists, those with most payload first: a split over many destinations shows, and a
/// crawl does not fill the page.
const ADDRESSES_MAX: usize = 64;

/// Interfaces that a finding's query names.
const INTERFACES_MAX: usize = 16;

/// Sums over entries.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) total: Counters,
    by_group: BTreeMap<Addr, u64>,
    by_address: BTreeMap<Addr, u64>,
    by_service: BTreeMap<String, u64>,
    by_aws: BTreeMap<Option<&'static str>, u64>,
    by_entity: BTreeMap<u32, u64>,
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
        *self.by_group.entry(entry.group).or_default() += weight;
        *self.by_address.entry(entry.remote).or_default() += weight;
        *self
            .by_service
            .entry(service_name(entry.service))
            .or_default() += weight;
        *self.by_aws.entry(entry.service.aws.name()).or_default() += weight;
        *self.by_entity.entry(entry.entity).or_default() += weight;
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
        ranked(&self.by_group)
    }

    /// The fewest destination groups that make up nineteen twentieths of the payload.
    pub(super) fn main_groups(&self) -> Vec<Addr> {
        let total: u64 = self.by_group.values().sum();
        let mut left = total - total / 20;
        let mut groups = self.groups();
        let enough = groups.iter().position(|group| {
            left = left.saturating_sub(self.by_group[group]);
            left == 0
        });
        groups.truncate(enough.map_or(groups.len(), |last| last + 1));
        groups
    }

    /// The addresses, those with most payload first.
    pub(super) fn addresses(&self) -> Vec<Addr> {
        ranked(&self.by_address)
    }

    /// The service with most payload.
    pub(super) fn service(&self) -> Option<String> {
        ranked(&self.by_service).into_iter().next()
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
        let mut entities = ranked(&self.by_entity);
        entities.sort_by_key(|entity| {
            (
                std::cmp::Reverse(self.by_entity[entity]),
                &view.entity(*entity).key,
            )
        });
        let main = entities.first().map(|number| view.entity(*number));
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
            destination: self.destination(),
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
                sql: Some(self.sql(view, &entities)),
            },
            ..Finding::new(family)
        };
        let keys = entities
            .iter()
            .map(|number| view.entity(*number).key.clone());
        let interfaces: Vec<InterfaceKey> = keys.collect();
        Judged {
            day: charge.day,
            interfaces,
            finding,
        }
    }

    fn destination(&self) -> Destination {
        let addresses = self.addresses();
        let known = |addr: &&Addr| **addr != Addr::default();
        Destination {
            group: self
                .groups()
                .iter()
                .find(known)
                .map(|group| group_name(*group)),
            addresses: addresses
                .iter()
                .filter(known)
                .take(ADDRESSES_MAX)
                .map(ToString::to_string)
                .collect(),
            service: ranked(&self.by_aws)
                .first()
                .copied()
                .flatten()
                .map(str::to_owned),
            ..Destination::default()
        }
    }

    /// The share of the ten-minute buckets, between the first and the last that the log of the interfaces covers
    /// within the slots of this finding, that it covers.
    fn coverage(&self, view: &View<'_>, entities: &[u32]) -> Option<Coverage> {
        let (first, last) = self.slots?;
        let (mut covered, mut expected, mut skipdata) = (0u64, 0u64, 0u64);
        for number in entities {
            let slots = view.entity(*number).coverage.range(first..=last);
            let mut ends: Option<(u64, u64)> = None;
            for (slot, coverage) in slots {
                covered += u64::from(coverage.buckets.count_ones());
                skipdata += coverage.skipdata;
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

    /// A query for Athena's table of AWS's column names that returns the records behind the finding.
    fn sql(&self, view: &View<'_>, entities: &[u32]) -> String {
        let ids: Vec<String> = entities
            .iter()
            .take(INTERFACES_MAX)
            .map(|number| quoted(&view.entity(*number).key.interface_id))
            .collect();
        let addresses: Vec<String> = self
            .addresses()
            .iter()
            .take(ADDRESSES_MAX)
            .map(|addr| quoted(&addr.to_string()))
            .collect();
        let mut sql = String::from("SELECT * FROM vpc_flow_logs");
        let within = addresses.join(", ");
        // Writing to a string cannot fail.
        let _ = write!(
            sql,
            " WHERE interface_id IN ({}) AND start BETWEEN {} AND {} \
             AND (dstaddr IN ({within}) OR srcaddr IN ({within})) ORDER BY start",
            ids.join(", "),
            self.total.first,
            self.total.last,
        );
        sql
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

fn ranked<K: Ord + Clone>(weights: &BTreeMap<K, u64>) -> Vec<K> {
    let mut keys: Vec<(&K, &u64)> = weights.iter().collect();
    keys.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    keys.into_iter().map(|(key, _)| key.clone()).collect()
}
