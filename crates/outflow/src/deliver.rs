//! Incidents to where people and machines read them: `--deliver`, and `outflow redeliver`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
pub(crate) use outflow_deliver::PATIENCE_DEFAULT;
use outflow_deliver::{Deliverer, Error, Format, Item, Options, Report, Run, Target};
use outflow_finding::{
    AsffOptions, Family, Finding, Incident, asff_batches, human_count, write_incident, write_ocsf,
};
use outflow_record::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

use crate::exit::{Exit, Failure};
use crate::report::{self, AsffArgs};
use crate::sources::ServerArgs;
use crate::voice::Voice;

/// Failures that are told one by one; more of them are counted.
const FAILURES_TOLD_MAX: usize = 5;

/// How long a watch goes on at each target before it looks for what arrived.
pub(crate) const PATIENCE_OF_WATCH: Duration = Duration::from_secs(60);

/// Where incidents go besides.
#[derive(Debug, clap::Args)]
pub(crate) struct DeliverArgs {
    /// Deliver incidents here, too: FILE, FOLDER/, s3://BUCKET/PREFIX/, https://… (a webhook), arn:aws:sns:…, arn:aws:sqs:…
    /// or the URL of a queue, or securityhub:. Settings stand behind it, as
    /// `https://soc.example/hook#severity=high&secret=env:HOOK`. May be repeated.
    #[arg(long = "deliver", value_name = "TARGET", help_heading = "Delivery")]
    targets: Vec<String>,
    /// Append what could not be delivered to this file, for `outflow redeliver`.
    #[arg(
        long,
        value_name = "FILE",
        requires = "targets",
        help_heading = "Delivery"
    )]
    dead_letters: Option<PathBuf>,
}

/// Deliver again what an earlier delivery kept in a file of dead letters.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  outflow redeliver dead.jsonl --deliver 'https://soc.example/hook#secret=env:HOOK'"
)]
pub(crate) struct RedeliverArgs {
    /// The file, as --dead-letters wrote it. What arrives is marked there.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The targets, as they were given then; letters of others stay. May be repeated.
    #[arg(long = "deliver", value_name = "TARGET", required = true)]
    targets: Vec<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Targets that are ready.
pub(crate) struct Delivery {
    runtime: Runtime,
    deliverer: Deliverer,
    voice: Voice,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").finish_non_exhaustive()
    }
}

impl DeliverArgs {
    /// Makes the targets ready, before anything is read; none, if there are none. `patience` is how long to go on at each.
    pub(crate) fn open(
        &self,
        server: &ServerArgs,
        patience: Duration,
        voice: Voice,
    ) -> Result<Option<Delivery>, Failure> {
        if self.targets.is_empty() {
            return Ok(None);
        }
        let options = Options {
            dead_letters: self.dead_letters.clone(),
            patience,
            ..options(server)
        };
        open(&self.targets, options, voice).map(Some)
    }
}

fn options(server: &ServerArgs) -> Options {
    Options {
        region: server.region.clone(),
        endpoint_url: server.endpoint_url.clone(),
        ..Options::default()
    }
}

fn open(targets: &[String], options: Options, voice: Voice) -> Result<Delivery, Failure> {
    let targets = targets.iter().map(|text| text.parse());
    let targets: Vec<Target> = targets.collect::<Result<_, _>>().map_err(unready)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unfinished(error, "allow the program more threads"))?;
    let deliverer = runtime.block_on(Deliverer::open(targets, options));
    Ok(Delivery {
        deliverer: deliverer.map_err(unready)?,
        runtime,
        voice,
    })
}

fn unready(error: Error) -> Failure {
    let hint = error.hint();
    match error {
        Error::DeadLetters { .. } | Error::Busy { .. } | Error::NoCredentials { .. } => {
            Failure::unfinished(error, hint)
        }
        _ => Failure::usage(error, hint),
    }
}

