//! Which folders of a bucket may hold what is wanted, by AWS's layouts of delivery.
//!
//! ```text
//! …/AWSLogs/[o-…/]<account>/vpcflowlogs/<region>/YYYY/MM/DD/[HH/]
//! …/AWSLogs/[o-…/]aws-account-id=<account>/aws-service=vpcflowlogs/aws-region=<region>/year=YYYY/month=MM/day=DD/[hour=HH/]
//! …/AWSLogs/[o-…/]<account>/vpcdnsquerylogs/<vpc>/YYYY/MM/DD/
//! ```
//!
//! A folder is passed over only if the layout says for certain that nothing in it is wanted.

use outflow_record::Timestamp;

use crate::Filter;
use crate::s3_name::{account_id, region_name};

/// Folders above `AWSLogs` that are looked into one by one to find it. Deeper ones are listed with all that is below
/// them, which costs no request more than without a filter.
const ABOVE_MAX: usize = 4;

/// What to do with a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// List what stands in it, and look at each folder there.
    Into,
    /// List everything below it.
    Through,
    /// Pass over it: nothing below is wanted.
    Past,
}

/// What to do with the folder of this prefix, which is empty or ends in `/`.
pub(super) fn look(prefix: &str, filter: &Filter) -> Look {
    if filter.is_all() {
        return Look::Through;
    }
    let folders: Vec<&str> = prefix.split_terminator('/').collect();
    let Some(root) = folders.iter().rposition(|folder| *folder == "AWSLogs") else {
        return if folders.len() < ABOVE_MAX {
            Look::Into
        } else {
            Look::Through
        };
    };
    match &folders[root + 1..] {
        [organization, rest @ ..] if organization.starts_with("o-") => below(rest, filter),
        rest => below(rest, filter),
    }
}

/// What to do with the folder that lies so below `AWSLogs` or the organization.
fn below(folders: &[&str], filter: &Filter) -> Look {
    let value = |at: usize, key: &str| {
        let folder = folders.get(at)?;
        Some(folder.strip_prefix(key).unwrap_or(folder))
    };
    let Some(account) = value(0, "aws-account-id=") else {
        return Look::Into;
    };
    if account_id(account).is_none() {
        return Look::Through;
    }
    if !filter.has_account(account) {
        return Look::Past;
    }
    let service = match value(1, "aws-service=") {
        None => return Look::Into,
        Some(service @ ("vpcflowlogs" | "vpcdnsquerylogs")) => service,
        Some(_) => return Look::Through,
    };
    let Some(place) = value(2, "aws-region=") else {
        return Look::Into;
    };
    // Queries of the resolver lie by VPC, of which the region is not told.
    let is_region = service == "vpcflowlogs";
    let is_formed = if is_region {
        region_name(place).is_some()
    } else {
        place.starts_with("vpc-")
    };
    if !is_formed {
        return Look::Through;
    }
    if is_region && !filter.has_region(place) {
        return Look::Past;
    }
    if filter.since.is_none() && filter.until.is_none() {
        return Look::Through;
    }
    match span(&folders[3..]) {
        None if folders.len() == 3 => Look::Into,
        None => Look::Through,
        Some((from, to)) if !filter.has_delivery(from, to) => Look::Past,
        // Within a day there may be folders of hours: they come with the objects of the day, in the same list.
        Some(_) if folders.len() < 7 => Look::Into,
        Some(_) => Look::Through,
    }
}

/// The time that folders of year, month, day and hour stand for, as far as they go.
fn span(folders: &[&str]) -> Option<(i64, i64)> {
    let names = ["year=", "month=", "day=", "hour="];
    if folders.is_empty() || folders.len() > names.len() {
        return None;
    }
    let mut numbers = [0, 1, 1, 0];
    for (at, folder) in folders.iter().enumerate() {
        let digits = folder.strip_prefix(names[at]).unwrap_or(folder);
        let formed = digits.bytes().all(|byte| byte.is_ascii_digit());
        let long = digits.len() == if at == 0 { 4 } else { 2 };
        numbers[at] = digits.parse::<u16>().ok().filter(|_| formed && long)?;
    }
    let [year, month, day, hour] = numbers;
    let at = |year: u16, month: u16| {
        let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
        let hour = u8::try_from(hour).ok()?;
        let at = Timestamp::from_utc((i64::from(year), month, day), (hour, 0, 0))?;
        Some(at.secs())
    };
    let from = at(year, month)?;
    let to = match folders.len() {
        1 => at(year + 1, 1)?,
        2 if month == 12 => at(year + 1, 1)?,
        2 => at(year, month + 1)?,
        3 => from + 86_400,
        _ => from + 3_600,
    };
    Some((from, to))
}

#[cfg(test)]
mod tests;
