//! What happened at an interface, a workload or an address, in order.
//!
//! ```text
//! flows ──sessionize──► episodes ─┐
//! dns ──by domain──► questions    ├──► moments, by time
//! windows of flows and coverage ──► gaps ┘
//! ```

mod cells;
mod episodes;
mod gaps;
mod questions;

use std::borrow::Cow;

use outflow_record::{Addr, Timestamp};

use crate::error::Error;
use crate::once::{FLOWS_LOGGED, FLOWS_ONCE};
use crate::session::Session;

pub use episodes::Episode;
pub use gaps::{Gap, Why};
pub use questions::Questions;

/// Moments of a timeline at most, of each kind: more than a person reads. The earliest are kept, and how many there are
/// beyond them is told.
pub const MOMENTS_MAX: usize = 10_000;

/// Whose timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entity {
    /// A network interface, by id.
    Interface(String),
    /// A workload, as `workload` in `flows` has it.
    Workload(String),
    /// An instance, by id.
    Instance(String),
    /// An address, at whichever interface it was seen.
    Addr(String),
    /// Any of these addresses, likewise; of none of them, if there are none.
    Addrs(Vec<Addr>),
}

impl Entity {
    /// What rows of `flows` are of it; its name is the place `$entity`.
    fn filter(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Interface(_) => "interface_id = $entity",
            Self::Workload(_) => "workload = $entity",
            Self::Instance(_) => "instance_id = $entity",
            Self::Addr(_) => "(local_addr = $entity OR remote_addr = $entity)",
            Self::Addrs(addrs) if addrs.is_empty() => "false",
            Self::Addrs(addrs) => {
                let list = listed(addrs, |text| text);
                return Cow::Owned(format!(
                    "(local_addr IN ({list}) OR remote_addr IN ({list}))"
                ));
            }
        })
    }

    /// What rows are asked: of an interface all that its log tells, of an address each packet once.
    fn table(&self) -> &'static str {
        match self {
            Self::Interface(_) | Self::Workload(_) | Self::Instance(_) => FLOWS_LOGGED,
            Self::Addr(_) | Self::Addrs(_) => FLOWS_ONCE,
        }
    }

    /// Its name; of several addresses, a list.
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Interface(name)
            | Self::Workload(name)
            | Self::Instance(name)
            | Self::Addr(name) => Cow::Borrowed(name),
            Self::Addrs(addrs) => {
                let names: Vec<String> = addrs.iter().map(Addr::to_string).collect();
                Cow::Owned(names.join(", "))
            }
        }
    }
}

/// Addresses as literals of SQL, with commas. What an address is written with needs no escaping.
fn listed(addrs: &[Addr], within: impl Fn(String) -> String) -> String {
    let literals = addrs.iter().map(|addr| within(format!("'{addr}'")));
    literals.collect::<Vec<_>>().join(", ")
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineRequest {
    /// Whose.
    pub entity: Entity,
    /// From when on; from the first record without.
    pub since: Option<Timestamp>,
    /// Until when; to the last record without.
    pub until: Option<Timestamp>,
    /// Seconds without a record after which what goes on with the same other side is a new episode.
    pub gap_secs: u32,
}

/// Something that happened. In order by start, then by end, and then by what tells moments of one time apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// When it began.
    pub at: Timestamp,
    /// When it ended.
    pub until: Timestamp,
    /// What it was.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Connections with one service of another address.
    Episode(Box<Episode>),
    /// Questions to the resolver about one domain.
    Questions(Questions),
    /// A time of which no log tells.
    Gap(Gap),
}

/// What happened, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// By start.
    pub moments: Vec<Moment>,
    /// How many there are beyond [`MOMENTS_MAX`] of their kind.
    pub omitted: u64,
}

impl Session {
    /// What happened to an interface, a workload or an address.
    ///
    /// # Errors
    /// Those of [`Session::query`] and [`crate::Rows::next`].
    pub async fn timeline(&self, request: &TimelineRequest) -> Result<Timeline, Error> {
        let (mut moments, mut omitted) = episodes::of(self, request).await?;
        let (questions, more) = questions::of(self, request).await?;
        omitted += more;
        moments.extend(questions);
        // An address is seen by whoever it talks to: that nobody did is no gap.
        if !matches!(request.entity, Entity::Addr(_) | Entity::Addrs(_)) {
            moments.extend(gaps::of(self, request).await?);
        }
        moments.sort_by_key(|moment| (moment.at, moment.until));
        Ok(Timeline { moments, omitted })
    }
}
