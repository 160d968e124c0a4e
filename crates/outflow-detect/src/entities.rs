//! The observation points of a state, and what logs cover of their interfaces.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash, Hasher};

use outflow_enrich::{Interface, InterfaceKey, PointKey};
use outflow_finding::InterfaceCoverage;
use outflow_record::{Addr, Timestamp};

use crate::coverage::{Marks, Watch};
use crate::key::FixedState;
use crate::state::Grain;
use crate::table::SHARDS;
use crate::time::Hour;

/// Hours of coverage that are kept of all interfaces together: a gigabyte, or ten thousand interfaces for ten weeks.
/// Beyond it the earliest hours of all interfaces are dropped, so that what is kept is a function of the set of
/// hours alone; [`Entities::kept_from`] shows that it was reached.
const HOURS_MAX: usize = 1 << 24;

/// Bytes of an interface's texts, about: its key twice, and five attributes.
const ENTITY_TEXT_BYTES: usize = 256;

/// Bytes that an hour of coverage takes, about.
const HOUR_BYTES: usize = 64;

/// The observation points of a state, numbered in the order of meeting; no number reaches an output.
#[derive(Debug, Clone)]
pub(crate) struct Entities {
    known: Vec<Entity>,
    numbers: BTreeMap<PointKey, u32>,
    /// How many interfaces have coverage of an hour.
    by_hour: BTreeMap<Hour, usize>,
    /// Sum of these.
    hours: usize,
    hours_max: usize,
    /// Coverage is kept from this hour on.
    kept_from: Hour,
}

impl Default for Entities {
    fn default() -> Self {
        Self::with_hours_max(HOURS_MAX)
    }
}

/// An observation point, what is known of its interface, and what the log covers of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entity {
    /// Interface, flow log, and whose packets.
    pub key: PointKey,
    /// Attributes.
    pub interface: Interface,
    /// What its log covers.
    pub watch: Watch,
}

/// An interface; and a host, if the packets are not its own.
pub(crate) type PartyKey<'e> = (&'e InterfaceKey, Option<Addr>);

impl Entity {
    /// Whose traffic the point saw, in whichever flow log.
    pub(crate) fn party(&self) -> PartyKey<'_> {
        (&self.key.interface, self.key.via.host())
    }

    /// The name of the workload: its group, else its instance, else the interface itself. Of a host that is known
    /// through another's interface, its address, within its network.
    pub(crate) fn workload(&self) -> String {
        if let Some(host) = self.key.via.host() {
            return match &self.interface.vpc_id {
                Some(vpc_id) => format!("{host} in {vpc_id}"),
                None => host.to_string(),
            };
        }
        let known = self
            .interface
            .group
            .as_deref()
            .or(self.interface.instance_id.as_deref());
        known.unwrap_or(&self.key.interface.interface_id).to_owned()
    }

    /// What tells the interface or host from others of its account.
    pub(crate) fn id(&self) -> Cow<'_, str> {
        let interface = self.key.interface.interface_id.as_str();
        match self.key.via.host() {
            Some(host) => Cow::Owned(format!("{host} at {interface}")),
            None => Cow::Borrowed(interface),
        }
    }

    /// Adds what another point tells of the same interface or host.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.interface.merge(&other.interface);
        self.watch.add_beside(&other.watch);
    }

    /// What its log covers, in words of outputs.
    pub(crate) fn coverage(&self, grain: Grain) -> InterfaceCoverage {
        let life = self.watch.life(i64::MAX);
        let at = |minute: i64| Timestamp(minute * 60);
        let known = |id: &String| (!id.is_empty()).then(|| id.clone());
        InterfaceCoverage {
            account_id: known(&self.key.interface.account_id),
            region: self.interface.region.clone(),
            vpc_id: self.interface.vpc_id.clone(),
            interface_id: known(&self.key.interface.interface_id),
            instance_id: self.interface.instance_id.clone(),
            first_seen: life.map(|(born, _)| at(born)),
            last_seen: life.map(|(_, gone)| at(gone)),
            minutes: life.map_or_else(Default::default, |(born, gone)| {
                self.watch.minutes(born, gone, gone)
            }),
            rows: self.watch.rows,
            hours: match grain {
                Grain::Interface => Vec::new(),
                Grain::Hour => self.watch.by_hour(),
            },
        }
    }

    /// The shard of this interface's keys.
    pub(crate) fn shard(&self) -> usize {
        shard_of(&self.key)
    }
}

/// The shard of an interface's keys, from its own key alone.
pub(crate) fn shard_of(key: &PointKey) -> usize {
    let mut hasher = FixedState::default().build_hasher();
    key.interface.interface_id.hash(&mut hasher);
    key.interface.account_id.hash(&mut hasher);
    key.via.hash(&mut hasher);
    usize::try_from(hasher.finish() >> 40).unwrap_or(0) % SHARDS
}

impl Entities {
    /// None yet, and at most this many hours of coverage.
    fn with_hours_max(hours_max: usize) -> Self {
        Self {
            known: Vec::new(),
            numbers: BTreeMap::new(),
            by_hour: BTreeMap::new(),
            hours: 0,
            hours_max,
            kept_from: Hour::default(),
        }
    }

