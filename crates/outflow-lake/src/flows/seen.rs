//! The columns of what is seen of a record from its interface, filled together: the flows are gone through once.

use outflow_enrich::{Direction, Flow, Initiator, Scope, Via};

use super::addresses::Appended;
use super::column::NULL;
use super::sides::{self, CHOICES};
use super::{By, FlowRows, Of, crosses, payload};

/// Ports of both sides.
const PORTS: [Of; 2] = [Of::LocalPort, Of::RemotePort];

/// The columns under way, with the rows that there are before.
pub(super) struct SeenColumns {
    /// Rows before those that are appended.
    before: usize,
    /// Numbers of what is seen. Of the rows that are appended, what is seen itself until they are given back: in one word, below
    /// [`NO_FLOW`].
    numbers: Vec<u32>,
    sides: Option<OwnSides>,
    /// Whether a flow has something that does not follow from other columns, and is not held.
    is_foreign: bool,
}

/// A flow has something that does not follow from other columns, and rows do not hold it.
#[derive(Debug)]
pub(super) struct NotHeld;

/// Columns of both sides, where rows hold them.
struct OwnSides {
    ports: [Vec<i32>; PORTS.len()],
    local: Addrs,
    remote: Addrs,
}

/// Addresses of a side, and the rows that have none.
type Addrs = (Vec<[u8; 16]>, Vec<u32>);

/// The numbers of what was seen; [`UNKNOWN`] of what was not. Nothing until something is.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<u32>);

const UNKNOWN: u32 = u32::MAX;

impl Known {
    /// Forgets all numbers, and keeps their memory.
    pub(super) fn clear(&mut self) {
        self.0.fill(UNKNOWN);
    }
}

const DIRECTIONS: u32 = 3;
const INITIATORS: u32 = 5;
const SCOPES: u32 = 3;
const VIAS: u32 = 3;

/// What is seen of a flow in the words of its columns, whether it counts, whether it is of IPv6, and which addresses its sides have,
/// is a number below this one, which stands for a record that is no flow.
const NO_FLOW: u32 = DIRECTIONS * INITIATORS * SCOPES * VIAS * 2 * 2 * CHOICES;

impl SeenColumns {
    /// Takes the columns of these rows, to be given back; with room for more.
    pub(super) fn take(rows: &mut FlowRows, more: usize) -> Self {
        let before = rows.len;
        let mut numbers = std::mem::take(&mut rows.numbers[By::Seen as usize]);
        numbers.reserve(more);
        let sides = rows.are_all_held.then(|| OwnSides {
            ports: PORTS.map(|of| rows.column(of).take(before, more)),
            local: (Vec::with_capacity(more), Vec::new()),
            remote: (Vec::with_capacity(more), Vec::new()),
        });
        Self {
            before,
            numbers,
            sides,
            is_foreign: false,
        }
    }

    /// Appends a flow; of its record the addresses, and the row among these.
    #[inline]
    pub(super) fn push(
        &mut self,
        flow: &Flow,
        via: Via,
        (record, row): (sides::Record<'_>, usize),
    ) {
        let via_number = match via {
            Via::Own => 0,
            Via::Received(_) => 1,
            Via::Forwarded(_) => 2,
        };
        let choice = match &mut self.sides {
            Some(sides) => {
                sides.push(flow);
                0
            }
            None => sides::choice(flow, record, row).unwrap_or_else(|| {
                self.is_foreign = true;
                0
            }),
        };
        let is_counted = via == Via::Own && crosses(flow);
        let is_ipv6 = payload::is_ipv6(flow);
        self.is_foreign |= self.sides.is_none() & !payload::follows(flow, is_ipv6);
        let sight = flow.direction as u32;
        let sight = sight * INITIATORS + flow.initiator as u32;
        let sight = sight * SCOPES + flow.remote_scope as u32;
        let sight = (sight * VIAS + via_number) * 2 + u32::from(is_counted);
        let sight = sight * 2 + u32::from(is_ipv6);
        self.numbers.push(sight * CHOICES + choice);
    }

    /// Appends a record that lacks what a flow needs, of the row with this number among those that are appended.
    pub(super) fn push_none(&mut self, row: u32) {
        self.numbers.push(NO_FLOW);
        if let Some(sides) = &mut self.sides {
            sides.push_none(row);
        }
    }

    /// Gives the columns back, and the addresses of both sides, where rows hold them. Nothing of what was appended, if some of it does
    /// not follow from other columns.
    pub(super) fn give_back(
        mut self,
        rows: &mut FlowRows,
    ) -> Result<Option<[Appended<'static>; 2]>, NotHeld> {
        if self.is_foreign {
            self.numbers.truncate(self.before);
        }
        rows.seen.0.resize(NO_FLOW as usize + 1, UNKNOWN);
        for number in &mut self.numbers[self.before..] {
            *number = match rows.seen.0[*number as usize] {
                UNKNOWN => add(rows, *number),
                known => known,
            };
        }
        rows.numbers[By::Seen as usize] = self.numbers;
        if self.is_foreign {
            return Err(NotHeld);
        }
        Ok(self.sides.map(|sides| {
            for (of, ports) in PORTS.into_iter().zip(sides.ports) {
                rows.column(of).hold(ports);
            }
            [sides.local, sides.remote].map(|(addrs, nulls)| Appended {
                addrs: addrs.into(),
                nulls,
            })
        }))
    }
}

impl OwnSides {
    fn push(&mut self, flow: &Flow) {
        let [local, remote] = &mut self.ports;
        local.push(i32::from(flow.local_port));
        remote.push(i32::from(flow.remote_port));
        self.local.0.push(flow.local.bytes());
        self.remote.0.push(flow.remote.bytes());
    }

