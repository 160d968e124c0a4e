//! Items and a run that tests deliver.

use outflow_finding::{Family, Severity};
use outflow_record::Timestamp;

use crate::{Format, Item, Run};

pub(crate) fn run() -> Run {
    Run::new("run-1", Timestamp(1_790_000_000)).unwrap()
}

pub(crate) fn item(id: &str) -> Item {
    item_of(id, &format!(r#"{{"id":"{id}"}}"#))
}

pub(crate) fn item_of(id: &str, body: &str) -> Item {
    Item::new(
        id,
        Severity::High,
        [Family::VolumeLedger],
        Format::Json,
        body,
    )
    .unwrap()
}
