//! The posture of all accounts: figures, maturity and findings.

use std::collections::{BTreeMap, BTreeSet};

use outflow_enrich::KnownDestinations;
use outflow_enrich::inventory::Inventory;
use outflow_record::Timestamp;
use serde::{Serialize, Serializer};

use crate::checks::{endpoints, flow_logs, groups, leaving, watching, ways};
use crate::criterion::Maturity;
use crate::finding::PostureFinding;
use crate::history::Period;
use crate::metrics::{Metrics, Share};
use crate::network::Network;
use crate::traffic::Traffic;
use crate::view::{Context, Out, View, views};
use crate::{GuardDuty, Policy};

/// Name and version of the JSON. Keys are only ever added.
pub const REPORT_SCHEMA: &str = "outflow.posture/1";

/// What posture is told from. What is `None` is unknown, and whatever needs it is.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// What the accounts say; it may lack kinds of resources, or be empty.
    pub inventory: &'a Inventory,
    /// The time of the report: the inventory as of then.
    pub at: Timestamp,
    /// What was sent.
    pub traffic: Option<&'a Traffic>,
    /// Findings of GuardDuty.
    pub guardduty: Option<&'a GuardDuty>,
    /// Services that take telemetry, and where they keep it.
    pub known: &'a KnownDestinations,
    /// What it is judged by.
    pub policy: &'a Policy,
}

/// The posture of all accounts that inventory, traffic or GuardDuty know of.
///
/// As JSON: one object. `accounts` has, by account and VPC, `metrics` (each figure as `part` of `of`, and whether all is
/// known) and `maturity` (`level`, `level_at_most`, and each criterion with its `state` and `evidence`); `findings` what
/// is wrong, the gravest first; `history` the figures over time, where asked for; `unknown` what was not understood or found no room.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// [`REPORT_SCHEMA`].
    pub schema: &'static str,
    /// The time of the report.
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    /// First and last second of the traffic.
    pub traffic: Option<Window>,
    /// By account.
    pub accounts: Vec<AccountReport>,
    /// By severity, the gravest first, then by id.
    pub findings: Vec<PostureFinding>,
    /// The figures over time, the oldest period first; empty unless it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Period>,
    /// What of the inputs was not understood or found no room.
    pub unknown: Vec<String>,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// First second.
    #[serde(serialize_with = "as_text")]
    pub first: Timestamp,
    /// Last second.
    #[serde(serialize_with = "as_text")]
    pub last: Timestamp,
}

/// The posture of an account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountReport {
    /// Account; empty where inventory and traffic do not say.
    pub account_id: String,
    /// Its figures.
    pub metrics: Metrics,
    /// Its maturity: that of its VPCs, each criterion as its worst.
    pub maturity: Maturity,
    /// Its VPCs.
    pub vpcs: Vec<VpcReport>,
}

/// The posture of a VPC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VpcReport {
    /// `vpc-…`.
    pub vpc_id: String,
    /// Region; empty where it is not known.
    pub region: String,
    /// Its figures.
    pub metrics: Metrics,
    /// Its maturity.
    pub maturity: Maturity,
}

impl Report {
    /// Holds configuration against traffic.
    pub fn new(inputs: &Inputs<'_>) -> Self {
        let context = Context {
            network: Network::new(inputs.inventory, inputs.at),
            traffic: inputs.traffic,
            guardduty: inputs.guardduty,
            known: inputs.known,
            policy: inputs.policy,
        };
        let mut by_account: BTreeMap<String, Vec<VpcReport>> = BTreeMap::new();
        for account_id in accounts(inputs) {
            by_account.entry(account_id).or_default();
        }
        let mut findings = Vec::new();
        for view in views(&context) {
            let (report, own) = vpc(&context, &view);
            findings.extend(own);
            let account = view.account_id.to_owned();
            by_account.entry(account).or_default().push(report);
        }
        let mut reports = Vec::new();
        for (account_id, vpcs) in by_account {
            let mut metrics = Metrics::default();
            for vpc in &vpcs {
                metrics.add(&vpc.metrics);
            }
            let (high, finding) = watching::of_account(inputs.guardduty, &account_id, inputs.at);
            metrics.guardduty_high = high;
            findings.extend(finding);
            let unlisted = unlisted_vpcs(inputs, &account_id, &vpcs);
            if unlisted.is_some() {
                metrics.doubt();
            }
            let parts = vpcs.iter().map(|vpc| (vpc.vpc_id.as_str(), &vpc.maturity));
            reports.push(AccountReport {
                maturity: Maturity::joined(parts, unlisted.as_deref()),
                account_id,
                metrics,
                vpcs,
            });
        }
        findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.id.cmp(&b.id)));
        Self {
            schema: REPORT_SCHEMA,
            at: inputs.at,
            traffic: inputs.traffic.and_then(window),
            accounts: reports,
            findings,
            history: Vec::new(),
            unknown: unknown(inputs),
        }
    }
}

