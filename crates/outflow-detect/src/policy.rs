//! The bounds and lists that judging goes by: defaults, and what a configuration file may change.

pub(crate) mod dns;
pub(crate) mod path;
pub(crate) mod telemetry;

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Error;
use crate::services::{is_service, meant, port_of};
use crate::state::{PEERS_MAX, PLACES_MAX};
pub use dns::{Dns, KnownDomain};
pub use path::{Path, Way};
pub use telemetry::Telemetry;

/// Bounds and lists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Bounds of the ledgers.
    pub bounds: Bounds,
    /// When a destination counts as known.
    pub baseline: Baseline,
    /// How surprising something must be.
    pub scores: Scores,
    /// What names may carry.
    pub dns: Dns,
    /// Where payload may go.
    pub jurisdiction: Jurisdiction,
    /// By which way payload may leave.
    pub path: Path,
    /// To whom logs, metrics and objects may go.
    pub telemetry: Telemetry,
    /// Destinations that are allowed a volume of their own.
    pub sanctioned: Vec<Sanctioned>,
    /// Outside resolvers that hosts may use.
    #[serde(deserialize_with = "networks")]
    pub resolvers_allowed: Vec<IpNet>,
    /// Outbound services that are no finding, as `tcp/22` or `gre`.
    pub services_allowed: Vec<String>,
    /// Services that hosts offer to the outside, as `tcp/8443`. Only ports above 1,023 of logs without
    /// `tcp-flags` need to be named: elsewhere the log itself tells.
    pub services_served: Vec<String>,
}

impl Policy {
    /// How many of so many workloads may know a destination that is rare: a hundredth, or a few.
    pub(crate) fn rare_workloads(&self, workloads: usize) -> usize {
        (workloads / 100).max(self.baseline.rare_workloads as usize)
    }

    /// Whether a destination that so many of all workloads know is rare.
    pub(crate) fn is_rare(&self, prevalence: usize, workloads: usize) -> bool {
        prevalence <= self.rare_workloads(workloads)
    }

    /// Whether a registered domain that so many of all clients ask for is rare.
    pub(crate) fn is_rare_domain(&self, clients: usize, all: usize) -> bool {
        let share = all.saturating_mul(self.dns.rare_percent as usize) / 100;
        clients <= share.max(self.baseline.rare_workloads as usize)
    }

    /// Checks what types cannot: bounds above zero that grow with their span, and services that there are.
    ///
    /// # Errors
    /// [`Error::Policy`] names the first value that makes no sense.
    pub fn validate(&self) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::Policy { reason });
        self.bounds.validate()?;
        let Baseline {
            peers,
            peers_percent,
            ..
        } = self.baseline;
        if peers == 0 || !(1..=100).contains(&peers_percent) {
            return wrong(format!(
                "baseline: {peers_percent} of a hundred of at least {peers} peers is no group; peers must be above zero and \
                 peers_percent 1 to 100"
            ));
        }
        if self.scores.shift_deviations == 0 || self.scores.spread_eighths == 0 {
            return wrong(
                "scores: with shift_deviations or spread_eighths of zero, every swing is a shift"
                    .to_owned(),
            );
        }
        if self.scores.beacon == 0 || self.scores.rare == 0 || self.scores.total == 0 {
            return wrong(
                "scores: zero bits are no surprise, so everything would be told".to_owned(),
            );
        }
        if let Some(code) = self.jurisdiction.wrong_code() {
            return wrong(format!(
                "jurisdiction: `{code}` is no country in two capital letters, such as DE (ISO 3166-1)"
            ));
        }
        if let Some(reason) = self.path.wrong().or_else(|| self.telemetry.wrong()) {
            return wrong(reason);
        }
        if let Some(name) = self.services_allowed.iter().find(|name| !is_service(name)) {
            let meant = meant(name).join(", ");
            return wrong(format!(
                "services_allowed: there is no service `{name}`; there are {meant}, and ports such as `tcp/22`"
            ));
        }
        if let Some(reason) = self.dns.wrong() {
            return wrong(reason);
        }
        let no_port = |name: &&String| port_of(name).is_none();
        match self.services_served.iter().find(no_port) {
            Some(name) => wrong(format!(
                "services_served: `{name}` is no protocol and port such as `tcp/8443`"
            )),
            None => Ok(()),
        }
    }
}

