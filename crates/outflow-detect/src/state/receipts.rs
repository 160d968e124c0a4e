//! What interfaces got from inside: by slot, how much, and from how many hosts.
//!
//! Pairs inside are far more than pairs with the outside. Whether a host gathers needs neither addresses nor services, so
//! that two sums are kept of an interface and a slot: payload, and a sample of its peers' hashes. Records that carry less
//! than [`RECEIPT_MIN`] are calls and answers, and count for neither: they are nearly all.

use std::collections::HashMap;

use outflow_record::Addr;
use outflow_sketch::hash64;

use crate::key::FixedState;
use crate::time::Slot;

/// Payload of a record that counts as a delivery. In windows of a minute, 24 MB a day from each of thirty hosts.
pub(super) const RECEIPT_MIN: u64 = 16 << 10;

/// Peers that are told apart; of more, it is known that there are more.
pub(crate) const PEERS_MAX: usize = 32;

/// For each so many keys of pairs that a shard may have, it may have one of receipts, as these are by interface alone: a
/// million and a half in all by default, or ten thousand interfaces for five weeks, in at most 500 MB. Beyond it the earliest
/// slots of a shard are dropped as a whole, so that what is kept is a function of the set of receipts;
/// [`State::received_from`](super::State::received_from) shows that it was reached.
const KEYS_PER_RECEIPT: usize = 11;

/// An interface and a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ReceiptKey {
    /// Number of the interface within the state.
    pub(crate) entity: u32,
    pub(crate) slot: Slot,
}

/// What an interface got from inside within a slot. Adding is associative and commutative, with the default as its zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Receipt {
    /// Payload.
    pub(crate) payload: u64,
    /// Those of the peers' hashes that are least, in order; one more than [`PEERS_MAX`] at most.
    peers: Vec<u32>,
}

impl Receipt {
    /// A receipt that bytes hold, if its peers are in order and not too many.
    pub(crate) fn of_parts(payload: u64, peers: Vec<u32>) -> Option<Self> {
        let is_sound = peers.len() <= PEERS_MAX + 1 && peers.is_sorted_by(|a, b| a < b);
        is_sound.then_some(Self { payload, peers })
    }

    /// Hashes of peers.
    pub(super) fn hashes(&self) -> &[u32] {
        &self.peers
    }

    /// How many peers there were, and whether there may have been more.
    pub(crate) fn peers(&self) -> (usize, bool) {
        (
            self.peers.len().min(PEERS_MAX),
            self.peers.len() > PEERS_MAX,
        )
    }

    #[inline]
    fn add_record(&mut self, payload: u64, peer: u32) {
        self.payload = self.payload.saturating_add(payload);
        if let Err(at) = self.peers.binary_search(&peer)
            && at <= PEERS_MAX
        {
            self.peers.insert(at, peer);
            self.peers.truncate(PEERS_MAX + 1);
        }
    }

    /// Adds what another place has.
    pub(crate) fn add(&mut self, other: &Self) {
        self.payload = self.payload.saturating_add(other.payload);
        self.peers.extend_from_slice(&other.peers);
        self.peers.sort_unstable();
        self.peers.dedup();
        self.peers.truncate(PEERS_MAX + 1);
        // Two full lists take twice the room until then.
        self.peers.shrink_to(PEERS_MAX + 2);
    }
}

/// A record that carries enough.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivery {
    pub(super) key: ReceiptKey,
    payload: u64,
    peer: u32,
}

impl Delivery {
    #[inline]
    pub(super) fn new(key: ReceiptKey, payload: u64, peer: Addr) -> Self {
        let hash = hash64(&peer.bytes());
        Self {
            key,
            payload,
            peer: u32::try_from(hash >> 32).unwrap_or(u32::MAX),
        }
    }
}

/// The receipts of the interfaces of a shard.
#[derive(Debug, Clone, Default)]
pub(crate) struct Receipts {
    all: HashMap<ReceiptKey, Receipt, FixedState>,
    /// Slots before this one were dropped.
    kept_from: u32,
}

impl Receipts {
    /// Adds records; at most so many keys of pairs may a shard have.
    pub(super) fn add_all(&mut self, deliveries: &[Delivery], keys_max: usize) {
        for of in deliveries {
            if of.key.slot.0 >= self.kept_from {
                let own = self.all.entry(of.key).or_default();
                own.add_record(of.payload, of.peer);
            }
        }
        self.shrink(keys_max);
    }

