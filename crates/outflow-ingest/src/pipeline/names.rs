//! Names of addresses, from the Resolver query logs among the objects; and what findings gain by them.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ListArray, StringArray};
use outflow_enrich::{ANSWER_WINDOW_SECS, DnsAnswer, Naming, PassiveDns};
use outflow_finding::Finding;
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

/// Says whom a finding's addresses belong to, where all of them that anything is known of agree.
pub(super) fn identify(finding: &mut Finding, context: &Context, names: &PassiveDns) {
    let destination = &finding.destination;
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
    let domain = finding
        .vpc_id
        .as_deref()
        .zip(finding.first_seen.zip(finding.last_seen))
        .and_then(|(vpc_id, span)| domain(names, vpc_id, &addrs, span));
    let destination = &mut finding.destination;
    destination.asn = destination.asn.or(network);
    destination.org = destination.org.take().or(org);
    destination.country = destination.country.take().or(country);
    destination.service = destination.service.take().or(service);
    destination.domain = destination.domain.take().or(domain);
}

/// The name in which all addresses lay that had one in this time. `None` also if one of them was shared by several
/// registered domains: which of them was meant is not known.
fn domain(
    names: &PassiveDns,
    vpc_id: &str,
    addrs: &[Addr],
    (first, last): (Timestamp, Timestamp),
) -> Option<String> {
    let windows =
        (last.secs().saturating_sub(first.secs()) / ANSWER_WINDOW_SECS).clamp(0, WINDOWS_MAX);
    let mut within = Vec::new();
    for addr in addrs {
        for window in 0..=windows {
            let at = Timestamp(last.secs().saturating_sub(window * ANSWER_WINDOW_SECS));
            match names.name_of(vpc_id, *addr, at) {
                Some(Naming::Named { within: name, .. }) => within.push(name),
                Some(Naming::Ambiguous { .. }) => return None,
                None => {}
            }
        }
    }
    agreed(within.into_iter())
}

/// The value, if there is one and no other.
fn agreed<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

#[cfg(test)]
mod tests;
