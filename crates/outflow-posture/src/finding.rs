//! What is wrong, and where.

use outflow_finding::Severity;
use serde::Serialize;

use crate::Criterion;

/// Evidence that a finding or criterion tells: the first, and how many more there are.
pub const EVIDENCE_MAX: usize = 10;

/// Defines the checks: variant, name in outputs, title and remedy.
macro_rules! checks {
    ($($(#[$doc:meta])* $variant:ident $name:literal $title:literal $remedy:literal)*) => {
        /// What was checked. Names are part of the output and are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub enum Check {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Check {
            /// Every check.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in outputs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What is wrong, in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What repairs it.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

checks! {
    /// An open egress rule that nothing justifies.
    OpenEgress "open-egress" "Open egress without a justification"
        "Narrow the rule to what traffic needs, or justify it by tag, description or file."
    /// The default group of a VPC lets traffic out to anywhere.
    DefaultGroupOpen "default-group-open" "The default security group is open"
        "Take all rules out of the default group, and give workloads groups of their own."
    /// A VPC, or a part of it, has no flow log that works.
    FlowLogsAbsent "flow-logs-absent" "No effective flow log"
        "Log the VPC with traffic type ALL, and see that deliveries succeed."
    /// Flow logs that are there, and do not show what leaves.
    FlowLogsBlind "flow-logs-blind" "Flow logs are on but blind"
        "Log ALL traffic with the fields of egress, and look for what is missing or skipped."
    /// Traffic leaves by a NAT gateway without a firewall on its way.
    NatUnfiltered "nat-unfiltered" "NAT without a filter"
        "Route the way out through a Network Firewall endpoint with a list of allowed domains."
    /// Hosts leave by an internet gateway without a filter on their way.
    InternetUnfiltered "internet-unfiltered" "Internet gateway without a filter"
        "Give hosts no public address, and route their way out through a Network Firewall endpoint with a list of allowed domains."
    /// A firewall on the way out lets out what it does not know.
    FirewallOpen "firewall-open" "A firewall that passes what it does not know"
        "Drop by default: a list of allowed domains, or a strict order of rules with aws:drop_established."
    /// Bytes to S3 leave by a public path.
    S3PublicPath "s3-public-path" "S3 by a public path"
        "Add a gateway endpoint for S3 to the route tables of the subnets."
    /// A service of AWS is used without an endpoint.
    ServiceWithoutEndpoint "service-without-endpoint" "AWS service without an endpoint"
        "Add an endpoint for the service, with a policy for one's own accounts."
    /// Telemetry goes to a site outside of the residency.
    TelemetryAbroad "telemetry-abroad" "Telemetry leaves the jurisdiction"
        "Set the agent to a site of the vendor within the residency."
    /// Hosts ask other resolvers than the VPC's.
    ResolverBypass "resolver-bypass" "Hosts bypass the resolver"
        "Refuse ports 53 and 853 and known DNS over HTTPS to outside, and use the VPC's resolver."
    /// An endpoint is there, and bytes to its service do not take it.
    EndpointBypassed "endpoint-bypassed" "The endpoint exists, traffic goes around it"
        "Associate the route tables, switch private DNS on, or take the hosts' own names out."
    /// An open rule that no traffic needs.
    OpenRuleUnused "open-rule-unused" "Open rule without use"
        "Remove the rule."
    /// The policy of an endpoint lets data out to accounts of others.
    EndpointPolicyOpen "endpoint-policy-open" "Endpoint policy open to everybody's resources"
        "Restrict the policy with aws:ResourceAccount, aws:ResourceOrgID or names of resources."
    /// A region outside of the residency is in use.
    RegionOutside "region-outside" "Region outside of the residency in use"
        "Move what is there, or add the region to the residency."
    /// High findings of GuardDuty that nobody has put away.
    GuardDutyHigh "guardduty-high" "Open high findings of GuardDuty"
        "Work the findings, and archive them with their reason."
}

impl Check {
    /// The criteria that its findings speak against.
    pub const fn criteria(self) -> &'static [Criterion] {
        match self {
            Self::OpenEgress => &[Criterion::EgressDocumented, Criterion::NoOpenEgress],
            Self::DefaultGroupOpen => &[Criterion::DefaultGroupClosed],
            Self::FlowLogsAbsent => &[Criterion::FlowLogsEffective],
            Self::FlowLogsBlind => &[Criterion::FlowLogsEffective, Criterion::TrafficCovered],
            Self::NatUnfiltered | Self::InternetUnfiltered | Self::FirewallOpen => {
                &[Criterion::NatFiltered]
            }
            Self::S3PublicPath | Self::ServiceWithoutEndpoint => &[Criterion::ServicesByEndpoint],
            Self::TelemetryAbroad | Self::RegionOutside => &[Criterion::Residency],
            Self::ResolverBypass => &[Criterion::ResolverUsed],
            Self::EndpointBypassed => &[Criterion::ServicesByEndpoint, Criterion::NoContradiction],
            Self::OpenRuleUnused => &[Criterion::NoOpenEgress],
            Self::EndpointPolicyOpen => &[Criterion::EndpointsRestricted],
            Self::GuardDutyHigh => &[Criterion::ThreatsWatched],
        }
    }
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PostureFinding {
    /// `check:resource`, with what tells it from others of both; the same in every run.
    pub id: String,
    /// What was checked.
    pub check: Check,
    /// How grave it is, 1 to 5 in JSON.
    pub severity: Severity,
    /// Account.
    pub account_id: String,
    /// Region; empty where it is not known.
    pub region: String,
    /// VPC, if it is about one.
    pub vpc_id: Option<String>,
    /// What is wrong: a group, VPC, endpoint, gateway or destination.
    pub resource: String,
    /// One sentence.
    pub summary: String,
    /// What shows it.
    pub evidence: Vec<String>,
    /// Bytes that it is about, in the time of the traffic.
    pub bytes: Option<u64>,
    /// What these cost.
    pub cost: Option<Cost>,
    /// What repairs it.
    pub remedy: &'static str,
}

/// Money, by the prices that were given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// Such as `USD`.
    pub currency: String,
    /// In the time of the traffic.
    pub amount: f64,
    /// The same for thirty days, where the traffic spans one at least.
    pub monthly: Option<f64>,
}

/// What a check found: without account, region and VPC, which its place tells.
pub(crate) struct Draft {
    pub(crate) check: Check,
    pub(crate) severity: Severity,
    pub(crate) resource: String,
    /// Tells it from others of the same check and resource; empty if there are none.
    pub(crate) detail: String,
    pub(crate) summary: String,
    pub(crate) evidence: Vec<String>,
    pub(crate) bytes: Option<u64>,
    pub(crate) cost: Option<Cost>,
}

impl Draft {
    pub(crate) fn new(check: Check, severity: Severity, resource: &str, summary: String) -> Self {
        Self {
            check,
            severity,
            resource: resource.to_owned(),
            detail: String::new(),
            summary,
            evidence: Vec::new(),
            bytes: None,
            cost: None,
        }
    }
}

/// Evidence as it is told: the first, and how many more there are.
pub(crate) fn told(mut evidence: Vec<String>) -> Vec<String> {
    let more = evidence.len().saturating_sub(EVIDENCE_MAX);
    if more > 0 {
        evidence.truncate(EVIDENCE_MAX);
        evidence.push(format!("and {more} more"));
    }
    evidence
}
