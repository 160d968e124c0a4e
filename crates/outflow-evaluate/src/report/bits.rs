//! Whether a finding of so many bits is as rare as it says.

use std::collections::BTreeSet;

use outflow_finding::Family;
use serde::Serialize;

use crate::alert::Alert;
use crate::world::{DAY_SECS, World};

/// How often findings with at least so many bits are met where nothing happens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// The family.
    pub family: Family,
    /// The bits.
    pub bits: u32,
    /// Interface-days that so many bits promise.
    pub expected: f64,
    /// Interface-days with such a finding.
    pub observed: usize,
}

/// For each family whose findings have bits.
pub(super) fn calibration(world: &World, alerts: &[Alert]) -> Vec<Calibration> {
    let families: BTreeSet<Family> = alerts
        .iter()
        .filter(|own| own.bits.is_some())
        .map(|own| own.family)
        .collect();
    let mut all = Vec::new();
    for family in families {
        for bits in [4, 6, 8, 10, 12] {
            let least = f64::from(bits);
            let own = alerts
                .iter()
                .filter(|own| own.family == family && own.bits >= Some(least));
            let days: BTreeSet<(u32, u32)> = own
                .flat_map(|own| own.enis.iter().map(|eni| (*eni, own.at / DAY_SECS)))
                .collect();
            all.push(Calibration {
                family,
                bits,
                expected: world.eni_days() as f64 / least.exp2(),
                observed: days.len(),
            });
        }
    }
    all
}
