//! The columns of what is seen of a record from its interface, filled together: the flows are gone through once.

use outflow_enrich::{Direction, Flow, Initiator, Scope, Via};

use super::addresses::Appended;
use super::column::NULL;
use super::{By, FlowRows, Of, crosses};

/// Ports of both sides.
const PORTS: [Of; 2] = [Of::LocalPort, Of::RemotePort];

/// The columns under way, with the rows that there are before.
pub(super) struct SeenColumns {
    /// Rows before those that are appended.
    before: usize,
    /// Numbers of what is seen; of the rows that are appended, what is seen in one word.
    numbers: Vec<u32>,
    ports: [Vec<i32>; PORTS.len()],
    local: Appended,
    remote: Appended,
}

/// The numbers of what was seen.
#[derive(Debug)]
pub(super) struct Known([Option<u32>; NO_FLOW as usize + 1]);

const DIRECTIONS: u32 = 3;
const INITIATORS: u32 = 5;
const SCOPES: u32 = 3;
const VIAS: u32 = 3;

/// What is seen of a flow in the words of its columns is a number below this one, which stands for a record that is no flow.
const NO_FLOW: u32 = DIRECTIONS * INITIATORS * SCOPES * VIAS * 2;

impl Default for Known {
    fn default() -> Self {
        Self([None; NO_FLOW as usize + 1])
    }
}

impl SeenColumns {
    /// Takes the columns of these rows, to be given back; with room for more.
    pub(super) fn take(rows: &mut FlowRows, more: usize) -> Self {
        let [mut local, mut remote] = std::mem::take(&mut rows.sides);
        for side in [&mut local, &mut remote] {
            side.clear();
            side.addrs.reserve(more);
        }
        let before = rows.len;
        let mut numbers = std::mem::take(&mut rows.numbers[By::Seen as usize]);
        numbers.reserve(more);
        Self {
            before,
            numbers,
            ports: PORTS.map(|of| rows.column(of).take(before, more)),
            local,
            remote,
        }
    }

    /// Appends a flow.
    #[inline]
    pub(super) fn push(&mut self, flow: &Flow, via: Via) {
        let via_number = match via {
            Via::Own => 0,
            Via::Received(_) => 1,
            Via::Forwarded(_) => 2,
        };
        let is_counted = via == Via::Own && crosses(flow);
        let sight = flow.direction as u32;
        let sight = sight * INITIATORS + flow.initiator as u32;
        let sight = sight * SCOPES + flow.remote_scope as u32;
        let sight = (sight * VIAS + via_number) * 2 + u32::from(is_counted);
        self.numbers.push(sight);
        let [local, remote] = &mut self.ports;
        local.push(i32::from(flow.local_port));
        remote.push(i32::from(flow.remote_port));
        self.local.addrs.push(flow.local.bytes());
        self.remote.addrs.push(flow.remote.bytes());
    }

    /// Appends a record that lacks what a flow needs, of the row with this number among those that are appended.
    pub(super) fn push_none(&mut self, row: u32) {
        self.numbers.push(NO_FLOW);
        for column in &mut self.ports {
            column.push(NULL);
        }
        for column in [&mut self.local, &mut self.remote] {
            column.addrs.push([0; 16]);
            column.nulls.push(row);
        }
    }

    /// Gives the columns back.
    pub(super) fn give_back(mut self, rows: &mut FlowRows) {
        for number in &mut self.numbers[self.before..] {
            *number = match rows.seen.0[*number as usize] {
                Some(known) => known,
                None => add(rows, *number),
            };
        }
        rows.numbers[By::Seen as usize] = self.numbers;
        for (of, ports) in PORTS.into_iter().zip(self.ports) {
            rows.column(of).give(ports);
        }
        rows.sides = [self.local, self.remote];
    }
}

/// Gives what was not seen before its number.
#[cold]
fn add(rows: &mut FlowRows, sight: u32) -> u32 {
    let words = if sight == NO_FLOW {
        [None; 5]
    } else {
        let (rest, via) = (sight / 2 / VIAS, sight / 2 % VIAS);
        let (rest, scope) = (rest / SCOPES, rest % SCOPES);
        let (direction, initiator) = (rest / INITIATORS, rest % INITIATORS);
        let [initiator, by] = INITIATOR_WORDS[initiator as usize];
        [
            DIRECTION_WORDS[direction as usize],
            initiator,
            by,
            Some(SCOPE_WORDS[scope as usize]),
            Some(VIA_WORDS[via as usize]),
        ]
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
    let is_counted = sight != NO_FLOW && sight % 2 == 1;
    let number = u32::try_from(rows.counted.len()).unwrap_or(u32::MAX);
    rows.counted.push(is_counted);
    rows.seen.0[sight as usize] = Some(number);
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
