//! The pipeline: objects to batches to sums, on all workers, then to findings.
//!
//! ```text
//!            ┌ worker: Reader ► Text ► Enricher    ►┬► Tally, evidence ─ merge ┐
//! objects ──►┤  …                                   │                          ├─► judge ─► group ─► Outcome
//!            └ worker                              ►┴► SharedState ────────────┘
//! ```
//!
//! Which worker reads which object has no influence on the outcome: everything that workers keep adds up in any
//! order.

mod asked;
mod counter;
pub(crate) mod decoding;
pub(crate) mod duplicates;
mod evidence;
mod flow_logs;
mod judged;
pub(crate) mod knowledge;
mod measures;
mod names;
mod parameters;
pub(crate) mod queue;
mod reading;
mod records;
mod stored;
pub(crate) mod tally;
mod text;
pub(crate) mod threads;
mod worker;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use outflow_detect::{Day, Detail, Grain, Judged, Policy, Resolution, State, Verdict, judge_with};
use outflow_enrich::{HOSTS_MAX, Knowledge, KnownDestinations, Networks, PassiveDns};
use outflow_finding::{
    Accounts, CoverageReport, Finding, Incident, Parted, RowCounts, Suppressions, group,
    human_bytes,
};
use outflow_record::{Format, Timestamp};

use crate::{Context, Object, Problem};
use evidence::Ledger;
use names::Registers;
use tally::Tally;

pub use parameters::{Unwritable, judged_by};
pub use reading::Reading;
pub use stored::{
    Alerting, CheckpointError, Followed, Following, PERIOD_DAYS, StoredLogs, Telling,
};

/// Threads at most. More do not read faster, and each holds buffers; what is asked for beyond is not started.
const WORKERS_MAX: usize = 256;

/// A remark tells of rejects from this share of the lines on: one in a hundred. A few are in every large archive.
const REJECTS_TOLD_ONE_IN: u64 = 100;

/// Interfaces and flow logs that a remark names; `outflow coverage` lists all.
const BLIND_NAMED_MAX: usize = 5;

/// Copies that remarks name; the books count all.
const COPIES_NAMED_MAX: usize = 5;

/// How to read and judge.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The border.
    pub networks: Networks,
    /// Bounds and lists.
    pub policy: Policy,
    /// What is not told, as somebody answers for it.
    pub suppressions: Arc<Suppressions>,
    /// The format of objects that have no header.
    pub format: Option<Format>,
    /// Records that start before this are read but not counted.
    pub since: Option<Timestamp>,
    /// Records that start at or after this are read but not counted.
    pub until: Option<Timestamp>,
    /// What is known of addresses from elsewhere.
    pub context: Arc<Context>,
    /// Threads that read and count; at least one, and never more than objects or 256.
    pub workers: usize,
    /// How finely to tell what the logs cover.
    pub grain: Grain,
    /// Of a lake that is followed, days before its newest record of which sums are kept; all, if nothing is said. What is
    /// older is forgotten in periods of [`PERIOD_DAYS`].
    pub remember_days: Option<u32>,
    /// When incidents alert, and when they are told again.
    pub alerting: Alerting,
}

/// How far a run has come, to be watched from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    /// Objects done.
    pub objects: AtomicU64,
    /// Bytes of the objects done, as stored.
    pub stored_bytes: AtomicU64,
    /// Rows decoded.
    pub rows: AtomicU64,
    /// Set by who wants it to end early. [`crate::ingest`] then commits what it has read to its end, and [`Following::step`]
    /// adds nothing of what it did not; both say what is left. Other runs end when they are done.
    pub is_ending: AtomicBool,
}

impl Progress {
    /// Whether it is to end early.
    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }
}

/// What a run found.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The incidents, gravest first.
    pub incidents: Vec<Incident>,
    /// The findings in them.
    pub findings: Vec<Finding>,
    /// Findings that are in none, as a suppression hides them, each with its id.
    pub suppressed: Vec<(String, Finding)>,
    /// The books.
    pub accounts: Accounts,
    /// What the logs cover.
    pub coverage: CoverageReport,
    /// Objects that are damaged, could not be read or hold nothing to count, by name.
    pub problems: Vec<Problem>,
    /// Remarks on the run as a whole that a reader of its figures must know.
    pub remarks: Vec<String>,
}

/// Reads all objects, and judges what they hold.
///
/// An object that cannot be read, whose format cannot be told, or whose rows cannot be counted, is a [`Problem`]
/// and no end of the run.
pub fn detect(objects: &[Object], settings: &Settings, progress: &Progress) -> Outcome {
    Reading::of(objects, settings, progress).into_outcome(settings)
}

