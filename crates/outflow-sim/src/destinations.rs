//! Where a world's interfaces go on the internet, and who comes from there.
//!
//! Each role has a pool of addresses that it uses from the first day on. The ranges are public ones, spread
//! as real traffic is; `45.0.0.0/8` and `185.0.0.0/8` are left to the malicious scenarios.

use outflow_record::Addr;

use crate::inventory::Role;
use crate::rng::{Domain, Rng};

/// A host outside the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) addr: Addr,
    pub(crate) v6: Option<Addr>,
    /// The AWS range that holds the address, as `pkt-dst-aws-service` names it.
    pub(crate) service: Option<&'static str>,
    pub(crate) port: u16,
    pub(crate) usage: Usage,
}

impl Peer {
    /// A host that no AWS range holds, over HTTPS.
    pub(crate) fn outside(addr: Addr) -> Self {
        Self {
            addr,
            v6: None,
            service: None,
            port: 443,
            usage: Usage::Api,
        }
    }

    /// Whether a gateway endpoint of the VPC takes the traffic, so that no NAT gateway sees it.
    pub(crate) fn by_gateway_endpoint(&self) -> bool {
        matches!(self.service, Some("S3" | "DYNAMODB"))
    }
}

/// What a destination is used for, which decides the sizes of requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// Small requests, small answers.
    Api,
    /// Uploads: log shipping, artefacts, exports.
    Upload,
    /// Downloads: packages, images, input data.
    Fetch,
}

/// A kind of destination: an address range and how it is used.
#[derive(Debug, Clone, Copy)]
struct Range {
    /// First two octets, and how many values the second may have.
    at: (u8, u8, u8),
    v6: Option<[u8; 4]>,
    service: Option<&'static str>,
}

const S3: Range = Range {
    at: (52, 216, 2),
    v6: None,
    service: Some("S3"),
};
const DYNAMODB: Range = Range {
    at: (52, 94, 1),
    v6: None,
    service: Some("DYNAMODB"),
};
const AMAZON: Range = Range {
    at: (52, 119, 1),
    v6: None,
    service: Some("AMAZON"),
};
const EC2: Range = Range {
    at: (3, 208, 12),
    v6: Some([0x26, 0, 0x1f, 0x18]),
    service: Some("EC2"),
};
const CLOUDFRONT: Range = Range {
    at: (13, 224, 4),
    v6: Some([0x26, 0, 0x90, 0]),
    service: Some("CLOUDFRONT"),
};
const SAAS: Range = Range {
    at: (104, 16, 8),
    v6: Some([0x26, 0x06, 0x47, 0]),
    service: None,
};
const TELEMETRY: Range = Range {
    at: (34, 149, 1),
    v6: None,
    service: None,
};
const MIRROR: Range = Range {
    at: (151, 101, 1),
    v6: Some([0x2a, 0x04, 0x4e, 0x42]),
    service: None,
};
const FORGE: Range = Range {
    at: (140, 82, 1),
    v6: None,
    service: None,
};

impl Range {
    fn draw(self, rng: &mut Rng) -> Addr {
        let (first, second, spread) = self.at;
        let second = rng.byte(second, second + (spread - 1));
        Addr::from_v4([first, second, rng.byte(0, 255), rng.byte(1, 254)])
    }

    fn peer(self, usage: Usage, rng: &mut Rng) -> Peer {
        let addr = self.draw(rng);
        let v6 = self.v6.map(|[a, b, c, d]| {
            let host = rng.bits().to_be_bytes();
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&[a, b, c, d]);
            bytes[8..].copy_from_slice(&host);
            Addr::from_bytes(bytes)
        });
        Peer {
            addr,
            v6,
            service: self.service,
            port: 443,
            usage,
        }
    }
}

/// The pools of all roles.
#[derive(Debug, Clone)]
pub(crate) struct Destinations {
    pools: Vec<(Role, Vec<Peer>)>,
    /// The office from which the bastion is used.
    pub(crate) office: Peer,
    /// The provider that keeps the backups.
    pub(crate) backup: Peer,
}

