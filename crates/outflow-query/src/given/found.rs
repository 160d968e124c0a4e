//! Incidents and findings of a run of `outflow detect`, out of its JSON lines.

use std::io::{self, BufRead};

use outflow_finding::LastOf;
use outflow_record::Timestamp;
use serde::{Deserialize, Deserializer};

use super::GivenTable;
use super::columns::{Column, batch, lists, longs, texts, times};
use crate::error::Error;

/// The tables' names.
pub(super) const INCIDENTS: &str = "incidents";
pub(super) const FINDINGS: &str = "findings";

/// Bytes of a line at most: a finding names so many addresses, objects and queries that a megabyte is not rare.
pub const FOUND_LINE_BYTES_MAX: usize = 64 << 20;

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

/// What a run found, as tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The tables `incidents` and `findings`.
    pub tables: [GivenTable; 2],
    /// Lines in whose place a later one of the same id was taken, as who follows a watch has them.
    pub told_again: u64,
}

/// The tables `incidents` and `findings`: what JSON lines of `outflow detect` tell, in their order. Of a finding, `incident` is the
/// incident that holds it. Of several lines with one id, the last is taken. What else the lines tell, such as reasons and evidence,
/// is left to them. Only what is taken is in memory, and the line under way.
///
/// # Errors
/// [`FoundError`].
pub fn found(lines: impl BufRead) -> Result<Found, FoundError> {
    found_in(lines, FOUND_LINE_BYTES_MAX)
}

/// As [`found`], of lines of at most so many bytes.
fn found_in(mut lines: impl BufRead, line_bytes_max: usize) -> Result<Found, FoundError> {
    let mut taken = FoundLines::default();
    let mut line = Vec::new();
    for at in 1.. {
        let wrong = |what: String| FoundError::Line { line: at, what };
        let read = read_line(&mut lines, line_bytes_max, &mut line);
        if !read.map_err(|error| wrong(error.to_string()))? {
            break;
        }
        if line.len() > line_bytes_max {
            return Err(wrong(format!("it has more than {line_bytes_max} bytes")));
        }
        taken.add(&line)?;
    }
    taken.finish()
}

/// The same as [`found`], of lines that come one by one.
#[derive(Debug, Default)]
pub struct FoundLines {
    incidents: LastOf<Told>,
    findings: LastOf<Told>,
    is_run: bool,
    line: usize,
}

impl FoundLines {
    /// Takes the next line, without its end.
    ///
    /// # Errors
    /// [`FoundError::Line`] if it is none of a run.
    pub fn add(&mut self, line: &[u8]) -> Result<(), FoundError> {
        self.line += 1;
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let at = self.line;
        let wrong = |what: String| FoundError::Line { line: at, what };
        let told: Told = serde_json::from_slice(line).map_err(|e| wrong(e.to_string()))?;
        let lines = match told.kind.as_deref() {
            Some("incident") => Some(&mut self.incidents),
            Some("finding") => Some(&mut self.findings),
            Some("accounts") => None,
            _ => return Err(wrong("it is no incident and no finding".to_owned())),
        };
        if let Some(lines) = lines {
            let lacks = |what: &str| format!("it has no `{what}`, which each that was found has");
            let id = told.id.clone().filter(|id| !id.is_empty());
            let id = id.ok_or_else(|| wrong(lacks("id")))?;
            if told.family.as_ref().is_none_or(String::is_empty) {
                return Err(wrong(lacks("family")));
            }
            lines.add(Some(id), told);
        }
        self.is_run = true;
        Ok(())
    }

    /// The tables of all that was taken.
    ///
    /// # Errors
    /// [`FoundError::NoRun`], and [`FoundError::Tables`], which is a fault of the program.
    pub fn finish(self) -> Result<Found, FoundError> {
        if !self.is_run {
            return Err(FoundError::NoRun);
        }
        let tables = [
            table(INCIDENTS, self.incidents.as_slice())?,
            table(FINDINGS, self.findings.as_slice())?,
        ];
        Ok(Found {
            tables,
            told_again: self.incidents.replaced() + self.findings.replaced(),
        })
    }
}

/// Reads a line without its end, and of one that is too long no more than tells that it is; false after the last one.
fn read_line(lines: impl BufRead, bytes_max: usize, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    // A line may end with two bytes.
    let mut limited = lines.take(bytes_max as u64 + 2);
    if limited.read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok(true)
}

/// What the tables need of a line; what else it has is read past.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    incident: Option<String>,
    family: Option<String>,
    severity: Option<i64>,
    risk: Option<i64>,
    title: Option<String>,
    account_id: Option<String>,
    region: Option<String>,
    vpc_id: Option<String>,
    interface_id: Option<String>,
    sender: Option<Sender>,
    workload: Option<String>,
    destination: Option<Destination>,
    #[serde(deserialize_with = "instant")]
    first_seen: Option<Timestamp>,
    #[serde(deserialize_with = "instant")]
    last_seen: Option<Timestamp>,
    bytes: Option<i64>,
    payload_bytes: Option<i64>,
    flows: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sender {
    instance_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Destination {
    group: Option<String>,
    domain: Option<String>,
    addresses: Vec<String>,
}

fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else {
        return Ok(None);
    };
    let at = text.parse();
    at.map(Some)
        .map_err(|_| serde::de::Error::custom(format!("`{}` is no time", text.escape_default())))
}

