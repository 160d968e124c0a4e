//! Who watches: the resolver's logs, GuardDuty, and what the owner says to be done.

use outflow_enrich::inventory::When;
use outflow_finding::Severity;
use outflow_record::Timestamp;

use crate::criterion::{Criterion, Verdict};
use crate::finding::{Check, PostureFinding, told};
use crate::metrics::HighFindings;
use crate::network::dated;
use crate::view::{Context, Out, View};
use crate::{GuardDuty, Trend};

/// Looks who watches a VPC.
pub(crate) fn check(context: &Context<'_>, view: &View<'_>, out: &mut Out) {
    let inventory = &context.network.inventory;
    let at = context.network.at;
    // What is stale, or was seen later only, tells nothing: that its listing is not there is a doubt already.
    let logs = dated(&inventory.resolver_query_logs, at);
    let logs = logs.filter(|(_, known, is_stale)| !is_stale && known.when != When::NotYet);
    let own = logs.filter(|(_, log, _)| log.value.resource_id == view.vpc_id);
    let dns = associated(Associations {
        states: own
            .map(|(id, log, _)| (id, log.value.status.as_str()))
            .collect(),
        works: "ACTIVE",
        what: "resolver query log",
        listed: view.is_listed(&inventory.resolver_query_logs, at),
    });
    out.judge(Criterion::DnsWatched, dns);

    let firewalls = dated(&inventory.dns_firewalls, at);
    let firewalls =
        firewalls.filter(|(_, known, is_stale)| !is_stale && known.when != When::NotYet);
    let own = firewalls.filter(|(_, firewall, _)| firewall.value.vpc_id == view.vpc_id);
    let mut block = associated(Associations {
        states: own
            .map(|(id, own, _)| (id, own.value.status.as_str()))
            .collect(),
        works: "COMPLETE",
        what: "rule group of DNS Firewall",
        listed: view.is_listed(&inventory.dns_firewalls, at),
    });
    let practices = context.policy.practices;
    said(
        &mut block,
        practices.auto_block,
        "confirmed exfiltration is blocked by itself",
    );
    out.judge(Criterion::AutoBlock, block);

    let mut alerts = Verdict::default();
    said(
        &mut alerts,
        practices.anomalies_alerted,
        "somebody is told of anomalies",
    );
    out.judge(Criterion::AnomaliesAlerted, alerts);
    threats(context, view, out);
}

/// What is associated with a VPC, and in which state.
struct Associations<'a> {
    states: Vec<(&'a str, &'a str)>,
    works: &'static str,
    what: &'static str,
    listed: bool,
}

/// One association that works is enough; only a whole listing says that there is none.
fn associated(own: Associations<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let what = own.what;
    match own.states.iter().find(|(_, state)| *state == own.works) {
        Some((id, _)) => verdict.hold(format!("{what}: {id} is {}", own.works)),
        None if !own.listed => verdict.doubt(format!("{what}: associations were not listed")),
        None if own.states.is_empty() => verdict.fail(format!("{what}: none is associated")),
        None => {
            for (id, state) in own.states {
                verdict.fail(format!("{what}: {id} is {state}"));
            }
        }
    }
    verdict
}

fn said(verdict: &mut Verdict, practice: Option<bool>, what: &str) {
    match practice {
        Some(true) => verdict.hold(format!("the owner says that {what}")),
        Some(false) => verdict.fail(format!("the owner denies that {what}")),
        None => verdict.doubt(format!("whether {what}")),
    }
}

fn threats(context: &Context<'_>, view: &View<'_>, out: &mut Out) {
    let mut verdict = Verdict::default();
    let open = context.guardduty.map_or(0, |guardduty| {
        open(guardduty, view.account_id, context.network.at)
    });
    match context.guardduty {
        None => verdict.doubt("no findings of GuardDuty were given"),
        Some(_) if open > 0 => verdict.fail(format!("{open} high findings are open")),
        Some(guardduty) if !guardduty.watches(view.account_id, view.region) => {
            verdict.doubt(match view.region {
                "" => "it is not known whether GuardDuty is on".to_owned(),
                region => format!("it is not known whether GuardDuty is on in {region}"),
            });
            guardduty
                .doubts(view.account_id)
                .for_each(|why| verdict.doubt(why));
        }
        Some(guardduty) => {
            guardduty
                .doubts(view.account_id)
                .for_each(|why| verdict.doubt(why));
            if guardduty.beyond() > 0 {
                verdict.doubt(format!("{} findings found no room", guardduty.beyond()));
            }
            verdict.hold("GuardDuty is on, and no high finding is open");
        }
    }
    out.judge(Criterion::ThreatsWatched, verdict);
}

/// High findings of an account that nobody has put away.
fn open(guardduty: &GuardDuty, account_id: &str, at: Timestamp) -> usize {
    let own = guardduty.of(account_id);
    own.filter(|own| own.is_high() && !own.archived && own.created_at <= at)
        .count()
}

/// The figures of an account, and a finding if any are open.
pub(crate) fn of_account(
    guardduty: Option<&GuardDuty>,
    account_id: &str,
    at: Timestamp,
) -> (Option<HighFindings>, Option<PostureFinding>) {
    let Some(guardduty) = guardduty.filter(|guardduty| guardduty.watches_any(account_id)) else {
        return (None, None);
    };
    let months = guardduty.months(account_id, at);
    let high = HighFindings {
        trend: Trend::of(&months),
        open: open(guardduty, account_id, at),
        months,
    };
    let finding = (high.open > 0).then(|| {
        let own = guardduty.of(account_id);
        let own = own.filter(|own| own.is_high() && !own.archived && own.created_at <= at);
        let evidence = own.map(|own| format!("{} in {}, {}", own.kind, own.region, own.created_at));
        let check = Check::GuardDutyHigh;
        PostureFinding {
            id: format!("{}:{account_id}", check.name()),
            check,
            severity: Severity::High,
            account_id: account_id.to_owned(),
            region: String::new(),
            vpc_id: None,
            resource: account_id.to_owned(),
            summary: format!("High findings of GuardDuty that are open: {}", high.open),
            evidence: told(evidence.collect()),
            bytes: None,
            cost: None,
            remedy: check.remedy(),
        }
    });
    (Some(high), finding)
}
