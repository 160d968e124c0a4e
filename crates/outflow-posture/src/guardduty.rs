//! Findings of GuardDuty: how many grave ones a month has.

use std::collections::{BTreeMap, BTreeSet};

use outflow_record::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

/// Findings that are kept: a thousand accounts with a thousand each. Those beyond are counted in
/// [`GuardDuty::beyond`], and no month is said to be quiet then.
pub const GUARDDUTY_FINDINGS_MAX: usize = 1_000_000;

/// Severity from which on GuardDuty calls a finding high; from 9 on, critical.
pub const GUARDDUTY_HIGH: f64 = 7.0;

/// A finding, as far as posture asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardDutyFinding {
    /// Account.
    pub account_id: String,
    /// Region.
    pub region: String,
    /// Such as `Trojan:EC2/DNSDataExfiltration`.
    pub kind: String,
    /// 1 to 10.
    pub severity: f64,
    /// When it was first made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Whether somebody put it away.
    pub archived: bool,
    /// VPCs of the instance that it is about.
    pub vpc_ids: Vec<String>,
}

/// Findings by id, of each the last that was read of it.
///
/// ```
/// use outflow_posture::GuardDuty;
/// let mut findings = GuardDuty::default();
/// let line = br#"{"id": "f1", "accountId": "123456789012", "region": "eu-west-1", "severity": 8,
///     "type": "Trojan:EC2/DropPoint", "createdAt": "2026-10-02T08:00:00.000Z", "updatedAt": "2026-10-02T09:00:00.000Z",
///     "service": {"archived": false}}"#;
/// findings.add("export.jsonl", line).unwrap();
/// assert_eq!(findings.of("123456789012").count(), 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct GuardDuty {
    findings: BTreeMap<String, GuardDutyFinding>,
    /// By account and region.
    watched: BTreeMap<String, BTreeMap<String, Option<Timestamp>>>,
    doubts: BTreeMap<String, BTreeSet<String>>,
    samples: u64,
    beyond: u64,
}

/// High and critical findings that were first made in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Month {
    /// Such as `2026-10`.
    pub month: String,
    /// Findings.
    pub high: u64,
    /// Whether the month was over by the time of the report.
    pub whole: bool,
}

/// Which way the months go: the last whole one against the mean of up to three before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trend {
    /// More.
    Rising,
    /// As many.
    Level,
    /// Fewer.
    Falling,
    /// There are fewer than two whole months.
    Unknown,
}

