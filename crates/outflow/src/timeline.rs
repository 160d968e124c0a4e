//! `outflow timeline`.

mod html;
mod json;
mod story;
mod text;

pub(crate) use html::write as write_html;
pub(crate) use json::write as write_json;
pub(crate) use story::Story;
pub(crate) use text::write as write_text;

use std::io::Write;
use std::path::PathBuf;

use outflow_finding::{Finding, Incident};
use outflow_query::{Entity, Only, Timeline, TimelineRequest};
use outflow_record::{Addr, Format, Timestamp};

use crate::exit::{Exit, Failure};
use crate::incident;
use crate::input::Input;
use crate::judging::{JudgeArgs, Judging};
use crate::output;
use crate::query::cancellable;
use crate::session::{Opened, SessionArgs};
use crate::voice::Voice;

/// Seconds without a record that end an episode of a timeline.
pub(crate) const GAP_SECS: u32 = 900;

/// Tell what happened at an interface, a workload or an address, or around an incident, in order.
///
/// Flow records that follow one another with the same other side are one line, as are questions to the resolver about
/// one domain. What was met for the first time is marked, and times of which no log tells are shown as gaps. Around an
/// incident that is what its senders did, who else talked to its destinations, and its findings.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow timeline --lake ./lake --interface eni-0a1b --since 2026-10-01 --until 2026-10-02\n  \
                        outflow timeline --source ./flow-logs --ip 203.0.113.9 --format json\n  \
                        outflow timeline --lake ./lake --incident inc-3b28b336fa5d2bca --format html --out theft.html"
)]
pub(crate) struct TimelineArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    #[command(flatten)]
    of: SessionArgs,
    /// Seconds without a record after which what goes on with the same other side is a new line.
    #[arg(long, value_name = "SECONDS", default_value_t = GAP_SECS)]
    gap: u32,
    /// Seconds before and after an incident that are told, too.
    #[arg(long, value_name = "SECONDS", default_value_t = incident::AROUND_SECS)]
    around: u32,
    /// What incidents are judged by, as for `outflow detect`: bounds, baseline and allowed destinations.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["interface", "workload", "instance", "ip"])]
    config: Option<PathBuf>,
    /// Findings that somebody answers for, likewise.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["interface", "workload", "instance", "ip"])]
    suppressions: Option<PathBuf>,
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
    /// Of this incident: its id, or what it begins with. An id depends on what is judged: --since and --until are those
    /// of the `detect` that told it.
    #[arg(long, value_name = "ID")]
    incident: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// A line each, for people.
    Text,
    /// A JSON object a line.
    Json,
    /// A page to read, print and pass on.
    Html,
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
    // What was met before is asked of all times.
    let only = Only {
        since: None,
        until: None,
        ..args.of.only()?
    };
    let out = args.out.as_deref();
    let opened = args.of.open(only, out, flow_format, voice)?;
    let story = match &args.whose.incident {
        Some(id) => args.around_incident(id, &opened, voice)?,
        None => args.of_entity(&opened)?,
    };
    if story.entries.is_empty() {
        voice.note(&format!(
            "nothing is known of `{}` in this time",
            story.whose
        ));
    }
    let told = output::tell(out, |out: &mut dyn Write| match args.format {
        OutputFormat::Text => write_text(&story, out),
        OutputFormat::Json => write_json(&story, out),
        OutputFormat::Html => write_html(&story, out),
    });
    told.map(|()| opened.exit)
}

impl TimelineArgs {
    fn of_entity(&self, opened: &Opened) -> Result<Story, Failure> {
        let select = &self.of.how.select;
        let request = TimelineRequest {
            entity: self.whose.entity(),
            since: select.since,
            until: select.until,
            gap_secs: self.gap,
        };
        let told = ask(opened, &request)?;
        let span = (request.since, request.until);
        Ok(Story::of(&request.entity, span, told))
    }

    /// Judges what the session stands on, as `detect` does, and tells of one incident.
    fn around_incident(&self, id: &str, opened: &Opened, voice: Voice) -> Result<Story, Failure> {
        let how = &self.of.how;
        let judge = JudgeArgs {
            internal: how.internal.clone(),
            config: self.config.clone(),
            suppressions: self.suppressions.clone(),
            context: how.context.clone(),
            threads: how.threads,
        };
        // What sources are in has been said, and so has what the context lacks.
        let Judging { settings, .. } = judge.settings_with(&how.select, &opened.context)?;
        let input = Input::Lake {
            lake: opened.lake.clone(),
            filter: how.select.filter()?,
        };
        let outcome = input.read(&settings, voice)?;
        let incident = incident::found(&outcome, id)?;
        let findings = incident::findings(&outcome, incident);
        let asked = AskedIncident {
            incident,
            findings: &findings,
            around_secs: self.around,
            gap_secs: self.gap,
        };
        let (_, story) = of_incident(&asked, |request| ask(opened, request))?;
        Ok(story)
    }
}

fn ask(opened: &Opened, request: &TimelineRequest) -> Result<Timeline, Failure> {
    let told = cancellable(&opened.runtime, opened.session.timeline(request));
    told.map_err(|stop| stop.failure(""))
}

/// An incident whose timeline is asked for.
pub(crate) struct AskedIncident<'a> {
    pub(crate) incident: &'a Incident,
    /// Its findings, the gravest first.
    pub(crate) findings: &'a [&'a Finding],
    /// Seconds around them.
    pub(crate) around_secs: u32,
    /// As in [`TimelineRequest`].
    pub(crate) gap_secs: u32,
}

/// The timeline of each sender of an incident that is asked about, and its story.
pub(crate) fn of_incident(
    asked: &AskedIncident<'_>,
    ask: impl Fn(&TimelineRequest) -> Result<Timeline, Failure>,
) -> Result<(Vec<(Entity, Timeline)>, Story), Failure> {
    let span @ (since, until): (Option<Timestamp>, Option<Timestamp>) =
        incident::around(asked.findings, asked.around_secs);
    let request = |entity: Entity| TimelineRequest {
        entity,
        since,
        until,
        gap_secs: asked.gap_secs,
    };
    let mut senders = Vec::new();
    let (entities, senders_unasked) = incident::senders(asked.findings);
    for entity in entities {
        let told = ask(&request(entity.clone()))?;
        senders.push((entity, told));
    }
    let (addrs, unasked) = incident::destinations(asked.findings);
    let others = ask(&request(Entity::Addrs(addrs)))?;
    let of = (asked.incident, asked.findings);
    let story = Story::of_incident(
        of,
        span,
        (senders.clone(), senders_unasked),
        (others, unasked),
    );
    Ok((senders, story))
}
