//! The records behind a finding: how much of their time was watched, and the query that returns them.

use outflow_finding::Coverage;
use outflow_record::Addr;

use crate::entities::Entity;
use crate::time::{BUCKET_SECS, Day, Slot};
use crate::view::View;

/// The query that every finding carries, with places to fill in.
const EVIDENCE_SQL: &str = include_str!("../../../../../queries/evidence.sql");

/// Interfaces that a query lists. With more, it asks for all of their accounts.
const INTERFACES_MAX: usize = 64;

/// What tells the records of a finding from others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Records<'a> {
    /// The interfaces, in the order of the view.
    pub(super) interfaces: &'a [u32],
    /// The other sides.
    pub(super) addresses: &'a [Addr],
    /// Whether these are all. Else the query asks for all rows that the rest of it selects.
    pub(super) are_all_addresses: bool,
    /// Start of the first, Unix seconds.
    pub(super) first: i64,
    /// End of the last, Unix seconds.
    pub(super) last: i64,
    /// The day under judgement: what the log covers later may not change what is said of it.
    pub(super) day: Day,
}

impl Records<'_> {
    /// The share of the ten-minute buckets, from the first record to the last, that the log of the interfaces
    /// covers; of each, only while it is known to have existed.
    pub(super) fn coverage(&self, view: &View<'_>) -> Option<Coverage> {
        let (mut covered, mut expected, mut skipdata, mut late) = (0u64, 0u64, 0u64, 0u64);
        let until = self.last.min(self.day.end() - 1);
        for number in self.interfaces {
            let entity = view.interface(*number);
            let Some((born, gone)) = life(entity, Slot::of(until)) else {
                continue;
            };
            let (first, last) = (self.first.max(born), until.min(gone));
            for slot in Slot::of(first).0..=Slot::of(last).0 {
                let slot = Slot(slot);
                let wanted = slot.buckets(first.max(slot.start()), last);
                expected += u64::from(wanted.count_ones());
                if let Some(coverage) = entity.coverage.get(&slot) {
                    covered += u64::from((coverage.buckets & wanted).count_ones());
                    skipdata = skipdata.saturating_add(coverage.skipdata);
                    late = late.saturating_add(coverage.late_bytes);
                }
            }
        }
        let minutes = BUCKET_SECS.unsigned_abs() / 60;
        (expected > 0).then(|| Coverage {
            share: covered as f64 / expected as f64,
            minutes_covered: covered * minutes,
            minutes_expected: expected * minutes,
            skipdata,
            late_bytes: late,
        })
    }

    /// The query that returns the records, from a table with AWS's column names.
    pub(super) fn sql(&self, view: &View<'_>) -> String {
        let keys = || self.interfaces.iter().map(|of| &view.interface(*of).key);
        let mut accounts: Vec<&str> = keys().map(|key| key.account_id.as_str()).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let ids: Vec<&str> = keys().map(|key| key.interface_id.as_str()).collect();
        let of_interfaces = if ids.contains(&"") {
            // The log does not say which they are.
            String::new()
        } else if ids.len() <= INTERFACES_MAX {
            // A regional NAT gateway has no interface, and is told by its resource.
            let is_resource = |id: &&&str| id.starts_with("nat-");
            let in_list = list(ids.iter().map(|id| quoted(id)));
            if ids.iter().any(|id| is_resource(&id)) {
                format!("(interface_id IN ({in_list}) OR resource_id IN ({in_list})) AND ")
            } else {
                format!("interface_id IN ({in_list}) AND ")
            }
        } else if accounts.contains(&"") {
            // The log does not say whose they are.
            String::new()
        } else {
            let accounts = accounts.into_iter().map(quoted);
            format!("account_id IN ({}) AND ", list(accounts))
        };
        let with_addresses = if self.are_all_addresses {
            let addresses = list(self.addresses.iter().map(|addr| quoted(&addr.to_string())));
            format!(" AND (dstaddr IN ({addresses}) OR srcaddr IN ({addresses}))")
        } else {
            String::new()
        };
        // Ids last: a hostile one may look like a place to fill in.
        EVIDENCE_SQL
            .trim_end()
            .replace("{first}", &self.first.to_string())
            .replace("{last}", &self.last.to_string())
            .replace("{with_addresses}", &with_addresses)
            .replace("{of_interfaces}", &of_interfaces)
    }
}

/// From when to when the log tells of an interface, up to a slot.
fn life(entity: &Entity, until: Slot) -> Option<(i64, i64)> {
    let slots = entity.coverage.range(..=until);
    let mut watched = slots.filter(|(_, of)| of.buckets != 0);
    let (first, born) = watched.next()?;
    let (last, gone) = watched.next_back().unwrap_or((first, born));
    let bucket = |slot: &Slot, number: u32| slot.start() + i64::from(number) * BUCKET_SECS;
    let born = bucket(first, born.buckets.trailing_zeros());
    let gone = bucket(last, 64 - gone.buckets.leading_zeros()) - 1;
    Some((born, gone))
}

fn list(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join(", ")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
