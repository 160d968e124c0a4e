//! What of a row of `flows` is rolled up, side by side.
//!
//! Rows are rolled up in the order in which they are stored, which is not the one in which they come. In columns, each of
//! two dozen values of a row would be a load of memory of its own; so they are put beside one another as rows come, and
//! are one or two.

use std::hash::{Hash, Hasher};

use outflow_record::Field;

use super::super::column::{Column, LONG_NULL, NULL};
use super::super::{Cells, FlowRows, Of, Seen, SortedFlows};

/// Rows that are brought together at a time, so that the loads of one need not wait for those of another.
const BLOCK_ROWS: usize = 64;

/// Ports from here on are those that a client takes of its own for each connection.
const EPHEMERAL_FROM: i32 = 32_768;

/// Protocols that have ports.
const WITH_PORTS: [i32; 3] = [6, 17, 132];

/// What rows have in common that are rolled up into one: keys of texts in their columns, and numbers. [`NULL`] is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(in super::super) account_id: i32,
    pub(in super::super) interface_id: i32,
    pub(in super::super) vpc_id: i32,
    pub(in super::super) workload: i32,
    pub(in super::super) flow_log_id: i32,
    pub(in super::super) action: i32,
    /// Number of what is known of the other side.
    pub(in super::super) remote: u32,
    /// Key of the other side's address. Where rows are rolled up, number of the group that it is in.
    pub(in super::super) remote_addr: i32,
    pub(in super::super) protocol: i16,
    /// The port of the side that was called; of either side the lower one where that is not known. None where there is
    /// none, or where it is one that clients take.
    pub(in super::super) port: i16,
    pub(in super::super) direction: i8,
    pub(in super::super) scope: i8,
    pub(in super::super) initiator: i8,
    pub(in super::super) counted: bool,
}

impl Hash for Key {
    /// By what tells rows of one interface apart: the rest is the same in nearly all of them.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let remote = u64::from(self.remote_addr.cast_unsigned()) << 32 | u64::from(self.remote);
        let [a, b] = self.protocol.to_le_bytes();
        let [c, d] = self.port.to_le_bytes();
        let words = [self.direction, self.scope, self.initiator].map(i8::cast_unsigned);
        let [e, f, g] = words;
        // Verdicts are three or four.
        let action = self.action.to_le_bytes()[0];
        state.write_u64(remote);
        state.write_u64(u64::from_le_bytes([a, b, c, d, e, f, g, action]));
    }
}

/// A row. One that lacks what a flow needs has no scope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(in super::super) key: Key,
    start: i64,
    end: i64,
    bytes: i64,
    payload_bytes: i64,
    packets: i64,
}

/// What rows add up to, in the order of the table's columns.
pub(crate) type Sums = [i64; 6];

/// What no rows add up to.
pub(in super::super) const fn nothing() -> Sums {
    [0, 0, 0, 0, i64::MAX, i64::MIN]
}

/// Adds up.
pub(in super::super) fn add_up(sums: &mut Sums, more: Sums) {
    for (sum, more) in sums.iter_mut().zip(more).take(4) {
        *sum = sum.saturating_add(more);
    }
    sums[4] = sums[4].min(more[4]);
    sums[5] = sums[5].max(more[5]);
}

impl Row {
    /// When it began, in microseconds.
    pub(in super::super) fn start(&self) -> i64 {
        self.start
    }

    /// What it alone adds up to.
    pub(in super::super) fn sums(&self) -> Sums {
        // Null, too, is less than zero.
        let count = |of: i64| of.max(0);
        let first = match self.start {
            LONG_NULL => self.end,
            start => start,
        };
        let last = match self.end {
            LONG_NULL => self.start,
            end => end,
        };
        let (bytes, payload_bytes) = (count(self.bytes), count(self.payload_bytes));
        [1, count(self.packets), bytes, payload_bytes, first, last]
    }
}

impl FlowRows {
    /// Puts values of the rows that were appended last beside one another.
    pub(in super::super) fn append_rolled(&mut self, seen: &Seen<'_>, rows: &[u32]) {
        let mut rolled = std::mem::take(&mut self.rolled);
        let columns = Columns::of(self, self.len);
        rolled.extend(rows.iter().enumerate().map(|(at, row)| {
            let remote = self.remote_numbers[seen.remote_of[*row as usize] as usize];
            columns.row(at, remote, self.counted[self.len + at])
        }));
        self.rolled = rolled;
    }

    /// Calls back with the rows in their order, without those that lack what a flow needs.
    pub(crate) fn each_rolled(&self, sorted: &SortedFlows<'_>, mut call: impl FnMut(&Row)) {
        let mut block = Vec::with_capacity(BLOCK_ROWS);
        for rows in sorted.order.chunks(BLOCK_ROWS) {
            block.clear();
            block.extend(rows.iter().map(|row| self.rolled[*row as usize]));
            let measured = block.iter().filter(|row| i32::from(row.key.scope) != NULL);
            measured.for_each(&mut call);
        }
    }
}

