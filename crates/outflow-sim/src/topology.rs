//! Small networks in which the same bytes are logged at many places, and what hosts really sent.
//!
//! ```text
//!   host ──┬─────────────────────────────► internet       public subnet
//!          ├──► NAT gateway ─────────────► internet       private subnet
//!          ├──► transit gateway ──► NAT gateway of VPC 0  central egress
//!          └──► load balancer that keeps client addresses (answers)
//! ```
//!
//! Any of these may be logged or not, an interface in several flow logs at once or in one after the other, and the
//! transit gateway in its own.

mod rows;

use outflow_record::Addr;

use crate::rng::{Domain, Rng};
use rows::{Ends, Writer};

/// A network's logs, and what its hosts sent to the internet.
#[derive(Debug, Clone)]
pub struct Topology {
    /// One text for each flow log.
    pub logs: Vec<TopologyLog>,
    /// Bytes that hosts sent out and that some log shows, headers included.
    pub sent_bytes: u64,
    /// Of them, the payload.
    pub sent_payload_bytes: u64,
}

/// A flow log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopologyLog {
    /// `fl-…`.
    pub flow_log: String,
    /// Its owner.
    pub account_id: String,
    /// Header and records.
    pub text: String,
}

/// An interface, and the flow logs that cover it.
#[derive(Debug, Clone)]
struct Eni {
    id: String,
    instance_id: Option<String>,
    vpc: usize,
    addr: Addr,
    covers: Vec<Cover>,
}

impl Eni {
    fn is_logged(&self) -> bool {
        !self.covers.is_empty()
    }
}

/// A flow log of an interface, and the times of which it has records.
#[derive(Debug, Clone, Copy)]
struct Cover {
    log: usize,
    from: i64,
    until: i64,
}

#[derive(Debug, Clone)]
struct Vpc {
    id: String,
    account_id: String,
    hosts: Vec<Host>,
    nat: Option<Eni>,
    balancer: Option<Eni>,
    /// The transit gateway's interface, and the id of its attachment.
    transit: Option<(Eni, String)>,
    peers: Vec<Addr>,
}

#[derive(Debug, Clone)]
struct Host {
    eni: Eni,
    is_public: bool,
}

/// Packets one way within a window.
#[derive(Debug, Clone, Copy)]
struct Window {
    start: i64,
    flags: u8,
    packets: u64,
    bytes: u64,
}

const START: i64 = 1_788_220_800;
const DAYS: u64 = 2;
/// IPv4 with 32 bytes of TCP.
const HEADER_BYTES: u64 = 52;
/// Interfaces have one of these logs, or two.
const LOGS: usize = 3;
/// Peers of a VPC that its hosts call; one more calls them.
const CALLED: u8 = 3;
/// The log of the transit gateway, where it has one.
const TRANSIT_LOG: usize = LOGS;

impl Topology {
    /// The network of a seed.
    pub fn new(seed: u64) -> Self {
        Build::new(seed).run()
    }
}

struct Build {
    rng: Rng,
    vpcs: Vec<Vpc>,
    writer: Writer,
    has_transit_log: bool,
    sent_bytes: u64,
    sent_payload_bytes: u64,
    enis: u64,
}

