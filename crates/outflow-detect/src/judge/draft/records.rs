//! The records behind a finding: how much of their time was watched, and the query that returns them.

use outflow_enrich::{InterfaceKey, PointKey};
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
        // Ids last: a hostile one may look like a place to fill in.
        EVIDENCE_SQL
            .trim_end()
            .replace("{first}", &self.first.to_string())
            .replace("{last}", &self.last.to_string())
            .replace("{with_addresses}", &self.with_addresses(view))
            .replace("{of_interfaces}", &self.of_interfaces(view))
    }

    fn keys<'v>(&self, view: &'v View<'_>) -> impl Iterator<Item = &'v PointKey> {
        self.interfaces.iter().map(|of| &view.interface(*of).key)
    }

    fn of_interfaces(&self, view: &View<'_>) -> String {
        let keys = || self.keys(view).map(|key| &key.interface);
        let mut accounts: Vec<&str> = keys().map(|key| key.account_id.as_str()).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let ids: Vec<&str> = keys().map(|key| key.interface_id.as_str()).collect();
        if ids.contains(&"") {
            // The log does not say which they are.
            String::new()
        } else if ids.len() <= INTERFACES_MAX {
            let in_list = list(ids.iter().map(|id| quoted(id)));
            // A regional NAT gateway and an attachment have no interface, and are told by columns of their own; tables of
            // the latter have no other.
            let columns = [
                ("interface_id", !keys().all(InterfaceKey::is_attachment)),
                ("resource_id", ids.iter().any(|id| id.starts_with("nat-"))),
                ("tgw_attachment_id", keys().any(InterfaceKey::is_attachment)),
            ];
            let named = columns
                .iter()
                .filter(|(_, is_needed)| *is_needed)
                .map(|(column, _)| format!("{column} IN ({in_list})"));
            format!("{} AND ", any_of(named))
        } else if accounts.contains(&"") {
            // The log does not say whose they are.
            String::new()
        } else {
            let accounts = accounts.into_iter().map(quoted);
            format!("account_id IN ({}) AND ", list(accounts))
        }
    }

    fn with_addresses(&self, view: &View<'_>) -> String {
        // Behind an intermediary, the record has its address in the stead of one side.
        let hosts = || {
            let keys = self.keys(view).filter(|key| !key.interface.is_attachment());
            keys.filter_map(|key| key.via.host())
        };
        let mut out = String::new();
        let mut narrow = |columns: &[&str], addresses: &mut dyn Iterator<Item = Addr>| {
            let addresses = list(addresses.map(|addr| quoted(&addr.to_string())));
            let named = columns
                .iter()
                .map(|column| format!("{column} IN ({addresses})"));
            out += &format!(" AND {}", any_of(named));
        };
        if self.are_all_addresses {
            let columns = ["dstaddr", "srcaddr", "pkt_dstaddr", "pkt_srcaddr"];
            let needed = if hosts().next().is_some() { 4 } else { 2 };
            narrow(&columns[..needed], &mut self.addresses.iter().copied());
        }
        let are_all_behind = hosts().count() == self.interfaces.len();
        if are_all_behind && self.interfaces.len() <= INTERFACES_MAX {
            narrow(&["pkt_srcaddr", "pkt_dstaddr"], &mut hosts());
        }
        out
    }
}

/// Conditions of which one must hold.
fn any_of(conditions: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = conditions.collect();
    match &all[..] {
        [one] => one.clone(),
        _ => format!("({})", all.join(" OR ")),
    }
}

fn list(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join(", ")
}

pub(in crate::judge) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
