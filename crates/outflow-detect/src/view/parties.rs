//! Who is judged: the interfaces and hosts that a state's observation points saw.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::coverage::Watch;
use crate::entities::Entity;
use crate::state::State;

/// Interfaces, and hosts that are known through the interface which passed on their packets, numbered in the order of
/// their keys. What several flow logs say of one is put together.
#[derive(Debug)]
pub(super) struct Parties<'a> {
    known: Vec<Party<'a>>,
    /// By the state's number of a point.
    of_points: Vec<u32>,
}

#[derive(Debug)]
struct Party<'a> {
    entity: Cow<'a, Entity>,
    /// Number of the interface whose log tells of it: its own, but for a host behind one.
    logged_at: u32,
}

impl<'a> Parties<'a> {
    pub(super) fn of(state: &'a State) -> Self {
        let known = state.entities.parties();
        let numbers: BTreeMap<_, u32> = known.keys().copied().zip(0..).collect();
        let mut of_points = vec![0; state.entities.len()];
        for (number, entity) in state.entities.sorted() {
            of_points[number as usize] = numbers[&entity.party()];
        }
        let mut known: Vec<Party<'a>> = known
            .into_iter()
            .map(|((interface, host), entity)| Party {
                entity,
                logged_at: numbers
                    .get(&(interface, None))
                    .or(numbers.get(&(interface, host)))
                    .copied()
                    .unwrap_or(0),
            })
            .collect();
        for at in 0..known.len() {
            let logged_at = known[at].logged_at as usize;
            if logged_at != at {
                let place = &known[logged_at].entity.interface;
                let (region, vpc_id) = (place.region.clone(), place.vpc_id.clone());
                let behind = known[at].entity.to_mut();
                behind.interface.region = region;
                // A transit gateway's records name the VPC of the host itself.
                behind.interface.vpc_id = behind.interface.vpc_id.take().or(vpc_id);
            }
        }
        Self { known, of_points }
    }

    /// The party whose traffic a point saw, by the state's number of the point.
    pub(super) fn of_point(&self, number: u32) -> u32 {
        self.of_points[number as usize]
    }

    pub(super) fn get(&self, party: u32) -> &Entity {
        &self.known[party as usize].entity
    }

    /// The interface whose log tells of a party.
    pub(super) fn logged_at(&self, party: u32) -> u32 {
        self.known[party as usize].logged_at
    }

    /// What the log covers that tells of a party.
    pub(super) fn watch(&self, party: u32) -> &Watch {
        &self.get(self.logged_at(party)).watch
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entity> {
        self.known.iter().map(|party| &*party.entity)
    }
}
