//! What an evaluation found, as numbers.

mod bits;
mod grid;
mod render;

use std::collections::BTreeMap;

use outflow_finding::Family;
use serde::Serialize;

pub use bits::Calibration;
pub use grid::Grid;

use crate::alert::{Alert, incidents};
use crate::attack::{Kind, Placement, Scenario};
use crate::budget::{Level, Rule};
use crate::harness::{Hit, Settings, first};
use crate::interval::{Share, block_bootstrap};
use crate::methods::Method;
use crate::world::World;

/// Seconds from the end of a window to its record being delivered, about as long as S3 takes.
pub const DELIVERY_SECS: u32 = 600;

/// Destinations of false alarms that a report lists, the strongest: enough to see what they have in common. More are only
/// counted, as false incidents.
const FALSE_ALARMS_MAX: usize = 40;

/// Scenarios that need what these worlds have not: a list of one's own buckets.
pub const NOT_EVALUATED: [&str; 1] = ["object store by the name of its bucket"];

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Times that each scenario happened.
    pub placements: u32,
    /// Interfaces of each world.
    pub enis: u32,
    /// Accounts of each world.
    pub accounts: u32,
    /// Days before the test window.
    pub learn_days: u32,
    /// Days of the test window.
    pub test_days: u32,
    /// Seconds of a window of aggregation.
    pub window_secs: u32,
    /// Interface-days of the test window.
    pub eni_days: u64,
    /// Each method.
    pub methods: Vec<OfMethod>,
    /// How well the detector's bits say how rare its findings are where nothing happens.
    pub calibration: Vec<Calibration>,
    /// What the detector tells by default where nothing happens: by family and destination.
    pub false_alarms: Vec<FalseAlarm>,
    /// What was not evaluated, as it needs a policy.
    pub not_evaluated: Vec<&'static str>,
}

/// Something that the detector tells although nothing happens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FalseAlarm {
    /// The family.
    pub family: Family,
    /// How often, about the same destination.
    pub times: usize,
    /// What the strongest says.
    pub title: String,
    /// Its score.
    pub score: f64,
}

/// A method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfMethod {
    /// Its name.
    pub method: &'static str,
    /// By level.
    pub levels: Vec<OfLevel>,
}

/// A method at a level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfLevel {
    /// The level.
    pub level: String,
    /// The least score that is told; none by default, and where nothing is told at all.
    pub threshold: Option<f64>,
    /// Incidents in the test world where nothing happens.
    pub false_incidents: usize,
    /// The same for a thousand interface-days, with its 95 % interval.
    pub false_per_thousand: (f64, f64, f64),
    /// The mean recall over the malicious scenarios, with its 95 % interval over workloads.
    pub mean_recall: (f64, f64, f64),
    /// By scenario.
    pub scenarios: Vec<OfScenario>,
}

/// A method at a level in a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfScenario {
    /// The scenario.
    pub scenario: &'static str,
    /// Placements that are found; of benign scenarios, those about which something is told.
    pub found: Share,
    /// Seconds from the first packet until it is told, delivery included: median and nine tenths of what is found.
    pub secs: Option<(u32, u32)>,
    /// Bytes of payload that are gone by then: the median of what is found.
    pub bytes_lost: Option<u64>,
    /// The same, had the detector judged after every minute; of what was followed.
    pub live_secs: Option<(u32, u32)>,
    /// Bytes that are gone by then.
    pub live_bytes_lost: Option<u64>,
}

type Found = (Placement, BTreeMap<Method, Vec<Hit>>);

impl Report {
    pub(crate) fn of(
        settings: &Settings,
        world: &World,
        rules: &BTreeMap<Method, Vec<Rule>>,
        benign: &BTreeMap<Method, Vec<Alert>>,
        found: &[Found],
    ) -> Self {
        let of_level = |method: Method, at: usize| {
            let rule = rules[&method][at];
            let false_incidents = incidents(world, rule.told(&benign[&method]));
            let days = usize::try_from(world.eni_days()).unwrap_or(usize::MAX);
            let share = Share::new(false_incidents, days);
            OfLevel {
                level: Level::ALL[at].name(),
                threshold: match rule {
                    Rule::Least(least) => Some(least),
                    Rule::Default | Rule::Nothing => None,
                },
                false_incidents,
                false_per_thousand: (
                    share.value * 1_000.0,
                    share.interval.0 * 1_000.0,
                    share.interval.1 * 1_000.0,
                ),
                mean_recall: mean_recall(settings, method, rule, found),
                scenarios: settings
                    .scenarios
                    .iter()
                    .map(|scenario| of_scenario(*scenario, method, (at, rule), found))
                    .collect(),
            }
        };
        let of_method = |method: Method| OfMethod {
            method: method.name(),
            levels: (0..Level::ALL.len())
                .map(|at| of_level(method, at))
                .collect(),
        };
        let config = world.config();
        Self {
            seed: settings.seed,
            placements: settings.placements,
            enis: config.enis,
            accounts: config.accounts,
            learn_days: config.learn_days,
            test_days: config.test_days,
            window_secs: config.window_secs,
            eni_days: world.eni_days(),
            methods: Method::ALL.map(of_method).to_vec(),
            calibration: bits::calibration(world, &benign[&Method::Outflow]),
            false_alarms: false_alarms(&benign[&Method::Outflow]),
            not_evaluated: NOT_EVALUATED.to_vec(),
        }
    }

