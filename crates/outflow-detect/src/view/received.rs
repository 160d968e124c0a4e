//! What hosts got from inside.

use std::collections::BTreeMap;

use super::{Kind, View};
use crate::state::Receipt;
use crate::time::Slot;

/// By workload and interface: what it got, by slot.
pub(crate) type Received = BTreeMap<(u32, u32), BTreeMap<Slot, Receipt>>;

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
                let (interface, workload) = self.who(key.entity, key.slot);
                let slots = received.entry((workload, interface)).or_default();
                let own = slots.entry(key.slot).or_default();
                if *own < *receipt {
                    own.clone_from(receipt);
                }
            }
        }
        received
    }
}
