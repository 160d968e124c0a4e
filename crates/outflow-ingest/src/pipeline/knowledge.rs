//! What judging knows beside the records, out of context and the answers of the resolver.

use std::sync::Arc;

use outflow_enrich::{
    DestinationGroups, Error, GroupSources, Knowledge, KnownDestinations, PassiveDns,
};

use crate::Context;

/// What is known. Without context and answers that is nothing, whatever is built in.
pub(crate) fn of(
    context: &Context,
    names: &PassiveDns,
    known: &KnownDestinations,
) -> Result<Knowledge, Error> {
    let destinations = if context.read.is_empty() && names.held() == 0 {
        DestinationGroups::default()
    } else {
        DestinationGroups::new(GroupSources {
            ranges: context.ranges.as_ref(),
            known,
            names,
            geo: &context.geo,
        })?
    };
    Ok(Knowledge {
        inventory: Arc::clone(&context.inventory),
        destinations,
        geo: Arc::clone(&context.geo),
    })
}