fn table(name: &'static str, lines: &[Told]) -> Result<GivenTable, Error> {
    let text = |of: fn(&Told) -> Option<&String>| texts(lines.iter().map(of));
    let long = |of: fn(&Told) -> Option<i64>| longs(lines.iter().map(of));
    let time = |of: fn(&Told) -> Option<Timestamp>| times(lines.iter().map(of));
    let addresses = lines.iter().map(|of| {
        let to = of.destination.iter();
        let addresses = to.flat_map(|to| to.addresses.iter().cloned());
        addresses.collect::<Vec<_>>()
    });
    let columns: Vec<Column> = vec![
        ("id", text(|of| of.id.as_ref())),
        ("incident", text(|of| of.incident.as_ref())),
        ("family", text(|of| of.family.as_ref())),
        ("severity", long(|of| of.severity)),
        ("risk", long(|of| of.risk)),
        ("title", text(|of| of.title.as_ref())),
        ("account_id", text(|of| of.account_id.as_ref())),
        ("region", text(|of| of.region.as_ref())),
        ("vpc_id", text(|of| of.vpc_id.as_ref())),
        ("interface_id", text(|of| of.interface_id.as_ref())),
        (
            "instance_id",
            text(|of| of.sender.as_ref()?.instance_id.as_ref()),
        ),
        ("workload", text(|of| of.workload.as_ref())),
        (
            "destination",
            text(|of| of.destination.as_ref()?.group.as_ref()),
        ),
        (
            "domain",
            text(|of| of.destination.as_ref()?.domain.as_ref()),
        ),
        ("addresses", lists(addresses)),
        ("first_seen", time(|of| of.first_seen)),
        ("last_seen", time(|of| of.last_seen)),
        ("bytes", long(|of| of.bytes)),
        ("payload_bytes", long(|of| of.payload_bytes)),
        ("flows", long(|of| of.flows)),
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
        let [incidents, findings] = read("{\"type\":\"accounts\"}\n").unwrap().tables;
        assert_eq!((incidents.rows(), findings.rows()), (0, 0));
    }

    #[test]
    fn a_line_that_is_too_long_is_not_read_on() {
        let line = "{\"type\":\"accounts\"}";
        let read = |text: &str, most: usize| found_in(text.as_bytes(), most);
        for end in ["", "\n", "\r\n"] {
            assert!(read(&format!("{line}{end}"), line.len()).is_ok(), "{end:?}");
            let long = read(&format!("\n{line} {end}"), line.len());
            assert!(matches!(long, Err(FoundError::Line { line: 2, .. })));
        }
        let mut endless = io::BufReader::new(io::repeat(b' '));
        let mut read = Vec::new();
        assert!(read_line(&mut endless, 10, &mut read).unwrap());
        assert_eq!(read.len(), 12);
    }

    #[test]
    fn what_is_of_another_type_than_its_column_is_refused() {
        for field in [r#""first_seen":"soon""#, r#""bytes":"9""#, r#""id":7"#] {
            let text = format!(r#"{{"type":"finding","id":"f-1","family":"dns.tunnel",{field}}}"#);
            let read = found(text.replace(r#""id":"f-1","id":7"#, r#""id":7"#).as_bytes());
            assert!(matches!(read, Err(FoundError::Line { line: 1, .. })));
        }
    }

    #[test]
    fn what_names_nothing_that_was_found_is_no_row() {
        for (fields, lacking) in [
            ("", "`id`"),
            (r#","id":"""#, "`id`"),
            (r#","id":"f-1""#, "`family`"),
            (r#","id":null,"family":"dns.tunnel""#, "`id`"),
        ] {
            for kind in ["incident", "finding"] {
                let text = format!("{{\"type\":\"accounts\"}}\n{{\"type\":\"{kind}\"{fields}}}\n");
                let error = found(text.as_bytes()).unwrap_err().to_string();
                assert!(
                    error.starts_with("line 2: ") && error.contains(lacking),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn of_what_is_told_again_the_last_is_taken() {
        let line = |kind: &str, id: &str, bytes: u64| {
            format!(r#"{{"type":"{kind}","id":"{id}","family":"volume.ledger","bytes":{bytes}}}"#)
        };
        let lines = [
            line("incident", "a", 1),
            line("incident", "b", 2),
            line("finding", "a", 3),
            line("incident", "a", 4),
        ];
        let read = found(lines.join("\n").as_bytes()).unwrap();
        let [incidents, findings] = read.tables;
        assert_eq!(
            (incidents.rows(), findings.rows(), read.told_again),
            (2, 1, 1)
        );
        let bytes = incidents.batch.column_by_name("bytes").unwrap();
        let bytes =
            arrow_array::cast::AsArray::as_primitive::<arrow_array::types::Int64Type>(bytes);
        assert_eq!(bytes.values(), &[4, 2]);
    }
}
