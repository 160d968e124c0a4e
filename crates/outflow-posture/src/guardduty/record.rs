//! Findings of GuardDuty with all that is asked of them when they are held against others.

use std::collections::{BTreeMap, BTreeSet};

use outflow_record::{Addr, Timestamp};
use serde_json::Value;

use super::{GUARDDUTY_FINDINGS_MAX, findings, instant};

/// Lines and documents that are no findings, of which the reason is kept; of those beyond, only how many there are.
pub const GUARDDUTY_DAMAGE_TOLD_MAX: usize = 10;

/// A finding as GuardDuty tells it; what it does not tell is `None` or empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GuardDutyRecord {
    /// Its id, which stays when it is updated.
    pub id: String,
    /// Such as `Trojan:EC2/DNSDataExfiltration`.
    pub kind: String,
    /// 1 to 10.
    pub severity: f64,
    /// A sentence.
    pub title: Option<String>,
    /// Account of the resource.
    pub account_id: String,
    /// Region.
    pub region: Option<String>,
    /// Such as `Instance`, `AccessKey` or `S3Bucket`.
    pub resource_type: Option<String>,
    /// `ACTOR` if the resource did it, `TARGET` if it was done to it.
    pub resource_role: Option<String>,
    /// The instance.
    pub instance_id: Option<String>,
    /// Network interfaces of the resource.
    pub interface_ids: BTreeSet<String>,
    /// VPCs of these.
    pub vpc_ids: BTreeSet<String>,
    /// Addresses of the resource inside.
    pub private_addrs: BTreeSet<Addr>,
    /// Buckets.
    pub buckets: BTreeSet<String>,
    /// Such as `NETWORK_CONNECTION`, `DNS_REQUEST` or `AWS_API_CALL`.
    pub action: Option<String>,
    /// `INBOUND`, `OUTBOUND` or `UNKNOWN`.
    pub direction: Option<String>,
    /// Such as `TCP`.
    pub protocol: Option<String>,
    /// Whether the action was blocked.
    pub blocked: Option<bool>,
    /// Port of the resource.
    pub local_port: Option<i64>,
    /// Addresses of the other side.
    pub remote_addrs: BTreeSet<Addr>,
    /// Port of the other side.
    pub remote_port: Option<i64>,
    /// Country of the other side, as GuardDuty calls it.
    pub remote_country: Option<String>,
    /// Who runs its network.
    pub remote_org: Option<String>,
    /// The name that was asked for.
    pub domain: Option<String>,
    /// How often it happened.
    pub count: Option<i64>,
    /// When it was first made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When what it tells of was first seen.
    pub first_seen: Option<Timestamp>,
    /// When it was last seen.
    pub last_seen: Option<Timestamp>,
    /// Whether somebody put it away.
    pub archived: bool,
}

/// Something that is no finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardDutyDamage {
    /// Name of the document, as it was given.
    pub source: String,
    /// Line in it, from 1 on.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Findings by id, of each the last change, and what was no finding. What it holds does not depend on the order of documents.
///
/// ```
/// use outflow_posture::GuardDutyRecords;
/// let mut records = GuardDutyRecords::default();
/// let lines = br#"{"id": "f1", "accountId": "123456789012", "region": "eu-west-1", "severity": 8, "type": "Trojan:EC2/DropPoint",
///     "createdAt": "2026-10-02T08:00:00.000Z", "updatedAt": "2026-10-02T09:00:00.000Z"}
/// {"id": "#;
/// let one_a_line = String::from_utf8_lossy(lines).replace(",\n", ",");
/// records.add("export.jsonl", one_a_line.as_bytes());
/// assert_eq!((records.iter().count(), records.damaged()), (1, 1));
/// ```
#[derive(Debug, Clone, Default)]
pub struct GuardDutyRecords {
    records: BTreeMap<String, GuardDutyRecord>,
    samples: u64,
    beyond: u64,
    damaged: u64,
    told: Vec<GuardDutyDamage>,
}

impl GuardDutyRecords {
    /// Adds a document: an export with a finding a line, what `aws guardduty get-findings` prints, or an event of EventBridge.
    /// Of what is there twice, the last change stays; samples are left out, and what is no finding is counted.
    pub fn add(&mut self, source: &str, json: &[u8]) {
        if let Ok(whole) = serde_json::from_slice(json) {
            return self.take(source, 1, whole);
        }
        for (at, line) in json.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice(line) {
                Ok(value) => self.take(source, at + 1, value),
                Err(error) => self.spoil(source, at + 1, error.to_string()),
            }
        }
    }

    /// The findings, by id.
    pub fn iter(&self) -> impl Iterator<Item = &GuardDutyRecord> {
        self.records.values()
    }

    /// Samples that were left out.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Findings that found no room beyond [`GUARDDUTY_FINDINGS_MAX`].
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    /// Lines and values that are no findings.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// The first of those, [`GUARDDUTY_DAMAGE_TOLD_MAX`] at most.
    pub fn damage(&self) -> &[GuardDutyDamage] {
        &self.told
    }

    fn spoil(&mut self, source: &str, line: usize, what: String) {
        self.damaged += 1;
        if self.told.len() < GUARDDUTY_DAMAGE_TOLD_MAX {
            let source = source.to_owned();
            self.told.push(GuardDutyDamage { source, line, what });
        }
    }

    fn take(&mut self, source: &str, line: usize, value: Value) {
        for finding in findings(value) {
            match record(&lower(finding)) {
                Ok(Some(record)) => self.keep(record),
                Ok(None) => self.samples += 1,
                Err(what) => self.spoil(source, line, what),
            }
        }
    }

    fn keep(&mut self, record: GuardDutyRecord) {
        let room = self.records.len() < GUARDDUTY_FINDINGS_MAX;
        // Of two changes at one time the one that counts more, so that order does not matter.
        let rank = |of: &GuardDutyRecord| (of.updated_at, of.count, of.archived);
        match self.records.get_mut(&record.id) {
            Some(known) if rank(known) < rank(&record) => *known = record,
            Some(_) => {}
            None if room => {
                self.records.insert(record.id.clone(), record);
            }
            None => self.beyond += 1,
        }
    }
}

