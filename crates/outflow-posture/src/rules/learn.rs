//! Makes rules of what was seen.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use outflow_enrich::protocol;
use outflow_finding::{human_bytes, human_count};
use outflow_record::{Addr, Timestamp};

use super::{
    EgressRule, EndpointProposal, NotLearnt, Observed, PortRange, RULES_SCHEMA, RulePeer, RuleSet,
    Target, has_ports,
};
use crate::hcl::description;
use crate::network::{Exit, Network, present, service_of};
use crate::report::Window;
use crate::rule::is_open;
use crate::traffic::{Entry, Key, Opened};

/// Egress rules that AWS lets a group have for each family of addresses, unless the quota was raised. Above it,
/// networks outside are widened to /24 and /48, and a note says so.
pub const GROUP_RULES_MAX: usize = 60;

/// Hosts that the description of a rule names.
const DESCRIBED_HOSTS_MAX: usize = 4;

/// A connection that was seen, with what it can be named by.
struct Item<'a> {
    key: &'a Key,
    entry: &'a Entry,
    list: Option<&'a str>,
    groups: BTreeSet<&'a str>,
}

/// What a rule was made of.
#[derive(Default)]
struct Sum {
    bytes: u64,
    flows: u64,
    destinations: BTreeSet<Addr>,
    hosts: BTreeSet<String>,
}

/// Rules as they grow: by protocol and other side, what each port needs.
type Needs = BTreeMap<(RulePeer, u8), BTreeMap<u16, Sum>>;

impl RuleSet {
    /// The smallest rules by which what the target opened would have gone through: one set for each VPC in which it
    /// was seen.
    pub fn learn(target: &Target, observed: &Observed<'_>) -> Vec<Self> {
        let network = Network::new(observed.inventory, observed.at);
        let mut by_vpc: BTreeMap<(&str, &str), Vec<(&Key, &Entry)>> = BTreeMap::new();
        for (key, entry) in observed.traffic.entries() {
            if target.has(&network, key, entry) {
                let place = (&*key.account_id, &*key.vpc_id);
                by_vpc.entry(place).or_default().push((key, entry));
            }
        }
        let sets = by_vpc.into_iter();
        sets.map(|(place, entries)| learn(target, observed, &network, place, &entries))
            .collect()
    }
}

fn learn(
    target: &Target,
    observed: &Observed<'_>,
    network: &Network<'_>,
    (account_id, vpc_id): (&str, &str),
    entries: &[(&Key, &Entry)],
) -> RuleSet {
    let mut not_learnt = NotLearnt {
        beyond_rows: observed.traffic.beyond_of(account_id, vpc_id).rows,
        ..NotLearnt::default()
    };
    let mut items = Vec::new();
    for (key, entry) in entries {
        // What was refused only was not let through by the rules of old either.
        if key.opened == Opened::Inbound || entry.flows == 0 {
            continue;
        }
        let (flows, bytes) = if observed.is_incident(key) {
            (
                &mut not_learnt.incident_flows,
                &mut not_learnt.incident_bytes,
            )
        } else if key.opened == Opened::Unknown {
            (
                &mut not_learnt.undecided_flows,
                &mut not_learnt.undecided_bytes,
            )
        } else {
            items.push(item(network, key, entry));
            continue;
        };
        *flows = flows.saturating_add(entry.flows);
        *bytes = bytes.saturating_add(entry.bytes);
    }
    let first = items.iter().map(|item| item.entry.first_at).min();
    let last = items.iter().map(|item| item.entry.last_at).max();
    let window = first.zip(last);
    let mut notes = Vec::new();
    let rules = rules(network, window, &items, &mut notes);
    let (domains, unnamed) = domains(network, &items);
    if unnamed > 0 {
        notes.push(format!(
            "{unnamed} destinations by TLS or HTTP have no name, or more than are kept: the list of domains would refuse them"
        ));
    }
    let endpoints = endpoints(network, (vpc_id, region(observed, vpc_id)), &items);
    if endpoints.iter().any(|endpoint| !endpoint.is_gateway) {
        notes.push(
            "once an interface endpoint takes over, hosts need tcp/443 to its security group"
                .to_owned(),
        );
    }
    if endpoints.iter().any(|endpoint| endpoint.is_gateway) {
        notes.push("the policy of the endpoint refuses buckets of others, those of AWS with packages and agents too".to_owned());
    }
    if not_learnt.beyond_rows > 0 {
        notes.push(format!(
            "{} rows found no room: rules may be missing",
            not_learnt.beyond_rows
        ));
    }
    RuleSet {
        schema: RULES_SCHEMA,
        target: target.clone(),
        account_id: account_id.to_owned(),
        vpc_id: vpc_id.to_owned(),
        learnt: window.map(|(first, last)| Window { first, last }),
        rules,
        domains,
        home_nets: observed.inventory.vpc_cidrs(vpc_id).into_iter().collect(),
        endpoints,
        not_learnt,
        notes,
    }
}

