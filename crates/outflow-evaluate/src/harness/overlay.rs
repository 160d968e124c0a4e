//! Attacks laid over a world, and what each method says of them.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher};

use outflow_detect::State;

use crate::alert::Alert;
use crate::attack::Placement;
use crate::batch::{fold_asked, state_of};
use crate::budget::Rule;
use crate::methods::{Does, Facts, Method};
use crate::row::Row;
use crate::world::{Asked, World};
use crate::{Error, detector};

/// A hash map whose order is the same in every run.
pub(super) type Known = HashMap<String, (f64, bool), BuildHasherDefault<DefaultHasher>>;

/// Placements that are judged together.
#[derive(Debug)]
pub(super) struct Overlay {
    pub(super) placements: Vec<Placement>,
}

/// An alert that touches a placement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hit {
    pub(crate) score: f64,
    pub(crate) by_default: bool,
    /// What the same alert has where nothing happens, if it is told there.
    pub(crate) benign: Option<(f64, bool)>,
    /// When the method can know it; of the detector, at the end of the day.
    pub(crate) at: u32,
    /// When the detector could have told it, by level, if it was followed minute by minute.
    pub(crate) live: Vec<Option<u32>>,
}

impl Hit {
    /// Whether a rule tells it, and would not without the attack.
    pub(crate) fn counts(&self, rule: Rule) -> bool {
        let is_benign = self
            .benign
            .is_some_and(|(score, default)| rule.tells(score, default));
        rule.tells(self.score, self.by_default) && !is_benign
    }
}

/// What overlays are judged with.
pub(super) struct Test<'t> {
    pub(super) world: &'t World,
    pub(super) facts: &'t Facts<'t>,
    pub(super) state: &'t State,
    /// What is said where nothing happens.
    pub(super) benign: BTreeMap<Method, Known>,
    pub(super) rules: &'t BTreeMap<Method, Vec<Rule>>,
    pub(super) followed: u32,
}

impl Test<'_> {
    /// For each placement, what each method says of it.
    pub(super) fn judge(
        &self,
        overlay: &Overlay,
    ) -> Result<Vec<BTreeMap<Method, Vec<Hit>>>, Error> {
        let own = self.detect(overlay, |_| u32::MAX)?;
        let by_risk = detector::by_risk(&own);
        let mut all = Vec::new();
        for placement in &overlay.placements {
            let mut of_methods = BTreeMap::new();
            of_methods.insert(Method::Outflow, self.hits(Method::Outflow, placement, &own));
            let hits = self.hits(Method::OutflowByRisk, placement, &by_risk);
            of_methods.insert(Method::OutflowByRisk, hits);
            for method in Method::OTHERS {
                let mut alerts = method.of_destinations(self.facts, &placement.rows);
                for eni in &placement.enis {
                    let does = Does {
                        eni: *eni,
                        rows: &self.rows(placement, *eni),
                        asked: &self.asked(placement, *eni),
                    };
                    alerts.extend(method.of_interface(self.facts, does));
                }
                of_methods.insert(method, self.hits(method, placement, &alerts));
            }
            all.push(of_methods);
        }
        self.follow(overlay, &mut all)?;
        Ok(all)
    }

    /// What the detector says of the world with what of each placement ends by some instant.
    pub(super) fn detect(
        &self,
        overlay: &Overlay,
        until: impl Fn(usize) -> u32,
    ) -> Result<Vec<Alert>, Error> {
        let cut = overlay
            .placements
            .iter()
            .enumerate()
            .map(|(at, placement)| {
                let until = until(at);
                let rows = placement.rows.iter().chain(&placement.received);
                let rows = rows.filter(|row| row.end <= until);
                rows.copied().collect::<Vec<Row>>()
            });
        let cut: Vec<Vec<Row>> = cut.collect();
        let asked = overlay.placements.iter().enumerate();
        let asked = asked.flat_map(|(at, placement)| {
            let until = until(at);
            placement.asked.iter().filter(move |own| own.at <= until)
        });
        let mut state = self.state.clone();
        state.merge(state_of(self.world, cut.iter().map(Vec::as_slice))?);
        fold_asked(self.world, &mut state, asked);
        Ok(detector::alerts(self.world, &state))
    }

    /// The alerts of a method that touch a placement.
    pub(super) fn hits(&self, method: Method, placement: &Placement, alerts: &[Alert]) -> Vec<Hit> {
        let benign = &self.benign[&method];
        let touching = alerts.iter().filter(|alert| touches(alert, placement));
        let hit = |alert: &Alert| Hit {
            score: alert.score,
            by_default: alert.by_default,
            benign: benign.get(&alert.id).copied(),
            at: alert.at,
            live: Vec::new(),
        };
        touching.map(hit).collect()
    }

    /// All that a host asks for, the attack included, in the order of time.
    fn asked(&self, placement: &Placement, eni: u32) -> Vec<Asked> {
        let mut asked = self.world.asked()[eni as usize].clone();
        asked.extend(placement.asked.iter().filter(|own| own.eni == eni).cloned());
        asked.sort_unstable();
        asked
    }

    /// All that an interface does, the attack included, in the order of time.
    fn rows(&self, placement: &Placement, eni: u32) -> Vec<Row> {
        let mut rows = self.world.rows()[eni as usize].clone();
        rows.extend(placement.rows.iter().filter(|row| row.eni == eni));
        rows.sort_unstable();
        rows
    }
}

/// Whether an alert is about a placement: its interfaces, its hosts outside and its domains, as far as the alert tells them,
/// while it goes on.
fn touches(alert: &Alert, placement: &Placement) -> bool {
    let any = |of: &[u32], among: &[u32]| {
        of.is_empty() || of.iter().any(|own| among.binary_search(own).is_ok())
    };
    let is_below = |domain: &String| placement.domains.binary_search(domain).is_ok();
    any(&alert.enis, &placement.enis)
        && any(&alert.peers, &placement.peers)
        && (alert.domains.is_empty() || alert.domains.iter().any(is_below))
        && alert.span.0 <= placement.last()
        && alert.span.1 >= placement.start
}
