//! Payload to sites of known vendors that policy does not allow, and to a second site or customer of one beside that which
//! an account uses.
//!
//! A service that is allowed is a way out like any other for whoever has an account of one's own there. What differs then
//! is the site, or the name that the vendor gave the customer; where many customers share addresses, nothing does.

mod sent;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use outflow_enrich::VendorSite;
use outflow_finding::{Family, Severity, Why, human_bytes, human_count};

use super::Judged;
use super::baseline::{DayPayload, is_established};
use super::draft::{Charge, Draft, bounded};
use crate::parallel::in_parallel;
use crate::policy::Policy;
use crate::time::Day;
use crate::view::{Entry, View};
pub(super) use sent::SentToS3;

/// What workloads of an account sent to a site, by day and workload.
type Days<'a> = BTreeMap<Day, BTreeMap<u32, Vec<&'a Entry<'a>>>>;

/// By account and site.
type Sites<'a> = BTreeMap<(&'a str, &'a VendorSite), Days<'a>>;

/// What payload went against.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Breach<'s> {
    Site,
    Customer,
    /// The country in which the site keeps data, and whether policy denies it by name.
    Country {
        is_denied: bool,
    },
    /// Beside a site that is used or allowed. How many workloads of the account had sent to this one by then, and to the
    /// vendor at all.
    Second {
        beside: &'s VendorSite,
        senders: usize,
        of: usize,
        is_rare: bool,
    },
}

/// Findings `policy.telemetry`: one for a workload, a site and a day; of second sites, only when it is first told, and when
/// a day has twice as much as any that was told.
pub(super) fn judge<'a>(
    view: &'a View<'_>,
    policy: &Policy,
    chosen: &'a [Vec<Entry<'a>>],
) -> Vec<Judged> {
    if view.operators().is_empty() {
        return Vec::new();
    }
    let parts = in_parallel(chosen, |entries| {
        let mut sites = Sites::new();
        for entry in entries.iter().filter(|entry| entry.sends_payload()) {
            if let Some(site) = view.operator(entry).site {
                let account = view.workload(entry.workload).account_id.as_str();
                let days = sites.entry((account, site)).or_default();
                let of_day = days.entry(entry.slot.day()).or_default();
                of_day.entry(entry.workload).or_default().push(entry);
            }
        }
        sites
    });
    let mut sites = Sites::new();
    for ((account, site), days) in parts.into_iter().flatten() {
        let all = sites.entry((account, site)).or_default();
        for (day, workloads) in days {
            // A workload's entries are all in one part.
            all.entry(day).or_default().extend(workloads);
        }
    }
    let past: BTreeMap<(&str, &VendorSite), Vec<DayPayload>> = sites
        .iter()
        .map(|(key, days)| (*key, payloads(days)))
        .collect();
    let account = Accounts {
        policy,
        sites: &sites,
        past: &past,
    };
    let mut findings = Vec::new();
    for ((id, site), days) in &sites {
        findings.extend(account.judge(view, id, site, days));
    }
    findings
}

fn payload(entries: &[&Entry<'_>]) -> u64 {
    crate::counters::total(entries.iter().map(|entry| entry.counters.up().payload))
}

fn payloads(days: &Days<'_>) -> Vec<DayPayload> {
    let of_day = |of: &BTreeMap<u32, Vec<&Entry<'_>>>| {
        crate::counters::total(of.values().map(|entries| payload(entries)))
    };
    days.iter().map(|(day, of)| (*day, of_day(of))).collect()
}

/// Sites that accounts sent to.
struct Accounts<'s, 'a> {
    policy: &'s Policy,
    sites: &'s Sites<'a>,
    past: &'s BTreeMap<(&'a str, &'a VendorSite), Vec<DayPayload>>,
}