fn item<'a>(network: &Network<'a>, key: &'a Key, entry: &'a Entry) -> Item<'a> {
    let holder = network
        .inventory
        .holder(&key.vpc_id, key.destination, entry.last_at);
    let groups = holder.map(|holder| {
        holder
            .value
            .security_groups
            .keys()
            .map(String::as_str)
            .collect()
    });
    Item {
        key,
        entry,
        list: list_of(network, key.destination),
        groups: groups.unwrap_or_default(),
    }
}

/// The prefix list that holds an address most narrowly, unless it is open itself.
fn list_of<'a>(network: &Network<'a>, addr: Addr) -> Option<&'a str> {
    let ip = IpNet::from(addr.to_ip());
    let lists = present(&network.inventory.prefix_lists, network.at);
    let closed = lists.filter(|(_, list, _)| !list.cidrs.iter().any(|net| is_open(*net)));
    let holding = closed.filter_map(|(id, list, _)| {
        let nets = list.cidrs.iter().filter(|net| net.contains(&ip));
        Some((nets.map(IpNet::prefix_len).max()?, std::cmp::Reverse(id)))
    });
    holding.max().map(|(_, std::cmp::Reverse(id))| id)
}

fn rules(
    network: &Network<'_>,
    window: Option<(Timestamp, Timestamp)>,
    items: &[Item<'_>],
    notes: &mut Vec<String>,
) -> Vec<EgressRule> {
    let mut by_service: BTreeMap<(u8, u16), Vec<&Item<'_>>> = BTreeMap::new();
    for item in items {
        let number = item.key.protocol;
        let port = if has_ports(number) { item.key.port } else { 0 };
        by_service.entry((number, port)).or_default().push(item);
    }
    let build = |widened: bool| {
        let mut needs = Needs::new();
        for ((number, port), items) in &by_service {
            for (peer, item) in peers(network, items, widened) {
                let ports = needs.entry((peer, *number)).or_default();
                ports.entry(*port).or_default().add(item);
            }
        }
        joined(needs, window)
    };
    let exact = build(false);
    if weight(network, &exact) <= GROUP_RULES_MAX {
        return exact;
    }
    let widened = build(true);
    let (before, after) = (exact.len(), weight(network, &widened));
    notes.push(format!(
        "{before} rules are more than the {GROUP_RULES_MAX} that AWS lets a group have: networks outside are widened to /24 and /48"
    ));
    if after > GROUP_RULES_MAX {
        notes.push(format!(
            "they still weigh {after}: raise the quota, or allow ports outside and hold hosts to the list of domains"
        ));
    }
    widened
}

/// What rules weigh by AWS's count, where a prefix list counts as its networks; of the heavier family.
fn weight(network: &Network<'_>, rules: &[EgressRule]) -> usize {
    let of_family = |v4: bool| -> usize {
        let weights = rules.iter().map(|rule| match &rule.peer {
            RulePeer::Cidr(net) => usize::from(net.addr().is_ipv4() == v4),
            RulePeer::SecurityGroup(_) => 1,
            RulePeer::PrefixList(id) => {
                let list = network.prefix_list(id);
                let nets = list.into_iter().flat_map(|list| &list.cidrs);
                nets.filter(|net| net.addr().is_ipv4() == v4).count()
            }
        });
        weights.sum()
    };
    of_family(true).max(of_family(false))
}

/// The other sides that hold all items of a service: prefix lists, then as few groups as a greedy choice finds, then
/// networks. Each item with the one that holds it.
fn peers<'i, 'a>(
    network: &Network<'_>,
    items: &[&'i Item<'a>],
    widened: bool,
) -> Vec<(RulePeer, &'i Item<'a>)> {
    let mut found = Vec::new();
    let mut grouped: Vec<&'i Item<'a>> = Vec::new();
    let mut bare: Vec<&'i Item<'a>> = Vec::new();
    for item in items {
        match item.list {
            Some(id) => found.push((RulePeer::PrefixList(id.to_owned()), *item)),
            None if item.groups.is_empty() => bare.push(item),
            None => grouped.push(item),
        }
    }
    while !grouped.is_empty() {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for id in grouped.iter().flat_map(|item| &item.groups) {
            *counts.entry(id).or_default() += 1;
        }
        // Of several that hold as many, the first by name.
        let best = counts
            .iter()
            .min_by_key(|(id, count)| (std::cmp::Reverse(**count), **id));
        let Some((best, _)) = best.map(|(id, count)| (*id, *count)) else {
            break;
        };
        let (held, rest): (Vec<_>, Vec<_>) = grouped
            .into_iter()
            .partition(|item| item.groups.contains(best));
        found.extend(
            held.into_iter()
                .map(|item| (RulePeer::SecurityGroup(best.to_owned()), item)),
        );
        grouped = rest;
    }
    let net_of = |item: &Item<'_>| net_of(network, item.key.destination, widened);
    let nets: Vec<IpNet> = bare.iter().map(|item| net_of(item)).collect();
    let nets = IpNet::aggregate(&nets);
    for item in bare {
        let own = net_of(item);
        let net = nets
            .iter()
            .find(|net| net.contains(&own))
            .copied()
            .unwrap_or(own);
        found.push((RulePeer::Cidr(net), item));
    }
    found
}

fn net_of(network: &Network<'_>, addr: Addr, widened: bool) -> IpNet {
    let exact = IpNet::from(addr.to_ip());
    if !widened || !network.is_outside(addr) {
        return exact;
    }
    IpNet::new(addr.group().to_ip(), addr.group_len()).unwrap_or(exact)
}

/// Rules of needs: ports that follow one another are one range.
fn joined(needs: Needs, window: Option<(Timestamp, Timestamp)>) -> Vec<EgressRule> {
    let mut rules = Vec::new();
    for ((peer, number), ports) in needs {
        let mut ranges: Vec<(PortRange, Sum)> = Vec::new();
        for (port, sum) in ports {
            match ranges.last_mut() {
                Some((range, known)) if range.last.checked_add(1) == Some(port) => {
                    range.last = port;
                    known.join(sum);
                }
                _ => ranges.push((
                    PortRange {
                        first: port,
                        last: port,
                    },
                    sum,
                )),
            }
        }
        for (range, sum) in ranges {
            rules.push(EgressRule {
                peer: peer.clone(),
                protocol: number,
                ports: has_ports(number).then_some(range),
                description: description(&sum.said(window)),
                bytes: sum.bytes,
                flows: sum.flows,
                destinations: sum.destinations.len(),
            });
        }
    }
    rules
}

impl Sum {
    fn add(&mut self, item: &Item<'_>) {
        self.bytes = self.bytes.saturating_add(item.entry.bytes);
        self.flows = self.flows.saturating_add(item.entry.flows);
        self.destinations.insert(item.key.destination);
        self.hosts
            .extend(item.entry.domains.iter().map(ToString::to_string));
    }

    fn join(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.flows = self.flows.saturating_add(other.flows);
        self.destinations.extend(other.destinations);
        self.hosts.extend(other.hosts);
    }

    /// Why a rule is there. Its beginning is the one by which posture knows a justified rule.
    fn said(&self, window: Option<(Timestamp, Timestamp)>) -> String {
        let flows = human_count(self.flows);
        let mut said = format!(
            "justification: observed {flows} flows, {}",
            human_bytes(self.bytes)
        );
        if let Some((first, last)) = window {
            said.push_str(&format!(", {first} to {last}"));
        }
        let hosts: Vec<&str> = self.hosts.iter().map(String::as_str).collect();
        if let Some(named) = hosts
            .get(..hosts.len().min(DESCRIBED_HOSTS_MAX))
            .filter(|named| !named.is_empty())
        {
            said.push_str(&format!(": {}", named.join(", ")));
        }
        said
    }
}

/// Names for a list of allowed domains, and how many destinations have none.
fn domains(network: &Network<'_>, items: &[Item<'_>]) -> (Vec<String>, usize) {
    let (mut names, mut unnamed) = (BTreeSet::new(), BTreeSet::new());
    for item in items {
        let key = item.key;
        let is_web = key.protocol == protocol::TCP && matches!(key.port, 80 | 443);
        if !is_web || item.list.is_some() || !network.is_outside(key.destination) {
            continue;
        }
        let own = item.entry.domains.iter().filter(|name| is_host(name));
        let mut count = 0;
        for name in own {
            names.insert(name.trim_end_matches('.').to_ascii_lowercase());
            count += 1;
        }
        if count == 0 || item.entry.more_domains {
            unnamed.insert(key.destination);
        }
    }
    (names.into_iter().collect(), unnamed.len())
}

