//! The columns of what is seen of a record from its interface, filled together: the flows are gone through once.

use outflow_enrich::{Direction, Flow, Initiator, Scope, Via};

use super::addresses::Appended;
use super::column::NULL;
use super::{FlowRows, Of, crosses};

/// Those of words and of small numbers.
const KEYED: [Of; 7] = [
    Of::Direction,
    Of::Initiator,
    Of::InitiatorBy,
    Of::Scope,
    Of::Via,
    Of::LocalPort,
    Of::RemotePort,
];

/// The columns under way, with the rows that there are before.
pub(super) struct SeenColumns {
    words: Words,
    keyed: [Vec<i32>; KEYED.len()],
    counted: Vec<bool>,
    local: Appended,
    remote: Appended,
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
        Self {
            words: Words::of(rows),
            keyed: KEYED.map(|of| rows.column(of).take(before, more)),
            counted: std::mem::take(&mut rows.counted),
            local,
            remote,
        }
    }

    /// Appends a flow.
    #[inline]
    pub(super) fn push(&mut self, flow: &Flow, via: Via) {
        let words = &self.words;
        let keys = [
            words.directions[flow.direction as usize],
            words.initiators[flow.initiator as usize],
            words.initiators_by[flow.initiator as usize],
            words.scopes[flow.remote_scope as usize],
            words.via(via),
            i32::from(flow.local_port),
            i32::from(flow.remote_port),
        ];
        for (column, key) in self.keyed.iter_mut().zip(keys) {
            column.push(key);
        }
        self.local.addrs.push(flow.local.bytes());
        self.remote.addrs.push(flow.remote.bytes());
        self.counted.push(via == Via::Own && crosses(flow));
    }

    /// Appends a record that lacks what a flow needs, of the row with this number among those that are appended.
    pub(super) fn push_none(&mut self, row: u32) {
        for column in &mut self.keyed {
            column.push(NULL);
        }
        for column in [&mut self.local, &mut self.remote] {
            column.addrs.push([0; 16]);
            column.nulls.push(row);
        }
        self.counted.push(false);
    }

    /// Gives the columns back.
    pub(super) fn give_back(self, rows: &mut FlowRows) {
        for (of, keys) in KEYED.into_iter().zip(self.keyed) {
            rows.column(of).give(keys);
        }
        rows.counted = self.counted;
        rows.sides = [self.local, self.remote];
    }
}

/// The keys of the words that the columns of what is seen have, by the number of what they stand for: nothing foretells which
/// it is, so that they are looked up without a guess.
struct Words {
    directions: [i32; 3],
    initiators: [i32; 5],
    initiators_by: [i32; 5],
    scopes: [i32; 3],
    vias: [i32; 3],
}

impl Words {
    fn of(rows: &mut FlowRows) -> Self {
        fn keys<T, const N: usize>(
            rows: &mut FlowRows,
            of: Of,
            words: [(T, Option<&str>); N],
            number: fn(T) -> usize,
        ) -> [i32; N] {
            let mut keys = [NULL; N];
            for (meaning, word) in words {
                keys[number(meaning)] = rows.column(of).key(word);
            }
            keys
        }
        let directions = [
            (Direction::Egress, Some("egress")),
            (Direction::Ingress, Some("ingress")),
            (Direction::Unknown, None),
        ];
        let initiators = [
            (Initiator::Local, Some("local")),
            (Initiator::LocalLikely, Some("local")),
            (Initiator::Remote, Some("remote")),
            (Initiator::RemoteLikely, Some("remote")),
            (Initiator::Unknown, Some("unknown")),
        ];
        let initiators_by = [
            (Initiator::Local, Some("flags")),
            (Initiator::LocalLikely, Some("ports")),
            (Initiator::Remote, Some("flags")),
            (Initiator::RemoteLikely, Some("ports")),
            (Initiator::Unknown, None),
        ];
        let scopes = [
            (Scope::Internal, Some("internal")),
            (Scope::External, Some("external")),
            (Scope::Link, Some("link")),
        ];
        let vias = ["own", "received", "forwarded"];
        Self {
            directions: keys(rows, Of::Direction, directions, |of| of as usize),
            initiators: keys(rows, Of::Initiator, initiators, |of| of as usize),
            initiators_by: keys(rows, Of::InitiatorBy, initiators_by, |of| of as usize),
            scopes: keys(rows, Of::Scope, scopes, |of| of as usize),
            vias: vias.map(|word| rows.column(Of::Via).key(Some(word))),
        }
    }

    fn via(&self, of: Via) -> i32 {
        match of {
            Via::Own => self.vias[0],
            Via::Received(_) => self.vias[1],
            Via::Forwarded(_) => self.vias[2],
        }
    }
}
