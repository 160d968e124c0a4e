//! Findings that somebody answers for: they alarm nobody, up to a volume and until a day.
//!
//! A suppression hides findings and no bytes: what it hides is counted, and what exceeds its volume, or comes after its
//! last day, is told and says so. Where it cannot be told whether a finding is all of what is meant, it is told.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use outflow_record::Timestamp;
use serde::Serialize;

use crate::{Error, Family, Finding, Harmless, Held, Tested, Why, human_bytes};

/// Suppressions at most. Each is asked about each finding.
pub const SUPPRESSIONS_MAX: usize = 10_000;

const DAY_SECS: i64 = 86_400;

/// What is hidden, why, by whom, how much of it and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Its name, of which there is one.
    pub id: String,
    /// Why what it hides is right.
    pub reason: String,
    /// Who answers for that.
    pub owner: String,
    /// Any time of the last UTC day on which it holds.
    pub expires: Timestamp,
    /// Payload of a UTC day that it hides at most. Of findings of several families, which may be about the same bytes, the
    /// family with most counts. On a day with more, it hides nothing.
    pub payload_bytes_day: u64,
    /// What it hides.
    pub matcher: Matcher,
}

/// What a finding must be. All that is given must fit, and something beside families must be given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matcher {
    /// One of these families; any, if there are none.
    pub families: Vec<Family>,
    /// The account.
    pub account_id: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The VPC.
    pub vpc_id: Option<String>,
    /// The interface.
    pub interface_id: Option<String>,
    /// The workload or lineage; with `*` at its end, all that begin so.
    pub workload: Option<String>,
    /// A network that holds all of the addresses; or the only group or domain, or a domain above it.
    pub destination: Option<String>,
    /// The AWS service of the destination, such as `S3`.
    pub service: Option<String>,
}

/// Suppressions in the order in which they are asked: the first that fits hides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Suppressions(Vec<Suppression>);

/// Findings, parted into those that are told and those that are not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parted {
    /// What is told.
    pub told: Vec<Finding>,
    /// What is hidden, each with the id of what hides it.
    pub hidden: Vec<(String, Finding)>,
    /// What each suppression did, in their order.
    pub books: Vec<SuppressionBook>,
}

/// What a suppression did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SuppressionBook {
    /// Its name.
    pub id: String,
    /// Who answers for it.
    pub owner: String,
    /// Why what it hides is right.
    pub reason: String,
    /// The last day on which it holds, as `2026-12-31`.
    pub expires: String,
    /// Findings that it hid.
    pub findings: u64,
    /// Payload of these, as [`Suppression::payload_bytes_day`] counts it.
    pub payload_bytes: u64,
    /// Days with more payload than it hides, on which all was told.
    pub exceeded_days: u64,
    /// Findings that came after its last day, and were told.
    pub expired_findings: u64,
}

