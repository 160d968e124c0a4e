//! What happens in each scenario: with which peers, when, and how much.

use outflow_record::Addr;

use crate::conversation::{Conversation, Host, Outcome, Protocol, Traffic};
use crate::destinations::{Destinations, Peer};
use crate::rng::Rng;
use crate::script::Entry;
use crate::{Scenario, WorldConfig};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
const MB: u64 = 1_000_000;
const GB: u64 = 1_000 * MB;
/// The drip is one upload in each quarter of an hour, small enough that no day of it stands out.
const DRIPS_PER_DAY: u32 = 96;
const DRIP_BYTES_PER_DAY: u64 = 75 * MB;
const SPLIT_PEERS: usize = 40;
/// The addresses that a deploy brings.
const DEPLOYED_PEERS: usize = 5;

/// One scenario being written down.
pub(crate) struct Scene<'a> {
    config: &'a WorldConfig,
    scenario: Scenario,
    rng: Rng,
    entries: &'a mut Vec<Entry>,
}

/// When something is said, and how it travels.
struct Cue {
    start: i64,
    secs: i64,
    protocol: Protocol,
    server_port: u16,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(
        config: &'a WorldConfig,
        scenario: Scenario,
        rng: Rng,
        entries: &'a mut Vec<Entry>,
    ) -> Self {
        Self {
            config,
            scenario,
            rng,
            entries,
        }
    }

    pub(crate) fn play(&mut self, enis: &[usize], destinations: &Destinations) {
        for eni in enis.iter().copied() {
            match self.scenario {
                Scenario::Burst => self.burst(eni),
                Scenario::Drip => self.drip(eni),
                Scenario::SplitDestinations => self.split_destinations(eni),
                Scenario::ResolverBypass => self.resolver_bypass(eni),
                Scenario::IcmpTunnel => self.icmp_tunnel(eni),
                Scenario::BackupMoved => self.backup_moved(eni, destinations.backup),
                Scenario::BigDownload => self.big_download(eni),
                Scenario::Beacon => self.beacon(eni),
                Scenario::LongConnection => self.long_connection(eni),
                Scenario::Deploy | Scenario::Agents => {}
            }
        }
        match self.scenario {
            Scenario::Deploy => self.deploy(enis),
            Scenario::Agents => self.agents(enis),
            _ => {}
        }
    }

    fn burst(&mut self, eni: usize) {
        let peer = self.fresh(1)[0];
        let start = self.at(self.config.onset_day(), 13) + self.rng.secs(3 * 3_600);
        let mut shares = [440 * MB, 480 * MB, 520 * MB, 560 * MB];
        self.rng.shuffle(&mut shares);
        for (part, payload) in (0..).zip(shares) {
            self.https(
                eni,
                peer,
                start + part * 300,
                296,
                (payload, payload / 4_000),
            );
        }
    }

    fn drip(&mut self, eni: usize) {
        let peer = self.fresh(1)[0];
        for day in 0..self.config.days {
            for drip in 0..DRIPS_PER_DAY {
                let start = self.at(day, 0) + i64::from(drip) * 900 + self.rng.secs(600);
                let payload = self
                    .rng
                    .around(DRIP_BYTES_PER_DAY / u64::from(DRIPS_PER_DAY));
                let secs = 4 + self.rng.secs(20);
                self.https(eni, peer, start, secs, (payload, 3_200));
            }
        }
    }

    fn split_destinations(&mut self, eni: usize) {
        let peers = self.fresh(SPLIT_PEERS);
        for day in self.config.onset_day()..self.config.days {
            for peer in &peers {
                for half in [0, 12] {
                    let start = self.at(day, half) + self.rng.secs(11 * 3_600);
                    let (payload, secs) = (self.rng.around(5 * MB), 3 + self.rng.secs(30));
                    self.https(eni, *peer, start, secs, (payload, 2_500));
                }
            }
        }
    }

    /// Sessions of some minutes each, as tunnels that reconnect have, at 50 to 90 queries a minute.
    fn resolver_bypass(&mut self, eni: usize) {
        let peer = self.fresh(1)[0];
        let mut start = self.at(self.config.onset_day(), 1) + self.rng.secs(3_600);
        let end = start + 5 * HOUR;
        while start < end {
            let secs = 240 + self.rng.secs(360);
            let queries = self.rng.between(50, 90) * secs.unsigned_abs() / 60;
            let (asked, answered) = (self.rng.between(138, 172), self.rng.between(90, 220));
            let cue = Cue {
                start,
                secs,
                protocol: Protocol::Udp,
                server_port: 53,
            };
            let entry = self.entry(eni, peer, &cue);
            entry.conversation.up = Traffic::new(queries, queries * asked);
            entry.conversation.down = Traffic::new(queries, queries * answered);
            start += secs + 1 + self.rng.secs(5);
        }
    }

    fn icmp_tunnel(&mut self, eni: usize) {
        let peer = self.fresh(1)[0];
        let start = self.at(self.config.onset_day(), 16) + self.rng.secs(3_600);
        let secs = 15 * 60;
        let packets = 20 * 15 * 60;
        let cue = Cue {
            start,
            secs,
            protocol: Protocol::Icmp,
            server_port: 0,
        };
        let entry = self.entry(eni, peer, &cue);
        entry.conversation.client_port = 0;
        // 1,000 bytes with headers.
        entry.conversation.up = Traffic::new(packets, packets * 972);
        entry.conversation.down = Traffic::new(packets, packets * 56);
    }