/// Bounds in bytes of payload. Above them there is no silent miss.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// Unexplained payload of one workload.
    pub workload: Horizons,
    /// Unexplained payload to one destination group, from workloads below their own bound.
    pub destination: Horizons,
    /// Unexplained payload of one account, below both other bounds.
    pub account: Horizons,
    /// Payload both ways between an interface and an outside resolver, a day.
    pub resolver_day: u64,
    /// ICMP payload from an interface to an outside address, a day.
    pub icmp_day: u64,
    /// Payload to an outside service that policy names, a day.
    pub service_day: u64,
    /// Payload to an established destination above its own median, a day, that is a shift once it stays. Lower tells of
    /// smaller rises.
    pub shift_day: u64,
    /// Payload that a workload sends a day in all, of what its past, others and policy explain, above what it used to send in
    /// all; it is told where it is rare (`scores.total`). Lower tells of smaller rises that many destinations share.
    pub total_day: u64,
    /// Payload of a workload within 30 days, without its greatest day, to destinations that few know and the log saw begin;
    /// it is told where it is rare (`scores.trickle`). Lower tells of slower drips.
    pub trickle: u64,
    /// Payload that a service sends its clients above what its past explains, a day.
    pub served_day: u64,
    /// Hours that a connection to a destination which few know may stay open.
    pub connection_hours: u32,
    /// Addresses and ports outside that do not answer a workload, a day, of those that it tries.
    pub unanswered_day: u32,
    /// Addresses and ports inside that refuse an interface or do not answer it, a day; up to 128, until which they are told apart.
    /// Lower tells of smaller scans, and of hosts whose peers went away.
    pub unanswered_inside_day: u32,
    /// Payload that a workload pushes to a destination over unencrypted HTTP, a day.
    pub cleartext_day: u64,
    /// Payload of a workload to a country or network that policy forbids, a day.
    pub jurisdiction_day: u64,
    /// Payload of a workload by a way that policy forbids, to a region of AWS that it forbids, or to a service of AWS past
    /// the endpoint that the VPC has for it, a day. Higher passes over more calls of an API.
    pub path_day: u64,
    /// Payload of a workload to a site or customer of a known vendor that policy does not allow, or that is a second one
    /// beside that in use, a day. Higher passes over trials of another site.
    pub telemetry_day: u64,
    /// Payload that a host takes in from inside and then sends to destinations that are not established, within three days.
    pub relay: u64,
    /// Hosts inside from which that payload comes, at least. Lower tells of copies between a few hosts, too.
    pub relay_peers: u32,
}

impl Bounds {
    fn validate(&self) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::Policy { reason });
        let Self {
            workload,
            destination,
            account,
            ..
        } = self;
        let horizons = [
            ("workload", workload),
            ("destination", destination),
            ("account", account),
        ];
        for (name, Horizons { day, week, month }) in horizons {
            if *day == 0 || week < day || month < week {
                return wrong(format!(
                    "bounds.{name}: day {day}, week {week} and month {month} must be above zero and grow"
                ));
            }
        }
        let Self {
            resolver_day,
            icmp_day,
            service_day,
            shift_day,
            total_day,
            trickle,
            served_day,
            cleartext_day,
            jurisdiction_day,
            path_day,
            telemetry_day,
            relay,
            ..
        } = *self;
        let of_bytes = [
            resolver_day,
            icmp_day,
            service_day,
            shift_day,
            total_day,
            trickle,
            served_day,
            cleartext_day,
            jurisdiction_day,
            path_day,
            telemetry_day,
            relay,
        ];
        if of_bytes.contains(&0) {
            return wrong("bounds: a bound of zero bytes would charge everything".to_owned());
        }
        self.validate_counts()
    }

    /// Checks what is no payload.
    fn validate_counts(&self) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::Policy { reason });
        let Self {
            connection_hours,
            unanswered_day,
            unanswered_inside_day,
            relay_peers,
            ..
        } = *self;
        if unanswered_day == 0 {
            return wrong(
                "bounds.unanswered_day: everybody leaves zero addresses unanswered".to_owned(),
            );
        }
        if unanswered_inside_day == 0 || unanswered_inside_day as usize > PLACES_MAX {
            return wrong(format!(
                "bounds.unanswered_inside_day: {unanswered_inside_day} is none of 1 to {PLACES_MAX}, up to which addresses and \
                 ports are told apart"
            ));
        }
        if relay_peers == 0 || relay_peers as usize > PEERS_MAX {
            return wrong(format!(
                "bounds.relay_peers: {relay_peers} is none of 1 to {PEERS_MAX}, up to which hosts are told apart"
            ));
        }
        if connection_hours == 0 {
            return wrong("bounds.connection_hours: every connection lasts zero hours".to_owned());
        }
        Ok(())
    }
}

