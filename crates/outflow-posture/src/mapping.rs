//! Which evidence of a report serves which clause of which rules, and what it does not claim.
//!
//! A report tells how a network is configured and what it sends. Clauses ask for more: for a process, a contract, a person who
//! decides. So each clause of the table says also what our evidence is silent about, and no clause is ever said to be fulfilled.

use std::fmt::{self, Write};

use serde::Serialize;

use crate::criterion::{Criterion, State};
use crate::render::md;
use crate::report::Report;

/// Rules that a clause is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Framework {
    /// The General Data Protection Regulation of the European Union.
    Gdpr,
    /// The Cloud Computing Compliance Criteria Catalogue of the BSI, of 2020.
    BsiC5,
    /// Annex A of ISO/IEC 27001:2022.
    Iso27001,
}

impl Framework {
    /// All of them, in the order of a page.
    pub const ALL: [Self; 3] = [Self::Gdpr, Self::BsiC5, Self::Iso27001];

    /// The name in pages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gdpr => "GDPR",
            Self::BsiC5 => "BSI C5:2020",
            Self::Iso27001 => "ISO/IEC 27001:2022, Annex A",
        }
    }

    /// Whom it addresses, and what a report of a network can therefore be to it.
    pub const fn addresses(self) -> &'static str {
        match self {
            Self::Gdpr => {
                "It addresses whoever controls or processes personal data; whether any of what leaves is such data, no flow log tells."
            }
            Self::BsiC5 => {
                "It addresses providers of cloud services and is examined by auditors, at the provider; the evidence is of the \
                 network that one runs on AWS, and not of AWS's own."
            }
            Self::Iso27001 => {
                "It addresses an organisation that manages its security, and asks for a control where its own assessment of risk does."
            }
        }
    }
}

/// A clause, and what of ours serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Clause {
    /// Whose it is.
    pub framework: Framework,
    /// Its number.
    pub id: &'static str,
    /// What it is about, in our words.
    pub about: &'static str,
    /// The criteria whose evidence serves it.
    pub criteria: &'static [Criterion],
    /// What that evidence shows.
    pub shows: &'static str,
    /// What it does not claim.
    pub silent_on: &'static str,
}

use Criterion as C;

