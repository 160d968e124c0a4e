//! The inventory as of a time, in the shape that checks ask it in.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use outflow_enrich::inventory::{
    InterfaceInfo, Inventory, Known, NetworkAcl, NetworkFirewall, Place, PrefixList, Route,
    RouteTable, SecurityGroup, SecurityGroupRule, Subnet, Timeline, VpcEndpoint, When,
};
use outflow_enrich::{Networks, Scope};
use outflow_record::{Addr, Timestamp};

use crate::Service;
use crate::traffic::{Entry, Key};

/// Which way bytes left a VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// They did not: the other side is inside, here or behind a peering.
    Inside,
    InterfaceEndpoint,
    GatewayEndpoint,
    InternetGateway,
    Nat,
    /// A firewall or another appliance behind an endpoint of its own.
    Appliance,
    TransitGateway,
    PrivateGateway,
    /// Neither path nor routes tell.
    Unknown,
}

/// What the inventory says as of a time.
pub(crate) struct Network<'a> {
    pub(crate) inventory: &'a Inventory,
    pub(crate) at: Timestamp,
    pub(crate) endpoints: BTreeMap<&'a str, Vec<Endpoint<'a>>>,
    pub(crate) tables: BTreeMap<&'a str, Vec<&'a RouteTable>>,
    pub(crate) subnets: BTreeMap<&'a str, Vec<&'a Subnet>>,
    pub(crate) interfaces: BTreeMap<&'a str, Vec<&'a InterfaceInfo>>,
    table_of_subnet: BTreeMap<&'a str, &'a RouteTable>,
    main_tables: BTreeMap<&'a str, &'a RouteTable>,
    endpoint_of_interface: BTreeMap<&'a str, &'a str>,
    acl_of_subnet: BTreeMap<&'a str, &'a NetworkAcl>,
    default_acls: BTreeMap<&'a str, &'a NetworkAcl>,
    firewall_of_endpoint: BTreeMap<&'a str, &'a NetworkFirewall>,
    /// Rules in the flat form by group, each with whether it is stale.
    flat_rules: BTreeMap<&'a str, Vec<(&'a SecurityGroupRule, bool)>>,
    /// How many interfaces have a group.
    members: BTreeMap<&'a str, usize>,
    border: Networks,
}

/// An endpoint of a VPC that stands.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint<'a> {
    pub(crate) value: &'a VpcEndpoint,
}

impl Endpoint<'_> {
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.value.vpc_endpoint_type.eq_ignore_ascii_case(kind)
    }

    pub(crate) fn service(&self) -> Option<Service> {
        Service::of_endpoint(&self.value.service_name)
    }
}

/// Resources that were not seen to be gone by a time, each with where it was seen.
pub(crate) fn present<T>(
    timeline: &Timeline<T>,
    at: Timestamp,
) -> impl Iterator<Item = (&str, &T, &Place)> {
    dated(timeline, at).map(|(id, known, _)| (id, known.value, known.place))
}

/// Those that are [`present`], each with whether it is stale: asked for since, and not told. What is stale may be gone, so
/// that nothing holds by it.
pub(crate) fn dated<T>(
    timeline: &Timeline<T>,
    at: Timestamp,
) -> impl Iterator<Item = (&str, Known<'_, T>, bool)> {
    let known = timeline.iter(at);
    known
        .filter(|(_, known)| known.when != When::Gone)
        .map(move |(id, known)| {
            let is_stale = timeline.is_stale(&known, at);
            (id, known, is_stale)
        })
}

