//! What an interface and a host outside exchange within one window of aggregation.

use outflow_enrich::protocol;

/// The bytes of a packet that carry data, at most: what an Ethernet frame leaves for them.
const SEGMENT: u64 = 1_400;

/// Both directions of one conversation within one window: two flow log records, or one where nothing came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// First packet, Unix seconds.
    pub start: u32,
    /// Last packet, Unix seconds.
    pub end: u32,
    /// Number of the interface within its world.
    pub eni: u32,
    /// The host outside, an IPv4 address.
    pub peer: u32,
    /// Port of the side that serves; 0 where the protocol has none.
    pub port: u16,
    /// Port of the side that opened the conversation.
    pub client_port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// Whether the host outside opened it.
    pub served: bool,
    /// Whether it was opened within this window.
    pub begins: bool,
    /// Bytes from the interface, headers included.
    pub up_bytes: u64,
    /// Packets from the interface.
    pub up_packets: u64,
    /// Bytes to the interface, headers included.
    pub down_bytes: u64,
    /// Packets to the interface.
    pub down_packets: u64,
}

impl Row {
    /// Payload from the interface, as flow logs tell it: bytes without headers.
    pub fn up_payload(&self) -> u64 {
        self.up_bytes
            .saturating_sub(self.up_packets * header(self.protocol))
    }

    /// Payload to the interface.
    pub fn down_payload(&self) -> u64 {
        self.down_bytes
            .saturating_sub(self.down_packets * header(self.protocol))
    }
}

fn header(number: u8) -> u64 {
    match number {
        protocol::TCP => 52,
        _ => 28,
    }
}

/// A conversation to be cut into windows.
#[derive(Debug, Clone, Copy)]
pub struct Transfer {
    /// Number of the interface.
    pub eni: u32,
    /// The host outside.
    pub peer: u32,
    /// Port of the side that serves.
    pub port: u16,
    /// Port of the other side.
    pub client_port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// Whether the host outside opened it.
    pub served: bool,
    /// First packet, Unix seconds.
    pub start: u32,
    /// Seconds to the last.
    pub secs: u32,
    /// Payload from the interface.
    pub up: u64,
    /// Payload to the interface.
    pub down: u64,
}

impl Transfer {
    /// Appends a row for each window of so many seconds, as a flow log would have them.
    pub fn cut(&self, window_secs: u32, out: &mut Vec<Row>) {
        let last = self.start + self.secs;
        let windows = u64::from((last / window_secs) - (self.start / window_secs) + 1);
        let mut at = self.start;
        for number in 0..windows {
            let until = (at / window_secs + 1) * window_secs;
            let end = last.min(until - 1);
            // Of a transfer that does not divide evenly the first windows have more.
            let share = |all: u64| all / windows + u64::from(number < all % windows);
            out.push(self.window((at, end), number == 0, share(self.up), share(self.down)));
            at = until;
        }
    }

    fn window(&self, (start, end): (u32, u32), begins: bool, up: u64, down: u64) -> Row {
        let is_tcp = self.protocol == protocol::TCP;
        let (sent, got) = (up.div_ceil(SEGMENT), down.div_ceil(SEGMENT));
        // Every second packet is acknowledged; a connection is opened and closed by three each way.
        let extra = |other: u64| match is_tcp {
            true => other / 2 + if begins { 3 } else { 1 },
            false => 0,
        };
        let (up_packets, down_packets) = (sent + extra(got), got + extra(sent));
        Row {
            start,
            end,
            eni: self.eni,
            peer: self.peer,
            port: self.port,
            client_port: self.client_port,
            protocol: self.protocol,
            served: self.served,
            begins,
            up_bytes: up + up_packets * header(self.protocol),
            up_packets,
            down_bytes: down + down_packets * header(self.protocol),
            down_packets,
        }
    }
}

#[cfg(test)]
mod tests;
