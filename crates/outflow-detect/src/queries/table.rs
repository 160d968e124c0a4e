//! A bounded table of cells.

use std::collections::HashMap;

use hashbrown::HashTable;
use outflow_enrich::InterfaceKey;
use outflow_record::Addr;
use outflow_sketch::hash64;

use super::cell::{Cell, Counts};
use super::names::Item;
use crate::key::FixedState;
use crate::table::SHARDS;
use crate::time::Slot;

/// Information of different names that a shard keeps for each cell that it may have, in thousandths of a bit: a name has
/// ten bits or more on average and takes 16 bytes, so that the names of all shards take some 3 GB at most.
const CELL_MILLIBITS_MAX: u64 = 128_000;

/// Bytes of a client's texts, about: account, region, VPC and instance.
const CLIENT_TEXT_BYTES: usize = 64;

/// How much a shard keeps of what was asked: each level is a function of the one before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Detail {
    /// Everything.
    #[default]
    Names = 0,
    /// No names: each query counts as if it were for a name of its own.
    Sums = 1,
    /// No domains either: what a client asked below all domains of the shard is one sum.
    Clients = 2,
}

impl Detail {
    /// All levels, the finest first.
    pub(super) const ALL: [Self; 3] = [Self::Names, Self::Sums, Self::Clients];

    fn coarser(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }
}

/// Who asked, as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientKey {
    pub(crate) account_id: Box<str>,
    pub(crate) region: Box<str>,
    pub(crate) vpc_id: Box<str>,
    /// Instance; empty where the log does not tell it.
    pub(crate) instance: Box<str>,
    /// Address; that of an instance is not told apart.
    pub(crate) srcaddr: Option<Addr>,
}

impl ClientKey {
    /// The key by which objects that hold queries of the client are found.
    pub(crate) fn evidence(&self) -> InterfaceKey {
        InterfaceKey {
            account_id: self.account_id.to_string(),
            interface_id: format!("dns {} {}", self.vpc_id, self.name()),
        }
    }

    /// The instance, or else the address.
    pub(crate) fn name(&self) -> String {
        match self.srcaddr {
            _ if !self.instance.is_empty() => self.instance.to_string(),
            Some(addr) => addr.to_string(),
            None => "-".to_owned(),
        }
    }
}

/// Clients, numbered in the order of meeting; no number reaches an output.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clients {
    keys: Vec<ClientKey>,
    numbers: HashMap<ClientKey, u32, FixedState>,
}

impl Clients {
    pub(crate) fn number(&mut self, key: &ClientKey) -> u32 {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(key.clone());
        self.numbers.insert(key.clone(), number);
        number
    }

    pub(crate) fn get(&self, number: u32) -> &ClientKey {
        &self.keys[number as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// Whom names tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Zone {
    pub(crate) domain: Box<str>,
    /// Whether it is a search suffix behind whole names.
    pub(crate) is_expansion: bool,
}

/// A client, a zone by its number in the shard, and a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CellKey {
    pub(super) zone: u32,
    pub(super) client: u32,
    pub(super) slot: Slot,
}

/// The zone of cells that have none any more.
pub(super) const NO_ZONE: u32 = u32::MAX;

/// Cells of some zones.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueryShard {
    pub(super) level: Detail,
    pub(super) zones: Vec<Zone>,
    by_zone: HashTable<u32>,
    pub(super) cells: HashMap<CellKey, Cell, FixedState>,
    /// Of all cells, how much is kept by name.
    weight: u64,
}

/// The hash of a zone, which tells its shard.
#[inline]
pub(super) fn hash_of(domain: &str, is_expansion: bool) -> u64 {
    hash64(domain.as_bytes()) ^ u64::from(is_expansion)
}

/// The shard of a zone.
#[inline]
pub(super) fn shard_of(hash: u64) -> usize {
    // The low bits choose places in its tables.
    (hash >> 32) as usize % SHARDS
}

/// What a query adds, once it is known to which cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addition {
    pub(super) client: u32,
    pub(super) slot: Slot,
    pub(super) counts: Counts,
    pub(super) name: Item,
}

impl QueryShard {
    /// The number of a zone.
    pub(super) fn zone(&mut self, hash: u64, domain: &str, is_expansion: bool) -> u32 {
        if self.level == Detail::Clients {
            return NO_ZONE;
        }
        let zones = &self.zones;
        let is_it = |at: &u32| {
            let zone = &zones[*at as usize];
            *zone.domain == *domain && zone.is_expansion == is_expansion
        };
        if let Some(known) = self.by_zone.find(hash, is_it) {
            return *known;
        }
        let number = u32::try_from(zones.len()).unwrap_or(NO_ZONE - 1);
        let rehash = |at: &u32| {
            hash_of(
                &zones[*at as usize].domain,
                zones[*at as usize].is_expansion,
            )
        };
        self.by_zone.insert_unique(hash, number, rehash);
        self.zones.push(Zone {
            domain: domain.into(),
            is_expansion,
        });
        number
    }

    /// Adds a query below a zone.
    #[inline]
    pub(super) fn add(&mut self, zone: u32, addition: &Addition, cells_max: usize) {
        let key = CellKey {
            zone,
            client: addition.client,
            slot: addition.slot,
        };
        let name = (self.level == Detail::Names).then_some(addition.name);
        let cell = self.cells.entry(key).or_default();
        let before = cell.names.weight();
        cell.add(&addition.counts, name);
        self.weight += cell.names.weight() - before;
        self.shrink(cells_max);
    }

