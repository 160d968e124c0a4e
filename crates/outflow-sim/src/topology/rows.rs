//! How packets look at each interface on their way.

use std::fmt::Write as _;

use outflow_record::Addr;

use super::{Eni, TRANSIT_LOG, TopologyLog, Vpc, Window};

/// The two ends of a conversation, seen from the host inside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) near: Addr,
    pub(super) far: Addr,
    pub(super) near_port: u16,
    pub(super) far_port: u16,
}

impl Ends {
    pub(super) fn turned(self) -> Self {
        Self {
            near: self.far,
            far: self.near,
            near_port: self.far_port,
            far_port: self.near_port,
        }
    }
}

/// One way of a conversation at one interface: addresses of the record and of the packet.
#[derive(Debug, Clone, Copy)]
struct Leg {
    source: Addr,
    destination: Addr,
    packet: Ends,
    egress: bool,
}

const HEADER: &str = "account-id vpc-id interface-id instance-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr srcport \
                      dstport protocol tcp-flags packets bytes start end action log-status";
const TRANSIT_HEADER: &str = "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-id tgw-dst-vpc-id \
                              srcaddr dstaddr srcport dstport protocol tcp-flags packets bytes start end log-status \
                              flow-direction";

/// The texts of the flow logs.
#[derive(Debug)]
pub(super) struct Writer {
    texts: Vec<String>,
    has_direction: bool,
}

impl Writer {
    pub(super) fn new(logs: usize, has_direction: bool) -> Self {
        let direction = if has_direction { " flow-direction" } else { "" };
        let mut texts = vec![format!("{HEADER}{direction}\n"); logs];
        texts.push(format!("{TRANSIT_HEADER}\n"));
        Self {
            texts,
            has_direction,
        }
    }

    pub(super) fn finish(self, owners: &[&str]) -> Vec<TopologyLog> {
        let logs = self.texts.into_iter().zip(owners).enumerate();
        logs.map(|(at, (text, owner))| TopologyLog {
            flow_log: format!("fl-{at}"),
            account_id: (*owner).to_owned(),
            text,
        })
        .collect()
    }

    /// At the host itself.
    pub(super) fn host(
        &mut self,
        eni: &Eni,
        vpc: &Vpc,
        ends: Ends,
        up: &[Window],
        down: &[Window],
    ) {
        self.leg(eni, vpc, plain(ends, true), up);
        self.leg(eni, vpc, plain(ends.turned(), false), down);
    }

    /// At an intermediary that talks to the outside in its own name: on the host's side, and on the other.
    pub(super) fn nat(&mut self, eni: &Eni, vpc: &Vpc, ends: Ends, up: &[Window], down: &[Window]) {
        self.transit_near(eni, vpc, ends, up, down);
        let outer = Ends {
            near: eni.addr,
            ..ends
        };
        self.leg(eni, vpc, plain(outer, true), up);
        self.leg(eni, vpc, plain(outer.turned(), false), down);
    }

    /// At an intermediary, on the side of the host: its own address stands for the far end.
    pub(super) fn transit_near(
        &mut self,
        eni: &Eni,
        vpc: &Vpc,
        ends: Ends,
        up: &[Window],
        down: &[Window],
    ) {
        let taken = Leg {
            destination: eni.addr,
            ..plain(ends, false)
        };
        let given = Leg {
            source: eni.addr,
            ..plain(ends.turned(), true)
        };
        self.leg(eni, vpc, taken, up);
        self.leg(eni, vpc, given, down);
    }

    /// At an intermediary, on the other side: its own address stands for the host.
    pub(super) fn transit_far(
        &mut self,
        eni: &Eni,
        vpc: &Vpc,
        ends: Ends,
        up: &[Window],
        down: &[Window],
    ) {
        self.transit_near(eni, vpc, ends.turned(), down, up);
    }

    /// At both attachments of the transit gateway.
    pub(super) fn transit_log(
        &mut self,
        (near, near_id): (&Vpc, &str),
        (far, far_id): (&Vpc, &str),
        ends: Ends,
        up: &[Window],
        down: &[Window],
    ) {
        for (ends, from, to, windows) in [
            (ends, (near, near_id), (far, far_id), up),
            (ends.turned(), (far, far_id), (near, near_id), down),
        ] {
            for (attachment, direction) in [(from.1, "ingress"), (to.1, "egress")] {
                let (source, destination) = (&from.0.id, &to.0.id);
                for window in windows {
                    let row = format!(
                        "6 TransitGateway 444444444444 tgw-1 {attachment} {source} {destination} {} {} {} OK {direction}\n",
                        ends.near,
                        ends.far,
                        measures(ends, window),
                    );
                    self.texts[TRANSIT_LOG].push_str(&row);
                }
            }
        }
    }

    fn leg(&mut self, eni: &Eni, vpc: &Vpc, leg: Leg, windows: &[Window]) {
        let instance = eni.instance_id.as_deref().unwrap_or("-");
        for cover in &eni.covers {
            let text = &mut self.texts[cover.log];
            let covered = windows
                .iter()
                .filter(|window| (cover.from..cover.until).contains(&window.start));
            for window in covered {
                // Writing to a text cannot fail.
                let _ = write!(
                    text,
                    "{} {} {} {instance} {} {} {} {} {} ACCEPT OK",
                    vpc.account_id,
                    vpc.id,
                    eni.id,
                    leg.source,
                    leg.destination,
                    leg.packet.near,
                    leg.packet.far,
                    measures(leg.packet, window),
                );
                if self.has_direction {
                    text.push_str(if leg.egress { " egress" } else { " ingress" });
                }
                text.push('\n');
            }
        }
    }
}

/// A leg whose record has the packet's own addresses.
fn plain(packet: Ends, egress: bool) -> Leg {
    Leg {
        source: packet.near,
        destination: packet.far,
        packet,
        egress,
    }
}

fn measures(ends: Ends, window: &Window) -> String {
    format!(
        "{} {} 6 {} {} {} {} {}",
        ends.near_port,
        ends.far_port,
        window.flags,
        window.packets,
        window.bytes,
        window.start,
        window.start + 59
    )
}
