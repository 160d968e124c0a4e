//! What a host does, hour by hour.

use std::ops::Range;

use outflow_enrich::protocol;
use outflow_sim::{Domain, Rng};

use super::destinations::{Destination, Usage, benign_addr};
use super::hosts::{Host, Role};
use super::{DAY_SECS, WORLD_START, WorldConfig};
use crate::row::{Row, Transfer};

/// Bytes that a connection moves in a second.
const BYTES_PER_SEC: u64 = 8 << 20;

/// Seconds by which AWS may see the first packet of a window late.
const DELAY_SECS: u64 = 50;

/// A host's rows.
pub(super) struct Traffic<'w> {
    config: &'w WorldConfig,
    host: &'w Host,
    rows: Vec<Row>,
    /// How many times its usual volume it moves since some day.
    level_percent: u64,
    level_until: u32,
}

impl<'w> Traffic<'w> {
    pub(super) fn new(config: &'w WorldConfig, host: &'w Host) -> Self {
        Self {
            config,
            host,
            rows: Vec::new(),
            level_percent: 100,
            level_until: 0,
        }
    }

    /// All rows, in the order of time.
    pub(super) fn rows(self) -> Vec<Row> {
        let days = self.config.learn_days + self.config.test_days;
        self.of_days(0..days)
    }

    /// The rows of some days, counted from the world's first, likewise.
    pub(super) fn of_days(mut self, days: Range<u32>) -> Vec<Row> {
        for day in days {
            self.day(day);
        }
        let end = self.config.end();
        let mut rows = self.rows;
        // What is cut by the end of the world is left out by row.
        rows.retain(|row| row.end < end);
        rows.sort_unstable();
        rows
    }

    fn day(&mut self, day: u32) {
        let key = [3 + u64::from(day), u64::from(self.host.eni)];
        let mut rng = Rng::keyed(self.config.seed, Domain::Evaluation, key);
        let traits = &self.config.traits;
        let start = WORLD_START + day * DAY_SECS;
        if rng.below(10_000) < traits.shifts_per_myriad {
            self.level_percent = rng.between(300, 900);
            self.level_until = day + 5 + u32::try_from(rng.below(15)).unwrap_or(0);
        }
        let level = if day < self.level_until {
            self.level_percent
        } else {
            100
        };
        let busy = match rng.below(1_000) < traits.busy_per_mille {
            true => rng.heavy(200, 3_000),
            false => 100,
        };
        let size = self.host.size_percent * level / 100 * busy / 100 * rng.between(70, 130) / 100;
        for hour in 0..24 {
            self.hour(start + hour * 3_600, size, &mut rng);
        }
        self.reports(start, &mut rng);
        if self.host.role == Role::Backup {
            self.backup(start, size, &mut rng);
        }
        if rng.below(1_000) < traits.novelty_per_mille {
            self.novelty(start, &mut rng);
        }
    }

    fn hour(&mut self, start: u32, size: u64, rng: &mut Rng) {
        let role = self.host.role;
        let percent = role.percent((start - WORLD_START) / 3_600 % 168);
        let mean = self.config.traits.flows_per_hour * percent / 100;
        for _ in 0..rng.count(mean * role.outbound_percent() / 100) {
            self.outbound(start, size, rng);
        }
        if role == Role::Web {
            for _ in 0..rng.count(mean) {
                let (up, down) = (rng.heavy(6_000, 32 << 20), rng.heavy(900, 64 << 10));
                let transfer = Transfer {
                    client_port: rng.port(1_024, 65_000),
                    served: true,
                    peer: visitor(rng),
                    ..self.transfer(start, 443, up * size / 100, down, rng)
                };
                self.add(&transfer);
            }
        }
    }

    /// A connection to one of the host's destinations.
    fn outbound(&mut self, hour: u32, size: u64, rng: &mut Rng) {
        let known = || {
            self.host
                .destinations
                .iter()
                .filter(|own| own.since <= hour)
        };
        let mut left = rng.below(known().map(|own| own.weight).sum());
        let mut chosen: Option<Destination> = None;
        for own in known() {
            chosen = Some(*own);
            if left < own.weight {
                break;
            }
            left -= own.weight;
        }
        let Some(to) = chosen else { return };
        let (up, down) = match to.usage {
            Usage::Api | Usage::Agent | Usage::Stream => {
                (rng.heavy(700, 256 << 10), rng.heavy(1_500, 4 << 20))
            }
            Usage::Upload => (
                rng.heavy(150_000, 256 << 20) * size / 100,
                rng.between(400, 900),
            ),
            Usage::Fetch => (rng.heavy(500, 8 << 10), rng.heavy(60_000, 512 << 20)),
        };
        let transfer = Transfer {
            peer: to.addr,
            protocol: to.protocol,
            ..self.transfer(hour, to.port, up, down, rng)
        };
        self.add(&transfer);
    }