    /// Adds a receipt.
    pub(super) fn add(&mut self, key: ReceiptKey, receipt: &Receipt, keys_max: usize) {
        if key.slot.0 >= self.kept_from {
            self.all.entry(key).or_default().add(receipt);
            self.shrink(keys_max);
        }
    }

    /// Adds another shard; `entity` says which number its interfaces have here.
    pub(super) fn merge(&mut self, other: Self, entity: impl Fn(u32) -> u32, keys_max: usize) {
        self.keep_from(other.kept_from);
        for (key, receipt) in other.all {
            let key = ReceiptKey {
                entity: entity(key.entity),
                ..key
            };
            self.add(key, &receipt, keys_max);
        }
    }

    /// The receipts, in an order that no output may have.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ReceiptKey, &Receipt)> {
        self.all.iter()
    }

    /// The first slot that is kept.
    pub(super) fn kept_from(&self) -> u32 {
        self.kept_from
    }

    /// Drops earlier slots.
    pub(super) fn keep_from(&mut self, slot: u32) {
        if slot > self.kept_from {
            self.kept_from = slot;
            self.all.retain(|key, _| key.slot.0 >= slot);
        }
    }

    /// Drops slots before one because nobody asks for them any more, which is no want of memory; `entity` says which number
    /// the interfaces have from now on.
    pub(super) fn forget(&mut self, before: Slot, entity: impl Fn(u32) -> Option<u32>) {
        let all = std::mem::take(&mut self.all);
        let kept = all.into_iter().filter(|(key, _)| key.slot >= before);
        self.all = kept
            .filter_map(|(key, own)| {
                let entity = entity(key.entity)?;
                Some((ReceiptKey { entity, ..key }, own))
            })
            .collect();
        if self.kept_from <= before.0 {
            self.kept_from = 0;
        }
    }

    /// Bytes on the heap, about.
    pub(super) fn heap_bytes(&self) -> usize {
        let peers = self.all.values().map(|own| own.peers.capacity() * 4);
        self.all.capacity() * size_of::<(ReceiptKey, Receipt)>() + peers.sum::<usize>()
    }

    fn shrink(&mut self, keys_max: usize) {
        while self.all.len() > (keys_max / KEYS_PER_RECEIPT).max(1)
            && let Some(first) = self.all.keys().map(|key| key.slot.0).min()
        {
            self.keep_from(first.saturating_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(entity: u32, slot: u32, payload: u64, peer: u8) -> Delivery {
        let key = ReceiptKey {
            entity,
            slot: Slot(slot),
        };
        Delivery::new(key, payload, Addr::from_v4([10, 0, 0, peer]))
    }

    fn of(deliveries: &[Delivery], keys_max: usize) -> Receipts {
        let mut receipts = Receipts::default();
        receipts.add_all(deliveries, keys_max);
        receipts
    }

    fn sorted(receipts: &Receipts) -> Vec<(ReceiptKey, Receipt)> {
        let mut all: Vec<_> = receipts
            .iter()
            .map(|(key, own)| (*key, own.clone()))
            .collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        all
    }

    #[test]
    fn peers_are_told_apart_up_to_their_limit() {
        let count = |peers: u8| {
            let deliveries: Vec<_> = (0..peers)
                .chain(0..peers)
                .map(|p| delivery(0, 5, 10, p))
                .collect();
            let receipts = of(&deliveries, 1_000);
            let (_, own) = receipts.iter().next().unwrap();
            (own.payload, own.peers())
        };
        assert_eq!(count(3), (60, (3, false)));
        assert_eq!(count(32), (640, (32, false)));
        assert_eq!(count(33), (660, (32, true)));
        assert_eq!(count(200), (4_000, (32, true)));
    }

    #[test]
    fn order_and_grouping_are_free_also_beyond_the_limit() {
        let mut deliveries: Vec<Delivery> = (0..400_u32)
            .map(|at| {
                delivery(
                    at % 7,
                    at % 11,
                    u64::from(at),
                    u8::try_from(at % 90).unwrap(),
                )
            })
            .collect();
        for keys_max in [10_000, 400] {
            let expected = of(&deliveries, keys_max);
            assert_eq!(expected.kept_from() > 0, keys_max == 400);
            deliveries.reverse();
            let turned = of(&deliveries, keys_max);
            let (left, right) = deliveries.split_at(77);
            let mut merged = of(right, keys_max);
            merged.merge(of(left, keys_max), |entity| entity, keys_max);
            for got in [turned, merged] {
                assert_eq!(sorted(&got), sorted(&expected));
                assert_eq!(got.kept_from(), expected.kept_from());
            }
        }
    }
}
