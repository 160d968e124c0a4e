//! What was checked of an account as Compliance Findings of OCSF.
//!
//! One event of class 2003 a line for each thing that was checked. Where something could not be told, its status is
//! `Warning`, which OCSF has for checks without a result: never `Pass`.

use std::io::{self, Write};

use outflow_record::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::cloud::Cloud;
use super::{ACTIVITY_CREATE, Metadata, caption, millis};
use crate::aws::{Configured, is_account, is_region, partition};
use crate::json::write_line;
use crate::{Severity, escape};

const CLASS_UID: u32 = 2003;

/// Characters of a text of an event; a longer one is cut, so that a line stays within some kilobytes.
const TEXT_CHARS_MAX: usize = 2_000;

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComplianceStatus {
    /// It holds.
    Pass,
    /// What would tell is not there.
    Warning,
    /// It does not hold.
    Fail,
}

impl ComplianceStatus {
    const fn told(self) -> (u8, &'static str) {
        match self {
            Self::Pass => (1, "Pass"),
            Self::Warning => (2, "Warning"),
            Self::Fail => (3, "Fail"),
        }
    }
}

/// Something that was checked, as [`write_ocsf_compliance`] tells it. Texts may be of others, ids may be empty.
#[derive(Debug, Clone)]
pub struct Compliance<'a> {
    /// The same for the same thing in every run.
    pub uid: String,
    /// What is wrong, or what was asked for.
    pub title: &'a str,
    /// One sentence; may be empty.
    pub desc: &'a str,
    /// What kind of event it is, for those who sort them.
    pub kind: &'static str,
    /// Name of the check.
    pub check: &'static str,
    /// The standard that asks for it.
    pub standard: &'static str,
    /// Its control.
    pub control: &'static str,
    /// Requirements of the control that it is about.
    pub requirements: Vec<&'static str>,
    /// What it came to.
    pub status: ComplianceStatus,
    /// What shows that.
    pub evidence: &'a [String],
    /// How grave it is.
    pub severity: Severity,
    /// When it was found.
    pub at: Timestamp,
    /// First and last second of the traffic that it was held against.
    pub window: Option<(Timestamp, Timestamp)>,
    /// Account of the resource.
    pub account_id: &'a str,
    /// Its region.
    pub region: &'a str,
    /// The resource, as AWS calls it: `sg-…`, `vpc-…`, an account's number.
    pub resource: &'a str,
    /// What repairs it.
    pub remedy: Option<&'static str>,
    /// What OCSF has no attribute for.
    pub unmapped: Map<String, Value>,
}

/// Writes each as a line with an event of OCSF's class Compliance Finding, in the order given.
///
/// # Errors
/// Those of `out`.
pub fn write_ocsf_compliance<W: Write>(out: &mut W, checked: &[Compliance<'_>]) -> io::Result<()> {
    checked
        .iter()
        .try_for_each(|of| write_line(out, &Event::new(of)))
}

#[derive(Serialize)]
struct Event<'a> {
    activity_id: u32,
    activity_name: &'static str,
    category_uid: u32,
    category_name: &'static str,
    class_uid: u32,
    class_name: &'static str,
    type_uid: u32,
    type_name: &'static str,
    severity_id: u8,
    severity: &'static str,
    time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<i64>,
    message: String,
    status_id: u8,
    status: &'static str,
    metadata: Metadata,
    cloud: Cloud<'a>,
    finding_info: Info<'a>,
    compliance: Body<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<Remediation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<Resource<'a>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    unmapped: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Info<'a> {
    uid: &'a str,
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    desc: String,
    types: [&'static str; 1],
    analytic: Analytic,
    created_time: i64,
}

#[derive(Serialize)]
struct Analytic {
    uid: &'static str,
    name: &'static str,
    type_id: u8,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Body<'a> {
    standards: [&'static str; 1],
    control: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    requirements: &'a [&'static str],
    status_id: u8,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    status_details: Vec<String>,
}

#[derive(Serialize)]
struct Remediation {
    desc: &'static str,
}

#[derive(Serialize)]
struct Resource<'a> {
    uid: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_partition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
}

impl<'a> Event<'a> {
    fn new(of: &'a Compliance<'a>) -> Self {
        let at = millis(of.at);
        let title = text(match of.title.trim() {
            "" => of.check,
            _ => of.title,
        });
        let (status_id, status) = of.status.told();
        Self {
            activity_id: ACTIVITY_CREATE,
            activity_name: "Create",
            category_uid: CLASS_UID / 1_000,
            category_name: "Findings",
            class_uid: CLASS_UID,
            class_name: "Compliance Finding",
            type_uid: CLASS_UID * 100 + ACTIVITY_CREATE,
            type_name: "Compliance Finding: Create",
            severity_id: of.severity.id(),
            severity: caption(of.severity),
            time: at,
            start_time: of.window.map(|(first, _)| millis(first)),
            end_time: of.window.map(|(_, last)| millis(last)),
            message: title.clone(),
            status_id: 1,
            status: "New",
            metadata: Metadata::default(),
            cloud: Cloud::of(of.account_id, of.region),
            finding_info: Info {
                uid: &of.uid,
                title,
                desc: text(of.desc),
                types: [of.kind],
                analytic: Analytic {
                    uid: of.check,
                    name: of.check,
                    type_id: 1,
                    r#type: "Rule",
                },
                created_time: at,
            },
            compliance: Body {
                standards: [of.standard],
                control: of.control,
                requirements: &of.requirements,
                status_id,
                status,
                status_details: of
                    .evidence
                    .iter()
                    .filter(|evidence| !evidence.trim().is_empty())
                    .map(|evidence| text(evidence))
                    .collect(),
            },
            remediation: of.remedy.map(|desc| Remediation { desc }),
            resources: resource(of).into_iter().collect(),
            unmapped: &of.unmapped,
        }
    }
}

fn resource<'a>(of: &Compliance<'a>) -> Option<Resource<'a>> {
    if of.resource.trim().is_empty() {
        return None;
    }
    let kind = Configured::of(of.resource);
    let region = Some(of.region).filter(|region| is_region(region));
    let account = Some(of.account_id).filter(|id| is_account(id));
    Some(Resource {
        uid: Configured::uid(kind, of.resource, account, region),
        name: of.resource,
        r#type: kind.map(Configured::type_name),
        cloud_partition: region.map(partition),
        region,
    })
}

fn text(of: &str) -> String {
    escape(of, TEXT_CHARS_MAX)
}

#[cfg(test)]
mod tests;