impl Destinations {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::keyed(seed, Domain::Destinations, [0, 0]);
        let pools = Role::ALL
            .iter()
            .map(|role| {
                let mut pool = Vec::new();
                for (range, usage, count) in mix(*role) {
                    for _ in 0..*count {
                        pool.push(range.peer(*usage, &mut rng));
                    }
                }
                // Early ones are used more; which kind that is should differ between seeds.
                rng.shuffle(&mut pool);
                (*role, pool)
            })
            .collect();
        let office = Peer::outside(Addr::from_v4([212, 58, rng.byte(0, 255), rng.byte(1, 254)]));
        let backup = Peer::outside(Addr::from_v4([38, 27, 106, rng.byte(1, 254)]));
        Self {
            pools,
            office,
            backup,
        }
    }

    /// An established destination of the role; the first of its pool are chosen more often.
    pub(crate) fn established(&self, role: Role, rng: &mut Rng) -> Option<Peer> {
        let pool = self.pool(role);
        let at = rng.index(pool.len()).min(rng.index(pool.len()));
        pool.get(at).copied()
    }

    /// All established destinations of the role.
    pub(crate) fn pool(&self, role: Role) -> &[Peer] {
        let own = self.pools.iter().find(|(own, _)| *own == role);
        own.map_or(&[], |(_, pool)| pool)
    }
}

/// A destination that nobody in the world has used before, as happens once in a while.
pub(crate) fn unheard_of(rng: &mut Rng) -> Peer {
    let (first, second) = [(34, 117), (20, 60), (172, 67), (141, 193)][rng.index(4)];
    Peer::outside(Addr::from_v4([
        first,
        second,
        rng.byte(0, 255),
        rng.byte(1, 254),
    ]))
}

/// Somebody who uses a web server: from ranges of access providers, some over IPv6.
pub(crate) fn visitor(rng: &mut Rng) -> Peer {
    let first = [73, 86, 90, 98, 109, 174, 188, 203][rng.index(8)];
    let addr = Addr::from_v4([first, rng.byte(16, 111), rng.byte(0, 255), rng.byte(1, 254)]);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&[
        0x26,
        0x01,
        0x02,
        rng.byte(0, 255),
        rng.byte(0, 255),
        0,
        0,
        0,
    ]);
    bytes[8..].copy_from_slice(&rng.bits().to_be_bytes());
    Peer {
        v6: Some(Addr::from_bytes(bytes)),
        ..Peer::outside(addr)
    }
}

/// Somebody who tries every address and port.
pub(crate) fn scanner(rng: &mut Rng) -> Peer {
    let (first, second, third) =
        [(162, 142, 125), (167, 94, 138), (80, 82, 77), (71, 6, 135)][rng.index(4)];
    Peer::outside(Addr::from_v4([first, second, third, rng.byte(1, 254)]))
}

fn mix(role: Role) -> &'static [(Range, Usage, u32)] {
    use Usage::{Api, Fetch, Upload};
    match role {
        Role::Web => &[
            (S3, Upload, 2),
            (CLOUDFRONT, Fetch, 2),
            (SAAS, Api, 4),
            (AMAZON, Api, 3),
        ],
        Role::App => &[
            (DYNAMODB, Api, 3),
            (AMAZON, Api, 4),
            (SAAS, Api, 5),
            (TELEMETRY, Upload, 2),
            (EC2, Api, 2),
            (S3, Fetch, 2),
        ],
        Role::Database => &[(S3, Upload, 3), (AMAZON, Api, 2)],
        Role::Batch => &[
            (S3, Fetch, 4),
            (S3, Upload, 3),
            (MIRROR, Fetch, 4),
            (FORGE, Fetch, 2),
            (AMAZON, Api, 2),
        ],
        Role::Bastion => &[(MIRROR, Fetch, 2), (AMAZON, Api, 1)],
        Role::Backup => &[(AMAZON, Api, 2)],
        Role::NatGateway => &[],
    }
}