impl<'a> Network<'a> {
    pub(crate) fn new(inventory: &'a Inventory, at: Timestamp) -> Self {
        let mut own = Self {
            inventory,
            at,
            endpoints: BTreeMap::new(),
            tables: BTreeMap::new(),
            subnets: BTreeMap::new(),
            interfaces: BTreeMap::new(),
            table_of_subnet: BTreeMap::new(),
            main_tables: BTreeMap::new(),
            endpoint_of_interface: BTreeMap::new(),
            acl_of_subnet: BTreeMap::new(),
            default_acls: BTreeMap::new(),
            firewall_of_endpoint: BTreeMap::new(),
            flat_rules: BTreeMap::new(),
            members: BTreeMap::new(),
            border: Networks::default().and(inventory.cidrs()),
        };
        for (_, value, _) in present(&inventory.vpc_endpoints, at) {
            // One whose state is not described is taken to stand.
            if value.state.is_empty() || value.state.eq_ignore_ascii_case("available") {
                let of_vpc = own.endpoints.entry(&value.vpc_id).or_default();
                of_vpc.push(Endpoint { value });
                for interface in &value.network_interface_ids {
                    own.endpoint_of_interface
                        .insert(interface, &value.vpc_endpoint_id);
                }
            }
        }
        for (_, table, _) in present(&inventory.route_tables, at) {
            own.tables.entry(&table.vpc_id).or_default().push(table);
            for association in &table.associations {
                if let Some(subnet) = &association.subnet_id {
                    own.table_of_subnet.insert(subnet, table);
                }
                if association.main {
                    own.main_tables.insert(&table.vpc_id, table);
                }
            }
        }
        for (_, subnet, _) in present(&inventory.subnets, at) {
            own.subnets.entry(&subnet.vpc_id).or_default().push(subnet);
        }
        for (_, interface, _) in present(&inventory.interfaces, at) {
            let of_vpc = own.interfaces.entry(&interface.vpc_id).or_default();
            of_vpc.push(interface);
            for group in interface.security_groups.keys() {
                *own.members.entry(group).or_default() += 1;
            }
        }
        for (_, rule, is_stale) in dated(&inventory.security_group_rules, at) {
            let of_group = own.flat_rules.entry(&rule.value.group_id).or_default();
            of_group.push((rule.value, is_stale));
        }
        own.add_filters();
        own
    }

    /// Notes what filters, as far as it is known to be so still.
    fn add_filters(&mut self) {
        let acls = dated(&self.inventory.network_acls, self.at);
        for (_, acl, _) in acls.filter(|(_, _, is_stale)| !is_stale) {
            let acl = acl.value;
            for association in &acl.associations {
                self.acl_of_subnet.insert(&association.subnet_id, acl);
            }
            if acl.is_default {
                self.default_acls.insert(&acl.vpc_id, acl);
            }
        }
        let firewalls = dated(&self.inventory.network_firewalls, self.at);
        for (_, firewall, _) in firewalls.filter(|(_, _, is_stale)| !is_stale) {
            for endpoint in firewall.value.endpoints.keys() {
                self.firewall_of_endpoint.insert(endpoint, firewall.value);
            }
        }
    }