/// Keys of findings begin in upper case in what the API answers, and in lower case in what is exported.
#[derive(Deserialize)]
struct Raw {
    #[serde(alias = "Id")]
    id: String,
    #[serde(alias = "AccountId", rename = "accountId")]
    account_id: String,
    #[serde(alias = "Region", default)]
    region: String,
    #[serde(alias = "Type", rename = "type")]
    kind: String,
    #[serde(alias = "Severity")]
    severity: f64,
    #[serde(alias = "CreatedAt", rename = "createdAt")]
    created_at: String,
    #[serde(alias = "UpdatedAt", rename = "updatedAt")]
    updated_at: String,
    #[serde(alias = "Service", default)]
    service: RawService,
    #[serde(alias = "Resource", default)]
    resource: RawResource,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawDetectors {
    detectors: Vec<RawDetector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawDetector {
    #[serde(default)]
    status: String,
    created_at: Option<String>,
}

#[derive(Deserialize, Default)]
struct RawService {
    #[serde(alias = "Archived", default)]
    archived: bool,
    #[serde(alias = "AdditionalInfo", rename = "additionalInfo", default)]
    additional_info: Option<RawInfo>,
}

#[derive(Deserialize, Default)]
struct RawInfo {
    #[serde(alias = "Sample", default)]
    sample: Option<bool>,
    /// JSON as text, where the API has what is exported as an object.
    #[serde(alias = "Value", default)]
    value: Option<Value>,
}

#[derive(Deserialize, Default)]
struct RawResource {
    #[serde(alias = "InstanceDetails", rename = "instanceDetails", default)]
    instance_details: Option<RawInstance>,
}

#[derive(Deserialize, Default)]
struct RawInstance {
    #[serde(alias = "NetworkInterfaces", rename = "networkInterfaces", default)]
    network_interfaces: Vec<RawInterface>,
}

#[derive(Deserialize, Default)]
struct RawInterface {
    #[serde(alias = "VpcId", rename = "vpcId", default)]
    vpc_id: Option<String>,
}

impl GuardDuty {
    /// Adds a document: what `aws guardduty get-findings` prints, findings of an export line by line, or events of
    /// EventBridge. Of what is there twice, the last change stays; samples are left out.
    ///
    /// # Errors
    /// [`Error::BadFindings`] names the first finding that is not understood; what came before it was added.
    pub fn add(&mut self, source: &str, json: &[u8]) -> Result<(), Error> {
        let mut read = 0;
        let mut stream = serde_json::Deserializer::from_slice(json).into_iter::<Value>();
        let line_of = |offset: usize| {
            let seen = json.get(..offset).unwrap_or(json);
            1 + seen.iter().filter(|byte| **byte == b'\n').count()
        };
        loop {
            let line = line_of(read);
            let wrong = |what: String| Error::BadFindings {
                source_name: source.to_owned(),
                line,
                what,
            };
            let Some(value) = stream.next() else {
                return Ok(());
            };
            let value = value.map_err(|error| wrong(error.to_string()))?;
            read = stream.byte_offset();
            for finding in findings(value) {
                let raw = Raw::deserialize(finding).map_err(|error| wrong(error.to_string()))?;
                self.take(raw).map_err(wrong)?;
            }
        }
    }

    /// Says that GuardDuty is on in a region of an account, since a time where that is known: months without findings
    /// are quiet then, not unknown. It is on by region: of others, this says nothing.
    pub fn watch(&mut self, account_id: &str, region: &str, since: Option<Timestamp>) {
        let regions = self.watched.entry(account_id.to_owned()).or_default();
        regions.insert(region.to_owned(), since);
    }

    /// Says what is not known of an account's findings: that there are none is doubted then.
    pub fn doubt(&mut self, account_id: &str, why: String) {
        let doubts = self.doubts.entry(account_id.to_owned()).or_default();
        doubts.insert(why);
    }

    /// What is not known of an account's findings, in order.
    pub fn doubts(&self, account_id: &str) -> impl Iterator<Item = &str> {
        let doubts = self.doubts.get(account_id).into_iter().flatten();
        doubts.map(String::as_str)
    }

    /// Adds the detectors of an account in a region: `{"Detectors": […]}`, each as `aws guardduty get-detector` prints it.
    /// GuardDuty is on where one is enabled; where none is, that is a doubt about the account's findings.
    ///
    /// # Errors
    /// [`Error::BadFindings`] if it is none such.
    pub fn add_detectors(
        &mut self,
        source: &str,
        json: &[u8],
        (account_id, region): (&str, &str),
    ) -> Result<(), Error> {
        let wrong = |what: String| Error::BadFindings {
            source_name: source.to_owned(),
            line: 1,
            what,
        };
        let detectors: RawDetectors =
            serde_json::from_slice(json).map_err(|error| wrong(error.to_string()))?;
        let mut enabled = detectors
            .detectors
            .iter()
            .filter(|own| own.status == "ENABLED");
        match enabled.next() {
            Some(detector) => {
                let since = detector.created_at.as_deref().map(instant).transpose();
                self.watch(account_id, region, since.map_err(wrong)?);
            }
            None => self.doubt(account_id, format!("GuardDuty is not on in {region}")),
        }
        Ok(())
    }

    /// Whether GuardDuty is known to be on in a region of an account: it was said, or there are findings of it.
    pub fn watches(&self, account_id: &str, region: &str) -> bool {
        let said = self.watched.get(account_id);
        said.is_some_and(|regions| regions.contains_key(region))
            || self.of(account_id).any(|finding| finding.region == region)
    }

    /// Whether GuardDuty is known to be on in any region of an account.
    pub fn watches_any(&self, account_id: &str) -> bool {
        self.watched.contains_key(account_id) || self.of(account_id).next().is_some()
    }

    /// Findings of an account.
    pub fn of(&self, account_id: &str) -> impl Iterator<Item = &GuardDutyFinding> {
        let all = self.findings.values();
        all.filter(move |finding| finding.account_id == account_id)
    }

    /// Accounts that are watched or have findings.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        let found = self
            .findings
            .values()
            .map(|finding| finding.account_id.as_str());
        found.chain(self.watched.keys().map(String::as_str))
    }

    /// Samples that were left out.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Findings that found no room.
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    /// High findings of an account by month, from the first that is known until a time; those made later are left
    /// out.
    pub fn months(&self, account_id: &str, until: Timestamp) -> Vec<Month> {
        let high = self.of(account_id).filter(|finding| finding.is_high());
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        for finding in high.filter(|finding| finding.created_at <= until) {
            *counts.entry(month(finding.created_at)).or_default() += 1;
        }
        // Of several regions, the latest: before it, not all of them were watched.
        let regions = self.watched.get(account_id).into_iter();
        let since = regions.flat_map(BTreeMap::values).copied().max().flatten();
        let seen = self.of(account_id).map(|finding| finding.created_at);
        let Some(first) = seen.chain(since).filter(|at| *at <= until).min() else {
            return Vec::new();
        };
        let last = month(until);
        let months = month(first)..=last;
        months
            .map(|number| Month {
                month: format!(
                    "{:04}-{:02}",
                    number.div_euclid(12),
                    number.rem_euclid(12) + 1
                ),
                high: counts.get(&number).copied().unwrap_or(0),
                whole: number < last,
            })
            .collect()
    }

    fn take(&mut self, raw: Raw) -> Result<(), String> {
        if raw.is_sample() {
            self.samples += 1;
            return Ok(());
        }
        let finding = GuardDutyFinding {
            created_at: instant(&raw.created_at)?,
            updated_at: instant(&raw.updated_at)?,
            vpc_ids: raw.vpc_ids(),
            account_id: raw.account_id,
            region: raw.region,
            kind: raw.kind,
            severity: raw.severity,
            archived: raw.service.archived,
        };
        let room = self.findings.len() < GUARDDUTY_FINDINGS_MAX;
        match self.findings.get_mut(&raw.id) {
            Some(known) if known.updated_at <= finding.updated_at => *known = finding,
            Some(_) => {}
            None if room => {
                self.findings.insert(raw.id, finding);
            }
            None => self.beyond += 1,
        }
        Ok(())
    }
}

impl GuardDutyFinding {
    /// Whether GuardDuty calls it high or critical.
    pub fn is_high(&self) -> bool {
        self.severity >= GUARDDUTY_HIGH
    }
}

impl Trend {
    /// The trend of months.
    pub fn of(months: &[Month]) -> Self {
        let whole: Vec<u64> = months
            .iter()
            .filter(|month| month.whole)
            .map(|month| month.high)
            .collect();
        let Some((last, before)) = whole.split_last().filter(|(_, before)| !before.is_empty())
        else {
            return Self::Unknown;
        };
        let before = &before[before.len().saturating_sub(3)..];
        // Compared as sums, so that no mean is rounded.
        let scaled = last * before.len() as u64;
        match scaled.cmp(&before.iter().sum()) {
            std::cmp::Ordering::Greater => Self::Rising,
            std::cmp::Ordering::Equal => Self::Level,
            std::cmp::Ordering::Less => Self::Falling,
        }
    }
}

impl Raw {
    fn is_sample(&self) -> bool {
        let Some(info) = &self.service.additional_info else {
            return false;
        };
        let inner = match &info.value {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or(Value::Null),
            Some(value) => value.clone(),
            None => Value::Null,
        };
        info.sample == Some(true) || inner.get("sample") == Some(&Value::Bool(true))
    }

