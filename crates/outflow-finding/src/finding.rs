//! What a finding and an incident hold.
//!
//! Plain structs with public fields: detectors fill them, grouping and renderings read them. What is not
//! known is `None` or empty, never a made-up value.

use std::collections::BTreeMap;
use std::sync::Arc;

use outflow_record::Timestamp;
use serde::Serialize;

use crate::{
    Database, Family, History, JudgedState, Parameters, Prevalence, RiskPart, Severity, Stage,
    Tested, TrafficPath,
};

/// One detector's report about one sender and, mostly, one destination.
///
/// ```
/// use outflow_finding::{Family, Finding, Severity};
/// let finding = Finding {
///     severity: Severity::High,
///     interface_id: Some("eni-0a1".to_owned()),
///     ..Finding::new(Family::Beacon)
/// };
/// assert_eq!(finding.bytes, 0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Stable id, as [`crate::finding_id`] makes it: the same facts give the same id in every run.
    pub id: String,
    /// Id of the incident that holds this finding, once grouped; always `None` on an incident's body.
    pub incident: Option<String>,
    /// The kind of behaviour.
    pub family: Family,
    /// One line for people.
    pub title: String,
    /// How grave it is.
    pub severity: Severity,
    /// How much it matters, 0 to 100.
    pub risk: u8,
    /// How surprising it is, in bits: −log2 of the probability under the baseline.
    pub bits: Option<f64>,
    /// Account that owns the sending interface; 12 digits.
    pub account_id: Option<String>,
    /// AWS region of the sending interface.
    pub region: Option<String>,
    /// VPC of the sending interface.
    pub vpc_id: Option<String>,
    /// The sending network interface.
    pub interface_id: Option<String>,
    /// What outlives the interface: Auto Scaling group, ECS service or instance.
    pub workload: Option<String>,
    /// Where the bytes went.
    pub destination: Destination,
    /// First packet that the finding is about.
    pub first_seen: Option<Timestamp>,
    /// Last packet that the finding is about.
    pub last_seen: Option<Timestamp>,
    /// Bytes sent, IP and transport headers included.
    pub bytes: u64,
    /// Estimated bytes of payload: `bytes` less what headers and acknowledgements must have taken.
    pub payload_bytes: u64,
    /// Packets sent.
    pub packets: u64,
    /// Flow log records that the finding is about.
    pub flows: u64,
    /// MITRE ATT&CK technique ids, such as `T1048.003`.
    pub attack: Vec<String>,
    /// The reasons, the most important first.
    pub why: Vec<Why>,
    /// How much of the traffic was seen while the finding was made.
    pub coverage: Option<Coverage>,
    /// What to look at to check the finding.
    pub evidence: Evidence,
    /// What is known of the sending interface.
    pub sender: Sender,
    /// How rarely a finding of this family with at least this risk was told before, in bits: −log2 of its share of all
    /// workload-days before. Unlike risk, it means the same in every family. Unknown where there was no day before.
    pub rate_bits: Option<f64>,
    /// How soon somebody should look, in bits: −log2 of how often, for each workload-day, anything is told that takes as much
    /// of a budget, each family by its [`crate::share`]. Ten bits are one in a thousand workload-days, over all families.
    /// Unlike `rate_bits`, it goes beyond what was met, by the tail of it. Unknown where there was no day before.
    pub urgency: Option<f64>,
    /// The false discovery rate at which it is among what its day tells: Benjamini and Hochberg's adjusted p-value
    /// ([`crate::adjusted`]) of `rate_bits`, among all workloads of the day. Of all that has at most 0.1, one in ten is chance
    /// on average. Unknown where there was no day before.
    pub q_value: Option<f64>,
    /// What the risk is made of: the points add up to it.
    pub risk_parts: Vec<RiskPart>,
    /// The stages of an attack that it shows, in their order.
    pub stages: Vec<Stage>,
    /// The ways by which its bytes left, in the order of their numbers, as far as records of the interface tell.
    pub paths: Vec<TrafficPath>,
    /// What it was judged by.
    pub parameters: Option<Parameters>,
    /// Which records show it. Renderings leave it to the query.
    pub found_in: FoundIn,
    /// The harmless explanations that were tested, in their order.
    pub harmless: Vec<Tested>,
    /// What its workload sent before, where enough days are known.
    pub history: Option<History>,
    /// The records whose sums were judged.
    pub state: Option<JudgedState>,
}