    /// Adds a cell.
    pub(super) fn add_cell(&mut self, key: CellKey, mut cell: Cell, cells_max: usize) {
        if self.level > Detail::Names {
            cell.names = Default::default();
        }
        let own = self.cells.entry(key).or_default();
        let before = own.names.weight();
        own.merge(&cell);
        self.weight += own.names.weight() - before;
        self.shrink(cells_max);
    }

    #[inline]
    fn shrink(&mut self, cells_max: usize) {
        let names_max = CELL_MILLIBITS_MAX.saturating_mul(cells_max as u64);
        while self.cells.len() > cells_max || self.weight > names_max {
            let Some(level) = self.level.coarser() else {
                return;
            };
            self.raise(level);
        }
    }

    /// Keeps no more than a level does.
    pub(super) fn raise(&mut self, level: Detail) {
        if level <= self.level {
            return;
        }
        self.level = level;
        self.weight = 0;
        for cell in self.cells.values_mut() {
            cell.names = Default::default();
        }
        if level == Detail::Clients {
            (self.zones, self.by_zone) = Default::default();
            let mut merged: HashMap<CellKey, Cell, FixedState> = HashMap::default();
            for (key, cell) in self.cells.drain() {
                let key = CellKey {
                    zone: NO_ZONE,
                    ..key
                };
                merged.entry(key).or_default().merge(&cell);
            }
            self.cells = merged;
        }
    }

    /// Its cells, each with its zone, client and slot, in an order that no output may have.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (Option<&Zone>, u32, Slot, &Cell)> {
        let zone = |number: u32| self.zones.get(number as usize);
        let cells = self.cells.iter();
        cells.map(move |(key, cell)| (zone(key.zone), key.client, key.slot, cell))
    }

    fn heap_bytes(&self) -> usize {
        let names = self.cells.values().map(|cell| cell.names.items().len());
        self.cells.capacity() * size_of::<(CellKey, Cell)>()
            + names.sum::<usize>() * size_of::<Item>()
            + self.zones.len() * size_of::<Zone>() * 2
    }
}

/// Everything that was asked, in shards that are told by the zone.
///
/// A shard that has more cells than its limit, or more information of names than goes with them, keeps less of all
/// ([`Detail`]): names count as often as they were asked for, then domains are one. No query is dropped, and less detail
/// can only add suspicion. Which level it ends at depends on the set of queries alone.
#[derive(Debug, Clone)]
pub(crate) struct Queries {
    pub(crate) clients: Clients,
    pub(crate) shards: Vec<QueryShard>,
    cells_max: usize,
}

impl Queries {
    pub(crate) fn new(cells_max: usize) -> Self {
        Self {
            clients: Clients::default(),
            shards: (0..SHARDS).map(|_| QueryShard::default()).collect(),
            cells_max,
        }
    }

    pub(crate) fn of_parts(clients: Clients, shards: Vec<QueryShard>, cells_max: usize) -> Self {
        Self {
            clients,
            shards,
            cells_max,
        }
    }

    pub(crate) fn cells_max(&self) -> usize {
        self.cells_max
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.clients.keys.is_empty()
    }

    pub(crate) fn merge(&mut self, other: Self) {
        let keys = other.clients.keys.iter();
        let numbers: Vec<u32> = keys.map(|key| self.clients.number(key)).collect();
        for (own, other) in self.shards.iter_mut().zip(other.shards) {
            own.raise(other.level);
            for (key, cell) in other.cells {
                let zone = match other.zones.get(key.zone as usize) {
                    Some(zone) => {
                        let hash = hash_of(&zone.domain, zone.is_expansion);
                        own.zone(hash, &zone.domain, zone.is_expansion)
                    }
                    None => NO_ZONE,
                };
                let key = CellKey {
                    zone,
                    client: numbers[key.client as usize],
                    ..key
                };
                own.add_cell(key, cell, self.cells_max);
            }
        }
    }

    /// Drops what was asked in slots before one, and the clients and zones of which nothing is left. What a shard kept less of
    /// stays so, unless nothing is left of it.
    pub(crate) fn forget(&mut self, before: Slot) {
        let mut clients = Clients::default();
        for own in &mut self.shards {
            let old = std::mem::take(own);
            let level = match old.cells.keys().any(|key| key.slot >= before) {
                true => old.level,
                false => Detail::default(),
            };
            own.raise(level);
            for (key, cell) in old.cells {
                if key.slot < before {
                    continue;
                }
                let zone = match old.zones.get(key.zone as usize) {
                    Some(zone) => {
                        let hash = hash_of(&zone.domain, zone.is_expansion);
                        own.zone(hash, &zone.domain, zone.is_expansion)
                    }
                    None => NO_ZONE,
                };
                let client = clients.number(self.clients.get(key.client));
                let key = CellKey {
                    zone,
                    client,
                    ..key
                };
                own.add_cell(key, cell, self.cells_max);
            }
        }
        self.clients = clients;
    }

    /// How much the coarsest shard keeps.
    pub(crate) fn detail(&self) -> Detail {
        let levels = self.shards.iter().map(|shard| shard.level);
        levels.max().unwrap_or_default()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.shards.iter().map(QueryShard::heap_bytes).sum()
    }

    /// Bytes of who asked, about.
    pub(crate) fn client_bytes(&self) -> usize {
        // Each key is there twice, behind its number the second time.
        self.clients.len() * 2 * (size_of::<ClientKey>() + CLIENT_TEXT_BYTES)
    }
}
