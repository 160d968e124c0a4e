//! What knowledge adds to an interface of a state.

use outflow_enrich::Knowledge;

use super::Workload;
use crate::entities::Entity;
use crate::time::Slot;

/// An interface as knowledge has it. Where records say something, too, they go first: but for the workload, as the
/// inventory's lineage outlives what records name.
#[derive(Debug, Default)]
pub(crate) struct Placed<'k> {
    /// Whether it passes on what others send.
    pub(super) passes_on: bool,
    vpc_id: Option<&'k str>,
    region: Option<&'k str>,
    /// Its lineages that outlive it, from which slot on; `None` where only the instance or the interface is known.
    lineages: Vec<(Slot, Option<String>)>,
}

impl<'k> Placed<'k> {
    pub(super) fn of(entity: &Entity, knowledge: &'k Knowledge) -> Self {
        let id = entity.key.interface.interface_id.as_str();
        let vpc_id = knowledge.interface(id).map(|known| known.vpc_id.as_str());
        // A host's lineage is not that of the interface which passed on its packets.
        let is_behind = entity.key.via.host().is_some();
        let lineages = if is_behind {
            Vec::new()
        } else {
            knowledge.lineages(id)
        };
        Self {
            passes_on: knowledge.passes_on(id),
            vpc_id: vpc_id.filter(|id| !id.is_empty()),
            region: knowledge.region(id),
            lineages: lineages
                .into_iter()
                .map(|(from, lineage)| {
                    let name = lineage.is_lasting().then(|| lineage.to_string());
                    (Slot::of(from.secs()), name)
                })
                .collect(),
        }
    }

    /// VPC, from records or the inventory.
    pub(crate) fn vpc_id<'e>(&self, entity: &'e Entity) -> Option<&'e str>
    where
        'k: 'e,
    {
        entity.interface.vpc_id.as_deref().or(self.vpc_id)
    }

    /// Region, from records or the inventory.
    pub(crate) fn region<'e>(&self, entity: &'e Entity) -> Option<&'e str>
    where
        'k: 'e,
    {
        entity.interface.region.as_deref().or(self.region)
    }

    /// The workloads of the interface, one at least, each with the slot from which it holds; the first holds before,
    /// too.
    pub(super) fn workloads(&self, entity: &Entity) -> impl Iterator<Item = (Slot, Workload)> {
        let account_id = &entity.key.interface.account_id;
        let of_records = || Workload {
            account_id: account_id.clone(),
            name: entity.workload(),
            region: None,
        };
        let known = self.lineages.iter().map(move |(from, lineage)| {
            let named = lineage.as_ref().map(|name| Workload {
                account_id: account_id.clone(),
                name: name.clone(),
                region: self.region(entity).map(str::to_owned),
            });
            (*from, named.unwrap_or_else(of_records))
        });
        let nothing = self.lineages.is_empty();
        let unknown = nothing.then(|| (Slot::of(0), of_records()));
        known.chain(unknown)
    }
}

#[cfg(test)]
mod tests;
