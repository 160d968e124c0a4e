//! From an incident to what shuts it off.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use outflow_enrich::inventory::{InterfaceInfo, Inventory, When};
use outflow_finding::{escape, is_account, is_region};
use outflow_record::Timestamp;

use super::suspect::{Located, Suspect};
use super::{
    ACL_RULES_MAX, CONTAINMENT_SCHEMA, Containment, DOMAINS_DENIED_MAX, Deny,
    INTERFACES_CONTAINED_MAX, Quarantined, VpcContainment,
};
use crate::Error;
use crate::hcl::description;
use crate::network::present;

/// Shortest prefixes of networks that are denied: who denies more cuts off what nobody looked at.
const PREFIX_V4_MIN: u8 = 16;
const PREFIX_V6_MIN: u8 = 32;

/// Characters of an id behind its prefix; the longest of AWS have 17. The name of what is made holds two ids and stays within
/// the 64 characters that DNS Firewall takes.
const ID_CHARS_MAX: usize = 24;

/// Characters of an incident's id at most: with a VPC's, it has to fit into the names of what is made, which have 64.
const INCIDENT_CHARS_MAX: usize = 26;

/// Characters of a text of a log in what is said of it.
const SAID_CHARS_MAX: usize = 100;

/// Domains that nobody may block by an incident: what depends on them is not known. Names below them may be blocked.
const SHARED: [&str; 8] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "aws.amazon.com",
    "api.aws",
    "cloudfront.net",
    "windows.net",
    "googleapis.com",
    "akamaiedge.net",
];

/// What is known of the account.
struct Known<'a> {
    inventory: &'a Inventory,
    at: Timestamp,
    left_out: BTreeSet<String>,
}

/// A VPC before all is known of it.
#[derive(Default)]
struct Part {
    account_id: Option<String>,
    region: Option<String>,
    interfaces: BTreeMap<String, Quarantined>,
}

impl Containment {
    /// What shuts an incident off. Of an instance that an inventory knows, all interfaces are meant.
    ///
    /// # Errors
    /// [`Error::Uncontainable`] if its id is none, or if no interface, address or domain of it can be shut off.
    pub fn of(
        suspect: &Suspect,
        inventory: &Inventory,
        at: Timestamp,
        deny: Deny,
    ) -> Result<Self, Error> {
        let cannot = |what: &str| Error::Uncontainable {
            id: said(&suspect.id),
            what: what.to_owned(),
        };
        if !is_incident(&suspect.id) {
            return Err(cannot("its id is none that Outflow makes"));
        }
        let mut known = Known {
            inventory,
            at,
            left_out: BTreeSet::new(),
        };
        let parts = known.interfaces(suspect);
        let denied = known.networks(suspect);
        let domains = known.domains(suspect);
        let mut vpcs = Vec::new();
        for (vpc_id, part) in parts {
            let (Some(account_id), Some(region)) = (part.account_id, part.region) else {
                known.leave(format!("{vpc_id}: its account or region is not known"));
                continue;
            };
            vpcs.push(VpcContainment {
                // Two VPCs of one account and region must not share it: names and requests of DNS Firewall are of both.
                name: format!("outflow-{}-{vpc_id}", suspect.id),
                vpc_id,
                account_id,
                region,
                interfaces: part.interfaces.into_values().collect(),
                denied: denied.clone(),
                domains: domains.clone(),
            });
        }
        if vpcs.is_empty() {
            let why = known.left_out.into_iter().collect::<Vec<_>>().join("; ");
            return Err(match why.is_empty() {
                true => cannot("it names no interface of a VPC"),
                false => cannot(&format!("nothing of it can be shut off: {why}")),
            });
        }
        let notes = notes(&vpcs, deny);
        Ok(Self {
            schema: CONTAINMENT_SCHEMA,
            incident: suspect.id.clone(),
            title: description(&suspect.title),
            deny,
            vpcs,
            left_out: known.left_out.into_iter().collect(),
            notes,
        })
    }
}