impl Suppressions {
    /// These suppressions.
    ///
    /// # Errors
    /// [`Error::Suppression`] names the first that makes no sense: without a name, reason or owner, with the name of
    /// another, one that hides nothing, or one that would hide a whole family.
    pub fn new(list: Vec<Suppression>) -> Result<Self, Error> {
        if list.len() > SUPPRESSIONS_MAX {
            let reason = format!("there are more than {SUPPRESSIONS_MAX} suppressions");
            return Err(Error::Suppression { reason });
        }
        let mut known = BTreeMap::new();
        for (number, one) in (1..).zip(&list) {
            let wrong = |what: &str| {
                let id = &one.id;
                let reason = format!("suppression {number} `{id}`: {what}");
                Err(Error::Suppression { reason })
            };
            let texts = [
                ("id", &one.id),
                ("reason", &one.reason),
                ("owner", &one.owner),
            ];
            if let Some((name, _)) = texts.iter().find(|(_, text)| text.trim().is_empty()) {
                return wrong(&format!("`{name}` is empty"));
            }
            if let Some(other) = known.insert(&one.id, number) {
                return wrong(&format!("suppression {other} has this id, too"));
            }
            if one.payload_bytes_day == 0 {
                return wrong("`payload_bytes_day` of zero hides nothing");
            }
            if one.matcher.is_unbounded() {
                return wrong(
                    "it would hide findings of everybody to everywhere: say whose, or where to",
                );
            }
        }
        Ok(Self(list))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Parts findings, each with the UTC day that it belongs to. They keep their order.
    pub fn part(&self, findings: Vec<(Timestamp, Finding)>) -> Parted {
        let mut parted = Parted {
            books: self.0.iter().map(Suppression::book).collect(),
            ..Parted::default()
        };
        let fits: Vec<Option<usize>> = findings
            .iter()
            .map(|(_, finding)| self.0.iter().position(|one| one.matcher.fits(finding)))
            .collect();
        let payloads = self.payloads(&findings, &fits);
        for ((day, mut finding), fit) in findings.into_iter().zip(fits) {
            let Some(which) = fit else {
                finding.harmless.push(self.fits_none());
                parted.told.push(finding);
                continue;
            };
            let (one, book) = (&self.0[which], &mut parted.books[which]);
            let payload = payloads.get(&(which, day_of(day))).copied();
            match payload {
                None => {
                    book.expired_findings += 1;
                    let why = one.expired(&finding);
                    finding
                        .harmless
                        .push(tested(Held::Rejected, why.text.clone()));
                    finding.why.push(why);
                    parted.told.push(finding);
                }
                Some(payload) if payload > one.payload_bytes_day => {
                    let why = one.exceeded(payload);
                    finding
                        .harmless
                        .push(tested(Held::Partly, why.text.clone()));
                    finding.why.push(why);
                    parted.told.push(finding);
                }
                Some(_) => {
                    book.findings += 1;
                    parted.hidden.push((one.id.clone(), finding));
                }
            }
        }
        for ((which, _), payload) in payloads {
            let book = &mut parted.books[which];
            if payload > self.0[which].payload_bytes_day {
                book.exceeded_days += 1;
            } else {
                book.payload_bytes = book.payload_bytes.saturating_add(payload);
            }
        }
        parted
    }

    /// That no suppression is about a finding.
    fn fits_none(&self) -> Tested {
        match self.0.len() {
            0 => tested(Held::Unknown, "no suppressions were given".to_owned()),
            1 => tested(
                Held::Rejected,
                "the suppression that was given is not about it".to_owned(),
            ),
            count => tested(
                Held::Rejected,
                format!("none of {count} suppressions is about it"),
            ),
        }
    }

    /// By suppression and day on which it holds, the payload that it is asked to hide.
    fn payloads(
        &self,
        findings: &[(Timestamp, Finding)],
        fits: &[Option<usize>],
    ) -> BTreeMap<(usize, i64), u64> {
        let mut sums: BTreeMap<(usize, i64, Family), u64> = BTreeMap::new();
        for ((day, finding), fit) in findings.iter().zip(fits) {
            let (Some(which), day) = (*fit, day_of(*day)) else {
                continue;
            };
            if day <= day_of(self.0[which].expires) {
                let sum = sums.entry((which, day, finding.family)).or_default();
                *sum = sum.saturating_add(finding.payload_bytes);
            }
        }
        let mut most: BTreeMap<(usize, i64), u64> = BTreeMap::new();
        for ((which, day, _), sum) in sums {
            let own = most.entry((which, day)).or_default();
            *own = sum.max(*own);
        }
        most
    }
}

fn tested(outcome: Held, text: String) -> Tested {
    Tested::new(Harmless::Suppression, outcome, text)
}

impl Suppression {
    fn book(&self) -> SuppressionBook {
        let (year, month, day) = self.expires.date();
        SuppressionBook {
            id: self.id.clone(),
            owner: self.owner.clone(),
            reason: self.reason.clone(),
            expires: format!("{year:04}-{month:02}-{day:02}"),
            ..SuppressionBook::default()
        }
    }

