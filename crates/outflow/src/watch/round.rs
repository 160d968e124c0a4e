//! A round: look, read, commit, judge, tell.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use outflow_finding::{Finding, Incident, escape, human_count};
use outflow_ingest::{CheckpointError, Following, IngestSettings, Object, Settings};
use outflow_lake::{Lake, Table};
use outflow_record::Timestamp;

use super::arrivals::{Arrivals, Beside, Found};
use super::known::{Fresh, Known};
use super::meters::{BySeverity, Meters};
use super::sink::Sink;
use super::stop::Stop;
use super::{BYTES_MAX, OBJECTS_MAX};
use crate::clock;
use crate::config::Config;
use crate::deliver::Delivery;
use crate::exit::Exit;
use crate::report::AsffArgs;
use crate::voice::Voice;

/// Where the checkpoint is, in the folder of the lake.
const CHECKPOINT: &str = "watch/checkpoint";

/// How old a checkpoint may be while nothing was told: what a new start reads from the lake again.
const CHECKPOINT_AGE_MAX: Duration = Duration::from_secs(60);

/// How long findings of what was read may wait while more is waiting to be read: of a part of the traffic, more seems to
/// be unexplained than of the whole.
const JUDGED_AGE_MAX: Duration = Duration::from_secs(60);

/// Rounds that committed something after which small files are joined.
const COMMITS_MAX: u32 = 100;

/// Characters of a place that are printed.
const PLACE_CHARS_MAX: usize = 200;

/// A watch.
pub(super) struct Watch {
    lake: Lake,
    ingest: IngestSettings,
    settings: Settings,
    /// Where what is known comes from, and the configuration.
    known: (Known, Config),
    following: Following,
    arrivals: Arrivals,
    /// What arrived and was not read yet.
    waiting: VecDeque<Object>,
    sink: Sink,
    /// Where incidents go besides, and how they are told there.
    delivery: Option<(Delivery, AsffArgs)>,
    meters: Arc<Meters>,
    stop: Stop,
    /// Between two looks, of which this was the last.
    interval: Duration,
    looked_at: Instant,
    voice: Voice,
    /// When the last checkpoint was written; none if there is something that it does not know.
    kept_at: Instant,
    is_kept: bool,
    /// Whether all that was added to the sums was judged, and when that was last so.
    is_judged: bool,
    judged_at: Instant,
    /// Whether the lake holds more than was added.
    is_behind: bool,
    /// Whether all incidents arrived at all targets so far.
    is_delivered: bool,
    /// Rounds that committed something since small files were joined.
    commits: u32,
    compaction: Option<JoinHandle<()>>,
}

/// What a watch goes by.
pub(super) struct Parts {
    pub(super) lake: Lake,
    pub(super) ingest: IngestSettings,
    pub(super) settings: Settings,
    pub(super) known: (Known, Config),
    pub(super) arrivals: Arrivals,
    pub(super) delivery: Option<(Delivery, AsffArgs)>,
    pub(super) meters: Arc<Meters>,
    pub(super) stop: Stop,
    pub(super) interval: Duration,
    pub(super) voice: Voice,
}

impl Watch {
    /// A watch that goes on where the last one of this lake ended.
    pub(super) fn begin(parts: Parts, out: Option<&Path>) -> anyhow::Result<Self> {
        let Parts {
            lake,
            ingest,
            settings,
            known,
            arrivals,
            delivery,
            meters,
            stop,
            interval,
            voice,
        } = parts;
        let mut following = match lake.kept(CHECKPOINT)? {
            None => Following::new(&settings),
            Some(bytes) => Following::decode(&bytes, &settings).unwrap_or_else(|error| {
                say_unusable(&error, voice);
                Following::new(&settings)
            }),
        };
        let was_told = following.telling().has_told();
        let mut is_in_file = false;
        let heard = |id: &str, severity, incident: Option<&str>, lane| {
            is_in_file = true;
            following.telling_mut().told(id, severity, incident, lane);
        };
        let sink = Sink::open(out, heard)?;
        if let Some(out) = out.filter(|_| was_told && !is_in_file) {
            voice.note(&format!(
                "`{}` holds nothing that was told: what an earlier watch told elsewhere is not told again (delete \
                 `{CHECKPOINT}` in the lake to have all told anew)",
                out.display()
            ));
        }
        Ok(Self {
            lake,
            ingest,
            settings,
            known,
            following,
            arrivals,
            waiting: VecDeque::new(),
            sink,
            delivery,
            meters,
            stop,
            interval,
            looked_at: clock::now(),
            voice,
            kept_at: clock::now(),
            is_kept: true,
            is_judged: false,
            judged_at: clock::now(),
            is_behind: false,
            is_delivered: true,
            commits: 0,
            compaction: None,
        })
    }

