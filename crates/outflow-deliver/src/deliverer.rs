//! Delivers items to targets: filter, batches, attempts, dead letters.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use outflow_aws::{ATTEMPT_MAX, ATTEMPTS_MAX, Aws, AwsOptions, Failed, Host, Http, System, wait};
use outflow_finding::escape;
use outflow_record::Timestamp;
use url::Url;

use crate::batch::part;
use crate::dead::{self, Entry};
use crate::secret::Secret;
use crate::sender::{Sender, is_endpoint};
use crate::{Error, Failure, Format, Item, Redelivery, Report, Run, Target};

/// How long a delivery may take at each target, if nothing else is said.
pub const PATIENCE_DEFAULT: Duration = Duration::from_secs(300);

/// Characters of the reason why an item failed: servers may say as much as they like.
const REASON_CHARS_MAX: usize = 400;

/// How to deliver.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file that takes what could not be delivered. Without one, that is only reported.
    pub dead_letters: Option<PathBuf>,
    /// How long to go on at each target. After that, nothing more is tried; an attempt under way ends within 30 s.
    pub patience: Duration,
    /// Region of buckets and Security Hub that name none; else that of environment or profile.
    pub region: Option<String>,
    /// Another server than those of AWS.
    pub endpoint_url: Option<String>,
    /// The machine.
    pub host: Arc<dyn Host>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dead_letters: None,
            patience: PATIENCE_DEFAULT,
            region: None,
            endpoint_url: None,
            host: Arc::new(System),
        }
    }
}

/// Targets that are ready to be delivered to.
#[derive(Debug)]
pub struct Deliverer {
    ready: Vec<Ready>,
    dead_letters: Option<PathBuf>,
    patience: Duration,
    host: Arc<dyn Host>,
}

#[derive(Debug)]
struct Ready {
    target: Target,
    /// As reports and dead letters call it.
    name: String,
    sender: Sender,
}

impl Deliverer {
    /// Makes targets ready: reads secrets, and finds credentials if a target is of AWS. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Twice`], [`Error::Secret`], [`Error::NoCredentials`] and [`Error::Endpoint`].
    pub async fn open(targets: Vec<Target>, options: Options) -> Result<Self, Error> {
        let http = Http::new(Arc::clone(&options.host), ATTEMPT_MAX);
        let endpoint = options.endpoint_url.as_deref().map(endpoint).transpose()?;
        let mut aws = None;
        if targets.iter().any(|target| target.place.is_of_aws()) {
            let how = AwsOptions {
                region: options.region.as_deref(),
                endpoint: endpoint.as_ref(),
            };
            let found = Aws::connect(http.clone(), how).await;
            let found = found.map_err(|none| Error::NoCredentials {
                reason: none.reason,
            })?;
            aws = Some(Arc::new(found));
        }
        Self::with(targets, options, &http, aws.as_ref())
    }

    pub(crate) fn with(
        targets: Vec<Target>,
        options: Options,
        http: &Http,
        aws: Option<&Arc<Aws>>,
    ) -> Result<Self, Error> {
        let mut names = BTreeSet::new();
        let mut ready = Vec::new();
        for target in targets {
            let name = target.to_string();
            if !names.insert(name.clone()) {
                return Err(Error::Twice { target: name });
            }
            let secret = target.secret.as_ref();
            let secret = secret.map(|place| Secret::read(place, &*options.host));
            let sender = Sender::new(&target, secret.transpose()?, http, aws);
            let sender = sender.ok_or_else(|| Error::NoCredentials {
                reason: "none were looked for".to_owned(),
            })?;
            ready.push(Ready {
                target,
                name,
                sender,
            });
        }
        Ok(Self {
            ready,
            dead_letters: options.dead_letters,
            patience: options.patience,
            host: options.host,
        })
    }

    /// The formats that targets want items in. An item for all of them has to be handed in once in each.
    pub fn formats(&self) -> BTreeSet<Format> {
        self.ready
            .iter()
            .map(|ready| ready.target.format())
            .collect()
    }