    /// Why a finding is told though it fits, as the suppression holds no longer.
    fn expired(&self, finding: &Finding) -> Why {
        let SuppressionBook {
            id, owner, expires, ..
        } = self.book();
        Why {
            observed: finding.payload_bytes as f64,
            unit: "bytes".to_owned(),
            text: format!("Suppression `{id}` of {owner} hid this until {expires}"),
            ..Why::default()
        }
    }

    /// Why a finding is told though it fits, as that is more than the suppression hides.
    fn exceeded(&self, payload: u64) -> Why {
        let Self {
            id,
            owner,
            payload_bytes_day,
            ..
        } = self;
        Why {
            observed: payload as f64,
            bound: Some(*payload_bytes_day as f64),
            unit: "bytes".to_owned(),
            text: format!(
                "Suppression `{id}` of {owner} hides up to {} a day of this, and this day has {}",
                human_bytes(*payload_bytes_day),
                human_bytes(payload)
            ),
            ..Why::default()
        }
    }
}

impl Matcher {
    /// Whether it says neither whose findings nor where to.
    fn is_unbounded(&self) -> bool {
        let Self {
            families: _,
            account_id: _,
            region: _,
            vpc_id,
            interface_id,
            workload,
            destination,
            service: _,
        } = self;
        let is_all = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim);
            text.is_none_or(|text| ["", "*", "0.0.0.0/0", "::/0"].contains(&text))
        };
        [vpc_id, interface_id, workload, destination]
            .into_iter()
            .all(is_all)
    }

    fn fits(&self, finding: &Finding) -> bool {
        let is = |wanted: &Option<String>, own: &Option<String>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| own.as_ref() == Some(wanted))
        };
        let names = [&finding.workload, &finding.sender.lineage];
        let has_workload = |wanted: &String| {
            let mut names = names.iter().filter_map(|name| name.as_deref());
            match wanted.strip_suffix('*') {
                Some(start) => names.any(|name| name.starts_with(start)),
                None => names.any(|name| name == wanted),
            }
        };
        (self.families.is_empty() || self.families.contains(&finding.family))
            && is(&self.account_id, &finding.account_id)
            && is(&self.region, &finding.region)
            && is(&self.vpc_id, &finding.vpc_id)
            && is(&self.interface_id, &finding.interface_id)
            && is(&self.service, &finding.destination.service)
            && self.workload.as_ref().is_none_or(has_workload)
            && self
                .destination
                .as_ref()
                .is_none_or(|place| is_at(place, finding))
    }
}

/// Whether all that a finding is about went to a place.
fn is_at(place: &str, finding: &Finding) -> bool {
    let destination = &finding.destination;
    let network = place
        .parse::<IpNet>()
        .or_else(|_| place.parse::<IpAddr>().map(IpNet::from));
    if let Ok(network) = network {
        let is_within = |addr: &String| {
            addr.parse::<IpAddr>()
                .is_ok_and(|addr| network.contains(&addr))
        };
        let groups = destination
            .group
            .as_ref()
            .filter(|_| destination.groups_total == 1);
        let group = groups.and_then(|group| group.parse::<IpNet>().ok());
        // A list of addresses may be cut; a network that is the only one is all of them.
        return match group {
            Some(group) => network.contains(&group) || is_all_within(destination, is_within),
            None => is_all_within(destination, is_within),
        };
    }
    let is_below = |name: &String| {
        let start = name.strip_suffix(place);
        start.is_some_and(|start| start.is_empty() || start.ends_with('.'))
    };
    let names = [&destination.group, &destination.domain];
    destination.groups_total == 1
        && !destination.ambiguous
        && names.into_iter().flatten().any(is_below)
}

fn is_all_within(of: &crate::Destination, is_within: impl Fn(&String) -> bool) -> bool {
    let all = usize::try_from(of.addresses_total) == Ok(of.addresses.len());
    all && !of.addresses.is_empty() && of.addresses.iter().all(is_within)
}

fn day_of(at: Timestamp) -> i64 {
    at.secs().div_euclid(DAY_SECS)
}

#[cfg(test)]
mod tests;
