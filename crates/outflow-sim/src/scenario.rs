//! The labelled scenarios: what takes data out or calls home, and what only looks like it.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// Something that happens in a world on top of its ordinary traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scenario {
    /// 2 GB in 20 minutes to a new address over 443.
    Burst,
    /// 150 MB on every day of the span to one new address, in small windows.
    Drip,
    /// 400 MB a day spread over 40 new addresses.
    SplitDestinations,
    /// A DNS-shaped tunnel of 10 kB a minute to an outside resolver for five hours.
    ResolverBypass,
    /// 20 kB/s in ICMP packets of 1,000 bytes for a quarter of an hour.
    IcmpTunnel,
    /// A nightly, incremental backup of some 45 MB to an established address moves to another hour of the day.
    BackupMoved,
    /// A dozen interfaces begin, at the same time, to send a little to five new addresses.
    Deploy,
    /// 100 GB pulled from one address; upstream are only acknowledgements.
    BigDownload,
    /// A small request every five minutes, give or take two fifths, to a new address until the span ends.
    Beacon,
    /// One connection to a new address that stays open for 15 hours, and takes 40 MB out.
    LongConnection,
    /// Half a dozen interfaces report to one address every half hour, from the first day on.
    Agents,
}

/// Whether a scenario is one to find or one to stay silent about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Data leaves that should not.
    Malicious,
    /// Unusual, yet nothing leaves that should not.
    Benign,
}

impl Class {
    /// The name that `labels.csv` has.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malicious => "malicious",
            Self::Benign => "benign",
        }
    }
}

impl Scenario {
    /// Every scenario. New ones come last, so that the others keep their interfaces and addresses.
    pub const ALL: &'static [Self] = &[
        Self::Burst,
        Self::Drip,
        Self::SplitDestinations,
        Self::ResolverBypass,
        Self::IcmpTunnel,
        Self::BackupMoved,
        Self::Deploy,
        Self::BigDownload,
        Self::Beacon,
        Self::LongConnection,
        Self::Agents,
    ];

    /// The name on command lines and in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Drip => "drip",
            Self::SplitDestinations => "split-destinations",
            Self::ResolverBypass => "resolver-bypass",
            Self::IcmpTunnel => "icmp-tunnel",
            Self::BackupMoved => "backup-moved",
            Self::Deploy => "deploy",
            Self::BigDownload => "big-download",
            Self::Beacon => "beacon",
            Self::LongConnection => "long-connection",
            Self::Agents => "agents",
        }
    }

    /// Whether it is to be found or to be passed over.
    pub const fn class(self) -> Class {
        match self {
            Self::Burst
            | Self::Drip
            | Self::SplitDestinations
            | Self::ResolverBypass
            | Self::IcmpTunnel
            | Self::Beacon
            | Self::LongConnection => Class::Malicious,
            Self::BackupMoved | Self::Deploy | Self::BigDownload | Self::Agents => Class::Benign,
        }
    }

    /// The ATT&CK technique, or nothing where it is benign.
    pub const fn technique(self) -> &'static str {
        match self {
            Self::Burst => "T1048",
            Self::Drip | Self::SplitDestinations => "T1030",
            Self::ResolverBypass => "T1071.004",
            Self::IcmpTunnel => "T1095",
            Self::Beacon => "T1071.001",
            Self::LongConnection => "T1572",
            Self::BackupMoved | Self::Deploy | Self::BigDownload | Self::Agents => "",
        }
    }

    /// The kind of program whose traffic it resembles.
    pub const fn tool(self) -> &'static str {
        match self {
            Self::Burst | Self::Drip | Self::SplitDestinations => "https-upload",
            Self::ResolverBypass => "dns-tunnel",
            Self::IcmpTunnel => "icmp-tunnel",
            Self::BackupMoved => "backup-agent",
            Self::Deploy => "saas-agent",
            Self::BigDownload => "https-download",
            Self::Beacon => "https-beacon",
            Self::LongConnection => "tls-tunnel",
            Self::Agents => "monitoring-agent",
        }
    }

    /// The fewest days in which it shows what it is meant to show: the slow ones and those that break with
    /// a past need a second day.
    pub const fn days_min(self) -> u32 {
        match self {
            Self::Drip | Self::BackupMoved | Self::Deploy => 2,
            Self::Burst
            | Self::SplitDestinations
            | Self::ResolverBypass
            | Self::IcmpTunnel
            | Self::BigDownload
            | Self::Beacon
            | Self::LongConnection
            | Self::Agents => 1,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scenario {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .iter()
            .copied()
            .find(|scenario| scenario.name() == name)
            .ok_or_else(|| Error::UnknownScenario {
                name: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests;