impl Known<'_> {
    fn leave(&mut self, what: String) {
        self.left_out.insert(what);
    }

    /// Interfaces to shut off, by VPC.
    fn interfaces(&mut self, suspect: &Suspect) -> BTreeMap<String, Part> {
        let mut parts: BTreeMap<String, Part> = BTreeMap::new();
        let mut instances = BTreeSet::new();
        for located in &suspect.located {
            instances.extend(located.sender.instance_id.clone());
            let Some(id) = &located.interface_id else {
                continue;
            };
            if !is_id(id, "eni-") {
                self.leave(format!("{}: no interface that has groups", said(id)));
                continue;
            }
            let info = self.listed(id);
            if let Some((info, ..)) = &info {
                instances.extend(info.instance_id.clone());
            }
            self.take(&mut parts, id, info, Some(located));
        }
        // Who has a host has all of its interfaces.
        let others: Vec<(String, InterfaceInfo, String, String)> =
            present(&self.inventory.interfaces, self.at)
                .filter(|(_, info, _)| {
                    info.instance_id
                        .as_ref()
                        .is_some_and(|id| instances.contains(id))
                })
                .map(|(id, info, place)| {
                    (
                        id.to_owned(),
                        info.clone(),
                        place.account_id.clone(),
                        place.region.clone(),
                    )
                })
                .collect();
        for (id, info, account_id, region) in others {
            self.take(&mut parts, &id, Some((info, account_id, region)), None);
        }
        parts
    }

    /// An interface as the inventory has it, with account and region.
    fn listed(&self, id: &str) -> Option<(InterfaceInfo, String, String)> {
        let known = self.inventory.interfaces.get(id, self.at)?;
        (known.when != When::Gone).then(|| {
            let place = known.place;
            (
                known.value.clone(),
                place.account_id.clone(),
                place.region.clone(),
            )
        })
    }

    fn take(
        &mut self,
        parts: &mut BTreeMap<String, Part>,
        id: &str,
        listed: Option<(InterfaceInfo, String, String)>,
        located: Option<&Located>,
    ) {
        let (info, account_id, region) = match listed {
            Some((info, account_id, region)) => (Some(info), Some(account_id), Some(region)),
            None => (None, None, None),
        };
        if info
            .as_ref()
            .is_some_and(|info| info.passes_on() || info.requester_managed)
        {
            return self.leave(format!(
                "{id}: a service of AWS manages it, and its hosts are behind it"
            ));
        }
        let of_log =
            |pick: fn(&Located) -> &Option<String>| located.and_then(|of| pick(of).clone());
        let vpc_id = first(
            [
                info.as_ref().map(|info| info.vpc_id.clone()),
                of_log(|of| &of.vpc_id),
            ],
            &|id| is_id(id, "vpc-"),
        );
        let Some(vpc_id) = vpc_id else {
            return self.leave(format!("{id}: its VPC is not known"));
        };
        let part = parts.entry(vpc_id).or_default();
        let owner = info.as_ref().map(|info| info.owner_id.clone());
        let owner = owner.filter(|id| !id.is_empty()).or(account_id);
        part.account_id = part
            .account_id
            .take()
            .or_else(|| first([owner, of_log(|of| &of.account_id)], &is_account));
        part.region = part
            .region
            .take()
            .or_else(|| first([region, of_log(|of| &of.region)], &is_region));
        let quarantined = quarantined(id, info.as_ref(), located);
        if part.interfaces.len() >= INTERFACES_CONTAINED_MAX && !part.interfaces.contains_key(id) {
            return self.leave(format!(
                "{id}: more than {INTERFACES_CONTAINED_MAX} interfaces"
            ));
        }
        part.interfaces.entry(id.to_owned()).or_insert(quarantined);
    }

    /// Networks to deny: addresses, or the network where none is named.
    fn networks(&mut self, suspect: &Suspect) -> Vec<IpNet> {
        let mut nets: Vec<IpNet> = Vec::new();
        for located in &suspect.located {
            let to = &located.destination;
            if let Some(service) = &to.service {
                let service = said(service);
                self.leave(format!(
                    "addresses of {service}, a service of AWS: others depend on them"
                ));
                continue;
            }
            if to.addresses_total > to.addresses.len() as u64 {
                let (named, all) = (to.addresses.len(), to.addresses_total);
                self.leave(format!(
                    "addresses beyond the {named} of {all} that it names"
                ));
            }
            let group = to.group.as_deref().filter(|_| to.addresses.is_empty());
            for text in to.addresses.iter().map(String::as_str).chain(group) {
                match self.network(text) {
                    Some(net) if !nets.contains(&net) => nets.push(net),
                    _ => {}
                }
            }
        }
        for net in nets.iter().skip(ACL_RULES_MAX) {
            self.left_out
                .insert(format!("{net}: more than {ACL_RULES_MAX} networks"));
        }
        nets.truncate(ACL_RULES_MAX);
        nets
    }

    fn network(&mut self, text: &str) -> Option<IpNet> {
        let addr = text.parse::<IpAddr>().ok().map(IpNet::from);
        let net = addr.or_else(|| text.parse().ok())?;
        let prefix_min = if net.addr().is_ipv4() {
            PREFIX_V4_MIN
        } else {
            PREFIX_V6_MIN
        };
        if net.prefix_len() < prefix_min {
            self.leave(format!("{net}: wider than /{prefix_min}"));
            return None;
        }
        if !is_outside(net.addr()) || self.is_inside(net) {
            self.leave(format!("{net}: it is inside"));
            return None;
        }
        Some(net.trunc())
    }

    fn is_inside(&self, net: IpNet) -> bool {
        let own = self.inventory.cidrs();
        own.iter()
            .any(|cidr| cidr.contains(&net) || net.contains(cidr))
    }

    /// Domains to block.
    fn domains(&mut self, suspect: &Suspect) -> Vec<String> {
        let mut domains = BTreeSet::new();
        for located in &suspect.located {
            let to = &located.destination;
            let group = to.group.as_ref().filter(|group| is_domain(group));
            let named = to.domain.iter().chain(group);
            // What an address was called among other names need not be what was meant.
            if to.ambiguous {
                for name in named {
                    self.leave(format!("{}: its address has other names, too", said(name)));
                }
                continue;
            }
            for name in named {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                if !is_domain(&name) {
                    self.leave(format!("{}: no name that DNS Firewall takes", said(&name)));
                } else if SHARED.contains(&name.as_str()) || to.service.is_some() {
                    self.leave(format!("{name}: others depend on it"));
                } else {
                    domains.insert(name);
                }
            }
        }
        for name in domains.iter().skip(DOMAINS_DENIED_MAX) {
            self.left_out
                .insert(format!("{name}: more than {DOMAINS_DENIED_MAX} domains"));
        }
        domains.into_iter().take(DOMAINS_DENIED_MAX).collect()
    }
}

