//! What interfaces tried inside and was not answered: by slot, how often, and how many addresses and ports.
//!
//! Pairs inside are not kept. Whoever looks for what is there is mostly refused or not heard, and hosts that know their
//! services are hardly ever. So a record counts here if its connection never came to be: SYN alone from the interface, and no
//! more than headers; or what its own security group or network ACL refused it. All others are passed over by one comparison.

use outflow_enrich::{Direction, Flow, Scope, protocol};
use outflow_record::Addr;
use outflow_sketch::hash64;

use super::by_slot::{BySlot, OfSlot, SlotKey};

/// Addresses and ports that are told apart; of more, it is estimated how many they are. No bound may lie above: who chooses what
/// to try chooses hashes, too, and an estimate may be made small, but never below this.
pub(crate) const PLACES_MAX: usize = 128;

/// The flags of a packet that opens a connection. AWS says ACK beside SYN alone, so that a window of these is one in which nothing
/// ended, and what its sender told was that it opens.
const SYN: u8 = 2;

/// Bytes that options of TCP add to what counts as the headers of a packet, at most: a packet of SYN has up to 40 bytes of
/// options, where 12 are taken for granted.
const OPTIONS_MAX: u64 = 28;

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    hash: u32,
    pub(crate) address: Addr,
    pub(crate) port: u16,
}

impl Place {
    #[inline]
    pub(crate) fn new(address: Addr, port: u16) -> Self {
        let mut bytes = [0; 18];
        bytes[..16].copy_from_slice(&address.bytes());
        bytes[16..].copy_from_slice(&port.to_be_bytes());
        Self {
            hash: u32::try_from(hash64(&bytes) >> 32).unwrap_or(u32::MAX),
            address,
            port,
        }
    }
}

/// What an interface tried within a slot. Adding is associative and commutative, with the default as its zero.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attempt {
    pub(crate) records: u64,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// Start of the first and end of the last, Unix seconds.
    pub(crate) span: (u32, u32),
    /// Those whose hashes are least, in order; one more than [`PLACES_MAX`] at most.
    places: Vec<Place>,
}

impl Default for Attempt {
    fn default() -> Self {
        Self {
            records: 0,
            packets: 0,
            bytes: 0,
            span: (u32::MAX, 0),
            places: Vec::new(),
        }
    }
}

impl Attempt {
    /// What bytes hold, if its places are in order, not too many, and whose hashes they say.
    pub(crate) fn of_parts(
        [records, packets, bytes]: [u64; 3],
        span: (u32, u32),
        places: Vec<Place>,
    ) -> Option<Self> {
        let is_sound = places.len() <= PLACES_MAX + 1 && places.is_sorted_by(|a, b| a < b);
        is_sound.then_some(Self {
            records,
            packets,
            bytes,
            span,
            places,
        })
    }

    /// Addresses and ports: all, or a sample of those that are many.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// How many addresses and ports; of more than [`PLACES_MAX`] an estimate by the greatest of their least hashes (Bar-Yossef
    /// and others 2002), which is off by a tenth.
    pub(crate) fn count(&self) -> u64 {
        let known = self.places.len() as u64;
        match self.places.last() {
            Some(last) if self.places.len() > PLACES_MAX => {
                let estimate = ((known - 1) << 32) / (u64::from(last.hash) + 1);
                estimate.max(known)
            }
            _ => known,
        }
    }
}

/// A record of a connection that did not come to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Try {
    key: SlotKey,
    place: Place,
    packets: u64,
    bytes: u64,
    span: (u32, u32),
}

impl Try {
    /// Whether a record of what stays inside is one.
    #[inline]
    pub(super) fn is(flow: &Flow) -> bool {
        let is_sent = flow.direction == Direction::Egress;
        let is_alone = || flow.payload_bytes <= flow.packets.saturating_mul(OPTIONS_MAX);
        let is_refused = || matches!(flow.protocol, protocol::TCP | protocol::UDP);
        is_sent
            && match flow.accepted {
                true => flow.tcp_flags == Some(SYN) && is_alone(),
                false => flow.remote_scope != Scope::External && is_refused(),
            }
    }

    #[inline]
    pub(super) fn new(key: SlotKey, flow: &Flow) -> Self {
        let secs = |at: i64| u32::try_from(at.max(0)).unwrap_or(u32::MAX);
        Self {
            key,
            place: Place::new(flow.remote, flow.remote_port),
            packets: flow.packets,
            bytes: flow.bytes,
            span: (secs(flow.start), secs(flow.end)),
        }
    }
}

impl OfSlot for Attempt {
    type Record = Try;

    /// In at most 200 MB by default: a place has 24 bytes.
    const KEYS_PER_WEIGHT: usize = 2;

    fn key(of: &Try) -> SlotKey {
        of.key
    }

    fn weight(&self) -> usize {
        // As much as three places have its own counts.
        3 + self.places.len()
    }

    fn add_record(&mut self, of: &Try) {
        self.count_in([1, of.packets, of.bytes], of.span);
        if let Err(at) = self.places.binary_search(&of.place)
            && at <= PLACES_MAX
        {
            self.places.insert(at, of.place);
            self.places.truncate(PLACES_MAX + 1);
        }
    }

    fn add(&mut self, other: &Self) {
        self.count_in([other.records, other.packets, other.bytes], other.span);
        self.places.extend_from_slice(&other.places);
        self.places.sort_unstable();
        self.places.dedup();
        self.places.truncate(PLACES_MAX + 1);
        self.places.shrink_to(PLACES_MAX + 2);
    }

    fn heap_bytes(&self) -> usize {
        self.places.capacity() * size_of::<Place>()
    }
}

impl Attempt {
    fn count_in(&mut self, counts: [u64; 3], (first, last): (u32, u32)) {
        let own = [&mut self.records, &mut self.packets, &mut self.bytes];
        for (own, more) in own.into_iter().zip(counts) {
            *own = own.saturating_add(more);
        }
        self.span = (self.span.0.min(first), self.span.1.max(last));
    }
}

/// The attempts of the interfaces of a shard.
pub(crate) type Attempts = BySlot<Attempt>;

#[cfg(test)]
mod tests;