/// All clauses that evidence of ours serves.
pub const CLAUSES: &[Clause] = &[
    Clause {
        framework: Framework::Gdpr,
        id: "Art. 32(1)(b)",
        about: "lasting confidentiality of the systems that process personal data",
        criteria: &[
            C::EgressDocumented,
            C::DefaultGroupClosed,
            C::NoOpenEgress,
            C::NatFiltered,
            C::ServicesByEndpoint,
            C::EndpointsRestricted,
            C::AutoBlock,
        ],
        shows: "which ways out of the network are open, filtered or restricted, and which of them carry traffic",
        silent_on: "encryption, access to data, whether the measures suit the risk, and whether any of the data is personal",
    },
    Clause {
        framework: Framework::Gdpr,
        id: "Art. 32(1)(d)",
        about: "regular testing of whether the measures work",
        criteria: &[
            C::FlowLogsEffective,
            C::TrafficCovered,
            C::NoContradiction,
            C::AnomaliesAlerted,
        ],
        shows: "a dated comparison of configuration with traffic, and the share of the time that was watched",
        silent_on: "that the comparison is repeated, who reads it, and measures other than those of the network",
    },
    Clause {
        framework: Framework::Gdpr,
        id: "Art. 32(2)",
        about: "risks of disclosure and of loss in transit, when the level of security is set",
        criteria: &[C::ThreatsWatched, C::DnsWatched, C::ResolverUsed],
        shows: "open high findings of GuardDuty, and ways by which data can leave in names",
        silent_on: "the assessment of the risk itself",
    },
    Clause {
        framework: Framework::Gdpr,
        id: "Art. 44",
        about: "transfers to third countries only under the conditions of the chapter",
        criteria: &[C::Residency],
        shows: "telemetry and regions of AWS outside of the residency that the owner names, with bytes",
        silent_on: "every other transfer, onward transfers, access from abroad without traffic, and whether bytes are personal data",
    },
    Clause {
        framework: Framework::Gdpr,
        id: "Art. 45",
        about: "transfers to countries with an adequacy decision",
        criteria: &[C::Residency],
        shows: "to which countries vendors of telemetry that are known took it",
        silent_on: "whether a decision covers the country and the recipient on the day: the owner's list is taken as given",
    },
    Clause {
        framework: Framework::Gdpr,
        id: "Art. 46",
        about: "transfers under safeguards, such as standard clauses",
        criteria: &[C::Residency, C::EndpointsRestricted],
        shows: "which destinations would need such safeguards, and whether endpoints let data reach accounts of others",
        silent_on: "contracts: whether safeguards are agreed, and enforceable, cannot be seen in traffic",
    },
    Clause {
        framework: Framework::BsiC5,
        id: "COS-01",
        about: "technical safeguards against attacks on the network",
        criteria: &[
            C::ThreatsWatched,
            C::AnomaliesAlerted,
            C::AutoBlock,
            C::ResolverUsed,
        ],
        shows: "whether detection is on, and whether what it confirms is blocked",
        silent_on: "inbound attacks, and the provider's own network",
    },
    Clause {
        framework: Framework::BsiC5,
        id: "COS-02",
        about: "requirements for connections, and which of them are allowed",
        criteria: &[C::EgressDocumented, C::DefaultGroupClosed, C::NoOpenEgress],
        shows: "each open egress rule, with its justification, owner and end",
        silent_on: "ingress, and whether a justification is a good one",
    },
    Clause {
        framework: Framework::BsiC5,
        id: "COS-03",
        about: "monitoring of connections",
        criteria: &[
            C::FlowLogsEffective,
            C::TrafficCovered,
            C::DnsWatched,
            C::Forensics,
            C::NoContradiction,
        ],
        shows: "which interfaces are logged, with which fields and gaps",
        silent_on: "contents of connections, and traffic that no flow log shows, such as that to the resolver of AWS",
    },
    Clause {
        framework: Framework::BsiC5,
        id: "COS-04",
        about: "access across networks through gateways that are controlled",
        criteria: &[
            C::NatFiltered,
            C::ServicesByEndpoint,
            C::EndpointsRestricted,
        ],
        shows: "which way bytes leave each VPC, and whether a firewall or a policy is on it",
        silent_on: "an assessment of what is reached, and the rules of firewalls that are no Network Firewalls",
    },
    Clause {
        framework: Framework::BsiC5,
        id: "PSS-12",
        about: "locations of processing and storage that the customer can choose",
        criteria: &[C::Residency],
        shows: "regions of AWS that traffic reaches outside of the owner's list",
        silent_on: "where a provider keeps data at rest, copies and backups",
    },
    Clause {
        framework: Framework::Iso27001,
        id: "A.8.20",
        about: "security of networks and network devices",
        criteria: &[
            C::EgressDocumented,
            C::NoOpenEgress,
            C::FlowLogsEffective,
            C::TrafficCovered,
            C::Forensics,
            C::ThreatsWatched,
            C::AnomaliesAlerted,
        ],
        shows: "egress rules with their reasons, and what is logged of what passes them",
        silent_on: "responsibilities, hardening of devices, and ingress",
    },
    Clause {
        framework: Framework::Iso27001,
        id: "A.8.21",
        about: "security of network services",
        criteria: &[
            C::ServicesByEndpoint,
            C::EndpointsRestricted,
            C::ResolverUsed,
            C::DnsWatched,
            C::NoContradiction,
        ],
        shows: "how services of AWS and names are reached, and whether that is restricted and logged",
        silent_on: "agreements on the level of service, and services that are not used",
    },
    Clause {
        framework: Framework::Iso27001,
        id: "A.8.22",
        about: "segregation of networks",
        criteria: &[C::DefaultGroupClosed, C::NoOpenEgress, C::NatFiltered],
        shows: "whether groups separate hosts from the outside, and whether a filter is between",
        silent_on: "segregation of workloads from each other within a VPC",
    },
];

/// Criteria whose evidence serves no clause of the table, and why. There are none now; who adds a criterion puts it here or
/// into a clause.
pub const SERVES_NO_CLAUSE: &[(Criterion, &str)] = &[];

/// What of a clause's criteria an account shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) holds: usize,
    pub(crate) fails: usize,
    pub(crate) unknown: usize,
}