    /// Delivers the items of a run to all targets at the same time, each item to those that take it. There is a report
    /// for each target, in the order in which they were opened.
    ///
    /// What did not arrive is in the reports, and in the file of dead letters. A target whose answer was lost may get
    /// an item twice; objects, FIFO queues and topics and Security Hub then keep one, and a webhook can tell by
    /// `X-Outflow-Delivery`. Dropping the future leaves open what arrived.
    pub async fn deliver(&self, run: &Run, items: &[Item]) -> Vec<Report> {
        join_all(self.ready.iter().map(|ready| async move {
            let taken: Vec<&Item> = items
                .iter()
                .filter(|item| ready.target.takes(item))
                .collect();
            let mut report = Report {
                target: ready.name.clone(),
                passed_over: (items.len() - taken.len()) as u64,
                ..Report::default()
            };
            let done = self.bring(ready, run, &taken, self.host.now()).await;
            report.delivered = done.delivered.len() as u64;
            report.attempts = done.attempts;
            let letters: Vec<Entry<'_>> = done
                .failed
                .iter()
                .map(|(item, reason)| Entry::Failed {
                    target: &ready.name,
                    run,
                    item,
                    reason,
                })
                .collect();
            match self.keep(&letters) {
                Ok(kept) => report.dead_lettered = kept,
                Err(reason) => report.unkept = Some(reason),
            }
            report.failed = failures(&done.failed);
            report
        }))
        .await
    }

    /// Delivers again what waits in a file of dead letters, whatever targets take now. What arrives is marked so in the
    /// file; what fails goes on waiting.
    ///
    /// # Errors
    /// [`Error::DeadLetters`] if the file cannot be read, or what arrived cannot be marked, so that it would be
    /// delivered once more; [`Error::Busy`] if another process is at it.
    pub async fn redeliver(&self, path: &Path) -> Result<Redelivery, Error> {
        let _claimed = dead::claim(path)?;
        let letters = dead::read(path)?;
        let mut redelivery = Redelivery {
            unreadable: letters.unreadable,
            ..Redelivery::default()
        };
        let mut runs: BTreeMap<(&str, &Run), Vec<&Item>> = BTreeMap::new();
        for letter in &letters.waiting {
            let key = (letter.target.as_str(), &letter.run);
            runs.entry(key).or_default().push(&letter.item);
        }
        let mut began = self.host.now();
        for ((target, run), items) in runs {
            let Some(ready) = self.ready.iter().find(|ready| ready.name == target) else {
                redelivery.of_others += items.len() as u64;
                continue;
            };
            // Keys are in order of target: its runs follow each other, and share its time.
            let reports = &mut redelivery.reports;
            if reports.last().is_none_or(|last| last.target != target) {
                began = self.host.now();
                reports.push(Report {
                    target: target.to_owned(),
                    ..Report::default()
                });
            }
            let done = self.bring(ready, run, &items, began).await;
            let marks = done.delivered.iter();
            let marks = marks.map(|item| Entry::Redelivered { target, item });
            dead::write(path, &marks.collect::<Vec<_>>(), self.now())?;
            if let Some(report) = redelivery.reports.last_mut() {
                report.delivered += done.delivered.len() as u64;
                report.attempts += done.attempts;
                report.dead_lettered += done.failed.len() as u64;
                report.failed.extend(failures(&done.failed));
            }
        }
        Ok(redelivery)
    }

    /// Writes letters, if there is a file for them; says how many were written.
    fn keep(&self, letters: &[Entry<'_>]) -> Result<u64, String> {
        match &self.dead_letters {
            Some(path) if !letters.is_empty() => dead::write(path, letters, self.now())
                .map(|()| letters.len() as u64)
                .map_err(|error| match &error {
                    Error::DeadLetters { source, .. } => format!("{error}: {source}"),
                    _ => error.to_string(),
                }),
            _ => Ok(0),
        }
    }

    /// Brings items to one target, in batches, trying again what may still arrive while there is patience.
    async fn bring<'a>(
        &self,
        ready: &Ready,
        run: &Run,
        items: &[&'a Item],
        began: SystemTime,
    ) -> Done<'a> {
        let sender = &ready.sender;
        let limits = sender.limits();
        let parted = part(
            items,
            limits,
            |item| sender.size(item),
            |item| sender.group(item),
        );
        let mut done = Done::default();
        for (item, bytes) in parted.oversize {
            let most = limits.item_bytes_max;
            let reason = format!("it has {bytes} bytes, and the target takes {most} at most");
            done.failed.push((item, reason));
        }
        let mut batches = VecDeque::from(parted.batches);
        while let Some(batch) = batches.pop_front() {
            let halves = self.insist(ready, run, batch, began, &mut done).await;
            for half in halves.into_iter().flatten().rev() {
                batches.push_front(half);
            }
        }
        done
    }

