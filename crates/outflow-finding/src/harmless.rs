//! Which harmless explanations were tested for a finding, and against which past of its sender.

use std::sync::Arc;

use serde::Serialize;

/// A harmless explanation that was tested, and how it came out. A finding is told although one holds: they say of how much
/// it is not the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// What might explain it.
    pub explanation: Harmless,
    /// Whether it does.
    pub outcome: Held,
    /// The figures that decided, in a sentence.
    pub text: String,
}

impl Tested {
    /// An explanation, how it came out, and by what.
    pub const fn new(explanation: Harmless, outcome: Held, text: String) -> Self {
        Self {
            explanation,
            outcome,
            text,
        }
    }
}

/// A harmless explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harmless {
    /// The workload sends as much on some days anyway.
    OwnHistory,
    /// It does so on this day of the week.
    Weekday,
    /// Other workloads send to the destination, too.
    Peers,
    /// Several workloads began to send there on the same day, as when something is rolled out.
    Rollout,
    /// Bytes were fetched, of which what went out is the other half.
    Fetched,
    /// Policy allows a part of it.
    Allowance,
    /// The destination is a service of AWS or of a known vendor.
    KnownService,
    /// Somebody answers for it.
    Suppression,
}

impl Harmless {
    /// The name in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OwnHistory => "own-history",
            Self::Weekday => "weekday",
            Self::Peers => "peers",
            Self::Rollout => "rollout",
            Self::Fetched => "fetched",
            Self::Allowance => "allowance",
            Self::KnownService => "known-service",
            Self::Suppression => "suppression",
        }
    }
}

/// How an explanation came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// It explains what it is about.
    Holds,
    /// It explains a part, or what is needed to explain all is not known.
    Partly,
    /// It explains nothing.
    Rejected,
    /// Too little is known to test it.
    Unknown,
}

impl Held {
    /// The name in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Partly => "partly",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

/// What a workload sent outside a day, on the days on which it did, before those of a finding: payload that it chose to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct History {
    /// Unit of the three values: `bytes a day`.
    pub unit: &'static str,
    /// Days before the first packet of the finding on which it sent something.
    pub days: u64,
    /// Their median; of an even number the lower one.
    pub median: u64,
    /// The least that ninety-nine of a hundred of them do not exceed; of fewer than a hundred, the greatest.
    pub p99: u64,
    /// The greatest day of the finding, all that the workload sent outside included.
    pub observed: u64,
}

impl History {
    /// That of days with such payloads, in any order; nothing, if there are none.
    ///
    /// ```
    /// use outflow_finding::History;
    /// let own = History::of(vec![30, 10, 20, 90], 500).unwrap();
    /// assert_eq!((own.days, own.median, own.p99, own.observed), (4, 20, 90, 500));
    /// assert_eq!(History::of(Vec::new(), 500), None);
    /// ```
    pub fn of(mut payloads: Vec<u64>, observed: u64) -> Option<Self> {
        payloads.sort_unstable();
        let last = payloads.len().checked_sub(1)?;
        Some(Self {
            unit: "bytes a day",
            days: payloads.len() as u64,
            median: payloads[last / 2],
            p99: payloads[(payloads.len() * 99).div_ceil(100) - 1],
            observed,
        })
    }
}

/// The records whose sums were judged. With [`crate::Parameters`], the time that was asked for and what was
/// known from elsewhere, they decide all findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JudgedState {
    /// Objects with records that counted.
    pub objects: u64,
    /// These records.
    pub rows: u64,
    /// SHA-256 of how many rows counted of which object, by the digests of these (or their names, where they have none), free of
    /// order; in lower-case hex.
    pub sha256: Arc<str>,
}
