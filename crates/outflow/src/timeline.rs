//! `outflow timeline`.

mod json;
mod text;

pub(crate) use json::write as write_json;
pub(crate) use text::write as write_text;

use std::io::Write;
use std::path::PathBuf;

use outflow_query::{Entity, Only, TimelineRequest};
use outflow_record::{Addr, Format};

use crate::exit::{Exit, Failure};
use crate::output;
use crate::query::cancellable;
use crate::session::SessionArgs;
use crate::voice::Voice;

/// Tell what happened at an interface, a workload or an address, in order.
///
/// Flow records that follow one another with the same other side are one line, as are questions to the resolver about
/// one domain. What was met for the first time is marked, and times of which no log tells are shown as gaps.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow timeline --lake ./lake --interface eni-0a1b --since 2026-10-01 --until 2026-10-02\n  \
                        outflow timeline --source ./flow-logs --ip 203.0.113.9 --format json"
)]
pub(crate) struct TimelineArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    #[command(flatten)]
    of: SessionArgs,
    /// Seconds without a record after which what goes on with the same other side is a new line.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    gap: u32,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,
    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct WhoseArgs {
    /// Of this network interface.
    #[arg(long, visible_alias = "eni", value_name = "ID")]
    interface: Option<String>,
    /// Of this workload, as `workload` in `flows` has it.
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,
    /// Of this instance.
    #[arg(long, value_name = "ID")]
    instance: Option<String>,
    /// Of this address, at whichever interface it was seen.
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<Addr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// A line each, for people.
    Text,
    /// A JSON object a line.
    Json,
}

impl WhoseArgs {
    fn entity(&self) -> Entity {
        match (&self.interface, &self.workload, &self.instance, self.ip) {
            (Some(id), ..) => Entity::Interface(id.clone()),
            (None, Some(name), ..) => Entity::Workload(name.clone()),
            (None, None, Some(id), _) => Entity::Instance(id.clone()),
            // As the lake writes addresses.
            (None, None, None, addr) => {
                Entity::Addr(addr.map(|addr| addr.to_string()).unwrap_or_default())
            }
        }
    }
}

pub(crate) fn run(
    args: &TimelineArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    let request = TimelineRequest {
        entity: args.whose.entity(),
        since: args.of.how.select.since,
        until: args.of.how.select.until,
        gap_secs: args.gap,
    };
    // What was met before is asked of all times.
    let only = Only {
        since: None,
        until: None,
        ..args.of.only()?
    };
    let out = args.out.as_deref();
    let opened = args.of.open(only, out, flow_format, voice)?;
    let told = cancellable(&opened.runtime, opened.session.timeline(&request));
    let told = told.map_err(|stop| stop.failure(""))?;
    if told.moments.is_empty() {
        voice.note(&format!(
            "nothing is known of `{}` in this time",
            request.entity.name()
        ));
    }
    let told = output::tell(out, |out: &mut dyn Write| match args.format {
        OutputFormat::Text => write_text(&told, out),
        OutputFormat::Json => write_json(&told, out),
    });
    told.map(|()| opened.exit)
}
