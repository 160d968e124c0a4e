//! What world to make.

use outflow_record::{Field, Format, LogKind, Timestamp};

use crate::script::Script;
use crate::{Error, Scenario};

/// The longest span. The script of the scenarios is held in memory, some hundred entries a day.
const DAYS_MAX: u32 = 400;
/// The most accounts: each has a /16 of 10.0.0.0/8.
const ACCOUNTS_MAX: u32 = 200;
/// The most interfaces of an account, so that free addresses of its subnets are found at once.
const ENIS_PER_ACCOUNT_MAX: u32 = 2_000;
/// The fewest interfaces of an account: one of each role, and web, application and batch servers.
pub(crate) const ENIS_PER_ACCOUNT_MIN: u32 = 8;
/// The most ordinary connections. An hour of rows of all interfaces is held in memory.
const FLOWS_MAX: u32 = 10_000;

/// A world: its size, its span, the format of its flow log and what happens in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldConfig {
    /// Decides everything that is not configured.
    pub seed: u64,
    /// First instant; midnight UTC.
    pub start: Timestamp,
    /// Length of the span.
    pub days: u32,
    /// Network interfaces over all accounts, NAT gateways included. Autoscaled ones count once although a
    /// new interface takes their place on each day.
    pub enis: u32,
    /// Accounts, each with one VPC and one flow log; default 1.
    pub accounts: u32,
    /// Region of all accounts.
    pub region: String,
    /// Fields of the flow log.
    pub format: Format,
    /// What happens on top of ordinary traffic.
    pub scenarios: Vec<Scenario>,
    /// Length of the slot in which the `end` of an object's records falls. AWS: 5, the default; more makes
    /// fewer objects.
    pub object_minutes: u32,
    /// Ordinary connections of an interface in an average hour, before role and hour of the week.
    pub base_flows_per_eni_hour: u32,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            start: Timestamp(1_788_220_800), // 2026-09-01T00:00:00Z
            days: 7,
            enis: 24,
            accounts: 1,
            region: "us-east-1".to_owned(),
            format: Format::version_5(),
            scenarios: Vec::new(),
            object_minutes: 5,
            base_flows_per_eni_hour: 20,
        }
    }
}

impl WorldConfig {
    /// The world of the archive that tests and the README read: a week of a small account in which every
    /// scenario happens, below 4 MB once compressed.
    pub fn breach() -> Self {
        Self {
            seed: 7,
            scenarios: Scenario::ALL.to_vec(),
            object_minutes: 60,
            base_flows_per_eni_hour: 8,
            ..Self::default()
        }
    }

    /// Checks that a world can be made and that each scenario fits into it.
    ///
    /// # Errors
    /// The first thing that is wrong, as [`Error`] lists them.
    pub fn validate(&self) -> Result<(), Error> {
        let enis_min = self.accounts.saturating_mul(ENIS_PER_ACCOUNT_MIN);
        let enis_max = self.accounts.saturating_mul(ENIS_PER_ACCOUNT_MAX);
        for (field, value, min, max) in [
            ("days", self.days, 1, DAYS_MAX),
            ("accounts", self.accounts, 1, ACCOUNTS_MAX),
            ("enis", self.enis, enis_min, enis_max),
            ("object_minutes", self.object_minutes, 1, 1_440),
            (
                "base_flows_per_eni_hour",
                self.base_flows_per_eni_hour,
                0,
                FLOWS_MAX,
            ),
        ] {
            if !(min..=max).contains(&value) {
                return Err(Error::OutOfRange {
                    field,
                    value,
                    min,
                    max,
                });
            }
        }
        if !1_440_u32.is_multiple_of(self.object_minutes) {
            return Err(Error::UnevenSlot {
                minutes: self.object_minutes,
            });
        }
        if self.start.time_of_day() != (0, 0, 0) || self.start.secs() < 0 {
            return Err(Error::StartNotMidnight { start: self.start });
        }
        let spelt = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.region.split('-').count() < 3 || !self.region.chars().all(spelt) {
            return Err(Error::BadRegion {
                region: self.region.clone(),
            });
        }
        let of_gateway = |field: &&Field| field.only_in() == Some(LogKind::TransitGateway);
        if let Some(field) = self.format.fields().iter().find(of_gateway) {
            return Err(Error::TransitGateway { field: *field });
        }
        for (at, scenario) in self.scenarios.iter().copied().enumerate() {
            let days_min = scenario.days_min();
            if self.scenarios[..at].contains(&scenario) {
                return Err(Error::RepeatedScenario { scenario });
            }
            if self.days < days_min {
                return Err(Error::SpanTooShort {
                    scenario,
                    days: self.days,
                    days_min,
                });
            }
        }
        Script::cast(self, &crate::inventory::Inventory::new(self)).map(|_| ())
    }

    /// The instant after the last one.
    pub(crate) fn end(&self) -> Timestamp {
        Timestamp(self.start.secs() + i64::from(self.days) * 86_400)
    }

    /// The day of the span on which sudden scenarios begin: two thirds of it are past to learn from.
    pub(crate) fn onset_day(&self) -> u32 {
        self.days * 2 / 3
    }
}

#[cfg(test)]
mod tests;