impl<'s> Accounts<'s, '_> {
    fn judge(
        &self,
        view: &View<'_>,
        account: &str,
        site: &VendorSite,
        days: &Days<'_>,
    ) -> Vec<Judged> {
        let mut told: BTreeMap<u32, u64> = BTreeMap::new();
        let mut findings = Vec::new();
        for (day, workloads) in days {
            // The same for every workload of the account, and dear to find.
            let of_day = OnceCell::new();
            for (workload, entries) in workloads {
                let payload = payload(entries);
                if payload < self.policy.bounds.telemetry_day {
                    continue;
                }
                let breaches = of_day.get_or_init(|| self.breaches(account, site, *day));
                let known = told.entry(*workload).or_default();
                let is_second = |breach: &Breach<'_>| matches!(breach, Breach::Second { .. });
                let is_news = payload >= known.saturating_mul(2);
                if breaches.is_empty() || breaches.iter().all(is_second) && !is_news {
                    continue;
                }
                *known = payload;
                let draft = Draft::of(entries.iter().copied());
                findings.push(self.finding(view, (*day, *workload), site, breaches, draft));
            }
        }
        findings
    }

    fn breaches(&self, account: &str, site: &VendorSite, day: Day) -> Vec<Breach<'s>> {
        let (rule, places) = (&self.policy.telemetry, &self.policy.jurisdiction);
        let mut breaches = Vec::new();
        if !rule.allows_site(site) {
            breaches.push(Breach::Site);
        }
        if !rule.allows_customer(site) {
            breaches.push(Breach::Customer);
        }
        if let Some(country) = &site.country {
            let is_denied = places.countries_denied.contains(country);
            let allowed = &places.countries_allowed;
            if is_denied || !allowed.is_empty() && !allowed.contains(country) {
                breaches.push(Breach::Country { is_denied });
            }
        }
        let is_own = rule.names(site) || self.is_established(account, site, day);
        breaches.extend(self.second(account, site, day).filter(|_| !is_own));
        breaches
    }

    fn is_established(&self, account: &str, site: &VendorSite, day: Day) -> bool {
        let past = self.past.get(&(account, site));
        past.is_some_and(|past| is_established(past, day, &self.policy.baseline))
    }

    /// The site of the same vendor that the account uses or may use, if it is another one.
    fn second(&self, account: &str, site: &VendorSite, day: Day) -> Option<Breach<'s>> {
        let of_vendor = || {
            let own = self.sites.iter();
            own.filter(|((id, other), _)| *id == account && other.vendor == site.vendor)
        };
        let mut others = of_vendor().map(|((_, other), _)| *other);
        let beside = others.find(|other| {
            let is_used =
                self.policy.telemetry.names(other) || self.is_established(account, other, day);
            is_another(site, other) && is_used
        })?;
        let senders_of = |days: &Days<'_>| -> BTreeSet<u32> {
            let until = days.range(..=day);
            until.flat_map(|(_, of)| of.keys().copied()).collect()
        };
        let mut all = BTreeSet::new();
        let mut senders = 0;
        for ((_, other), days) in of_vendor() {
            let own = senders_of(days);
            if *other == site {
                senders = own.len();
            }
            all.extend(own);
        }
        Some(Breach::Second {
            beside,
            senders,
            of: all.len(),
            is_rare: self.policy.is_rare(senders, all.len()),
        })
    }

    fn finding(
        &self,
        view: &View<'_>,
        (day, workload): (Day, u32),
        site: &VendorSite,
        breaches: &[Breach<'_>],
        draft: Draft,
    ) -> Judged {
        let (payload, bound) = (draft.up().payload, self.policy.bounds.telemetry_day);
        let sent = human_bytes(payload);
        let measure = draft.measure(payload, bound);
        let mut why: Vec<Why> = breaches
            .iter()
            .map(|breach| {
                let text = format!(
                    "{sent} of payload to {site} on {day}: {}; the bound is {}",
                    breach.rule(),
                    human_bytes(bound)
                );
                Why {
                    expected: Some(0.0),
                    ..bounded(payload, bound, "bytes", text)
                }
            })
            .collect();
        why.extend(
            breaches
                .iter()
                .filter_map(|breach| breach.prevalence(&site.vendor)),
        );
        why.push(super::ledger::shape_reason(&measure));
        let severities = breaches.iter().map(Breach::severity);
        let is_second = breaches
            .iter()
            .all(|breach| matches!(breach, Breach::Second { .. }));
        let ending = match is_second {
            true => "beside the one in use",
            false => "against policy",
        };
        let who = view.workload(workload);
        let charge = Charge {
            family: Family::PolicyTelemetry,
            day,
            identity: &[&who.account_id, &who.unique_name(), &site.to_string()],
            title: format!("{sent} of payload to {site}, {ending}"),
            severity: severities.max().unwrap_or(Severity::Low),
            risk: measure.risk(),
            bits: None,
            attack: &["T1567", "T1048"],
            why,
            workload: Some(workload),
        };
        draft.finish(view, charge)
    }
}

/// Whether data of two sites goes to different places. A site or a customer that nothing tells may be any.
fn is_another(site: &VendorSite, other: &VendorSite) -> bool {
    let sites = site.site.as_ref().zip(other.site.as_ref());
    let is_place =
        site.product != other.product || sites.is_some_and(|(own, of_other)| own != of_other);
    let customers = site.customer.as_ref().zip(other.customer.as_ref());
    match customers {
        Some((own, of_other)) => own != of_other,
        None => is_place && site.customer.is_none() && other.customer.is_none(),
    }
}

impl Breach<'_> {
    fn rule(&self) -> String {
        match self {
            Self::Site => "it is none of the sites that policy allows".to_owned(),
            Self::Customer => "it is none of the customers that policy allows".to_owned(),
            Self::Country { is_denied: true } => {
                "it keeps data in a country that policy denies".to_owned()
            }
            Self::Country { is_denied: false } => {
                "it keeps data in none of the countries that policy allows".to_owned()
            }
            Self::Second { beside, .. } => format!("the account uses {beside}, or may"),
        }
    }

    /// Who moves to another site moves many; who takes data there moves one.
    fn prevalence(&self, vendor: &str) -> Option<Why> {
        let Self::Second { senders, of, .. } = self else {
            return None;
        };
        let text = format!(
            "{} of {} workloads of the account that send to {vendor} had sent to this one by then",
            human_count(*senders as u64),
            human_count(*of as u64)
        );
        Some(Why {
            observed: *senders as f64,
            unit: "workloads".to_owned(),
            text,
            ..Why::default()
        })
    }

    fn severity(&self) -> Severity {
        match self {
            Self::Country { is_denied: true } => Severity::High,
            Self::Site | Self::Customer | Self::Country { .. } => Severity::Medium,
            Self::Second { is_rare: true, .. } => Severity::Medium,
            Self::Second { .. } => Severity::Low,
        }
    }
}

#[cfg(test)]
mod tests;
