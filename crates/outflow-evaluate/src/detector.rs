//! The detector under test: its findings in the form that all methods share.

use std::collections::BTreeMap;

use outflow_detect::{Day, Judged, Policy, State, judge};
use outflow_enrich::InterfaceKey;
use outflow_finding::{Family, Severity};
use outflow_record::Addr;

use crate::alert::Alert;
use crate::world::World;

/// Seconds after a day's end at which its last bucket closes and its findings are told.
const LATENESS_SECS: u32 = 900;

/// What the detector says of a state, on the days of the test window. It gets no knowledge from elsewhere, and its default
/// policy.
pub(crate) fn alerts(world: &World, state: &State) -> Vec<Alert> {
    let verdict = judge(state, &Policy::default(), Day::LAST);
    let first = Day(world.test_start() / 86_400);
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    for host in world.hosts() {
        numbers.insert(&host.interface_id, host.eni);
    }
    let told = verdict
        .findings
        .into_iter()
        .filter(|judged| judged.day >= first);
    told.map(|judged| alert(&numbers, judged)).collect()
}

/// How rare findings of a family with at least some score are on the calibration world.
#[derive(Debug)]
pub(crate) struct Rarity {
    /// By family, in order.
    scores: BTreeMap<Family, Vec<f64>>,
    eni_days: f64,
}

impl Rarity {
    /// As the alerts of a world have it.
    pub(crate) fn of(world: &World, alerts: &[Alert]) -> Self {
        let mut scores: BTreeMap<Family, Vec<f64>> = BTreeMap::new();
        for alert in alerts {
            scores.entry(alert.family).or_default().push(alert.score);
        }
        scores
            .values_mut()
            .for_each(|own| own.sort_unstable_by(f64::total_cmp));
        Self {
            scores,
            eni_days: world.eni_days() as f64,
        }
    }

    /// The same alerts with their rarity in bits as scores.
    pub(crate) fn rescored(&self, alerts: &[Alert]) -> Vec<Alert> {
        let rescored = alerts.iter().map(|alert| {
            let own = self
                .scores
                .get(&alert.family)
                .map_or(&[][..], Vec::as_slice);
            let at_least = own.len() - own.partition_point(|score| *score < alert.score);
            let share = (1 + at_least) as f64 / (1.0 + self.eni_days);
            Alert {
                score: -share.log2(),
                ..alert.clone()
            }
        });
        rescored.collect()
    }
}

fn alert(numbers: &BTreeMap<&str, u32>, judged: Judged) -> Alert {
    let Judged {
        day,
        interfaces,
        finding,
    } = judged;
    let secs = |at: Option<outflow_record::Timestamp>| {
        at.map_or(0, |at| u32::try_from(at.secs()).unwrap_or(0))
    };
    let number = |key: &InterfaceKey| numbers.get(key.interface_id.as_str()).copied();
    let addresses = finding.destination.addresses.iter();
    let peers = addresses.filter_map(|text| text.parse::<Addr>().ok()?.ipv4());
    // Bits only order what has the same risk.
    let bits = finding.bits.unwrap_or(0.0);
    Alert {
        title: finding.title,
        score: f64::from(finding.risk) + bits / 1_000.0,
        by_default: finding.severity > Severity::Low,
        at: u32::try_from(day.end()).unwrap_or(u32::MAX) + LATENESS_SECS,
        span: (secs(finding.first_seen), secs(finding.last_seen)),
        enis: interfaces.iter().filter_map(number).collect(),
        peers: peers.map(u32::from_be_bytes).collect(),
        destination: finding.destination.group,
        family: finding.family,
        bits: finding.bits,
        severity: finding.severity,
        id: finding.id,
    }
}
