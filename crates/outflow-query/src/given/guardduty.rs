//! Findings of GuardDuty as a table.

use outflow_posture::{GuardDutyRecord, GuardDutyRecords};

use super::GivenTable;
use super::columns::{batch, doubles, flags, lists, longs, texts, times};
use crate::error::Error;

/// The table's name.
pub(super) const NAME: &str = "guardduty";

/// The table `guardduty`: a row for each finding, as [`GuardDutyRecord`] has it, by id. Addresses, interfaces, VPCs and buckets are
/// lists, to be taken apart by `unnest`.
///
/// # Errors
/// [`Error::Run`] if the columns do not fit one another, which is a fault of the program.
pub fn guardduty(records: &GuardDutyRecords) -> Result<GivenTable, Error> {
    let of = || records.iter();
    let text = |get: fn(&GuardDutyRecord) -> Option<&str>| texts(of().map(get));
    let strings = |addrs: &std::collections::BTreeSet<outflow_record::Addr>| -> Vec<String> {
        addrs.iter().map(ToString::to_string).collect()
    };
    let columns = vec![
        ("id", text(|of| Some(&of.id))),
        ("type", text(|of| Some(&of.kind))),
        ("severity", doubles(of().map(|of| Some(of.severity)))),
        ("title", text(|of| of.title.as_deref())),
        ("account_id", text(|of| Some(&of.account_id))),
        ("region", text(|of| of.region.as_deref())),
        ("resource_type", text(|of| of.resource_type.as_deref())),
        ("resource_role", text(|of| of.resource_role.as_deref())),
        ("instance_id", text(|of| of.instance_id.as_deref())),
        (
            "interface_ids",
            lists(of().map(|of| of.interface_ids.clone())),
        ),
        ("vpc_ids", lists(of().map(|of| of.vpc_ids.clone()))),
        (
            "private_addrs",
            lists(of().map(|of| strings(&of.private_addrs))),
        ),
        ("buckets", lists(of().map(|of| of.buckets.clone()))),
        ("action", text(|of| of.action.as_deref())),
        ("direction", text(|of| of.direction.as_deref())),
        ("protocol", text(|of| of.protocol.as_deref())),
        ("blocked", flags(of().map(|of| of.blocked))),
        ("local_port", longs(of().map(|of| of.local_port))),
        (
            "remote_addrs",
            lists(of().map(|of| strings(&of.remote_addrs))),
        ),
        ("remote_port", longs(of().map(|of| of.remote_port))),
        ("remote_country", text(|of| of.remote_country.as_deref())),
        ("remote_org", text(|of| of.remote_org.as_deref())),
        ("domain", text(|of| of.domain.as_deref())),
        ("count", longs(of().map(|of| of.count))),
        ("created_at", times(of().map(|of| Some(of.created_at)))),
        ("updated_at", times(of().map(|of| Some(of.updated_at)))),
        ("first_seen", times(of().map(|of| of.first_seen))),
        ("last_seen", times(of().map(|of| of.last_seen))),
        ("archived", flags(of().map(|of| Some(of.archived)))),
    ];
    Ok(GivenTable {
        name: NAME,
        batch: batch(columns)?,
    })
}
