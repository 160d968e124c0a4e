//! What hosts tried inside.

use std::collections::BTreeMap;

use super::{Kind, View};
use crate::state::{Attempt, OfSlot as _};
use crate::time::{Day, Slot};

impl View<'_> {
    /// By interface, what hosts tried inside themselves, by day, with the workload then: what gateways try, others do through
    /// them. Of several flow logs of an interface the one counts in a slot that has most.
    pub(crate) fn attempted(&self) -> BTreeMap<u32, BTreeMap<Day, (u32, Attempt)>> {
        let mut slots: BTreeMap<(u32, Slot), (u32, &Attempt)> = BTreeMap::new();
        for shard in &self.state.attempts {
            for (key, attempt) in shard.iter() {
                let is_host = self.kinds[key.entity as usize] == Kind::Host;
                if !is_host || key.slot.day() > self.through {
                    continue;
                }
                let (interface, workload) = self.who(key.entity, key.slot);
                let own = slots
                    .entry((interface, key.slot))
                    .or_insert((workload, attempt));
                if *own.1 < *attempt {
                    *own = (workload, attempt);
                }
            }
        }
        let mut attempted: BTreeMap<u32, BTreeMap<Day, (u32, Attempt)>> = BTreeMap::new();
        for ((interface, slot), (workload, attempt)) in slots {
            let days = attempted.entry(interface).or_default();
            let own = days
                .entry(slot.day())
                .or_insert_with(|| (workload, Attempt::default()));
            own.0 = workload;
            own.1.add(attempt);
        }
        attempted
    }

    /// The first day whose attempts are all kept, if earlier ones were dropped.
    pub(crate) fn attempts_from(&self) -> Option<Day> {
        let first = self.state.tried_from()?;
        Some(Slot::of(first.0.saturating_add(86_399)).day())
    }
}
