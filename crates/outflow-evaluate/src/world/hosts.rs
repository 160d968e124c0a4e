//! Who is in a world.

use outflow_sim::{Domain, Rng};

use super::WorldConfig;
use super::destinations::{Destination, Pools};

/// What a host is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Serves clients outside.
    Web,
    /// Calls services of others.
    App,
    /// Works at night.
    Batch,
    /// Hardly goes out.
    Database,
    /// Sends gigabytes to one place, once a night.
    Backup,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [
        Self::Web,
        Self::App,
        Self::Batch,
        Self::Database,
        Self::Backup,
    ];

    /// Of twenty interfaces, two serve the web, and so on.
    fn of(number: u32) -> Self {
        match number % 20 {
            0..5 => Self::Web,
            5..12 => Self::App,
            12..16 => Self::Batch,
            16..19 => Self::Database,
            _ => Self::Backup,
        }
    }

    /// How busy it is in an hour of the week, in percent of its mean.
    pub(super) fn percent(self, hour_of_week: u32) -> u64 {
        let (day, hour) = (hour_of_week / 24, hour_of_week % 24);
        let is_weekend = day >= 5;
        let by_hour = match (self, hour) {
            (Self::Web | Self::App, 8..18) => 180,
            (Self::Web | Self::App, 18..23) => 90,
            (Self::Web | Self::App, _) => 35,
            (Self::Batch, 0..6) => 260,
            (Self::Batch, _) => 45,
            (Self::Database | Self::Backup, _) => 100,
        };
        let of_week = match self {
            Self::Web | Self::App if is_weekend => 50,
            _ => 100,
        };
        by_hour * of_week / 100
    }

    /// Connections that it opens, in percent of a world's mean.
    pub(super) fn outbound_percent(self) -> u64 {
        match self {
            Self::Web => 50,
            Self::App => 150,
            Self::Batch => 110,
            Self::Database | Self::Backup => 25,
        }
    }
}

/// A host and its only interface.
#[derive(Debug, Clone)]
pub struct Host {
    /// Number of the interface.
    pub eni: u32,
    /// Its id.
    pub interface_id: String,
    /// The id of its instance.
    pub instance_id: String,
    /// Its own IPv4 address.
    pub addr: u32,
    /// Number of its account.
    pub account: u32,
    /// What it is there for.
    pub role: Role,
    /// How much it does, compared with others of its role, in percent.
    pub size_percent: u64,
    /// Where it goes.
    pub destinations: Vec<Destination>,
}

/// Hosts that a fleet gains when it grows: they do nothing until a scenario starts them.
pub(super) const FLEET_ENIS: u32 = 12;

/// Instances that an Auto Scaling group may start: of one role and account, made from one image, so that each goes where its
/// role does, and nowhere else. They come behind all others.
pub(super) fn fleet(config: &WorldConfig, pools: &Pools) -> Vec<Host> {
    let role = Role::App;
    let first = config.enis;
    let of = |eni: u32| {
        let mut rng = Rng::keyed(config.seed, Domain::Evaluation, [2, u64::from(eni)]);
        let id = rng.bits() >> 4;
        // Behind the last host of the first account.
        let number = first / config.accounts + 11 + (eni - first);
        Host {
            eni,
            interface_id: format!("eni-{id:017x}"),
            instance_id: format!("i-{id:017x}"),
            addr: 0x0a00_0000 | number,
            account: 0,
            role,
            size_percent: 100,
            destinations: pools.of_image(role),
        }
    };
    (first..first + FLEET_ENIS).map(of).collect()
}

pub(super) fn hosts(config: &WorldConfig, pools: &Pools) -> Vec<Host> {
    let of = |eni: u32| {
        let mut rng = Rng::keyed(config.seed, Domain::Evaluation, [2, u64::from(eni)]);
        let account = eni % config.accounts;
        let role = Role::of(eni / config.accounts);
        let number = (eni / config.accounts) + 10;
        let id = rng.bits() >> 4;
        Host {
            eni,
            interface_id: format!("eni-{id:017x}"),
            instance_id: format!("i-{id:017x}"),
            addr: 0x0a00_0000 | account << 16 | number,
            account,
            role,
            size_percent: rng.heavy(40, 800),
            destinations: pools.choose(role, &mut rng),
        }
    };
    (0..config.enis).map(of).collect()
}
