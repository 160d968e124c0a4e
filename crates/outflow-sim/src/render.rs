//! Lines of text in the order of a format's fields.

use std::fmt::Write;

use outflow_record::{Field, Format};

use crate::inventory::{Account, Eni, Inventory, Role};
use crate::row::{Content, Flow, Row};

/// Writes the rows of a world.
pub(crate) struct Renderer<'w> {
    inventory: &'w Inventory,
    region: &'w str,
    format: &'w Format,
    /// The highest version among the fields.
    version: u8,
}

impl<'w> Renderer<'w> {
    pub(crate) fn new(inventory: &'w Inventory, region: &'w str, format: &'w Format) -> Self {
        let version = format
            .fields()
            .iter()
            .map(|field| field.version())
            .max()
            .unwrap_or(2);
        Self {
            inventory,
            region,
            format,
            version,
        }
    }

    /// The line of bare names with which an object begins.
    pub(crate) fn header(&self, out: &mut String) {
        for (at, field) in self.format.fields().iter().enumerate() {
            out.push_str(if at == 0 { "" } else { " " });
            out.push_str(field.name());
        }
        out.push('\n');
    }

    pub(crate) fn line(&self, row: &Row, out: &mut String) {
        for (at, field) in self.format.fields().iter().enumerate() {
            out.push_str(if at == 0 { "" } else { " " });
            let before = out.len();
            self.capture(*field, row, out);
            if let Content::Flow(flow) = &row.content {
                self.flow(*field, flow, out);
                self.metadata(*field, row, flow, out);
            }
            if out.len() == before {
                out.push('-');
            }
        }
        out.push('\n');
    }

    /// Fields that rows without data have too.
    fn capture(&self, field: Field, row: &Row, out: &mut String) {
        let eni = &self.inventory.enis[row.eni];
        let account = self.account(eni);
        let subnet = &account.subnets[eni.subnet];
        let status = match row.content {
            Content::Flow(_) => "OK",
            Content::NoData => "NODATA",
            Content::SkipData => "SKIPDATA",
        };
        match field {
            Field::Version => put(out, self.version),
            Field::AccountId => out.push_str(&account.id),
            Field::InterfaceId => out.push_str(&eni.id),
            Field::Start => put(out, row.start),
            Field::End => put(out, row.end),
            Field::LogStatus => out.push_str(status),
            Field::VpcId => out.push_str(&account.vpc),
            Field::SubnetId => out.push_str(&subnet.id),
            Field::Region => out.push_str(self.region),
            Field::AzId => out.push_str(&subnet.az),
            _ => {}
        }
    }

    /// Fields of the packets.
    fn flow(&self, field: Field, flow: &Flow, out: &mut String) {
        let side = &flow.side;
        match field {
            Field::SrcAddr => put(out, side.src.addr),
            Field::DstAddr => put(out, side.dst.addr),
            Field::SrcPort => put(out, side.src.port),
            Field::DstPort => put(out, side.dst.port),
            Field::Protocol => put(out, flow.protocol),
            Field::Packets => put(out, flow.packets),
            Field::Bytes => put(out, flow.bytes),
            Field::Action => out.push_str(if flow.accepted { "ACCEPT" } else { "REJECT" }),
            Field::TcpFlags => put(out, flow.flags),
            Field::Type => out.push_str(if flow.v6 { "IPv6" } else { "IPv4" }),
            Field::PktSrcAddr => put(out, side.src.pkt),
            Field::PktDstAddr => put(out, side.dst.pkt),
            Field::PktSrcAwsService => out.push_str(side.src.service.unwrap_or("-")),
            Field::PktDstAwsService => out.push_str(side.dst.service.unwrap_or("-")),
            Field::FlowDirection => out.push_str(if side.egress { "egress" } else { "ingress" }),
            Field::TrafficPath => {
                if let Some(path) = side.path {
                    put(out, path);
                }
            }
            _ => {}
        }
    }

    /// Fields of the interface and of the one at the other end of the hop. What a world has not (tasks,
    /// sublocations, encryption controls) stays empty.
    fn metadata(&self, field: Field, row: &Row, flow: &Flow, out: &mut String) {
        let eni = &self.inventory.enis[row.eni];
        let hop = flow.side.next_hop.map(|at| &self.inventory.enis[at]);
        let of_instance = eni.instance.is_some();
        match field {
            Field::InstanceId => out.push_str(eni.instance.as_deref().unwrap_or_default()),
            Field::InstanceTag if of_instance => percent_encode(&eni.name, out),
            Field::InstanceTag2 if of_instance => out.push_str("production"),
            Field::InterfaceTag => percent_encode(&format!("{} eni", eni.role.name()), out),
            Field::AsgTag if eni.autoscaled => percent_encode("app fleet", out),
            Field::InterfaceType => out.push_str(interface_type(eni)),
            Field::NextHopInterfaceId => out.push_str(hop.map_or("", |hop| &hop.id)),
            Field::NextHopSubnetId => {
                out.push_str(hop.map_or("", |hop| &self.account(hop).subnets[hop.subnet].id));
            }
            Field::NextHopAzId => {
                out.push_str(hop.map_or("", |hop| &self.account(hop).subnets[hop.subnet].az));
            }
            Field::NextHopVpcId => out.push_str(hop.map_or("", |hop| &self.account(hop).vpc)),
            Field::NextHopInterfaceType => out.push_str(hop.map_or("", interface_type)),
            _ => {}
        }
    }

    fn account(&self, eni: &Eni) -> &Account {
        &self.inventory.accounts[eni.account]
    }
}

fn interface_type(eni: &Eni) -> &'static str {
    if eni.role == Role::NatGateway {
        "nat_gateway"
    } else {
        ""
    }
}

fn put(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{value}");
}

/// Tag values may hold anything, spaces too, so all but unreserved characters are escaped.
fn percent_encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            put(out, format_args!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests;
