//! The engine: a state, its watermark, and what it has already told.

use std::sync::Arc;

use outflow_enrich::{EnrichedBatch, Knowledge, PointKey};
use outflow_record::{CoverageRow, Timestamp};

use crate::Error;
use crate::judge::{Judged, Verdict, judge_with};
use crate::policy::Policy;
use crate::state::State;
use crate::state::codec::wire::{Reader, Writer};
use crate::time::{BUCKET_SECS, Day};

/// The layout of an engine's bytes.
const VERSION: u8 = 1;

/// Seconds by which records may trail the watermark's source before their bucket closes.
pub const LATENESS_SECS: i64 = 15 * 60;

/// Folds batches and tells the findings of each day once it is closed.
///
/// A stream advances the watermark as it reads; a batch over an archive finishes at the end. Both tell the same
/// findings, bit for bit, as long as no record comes after its day was closed; such a record still counts in
/// every sum, is counted as late, and changes no finding that was told: a bound that only it crosses on a day
/// which was told is not told any more.
#[derive(Debug, Clone, Default)]
pub struct Engine {
    state: State,
    policy: Policy,
    knowledge: Arc<Knowledge>,
    /// The first second whose bucket is open.
    open_from: i64,
    /// Days up to this one have been told.
    told: Option<Day>,
}

impl Engine {
    /// An engine that judges by this policy.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            ..Self::default()
        }
    }

    /// An engine as bytes: its state, its watermark, and what it has told.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u8(VERSION);
        out.u64(self.open_from.max(0).unsigned_abs());
        out.optional_u32(self.told.map(|day| day.0));
        out.bytes(&self.state.encode());
        out.finish()
    }

    /// The engine that these bytes hold, under a policy, with the limit of keys that its state had. It tells nothing
    /// again.
    ///
    /// # Errors
    /// [`Error::State`] for bytes of another version, cut or changed bytes.
    pub fn decode(bytes: &[u8], policy: Policy, keys_max: usize) -> Result<Self, Error> {
        let mut input = Reader::new(bytes)?;
        let version = input.u8()?;
        if version != VERSION {
            return Err(Error::State {
                reason: format!("version {version} of an engine is not {VERSION}"),
            });
        }
        let open_from = i64::try_from(input.u64()?).unwrap_or(i64::MAX);
        let told = input.optional_u32()?.map(Day);
        let state = State::decode(input.bytes()?, keys_max)?;
        input.end()?;
        Ok(Self {
            state,
            policy,
            knowledge: Arc::default(),
            open_from,
            told,
        })
    }

    /// An engine that goes on from a state alone: it has no watermark yet, and has told nothing.
    pub fn with_state(policy: Policy, state: State) -> Self {
        Self {
            policy,
            state: state.detached(),
            ..Self::default()
        }
    }

    /// Sets what is known from elsewhere, which all later verdicts go by. It is no part of an engine's bytes.
    pub fn know(&mut self, knowledge: Arc<Knowledge>) {
        self.knowledge = knowledge;
    }

    /// The state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The state, to keep or to merge.
    pub fn into_state(self) -> State {
        self.state.detached()
    }

    /// Adds a batch.
    pub fn fold(&mut self, batch: &EnrichedBatch<'_>) {
        self.state.fold(batch, self.open_from);
    }

    /// Adds a coverage row.
    pub fn fold_coverage(&mut self, key: &PointKey, row: &CoverageRow) {
        self.state.fold_coverage(key, row);
    }

    /// Adds what another engine has folded.
    pub fn merge(&mut self, other: Self) {
        self.state.merge(other.state);
    }

    /// Says that the sources have been read up to an instant: buckets that ended [`LATENESS_SECS`] before it
    /// close, and the findings of days that are closed with them are told.
    pub fn advance(&mut self, read_up_to: Timestamp) -> Vec<Judged> {
        self.open_from = self.open_from.max(open_from(read_up_to));
        let days = self.open_from.div_euclid(86_400) - 1;
        match u32::try_from(days) {
            Ok(closed) if self.told.is_none_or(|told| told.0 < closed) => {
                self.tell(Day(closed)).findings
            }
            _ => Vec::new(),
        }
    }

    /// Says that nothing more will come: every day that is left is told.
    pub fn finish(&mut self) -> Verdict {
        self.tell(Day::LAST)
    }

    fn tell(&mut self, through: Day) -> Verdict {
        let mut verdict = judge_with(&self.state, &self.policy, &self.knowledge, through);
        verdict
            .findings
            .retain(|judged| self.told.is_none_or(|told| judged.day > told));
        self.told = Some(through);
        verdict
    }
}

/// The first second whose bucket is open when sources have been read up to an instant: records that start before it
/// are late.
pub fn open_from(read_up_to: Timestamp) -> i64 {
    (read_up_to.secs() - LATENESS_SECS).div_euclid(BUCKET_SECS) * BUCKET_SECS
}

#[cfg(test)]
mod tests;