/// How surprising something must be, in bits: so many times halved is the probability that chance alone does it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scores {
    /// Of connections that begin evenly, from which on they are a beacon. Fewer find beacons with fewer connections or
    /// more jitter, and more by chance: 20 are one in a million pairs and days.
    pub beacon: u32,
    /// Of a first meeting with a destination, from which on it is told by itself. So many bits need 2 to their power
    /// workload-days before: 16 are 65,536, which a hundred hosts do not have in five weeks.
    pub rare: u32,
    /// Of a beacon, a long connection, a shift or a scan among all workload-days before, from which on it is more than a
    /// note: 5 are one in 32. Where there are more workloads than that, less than one a day of all of them.
    pub unusual: u32,
    /// Of payload that exceeds what was sent to an established destination, among all workload-days so far, from which on
    /// it is more than a note: 12 are one in 4,096. Of fewer workload-days, the largest, once there are 128.
    pub excess: u32,
    /// Of what trickles to destinations that few know, among all workload-days before and by their tail, from which on it is
    /// told. Fewer bits tell of smaller sums.
    pub trickle: u32,
    /// Of all that a workload sends a day, by its distance from its past, among all workload-days before and by their tail, from
    /// which on it is told: 12 are one in 4,096. Fewer bits tell of smaller distances.
    pub total: u32,
    /// Not bits: median deviations of its past by which what is sent to an established destination must have risen to be a
    /// shift. Fewer tell of rises that the past comes closer to.
    pub shift_deviations: u32,
    /// Not bits: the least deviation that a past is taken to have for that, in eighths of an octave (2 are a fifth). More tell
    /// less of what hardly varies.
    pub spread_eighths: u32,
}

impl Default for Scores {
    fn default() -> Self {
        Self {
            beacon: 20,
            rare: 16,
            unusual: 5,
            excess: 12,
            trickle: 12,
            total: 12,
            shift_deviations: 4,
            spread_eighths: 2,
        }
    }
}

/// Bounds over one, seven and thirty days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Horizons {
    /// Within 24 hours.
    pub day: u64,
    /// Within 7 UTC days.
    pub week: u64,
    /// Within 30 UTC days.
    pub month: u64,
}

const MB: u64 = 1_000_000;

impl Default for Bounds {
    fn default() -> Self {
        Self {
            workload: Horizons {
                day: 100 * MB,
                week: 400 * MB,
                month: 1_000 * MB,
            },
            destination: Horizons {
                day: 250 * MB,
                week: 1_000 * MB,
                month: 2_500 * MB,
            },
            account: Horizons {
                day: 1_000 * MB,
                week: 4_000 * MB,
                month: 10_000 * MB,
            },
            resolver_day: 64_000,
            icmp_day: 256_000,
            service_day: 1_000,
            shift_day: 20 * MB,
            total_day: 100 * MB,
            trickle: 30 * MB,
            served_day: 1_000 * MB,
            connection_hours: 8,
            unanswered_day: 100,
            unanswered_inside_day: 100,
            cleartext_day: MB,
            jurisdiction_day: 100_000,
            path_day: 100_000,
            telemetry_day: MB,
            relay: 100 * MB,
            relay_peers: 5,
        }
    }
}

/// Where payload may go. Without any of these, anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jurisdiction {
    /// Countries, ISO 3166-1 alpha-2; all others are forbidden. Any, if there are none.
    #[serde(deserialize_with = "named", skip_serializing_if = "Vec::is_empty")]
    pub countries_allowed: Vec<String>,
    /// Countries that are forbidden.
    pub countries_denied: Vec<String>,
    /// Numbers of autonomous systems that are forbidden.
    pub asns_denied: Vec<u32>,
    /// Numbers of autonomous systems; all others are forbidden, also in countries that are allowed. Any, if there are none.
    #[serde(deserialize_with = "named", skip_serializing_if = "Vec::is_empty")]
    pub asns_allowed: Vec<u32>,
}

impl Jurisdiction {
    /// Whether it forbids nothing.
    pub fn is_empty(&self) -> bool {
        !self.names_countries() && !self.names_networks()
    }

    /// Whether it names autonomous systems.
    pub fn names_networks(&self) -> bool {
        !self.asns_denied.is_empty() || !self.asns_allowed.is_empty()
    }

    /// Whether it names countries.
    pub fn names_countries(&self) -> bool {
        !self.countries_denied.is_empty() || !self.countries_allowed.is_empty()
    }

    /// The first code that is none.
    fn wrong_code(&self) -> Option<&String> {
        let codes = self.countries_allowed.iter().chain(&self.countries_denied);
        let is_code =
            |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        codes.into_iter().find(|code| !is_code(code))
    }
}