    fn backup_moved(&mut self, eni: usize, peer: Peer) {
        for day in 0..self.config.days {
            let moved = day >= self.config.onset_day().max(1);
            let start = self.at(day, if moved { 13 } else { 1 }) + self.rng.secs(600);
            let (payload, secs) = (self.rng.around(45 * MB), 300 + self.rng.secs(200));
            self.https(eni, peer, start, secs, (payload, 90_000));
        }
    }

    /// All hosts begin within five minutes, then go on with a few MB a day to each new address.
    fn deploy(&mut self, enis: &[usize]) {
        let peers: Vec<Peer> = (0..DEPLOYED_PEERS).map(|at| self.saas(at)).collect();
        let onset = self.config.onset_day().max(1);
        let began = self.at(onset, 10);
        for eni in enis {
            for peer in &peers {
                for day in onset..self.config.days {
                    let from = self.at(day, 0).max(began);
                    let left = (self.at(day + 1, 0) - from - 600).unsigned_abs();
                    for upload in 0..4 {
                        let first = day == onset && upload == 0;
                        let start = from + self.rng.secs(if first { 300 } else { left });
                        let payload = self.rng.around(600_000);
                        let secs = self.rng.secs(12);
                        self.https(*eni, *peer, start, secs, (payload, 20_000));
                    }
                }
            }
        }
    }

    fn big_download(&mut self, eni: usize) {
        let host = self.rng.byte(1, 254);
        let peer = Peer::outside(Addr::from_v4([130, 14, 250, host]));
        let start = self.at(self.config.onset_day(), 3) + self.rng.secs(1_800);
        for part in 0..4 {
            self.https(eni, peer, start + part, 3_000 + 40 * part, (1_400, 25 * GB));
        }
    }

    /// Calls until the span ends, each some time after the one before.
    fn beacon(&mut self, eni: usize) {
        let peer = self.fresh(1)[0];
        let mut start = self.at(self.config.onset_day(), 2) + self.rng.secs(3_600);
        while start < self.config.end().secs() - 60 {
            let payload = (self.rng.between(500, 700), self.rng.between(200, 900));
            self.https(eni, peer, start, 1, payload);
            start += 180 + self.rng.secs(240);
        }
    }

    fn long_connection(&mut self, eni: usize) {
        let peer = self.fresh(1)[0];
        let start = self.at(self.config.onset_day(), 4) + self.rng.secs(3_600);
        self.https(eni, peer, start, 15 * HOUR, (40 * MB, 6 * MB));
    }

    /// Each at minutes of its own, give or take half a minute.
    fn agents(&mut self, enis: &[usize]) {
        let peer = self.saas(5);
        for eni in enis {
            let minute = self.rng.secs(1_800);
            for day in 0..self.config.days {
                for half_hour in 0..48 {
                    let start = self.at(day, 0) + half_hour * 1_800 + minute + self.rng.secs(30);
                    let payload = (self.rng.around(3_000), 400);
                    if start < self.config.end().secs() - 60 {
                        self.https(*eni, peer, start, 1, payload);
                    }
                }
            }
        }
    }

    /// Addresses that nothing else in the world uses.
    fn fresh(&mut self, count: usize) -> Vec<Peer> {
        let mut peers: Vec<Peer> = Vec::new();
        while peers.len() < count {
            let own = self.scenario as u8;
            // The third octet keeps scenarios apart: none shares a /24 with another. It has room for eight; the second
            // keeps each further eight apart from them.
            let third = self.rng.byte(0, 31) * 8 + own % 8;
            let (first, second) = match (self.rng.below(2), own < 8) {
                (0, true) => (45, self.rng.byte(66, 159)),
                (_, true) => (185, self.rng.byte(100, 249)),
                (0, false) => (45, self.rng.byte(160, 250)),
                (_, false) => (185, self.rng.byte(2, 99)),
            };
            let peer = Peer::outside(Addr::from_v4([first, second, third, self.rng.byte(2, 253)]));
            if !peers.contains(&peer) {
                peers.push(peer);
            }
        }
        peers
    }

    fn saas(&mut self, at: usize) -> Peer {
        let third = u8::try_from(at * 40).unwrap_or(0) + self.rng.byte(0, 39);
        Peer::outside(Addr::from_v4([34, 120, third, self.rng.byte(2, 253)]))
    }

    /// The instant of an hour of a day of the span.
    fn at(&self, day: u32, hour: i64) -> i64 {
        self.config.start.secs() + i64::from(day) * DAY + hour * HOUR
    }

    fn https(&mut self, eni: usize, peer: Peer, start: i64, secs: i64, payload: (u64, u64)) {
        let cue = Cue {
            start,
            secs,
            protocol: Protocol::Tcp,
            server_port: 443,
        };
        self.entry(eni, peer, &cue)
            .conversation
            .carry(payload.0, payload.1);
    }

    fn entry(&mut self, eni: usize, peer: Peer, cue: &Cue) -> &mut Entry {
        // Counted through, so that no two conversations of a pair share a port.
        let port = u16::try_from(32_768 + self.entries.len() % 28_000).unwrap_or(u16::MAX);
        let conversation = Conversation {
            key: self.rng.bits(),
            client: Host::Eni(eni),
            server: Host::Outside(peer),
            protocol: cue.protocol,
            v6: false,
            client_port: port,
            server_port: cue.server_port,
            start: cue.start,
            secs: cue.secs,
            up: Traffic::default(),
            down: Traffic::default(),
            outcome: Outcome::Closed,
        };
        let at = self.entries.len();
        self.entries.push(Entry {
            scenario: self.scenario,
            eni,
            peer,
            conversation,
        });
        &mut self.entries[at]
    }
}
