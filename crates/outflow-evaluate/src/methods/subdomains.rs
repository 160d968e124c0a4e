//! Different names below a registered domain, counted: the rule that most products have for tunnels through DNS.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use outflow_enrich::registered_domain;

use super::facts::{Facts, start_of};
use crate::alert::Alert;
use crate::world::{Asked, DAY_SECS, WORLD_START};

/// Names of a client, a domain and a day from which on rules of this kind alert: the first of the breakpoints that RITA 5
/// has (100, 500, 800, 1,000).
const NAMES_MIN: usize = 100;

/// Names that do not leave.
const INSIDE: [&str; 2] = [".local", ".internal"];

/// Names below which nothing is kept.
const KEPT_MIN: usize = 10;

/// Domains and days by the number of different names that a host asks for below.
pub(super) fn days(facts: &Facts<'_>, eni: u32, asked: &[Asked]) -> Vec<Alert> {
    let from = asked.partition_point(|own| own.at < facts.world.test_start());
    let day_of = |own: &Asked| (own.at - WORLD_START) / DAY_SECS;
    let mut alerts = Vec::new();
    for of_day in asked[from..].chunk_by(|a, b| day_of(a) == day_of(b)) {
        let mut names: BTreeMap<Cow<'_, str>, BTreeSet<&str>> = BTreeMap::new();
        for own in of_day {
            let is_inside = INSIDE.iter().any(|top| own.name.ends_with(top));
            if let Some(domain) = registered_domain(&own.name).filter(|_| !is_inside) {
                names.entry(domain).or_default().insert(&own.name);
            }
        }
        let start = start_of(day_of(&of_day[0]) as usize);
        for (domain, names) in names.iter().filter(|(_, names)| names.len() >= KEPT_MIN) {
            let span = (start, start + DAY_SECS);
            let alert = Alert::of("names", eni, span, names.len() as f64).below(domain);
            alerts.push(Alert {
                by_default: names.len() >= NAMES_MIN,
                ..alert
            });
        }
    }
    alerts
}
