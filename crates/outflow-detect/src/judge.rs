//! Judging: a pure function from sums, policy and knowledge to findings.

mod baseline;
mod beacon;
mod chance;
mod cleartext;
mod draft;
mod exceedance;
mod explain;
mod harmless;
mod history;
mod icmp;
mod jurisdiction;
mod ledger;
mod long;
mod meter;
mod names;
mod pairs;
mod path;
mod ports;
mod rare;
mod recalibrate;
mod scan;
mod served;
mod severity;
mod shift;
mod staging;
mod telemetry;

use outflow_enrich::{InterfaceKey, Knowledge};
use outflow_finding::Finding;

use crate::parallel::{both, in_parallel};
use crate::policy::Policy;
use crate::state::{State, Uncounted};
use crate::time::Day;
use crate::view::{Entry, Group, Sifted, View};
use draft::Sides;
use history::Histories;

/// A finding, the day that it belongs to, and the interfaces that its records are of.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The UTC day at whose end it is known.
    pub day: Day,
    /// The interfaces, those with most payload first.
    pub interfaces: Vec<InterfaceKey>,
    /// The finding, still without evidence objects and incident.
    pub finding: Finding,
    /// What it is compared with.
    pub(crate) rank: Rank,
    /// The destination group with most payload, of what flow logs tell.
    pub(crate) group: Option<Group>,
    /// The workload, if it is one, of what it chose to send.
    pub(crate) workload: Option<u32>,
    /// Payload both ways.
    pub(crate) sides: Sides,
}

impl Judged {
    /// The same, compared as this says.
    fn ranked(self, rank: Rank) -> Self {
        Self { rank, ..self }
    }
}

/// What a finding is compared with to tell how rare it is: others of its family that mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Rank {
    /// The stratum of its family.
    stratum: Stratum,
    /// How strong it is: each of these halves how often chance alone does as much. Where none is set, how many times
    /// its bound was doubled.
    octaves: Option<f64>,
}

/// Findings of a family that are told for different reasons, and how often they are told differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Stratum {
    /// All that is not below.
    #[default]
    Plain,
    /// What many do at the same time, or know for long.
    Shared,
    /// What more was fetched for than sent.
    Fetched,
    /// What exceeds a past.
    Excess,
    /// What may have been there before the log was.
    Old,
    /// What adds up slowly, below every bound.
    Trickle,
    /// What is even, and keeps no clock.
    Drifting,
}

impl Stratum {
    /// The share that it has of its family's part of a budget.
    const fn share(self) -> f64 {
        match self {
            // No family has all of them: of each family they are one together.
            Self::Plain | Self::Drifting => 0.5,
            Self::Shared | Self::Trickle => 0.175,
            Self::Fetched | Self::Excess | Self::Old => 0.05,
        }
    }
}

/// What a state tells of all days up to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The findings, by day, then by id.
    pub findings: Vec<Judged>,
    /// Bytes that crossed the border outwards, headers included, each counted at one observation point.
    pub counted_bytes: u64,
    /// All other bytes of the records. What no judge reads is kept by no day, so that these are of all days, whichever was
    /// asked for.
    pub uncounted: Uncounted,
    /// Of the bytes counted, what was payload.
    pub counted_payload_bytes: u64,
    /// Of that, what was sent in conversations of which only the ports suggest who opened them: no TCP flags of the
    /// same six hours tell, nor that the interface accepts connections at its port.
    pub guessed_payload_bytes: u64,
    /// Of that, what was sent by ways of which no record tells (`traffic-path`), so that no rule about ways judges it.
    pub unpathed_payload_bytes: u64,
}

/// As [`judge_with`], by what the records alone say.
pub fn judge(state: &State, policy: &Policy, through: Day) -> Verdict {
    judge_with(state, policy, &Knowledge::default(), through)
}

/// Judges every day up to `through`. Later traffic has no influence, so that the verdict on a day is the same
/// whenever it is asked for, by the same knowledge.
pub fn judge_with(state: &State, policy: &Policy, knowledge: &Knowledge, through: Day) -> Verdict {
    let view = View::new(state, policy, knowledge, through);
    let Sifted {
        mut chosen,
        served,
        watched,
        icmp,
        names,
        counted,
        mut uncounted,
        guessed_payload_bytes,
        unpathed_payload_bytes,
    } = view.sift();
    uncounted.add(&state.unpaired);
    pairs::in_order(&mut chosen);
    let census = pairs::Census::of(&chosen);
    let mut findings = pairs::judge(&view, policy, &census, &chosen);
    findings.extend(jurisdiction::judge(&view, policy, &chosen));
    findings.extend(path::judge(&view, policy, &chosen));
    findings.extend(telemetry::judge(&view, policy, &chosen));
    findings.extend(staging::judge(&view, policy, &census, &chosen));
    findings.extend(scan::inside(&view, policy, &census));
    let to_s3 = telemetry::SentToS3::of(&view, policy, &chosen);
    let mut histories = Histories::new(&policy.baseline);
    histories.look(&findings, &chosen);
    let (mut others, ledgers) = both(
        || {
            let mut found = names::judge(&view, policy, names);
            found.extend(meter::judge(&view, policy, &state.queries, &to_s3, through));
            found.extend(served::judge(&view, policy, served));
            found.extend(icmp::judge(&view, policy, icmp));
            found.extend(ports::judge(&view, policy, watched));
            found
        },
        || ledger::judge(&view, policy, &census, chosen, &mut histories),
    );
    // What these look at is not summed by day.
    others.iter_mut().for_each(|own| own.workload = None);
    findings.extend(ledgers);
    findings.extend(others);
    findings.sort_by(|a, b| (a.day, &a.finding.id).cmp(&(b.day, &b.finding.id)));
    recalibrate::recalibrate(&mut findings, census.active(), &policy.baseline);
    explain::explain(&mut findings, policy, &census, &histories);
    Verdict {
        findings,
        counted_bytes: counted.bytes,
        uncounted,
        counted_payload_bytes: counted.payload,
        guessed_payload_bytes,
        unpathed_payload_bytes,
    }
}

/// What is found of each workload, in the order of the entries, of which those of a workload stand together.
fn by_workload<'a>(
    chosen: &'a [Vec<Entry<'a>>],
    of: impl Fn(&'a [Entry<'a>]) -> Vec<Judged> + Sync,
) -> Vec<Judged> {
    let found = in_parallel(chosen, |entries| {
        let workloads = entries.chunk_by(|a, b| a.workload == b.workload);
        workloads.flat_map(&of).collect::<Vec<Judged>>()
    });
    found.into_iter().flatten().collect()
}
