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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{InventoryBuilder, Snapshot};

    fn collected(list: &str, state: CallState) -> Collected {
        Collected {
            schema: COLLECTED_SCHEMA.to_owned(),
            taken_at: "2026-10-01T08:30:00Z".to_owned(),
            account_id: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            from: "api".to_owned(),
            calls: vec![CollectedCall {
                service: "ec2".to_owned(),
                call: "Describe".to_owned(),
                list: list.to_owned(),
                file: Some("list.json".to_owned()),
                state,
                pages: 1,
                items: 1,
                reason: None,
                left_out: Vec::new(),
            }],
        }
    }

    #[test]
    fn only_what_was_listed_to_its_end_is_listed() {
        for (state, listed) in [
            (CallState::Ok, true),
            (CallState::Partial, false),
            (CallState::Denied, false),
            (CallState::Failed, false),
            (CallState::NotOffered, false),
        ] {
            let own = collected("Reservations", state);
            assert_eq!(own.is_whole("list.json"), listed);
            assert!(!own.is_whole("other.json"), "no call names it");
            let mut builder = InventoryBuilder::default();
            let snapshot = Snapshot {
                place: own.place(),
                taken_at: own.instant().unwrap(),
            };
            let json = br#"{"Reservations": [{"Instances": [{"InstanceId": "i-1"}]}]}"#;
            builder.add("list.json", json, &snapshot).unwrap();
            builder.add_collected("collected.json", &own);
            let inventory = builder.build().unwrap();
            let known = inventory
                .instances
                .is_listed(&own.place(), Timestamp(i64::MAX));
            assert_eq!(known, listed, "{state:?}");
            assert_eq!(inventory.instances.ids().count(), 1);
            assert_eq!(inventory.places.len(), 1);
        }
    }

    #[test]
    fn a_part_is_no_listing() {
        let own = collected("Vpcs", CallState::Ok);
        let snapshot = Snapshot {
            place: own.place(),
            taken_at: own.instant().unwrap(),
        };
        let mut builder = InventoryBuilder::default();
        let json = br#"{"Vpcs": [{"VpcId": "vpc-1"}]}"#;
        builder.add_part("vpcs.json", json, &snapshot).unwrap();
        let inventory = builder.build().unwrap();
        assert!(!inventory.vpcs.is_listed(&own.place(), Timestamp(i64::MAX)));
        assert_eq!(inventory.vpcs.ids().collect::<Vec<_>>(), ["vpc-1"]);
    }

    #[test]
    fn manifests_that_are_none_are_refused() {
        let mut own = collected("Vpcs", CallState::Denied);
        let json = serde_json::to_vec(&own).unwrap();
        assert_eq!(Collected::from_json(&json).unwrap(), own);
        own.schema = "outflow.inventory/2".to_owned();
        assert!(Collected::from_json(&serde_json::to_vec(&own).unwrap()).is_err());
        own.schema = COLLECTED_SCHEMA.to_owned();
        own.taken_at = "yesterday".to_owned();
        assert!(Collected::from_json(&serde_json::to_vec(&own).unwrap()).is_err());
        assert!(Collected::from_json(b"{}").is_err());
    }
}
