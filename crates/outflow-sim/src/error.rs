//! What a configuration can ask for that no world can give.

use crate::Scenario;

/// Errors of configurations and scenario names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A number outside the range that the simulator supports.
    #[error("`{field}` is {value}, outside {min} to {max}")]
    OutOfRange {
        /// The field of the configuration.
        field: &'static str,
        /// Its value.
        value: u32,
        /// The least value allowed.
        min: u32,
        /// The greatest value allowed.
        max: u32,
    },
    /// A slot length that does not divide the day, so that slots would straddle midnight.
    #[error("`object_minutes` is {minutes}, which does not divide a day of 1440")]
    UnevenSlot {
        /// The length as given.
        minutes: u32,
    },
    /// A start that is not at midnight UTC.
    #[error("`start` is {start}, not midnight UTC")]
    StartNotMidnight {
        /// The start as given.
        start: outflow_record::Timestamp,
    },
    /// A region that is not spelt as AWS spells regions.
    #[error("`{region}` is no region such as us-east-1")]
    BadRegion {
        /// The region as given.
        region: String,
    },
    /// A format of another log than that of network interfaces.
    #[error("`{field}` is a field of Transit Gateway flow logs, and no world has a gateway")]
    TransitGateway {
        /// The first field that only such logs have.
        field: outflow_record::Field,
    },
    /// A span too short for a scenario to show what it is meant to show.
    #[error("scenario `{scenario}` needs {days_min} days, the span has {days}")]
    SpanTooShort {
        /// The scenario.
        scenario: Scenario,
        /// The days of the configuration.
        days: u32,
        /// The fewest days it needs.
        days_min: u32,
    },
    /// Too few interfaces for every scenario to have its own.
    #[error("no ordinary interface is left for scenario `{scenario}` among {enis}")]
    TooFewEnis {
        /// The scenario that found none.
        scenario: Scenario,
        /// The interfaces of the configuration.
        enis: u32,
    },
    /// A scenario named twice.
    #[error("scenario `{scenario}` is named twice")]
    RepeatedScenario {
        /// The scenario.
        scenario: Scenario,
    },
    /// A name that no scenario has.
    #[error("`{name}` is no scenario")]
    UnknownScenario {
        /// The name as given.
        name: String,
    },
}

const _: () = assert!(size_of::<Error>() <= 64);