/// Columns of rows, from the first that is looked at.
struct Columns<'a> {
    account_id: &'a [i32],
    interface_id: &'a [i32],
    vpc_id: &'a [i32],
    workload: &'a [i32],
    flow_log_id: &'a [i32],
    action: &'a [i32],
    direction: &'a [i32],
    scope: &'a [i32],
    initiator: &'a [i32],
    remote_addr: &'a [i32],
    local_port: &'a [i32],
    remote_port: &'a [i32],
    protocol: &'a [i32],
    start: &'a [i64],
    end: &'a [i64],
    bytes: &'a [i64],
    payload_bytes: &'a [i64],
    packets: &'a [i64],
    /// Keys of the words that are asked for.
    opened_here: i32,
    opened_there: i32,
}

impl<'a> Columns<'a> {
    fn of(rows: &'a FlowRows, from: usize) -> Self {
        let aws = |field| keys_from(rows.aws(field), from);
        let enriched = |of| keys_from(rows.enriched(of), from);
        let numbers = |column: &'a Column| column.numbers().get(from..).unwrap_or_default();
        Self {
            account_id: aws(Field::AccountId),
            interface_id: aws(Field::InterfaceId),
            vpc_id: aws(Field::VpcId),
            workload: enriched(Of::Workload),
            flow_log_id: enriched(Of::FlowLogId),
            action: aws(Field::Action),
            direction: enriched(Of::Direction),
            scope: enriched(Of::Scope),
            initiator: enriched(Of::Initiator),
            remote_addr: enriched(Of::RemoteAddr),
            local_port: enriched(Of::LocalPort),
            remote_port: enriched(Of::RemotePort),
            protocol: aws(Field::Protocol),
            start: numbers(rows.aws(Field::Start)),
            end: numbers(rows.aws(Field::End)),
            bytes: numbers(rows.aws(Field::Bytes)),
            payload_bytes: numbers(rows.enriched(Of::PayloadBytes)),
            packets: numbers(rows.aws(Field::Packets)),
            opened_here: rows.enriched(Of::Initiator).key_of("local"),
            opened_there: rows.enriched(Of::Initiator).key_of("remote"),
        }
    }

    fn row(&self, at: usize, remote: u32, counted: bool) -> Row {
        let own = Key {
            account_id: key(self.account_id, at),
            interface_id: key(self.interface_id, at),
            vpc_id: key(self.vpc_id, at),
            workload: key(self.workload, at),
            flow_log_id: key(self.flow_log_id, at),
            action: key(self.action, at),
            remote,
            remote_addr: key(self.remote_addr, at),
            protocol: small(key(self.protocol, at)),
            port: small(self.port(at)),
            direction: word(key(self.direction, at)),
            scope: word(key(self.scope, at)),
            initiator: word(key(self.initiator, at)),
            counted,
        };
        Row {
            key: own,
            start: long(self.start, at),
            end: long(self.end, at),
            bytes: long(self.bytes, at),
            payload_bytes: long(self.payload_bytes, at),
            packets: long(self.packets, at),
        }
    }

    fn port(&self, at: usize) -> i32 {
        if !WITH_PORTS.contains(&key(self.protocol, at)) {
            return NULL;
        }
        let (local, remote) = (key(self.local_port, at), key(self.remote_port, at));
        let initiator = key(self.initiator, at);
        let port = if initiator == self.opened_here {
            remote
        } else if initiator == self.opened_there {
            local
        } else {
            local.min(remote)
        };
        if port < EPHEMERAL_FROM { port } else { NULL }
    }
}

/// A column's value in a row; columns end behind their last value.
fn key(of: &[i32], at: usize) -> i32 {
    of.get(at).copied().unwrap_or(NULL)
}

fn long(of: &[i64], at: usize) -> i64 {
    of.get(at).copied().unwrap_or(LONG_NULL)
}

/// Protocols, and the ports that are kept, are below [`EPHEMERAL_FROM`].
fn small(number: i32) -> i16 {
    i16::try_from(number).unwrap_or(-1)
}

/// Key of one of the three or four words that a column of the program's own words has.
fn word(key: i32) -> i8 {
    i8::try_from(key).unwrap_or(-1)
}

fn keys_from(column: &Column, from: usize) -> &[i32] {
    let keys = match column.cells() {
        Cells::Texts { keys, .. } | Cells::Addrs(keys) | Cells::Smalls(keys) => keys,
        _ => &[],
    };
    keys.get(from..).unwrap_or_default()
}
