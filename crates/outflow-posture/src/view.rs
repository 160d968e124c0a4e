//! A VPC with all that is known of it: what a check looks at.

use std::collections::{BTreeMap, BTreeSet};

use outflow_enrich::KnownDestinations;
use outflow_enrich::inventory::{Place, Timeline, Vpc};
use outflow_finding::{Blind, InterfaceCoverage};
use outflow_record::Timestamp;

use crate::criterion::{Criterion, Judged, Verdict};
use crate::finding::{Cost, Draft, PostureFinding, told};
use crate::network::{Network, present};
use crate::render::counted;
use crate::traffic::{Covered, Entry, Key, Traffic};
use crate::{GuardDuty, Policy};

/// Bytes of a gigabyte in AWS's prices.
const GB: f64 = 1_073_741_824.0;

/// What all checks may look at.
pub(crate) struct Context<'a> {
    pub(crate) network: Network<'a>,
    pub(crate) traffic: Option<&'a Traffic>,
    pub(crate) guardduty: Option<&'a GuardDuty>,
    pub(crate) known: &'a KnownDestinations,
    pub(crate) policy: &'a Policy,
}

/// A VPC, its traffic and what the logs cover of it.
pub(crate) struct View<'a> {
    pub(crate) vpc_id: &'a str,
    pub(crate) account_id: &'a str,
    pub(crate) region: &'a str,
    /// Where it was listed; `None` if traffic alone tells of it.
    pub(crate) place: Option<&'a Place>,
    /// What interfaces of hosts sent, without what gateways only passed on.
    pub(crate) entries: Vec<(&'a Key, &'a Entry)>,
    covered: BTreeMap<&'a str, &'a Covered>,
}

/// What the checks of a VPC say.
#[derive(Default)]
pub(crate) struct Out {
    pub(crate) findings: Vec<Draft>,
    pub(crate) criteria: Vec<Judged>,
}

impl Out {
    pub(crate) fn judge(&mut self, criterion: Criterion, verdict: Verdict) {
        self.criteria.push(verdict.judged(criterion));
    }
}

/// All VPCs of inventory and traffic.
pub(crate) fn views<'a>(context: &Context<'a>) -> Vec<View<'a>> {
    let mut views: BTreeMap<&str, View<'a>> = BTreeMap::new();
    let vpcs = present(&context.network.inventory.vpcs, context.network.at);
    for (vpc_id, vpc, place) in vpcs {
        views.insert(vpc_id, View::of(vpc_id, vpc, place));
    }
    let Some(traffic) = context.traffic else {
        return views.into_values().collect();
    };
    for (key, entry) in traffic.entries() {
        let view = views
            .entry(&key.vpc_id)
            .or_insert_with(|| View::unlisted(key));
        if !context.network.passes_on(&key.interface_id) {
            view.entries.push((key, entry));
        }
    }
    for (vpc_id, view) in &mut views {
        if view.region.is_empty() {
            view.region = traffic.region_of(vpc_id).unwrap_or_default();
        }
    }
    for (vpc_id, interface_id, covered) in traffic.covered() {
        if let Some(view) = views.get_mut(vpc_id) {
            view.covered.insert(interface_id, covered);
        }
    }
    views.into_values().collect()
}

impl<'a> View<'a> {
    fn of(vpc_id: &'a str, vpc: &'a Vpc, place: &'a Place) -> Self {
        // A VPC that is shared is listed by its users, too: what is wrong with it is its owner's.
        let account_id = match vpc.owner_id.as_str() {
            "" => &place.account_id,
            owner => owner,
        };
        Self {
            vpc_id,
            account_id,
            region: &place.region,
            place: Some(place),
            entries: Vec::new(),
            covered: BTreeMap::new(),
        }
    }

    fn unlisted(key: &'a Key) -> Self {
        Self {
            vpc_id: &key.vpc_id,
            account_id: &key.account_id,
            region: "",
            place: None,
            entries: Vec::new(),
            covered: BTreeMap::new(),
        }
    }

    /// Whether all resources of a kind are known where the VPC is.
    pub(crate) fn is_listed<T>(&self, timeline: &Timeline<T>, at: Timestamp) -> bool {
        self.place
            .is_some_and(|place| timeline.is_listed(place, at))
    }

    /// Whether it is known that no interface is in the VPC: nothing can leave it.
    pub(crate) fn is_empty(&self, context: &Context<'_>) -> bool {
        let listed = self.is_listed(&context.network.inventory.interfaces, context.network.at);
        let none = context.network.interfaces_of(self.vpc_id).is_empty();
        listed && none && self.entries.is_empty()
    }

    /// Whether the logs of any interface are known to cover anything.
    pub(crate) fn has_coverage(&self) -> bool {
        !self.covered.is_empty()
    }

    /// What logs of interfaces cover.
    pub(crate) fn covered(&self) -> impl Iterator<Item = (&'a str, &'a Covered)> {
        self.covered.iter().map(|(id, covered)| (*id, *covered))
    }

