//! The groups in which destinations are compared.

use outflow_enrich::{DestinationGroups, GroupId, NamingVpc};
use outflow_record::{Addr, Timestamp};

use super::{Parties, Placed};
use crate::key::{PairKey, Remote};
use crate::state::State;
use crate::time::SLOT_SECS;

/// A destination group: one that has a name, or a network. Networks come first, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Group {
    named: Option<GroupId>,
    /// All zeros of a named one.
    network: Addr,
}

impl Group {
    /// The group with a name, or else the network of an address.
    #[inline]
    pub(crate) fn new(named: Option<GroupId>, remote: Addr) -> Self {
        let network = match named {
            Some(_) => Addr::default(),
            None => remote.group(),
        };
        Self { named, network }
    }

    /// The network, of a group that is one.
    pub(crate) fn network(self) -> Option<Addr> {
        self.named.is_none().then_some(self.network)
    }
}

/// What tells the group of a pair.
#[derive(Debug)]
pub(super) struct Grouping<'k> {
    groups: &'k DestinationGroups,
    /// By the state's number of a point: its VPC, where addresses have names there.
    vpcs: Vec<Option<NamingVpc>>,
}

impl<'k> Grouping<'k> {
    pub(super) fn new(
        state: &State,
        parties: &Parties<'_>,
        placed: &[Placed<'k>],
        groups: &'k DestinationGroups,
    ) -> Self {
        let mut vpcs = Vec::new();
        if !groups.is_empty() {
            vpcs.resize(state.entities.len(), None);
            for (number, _) in state.entities.sorted() {
                let party = parties.of_point(number);
                let vpc_id = placed[party as usize].vpc_id(parties.get(party));
                vpcs[number as usize] = vpc_id.and_then(|id| groups.vpc(id));
            }
        }
        Self { groups, vpcs }
    }

    /// The group of a pair's remote address within its slot, if it has a name: of what is left of an address, only if
    /// all that it may stand for is of one group.
    pub(super) fn of(&self, key: &PairKey, kept: Remote) -> Option<GroupId> {
        // Nothing has a name.
        let vpc = *self.vpcs.get(key.entity as usize)?;
        match kept {
            Remote::Whole => {
                let last = Timestamp(key.slot.start() + SLOT_SECS - 1);
                self.groups.of_addr(key.remote, vpc, last)
            }
            Remote::Group => self.groups.of_network(key.remote),
            Remote::Dropped => None,
        }
    }

    /// A group as people write it.
    pub(super) fn name(&self, group: Group) -> String {
        match group.named {
            Some(named) => self.groups.name(named).to_owned(),
            None => format!("{}/{}", group.network, group.network.group_len()),
        }
    }
}

#[cfg(test)]
mod tests;
