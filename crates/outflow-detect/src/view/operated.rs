//! Who answers at the other side of an entry.

use outflow_enrich::{AwsService, Operator, OperatorVpc, Operators};
use outflow_record::Timestamp;

use super::{Entry, Parties, Placed, View};
use crate::key::Remote;
use crate::time::SLOT_SECS;

/// What tells who answers.
#[derive(Debug)]
pub(super) struct Operated<'k> {
    operators: &'k Operators,
    /// By party: its VPC, where addresses have names of operators there.
    vpcs: Vec<Option<OperatorVpc>>,
}

impl<'k> Operated<'k> {
    pub(super) fn new(
        parties: &Parties<'_>,
        placed: &[Placed<'_>],
        operators: &'k Operators,
    ) -> Self {
        let parties = parties.iter().zip(placed);
        let vpcs = parties.map(|(party, own)| operators.vpc(own.vpc_id(party)?));
        Self {
            operators,
            vpcs: vpcs.collect(),
        }
    }
}

impl<'a> View<'a> {
    /// Who answers at addresses.
    pub(crate) fn operators(&self) -> &Operators {
        self.operated.operators
    }

    /// Who answers at the other side of an entry, as of the end of its slot; nobody is known where its address was not
    /// kept.
    pub(crate) fn operator(&self, entry: &Entry<'_>) -> Operator<'a> {
        if entry.kept != Remote::Whole {
            return Operator::default();
        }
        let vpc = self.operated.vpcs[entry.interface as usize];
        let last = Timestamp(entry.slot.start() + SLOT_SECS - 1);
        self.operated.operators.of_addr(entry.remote, vpc, last)
    }

    /// The service of AWS as records name it, of the network of an entry's other side.
    pub(crate) fn labelled(&self, entry: &Entry<'_>) -> AwsService {
        self.state.aws.get(entry.remote.group())
    }
}
