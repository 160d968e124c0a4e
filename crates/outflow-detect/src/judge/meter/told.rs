//! Findings of what names carried.

use outflow_enrich::InterfaceKey;
use outflow_finding::{
    DESTINATION_DOMAINS_MAX, Destination, Evidence, Family, Finding, FoundIn, Prevalence, Sender,
    Severity, Why, finding_id, human_bytes, human_count,
};
use outflow_record::Timestamp;

use super::buckets::Asked;
use super::information::Information;
use super::series::Crossing;
use super::shape::Shape;
use super::{Below, FAMILY, Judged};
use crate::judge::Rank;
use crate::judge::draft::{Attached, Sides, of_known, quoted, sender};
use crate::judge::severity::Measure;
use crate::policy::Policy;
use crate::queries::{ClientKey, NOT_DELEGATED, Queries, Zone};
use crate::time::{Day, Slot};
use crate::view::{Askers, View};

/// The query that every finding of names carries, with places to fill in.
const EVIDENCE_SQL: &str = include_str!("../../../../../queries/evidence_dns.sql");

/// Clients that a query lists. With more, it asks for all.
const CLIENTS_MAX: usize = 64;

/// Domains that a query lists, those that were told most first.
pub(super) const DOMAINS_MAX: usize = 64;

pub(super) const ATTACK: [&str; 2] = ["T1071.004", "T1048.003"];

/// What turns what was told into findings.
pub(super) struct Teller<'v> {
    view: &'v View<'v>,
    policy: &'v Policy,
    queries: &'v Queries,
    askers: Askers<'v>,
}

/// Who asked, as far as it is known.
#[derive(Debug, Default)]
struct Who {
    interface_id: Option<String>,
    workload: Option<String>,
    sender: Sender,
}

/// What a finding says.
pub(super) struct Telling<'t> {
    pub(super) family: Family,
    pub(super) attack: &'t [&'t str],
    pub(super) day: Day,
    pub(super) clients: &'t [u32],
    pub(super) identity: &'t str,
    pub(super) title: String,
    pub(super) why: Vec<Why>,
    pub(super) told: &'t Information,
    pub(super) bits: f64,
    pub(super) bound: u64,
    pub(super) rarity: Option<f64>,
    pub(super) severity: Severity,
    pub(super) destination: Destination,
    /// Domains, as names have them; `None` if they are not told apart.
    pub(super) domains: Option<Vec<&'t str>>,
}

impl<'v> Teller<'v> {
    pub(super) fn new(view: &'v View<'v>, policy: &'v Policy, queries: &'v Queries) -> Self {
        Self {
            view,
            policy,
            queries,
            askers: Askers::of(view),
        }
    }

    /// A client that told one domain more than it may.
    pub(super) fn client(
        &self,
        below: &Below<'_>,
        crossing: &Crossing,
        rarity: Option<f64>,
    ) -> Judged {
        let shape = Shape::of(&crossing.told);
        let place = place_of(below.zone);
        let mut why = Vec::new();
        let known = below.known.map(|known| known.reason);
        for crossed in &crossing.crossed {
            let text = format!(
                "{} of information in names below {place} {}; the bound is {}",
                in_bytes(crossed.bits),
                crossed.span.name(),
                in_bytes(crossed.bound as f64),
            );
            why.push(bits_why(crossed.bits, crossed.bound, text));
        }
        let gravest = crossing.crossed.first();
        let (bits, bound) = gravest.map_or((0.0, 1), |own| (own.bits, own.bound));
        why.push(made_of(&crossing.told));
        why.extend(known.map(|reason| Why {
            text: format!("a domain that may be told more ({reason}) is used as a channel, or its bound is too low"),
            unit: "bits".to_owned(),
            ..Why::default()
        }));
        why.push(prevalence(below));
        let severity = shape.severity(bits / bound.max(1) as f64);
        let looks = shape.looks();
        why.extend(shape.reasons);
        let span = gravest.map_or("", |own| own.span.name());
        let channel = if known.is_some() {
            "allow-listed domain used as a channel: "
        } else {
            ""
        };
        self.tell(Telling {
            family: FAMILY,
            attack: &ATTACK,
            day: crossing.day,
            clients: &[below.client],
            identity: &place,
            title: format!(
                "{channel}{} in names below {place} {span}, {looks}",
                in_bytes(bits)
            ),
            why,
            told: &crossing.told,
            bits,
            bound,
            rarity,
            severity,
            destination: Destination {
                prevalence: Some(Prevalence {
                    workloads: below.clients as u64,
                    of: below.all_clients as u64,
                }),
                ..destination(below.zone.into_iter())
            },
            domains: below.zone.map(|zone| vec![&*zone.domain]),
        })
    }

