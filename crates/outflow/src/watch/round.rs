//! A round: look, read, commit, judge, tell.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use outflow_finding::{escape, human_count};
use outflow_ingest::{CheckpointError, Following, IngestSettings, Object, Progress, Settings};
use outflow_lake::{Lake, Table};

use super::arrivals::Arrivals;
use super::meters::{BySeverity, Meters};
use super::sink::Sink;
use super::{BYTES_MAX, OBJECTS_MAX};
use crate::clock;
use crate::voice::Voice;

/// Where the checkpoint is, in the folder of the lake.
const CHECKPOINT: &str = "watch/checkpoint";

/// How old a checkpoint may be while nothing was told: what a new start reads from the lake again.
const CHECKPOINT_AGE_MAX: Duration = Duration::from_secs(60);

/// Rounds that committed something after which small files are joined.
const COMMITS_MAX: u32 = 100;

/// Characters of a place that are printed.
const PLACE_CHARS_MAX: usize = 200;

/// A watch.
pub(super) struct Watch {
    lake: Lake,
    ingest: IngestSettings,
    settings: Settings,
    following: Following,
    arrivals: Arrivals,
    /// What arrived and was not read yet.
    waiting: Vec<Object>,
    sink: Sink,
    meters: Arc<Meters>,
    voice: Voice,
    /// When the last checkpoint was written; none if there is something that it does not know.
    kept_at: Instant,
    is_kept: bool,
    /// Whether all that the lake holds was judged.
    is_judged: bool,
    /// Rounds that committed something since small files were joined.
    commits: u32,
    compaction: Option<JoinHandle<()>>,
}

/// What a watch goes by.
pub(super) struct Parts {
    pub(super) lake: Lake,
    pub(super) ingest: IngestSettings,
    pub(super) settings: Settings,
    pub(super) arrivals: Arrivals,
    pub(super) meters: Arc<Meters>,
    pub(super) voice: Voice,
}

impl Watch {
    /// A watch that goes on where the last one of this lake ended.
    pub(super) fn begin(parts: Parts, out: Option<&Path>) -> anyhow::Result<Self> {
        let Parts {
            lake,
            ingest,
            settings,
            arrivals,
            meters,
            voice,
        } = parts;
        let mut following = match lake.kept(CHECKPOINT)? {
            None => Following::new(&settings),
            Some(bytes) => Following::decode(&bytes, &settings).unwrap_or_else(|error| {
                say_unusable(&error, voice);
                Following::new(&settings)
            }),
        };
        let sink = Sink::open(out, |id, severity| following.told(id, severity))?;
        Ok(Self {
            lake,
            ingest,
            settings,
            following,
            arrivals,
            waiting: Vec::new(),
            sink,
            meters,
            voice,
            kept_at: clock::now(),
            is_kept: true,
            is_judged: false,
            commits: 0,
            compaction: None,
        })
    }

    /// One round; whether there is more to be read at once. After an error nothing is lost, and the next round does what
    /// this one did not.
    pub(super) fn round(&mut self, is_last: bool, wait: Duration) -> anyhow::Result<bool> {
        if self.waiting.is_empty() {
            let kept = (&self.lake, &*self.meters);
            self.waiting = self.arrivals.look(is_last, wait, kept)?;
        }
        let some = some_of(&mut self.waiting);
        if !some.is_empty()
            && let Err(error) = self.read(&some)
        {
            self.waiting.clear();
            self.arrivals.give_back(&some);
            return Err(error);
        }
        self.follow()?;
        self.tidy();
        self.meters.waiting.set(as_i64(self.waiting.len()));
        Ok(!self.waiting.is_empty())
    }

    /// Reads objects into the lake.
    fn read(&mut self, objects: &[Object]) -> anyhow::Result<()> {
        let done = outflow_ingest::ingest(objects, &self.ingest, &self.lake, &Progress::default())?;
        for problem in &done.problems {
            self.voice.error(&[&problem.reason], &problem.hint);
        }
        let of = &done.accounts;
        let meters = &self.meters;
        meters
            .objects
            .inc_by(of.objects.saturating_sub(done.left.len() as u64));
        meters.damaged.inc_by(of.damaged);
        meters.records.inc_by(of.rows + of.queries);
        meters.rejects.inc_by(of.rejects);
        if let Some(last) = of.last {
            meters.newest.set(meters.newest.get().max(last.secs()));
        }
        tracing::info!(
            objects = of.objects,
            known = done.known,
            records = of.rows + of.queries,
            rejects = of.rejects,
            left = done.left.len(),
            "committed"
        );
        self.commits += u32::from(done.batches > 0);
        let kept = (&self.lake, &**meters);
        self.arrivals
            .settle(objects, &done.left, &done.problems, kept)
    }

