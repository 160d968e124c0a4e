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

use outflow_detect::{Day, Lessons, SHARD_KEYS_MAX, SharedState, State};
use outflow_enrich::PassiveDns;
use outflow_lake::{DataFile, Error, Lake, Table};
use outflow_record::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::catalog::{Before, Catalog, Share, Unread};
use super::telling::Telling;
use super::{DAY_SECS, NAMES_BEFORE_SECS, Piece, StoredLogs};
use crate::pipeline::evidence::Ledger;
use crate::pipeline::parameters::Border;
use crate::pipeline::tally::Tally;
use crate::pipeline::{Outcome, Progress, Read, Settings};
use crate::{Filter, Problem};

/// What a checkpoint begins with, and the layout of the rest.
const MAGIC: &[u8; 16] = b"outflow watch 5\n";

/// Bytes of the digest that follows.
const DIGEST_BYTES: usize = 32;

/// Bytes that a name of an address in an hour takes, about.
const NAME_BYTES: usize = 128;

/// How hard a checkpoint is packed: it is written every minute.
const ZSTD_LEVEL: i32 = 1;

/// Bytes of an unpacked checkpoint at most: more than the sums that memory holds can come to, so that no bytes from
/// elsewhere take all of it. A larger one is refused as damaged.
const UNPACKED_BYTES_MAX: usize = 16 << 30;

/// Days of a period: what is older than is remembered is forgotten by whole periods, counted from 1970. For each one that is
/// kept, what its records teach of interfaces is kept apart.
pub const PERIOD_DAYS: u32 = 30;

/// Rows that a step reads at most, but for the rest of their last day: some seconds of work, of which nothing is kept if it is
/// ended meanwhile.
const STEP_ROWS_MAX: u64 = 5_000_000;

/// All that a lake came to so far.
#[derive(Debug)]
pub struct Following {
    state: State,
    /// What the records of each period taught, by its first day.
    lessons: BTreeMap<u32, Lessons>,
    kept: Kept,
    /// Version of the journal that was looked at last, in this process.
    looked_at: Option<u64>,
    step_rows_max: u64,
}

/// What is kept beside the sums.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// The border and the time that the sums go by.
    border: Border,
    /// The first day of which anything is kept.
    from: Option<u32>,
    /// The end of the newest object that did not claim to end in the future, Unix seconds.
    newest: Option<i64>,
    before: Arc<Before>,
    names: PassiveDns,
    tally: Tally,
    ledger: Ledger,
    telling: Telling,
}

/// A checkpoint, unpacked: what is kept, what records taught in each period by its first day, and the sums.
#[derive(Deserialize)]
struct Packed(Kept, Vec<(u32, Vec<u8>)>, Vec<u8>);

