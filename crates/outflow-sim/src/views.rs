//! Which interfaces log a conversation, and how it looks to each.
//!
//! An internal conversation is logged by both interfaces. One that passes a NAT gateway is logged by the
//! instance and twice by the gateway, whose own address stands in `srcaddr` or `dstaddr` while the packet's
//! addresses stay in `pkt-srcaddr` and `pkt-dstaddr`.

use outflow_record::Addr;

use crate::conversation::{Conversation, Host, Protocol};
use crate::destinations::Peer;
use crate::inventory::Inventory;

/// A direction as an interface sees it, whatever the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) src: End,
    pub(crate) dst: End,
    pub(crate) egress: bool,
    pub(crate) path: Option<u8>,
    /// The interface at the other end of the hop, if it is one of the world's.
    pub(crate) next_hop: Option<usize>,
}

/// A source or destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// The address of the hop.
    pub(crate) addr: Addr,
    /// The address in the packet.
    pub(crate) pkt: Addr,
    pub(crate) port: u16,
    pub(crate) service: Option<&'static str>,
}

impl End {
    fn new(addr: Addr, port: u16, service: Option<&'static str>) -> Self {
        Self {
            addr,
            pkt: addr,
            port,
            service,
        }
    }
}

impl Side {
    /// The same packets as the interface sees them that sends them.
    fn leaving(self, path: u8, next_hop: Option<usize>) -> Self {
        Self {
            egress: true,
            path: Some(path),
            next_hop,
            ..self
        }
    }

    /// The same packets as the interface sees them that receives them.
    fn arriving(self, next_hop: Option<usize>) -> Self {
        Self {
            egress: false,
            path: None,
            next_hop,
            ..self
        }
    }

    /// The way back, with the path that it takes if it leaves the interface.
    fn back(self, path: u8) -> Self {
        let turned = Self {
            src: self.dst,
            dst: self.src,
            ..self
        };
        if self.egress {
            turned.arriving(self.next_hop)
        } else {
            turned.leaving(path, self.next_hop)
        }
    }
}

/// Both directions of a conversation on one interface.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) eni: usize,
    pub(crate) up: Side,
    pub(crate) down: Side,
}

impl View {
    fn new(eni: usize, up: Side, down: Side) -> Self {
        Self { eni, up, down }
    }
}

const PATH_SAME_VPC: u8 = 1;
const PATH_GATEWAY_ENDPOINT: u8 = 7;
const PATH_INTERNET_GATEWAY: u8 = 8;

/// Both directions of a conversation on each interface that logs it.
pub(crate) fn views(inventory: &Inventory, conversation: &Conversation) -> Vec<View> {
    let Conversation {
        client,
        server,
        client_port,
        server_port,
        v6,
        ..
    } = *conversation;
    let up = Side {
        src: end(inventory, client, client_port, v6),
        dst: end(inventory, server, server_port, v6),
        egress: true,
        path: None,
        next_hop: None,
    };
    match (client, server) {
        (Host::Eni(from), Host::Eni(to)) => internal(from, to, up),
        (Host::Eni(from), Host::Outside(peer)) => {
            let public = inventory.enis[from].role.public();
            if public || v6 || peer.by_gateway_endpoint() {
                let out = up.leaving(direct_path(&peer), None);
                return vec![View::new(from, out, out.back(0))];
            }
            through_nat(inventory, conversation, from, up)
        }
        (Host::Outside(_), Host::Eni(to)) => {
            let arriving = up.arriving(None);
            vec![View::new(
                to,
                arriving,
                arriving.back(PATH_INTERNET_GATEWAY),
            )]
        }
        (Host::Outside(_), Host::Outside(_)) => Vec::new(),
    }
}

fn internal(from: usize, to: usize, up: Side) -> Vec<View> {
    let out = up.leaving(PATH_SAME_VPC, Some(to));
    let arriving = up.arriving(Some(from));
    vec![
        View::new(from, out, out.back(0)),
        View::new(to, arriving, arriving.back(PATH_SAME_VPC)),
    ]
}

fn through_nat(
    inventory: &Inventory,
    conversation: &Conversation,
    from: usize,
    up: Side,
) -> Vec<View> {
    let nat = inventory.accounts[inventory.enis[from].account].nat;
    let nat_addr = inventory.enis[nat].addr;
    let nat_port = u16::try_from(1_024 + conversation.key % 64_000).unwrap_or(u16::MAX);
    let nat_end = match conversation.protocol {
        Protocol::Icmp => End::new(nat_addr, 0, None),
        Protocol::Tcp | Protocol::Udp => End::new(nat_addr, nat_port, None),
    };
    let out = up.leaving(PATH_SAME_VPC, Some(nat));
    let inner_dst = End {
        addr: nat_addr,
        ..up.dst
    };
    let inner = Side {
        dst: inner_dst,
        ..up.arriving(Some(from))
    };
    let outer = Side {
        src: nat_end,
        ..up.leaving(PATH_INTERNET_GATEWAY, None)
    };
    vec![
        View::new(from, out, out.back(0)),
        View::new(nat, inner, inner.back(PATH_SAME_VPC)),
        View::new(nat, outer, outer.back(0)),
    ]
}

fn direct_path(peer: &Peer) -> u8 {
    if peer.by_gateway_endpoint() {
        PATH_GATEWAY_ENDPOINT
    } else {
        PATH_INTERNET_GATEWAY
    }
}

fn end(inventory: &Inventory, host: Host, port: u16, v6: bool) -> End {
    match host {
        // The IPv6 addresses of a VPC are public ones, from the range of EC2.
        Host::Eni(at) => match inventory.enis[at].v6.filter(|_| v6) {
            Some(addr) => End::new(addr, port, Some("EC2")),
            None => End::new(inventory.enis[at].addr, port, None),
        },
        Host::Outside(peer) => match peer.v6.filter(|_| v6) {
            Some(addr) => End::new(addr, port, peer.service),
            None => End::new(peer.addr, port, peer.service),
        },
    }
}

#[cfg(test)]
mod tests;