    /// The report as JSON.
    ///
    /// # Errors
    /// As the serializer has them; numbers and texts have none.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

fn of_scenario(
    scenario: Scenario,
    method: Method,
    (level, rule): (usize, Rule),
    found: &[Found],
) -> OfScenario {
    let own: Vec<&Found> = found
        .iter()
        .filter(|(own, _)| own.scenario == scenario)
        .collect();
    let (mut secs, mut bytes, mut live_secs, mut live_bytes) = (vec![], vec![], vec![], vec![]);
    for (placement, hits) in &own {
        let hits = &hits[&method];
        let Some(first) = first(hits, rule).map(|at| &hits[at]) else {
            continue;
        };
        let told = |at: u32| (at + DELIVERY_SECS).saturating_sub(placement.start);
        secs.push(told(first.at));
        bytes.push(placement.lost_until(first.at + DELIVERY_SECS));
        if let Some(at) = first.live.get(level).copied().flatten() {
            live_secs.push(told(at));
            live_bytes.push(placement.lost_until(at + DELIVERY_SECS));
        }
    }
    let is_bytes = scenario
        .target()
        .is_some_and(|target| target.bytes.is_some());
    let lost = |of: &mut Vec<u64>| middle(of, 50).filter(|_| is_bytes);
    OfScenario {
        scenario: scenario.name(),
        found: Share::new(secs.len(), own.len()),
        secs: middle(&mut secs, 50).zip(middle(&mut secs, 90)),
        bytes_lost: lost(&mut bytes),
        live_secs: middle(&mut live_secs, 50).zip(middle(&mut live_secs, 90)),
        live_bytes_lost: lost(&mut live_bytes),
    }
}

/// The value so many percent into the order of values: of an even number, the lower one of the middle.
fn middle<T: Copy + Ord>(values: &mut [T], percent: usize) -> Option<T> {
    values.sort_unstable();
    let last = values.len().checked_sub(1)?;
    values.get(last * percent / 100).copied()
}

/// The alerts that are told by default, those of one family and destination together, the strongest first.
fn false_alarms(alerts: &[Alert]) -> Vec<FalseAlarm> {
    let mut places: BTreeMap<(Family, Option<&str>), usize> = BTreeMap::new();
    let mut all: Vec<FalseAlarm> = Vec::new();
    for own in Rule::Default.told(alerts) {
        let place = (own.family, own.destination.as_deref());
        if let Some(at) = places.get(&place) {
            all[*at].times += 1;
            continue;
        }
        places.insert(place, all.len());
        all.push(FalseAlarm {
            family: own.family,
            times: 1,
            title: own.title.clone(),
            score: own.score,
        });
    }
    all.truncate(FALSE_ALARMS_MAX);
    all
}

fn mean_recall(
    settings: &Settings,
    method: Method,
    rule: Rule,
    found: &[Found],
) -> (f64, f64, f64) {
    let malicious = settings
        .scenarios
        .iter()
        .filter(|own| own.kind() == Kind::Malicious);
    let malicious: Vec<Scenario> = malicious.copied().collect();
    let mut cases = Vec::new();
    for (placement, hits) in found {
        if let Some(group) = malicious.iter().position(|own| *own == placement.scenario) {
            let is_found = first(&hits[&method], rule).is_some();
            cases.push((group, placement.enis[0], is_found));
        }
    }
    let mut shares = Vec::new();
    for group in 0..malicious.len() {
        let own = cases.iter().filter(|(of, ..)| *of == group);
        let all = own.clone().count().max(1) as f64;
        shares.push(own.filter(|(.., is_found)| *is_found).count() as f64 / all);
    }
    let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
    let (low, high) = block_bootstrap(&cases, malicious.len(), settings.seed);
    (mean, low, high)
}
