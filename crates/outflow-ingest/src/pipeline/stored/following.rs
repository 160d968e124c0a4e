//! A lake, followed as it grows: each object's rows are added to the sums once, whoever ingested it.
//!
//! ```text
//! lake ──journal: objects beyond those before──► rows of theirs ──► sums of the step ──merge──► all sums ──► Outcome
//!                                                                                                │
//!                                               encode: a checkpoint, which knows its objects ◄──┘
//! ```
//!
//! What was read is told by the ids of its objects and not by a place in a log. So a checkpoint of any age is right: what
//! came after it is read from the lake, whether it was compacted meanwhile or not, and a lost one is made anew.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use outflow_detect::{SHARD_KEYS_MAX, SharedState, State};
use outflow_enrich::PassiveDns;
use outflow_finding::{Finding, Incident, Severity};
use outflow_lake::{Error, Lake, Table};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::StoredLogs;
use super::catalog::Before;
use crate::pipeline::evidence::Ledger;
use crate::pipeline::tally::Tally;
use crate::pipeline::{Outcome, Progress, Read, Settings};
use crate::{Filter, Problem};

/// What a checkpoint begins with, and the layout of the rest.
const MAGIC: &[u8; 16] = b"outflow watch 2\n";

/// Bytes of the digest that follows.
const DIGEST_BYTES: usize = 32;

/// How hard a checkpoint is packed: it is written every minute.
const ZSTD_LEVEL: i32 = 1;

/// Bytes of an unpacked checkpoint at most: more than the sums that memory holds can come to, so that no bytes from
/// elsewhere take all of it. A larger one is refused as damaged.
const UNPACKED_BYTES_MAX: usize = 16 << 30;

/// All that a lake came to so far.
#[derive(Debug, Default)]
pub struct Following {
    state: State,
    kept: Kept,
    /// Version of the journal that was looked at last, in this process.
    looked_at: Option<u64>,
}

/// What is kept beside the sums.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// The border and the time that the sums go by.
    border: String,
    before: Arc<Before>,
    names: PassiveDns,
    tally: Tally,
    ledger: Ledger,
    /// What was told, by its id.
    told: BTreeMap<String, Told>,
}

/// A finding or incident that was told.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Told {
    /// How grave it was then, as OCSF's number.
    severity: u8,
    /// Of a finding, the incident in which it was told.
    incident: Option<String>,
}

/// What a step added.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Followed {
    /// Objects.
    pub objects: u64,
    /// Flow records and queries.
    pub rows: u64,
    /// Objects that are damaged or hold nothing to count.
    pub problems: Vec<Problem>,
}

/// Why a checkpoint is of no use. What it held is read from the lake again.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Its layout is another.
    #[error("it is of another version of Outflow")]
    Version,
    /// Its bytes are not those that were written.
    #[error("it is damaged: {reason}")]
    Damaged {
        /// What does not fit.
        reason: String,
    },
    /// Its sums are of another border or time.
    #[error("other networks were inside, or another time was asked for, when it was written")]
    Border,
}

impl Following {
    /// Nothing yet, to be followed with these settings.
    pub fn new(settings: &Settings) -> Self {
        let border = border(settings);
        Self {
            kept: Kept {
                border,
                ..Kept::default()
            },
            ..Self::default()
        }
    }

    /// Adds what has come into the lake since the last step. After an error nothing of it is added, and the next step
    /// begins where this one did. Hosts behind gateways are told apart up to [`outflow_enrich::HOSTS_MAX`] in each
    /// step.
    ///
    /// # Errors
    /// [`Error::Table`] and [`Error::File`] if a table cannot be read.
    pub fn step(
        &mut self,
        lake: &Lake,
        settings: &Settings,
        progress: &Progress,
    ) -> Result<Followed, Error> {
        let version = lake.snapshot(Table::Sources)?.version();
        if self.looked_at == Some(version) {
            return Ok(Followed::default());
        }
        let logs = StoredLogs::beyond(lake, &Filter::default(), Arc::clone(&self.kept.before))?;
        let shared = SharedState::default();
        let mut piece = logs.read(&shared, settings, progress)?;
        let StoredLogs {
            catalog,
            mut listed,
            ..
        } = logs;
        listed.retain(|file| !piece.with_unknown.contains(file));
        listed.extend(catalog.files().iter().cloned());
        let ids: Vec<_> = catalog.ids().collect();
        let digests = catalog.sources().iter();
        let digests: Vec<String> = digests.filter_map(|of| of.row.sha256.clone()).collect();
        drop(catalog);
        let before = Arc::make_mut(&mut self.kept.before);
        before.files = listed;
        before.sources.extend(ids);
        before.digests.extend(digests);
        // What was committed since is seen in the next step.
        self.looked_at = Some(version);
        let followed = Followed {
            objects: piece.tally.objects,
            rows: piece.tally.counted_rows(),
            problems: {
                piece.problems.append(&mut piece.without_values);
                piece.problems.sort();
                piece.problems
            },
        };
        let (rows, keys, entries) = piece.evidence;
        self.kept.ledger.add(vec![(rows, keys)], entries);
        self.kept.names.merge(&piece.names);
        self.kept.tally.merge(&piece.tally);
        if self.state.is_empty() {
            self.state = shared.into_state();
        } else {
            self.state.merge(shared.into_state());
        }
        Ok(followed)
    }

