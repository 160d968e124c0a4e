//! Where bytes go: telemetry, regions, and resolvers of others.

use std::collections::{BTreeMap, BTreeSet};

use outflow_enrich::{DestinationCategory, KnownDestination, lies_within, protocol};
use outflow_finding::{Severity, human_bytes};

use crate::criterion::{Criterion, Verdict};
use crate::finding::{Check, Draft};
use crate::network::service_of;
use crate::render::counted;
use crate::traffic::{Entry, Key, Opened};
use crate::view::{Context, Out, View};

/// Ports of DNS, and of DNS over TLS.
const DNS_PORTS: [u16; 2] = [53, 853];

/// Hosts that answer DNS over HTTPS for anybody.
const DOH_DOMAINS: [&str; 9] = [
    "cloudflare-dns.com",
    "dns.adguard-dns.com",
    "dns.google",
    "dns.nextdns.io",
    "dns.quad9.net",
    "dns10.quad9.net",
    "dns11.quad9.net",
    "doh.opendns.com",
    "one.one.one.one",
];

/// What was sent to one destination.
#[derive(Default)]
struct Sent<'a> {
    bytes: u64,
    interfaces: BTreeSet<&'a str>,
    hosts: BTreeSet<String>,
    ports: BTreeSet<u16>,
}

/// A site of a vendor, and the country that keeps its data.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Site<'a> {
    vendor: &'a str,
    site: &'a str,
    /// `None` if it is known neither of the site nor of the address.
    country: Option<&'a str>,
    /// Whether the country is that of the address, as the vendor's names do not tell the site.
    by_address: bool,
}

/// Looks where telemetry goes, and which regions are in use.
pub(crate) fn check_residency(context: &Context<'_>, view: &View<'_>, out: &mut Out) {
    let mut verdict = Verdict::default();
    let residency = &context.policy.residency;
    if residency.countries.is_empty() {
        verdict.doubt("no countries of the residency were given");
    } else {
        telemetry(context, view, &mut verdict, out);
    }
    if residency.regions.is_empty() {
        verdict.doubt("no regions of the residency were given");
    } else {
        regions(context, view, &mut verdict, out);
    }
    view.gaps(context)
        .into_iter()
        .for_each(|gap| verdict.doubt(gap));
    verdict.hold("nothing known leaves the residency");
    out.judge(Criterion::Residency, verdict);
}

fn telemetry(context: &Context<'_>, view: &View<'_>, verdict: &mut Verdict, out: &mut Out) {
    let mut sites: BTreeMap<Site<'_>, Sent<'_>> = BTreeMap::new();
    for (key, entry) in outward(context, view) {
        let Some(known) = known(context, key, entry) else {
            continue;
        };
        let by_address = known.country.is_none();
        let country = known.country.as_deref().or(entry.country.as_deref());
        let site = Site {
            vendor: &known.vendor,
            site: known.site.as_deref().unwrap_or("unknown"),
            country,
            by_address,
        };
        sites.entry(site).or_default().add(key, entry);
    }
    let countries = &context.policy.residency.countries;
    for (site, sent) in sites {
        let said = format!("{} (site {})", site.vendor, site.site);
        let Some(country) = site.country else {
            verdict.doubt(format!("the country of {said}"));
            continue;
        };
        let bytes = human_bytes(sent.bytes);
        let said = format!("{said} in {country}: {bytes}");
        if countries.contains(country) {
            verdict.hold(said);
            continue;
        }
        verdict.fail(said);
        let summary = format!("Telemetry of {bytes} went to {} in {country}", site.vendor);
        let mut draft = Draft::new(
            Check::TelemetryAbroad,
            Severity::Medium,
            view.vpc_id,
            summary,
        );
        draft.detail = format!("{} {}", site.vendor, site.site);
        draft.bytes = Some(sent.bytes);
        draft
            .evidence
            .push(format!("vendor {}, site {}", site.vendor, site.site));
        if site.by_address {
            draft
                .evidence
                .push("the country is that of the address".to_owned());
        }
        draft.evidence.extend(sent.told());
        out.findings.push(draft);
    }
}

/// The telemetry service that an entry went to.
fn known<'a>(context: &Context<'a>, key: &Key, entry: &Entry) -> Option<&'a KnownDestination> {
    let named = entry
        .domains
        .iter()
        .find_map(|name| context.known.by_name(name));
    let known = named.or_else(|| context.known.by_addr(key.destination))?;
    (known.category == DestinationCategory::Telemetry).then_some(known)
}

