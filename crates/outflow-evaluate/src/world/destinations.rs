//! Where hosts of a role go, day after day.

use outflow_enrich::protocol;
use outflow_sim::{Domain, Rng};

use super::WorldConfig;
use super::hosts::Role;

/// What a destination is used for, which decides how much goes which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// Small requests and answers.
    Api,
    /// Uploads: logs, objects.
    Upload,
    /// Downloads: packages, images.
    Fetch,
    /// A program that reports by a timer, or asks a resolver outside, or pings.
    Agent,
    /// A connection that stays open all day.
    Stream,
}

/// A host outside that is used again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    /// Its IPv4 address.
    pub addr: u32,
    /// The port that it serves.
    pub port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// What it is used for.
    pub usage: Usage,
    /// How often, compared with others.
    pub weight: u64,
    /// Seconds from 1970 from which on it is used: deploys bring new ones.
    pub since: u32,
    /// Seconds between the reports of an agent; 0 of others.
    pub every_secs: u32,
}

/// One host in so many has a timer of its own, a connection that stays open, asks a resolver outside, or pings somebody.
const HOSTS_PER_TIMER: u64 = 10;
const HOSTS_PER_STREAM: u64 = 25;
const HOSTS_PER_RESOLVER: u64 = 15;
const HOSTS_PER_PING: u64 = 20;

/// The first octets of what benign traffic goes to; attackers rent elsewhere, so that no label means a benign pair by
/// accident. No method knows of either.
const BENIGN: [u8; 14] = [13, 18, 20, 23, 34, 35, 44, 50, 52, 54, 99, 104, 140, 151];
const ATTACK: [u8; 10] = [37, 45, 46, 77, 79, 80, 95, 103, 141, 185];

/// An address of ordinary services.
pub(crate) fn benign_addr(rng: &mut Rng) -> u32 {
    addr(&BENIGN, rng)
}

/// An address that somebody rents.
pub(crate) fn attack_addr(rng: &mut Rng) -> u32 {
    addr(&ATTACK, rng)
}

fn addr(firsts: &[u8], rng: &mut Rng) -> u32 {
    let first = firsts[rng.index(firsts.len())];
    u32::from_be_bytes([first, rng.byte(1, 254), rng.byte(0, 255), rng.byte(1, 254)])
}

/// The destinations of each role, and those of all.
#[derive(Debug)]
pub(super) struct Pools {
    of_roles: Vec<Vec<Destination>>,
    of_all: Vec<Destination>,
    days: u32,
}

impl Pools {
    pub(super) fn new(config: &WorldConfig) -> Self {
        let mut rng = Rng::keyed(config.seed, Domain::Evaluation, [1, 0]);
        let start = super::WORLD_START;
        let of_all = vec![
            destination(Usage::Agent, 0, start, &mut rng),
            destination(Usage::Fetch, 3, start, &mut rng),
            destination(Usage::Fetch, 2, start, &mut rng),
            destination(Usage::Upload, 2, start, &mut rng),
        ];
        let of_roles = Role::ALL
            .map(|role| of_role(config, role, &mut rng))
            .to_vec();
        Self {
            of_roles,
            of_all,
            days: config.learn_days + config.test_days,
        }
    }

    /// What a host of a role uses: what all use, and of its role's each with even chance. The last, which deploys bring, all
    /// of the role use.
    pub(super) fn choose(&self, role: Role, rng: &mut Rng) -> Vec<Destination> {
        let mut chosen = self.of_all.clone();
        for own in &self.of_roles[role as usize] {
            if own.since > super::WORLD_START || !rng.once_in(3) {
                chosen.push(*own);
            }
        }
        if rng.once_in(HOSTS_PER_TIMER) {
            chosen.push(self.timer(rng));
        }
        let start = super::WORLD_START;
        if rng.once_in(HOSTS_PER_STREAM) {
            chosen.push(Destination {
                every_secs: super::DAY_SECS,
                ..destination(Usage::Stream, 0, start, rng)
            });
        }
        let asks = (rng.once_in(HOSTS_PER_RESOLVER), (protocol::UDP, 53), 450);
        let pings = (rng.once_in(HOSTS_PER_PING), (protocol::ICMP, 0), 300);
        for (does, (protocol, port), every_secs) in [asks, pings] {
            if does {
                chosen.push(Destination {
                    port,
                    protocol,
                    every_secs,
                    ..destination(Usage::Agent, 0, start, rng)
                });
            }
        }
        chosen
    }

    /// What every host of a role uses that is made from the same image.
    pub(super) fn of_image(&self, role: Role) -> Vec<Destination> {
        let of_role = &self.of_roles[role as usize];
        self.of_all.iter().chain(of_role).copied().collect()
    }

    /// A harmless program of one host alone that calls home by a timer, from some day on.
    fn timer(&self, rng: &mut Rng) -> Destination {
        const EVERY_SECS: [u32; 4] = [600, 1_800, 3_600, 14_400];
        let day = u32::try_from(rng.below(self.days.into())).unwrap_or(0);
        let since = super::WORLD_START + day * super::DAY_SECS;
        Destination {
            every_secs: EVERY_SECS[rng.index(EVERY_SECS.len())],
            ..destination(Usage::Agent, 0, since, rng)
        }
    }
}

fn of_role(config: &WorldConfig, role: Role, rng: &mut Rng) -> Vec<Destination> {
    let mut pool = Vec::new();
    for rank in 0..config.traits.destinations {
        let usage = match rank % 5 {
            1 => Usage::Upload,
            3 => Usage::Fetch,
            _ => Usage::Api,
        };
        pool.push(destination(usage, 24 / (rank + 2), super::WORLD_START, rng));
    }
    let mut day = 1 + u32::try_from(role as usize).unwrap_or(0);
    let days = config.learn_days + config.test_days;
    while day + config.traits.deploy_days < days {
        day += config.traits.deploy_days;
        let since = super::WORLD_START + day * super::DAY_SECS + 10 * 3_600;
        let usage = if rng.once_in(4) {
            Usage::Upload
        } else {
            Usage::Api
        };
        pool.push(destination(usage, 2, since, rng));
    }
    pool
}

fn destination(usage: Usage, weight: u64, since: u32, rng: &mut Rng) -> Destination {
    Destination {
        addr: benign_addr(rng),
        port: if rng.once_in(9) { 8_443 } else { 443 },
        protocol: protocol::TCP,
        usage,
        weight,
        since,
        every_secs: if usage == Usage::Agent { 1_800 } else { 0 },
    }
}