/// Remarks that name copies of objects.
fn named_copies<'c>(copies: impl Iterator<Item = &'c String>) -> Vec<String> {
    let named = copies.take(COPIES_NAMED_MAX);
    named
        .map(|copy| format!("`{copy}` is a copy of another object"))
        .collect()
}

/// What workers read, added up, but for the sums.
struct Read<'r> {
    tally: Tally,
    ledger: &'r Ledger,
    names: &'r PassiveDns,
    problems: Vec<Problem>,
    /// What is wrong with objects of which no row has values, if no object of the run has.
    without_values: Vec<Problem>,
    remarks: Vec<String>,
}

impl Read<'_> {
    /// Judges the sums.
    fn outcome(self, state: Cow<'_, State>, settings: &Settings) -> Outcome {
        let Self {
            mut tally,
            ledger,
            names,
            mut problems,
            without_values,
            remarks: told,
        } = self;
        if !tally.has_counted() {
            tally.damaged += without_values.len() as u64;
            problems.extend(without_values);
        }
        problems.sort();
        let coverage = CoverageReport {
            interfaces: state.coverage(settings.grain),
            flow_logs: tally.flow_logs.listed(),
        };
        let mut remarks = remarks(&state, &tally);
        if let Some(before) = names.forgotten_before() {
            remarks.push(format!(
                "more names of addresses than memory allows: those that were asked for before {before} are not told"
            ));
        }
        remarks.extend(blind(&coverage, &state, &tally));
        remarks.extend(told);
        let known = Known { ledger, names };
        Outcome {
            coverage,
            ..conclude(state, settings, &tally, &known, problems, remarks)
        }
    }
}

/// What findings gain from, once they are judged.
struct Known<'r> {
    ledger: &'r Ledger,
    names: &'r PassiveDns,
}

fn conclude(
    state: Cow<'_, State>,
    settings: &Settings,
    tally: &Tally,
    Known { ledger, names }: &Known<'_>,
    problems: Vec<Problem>,
    mut remarks: Vec<String>,
) -> Outcome {
    let (enis, resolution) = (state.interfaces() as u64, state.resolution());
    let mut knowledge = Knowledge::default();
    let built_in = KnownDestinations::built_in();
    let known = built_in.and_then(|known| {
        knowledge = knowledge::of(&settings.context, names, &known)?;
        Ok(known)
    });
    if let Err(error) = &known {
        remarks.push(format!("judged by records alone: {error}"));
    }
    let registers = Registers {
        context: &settings.context,
        names,
        known: known.as_ref().ok(),
        databases: &parameters::databases(&settings.context),
    };
    let parameters = parameters::of(settings);
    let state_judged = Some(judged::state_of(ledger.sources()));
    let mut verdict = judge_with(&state, &settings.policy, &knowledge, Day::LAST);
    remarks.extend(unjudged(&settings.policy, &knowledge, &verdict));
    let attest = |judged: &mut Judged| {
        ledger.attest(&judged.interfaces, &mut judged.finding);
        names::identify(&mut judged.finding, registers);
        let tested = judged::known_service(&judged.finding);
        judged.finding.harmless.extend(tested);
        judged.finding.state.clone_from(&state_judged);
        judged.finding.parameters.clone_from(&parameters);
    };
    // What findings gain takes up what a state of one's own gives back.
    if let Cow::Owned(state) = state {
        state.release();
    }
    let threads = settings.workers.clamp(1, WORKERS_MAX);
    threads::for_each(&mut verdict.findings, threads, attest);
    let mut senders = BTreeMap::new();
    let findings = std::mem::take(&mut verdict.findings);
    let findings = findings.into_iter().map(|judged| {
        senders.insert(judged.finding.id.clone(), judged.interfaces);
        (Timestamp(judged.day.start()), judged.finding)
    });
    let Parted {
        told,
        hidden,
        books,
    } = settings.suppressions.part(findings.collect());
    let (mut incidents, findings) = group(told);
    // The findings stand in the order of their incidents.
    let mut rest = &findings[..];
    for incident in &mut incidents {
        let own = |finding: &Finding| finding.incident.as_ref() == Some(&incident.body.id);
        let (members, others) = rest.split_at(rest.partition_point(own));
        incident.body.evidence.objects_total = ledger.objects_total(members, &senders);
        rest = others;
    }
    remarks.extend(imprecise(ledger));
    let accounts = Accounts {
        enis,
        resolution: kept(resolution),
        suppressions: books,
        ..entered(&verdict, tally)
    };
    Outcome {
        incidents,
        findings,
        suppressed: hidden,
        accounts,
        coverage: CoverageReport::default(),
        problems,
        remarks,
    }
}

