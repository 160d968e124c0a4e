//! What explains findings beside what their judges say: who else sends there, since when, how far an attack has come, and which
//! harmless explanations were tested.

use std::collections::HashMap;

use outflow_finding::{Family, Prevalence, Stage};
use outflow_record::Timestamp;

use super::Judged;
use super::harmless::Known;
use super::history::Histories;
use super::pairs::Census;
use crate::key::FixedState;
use crate::parallel::in_parallel_mut;
use crate::policy::Policy;
use crate::time::{Day, Slot};

/// Findings that a thread takes at a time.
const FINDINGS_AT_ONCE: usize = 256;

/// Adds what is known of each finding's destination as its day ended, the stages that it shows, what its workload sent before,
/// and how harmless explanations came out.
pub(super) fn explain(
    findings: &mut [Judged],
    policy: &Policy,
    census: &Census,
    histories: &Histories,
) {
    let charged = charged(findings);
    let mut parts: Vec<&mut [Judged]> = findings.chunks_mut(FINDINGS_AT_ONCE).collect();
    in_parallel_mut(&mut parts, |_, part| {
        let all = part.iter_mut();
        all.for_each(|judged| explain_one(judged, policy, census, (histories, &charged)));
    });
}

/// By workload, from which day on and at the end of which the ledger charged something: what they have may be what is looked for.
type Charged = HashMap<u32, Vec<(Day, Day)>, FixedState>;

fn charged(findings: &[Judged]) -> Charged {
    let mut charged = Charged::default();
    for judged in findings {
        if let (Family::VolumeLedger, Some(workload)) = (judged.finding.family, judged.workload) {
            let days = (first_day(judged), judged.day);
            charged.entry(workload).or_default().push(days);
        }
    }
    charged
}

/// The day of the first packet.
fn first_day(judged: &Judged) -> Day {
    let first = judged.finding.first_seen;
    let first = first.map_or(judged.day, |at| Slot::of(at.secs()).day());
    first.min(judged.day)
}

fn explain_one(
    judged: &mut Judged,
    policy: &Policy,
    census: &Census,
    (histories, charged): (&Histories, &Charged),
) {
    let first = first_day(judged);
    let (day, finding) = (judged.day, &mut judged.finding);
    finding.stages = Stage::of(finding.family, &finding.attack);
    // Who is served came by itself: that some host sent there, too, says nothing of it.
    let group = judged
        .group
        .filter(|_| finding.family != Family::VolumeServed);
    let met = group.zip(group.and_then(|group| census.first(group)));
    if let Some((group, first)) = met {
        finding.destination.prevalence = Some(Prevalence {
            workloads: census.prevalence(group, day) as u64,
            of: census.workloads(day) as u64,
        });
        finding.destination.first_seen = Some(Timestamp(i64::from(first)));
    }
    let past = judged.workload.and_then(|own| {
        let charged = charged.get(&own).map_or(&[][..], Vec::as_slice);
        // Later days have no say.
        let known = charged.iter().filter(|(_, known)| *known <= day);
        let is_charged = |day: Day| {
            known
                .clone()
                .any(|(from, until)| (from..=until).contains(&&day))
        };
        histories.past(own, (first, day), is_charged)
    });
    let history = past
        .as_ref()
        .and_then(|past| past.history(&policy.baseline));
    let known = Known {
        policy,
        census,
        past,
        history: history.as_ref(),
        group: met.map(|(group, _)| group),
        days: (first, day),
    };
    judged.finding.harmless = known.tested(judged);
    judged.finding.history = history;
    // Numbers are those of one view: no verdict depends on it.
    judged.workload = None;
}
