//! What the thefts do.

use std::collections::BTreeSet;

use outflow_enrich::{protocol, registered_domain};
use outflow_sim::Rng;

use super::{Placement, Scenario, established};
use crate::row::{Row, Transfer};
use crate::world::{Asked, DAY_SECS, Destination, Usage, World, attack_addr, deliver};

const MB: u64 = 1_000_000;
const HOUR: u32 = 3_600;

/// A placement in the making.
pub(super) struct Stage<'w> {
    pub(super) world: &'w World,
    pub(super) enis: Vec<u32>,
    pub(super) start: u32,
    pub(super) rng: Rng,
    pub(super) rows: Vec<Row>,
    pub(super) asked: Vec<Asked>,
    received: Vec<Row>,
    pub(super) theft: u32,
    /// The only host outside that it is about, where other traffic comes with it.
    pub(super) only: Option<u32>,
}

/// So much to a place within some time.
#[derive(Clone, Copy)]
pub(super) struct Send {
    pub(super) eni: u32,
    pub(super) to: u32,
    pub(super) at: u32,
    pub(super) secs: u32,
    pub(super) up: u64,
    pub(super) down: u64,
}

impl<'w> Stage<'w> {
    pub(super) fn new(world: &'w World, enis: &[u32], start: u32, rng: Rng) -> Self {
        Self {
            world,
            enis: enis.to_vec(),
            start,
            rng,
            rows: Vec::new(),
            asked: Vec::new(),
            received: Vec::new(),
            theft: start,
            only: None,
        }
    }

    /// What was made, as far as the world goes.
    pub(super) fn placement(mut self, scenario: Scenario, number: u64) -> Placement {
        let end = self.world.end();
        self.rows.retain(|row| row.end < end);
        self.rows.sort_unstable();
        self.asked.retain(|own| own.at < end);
        self.asked.sort_unstable();
        let peers = self.rows.iter().map(|row| row.peer);
        let is_meant = |peer: &u32| self.only.is_none_or(|only| only == *peer);
        let peers: BTreeSet<u32> = peers.filter(is_meant).collect();
        let names = self.asked.iter().map(|own| own.name.as_str());
        let domains: BTreeSet<String> = names
            .filter_map(|name| Some(registered_domain(name)?.into_owned()))
            .collect();
        let firsts = [
            self.rows
                .iter()
                .find(|row| is_meant(&row.peer))
                .map(|row| row.start),
            self.asked.first().map(|own| own.at),
        ];
        Placement {
            scenario,
            number,
            enis: self.enis,
            peers: peers.into_iter().collect(),
            start: firsts.into_iter().flatten().min().unwrap_or(self.start),
            theft: self.theft,
            rows: self.rows,
            received: self.received,
            asked: self.asked,
            domains: domains.into_iter().collect(),
        }
    }

    pub(super) fn play(&mut self, scenario: Scenario) {
        let eni = self.enis[0];
        let new = attack_addr(&mut self.rng);
        match scenario {
            Scenario::Burst => self.send(new, HOUR, 50_000 * MB),
            Scenario::SmallBurst => self.send(new, 600, 1_000 * MB),
            Scenario::Once => self.send(new, 300, 100 * MB),
            Scenario::Drip => self.drip(&[eni], &[new], 2_000 * MB, 30),
            Scenario::SlowDrip => self.drip(&[eni], &[new], 50 * MB, 30),
            Scenario::VerySlowDrip => self.drip(&[eni], &[new], 10 * MB, 30),
            Scenario::Established => self.add_to_established(2_000 * MB),
            Scenario::EstablishedSmall => self.add_to_established(500 * MB),
            Scenario::SplitSenders => {
                let enis = self.enis.clone();
                self.drip(&enis, &[new], 40 * MB * enis.len() as u64, 7);
            }
            Scenario::SplitDestinations => {
                let all = self.addresses(200);
                self.drip(&[eni], &all, 2_000 * MB, 7);
            }
            Scenario::SplitBoth => {
                let (enis, all) = (self.enis.clone(), self.addresses(200));
                self.drip(&enis, &all, 2_000 * MB, 7);
            }
            Scenario::ResolverBypass => {
                self.tunnel(new, (protocol::UDP, 53), 10_000 / 60, 5 * HOUR);
            }
            Scenario::DnsOverHttps => {
                self.tunnel(0x0101_0101, (protocol::TCP, 443), 5_000, 5 * HOUR);
            }
            Scenario::IcmpTunnel => self.tunnel(new, (protocol::ICMP, 0), 20_000, HOUR),
            Scenario::BeaconThenTheft => {
                self.beacon(new, 60, 50, 5 * DAY_SECS);
                self.theft = self.start + 5 * DAY_SECS;
                self.put(Send {
                    eni,
                    to: new,
                    at: self.theft,
                    secs: 1_200,
                    up: 500 * MB,
                    down: 0,
                });
            }
            Scenario::SlowBeacon => self.beacon(new, 4 * HOUR, 37, 14 * DAY_SECS),
            Scenario::DailyBeacon => self.beacon(new, DAY_SECS, 10, 24 * DAY_SECS),
            Scenario::ObjectStore => {
                let store = self.known(|own| own.usage == Usage::Upload);
                self.drip(&[eni], &[store.addr], 5_000 * MB, 20);
            }
            Scenario::Telemetry => {
                // Another address of the same network: the vendor's site for other customers.
                let known = self.known(|own| own.usage == Usage::Upload);
                let other = known.addr ^ 0x0000_0080;
                self.drip(&[eni], &[other], 200 * MB, 20);
            }
            Scenario::Staging => self.staging(new),
            Scenario::FleetTheft => self.fleet_theft(new),
            Scenario::Ramp => self.ramp(),
            other if other.is_of_names() => self.tell(other),
            _ => self.play_benign(scenario),
        }
    }