/// What of evidence is less precise than it could be.
fn imprecise(ledger: &Ledger) -> impl Iterator<Item = String> {
    let twins = ledger.twins();
    let doubled = (twins > 0).then(|| {
        format!(
            "{twins} objects have the very bytes of another and were counted all the same, as S3 encrypted them \
             apart: name only one of the copies"
        )
    });
    let coarse = ledger.is_coarse().then(|| {
        "evidence names objects by time alone: there are too many to count by interface".to_owned()
    });
    doubled.into_iter().chain(coarse)
}

/// Rules of policy that judge nothing, or a part only.
fn unjudged(policy: &Policy, knowledge: &Knowledge, verdict: &Verdict) -> Vec<String> {
    let mut remarks = unplaced(policy, knowledge);
    remarks.extend(unpathed(policy, verdict));
    remarks
}

/// That rules about places and operators judge nothing.
fn unplaced(policy: &Policy, knowledge: &Knowledge) -> Vec<String> {
    let (geo, jurisdiction) = (&knowledge.geo, &policy.jurisdiction);
    let has_no_places = geo.sources().next().is_none();
    let has_no_names = knowledge.operators.is_empty();
    let telemetry = &policy.telemetry;
    let of_sites = !telemetry.sites_allowed.is_empty() || !telemetry.customers_allowed.is_empty();
    let remarks = [
        (
            !jurisdiction.is_empty() && has_no_places,
            "policy names countries or networks, and no database tells where addresses are: nothing was judged by \
             them; add one (.mmdb) to the folder of --context",
        ),
        (
            jurisdiction.names_countries() && !has_no_places && !geo.has_countries(),
            "policy names countries, and the databases tell networks alone: nothing was judged by countries; add a \
             database of countries (.mmdb) to the folder of --context",
        ),
        (
            jurisdiction.names_networks() && !has_no_places && !geo.has_networks(),
            "policy names networks, and the databases tell countries alone: nothing was judged by networks; add a \
             database of autonomous systems (.mmdb) to the folder of --context",
        ),
        (
            !policy.path.regions_allowed.is_empty() && has_no_names,
            "policy names regions of AWS, and nothing tells where its addresses are: nothing was judged by them; add \
             ip-ranges.json to the folder of --context",
        ),
        (
            of_sites && has_no_names,
            "policy names sites or customers of vendors, and nothing tells whose addresses are: nothing was judged by \
             them; add Resolver query logs to the sources",
        ),
    ];
    let blind = remarks.into_iter().filter(|(is_blind, _)| *is_blind);
    blind.map(|(_, remark)| remark.to_owned()).collect()
}

/// That rules about ways judge a part only.
fn unpathed(policy: &Policy, verdict: &Verdict) -> Option<String> {
    let (unpathed, all) = (
        verdict.unpathed_payload_bytes,
        verdict.counted_payload_bytes,
    );
    let is_blind = !policy.path.denied.is_empty() && unpathed > 0;
    is_blind.then(|| {
        format!(
            "policy denies ways, and of {} of {} of payload no record tells the way (traffic-path): nothing of it was \
             judged by them",
            human_bytes(unpathed),
            human_bytes(all)
        )
    })
}

/// The books, with what became of the bytes.
fn entered(verdict: &Verdict, tally: &Tally) -> Accounts {
    let uncounted = verdict.uncounted;
    Accounts {
        counted_bytes: verdict.counted_bytes,
        repeated_bytes: uncounted.repeated_bytes,
        received_bytes: uncounted.received_bytes,
        inside_bytes: uncounted.inside_bytes,
        inside_payload_bytes: uncounted.inside_payload_bytes,
        rejected_bytes: uncounted.rejected_bytes,
        counted_payload_bytes: verdict.counted_payload_bytes,
        guessed_payload_bytes: verdict.guessed_payload_bytes,
        ..tally.accounts()
    }
}

