//! When incidents alert, and when they are told again.

use std::fmt;
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// Most hours of a cooldown: a year. What is to be told once only needs no more.
const COOLDOWN_HOURS_MAX: u32 = 366 * 24;

/// When incidents alert, and when they are told again. No finding depends on it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alerting {
    /// Hours of records from when a watch told an incident before it tells it again for having doubled; up to a year. Fewer
    /// tell sooner of what grows, and more often.
    #[serde(deserialize_with = "cooldown_hours")]
    pub cooldown_hours: u32,
    /// Of a hundred alerts of a watch, how many may be chance, of those that neither a bound nor policy decides; 1 to 99.
    /// Fewer leave more to the digest.
    #[serde(deserialize_with = "chance_percent")]
    pub chance_percent: u32,
    /// Incidents that alert for each thousand days of an interface, above zero; any number, if there is none. The others are a
    /// digest. A watch alerts beyond it where a bound or policy decides.
    #[serde(deserialize_with = "budget")]
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
    /// The cooldown in seconds.
    pub(super) fn cooldown_secs(&self) -> i64 {
        i64::from(self.cooldown_hours) * 3_600
    }

    /// The share of alerts that may be chance.
    pub(super) fn rate(&self) -> f64 {
        f64::from(self.chance_percent) / 100.0
    }
}

fn cooldown_hours<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    from.deserialize_u32(Whole {
        unit: " of hours",
        range: 0..=COOLDOWN_HOURS_MAX,
    })
}

fn chance_percent<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    from.deserialize_u32(Whole {
        unit: "",
        range: 1..=99,
    })
}

fn budget<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    from.deserialize_f64(AboveZero).map(Some)
}

/// A whole number of a range. What is none is told what is wanted, in words.
struct Whole {
    /// Of what, behind `a whole number`.
    unit: &'static str,
    range: RangeInclusive<u32>,
}

impl Visitor<'_> for Whole {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = (self.range.start(), self.range.end());
        write!(f, "a whole number{} from {least} to {most}", self.unit)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u32, E> {
        let own = u32::try_from(number).ok();
        let own = own.filter(|own| self.range.contains(own));
        own.ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u32, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }
}

/// A number above zero, and not without end.
struct AboveZero;

impl Visitor<'_> for AboveZero {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number above zero, such as 0.5")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        match number.is_finite() && number > 0.0 {
            true => Ok(number),
            false => Err(E::invalid_value(Unexpected::Float(number), &self)),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        #[expect(clippy::cast_precision_loss, reason = "incidents that people look at")]
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
        #[expect(clippy::cast_precision_loss, reason = "incidents that people look at")]
        self.visit_f64(number as f64)
    }
}