fn regions(context: &Context<'_>, view: &View<'_>, verdict: &mut Verdict, out: &mut Out) {
    let allowed = &context.policy.residency.regions;
    let is_outside = |region: &str| !region.is_empty() && !allowed.contains(region);
    // AWS makes a VPC in every region by itself: one is in use if something is in it.
    let is_used =
        !context.network.interfaces_of(view.vpc_id).is_empty() || !view.entries.is_empty();
    if is_outside(view.region) && is_used {
        verdict.fail(format!("{} is in {}", view.vpc_id, view.region));
        let summary = format!("{} is in use in {}", view.vpc_id, view.region);
        let mut draft = Draft::new(Check::RegionOutside, Severity::Medium, view.vpc_id, summary);
        let count = context.network.interfaces_of(view.vpc_id).len();
        draft.evidence.push(format!("interfaces in it: {count}"));
        out.findings.push(draft);
    }
    if view.region.is_empty() {
        verdict.doubt("the region of the VPC");
    }
    let mut sent: BTreeMap<String, Sent<'_>> = BTreeMap::new();
    for (key, entry) in outward(context, view) {
        let named = service_of(entry).and_then(|service| service.region);
        let region = named.or_else(|| entry.aws_region.as_deref().map(str::to_owned));
        // The services of edges say that they are everywhere.
        let region = region.filter(|region| region != "GLOBAL" && is_outside(region));
        if let Some(region) = region {
            sent.entry(region).or_default().add(key, entry);
        }
    }
    for (region, sent) in sent {
        let bytes = human_bytes(sent.bytes);
        verdict.fail(format!("{bytes} went to addresses of AWS in {region}"));
        let summary = format!("{bytes} went to addresses of AWS in {region}");
        let mut draft = Draft::new(Check::RegionOutside, Severity::Low, view.vpc_id, summary);
        draft.detail = region;
        draft.bytes = Some(sent.bytes);
        draft.evidence = sent.told();
        out.findings.push(draft);
    }
}

/// Looks for hosts that ask resolvers outside.
pub(crate) fn check_resolver(context: &Context<'_>, view: &View<'_>, out: &mut Out) {
    let mut verdict = Verdict::default();
    let mut by_host: BTreeMap<&str, Sent<'_>> = BTreeMap::new();
    for (key, entry) in outward(context, view) {
        if is_resolver(key, entry) {
            by_host
                .entry(&key.interface_id)
                .or_default()
                .add(key, entry);
        }
    }
    for (interface, sent) in by_host {
        let bytes = human_bytes(sent.bytes);
        verdict.fail(format!("{interface} sent {bytes} to resolvers outside"));
        let summary = format!("{interface} asks resolvers outside: {bytes}");
        let mut draft = Draft::new(Check::ResolverBypass, Severity::Medium, interface, summary);
        draft.bytes = Some(sent.bytes);
        draft.evidence = sent.told();
        out.findings.push(draft);
    }
    view.gaps(context)
        .into_iter()
        .for_each(|gap| verdict.doubt(gap));
    verdict.hold("no host asks a resolver outside");
    out.judge(Criterion::ResolverUsed, verdict);
}

fn is_resolver(key: &Key, entry: &Entry) -> bool {
    let carries = matches!(key.protocol, protocol::TCP | protocol::UDP);
    let named = || {
        let mut names = entry.domains.iter();
        names.any(|name| DOH_DOMAINS.iter().any(|doh| lies_within(name, doh)))
    };
    carries && (DNS_PORTS.contains(&key.port) || key.port == 443 && named())
}

/// What hosts of a VPC sent outside in conversations that the other side is not known to have opened.
fn outward<'v, 'a>(
    context: &'v Context<'a>,
    view: &'v View<'a>,
) -> impl Iterator<Item = (&'a Key, &'a Entry)> {
    let entries = view.entries.iter().copied();
    entries.filter(|(key, entry)| {
        let sent = entry.bytes > 0 && key.opened != Opened::Inbound;
        sent && context.network.is_outside(key.destination)
    })
}

impl<'a> Sent<'a> {
    fn add(&mut self, key: &'a Key, entry: &Entry) {
        self.bytes = self.bytes.saturating_add(entry.bytes);
        self.interfaces.insert(&key.interface_id);
        self.ports.insert(key.port);
        let name = entry.domains.first().map(ToString::to_string);
        self.hosts
            .insert(name.unwrap_or_else(|| key.destination.to_string()));
    }

    fn told(&self) -> Vec<String> {
        let few = |names: Vec<&str>| names.into_iter().take(5).collect::<Vec<_>>().join(", ");
        let interfaces = few(self.interfaces.iter().copied().collect());
        let hosts = few(self.hosts.iter().map(String::as_str).collect());
        let ports: Vec<String> = self.ports.iter().take(5).map(u16::to_string).collect();
        vec![
            format!(
                "{}: {interfaces}",
                counted(self.interfaces.len(), "interface")
            ),
            format!("{}: {hosts}", counted(self.hosts.len(), "destination")),
            format!("ports {}", ports.join(", ")),
        ]
    }
}