impl Delivery {
    /// Delivers incidents of a run that found them at a time, and whose last packet was at another; whether all arrived.
    pub(crate) fn deliver(
        &self,
        incidents: &[Incident],
        findings: &[Finding],
        asff: &AsffArgs,
        (found_at, last): (Timestamp, Timestamp),
    ) -> Result<Exit, Failure> {
        let mut items = Vec::new();
        for incident in incidents {
            for format in self.deliverer.formats() {
                items.extend(rendered(
                    incident,
                    findings,
                    format,
                    &asff.options(found_at),
                )?);
            }
        }
        // The same incidents are the same run: objects then are stored once.
        let mut ids = Sha256::new();
        for incident in incidents {
            ids.update(&incident.body.id);
            ids.update([incident.body.severity.id()]);
        }
        let id: String = ids.finalize()[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let run = Run::new(id, last).map_err(unready)?;
        let reports = self.runtime.block_on(self.deliverer.deliver(&run, &items));
        Ok(self.say(&reports))
    }

    fn say(&self, reports: &[Report]) -> Exit {
        let mut exit = Exit::Done;
        for report in reports {
            let (name, count) = (&report.target, human_count(report.delivered));
            self.voice.note(&format!("delivered to {name}: {count}"));
            if report.failed.is_empty() {
                continue;
            }
            exit = Exit::Unfinished;
            let told = report.failed.iter().take(FAILURES_TOLD_MAX);
            let mut lines: Vec<String> = told
                .map(|failed| {
                    format!(
                        "{} was not delivered to {name}: {}",
                        failed.id, failed.reason
                    )
                })
                .collect();
            let more = report.failed.len().saturating_sub(FAILURES_TOLD_MAX);
            if more > 0 {
                lines.push(format!("and {more} more were not"));
            }
            if let Some(reason) = &report.unkept {
                lines.push(format!("they could not be kept, either: {reason}"));
            }
            let hint = match report.lost() {
                0 => {
                    "they are in the file of --dead-letters: `outflow redeliver` delivers them again"
                }
                _ => "run again once the target takes them, or keep them with --dead-letters FILE",
            };
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            self.voice.error(&lines, hint);
        }
        exit
    }
}

/// An incident in a format; in ASFF, it and its findings are findings of Security Hub.
fn rendered(
    incident: &Incident,
    findings: &[Finding],
    format: Format,
    options: &AsffOptions,
) -> Result<Vec<Item>, Failure> {
    let unwritten = |error: anyhow::Error| report::untold(None, error);
    let body = &incident.body;
    let own = std::slice::from_ref(incident);
    let mut bytes = Vec::new();
    let bodies: Vec<(String, String)> = match format {
        Format::Json => {
            write_incident(&mut bytes, incident).map_err(|error| unwritten(error.into()))?;
            vec![(body.id.clone(), text(bytes))]
        }
        Format::Ocsf => {
            write_ocsf(&mut bytes, own, findings, options.at)
                .map_err(|error| unwritten(error.into()))?;
            vec![(body.id.clone(), text(bytes))]
        }
        Format::Asff => {
            let batches = asff_batches(own, findings, options);
            let batches = batches.map_err(|error| unwritten(error.into()))?;
            let mut bodies = Vec::new();
            for batch in batches {
                let of_hub: Vec<serde_json::Value> =
                    serde_json::from_str(&batch).map_err(|error| unwritten(error.into()))?;
                bodies.extend(of_hub.into_iter().map(|finding| {
                    let id = finding["Id"].as_str().unwrap_or(&body.id).to_owned();
                    (id, finding.to_string())
                }));
            }
            bodies
        }
    };
    let members = findings
        .iter()
        .filter(|finding| finding.incident.as_deref() == Some(&body.id));
    let families: Vec<Family> = members
        .map(|finding| finding.family)
        .chain([body.family])
        .collect();
    let item = |(id, told): (String, String)| {
        let item = Item::new(id, body.severity, families.iter().copied(), format, &told);
        Ok(item.map_err(unready)?.in_lane(incident.lane))
    };
    bodies.into_iter().map(item).collect()
}

/// A line of JSON, which is UTF-8.
fn text(line: Vec<u8>) -> String {
    String::from_utf8_lossy(&line).into_owned()
}

pub(crate) fn redeliver(args: &RedeliverArgs, voice: Voice) -> Result<Exit, Failure> {
    let delivery = open(&args.targets, options(&args.server), voice)?;
    let again = delivery.deliverer.redeliver(&args.file);
    let again = delivery.runtime.block_on(again).map_err(unready)?;
    let mut exit = delivery.say(&again.reports);
    if again.reports.is_empty() {
        voice.note("nothing waits for these targets");
    }
    if again.of_others > 0 {
        let count = human_count(again.of_others);
        voice.note(&format!("of other targets, and left: {count}"));
    }
    if !again.unreadable.is_empty() {
        exit = Exit::Unfinished;
        let numbers: Vec<String> = again.unreadable.iter().map(u64::to_string).collect();
        let error = anyhow!(
            "`{}`: no dead letters in line {}",
            args.file.display(),
            numbers.join(", ")
        );
        voice.error(
            &[&error.to_string()],
            "look at them: only a person can tell what they were",
        );
    }
    Ok(exit)
}
