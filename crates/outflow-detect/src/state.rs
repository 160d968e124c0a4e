//! The state that every detector judges: sums by pair and slot, a commutative monoid.

mod attempts;
mod by_slot;
pub(crate) mod codec;
mod forget;
mod lane;
mod receipts;
mod shared;
mod uncounted;

use std::collections::HashMap;

use outflow_enrich::{AwsService, EnrichedBatch, Interface, InterfaceKey, PointKey};
use outflow_finding::{InterfaceCoverage, RowCounts};
use outflow_record::{Addr, CoverageRow, Timestamp};

use crate::coverage::Marks;
use crate::entities::Entities;
use crate::key::{FixedState, PairKey, Resolution, UnorientedKey};
use crate::queries::{ClientKey, Detail, Queries, Query, QueryLane, QueryShard, QuerySums};
use crate::table::{SHARDS, Table};
use crate::time::{Hour, Slot};
pub(crate) use attempts::{Attempt, Attempts, PLACES_MAX};
pub(crate) use by_slot::OfSlot;
pub use forget::Lessons;
use lane::{Buffer, Lane, Sums};
pub(crate) use receipts::{PEERS_MAX, Receipt, Receipts};
pub use shared::{Folder, SharedState};
pub use uncounted::Uncounted;
pub(crate) use uncounted::more;

/// Keys of pairs that a shard keeps before it keeps less of each: 64 shards of 256 Ki keys of 96 bytes are at most
/// 1.8 GiB with their index. Of rhythms, which have 144 bytes, it keeps three quarters as many: 1.7 GiB. So ten million
/// pairs that are met within one slot keep their addresses, and take less than 3 GB with their interfaces (`examples/state_size`
/// measures it). [`State::resolution`] shows when either was reached.
pub const SHARD_KEYS_MAX: usize = 1 << 18;

/// The sums of everything folded so far.
///
/// `fold` is a sum over records; `merge` is associative and commutative with [`State::default`] as its identity;
/// [`State::encode`] gives the same bytes for the same records in any order and grouping.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) entities: Entities,
    pub(crate) pairs: Table<PairKey>,
    pub(crate) unoriented: Table<UnorientedKey>,
    /// By shard, what interfaces got from inside.
    pub(crate) receipts: Vec<Receipts>,
    /// By shard, what interfaces tried inside.
    pub(crate) attempts: Vec<Attempts>,
    keys_max: usize,
    pub(crate) aws: AwsServices,
    /// Bytes of records of which no pair is kept.
    pub(crate) unpaired: Uncounted,
    /// What was asked of the resolver.
    pub(crate) queries: Queries,
    lane: Lane,
    query_lane: QueryLane,
}

/// How finely [`State::coverage`] tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Grain {
    /// By interface.
    #[default]
    Interface,
    /// By interface and hour.
    Hour,
}

/// The AWS service of a destination group, as far as records name it; of several, the last by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct AwsServices(HashMap<Addr, AwsService, FixedState>);

impl AwsServices {
    pub(crate) fn get(&self, group: Addr) -> AwsService {
        self.0.get(&group).copied().unwrap_or_default()
    }

    fn learn(&mut self, group: Addr, service: AwsService) {
        let known = self.0.entry(group).or_default();
        *known = service.max(*known);
    }

    fn merge(&mut self, other: Self) {
        for (group, service) in other.0 {
            self.learn(group, service);
        }
    }

    /// Bytes on the heap, about.
    fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(Addr, AwsService)>()
    }

    /// In the order of groups.
    fn sorted(&self) -> Vec<(Addr, AwsService)> {
        let mut all: Vec<(Addr, AwsService)> = self.0.iter().map(|(g, s)| (*g, *s)).collect();
        all.sort_unstable();
        all
    }
}

impl Default for State {
    fn default() -> Self {
        Self::with_keys_max(SHARD_KEYS_MAX)
    }
}

impl State {
    /// Gives its memory back, on several threads: hundreds of megabytes take one of them a while.
    pub fn release(self) {
        self.pairs.release();
        self.unoriented.release();
    }

    /// An empty state of at most this many keys a shard.
    pub fn with_keys_max(keys_max: usize) -> Self {
        Self {
            entities: Entities::default(),
            pairs: Table::new(keys_max),
            unoriented: Table::new(keys_max),
            receipts: vec![Receipts::default(); SHARDS],
            attempts: vec![Attempts::default(); SHARDS],
            keys_max,
            aws: AwsServices::default(),
            unpaired: Uncounted::default(),
            queries: Queries::new(keys_max),
            lane: Lane::default(),
            query_lane: QueryLane::default(),
        }
    }

    /// Adds the flows of a batch. All batches of one state come from one enricher; states of several merge.
    ///
    /// Records that start before `closed`, the first second still open, count as late.
    pub fn fold(&mut self, batch: &EnrichedBatch<'_>, closed: i64) {
        let mut lane = std::mem::take(&mut self.lane);
        lane.fold(batch, closed, self);
        lane.settle(self);
        self.lane = lane;
    }

    /// Adds a `NODATA` or `SKIPDATA` row of an interface.
    pub fn fold_coverage(&mut self, key: &PointKey, row: &CoverageRow) {
        lane::fold_coverage(key, row, self);
    }