    /// Adds what the lake has to the sums, whoever brought it, and tells what is new of what they come to.
    fn follow(&mut self) -> anyhow::Result<()> {
        let progress = Progress::default();
        let followed = self.following.step(&self.lake, &self.settings, &progress)?;
        self.meters.followed.set(as_i64(self.following.objects()));
        self.meters
            .state_bytes
            .set(as_i64(self.following.state_bytes()));
        self.is_kept &= followed.objects == 0;
        self.is_judged &= followed.objects == 0;
        if !self.is_judged {
            let outcome = self.following.outcome(&self.settings);
            let (incidents, findings) = self.following.untold(&outcome);
            self.sink.write(&incidents, &findings)?;
            for finding in &findings {
                let severity = finding.severity.name();
                self.meters
                    .findings
                    .get_or_create(&BySeverity { severity })
                    .inc();
            }
            let count = findings.len() + incidents.len();
            for (id, severity) in incidents
                .iter()
                .map(|of| (&of.body.id, of.body.severity))
                .chain(findings.iter().map(|of| (&of.id, of.severity)))
            {
                self.following.told(id, severity.id());
            }
            tracing::info!(
                records = progress.rows.load(Ordering::Relaxed),
                findings = findings.len(),
                "judged"
            );
            self.is_judged = true;
            if count > 0 {
                return self.keep();
            }
        }
        if !self.is_kept && self.kept_at.elapsed() > CHECKPOINT_AGE_MAX {
            self.keep()?;
        }
        Ok(())
    }

    /// Joins small files beside the rounds, once there are many. One that is cut off leaves nothing but files that
    /// `outflow compact` deletes.
    fn tidy(&mut self) {
        let is_running = self.compaction.as_ref().is_some_and(|of| !of.is_finished());
        if self.commits < COMMITS_MAX || is_running {
            return;
        }
        self.commits = 0;
        let lake = self.lake.clone();
        let join = move || {
            for table in Table::ALL {
                match lake.compact(table) {
                    Ok(done) => tracing::info!(
                        table = table.name(),
                        files_before = done.files_before,
                        files_after = done.files_after,
                        "joined small files"
                    ),
                    Err(error) => tracing::warn!(
                        table = table.name(), %error, "small files stay, and are joined later"
                    ),
                }
            }
        };
        match thread::Builder::new()
            .name("outflow-compact".to_owned())
            .spawn(join)
        {
            Ok(running) => self.compaction = Some(running),
            Err(error) => tracing::warn!(%error, "small files stay, and are joined later"),
        }
    }

    /// Writes a checkpoint.
    fn keep(&mut self) -> anyhow::Result<()> {
        self.lake.keep(CHECKPOINT, self.following.encode()?)?;
        self.kept_at = clock::now();
        self.is_kept = true;
        Ok(())
    }

    /// Ends it: what was not read is left to the next watch.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.arrivals.give_back(&waiting);
        if !self.is_kept {
            self.keep()?;
        }
        let place = self.lake.place().to_string();
        let place = escape(&place, PLACE_CHARS_MAX);
        let objects = human_count(self.following.objects() as u64);
        self.voice.note(&format!(
            "`{place}` holds {objects} objects, and all were judged"
        ));
        Ok(())
    }
}

fn say_unusable(error: &CheckpointError, voice: Voice) {
    voice.note(&format!(
        "the checkpoint of the last watch is not used, as {error}: the lake is read anew, and what was told before may be \
         told again unless --out names the file that holds it"
    ));
}

/// As many objects as a round reads.
fn some_of(waiting: &mut Vec<Object>) -> Vec<Object> {
    let mut bytes = 0;
    let mut count = 0;
    for object in waiting.iter().take(OBJECTS_MAX) {
        if count > 0 && bytes > BYTES_MAX {
            break;
        }
        bytes += object.size.unwrap_or_default();
        count += 1;
    }
    waiting.drain(..count).collect()
}

fn as_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
