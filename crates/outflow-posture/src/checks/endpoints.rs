//! Services of AWS in use, the way that their bytes take, and what endpoints let through.

use std::collections::{BTreeMap, BTreeSet};

use outflow_finding::{Severity, human_bytes};

use crate::Service;
use crate::criterion::{Criterion, Verdict};
use crate::endpoint_policy::{Reach, reach};
use crate::finding::{Check, Draft};
use crate::metrics::Share;
use crate::network::{Endpoint, Exit, service_of};
use crate::render::counted;
use crate::traffic::{Entry, Key, Opened};
use crate::view::{Context, Out, Price, View};

/// Bytes to a service, by the way they took.
#[derive(Default)]
struct Usage<'a> {
    by_endpoint: u64,
    around: BTreeMap<Exit, u64>,
    /// What gateways charge for of the bytes that went by NAT: both ways.
    by_nat: u64,
    unknown: u64,
    /// Interfaces that went around.
    interfaces: BTreeSet<&'a str>,
}

/// Looks at the services that a VPC uses; returns how many are used through endpoints alone.
pub(crate) fn check(context: &Context<'_>, view: &View<'_>, out: &mut Out) -> Share {
    let usage = usage(context, view);
    let (mut by_endpoint, mut contradiction) = (Verdict::default(), Verdict::default());
    let mut share = Share::of(0, usage.len());
    let gaps = view.gaps(context);
    let listed = view.is_listed(&context.network.inventory.vpc_endpoints, context.network.at);
    for (service, usage) in &usage {
        let around: u64 = usage.around.values().sum();
        if around > 0 {
            let said = format!("{service}: {} not through an endpoint", human_bytes(around));
            by_endpoint.fail(said.clone());
            let endpoint = endpoint_for(context, view, service);
            if endpoint.is_some() {
                contradiction.fail(said);
            }
            // Without a list of endpoints, it is not known that there is none; to S3, it is a public path all the same.
            if listed || endpoint.is_some() || service.name == "s3" {
                out.findings
                    .push(around_it(context, view, (service, usage), endpoint));
            }
        } else if usage.unknown > 0 {
            share.is_known = false;
            let bytes = human_bytes(usage.unknown);
            let said = format!("{service}: the way of {bytes}, as path and routes are not known");
            by_endpoint.doubt(said.clone());
            contradiction.doubt(said);
        } else {
            share.part += 1;
            let bytes = human_bytes(usage.by_endpoint);
            by_endpoint.hold(format!("{service}: {bytes} through an endpoint"));
        }
    }
    share.is_known &= gaps.is_empty();
    if !listed {
        contradiction.doubt("endpoints were not listed");
    }
    for gap in gaps {
        by_endpoint.doubt(gap.clone());
        contradiction.doubt(gap);
    }
    if by_endpoint.unknown.is_empty() && usage.is_empty() {
        by_endpoint.hold("no service of AWS is in use");
    }
    contradiction.hold("no bytes go around an endpoint");
    out.judge(Criterion::ServicesByEndpoint, by_endpoint);
    out.judge(Criterion::NoContradiction, contradiction);
    policies(context, view, listed, out);
    share
}

fn usage<'a>(context: &Context<'a>, view: &View<'a>) -> BTreeMap<Service, Usage<'a>> {
    let mut all: BTreeMap<Service, Usage<'a>> = BTreeMap::new();
    for (key, entry) in &view.entries {
        if key.opened == Opened::Inbound {
            continue;
        }
        let exits = context.network.exits(key, entry);
        let Some(service) = used(context, view, key, entry) else {
            continue;
        };
        let usage = all.entry(service).or_default();
        for (exit, bytes) in &exits {
            let sum = match exit {
                Exit::InterfaceEndpoint | Exit::GatewayEndpoint | Exit::Inside => {
                    &mut usage.by_endpoint
                }
                // To another site of one's own, from where nobody knows.
                Exit::Unknown | Exit::PrivateGateway => &mut usage.unknown,
                around => {
                    usage.interfaces.insert(&key.interface_id);
                    usage.around.entry(*around).or_default()
                }
            };
            *sum = sum.saturating_add(*bytes);
        }
        if let [(Exit::Nat, _)] = exits[..] {
            usage.by_nat = usage.by_nat.saturating_add(entry.processed_bytes());
        }
    }
    all.retain(|_, usage| usage.by_endpoint + usage.unknown > 0 || !usage.around.is_empty());
    all
}

/// The service that an entry is about: of the endpoint that has the address, else by name or range.
fn used(context: &Context<'_>, view: &View<'_>, key: &Key, entry: &Entry) -> Option<Service> {
    let network = &context.network;
    let id = network.endpoint_at(view.vpc_id, key.destination, entry.last_at);
    if let Some(id) = id {
        let endpoints = network.endpoints_of(view.vpc_id).iter();
        let own = endpoints.filter(|own| own.value.vpc_endpoint_id == id);
        return own.filter_map(Endpoint::service).next();
    }
    service_of(entry)
}

