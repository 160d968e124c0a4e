//! Incidents of a run of `outflow detect`, from its JSON lines.

use std::collections::BTreeMap;

use outflow_finding::{Family, LastOf};
use outflow_record::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::Error;

/// What a run wrote, as far as containing an incident needs it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunRead {
    /// Incidents, in the order of the file.
    pub incidents: Vec<Suspect>,
    /// Interfaces and time that the run judged; `None` if the file does not have the books of the run.
    pub judged: Option<JudgedSpan>,
}

/// How much a run judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgedSpan {
    /// Network interfaces.
    pub enis: u64,
    /// First packet.
    pub first: Option<Timestamp>,
    /// Last packet.
    pub last: Option<Timestamp>,
}

/// An incident and its findings.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// The incident's id.
    pub id: String,
    /// What it says of itself.
    pub title: String,
    /// The family of its gravest finding.
    pub family: Option<Family>,
    /// How rarely something as strong was told before, in bits.
    pub rate_bits: Option<f64>,
    /// What incident and findings say of who sent and where to; the incident's first.
    pub located: Vec<Located>,
}

/// Who sent, and where to.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Located {
    /// Account.
    pub account_id: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// VPC.
    pub vpc_id: Option<String>,
    /// Interface.
    pub interface_id: Option<String>,
    /// The sender, as records and inventory had it.
    pub sender: Sender,
    /// Where to.
    pub destination: Destination,
}

/// A sender.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Sender {
    /// Instance.
    pub instance_id: Option<String>,
    /// Subnet.
    pub subnet_id: Option<String>,
    /// Groups.
    pub security_groups: Vec<GroupRef>,
}

/// A security group.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct GroupRef {
    /// `sg-…`.
    pub id: String,
}

/// A destination.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Destination {
    /// Domain, service or network.
    pub group: Option<String>,
    /// Addresses.
    pub addresses: Vec<String>,
    /// How many addresses there are.
    pub addresses_total: u64,
    /// Domain.
    pub domain: Option<String>,
    /// Names of the addresses.
    pub domains: Vec<String>,
    /// Whether an address had names of several domains.
    pub ambiguous: bool,
    /// Service of AWS.
    pub service: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    r#type: String,
    id: Option<String>,
    incident: Option<String>,
    #[serde(default)]
    title: String,
    family: Option<String>,
    rate_bits: Option<f64>,
    enis: Option<u64>,
    #[serde(default, deserialize_with = "instant")]
    first: Option<Timestamp>,
    #[serde(default, deserialize_with = "instant")]
    last: Option<Timestamp>,
    #[serde(flatten)]
    located: Located,
}

impl RunRead {
    /// Reads JSON lines: incidents, findings and books of a run; lines of other types are passed over.
    ///
    /// # Errors
    /// [`Error::BadRun`] if a line is no JSON of a run, or no line is.
    pub fn from_json_lines(source_name: &str, text: &str) -> Result<Self, Error> {
        let mut lines = RunLines::new(source_name);
        for line in text.lines() {
            lines.add(line.as_bytes())?;
        }
        lines.finish()
    }
}

/// The same as [`RunRead::from_json_lines`], of lines that come one by one.
#[derive(Debug)]
pub struct RunLines {
    source_name: String,
    line: usize,
    is_run: bool,
    incidents: LastOf<Suspect>,
    /// Findings, each with the incident that holds it.
    findings: LastOf<(String, Located)>,
    judged: Option<JudgedSpan>,
}

impl RunLines {
    /// Of a document of this name.
    pub fn new(source_name: &str) -> Self {
        Self {
            source_name: source_name.to_owned(),
            line: 0,
            is_run: false,
            incidents: LastOf::default(),
            findings: LastOf::default(),
            judged: None,
        }
    }

    /// Takes the next line, without its end. An incident or a finding that is told again takes the place of the earlier one.
    ///
    /// # Errors
    /// [`Error::BadRun`] if it is no JSON of a run.
    pub fn add(&mut self, text: &[u8]) -> Result<(), Error> {
        self.line += 1;
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        let line: Line =
            serde_json::from_slice(text).map_err(|error| self.wrong(error.to_string()))?;
        match (line.r#type.as_str(), line.id) {
            ("incident", Some(id)) => {
                let suspect = Suspect {
                    title: line.title,
                    family: line.family.and_then(|name| name.parse().ok()),
                    rate_bits: line.rate_bits.filter(|bits| bits.is_finite()),
                    located: vec![line.located],
                    id: id.clone(),
                };
                self.incidents.add(Some(id), suspect);
            }
            ("finding", id) => {
                let of = line.incident.unwrap_or_default();
                self.findings.add(id, (of, line.located));
            }
            ("accounts", _) => {
                self.judged = Some(JudgedSpan {
                    enis: line.enis.unwrap_or_default(),
                    first: line.first,
                    last: line.last,
                });
            }
            _ => return Ok(()),
        }
        self.is_run = true;
        Ok(())
    }

    /// The run of all that was taken.
    ///
    /// # Errors
    /// [`Error::BadRun`] if no line is one of a run.
    pub fn finish(self) -> Result<RunRead, Error> {
        if !self.is_run {
            let what = "it is no run of `outflow detect`".to_owned();
            return Err(Self { line: 1, ..self }.wrong(what));
        }
        let mut findings = BTreeMap::<String, Vec<Located>>::new();
        for (of, located) in self.findings.into_vec() {
            findings.entry(of).or_default().push(located);
        }
        let mut run = RunRead {
            incidents: self.incidents.into_vec(),
            judged: self.judged,
        };
        for incident in &mut run.incidents {
            let own = findings.remove(&incident.id).unwrap_or_default();
            incident.located.extend(own);
        }
        Ok(run)
    }

    fn wrong(&self, what: String) -> Error {
        Error::BadRun {
            source_name: self.source_name.clone(),
            line: self.line,
            what,
        }
    }
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}