    fn push_none(&mut self, row: u32) {
        for column in &mut self.ports {
            column.push(NULL);
        }
        for (addrs, nulls) in [&mut self.local, &mut self.remote] {
            addrs.push([0; 16]);
            nulls.push(row);
        }
    }
}

/// Gives what was not seen before its number.
#[cold]
fn add(rows: &mut FlowRows, sight: u32) -> u32 {
    let is_flow = sight != NO_FLOW;
    let (rest, choice) = (sight / CHOICES, sight % CHOICES);
    let (rest, is_ipv6) = (rest / 2, rest % 2 == 1);
    let (rest, is_counted) = (rest / 2, rest % 2 == 1);
    let (rest, via) = (rest / VIAS, rest % VIAS);
    let (rest, scope) = (rest / SCOPES, rest % SCOPES);
    let (direction, initiator) = (rest / INITIATORS, rest % INITIATORS);
    let words = if is_flow {
        let [initiator, by] = INITIATOR_WORDS[initiator as usize];
        [
            DIRECTION_WORDS[direction as usize],
            initiator,
            by,
            Some(SCOPE_WORDS[scope as usize]),
            Some(VIA_WORDS[via as usize]),
        ]
    } else {
        [None; 5]
    };
    let columns = [
        Of::Direction,
        Of::Initiator,
        Of::InitiatorBy,
        Of::Scope,
        Of::Via,
    ];
    for (of, word) in columns.into_iter().zip(words) {
        let column = rows.column(of);
        let key = column.key(word);
        column.push_key(key);
    }
    let is_ingress = direction == Direction::Ingress as u32;
    rows.sides.push(is_flow.then_some((is_ingress, choice)));
    rows.ipv6.push(is_flow.then_some(is_ipv6));
    let number = u32::try_from(rows.counted.len()).unwrap_or(u32::MAX);
    rows.counted.push(is_flow && is_counted);
    rows.seen.0[sight as usize] = number;
    number
}

/// The words that columns have, by the number of what they stand for.
const DIRECTION_WORDS: [Option<&str>; DIRECTIONS as usize] = {
    let mut words = [None; DIRECTIONS as usize];
    words[Direction::Egress as usize] = Some("egress");
    words[Direction::Ingress as usize] = Some("ingress");
    words
};

/// Who it is, and what tells so.
const INITIATOR_WORDS: [[Option<&str>; 2]; INITIATORS as usize] = {
    let mut words = [[Some("unknown"), None]; INITIATORS as usize];
    words[Initiator::Local as usize] = [Some("local"), Some("flags")];
    words[Initiator::LocalLikely as usize] = [Some("local"), Some("ports")];
    words[Initiator::Remote as usize] = [Some("remote"), Some("flags")];
    words[Initiator::RemoteLikely as usize] = [Some("remote"), Some("ports")];
    words
};

const SCOPE_WORDS: [&str; SCOPES as usize] = {
    let mut words = [""; SCOPES as usize];
    words[Scope::Internal as usize] = "internal";
    words[Scope::External as usize] = "external";
    words[Scope::Link as usize] = "link";
    words
};

const VIA_WORDS: [&str; VIAS as usize] = ["own", "received", "forwarded"];