    /// Agents report the whole day long, give or take a minute.
    fn reports(&mut self, day: u32, rng: &mut Rng) {
        let agents = self.host.destinations.iter();
        let agents = agents.filter(|own| own.every_secs > 0 && own.since <= day);
        for to in agents.copied().collect::<Vec<_>>() {
            let phase = self.host.eni * 37 % to.every_secs;
            let mut at = day + phase;
            while at < day + DAY_SECS {
                let (up, down, secs) = reported(&to, rng);
                let transfer = Transfer {
                    peer: to.addr,
                    start: at + u32::try_from(rng.below(60)).unwrap_or(0),
                    secs,
                    protocol: to.protocol,
                    client_port: rng.port(32_768, 60_999),
                    ..self.transfer(at, to.port, up, down, rng)
                };
                self.add(&transfer);
                at += to.every_secs;
            }
        }
    }

    /// Gigabytes to one place in the night, incremental on all days but Sundays.
    fn backup(&mut self, day: u32, size: u64, rng: &mut Rng) {
        let uploads = self.host.destinations.iter();
        let Some(to) = uploads
            .filter(|own| own.usage == Usage::Upload && own.since == WORLD_START)
            .copied()
            .next_back()
        else {
            return;
        };
        let is_full = (day - WORLD_START) / DAY_SECS % 7 == 6;
        let mean = if is_full {
            12_000_000_000
        } else {
            1_500_000_000
        };
        let up = rng.around(mean) * (300 + size) / 400;
        let transfer = Transfer {
            peer: to.addr,
            ..self.transfer(day + 2 * 3_600, to.port, up, 30_000, rng)
        };
        self.add(&transfer);
    }

    /// A first meeting with a host that few know: mostly something is fetched, sometimes something is sent.
    fn novelty(&mut self, day: u32, rng: &mut Rng) {
        let is_heavy = rng.once_in(self.config.traits.heavy_once_in);
        let (most, least) = match is_heavy {
            true => (rng.heavy(10_000_000, 2_000_000_000), 4_000),
            false => (rng.heavy(4_000, 8 << 20), rng.heavy(2_000, 64 << 10)),
        };
        let (up, down) = if rng.below(10) < 3 {
            (most, least)
        } else {
            (least, most)
        };
        let hour = day + u32::try_from(rng.below(24)).unwrap_or(0) * 3_600;
        let transfer = Transfer {
            peer: benign_addr(rng),
            ..self.transfer(hour, 443, up, down, rng)
        };
        self.add(&transfer);
    }

    /// A TCP connection that this host opens at some time of an hour.
    fn transfer(&self, hour: u32, port: u16, up: u64, down: u64, rng: &mut Rng) -> Transfer {
        let secs = u32::try_from((up + down) / BYTES_PER_SEC).unwrap_or(u32::MAX);
        let idle = if rng.once_in(12) {
            rng.below(240)
        } else {
            rng.below(8)
        };
        let within = rng.below(3_600 - DELAY_SECS) + rng.below(DELAY_SECS);
        Transfer {
            eni: self.host.eni,
            peer: 0,
            port,
            client_port: rng.port(32_768, 60_999),
            protocol: protocol::TCP,
            served: false,
            start: hour + u32::try_from(within).unwrap_or(0),
            secs: secs.min(DAY_SECS / 2) + u32::try_from(idle).unwrap_or(0),
            up,
            down,
        }
    }

    fn add(&mut self, transfer: &Transfer) {
        transfer.cut(self.config.window_secs, &mut self.rows);
    }
}

/// Payload both ways of a report, and how long it takes.
fn reported(to: &Destination, rng: &mut Rng) -> (u64, u64, u32) {
    match (to.usage, to.protocol) {
        (Usage::Stream, _) => (rng.around(2_000_000), rng.around(8_000_000), 82_000),
        (_, protocol::UDP) => (rng.between(28, 56), rng.heavy(60, 400), 0),
        (_, protocol::ICMP) => (56 * 3, 56 * 3, 3),
        _ => (rng.around(2_400), rng.around(600), 2),
    }
}

/// A client of a service, anywhere.
fn visitor(rng: &mut Rng) -> u32 {
    u32::from_be_bytes([
        rng.byte(60, 95),
        rng.byte(1, 254),
        rng.byte(0, 255),
        rng.byte(1, 254),
    ])
}
