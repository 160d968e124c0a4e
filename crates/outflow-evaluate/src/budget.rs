//! From a budget of incidents to the threshold that keeps it.

use crate::alert::{Alert, incidents};
use crate::world::World;

/// When a method tells: its own default, or so many incidents for a thousand interface-days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Level {
    /// As its makers have it; nothing is tuned.
    Default,
    /// So many incidents for a thousand interface-days of the calibration world, at most.
    Budget(f64),
}

impl Level {
    /// All, in the order of reports.
    pub const ALL: [Self; 4] = [
        Self::Budget(0.5),
        Self::Budget(1.0),
        Self::Budget(5.0),
        Self::Default,
    ];

    /// The level at which nothing is tuned.
    pub const DEFAULT: usize = 3;

    /// The level that targets are about.
    pub const MAIN: usize = 1;

    /// The name in reports.
    pub fn name(self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::Budget(budget) => format!("N={budget}"),
        }
    }
}

/// What is told at a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// What the method tells by default.
    Default,
    /// What scores at least this.
    Least(f64),
    /// Nothing: already its strongest alerts exceed the budget.
    Nothing,
}

impl Rule {
    /// Whether something of this score is told.
    pub(crate) fn tells(self, score: f64, by_default: bool) -> bool {
        match self {
            Self::Default => by_default,
            Self::Least(least) => score >= least,
            Self::Nothing => false,
        }
    }

    /// Of these alerts, those that are told.
    pub(crate) fn told(self, alerts: &[Alert]) -> impl Iterator<Item = &Alert> {
        let is_told = move |alert: &&Alert| self.tells(alert.score, alert.by_default);
        alerts.iter().filter(is_told)
    }
}

/// The lowest threshold at which the alerts of a benign world make no more incidents than a level allows. Alerts come with
/// the highest scores first.
pub(crate) fn rule(world: &World, level: Level, alerts: &[Alert]) -> Rule {
    let Level::Budget(budget) = level else {
        return Rule::Default;
    };
    let allowed = budget * world.eni_days() as f64 / 1_000.0;
    // What has the same score is told together.
    let ends: Vec<usize> = (1..=alerts.len())
        .filter(|end| {
            alerts
                .get(*end)
                .is_none_or(|next| next.score < alerts[end - 1].score)
        })
        .collect();
    // More alerts hardly ever make fewer incidents, by joining two.
    let fits = |end: &usize| incidents(world, &alerts[..*end]) as f64 <= allowed;
    match ends.partition_point(fits).checked_sub(1) {
        Some(last) => Rule::Least(alerts[ends[last] - 1].score),
        None => Rule::Nothing,
    }
}
