//! `outflow watch`.
//!
//! ```text
//! folders, prefixes, queue ──look──► objects ──ingest──► lake ──follow──► sums ──judge──► what is new ──► stdout, --out
//!                                        ▲                 ▲
//!             a message is deleted once its objects are in │    the checkpoint knows which objects the sums hold
//! ```

mod arrivals;
mod known;
mod meters;
mod round;
mod sink;
mod stop;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use outflow_ingest::{IngestSettings, Queue, S3};
use outflow_lake::Lake;
use outflow_record::Format;
use tokio::net::TcpListener;

use crate::deliver::{DeliverArgs, PATIENCE_OF_WATCH};
use crate::exit::{self, Exit, Failure};
use crate::judging::{JudgeArgs, Judging};
use crate::lake::LakeArgs;
use crate::report::AsffArgs;
use crate::sources::SelectArgs;
use crate::voice::Voice;
use arrivals::Arrivals;
use known::Known;
use meters::Meters;
use round::{Parts, Watch};
use stop::Stop;

/// Objects that a round reads at most, and bytes of them as stored, but for the last: findings leave once they are read,
/// and what arrives meanwhile waits where it is.
const OBJECTS_MAX: usize = 5_000;
const BYTES_MAX: u64 = 256 << 20;

/// Days that are remembered, if nothing is said: what a destination used to get is told by up to ninety days on which it got
/// something, before a quarantine of thirty, and the longest sum is over thirty days.
const REMEMBERED_DAYS: u32 = 150;

/// The longest that a look waits for messages of a queue: a signal waits as long.
const RECEIVE_WAIT_MAX: Duration = Duration::from_secs(5);

/// The longest wait after a round that failed.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Seconds without a round that succeeded after which the watch says that it is not well, beside three intervals.
const PATIENCE_SECS: u64 = 120;

/// Keep ingesting what arrives into a lake, and print findings as they arise, each once, as lines of JSON.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow watch ./flow-logs --lake ./lake --out findings.jsonl\n  outflow watch --queue \
                        https://sqs.eu-central-1.amazonaws.com/111122223333/flow-logs --lake s3://bucket/lake --listen \
                        127.0.0.1:9464\n\nSIGTERM ends it within seconds, with what is complete; a new start goes on where it ended. Each \
                        finding is told once. An incident whose lane is `digest` may be chance, and can be read when there is time; \
                        the others alert."
)]
pub(crate) struct WatchArgs {
    /// Folders and s3://bucket/prefix to look into again and again.
    #[arg(value_name = "SOURCE", required_unless_present = "queue")]
    sources: Vec<OsString>,
    /// Address of an SQS queue in which S3 announces objects: itself, through SNS or through EventBridge.
    #[arg(long, value_name = "URL")]
    queue: Option<String>,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    lake: LakeArgs,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    deliver: DeliverArgs,
    #[command(flatten)]
    asff: AsffArgs,
    /// Append findings to this file instead of writing them to stdout: what it holds is not told again.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Days before the newest record of which sums are kept in memory, and findings go by; the lake keeps all. What is older
    /// is forgotten, thirty days at a time.
    #[arg(long, value_name = "DAYS", default_value_t = REMEMBERED_DAYS, value_parser = clap::value_parser!(u32).range(31..=3650))]
    remember: u32,
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    interval: u32,
    /// Tell health (/healthz) and metrics (/metrics) by HTTP at this address.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Read what is there now, and end.
    #[arg(long)]
    once: bool,
}

pub(crate) fn run(
    args: WatchArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    let interval = Duration::from_secs(u64::from(args.interval));
    let patience = PATIENCE_SECS + 3 * interval.as_secs();
    let meters = Arc::new(Meters::new(i64::try_from(patience).unwrap_or(i64::MAX)));
    let stop = Stop::default();
    // It ends with the process.
    let _runtime = attend(args.listen, &meters, &stop, voice)?;
    let is_once = args.once;
    let out = args.out.clone();
    let parts = parts(
        args,
        flow_format,
        (Arc::clone(&meters), stop.clone()),
        voice,
    )?;
    let watch = Watch::begin(parts, out.as_deref());
    let mut watch = watch.map_err(|error| {
        Failure::unfinished(
            error,
            "check that the lake and the file of --out can be read and written",
        )
    })?;
    rounds(&mut watch, (interval, is_once), (&meters, &stop), voice)?;
    let ended = watch.end().map_err(|error| {
        Failure::unfinished(error, "start it again: it goes on from the last checkpoint")
    })?;
    // Of a watch that was asked to end, /healthz and /metrics have told as it ran: its end is no failure.
    Ok(if is_once { ended } else { Exit::Done })
}

