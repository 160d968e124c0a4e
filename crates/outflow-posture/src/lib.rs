//! Whether an account controls what leaves it: its configuration, held against its traffic.
//!
//! ```text
//! outflow_enrich::Inventory ─┐
//! Traffic (rows, coverage) ──┤
//! GuardDuty (findings) ──────┼──► Report { figures, maturity, findings } ──► JSON, Markdown, summary
//! Policy (justifications,  ──┘
//!   residency, prices)
//! Inventory, Traffic ────────────► RuleSet { egress rules, domains, endpoints } ──► Terraform, JSON; Replay
//! Suspect (an incident), Inventory ──► Containment { quarantine, denied networks, domains } ──► Terraform, scripts
//! ```
//!
//! ```
//! use outflow_enrich::KnownDestinations;
//! use outflow_enrich::inventory::{InventoryBuilder, Snapshot};
//! use outflow_posture::{Inputs, Policy, Report};
//! use outflow_record::Timestamp;
//! let mut builder = InventoryBuilder::default();
//! let vpcs = br#"{"Vpcs": [{"VpcId": "vpc-1"}]}"#;
//! let groups = br#"{"SecurityGroups": [{"GroupId": "sg-1", "GroupName": "web", "VpcId": "vpc-1", "IpPermissionsEgress": [
//!     {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}]}"#;
//! for document in [&vpcs[..], &groups[..]] {
//!     builder.add("account.json", document, &Snapshot::default()).unwrap();
//! }
//! let report = Report::new(&Inputs {
//!     inventory: &builder.build().unwrap(),
//!     at: Timestamp(0),
//!     traffic: None,
//!     guardduty: None,
//!     known: &KnownDestinations::built_in().unwrap(),
//!     policy: &Policy::default(),
//! });
//! assert_eq!(report.findings[0].id, "open-egress:sg-1:tcp/443 to 0.0.0.0/0");
//! assert_eq!(report.accounts[0].maturity.level, 1);
//! ```
//!
//! What is not known is never held: a criterion whose evidence is not there is [`State::Unknown`].
//!
//! Not here: collecting an inventory, reading flows, applying what is proposed, and any IO.

pub use outflow_enrich::ApiService as Service;

pub use contain::{
    ACL_RULES_MAX, Bar, BarRefused, CONTAINMENT_SCHEMA, Containment, DOMAINS_DENIED_MAX, Deny,
    Destination, GroupRef, INTERFACES_CONTAINED_MAX, JudgedSpan, Located, Quarantined, RunLines,
    RunRead, SIGNIFICANCE, Sender, Suspect, VpcContainment, bar,
};
pub use criterion::{Criterion, Judged, Maturity, State};
pub use error::Error;
pub use finding::{Check, Cost, EVIDENCE_MAX, PostureFinding};
pub use guardduty::{
    GUARDDUTY_DAMAGE_TOLD_MAX, GUARDDUTY_FINDINGS_MAX, GUARDDUTY_HIGH, GuardDuty, GuardDutyDamage,
    GuardDutyFinding, GuardDutyRecord, GuardDutyRecords, Month, Trend,
};
pub use hcl::DESCRIPTION_CHARS_MAX;
pub use history::{AccountPeriod, Every, PERIODS_MAX, Period, VpcPeriod};
pub use html::HTML_FINDINGS_MAX;
pub use mapping::{CLAUSES, Clause, Framework, SERVES_NO_CLAUSE};
pub use metrics::{HighFindings, Metrics, Share};
pub use ocsf::{CONTROL, STANDARD};
pub use policy::{Justification, Policy, Practices, Prices, REASON_CHARS_MIN, Residency};
pub use render::SUMMARY_FINDINGS_MAX;
pub use report::{AccountReport, Inputs, REPORT_SCHEMA, Report, VpcReport, Window};
pub use rule::{OPEN_V4_LEN_MAX, OPEN_V6_LEN_MAX};
pub use rules::{
    BLOCKED_MAX, Blocked, EgressRule, EndpointProposal, GROUP_RULES_MAX, NotLearnt, Observed,
    PortRange, RULES_SCHEMA, Replay, RulePeer, RuleSet, Target,
};
pub use traffic::{
    BEYOND_VPCS_MAX, Beyond, COVERED_INTERFACES_MAX, Covered, ENTRY_DOMAINS_MAX, Entry, Flow, Key,
    Opened, PATHS, TRAFFIC_ENTRIES_MAX, Traffic,
};

mod acl;
mod checks;
mod contain;
mod criterion;
mod endpoint_policy;
mod error;
mod finding;
mod firewall;
mod guardduty;
mod hcl;
mod history;
mod html;
mod mapping;
mod metrics;
mod network;
mod ocsf;
mod policy;
mod render;
mod report;
mod rule;
mod rules;
mod suricata;
mod traffic;
mod view;