/// Keys as an export has them: those of the API's answers begin in upper case.
fn lower(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let lowered = object.into_iter().map(|(key, value)| {
                let mut chars = key.chars();
                let first = chars.next().map(|first| first.to_ascii_lowercase());
                let key: String = first.into_iter().chain(chars).collect();
                (key, lower(value))
            });
            Value::Object(lowered.collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(lower).collect()),
        other => other,
    }
}

/// A finding out of its JSON; `None` of a sample.
fn record(of: &Value) -> Result<Option<GuardDutyRecord>, String> {
    let needed = |path: &str| text(of, path).ok_or_else(|| format!("it has no text `{path}`"));
    let time = |path: &str| match text(of, path) {
        Some(text) => instant(&text).map(Some),
        None => Ok(None),
    };
    if !of.is_object() {
        return Err("it is no object".to_owned());
    }
    if is_sample(of) {
        return Ok(None);
    }
    let severity = of.get("severity").and_then(Value::as_f64);
    let action = of.pointer("/service/action").unwrap_or(&Value::Null);
    let resource = of.get("resource").unwrap_or(&Value::Null);
    let mut record = GuardDutyRecord {
        id: needed("/id")?,
        kind: needed("/type")?,
        severity: severity.ok_or("it has no number `/severity`")?,
        title: text(of, "/title"),
        account_id: needed("/accountId")?,
        region: text(of, "/region"),
        resource_type: text(resource, "/resourceType"),
        resource_role: text(of, "/service/resourceRole"),
        instance_id: text(resource, "/instanceDetails/instanceId"),
        action: text(action, "/actionType"),
        count: of.pointer("/service/count").and_then(Value::as_i64),
        created_at: time("/createdAt")?.ok_or("it has no time `/createdAt`")?,
        updated_at: time("/updatedAt")?.ok_or("it has no time `/updatedAt`")?,
        first_seen: time("/service/eventFirstSeen")?,
        last_seen: time("/service/eventLastSeen")?,
        archived: of.pointer("/service/archived") == Some(&Value::Bool(true)),
        ..GuardDutyRecord::default()
    };
    each(of, &mut |key, value| note(&mut record, key, value));
    Ok(Some(record))
}

/// Takes what is wherever it is: actions and resources differ by kind, and what they have in common has one key.
fn note(record: &mut GuardDutyRecord, key: &str, value: &Value) {
    let string = || value.as_str().filter(|text| !text.is_empty());
    let mut put = |place: fn(&mut GuardDutyRecord) -> &mut Option<String>, text: Option<String>| {
        let place = place(record);
        if place.is_none() {
            *place = text;
        }
    };
    match key {
        "connectionDirection" => put(|of| &mut of.direction, string().map(str::to_owned)),
        "protocol" => put(|of| &mut of.protocol, string().map(str::to_owned)),
        "domain" => put(|of| &mut of.domain, string().map(str::to_owned)),
        "blocked" => record.blocked = record.blocked.or(value.as_bool()),
        "localPortDetails" => {
            let port = value.get("port").and_then(Value::as_i64);
            record.local_port = record.local_port.or(port);
        }
        "remotePortDetails" => {
            let port = value.get("port").and_then(Value::as_i64);
            record.remote_port = record.remote_port.or(port);
        }
        "remoteIpDetails" => {
            let organization = text(value, "/organization/asnOrg");
            let organization = organization.or(text(value, "/organization/org"));
            put(|of| &mut of.remote_org, organization);
            let country = text(value, "/country/countryName");
            put(|of| &mut of.remote_country, country);
            let addrs = ["/ipAddressV4", "/ipAddressV6"].map(|path| text(value, path));
            let addrs = addrs.into_iter().flatten();
            record
                .remote_addrs
                .extend(addrs.filter_map(|text| text.parse::<Addr>().ok()));
        }
        "networkInterfaceId" | "localNetworkInterface" => {
            record.interface_ids.extend(string().map(str::to_owned));
        }
        "vpcId" => record.vpc_ids.extend(string().map(str::to_owned)),
        "privateIpAddress" => {
            let addr = string().and_then(|text| text.parse::<Addr>().ok());
            record.private_addrs.extend(addr);
        }
        "s3BucketDetails" => {
            let buckets = value.as_array().into_iter().flatten();
            let names = buckets.filter_map(|bucket| text(bucket, "/name"));
            record.buckets.extend(names);
        }
        _ => {}
    }
}

/// Calls `work` for each key of an object, and of the objects in it.
fn each(value: &Value, work: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                work(key, value);
                each(value, work);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| each(value, work)),
        _ => {}
    }
}

fn text(of: &Value, path: &str) -> Option<String> {
    let text = of.pointer(path)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn is_sample(of: &Value) -> bool {
    let Some(info) = of.pointer("/service/additionalInfo") else {
        return false;
    };
    let inner = match info.get("value") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or(Value::Null),
        Some(value) => value.clone(),
        None => Value::Null,
    };
    [info, &inner]
        .map(|of| of.get("sample"))
        .contains(&Some(&Value::Bool(true)))
}

#[cfg(test)]
mod tests;
