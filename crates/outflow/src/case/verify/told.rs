//! What the files of a case say of one another: who changes one of them, and the manifest with it, has all others to change, too.
//!
//! Figures of a finding are what they were judged to be: those only another run tells, by the configuration that is kept.

mod judged;
mod ocsf;
mod reasons;
mod timelines;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use outflow_finding::{escape, html_text, incident_id};
use serde_json::Value;

use super::{json, table, unreadable};
use crate::exit::Failure;

/// The figures that an incident sums up, and that OCSF has beside its own.
const SUMS: [&str; 4] = ["bytes", "payload_bytes", "packets", "flows"];

/// What an incident has of its gravest finding, the first one.
const OF_GRAVEST: [&str; 11] = [
    "family",
    "severity",
    "account_id",
    "region",
    "vpc_id",
    "interface_id",
    "workload",
    "parameters",
    "harmless",
    "history",
    "state",
];

/// Characters of a reason that are told.
const REASON_CHARS_MAX: usize = 160;

/// What `incident.json` tells.
pub(super) struct Told {
    incident: Value,
    pub(super) findings: Vec<Value>,
}

/// Two values that must be the same, with where each is.
struct Same<'v> {
    what: &'static str,
    here: (&'static str, &'v Value),
    there: (&'static str, &'v Value),
}

impl Told {
    /// Reads it.
    pub(super) fn read(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join("incident.json");
        let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        let (mut incidents, mut findings) = (Vec::new(), Vec::new());
        for (at, line) in text.lines().enumerate() {
            let wrong = |what: String| unreadable(&path, format!("line {}: {what}", at + 1));
            let told: Value =
                serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            match told["type"].as_str() {
                Some("incident") => incidents.push(told),
                Some("finding") => findings.push(told),
                Some("accounts") => {}
                _ => return Err(wrong("it is no incident and no finding".to_owned())),
            }
        }
        match (incidents.pop(), incidents.is_empty()) {
            (Some(incident), true) => Ok(Self { incident, findings }),
            _ => Err(unreadable(&path, "it does not tell of one incident")),
        }
    }

    /// Compares it with the other files, and these with one another.
    pub(super) fn compare(&self, dir: &Path, wrong: &mut Vec<String>) -> Result<(), Failure> {
        let made = json(&dir.join("case.json"))?;
        let told = "incident.json";
        same(
            wrong,
            &Same {
                what: "the incident",
                here: ("case.json", &made["incident"]),
                there: (told, &self.incident["id"]),
            },
        );
        self.findings(wrong);
        if let Some(gravest) = self.findings.first() {
            self.sums(gravest, wrong);
        }
        reasons::compare(&self.incident, &self.findings, wrong);
        let event = json(&dir.join("incident.ocsf.json"))?;
        ocsf::compare(&event, &self.incident, &self.findings, wrong);
        self.page(dir, wrong)?;
        self.sources(dir, wrong)?;
        timelines::compare(dir, &made, &self.incident, wrong)?;
        judged::compare(dir, &made, &self.incident["parameters"], wrong)
    }

    /// Which findings it has.
    fn findings(&self, wrong: &mut Vec<String>) {
        let mut say = |what: &str| wrong.push(format!("`incident.json`: {what}"));
        let ids = |findings: &[Value]| findings.iter().map(|own| own["id"].clone()).collect();
        if self.incident["findings"] != Value::Array(ids(&self.findings)) {
            say("its findings are not those that its incident names");
        }
        let is_other = |own: &&Value| own["incident"] != self.incident["id"];
        for own in self.findings.iter().filter(is_other) {
            say(&format!("finding {} is of another incident", own["id"]));
        }
        let smallest = self
            .findings
            .iter()
            .filter_map(|own| own["id"].as_str())
            .min();
        if smallest.map(incident_id).as_deref() != self.incident["id"].as_str() {
            say("the incident's id is not that of its findings");
        }
    }