    /// A domain that many clients together told more than they may.
    pub(super) fn domain(
        &self,
        zone: &Zone,
        day: Day,
        told: &Information,
        clients: &[u32],
    ) -> Judged {
        let bound = self.policy.dns.domain_day_bits;
        let shape = Shape::of(told);
        let (bits, place) = (told.bits(), place_of(Some(zone)));
        let count = clients.len();
        let text = format!(
            "{} of information in names below {place} in a day, from {count} clients below their own bound; the bound is {}",
            in_bytes(bits),
            in_bytes(bound as f64),
        );
        let severity = shape.severity(bits / bound.max(1) as f64);
        let title = format!(
            "{} in names below {place} in a day from {count} clients, {}",
            in_bytes(bits),
            shape.looks()
        );
        let mut why = vec![bits_why(bits, bound, text), made_of(told)];
        why.extend(shape.reasons);
        self.tell(Telling {
            family: FAMILY,
            attack: &ATTACK,
            day,
            clients,
            identity: &format!("all clients {place}"),
            title,
            why,
            told,
            bits,
            bound,
            rarity: None,
            severity,
            destination: destination([zone].into_iter()),
            domains: Some(vec![&*zone.domain]),
        })
    }

    /// A bucket of S3 that policy does not allow.
    pub(super) fn bucket(&self, asked: &Asked<'_>) -> Judged {
        let Asked {
            bucket,
            service,
            sent,
            ..
        } = asked;
        let bound = self.policy.bounds.telemetry_day;
        let named = Why {
            observed: asked.told.counts.queries as f64,
            expected: Some(0.0),
            unit: "queries".to_owned(),
            text: format!(
                "the host of bucket {bucket} of {service} was asked for, which is none of those that policy allows"
            ),
            ..Why::default()
        };
        let volume = Why {
            observed: *sent as f64,
            bound: Some(bound as f64),
            unit: "bytes".to_owned(),
            text: format!(
                "{} of payload went from there to S3 on that day, to whichever bucket; the bound is {}",
                human_bytes(*sent),
                human_bytes(bound)
            ),
            ..Why::default()
        };
        let severity = match *sent >= bound {
            true => Severity::Medium,
            false => Severity::Low,
        };
        self.tell(Telling {
            family: Family::PolicyTelemetry,
            attack: &["T1567.002", "T1537"],
            day: asked.day,
            clients: &[asked.client],
            identity: &asked.zone.domain,
            title: format!("bucket {bucket} of {service} was asked for, against policy"),
            why: vec![named, volume],
            told: &asked.told,
            bits: *sent as f64 * 8.0,
            bound: bound.saturating_mul(8),
            rarity: None,
            severity,
            destination: destination([asked.zone].into_iter()),
            domains: Some(vec![&*asked.zone.domain]),
        })
    }