    /// Adds to what the log of an interface covers.
    ///
    /// # Panics
    /// If this table did not hand out the number.
    pub(crate) fn cover(&mut self, number: u32, hour: Hour, marks: &Marks) {
        if hour < self.kept_from {
            return;
        }
        if self.get_mut(number).watch.add(hour, marks) {
            *self.by_hour.entry(hour).or_default() += 1;
            self.hours += 1;
            self.keep_within_limit();
        }
    }

    /// Adds an interface that is not known yet.
    pub(crate) fn insert(&mut self, mut entity: Entity) {
        let number = self.number(&entity.key);
        let hours = std::mem::take(&mut entity.watch.hours);
        *self.get_mut(number) = entity;
        for (hour, marks) in &hours {
            self.cover(number, *hour, marks);
        }
    }

    /// Drops the earliest hours while there are too many.
    fn keep_within_limit(&mut self) {
        while self.hours > self.hours_max
            && let Some((hour, _)) = self.by_hour.first_key_value()
        {
            self.keep_from(Hour(hour.0.saturating_add(1)));
        }
    }

    /// The first hour of which coverage is kept; the first of all unless there were too many.
    pub(crate) fn kept_from(&self) -> Hour {
        self.kept_from
    }

    /// Drops coverage of earlier hours.
    pub(crate) fn keep_from(&mut self, hour: Hour) {
        if hour <= self.kept_from {
            return;
        }
        self.kept_from = hour;
        self.by_hour = self.by_hour.split_off(&hour);
        self.hours = self.by_hour.values().sum();
        for entity in &mut self.known {
            if entity
                .watch
                .hours
                .first_key_value()
                .is_some_and(|(first, _)| *first < hour)
            {
                entity.watch.hours = entity.watch.hours.split_off(&hour);
            }
        }
    }

    /// The number of an interface, new or known.
    pub(crate) fn number(&mut self, key: &PointKey) -> u32 {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        self.numbers.insert(key.clone(), number);
        self.known.push(Entity {
            key: key.clone(),
            interface: Interface::default(),
            watch: Watch::default(),
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

    /// The points in the order of their keys.
    pub(crate) fn sorted(&self) -> impl DoubleEndedIterator<Item = (u32, &Entity)> {
        self.numbers
            .values()
            .map(|number| (*number, self.get(*number)))
    }

    /// Interfaces, and the hosts that they saw the packets of, in the order of their keys; what several flow logs say of
    /// one is put together.
    pub(crate) fn parties(&self) -> BTreeMap<PartyKey<'_>, Cow<'_, Entity>> {
        let mut parties: BTreeMap<PartyKey<'_>, Cow<'_, Entity>> = BTreeMap::new();
        for (_, entity) in self.sorted() {
            parties
                .entry(entity.party())
                .and_modify(|known| known.to_mut().merge(entity))
                .or_insert(Cow::Borrowed(entity));
        }
        parties
    }

    /// What is taught beside sums by slots: attributes and rows, and what the log covers of one hour alone.
    pub(crate) fn lessons(&self, covered: Hour) -> Self {
        let mut lessons = Self::with_hours_max(self.hours_max);
        for (_, entity) in self.sorted() {
            let number = lessons.number(&entity.key);
            let own = lessons.get_mut(number);
            own.interface.clone_from(&entity.interface);
            own.watch.rows = entity.watch.rows;
            if let Some(marks) = entity.watch.hours.get(&covered) {
                lessons.cover(number, covered, marks);
            }
        }
        lessons
    }

    /// Adds what another tells, but for what the logs cover.
    pub(crate) fn learn(&mut self, other: &Self) {
        for (_, entity) in other.sorted() {
            let number = self.number(&entity.key);
            let own = self.get_mut(number);
            own.interface.merge(&entity.interface);
            own.watch.rows.add(&entity.watch.rows);
        }
    }

    /// Adds what the logs cover in some hours from one on of the interfaces that are known here; by their numbers there, what
    /// numbers they have here.
    pub(crate) fn cover_as(
        &mut self,
        other: &Self,
        from: Hour,
        is_wanted: impl Fn(Hour) -> bool,
    ) -> Vec<Option<u32>> {
        if other.kept_from > from {
            self.keep_from(other.kept_from);
        }
        let known = other.known.iter().map(|entity| {
            let number = *self.numbers.get(&entity.key)?;
            let hours = entity.watch.hours.range(from..);
            for (hour, marks) in hours.filter(|(hour, _)| is_wanted(**hour)) {
                self.cover(number, *hour, marks);
            }
            Some(number)
        });
        known.collect()
    }

    /// Bytes on the heap, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        let addresses = self.known.iter().map(|own| own.interface.addresses.len());
        self.known.len() * (size_of::<Entity>() + 2 * size_of::<PointKey>() + ENTITY_TEXT_BYTES)
            + addresses.sum::<usize>() * 2 * size_of::<Addr>()
            + self.hours * HOUR_BYTES
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// Adds another state's interfaces; their numbers here, by their numbers there.
    pub(crate) fn merge(&mut self, other: Self) -> Vec<u32> {
        self.keep_from(other.kept_from);
        other
            .known
            .into_iter()
            .map(|entity| {
                let number = self.number(&entity.key);
                let own = self.get_mut(number);
                own.interface.merge(&entity.interface);
                own.watch.rows.add(&entity.watch.rows);
                for (hour, marks) in &entity.watch.hours {
                    self.cover(number, *hour, marks);
                }
                number
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
