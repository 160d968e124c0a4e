//! The accounts, VPCs and interfaces of a world.

use std::collections::BTreeMap;

use outflow_record::Addr;

use crate::WorldConfig;
use crate::config::ENIS_PER_ACCOUNT_MIN;
use crate::rng::{Domain, Rng};

/// What an interface's host does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Gateway for the internet traffic of private subnets; requester-managed, so without an instance.
    NatGateway,
    /// SSH from the office, SSH to everything else.
    Bastion,
    /// Sends the nightly backup.
    Backup,
    /// Serves the internet behind a network load balancer that keeps client addresses.
    Web,
    /// Called by web servers, calls databases and services.
    App,
    /// Called by application servers.
    Database,
    /// Batch jobs and builds: large downloads, some uploads, mostly at night.
    Batch,
}

impl Role {
    pub(crate) const ALL: [Self; 7] = [
        Self::NatGateway,
        Self::Bastion,
        Self::Backup,
        Self::Web,
        Self::App,
        Self::Database,
        Self::Batch,
    ];

    /// Whether the subnet's route to the internet is the internet gateway itself.
    pub(crate) fn public(self) -> bool {
        matches!(self, Self::NatGateway | Self::Bastion | Self::Web)
    }

    /// Whether scenarios may happen on it: one of many alike, not a special host.
    pub(crate) fn ordinary(self) -> bool {
        matches!(self, Self::Web | Self::App | Self::Database | Self::Batch)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NatGateway => "nat",
            Self::Bastion => "bastion",
            Self::Backup => "backup",
            Self::Web => "web",
            Self::App => "app",
            Self::Database => "database",
            Self::Batch => "batch",
        }
    }
}

/// A network interface.
#[derive(Debug, Clone)]
pub(crate) struct Eni {
    pub(crate) account: usize,
    pub(crate) id: String,
    pub(crate) instance: Option<String>,
    pub(crate) role: Role,
    pub(crate) name: String,
    pub(crate) addr: Addr,
    pub(crate) v6: Option<Addr>,
    /// Position in [`Account::subnets`].
    pub(crate) subnet: usize,
    /// Second of the minute at which its capture windows begin; they are not aligned to the clock.
    pub(crate) phase: i64,
    /// First second of its life, and the second after its last.
    pub(crate) life: (i64, i64),
    pub(crate) autoscaled: bool,
}

impl Eni {
    pub(crate) fn lives_at(&self, at: i64) -> bool {
        (self.life.0..self.life.1).contains(&at)
    }
}

/// A subnet and its zone.
#[derive(Debug, Clone)]
pub(crate) struct Subnet {
    pub(crate) id: String,
    pub(crate) az: String,
}

/// An account with its one VPC and its one flow log.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) vpc: String,
    pub(crate) flow_log: String,
    /// Two public ones, then two private ones.
    pub(crate) subnets: Vec<Subnet>,
    /// The NAT gateway's interface.
    pub(crate) nat: usize,
}

/// Everything that has an identity.
#[derive(Debug, Clone)]
pub(crate) struct Inventory {
    pub(crate) accounts: Vec<Account>,
    pub(crate) enis: Vec<Eni>,
    /// Those that live over the whole span, by account and role.
    stable: BTreeMap<(usize, Role), Vec<usize>>,
}

/// The roles of a /16's hosts after the three special ones, over and over.
const CYCLE: [Role; 8] = [
    Role::Web,
    Role::App,
    Role::Batch,
    Role::App,
    Role::Database,
    Role::Web,
    Role::App,
    Role::Batch,
];

/// The last of each dozen is an application server of the Auto Scaling group.
const AUTOSCALED_EVERY: u32 = 12;

impl Inventory {
    pub(crate) fn new(config: &WorldConfig) -> Self {
        let mut inventory = Self {
            accounts: Vec::new(),
            enis: Vec::new(),
            stable: BTreeMap::new(),
        };
        for at in 0..config.accounts {
            let share =
                config.enis / config.accounts + u32::from(at < config.enis % config.accounts);
            inventory.add_account(config, at, share.max(ENIS_PER_ACCOUNT_MIN));
        }
        for (at, eni) in inventory
            .enis
            .iter()
            .enumerate()
            .filter(|(_, eni)| !eni.autoscaled)
        {
            inventory
                .stable
                .entry((eni.account, eni.role))
                .or_default()
                .push(at);
        }
        inventory
    }

