//! What interfaces got from inside: by slot, how much, and from how many hosts.
//!
//! Pairs inside are far more than pairs with the outside. Whether a host gathers needs neither addresses nor services, so
//! that two sums are kept of an interface and a slot: payload, and a sample of its peers' hashes. Records that carry less
//! than [`RECEIPT_MIN`] are calls and answers, and count for neither: they are nearly all.

use outflow_record::Addr;
use outflow_sketch::hash64;

use super::by_slot::{BySlot, OfSlot, SlotKey};

/// Payload of a record that counts as a delivery. In windows of a minute, 24 MB a day from each of thirty hosts.
pub(super) const RECEIPT_MIN: u64 = 16 << 10;

/// Peers that are told apart; of more, it is known that there are more.
pub(crate) const PEERS_MAX: usize = 32;

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
    fn add_delivery(&mut self, payload: u64, peer: u32) {
        self.payload = self.payload.saturating_add(payload);
        if let Err(at) = self.peers.binary_search(&peer)
            && at <= PEERS_MAX
        {
            self.peers.insert(at, peer);
            self.peers.truncate(PEERS_MAX + 1);
        }
    }
}

impl OfSlot for Receipt {
    type Record = Delivery;

    #[inline]
    fn key(of: &Delivery) -> SlotKey {
        of.key
    }

    /// A million and a half of receipts in all by default, or ten thousand interfaces for five weeks, in at most 500 MB.
    const KEYS_PER_WEIGHT: usize = 11;

    fn weight(&self) -> usize {
        1
    }

    #[inline]
    fn add_record(&mut self, of: &Delivery) {
        self.add_delivery(of.payload, of.peer);
    }

    fn add(&mut self, other: &Self) {
        self.payload = self.payload.saturating_add(other.payload);
        self.peers.extend_from_slice(&other.peers);
        self.peers.sort_unstable();
        self.peers.dedup();
        self.peers.truncate(PEERS_MAX + 1);
        // Two full lists take twice the room until then.
        self.peers.shrink_to(PEERS_MAX + 2);
    }

    fn heap_bytes(&self) -> usize {
        self.peers.capacity() * 4
    }
}

/// The receipts of the interfaces of a shard.
pub(crate) type Receipts = BySlot<Receipt>;

/// A record that carries enough.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery {
    key: SlotKey,
    payload: u64,
    peer: u32,
}

impl Delivery {
    #[inline]
    pub(super) fn new(key: SlotKey, payload: u64, peer: Addr) -> Self {
        let hash = hash64(&peer.bytes());
        Self {
            key,
            payload,
            peer: u32::try_from(hash >> 32).unwrap_or(u32::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Slot;

    fn delivery(entity: u32, slot: u32, payload: u64, peer: u8) -> Delivery {
        let key = SlotKey {
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

    fn sorted(receipts: &Receipts) -> Vec<(SlotKey, Receipt)> {
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
