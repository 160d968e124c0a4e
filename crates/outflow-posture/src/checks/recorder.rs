//! AWS Config: whether it keeps what the network was, so that one can tell later who had an address.

use outflow_enrich::inventory::RecordingGroup;

use crate::criterion::Verdict;
use crate::network::dated;
use crate::view::{Context, View};

/// Types of resources without which nobody can tell later whose traffic it was, and what let it out.
const NEEDED: [&str; 2] = ["AWS::EC2::NetworkInterface", "AWS::EC2::SecurityGroup"];

/// Judges the recorder where a VPC is.
pub(crate) fn judge(context: &Context<'_>, view: &View<'_>, verdict: &mut Verdict) {
    let (inventory, at) = (&context.network.inventory, context.network.at);
    let mut listed = true;
    for (is_listed, what) in [
        (view.is_listed(&inventory.config_recorders, at), "recorders"),
        (
            view.is_listed(&inventory.config_recorder_states, at),
            "states of recorders",
        ),
        (
            view.is_listed(&inventory.config_channels, at),
            "delivery channels",
        ),
    ] {
        if !is_listed {
            listed = false;
            verdict.doubt(format!("{what} of AWS Config were not listed"));
        }
    }
    if !listed {
        return;
    }
    let here = |place| view.place == Some(place);
    let mut recorders = dated(&inventory.config_recorders, at)
        .filter(|(_, known, is_stale)| here(known.place) && !is_stale);
    let Some((id, recorder, _)) = recorders.next() else {
        return verdict.fail("AWS Config records nothing: it has no recorder");
    };
    let name = &recorder.value.name;
    match recorder.value.recording_group.as_ref().map(lacking) {
        None => return verdict.doubt(format!("recorder {name} of AWS Config: what it records")),
        Some(Some(kind)) => {
            return verdict.fail(format!("recorder {name} of AWS Config leaves out {kind}"));
        }
        Some(None) => {}
    }
    let state = inventory.config_recorder_states.get(id, at);
    let Some(state) = state.map(|state| state.value) else {
        return verdict.doubt(format!("recorder {name} of AWS Config: how it does"));
    };
    let delivers = dated(&inventory.config_channels, at).any(|(_, known, _)| here(known.place));
    match (
        state.recording,
        state.last_status.to_ascii_uppercase().as_str(),
    ) {
        (false, _) => verdict.fail(format!("recorder {name} of AWS Config is off")),
        (true, "FAILURE") => verdict.fail(format!("recorder {name} of AWS Config fails")),
        (true, "SUCCESS") if delivers => {
            verdict.hold(format!(
                "recorder {name} of AWS Config keeps the network's past"
            ));
        }
        (true, "SUCCESS") => verdict.fail("AWS Config delivers nowhere"),
        (true, _) => verdict.doubt(format!(
            "recorder {name} of AWS Config has not delivered yet"
        )),
    }
}

/// The first type that is needed, and that a recorder leaves out.
fn lacking(group: &RecordingGroup) -> Option<&'static str> {
    let named = |types: &[String], kind: &str| types.iter().any(|own| own == kind);
    let excluded = &group.exclusion_by_resource_types.resource_types;
    let strategy = group.recording_strategy.use_only.as_str();
    let records = |kind: &str| match strategy {
        "EXCLUSION_BY_RESOURCE_TYPES" => !named(excluded, kind),
        "INCLUSION_BY_RESOURCE_TYPES" => named(&group.resource_types, kind),
        _ => group.all_supported || named(&group.resource_types, kind),
    };
    NEEDED.into_iter().find(|kind| !records(kind))
}
