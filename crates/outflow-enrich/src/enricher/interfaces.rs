//! The interface of each row, and what its records say of it.

use std::sync::Arc;

use arrow_array::ArrayRef;
use outflow_record::{CombinationList, Field, FlowBatch, LogKind};

use super::Origin;
use super::columns::{ABSENT, Columns, Texts, Values, text};
use crate::interface::{Attributes, InterfaceKey, PointKey, Points};

/// Positions in [`Interfaces::told`].
const ACCOUNT: usize = 0;
const REGION: usize = 1;
const VPC: usize = 2;
const SUBNET: usize = 3;
const INSTANCE: usize = 4;
const GROUPS: std::ops::Range<usize> = 5..8;
const TOLD: usize = 8;

/// What is told of an interface, by position.
const TOLD_FIELDS: [Field; TOLD] = [
    Field::AccountId,
    Field::Region,
    Field::VpcId,
    Field::SubnetId,
    Field::InstanceId,
    Field::AsgTag,
    Field::EcsServiceName,
    Field::InstanceTag,
];

/// What is remembered from row to row, and from batch to batch as long as keys keep their meaning.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// By column.
    meanings: Vec<Option<Meaning>>,
    origin: Origin,
    /// By the key of the interface id: what its last row had.
    last: Vec<Option<Last>>,
    /// By column, the key that all rows have had since there is anything to remember, if it is one.
    common: [Option<i32>; TOLD],
}

/// What the keys of a column stand for.
#[derive(Debug)]
enum Meaning {
    /// Texts of combinations, to which others may be added.
    Listed(CombinationList),
    /// These texts.
    Texts(ArrayRef),
}

impl Meaning {
    fn of(batch: &FlowBatch, field: Field) -> Option<Self> {
        let texts = || Some(Self::Texts(Arc::clone(batch.texts(field)?.values())));
        let list = batch.list(field).cloned();
        list.map(Self::Listed).or_else(texts)
    }
}

impl PartialEq for Meaning {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Listed(list), Self::Listed(other)) => list == other,
            (Self::Texts(texts), Self::Texts(other)) => Arc::ptr_eq(texts, other),
            _ => false,
        }
    }
}

/// The number of an interface, and what its last row had.
#[derive(Debug, Clone, Copy)]
struct Last {
    number: u32,
    told: [i32; TOLD],
}

impl Memory {
    /// Forgets everything unless the keys of these columns mean what they did before.
    fn keep_if_same(
        &mut self,
        batch: &FlowBatch,
        fields: impl Iterator<Item = Field>,
        origin: &Origin,
    ) {
        let meanings: Vec<_> = fields.map(|field| Meaning::of(batch, field)).collect();
        if self.meanings != meanings || self.origin != *origin {
            self.last.clear();
            self.origin = origin.clone();
            self.meanings = meanings;
        }
    }
}

/// Tells the interface of each row, and learns its attributes where they differ from the last time.
pub(super) struct Interfaces<'a> {
    interface_id: Option<&'a Texts>,
    resource_id: Option<&'a Texts>,
    /// The account and the attributes.
    told: [Option<&'a Texts>; TOLD],
    /// The keys of those whose rows differ, by their position.
    differing: Vec<(usize, Values<'a, i32>)>,
    /// Whether the records are a transit gateway's, whose attachments stand for interfaces.
    is_gateway: bool,
    columns: &'a Columns<'a>,
    origin: &'a Origin,
    memory: &'a mut Memory,
}

impl<'a> Interfaces<'a> {
    /// Those of a batch's rows. What the memory holds of an earlier batch stands as long as its keys mean the same.
    pub(super) fn of(
        batch: &'a FlowBatch,
        columns: &'a Columns<'a>,
        origin: &'a Origin,
        memory: &'a mut Memory,
    ) -> Self {
        let is_gateway = batch.kind() == LogKind::TransitGateway;
        let ids = [
            if is_gateway {
                Field::TgwAttachmentId
            } else {
                Field::InterfaceId
            },
            Field::ResourceId,
        ];
        memory.keep_if_same(batch, ids.into_iter().chain(TOLD_FIELDS), origin);
        let told = TOLD_FIELDS.map(|field| batch.texts(field));
        let is_new = memory.last.is_empty();
        let mut differing = Vec::new();
        for (at, column) in told.iter().enumerate() {
            let keys = Values::of_keys(*column);
            let only = keys.only(batch.num_rows());
            let common = &mut memory.common[at];
            *common = only.filter(|_| is_new || *common == only);
            if common.is_none() {
                differing.push((at, keys));
            }
        }
        let [interface_id, resource_id] = ids.map(|field| batch.texts(field));
        Self {
            interface_id,
            resource_id,
            told,
            differing,
            is_gateway,
            columns,
            origin,
            memory,
        }
    }

    /// The number of each row's interface, and whether it passed the row's packets on for others.
    ///
    /// All rows at once: each looks up what is remembered of its interface, and many of these looks are then under way
    /// together.
    pub(super) fn numbers(
        &mut self,
        rows: usize,
        points: &mut Points,
        learnt: &mut Vec<u32>,
        out: &mut Vec<(u32, bool)>,
    ) {
        let interface = Values::of_keys(self.interface_id);
        let instance = Values::of_keys(self.told[INSTANCE]);
        // Without the instance column, nothing tells a gateway from a host with several addresses.
        let may_relay = self.told[INSTANCE].is_some();
        for row in 0..rows {
            let relayed = self.is_gateway
                || may_relay && instance.key(row) == ABSENT && self.columns.differ(row);
            let at = usize::try_from(interface.key(row)).ok();
            let last = at.and_then(|at| self.memory.last.get(at)?.as_ref());
            let number = match last {
                Some(last) if self.are_told(row, last) => last.number,
                _ => self.meet(row, at, points, learnt),
            };
            out.push((number, relayed));
        }
    }

    /// Whether a row says of its interface what the last one said.
    #[inline]
    fn are_told(&self, row: usize, last: &Last) -> bool {
        let mut differing = self.differing.iter();
        differing.all(|(at, keys)| keys.key(row) == last.told[*at])
    }

    /// Learns what a row says of its interface, and remembers it.
    #[inline(never)]
    fn meet(
        &mut self,
        row: usize,
        at: Option<usize>,
        points: &mut Points,
        learnt: &mut Vec<u32>,
    ) -> u32 {
        let told = |at: usize| text(self.told[at], row);
        let account = told(ACCOUNT).or(self.origin.account_id.as_deref());
        let interface = text(self.interface_id, row).or_else(|| text(self.resource_id, row));
        let interface = InterfaceKey {
            account_id: account.unwrap_or("").to_owned(),
            interface_id: interface.unwrap_or("").to_owned(),
        };
        let flow_log = self.origin.flow_log.clone().unwrap_or_default();
        let number = points.number(PointKey::own(interface, flow_log));
        let seen = Attributes {
            region: told(REGION).or(self.origin.region.as_deref()),
            vpc_id: told(VPC),
            subnet_id: told(SUBNET),
            instance_id: told(INSTANCE),
            group: GROUPS.clone().find_map(told),
            intermediary: self.is_gateway,
        };
        if points.learn(number, &seen) {
            learnt.push(number);
        }
        if let Some(at) = at {
            if self.memory.last.len() <= at {
                self.memory.last.resize(at + 1, None);
            }
            self.memory.last[at] = Some(Last {
                number,
                told: self.told.map(|column| Values::of_keys(column).key(row)),
            });
        }
        number
    }
}
