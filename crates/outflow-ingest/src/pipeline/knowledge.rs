//! What judging knows beside the records, out of context and the answers of the resolver.

use std::sync::Arc;

use outflow_enrich::{
    DestinationGroups, Error, GroupSources, Knowledge, KnownDestinations, PassiveDns,
};
use outflow_finding::InterfaceCoverage;
use outflow_record::Timestamp;

use crate::Context;

/// What is known. Without context and answers that is nothing, whatever is built in.
pub(super) fn of(context: &Context, names: &PassiveDns) -> Result<Knowledge, Error> {
    let destinations = if context.read.is_empty() && names.held() == 0 {
        DestinationGroups::default()
    } else {
        DestinationGroups::new(GroupSources {
            ranges: context.ranges.as_ref(),
            known: &KnownDestinations::built_in()?,
            names,
            geo: &context.geo,
        })?
    };
    Ok(Knowledge {
        inventory: Arc::clone(&context.inventory),
        destinations,
    })
}

/// Says where interfaces are whose records do not.
pub(super) fn place(interfaces: &mut [InterfaceCoverage], context: &Context) {
    for interface in interfaces {
        let id = interface.interface_id.as_deref().unwrap_or_default();
        let last_seen = interface.last_seen.unwrap_or(Timestamp(i64::MAX));
        let Some(known) = context.inventory.interface(id, last_seen) else {
            continue;
        };
        let said = |text: &String| (!text.is_empty()).then(|| text.clone());
        let (vpc_id, region) = (said(&known.value.vpc_id), said(&known.place.region));
        let instance_id = known.value.instance_id.clone();
        interface.vpc_id = interface.vpc_id.take().or(vpc_id);
        interface.region = interface.region.take().or(region);
        interface.instance_id = interface.instance_id.take().or(instance_id);
    }
}
