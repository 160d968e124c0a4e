//! What hosts got from inside.

use std::collections::BTreeMap;

use super::{Kind, View};
use crate::state::Receipt;
use crate::time::{Day, Slot};

/// By interface: what it got, by slot.
pub(crate) type Received = BTreeMap<u32, BTreeMap<Slot, Receipt>>;

impl View<'_> {
    /// What hosts got from inside, themselves: what gateways got, they passed on. Of several flow logs of an interface the one
    /// counts that has most.
    pub(crate) fn received(&self) -> Received {
        let mut received = Received::new();
        for shard in &self.state.receipts {
            for (key, receipt) in shard.iter() {
                let is_host = self.kinds[key.entity as usize] == Kind::Host;
                if !is_host || key.slot.day() > self.through {
                    continue;
                }
                // Whatever its workload was then: a host that changes it keeps its past.
                let (interface, _) = self.who(key.entity, key.slot);
                let slots = received.entry(interface).or_default();
                let own = slots.entry(key.slot).or_default();
                if *own < *receipt {
                    own.clone_from(receipt);
                }
            }
        }
        received
    }

    /// The first day whose receipts are all kept, if earlier ones were dropped.
    pub(crate) fn receipts_from(&self) -> Option<Day> {
        let first = self.state.received_from()?;
        Some(Slot::of(first.0.saturating_add(86_399)).day())
    }
}
