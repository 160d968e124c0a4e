//! Who asks, and in whose role.

use std::fmt;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use outflow_record::Timestamp;

use super::asker::{Asker, Unanswered};
use super::query;

/// The version of STS's API.
const STS_VERSION: &str = "2011-06-15";

/// What sessions in a role are called.
const SESSION: &str = "outflow-inventory";

/// The account of those credentials that an asker has.
pub(crate) async fn account(asker: &Asker, region: &str) -> Result<String, Unanswered> {
    let form = [("Action", "GetCallerIdentity"), ("Version", STS_VERSION)];
    let root = query::ask(asker, ("sts", region), &form).await?;
    let account = root.text_at(&["GetCallerIdentityResult", "Account"]);
    let account = account.filter(|account| is_account(account));
    let unnamed = || Unanswered::failed("its answer names no account");
    account.map(str::to_owned).ok_or_else(unnamed)
}

/// Whether a text is the id of an account. It becomes the name of a folder.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Credentials of a role, which are asked for anew as they end.
pub(crate) struct Assumed {
    /// Who may take the role.
    pub(crate) by: Asker,
    pub(crate) region: String,
    pub(crate) role_arn: String,
    pub(crate) external_id: Option<String>,
}

impl fmt::Debug for Assumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assumed")
            .field("role_arn", &self.role_arn)
            .finish_non_exhaustive()
    }
}

impl Assumed {
    pub(crate) async fn assume(&self) -> Result<Credentials, Unanswered> {
        let mut form = vec![
            ("Action", "AssumeRole"),
            ("Version", STS_VERSION),
            ("RoleArn", &self.role_arn),
            ("RoleSessionName", SESSION),
        ];
        if let Some(id) = &self.external_id {
            form.push(("ExternalId", id));
        }
        let root = query::ask(&self.by, ("sts", &self.region), &form).await?;
        let part = |name| {
            let text = root.text_at(&["AssumeRoleResult", "Credentials", name]);
            text.filter(|text| !text.is_empty())
                .ok_or_else(|| Unanswered::failed(format!("its answer has no {name}")))
        };
        let mut credentials = Credentials::new(
            part("AccessKeyId")?,
            part("SecretAccessKey")?,
            Some(part("SessionToken")?.to_owned()),
            None,
            "AssumeRole",
        );
        let ends = part("Expiration")?;
        let ends: Timestamp = ends
            .split_once('.')
            .map_or(ends, |(secs, _)| secs)
            .parse()
            .map_err(|_| Unanswered::failed(format!("`{ends}` is no time")))?;
        let secs = u64::try_from(ends.secs()).unwrap_or_default();
        *credentials.expiry_mut() =
            Some(std::time::UNIX_EPOCH + std::time::Duration::from_secs(secs));
        Ok(credentials)
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let assumed = self.assume().await;
            assumed.map_err(|unanswered| CredentialsError::provider_error(unanswered.reason))
        })
    }
}