    /// One round; whether there is more to be read at once. After an error nothing is lost, and the next round does what
    /// this one did not.
    pub(super) fn round(&mut self, is_last: bool, wait: Duration) -> anyhow::Result<bool> {
        if let Some(fresh) = self.known.0.look(&self.known.1, &self.meters, self.voice) {
            self.take_over(fresh);
        }
        let beside = Beside {
            lake: &self.lake,
            meters: &self.meters,
            stop: &self.stop,
        };
        let is_idle = self.waiting.is_empty() && !self.is_behind;
        let mut found = Found::default();
        if is_idle || self.looked_at.elapsed() >= self.interval {
            let wait = if is_idle { wait } else { Duration::ZERO };
            found = self.arrivals.look(is_last, wait, &beside);
            self.looked_at = clock::now();
        }
        // What arrives now does not wait for what lies there since long.
        for object in found.objects.into_iter().rev() {
            self.waiting.push_front(object);
        }
        let some = match self.stop.is_asked() {
            true => Vec::new(),
            false => some_of(&mut self.waiting),
        };
        let read = match some.is_empty() {
            true => Ok(()),
            false => self.read(some),
        };
        let followed = self.follow();
        self.tidy();
        self.meters.waiting.set(as_i64(self.waiting.len()));
        self.meters.failing.set(as_i64(self.arrivals.failing()));
        read?;
        followed?;
        let is_more = self.is_behind || !self.waiting.is_empty();
        found.error.map_or(Ok(is_more), Err)
    }

    /// Goes by what is known now. Another border is another lake: its sums are made anew.
    fn take_over(&mut self, fresh: Fresh) {
        let Fresh { context, networks } = fresh;
        self.ingest.context = Arc::clone(&context);
        self.settings.context = context;
        if networks != self.settings.networks {
            self.voice.note(
                "the inventory changes what is inside: the lake is read anew, and what was told stays told",
            );
            self.ingest.networks = networks.clone();
            self.settings.networks = networks;
            self.following.start_over(&self.settings);
        }
        self.is_judged = false;
    }

    /// Reads objects into the lake. If it cannot be written to, they wait again.
    fn read(&mut self, objects: Vec<Object>) -> anyhow::Result<()> {
        let progress = &self.meters.progress;
        let done = match outflow_ingest::ingest(&objects, &self.ingest, &self.lake, progress) {
            Ok(done) => done,
            Err(error) => {
                for object in objects.into_iter().rev() {
                    self.waiting.push_front(object);
                }
                return Err(error.into());
            }
        };
        // What was not begun with waits again, the first first.
        let (objects, unread): (Vec<_>, Vec<_>) = objects
            .into_iter()
            .partition(|object| !done.unread.contains(&object.uri));
        for object in unread.into_iter().rev() {
            self.waiting.push_front(object);
        }
        let of = &done.accounts;
        let (meters, left) = (&self.meters, done.left.len() as u64);
        meters.objects.inc_by(of.objects.saturating_sub(left));
        meters.damaged.inc_by(of.damaged.saturating_sub(left));
        meters.records.inc_by(of.rows + of.queries);
        meters.rejects.inc_by(of.rejects);
        tracing::info!(
            objects = of.objects,
            known = done.known,
            records = of.rows + of.queries,
            rejects = of.rejects,
            left,
            "committed"
        );
        self.commits += u32::from(done.batches > 0);
        let beside = Beside {
            lake: &self.lake,
            meters,
            stop: &self.stop,
        };
        self.arrivals
            .settle(&objects, &done.left, &done.problems, &beside)
    }

    /// Adds what the lake has to the sums, whoever brought it, and tells what is new of what they come to.
    fn follow(&mut self) -> anyhow::Result<()> {
        let progress = &self.meters.progress;
        let now = Timestamp(clock::unix_secs());
        let followed = self
            .following
            .step(&self.lake, &self.settings, progress, now)?;
        self.is_behind = followed.is_more;
        self.meters.followed.set(as_i64(self.following.objects()));
        self.meters
            .state_bytes
            .set(as_i64(self.following.state_bytes()));
        self.is_kept &= followed.objects == 0;
        self.is_judged &= followed.objects == 0;
        let is_all = self.waiting.is_empty() && !self.is_behind;
        let is_due = is_all || self.judged_at.elapsed() > JUDGED_AGE_MAX && !self.stop.is_asked();
        if !self.is_judged && is_due && self.judge()? {
            return self.keep();
        }
        if !self.is_kept && self.kept_at.elapsed() > CHECKPOINT_AGE_MAX {
            self.keep()?;
        }
        Ok(())
    }

