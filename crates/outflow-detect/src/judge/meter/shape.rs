//! What names look like: like data, or like names that are many.

use outflow_finding::{Severity, Why};

use super::information::Information;

/// Bits that a name carries on average from which on it is like data: eight bytes, three times what a name that people
/// gave has.
const NAME_BITS_MIN: f64 = 64.0;

/// Bytes below the domain from which on a name is long.
const NAME_BYTES_MIN: f64 = 40.0;

/// Queries for a name on average, up to which names are asked for once: for both kinds of addresses, and a few again.
const QUERIES_MAX: f64 = 2.5;

/// Names from which on it says something that each is asked for once.
const NAMES_MIN: f64 = 32.0;

/// The share of types whose answers can carry data, from which on they are no exception.
const ODD_MIN: f64 = 0.5;

/// The share of names that do not exist, likewise.
const NXDOMAIN_MIN: f64 = 0.5;

/// Bytes of such an answer on average that are more than a record of mail or a verification has.
const CARRIED_MIN: f64 = 48.0;

/// What speaks for data.
#[derive(Debug)]
pub(super) struct Shape {
    is_dense: bool,
    is_unique: bool,
    pub(super) reasons: Vec<Why>,
}

/// What speaks for data if it is at least, or at most, so much.
struct Sign {
    holds: bool,
    observed: f64,
    bound: f64,
    unit: &'static str,
    text: String,
}

impl Shape {
    pub(super) fn of(told: &Information) -> Self {
        let names = names(told);
        let is_dense = names[..2].iter().any(|sign| sign.holds);
        let is_unique = names[2].holds;
        let all = names.into_iter().chain(types(told));
        let reasons = all.filter(|sign| sign.holds).map(|sign| Why {
            observed: round(sign.observed),
            expected: None,
            bound: Some(sign.bound),
            unit: sign.unit.to_owned(),
            text: sign.text,
        });
        Self {
            is_dense,
            is_unique,
            reasons: reasons.collect(),
        }
    }

    /// Whether names are like data.
    pub(super) fn is_dense(&self) -> bool {
        self.is_dense
    }

    /// How grave so many times the bound is. Names as people give them may be many, above all if they are asked for
    /// again and again: that is told, and no alarm.
    pub(super) fn severity(&self, times: f64) -> Severity {
        match (self.is_dense, self.reasons.len()) {
            (true, 2..) if times >= 100.0 => Severity::Critical,
            (true, 2..) => Severity::High,
            (true, _) => Severity::Medium,
            (false, _) if self.is_unique => Severity::Medium,
            (false, _) => Severity::Low,
        }
    }

    /// In words.
    pub(super) fn looks(&self) -> &'static str {
        match (self.is_dense, self.is_unique) {
            (true, _) => "shaped like data",
            (false, true) => "each asked for once",
            (false, false) => "as people give them",
        }
    }
}

/// What names carry, how long they are, and how often they are used.
fn names(told: &Information) -> [Sign; 3] {
    let queries = told.counts.queries.max(1) as f64;
    let names = told.names.max(1.0);
    let each = told.names_bits / names;
    let long = told.counts.below_bytes as f64 / queries;
    let repeats = queries / names;
    [
        Sign {
            holds: each >= NAME_BITS_MIN,
            observed: each,
            bound: NAME_BITS_MIN,
            unit: "bits",
            text: format!(
                "a name carries {each:.0} bits on average; one that people gave has about 20 to 40"
            ),
        },
        Sign {
            holds: long >= NAME_BYTES_MIN,
            observed: long,
            bound: NAME_BYTES_MIN,
            unit: "bytes",
            text: format!("names have {long:.0} characters below the domain on average"),
        },
        Sign {
            holds: repeats <= QUERIES_MAX && told.names >= NAMES_MIN,
            observed: repeats,
            bound: QUERIES_MAX,
            unit: "queries",
            text: format!(
                "each name is asked for {repeats:.1} times on average: names are hardly used again"
            ),
        },
    ]
}

/// What was asked for, and what came back.
fn types(told: &Information) -> [Sign; 3] {
    let counts = &told.counts;
    let queries = counts.queries.max(1) as f64;
    let odd = counts.odd as f64 / queries;
    let missing = counts.nxdomain as f64 / queries;
    let carried = counts.carried_bytes as f64 / counts.odd.max(1) as f64;
    [
        Sign {
            holds: odd >= ODD_MIN,
            observed: odd,
            bound: ODD_MIN,
            unit: "share",
            text: format!(
                "{:.0} % of queries are for types whose answers hold anything (TXT, NULL, CNAME, MX, …)",
                odd * 100.0
            ),
        },
        Sign {
            holds: missing >= NXDOMAIN_MIN,
            observed: missing,
            bound: NXDOMAIN_MIN,
            unit: "share",
            text: format!(
                "{:.0} % of queries are for names that do not exist: asking for them can only tell",
                missing * 100.0
            ),
        },
        Sign {
            holds: counts.odd > 0 && carried >= CARRIED_MIN,
            observed: carried,
            bound: CARRIED_MIN,
            unit: "bytes",
            text: format!(
                "answers of these types have {carried:.0} bytes on average, so data may come back as well"
            ),
        },
    ]
}

/// Hundredths are more than averages tell.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
