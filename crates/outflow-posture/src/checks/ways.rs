//! Ways to the internet: whether a firewall or an ACL lies on each.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use outflow_enrich::inventory::{InterfaceInfo, NatGateway, Route, RouteTable};
use outflow_finding::Severity;
use outflow_record::Addr;

use crate::acl::{Family, is_narrow};
use crate::criterion::{Criterion, Verdict};
use crate::finding::{Check, Draft};
use crate::firewall::{Filter, Guests, filter};
use crate::network::{Exit, present};
use crate::render::counted;
use crate::traffic::Opened;
use crate::view::{Context, Out, View};

/// What is known of the ways out of a VPC.
struct Ways<'w, 'a> {
    context: &'w Context<'a>,
    view: &'w View<'a>,
    tables: &'w [&'a RouteTable],
    /// What was not listed, and might be a filter.
    unlisted: Vec<&'static str>,
    verdict: Verdict,
}

/// Looks at the ways out of a VPC: NAT gateways, internet gateways, and the firewalls on them.
pub(crate) fn check(context: &Context<'_>, view: &View<'_>, out: &mut Out) {
    let network = &context.network;
    let tables = network.tables.get(view.vpc_id);
    let mut ways = Ways {
        context,
        view,
        tables: tables.map_or(&[], Vec::as_slice),
        unlisted: Vec::new(),
        verdict: Verdict::default(),
    };
    ways.doubts();
    if is_blocked(context, view) {
        let what = "its internet gateways are blocked in both directions";
        ways.verdict.hold(what);
    } else {
        ways.nat_gateways(out);
        ways.internet_gateways(out);
        ways.firewalls(out);
    }
    out.judge(Criterion::NatFiltered, ways.verdict);
}

/// Whether nothing may pass the internet gateways of the VPC.
fn is_blocked(context: &Context<'_>, view: &View<'_>) -> bool {
    let network = &context.network;
    let vpc = network.inventory.vpcs.get(view.vpc_id, network.at);
    vpc.is_some_and(|vpc| {
        let mode = &vpc
            .value
            .block_public_access_states
            .internet_gateway_block_mode;
        mode == "block-bidirectional" && !network.inventory.vpcs.is_stale(&vpc, network.at)
    })
}

