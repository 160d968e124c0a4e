//! Incidents and findings of a run of `outflow detect`, out of its JSON lines.

use std::io::BufRead;

use outflow_record::Timestamp;
use serde_json::Value;

use super::GivenTable;
use super::columns::{Column, batch, lists, longs, texts, times};
use crate::error::Error;

/// The tables' names.
pub(super) const INCIDENTS: &str = "incidents";
pub(super) const FINDINGS: &str = "findings";

/// Bytes of a line at most: a finding names so many addresses, objects and queries that a megabyte is not rare.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Lines that are no run of `outflow detect`.
#[derive(Debug, thiserror::Error)]
pub enum FoundError {
    /// A line is none of a run.
    #[error("line {line}: {what}")]
    Line {
        /// The line, from 1 on.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// There is no line of a run at all: one that found nothing has its accounts.
    #[error("it has no incident, no finding and no accounts")]
    NoRun,
    /// The tables could not be made.
    #[error("its tables could not be made")]
    Tables(#[from] Error),
}

/// The tables `incidents` and `findings`: what JSON lines of `outflow detect` tell, in their order. Of a finding, `incident` is the
/// incident that holds it. What else the lines tell, such as reasons and evidence, is left to them.
///
/// # Errors
/// [`FoundError`].
pub fn found(lines: impl BufRead) -> Result<[GivenTable; 2], FoundError> {
    let (mut incidents, mut findings) = (Vec::new(), Vec::new());
    let mut is_run = false;
    for (at, line) in lines.split(b'\n').enumerate() {
        let wrong = |what: String| FoundError::Line { line: at + 1, what };
        let line = line.map_err(|error| wrong(error.to_string()))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        if line.len() > LINE_BYTES_MAX {
            return Err(wrong(format!("it has more than {LINE_BYTES_MAX} bytes")));
        }
        let value: Value = serde_json::from_slice(&line).map_err(|e| wrong(e.to_string()))?;
        match value.get("type").and_then(Value::as_str) {
            Some("incident") => incidents.push(value),
            Some("finding") => findings.push(value),
            Some("accounts") => {}
            _ => return Err(wrong("it is no incident and no finding".to_owned())),
        }
        is_run = true;
    }
    if !is_run {
        return Err(FoundError::NoRun);
    }
    Ok([table(INCIDENTS, &incidents)?, table(FINDINGS, &findings)?])
}

fn table(name: &'static str, lines: &[Value]) -> Result<GivenTable, Error> {
    let text = |path: &'static str| texts(lines.iter().map(move |of| of.pointer(path)?.as_str()));
    let long = |path: &'static str| longs(lines.iter().map(move |of| of.pointer(path)?.as_i64()));
    let time = |path: &'static str| {
        let at =
            move |of: &Value| -> Option<Timestamp> { of.pointer(path)?.as_str()?.parse().ok() };
        times(lines.iter().map(at))
    };
    let list = |path: &'static str| {
        let list = move |of: &Value| -> Vec<String> {
            let values = of.pointer(path).and_then(Value::as_array);
            let texts = values.into_iter().flatten().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        };
        lists(lines.iter().map(list))
    };
    let columns: Vec<Column> = vec![
        ("id", text("/id")),
        ("incident", text("/incident")),
        ("family", text("/family")),
        ("severity", text("/severity")),
        ("risk", long("/risk")),
        ("title", text("/title")),
        ("account_id", text("/account_id")),
        ("region", text("/region")),
        ("vpc_id", text("/vpc_id")),
        ("interface_id", text("/interface_id")),
        ("instance_id", text("/sender/instance_id")),
        ("workload", text("/workload")),
        ("destination", text("/destination/group")),
        ("domain", text("/destination/domain")),
        ("addresses", list("/destination/addresses")),
        ("first_seen", time("/first_seen")),
        ("last_seen", time("/last_seen")),
        ("bytes", long("/bytes")),
        ("payload_bytes", long("/payload_bytes")),
        ("flows", long("/flows")),
    ];
    Ok(GivenTable {
        name,
        batch: batch(columns)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_run_is_refused_with_its_line() {
        let read = |text: &str| found(text.as_bytes());
        assert!(matches!(read(""), Err(FoundError::NoRun)));
        let bad = "{\"type\":\"accounts\"}\n\n{\"type\":\"finding\"";
        assert!(matches!(read(bad), Err(FoundError::Line { line: 3, .. })));
        let other = "{\"type\":\"gap\"}";
        assert!(matches!(read(other), Err(FoundError::Line { line: 1, .. })));
        let [incidents, findings] = read("{\"type\":\"accounts\"}\n").unwrap();
        assert_eq!((incidents.rows(), findings.rows()), (0, 0));
    }
}
