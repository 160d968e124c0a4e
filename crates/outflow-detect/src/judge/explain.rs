//! What explains findings beside what their judges say: who else sends there, since when, and how far an attack has come.

use outflow_finding::{Family, Prevalence, Stage};
use outflow_record::Timestamp;

use super::Judged;
use super::pairs::Census;

/// Adds what is known of each finding's destination as its day ended, and the stages that it shows.
pub(super) fn explain(findings: &mut [Judged], census: &Census) {
    for judged in findings {
        let (day, finding) = (judged.day, &mut judged.finding);
        finding.stages = Stage::of(finding.family, &finding.attack);
        // Who is served came by itself: that some host sent there, too, says nothing of it.
        let group = judged
            .group
            .filter(|_| finding.family != Family::VolumeServed);
        let Some((group, first)) = group.zip(group.and_then(|group| census.first(group))) else {
            continue;
        };
        finding.destination.prevalence = Some(Prevalence {
            workloads: census.prevalence(group, day) as u64,
            of: census.workloads(day) as u64,
        });
        finding.destination.first_seen = Some(Timestamp(i64::from(first)));
    }
}