/// The first of two that has a form.
fn first(options: [Option<String>; 2], is: &dyn Fn(&str) -> bool) -> Option<String> {
    options.into_iter().flatten().find(|text| is(text))
}

/// An interface as the inventory has it, or else as records do.
fn quarantined(id: &str, info: Option<&InterfaceInfo>, located: Option<&Located>) -> Quarantined {
    let groups: Vec<String> = match info {
        Some(info) => info.security_groups.keys().cloned().collect(),
        None => {
            let groups = located.map(|of| of.sender.security_groups.clone());
            let groups = groups.unwrap_or_default().into_iter();
            groups.map(|of| of.id).collect()
        }
    };
    Quarantined {
        interface_id: id.to_owned(),
        instance_id: first(
            [
                info.and_then(|info| info.instance_id.clone()),
                located.and_then(|of| of.sender.instance_id.clone()),
            ],
            &|id| is_id(id, "i-"),
        ),
        subnet_id: first(
            [
                info.map(|info| info.subnet_id.clone()),
                located.and_then(|of| of.sender.subnet_id.clone()),
            ],
            &|id| is_id(id, "subnet-"),
        ),
        groups: groups.into_iter().filter(|id| is_id(id, "sg-")).collect(),
    }
}

fn notes(vpcs: &[VpcContainment], deny: Deny) -> Vec<String> {
    let mut notes = vec![
        "the quarantine group lets nothing in or out; what is established may go on until its connections end".to_owned(),
    ];
    let denies = vpcs.iter().any(|vpc| !vpc.denied.is_empty());
    if denies && deny == Deny::NetworkAcl {
        notes.push("rules of network ACLs hold for all hosts of the subnets, and also for what is established".to_owned());
    }
    if denies && deny == Deny::NetworkFirewall {
        notes.push(
            "the rule group denies nothing before the policy of a firewall names it".to_owned(),
        );
    }
    if vpcs.iter().any(|vpc| !vpc.domains.is_empty()) {
        notes.push("DNS Firewall holds for all hosts of the VPC that ask its resolver, and for no other resolver".to_owned());
    }
    notes
}

/// Whether this is an id of AWS with this prefix: of letters and digits only, so that it has no meaning in any language.
pub(super) fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        (1..=ID_CHARS_MAX).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// Whether this is an id that Outflow gives incidents, or gave them before they were to be told from those of instances.
fn is_incident(text: &str) -> bool {
    text.len() <= INCIDENT_CHARS_MAX && (is_id(text, "inc-") || is_id(text, "i-"))
}

/// Whether DNS Firewall takes the name: labels of letters, digits and hyphens, two at least.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
    };
    // A last label of digits is an address.
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(is_label)
        && !last.bytes().all(|b| b.is_ascii_digit())
}

fn is_outside(addr: IpAddr) -> bool {
    !addr.is_loopback()
        && !addr.is_multicast()
        && !addr.is_unspecified()
        && match addr {
            IpAddr::V4(v4) => !v4.is_private() && !v4.is_link_local() && !v4.is_broadcast(),
            IpAddr::V6(v6) => {
                let first = v6.segments()[0];
                // Link-local and unique local.
                first & 0xffc0 != 0xfe80 && first & 0xfe00 != 0xfc00
            }
        }
}

fn said(text: &str) -> String {
    escape(text, SAID_CHARS_MAX)
}