    /// The account's interfaces of a role that live over the whole span.
    pub(crate) fn stable(&self, account: usize, role: Role) -> &[usize] {
        self.stable.get(&(account, role)).map_or(&[], Vec::as_slice)
    }

    fn add_account(&mut self, config: &WorldConfig, at: u32, share: u32) {
        let rng = &mut Rng::keyed(config.seed, Domain::Inventory, [at.into(), 0]);
        let zone: String = zone_prefix(&config.region);
        let subnets = (0..4).map(|subnet| Subnet {
            id: hex_id("subnet", rng),
            az: format!("{zone}-az{}", subnet % 2 + 1),
        });
        let account = Account {
            subnets: subnets.collect(),
            id: format!("{:012}", 100_000_000_000 + rng.below(899_999_999_999)),
            vpc: hex_id("vpc", rng),
            flow_log: hex_id("fl", rng),
            nat: self.enis.len(),
        };
        self.accounts.push(account);
        for host in 0..share {
            let role = match host {
                0 => Role::NatGateway,
                1 => Role::Bastion,
                2 => Role::Backup,
                _ if host % AUTOSCALED_EVERY == AUTOSCALED_EVERY - 1 => Role::App,
                _ => CYCLE[(host as usize - 3) % CYCLE.len()],
            };
            let span = (config.start.secs(), config.end().secs());
            if host % AUTOSCALED_EVERY != AUTOSCALED_EVERY - 1 {
                self.add_eni(role, host, span, rng);
                continue;
            }
            for day in 0..config.days {
                // Scaled out in the morning, in again in the evening.
                let midnight = span.0 + i64::from(day) * 86_400;
                let up = midnight + 6 * 3_600 + rng.secs(3 * 3_600);
                self.add_eni(role, host, (up, up + 8 * 3_600 + rng.secs(6 * 3_600)), rng);
                if let Some(eni) = self.enis.last_mut() {
                    eni.autoscaled = true;
                }
            }
        }
    }

    fn add_eni(&mut self, role: Role, host: u32, life: (i64, i64), rng: &mut Rng) {
        let account = self.accounts.len() - 1;
        let subnet = usize::from(!role.public()) * 2 + rng.index(2);
        let addr = self.free_addr(account, subnet, life, rng);
        let mut v6 = [0x26, 0, 0x1f, 0x13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        v6[4..6].copy_from_slice(&addr.bytes()[12..14]);
        v6[8..].copy_from_slice(&rng.bits().to_be_bytes());
        // Few subnets have IPv6 yet: some web servers, some application servers.
        let dual_stack = matches!(role, Role::Web | Role::App) && host.is_multiple_of(3);
        self.enis.push(Eni {
            account,
            id: hex_id("eni", rng),
            instance: (role != Role::NatGateway).then(|| hex_id("i", rng)),
            role,
            name: format!("{} server/{host}", role.name()),
            addr,
            v6: dual_stack.then(|| Addr::from_bytes(v6)),
            subnet,
            phase: rng.secs(60),
            life,
            autoscaled: false,
        });
    }

    /// An address of the subnet that no interface has during this life.
    fn free_addr(&self, account: usize, subnet: usize, life: (i64, i64), rng: &mut Rng) -> Addr {
        let second = u8::try_from(16 + account).unwrap_or(u8::MAX);
        let third = [0, 32, 64, 128][subnet];
        // The gateway is the first of an account's interfaces.
        let own = &self.enis[self.accounts[account].nat..];
        let overlaps = |eni: &Eni| eni.life.0 < life.1 && life.0 < eni.life.1;
        loop {
            let addr = Addr::from_v4([10, second, third + rng.byte(0, 31), rng.byte(4, 254)]);
            if !own.iter().any(|eni| eni.addr == addr && overlaps(eni)) {
                return addr;
            }
        }
    }
}

/// `use1` of `us-east-1`, as zone ids begin.
fn zone_prefix(region: &str) -> String {
    let mut parts = region.split('-');
    let country = parts.next().unwrap_or_default();
    let initials = parts.filter_map(|part| part.chars().next());
    country.chars().chain(initials).collect()
}

fn hex_id(prefix: &str, rng: &mut Rng) -> String {
    format!("{prefix}-0{:016x}", rng.bits())
}

#[cfg(test)]
mod tests;
