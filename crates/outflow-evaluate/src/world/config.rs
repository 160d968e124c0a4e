//! What world to make.

use super::{DAY_SECS, WORLD_START};
use crate::Error;

/// What distinguishes the habits of one world from those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// Connections that an interface opens in an average hour, before role and hour of the week, in hundredths.
    pub flows_per_hour: u64,
    /// New destinations that few know, for a thousand interface-days.
    pub novelty_per_mille: u64,
    /// Of so many of these, one is heavy: from 10 MB to 2 GB.
    pub heavy_once_in: u64,
    /// Lasting changes of an interface's volume, for ten thousand interface-days.
    pub shifts_per_myriad: u64,
    /// Days that are many times busier than others, for a thousand interface-days.
    pub busy_per_mille: u64,
    /// Days between deploys that bring new destinations to all of a role.
    pub deploy_days: u32,
    /// Destinations that a role uses.
    pub destinations: u64,
}

impl Traits {
    /// The habits of worlds on which thresholds are set.
    pub const CALIBRATION: Self = Self {
        flows_per_hour: 520,
        novelty_per_mille: 66,
        heavy_once_in: 220,
        shifts_per_myriad: 12,
        busy_per_mille: 30,
        deploy_days: 11,
        destinations: 14,
    };

    /// The habits of worlds on which the frozen thresholds are tested.
    pub const TEST: Self = Self {
        flows_per_hour: 460,
        novelty_per_mille: 60,
        heavy_once_in: 250,
        shifts_per_myriad: 10,
        busy_per_mille: 33,
        deploy_days: 9,
        destinations: 16,
    };
}

/// A world: its size, its span and its habits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldConfig {
    /// Decides everything that is not configured.
    pub seed: u64,
    /// Network interfaces.
    pub enis: u32,
    /// Accounts, which have as many interfaces each.
    pub accounts: u32,
    /// Days before the test window, to learn from.
    pub learn_days: u32,
    /// Days of the test window.
    pub test_days: u32,
    /// Seconds of a window of aggregation: 60 on current instances, 600 by default elsewhere.
    pub window_secs: u32,
    /// The habits.
    pub traits: Traits,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            enis: 200,
            accounts: 4,
            learn_days: 35,
            test_days: 30,
            window_secs: 60,
            traits: Traits::TEST,
        }
    }
}

impl WorldConfig {
    /// The first second of the test window.
    pub fn test_start(&self) -> u32 {
        WORLD_START + self.learn_days * DAY_SECS
    }

    /// The first second behind the world.
    pub fn end(&self) -> u32 {
        self.test_start() + self.test_days * DAY_SECS
    }

    /// Checks that a world can be made.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for the first value that is.
    pub fn validate(&self) -> Result<(), Error> {
        for (field, value, min, max) in [
            ("accounts", self.accounts, 1, 100),
            ("enis", self.enis, self.accounts.saturating_mul(8), 5_000),
            ("learn_days", self.learn_days, 14, 200),
            ("test_days", self.test_days, 2, 200),
            ("window_secs", self.window_secs, 60, 600),
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
        Ok(())
    }
}