    /// Adds queries of Resolver query logs.
    pub fn fold_queries<'q>(&mut self, queries: impl IntoIterator<Item = Query<'q>>) {
        let mut lane = std::mem::take(&mut self.query_lane);
        for query in queries {
            lane.add(&query, &mut self.queries);
        }
        lane.settle(&mut self.queries);
        self.query_lane = lane;
    }

    /// Adds everything that another state holds.
    pub fn merge(&mut self, other: Self) {
        self.queries.merge(other.queries);
        let numbers = self.entities.merge(other.entities);
        self.pairs
            .merge(other.pairs, |entity| numbers[entity as usize]);
        self.aws.merge(other.aws);
        self.unpaired.add(&other.unpaired);
        self.unoriented
            .merge(other.unoriented, |entity| numbers[entity as usize]);
        for (own, other) in self.receipts.iter_mut().zip(other.receipts) {
            own.merge(other, |entity| numbers[entity as usize], self.keys_max);
        }
        for (own, other) in self.attempts.iter_mut().zip(other.attempts) {
            own.merge(other, |entity| numbers[entity as usize], self.keys_max);
        }
    }

    /// The state without what it remembers of its enricher: another one numbers its interfaces anew.
    #[must_use]
    pub(crate) fn detached(mut self) -> Self {
        self.lane = Lane::default();
        self.query_lane = QueryLane::default();
        self
    }

    /// How much of a remote address the coarsest shard still keeps.
    pub fn resolution(&self) -> Resolution {
        self.pairs
            .levels()
            .chain(self.unoriented.levels())
            .max()
            .unwrap_or_default()
    }

    /// How much of what was asked the coarsest shard still keeps.
    pub fn query_detail(&self) -> Detail {
        self.queries.detail()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.entities.len() == 0 && self.queries.is_empty()
    }

    /// What the log of each interface covers, in the order of accounts and ids; by hour only if that is asked for.
    pub fn coverage(&self, grain: Grain) -> Vec<InterfaceCoverage> {
        let parties = self.entities.parties().into_iter();
        let interfaces = parties.filter(|((_, host), _)| host.is_none());
        interfaces
            .map(|(_, entity)| entity.coverage(grain))
            .collect()
    }

    /// From when on coverage is kept, if there were more hours of it than memory allows.
    pub fn coverage_kept_from(&self) -> Option<Timestamp> {
        let hour = self.entities.kept_from();
        (hour > Hour::default()).then(|| Timestamp(hour.first_minute() * 60))
    }

    /// From when on it is kept what interfaces got from inside, if there was more of it than memory allows: of some
    /// interfaces at least.
    pub fn received_from(&self) -> Option<Timestamp> {
        let first = self.receipts.iter().map(Receipts::kept_from).max()?;
        (first > 0).then(|| Timestamp(Slot(first).start()))
    }

    /// The same of what interfaces tried inside.
    pub fn tried_from(&self) -> Option<Timestamp> {
        let first = self.attempts.iter().map(Attempts::kept_from).max()?;
        (first > 0).then(|| Timestamp(Slot(first).start()))
    }

    /// Drops what interfaces got before a slot, as for want of memory.
    #[cfg(test)]
    pub(crate) fn keep_receipts_from(&mut self, slot: Slot) {
        for shard in &mut self.receipts {
            shard.keep_from(slot.0);
        }
    }

    /// Interfaces met.
    pub fn interfaces(&self) -> usize {
        let sorted = self.entities.sorted();
        let mut interfaces: Vec<&InterfaceKey> =
            sorted.map(|(_, entity)| &entity.key.interface).collect();
        interfaces.dedup();
        interfaces.len()
    }

    /// Bytes on the heap, about: what the limit of keys bounds.
    pub fn heap_bytes(&self) -> usize {
        let receipts = self.receipts.iter().map(Receipts::heap_bytes);
        let attempts = self.attempts.iter().map(Attempts::heap_bytes);
        self.pairs.heap_bytes()
            + self.unoriented.heap_bytes()
            + self.queries.heap_bytes()
            + receipts.sum::<usize>()
            + attempts.sum::<usize>()
    }
}

impl Sums for State {
    fn entity(&mut self, key: &PointKey) -> u32 {
        self.entities.number(key)
    }

    fn learn(&mut self, entity: u32, seen: &Interface) {
        self.entities.get_mut(entity).interface.merge(seen);
    }

    fn cover(&mut self, entity: u32, hour: Hour, marks: &Marks) {
        self.entities.cover(entity, hour, marks);
    }

    fn count_rows(&mut self, entity: u32, rows: &RowCounts) {
        self.entities.get_mut(entity).watch.rows.add(rows);
    }

    fn learn_aws(&mut self, named: &[(Addr, AwsService)]) {
        for (group, service) in named {
            self.aws.learn(*group, *service);
        }
    }

    fn add_unpaired(&mut self, unpaired: &Uncounted) {
        self.unpaired.add(unpaired);
    }

    fn add(&mut self, shard: usize, buffer: &Buffer) {
        self.pairs.add_all(shard, &buffer.pairs);
        self.unoriented.add_all(shard, &buffer.unoriented);
        self.receipts[shard].add_all(&buffer.deliveries, self.keys_max);
        self.attempts[shard].add_all(&buffer.tries, self.keys_max);
    }
}

impl QuerySums for Queries {
    fn client(&mut self, key: &ClientKey) -> u32 {
        self.clients.number(key)
    }

    fn with_shard(&mut self, shard: usize, add: impl FnOnce(&mut QueryShard, usize)) {
        let cells_max = self.cells_max();
        add(&mut self.shards[shard], cells_max);
    }
}
