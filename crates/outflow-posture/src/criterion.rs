//! What each level of maturity asks for.

use serde::Serialize;

use crate::finding::told;

/// Whether a criterion holds. What is unknown never counts as held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It does, and something shows it.
    Holds,
    /// It does not.
    Fails,
    /// What would tell is not there.
    Unknown,
}

/// Defines the criteria: variant, level, name in outputs and what it asks for.
macro_rules! criteria {
    ($($variant:ident $level:literal $name:literal $title:literal)*) => {
        /// What a level asks for. Names are part of the output and are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[expect(missing_docs, reason = "the title of each says what it asks for")]
        pub enum Criterion {
            $(#[serde(rename = $name)] $variant,)*
        }

        impl Criterion {
            /// Every criterion, in the order of levels.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The level that asks for it, 2 to 5.
            pub const fn level(self) -> u8 {
                match self { $(Self::$variant => $level,)* }
            }

            /// The name in outputs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it asks for.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

criteria! {
    EgressDocumented 2 "egress-documented" "Every open egress rule has a justification"
    DefaultGroupClosed 2 "default-group-closed" "The default security group is not open"
    FlowLogsEffective 2 "flow-logs-effective" "Flow logs are active, delivered, and include what was accepted"
    ServicesByEndpoint 3 "services-by-endpoint" "AWS services in use are reached through endpoints"
    NatFiltered 3 "nat-filtered" "What leaves for the internet passes a filter"
    ResolverUsed 3 "resolver-used" "Hosts ask the VPC's resolver and no other"
    Residency 3 "residency" "Telemetry and regions stay within the residency"
    DnsWatched 4 "dns-watched" "Queries to the resolver are logged"
    ThreatsWatched 4 "threats-watched" "GuardDuty is on, and no high finding is open"
    TrafficCovered 4 "traffic-covered" "The records cover the time, without gaps"
    AnomaliesAlerted 4 "anomalies-alerted" "Somebody is told of anomalies of egress"
    NoOpenEgress 5 "no-open-egress" "No security group has open egress, justified or not"
    EndpointsRestricted 5 "endpoints-restricted" "Policies of endpoints name whose resources they let reach"
    NoContradiction 5 "no-contradiction" "Traffic takes the endpoints that are there"
    AutoBlock 5 "auto-block" "DNS Firewall filters queries, and confirmed exfiltration is blocked by itself"
    Forensics 5 "forensics" "Flow logs have the fields of forensics, and AWS Config keeps the past"
}

/// A criterion, whether it holds, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// Which.
    pub criterion: Criterion,
    /// The level that asks for it.
    pub level: u8,
    /// What it asks for.
    pub title: &'static str,
    /// Whether it holds.
    pub state: State,
    /// What shows it; of one that fails, also what is unknown.
    pub evidence: Vec<String>,
}

/// What speaks for and against a criterion.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) holds: Vec<String>,
    pub(crate) fails: Vec<String>,
    pub(crate) unknown: Vec<String>,
}

impl Verdict {
    pub(crate) fn hold(&mut self, why: impl Into<String>) {
        self.holds.push(why.into());
    }

    pub(crate) fn fail(&mut self, why: impl Into<String>) {
        self.fails.push(why.into());
    }

    pub(crate) fn doubt(&mut self, why: impl Into<String>) {
        self.unknown.push(why.into());
    }

    /// The judgement: one reason against it fails it, and one doubt leaves it open.
    pub(crate) fn judged(self, criterion: Criterion) -> Judged {
        let (state, evidence) = if !self.fails.is_empty() {
            let doubts = self
                .unknown
                .into_iter()
                .map(|why| format!("unknown: {why}"));
            (State::Fails, self.fails.into_iter().chain(doubts).collect())
        } else if !self.unknown.is_empty() {
            (State::Unknown, self.unknown)
        } else if self.holds.is_empty() {
            (
                State::Unknown,
                vec!["nothing was there to look at".to_owned()],
            )
        } else {
            (State::Holds, self.holds)
        };
        Judged {
            criterion,
            level: criterion.level(),
            title: criterion.title(),
            state,
            evidence: told(evidence),
        }
    }
}

/// The level that criteria reach, and what is in the way of the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Maturity {
    /// 1 to 5: the highest of which all criteria hold, and those of all below.
    pub level: u8,
    /// The level if all that is unknown held.
    pub level_at_most: u8,
    /// All criteria, in the order of levels.
    pub criteria: Vec<Judged>,
}

impl Maturity {
    pub(crate) fn of(criteria: Vec<Judged>) -> Self {
        let reached = |stops: &dyn Fn(State) -> bool| {
            let missed = criteria.iter().filter(|judged| stops(judged.state));
            missed.map(|judged| judged.level - 1).min().unwrap_or(5)
        };
        Self {
            level: reached(&|state| state != State::Holds),
            level_at_most: reached(&|state| state == State::Fails),
            criteria,
        }
    }

    /// Joins those of parts: a criterion fails where one part's fails, and holds where all do. `others` says why there may be
    /// parts that are not known, of which nobody knows what holds.
    pub(crate) fn joined<'m>(
        parts: impl Iterator<Item = (&'m str, &'m Self)> + Clone,
        others: Option<&str>,
    ) -> Self {
        let criteria = Criterion::ALL.iter().map(|criterion| {
            let mut verdict = Verdict::default();
            if let Some(why) = others {
                verdict.doubt(why);
            }
            for (name, part) in parts.clone() {
                let own = part
                    .criteria
                    .iter()
                    .filter(|own| own.criterion == *criterion);
                for judged in own {
                    let why = judged.evidence.first().map_or("", String::as_str);
                    let why = format!("{name}: {why}");
                    match judged.state {
                        State::Holds => verdict.hold(why),
                        State::Fails => verdict.fail(why),
                        State::Unknown => verdict.doubt(why),
                    }
                }
            }
            verdict.judged(*criterion)
        });
        Self::of(criteria.collect())
    }
}
