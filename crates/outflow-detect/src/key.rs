//! What traffic is summed by.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use outflow_record::Addr;

use crate::time::Slot;

/// The service that a pair talks: the port of the serving side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Service {
    /// IANA protocol number.
    pub protocol: u8,
    /// Whether the interface serves it, so that the other side chose to come.
    pub served: bool,
    /// Whether the other side lies outside the border.
    pub external: bool,
    /// Port of the serving side; 0 where the protocol has none.
    pub port: u16,
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Resolution {
    /// Everything.
    #[default]
    Address = 0,
    /// The remote's /24 or /48.
    Group = 1,
    /// No remote, and no port.
    Service = 2,
}

impl Resolution {
    /// The next coarser level; the coarsest has none.
    pub fn coarser(self) -> Option<Self> {
        match self {
            Self::Address => Some(Self::Group),
            Self::Group => Some(Self::Service),
            Self::Service => None,
        }
    }
}

/// A key of a bounded table.
pub(crate) trait Key: Copy + Eq + Ord + Hash {
    /// The key at a level.
    #[must_use]
    fn at(self, level: Resolution) -> Self;

    /// Number of the interface.
    fn entity(&self) -> u32;

    /// The same key under another number of its interface.
    #[must_use]
    fn with_entity(self, entity: u32) -> Self;
}

fn coarse(addr: Addr, level: Resolution) -> Addr {
    match level {
        Resolution::Address => addr,
        Resolution::Group => addr.group(),
        Resolution::Service => Addr::default(),
    }
}

fn coarse_service(service: Service, level: Resolution) -> Service {
    match level {
        Resolution::Service => Service { port: 0, ..service },
        _ => service,
    }
}

impl Key for PairKey {
    fn at(self, level: Resolution) -> Self {
        Self {
            remote: coarse(self.remote, level),
            service: coarse_service(self.service, level),
            ..self
        }
    }

    fn entity(&self) -> u32 {
        self.entity
    }

    fn with_entity(self, entity: u32) -> Self {
        Self { entity, ..self }
    }
}

impl Key for UnorientedKey {
    /// Both addresses are needed to tell the interface's own, so only the ports go.
    fn at(self, level: Resolution) -> Self {
        Self {
            service: coarse_service(self.service, level),
            reverse: coarse_service(self.reverse, level),
            ..self
        }
    }

    fn entity(&self) -> u32 {
        self.entity
    }

    fn with_entity(self, entity: u32) -> Self {
        Self { entity, ..self }
    }
}

impl Service {
    fn packed(self) -> u64 {
        u64::from(self.port)
            | u64::from(self.protocol) << 16
            | u64::from(self.served) << 24
            | u64::from(self.external) << 25
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
