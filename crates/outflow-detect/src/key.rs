//! What traffic is summed by.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use outflow_enrich::protocol;
use outflow_record::Addr;

use crate::services::{Resolving, watched};
use crate::time::Slot;

/// The service that a pair talks: the port of the serving side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Service {
    /// IANA protocol number.
    pub protocol: u8,
    /// Which side serves it.
    pub role: Role,
    /// Whether the other side lies outside the border.
    pub external: bool,
    /// How it resolves names, if it does; told from the whole address, before any of it is dropped.
    pub resolving: Option<Resolving>,
    /// Port of the serving side; 0 where the protocol has none.
    pub port: u16,
}

/// What the interface is to a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Role {
    /// It chose the other side, or nothing tells otherwise.
    Client = 0,
    /// It serves: the other side chose to come.
    Server = 1,
    /// Its port is more like a service's than the other side's, and no flag tells.
    LikelyServer = 2,
}

/// An interface, a remote address, a service and a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PairKey {
    /// Number of the interface within the state.
    pub entity: u32,
    /// The remote address, or what the state's resolution keeps of it.
    pub remote: Addr,
    /// The service.
    pub service: Service,
    /// The slot of the records' start.
    pub slot: Slot,
}

/// Two addresses of which the record did not tell which is the interface's own, the smaller first. Its
/// counters' "up" goes from the first to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnorientedKey {
    /// Number of the interface within the state.
    pub entity: u32,
    /// The smaller address.
    pub first: Addr,
    /// The greater address.
    pub second: Addr,
    /// The service, as if the first address were the interface's own.
    pub service: Service,
    /// The service, as if the second were.
    pub reverse: Service,
    /// The slot of the records' start.
    pub slot: Slot,
}

/// How much of a key is kept once a shard of the state is full: each level is a function of the one before, so
/// that sums at a coarse level are the same whether they were made early or late.
///
/// No level drops what tells one family of findings from another: how a service resolves names, and the port of a
/// service that policy watches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Resolution {
    /// Everything.
    #[default]
    Address = 0,
    /// The remote's /24 or /48.
    Group = 1,
    /// The remote's /24 or /48 where names are resolved, a watched service or ICMP is talked; else neither remote
    /// nor port.
    Watched = 2,
    /// No remote; the port of watched services alone.
    Service = 3,
}

impl Resolution {
    /// All levels, the finest first.
    pub const ALL: [Self; 4] = [Self::Address, Self::Group, Self::Watched, Self::Service];

    /// The next coarser level; the coarsest has none.
    pub fn coarser(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }

    /// How much of a remote address the keys of a service keep at this level.
    pub(crate) fn of_remote(self, service: Service) -> Remote {
        match self {
            _ if service.is_anonymous() => Remote::Dropped,
            Self::Address => Remote::Whole,
            Self::Group => Remote::Group,
            Self::Watched if is_watched(service) => Remote::Group,
            Self::Watched | Self::Service => Remote::Dropped,
        }
    }
}

/// How much of a remote address a key keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Remote {
    /// All of it.
    Whole,
    /// Its /24 or /48.
    Group,
    /// Nothing.
    Dropped,
}

/// A key of a bounded table.
pub(crate) trait Key: Copy + Eq + Ord + Hash {
    /// The key at a level.
    #[must_use]
    fn at(self, level: Resolution) -> Self;

    /// Number of the interface.
    fn entity(&self) -> u32;

    /// The slot of the records' start.
    fn slot(&self) -> Slot;

    /// The same key under another number of its interface.
    #[must_use]
    fn with_entity(self, entity: u32) -> Self;
}

/// Whether a family of findings looks at this service by itself.
fn is_watched(service: Service) -> bool {
    service.resolving.is_some() || is_icmp(service.protocol) || watched(service).is_some()
}

/// Whether a protocol is ICMP, of either version.
pub(crate) fn is_icmp(number: u8) -> bool {
    matches!(number, protocol::ICMP | protocol::ICMPV6)
}

impl Key for PairKey {
    fn at(self, level: Resolution) -> Self {
        Self {
            remote: match level.of_remote(self.service) {
                Remote::Whole => self.remote,
                Remote::Group => self.remote.group(),
                Remote::Dropped => Addr::default(),
            },
            service: self.service.at(level),
            ..self
        }
    }

    fn entity(&self) -> u32 {
        self.entity
    }

    fn slot(&self) -> Slot {
        self.slot
    }

    fn with_entity(self, entity: u32) -> Self {
        Self { entity, ..self }
    }
}

impl Key for UnorientedKey {
    /// Both addresses are needed to tell the interface's own, so only the ports go.
    fn at(self, level: Resolution) -> Self {
        Self {
            service: self.service.at(level),
            reverse: self.reverse.at(level),
            ..self
        }
    }

    fn entity(&self) -> u32 {
        self.entity
    }

    fn slot(&self) -> Slot {
        self.slot
    }

    fn with_entity(self, entity: u32) -> Self {
        Self { entity, ..self }
    }
}

impl Service {
    /// Whether the interface did not choose the other side: clients of an ordinary service, of which a public one
    /// has as many as there are hosts. What it serves them is summed by service, without their addresses.
    pub(crate) fn is_anonymous(self) -> bool {
        self.role == Role::Server && self.resolving.is_none()
    }

    /// The interface's own ports go last: they tell whether it serves.
    fn at(self, level: Resolution) -> Self {
        let port_matters = match level {
            Resolution::Address | Resolution::Group => true,
            Resolution::Watched => is_watched(self) || self.role != Role::Client,
            Resolution::Service => is_watched(self),
        };
        Self {
            port: if port_matters { self.port } else { 0 },
            ..self
        }
    }

    fn packed(self) -> u64 {
        u64::from(self.port)
            | u64::from(self.protocol) << 16
            | (self.role as u64) << 24
            | u64::from(self.external) << 26
            | self.resolving.map_or(0, |how| how as u64) << 27
    }
}

fn halves(addr: Addr) -> (u64, u64) {
    let bits = u128::from_be_bytes(addr.bytes());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves of the address"
    )]
    let (high, low) = ((bits >> 64) as u64, bits as u64);
    (high, low)
}

impl Hash for PairKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (high, low) = halves(self.remote);
        state.write_u64(u64::from(self.entity) << 32 | u64::from(self.slot.0));
        state.write_u64(low ^ high.rotate_left(17));
        state.write_u64(self.service.packed());
    }
}

impl Hash for UnorientedKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (first_high, first_low) = halves(self.first);
        let (second_high, second_low) = halves(self.second);
        state.write_u64(u64::from(self.entity) << 32 | u64::from(self.slot.0));
        state.write_u64(first_low ^ first_high.rotate_left(17));
        state.write_u64(second_low ^ second_high.rotate_left(17));
        state.write_u64(self.service.packed() ^ self.reverse.packed().rotate_left(40));
    }
}

/// A hasher for keys of a few words: multiply and fold. It has no seed, so that every run lays its tables out
/// alike; no order of a table reaches an output.
#[derive(Debug, Clone, Default)]
pub(crate) struct WordHasher(u64);

/// Builds [`WordHasher`]s.
pub(crate) type FixedState = BuildHasherDefault<WordHasher>;

impl Hasher for WordHasher {
    fn write_u64(&mut self, word: u64) {
        let product =
            u128::from(self.0 ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93_u128;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the two halves of the product fold"
        )]
        let (low, high) = (product as u64, (product >> 64) as u64);
        self.0 = low ^ high.rotate_left(32);
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word) ^ chunk.len() as u64);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
