//! Roles in the accounts that are collected.

use std::str::FromStr;

use crate::Error;
use crate::api::sts::is_account;

/// A role, and the secret that its account may want to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    arn: String,
    external_id: Option<String>,
}

impl Role {
    /// `arn:aws:iam::123456789012:role/NAME`.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The account that the role is in.
    pub fn account_id(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// What the account wants to hear of who takes the role.
    pub fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref()
    }

    /// With another external id, unless it has one.
    #[must_use]
    pub fn or_external_id(mut self, external_id: Option<&str>) -> Self {
        self.external_id = self.external_id.or(external_id.map(str::to_owned));
        self
    }

    /// Reads a list of roles: one a line, its external id behind it if it has one of its own; empty lines and what
    /// stands behind `#` are passed over.
    ///
    /// ```
    /// use outflow_inventory::Role;
    /// let roles = Role::list("# all\narn:aws:iam::111122223333:role/audit\narn:aws:iam::444455556666:role/audit x1\n");
    /// assert_eq!(roles.unwrap()[1].external_id(), Some("x1"));
    /// ```
    ///
    /// # Errors
    /// [`Error::Role`] names the first that is none.
    pub fn list(text: &str) -> Result<Vec<Self>, Error> {
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or(""));
        let lines = lines.map(str::trim).filter(|line| !line.is_empty());
        lines
            .map(|line| {
                let (arn, id) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
                let id = Some(id.trim()).filter(|id| !id.is_empty());
                Ok(arn.parse::<Self>()?.or_external_id(id))
            })
            .collect()
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let is_role = matches!(parts[..], ["arn", partition, "iam", "", account, name]
            if partition.starts_with("aws") && is_account(account) && name.len() > 5 && name.starts_with("role/"));
        if !is_role {
            return Err(Error::Role {
                role: text.to_owned(),
            });
        }
        Ok(Self {
            arn: text.to_owned(),
            external_id: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_arns_of_roles() {
        let role: Role = "arn:aws-us-gov:iam::111122223333:role/a/b".parse().unwrap();
        assert_eq!(role.account_id(), "111122223333");
        let own = role.or_external_id(Some("own"));
        assert_eq!(own.or_external_id(Some("other")).external_id(), Some("own"));
        for text in [
            "",
            "audit",
            "arn:aws:iam::1111:role/a",
            "arn:aws:iam::111122223333:user/a",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam:eu:111122223333:role/a",
        ] {
            assert!(
                matches!(text.parse::<Role>(), Err(Error::Role { .. })),
                "{text}"
            );
        }
        assert!(Role::list("arn:aws:iam::111122223333:role/a\nno role").is_err());
    }
}