/// Where the run saw nothing of what left, and where it lost sight of coverage.
fn blind(coverage: &CoverageReport, state: &State, tally: &Tally) -> Vec<String> {
    let mut remarks = Vec::new();
    let told = |what: &str, meaning: &str, ids: Vec<&str>| {
        let named = ids.iter().take(BLIND_NAMED_MAX).map(|id| format!("`{id}`"));
        let named = named.collect::<Vec<_>>().join(", ");
        let more = if ids.len() > BLIND_NAMED_MAX {
            ", …"
        } else {
            ""
        };
        let count = ids.len();
        (count > 0)
            .then(|| format!("{what} with REJECT rows only: {count} ({named}{more}); {meaning}"))
    };
    let is_blind = |rows: &RowCounts| rows.is_reject_only();
    let interfaces = coverage.interfaces.iter().filter(|of| is_blind(&of.rows));
    remarks.extend(told(
        "interfaces",
        "what left there is not in the log, so they are blind spots and not clean",
        interfaces
            .map(|of| of.interface_id.as_deref().unwrap_or("-"))
            .collect(),
    ));
    let flow_logs = coverage.flow_logs.iter().filter(|of| is_blind(&of.rows));
    remarks.extend(told(
        "flow logs",
        "they show nothing of what left",
        flow_logs.map(|of| of.flow_log_id.as_str()).collect(),
    ));
    if let Some(from) = state.coverage_kept_from() {
        remarks.push(format!(
            "more hours of coverage than memory allows: minutes before {from} count as if nothing told of them"
        ));
    }
    if let Some(from) = state.received_from() {
        remarks.push(format!(
            "more deliveries inside than memory allows: what some interfaces gathered before {from} is not known"
        ));
    }
    if let Some(from) = state.tried_from() {
        remarks.push(format!(
            "more that was tried inside than memory allows: what some interfaces tried before {from} is not known"
        ));
    }
    if tally.flow_logs.left_out() > 0 {
        remarks.push(format!(
            "more flow logs than memory allows: {} rows are of some that are not told apart",
            tally.flow_logs.left_out()
        ));
    }
    remarks
}

fn kept(resolution: Resolution) -> outflow_finding::Resolution {
    match resolution {
        Resolution::Address => outflow_finding::Resolution::Address,
        Resolution::Group => outflow_finding::Resolution::Group,
        Resolution::Watched | Resolution::Service => outflow_finding::Resolution::Service,
    }
}

fn remarks(state: &State, tally: &Tally) -> Vec<String> {
    let mut remarks = Vec::new();
    if tally.copies > 0 {
        remarks.push(format!(
            "{} objects have the very bytes of another and were counted once",
            tally.copies
        ));
    }
    if tally.unmeasured > 0 {
        remarks.push(format!(
            "{} rows lack the addresses, times or bytes that counting needs (`-`, or no such field)",
            tally.unmeasured
        ));
    }
    if tally.without_packets > 0 {
        remarks.push(format!(
            "{} rows are of a format without `packets`: headers cannot be told from payload, and all their bytes \
             count as payload",
            tally.without_packets
        ));
    }
    let books = tally.accounts();
    if books.rejects.saturating_mul(REJECTS_TOLD_ONE_IN) >= books.lines && books.rejects > 0 {
        remarks.push(format!(
            "{} of {} lines are no records, and what they stand for is in no sum; `rejects_by_reason` tells why, and \
             `outflow query --source SOURCE 'SELECT * FROM rejects'` shows them{}",
            books.rejects,
            books.lines,
            tally.where_rejected()
        ));
    }
    let columns = tally.columns_not_read();
    if !columns.is_empty() {
        remarks.push(format!(
            "Parquet columns that no flow log has were not read: {}",
            columns.join(", ")
        ));
    }
    if tally.outside > 0 {
        remarks.push(format!(
            "{} rows lie outside --since and --until",
            tally.outside
        ));
    }
    if tally.rows_beyond_hosts > 0 {
        remarks.push(format!(
            "more hosts behind gateways than memory allows ({HOSTS_MAX}): {} rows of others count for the gateway that \
             passed them on",
            tally.rows_beyond_hosts
        ));
    }
    match state.resolution() {
        Resolution::Address => {}
        Resolution::Group => remarks.push(
            "more pairs than memory allows: some interfaces are summed by /24 and /48".to_owned(),
        ),
        Resolution::Watched | Resolution::Service => remarks.push(
            "far more pairs than memory allows: some interfaces are summed by service, without addresses"
                .to_owned(),
        ),
    }
    remarks.extend(less_detail(state).map(str::to_owned));
    remarks
}

/// What is lost of queries for want of memory.
fn less_detail(state: &State) -> Option<&'static str> {
    match state.query_detail() {
        Detail::Names => None,
        Detail::Sums => Some(
            "more names than memory allows: below some domains each query counts as if it were for another name",
        ),
        Detail::Clients => Some(
            "far more names than memory allows: some domains are summed together, and each query counts as if it \
             were for another name",
        ),
    }
}

#[cfg(test)]
mod tests;
