//! What is known from elsewhere, as those who judge ask for it.

use std::sync::Arc;

use outflow_record::Timestamp;

use crate::inventory::{InterfaceInfo, Inventory, Lineage};
use crate::{DestinationGroups, GeoDatabases, Operators};

/// What is known of interfaces and destinations from elsewhere. The default knows nothing.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// What the account says of its network.
    pub inventory: Arc<Inventory>,
    /// Destinations that are compared by name.
    pub destinations: DestinationGroups,
    /// Who answers at addresses.
    pub operators: Operators,
    /// Where addresses are.
    pub geo: Arc<GeoDatabases>,
}

impl Knowledge {
    /// What of an interface does not change while it lives, such as its VPC and what it belongs to; as it was last
    /// seen.
    pub fn interface(&self, interface_id: &str) -> Option<&InterfaceInfo> {
        let known = self.inventory.interface(interface_id, END_OF_TIME)?;
        Some(known.value)
    }

    /// Region of an interface, where the inventory says it.
    pub fn region(&self, interface_id: &str) -> Option<&str> {
        let known = self.inventory.interface(interface_id, END_OF_TIME)?;
        let region = known.place.region.as_str();
        (!region.is_empty()).then_some(region)
    }

    /// Whether an interface passes on what others send ([`InterfaceInfo::passes_on`]), or is a regional NAT gateway,
    /// whose id stands in for that of an interface.
    pub fn passes_on(&self, interface_id: &str) -> bool {
        let seen = self.inventory.interfaces.history(interface_id);
        let gateways = &self.inventory.nat_gateways;
        seen.map(|(_, interface)| interface)
            .any(InterfaceInfo::passes_on)
            || gateways.get(interface_id, END_OF_TIME).is_some()
    }

    /// The lineages of an interface, each with the time from which it holds; the first holds before, too. None for
    /// an interface that is not known.
    pub fn lineages(&self, interface_id: &str) -> Vec<(Timestamp, Lineage)> {
        let inventory = &self.inventory;
        let seen = inventory.interfaces.history(interface_id);
        let mut times: Vec<Timestamp> = Vec::new();
        for (at, interface) in seen {
            times.push(at);
            let instance = interface.instance_id.iter();
            times.extend(instance.flat_map(|id| inventory.instances.history(id).map(|(at, _)| at)));
        }
        times.sort_unstable();
        times.dedup();
        let known = times.into_iter();
        let mut lineages: Vec<(Timestamp, Lineage)> = known
            .filter_map(|at| Some((at, inventory.lineage(interface_id, at)?)))
            .collect();
        lineages.dedup_by(|next, first| next.1 == first.1);
        lineages
    }
}

const END_OF_TIME: Timestamp = Timestamp(i64::MAX);

#[cfg(test)]
mod tests;
