//! Two worlds, every method, every scenario: who finds what, when, and at what price.

mod live;
mod overlay;
mod parallel;

use std::collections::{BTreeMap, BTreeSet};

use outflow_detect::State;

use crate::Error;
use crate::alert::Alert;
use crate::attack::{Placement, Scenario};
use crate::batch::{fold_asked, state_of};
use crate::budget::{Level, Rule, rule};
use crate::detector;
use crate::methods::{Does, Facts, Method};
use crate::report::Report;
use crate::world::{Traits, World, WorldConfig};
pub(crate) use live::first;
pub(crate) use overlay::Hit;
use overlay::{Overlay, Test};
use parallel::in_pairs;

/// What to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Decides everything that is not set.
    pub seed: u64,
    /// Times that each scenario happens.
    pub placements: u32,
    /// Of these, how many are followed minute by minute to tell when they are found.
    pub followed: u32,
    /// Size and span of both worlds; its seed and habits are set by the evaluation.
    pub world: WorldConfig,
    /// What happens.
    pub scenarios: Vec<Scenario>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            placements: 200,
            followed: 20,
            world: WorldConfig::default(),
            scenarios: Scenario::ALL.to_vec(),
        }
    }
}

impl Settings {
    /// The world on which thresholds are set.
    pub fn calibration(&self) -> WorldConfig {
        WorldConfig {
            // An odd multiple, so that no seed of the one kind is one of the other that anybody would choose.
            seed: self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x00ca_11b0,
            traits: Traits::CALIBRATION,
            ..self.world.clone()
        }
    }

    /// The world on which they are tested.
    pub fn test(&self) -> WorldConfig {
        WorldConfig {
            seed: self.seed,
            traits: Traits::TEST,
            ..self.world.clone()
        }
    }
}

/// How far an evaluation has come: overlays judged, of so many.
pub type Progress<'p> = &'p (dyn Fn(usize, usize) + Sync);

/// Evaluates all methods.
///
/// # Errors
/// [`Error::OutOfRange`] for a world that cannot be made.
pub fn evaluate(settings: &Settings, progress: Progress<'_>) -> Result<Report, Error> {
    let rules = calibrated(&World::new(&settings.calibration())?)?;
    let world = World::new(&settings.test())?;
    let facts = Facts::new(&world);
    let state = all_of(&world)?;
    let benign = benign(&facts, detector::alerts(&world, &state));
    let test = Test {
        world: &world,
        facts: &facts,
        state: &state,
        benign: benign
            .iter()
            .map(|(method, alerts)| {
                let of = |alert: &Alert| (alert.id.clone(), (alert.score, alert.by_default));
                (*method, alerts.iter().map(of).collect())
            })
            .collect(),
        rules: &rules,
        followed: settings.followed,
    };
    let overlays = overlays(&world, settings);
    let count = overlays.len();
    let judged = in_pairs(&overlays, |at, overlay| {
        let found = test.judge(overlay);
        progress(at + 1, count);
        found
    });
    let mut hits: Vec<(Placement, BTreeMap<Method, Vec<Hit>>)> = Vec::new();
    for (overlay, found) in overlays.into_iter().zip(judged) {
        hits.extend(overlay.placements.into_iter().zip(found?));
    }
    hits.sort_by_key(|(placement, _)| (placement.scenario, placement.number));
    Ok(Report::of(settings, &world, &rules, &benign, &hits))
}

/// The state of all that happens in a world.
fn all_of(world: &World) -> Result<State, Error> {
    let rows = world.rows().iter().chain(world.received());
    let mut state = state_of(world, rows.map(Vec::as_slice))?;
    fold_asked(world, &mut state, world.asked().iter().flatten());
    Ok(state)
}

/// What each method says of a world in which nothing happens, the strongest first.
fn benign(facts: &Facts<'_>, own: Vec<Alert>) -> BTreeMap<Method, Vec<Alert>> {
    let by_risk = detector::by_risk(&own);
    let mut all = BTreeMap::from([(Method::Outflow, own), (Method::OutflowByRisk, by_risk)]);
    for method in Method::OTHERS {
        let mut alerts = method.of_destinations(facts, &[]);
        let hosts = facts.world.rows().iter().zip(facts.world.asked());
        let busy = (0..).zip(hosts).filter(|(_, (rows, _))| !rows.is_empty());
        for (eni, (rows, asked)) in busy {
            alerts.extend(method.of_interface(facts, Does { eni, rows, asked }));
        }
        all.insert(method, alerts);
    }
    for alerts in all.values_mut() {
        alerts.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    }
    all
}

/// The thresholds that keep each budget on the calibration world.
fn calibrated(world: &World) -> Result<BTreeMap<Method, Vec<Rule>>, Error> {
    let facts = Facts::new(world);
    let state = all_of(world)?;
    let own = detector::alerts(world, &state);
    let alerts = benign(&facts, own);
    let of = |alerts: &Vec<Alert>| Level::ALL.map(|level| rule(world, level, alerts)).to_vec();
    let rules = alerts.iter().map(|(method, own)| (*method, of(own)));
    Ok(rules.collect())
}

/// All placements, each by itself: what one attack is ranked among must not hold another.
fn overlays(world: &World, settings: &Settings) -> Vec<Overlay> {
    let mut overlays: Vec<Overlay> = Vec::new();
    for number in 0..settings.placements {
        for scenario in &settings.scenarios {
            let placement = Placement::of(world, *scenario, number, &BTreeSet::new());
            overlays.push(Overlay {
                placements: vec![placement],
            });
        }
    }
    overlays
}

#[cfg(test)]
mod tests;
