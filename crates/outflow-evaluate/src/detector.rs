//! The detector under test: its findings in the form that all methods share.

use std::collections::BTreeMap;

use outflow_detect::{Day, Judged, Policy, State, judge};
use outflow_enrich::InterfaceKey;
use outflow_finding::{Severity, urgency};
use outflow_record::Addr;

use crate::alert::Alert;
use crate::batch::VPC_ID;
use crate::world::World;

/// Seconds after a day's end at which its last bucket closes and its findings are told.
const LATENESS_SECS: u32 = 900;

/// What the detector says of a state, on the days of the test window. It gets no knowledge from elsewhere, and its default
/// policy.
pub(crate) fn alerts(world: &World, state: &State) -> Vec<Alert> {
    let verdict = judge(state, &Policy::default(), Day::LAST);
    let first = Day(world.test_start() / 86_400);
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    for host in world.hosts() {
        numbers.insert(host.interface_id.clone(), host.eni);
        // Who asked, as findings of names call it.
        numbers.insert(format!("dns {VPC_ID} {}", host.instance_id), host.eni);
    }
    let told = verdict
        .findings
        .into_iter()
        .filter(|judged| judged.day >= first);
    told.map(|judged| alert(&numbers, judged)).collect()
}

/// The same, as strong as their risk alone says.
pub(crate) fn by_risk(alerts: &[Alert]) -> Vec<Alert> {
    let by_risk = alerts.iter().map(|alert| Alert {
        // Rarity only orders what has the same risk.
        score: alert.risk + alert.score / 1_000.0,
        ..alert.clone()
    });
    by_risk.collect()
}

fn alert(numbers: &BTreeMap<String, u32>, judged: Judged) -> Alert {
    let Judged {
        day,
        interfaces,
        finding,
        ..
    } = judged;
    let secs = |at: Option<outflow_record::Timestamp>| {
        at.map_or(0, |at| u32::try_from(at.secs()).unwrap_or(0))
    };
    let number = |key: &InterfaceKey| numbers.get(key.interface_id.as_str()).copied();
    let addresses = finding.destination.addresses.iter();
    let peers = addresses.filter_map(|text| text.parse::<Addr>().ok()?.ipv4());
    let risk = f64::from(finding.risk);
    Alert {
        score: urgency(&finding),
        title: finding.title,
        risk,
        by_default: finding.severity > Severity::Low,
        at: u32::try_from(day.end()).unwrap_or(u32::MAX) + LATENESS_SECS,
        span: (secs(finding.first_seen), secs(finding.last_seen)),
        enis: interfaces.iter().filter_map(number).collect(),
        peers: peers.map(u32::from_be_bytes).collect(),
        domains: finding.destination.domains,
        destination: finding.destination.group,
        family: finding.family,
        bits: finding.bits,
        severity: finding.severity,
        id: finding.id,
    }
}
