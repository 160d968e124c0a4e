//! The manifest of a snapshot: which calls were made, and what of the account stayed unknown.

use outflow_record::Timestamp;
use serde::{Deserialize, Serialize};

use super::timeline::Place;
use crate::Error;

/// Name and version of the manifest. Keys are only ever added.
pub const COLLECTED_SCHEMA: &str = "outflow.inventory/1";

/// What the file of a snapshot's manifest is called.
pub const COLLECTED_FILE: &str = "collected.json";

/// What a collection of one account and region found, and what it was not told. It lies beside the files that it names.
///
/// ```
/// use outflow_enrich::inventory::{Collected, InventoryBuilder, Place};
/// use outflow_record::Timestamp;
/// let json = br#"{"schema": "outflow.inventory/1", "taken_at": "2026-10-01T08:30:00Z", "account_id": "123456789012",
///     "region": "eu-central-1", "from": "api", "calls": [{"service": "ec2", "call": "DescribeFlowLogs",
///     "list": "FlowLogs", "state": "denied", "reason": "you are not authorized"}]}"#;
/// let collected = Collected::from_json(json).unwrap();
/// let mut builder = InventoryBuilder::default();
/// builder.add_collected("collected.json", &collected);
/// let inventory = builder.build().unwrap();
/// let place = Place { account_id: "123456789012".into(), region: "eu-central-1".into() };
/// assert!(!inventory.flow_logs.is_listed(&place, Timestamp(i64::MAX)));
/// assert_eq!(inventory.problems.total(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// [`COLLECTED_SCHEMA`].
    pub schema: String,
    /// When it was begun: the time that all listings are of.
    pub taken_at: String,
    /// Account.
    pub account_id: String,
    /// Region.
    pub region: String,
    /// Where it is from: `api`, or the kinds of files that it was made of.
    pub from: String,
    /// The calls, in the order of [`CollectedCall::service`] and [`CollectedCall::call`].
    pub calls: Vec<CollectedCall>,
}

/// One call of a collection, with all of its pages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CollectedCall {
    /// The service, as AWS's command line names it.
    pub service: String,
    /// Its name in the API; of an import the kind of file.
    pub call: String,
    /// Key of the list of resources that it is about.
    pub list: String,
    /// File that has them; none if nothing was found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How it went.
    pub state: CallState,
    /// Pages that were read.
    #[serde(default)]
    pub pages: u64,
    /// Resources in them.
    #[serde(default)]
    pub items: u64,
    /// Why it is not whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Members of the answer that are not known, and were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// How a call went. Only of one that is `ok` is what is not listed known not to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallState {
    /// All of it was read.
    Ok,
    /// A part of it was read, or the source has no more than a part.
    Partial,
    /// The caller may not ask.
    Denied,
    /// It went wrong for another reason.
    Failed,
    /// The region or the server has no such call.
    NotOffered,
}

impl CallState {
    /// The name in the manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::NotOffered => "not-offered",
        }
    }
}

impl Collected {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`Error::BadInventory`] if it is none, of a later version, or says no time.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let wrong = |what: String| Error::BadInventory { what };
        let own: Self = serde_json::from_slice(json).map_err(|error| wrong(error.to_string()))?;
        if own.schema != COLLECTED_SCHEMA {
            let schema = &own.schema;
            return Err(wrong(format!(
                "it is of version `{schema}`, and {COLLECTED_SCHEMA} is read"
            )));
        }
        if own.instant().is_none() {
            return Err(wrong(format!("`{}` is no time", own.taken_at)));
        }
        Ok(own)
    }

    /// The time that its listings are of; `None` if what it says is no time.
    pub fn instant(&self) -> Option<Timestamp> {
        self.taken_at.parse().ok()
    }

    /// Account and region.
    pub fn place(&self) -> Place {
        Place {
            account_id: self.account_id.clone(),
            region: self.region.clone(),
        }
    }

    /// Whether a file has all that its call lists. A file that no call names has not.
    pub fn is_whole(&self, file: &str) -> bool {
        let mut calls = self
            .calls
            .iter()
            .filter(|call| call.file.as_deref() == Some(file))
            .peekable();
        calls.peek().is_some() && calls.all(|call| call.state == CallState::Ok)
    }
}