impl Report {
    /// The control mapping as a page in Markdown: by framework and clause, the evidence of this report and what it does not
    /// claim.
    pub fn to_mapping(&self) -> String {
        let mut out = String::new();
        // Writing to a text does not fail.
        let _ = self.mapping(&mut out);
        out
    }

    fn mapping(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "# Egress posture: control mapping\n")?;
        writeln!(
            out,
            "As of {}. Which evidence of the report serves which clause. Evidence that serves a clause does not fulfil it: what \
             it is silent about is said of each.\n",
            self.at
        )?;
        if self.accounts.is_empty() {
            writeln!(out, "No account is known, so that there is no evidence.\n")?;
        }
        for framework in Framework::ALL {
            writeln!(out, "## {}\n", framework.name())?;
            writeln!(out, "{}\n", framework.addresses())?;
            for clause in CLAUSES
                .iter()
                .filter(|clause| clause.framework == framework)
            {
                self.clause(out, clause)?;
            }
        }
        for (criterion, why) in SERVES_NO_CLAUSE {
            writeln!(out, "`{}` serves no clause: {why}.\n", criterion.name())?;
        }
        Ok(())
    }

    fn clause(&self, out: &mut String, clause: &Clause) -> fmt::Result {
        writeln!(out, "### {}: {}\n", clause.id, clause.about)?;
        writeln!(out, "- Shows: {}.", clause.shows)?;
        writeln!(out, "- Does not claim: {}.\n", clause.silent_on)?;
        if self.accounts.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "| account | criterion | state | evidence |\n|---|---|---|---|"
        )?;
        for account in &self.accounts {
            let own = account.maturity.criteria.iter();
            for judged in own.filter(|judged| clause.criteria.contains(&judged.criterion)) {
                let state = match judged.state {
                    State::Holds => "holds",
                    State::Fails => "**fails**",
                    State::Unknown => "unknown",
                };
                let id = match account.account_id.as_str() {
                    "" => "unknown",
                    id => id,
                };
                let first = judged.evidence.first().map_or("", String::as_str);
                writeln!(
                    out,
                    "| {} | {} (`{}`) | {state} | {} |",
                    md(id),
                    judged.title,
                    judged.criterion.name(),
                    md(first)
                )?;
            }
        }
        writeln!(out)
    }

    /// How many of a clause's criteria hold, over all accounts.
    pub(crate) fn tally(&self, clause: &Clause) -> Tally {
        let mut tally = Tally::default();
        let judged = self.accounts.iter().flat_map(|of| &of.maturity.criteria);
        for judged in judged.filter(|judged| clause.criteria.contains(&judged.criterion)) {
            match judged.state {
                State::Holds => tally.holds += 1,
                State::Fails => tally.fails += 1,
                State::Unknown => tally.unknown += 1,
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_criterion_serves_a_clause_or_is_said_to_serve_none() {
        let serving: BTreeSet<Criterion> =
            CLAUSES.iter().flat_map(|of| of.criteria).copied().collect();
        let none: BTreeSet<Criterion> = SERVES_NO_CLAUSE.iter().map(|(of, _)| *of).collect();
        for criterion in Criterion::ALL {
            let (serves, is_none) = (serving.contains(criterion), none.contains(criterion));
            assert!(serves != is_none, "{}", criterion.name());
        }
    }

    #[test]
    fn every_clause_says_what_it_does_not_claim() {
        let mut ids = BTreeSet::new();
        for clause in CLAUSES {
            assert!(
                ids.insert((clause.framework, clause.id)),
                "{} is there twice",
                clause.id
            );
            assert!(
                !clause.criteria.is_empty() && !clause.shows.is_empty(),
                "{}",
                clause.id
            );
            assert!(clause.silent_on.len() > 20, "{}", clause.id);
            let own: BTreeSet<&Criterion> = clause.criteria.iter().collect();
            assert_eq!(own.len(), clause.criteria.len(), "{}", clause.id);
        }
        let ids: Vec<&str> = CLAUSES.iter().map(|clause| clause.id).collect();
        for asked in [
            "Art. 32(1)(b)",
            "Art. 44",
            "Art. 45",
            "Art. 46",
            "COS-03",
            "A.8.20",
            "A.8.21",
            "A.8.22",
        ] {
            assert!(ids.contains(&asked), "{asked}");
        }
    }
}