    /// A destination that the first interface has used since long.
    pub(super) fn known(&mut self, fits: impl Fn(&Destination) -> bool) -> Destination {
        established(self.world, self.enis[0], fits, &mut self.rng)
    }

    /// So many new addresses.
    pub(super) fn addresses(&mut self, count: usize) -> Vec<u32> {
        (0..count).map(|_| attack_addr(&mut self.rng)).collect()
    }

    pub(super) fn put(&mut self, send: Send) {
        self.put_over(send, (protocol::TCP, 443));
    }

    pub(super) fn put_over(&mut self, send: Send, (number, port): (u8, u16)) {
        let client_port = match number {
            protocol::ICMP => 0,
            _ => self.rng.port(32_768, 60_999),
        };
        let transfer = Transfer {
            eni: send.eni,
            peer: send.to,
            port,
            client_port,
            protocol: number,
            served: false,
            start: send.at,
            secs: send.secs,
            up: send.up,
            down: send.down,
        };
        transfer.cut(self.world.config().window_secs, &mut self.rows);
    }

    /// All at once, over one connection.
    fn send(&mut self, to: u32, secs: u32, up: u64) {
        let (eni, at, down) = (self.enis[0], self.start, 20_000);
        self.put(Send {
            eni,
            to,
            at,
            secs,
            up,
            down,
        });
    }

    fn add_to_established(&mut self, per_day: u64) {
        let known = self.known(|own| own.usage != Usage::Fetch && own.usage != Usage::Agent);
        let eni = self.enis[0];
        self.drip(&[eni], &[known.addr], per_day, 20);
    }

    /// So much a day, in uploads of some minutes at all times, each from some interface to some address.
    pub(super) fn drip(&mut self, enis: &[u32], to: &[u32], per_day: u64, days: u32) {
        // Each address gets its share every day.
        let pairs = enis.len().max(to.len());
        let each = (24 / pairs).max(1);
        for day in 0..days {
            for part in 0..pairs * each {
                let at = self.start + day * DAY_SECS + self.below(DAY_SECS);
                let secs = 30 + self.below(200);
                let up = self.rng.around(per_day / (pairs * each) as u64);
                self.put(Send {
                    eni: enis[part % enis.len()],
                    to: to[part % to.len()],
                    at,
                    secs,
                    up,
                    down: 4_000,
                });
            }
        }
    }

    /// Packets to one place in every minute, at so many bytes a second both ways.
    fn tunnel(&mut self, to: u32, over: (u8, u16), per_sec: u64, secs: u32) {
        let eni = self.enis[0];
        for minute in 0..secs / 60 {
            let up = self.rng.around(per_sec * 60);
            self.put_over(
                Send {
                    eni,
                    to,
                    at: self.start + minute * 60,
                    secs: 50,
                    up,
                    down: up / 3,
                },
                over,
            );
        }
    }

    /// A small request again and again, give or take so many percent, and up to 50 seconds late in the log.
    fn beacon(&mut self, to: u32, every_secs: u32, jitter_percent: u32, secs: u32) {
        let eni = self.enis[0];
        let mut at = self.start;
        while at < self.start + secs {
            let (up, down) = (self.rng.between(350, 420), self.rng.between(180, 240));
            let late = self.below(50);
            self.put(Send {
                eni,
                to,
                at: at + late,
                secs: 1,
                up,
                down,
            });
            // From the period less its jitter to the period, as common tools have it.
            at += every_secs - self.below(every_secs * jitter_percent / 100 + 1);
        }
    }

    /// Gathered from thirty hosts inside within the hours before, and sent out by one.
    fn staging(&mut self, to: u32) {
        let (eni, all) = (self.enis[0], 20_000 * MB);
        self.theft = self.start;
        self.drip(&[eni], &[to], all / 3, 3);
        let host = &self.world.hosts()[eni as usize];
        for part in 1..=10 {
            let at = self.start - part * HOUR;
            let share = all / 10;
            deliver(
                self.world.config(),
                host,
                (200, 30),
                (at, share),
                &mut self.received,
            );
        }
        self.received.sort_unstable();
    }

    pub(super) fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.rng.below(bound.into())).unwrap_or(0)
    }
}
