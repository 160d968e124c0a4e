//! What lines report, and the lines that a conversation leaves.

use crate::conversation::{Conversation, Outcome, Protocol, Traffic};
use crate::inventory::Inventory;
use crate::objects::LATE_ROWS_PER_MILLE;
use crate::rng::{Domain, Rng};
use crate::views::{Side, views};

/// A line to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) eni: usize,
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Seconds after `end` at which the row is delivered, beyond what is usual.
    pub(crate) late_secs: i64,
    pub(crate) content: Content,
}

/// What a line reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    NoData,
    SkipData,
    Flow(Flow),
}

/// One direction of a conversation in one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) side: Side,
    pub(crate) protocol: u8,
    pub(crate) v6: bool,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) flags: u8,
    pub(crate) accepted: bool,
}

/// Appends the rows of a conversation on every interface that logs it, within the span `[from, until)`.
pub(crate) fn rows(
    inventory: &Inventory,
    conversation: &Conversation,
    span: (i64, i64),
    out: &mut Vec<Row>,
) {
    for view in views(inventory, conversation) {
        let rng = &mut Rng::keyed(conversation.key, Domain::Views, [view.eni as u64, 0]);
        for window in conversation.windows(inventory.enis[view.eni].phase) {
            if window.start < span.0 || window.start >= span.1 {
                continue;
            }
            // Capture stamps a packet up to a minute after it passed, mostly at once.
            let noise = if rng.once_in(12) {
                rng.secs(57)
            } else {
                rng.secs(4)
            };
            let (start, end) = (window.start + noise, window.end + noise + rng.secs(4));
            let directions = [
                (view.up, window.up, window.flags.0),
                (view.down, window.down, window.flags.1),
            ];
            for (side, traffic, flags) in directions {
                let late = rng.below(1_000) < LATE_ROWS_PER_MILLE;
                let late_secs = if late { 600 + rng.secs(3_000) } else { 0 };
                let refused = conversation.outcome == Outcome::Refused;
                if traffic.packets == 0 || (refused && side.egress) {
                    continue;
                }
                let flow = flow(conversation, side, traffic, flags);
                let content = Content::Flow(flow);
                out.push(Row {
                    eni: view.eni,
                    start,
                    end,
                    late_secs,
                    content,
                });
            }
        }
    }
}

fn flow(conversation: &Conversation, side: Side, traffic: Traffic, flags: u8) -> Flow {
    let Conversation {
        protocol,
        v6,
        outcome,
        ..
    } = *conversation;
    // A refused connection is a bare SYN, without room for options but the segment size.
    let refused = outcome == Outcome::Refused && protocol == Protocol::Tcp;
    let header = if refused { 44 } else { protocol.header(v6) };
    Flow {
        side,
        protocol: protocol.number(v6),
        v6,
        packets: traffic.packets,
        bytes: traffic.payload + header * traffic.packets,
        flags,
        accepted: outcome != Outcome::Refused,
    }
}
