//! The interfaces of a state, and their coverage.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash, Hasher};

use outflow_enrich::{Interface, InterfaceKey};

use crate::key::FixedState;
use crate::table::SHARDS;
use crate::time::Slot;

/// The interfaces of a state, numbered in the order of meeting; no number reaches an output.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entities {
    known: Vec<Entity>,
    numbers: BTreeMap<InterfaceKey, u32>,
}

/// An interface, what is known of it, and what its log covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entity {
    /// Account and id.
    pub key: InterfaceKey,
    /// Attributes.
    pub interface: Interface,
    /// By slot: which ten-minute buckets the log covers, with records or `NODATA`.
    pub coverage: BTreeMap<Slot, Coverage>,
}

/// What the log of an interface covers of a slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// A bit for each bucket with a record or a `NODATA` row.
    pub buckets: u64,
    /// `SKIPDATA` rows.
    pub skipdata: u64,
    /// Bytes, either way, of records that came after the watermark had closed their bucket.
    pub late_bytes: u64,
}

impl Coverage {
    /// Adds what another place saw.
    pub(crate) fn add(&mut self, other: &Self) {
        self.buckets |= other.buckets;
        self.skipdata = self.skipdata.saturating_add(other.skipdata);
        self.late_bytes = self.late_bytes.saturating_add(other.late_bytes);
    }
}

impl Entity {
    /// The name of the workload: its group, else its instance, else the interface itself.
    pub(crate) fn workload(&self) -> &str {
        let known = self
            .interface
            .group
            .as_deref()
            .or(self.interface.instance_id.as_deref());
        known.unwrap_or(&self.key.interface_id)
    }

    /// Adds to what the log covers of a slot.
    pub(crate) fn cover(&mut self, slot: Slot, coverage: &Coverage) {
        self.coverage.entry(slot).or_default().add(coverage);
    }

    /// The shard of this interface's keys.
    pub(crate) fn shard(&self) -> usize {
        shard_of(&self.key)
    }
}

/// The shard of an interface's keys, from its own key alone.
pub(crate) fn shard_of(key: &InterfaceKey) -> usize {
    let mut hasher = FixedState::default().build_hasher();
    key.interface_id.hash(&mut hasher);
    key.account_id.hash(&mut hasher);
    usize::try_from(hasher.finish() >> 40).unwrap_or(0) % SHARDS
}

impl Entities {
    /// The number of an interface, new or known.
    pub(crate) fn number(&mut self, key: &InterfaceKey) -> u32 {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        self.numbers.insert(key.clone(), number);
        self.known.push(Entity {
            key: key.clone(),
            interface: Interface::default(),
            coverage: BTreeMap::new(),
        });
        number
    }

    /// The interface with this number.
    ///
    /// # Panics
    /// If this table did not hand out the number.
    pub(crate) fn get(&self, number: u32) -> &Entity {
        &self.known[number as usize]
    }

    /// As [`Entities::get`], to change it.
    ///
    /// # Panics
    /// If this table did not hand out the number.
    pub(crate) fn get_mut(&mut self, number: u32) -> &mut Entity {
        &mut self.known[number as usize]
    }

    /// The interfaces in the order of their keys.
    pub(crate) fn sorted(&self) -> impl DoubleEndedIterator<Item = (u32, &Entity)> {
        self.numbers
            .values()
            .map(|number| (*number, self.get(*number)))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// Adds another state's interfaces; their numbers here, by their numbers there.
    pub(crate) fn merge(&mut self, other: Self) -> Vec<u32> {
        other
            .known
            .into_iter()
            .map(|entity| {
                let number = self.number(&entity.key);
                let own = self.get_mut(number);
                own.interface.merge(&entity.interface);
                for (slot, coverage) in entity.coverage {
                    own.cover(slot, &coverage);
                }
                number
            })
            .collect()
    }
}
