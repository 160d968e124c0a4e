//! Ordinary traffic: what each role does in an hour, and the windows in which it does nothing.

use outflow_record::Timestamp;

use crate::conversation::{Conversation, Host, Outcome, Protocol, Traffic};
use crate::destinations::{Destinations, Usage, scanner, unheard_of, visitor};
use crate::inventory::{Eni, Inventory, Role};
use crate::load::Shape;
use crate::rng::{Domain, Rng};

/// Once in so many hours an interface meets a destination that none has met.
const HOURS_PER_UNHEARD_OF: u64 = 400;
/// Connection attempts of scanners at a public address, per hour, in hundredths.
const SCANS_PER_HOUR_HUNDREDTHS: u64 = 120;
/// A slow transfer moves so many bytes in a second.
const BYTES_PER_SEC: u64 = 8 << 20;

/// One interface in one hour.
pub(crate) struct Hour<'w> {
    pub(crate) inventory: &'w Inventory,
    pub(crate) destinations: &'w Destinations,
    pub(crate) seed: u64,
    pub(crate) base_flows: u32,
    /// First second of the span.
    pub(crate) span_start: i64,
    /// Position of the interface.
    pub(crate) at: usize,
    /// First second of the hour.
    pub(crate) start: i64,
}

impl Hour<'_> {
    /// Appends the conversations that this interface begins or, from outside, receives in this hour.
    pub(crate) fn conversations(&self, out: &mut Vec<Conversation>) {
        let eni = &self.inventory.enis[self.at];
        let rng = &mut Rng::keyed(self.seed, Domain::Background, [self.at as u64, self.key()]);
        let percent = shape(eni.role).percent(Timestamp(self.start));
        let mean = u64::from(self.base_flows) * percent;
        let from = out.len();
        match eni.role {
            Role::NatGateway => {}
            Role::Web => {
                self.visits(rng.count(mean * 2), rng, out);
                self.internal(Role::App, 8_080, rng.count(mean / 2), rng, out);
                self.outbound(rng.count(mean / 4), rng, out);
            }
            Role::App => {
                self.internal(Role::Database, 5_432, rng.count(mean), rng, out);
                self.outbound(rng.count(mean / 2), rng, out);
            }
            Role::Batch => self.outbound(rng.count(mean / 2), rng, out),
            Role::Database => {
                self.outbound(rng.count(mean / 8), rng, out);
                self.replication(rng, out);
            }
            Role::Backup => self.outbound(rng.count(mean / 8), rng, out),
            Role::Bastion => {
                self.outbound(rng.count(mean / 8), rng, out);
                self.administration(rng.count(mean / 8), rng, out);
            }
        }
        self.acquaint(rng, out);
        if eni.role.public() {
            self.scans(rng.count(SCANS_PER_HOUR_HUNDREDTHS), rng, out);
        }
        if eni.role.ordinary() && rng.once_in(HOURS_PER_UNHEARD_OF) {
            let mut first = self.tcp(Host::Outside(unheard_of(rng)), 443, rng);
            first.carry(rng.heavy(2_000, 8 << 20), rng.heavy(4_000, 8 << 20));
            out.push(first);
        }
        live_only(eni, from, out);
    }

    fn key(&self) -> u64 {
        self.start.unsigned_abs()
    }

    fn visits(&self, count: u64, rng: &mut Rng, out: &mut Vec<Conversation>) {
        for _ in 0..count {
            let peer = visitor(rng);
            let mut visit = self.tcp(Host::Eni(self.at), 443, rng);
            visit.client = Host::Outside(peer);
            visit.v6 = self.inventory.enis[self.at].v6.is_some() && rng.once_in(3);
            visit.carry(rng.heavy(900, 64 << 10), rng.heavy(6_000, 32 << 20));
            out.push(visit);
        }
    }

    /// Calls to another role of the account.
    fn internal(
        &self,
        role: Role,
        port: u16,
        count: u64,
        rng: &mut Rng,
        out: &mut Vec<Conversation>,
    ) {
        let servers = self
            .inventory
            .stable(self.inventory.enis[self.at].account, role);
        for _ in 0..count {
            let Some(server) = servers.get(rng.index(servers.len())).copied() else {
                return;
            };
            if server == self.at {
                continue;
            }
            let mut call = self.tcp(Host::Eni(server), port, rng);
            call.carry(rng.heavy(800, 1 << 20), rng.heavy(2_000, 64 << 20));
            out.push(call);
        }
    }

    /// Connections to the destinations of the role.
    fn outbound(&self, count: u64, rng: &mut Rng, out: &mut Vec<Conversation>) {
        let eni = &self.inventory.enis[self.at];
        for _ in 0..count {
            let Some(peer) = self.destinations.established(eni.role, rng) else {
                return;
            };
            let mut request = self.tcp(Host::Outside(peer), peer.port, rng);
            request.v6 = eni.v6.is_some() && peer.v6.is_some() && rng.once_in(2);
            let (up, down) = match peer.usage {
                Usage::Api => (rng.heavy(700, 256 << 10), rng.heavy(1_500, 4 << 20)),
                Usage::Upload => (rng.heavy(150_000, 256 << 20), rng.between(400, 900)),
                Usage::Fetch => (rng.heavy(500, 8 << 10), rng.heavy(60_000, 512 << 20)),
            };
            request.secs += i64::try_from((up + down) / BYTES_PER_SEC).unwrap_or(0);
            request.carry(up, down);
            out.push(request);
        }
    }

    /// On the span's first day, a small request to each destination of the role, so that what is used
    /// seldom is established all the same.
    fn acquaint(&self, rng: &mut Rng, out: &mut Vec<Conversation>) {
        let eni = &self.inventory.enis[self.at];
        let Ok(hour) = usize::try_from((self.start - self.span_start) / 3_600) else {
            return;
        };
        if hour >= 24 {
            return;
        }
        for peer in self
            .destinations
            .pool(eni.role)
            .iter()
            .skip(hour)
            .step_by(24)
        {
            for v6 in [false, true] {
                if v6 && (eni.v6.is_none() || peer.v6.is_none()) {
                    continue;
                }
                let mut request = self.tcp(Host::Outside(*peer), peer.port, rng);
                request.v6 = v6;
                request.carry(rng.heavy(700, 64 << 10), rng.heavy(1_500, 256 << 10));
                out.push(request);
            }
        }
    }

    /// One connection a day between two databases, nearly idle: its later windows have no flags.
    fn replication(&self, rng: &mut Rng, out: &mut Vec<Conversation>) {
        let (hour, _, _) = Timestamp(self.start).time_of_day();
        let databases = self
            .inventory
            .stable(self.inventory.enis[self.at].account, Role::Database);
        let [primary, replica, ..] = databases[..] else {
            return;
        };
        if hour != 0 || self.at != replica {
            return;
        }
        let mut stream = self.tcp(Host::Eni(primary), 5_432, rng);
        stream.secs = 86_000 - (stream.start - self.start);
        stream.up = Traffic::new(240, 240 * 36);
        stream.down = Traffic::new(300, 300 * 90);
        out.push(stream);
    }

    /// SSH from the office, SSH to hosts of the account, and pings.
    fn administration(&self, count: u64, rng: &mut Rng, out: &mut Vec<Conversation>) {
        for _ in 0..count {
            let secs = 30 + rng.secs(600);
            let mut login = self.tcp(Host::Eni(self.at), 22, rng);
            login.client = Host::Outside(self.destinations.office);
            login.secs = secs;
            login.carry(rng.heavy(4_000, 1 << 20), rng.heavy(9_000, 8 << 20));
            out.push(login);
            let role = [Role::App, Role::Database, Role::Batch][rng.index(3)];
            self.internal(role, 22, 1, rng, out);
            let hosts = self
                .inventory
                .stable(self.inventory.enis[self.at].account, role);
            let Some(host) = hosts.get(rng.index(hosts.len())).copied() else {
                continue;
            };
            let mut ping = self.tcp(Host::Eni(host), 0, rng);
            (ping.protocol, ping.client_port) = (Protocol::Icmp, 0);
            ping.secs = 3;
            (ping.up, ping.down) = (Traffic::new(4, 4 * 56), Traffic::new(4, 4 * 56));
            out.push(ping);
        }
    }

    fn scans(&self, count: u64, rng: &mut Rng, out: &mut Vec<Conversation>) {
        const PORTS: [u16; 8] = [22, 23, 445, 1_433, 3_389, 5_900, 6_379, 8_080];
        for _ in 0..count {
            let port = PORTS[rng.index(PORTS.len())];
            let mut scan = self.tcp(Host::Eni(self.at), port, rng);
            scan.client = Host::Outside(scanner(rng));
            scan.secs = rng.secs(3);
            scan.outcome = Outcome::Refused;
            scan.up = Traffic::new(rng.between(1, 2), 0);
            out.push(scan);
        }
    }

    /// A TCP connection of this interface, at any time of the hour, not yet carrying anything.
    fn tcp(&self, server: Host, server_port: u16, rng: &mut Rng) -> Conversation {
        let idle = if rng.once_in(12) { rng.secs(240) } else { 0 };
        let reset = rng.once_in(50);
        Conversation {
            key: rng.bits(),
            client: Host::Eni(self.at),
            server,
            protocol: Protocol::Tcp,
            v6: false,
            client_port: rng.port(32_768, 60_999),
            server_port,
            start: self.start + rng.secs(3_600),
            secs: rng.secs(8) + idle,
            up: Traffic::default(),
            down: Traffic::default(),
            outcome: if reset {
                Outcome::Reset
            } else {
                Outcome::Closed
            },
        }
    }
}

fn shape(role: Role) -> Shape {
    match role {
        Role::Web | Role::App | Role::Database => Shape::People,
        Role::Bastion => Shape::Office,
        Role::Batch | Role::Backup | Role::NatGateway => Shape::Nightly,
    }
}

/// Drops what an autoscaled interface would do before it exists or after it is gone, and cuts what is left
/// at its end.
fn live_only(eni: &Eni, from: usize, out: &mut Vec<Conversation>) {
    let mut at = from;
    while at < out.len() {
        if eni.lives_at(out[at].start) {
            out[at].secs = out[at].secs.min(eni.life.1 - 1 - out[at].start);
            at += 1;
        } else {
            out.swap_remove(at);
        }
    }
}
