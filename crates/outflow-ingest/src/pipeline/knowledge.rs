//! What judging knows beside the records, out of context and the answers of the resolver.

use std::sync::Arc;

use outflow_enrich::{
    DestinationGroups, Error, GroupSources, Knowledge, KnownDestinations, Operators, PassiveDns,
};

use crate::Context;

/// What is known. Without context and answers that is nothing, whatever is built in.
pub(crate) fn of(
    context: &Context,
    names: &PassiveDns,
    known: &KnownDestinations,
) -> Result<Knowledge, Error> {
    let is_known = !context.read.is_empty() || names.held() > 0;
    let sources = GroupSources {
        ranges: context.ranges.as_ref(),
        known,
        names,
        geo: &context.geo,
    };
    let (destinations, operators) = if is_known {
        (DestinationGroups::new(sources)?, Operators::new(sources)?)
    } else {
        (DestinationGroups::default(), Operators::default())
    };
    Ok(Knowledge {
        inventory: Arc::clone(&context.inventory),
        destinations,
        operators,
        geo: Arc::clone(&context.geo),
    })
}
