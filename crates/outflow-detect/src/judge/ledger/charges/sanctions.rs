//! What policy allows of what a workload sends.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::policy::{Policy, Sanctioned};
use crate::time::Day;
use crate::view::{Entry, View};

/// What a workload has used up of each rule's allowance on each day, over all destinations of the rule.
#[derive(Debug, Default)]
pub(super) struct Sanctions<'p> {
    used: BTreeMap<(&'p IpNet, Day, u64), u64>,
}

impl<'p> Sanctions<'p> {
    /// How much of a payload a rule still allows on a day, which is then used up.
    pub(super) fn explain(&mut self, rule: &'p Sanctioned, day: Day, payload: u64) -> u64 {
        let key = (&rule.destination, day, rule.bytes_per_day);
        let used = self.used.entry(key).or_default();
        let explained = payload.min(rule.bytes_per_day.saturating_sub(*used));
        *used = used.saturating_add(explained);
        explained
    }
}

/// The rule that allows most from this interface to this address.
pub(in crate::judge::ledger) fn sanction<'p>(
    view: &View<'_>,
    policy: &'p Policy,
    entry: &Entry<'_>,
) -> Option<&'p Sanctioned> {
    let name = view.workload(entry.workload).name.as_str();
    let interface = view.interface(entry.interface);
    // A rule may name the workload as records do, whatever the inventory calls it.
    let is_called = |own: &String| {
        own == name || *own == interface.key.interface.interface_id || *own == interface.workload()
    };
    let applies = policy.sanctioned.iter().filter(|rule| {
        let ours = rule.workload.as_ref().is_none_or(is_called);
        ours && entry.lies_in(&rule.destination)
    });
    applies.max_by_key(|rule| rule.bytes_per_day)
}