    /// The ACL of a subnet: its own, or else the default one of the VPC.
    pub(crate) fn acl(&self, vpc_id: &str, subnet_id: &str) -> Option<&'a NetworkAcl> {
        let own = self.acl_of_subnet.get(subnet_id);
        own.or_else(|| self.default_acls.get(vpc_id)).copied()
    }

    /// The Network Firewall behind an endpoint.
    pub(crate) fn firewall_at(&self, endpoint_id: &str) -> Option<&'a NetworkFirewall> {
        self.firewall_of_endpoint.get(endpoint_id).copied()
    }

    /// Endpoints of a VPC.
    pub(crate) fn endpoints_of(&self, vpc_id: &str) -> &[Endpoint<'a>] {
        self.endpoints.get(vpc_id).map_or(&[], Vec::as_slice)
    }

    /// Interfaces of a VPC.
    pub(crate) fn interfaces_of(&self, vpc_id: &str) -> &[&'a InterfaceInfo] {
        self.interfaces.get(vpc_id).map_or(&[], Vec::as_slice)
    }

    /// The table that routes for a subnet: its own, or else the main one of the VPC.
    pub(crate) fn table(&self, vpc_id: &str, subnet_id: &str) -> Option<&'a RouteTable> {
        let own = self.table_of_subnet.get(subnet_id);
        own.or_else(|| self.main_tables.get(vpc_id)).copied()
    }

    /// A security group, as of the time.
    pub(crate) fn group(&self, group_id: &str) -> Option<&'a SecurityGroup> {
        let known = self.inventory.security_groups.get(group_id, self.at)?;
        (known.when != When::Gone).then_some(known.value)
    }

    /// How many interfaces have a security group.
    pub(crate) fn members(&self, group_id: &str) -> usize {
        self.members.get(group_id).copied().unwrap_or(0)
    }

    /// Rules of a security group in the flat form, each with whether it is stale.
    pub(crate) fn flat_rules(&self, group_id: &str) -> &[(&'a SecurityGroupRule, bool)] {
        self.flat_rules.get(group_id).map_or(&[], Vec::as_slice)
    }

    /// A prefix list, as of the time.
    pub(crate) fn prefix_list(&self, prefix_list_id: &str) -> Option<&'a PrefixList> {
        let known = self.inventory.prefix_lists.get(prefix_list_id, self.at)?;
        (known.when != When::Gone).then_some(known.value)
    }

    /// Whether a prefix list may be another by now.
    pub(crate) fn is_stale_list(&self, prefix_list_id: &str) -> bool {
        let lists = &self.inventory.prefix_lists;
        let known = lists.get(prefix_list_id, self.at);
        known.is_some_and(|known| lists.is_stale(&known, self.at))
    }

    /// Whether a route table may be another by now.
    fn is_stale_table(&self, route_table_id: &str) -> bool {
        let tables = &self.inventory.route_tables;
        let known = tables.get(route_table_id, self.at);
        known.is_some_and(|known| tables.is_stale(&known, self.at))
    }

    /// An endpoint that has the address.
    pub(crate) fn endpoint_at(&self, vpc_id: &str, addr: Addr, at: Timestamp) -> Option<&'a str> {
        let holder = self.inventory.holder(vpc_id, addr, at)?;
        let interface = holder.value.interface_id.as_str();
        self.endpoint_of_interface.get(interface).copied()
    }

    /// Whether bytes to an address leave the network.
    pub(crate) fn is_outside(&self, addr: Addr) -> bool {
        self.border.scope(addr) == Scope::External
    }

    /// Whether an interface passes on what others send: its bytes are theirs.
    pub(crate) fn passes_on(&self, interface_id: &str) -> bool {
        let known = self.inventory.interface(interface_id, self.at);
        known.is_some_and(|known| known.value.passes_on())
    }

    /// Which ways the bytes of an entry went, and how many each.
    pub(crate) fn exits(&self, key: &Key, entry: &Entry) -> Vec<(Exit, u64)> {
        let sent = entry.path_bytes.iter().enumerate();
        let sent = sent.filter(|(_, bytes)| **bytes > 0);
        let mut exits: Vec<(Exit, u64)> = Vec::new();
        for (path, bytes) in sent {
            let exit = self.exit(key, entry, path);
            match exits.iter_mut().find(|(known, _)| *known == exit) {
                Some((_, sum)) => *sum = sum.saturating_add(*bytes),
                None => exits.push((exit, *bytes)),
            }
        }
        exits
    }

    /// The way that the bytes of a `traffic-path` of an entry went.
    pub(crate) fn exit(&self, key: &Key, entry: &Entry, path: usize) -> Exit {
        let (vpc_id, addr) = (&*key.vpc_id, key.destination);
        if self.endpoint_at(vpc_id, addr, entry.last_at).is_some() {
            return Exit::InterfaceEndpoint;
        }
        if !self.is_outside(addr) {
            return Exit::Inside;
        }
        let routed = || self.routed(key, entry).unwrap_or(Exit::Unknown);
        match path {
            7 => Exit::GatewayEndpoint,
            8 => Exit::InternetGateway,
            // Instances of old say the same of both.
            2 => match routed() {
                Exit::GatewayEndpoint => Exit::GatewayEndpoint,
                _ => Exit::InternetGateway,
            },
            3 => Exit::PrivateGateway,
            4 | 5 => Exit::Inside,
            _ => routed(),
        }
    }

    /// Where the routes of the interface's subnet lead an entry.
    fn routed(&self, key: &Key, entry: &Entry) -> Option<Exit> {
        let interface = self.inventory.interface(&key.interface_id, entry.last_at)?;
        let table = self.table(&key.vpc_id, &interface.value.subnet_id)?;
        if self.is_stale_table(&table.route_table_id) {
            return None;
        }
        let ip = IpNet::from(key.destination.to_ip());
        let best = table
            .routes
            .iter()
            .filter(|route| route.state.is_empty() || route.state == "active")
            .filter_map(|route| Some((self.matches(route, ip, entry)?, route)));
        let (_, route) = best.max_by_key(|(len, _)| *len)?;
        Some(self.target(&key.vpc_id, route))
    }

    /// The length of the prefix by which a route takes an address.
    fn matches(&self, route: &Route, ip: IpNet, entry: &Entry) -> Option<u8> {
        if let Some(id) = &route.destination_prefix_list_id {
            let list = self.prefix_list(id)?;
            let covering = list.cidrs.iter().filter(|net| net.contains(&ip));
            let len = covering.map(IpNet::prefix_len).max();
            // A list without networks is told by its name alone; a route of one goes before a default route.
            let named = || {
                let service = service_of(entry)?;
                let of_list = Service::of_endpoint(&list.prefix_list_name)?;
                service.is_served_by(&of_list).then_some(1)
            };
            return if list.cidrs.is_empty() { named() } else { len };
        }
        let nets = [
            route.destination_cidr_block,
            route.destination_ipv6_cidr_block,
        ];
        let mut nets = nets.into_iter().flatten();
        nets.find(|net| net.contains(&ip))
            .map(|net| net.prefix_len())
    }

    /// What a route leads to.
    pub(crate) fn target(&self, vpc_id: &str, route: &Route) -> Exit {
        let gateway = route.gateway_id.as_deref().unwrap_or("");
        if route.nat_gateway_id.is_some() {
            Exit::Nat
        } else if route.transit_gateway_id.is_some() {
            Exit::TransitGateway
        } else if route.vpc_peering_connection_id.is_some() || gateway == "local" {
            Exit::Inside
        } else if gateway.starts_with("igw-") || route.egress_only_internet_gateway_id.is_some() {
            Exit::InternetGateway
        } else if gateway.starts_with("vgw-") {
            Exit::PrivateGateway
        } else if gateway.starts_with("vpce-") {
            let endpoints = self.endpoints_of(vpc_id);
            let own = endpoints
                .iter()
                .find(|own| own.value.vpc_endpoint_id == gateway);
            let is_gateway = match own {
                Some(endpoint) => endpoint.is("Gateway"),
                None => route.destination_prefix_list_id.is_some(),
            };
            if is_gateway {
                Exit::GatewayEndpoint
            } else {
                Exit::Appliance
            }
        } else if route.network_interface_id.is_some() {
            Exit::Appliance
        } else {
            Exit::Unknown
        }
    }

    /// Subnets of a VPC that a table routes for.
    pub(crate) fn subnets_of(&self, table: &RouteTable) -> BTreeSet<&'a str> {
        let subnets = self.subnets.get(table.vpc_id.as_str());
        let subnets = subnets.into_iter().flatten();
        subnets
            .map(|subnet| subnet.subnet_id.as_str())
            .filter(|id| {
                let own = self.table(&table.vpc_id, id);
                own.is_some_and(|own| own.route_table_id == table.route_table_id)
            })
            .collect()
    }
}

/// The service of AWS that an entry went to: by its names, else by the range that holds the address.
pub(crate) fn service_of(entry: &Entry) -> Option<Service> {
    let named = entry
        .domains
        .iter()
        .find_map(|name| Service::of_domain(name));
    named.or_else(|| {
        let label = entry.aws_service.as_deref()?;
        Service::of_range(label, entry.aws_region.as_deref())
    })
}