    /// The policy.
    pub(super) fn policy(&self) -> &'v Policy {
        self.policy
    }

    /// The interface of a client, if flow logs show one alone of its instance.
    pub(super) fn party(&self, client: u32) -> Option<u32> {
        let key = self.queries.clients.get(client);
        let party = self.askers.party(&key.account_id, &key.instance);
        party.filter(|_| !key.instance.is_empty())
    }

    /// The finding.
    pub(super) fn tell(&self, telling: Telling<'_>) -> Judged {
        let counts = telling.told.counts;
        let mut keys: Vec<&ClientKey> = telling
            .clients
            .iter()
            .map(|of| self.queries.clients.get(*of))
            .collect();
        keys.sort_unstable();
        let at = |secs: u32| Timestamp(i64::from(secs));
        let (first, last) = (at(counts.first), at(counts.last));
        let one = keys.first().filter(|_| keys.len() == 1);
        let who = one.map(|key| self.who(key, last)).unwrap_or_default();
        let agreed = |of: fn(&ClientKey) -> &str| {
            let mut all = keys.iter().map(|key| of(key));
            let first = all.next().filter(|text| !text.is_empty())?;
            all.all(|own| own == first).then(|| first.to_owned())
        };
        let bytes = |bits: f64| whole(bits / 8.0);
        let measure = Measure {
            observed: bytes(telling.bits),
            bound: (telling.bound / 8).max(1),
            up: bytes(telling.bits),
            down: counts.carried_bytes,
            bits: telling.rarity.unwrap_or_default(),
        };
        let day = telling.day.to_string();
        let mut identity = vec![telling.family.name(), &day, telling.identity];
        let name = one.map(|key| key.name());
        if let (Some(key), Some(name)) = (one, &name) {
            identity.extend([&*key.account_id, &*key.vpc_id, name]);
        }
        let risk = measure.risk().capped(telling.severity);
        let finding = Finding {
            id: finding_id(&identity),
            title: telling.title,
            severity: telling.severity,
            risk: risk.points(),
            risk_parts: risk.parts(),
            bits: telling.rarity,
            account_id: agreed(|key| &key.account_id),
            region: agreed(|key| &key.region),
            vpc_id: agreed(|key| &key.vpc_id),
            interface_id: who.interface_id,
            workload: who.workload,
            destination: telling.destination,
            first_seen: Some(first),
            last_seen: Some(last),
            bytes: counts.name_bytes,
            payload_bytes: bytes(telling.told.bits()),
            packets: counts.queries,
            flows: counts.queries,
            attack: telling.attack.iter().map(|id| (*id).to_owned()).collect(),
            why: telling.why,
            evidence: Evidence {
                sql: Some(sql(&keys, telling.domains.as_deref(), first, last)),
                ..Evidence::default()
            },
            sender: who.sender,
            found_in: FoundIn::Queries,
            ..Finding::new(telling.family)
        };
        let interfaces: Vec<InterfaceKey> = keys.iter().map(|key| key.evidence()).collect();
        Judged {
            day: telling.day,
            interfaces,
            finding,
            rank: Rank::default(),
            group: None,
            workload: None,
            sides: Sides::default(),
        }
    }

    /// The interface and workload of a client at a time: by the inventory, or by flow logs of its instance.
    fn who(&self, key: &ClientKey, at: Timestamp) -> Who {
        let party = self.askers.party(&key.account_id, &key.instance);
        if let Some(party) = party.filter(|_| !key.instance.is_empty()) {
            let id = &self.view.interface(party).key.interface.interface_id;
            return Who {
                interface_id: (!id.is_empty()).then(|| id.clone()),
                workload: self.view.workload_at(party, Slot::of(at.secs())),
                sender: sender(self.view, party, at),
            };
        }
        let inventory = self.view.inventory();
        let known = key
            .srcaddr
            .and_then(|addr| inventory.holder(&key.vpc_id, addr, at));
        let interface_id = known.as_ref().map(|known| known.value.interface_id.clone());
        let lineage = interface_id
            .as_ref()
            .and_then(|id| inventory.lineage(id, at));
        let lasting = lineage.filter(|lineage| lineage.is_lasting());
        let unknown = || match key.srcaddr {
            Some(addr) if key.instance.is_empty() => format!("{addr} in {}", key.vpc_id),
            _ => key.name(),
        };
        let instance = (!key.instance.is_empty()).then(|| key.instance.to_string());
        let instance = instance.or_else(|| known.as_ref()?.value.instance_id.clone());
        let named = lasting
            .map(|lineage| lineage.to_string())
            .or_else(|| instance.clone());
        let records = Attached {
            instance_id: instance,
            subnet_id: None,
        };
        Who {
            workload: Some(
                named
                    .or_else(|| interface_id.clone())
                    .unwrap_or_else(unknown),
            ),
            interface_id,
            sender: of_known(self.view, known, records, at),
        }
    }
}

/// A domain as people read it.
fn place_of(zone: Option<&Zone>) -> String {
    match zone {
        None => "domains that are no longer told apart".to_owned(),
        Some(zone) if *zone.domain == *NOT_DELEGATED => {
            "top-level domains that do not exist".to_owned()
        }
        Some(zone) if zone.is_expansion => format!("{} behind other names", zone.domain),
        Some(zone) => zone.domain.to_string(),
    }
}