    fn vpc_ids(&self) -> Vec<String> {
        let instance = self.resource.instance_details.iter();
        let interfaces = instance.flat_map(|instance| &instance.network_interfaces);
        interfaces
            .filter_map(|interface| interface.vpc_id.clone())
            .collect()
    }
}

/// The findings that a value is or holds.
fn findings(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.into_iter().flat_map(findings).collect(),
        Value::Object(mut object) => {
            for list in ["Findings", "findings"] {
                if let Some(Value::Array(values)) = object.remove(list) {
                    return values;
                }
            }
            match object.remove("detail") {
                Some(detail @ Value::Object(_)) => vec![detail],
                _ => vec![Value::Object(object)],
            }
        }
        other => vec![other],
    }
}

/// Months since the year 0.
fn month(at: Timestamp) -> i64 {
    let (year, month, _) = at.date();
    year * 12 + i64::from(month) - 1
}

/// Reads a time with or without a fraction and zone, which is always UTC.
fn instant(text: &str) -> Result<Timestamp, String> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let whole = whole.strip_suffix("+00:00").unwrap_or(whole);
    whole.parse().map_err(|_| format!("`{text}` is no time"))
}

pub use record::{GUARDDUTY_DAMAGE_TOLD_MAX, GuardDutyDamage, GuardDutyRecord, GuardDutyRecords};

mod record;
#[cfg(test)]
mod tests;
