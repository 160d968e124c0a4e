//! Incidents of a run of `outflow detect`, from its JSON lines.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use outflow_finding::Family;
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
        let wrong = |line: usize, what: String| Error::BadRun {
            source_name: source_name.to_owned(),
            line,
            what,
        };
        let (mut run, mut findings) = (Self::default(), BTreeMap::<String, Vec<Located>>::new());
        let mut places = BTreeMap::<String, usize>::new();
        let mut is_run = false;
        for (at, text) in text.lines().enumerate() {
            if text.trim().is_empty() {
                continue;
            }
            let line: Line =
                serde_json::from_str(text).map_err(|error| wrong(at + 1, error.to_string()))?;
            match (line.r#type.as_str(), line.id) {
                ("incident", Some(id)) => {
                    let suspect = Suspect {
                        title: line.title,
                        family: line.family.and_then(|name| name.parse().ok()),
                        rate_bits: line.rate_bits.filter(|bits| bits.is_finite()),
                        located: vec![line.located],
                        id: id.clone(),
                    };
                    // A watch tells an incident again when it grew: the last is what is known.
                    match places.entry(id) {
                        Entry::Occupied(at) => run.incidents[*at.get()] = suspect,
                        Entry::Vacant(free) => {
                            free.insert(run.incidents.len());
                            run.incidents.push(suspect);
                        }
                    }
                }
                ("finding", _) => {
                    let of = line.incident.unwrap_or_default();
                    findings.entry(of).or_default().push(line.located);
                }
                ("accounts", _) => {
                    run.judged = Some(JudgedSpan {
                        enis: line.enis.unwrap_or_default(),
                        first: line.first,
                        last: line.last,
                    });
                }
                _ => continue,
            }
            is_run = true;
        }
        if !is_run {
            return Err(wrong(1, "it is no run of `outflow detect`".to_owned()));
        }
        for incident in &mut run.incidents {
            incident
                .located
                .extend(findings.remove(&incident.id).unwrap_or_default());
        }
        Ok(run)
    }
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}