pub(super) fn destination<'z>(zones: impl Iterator<Item = &'z Zone> + Clone) -> Destination {
    let domains = || zones.clone().filter(|zone| *zone.domain != *NOT_DELEGATED);
    let first = domains().next().map(|zone| zone.domain.to_string());
    Destination {
        group: first.clone(),
        domain: first,
        domains: domains()
            .take(DESTINATION_DOMAINS_MAX)
            .map(|zone| zone.domain.to_string())
            .collect(),
        domains_total: domains().count() as u64,
        ..Destination::default()
    }
}

/// Bits as bytes.
pub(super) fn in_bytes(bits: f64) -> String {
    human_bytes(whole(bits / 8.0))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative; what exceeds 64 bits becomes the largest number"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

pub(super) fn bits_why(bits: f64, bound: u64, text: String) -> Why {
    Why {
        observed: bits.round(),
        expected: None,
        bound: Some(bound as f64),
        unit: "bits".to_owned(),
        text,
    }
}

/// What the bits are made of, so that they can be added up again.
pub(super) fn made_of(told: &Information) -> Why {
    let names = told.names.max(1.0);
    let each = told.names_bits / names;
    let about = if told.is_estimate { "at most " } else { "" };
    let counts = &told.counts;
    Why {
        observed: told.bits().round(),
        expected: None,
        bound: None,
        unit: "bits".to_owned(),
        text: format!(
            "{about}{} bits: {} names of {each:.1} bits by a model of names that people give, and {} by what was asked \
             again and for which type; {} queries, {} of names",
            human_count(whole(told.bits())),
            human_count(whole(told.names)),
            human_count(whole(told.choice_bits)),
            human_count(counts.queries),
            human_bytes(counts.name_bytes),
        ),
    }
}

fn prevalence(below: &Below<'_>) -> Why {
    Why {
        observed: below.clients as f64,
        expected: None,
        bound: None,
        unit: "clients".to_owned(),
        text: format!(
            "{} of {} clients had asked below this domain by then",
            human_count(below.clients as u64),
            human_count(below.all_clients as u64)
        ),
    }
}

/// The query that returns the rows, from the table `dns` of a lake.
fn sql(keys: &[&ClientKey], domains: Option<&[&str]>, first: Timestamp, last: Timestamp) -> String {
    let client = |key: &&ClientKey| {
        let own = match key.srcaddr {
            _ if !key.instance.is_empty() => format!(" AND instance = {}", quoted(&key.instance)),
            Some(addr) => format!(" AND srcaddr = {}", quoted(&addr.to_string())),
            None => String::new(),
        };
        format!("vpc_id = {}{own}", quoted(&key.vpc_id))
    };
    let of_clients = match keys {
        [one] => format!("{} AND ", client(one)),
        _ if keys.len() > CLIENTS_MAX => String::new(),
        _ => {
            let all: Vec<String> = keys.iter().map(client).collect();
            format!("({}) AND ", all.join(" OR "))
        }
    };
    let below = |domain: &&str| {
        format!(
            "query_name = {} OR query_name LIKE {}",
            quoted(domain),
            quoted(&format!("%.{domain}"))
        )
    };
    let below = match domains {
        Some(domains) if !domains.contains(&NOT_DELEGATED) => {
            let all: Vec<String> = domains.iter().map(below).collect();
            format!(" AND ({})", all.join(" OR "))
        }
        _ => String::new(),
    };
    let instant = |at: Timestamp| {
        let text = at.to_string().replace('T', " ");
        text.trim_end_matches('Z').to_owned() + "+00:00"
    };
    // The end of the second, as times may have a fraction.
    let last = Timestamp(last.secs().saturating_add(1));
    let timed = EVIDENCE_SQL.trim_end().replace("{first}", &instant(first));
    let timed = timed.replace("{last}", &instant(last));
    // A hostile name may look like a place to fill in.
    let parts = timed.split("{of_clients}");
    let parts: Vec<String> = parts.map(|part| part.replace("{below}", &below)).collect();
    parts.join(&of_clients)
}
