//! A session of SQL, over a lake or over sources.

mod given;
mod run;
mod source;

use source::{Decoded, Unread};

pub(crate) use given::{GivenArgs, GuardDutyArgs, GuardDutyRead};
pub(crate) use run::{RUN, run_lines};

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use outflow_ingest::Context;
use outflow_lake::Lake;
use outflow_query::{Error, Limits, Only, Reads, STACK_BYTES, Session};
use outflow_record::Format;
use outflow_udf::Known;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::context;
use crate::exit::{Exit, Failure};
use crate::judging;
use crate::lake;
use crate::sources::SelectArgs;
use crate::voice::Voice;

/// Memory of queries where the system does not say how much is free.
const MEMORY_MIB: u32 = 2_048;

/// Memory of queries at least, however little is free.
const MEMORY_MIB_MIN: u32 = 256;

/// Half of the memory that is free, as Linux tells it.
fn half_of_free() -> u32 {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let free = || {
        let told = read("/proc/meminfo")?;
        let line = told
            .lines()
            .find(|line| line.starts_with("MemAvailable:"))?;
        let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib >> 10)
    };
    // What a container may have is less; `max` is no limit.
    let allowed = || {
        Some(
            read("/sys/fs/cgroup/memory.max")?
                .trim()
                .parse::<u64>()
                .ok()?
                >> 20,
        )
    };
    let mib = [free(), allowed()].into_iter().flatten().min();
    let half = mib.and_then(|mib| u32::try_from(mib / 2).ok());
    half.unwrap_or(MEMORY_MIB).max(MEMORY_MIB_MIN)
}

/// What is asked, and what asking may take.
#[derive(Debug, clap::Args)]
pub(crate) struct SessionArgs {
    /// Ask this lake: a folder, or s3://bucket/prefix.
    #[arg(long, value_name = "PLACE", conflicts_with = "sources")]
    pub(crate) lake: Option<String>,
    /// Ask these sources: files, folders, s3://bucket/prefix. They are decoded as the query reads them, or read into a lake of the
    /// moment first where it goes through them more than once. May be repeated.
    #[arg(long = "source", value_name = "SOURCE")]
    pub(crate) sources: Vec<OsString>,
    #[command(flatten)]
    pub(crate) how: HowArgs,
}

/// What of it is asked, what else is known, and what asking may take.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct HowArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// Networks that are inside, beside private space, when sources are read. May be repeated, or a list with commas.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub(crate) internal: Vec<String>,
    /// Folder of what is known of destinations and interfaces, as for `outflow detect`; functions such as `country` need it.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) context: Option<PathBuf>,
    /// Memory, in MiB, for what is sorted, grouped and joined; beyond it, a query spills to disk [default: half of what is
    /// free].
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(16..))]
    memory: Option<u32>,
    /// Threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
}

/// A session, and what it runs on.
pub(crate) struct Opened {
    pub(crate) session: Session,
    pub(crate) lake: Lake,
    pub(crate) context: Arc<Context>,
    pub(crate) runtime: Workers,
    /// Whether all of the sources was read.
    pub(crate) exit: Exit,
    /// Sources that are still to be read into the lake.
    unread: Option<Unread>,
    /// Sources that are decoded as queries read them.
    decoded: Option<Decoded>,
    /// The folder of a lake of the moment, which goes with this.
    _folder: Option<TempDir>,
}

impl SessionArgs {
    /// A session over sources, with all cores.
    pub(crate) fn of_sources(sources: Vec<OsString>, select: &SelectArgs) -> Self {
        Self {
            lake: None,
            sources,
            how: HowArgs {
                select: select.clone(),
                internal: Vec::new(),
                context: None,
                memory: None,
                threads: None,
            },
        }
    }

