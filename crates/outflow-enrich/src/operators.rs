//! Who answers at an address, as far as published ranges and the names that a VPC was given tell: a service of AWS in a
//! region, and the site of a known vendor.
//!
//! What is told here only accuses. A name that one asked for is no proof of where one sent to, so that nothing is
//! excused by it: destinations are compared by [`crate::DestinationGroups`], which are far more careful.

use std::collections::BTreeMap;

use ipnet::IpNet;
use outflow_record::{Addr, Timestamp};

use crate::prefixes::published;
use crate::{
    ApiService, AwsRanges, Error, GroupSources, KnownDestinations, Naming, PrefixTable, VendorSite,
};

/// Who answers at an address. Each part is `None` where nothing tells it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Operator<'a> {
    /// The service of AWS that has an endpoint of its own.
    pub service: Option<&'a ApiService>,
    /// The region of AWS: its own services' or that of what customers run there.
    pub region: Option<&'a str>,
    /// The known vendor's site.
    pub site: Option<&'a VendorSite>,
}

/// What one source tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    service: Option<ApiService>,
    region: Option<String>,
    site: Option<VendorSite>,
}

/// Operators, looked up by address.
///
/// ```
/// use outflow_enrich::{AwsRanges, GeoDatabases, GroupSources, KnownDestinations, Operators, PassiveDns};
/// use outflow_record::Timestamp;
/// let json = br#"{"createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [], "prefixes": [
///     {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "S3",
///      "network_border_group": "ap-northeast-2"}]}"#;
/// let operators = Operators::new(GroupSources {
///     ranges: Some(&AwsRanges::from_json(json).unwrap()),
///     known: &KnownDestinations::built_in().unwrap(),
///     names: &PassiveDns::default(),
///     geo: &GeoDatabases::default(),
/// }).unwrap();
/// let operator = operators.of_addr("3.5.141.9".parse().unwrap(), None, Timestamp(0));
/// assert_eq!(operator.service.unwrap().to_string(), "s3 (ap-northeast-2)");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Operators {
    /// In order; the number of an operator is its place.
    all: Vec<Told>,
    by_net: PrefixTable<u32>,
    has_ranges: bool,
    vpcs: BTreeMap<Box<str>, u32>,
    /// In order: number of the VPC, address, and the second from which the operator holds, if any does.
    by_name: Vec<(u32, Addr, i64, Option<u32>)>,
}

/// A VPC in which addresses have names of operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperatorVpc(u32);

impl Operators {
    /// The operators that ranges, known destinations and names tell.
    ///
    /// # Errors
    /// [`Error::TooManyPrefixes`] beyond [`crate::PREFIXES_MAX`].
    pub fn new(sources: GroupSources<'_>) -> Result<Self, Error> {
        let mut numbers = Numbers::default();
        let nets = nets(&sources, &mut numbers);
        let mut vpcs: BTreeMap<Box<str>, u32> = BTreeMap::new();
        let mut by_name = Vec::new();
        for called in sources.names.called() {
            let mut last = None;
            for (from, naming) in called.spans {
                let own = naming.and_then(|naming| of_naming(sources.known, &naming));
                let own = own.map(|own| numbers.number(own));
                if own != last {
                    let next = u32::try_from(vpcs.len()).unwrap_or(u32::MAX);
                    let vpc = *vpcs.entry(called.vpc_id.into()).or_insert(next);
                    by_name.push((vpc, called.addr, from.secs(), own));
                    last = own;
                }
            }
        }
        Ok(Self {
            by_net: PrefixTable::new(nets)?,
            has_ranges: sources.ranges.is_some(),
            all: numbers.in_order(),
            vpcs,
            by_name,
        })
    }

    /// Whether nothing is told of any address.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether the ranges of AWS are known: then what has no region is not AWS's, or is everywhere.
    pub fn has_ranges(&self) -> bool {
        self.has_ranges
    }

    /// A VPC, if addresses have names of operators there.
    pub fn vpc(&self, vpc_id: &str) -> Option<OperatorVpc> {
        self.vpcs.get(vpc_id).map(|number| OperatorVpc(*number))
    }

    /// Who answers at an address, as of a time where its name in a VPC tells. Of what both tell, ranges go first.
    pub fn of_addr(&self, addr: Addr, vpc: Option<OperatorVpc>, at: Timestamp) -> Operator<'_> {
        let get = |number: u32| self.all.get(number as usize);
        let by_net = self.by_net.get(published(addr));
        let by_net = by_net.and_then(|(_, number)| get(*number));
        let by_name = vpc.and_then(|vpc| get(self.named(addr, vpc, at)?));
        let told = [by_net, by_name];
        let told = || told.iter().flatten();
        Operator {
            service: told().find_map(|told| told.service.as_ref()),
            region: told().find_map(|told| told.region.as_deref()),
            site: told().find_map(|told| told.site.as_ref()),
        }
    }

    fn named(&self, addr: Addr, OperatorVpc(vpc): OperatorVpc, at: Timestamp) -> Option<u32> {
        let key = (vpc, addr, at.secs());
        let after = self
            .by_name
            .partition_point(|(vpc, addr, from, _)| (*vpc, *addr, *from) <= key);
        let (in_vpc, named, _, number) = self.by_name.get(after.checked_sub(1)?)?;
        number.filter(|_| (*in_vpc, *named) == (vpc, addr))
    }
}

/// The networks of the sources, each with the number of its operator.
fn nets(sources: &GroupSources<'_>, numbers: &mut Numbers) -> Vec<(IpNet, u32)> {
    let mut nets = Vec::new();
    for (net, range) in sources.ranges.into_iter().flat_map(AwsRanges::iter) {
        let region = (&*range.region != "GLOBAL").then(|| range.region.to_string());
        let operator = Told {
            service: ApiService::of_range(&range.service, region.as_deref()),
            region,
            site: None,
        };
        nets.push((net, numbers.number(operator)));
    }
    for known in sources.known.iter() {
        let operator = Told {
            site: Some(known.site_of(None)),
            ..Told::default()
        };
        let number = numbers.number(operator);
        nets.extend(known.ranges.iter().map(|net| (*net, number)));
    }
    nets
}

/// What a name tells. One that several share below a domain tells what they have in common.
fn of_naming(known: &KnownDestinations, naming: &Naming) -> Option<Told> {
    let Naming::Named { within, .. } = naming else {
        return None;
    };
    let service = ApiService::of_domain(within);
    let operator = Told {
        region: service.as_ref().and_then(|service| service.region.clone()),
        site: known.by_name(within).map(|own| own.site_of(Some(within))),
        service,
    };
    (operator != Told::default()).then_some(operator)
}

/// Operators, numbered in the order of meeting.
#[derive(Default)]
struct Numbers(BTreeMap<Told, u32>);

impl Numbers {
    fn number(&mut self, operator: Told) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(operator).or_insert(next)
    }

    /// The operators by number.
    fn in_order(self) -> Vec<Told> {
        let mut all: Vec<(u32, Told)> = self.0.into_iter().map(|(own, at)| (at, own)).collect();
        all.sort_unstable_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, operator)| operator).collect()
    }
}

#[cfg(test)]
mod tests;
