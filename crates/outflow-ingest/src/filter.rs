//! Which objects of the sources are wanted, by what their names tell.

use outflow_record::Timestamp;

use crate::s3_name::{S3Name, delivered_at};

/// How much later than its name an object may hold the start of a record: AWS names an object by the beginning of
/// the five minutes in which its records end, and who rewrites archives makes objects of an hour.
const NAME_EARLY_SECS: i64 = 3_600;

/// How much earlier than its name an object may hold the start of a record: AWS aggregates for up to ten minutes, and
/// delivers late at times, without a promise. What comes still later is not found by a span; a run without one reads it.
const NAME_LATE_SECS: i64 = 6 * 3_600;

/// What to read of the sources. The default is everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Records that start before this are not wanted: in S3, objects that cannot hold others are not read.
    pub since: Option<Timestamp>,
    /// Nor are those that start at or after this.
    pub until: Option<Timestamp>,
    /// Accounts that own the flow logs; all if empty.
    pub accounts: Vec<String>,
    /// Regions of the flow logs; all if empty.
    pub regions: Vec<String>,
}

impl Filter {
    /// Whether everything is wanted.
    pub(crate) fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an object of this account is wanted.
    pub(crate) fn has_account(&self, account: &str) -> bool {
        self.accounts.is_empty() || self.accounts.iter().any(|wanted| wanted == account)
    }

    /// Whether an object of this region is wanted.
    pub(crate) fn has_region(&self, region: &str) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|wanted| wanted == region)
    }

    /// Whether objects delivered in this span of Unix seconds, its end excluded, may hold records that are wanted.
    pub(crate) fn has_delivery(&self, from: i64, to: i64) -> bool {
        self.since
            .is_none_or(|since| to.saturating_add(NAME_EARLY_SECS) > since.secs())
            && self
                .until
                .is_none_or(|until| from.saturating_sub(NAME_LATE_SECS) < until.secs())
    }

    /// Whether an object of this owner is wanted. What its name does not tell is no reason to leave it out.
    pub fn has_owner(&self, account: Option<&str>, region: Option<&str>) -> bool {
        account.is_none_or(|account| self.has_account(account))
            && region.is_none_or(|region| self.has_region(region))
    }

    /// Whether the object of a key in S3 is wanted.
    pub fn has_key(&self, key: &str) -> bool {
        let name = S3Name::parse(key);
        self.has_owner(name.account_id.as_deref(), name.region.as_deref())
            && delivered_at(key).is_none_or(|at| self.has_delivery(at.secs(), at.secs() + 1))
    }
}

#[cfg(test)]
mod tests;