    /// Whether it is said what to ask.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.lake.is_none() && self.sources.is_empty() {
            return Err(Failure::usage(
                anyhow!("it is not said what to ask"),
                "name a lake with --lake, or what to read with --source",
            ));
        }
        Ok(())
    }

    /// The rows that are wanted.
    pub(crate) fn only(&self) -> Result<Only, Failure> {
        let filter = self.how.select.filter()?;
        Ok(Only {
            since: filter.since,
            until: filter.until,
            accounts: filter.accounts,
            regions: filter.regions,
        })
    }

    /// Opens the lake, or reads the sources, of which `only` some rows are seen; `out` is where the answer will go.
    pub(crate) fn open(
        &self,
        only: Only,
        out: Option<&Path>,
        flow_format: Option<Format>,
        voice: Voice,
    ) -> Result<Opened, Failure> {
        let mut opened = self.begin(only, out, flow_format, voice)?;
        opened.read(None, voice)?;
        Ok(opened)
    }

    /// As [`SessionArgs::open`]; sources are left to [`Opened::read`].
    pub(crate) fn begin(
        &self,
        only: Only,
        out: Option<&Path>,
        flow_format: Option<Format>,
        voice: Voice,
    ) -> Result<Opened, Failure> {
        self.check()?;
        let threads = self.how.workers();
        let context = self.how.known(voice)?;
        let (lake, folder, unread) = match &self.lake {
            Some(place) => {
                let options = self.how.select.server.options();
                (lake::open(place, &options)?, None, None)
            }
            None => {
                let unread = Unread::list(self, out, Arc::clone(&context), flow_format)?;
                let (lake, folder) = source::empty()?;
                (lake, Some(folder), Some(unread))
            }
        };
        let limits = Limits {
            memory_bytes: {
                let mib = self.how.memory.unwrap_or_else(half_of_free);
                usize::try_from(mib).unwrap_or(usize::MAX >> 20) << 20
            },
            threads,
            ..Limits::default()
        };
        let known = Known {
            ranges: context.ranges.clone(),
            geo: Arc::clone(&context.geo),
            inventory: Arc::clone(&context.inventory),
        };
        let session = Session::over_part(&lake, only, limits, known);
        let session = session.map_err(|error| failure(error, ""))?;
        give_rules(&session, &context)?;
        Ok(Opened {
            session,
            lake,
            context,
            runtime: runtime(threads)?,
            exit: Exit::Done,
            unread,
            decoded: None,
            _folder: folder,
        })
    }
}

/// Gives a session what an inventory says of security groups, if there is one.
fn give_rules(session: &Session, context: &Context) -> Result<(), Failure> {
    if context.inventory.security_groups.ids().next().is_none() {
        return Ok(());
    }
    let tables = outflow_query::egress_rules(&context.inventory);
    for table in tables.map_err(|error| failure(error, ""))? {
        session.give(table).map_err(|error| failure(error, ""))?;
    }
    Ok(())
}

impl Opened {
    /// Whether there are sources that are not read.
    pub(crate) fn is_unread(&self) -> bool {
        self.unread.is_some()
    }

    /// Reads the sources, or as much of them as a query reads like that; where that goes through them once, they are decoded when it
    /// is asked.
    pub(crate) fn read(&mut self, reads: Option<&Reads>, voice: Voice) -> Result<(), Failure> {
        let Some(mut unread) = self.unread.take() else {
            return Ok(());
        };
        let Some(reads) = reads else {
            self.exit = unread.read(&self.lake, None, voice)?;
            return Ok(());
        };
        if reads.is_one_pass() {
            let decoded = unread.decoded(voice);
            self.session.decode(Arc::clone(&decoded.scan));
            self.decoded = Some(decoded);
            return Ok(());
        }
        let chosen = unread.choose(&self.session, reads, voice);
        chosen.map_err(|error| failure(error, ""))?;
        self.exit = unread.read(&self.lake, reads.needs.clone(), voice)?;
        Ok(())
    }

    /// Says what is wrong with sources that were read for queries until now.
    pub(crate) fn say(&mut self, voice: Voice) {
        if let Some(decoded) = &self.decoded
            && self.exit == Exit::Done
        {
            self.exit = decoded.say(voice);
        }
    }
}

