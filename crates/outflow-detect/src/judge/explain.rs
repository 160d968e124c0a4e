//! What explains findings beside what their judges say: who else sends there, since when, how far an attack has come, and which
//! harmless explanations were tested.

use outflow_finding::{Family, Prevalence, Stage};
use outflow_record::Timestamp;

use super::Judged;
use super::harmless::Known;
use super::history::Histories;
use super::pairs::Census;
use crate::parallel::in_parallel_mut;
use crate::policy::Policy;
use crate::time::Slot;

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
    let mut parts: Vec<&mut [Judged]> = findings.chunks_mut(FINDINGS_AT_ONCE).collect();
    in_parallel_mut(&mut parts, |_, part| {
        let all = part.iter_mut();
        all.for_each(|judged| explain_one(judged, policy, census, histories));
    });
}

fn explain_one(judged: &mut Judged, policy: &Policy, census: &Census, histories: &Histories) {
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
    let first = finding.first_seen;
    let first = first.map_or(day, |at| Slot::of(at.secs()).day()).min(day);
    let past = judged
        .workload
        .and_then(|own| histories.past(own, (first, day)));
    finding.history = past.and_then(|past| past.history(&policy.baseline));
    let known = Known {
        policy,
        census,
        past,
        group: met.map(|(group, _)| group),
        first,
    };
    judged.finding.harmless = known.tested(judged);
}