/// Whether a name is one that the list of a firewall may hold: letters, digits, hyphens and dots.
fn is_host(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let fits = (1..=255).contains(&name.len()) && name.bytes().all(is_part);
    fits && name.contains('.') && !name.starts_with('.')
}

/// The region of a VPC, as its listing or else the traffic tells; empty if neither does.
fn region<'a>(observed: &Observed<'a>, vpc_id: &str) -> &'a str {
    let vpc = observed.inventory.vpcs.get(vpc_id, observed.at);
    let listed = vpc.map(|vpc| vpc.place.region.as_str());
    let listed = listed.filter(|region| !region.is_empty());
    let told = listed.or_else(|| observed.traffic.region_of(vpc_id));
    told.unwrap_or_default()
}

/// Endpoints that the services in use lack in their VPC.
fn endpoints(
    network: &Network<'_>,
    (vpc_id, vpc_region): (&str, &str),
    items: &[Item<'_>],
) -> Vec<EndpointProposal> {
    let mut proposed: BTreeMap<String, EndpointProposal> = BTreeMap::new();
    for item in items {
        let Some(service) = service_of(item.entry) else {
            continue;
        };
        let own = network.endpoints_of(vpc_id).iter();
        let mut own = own.filter_map(|endpoint| endpoint.service());
        let region = service.region.clone();
        // An endpoint is for the region of its VPC; where a host says no region, S3's may be there.
        let region = region.or_else(|| service.has_gateway().then(|| vpc_region.to_owned()));
        let Some(region) = region.filter(|region| !region.is_empty() && *region == vpc_region)
        else {
            continue;
        };
        if own.any(|own| service.is_served_by(&own)) {
            continue;
        }
        let around = network
            .exits(item.key, item.entry)
            .into_iter()
            .filter(|(exit, _)| {
                matches!(
                    exit,
                    Exit::Nat | Exit::InternetGateway | Exit::Appliance | Exit::TransitGateway
                )
            });
        let bytes: u64 = around.map(|(_, bytes)| bytes).sum();
        if bytes == 0 {
            continue;
        }
        let service_name = format!("com.amazonaws.{region}.{}", service.name);
        let proposal = proposed
            .entry(service_name.clone())
            .or_insert_with(|| EndpointProposal {
                service_name,
                is_gateway: service.has_gateway(),
                route_table_ids: Vec::new(),
                subnet_ids: Vec::new(),
                bytes: 0,
            });
        proposal.bytes = proposal.bytes.saturating_add(bytes);
        let interface = network
            .inventory
            .interface(&item.key.interface_id, item.entry.last_at);
        let Some(subnet) = interface.map(|own| own.value.subnet_id.as_str()) else {
            continue;
        };
        let table = network
            .table(vpc_id, subnet)
            .map(|table| table.route_table_id.as_str());
        let (ids, id) = match proposal.is_gateway {
            true => (&mut proposal.route_table_ids, table),
            false => (&mut proposal.subnet_ids, Some(subnet)),
        };
        if let Some(id) = id.filter(|id| !ids.iter().any(|own| own == id)) {
            ids.push(id.to_owned());
            ids.sort();
        }
    }
    proposed.into_values().collect()
}
