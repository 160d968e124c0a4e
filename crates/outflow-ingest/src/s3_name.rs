//! What AWS's naming of delivered objects tells.
//!
//! ```text
//! AWSLogs/[o-…/]<account>/vpcflowlogs/<region>/…/
//! AWSLogs/aws-account-id=<account>/aws-service=vpcflowlogs/aws-region=<region>/…/
//!     <account>_vpcflowlogs_<region>_<fl-id>_<YYYYMMDDTHHmmZ>_<hash>.log.gz
//! AWSLogs/[o-…/]<account>/vpcdnsquerylogs/<vpc>/…/
//!     <vpc>_vpcdnsquerylogs_<account>_<YYYYMMDDTHHmmZ>_<hash>.log.gz
//! ```
//!
//! The file's own name is preferred to its folders; a part that does not have its form counts as absent.

use outflow_lake::Table;
use outflow_record::Timestamp;

/// The parts of a name, as far as they are there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct S3Name {
    pub(crate) account_id: Option<String>,
    pub(crate) region: Option<String>,
}

impl S3Name {
    /// Reads a path or key, of which any leading part may be missing.
    pub(crate) fn parse(path: &str) -> Self {
        let parts: Vec<&str> = path.split(['/', std::path::MAIN_SEPARATOR]).collect();
        let Some((file, folders)) = parts.split_last() else {
            return Self::default();
        };
        of_file(file)
            .or(of_hive_folders(folders))
            .or(of_folders(folders))
    }

    /// The flow log that delivered the object, and when: the first second of its slot.
    pub(crate) fn delivery(path: &str) -> Option<(&str, Timestamp)> {
        let file = path.rsplit(['/', std::path::MAIN_SEPARATOR]).next()?;
        let parts: Vec<&str> = file.split('_').collect();
        let [_account, "vpcflowlogs", _region, flow_log, _time, _hash] = parts[..] else {
            return None;
        };
        Some((flow_log, delivered_at(file)?)).filter(|(id, _)| id.starts_with("fl-"))
    }

    /// Takes from `other` what this one does not tell.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            account_id: self.account_id.or(other.account_id),
            region: self.region.or(other.region),
        }
    }
}

fn of_file(name: &str) -> S3Name {
    let parts: Vec<&str> = name.split('_').collect();
    match parts[..] {
        [account, "vpcflowlogs", region, _flow_log, _time, _hash] => S3Name {
            account_id: account_id(account),
            region: region_name(region),
        },
        [_vpc, "vpcdnsquerylogs", account, _time, _hash] => S3Name {
            account_id: account_id(account),
            region: None,
        },
        _ => S3Name::default(),
    }
}

fn of_hive_folders(folders: &[&str]) -> S3Name {
    let value = |key: &str| {
        folders
            .iter()
            .rev()
            .find_map(|folder| folder.strip_prefix(key))
    };
    if value("aws-service=") != Some("vpcflowlogs") {
        return S3Name::default();
    }
    S3Name {
        account_id: value("aws-account-id=").and_then(account_id),
        region: value("aws-region=").and_then(region_name),
    }
}

// The folders above the account (bucket prefix, AWSLogs, organization) are not needed to recognise it, so that
// a copy that begins below them is understood too.
fn of_folders(folders: &[&str]) -> S3Name {
    for three in folders.windows(3).rev() {
        let told = match three {
            [account, "vpcflowlogs", region] => account_id(account)
                .zip(region_name(region))
                .map(|(account, region)| (account, Some(region))),
            // No folder of the resolver's tells a region.
            [account, "vpcdnsquerylogs", vpc] if vpc.starts_with("vpc-") => {
                account_id(account).map(|account| (account, None))
            }
            _ => None,
        };
        if let Some((account, region)) = told {
            return S3Name {
                account_id: Some(account),
                region,
            };
        }
    }
    S3Name::default()
}

/// The time in the name of a delivered object, of whatever service: `…_<YYYYMMDDTHHmmZ>_<hash>.…`. For flow logs it
/// is the beginning of the minutes in which the records of the object end.
pub(crate) fn delivered_at(path: &str) -> Option<Timestamp> {
    let file = path.rsplit(['/', std::path::MAIN_SEPARATOR]).next()?;
    let time = file.rsplit('_').nth(1)?;
    let (date, clock) = time.strip_suffix('Z')?.split_once('T')?;
    if date.len() != 8 || clock.len() != 4 || !digits(date) || !digits(clock) {
        return None;
    }
    let small = |text: &str| text.parse::<u8>().ok();
    let date = (
        date[..4].parse().ok()?,
        small(&date[4..6])?,
        small(&date[6..])?,
    );
    Timestamp::from_utc(date, (small(&clock[..2])?, small(&clock[2..])?, 0))
}

/// The table in which rows of an object are, if its name is one that AWS gives: what else it holds is rejects and coverage.
pub(crate) fn log_of(path: &str) -> Option<Table> {
    let file = path.rsplit(['/', std::path::MAIN_SEPARATOR]).next()?;
    let parts: Vec<&str> = file.split('_').collect();
    delivered_at(path)?;
    match parts[..] {
        [account, "vpcflowlogs", region, _flow_log, _time, _hash] => account_id(account)
            .and(region_name(region))
            .map(|_| Table::Flows),
        [vpc, "vpcdnsquerylogs", account, _time, _hash] if vpc.starts_with("vpc-") => {
            account_id(account).map(|_| Table::Dns)
        }
        _ => None,
    }
}

pub(crate) fn account_id(text: &str) -> Option<String> {
    (text.len() == 12 && digits(text)).then(|| text.to_owned())
}

/// `us-east-1`, `us-gov-west-1`: two letters, words, one digit.
pub(crate) fn region_name(text: &str) -> Option<String> {
    let lower =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let parts: Vec<&str> = text.split('-').collect();
    let [land, words @ .., number] = &parts[..] else {
        return None;
    };
    let formed = land.len() == 2 && lower(land) && !words.is_empty() && words.iter().all(lower);
    (formed && number.len() == 1 && digits(number)).then(|| text.to_owned())
}

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
