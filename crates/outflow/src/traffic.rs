//! What was sent, for configuration to be held against: of a lake or of sources, summed by SQL.

mod names;
mod sums;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use outflow_enrich::inventory::Inventory;
use outflow_finding::InterfaceCoverage;
use outflow_ingest::{Context, Settings};
use outflow_posture::{Every, Traffic};
use outflow_record::{Format, Timestamp};

use self::names::Names;
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::session::{HowArgs, Opened, SessionArgs};
use crate::voice::Voice;

/// What was sent, and the account that it is held against.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TrafficArgs {
    /// Flow logs that show what is sent, which are read into a lake of the moment first: files, folders, s3://bucket/prefix, or
    /// `-`.
    #[arg(value_name = "SOURCE", conflicts_with = "lake")]
    sources: Vec<OsString>,
    /// Take what is sent from this lake: a folder, or s3://bucket/prefix.
    #[arg(long, value_name = "PLACE")]
    lake: Option<String>,
    #[command(flatten)]
    how: HowArgs,
    /// The time of the answer (UTC): the inventory as of then [default: now].
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// What was seen.
pub(crate) struct Seen {
    pub(crate) context: Arc<Context>,
    /// The time of the answer.
    pub(crate) at: Timestamp,
    /// Nothing if it is not said where it is.
    pub(crate) traffic: Option<Traffic>,
    /// The periods that were asked for, each with its own traffic.
    pub(crate) periods: Vec<Past>,
    /// Whether all was read.
    pub(crate) exit: Exit,
}

/// A period, and what was sent in it; nothing if it is not said where that is.
pub(crate) struct Past {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) traffic: Option<Traffic>,
}

impl TrafficArgs {
    /// Whether it is said what to read.
    pub(crate) fn is_given(&self) -> bool {
        self.lake.is_some() || !self.sources.is_empty()
    }

    /// The same account, with what is sent of another lake.
    pub(crate) fn of_lake(&self, lake: &str) -> Self {
        Self {
            sources: Vec::new(),
            lake: Some(lake.to_owned()),
            ..self.clone()
        }
    }

    /// Reads inventory and traffic; `out` is where the answer will go.
    pub(crate) fn read(
        &self,
        out: Option<&Path>,
        flow_format: Option<Format>,
        voice: Voice,
    ) -> Result<Seen, Failure> {
        self.read_over_time(None, (out, flow_format), voice)
    }

    /// Reads inventory and traffic as [`TrafficArgs::read`] does, and the traffic of each period by itself.
    pub(crate) fn read_over_time(
        &self,
        every: Option<Every>,
        (out, flow_format): (Option<&Path>, Option<Format>),
        voice: Voice,
    ) -> Result<Seen, Failure> {
        if self.how.context.is_none() {
            return Err(Failure::usage(
                anyhow!("it is not said how the account is configured"),
                "name the folder of its inventory with --context: that of `outflow inventory collect`, JSON of `aws ec2 describe-…`, or AWS Config",
            ));
        }
        let at = self.at.unwrap_or_else(|| Timestamp(clock::unix_secs()));
        if !self.is_given() {
            let context = self.how.known(voice)?;
            let periods = every.map(|every| periods(every, &context.inventory, None, at));
            let periods = periods.unwrap_or_default().into_iter();
            return Ok(Seen {
                periods: periods
                    .map(|(from, until)| Past {
                        from,
                        until,
                        traffic: None,
                    })
                    .collect(),
                context,
                at,
                traffic: None,
                exit: Exit::Done,
            });
        }
        let of = SessionArgs {
            lake: self.lake.clone(),
            sources: self.sources.clone(),
            how: self.how.clone(),
        };
        let opened = of.open(of.only()?, out, flow_format, voice)?;
        let names = Names::of(&opened)?;
        if names.beyond() > 0 {
            voice.note(&format!(
                "{} names of addresses found no room, and are not told",
                names.beyond()
            ));
        }
        let mut traffic = Traffic::default();
        sums::add(&mut traffic, &opened, &names, None)?;
        let exit = self.cover(&mut traffic, &opened, None, voice)?;
        let mut past = Vec::new();
        if let Some(every) = every {
            let spans = periods(every, &opened.context.inventory, Some(&traffic), at);
            for (from, until) in spans {
                let mut own = Traffic::default();
                sums::add(&mut own, &opened, &names, Some((from, until)))?;
                self.cover(&mut own, &opened, Some((from, until)), voice)?;
                past.push(Past {
                    from,
                    until,
                    traffic: Some(own),
                });
            }
        }
        Ok(Seen {
            context: opened.context,
            at,
            traffic: Some(traffic),
            periods: past,
            exit,
        })
    }

    /// Adds what the logs cover, as `outflow coverage` tells it, or what of a span.
    fn cover(
        &self,
        traffic: &mut Traffic,
        opened: &Opened,
        span: Option<(Timestamp, Timestamp)>,
        voice: Voice,
    ) -> Result<Exit, Failure> {
        let mut filter = self.how.select.filter()?;
        if let Some((since, until)) = span {
            filter.since = Some(filter.since.map_or(since, |own| own.max(since)));
            filter.until = Some(filter.until.map_or(until, |own| own.min(until)));
        }
        let settings = Settings {
            since: filter.since,
            until: filter.until,
            workers: self.how.workers(),
            ..Settings::default()
        };
        let input = Input::Lake {
            lake: opened.lake.clone(),
            filter,
        };
        let outcome = input.read(&settings, voice)?;
        for interface in &outcome.coverage.interfaces {
            traffic.cover(&placed(interface, &opened.context.inventory));
        }
        // What is wrong with sources was said when they were read.
        if self.lake.is_none() || span.is_some() || outcome.problems.is_empty() {
            return Ok(opened.exit);
        }
        input.say(&outcome, voice);
        Ok(Exit::Unfinished)
    }
}

/// The periods in which there is anything: from the first listing or record on.
fn periods(
    every: Every,
    inventory: &Inventory,
    traffic: Option<&Traffic>,
    at: Timestamp,
) -> Vec<(Timestamp, Timestamp)> {
    let sent = traffic.into_iter().flat_map(Traffic::entries);
    let sent = sent.map(|(_, entry)| entry.first_at).min();
    let listed = inventory.vpcs.asked_at().first().copied();
    let first = sent.into_iter().chain(listed).min();
    first.map_or_else(Vec::new, |first| every.periods(first, at))
}

/// Coverage with the VPC of its interface, of which a log of the default format does not tell.
fn placed(of: &InterfaceCoverage, inventory: &Inventory) -> InterfaceCoverage {
    let mut of = of.clone();
    if of.vpc_id.is_none() {
        let id = of.interface_id.as_deref().unwrap_or_default();
        let known = inventory.interface(id, of.last_seen.unwrap_or_default());
        of.vpc_id = known.map(|known| known.value.vpc_id.clone());
    }
    of
}
