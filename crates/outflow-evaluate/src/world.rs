//! A benign world: who is in it, where they go, and every row of what they do.

mod config;
mod destinations;
mod hosts;
mod inside;
mod names;
mod traffic;

use std::ops::Range;
use std::thread;

pub use config::{Traits, WorldConfig};
pub use destinations::{Destination, Usage};
pub(crate) use destinations::{attack_addr, benign_addr};
pub use hosts::{Host, Role};
pub(crate) use inside::deliver;
pub use names::Asked;
pub(crate) use names::{BASE32, HEX, attack_domain, benign_domain, dotted, random, word};

use crate::Error;
use crate::row::Row;
use destinations::Pools;
use traffic::Traffic;

/// First instant of every world: 2026-01-05, a Monday, midnight UTC.
pub(crate) const WORLD_START: u32 = 1_767_571_200;

/// Seconds of a day.
pub(crate) const DAY_SECS: u32 = 86_400;

/// A benign world of flow log rows.
#[derive(Debug)]
pub struct World {
    config: WorldConfig,
    accounts: Vec<String>,
    interface_ids: Vec<String>,
    instance_ids: Vec<String>,
    hosts: Vec<Host>,
    /// By interface, in the order of time.
    rows: Vec<Vec<Row>>,
    /// What each takes in from inside, likewise.
    received: Vec<Vec<Row>>,
    /// What each asks the resolver for, likewise.
    asked: Vec<Vec<Asked>>,
}

impl World {
    /// The world of a configuration. Interfaces are made on several threads, each from its own stream of numbers.
    ///
    /// # Errors
    /// [`Error::OutOfRange`], as [`WorldConfig::validate`].
    pub fn new(config: &WorldConfig) -> Result<Self, Error> {
        config.validate()?;
        let pools = Pools::new(config);
        let mut hosts = hosts::hosts(config, &pools);
        let of = |host: &Host| Traffic::new(config, host).rows();
        let half = hosts.len() / 2;
        let (first, second) = hosts.split_at(half);
        let mut rows = thread::scope(|scope| {
            let other = scope.spawn(|| second.iter().map(of).collect::<Vec<_>>());
            let mut rows: Vec<Vec<Row>> = first.iter().map(of).collect();
            // A panic in a thread is a fault of the program: it goes on here.
            let rest = other.join();
            rows.extend(rest.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            rows
        });
        let mut received: Vec<Vec<Row>> = hosts
            .iter()
            .map(|host| inside::rows(config, host))
            .collect();
        let mut asked: Vec<Vec<Asked>> = hosts
            .iter()
            .map(|host| names::asked(config, host))
            .collect();
        hosts.extend(hosts::fleet(config, &pools));
        rows.resize_with(hosts.len(), Vec::new);
        received.resize_with(hosts.len(), Vec::new);
        asked.resize_with(hosts.len(), Vec::new);
        let account = |number: u32| format!("{:012}", 100_000_000_001_u64 + u64::from(number));
        Ok(Self {
            config: config.clone(),
            accounts: (0..config.accounts).map(account).collect(),
            interface_ids: hosts.iter().map(|host| host.interface_id.clone()).collect(),
            instance_ids: hosts.iter().map(|host| host.instance_id.clone()).collect(),
            received,
            asked,
            hosts,
            rows,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// The accounts, by number.
    pub fn accounts(&self) -> &[String] {
        &self.accounts
    }

    /// The ids of interfaces, by number.
    pub fn interface_ids(&self) -> &[String] {
        &self.interface_ids
    }

    /// The ids of instances, by number of their interface.
    pub fn instance_ids(&self) -> &[String] {
        &self.instance_ids
    }

    /// The hosts, one for each interface; those of [`World::fleet`] last, which do nothing unless a scenario starts them.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The interfaces of hosts that a fleet may gain.
    pub fn fleet(&self) -> Range<u32> {
        self.config.enis..self.config.enis + hosts::FLEET_ENIS
    }

    /// What a host does on some days, counted from the world's first, as its role does it.
    pub(crate) fn ordinary(&self, eni: u32, days: Range<u32>) -> Vec<Row> {
        Traffic::new(&self.config, &self.hosts[eni as usize]).of_days(days)
    }

    /// What each interface takes in from hosts inside, in the order of time. No other method than the detector looks at it.
    pub fn received(&self) -> &[Vec<Row>] {
        &self.received
    }

    /// What each host asks the resolver for, by interface, in the order of time.
    pub fn asked(&self) -> &[Vec<Asked>] {
        &self.asked
    }

    /// What each interface does across the border, in the order of time.
    pub fn rows(&self) -> &[Vec<Row>] {
        &self.rows
    }

    /// The first second of the test window.
    pub fn test_start(&self) -> u32 {
        self.config.test_start()
    }

    /// The first second behind the world.
    pub fn end(&self) -> u32 {
        self.config.end()
    }

    /// Interfaces times days of the test window.
    pub fn eni_days(&self) -> u64 {
        u64::from(self.config.enis) * u64::from(self.config.test_days)
    }
}

#[cfg(test)]
mod tests;
