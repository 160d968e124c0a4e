//! The report as Compliance Findings of OCSF.

use std::io::{self, Write};

use outflow_finding::{Compliance, ComplianceStatus, Severity, write_ocsf_compliance};
use serde_json::{Map, Value, json};

use crate::criterion::{Judged, State};
use crate::finding::PostureFinding;
use crate::report::{Report, VpcReport};

/// The framework that asks for controlled egress.
pub const STANDARD: &str = "WAF-SOV";

/// Its control of egress and of guardrails against exfiltration.
pub const CONTROL: &str = "WAF-SOV-090";

/// Where something was judged.
#[derive(Clone, Copy)]
struct Of<'a> {
    report: &'a Report,
    account_id: &'a str,
    vpc: &'a VpcReport,
}

impl Report {
    /// Writes an event for each finding, and then one for each criterion of each VPC: whether it holds (`Pass`), does not
    /// (`Fail`), or cannot be told (`Warning`). An account without a VPC has no events of criteria.
    ///
    /// Alarms are the findings, with their severities; criteria are informational, as the findings say what fails them.
    /// `finding_info.types` tells the two apart.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_ocsf<W: Write>(&self, out: &mut W) -> io::Result<()> {
        let findings = self.findings.iter().map(|finding| self.event_of(finding));
        let judged = self.accounts.iter().flat_map(|account| {
            account.vpcs.iter().flat_map(|vpc| {
                let of = Of {
                    report: self,
                    account_id: &account.account_id,
                    vpc,
                };
                let criteria = vpc.maturity.criteria.iter();
                criteria.map(move |judged| of.event(judged))
            })
        });
        let events: Vec<Compliance<'_>> = findings.chain(judged).collect();
        write_ocsf_compliance(out, &events)
    }

    fn event_of<'a>(&'a self, finding: &'a PostureFinding) -> Compliance<'a> {
        let mut unmapped = Map::new();
        if let Some(bytes) = finding.bytes {
            unmapped.insert("bytes".to_owned(), bytes.into());
        }
        if let Some(cost) = &finding.cost {
            unmapped.insert("cost".to_owned(), json!(cost));
        }
        if let Some(vpc_id) = &finding.vpc_id {
            unmapped.insert("vpc_id".to_owned(), vpc_id.as_str().into());
        }
        let criteria = finding.check.criteria().iter();
        Compliance {
            uid: finding.id.clone(),
            title: &finding.summary,
            desc: finding.check.title(),
            kind: "finding",
            check: finding.check.name(),
            standard: STANDARD,
            control: CONTROL,
            requirements: criteria.map(|criterion| criterion.name()).collect(),
            status: ComplianceStatus::Fail,
            evidence: &finding.evidence,
            severity: finding.severity,
            at: self.at,
            window: self.traffic.map(|window| (window.first, window.last)),
            account_id: &finding.account_id,
            region: &finding.region,
            resource: &finding.resource,
            remedy: Some(finding.remedy),
            unmapped,
        }
    }
}

impl<'a> Of<'a> {
    fn event(self, judged: &'a Judged) -> Compliance<'a> {
        let mut unmapped: Map<String, Value> = Map::new();
        unmapped.insert("maturity_level".to_owned(), judged.level.into());
        Compliance {
            uid: format!("{}:{}", judged.criterion.name(), self.vpc.vpc_id),
            title: judged.title,
            desc: "",
            kind: "criterion",
            check: judged.criterion.name(),
            standard: STANDARD,
            control: CONTROL,
            requirements: vec![judged.criterion.name()],
            status: match judged.state {
                State::Holds => ComplianceStatus::Pass,
                State::Fails => ComplianceStatus::Fail,
                State::Unknown => ComplianceStatus::Warning,
            },
            evidence: &judged.evidence,
            severity: Severity::Informational,
            at: self.report.at,
            window: self
                .report
                .traffic
                .map(|window| (window.first, window.last)),
            account_id: self.account_id,
            region: &self.vpc.region,
            resource: &self.vpc.vpc_id,
            remedy: None,
            unmapped,
        }
    }
}
