//! The difference between two judgements, as JSON lines.

use std::io::{self, Write};

use serde::Serialize;

use super::{FindingLine, finding_line, number_or_null, write_line};
use crate::{Change, Comparison, Severity, Sums};

/// Writes a line of `"type":"change"` for each finding that two judgements differ about, and last one of
/// `"type":"backtest"` with what each comes to.
///
/// # Errors
/// Those of `out`.
pub fn write_comparison_json<W: Write>(out: &mut W, comparison: &Comparison) -> io::Result<()> {
    for changed in &comparison.changed {
        let line = ChangeLine {
            r#type: "change",
            change: changed.change,
            severity_before: changed.before,
            severity_after: changed.after,
            suppression: changed.suppression.as_deref(),
            finding: finding_line(&changed.finding),
        };
        write_line(out, &line)?;
    }
    let Comparison {
        eni_days,
        before,
        after,
        changed: _,
    } = comparison;
    let line = BacktestLine {
        r#type: "backtest",
        eni_days: *eni_days,
        before: SumsOf::new(before, *eni_days),
        after: SumsOf::new(after, *eni_days),
    };
    write_line(out, &line)
}

#[derive(Serialize)]
struct ChangeLine<'a> {
    r#type: &'static str,
    change: Change,
    severity_before: Option<Severity>,
    severity_after: Option<Severity>,
    suppression: Option<&'a str>,
    finding: FindingLine<'a>,
}

#[derive(Serialize)]
struct BacktestLine<'a> {
    r#type: &'static str,
    eni_days: u64,
    before: SumsOf<'a>,
    after: SumsOf<'a>,
}

#[derive(Serialize)]
struct SumsOf<'a> {
    #[serde(flatten)]
    sums: &'a Sums,
    #[serde(serialize_with = "number_or_null")]
    incidents_per_1000_eni_days: Option<f64>,
    alerts: Option<u64>,
}

impl<'a> SumsOf<'a> {
    fn new(sums: &'a Sums, eni_days: u64) -> Self {
        Self {
            sums,
            incidents_per_1000_eni_days: sums.incidents_per_thousand(eni_days),
            alerts: sums.alerts,
        }
    }
}
