//! NAT gateways: whether a firewall lies on the way out.

use std::collections::BTreeSet;

use ipnet::IpNet;
use outflow_enrich::inventory::RouteTable;
use outflow_finding::Severity;

use crate::criterion::{Criterion, Verdict};
use crate::finding::{Check, Draft};
use crate::network::{Exit, Network, present};
use crate::view::{Context, Out, View};

/// Looks at the NAT gateways of a VPC.
pub(crate) fn check(context: &Context<'_>, view: &View<'_>, out: &mut Out) {
    let network = &context.network;
    let inventory = &network.inventory;
    let mut verdict = Verdict::default();
    let listed = view.is_listed(&inventory.nat_gateways, network.at);
    if !listed {
        verdict.doubt("NAT gateways were not listed");
    }
    let routes_known = view.is_listed(&inventory.route_tables, network.at);
    let subnets_known = view.is_listed(&inventory.subnets, network.at);
    let endpoints_known = view.is_listed(&inventory.vpc_endpoints, network.at);
    let gateways = present(&inventory.nat_gateways, network.at).filter(|(_, gateway, _)| {
        let stands = !matches!(gateway.state.as_str(), "deleted" | "deleting" | "failed");
        gateway.vpc_id == view.vpc_id && stands && gateway.connectivity_type != "private"
    });
    let mut count = 0;
    for (id, gateway, _) in gateways {
        count += 1;
        let behind = network.table(view.vpc_id, &gateway.subnet_id);
        let is_filtered_behind =
            behind.is_some_and(|table| leads_to(network, table, Exit::Appliance));
        let unfiltered = unfiltered_tables(network, view.vpc_id, id);
        if !routes_known {
            verdict.doubt(format!("{id}: route tables were not listed"));
        } else if is_filtered_behind {
            verdict.hold(format!("{id}: a firewall lies behind it"));
        } else if unfiltered.is_empty() && !subnets_known {
            verdict.doubt(format!("{id}: subnets were not listed"));
        } else if unfiltered.is_empty() && !endpoints_known {
            // Those of the firewalls are among them, and may stand no more.
            verdict.doubt(format!("{id}: endpoints were not listed"));
        } else if unfiltered.is_empty() {
            verdict.hold(format!("{id}: only subnets of firewalls have routes to it"));
        } else {
            verdict.fail(format!("{id}: no firewall on the way"));
            let summary = format!("{id} lets out what subnets send, without a firewall on the way");
            let mut draft = Draft::new(Check::NatUnfiltered, Severity::Medium, id, summary);
            draft.evidence = unfiltered;
            out.findings.push(draft);
        }
    }
    if listed && count == 0 {
        verdict.hold("there is no NAT gateway");
    }
    out.judge(Criterion::NatFiltered, verdict);
}

/// Tables that lead subnets without a firewall of their own to a NAT gateway.
fn unfiltered_tables(network: &Network<'_>, vpc_id: &str, gateway_id: &str) -> Vec<String> {
    let firewalls = network.endpoints_of(vpc_id).iter();
    let firewalls = firewalls.filter(|endpoint| endpoint.is("GatewayLoadBalancer"));
    let firewall_subnets: BTreeSet<&str> = firewalls
        .flat_map(|endpoint| endpoint.value.subnet_ids.iter().map(String::as_str))
        .collect();
    let mut found = Vec::new();
    for table in network.tables.get(vpc_id).into_iter().flatten() {
        let mut routes = table.routes.iter();
        if !routes.any(|route| route.nat_gateway_id.as_deref() == Some(gateway_id)) {
            continue;
        }
        let subnets = network.subnets_of(table);
        let bare: Vec<&str> = subnets.difference(&firewall_subnets).copied().collect();
        // A table whose subnets are not described may have any.
        let is_known = network.subnets.contains_key(vpc_id);
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

/// Whether the default route of a table leads to an exit. What leaves a NAT gateway is IPv4, also behind NAT64.
fn leads_to(network: &Network<'_>, table: &RouteTable, exit: Exit) -> bool {
    let is_default = |net: IpNet| net.prefix_len() == 0;
    let routes = table.routes.iter();
    let mut defaults = routes.filter(|route| route.destination_cidr_block.is_some_and(is_default));
    defaults.any(|route| network.target(&table.vpc_id, route) == exit)
}
