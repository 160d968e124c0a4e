//! Incidents as findings of the AWS Security Finding Format, in batches that Security Hub takes.
//!
//! One finding for each incident. Whatever `BatchImportFindings` limits is kept within its limit: texts are cut, and
//! of an incident that would still be too large, tags, objects, queries and further resources are left out, which the field
//! `outflow/LeftOut` then says.

use std::collections::BTreeMap;
use std::fmt;

use outflow_record::Timestamp;

use crate::aws::{is_account, is_region, known, partition};
use crate::json::line;
use crate::order::{by_incident, by_risk};
use crate::{Error, Finding, Incident};

use finding::AwsSecurityFinding;

/// Findings of a batch: what a call of `BatchImportFindings` takes.
pub const ASFF_BATCH_FINDINGS_MAX: usize = 100;

/// Bytes of a batch, for the same reason: AWS says 6 MB. A batch that would have more is parted.
pub const ASFF_BATCH_BYTES_MAX: usize = 6_000_000;

/// Bytes of a finding, for the same reason: AWS says 240 KB. Of a larger one, parts are left out, as it says then.
pub const ASFF_FINDING_BYTES_MAX: usize = 240_000;

/// Who imports findings, and when they were found.
#[derive(Debug, Clone, Default)]
pub struct AsffOptions {
    /// Account that calls `BatchImportFindings`; without it, that of each incident.
    pub account_id: Option<String>,
    /// Region of the Security Hub; without it, that of each incident.
    pub region: Option<String>,
    /// ARN of the product; without it, the default product of account and region.
    pub product_arn: Option<String>,
    /// When the incidents were found, which is `UpdatedAt`: Security Hub takes an update only if it is later than what
    /// it holds. Mostly the last packet that was read.
    pub at: Timestamp,
}

/// What Security Hub must know of each finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsffNeed {
    /// The account, 12 digits.
    Account,
    /// The region.
    Region,
}

impl fmt::Display for AsffNeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Account => "account",
            Self::Region => "region",
        })
    }
}

/// The incidents as lines, each a JSON array that one call of `BatchImportFindings` takes: of one account and region,
/// those of highest risk first.
///
/// # Errors
/// [`Error::Unnamed`] if neither an incident nor the options name account or region.
pub fn asff_batches(
    incidents: &[Incident],
    findings: &[Finding],
    options: &AsffOptions,
) -> Result<Vec<String>, Error> {
    let members = by_incident(findings);
    let mut places: BTreeMap<Importer<'_>, Vec<String>> = BTreeMap::new();
    for incident in by_risk(incidents) {
        let importer = Importer::of(incident, options)?;
        let own = members.get(&Some(incident.body.id.as_str()));
        let own = own.map_or(&[][..], Vec::as_slice);
        let text = fitting(incident, own, (&importer, options));
        places.entry(importer).or_default().push(text);
    }
    Ok(places.into_values().flat_map(batches).collect())
}

/// Who imports a finding, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Importer<'a> {
    account_id: &'a str,
    region: &'a str,
}

impl<'a> Importer<'a> {
    fn of(incident: &'a Incident, options: &'a AsffOptions) -> Result<Self, Error> {
        let unnamed = |what| Error::Unnamed {
            incident: incident.body.id.clone(),
            what,
        };
        let account = known(&options.account_id).or(known(&incident.body.account_id));
        let region = known(&options.region).or(known(&incident.body.region));
        Ok(Self {
            account_id: account
                .filter(|id| is_account(id))
                .ok_or_else(|| unnamed(AsffNeed::Account))?,
            region: region
                .filter(|region| is_region(region))
                .ok_or_else(|| unnamed(AsffNeed::Region))?,
        })
    }

    /// The ARN of the product that every account has for findings of its own.
    fn default_product(&self) -> String {
        let Self { account_id, region } = self;
        let partition = partition(region);
        format!("arn:{partition}:securityhub:{region}:{account_id}:product/{account_id}/default")
    }
}

/// How much of an incident a finding says.
#[derive(Debug, Clone, Copy)]
struct Detail {
    resources: usize,
    objects: usize,
    queries: usize,
    tags: usize,
}

/// Queries of findings, the gravest first; JSON lines have all of them.
const QUERIES_MAX: usize = 4;

/// From all that the format takes to what is sure to fit.
const DETAILS: [Detail; 3] = [
    Detail {
        resources: 32,
        objects: 16,
        queries: QUERIES_MAX,
        tags: 50,
    },
    Detail {
        resources: 16,
        objects: 4,
        queries: 1,
        tags: 0,
    },
    Detail {
        resources: 1,
        objects: 0,
        queries: 0,
        tags: 0,
    },
];

/// The finding of an incident with as much as fits.
fn fitting(
    incident: &Incident,
    members: &[&Finding],
    (importer, options): (&Importer<'_>, &AsffOptions),
) -> String {
    let mut text = String::new();
    for detail in DETAILS {
        let finding = AwsSecurityFinding::new(incident, members, (importer, options), detail);
        text = line(&finding);
        if text.len() <= ASFF_FINDING_BYTES_MAX {
            break;
        }
    }
    text
}

/// Findings of one importer, as arrays within the limits of a call.
fn batches(findings: Vec<String>) -> Vec<String> {
    let mut batches: Vec<String> = Vec::new();
    let (mut count, mut batch) = (0, String::new());
    for finding in findings {
        let is_full = batch.len() + finding.len() + 2 > ASFF_BATCH_BYTES_MAX;
        if count == ASFF_BATCH_FINDINGS_MAX || (is_full && count > 0) {
            batches.push(std::mem::take(&mut batch) + "]");
            count = 0;
        }
        batch.push(if count == 0 { '[' } else { ',' });
        batch.push_str(&finding);
        count += 1;
    }
    if count > 0 {
        batches.push(batch + "]");
    }
    batches
}

/// What Security Hub takes for a text: something that is no space, no control character, and no more characters than
/// this, of which a longer text has `…` for the last. Characters are counted as Java does.
fn text(text: &str, chars_max: usize) -> Option<String> {
    let tame = |c: char| if c.is_control() { ' ' } else { c };
    let tame: String = text.chars().map(tame).collect();
    let tame = tame.trim();
    if tame.encode_utf16().count() <= chars_max {
        return (!tame.is_empty()).then(|| tame.to_owned());
    }
    let mut room = chars_max.saturating_sub(1);
    let fits = |c: &char| {
        let left = room.checked_sub(c.len_utf16());
        room = left.unwrap_or(room);
        left.is_some()
    };
    Some(tame.chars().take_while(fits).chain(['…']).collect())
}

mod fields;
mod finding;
mod resource;
#[cfg(test)]
mod tests;
