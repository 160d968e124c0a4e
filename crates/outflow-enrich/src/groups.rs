//! Destinations that have a name, in which they are compared rather than by network.
//!
//! A group may never join an address that an attacker can rent with one that is established. So a name is given only
//! where it is sure, and everything else stays with its /24 or /48 ([`Addr::group`]). Autonomous systems are no groups:
//! of none is it sure that it rents out nothing.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use ipnet::IpNet;
use outflow_record::{Addr, Timestamp};

use crate::domains::is_shared_domain;
use crate::prefixes::published;
use crate::{
    AwsRange, AwsRanges, DestinationCategory, Error, GeoDatabases, KnownDestination,
    KnownDestinations, Naming, PassiveDns, PrefixTable, registered_domain,
};

/// Services whose addresses in a region are the service's own fleet, the same for all customers. Which customer's
/// bucket or table is behind them no address tells, that of a /24 neither. Of all other services (`EC2`, `CLOUDFRONT`,
/// `GLOBALACCELERATOR`, `API_GATEWAY` and the like) somebody has single addresses to oneself, or may have.
const REGIONAL_SERVICES: [&str; 4] = ["DYNAMODB", "EBS", "KINESIS_VIDEO_STREAMS", "S3"];

/// Services among whose addresses each belongs to one customer at a time, who is told by the name.
const SINGLE_SERVICES: [&str; 3] = ["AMAZON", "EC2", "GLOBALACCELERATOR"];

/// Autonomous systems where an address answers for many customers' names at once, so that who asked for one name may
/// have sent to another: content delivery networks and front ends of clouds. In order.
const SHARED_FRONTS: [u32; 13] = [
    8_075,   // Microsoft
    12_222,  // Akamai
    13_335,  // Cloudflare
    15_133,  // Edgio
    15_169,  // Google
    16_625,  // Akamai
    19_551,  // Imperva
    20_940,  // Akamai
    30_148,  // Sucuri
    54_113,  // Fastly
    60_068,  // CDN77
    200_325, // bunny.net
    209_242, // Cloudflare
];

/// A group that has a name. Groups compare as their names do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(NonZeroU32);

/// What groups are made of.
#[derive(Debug, Clone, Copy)]
pub struct GroupSources<'a> {
    /// Ranges of AWS: a service in a region is a group.
    pub ranges: Option<&'a AwsRanges>,
    /// Known destinations: the site of a service that takes telemetry is a group.
    pub known: &'a KnownDestinations,
    /// Names of addresses: a registered domain is a group.
    pub names: &'a PassiveDns,
    /// Networks of addresses: where many share one, its name tells nothing.
    pub geo: &'a GeoDatabases,
}

/// Groups with names, looked up by address.
///
/// ```
/// use outflow_enrich::{AwsRanges, DestinationGroups, GeoDatabases, GroupSources, KnownDestinations, PassiveDns};
/// use outflow_record::Timestamp;
/// let json = br#"{"createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [], "prefixes": [
///     {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "S3",
///      "network_border_group": "ap-northeast-2"}]}"#;
/// let groups = DestinationGroups::new(GroupSources {
///     ranges: Some(&AwsRanges::from_json(json).unwrap()),
///     known: &KnownDestinations::built_in().unwrap(),
///     names: &PassiveDns::default(),
///     geo: &GeoDatabases::default(),
/// }).unwrap();
/// let id = groups.of_addr("3.5.141.9".parse().unwrap(), None, Timestamp(0)).unwrap();
/// assert_eq!(groups.name(id), "s3.ap-northeast-2");
/// ```
#[derive(Debug, Clone, Default)]
pub struct DestinationGroups {
    /// In order; the number of a group is its place, from one on.
    names: Vec<Box<str>>,
    /// Every prefix of the sources: one without a group within one that has is none of it.
    by_net: PrefixTable<Option<GroupId>>,
    vpcs: BTreeMap<Box<str>, u32>,
    /// In order: number of the VPC, address, and the second from which the group holds.
    by_name: Vec<(u32, Addr, i64, Option<GroupId>)>,
}

/// A VPC in which addresses have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamingVpc(u32);

impl DestinationGroups {
    /// The groups that the sources tell.
    ///
    /// # Errors
    /// [`Error::TooManyPrefixes`] beyond [`crate::PREFIXES_MAX`].
    pub fn new(sources: GroupSources<'_>) -> Result<Self, Error> {
        let mut names = Names::default();
        let nets = nets(&sources, &mut names);
        let mut vpcs: BTreeMap<Box<str>, u32> = BTreeMap::new();
        let mut by_name = Vec::new();
        for called in sources.names.called() {
            if is_shared(&sources, called.addr) {
                continue;
            }
            let next = u32::try_from(vpcs.len()).unwrap_or(u32::MAX);
            let vpc = *vpcs.entry(called.vpc_id.into()).or_insert(next);
            let mut last = None;
            for (from, naming) in called.spans {
                let name = naming.and_then(|naming| group_of(sources.known, &naming));
                let group = name.map(|name| names.number(name));
                if group != last {
                    by_name.push((vpc, called.addr, from.secs(), group));
                    last = group;
                }
            }
        }
        let (names, ids) = names.in_order();
        let id = |number: u32| ids.get(number as usize).copied();
        let nets = nets.into_iter();
        let nets = nets.map(|(net, group)| (net, group.and_then(id)));
        let by_name = by_name.into_iter();
        let by_name = by_name.map(|(vpc, addr, from, group)| (vpc, addr, from, group.and_then(id)));
        Ok(Self {
            by_net: PrefixTable::new(nets)?,
            by_name: by_name.collect(),
            names,
            vpcs,
        })
    }