fn vpc(context: &Context<'_>, view: &View<'_>) -> (VpcReport, Vec<PostureFinding>) {
    let mut out = Out::default();
    let mut metrics = Metrics {
        undocumented_open_groups: groups::check(context, view, &mut out),
        effective_flow_logs: flow_logs::check(context, view, &mut out),
        services_by_endpoint: endpoints::check(context, view, &mut out),
        guardduty_high: None,
    };
    if view.place.is_none() {
        // A VPC of which only traffic tells may have any groups.
        metrics.undocumented_open_groups = Share::default();
    }
    groups::check_use(context, view, &mut out);
    ways::check(context, view, &mut out);
    leaving::check_residency(context, view, &mut out);
    leaving::check_resolver(context, view, &mut out);
    watching::check(context, view, &mut out);
    out.criteria.sort_by_key(|judged| judged.criterion);
    let report = VpcReport {
        vpc_id: view.vpc_id.to_owned(),
        region: view.region.to_owned(),
        metrics,
        maturity: Maturity::of(out.criteria),
    };
    let findings = out.findings.into_iter().map(|draft| view.finding(draft));
    (report, findings.collect())
}

/// Accounts that are known though no VPC of theirs is.
fn accounts(inputs: &Inputs<'_>) -> BTreeSet<String> {
    let listed = inputs
        .inventory
        .vpcs
        .places()
        .chain(&inputs.inventory.places)
        .map(|place| place.account_id.as_str());
    let watched = inputs.guardduty.into_iter().flat_map(GuardDuty::accounts);
    // A listing of the EC2 API does not say whose it is: its VPCs name their owner.
    let named = listed.chain(watched).filter(|id| !id.is_empty());
    named.map(str::to_owned).collect()
}

/// Why an account may have VPCs that nobody sees; nothing if it cannot.
fn unlisted_vpcs(inputs: &Inputs<'_>, account_id: &str, vpcs: &[VpcReport]) -> Option<String> {
    let listed = &inputs.inventory.vpcs;
    let own = inputs.inventory.places.iter().chain(listed.places());
    let own = own.filter(|place| place.account_id == account_id);
    // A listing of the EC2 API does not say whose it is.
    let seen = vpcs
        .iter()
        .filter_map(|vpc| listed.get(&vpc.vpc_id, inputs.at));
    let mut places = own.chain(seen.map(|vpc| vpc.place)).peekable();
    if places.peek().is_none() {
        return Some("VPCs of the account were not listed".to_owned());
    }
    let place = places.find(|place| !listed.is_listed(place, inputs.at))?;
    Some(match place.region.as_str() {
        "" => "VPCs were not listed, and there may be others".to_owned(),
        region => format!("VPCs in {region} were not listed, and there may be others"),
    })
}

fn window(traffic: &Traffic) -> Option<Window> {
    let first = traffic.entries().map(|(_, entry)| entry.first_at).min()?;
    let last = traffic.entries().map(|(_, entry)| entry.last_at).max()?;
    Some(Window { first, last })
}

fn unknown(inputs: &Inputs<'_>) -> Vec<String> {
    let mut unknown = Vec::new();
    let problems = inputs.inventory.problems.total();
    if problems > 0 {
        let first = inputs.inventory.problems.iter().next();
        let first = first.map(|(problem, _)| {
            format!(": {} {}: {}", problem.source, problem.place, problem.what)
        });
        let first = first.unwrap_or_default();
        unknown.push(format!(
            "{problems} parts of the inventory were not understood{first}"
        ));
    }
    match inputs.traffic {
        None => unknown.push("no traffic was given".to_owned()),
        Some(traffic) => {
            for (count, what) in [
                (
                    traffic.beyond_rows(),
                    "rows found no room among the traffic",
                ),
                (
                    traffic.undirected_rows(),
                    "rows do not say which way they went",
                ),
                (
                    traffic.uncounted_interfaces(),
                    "interfaces are not among those whose coverage is kept",
                ),
            ] {
                if count > 0 {
                    unknown.push(format!("{count} {what}"));
                }
            }
        }
    }
    match inputs.guardduty {
        None => unknown.push("no findings of GuardDuty were given".to_owned()),
        Some(guardduty) if guardduty.beyond() > 0 => {
            unknown.push(format!(
                "{} findings of GuardDuty found no room",
                guardduty.beyond()
            ));
        }
        Some(_) => {}
    }
    unknown
}

pub(crate) fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}
