//! What explains a finding beside its reasons: what its risk is made of, how far an attack has come, by which ways bytes
//! left, who else sends there, and what it was judged by.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use outflow_record::Timestamp;
use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use crate::{Destination, Family, attack, human_count};

/// A part of a risk. The points of all parts of a finding or incident add up to its risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RiskPart {
    /// What the points are for.
    pub part: RiskTerm,
    /// Points on the scale of 0 to 100; below zero for [`RiskTerm::Limit`] alone.
    pub points: i16,
}

/// What makes a risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskTerm {
    /// How far it is above its bound: up to 50.
    Bound,
    /// How rarely chance alone, or an ordinary day, does as much, where that is more than [`RiskTerm::Bound`]: up to 50.
    Rarity,
    /// How much there was of it: up to 30.
    Volume,
    /// Whether bytes were pushed out or fetched: up to 20.
    Direction,
    /// Of an incident, each further family that agrees with the first: 5.
    Families,
    /// What is taken off, as no risk is above 100, nor that of a note above what its severity may claim.
    Limit,
}

impl RiskTerm {
    /// The name in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bound => "bound",
            Self::Rarity => "rarity",
            Self::Volume => "volume",
            Self::Direction => "direction",
            Self::Families => "families",
            Self::Limit => "limit",
        }
    }
}

/// The parts of a risk as people read them.
///
/// ```
/// use outflow_finding::{RiskPart, RiskTerm, risk_text};
/// let parts = [(RiskTerm::Bound, 49), (RiskTerm::Volume, 26), (RiskTerm::Limit, -5)];
/// let parts = parts.map(|(part, points)| RiskPart { part, points });
/// assert_eq!(risk_text(&parts), "bound 49 + volume 26 - limit 5");
/// assert_eq!(risk_text(&[]), "");
/// ```
pub fn risk_text(parts: &[RiskPart]) -> String {
    let mut text = String::new();
    for RiskPart { part, points } in parts {
        let sign = match (text.is_empty(), *points < 0) {
            (true, false) => "",
            (true, true) => "-",
            (false, false) => " + ",
            (false, true) => " - ",
        };
        // A text takes all that is written to it.
        let _ = write!(text, "{sign}{} {}", part.name(), points.unsigned_abs());
    }
    text
}

/// How far an attack has come, in the order in which attacks mostly go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Somebody looks around.
    Scan,
    /// Somebody commands a host.
    CommandAndControl,
    /// Data is gathered on a host.
    Staging,
    /// Data leaves.
    Exfiltration,
}

impl Stage {
    /// The name in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::CommandAndControl => "command-and-control",
            Self::Staging => "staging",
            Self::Exfiltration => "exfiltration",
        }
    }

    /// The stages that a finding of a family with these techniques shows, in their order: that of the family, and
    /// exfiltration where a technique is one.
    ///
    /// ```
    /// use outflow_finding::{Family, Stage};
    /// assert_eq!(Stage::of(Family::Beacon, &[]), [Stage::CommandAndControl]);
    /// let both = Stage::of(Family::ProtocolMisuse, &["T1048.003".to_owned(), "T1095".to_owned()]);
    /// assert_eq!(both, [Stage::CommandAndControl, Stage::Exfiltration]);
    /// ```
    pub fn of(family: Family, techniques: &[String]) -> Vec<Self> {
        let own = match family {
            Family::ScanFanout => Self::Scan,
            Family::DnsTunnel
            | Family::DnsBypass
            | Family::Beacon
            | Family::ConnectionLong
            | Family::ProtocolMisuse
            | Family::PolicyPort
            | Family::DestinationRare => Self::CommandAndControl,
            Family::StagingRelay => Self::Staging,
            Family::VolumeLedger
            | Family::VolumeShift
            | Family::VolumeTotal
            | Family::VolumeServed
            | Family::PolicyJurisdiction
            | Family::PolicyPath
            | Family::PolicyTelemetry => Self::Exfiltration,
        };
        let is_exfiltration =
            |id: &String| attack::known(id).is_some_and(|of| of.tactic == attack::EXFILTRATION);
        let mut stages = vec![own];
        if own < Self::Exfiltration && techniques.iter().any(is_exfiltration) {
            stages.push(Self::Exfiltration);
        }
        stages
    }
}