    /// Tries to deliver one batch until each of its items arrived or failed for good; or gives back its halves, if it
    /// is too large.
    async fn insist<'a>(
        &self,
        ready: &Ready,
        run: &Run,
        mut batch: Vec<&'a Item>,
        began: SystemTime,
        done: &mut Done<'a>,
    ) -> Option<[Vec<&'a Item>; 2]> {
        let mut attempts = 0;
        let mut reason = "it was not tried, as earlier ones took all the time".to_owned();
        let mut next = Duration::ZERO;
        while attempts < ATTEMPTS_MAX && self.is_time_for(next, began) {
            if attempts > 0 {
                tracing::debug!(
                    target = ready.name,
                    attempts,
                    reason,
                    "delivery failed and is tried again"
                );
                self.host.sleep(next).await;
            }
            attempts += 1;
            done.attempts += 1;
            let failed = match ready.sender.send(run, &batch).await {
                Ok(failed) => failed,
                Err(Failed::TooLarge(_)) if batch.len() > 1 => {
                    let second = batch.split_off(batch.len() / 2);
                    return Some([batch, second]);
                }
                Err(failed) => (0..batch.len()).map(|at| (at, failed.clone())).collect(),
            };
            let mut failed: BTreeMap<usize, Failed> = failed.into_iter().collect();
            let mut again = Vec::new();
            let mut asked = None;
            for (at, item) in batch.into_iter().enumerate() {
                match failed.remove(&at) {
                    None => done.delivered.push(item),
                    Some(Failed::Lasting(why) | Failed::TooLarge(why)) => {
                        done.failed.push((item, shown(&why)));
                    }
                    Some(Failed::Passing { reason: why, after }) => {
                        again.push(item);
                        asked = asked.max(after);
                        reason = shown(&why);
                    }
                }
            }
            batch = again;
            if batch.is_empty() {
                return None;
            }
            next = wait(attempts, asked, self.host.chance());
        }
        let times = match attempts {
            0 => reason,
            1 => format!("{reason} (1 attempt)"),
            _ => format!("{reason} ({attempts} attempts)"),
        };
        let failed = batch.into_iter().map(|item| (item, times.clone()));
        done.failed.extend(failed);
        None
    }

    /// Whether a wait ends while there is patience.
    fn is_time_for(&self, wait: Duration, began: SystemTime) -> bool {
        let gone = self.host.now().duration_since(began);
        gone.unwrap_or_default().saturating_add(wait) < self.patience
    }

    fn now(&self) -> Timestamp {
        let since = self.host.now().duration_since(UNIX_EPOCH);
        let secs = since.unwrap_or_default().as_secs();
        Timestamp(i64::try_from(secs).unwrap_or(i64::MAX))
    }
}

/// What became of items at one target.
#[derive(Debug, Default)]
struct Done<'a> {
    delivered: Vec<&'a Item>,
    failed: Vec<(&'a Item, String)>,
    attempts: u64,
}

/// What a server said, as a terminal can bear it.
fn shown(reason: &str) -> String {
    escape(reason, REASON_CHARS_MAX)
}

fn failures(failed: &[(&Item, String)]) -> Vec<Failure> {
    let failed = failed.iter();
    let failed = failed.map(|(item, reason)| Failure {
        id: item.id().to_owned(),
        reason: reason.clone(),
    });
    failed.collect()
}

fn endpoint(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).ok().filter(is_endpoint);
    url.ok_or_else(|| Error::Endpoint {
        url: text.to_owned(),
    })
}

#[cfg(test)]
mod tests;
