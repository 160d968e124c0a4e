//! What a finding and an incident are, and their renderings.
//!
//! ```text
//!  detectors ──▶ Finding ──▶ group() ──▶ Incident + Finding ──▶ write_table()  ──▶ a terminal
//!                   ▲                                      ├──▶ write_json()   ──▶ a program
//!              finding_id()                                ├──▶ write_ocsf()   ──▶ a SIEM
//!                                                          ├──▶ asff_batches() ──▶ Security Hub
//!                           Accounts, CoverageReport ──────┴──▶ write_html()   ──▶ a report
//! ```
//!
//! ```
//! use outflow_finding::{Accounts, Family, Finding, Severity, TableOptions, Why};
//! use outflow_finding::{finding_id, group, write_table};
//!
//! let finding = Finding {
//!     id: finding_id(&["eni-0a1", "beacon", "198.51.100.0/24", "2026-10-01"]),
//!     title: "A connection every 60 s".to_owned(),
//!     severity: Severity::Medium,
//!     risk: 40,
//!     interface_id: Some("eni-0a1".to_owned()),
//!     first_seen: "2026-10-01T00:00".parse().ok(),
//!     bytes: 1_440_000,
//!     why: vec![Why { text: "1,440 connections, 60 s ± 0.1 s apart".to_owned(), ..Why::default() }],
//!     ..Finding::new(Family::Beacon)
//! };
//! let (incidents, findings) = group(vec![finding]);
//!
//! let mut out = Vec::new();
//! let options = TableOptions { width: Some(72), color: false };
//! write_table(&mut out, &incidents, &findings, &Accounts::default(), options)?;
//! let expected = "\
//! ##  risk  severity  family  who      where      sent  first, last
//! ─────────────────────────────────────────────────────────────────
//! 1    40  medium    beacon  eni-0a1  unknown  1.4 MB  2026-10-01
//!                                                      00:00 UTC
//!       A connection every 60 s
//!       • 1,440 connections, 60 s ± 0.1 s apart
//!       inc-e608f5f03b4dbdfc · 1 finding · eni-0a1
//! ";
//! assert!(String::from_utf8_lossy(&out).starts_with(expected));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Not here: what makes a finding (detectors), where addresses belong (enrichment), and where renderings are
//! written to (the command line).

pub use accounts::{Accounts, Resolution};
pub use asff::{
    ASFF_BATCH_BYTES_MAX, ASFF_BATCH_FINDINGS_MAX, ASFF_FINDING_BYTES_MAX, AsffNeed, AsffOptions,
    asff_batches,
};
pub use aws::{is_account, is_region};
pub use budget::{budget_room, part_by_budget, share, urgency};
pub use compare::{Change, Changed, Comparison, Judgement, Sums};
pub use coverage::{
    Blind, CoverageReport, EXPECTED_MINUTES_MIN, FlowLogCoverage, HourCoverage, InterfaceCoverage,
    MISSING_PERCENT_MAX, Minutes, RowCounts, SKIPDATA_PERCENT_MAX,
};
pub use discovery::{
    AUTOMATIC_RATE, DAILY_RATE, OnlineDiscoveries, adjusted, e_discoveries, e_needed, e_value,
};
pub use error::Error;
pub use escape::escape;
pub use explanation::{
    Database, Parameters, Prevalence, RiskPart, RiskTerm, Stage, TrafficPath, risk_text,
};
pub use family::Family;
pub use finding::{
    Coverage, DESTINATION_DOMAINS_MAX, Destination, Evidence, EvidenceObject, Finding, FoundIn,
    Incident, Lane, SENDER_TAGS_MAX, SecurityGroup, Sender, Why,
};
pub use group::{
    DESTINATION_GAP_SECS, DESTINATION_SEVERITY_MIN, INCIDENT_ADDRESSES_MAX, INCIDENT_OBJECTS_MAX,
    INCIDENT_QUERIES_MAX, INCIDENT_WHY_MAX, SENDER_GAP_SECS, group, reasons,
};
pub use harmless::{Harmless, Held, History, JudgedState, Tested};
pub use html::{
    HTML_INCIDENTS_MAX, HTML_ROWS_MAX, HTML_WEEK_HOURS, HtmlBar, HtmlPage, HtmlPart, HtmlWay,
    HtmlWeek, TimeAxis, html_text, write_html, write_html_bars, write_html_stack, write_html_ways,
    write_html_week, write_html_with,
};
pub use human::{human_bytes, human_count, human_duration};
pub use identity::{finding_id, incident_id};
pub use json::{
    write_accounts, write_comparison_json, write_coverage_json, write_finding, write_incident,
    write_json,
};
pub use last::LastOf;
pub use ocsf::{
    Compliance, ComplianceStatus, OCSF_EVIDENCES_MAX, OCSF_RELATED_MAX, OCSF_VERSION, write_ocsf,
    write_ocsf_compliance,
};
pub use severity::Severity;
pub use suppress::{Matcher, Parted, SUPPRESSIONS_MAX, Suppression, SuppressionBook, Suppressions};
pub use table::{
    TABLE_WIDTH_MIN, TableOptions, books, write_comparison_table, write_coverage_table, write_table,
};

mod accounts;
mod asff;
mod attack;
mod aws;
mod budget;
mod compare;
mod confidence;
mod coverage;
mod discovery;
mod error;
mod escape;
mod explanation;
mod family;
mod finding;
mod group;
mod harmless;
mod html;
mod human;
mod identity;
mod json;
mod last;
mod ocsf;
mod order;
mod parallel;
#[cfg(test)]
mod samples;
mod severity;
mod suppress;
mod table;