impl Finding {
    /// A finding of this family about which nothing else is known: the rest of a struct update.
    pub fn new(family: Family) -> Self {
        Self {
            id: String::new(),
            incident: None,
            family,
            title: String::new(),
            severity: Severity::default(),
            risk: 0,
            bits: None,
            account_id: None,
            region: None,
            vpc_id: None,
            interface_id: None,
            workload: None,
            destination: Destination::default(),
            first_seen: None,
            last_seen: None,
            bytes: 0,
            payload_bytes: 0,
            packets: 0,
            flows: 0,
            attack: Vec::new(),
            why: Vec::new(),
            coverage: None,
            evidence: Evidence::default(),
            sender: Sender::default(),
            rate_bits: None,
            urgency: None,
            q_value: None,
            risk_parts: Vec::new(),
            stages: Vec::new(),
            paths: Vec::new(),
            parameters: None,
            found_in: FoundIn::default(),
            harmless: Vec::new(),
            history: None,
            state: None,
        }
    }
}

/// Findings that belong together, summed up as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Ids of the findings, the gravest first, each once.
    pub finding_ids: Vec<String>,
    /// The incident itself, under the keys of a finding; `body.id` is the incident's id.
    pub body: Finding,
    /// Where it is told, if there is a budget, or a watch that decides as it goes.
    pub lane: Option<Lane>,
    /// Whether it was told before, as a watch tells again what has grown or become graver.
    pub is_again: bool,
}

/// Where an incident is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// It is within the budget, or is to be seen at once.
    Alert,
    /// There are more urgent ones than the budget has room for, or it may be chance: it is listed, to be read when there is time.
    Digest,
}

impl Lane {
    /// `alert` or `digest`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Digest => "digest",
        }
    }

    /// The lane of a name.
    ///
    /// ```
    /// use outflow_finding::Lane;
    /// assert_eq!(Lane::from_name("digest"), Some(Lane::Digest));
    /// assert_eq!(Lane::from_name("Digest"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Alert, Self::Digest]
            .into_iter()
            .find(|lane| lane.name() == name)
    }
}

/// Tags that are listed of a sender: as many as AWS lets a resource have. Those of an interface and its instance may be
/// more; then the first by key are kept, and [`Sender::tags_total`] says how many there are.
pub const SENDER_TAGS_MAX: usize = 50;

/// What records and an inventory say of the sending interface, as it was at the last packet. Of a host that is known
/// through the interface which passed on its packets, the host's own interface is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Sender {
    /// Instance to which it was attached.
    pub instance_id: Option<String>,
    /// Subnet.
    pub subnet_id: Option<String>,
    /// Availability zone as flow logs name it, such as `euc1-az1`.
    pub availability_zone_id: Option<String>,
    /// Security groups, in the order of ids.
    pub security_groups: Vec<SecurityGroup>,
    /// Tags of the interface and of its instance, [`SENDER_TAGS_MAX`] at most; of one key, the interface's.
    pub tags: BTreeMap<String, String>,
    /// How many tags there are.
    pub tags_total: u64,
    /// The workload by the inventory, such as `asg/web` or `sg-1@subnet-1`; the instance or the interface where nothing
    /// outlives them.
    pub lineage: Option<String>,
    /// When the inventory saw it so; unknown where only records tell.
    #[serde(serialize_with = "crate::json::instant_or_null")]
    pub observed_at: Option<Timestamp>,
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SecurityGroup {
    /// `sg-…`.
    pub id: String,
    /// Name.
    pub name: Option<String>,
}

/// Names that are listed of a destination: enough to see what shares an address. Of more the first in order are kept,
/// and [`Destination::domains_total`] says how many there are.
pub const DESTINATION_DOMAINS_MAX: usize = 8;

