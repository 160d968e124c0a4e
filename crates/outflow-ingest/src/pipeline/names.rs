//! Names of addresses, from the Resolver query logs among the objects; and what findings gain by them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ListArray, StringArray};
use outflow_enrich::{
    ADDR_DOMAINS_MAX, ANSWER_WINDOW_SECS, DnsAnswer, KnownDestination, KnownDestinations,
    PassiveDns,
};
use outflow_finding::{DESTINATION_DOMAINS_MAX, Database, Destination, Finding};
use outflow_record::{Addr, DnsBatch, DnsField, Timestamp};

use crate::Context;

/// Windows of [`ANSWER_WINDOW_SECS`] that are looked at for a finding: as many days as the longest has.
const WINDOWS_MAX: i64 = 31;

const MICROS: i64 = 1_000_000;

/// Notes the addresses in the answers of a batch.
pub(super) fn feed(names: &mut PassiveDns, queries: &DnsBatch) {
    let Some(vpcs) = queries.texts(DnsField::VpcId) else {
        return;
    };
    let Some(vpcs) = vpcs.downcast_dict::<StringArray>() else {
        return;
    };
    let (times, asked) = (queries.query_timestamps(), queries.query_names());
    let answers = queries.answers();
    let mut addrs = Vec::new();
    for (row, vpc_id) in vpcs.into_iter().enumerate() {
        let Some(vpc_id) = vpc_id.filter(|_| answers.is_valid(row)) else {
            continue;
        };
        if addresses(answers, row, &mut addrs).is_none() {
            return;
        }
        names.feed(&DnsAnswer {
            vpc_id,
            at: Timestamp(times.value(row).div_euclid(MICROS)),
            name: asked.value(row),
            addrs: &addrs,
        });
    }
}

/// The addresses in the answers of a row, in place of what `addrs` holds. `None` if they are no answers.
pub(super) fn addresses(answers: &ListArray, row: usize, addrs: &mut Vec<Addr>) -> Option<()> {
    addrs.clear();
    let records = answers.values().as_struct_opt()?;
    let rdata = records.column(0).as_string_opt::<i32>()?;
    let kinds = records.column(1);
    // The types are a dictionary as they are decoded, and plain as they are stored.
    let dictionary = kinds.as_dictionary_opt::<Int32Type>();
    let (keys, texts) = match dictionary {
        Some(of) => (Some(of.keys()), of.values().as_string_opt::<i32>()?),
        None => (None, kinds.as_string_opt::<i32>()?),
    };
    let offsets = answers.value_offsets();
    let bound = |at: usize| usize::try_from(offsets[at]).unwrap_or(0);
    for at in bound(row)..bound(row + 1) {
        let text = keys.map_or(Some(at), |keys| usize::try_from(keys.value(at)).ok())?;
        let is_address = kinds.is_valid(at) && matches!(texts.value(text), "A" | "AAAA");
        if is_address && rdata.is_valid(at) {
            addrs.extend(rdata.value(at).parse::<Addr>().ok());
        }
    }
    Some(())
}

/// What tells whose an address is.
#[derive(Clone, Copy)]
pub(super) struct Registers<'a> {
    pub(super) context: &'a Context,
    pub(super) names: &'a PassiveDns,
    pub(super) known: Option<&'a KnownDestinations>,
    /// What tells of countries, networks and services.
    pub(super) databases: &'a Arc<[Database]>,
}

