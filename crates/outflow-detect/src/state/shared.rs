//! A state that several threads fold into at once.
//!
//! Each thread with a state of its own would keep twice what two of them meet, and merging would copy one of the
//! two. Here the shards are locked one by one, for the flows of a batch.

use std::sync::{Mutex, MutexGuard, PoisonError};

use outflow_enrich::{AwsService, EnrichedBatch, Interface, InterfaceKey, PointKey};
use outflow_finding::RowCounts;
use outflow_record::{Addr, CoverageRow};

use super::attempts::Attempts;
use super::lane::{self, Buffer, Lane, Sums};
use super::receipts::Receipts;
use super::{AwsServices, SHARD_KEYS_MAX, State, Uncounted};
use crate::coverage::Marks;
use crate::entities::Entities;
use crate::key::{PairKey, UnorientedKey};
use crate::queries::{
    ClientKey, Clients, Queries, Query, QueryLane, QueryNumber, QueryShard, QuerySums,
};
use crate::table::{SHARDS, Shard, Table};
use crate::time::Hour;

/// A state under construction by several threads; the order of their batches has no influence.
#[derive(Debug)]
pub struct SharedState {
    keys_max: usize,
    entities: Mutex<Entities>,
    aws: Mutex<AwsServices>,
    unpaired: Mutex<Uncounted>,
    shards: Vec<Mutex<Sharded>>,
    clients: Mutex<Clients>,
    queries: Vec<Mutex<QueryShard>>,
}

/// What is kept of the interfaces of a shard.
#[derive(Debug, Default)]
struct Sharded {
    pairs: Shard<PairKey>,
    unoriented: Shard<UnorientedKey>,
    receipts: Receipts,
    attempts: Attempts,
}

impl Default for SharedState {
    fn default() -> Self {
        Self::with_keys_max(SHARD_KEYS_MAX)
    }
}

impl SharedState {
    /// An empty state of at most this many keys a shard.
    pub fn with_keys_max(keys_max: usize) -> Self {
        Self {
            keys_max,
            entities: Mutex::default(),
            aws: Mutex::default(),
            unpaired: Mutex::default(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            clients: Mutex::default(),
            queries: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// What one thread folds with.
    pub fn folder(&self) -> Folder<'_> {
        Folder {
            state: self,
            lane: Lane::default(),
            query_lane: QueryLane::default(),
        }
    }

    /// The state, once all threads are done.
    pub fn into_state(self) -> State {
        let (mut pairs, mut unoriented) = (Vec::new(), Vec::new());
        let (mut receipts, mut attempts) = (Vec::new(), Vec::new());
        for shard in self.shards.into_iter().map(into_inner) {
            pairs.push(shard.pairs);
            unoriented.push(shard.unoriented);
            receipts.push(shard.receipts);
            attempts.push(shard.attempts);
        }
        State {
            entities: into_inner(self.entities),
            pairs: Table::of_shards(pairs, self.keys_max),
            unoriented: Table::of_shards(unoriented, self.keys_max),
            receipts,
            attempts,
            keys_max: self.keys_max,
            aws: into_inner(self.aws),
            unpaired: into_inner(self.unpaired),
            queries: Queries::of_parts(
                into_inner(self.clients),
                self.queries.into_iter().map(into_inner).collect(),
                self.keys_max,
            ),
            lane: Lane::default(),
            query_lane: QueryLane::default(),
        }
    }
}

/// Folds the batches of one enricher into a [`SharedState`]; some of it is added when the folder is dropped.
#[derive(Debug)]
pub struct Folder<'s> {
    state: &'s SharedState,
    lane: Lane,
    query_lane: QueryLane,
}

impl Folder<'_> {
    /// As [`State::fold`].
    pub fn fold(&mut self, batch: &EnrichedBatch<'_>, closed: i64) {
        self.lane.fold(batch, closed, &mut { self.state });
    }

    /// As [`State::fold_coverage`].
    pub fn fold_coverage(&mut self, key: &PointKey, row: &CoverageRow) {
        lane::fold_coverage(key, row, &mut { self.state });
    }

    /// Adds a query of a Resolver query log; the number of its client, unless its name does not leave.
    pub fn fold_query(&mut self, query: &Query<'_>) -> Option<QueryNumber> {
        self.query_lane.add(query, &mut { self.state })
    }

    /// The keys by which objects that hold queries of clients are found, by the clients' numbers.
    pub fn clients(&self) -> &[InterfaceKey] {
        self.query_lane.evidence()
    }
}

impl Drop for Folder<'_> {
    fn drop(&mut self) {
        self.lane.settle(&mut { self.state });
        self.query_lane.settle(&mut { self.state });
    }
}

impl Sums for &SharedState {
    fn entity(&mut self, key: &PointKey) -> u32 {
        locked(&self.entities).number(key)
    }

    fn learn(&mut self, entity: u32, seen: &Interface) {
        locked(&self.entities).get_mut(entity).interface.merge(seen);
    }

    fn cover(&mut self, entity: u32, hour: Hour, marks: &Marks) {
        locked(&self.entities).cover(entity, hour, marks);
    }

    fn count_rows(&mut self, entity: u32, rows: &RowCounts) {
        locked(&self.entities).get_mut(entity).watch.rows.add(rows);
    }

    fn learn_aws(&mut self, named: &[(Addr, AwsService)]) {
        let mut aws = locked(&self.aws);
        for (group, service) in named {
            aws.learn(*group, *service);
        }
    }

    fn add_unpaired(&mut self, unpaired: &Uncounted) {
        locked(&self.unpaired).add(unpaired);
    }

    fn add(&mut self, shard: usize, buffer: &Buffer) {
        let own = &mut *locked(&self.shards[shard]);
        own.pairs.add_all(&buffer.pairs, self.keys_max);
        own.unoriented.add_all(&buffer.unoriented, self.keys_max);
        own.receipts.add_all(&buffer.deliveries, self.keys_max);
        own.attempts.add_all(&buffer.tries, self.keys_max);
    }
}

impl QuerySums for &SharedState {
    fn client(&mut self, key: &ClientKey) -> u32 {
        locked(&self.clients).number(key)
    }

    fn with_shard(&mut self, shard: usize, add: impl FnOnce(&mut QueryShard, usize)) {
        add(&mut locked(&self.queries[shard]), self.keys_max);
    }
}

// A thread that panicked takes the run with it: what it left is not read.
fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(of: Mutex<T>) -> T {
    of.into_inner().unwrap_or_else(PoisonError::into_inner)
}