    /// Whether no address has a group.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The name of a group, such as `s3.eu-central-1` or `example.com`.
    pub fn name(&self, id: GroupId) -> &str {
        let place = usize::try_from(id.0.get())
            .ok()
            .and_then(|id| id.checked_sub(1));
        place
            .and_then(|place| self.names.get(place))
            .map_or("", |name| name)
    }

    /// A VPC, if addresses have names there.
    pub fn vpc(&self, vpc_id: &str) -> Option<NamingVpc> {
        self.vpcs.get(vpc_id).map(|number| NamingVpc(*number))
    }

    /// The group of an address, as of a time where its name in a VPC tells.
    pub fn of_addr(&self, addr: Addr, vpc: Option<NamingVpc>, at: Timestamp) -> Option<GroupId> {
        let by_net = self.by_net.get(published(addr));
        by_net.and_then(|(_, group)| *group).or_else(|| {
            let NamingVpc(vpc) = vpc?;
            let key = (vpc, addr, at.secs());
            let after = self
                .by_name
                .partition_point(|(vpc, addr, from, _)| (*vpc, *addr, *from) <= key);
            let (in_vpc, named, _, group) = self.by_name.get(after.checked_sub(1)?)?;
            group.filter(|_| (*in_vpc, *named) == (vpc, addr))
        })
    }

    /// The group of a network as [`Addr::group`] makes it, if all of the network is of one.
    pub fn of_network(&self, network: Addr) -> Option<GroupId> {
        let addr = published(network);
        let len = if addr.is_ipv4() {
            24
        } else {
            network.group_len()
        };
        let net = IpNet::new(addr.to_ip(), len).ok()?;
        let (_, group) = self.by_net.whole(net)?;
        *group
    }
}

/// The networks of the sources, each with the number of its group.
fn nets(sources: &GroupSources<'_>, names: &mut Names) -> Vec<(IpNet, Option<u32>)> {
    let mut nets = Vec::new();
    for (net, range) in sources.ranges.into_iter().flat_map(AwsRanges::iter) {
        nets.push((net, regional(net, range).map(|name| names.number(name))));
    }
    for known in sources.known.iter() {
        let group = site(known).map(|name| names.number(name.to_owned()));
        nets.extend(known.ranges.iter().map(|net| (*net, group)));
    }
    nets
}

/// The name of the service in its region, if the very range is that of one.
fn regional(net: IpNet, range: &AwsRange) -> Option<String> {
    let service = &*range.service;
    let is_own = range.net == net && REGIONAL_SERVICES.contains(&service);
    let is_somewhere = &*range.region != "GLOBAL";
    (is_own && is_somewhere).then(|| {
        let service = service.to_ascii_lowercase().replace('_', "-");
        format!("{service}.{}", range.region)
    })
}

/// The name of a destination whose addresses only its vendor hands out: the first domain of a site that takes
/// telemetry. Where customers have hosts of their own, they might be anybody's.
fn site(known: &KnownDestination) -> Option<&str> {
    let is_site = known.category == DestinationCategory::Telemetry && known.site.is_some();
    known
        .domains
        .first()
        .map(String::as_str)
        .filter(|_| is_site)
}

/// Whether an address is known to answer for names of many.
fn is_shared(sources: &GroupSources<'_>, addr: Addr) -> bool {
    let range = sources.ranges.and_then(|ranges| ranges.lookup(addr));
    let mut services = range.into_iter().flat_map(|range| &range.services);
    let asn = sources.geo.lookup(addr).asn;
    services.any(|service| !SINGLE_SERVICES.contains(&&**service))
        || asn.is_some_and(|asn| SHARED_FRONTS.contains(&asn))
}

/// The name of the group that a name of an address tells.
fn group_of(known: &KnownDestinations, naming: &Naming) -> Option<String> {
    let Naming::Named { domain, within } = naming else {
        return None;
    };
    if let Some(known) = known.by_name(within) {
        return site(known).map(str::to_owned);
    }
    // A name that is itself a public suffix is nobody's.
    let registered = registered_domain(domain).is_some_and(|own| own == *domain);
    (registered && !is_shared_domain(domain)).then(|| domain.clone())
}

/// Names, numbered in the order of meeting.
#[derive(Default)]
struct Names(BTreeMap<String, u32>);

impl Names {
    fn number(&mut self, name: String) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(name).or_insert(next)
    }

    /// The names in order, and by the number of each the group that it is by its place.
    fn in_order(self) -> (Vec<Box<str>>, Vec<GroupId>) {
        let mut names = Vec::with_capacity(self.0.len());
        let mut ids = vec![GroupId(NonZeroU32::MAX); self.0.len()];
        for (place, (name, number)) in (1..).zip(self.0) {
            let id = NonZeroU32::new(place).map(GroupId);
            if let (Some(own), Some(id)) = (ids.get_mut(number as usize), id) {
                *own = id;
            }
            names.push(name.into_boxed_str());
        }
        (names, ids)
    }
}

#[cfg(test)]
mod tests;
