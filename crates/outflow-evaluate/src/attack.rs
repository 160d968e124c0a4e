//! What is laid over a benign world: thefts to find, and changes to be silent about.

mod benign;
mod growth;
mod queries;
mod scenario;
mod steps;

use std::collections::BTreeSet;

use outflow_sim::{Domain, Rng};

pub use scenario::{Kind, Scenario, Target};

use crate::row::Row;
use crate::world::{Asked, DAY_SECS, Destination, Usage, World};

/// A scenario as it happens on some interfaces of a world from some instant on.
#[derive(Debug, Clone)]
pub struct Placement {
    /// What happens.
    pub scenario: Scenario,
    /// Which of its scenario's placements it is.
    pub number: u64,
    /// The interfaces on which it happens, in order.
    pub enis: Vec<u32>,
    /// The hosts outside that it is about, in order.
    pub peers: Vec<u32>,
    /// First packet to a host that it is about, Unix seconds.
    pub start: u32,
    /// When the damage begins that detection is to be ahead of: the first packet, or the theft after a beacon.
    pub theft: u32,
    /// What is added to the world, in the order of time.
    pub rows: Vec<Row>,
    /// What its interfaces take in from inside, likewise; it comes before.
    pub received: Vec<Row>,
    /// What its hosts ask the resolver for beside what they do anyway, likewise.
    pub asked: Vec<Asked>,
    /// The registered domains below which that lies, in order.
    pub domains: Vec<String>,
}

impl Placement {
    /// The placement with a number of a scenario: the same number always gives the same. `apart` are interfaces that it may
    /// not take.
    pub fn of(world: &World, scenario: Scenario, number: u32, apart: &BTreeSet<u32>) -> Self {
        let number = u64::from(number);
        let key = [1_000 + scenario as u64, number];
        let mut rng = Rng::keyed(world.config().seed, Domain::Evaluation, key);
        let enis = match scenario.is_of_fleet() {
            true => world.fleet().collect(),
            false => choose(world, scenario.enis(world.config().enis), apart, &mut rng),
        };
        let days = u64::from(world.config().test_days);
        let spare = days.saturating_sub(scenario.days()).max(1);
        let day = u32::try_from(rng.below(spare)).unwrap_or(0);
        let hour = u32::try_from(rng.below(22)).unwrap_or(0);
        let start = world.test_start() + day * DAY_SECS + hour * 3_600;
        let start = start + u32::try_from(rng.below(3_600)).unwrap_or(0);
        let mut stage = steps::Stage::new(world, &enis, start, rng);
        stage.play(scenario);
        stage.placement(scenario, number)
    }

    /// Bytes of payload that had left up to an instant, both of what is known and what is not.
    pub fn lost_until(&self, at: u32) -> u64 {
        let is_meant = |row: &&Row| self.peers.binary_search(&row.peer).is_ok();
        let gone = self.rows.iter().filter(|row| row.start <= at);
        let gone = gone.filter(is_meant);
        let asked = self.asked.iter().filter(|own| own.at <= at);
        let told: u64 = asked.map(|own| u64::from(own.carried)).sum();
        gone.map(|row| part(row, at)).sum::<u64>() + told
    }

    /// When the last of it happens.
    pub fn last(&self) -> u32 {
        let sent = self.rows.iter().map(|row| row.end).max();
        let asked = self.asked.iter().map(|own| own.at).max();
        sent.max(asked).unwrap_or(self.start)
    }
}

/// What of a row's payload had left by an instant: a window is sent evenly.
fn part(row: &Row, at: u32) -> u64 {
    let (length, gone) = (
        u64::from(row.end - row.start) + 1,
        u64::from(at - row.start) + 1,
    );
    row.up_payload() * gone.min(length) / length
}

fn choose(world: &World, count: usize, apart: &BTreeSet<u32>, rng: &mut Rng) -> Vec<u32> {
    let mut all: Vec<u32> = (0..world.config().enis).collect();
    all.retain(|eni| !apart.contains(eni));
    // What is split is split within an account.
    if count > 1 {
        let account = world.hosts()[all[rng.index(all.len())] as usize].account;
        all.retain(|eni| world.hosts()[*eni as usize].account == account);
    }
    rng.shuffle(&mut all);
    all.truncate(count);
    all.sort_unstable();
    all
}

/// A destination that a host has used since long, of those that fit.
fn established(
    world: &World,
    eni: u32,
    fits: impl Fn(&Destination) -> bool,
    rng: &mut Rng,
) -> Destination {
    let host = &world.hosts()[eni as usize];
    let old = host
        .destinations
        .iter()
        .filter(|own| own.since == crate::world::WORLD_START);
    let known: Vec<Destination> = old
        .filter(|own| own.weight > 1 && fits(own))
        .copied()
        .collect();
    let any = host
        .destinations
        .iter()
        .find(|own| own.usage != Usage::Agent);
    match known.get(rng.index(known.len())).or(any) {
        Some(found) => *found,
        None => host.destinations[0],
    }
}

#[cfg(test)]
mod tests;
