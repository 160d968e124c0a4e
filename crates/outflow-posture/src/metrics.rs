//! The four figures of the control.

use serde::Serialize;

use crate::guardduty::{Month, Trend};

/// A part of something that can be counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// How many are.
    pub part: usize,
    /// Of how many.
    pub of: usize,
    /// Whether all are known. If not, there may be more of both.
    pub is_known: bool,
}

impl Share {
    /// A share of what is known to be all.
    pub(crate) fn of(part: usize, of: usize) -> Self {
        Self {
            part,
            of,
            is_known: true,
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.part += other.part;
        self.of += other.of;
        self.is_known &= other.is_known;
    }
}

/// The figures of a VPC or an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Metrics {
    /// Security groups with open egress that nothing justifies.
    pub undocumented_open_groups: Share,
    /// VPCs whose flow logs are effective.
    pub effective_flow_logs: Share,
    /// AWS services in use of which all bytes go through an endpoint.
    pub services_by_endpoint: Share,
    /// High findings of GuardDuty by month; none where it is not known whether it is on. Of an account only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guardduty_high: Option<HighFindings>,
}

/// High findings of GuardDuty over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HighFindings {
    /// By month of their making, oldest first.
    pub months: Vec<Month>,
    /// Which way they go.
    pub trend: Trend,
    /// Those that nobody has put away.
    pub open: usize,
}

impl Default for Metrics {
    fn default() -> Self {
        let none = Share::of(0, 0);
        Self {
            undocumented_open_groups: none,
            effective_flow_logs: none,
            services_by_endpoint: none,
            guardduty_high: None,
        }
    }
}

impl Metrics {
    /// Notes that there may be VPCs that nobody sees.
    pub(crate) fn doubt(&mut self) {
        self.undocumented_open_groups.is_known = false;
        self.effective_flow_logs.is_known = false;
        self.services_by_endpoint.is_known = false;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.undocumented_open_groups
            .add(other.undocumented_open_groups);
        self.effective_flow_logs.add(other.effective_flow_logs);
        self.services_by_endpoint.add(other.services_by_endpoint);
    }
}