/// Where bytes went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Destination {
    /// The unit in which destinations are compared: a domain, a service, or a network such as
    /// `198.51.100.0/24`.
    pub group: Option<String>,
    /// Addresses seen, each once.
    pub addresses: Vec<String>,
    /// Domain name, where DNS or a list tells it.
    pub domain: Option<String>,
    /// Autonomous system number.
    pub asn: Option<u32>,
    /// Organisation that runs the autonomous system.
    pub org: Option<String>,
    /// ISO 3166-1 alpha-2 code of the country.
    pub country: Option<String>,
    /// AWS service whose published range holds the addresses, such as `S3`.
    pub service: Option<String>,
    /// Who runs the service to which all the addresses belong, where it is a known one.
    pub vendor: Option<String>,
    /// What that service is called.
    pub product: Option<String>,
    /// The vendor's name of its site, such as `EU1`.
    pub site: Option<String>,
    /// What it is for: `telemetry` or `saas`.
    pub category: Option<String>,
    /// Names that the VPC had for the addresses, in order, [`DESTINATION_DOMAINS_MAX`] at most.
    pub domains: Vec<String>,
    /// How many names there are, at least: beyond some for one address they are not told apart.
    pub domains_total: u64,
    /// Whether one of the addresses had names of several registered domains: which of them was meant is not known.
    pub ambiguous: bool,
    /// How many addresses there are, at least: `addresses` may name only those with most payload.
    pub addresses_total: u64,
    /// How many groups there are, at least: `group` is that with most payload.
    pub groups_total: u64,
    /// How many workloads had sent to `group`; unknown of what was asked for by its clients.
    pub prevalence: Option<Prevalence>,
    /// The first payload of any workload to `group` in the records, which may have begun later than that did.
    #[serde(serialize_with = "crate::json::instant_or_null")]
    pub first_seen: Option<Timestamp>,
    /// What was asked for country, network and service, as far as there was anything to ask.
    pub databases: Arc<[Database]>,
}

/// One reason: what was observed, against what was expected.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Why {
    /// The value observed, in `unit`.
    #[serde(serialize_with = "crate::json::number")]
    pub observed: f64,
    /// The value that the baseline expects, in `unit`.
    #[serde(serialize_with = "crate::json::number_or_null")]
    pub expected: Option<f64>,
    /// The value beyond which the reason holds, in `unit`.
    #[serde(serialize_with = "crate::json::number_or_null")]
    pub bound: Option<f64>,
    /// Unit of the three values, such as `bytes` or `seconds`.
    pub unit: String,
    /// The reason in a sentence.
    pub text: String,
}

impl Why {
    /// The reason in a sentence, or in its numbers where it has none.
    pub fn sentence(&self) -> String {
        if !self.text.is_empty() {
            return self.text.clone();
        }
        let Self { observed, unit, .. } = self;
        match self.bound.or(self.expected) {
            Some(against) => format!("{observed} {unit}, against {against}"),
            None => format!("{observed} {unit}"),
        }
    }
}

/// How much of the traffic the flow logs saw.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Coverage {
    /// `minutes_covered` of `minutes_expected`, 0 to 1.
    #[serde(serialize_with = "crate::json::number")]
    pub share: f64,
    /// Interface-minutes that records or `NODATA` account for.
    pub minutes_covered: u64,
    /// Interface-minutes between the first and the last record of each interface.
    pub minutes_expected: u64,
    /// Records of `SKIPDATA`: windows in which AWS itself dropped records.
    pub skipdata: u64,
    /// Bytes of records that came after the watermark had closed their time.
    pub late_bytes: u64,
}

/// Which records show a finding: its [`Evidence::sql`] asks the table of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FoundIn {
    /// Those of flows.
    #[default]
    Flows,
    /// Queries to the Resolver.
    Queries,
}

/// What to look at to check a finding.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Evidence {
    /// Of the objects that [`Evidence::objects_total`] counts, those with most rows of the finding's interfaces.
    pub objects: Vec<EvidenceObject>,
    /// A query that selects the records. That of an incident may be several, as [`crate::group`] tells.
    pub sql: Option<String>,
    /// Objects that hold rows of the finding's interfaces, and whose time from the first row to the last meets the finding's.
    /// All that hold its records are among them; one may hold none, as what it has of these interfaces may be of another
    /// time, or went elsewhere.
    pub objects_total: u64,
}

/// An object that holds records of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct EvidenceObject {
    /// Where the object is, as given on input; many findings share the text.
    pub uri: Arc<str>,
    /// SHA-256 of the object as stored, in lower-case hex; unknown if it was not read to its end.
    pub sha256: Option<Arc<str>>,
    /// Rows of the object that belong to the finding.
    pub rows: u64,
}