/// Says whom a finding's addresses belong to, where all of them that anything is known of agree.
pub(super) fn identify(finding: &mut Finding, registers: Registers<'_>) {
    let context = registers.context;
    let destination = &finding.destination;
    if destination.addresses.is_empty() {
        // What is known by its domain alone, or not at all.
        return;
    }
    let addrs: Vec<Addr> = destination
        .addresses
        .iter()
        .filter_map(|addr| addr.parse().ok())
        .collect();
    let geo: Vec<_> = addrs.iter().map(|addr| context.geo.lookup(*addr)).collect();
    let network = agreed(geo.iter().filter_map(|geo| geo.asn));
    let org = agreed(geo.iter().filter_map(|geo| geo.org)).map(str::to_owned);
    let country = agreed(geo.iter().filter_map(|geo| geo.country_code)).map(str::to_owned);
    let ranges = context.ranges.as_ref();
    let range = |addr: &Addr| ranges.and_then(|ranges| ranges.lookup(*addr));
    let service = agreed(
        addrs
            .iter()
            .filter_map(range)
            .map(|range| range.service.to_string()),
    );
    let called = called(finding, registers.names, &addrs);
    let site = registers
        .known
        .and_then(|known| site(known, &addrs, &called));
    let destination = &mut finding.destination;
    destination.databases = Arc::clone(registers.databases);
    destination.asn = destination.asn.or(network);
    destination.org = destination.org.take().or(org);
    destination.country = destination.country.take().or(country);
    destination.service = destination.service.take().or(service);
    name(destination, &called);
    if let Some(site) = site {
        destination.vendor = Some(site.vendor.clone());
        destination.product = Some(site.product.clone());
        destination.site.clone_from(&site.site);
        destination.category = Some(site.category.name().to_owned());
        destination.country = destination.country.take().or(site.country.clone());
    }
}

/// What an address was called while a finding sent to it.
#[derive(Debug, Default)]
struct Called {
    names: BTreeSet<String>,
    /// Whether it was shared by several registered domains at a time.
    is_shared: bool,
    /// Whether by so many that they are not told apart.
    by_many: bool,
}

/// What the addresses were called in the finding's VPC, each by itself.
fn called(finding: &Finding, names: &PassiveDns, addrs: &[Addr]) -> Vec<Called> {
    let vpc_id = finding.vpc_id.as_deref();
    let Some((vpc_id, (first, last))) = vpc_id.zip(finding.first_seen.zip(finding.last_seen))
    else {
        return Vec::new();
    };
    let windows =
        (last.secs().saturating_sub(first.secs()) / ANSWER_WINDOW_SECS).clamp(0, WINDOWS_MAX);
    let of_addr = |addr: &Addr| {
        let mut called = Called::default();
        for window in 0..=windows {
            let at = Timestamp(last.secs().saturating_sub(window * ANSWER_WINDOW_SECS));
            match names.names_of(vpc_id, *addr, at) {
                Some(names) => {
                    called.is_shared |= names.len() > 1;
                    called.names.extend(names);
                }
                None => (called.is_shared, called.by_many) = (true, true),
            }
        }
        called
    };
    addrs.iter().map(of_addr).collect()
}

/// Names a destination, if all of its addresses that had a name lay in one; and tells of all names that they had.
fn name(destination: &mut Destination, called: &[Called]) {
    let names: BTreeSet<&String> = called.iter().flat_map(|of| &of.names).collect();
    destination.ambiguous = called.iter().any(|of| of.is_shared);
    destination.domains_total = names.len() as u64;
    if called.iter().any(|of| of.by_many) {
        let least = ADDR_DOMAINS_MAX as u64 + 1;
        destination.domains_total = destination.domains_total.max(least);
    }
    let listed = names.iter().take(DESTINATION_DOMAINS_MAX);
    destination.domains = listed.map(|name| (*name).clone()).collect();
    let only = agreed(names.into_iter()).filter(|_| !destination.ambiguous);
    destination.domain = destination.domain.take().or(only.cloned());
}

/// The known destination to which every address belongs, by its own network or by all names that it had.
fn site<'k>(
    known: &'k KnownDestinations,
    addrs: &[Addr],
    called: &[Called],
) -> Option<&'k KnownDestination> {
    let by_name = |of: &Called| {
        let sites: Option<Vec<_>> = of.names.iter().map(|name| known.by_name(name)).collect();
        agreed(sites?.into_iter()).filter(|_| !of.is_shared)
    };
    let of_addr = |(at, addr): (usize, &Addr)| {
        let by_name = || by_name(called.get(at)?);
        known.by_addr(*addr).or_else(by_name)
    };
    let sites: Option<Vec<_>> = addrs.iter().enumerate().map(of_addr).collect();
    agreed(sites?.into_iter())
}

/// The value, if there is one and no other.
fn agreed<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

#[cfg(test)]
mod tests;
