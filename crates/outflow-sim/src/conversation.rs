//! One connection between two hosts, and how its packets fall into capture windows.

use crate::destinations::Peer;

/// Seconds of a capture window, as on all current instances.
pub(crate) const WINDOW_SECS: i64 = 60;

/// A side of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// An interface of the world, by position in the inventory.
    Eni(usize),
    /// A host outside of it.
    Outside(Peer),
}

/// The transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Icmp,
    Tcp,
    Udp,
}

impl Protocol {
    /// The IANA number.
    pub(crate) fn number(self, v6: bool) -> u8 {
        match self {
            Self::Icmp if v6 => 58,
            Self::Icmp => 1,
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }

    /// Bytes of IP and transport headers in each packet. TCP carries timestamps, on every segment alike, so
    /// that `bytes - header * packets` is the payload exactly.
    pub(crate) fn header(self, v6: bool) -> u64 {
        let transport = match self {
            Self::Icmp | Self::Udp => 8,
            Self::Tcp => 32,
        };
        transport + if v6 { 40 } else { 20 }
    }
}

/// What one direction carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Traffic {
    pub(crate) packets: u64,
    pub(crate) payload: u64,
}

impl Traffic {
    pub(crate) fn new(packets: u64, payload: u64) -> Self {
        Self { packets, payload }
    }

    /// What has passed when `done` of `whole` seconds have. The first packet comes at once; payload follows
    /// packets, so that no window has payload without packets to carry it.
    fn passed(self, done: i64, whole: i64) -> Self {
        let scaled = |of: u64, part: u64, total: u64| {
            let wide = u128::from(of) * u128::from(part) / u128::from(total.max(1));
            u64::try_from(wide).unwrap_or(u64::MAX)
        };
        if done <= 0 {
            return Self::default();
        }
        if done >= whole {
            return self;
        }
        let packets = scaled(self.packets, done.unsigned_abs(), whole.unsigned_abs());
        let packets = packets.max(1).min(self.packets);
        Self {
            packets,
            payload: scaled(self.payload, packets, self.packets),
        }
    }

    fn minus(self, earlier: Self) -> Self {
        Self {
            packets: self.packets - earlier.packets,
            payload: self.payload - earlier.payload,
        }
    }
}

/// How a conversation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Accepted, and closed in order.
    Closed,
    /// Accepted, and reset by the client.
    Reset,
    /// Refused by a security group: only the first packets are seen, and only arriving.
    Refused,
}

/// One connection (or what stands for one where the protocol has none).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conversation {
    /// Decides noise and translated ports.
    pub(crate) key: u64,
    pub(crate) client: Host,
    pub(crate) server: Host,
    pub(crate) protocol: Protocol,
    pub(crate) v6: bool,
    pub(crate) client_port: u16,
    pub(crate) server_port: u16,
    pub(crate) start: i64,
    pub(crate) secs: i64,
    /// From client to server.
    pub(crate) up: Traffic,
    /// From server to client.
    pub(crate) down: Traffic,
    pub(crate) outcome: Outcome,
}

/// Payload of a full segment between hosts with an MTU of 1500.
const SEGMENT: u64 = 1_448;

impl Conversation {
    /// Sets what a TCP connection carries: payload in full segments, an acknowledgement for every second
    /// one, opening and closing packets. A download is thus nearly all headers upstream.
    pub(crate) fn carry(&mut self, up_payload: u64, down_payload: u64) {
        let segment = SEGMENT - if self.v6 { 20 } else { 0 };
        let (up, down) = (up_payload.div_ceil(segment), down_payload.div_ceil(segment));
        self.up = Traffic::new(up + down / 2 + 3, up_payload);
        self.down = Traffic::new(down + up / 2 + 2, down_payload);
    }

    /// The parts of the conversation that an interface sees whose windows begin at second `phase`.
    pub(crate) fn windows(&self, phase: i64) -> Vec<Window> {
        let (start, end) = (self.start, self.start + self.secs.max(0));
        // Both ends are inside: what begins and ends in the same second lasts one.
        let whole = end - start + 1;
        let mut windows = Vec::new();
        let mut at = start;
        while at <= end {
            let boundary = at + WINDOW_SECS - (at - phase).rem_euclid(WINDOW_SECS);
            let last = boundary > end;
            let until = if last { start + whole } else { boundary };
            let part = |all: Traffic| {
                all.passed(until - start, whole)
                    .minus(all.passed(at - start, whole))
            };
            windows.push(Window {
                start: at,
                end: end.min(boundary - 1),
                up: part(self.up),
                down: part(self.down),
                flags: self.flags(at == start, last),
            });
            at = boundary;
        }
        windows
    }

    /// TCP flags of a window, towards the server and back: only SYN, SYN-ACK, FIN and RST are recorded.
    fn flags(&self, first: bool, last: bool) -> (u8, u8) {
        if self.protocol != Protocol::Tcp {
            return (0, 0);
        }
        let (up_end, down_end) = match self.outcome {
            Outcome::Closed => (1, 1),
            Outcome::Reset => (4, 0),
            // Whatever comes is another attempt to open.
            Outcome::Refused => return (2, 0),
        };
        let (up, down) = if first { (2, 18) } else { (0, 0) };
        if last {
            (up | up_end, down | down_end)
        } else {
            (up, down)
        }
    }
}

/// What an interface sees of a conversation between two boundaries of its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) up: Traffic,
    pub(crate) down: Traffic,
    pub(crate) flags: (u8, u8),
}

#[cfg(test)]
mod tests;