    /// Objects that were added.
    pub fn objects(&self) -> usize {
        self.kept.before.sources.len()
    }

    /// Bytes of the sums in memory, about.
    pub fn state_bytes(&self) -> usize {
        self.state.heap_bytes()
    }

    /// Judges all that was added, as [`StoredLogs::detect`] does.
    pub fn outcome(&self, settings: &Settings) -> Outcome {
        let read = Read {
            tally: self.kept.tally.clone(),
            ledger: &self.kept.ledger,
            names: &self.kept.names,
            problems: Vec::new(),
            without_values: Vec::new(),
            remarks: Vec::new(),
        };
        read.outcome(Cow::Borrowed(&self.state), settings)
    }

    /// Notes that a finding or incident was told, how grave it was then (OCSF's number), and of a finding in which
    /// incident.
    pub fn told(&mut self, id: &str, severity: u8, incident: Option<&str>) {
        let known = self.kept.told.entry(id.to_owned()).or_default();
        known.severity = severity.max(known.severity);
        if let Some(incident) = incident {
            known.incident.get_or_insert_with(|| incident.to_owned());
        }
    }

    /// Of what was found, what is not told yet, or only as something less grave. An incident keeps the id under which its
    /// first finding was told, whatever joins it later.
    pub fn untold(&self, outcome: &Outcome) -> (Vec<Incident>, Vec<Finding>) {
        let is_new = |id: &str, severity: Severity| {
            let known = self.kept.told.get(id);
            known.is_none_or(|known| known.severity < severity.id())
        };
        let first_told = |finding: &String| self.kept.told.get(finding)?.incident.clone();
        let (mut incidents, mut findings) = (Vec::new(), Vec::new());
        let mut ids = BTreeMap::new();
        for incident in &outcome.incidents {
            let id = &incident.body.id;
            let known = incident.finding_ids.iter().filter_map(first_told).min();
            let own = known.unwrap_or_else(|| id.clone());
            if is_new(&own, incident.body.severity) {
                let mut incident = incident.clone();
                incident.body.id.clone_from(&own);
                incidents.push(incident);
            }
            ids.insert(id, own);
        }
        for finding in outcome
            .findings
            .iter()
            .filter(|of| is_new(&of.id, of.severity))
        {
            let mut finding = finding.clone();
            finding.incident = finding
                .incident
                .map(|id| ids.get(&id).cloned().unwrap_or(id));
            findings.push(finding);
        }
        (incidents, findings)
    }

    /// Whether anything was told.
    pub fn has_told(&self) -> bool {
        !self.kept.told.is_empty()
    }

    /// All of it as bytes.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] if it cannot be packed.
    pub fn encode(&self) -> Result<Vec<u8>, CheckpointError> {
        let damaged = |error: &dyn std::fmt::Display| CheckpointError::Damaged {
            reason: error.to_string(),
        };
        let unpacked = postcard::to_stdvec(&(&self.kept, self.state.encode()))
            .map_err(|error| damaged(&error))?;
        let packed =
            zstd::bulk::compress(&unpacked, ZSTD_LEVEL).map_err(|error| damaged(&error))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(Sha256::digest(&packed));
        bytes.extend(packed);
        Ok(bytes)
    }

    /// What these bytes hold, to be followed on with these settings.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn decode(bytes: &[u8], settings: &Settings) -> Result<Self, CheckpointError> {
        let damaged = |reason: &str| CheckpointError::Damaged {
            reason: reason.to_owned(),
        };
        let rest = bytes.strip_prefix(MAGIC).ok_or(CheckpointError::Version)?;
        let (digest, packed) = rest
            .split_at_checked(DIGEST_BYTES)
            .ok_or_else(|| damaged("it is too short"))?;
        if Sha256::digest(packed).as_slice() != digest {
            return Err(damaged("its digest is that of other bytes"));
        }
        let unpacked = unpack(packed).map_err(|error| damaged(&error.to_string()))?;
        let (kept, state): (Kept, Vec<u8>) =
            postcard::from_bytes(&unpacked).map_err(|_| CheckpointError::Version)?;
        if kept.border != border(settings) {
            return Err(CheckpointError::Border);
        }
        let state = State::decode(&state, SHARD_KEYS_MAX).map_err(|_| CheckpointError::Version)?;
        Ok(Self {
            state,
            kept,
            looked_at: None,
        })
    }
}

fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut unpacked = Vec::new();
    let limit = UNPACKED_BYTES_MAX as u64;
    zstd::Decoder::new(packed)?
        .take(limit)
        .read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

/// What the sums depend on beside the records, as a text.
fn border(settings: &Settings) -> String {
    format!(
        "{:?} {:?} {:?}",
        settings.networks, settings.since, settings.until
    )
}