/// Looks, reads and judges until the end is asked for, or once.
fn rounds(
    watch: &mut Watch,
    (interval, is_once): (Duration, bool),
    (meters, stop): (&Meters, &Stop),
    voice: Voice,
) -> Result<(), Failure> {
    let (mut failed, mut said) = (0, String::new());
    loop {
        let ended = watch.round(is_once, interval.min(RECEIVE_WAIT_MAX));
        meters.round(ended.as_ref().err().map(|error| format!("{error:#}")));
        let wait = match ended {
            Ok(false) if is_once => return Ok(()),
            Ok(is_more) => {
                failed = 0;
                said.clear();
                if is_more { Duration::ZERO } else { interval }
            }
            Err(error) if exit::is_closed_pipe(&error) => {
                let hint = "nobody reads stdout any more: append findings to a file with --out";
                // Not as the error that it is, of which other commands say nothing.
                return Err(Failure::unfinished(anyhow!("{error:#}"), hint));
            }
            Err(error) if is_once => {
                let hint = "run again: what was committed stays";
                return Err(Failure::unfinished(error, hint));
            }
            Err(error) => {
                failed += 1;
                let text = format!("{error:#}");
                if text != said {
                    voice.error(&[&text], "the watch goes on, and tries again");
                    said = text;
                }
                interval.saturating_mul(failed).min(WAIT_MAX.max(interval))
            }
        };
        if stop.wait(wait) {
            return Ok(());
        }
    }
}

/// Starts the thread that waits for signals and answers requests.
fn attend(
    listen: Option<SocketAddr>,
    meters: &Arc<Meters>,
    stop: &Stop,
    voice: Voice,
) -> Result<tokio::runtime::Runtime, Failure> {
    let unstarted = |error| Failure::unfinished(error, "check the limits of the system");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("outflow-watch")
        .enable_all()
        .build()
        .map_err(|error| unstarted(anyhow::Error::new(error)))?;
    let (stop, of_signals) = (stop.clone(), Arc::clone(meters));
    runtime.spawn(async move {
        if let Err(error) = stop.on_signals(of_signals).await {
            tracing::warn!(%error, "signals are not waited for: SIGTERM ends the watch at once");
        }
    });
    if let Some(at) = listen {
        let bound = runtime.block_on(TcpListener::bind(at));
        let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (at, listener) = bound.map_err(|error| {
            let error = anyhow::Error::new(error).context(format!("could not listen at {at}"));
            Failure::usage(
                error,
                "name an address of this machine and a port that is free",
            )
        })?;
        voice.note(&format!(
            "health and metrics at http://{at}/healthz and http://{at}/metrics"
        ));
        runtime.spawn(meters::serve(listener, Arc::clone(meters)));
    }
    Ok(runtime)
}

/// Resolves the arguments.
fn parts(
    args: WatchArgs,
    flow_format: Option<Format>,
    (meters, stop): (Arc<Meters>, Stop),
    voice: Voice,
) -> Result<Parts, Failure> {
    let server = &args.select.server;
    let delivery = args.deliver.open(server, PATIENCE_OF_WATCH, voice)?;
    let known = Known::new(args.judge);
    let Judging {
        mut settings,
        config,
        ..
    } = known.judge().settings(&args.select, flow_format, voice)?;
    settings.remember_days = Some(args.remember);
    let (sources, options) = args.select.places(&args.sources)?;
    if sources.contains(&outflow_ingest::Source::Stdin) {
        let error = anyhow!("standard input cannot be watched: nothing would know it again");
        return Err(Failure::usage(
            error,
            "name folders, prefixes of S3, or a --queue",
        ));
    }
    let queue = match &args.queue {
        None => None,
        Some(url) => {
            let unconnected = |error: outflow_ingest::QueueError| {
                let hint = error.hint();
                match error {
                    outflow_ingest::QueueError::Url { .. } => Failure::usage(error, hint),
                    _ => Failure::unfinished(error, hint),
                }
            };
            let queue = Queue::connect(url, &options.s3).map_err(unconnected)?;
            let s3 = S3::connect(&options.s3).map_err(|error| {
                let hint = error.hint();
                Failure::unfinished(error, hint)
            })?;
            Some((queue, s3))
        }
    };
    let lake = args.lake.create(&args.select.server)?;
    let own = own_places(&lake, args.out.as_deref());
    Ok(Parts {
        lake,
        ingest: IngestSettings {
            networks: settings.networks.clone(),
            format: settings.format.clone(),
            context: Arc::clone(&settings.context),
            workers: settings.workers,
            wanted: None,
        },
        settings,
        known: (known, config),
        arrivals: Arrivals::new(sources, options, queue, own, voice),
        delivery: delivery.map(|delivery| (delivery, args.asff)),
        meters,
        stop,
        interval: Duration::from_secs(u64::from(args.interval)),
        voice,
    })
}

/// Where the watch itself writes: what lies there is no log.
fn own_places(lake: &Lake, out: Option<&Path>) -> Vec<PathBuf> {
    let lake = PathBuf::from(lake.place().to_string());
    let resolved = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    // A file that is not there yet lies in a folder that is.
    let out = out.map(|out| match (out.parent(), out.file_name()) {
        (Some(folder), Some(name)) if folder.as_os_str().is_empty() => {
            resolved(Path::new(".")).join(name)
        }
        (Some(folder), Some(name)) => resolved(folder).join(name),
        _ => out.to_owned(),
    });
    std::iter::once(resolved(&lake)).chain(out).collect()
}