impl HowArgs {
    /// Refuses what says how to read sources, where a lake is asked that was made of them.
    pub(crate) fn check_lake(&self) -> Result<(), Failure> {
        if self.internal.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(
            anyhow!(
                "--internal says where the border is when sources are read, and a lake has the border with which it was ingested"
            ),
            "leave it out, or ingest the sources into another lake with `outflow ingest --internal`",
        ))
    }

    /// Threads that read and ask.
    pub(crate) fn workers(&self) -> usize {
        judging::workers(self.threads)
    }

    /// What the folder of `--context` tells.
    pub(crate) fn known(&self, voice: Voice) -> Result<Arc<Context>, Failure> {
        let context = Arc::new(context::load(self.context.as_deref())?);
        if self.context.is_some() {
            context::note(&context, voice);
        }
        Ok(context)
    }
}

/// Threads that work on queries. Those that are at work when this is dropped are left to the end of the program: what was
/// cancelled may look up only when it is done.
pub(crate) struct Workers(Option<Runtime>);

impl std::ops::Deref for Workers {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        let runtime = self.0.as_ref();
        runtime.unwrap_or_else(|| unreachable!("it is there until it is dropped"))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// As many threads.
pub(crate) fn runtime(threads: usize) -> Result<Workers, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("outflow-query")
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map(|runtime| Workers(Some(runtime)))
        .map_err(|error| Failure::unfinished(error, "allow the program more threads"))
}

/// What it means that a query failed; a wrong one is shown with the place of what is wrong.
pub(crate) fn failure(error: Error, sql: &str) -> Failure {
    match error {
        Error::Sql {
            message,
            spot,
            help,
        } => {
            let shown = spot.and_then(|spot| Some((spot, spot.underlined(sql)?)));
            let hint = help.map(String::from).unwrap_or_else(|| {
                "tables are flows, profiles, hours, dns, coverage, rejects and sources, with --guardduty also guardduty, with \
                 --incidents incidents and findings, and with an inventory in --context egress_rules and interface_groups; \
                 views are flows_once, profiles_once, flows_logged and vpc_flow_logs; `outflow query --lake … 'DESCRIBE flows'` \
                 tells columns, `outflow functions` functions"
                    .to_owned()
            });
            let shown = shown.map(|(spot, (line, marks))| {
                vec![
                    format!("{:>5} | {line}", spot.line),
                    format!("      | {marks}"),
                ]
            });
            Failure {
                shown: shown.unwrap_or_default(),
                ..Failure::usage(anyhow!(message), hint)
            }
        }
        Error::Place { .. } => Failure::usage(
            error,
            "a place `$NAME` in a query takes its value from -p NAME=VALUE",
        ),
        Error::Writes { .. } => Failure::usage(
            error,
            "what may be asked begins with SELECT, WITH, VALUES, EXPLAIN, DESCRIBE or SHOW",
        ),
        Error::Memory { .. } => Failure::unfinished(
            error,
            "ask for less at once, or allow more with --memory; a smaller --threads needs less, too",
        ),
        Error::Value { .. } => Failure::usage(
            error,
            "look at the values that the query meets: of the wrong type, beyond what it holds, or for a function that needs --context",
        ),
        Error::Run { source } => {
            let mut told = Vec::new();
            let mut cause: Option<&dyn std::error::Error> = Some(source.find_root());
            while let Some(error) = cause {
                let text = error.to_string();
                // Some say what their cause says.
                if !told.iter().any(|before: &String| before.contains(&text)) {
                    told.push(text);
                }
                cause = error.source();
            }
            Failure::unfinished(
                anyhow!("the query could not be run to its end: {}", told.join(": ")),
                "if files of the lake are damaged or gone, `outflow lake verify` names them",
            )
        }
        Error::Session { .. } => Failure::unfinished(
            error,
            "see that the folder for temporary files (TMPDIR) may be written to",
        ),
    }
}