    /// Judges the sums, and tells what is new; whether anything is.
    fn judge(&mut self) -> anyhow::Result<bool> {
        let outcome = self.following.outcome(&self.settings);
        if let Some(last) = outcome.accounts.last {
            // A record may be of any time.
            self.meters.newest.set(last.secs().min(clock::unix_secs()));
        }
        let now = Timestamp(clock::unix_secs());
        let telling = self.following.telling_mut();
        let (incidents, findings) = telling.untold(&outcome, now, &self.settings.alerting);
        // Before they count as told: who is ended in between delivers again, where most targets can tell.
        if let Some((delivery, asff)) = &self.delivery
            && !incidents.is_empty()
        {
            let last = outcome.accounts.last.unwrap_or_default();
            let times = (Timestamp(clock::unix_secs()), last);
            let members = members(&incidents, &outcome.findings);
            let delivered = delivery.deliver(&incidents, &members, asff, times);
            let delivered = delivered.unwrap_or_else(|failure| {
                self.voice
                    .error(&[&format!("{:#}", failure.error)], &failure.hint);
                failure.exit
            });
            self.is_delivered &= delivered == Exit::Done;
        }
        self.sink.write(&incidents, &findings)?;
        let telling = self.following.telling_mut();
        for incident in &incidents {
            telling.told_incident(incident);
        }
        for finding in &findings {
            let severity = finding.severity.name();
            self.meters
                .findings
                .get_or_create(&BySeverity { severity })
                .inc();
            let (id, incident) = (&finding.id, finding.incident.as_deref());
            telling.told(id, finding.severity.id(), incident, None);
        }
        tracing::info!(
            findings = findings.len(),
            incidents = incidents.len(),
            "judged"
        );
        self.is_judged = true;
        self.judged_at = clock::now();
        Ok(!incidents.is_empty() || !findings.is_empty())
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

    /// Ends it: what was not read is left to the next watch. Whether all that was looked at was sound, and all that was told
    /// arrived.
    pub(super) fn end(mut self) -> anyhow::Result<Exit> {
        self.arrivals.end();
        let left = self.waiting.len() as u64;
        // Of a part of the traffic, more seems to be unexplained than of the whole: that is left to the next watch, too.
        let is_whole = left == 0 && !self.is_behind;
        if !self.is_judged && is_whole {
            self.judge()?;
        }
        if !self.is_kept {
            self.keep()?;
        }
        let place = self.lake.place().to_string();
        let place = escape(&place, PLACE_CHARS_MAX);
        let objects = human_count(self.following.objects() as u64);
        let mut note = match is_whole {
            true => format!("`{place}` holds {objects} objects, and all were judged"),
            false => format!("{objects} objects of `{place}` were read; the next watch goes on"),
        };
        if left > 0 {
            note += &format!(
                "; {} that arrived wait for the next watch",
                human_count(left)
            );
        }
        self.voice.note(&note);
        let is_done = self.arrivals.are_sound() && self.is_delivered;
        Ok(if is_done {
            Exit::Done
        } else {
            Exit::Unfinished
        })
    }
}

fn say_unusable(error: &CheckpointError, voice: Voice) {
    voice.note(&format!(
        "the checkpoint of the last watch is not used, as {error}: the lake is read anew, and what was told before may be \
         told again unless --out names the file that holds it"
    ));
}

/// The findings of incidents, which name these by the ids under which they are told.
fn members(incidents: &[Incident], findings: &[Finding]) -> Vec<Finding> {
    let ids = incidents.iter().flat_map(|incident| {
        let own = incident.finding_ids.iter();
        own.map(|finding| (finding.as_str(), &incident.body.id))
    });
    let ids: BTreeMap<&str, &String> = ids.collect();
    let named = |finding: &Finding| {
        let incident = ids.get(finding.id.as_str())?;
        Some(Finding {
            incident: Some((*incident).clone()),
            ..finding.clone()
        })
    };
    findings.iter().filter_map(named).collect()
}

/// As many objects as a round reads.
fn some_of(waiting: &mut VecDeque<Object>) -> Vec<Object> {
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
