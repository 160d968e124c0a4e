//! Who sent: what records and the inventory say of an interface.

use outflow_enrich::inventory::{InterfaceInfo, Known};
use outflow_finding::{SENDER_TAGS_MAX, SecurityGroup, Sender};
use outflow_record::Timestamp;

use crate::view::View;

/// A party of the view as of a time; records go before the inventory. Of a host that was seen through the interface
/// which passed on its packets, the interface that holds its address in that VPC is meant.
pub(in crate::judge) fn sender(view: &View<'_>, party: u32, at: Timestamp) -> Sender {
    let (entity, inventory) = (view.interface(party), view.inventory());
    let known = match entity.key.via.host() {
        Some(host) => view
            .placed(party)
            .vpc_id(entity)
            .and_then(|vpc_id| inventory.holder(vpc_id, host, at)),
        None => inventory.interface(&entity.key.interface.interface_id, at),
    };
    let records = Attached {
        instance_id: entity.interface.instance_id.clone(),
        subnet_id: entity.interface.subnet_id.clone(),
    };
    of_known(view, known, records, at)
}

/// What records say of where an interface is.
#[derive(Debug, Default)]
pub(in crate::judge) struct Attached {
    pub(in crate::judge) instance_id: Option<String>,
    pub(in crate::judge) subnet_id: Option<String>,
}

/// An interface as the inventory knows it, if it does, and as records have it.
pub(in crate::judge) fn of_known(
    view: &View<'_>,
    known: Option<Known<'_, InterfaceInfo>>,
    records: Attached,
    at: Timestamp,
) -> Sender {
    let inventory = view.inventory();
    let value = known.as_ref().map(|known| known.value);
    let told = |text: fn(&InterfaceInfo) -> &str| value.and_then(|value| some(text(value)));
    let by_inventory = value.and_then(|value| value.instance_id.clone());
    let instance_id = records.instance_id.or(by_inventory);
    let by_inventory = told(|value| &value.subnet_id);
    let subnet_id = records.subnet_id.or(by_inventory);
    let of_subnet = || {
        let subnet = inventory.subnets.get(subnet_id.as_deref()?, at)?;
        some(&subnet.value.availability_zone_id)
    };
    let mut sender = Sender {
        availability_zone_id: told(|value| &value.availability_zone_id).or_else(of_subnet),
        instance_id,
        subnet_id,
        ..Sender::default()
    };
    add_tags(&mut sender, view, value, at);
    if let Some(Known { value, seen_at, .. }) = known {
        let lineage = inventory.lineage(&value.interface_id, at);
        sender.lineage = lineage.map(|lineage| lineage.to_string());
        sender.observed_at = Some(seen_at);
        let groups = value.security_groups.iter();
        let named = groups.map(|(id, name)| SecurityGroup {
            id: id.clone(),
            name: some(name).or_else(|| {
                let group = inventory.security_groups.get(id, at)?;
                some(&group.value.group_name)
            }),
        });
        sender.security_groups = named.collect();
    }
    sender
}

/// The tags of the instance, and over them those of the interface.
fn add_tags(
    sender: &mut Sender,
    view: &View<'_>,
    interface: Option<&InterfaceInfo>,
    at: Timestamp,
) {
    let instance = sender.instance_id.as_deref();
    let instance = instance.and_then(|id| view.inventory().instances.get(id, at));
    let of_instance = instance.iter().flat_map(|known| &known.value.tags);
    let of_interface = interface.into_iter().flat_map(|value| &value.tags);
    let both = of_instance.chain(of_interface);
    sender.tags = both
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    sender.tags_total = sender.tags.len() as u64;
    while sender.tags.len() > SENDER_TAGS_MAX {
        sender.tags.pop_last();
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