/// What a step added.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Followed {
    /// Objects.
    pub objects: u64,
    /// Flow records and queries.
    pub rows: u64,
    /// Whether the lake holds more, which the next step reads.
    pub is_more: bool,
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
        Self {
            state: State::default(),
            lessons: BTreeMap::new(),
            kept: Kept {
                border: Border::of(settings),
                ..Kept::default()
            },
            looked_at: None,
            step_rows_max: STEP_ROWS_MAX,
        }
    }

    /// Adds what has come into the lake since the last step, the oldest days first, or a part of it. After an error, or once
    /// `is_ending` of its progress is set, nothing of it is added, and the next step begins where this one did. Hosts behind
    /// gateways are told apart up to [`outflow_enrich::HOSTS_MAX`] in each step.
    ///
    /// What is older than [`Settings::remember_days`] before the newest record is forgotten, or not even read: sums, evidence,
    /// names, ids of objects and of what was told. So what is kept is what a run over the lake from [`Following::since`] on
    /// has. A record that claims to end after `now` moves nothing. Where memory did not suffice while older days took it, all is
    /// read again instead.
    ///
    /// # Errors
    /// [`Error::Table`] and [`Error::File`] if a table cannot be read.
    pub fn step(
        &mut self,
        lake: &Lake,
        settings: &Settings,
        progress: &Progress,
        now: Timestamp,
    ) -> Result<Followed, Error> {
        let version = lake.snapshot(Table::Sources)?.version();
        if self.looked_at == Some(version) {
            return Ok(Followed::default());
        }
        let ended = Followed {
            is_more: true,
            ..Followed::default()
        };
        if progress.is_ending() {
            return Ok(ended);
        }
        if self.kept.border != Border::of(settings) {
            self.start_over(settings);
        }
        let mut unread = Unread::of(lake, Arc::clone(&self.kept.before))?;
        self.kept.newest = self.kept.newest.max(unread.newest(now.secs()));
        if self.forget(settings) {
            unread = Unread::of(lake, Arc::clone(&self.kept.before))?;
        }
        let since = self.since();
        let filter = Filter {
            since,
            ..Filter::default()
        };
        let share = Share {
            from: self.kept.from.map(wanted_from),
            rows: Some(self.step_rows_max),
        };
        let catalog = Catalog::of(unread, &filter, share);
        let logs = StoredLogs::of(lake, &filter, catalog, &self.kept.before)?;
        let within = Settings {
            since: settings.since.max(since),
            ..settings.clone()
        };
        let (files, sums) = by_period(&logs.files);
        let sums_of = files.iter().zip(&sums);
        let sums_of: Vec<_> = sums_of
            .map(|((_, files), shared)| (shared, &files[..]))
            .collect();
        let piece = logs.read(&sums_of, &within, progress, &|| progress.is_ending())?;
        if !piece.is_whole {
            return Ok(ended);
        }
        let followed = Followed {
            is_more: logs.catalog.has_rest(),
            ..self.note(logs, piece)
        };
        let firsts = files.into_iter().map(|(first, _)| first);
        for (first, shared) in firsts.zip(sums) {
            self.add(first, shared.into_state());
        }
        // What was committed since is seen in the next step.
        self.looked_at = (!followed.is_more).then_some(version);
        Ok(followed)
    }

    /// Notes which objects were read, and what they came to beside the sums.
    fn note(&mut self, logs: StoredLogs<'_>, mut piece: Piece) -> Followed {
        let StoredLogs {
            catalog,
            mut listed,
            ..
        } = logs;
        listed.retain(|file| !piece.with_unknown.contains(file));
        let is_rest = catalog.has_rest();
        if !is_rest {
            listed.extend(catalog.files().iter().cloned());
        }
        let newest = self.kept.newest.unwrap_or_default().div_euclid(DAY_SECS);
        let ids: Vec<_> = catalog.ids().collect();
        let digests = catalog.sources().iter().filter_map(|of| {
            let day = of.last_day().unwrap_or(newest);
            Some((of.row.sha256.clone()?, day))
        });
        let digests: Vec<(String, i64)> = digests.collect();
        drop(catalog);
        let before = Arc::make_mut(&mut self.kept.before);
        if !is_rest {
            before.files = listed;
        }
        let ids = ids.into_iter();
        before
            .sources
            .extend(ids.map(|(id, day)| (id, day.unwrap_or(newest))));
        before.digests.extend(digests);
        let (rows, keys, entries) = piece.evidence;
        self.kept.ledger.add(vec![(rows, keys)], entries);
        self.kept.names.merge(&piece.names);
        self.kept.tally.merge(&piece.tally);
        piece.problems.append(&mut piece.without_values);
        piece.problems.sort();
        Followed {
            objects: piece.tally.objects,
            rows: piece.tally.counted_rows(),
            is_more: is_rest,
            problems: piece.problems,
        }
    }

    /// Adds the sums of records of a period, which begins with a day.
    fn add(&mut self, first: u32, sums: State) {
        if sums.is_empty() {
            return;
        }
        let taught = Lessons::of(&sums, Day(first));
        match self.lessons.get_mut(&first) {
            Some(known) => known.merge(taught),
            None => {
                self.lessons.insert(first, taught);
            }
        }
        if self.state.is_empty() {
            self.state = sums;
        } else {
            self.state.merge(sums);
        }
    }

    /// Forgets what is older than is remembered before the newest record; whether all is to be read anew.
    fn forget(&mut self, settings: &Settings) -> bool {
        let Some((days, newest)) = settings.remember_days.zip(self.kept.newest) else {
            return false;
        };
        let newest = u32::try_from(newest.max(0).div_euclid(DAY_SECS)).unwrap_or(u32::MAX);
        let from = newest.saturating_sub(days) / PERIOD_DAYS * PERIOD_DAYS;
        if self.kept.from.is_some_and(|known| known >= from) {
            return false;
        }
        self.kept.from = Some(from);
        self.kept.telling.forget(Day(from));
        if self.state.is_empty() {
            return false;
        }
        self.lessons.retain(|first, _| *first >= from);
        // The period that begins then has taught nothing if nothing is of it.
        self.lessons.entry(from).or_default();
        self.state.forget(Day(from), self.lessons.values());
        if self.state.is_coarse(Day(from)) || self.kept.ledger.is_coarse() {
            tracing::info!("older days took the memory of later ones: these are read anew");
            self.start_over(settings);
            return true;
        }
        let at = Timestamp(Day(from).start());
        self.kept.names.forget(at);
        self.kept.ledger.forget(at.secs());
        Arc::make_mut(&mut self.kept.before).forget(wanted_from(from));
        tracing::info!(%at, "what is older was forgotten");
        false
    }

    /// Drops all sums, so that the next steps read the lake anew. What was told stays told.
    pub fn start_over(&mut self, settings: &Settings) {
        *self = Self {
            kept: Kept {
                from: self.kept.from,
                newest: self.kept.newest,
                telling: std::mem::take(&mut self.kept.telling),
                ..Self::new(settings).kept
            },
            step_rows_max: self.step_rows_max,
            ..Self::new(settings)
        };
    }

    /// Reads so many rows in a step at most, but for the rest of their last day.
    #[cfg(test)]
    pub(crate) fn read_at_most(&mut self, rows: u64) {
        self.step_rows_max = rows;
    }

    /// Keeps less of what was added, as for want of memory.
    #[cfg(test)]
    pub(crate) fn squeeze(&mut self) {
        let mut small = State::with_keys_max(1);
        small.merge(std::mem::take(&mut self.state));
        self.state = small;
    }

    /// When the first record may start of which anything is kept; none if it may be any.
    pub fn since(&self) -> Option<Timestamp> {
        Some(Timestamp(Day(self.kept.from?).start()))
    }

    /// Objects that were added.
    pub fn objects(&self) -> usize {
        self.kept.before.sources.len()
    }

    /// Bytes in memory, about: sums, lessons, ids of objects and of what was told, evidence, and names.
    pub fn state_bytes(&self) -> usize {
        let Kept {
            before,
            names,
            ledger,
            telling,
            ..
        } = &self.kept;
        let lessons = self.lessons.values().map(Lessons::heap_bytes);
        self.state.heap_bytes()
            + self.state.taught_bytes()
            + lessons.sum::<usize>()
            + before.heap_bytes()
            + ledger.heap_bytes()
            + names.held() * NAME_BYTES
            + telling.heap_bytes()
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

    /// What was told, and how.
    pub fn telling(&self) -> &Telling {
        &self.kept.telling
    }

    /// What was told, to note what is told now.
    pub fn telling_mut(&mut self) -> &mut Telling {
        &mut self.kept.telling
    }

    /// All of it as bytes.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] if it cannot be packed.
    pub fn encode(&self) -> Result<Vec<u8>, CheckpointError> {
        let damaged = |error: &dyn std::fmt::Display| CheckpointError::Damaged {
            reason: error.to_string(),
        };
        let lessons = self
            .lessons
            .iter()
            .map(|(first, own)| (first, own.encode()));
        let lessons: Vec<(&u32, Vec<u8>)> = lessons.collect();
        let unpacked = postcard::to_stdvec(&(&self.kept, lessons, self.state.encode()))
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
        let Packed(kept, taught, state) =
            postcard::from_bytes(&unpacked).map_err(|_| CheckpointError::Version)?;
        if kept.border != Border::of(settings) {
            return Err(CheckpointError::Border);
        }
        let of_version = |_| CheckpointError::Version;
        let state = State::decode(&state, SHARD_KEYS_MAX).map_err(of_version)?;
        let mut lessons = BTreeMap::new();
        for (first, bytes) in taught {
            let own = Lessons::decode(&bytes, SHARD_KEYS_MAX).map_err(of_version)?;
            lessons.insert(first, own);
        }
        Ok(Self {
            state,
            lessons,
            kept,
            looked_at: None,
            step_rows_max: STEP_ROWS_MAX,
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

/// Objects that end before this day are not read if nothing before another is kept: answers of the resolver name addresses for
/// a day.
fn wanted_from(from: u32) -> i64 {
    i64::from(from) - NAMES_BEFORE_SECS.div_euclid(DAY_SECS) - 1
}

/// Files of one period, behind its first day.
type OfPeriod = (u32, Vec<DataFile>);

/// Files by the period in which their rows start, and sums for each. What has no day is of no sum, and goes with the last.
fn by_period(files: &[DataFile]) -> (Vec<OfPeriod>, Vec<SharedState>) {
    let first = |file: &DataFile| {
        let day = u32::try_from(file.partition.day?.max(0)).ok()?;
        Some(day / PERIOD_DAYS * PERIOD_DAYS)
    };
    let last = files.iter().filter_map(first).max().unwrap_or_default();
    let mut periods: BTreeMap<u32, Vec<DataFile>> = BTreeMap::new();
    for file in files {
        let own = periods.entry(first(file).unwrap_or(last)).or_default();
        own.push(file.clone());
    }
    let sums = periods.iter().map(|_| SharedState::default()).collect();
    (periods.into_iter().collect(), sums)
}
