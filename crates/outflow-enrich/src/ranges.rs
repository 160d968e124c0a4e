//! The address ranges that AWS publishes (`ip-ranges.json`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::IpNet;
use outflow_record::{Addr, Timestamp};
use serde::Deserialize;

use crate::Error;
use crate::prefixes::{PrefixTable, published};

/// What AWS's published ranges say of an address.
///
/// An address of AWS is not a trusted destination: an `EC2` range holds anybody's instance, `S3` anybody's bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsRange {
    /// The service that says most: any other before `EC2`, and `EC2` before `AMAZON`. Of several, that of the
    /// longest prefix, then the first by name. AWS adds services, so this is text.
    pub service: Arc<str>,
    /// The services of all ranges that hold the address, in order of name.
    pub services: BTreeSet<Arc<str>>,
    /// Region of the range that gave `service`; `GLOBAL` for services that have none.
    pub region: Arc<str>,
    /// Place from which the range is announced: the region, or a local or wavelength zone group.
    pub network_border_group: Arc<str>,
    /// The range that gave `service`.
    pub net: IpNet,
}

/// The ranges of `ip-ranges.json`.
///
/// They hold what AWS owns and announces; ranges that customers bring are not among them.
///
/// ```
/// use outflow_enrich::AwsRanges;
/// let json = br#"{"createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [], "prefixes": [
///     {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "AMAZON",
///      "network_border_group": "ap-northeast-2"},
///     {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "S3",
///      "network_border_group": "ap-northeast-2"}]}"#;
/// let ranges = AwsRanges::from_json(json).unwrap();
/// let range = ranges.lookup("3.5.141.9".parse().unwrap()).unwrap();
/// assert_eq!((&*range.service, range.services.len()), ("S3", 2));
/// assert_eq!(ranges.created_at().to_string(), "2026-08-22T21:17:05Z");
/// ```
#[derive(Debug, Clone)]
pub struct AwsRanges {
    created_at: Timestamp,
    table: PrefixTable<AwsRange>,
}

impl AwsRanges {
    /// Reads the bytes of `ip-ranges.json`.
    ///
    /// # Errors
    /// [`Error::BadRanges`] says what is wrong and where: bytes that are no such JSON, a prefix that is none, a
    /// date that is none, or no prefix at all. [`Error::TooManyPrefixes`] beyond [`crate::PREFIXES_MAX`].
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let wrong = |what: String| Error::BadRanges { what };
        let document: Document =
            serde_json::from_slice(json).map_err(|error| wrong(error.to_string()))?;
        let created_at = created_at(&document.create_date)
            .ok_or_else(|| wrong(format!("createDate `{}` is no date", document.create_date)))?;
        let mut names = Names::default();
        let mut own: BTreeMap<IpNet, AwsRange> = BTreeMap::new();
        let lists = [
            ("prefixes", &document.prefixes),
            ("ipv6_prefixes", &document.ipv6_prefixes),
        ];
        for (list, ranges) in lists {
            for (at, listed) in ranges.iter().enumerate() {
                let prefix = &listed.prefix;
                let net: IpNet = prefix
                    .parse()
                    .map_err(|_| wrong(format!("{list}[{at}]: `{prefix}` is no network")))?;
                let range = names.range(listed, net.trunc());
                own.entry(range.net)
                    .and_modify(|known| known.join(&range))
                    .or_insert(range);
            }
        }
        if own.is_empty() {
            return Err(wrong("it lists no prefix".to_owned()));
        }
        // A prefix takes over what the wider ones say, so that a lookup need not collect it. They come first.
        let table = PrefixTable::new(own.iter().map(|(net, range)| (*net, range)))?;
        let joined = own.iter().map(|(net, range)| {
            let mut joined = range.clone();
            for (_, wider) in table.covering(net.network().into()) {
                if wider.net.prefix_len() < net.prefix_len() {
                    joined.join(wider);
                }
            }
            (*net, joined)
        });
        Ok(Self {
            created_at,
            table: PrefixTable::new(joined)?,
        })
    }

    /// What the ranges say of an address; behind NAT64, of the IPv4 address that it stands for.
    #[inline]
    pub fn lookup(&self, addr: Addr) -> Option<&AwsRange> {
        self.table.get(published(addr)).map(|(_, range)| range)
    }

    /// Every prefix with what is known of it, IPv4 first, in the order of addresses.
    pub fn iter(&self) -> impl Iterator<Item = (IpNet, &AwsRange)> {
        self.table.iter()
    }

    /// When AWS made the list.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Number of different prefixes.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no prefix, which [`AwsRanges::from_json`] refuses.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

impl AwsRange {
    /// Adds what another range says of the same addresses.
    fn join(&mut self, other: &Self) {
        let rank = |range: &Self| {
            let says = match &*range.service {
                "AMAZON" => 2,
                "EC2" => 1,
                _ => 0,
            };
            let len = range.net.prefix_len();
            (says, std::cmp::Reverse(len), Arc::clone(&range.service))
        };
        let better = rank(other) < rank(self);
        self.services.extend(other.services.iter().cloned());
        if better {
            let services = std::mem::take(&mut self.services);
            *self = Self {
                services,
                ..other.clone()
            };
        }
    }
}

/// Reads `YYYY-MM-DD-HH-MM-SS`, which is UTC.
fn created_at(text: &str) -> Option<Timestamp> {
    let (date, clock) = text
        .match_indices('-')
        .nth(2)
        .map(|(at, _)| text.split_at(at))?;
    let clock = clock.strip_prefix('-')?.replace('-', ":");
    format!("{date}T{clock}").parse().ok()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow)]
    create_date: std::borrow::Cow<'a, str>,
    prefixes: Vec<Listed<'a>>,
    #[serde(rename = "ipv6_prefixes")]
    ipv6_prefixes: Vec<Listed<'a>>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow, alias = "ip_prefix", alias = "ipv6_prefix")]
    prefix: std::borrow::Cow<'a, str>,
    region: std::borrow::Cow<'a, str>,
    service: std::borrow::Cow<'a, str>,
    network_border_group: std::borrow::Cow<'a, str>,
}

/// The few names that thousands of ranges repeat.
#[derive(Default)]
struct Names(BTreeSet<Arc<str>>);

impl Names {
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let name: Arc<str> = text.into();
        self.0.insert(Arc::clone(&name));
        name
    }

    fn range(&mut self, listed: &Listed<'_>, net: IpNet) -> AwsRange {
        let service = self.shared(&listed.service);
        AwsRange {
            services: BTreeSet::from([Arc::clone(&service)]),
            service,
            region: self.shared(&listed.region),
            network_border_group: self.shared(&listed.network_border_group),
            net,
        }
    }
}

#[cfg(test)]
mod tests;
