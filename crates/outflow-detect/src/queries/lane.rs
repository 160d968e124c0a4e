//! How queries get into a state: parted, measured, and put in the order of shards.

use std::ops::Range;

use hashbrown::HashTable;
use outflow_enrich::InterfaceKey;
use outflow_record::Addr;
use outflow_sketch::hash64;

use super::cell::{Counts, KINDS_ODD, kind};
use super::names::Item;
use super::table::{Addition, ClientKey, QueryShard, hash_of, shard_of};
use super::{Query, zone};
use crate::labels::LabelModel;
use crate::table::SHARDS;
use crate::time::Slot;

/// Queries that wait until shards are locked for them: each shard is, once for all of its own.
const WAITING_MAX: usize = 1 << 13;

/// The number of a client within what folds, in the order of meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryNumber(pub u32);

/// Where queries end.
pub(crate) trait QuerySums {
    /// The state's number of a client.
    fn client(&mut self, key: &ClientKey) -> u32;
    /// Hands out a shard, and how many cells it may have.
    fn with_shard(&mut self, shard: usize, add: impl FnOnce(&mut QueryShard, usize));
}

/// Queries on their way into a state.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueryLane {
    /// By their numbers here, with those of the state.
    clients: Vec<(ClientKey, u32)>,
    by_client: HashTable<u32>,
    evidence: Vec<InterfaceKey>,
    /// Zones of what waits.
    texts: String,
    waiting: Vec<Vec<Waiting>>,
    count: usize,
}

#[derive(Debug, Clone)]
struct Waiting {
    hash: u64,
    domain: Range<usize>,
    is_expansion: bool,
    addition: Addition,
}

impl QueryLane {
    /// Adds a query; the number of its client, unless its name does not leave.
    pub(crate) fn add(
        &mut self,
        query: &Query<'_>,
        sums: &mut impl QuerySums,
    ) -> Option<QueryNumber> {
        let zoned = zone::of(query.name, query.rcode)?;
        let (number, client) = self.client(query, sums);
        let hash = hash_of(zoned.domain, zoned.is_expansion);
        let millibits = LabelModel::built_in().millibits(zoned.below);
        let kind = kind(query.query_type);
        let is_odd = kind & KINDS_ODD != 0;
        let secs = query.at.secs();
        let slot = Slot::of(secs);
        let at = u32::try_from(secs.max(0)).unwrap_or(u32::MAX);
        let counts = Counts {
            queries: 1,
            millibits: u64::from(millibits),
            name_bytes: query.name.len() as u64,
            below_bytes: zoned.below.len() as u64,
            answer_bytes: query.answer_bytes,
            carried_bytes: if is_odd { query.answer_bytes } else { 0 },
            odd: u64::from(is_odd),
            nxdomain: u64::from(query.rcode == "NXDOMAIN"),
            first: at,
            last: at,
        };
        let addition = Addition {
            client,
            slot,
            counts,
            name: Item::new(
                hash64(zoned.below.as_bytes()),
                slot.bucket(secs),
                millibits,
                kind,
            ),
        };
        let start = self.texts.len();
        self.texts.push_str(zoned.domain);
        if self.waiting.is_empty() {
            self.waiting.resize_with(SHARDS, Vec::new);
        }
        self.waiting[shard_of(hash)].push(Waiting {
            hash,
            domain: start..self.texts.len(),
            is_expansion: zoned.is_expansion,
            addition,
        });
        self.count += 1;
        if self.count >= WAITING_MAX {
            self.settle(sums);
        }
        Some(number)
    }

    /// Adds what waits.
    pub(crate) fn settle(&mut self, sums: &mut impl QuerySums) {
        if self.count == 0 {
            return;
        }
        for (at, waiting) in self.waiting.iter_mut().enumerate() {
            if waiting.is_empty() {
                continue;
            }
            let texts = &self.texts;
            sums.with_shard(at, |shard, cells_max| {
                for own in waiting.drain(..) {
                    let zone = shard.zone(own.hash, &texts[own.domain], own.is_expansion);
                    shard.add(zone, &own.addition, cells_max);
                }
            });
        }
        self.texts.clear();
        self.count = 0;
    }

    /// The key by which objects that hold queries of a client are found.
    pub(crate) fn evidence(&self) -> &[InterfaceKey] {
        &self.evidence
    }

    fn client(&mut self, query: &Query<'_>, sums: &mut impl QuerySums) -> (QueryNumber, u32) {
        let instance = query.instance.unwrap_or_default();
        let srcaddr = query.srcaddr.filter(|_| instance.is_empty());
        let hash = hash_of_client(instance, srcaddr);
        let clients = &self.clients;
        let is_it = |at: &u32| {
            let key = &clients[*at as usize].0;
            *key.instance == *instance
                && key.srcaddr == srcaddr
                && *key.vpc_id == *query.vpc_id
                && *key.account_id == *query.account_id
                && *key.region == *query.region
        };
        if let Some(known) = self.by_client.find(hash, is_it) {
            return (QueryNumber(*known), clients[*known as usize].1);
        }
        let key = ClientKey {
            account_id: query.account_id.into(),
            region: query.region.into(),
            vpc_id: query.vpc_id.into(),
            instance: instance.into(),
            srcaddr,
        };
        let own = u32::try_from(clients.len()).unwrap_or(u32::MAX);
        let number = sums.client(&key);
        let rehash = |at: &u32| {
            let key = &clients[*at as usize].0;
            hash_of_client(&key.instance, key.srcaddr)
        };
        self.by_client.insert_unique(hash, own, rehash);
        self.evidence.push(key.evidence());
        self.clients.push((key, number));
        (QueryNumber(own), number)
    }
}

/// What tells nearly all clients apart.
fn hash_of_client(instance: &str, srcaddr: Option<Addr>) -> u64 {
    match srcaddr {
        Some(addr) => hash64(&addr.bytes()),
        None => hash64(instance.as_bytes()),
    }
}
