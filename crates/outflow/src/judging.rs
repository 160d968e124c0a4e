//! The options that say what to judge by.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use outflow_enrich::Networks;
use outflow_ingest::{Context, Settings};
use outflow_record::Format;

use crate::config::Config;
use crate::context;
use crate::exit::Failure;
use crate::sources::{self, SelectArgs};
use crate::suppressions;
use crate::voice::Voice;

/// What to judge by.
#[derive(Debug, clap::Args)]
pub(crate) struct JudgeArgs {
    /// Networks that are inside, beside private space. Naming a private network narrows private space to
    /// what is named. May be repeated, or a list with commas.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub(crate) internal: Vec<String>,
    /// Bounds, baseline and allowed destinations.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Findings that somebody answers for, up to a volume and until a day: they are counted, and not told.
    #[arg(long, value_name = "FILE")]
    pub(crate) suppressions: Option<PathBuf>,
    /// Folder of what is known of destinations and interfaces: AWS's ip-ranges.json, databases of countries and
    /// networks (.mmdb), inventories (JSON of `aws ec2 describe-…` or AWS Config). Read at the start.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) context: Option<PathBuf>,
    /// Threads that read and count [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
}

/// What these options come to, each file read once: what is said of them later is of the texts that were read, whatever the
/// files have by then.
pub(crate) struct Judging {
    pub(crate) settings: Settings,
    /// The configuration, with what is no setting.
    pub(crate) config: Config,
    /// The text of the file of suppressions.
    pub(crate) suppressions: Option<String>,
}

impl JudgeArgs {
    /// What these options come to.
    pub(crate) fn settings(
        &self,
        select: &SelectArgs,
        flow_format: Option<Format>,
        voice: Voice,
    ) -> Result<Judging, Failure> {
        let context = context::load(self.context.as_deref())?;
        if self.context.is_some() {
            context::note(&context, voice);
        }
        let mut judging = self.settings_with(select, &Arc::new(context))?;
        judging.settings.format = flow_format;
        Ok(judging)
    }

    /// As [`JudgeArgs::settings`], with a context that was read, of records that were.
    pub(crate) fn settings_with(
        &self,
        select: &SelectArgs,
        context: &Arc<Context>,
    ) -> Result<Judging, Failure> {
        let config = Config::read(self.config.as_deref())?;
        let (listed, suppressions) = suppressions::read(self.suppressions.as_deref())?;
        let settings = Settings {
            networks: self.networks(&config, context)?,
            policy: config.policy.clone(),
            suppressions: Arc::new(listed),
            since: select.since,
            until: select.until,
            context: Arc::clone(context),
            workers: workers(self.threads),
            alerting: config.alerting.clone(),
            ..Settings::default()
        };
        Ok(Judging {
            settings,
            config,
            suppressions,
        })
    }

    /// The border, by a configuration.
    pub(crate) fn networks(&self, config: &Config, context: &Context) -> Result<Networks, Failure> {
        let networks = sources::networks(self.internal.iter().chain(&config.internal))?;
        Ok(networks.and(context.inventory.cidrs()))
    }

    /// Files that are read, by what they are.
    pub(crate) fn files(&self) -> [(&'static str, Option<&Path>); 2] {
        [
            ("the configuration", self.config.as_deref()),
            ("the file of suppressions", self.suppressions.as_deref()),
        ]
    }
}

/// Threads that read: as asked for, or one for each core.
pub(crate) fn workers(threads: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    threads.map_or_else(cores, usize::from)
}
