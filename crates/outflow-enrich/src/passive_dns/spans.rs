//! From when until when an address was called what.

use std::collections::BTreeSet;

use outflow_record::{Addr, Timestamp};

use super::names::Names;
use super::{ANSWER_WINDOW_SECS, HOUR_SECS, Naming, PassiveDns};

/// Hours behind that of an answer in which it still names its address.
const WINDOW_HOURS: i64 = ANSWER_WINDOW_SECS / HOUR_SECS;

/// What an address was called in a VPC: each name with the time from which it holds, until the next one's.
pub(crate) struct Called<'a> {
    pub(crate) vpc_id: &'a str,
    pub(crate) addr: Addr,
    pub(crate) spans: Vec<(Timestamp, Option<Naming>)>,
}

impl PassiveDns {
    /// What [`PassiveDns::name_of`] answers at any time, for every address that ever had a name, in the order of VPCs
    /// and addresses.
    pub(crate) fn called(&self) -> impl Iterator<Item = Called<'_>> {
        let mut all: Vec<(&str, Addr, i64, &Names)> = Vec::new();
        for (hour, vpcs) in &self.hours {
            for (vpc_id, addrs) in vpcs {
                let of_hour = addrs.iter();
                all.extend(of_hour.map(|(addr, names)| (&**vpc_id, *addr, *hour, names)));
            }
        }
        all.sort_unstable_by_key(|(vpc_id, addr, hour, _)| (*vpc_id, *addr, *hour));
        let mut at = 0;
        std::iter::from_fn(move || {
            let (vpc_id, addr, ..) = *all.get(at)?;
            let same = all[at..].iter();
            let len = same.take_while(|of| (of.0, of.1) == (vpc_id, addr)).count();
            let hours = all[at..at + len].iter();
            let hours: Vec<(i64, &Names)> =
                hours.map(|(.., hour, names)| (*hour, *names)).collect();
            at += len;
            Some(Called {
                vpc_id,
                addr,
                spans: spans(&hours),
            })
        })
    }
}

/// The names of an address by hour, from the first on.
fn spans(hours: &[(i64, &Names)]) -> Vec<(Timestamp, Option<Naming>)> {
    // Names change when an answer comes, and when one is too old.
    let changes = hours.iter();
    let changes = changes.flat_map(|(hour, _)| [*hour, hour.saturating_add(WINDOW_HOURS + 1)]);
    let mut spans: Vec<(Timestamp, Option<Naming>)> = Vec::new();
    for at in changes.collect::<BTreeSet<i64>>() {
        let from = hours.partition_point(|(hour, _)| *hour < at.saturating_sub(WINDOW_HOURS));
        let until = hours.partition_point(|(hour, _)| *hour <= at);
        let naming = union(&hours[from..until]);
        if spans.last().is_none_or(|(_, last)| *last != naming) {
            spans.push((Timestamp(at.saturating_mul(HOUR_SECS)), naming));
        }
    }
    spans
}

/// What the names of these hours tell together. Nearly always they are the same, hour after hour.
fn union(hours: &[(i64, &Names)]) -> Option<Naming> {
    let ((_, first), rest) = hours.split_first()?;
    if rest.iter().all(|(_, names)| names == first) {
        return first.naming();
    }
    let mut all = Names::default();
    for (_, names) in hours {
        all.merge(names);
    }
    all.naming()
}
