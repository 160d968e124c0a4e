//! The records behind a finding: how much of their time was watched, and the query that returns them.

use outflow_finding::{Coverage, Minutes};
use outflow_record::Addr;

use crate::time::Day;
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
    /// The share of the minutes, from the first record to the last, that the log of the interfaces covers; of each,
    /// only while it is known to have existed.
    pub(super) fn coverage(&self, view: &View<'_>) -> Option<Coverage> {
        let minute = |secs: i64| secs.div_euclid(60);
        let limit = minute(self.day.end() - 1);
        let mut minutes = Minutes::default();
        for number in self.interfaces {
            let watch = view.watch(*number);
            if let Some((born, gone)) = watch.life(limit) {
                let first = minute(self.first).max(born);
                minutes.add(&watch.minutes(first, minute(self.last).min(gone), limit));
            }
        }
        (minutes.expected() > 0).then(|| Coverage {
            share: minutes.share(),
            minutes_covered: minutes.covered(),
            minutes_expected: minutes.expected(),
            skipdata: minutes.skipdata_rows,
            late_bytes: minutes.late_bytes,
        })
    }

    /// The query that returns the records, from a table with AWS's column names.
    pub(super) fn sql(&self, view: &View<'_>) -> String {
        let keys = || {
            self.interfaces
                .iter()
                .map(|of| &view.interface(*of).key.interface)
        };
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

fn list(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join(", ")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