/// An endpoint of the VPC that is for the service.
fn endpoint_for<'a>(
    context: &Context<'a>,
    view: &View<'_>,
    service: &Service,
) -> Option<Endpoint<'a>> {
    let endpoints = context.network.endpoints_of(view.vpc_id).iter();
    // A host without a region is asked in a region of its own, which no endpoint serves; S3's are all over.
    let is_regional = service.region.is_some() || service.has_gateway();
    let mut serving = endpoints.filter(|own| {
        let own = own.service();
        is_regional && own.is_some_and(|own| service.is_served_by(&own))
    });
    serving.next().copied()
}

fn around_it(
    context: &Context<'_>,
    view: &View<'_>,
    (service, usage): (&Service, &Usage<'_>),
    endpoint: Option<Endpoint<'_>>,
) -> Draft {
    let bytes: u64 = usage.around.values().sum();
    let ways: Vec<String> = usage
        .around
        .iter()
        .map(|(exit, bytes)| format!("{} by {}", human_bytes(*bytes), way(*exit)))
        .collect();
    let ways = ways.join(", ");
    let is_s3 = service.name == "s3";
    let (check, resource, summary, severity) = match &endpoint {
        Some(endpoint) => {
            let id = endpoint.value.vpc_endpoint_id.as_str();
            let summary = format!("{id} is there for {service}, and {ways} go around it");
            (Check::EndpointBypassed, id, summary, Severity::Medium)
        }
        None if is_s3 => {
            let summary = format!("S3 is reached by a public path: {ways}");
            (Check::S3PublicPath, view.vpc_id, summary, Severity::Medium)
        }
        None => {
            let summary = format!("{service} has no endpoint in the VPC: {ways}");
            (
                Check::ServiceWithoutEndpoint,
                view.vpc_id,
                summary,
                Severity::Low,
            )
        }
    };
    let mut draft = Draft::new(check, severity, resource, summary);
    draft.detail = service.to_string();
    if let Some(endpoint) = &endpoint {
        draft
            .evidence
            .extend(why_around(context, view, endpoint, usage));
    }
    let interfaces: Vec<&str> = usage.interfaces.iter().take(5).copied().collect();
    draft.evidence.push(format!(
        "{}: {}",
        counted(usage.interfaces.len(), "interface"),
        interfaces.join(", ")
    ));
    draft.bytes = Some(bytes);
    if usage.by_nat > 0 {
        let price = if service.has_gateway() {
            Price::Nat
        } else {
            Price::NatOverEndpoint
        };
        draft.cost = view.cost(context, usage.by_nat, price);
        draft.evidence.push(format!(
            "{} passed NAT gateways, either way",
            human_bytes(usage.by_nat)
        ));
    }
    draft
}

/// What of the configuration leads around an endpoint.
fn why_around(
    context: &Context<'_>,
    view: &View<'_>,
    endpoint: &Endpoint<'_>,
    usage: &Usage<'_>,
) -> Vec<String> {
    let value = endpoint.value;
    if !endpoint.is("Gateway") {
        let dns = if value.private_dns_enabled {
            "on"
        } else {
            "off"
        };
        return vec![format!("private DNS of the endpoint is {dns}")];
    }
    let network = &context.network;
    let mut tables = BTreeSet::new();
    for id in &usage.interfaces {
        let interface = network.inventory.interface(id, network.at);
        let table = interface.and_then(|own| network.table(view.vpc_id, &own.value.subnet_id));
        tables.extend(table.map(|table| table.route_table_id.as_str()));
    }
    let own = &value.route_table_ids;
    let missing = tables
        .into_iter()
        .filter(|table| !own.iter().any(|own| own == table));
    missing
        .map(|table| format!("{table} has no route to the endpoint"))
        .collect()
}

/// A way out, as a sentence has it.
fn way(exit: Exit) -> &'static str {
    match exit {
        Exit::Nat => "NAT gateway",
        Exit::InternetGateway => "internet gateway",
        Exit::TransitGateway => "transit gateway",
        Exit::Appliance => "firewall or appliance",
        _ => "another way",
    }
}

fn policies(context: &Context<'_>, view: &View<'_>, listed: bool, out: &mut Out) {
    let mut verdict = Verdict::default();
    if !listed {
        verdict.doubt("endpoints were not listed");
    }
    let mut count = 0;
    for endpoint in context.network.endpoints_of(view.vpc_id) {
        // Services of others have no policies, and firewalls are no services.
        let Some(service) = endpoint.service() else {
            continue;
        };
        count += 1;
        let id = endpoint.value.vpc_endpoint_id.as_str();
        let Some(policy) = endpoint.value.policy_document.as_deref() else {
            verdict.doubt(format!("{id}: its policy is not described"));
            continue;
        };
        match reach(policy) {
            Reach::Restricted(why) => verdict.hold(format!("{id} ({service}): {why}")),
            Reach::Unknown(why) => verdict.doubt(format!("{id}: {why}")),
            Reach::Open(why) => {
                verdict.fail(format!("{id} ({service}): {why}"));
                let severity = match service.has_gateway() {
                    true => Severity::Medium,
                    false => Severity::Low,
                };
                let summary = format!("{id} lets data out to anybody's {}: {why}", service.name);
                out.findings
                    .push(Draft::new(Check::EndpointPolicyOpen, severity, id, summary));
            }
        }
    }
    if listed && count == 0 {
        verdict.hold("there is no endpoint");
    }
    out.judge(Criterion::EndpointsRestricted, verdict);
}
