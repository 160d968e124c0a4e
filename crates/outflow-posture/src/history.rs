//! The figures of the control over time: of each period, as it ended.

use outflow_record::Timestamp;
use serde::Serialize;

use crate::metrics::Metrics;
use crate::report::{Report, as_text};

/// Periods that a history has at most: two years of months. The latest stay.
pub const PERIODS_MAX: usize = 24;

/// A period, and the figures at its end: the inventory as of then, and the traffic of the period alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Period {
    /// First second.
    #[serde(serialize_with = "as_text")]
    pub from: Timestamp,
    /// The second that is no more in it.
    #[serde(serialize_with = "as_text")]
    pub until: Timestamp,
    /// By account.
    pub accounts: Vec<AccountPeriod>,
}

/// The figures of an account in a period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountPeriod {
    /// Account; empty where nobody says.
    pub account_id: String,
    /// The level that is shown.
    pub level: u8,
    /// The level if all that is unknown held.
    pub level_at_most: u8,
    /// Its figures. High findings of GuardDuty are those up to the end of the period.
    pub metrics: Metrics,
    /// By VPC.
    pub vpcs: Vec<VpcPeriod>,
}

/// The figures of a VPC in a period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VpcPeriod {
    /// `vpc-…`.
    pub vpc_id: String,
    /// Region; empty where it is not known.
    pub region: String,
    /// The level that is shown.
    pub level: u8,
    /// Its figures.
    pub metrics: Metrics,
}

/// How long the periods of a history are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// From midnight to midnight (UTC).
    Day,
    /// Seven days, from Monday on.
    Week,
    /// A month of the calendar.
    Month,
}

impl Every {
    /// The periods that have a part of a span, oldest first; of more than [`PERIODS_MAX`] the latest. The last one ends with the
    /// span, as what comes later is not known.
    pub fn periods(self, first: Timestamp, last: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let mut periods = Vec::new();
        let mut until = last;
        let mut from = self.begin(Timestamp(last.secs().saturating_sub(1)));
        while until > first && periods.len() < PERIODS_MAX {
            periods.push((from, until));
            until = from;
            from = self.begin(Timestamp(from.secs().saturating_sub(1)));
        }
        periods.reverse();
        periods
    }

    /// When the period of a time begins.
    fn begin(self, at: Timestamp) -> Timestamp {
        const DAY: i64 = 86_400;
        let days = at.secs().div_euclid(DAY);
        match self {
            Self::Day => Timestamp(days.saturating_mul(DAY)),
            // The first of January 1970 was a Thursday.
            Self::Week => Timestamp((days - (days + 3).rem_euclid(7)).saturating_mul(DAY)),
            Self::Month => {
                let (_, _, day) = at.date();
                Timestamp((days - i64::from(day) + 1).saturating_mul(DAY))
            }
        }
    }
}

impl Period {
    /// What a report of the end of a period says.
    pub fn of(report: &Report, from: Timestamp) -> Self {
        let accounts = report.accounts.iter().map(|account| AccountPeriod {
            account_id: account.account_id.clone(),
            level: account.maturity.level,
            level_at_most: account.maturity.level_at_most,
            metrics: account.metrics.clone(),
            vpcs: account
                .vpcs
                .iter()
                .map(|vpc| VpcPeriod {
                    vpc_id: vpc.vpc_id.clone(),
                    region: vpc.region.clone(),
                    level: vpc.maturity.level,
                    metrics: vpc.metrics.clone(),
                })
                .collect(),
        });
        Self {
            from,
            until: report.at,
            accounts: accounts.collect(),
        }
    }

    /// The first day, as tables have it.
    pub(crate) fn name(&self) -> String {
        let (year, month, day) = self.from.date();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// An account in it.
    pub(crate) fn account(&self, account_id: &str) -> Option<&AccountPeriod> {
        self.accounts
            .iter()
            .find(|own| own.account_id == account_id)
    }
}

impl AccountPeriod {
    /// High findings of GuardDuty that were made in the last month of the period; nothing where that is not known.
    pub(crate) fn high(&self) -> Option<u64> {
        let high = self.metrics.guardduty_high.as_ref()?;
        Some(high.months.last()?.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(every: Every, first: &str, last: &str) -> Vec<String> {
        let periods = every.periods(first.parse().unwrap(), last.parse().unwrap());
        let said = periods.iter().map(|(from, until)| {
            let day = |at: &Timestamp| at.to_string()[..10].to_owned();
            format!("{} {}", day(from), day(until))
        });
        said.collect()
    }

    #[test]
    fn periods_are_those_of_the_calendar_and_the_last_ends_with_the_span() {
        assert_eq!(
            said(Every::Month, "2026-01-31", "2026-03-10T08:00"),
            [
                "2026-01-01 2026-02-01",
                "2026-02-01 2026-03-01",
                "2026-03-01 2026-03-10"
            ]
        );
        assert_eq!(
            said(Every::Month, "2026-01-31", "2026-03-01"),
            ["2026-01-01 2026-02-01", "2026-02-01 2026-03-01"]
        );
        // A Monday.
        assert_eq!(
            said(Every::Week, "2026-09-01", "2026-09-08"),
            ["2026-08-31 2026-09-07", "2026-09-07 2026-09-08"]
        );
        assert_eq!(
            said(Every::Day, "2026-09-01T12:00", "2026-09-03"),
            ["2026-09-01 2026-09-02", "2026-09-02 2026-09-03"]
        );
        let years = said(Every::Month, "2000-01-01", "2026-12-31");
        assert_eq!(
            (years.len(), &*years[23]),
            (PERIODS_MAX, "2026-12-01 2026-12-31")
        );
        assert_eq!(said(Every::Day, "2026-09-01", "2026-09-01"), [""; 0]);
        assert_eq!(
            Every::Day.periods(Timestamp(i64::MIN), Timestamp(i64::MIN)),
            []
        );
    }
}