    /// What it sums up.
    fn sums(&self, gravest: &Value, wrong: &mut Vec<String>) {
        let incident = &self.incident;
        let mut say = |key: &str| {
            wrong.push(format!(
                "`incident.json`: `{key}` of the incident is not what its findings come to"
            ));
        };
        for key in OF_GRAVEST {
            if incident[key] != gravest[key] {
                say(key);
            }
        }
        let title = gravest["title"].as_str().unwrap_or_default();
        let title = match self.findings.len() {
            1 => title.to_owned(),
            all => format!("{title} (+{} more)", all - 1),
        };
        if incident["title"] != title {
            say("title");
        }
        let all = |key: &'static str| {
            self.findings
                .iter()
                .filter_map(move |own| own[key].as_u64())
        };
        for key in SUMS {
            // What two families tell of the same traffic counts once.
            let least = all(key).max().unwrap_or(0);
            let most = all(key).fold(0, u64::saturating_add);
            if !incident[key]
                .as_u64()
                .is_some_and(|sum| (least..=most).contains(&sum))
            {
                say(key);
            }
        }
        if incident["risk"].as_u64() < all("risk").max() {
            say("risk");
        }
        // They are written so that they sort as texts.
        let times = |key: &'static str| {
            self.findings
                .iter()
                .filter_map(move |own| own[key].as_str())
        };
        for (key, time) in [
            ("first_seen", times("first_seen").min()),
            ("last_seen", times("last_seen").max()),
        ] {
            if incident[key].as_str() != time {
                say(key);
            }
        }
    }

    /// Whether the page is about it.
    fn page(&self, dir: &Path, wrong: &mut Vec<String>) -> Result<(), Failure> {
        let path = dir.join("report.html");
        let page = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        for key in ["id", "title"] {
            let text = self.incident[key].as_str().unwrap_or_default();
            if !page.contains(&html_text(text)) {
                wrong.push(format!(
                    "`report.html` does not have the {key} of the incident"
                ));
            }
        }
        let reasons = self.incident["why"].as_array().into_iter().flatten();
        let texts = reasons.filter_map(|why| why["text"].as_str());
        for text in texts.filter(|text| !page.contains(&html_text(text))) {
            wrong.push(format!(
                "`report.html` does not have a reason of the incident: {}",
                escape(text, REASON_CHARS_MAX)
            ));
        }
        Ok(())
    }

    /// Whether the objects that findings name as evidence have the digests of `sources.csv`, which is about these findings.
    fn sources(&self, dir: &Path, wrong: &mut Vec<String>) -> Result<(), Failure> {
        let (_, rows) = table(&dir.join("sources.csv"))?;
        let ids: BTreeSet<String> = self
            .findings
            .iter()
            .filter_map(|own| own["id"].as_str().map(crate::case::bundle::file_name))
            .collect();
        let mut kept: BTreeSet<(&str, &str)> = BTreeSet::new();
        for row in &rows {
            let (Some(finding), Some(uri), Some(sha256)) = (row.first(), row.get(1), row.get(5))
            else {
                continue;
            };
            if !ids.contains(finding) {
                wrong.push(format!(
                    "`sources.csv` names a finding `{finding}`, which is not there"
                ));
            }
            kept.insert((uri, sha256));
        }
        let uris: BTreeSet<&str> = kept.iter().map(|(uri, _)| *uri).collect();
        let mut told = BTreeSet::new();
        let objects = self
            .findings
            .iter()
            .filter_map(|own| own["evidence"]["objects"].as_array());
        for object in objects.flatten() {
            let (Some(uri), Some(sha256)) = (object["uri"].as_str(), object["sha256"].as_str())
            else {
                continue;
            };
            if uris.contains(uri) && !kept.contains(&(uri, sha256)) && told.insert(uri) {
                wrong.push(format!(
                    "`{uri}` has another digest in `incident.json` than in `sources.csv`"
                ));
            }
        }
        Ok(())
    }
}

/// Tells of two values that are not the same.
fn same(wrong: &mut Vec<String>, values: &Same<'_>) {
    let Same { what, here, there } = values;
    if here.1 != there.1 {
        wrong.push(format!(
            "{what} is {} in `{}`, and {} in `{}`",
            here.1, here.0, there.1, there.0
        ));
    }
}