impl<'a> Ways<'_, 'a> {
    /// Without these, there may be ways that nobody sees, or filters on them.
    fn doubts(&mut self) {
        let (inventory, at) = (&self.context.network.inventory, self.context.network.at);
        let view = self.view;
        for (listed, what) in [
            (view.is_listed(&inventory.nat_gateways, at), "NAT gateways"),
            (view.is_listed(&inventory.interfaces, at), "interfaces"),
        ] {
            if !listed {
                self.verdict.doubt(format!("{what} were not listed"));
            }
        }
        let filters = [
            (view.is_listed(&inventory.route_tables, at), "route tables"),
            (view.is_listed(&inventory.subnets, at), "subnets"),
            (view.is_listed(&inventory.vpc_endpoints, at), "endpoints"),
            // One that lets out to few networks filters, too.
            (view.is_listed(&inventory.network_acls, at), "network ACLs"),
        ];
        let unlisted = filters.into_iter().filter(|(listed, _)| !listed);
        self.unlisted = unlisted.map(|(_, what)| what).collect();
        for what in &self.unlisted {
            self.verdict.doubt(format!("{what} were not listed"));
        }
    }

    /// Notes a way without a filter: where filters were not listed, it is not known to have none. Returns whether it is.
    fn unfiltered(&mut self, what: String) -> bool {
        let is_known = self.unlisted.is_empty();
        match is_known {
            true => self.verdict.fail(what),
            false => {
                let unlisted = self.unlisted.join(", ");
                self.verdict
                    .doubt(format!("{what}, as far as is known without {unlisted}"));
            }
        }
        is_known
    }

    /// NAT gateways to which subnets have routes that no firewall is on.
    fn nat_gateways(&mut self, out: &mut Out) {
        let network = &self.context.network;
        let gateways = present(&network.inventory.nat_gateways, network.at);
        let gateways = gateways.filter(|(_, gateway, _)| {
            let stands = !matches!(gateway.state.as_str(), "deleted" | "deleting" | "failed");
            gateway.vpc_id == self.view.vpc_id && stands && gateway.connectivity_type != "private"
        });
        let mut count = 0;
        for (id, gateway, _) in gateways {
            count += 1;
            let bare = self.bare_tables(id);
            if self.is_guarded_behind(gateway) {
                self.verdict
                    .hold(format!("{id}: a firewall lies behind it"));
            } else if bare.is_empty() {
                let what =
                    "only subnets of firewalls, or with narrow network ACLs, have routes to it";
                self.verdict.hold(format!("{id}: {what}"));
            } else if self.unfiltered(format!("{id}: no firewall on the way")) {
                let summary =
                    format!("{id} lets out what subnets send, without a firewall on the way");
                let mut draft = Draft::new(Check::NatUnfiltered, Severity::Medium, id, summary);
                draft.evidence = bare;
                out.findings.push(draft);
            }
        }
        if count == 0 {
            self.verdict.hold("there is no NAT gateway");
        }
    }

    /// Whether all that leaves a NAT gateway comes to a firewall, or to few networks. What leaves it is IPv4, also behind NAT64.
    fn is_guarded_behind(&self, gateway: &NatGateway) -> bool {
        let network = &self.context.network;
        let vpc_id = self.view.vpc_id;
        let table = match gateway.subnet_id.as_str() {
            // A regional one has a table of its own.
            "" => self
                .tables
                .iter()
                .find(|table| table.route_table_id == gateway.route_table_id)
                .copied(),
            subnet => network.table(vpc_id, subnet),
        };
        let guarded = table.is_some_and(|table| {
            let leads = |exit| {
                let mut routes = active(table);
                routes.any(|route| {
                    let is_v4 = route.destination_cidr_block.is_some();
                    is_v4 && network.target(vpc_id, route) == exit
                })
            };
            default_routes(table)
                .any(|route| route.destination_cidr_block.is_some() && is_appliance(self, route))
                && !leads(Exit::InternetGateway)
        });
        guarded || self.is_narrow(&gateway.subnet_id, Family::V4)
    }

    /// Tables that lead subnets without a firewall of their own, and with a wide ACL, to a NAT gateway.
    fn bare_tables(&self, gateway_id: &str) -> Vec<String> {
        let network = &self.context.network;
        let guards = self.firewall_subnets();
        let mut found = Vec::new();
        for table in self.tables {
            let mut routes = table.routes.iter();
            if !routes.any(|route| route.nat_gateway_id.as_deref() == Some(gateway_id)) {
                continue;
            }
            let subnets = network.subnets_of(table);
            let bare = subnets.difference(&guards).copied();
            let bare: Vec<&str> = bare
                .filter(|subnet| !self.is_narrow(subnet, Family::V4))
                .collect();
            // A table whose subnets are not described may have any.
            let is_known = network.subnets.contains_key(self.view.vpc_id);
            if !bare.is_empty() || !is_known {
                let subnets = if is_known {
                    bare.join(", ")
                } else {
                    "subnets".to_owned()
                };
                found.push(format!("{} leads {subnets} to it", table.route_table_id));
            }
        }
        found
    }

    /// Subnets in which firewalls have their endpoints.
    fn firewall_subnets(&self) -> BTreeSet<&'a str> {
        let endpoints = self.context.network.endpoints.get(self.view.vpc_id);
        let endpoints = endpoints.into_iter().flatten();
        let firewalls = endpoints.filter(|endpoint| endpoint.is("GatewayLoadBalancer"));
        firewalls
            .flat_map(|endpoint| endpoint.value.subnet_ids.iter().map(String::as_str))
            .collect()
    }

    /// Whether the network ACL of a subnet lets out to some networks only.
    fn is_narrow(&self, subnet_id: &str, family: Family) -> bool {
        let acl = self.context.network.acl(self.view.vpc_id, subnet_id);
        !subnet_id.is_empty() && acl.is_some_and(|acl| is_narrow(acl, family))
    }

    /// Hosts that an internet gateway lets out, with nothing on their way.
    fn internet_gateways(&mut self, out: &mut Out) {
        let network = &self.context.network;
        let mut evidence = Vec::new();
        let sent = self.sent_by_gateway();
        for table in self.tables {
            for family in [Family::V4, Family::V6] {
                let Some(route) = self.internet_route(table, family) else {
                    continue;
                };
                for subnet in network.subnets_of(table) {
                    if self.is_narrow(subnet, family) {
                        continue;
                    }
                    let hosts = self.hosts(subnet, family, &sent);
                    let Some(first) = hosts.first() else {
                        continue;
                    };
                    evidence.push(format!(
                        "{} leads {} of {subnet} to {} by {family}, {first} among them",
                        table.route_table_id,
                        counted(hosts.len(), "host"),
                        gateway_of(route)
                    ));
                }
            }
        }
        if evidence.is_empty() {
            let said = match self.has_gateway() {
                Some(false) => "no internet gateway is attached",
                _ => "no host leaves by an internet gateway alone",
            };
            self.verdict.hold(said);
            return;
        }
        let vpc_id = self.view.vpc_id;
        let what = "hosts leave by an internet gateway, without a firewall on the way";
        if !self.unfiltered(what.to_owned()) {
            return;
        }
        let summary = format!("{vpc_id}: {what}");
        let mut draft = Draft::new(Check::InternetUnfiltered, Severity::Medium, vpc_id, summary);
        let bytes: u64 = sent.values().sum();
        if bytes > 0 {
            draft.bytes = Some(bytes);
        }
        draft.evidence = evidence;
        out.findings.push(draft);
    }

    /// Whether an internet gateway is attached to the VPC; `None` if they were not listed.
    fn has_gateway(&self) -> Option<bool> {
        let (inventory, at) = (&self.context.network.inventory, self.context.network.at);
        let own = self.view.vpc_id;
        let both = present(&inventory.internet_gateways, at)
            .flat_map(|(_, gateway, _)| &gateway.attachments)
            .chain(
                present(&inventory.egress_only_gateways, at)
                    .flat_map(|(_, gateway, _)| &gateway.attachments),
            );
        let attached = both.filter(|of| of.vpc_id == own).count() > 0;
        let listed = self.view.is_listed(&inventory.internet_gateways, at)
            && self.view.is_listed(&inventory.egress_only_gateways, at);
        (attached || listed).then_some(attached)
    }

    /// Bytes that hosts sent by an internet gateway in conversations that nobody outside is known to have opened.
    fn sent_by_gateway(&self) -> BTreeMap<&'a str, u64> {
        let mut sent: BTreeMap<&str, u64> = BTreeMap::new();
        for (key, entry) in &self.view.entries {
            if key.opened == Opened::Inbound || !self.context.network.is_outside(key.destination) {
                continue;
            }
            // What went by something else in the VPC (1) was not let out by the gateway alone.
            for path in [0, 2, 8] {
                let bytes = entry.path_bytes[path];
                let exit = self.context.network.exit(key, entry, path);
                if bytes > 0 && exit == Exit::InternetGateway {
                    let sum = sent.entry(&key.interface_id).or_default();
                    *sum = sum.saturating_add(bytes);
                }
            }
        }
        sent
    }

    /// A route of a table that leads a family to an internet gateway.
    fn internet_route(&self, table: &'a RouteTable, family: Family) -> Option<&'a Route> {
        let network = &self.context.network;
        active(table).find(|route| {
            let is_of_family = match family {
                Family::V4 => route.destination_cidr_block.is_some(),
                Family::V6 => route.destination_ipv6_cidr_block.is_some(),
            };
            is_of_family && network.target(self.view.vpc_id, route) == Exit::InternetGateway
        })
    }

    /// Hosts of a subnet that a gateway would let out: IPv4 needs a public address, which traffic also tells.
    fn hosts(&self, subnet_id: &str, family: Family, sent: &BTreeMap<&str, u64>) -> Vec<&'a str> {
        let network = &self.context.network;
        let of_vpc = network.interfaces_of(self.view.vpc_id).iter();
        let hosts = of_vpc.filter(|own| own.subnet_id == subnet_id && !own.passes_on());
        let leaves = |own: &&&'a InterfaceInfo| match family {
            Family::V4 => {
                let mut public = own.public_addresses.iter();
                public.any(is_v4) || sent.contains_key(own.interface_id.as_str())
            }
            Family::V6 => own.addresses.iter().any(|addr| !is_v4(addr)),
        };
        hosts
            .filter(leaves)
            .map(|own| own.interface_id.as_str())
            .collect()
    }

    /// Firewalls and appliances that default routes lead to.
    fn firewalls(&mut self, out: &mut Out) {
        let guests = self.guests();
        let tables = self.tables.iter();
        let routes = tables.flat_map(|table| default_routes(table));
        let appliances = routes.filter(|route| is_appliance(self, route));
        let ids: BTreeSet<&str> = appliances.map(appliance_of).collect();
        for id in ids {
            self.firewall(id, guests, out);
        }
    }

    fn firewall(&mut self, id: &str, guests: Guests, out: &mut Out) {
        let network = &self.context.network;
        let firewall = network.firewall_at(id);
        let filter = match firewall {
            Some(firewall) => filter(network, firewall, guests),
            None => self.appliance(id),
        };
        match filter {
            Filter::Filters(what) => self.verdict.hold(format!("{id}: {what}")),
            Filter::Unknown(what) => self.verdict.doubt(format!("{id}: {what}")),
            Filter::Passes(what) => {
                self.verdict.fail(format!("{id}: {what}"));
                let resource = firewall.map_or(id, |own| own.firewall_name.as_str());
                let summary = format!("{id} is on the way out: {what}");
                let known = out
                    .findings
                    .iter()
                    .any(|of| of.check == Check::FirewallOpen && of.resource == resource);
                if !known {
                    let check = Check::FirewallOpen;
                    let draft = Draft::new(check, Severity::Medium, resource, summary);
                    out.findings.push(draft);
                }
            }
        }
    }

    /// What an appliance does that is no Network Firewall, or not known to be one.
    fn appliance(&self, id: &str) -> Filter {
        let (inventory, at) = (&self.context.network.inventory, self.context.network.at);
        let listed = self.view.is_listed(&inventory.network_firewalls, at);
        if id.starts_with("vpce-") && !listed {
            return Filter::Unknown("firewalls were not listed".to_owned());
        }
        let mut firewalls = present(&inventory.network_firewalls, at);
        if let Some((_, own, _)) = firewalls.find(|(_, own, _)| own.firewall_policy_arn.is_none()) {
            let what = format!(
                "firewall {} is not described, and may be its",
                own.firewall_name
            );
            return Filter::Unknown(what);
        }
        match self.context.policy.practices.appliances_filter {
            Some(true) => Filter::Filters("the owner says that appliances filter".to_owned()),
            Some(false) => {
                Filter::Passes("the owner says that appliances do not filter".to_owned())
            }
            None => Filter::Unknown("whether the appliance filters".to_owned()),
        }
    }

    /// Whether others send through the firewalls of the VPC.
    fn guests(&self) -> Guests {
        let (inventory, at) = (&self.context.network.inventory, self.context.network.at);
        let attachments = &inventory.transit_gateway_attachments;
        let attached = present(attachments, at)
            .any(|(_, of, _)| of.resource_type == "vpc" && of.resource_id == self.view.vpc_id);
        match (attached, self.view.is_listed(attachments, at)) {
            (true, _) => Guests::Some,
            (false, true) => Guests::None,
            (false, false) => Guests::Unknown,
        }
    }
}

fn active(table: &RouteTable) -> impl Iterator<Item = &Route> {
    let routes = table.routes.iter();
    routes.filter(|route| route.state.is_empty() || route.state == "active")
}

fn default_routes(table: &RouteTable) -> impl Iterator<Item = &Route> {
    let is_all = |net: Option<IpNet>| net.is_some_and(|net| net.prefix_len() == 0);
    active(table).filter(move |route| {
        is_all(route.destination_cidr_block) || is_all(route.destination_ipv6_cidr_block)
    })
}

fn is_appliance(ways: &Ways<'_, '_>, route: &Route) -> bool {
    ways.context.network.target(ways.view.vpc_id, route) == Exit::Appliance
}

/// The endpoint or interface of an appliance.
fn appliance_of(route: &Route) -> &str {
    let gateway = route.gateway_id.as_deref();
    gateway
        .or(route.network_interface_id.as_deref())
        .unwrap_or("an appliance")
}

fn gateway_of(route: &Route) -> &str {
    let gateway = route.gateway_id.as_deref();
    gateway
        .or(route.egress_only_internet_gateway_id.as_deref())
        .unwrap_or("an internet gateway")
}

fn is_v4(addr: &Addr) -> bool {
    addr.to_ip().is_ipv4()
}
