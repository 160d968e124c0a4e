//! When incidents alert, and when they are told again.

use serde::Deserialize;

/// Most hours of a cooldown: a year. What is to be told once only needs no more.
const COOLDOWN_HOURS_MAX: u32 = 366 * 24;

/// When incidents alert, and when they are told again. No finding depends on it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alerting {
    /// Hours of records from when a watch told an incident before it tells it again for having doubled; up to a year. Fewer
    /// tell sooner of what grows, and more often.
    pub cooldown_hours: u32,
    /// Of a hundred alerts of a watch, how many may be chance, of those that neither a bound nor policy decides; 1 to 99.
    /// Fewer leave more to the digest.
    pub chance_percent: u32,
    /// Incidents that alert for each thousand days of an interface, above zero; any number, if there is none. The others are a
    /// digest. A watch alerts beyond it where a bound or policy decides.
    pub budget: Option<f64>,
}

impl Default for Alerting {
    fn default() -> Self {
        Self {
            cooldown_hours: 72,
            chance_percent: 10,
            budget: None,
        }
    }
}

impl Alerting {
    /// The first value that makes no sense, under its name.
    pub fn wrong(&self) -> Option<String> {
        let Self {
            cooldown_hours,
            chance_percent,
            budget,
        } = self;
        if *cooldown_hours > COOLDOWN_HOURS_MAX {
            return Some(format!(
                "cooldown_hours: {cooldown_hours} is none of 0 to {COOLDOWN_HOURS_MAX}, a year"
            ));
        }
        if !(1..100).contains(chance_percent) {
            return Some(format!(
                "chance_percent: {chance_percent} is none of 1 to 99"
            ));
        }
        let is_number = |own: &f64| own.is_finite() && *own > 0.0;
        let budget = budget.filter(|own| !is_number(own));
        budget.map(|own| format!("budget: {own} is no number above zero"))
    }

    /// The cooldown in seconds.
    pub(super) fn cooldown_secs(&self) -> i64 {
        i64::from(self.cooldown_hours) * 3_600
    }

    /// The share of alerts that may be chance.
    pub(super) fn rate(&self) -> f64 {
        f64::from(self.chance_percent) / 100.0
    }
}
