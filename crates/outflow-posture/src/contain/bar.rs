//! The bar above which containment may be automatic: e-BH.
//!
//! A finding that shuts a host off must be right whatever the others are, and tests of one network depend on each other. So
//! the selection is e-BH, which holds the false discovery rate under any dependence: an incident of rank `k` among `m`
//! tests passes if its e-value is `m / (q k)` at least. An e-value comes of a p-value by the calibrator
//! `e(p) = (1 − p + p ln p) / (p ln² p)`; a p-value of an incident is `2 · 2^(−b) / w`, where `b` is how rarely its family
//! told something as strong before, in bits, and `w` the share of the family in the budget (weighted Bonferroni, and twice
//! that for the second score that may be looked at).

use outflow_finding::{AUTOMATIC_RATE, Family, e_discoveries, e_needed, e_value, share};

use super::suspect::RunRead;

/// The false discovery rate that automatic containment keeps.
pub const SIGNIFICANCE: f64 = AUTOMATIC_RATE;

const DAY_SECS: i64 = 86_400;

/// Where an incident stands against the bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Its e-value.
    pub e: f64,
    /// The e-value that its rank has to reach.
    pub e_min: f64,
    /// Its rank among the incidents of the run, from 1 on.
    pub rank: usize,
    /// Tests: interface-days that the run judged.
    pub tests: u64,
}

/// Why automatic containment is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BarRefused {
    /// The incident is none of the run.
    #[error("there is no incident `{id}` in the run")]
    NoIncident {
        /// The id.
        id: String,
    },
    /// The file has no books, so that it is not known among how many it was found.
    #[error("the run does not say how many interfaces it judged, and over which time")]
    NoBooks,
    /// The run had no earlier days to rank the incident among.
    #[error(
        "the run does not say how rare incident `{id}` is (`rate_bits`): it had no earlier days to rank it among"
    )]
    NoRate {
        /// The id.
        id: String,
    },
    /// It is not rare enough.
    #[error(
        "incident `{id}` is below the bar of automatic containment: its e-value is {e:.3e}, and rank {rank} among {tests} \
         interface-days needs {e_min:.3e}"
    )]
    Below {
        /// The id.
        id: String,
        /// Its e-value.
        e: f64,
        /// What its rank needs.
        e_min: f64,
        /// Its rank.
        rank: usize,
        /// Tests.
        tests: u64,
    },
}

/// Whether an incident is above the bar of e-BH at [`SIGNIFICANCE`], and by which numbers.
///
/// # Errors
/// [`BarRefused`] if it is not, or if a number that says so is not there: then nothing may be automatic.
pub fn bar(run: &RunRead, id: &str) -> Result<Bar, BarRefused> {
    let refused = |rest: fn(String) -> BarRefused| rest(id.to_owned());
    let own = run.incidents.iter().find(|incident| incident.id == id);
    let own = own.ok_or_else(|| refused(|id| BarRefused::NoIncident { id }))?;
    let judged = run.judged.ok_or(BarRefused::NoBooks)?;
    let (Some(first), Some(last)) = (judged.first, judged.last) else {
        return Err(BarRefused::NoBooks);
    };
    let days = (last.secs() - first.secs()).div_euclid(DAY_SECS) + 1;
    let tests = judged.enis.saturating_mul(u64::try_from(days).unwrap_or(0));
    if tests == 0 {
        return Err(BarRefused::NoBooks);
    }
    let e_of = |bits: Option<f64>, family: Option<Family>| {
        let (bits, family) = (bits?, family?);
        Some(e_value(2.0 * (-bits).exp2() / share(family)))
    };
    let e = e_of(own.rate_bits, own.family);
    let e = e.ok_or_else(|| refused(|id| BarRefused::NoRate { id }))?;
    let others = run.incidents.iter();
    let mut all: Vec<f64> = others
        .filter_map(|of| e_of(of.rate_bits, of.family))
        .collect();
    all.sort_by(|a, b| b.total_cmp(a));
    let passed = e_discoveries(&all, tests, SIGNIFICANCE);
    let rank = all.iter().filter(|of| **of >= e).count().max(1);
    if rank <= passed {
        return Ok(Bar {
            e,
            e_min: e_needed(passed, tests, SIGNIFICANCE),
            rank,
            tests,
        });
    }
    Err(BarRefused::Below {
        id: id.to_owned(),
        e,
        e_min: e_needed(rank, tests, SIGNIFICANCE),
        rank,
        tests,
    })
}