impl Build {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::keyed(seed, Domain::Topology, [0, 0]);
        let has_direction = !rng.once_in(3);
        let has_transit_log = rng.once_in(2);
        let mut build = Self {
            rng,
            vpcs: Vec::new(),
            writer: Writer::new(LOGS, has_direction),
            has_transit_log,
            sent_bytes: 0,
            sent_payload_bytes: 0,
            enis: 0,
        };
        let count = build.rng.between(1, 4);
        for at in 0..count {
            let vpc = build.vpc(at);
            build.vpcs.push(vpc);
        }
        build
    }

    fn run(mut self) -> Topology {
        for vpc in 0..self.vpcs.len() {
            for host in 0..self.vpcs[vpc].hosts.len() {
                for _ in 0..self.rng.between(1, 4) {
                    self.talk(vpc, host);
                }
            }
        }
        let owners = [
            "111111111111",
            "222222222222",
            "333333333333",
            "444444444444",
        ];
        Topology {
            logs: self.writer.finish(&owners),
            sent_bytes: self.sent_bytes,
            sent_payload_bytes: self.sent_payload_bytes,
        }
    }

    /// A VPC. Those that are not attached to the transit gateway all have the same addresses.
    fn vpc(&mut self, at: u64) -> Vpc {
        let index = self.vpcs.len();
        let is_attached = at == 0 || self.rng.once_in(2);
        let octet = if is_attached {
            u8::try_from(at).unwrap_or(u8::MAX)
        } else {
            99
        };
        let addr = |last: u8| Addr::from_v4([10, octet, 0, last]);
        let hosts = (0..self.rng.byte(1, 4))
            .map(|host| Host {
                is_public: self.rng.once_in(3),
                eni: self.eni(index, addr(10 + host), true),
            })
            .collect();
        let has_nat = at == 0 || self.rng.once_in(2);
        let has_balancer = self.rng.once_in(3);
        // Hosts of the same address in networks of their own talk to others: sums would not tell them apart.
        let peer = |peer: u8| Addr::from_v4([45, u8::try_from(at).unwrap_or(0), 0, peer]);
        let shared = |peer: u8| Addr::from_v4([45, 200, 0, peer]);
        Vpc {
            id: format!("vpc-{at}"),
            account_id: format!("{:012}", 111_111_111_111 * (at % 2 + 1)),
            hosts,
            nat: has_nat.then(|| self.eni(index, addr(200), false)),
            balancer: has_balancer.then(|| self.eni(index, addr(201), false)),
            transit: is_attached.then(|| {
                let eni = self.eni(index, addr(202), false);
                (eni, format!("tgw-attach-{at}"))
            }),
            peers: (0..=CALLED)
                .map(|number| {
                    if is_attached {
                        shared(number)
                    } else {
                        peer(number)
                    }
                })
                .collect(),
        }
    }

    fn eni(&mut self, vpc: usize, addr: Addr, is_instance: bool) -> Eni {
        self.enis += 1;
        let whole = |log| Cover {
            log,
            from: i64::MIN,
            until: i64::MAX,
        };
        // Between two buckets of ten minutes.
        let middle = START + 600 * self.rng.secs(144 * DAYS);
        let first = self.rng.index(LOGS);
        let second = (first + 1) % LOGS;
        let (ended, begun) = (
            Cover {
                until: middle,
                ..whole(first)
            },
            Cover {
                from: middle,
                ..whole(second)
            },
        );
        let covers = match self.rng.below(8) {
            0 | 1 => vec![],
            2 => vec![whole(first), whole(second)],
            3 => vec![whole(first), begun],
            4 => vec![ended, begun],
            _ => vec![whole(first)],
        };
        Eni {
            id: format!("eni-{:02}", self.enis),
            instance_id: is_instance.then(|| format!("i-{:02}", self.enis)),
            vpc,
            addr,
            covers,
        }
    }

    /// A conversation of a host, as every interface on its way logs it.
    fn talk(&mut self, vpc: usize, host: usize) {
        let day = 86_400 * self.rng.secs(DAYS);
        let up = self.windows(day, 2);
        let down = self.windows(day, 18);
        let peers = &self.vpcs[vpc].peers;
        let all_called = usize::from(CALLED);
        let (called, served) = (peers[self.rng.index(all_called)], peers[all_called]);
        let port = self.rng.port(32_768, 60_000);
        let from = self.vpcs[vpc].hosts[host].clone();
        let ends = Ends {
            near: from.eni.addr,
            far: called,
            near_port: port,
            far_port: 443,
        };
        match self.rng.below(6) {
            0 => self.inside(&from.eni, &up),
            1 if self.vpcs[vpc].balancer.is_some() => {
                // Not one of those that are called: what goes there by two ways is not told apart.
                let served = Ends {
                    far: served,
                    near_port: 443,
                    far_port: port,
                    ..ends
                };
                self.serve(vpc, &from.eni, served, &down, &up);
            }
            _ => self.call(vpc, &from, ends, &up, &down),
        }
    }

    fn windows(&mut self, day: i64, flags: u8) -> Vec<Window> {
        let count = self.rng.between(1, 5);
        let windows = (0..count).map(|at| {
            let packets = self.rng.between(1, 50);
            Window {
                // Never over the end of a day: sums of days are compared.
                start: START + day + 600 + self.rng.secs(84_000),
                flags: if at == 0 { flags } else { 0 },
                packets,
                bytes: packets * (HEADER_BYTES + self.rng.between(1, 1_300)),
            }
        });
        windows.collect()
    }

    /// The host calls somebody outside.
    fn call(&mut self, vpc: usize, host: &Host, ends: Ends, up: &[Window], down: &[Window]) {
        let own = &self.vpcs[vpc];
        let central = &self.vpcs[0];
        let mut is_seen = host.eni.is_logged();
        if !host.is_public {
            if let Some(nat) = &own.nat {
                is_seen |= nat.is_logged();
                self.writer.nat(nat, own, ends, up, down);
            } else if let (Some(near), Some(far), Some(nat)) =
                (&own.transit, &central.transit, &central.nat)
            {
                is_seen |= near.0.is_logged() | far.0.is_logged() | nat.is_logged();
                self.writer.transit_near(&near.0, own, ends, up, down);
                self.writer.transit_far(&far.0, central, ends, up, down);
                self.writer.nat(nat, central, ends, up, down);
                if self.has_transit_log {
                    is_seen = true;
                    self.writer
                        .transit_log((own, &near.1), (central, &far.1), ends, up, down);
                }
            } else {
                return;
            }
        }
        self.writer.host(&host.eni, own, ends, up, down);
        self.count(is_seen, up);
    }

    /// The host answers somebody outside, through a load balancer.
    fn serve(&mut self, vpc: usize, host: &Eni, ends: Ends, up: &[Window], down: &[Window]) {
        let own = &self.vpcs[vpc];
        let Some(balancer) = &own.balancer else {
            return;
        };
        self.writer.host(host, own, ends, up, down);
        // The near leg and the far one, as at a NAT gateway.
        self.writer.nat(balancer, own, ends, up, down);
        let is_seen = host.is_logged() || balancer.is_logged();
        self.count(is_seen, up);
    }

    /// The host calls another one inside: both log it, and so do the gateways between them.
    fn inside(&mut self, host: &Eni, up: &[Window]) {
        let other = &self.vpcs[self.rng.index(self.vpcs.len())];
        let far = &other.hosts[self.rng.index(other.hosts.len())].eni;
        let ends = Ends {
            near: host.addr,
            far: far.addr,
            near_port: 40_000,
            far_port: 5_432,
        };
        let own = &self.vpcs[host.vpc];
        self.writer.host(host, own, ends, up, &[]);
        self.writer.host(far, other, ends.turned(), &[], up);
        if let (true, Some(near), Some(next)) = (host.vpc != far.vpc, &own.transit, &other.transit)
        {
            self.writer.transit_near(&near.0, own, ends, up, &[]);
            self.writer
                .transit_near(&next.0, other, ends.turned(), &[], up);
        }
    }

    fn count(&mut self, is_seen: bool, up: &[Window]) {
        for window in up.iter().filter(|_| is_seen) {
            self.sent_bytes += window.bytes;
            self.sent_payload_bytes += window.bytes - HEADER_BYTES * window.packets;
        }
    }
}

#[cfg(test)]
mod tests;