/// A way out of a VPC, as the field `traffic-path` of flow logs numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrafficPath(pub u8);

impl TrafficPath {
    /// What the number means.
    ///
    /// ```
    /// assert_eq!(outflow_finding::TrafficPath(8).name(), "internet-gateway");
    /// ```
    pub const fn name(self) -> &'static str {
        match self.0 {
            1 => "vpc-resource",
            // What instances that are not built on Nitro say of both.
            2 => "internet-gateway-or-gateway-endpoint",
            3 => "virtual-private-gateway",
            4 => "peering",
            5 => "peering-other-region",
            6 => "local-gateway",
            7 => "gateway-endpoint",
            8 => "internet-gateway",
            _ => "other",
        }
    }

    /// The same in words, as AWS documents the field. Whatever says a path in words has them from here; the saved query
    /// `services_by_path` repeats them, and a test holds it to them.
    ///
    /// ```
    /// assert_eq!(outflow_finding::TrafficPath(8).words(), "internet gateway");
    /// ```
    pub const fn words(self) -> &'static str {
        match self.0 {
            1 => "another resource in the same VPC",
            2 => "internet gateway or gateway endpoint",
            3 => "virtual private gateway",
            4 => "peering within the region",
            5 => "peering with another region",
            6 => "local gateway",
            7 => "gateway endpoint",
            8 => "internet gateway",
            _ => "not told",
        }
    }
}

impl fmt::Display for TrafficPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for TrafficPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut path = serializer.serialize_struct("TrafficPath", 2)?;
        path.serialize_field("path", &self.0)?;
        path.serialize_field("name", self.name())?;
        path.end()
    }
}

/// How many of all workloads had ever sent payload to a destination when the day of a finding ended; of names that were
/// asked for, how many of all clients had asked below a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Prevalence {
    /// Those that had.
    pub workloads: u64,
    /// All that there were.
    pub of: u64,
}

/// What told where addresses are, and to whom they belong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Database {
    /// What it calls itself, such as `GeoLite2-Country` or `ip-ranges.json`.
    pub name: String,
    /// When it was made, by its own word.
    #[serde(serialize_with = "crate::json::instant")]
    pub built_at: Timestamp,
}

/// What of the configuration and of the border a finding was judged by. What else has a say is not in it: what was known (of
/// `--context`) and which records were seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameters {
    /// Version of the program, whose formulas they are.
    pub version: Arc<str>,
    /// SHA-256 of all parameters of the policy and of the border, those by default among them, in lower-case hex.
    pub sha256: Arc<str>,
}

/// Stages as people read them: `scan, exfiltration`.
pub(crate) fn stages_text(stages: &[Stage]) -> Option<String> {
    joined(stages.iter().map(|own| own.name()))
}

/// Ways as people read them.
pub(crate) fn paths_text(paths: &[TrafficPath]) -> Option<String> {
    joined(paths.iter().map(|own| own.name()))
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Who else sends to a destination, and since when: `known to 1 of 31 workloads, since 2026-09-05T00:14:02Z`.
pub(crate) fn known_to(to: &Destination) -> Option<String> {
    let Prevalence { workloads, of } = to.prevalence?;
    let (workloads, of) = (human_count(workloads), human_count(of));
    let since = to.first_seen.map(|at| format!(", since {at}"));
    let since = since.unwrap_or_default();
    Some(format!("known to {workloads} of {of} workloads{since}"))
}

/// The databases that tell where a destination is, with their dates: `GeoLite2-Country of 2026-09-01`. Nothing, if they did
/// not tell of it.
pub(crate) fn databases_text(to: &Destination) -> Option<String> {
    let tells = to.country.is_some() || to.asn.is_some() || to.service.is_some();
    let named = to.databases.iter().map(|own| {
        let (year, month, day) = own.built_at.date();
        format!("{} of {year:04}-{month:02}-{day:02}", own.name)
    });
    let named: Vec<String> = named.filter(|_| tells).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

#[cfg(test)]
mod tests;