/// When a destination group counts as established for a workload, or as common.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Baseline {
    /// Days with traffic that make a pair established.
    pub active_days: u32,
    /// Days from the first to the last of them.
    pub spread_days: u32,
    /// Days before the judged one that do not count, so that an attack cannot soon vouch for itself.
    pub quarantine_days: u32,
    /// Workloads that make a destination common, if they are of two accounts at least.
    pub common_workloads: u32,
    /// Workloads that may know a destination which still counts as rare; of more than a hundred times as many, a
    /// hundredth.
    pub rare_workloads: u32,
    /// Workloads of the same security groups, or else of a subnet, or else of an account, that were active within thirty days,
    /// from which on they are peers: what most of them have established is explained for all of them. Higher asks for larger groups.
    pub peers: u32,
    /// Of a hundred peers, how many must have established a destination. Lower explains more, sooner, and what a few
    /// hosts of an attacker agree on, too.
    pub peers_percent: u32,
    /// By how many percent a week the allowance of an established destination may grow, once its past spans four weeks. Lower
    /// charges more of what grows slowly, and more of what grows for good reasons.
    pub growth_percent: u32,
}

impl Default for Baseline {
    fn default() -> Self {
        Self {
            active_days: 5,
            spread_days: 14,
            quarantine_days: 7,
            common_workloads: 20,
            rare_workloads: 3,
            peers: 10,
            peers_percent: 60,
            growth_percent: 10,
        }
    }
}

/// A destination with an allowance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sanctioned {
    /// The destination's network, or address.
    #[serde(deserialize_with = "network")]
    pub destination: IpNet,
    /// The workload that may send there; any, if left out.
    pub workload: Option<String>,
    /// Bytes of payload that each workload may send there a day; what is above is charged.
    pub bytes_per_day: u64,
    /// Why, for the explanation of findings.
    pub reason: String,
}

/// A network as `9.9.9.0/24`, or an address alone.
fn network<'de, D: Deserializer<'de>>(from: D) -> Result<IpNet, D::Error> {
    let text = String::deserialize(from)?;
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    let network = text.parse::<IpNet>().or_else(|_| address());
    network.map_err(|_| {
        let wrong = format!("`{text}` is no network such as `9.9.9.0/24`, and no address");
        serde::de::Error::custom(wrong)
    })
}

fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    #[derive(Deserialize)]
    struct Network(#[serde(deserialize_with = "network")] IpNet);
    let all = Vec::<Network>::deserialize(from)?;
    Ok(all.into_iter().map(|Network(network)| network).collect())
}

/// A list of what alone is allowed. Left out, it allows all; written and empty, it could mean all or nothing.
pub(super) fn named<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let all = Vec::<T>::deserialize(from)?;
    if all.is_empty() {
        let wrong = "an empty list would allow nothing: name what is allowed, or leave the list out to allow all";
        return Err(serde::de::Error::custom(wrong));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(change: impl FnOnce(&mut Policy)) -> String {
        let mut policy = Policy::default();
        change(&mut policy);
        policy.validate().unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_and_sound_names_pass() {
        let names = ["ssh", "tcp/5432", "udp/69", "gre", "6in4"]
            .map(str::to_owned)
            .to_vec();
        let policy = Policy {
            services_allowed: names,
            ..Policy::default()
        };
        assert_eq!(policy.validate(), Ok(()));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let horizons = Horizons {
            day: 5,
            week: 1,
            month: 9,
        };
        assert!(reason(|policy| policy.bounds.account = horizons).contains("bounds.account"));
        assert!(reason(|policy| policy.bounds.icmp_day = 0).contains("zero"));
        assert!(reason(|policy| policy.bounds.shift_day = 0).contains("zero"));
        assert!(reason(|policy| policy.bounds.connection_hours = 0).contains("connection_hours"));
        assert!(reason(|policy| policy.bounds.unanswered_day = 0).contains("unanswered_day"));
        let inside = |most| reason(|policy| policy.bounds.unanswered_inside_day = most);
        assert!(inside(0).contains("unanswered_inside_day") && inside(129).contains("1 to 128"));
        assert!(reason(|policy| policy.bounds.total_day = 0).contains("zero"));
        assert!(reason(|policy| policy.scores.total = 0).contains("zero"));
        assert!(reason(|policy| policy.bounds.relay_peers = 0).contains("relay_peers"));
        assert!(reason(|policy| policy.bounds.relay_peers = 33).contains("1 to 32"));
        assert!(reason(|policy| policy.scores.beacon = 0).contains("scores"));
        assert!(reason(|policy| policy.dns.client_day_bits = 1).contains("client_day_bits"));
        assert!(reason(|policy| policy.dns.rare_day_bits = 0).contains("zero bits"));
        for name in ["shs", "tcp/99999", "", "tcp", "443"] {
            let allow = |policy: &mut Policy| policy.services_allowed = vec![name.to_owned()];
            assert!(reason(allow).contains(&format!("`{name}`")), "{name}");
            let serve = |policy: &mut Policy| policy.services_served = vec![name.to_owned()];
            assert!(reason(serve).contains(&format!("`{name}`")), "{name}");
        }
    }
}
