//! Who asked the resolver, among the interfaces of the records.

use std::collections::BTreeMap;

use super::View;
use crate::time::Slot;

/// Interfaces by account and instance, of instances that have one alone.
#[derive(Debug)]
pub(crate) struct Askers<'v>(BTreeMap<(&'v str, &'v str), Option<u32>>);

impl<'v> Askers<'v> {
    pub(crate) fn of(view: &'v View<'_>) -> Self {
        let mut known: BTreeMap<(&str, &str), Option<u32>> = BTreeMap::new();
        for (number, entity) in (0..).zip(view.parties.iter()) {
            let is_own = entity.key.via.host().is_none();
            let instance = entity.interface.instance_id.as_deref().filter(|_| is_own);
            if let Some(instance) = instance {
                let key = (entity.key.interface.account_id.as_str(), instance);
                let known = known.entry(key).or_insert(Some(number));
                *known = known.filter(|known| *known == number);
            }
        }
        Self(known)
    }

    /// The interface of an instance.
    pub(crate) fn party(&self, account_id: &str, instance: &str) -> Option<u32> {
        self.0.get(&(account_id, instance)).copied().flatten()
    }
}

impl View<'_> {
    /// The name of an interface's workload within a slot.
    pub(crate) fn workload_at(&self, party: u32, slot: Slot) -> Option<String> {
        let workloads = self.placed(party).workloads(self.interface(party));
        let mut workloads: Vec<_> = workloads.collect();
        let until = workloads.iter().filter(|(from, _)| *from <= slot).count();
        let at = until.saturating_sub(1).min(workloads.len().checked_sub(1)?);
        Some(workloads.swap_remove(at).1.name)
    }
}