    /// Why what traffic does not show may be there all the same; nothing if it does show all.
    pub(crate) fn gaps(&self, context: &Context<'_>) -> Vec<String> {
        let mut gaps = Vec::new();
        let Some(traffic) = context.traffic else {
            return vec!["no traffic was given".to_owned()];
        };
        if self.is_empty(context) {
            return gaps;
        }
        if !self.has_coverage() {
            let what = match self.entries.is_empty() {
                true => "no record of this VPC is among the traffic",
                false => "what the logs cover was not given",
            };
            gaps.push(what.to_owned());
        }
        // Those under empty names may be of any VPC.
        let own = traffic.beyond_of(self.account_id, self.vpc_id).rows;
        let beyond = own.saturating_add(traffic.beyond_of("", "").rows);
        if beyond > 0 {
            gaps.push(format!("{beyond} rows found no room among the traffic"));
        }
        gaps.extend(self.blind_spots(context));
        let inventory = &context.network.inventory;
        if !self.is_listed(&inventory.interfaces, context.network.at) {
            gaps.push("interfaces were not listed, and others may have no records".to_owned());
        }
        let silent = self.silent(context);
        if self.has_coverage() && !silent.is_empty() {
            let first = silent
                .iter()
                .take(3)
                .copied()
                .collect::<Vec<_>>()
                .join(", ");
            gaps.push(format!(
                "without any record: {}, {first} among them",
                counted(silent.len(), "interface")
            ));
        }
        gaps
    }

    /// What the records themselves say of what they lack.
    pub(crate) fn blind_spots(&self, context: &Context<'_>) -> Vec<String> {
        let mut blind: BTreeMap<Blind, Vec<&str>> = BTreeMap::new();
        let (mut covered, mut expected) = (0, 0);
        for (id, own) in self.covered() {
            covered += own.minutes.covered();
            expected += own.minutes.expected();
            let coverage = InterfaceCoverage {
                minutes: own.minutes,
                rows: own.rows,
                ..InterfaceCoverage::default()
            };
            for reason in coverage.blind() {
                // An interface that came or went is no gap.
                if reason != Blind::Short {
                    blind.entry(reason).or_default().push(id);
                }
            }
        }
        let reasons = blind.into_iter().map(|(reason, ids)| {
            let what = match reason {
                Blind::NoValues => "records lack addresses, times or bytes",
                Blind::RejectOnly => "all records are REJECT",
                Blind::Missing => "minutes are missing",
                Blind::SkipData => "records were skipped (SKIPDATA)",
                Blind::Short => "the log is short",
            };
            format!(
                "{what} at {} of {}, {} among them",
                ids.len(),
                counted(self.covered.len(), "interface"),
                ids[0]
            )
        });
        let mut reasons: Vec<String> = reasons.collect();
        let min = context.policy.covered_percent_min;
        if covered * 100 < expected * min {
            let percent = covered * 100 / expected.max(1);
            reasons.push(format!(
                "records cover {percent} % of the minutes, less than {min} %"
            ));
        }
        reasons
    }

    /// Interfaces of the inventory of which there are no records.
    pub(crate) fn silent(&self, context: &Context<'a>) -> BTreeSet<&'a str> {
        let of_vpc = context.network.interfaces_of(self.vpc_id).iter();
        let logged: BTreeSet<&str> = self
            .entries
            .iter()
            .map(|(key, _)| &*key.interface_id)
            .collect();
        of_vpc
            .filter(|interface| !interface.passes_on())
            .map(|interface| interface.interface_id.as_str())
            .filter(|id| !self.covered.contains_key(id) && !logged.contains(id))
            .collect()
    }

    /// First and last second of the traffic.
    pub(crate) fn window(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.entries.iter().map(|(_, entry)| entry.first_at).min()?;
        let last = self.entries.iter().map(|(_, entry)| entry.last_at).max()?;
        Some((first, last))
    }

    /// What bytes cost by a price of a gigabyte.
    pub(crate) fn cost(&self, context: &Context<'_>, bytes: u64, price: Price) -> Option<Cost> {
        let prices = context.policy.prices.as_ref()?;
        let (first, last) = self.window()?;
        let price = match price {
            Price::Nat => prices.nat_gb,
            Price::NatOverEndpoint => (prices.nat_gb - prices.endpoint_gb).max(0.0),
        };
        let amount = bytes as f64 / GB * price;
        let secs = last.secs() - first.secs();
        let monthly = (secs >= 86_400).then(|| amount * 30.0 * 86_400.0 / secs as f64);
        Some(Cost {
            currency: prices.currency.clone(),
            amount: cents(amount),
            monthly: monthly.map(cents),
        })
    }

    /// A finding about this VPC.
    pub(crate) fn finding(&self, draft: Draft) -> PostureFinding {
        let mut id = format!("{}:{}", draft.check.name(), draft.resource);
        if !draft.detail.is_empty() {
            id = format!("{id}:{}", draft.detail);
        }
        PostureFinding {
            id,
            check: draft.check,
            severity: draft.severity,
            account_id: self.account_id.to_owned(),
            region: self.region.to_owned(),
            vpc_id: Some(self.vpc_id.to_owned()),
            resource: draft.resource,
            summary: draft.summary,
            evidence: told(draft.evidence),
            bytes: draft.bytes,
            cost: draft.cost,
            remedy: draft.check.remedy(),
        }
    }
}

/// Which price bytes are reckoned by.
#[derive(Clone, Copy)]
pub(crate) enum Price {
    /// What the NAT gateway takes.
    Nat,
    /// What it takes beyond what an interface endpoint would.
    NatOverEndpoint,
}

/// An amount to the hundredth.
fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}
