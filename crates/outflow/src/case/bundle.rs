//! What a case holds.
//!
//! ```text
//! report.html           the incident as a page to read, print and pass on, with hours of the week, ways, names and what was judged by
//! incident.json         the incident, its findings and the books of the run, as JSON lines
//! incident.ocsf.json    the incident as a Detection Finding of OCSF
//! rows/ID.sql           of each finding: the query that returns its rows from the table `vpc_flow_logs` or `dns`,
//! rows/ID.csv           and what it returned; in no CSV file of a case a text is a formula, for which some have `'` before them
//! rows/ID.parquet
//! timeline.html         what its senders did, who else talked to its destinations, and its findings among that, as a page
//! timeline/NAME.txt     what happened at each interface, host or instance, from an hour before to an hour after
//! timeline/NAME.jsonl
//! names.csv             under which names its addresses were given, to whom and when, and what was exchanged with them
//! guardduty.csv         findings of GuardDuty about the same, if some were given
//! sources.csv           the objects that the rows were read from: where, size, SHA-256, and which rows
//! judged-by/            the configuration that was judged by, as a file that can be given again; the configuration and the
//!                       suppressions as they were given; and the digests of the files of the context
//! case.json             what made it: version, lake, versions of its tables, arguments, the border, what was read of GuardDuty, what timelines hold
//! MANIFEST.sha256       the SHA-256 of each of these
//! ```

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use outflow_finding::{
    Finding, Incident, write_accounts, write_finding, write_html_with, write_incident, write_ocsf,
};
use outflow_ingest::{Outcome, Settings};
use outflow_lake::{Lake, Table};
use outflow_query::{AnswerFormat, EvidenceRows, Limits, Session, TimelineRequest};
use outflow_record::Timestamp;
use outflow_udf::Known;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

use super::{guardduty, judged, manifest, report, rows, shown, unwritten};
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::incident::AROUND_SECS;
use crate::lake;
use crate::query::Asked;
use crate::session::{GuardDutyArgs, failure, runtime};
use crate::sources::SelectArgs;
use crate::timeline::{self, AskedIncident, GAP_SECS, Story};
use crate::voice::Voice;

/// The folder of the timelines of senders.
pub(super) const TIMELINES: &str = "timeline";

pub(super) struct Case<'a> {
    pub(super) lake: &'a Lake,
    pub(super) incident: &'a Incident,
    pub(super) findings: &'a [&'a Finding],
    pub(super) outcome: &'a Outcome,
    pub(super) settings: &'a Settings,
    pub(super) judged: judged::Given<'a>,
    pub(super) guardduty: &'a GuardDutyArgs,
    /// How to reach what is read besides.
    pub(super) select: &'a SelectArgs,
    pub(super) voice: Voice,
}

/// What was written.
pub(super) struct Written {
    /// Rows of evidence.
    pub(super) rows: u64,
    /// Whoever knows it knows whether the manifest, and with it any file, was changed.
    pub(super) manifest_sha256: String,
    /// Findings of GuardDuty about the same; none if none were given.
    pub(super) guardduty: Option<u64>,
    /// Whether all of those was read.
    pub(super) exit: Exit,
}

impl Case<'_> {
    /// Writes the case into a folder.
    pub(super) fn write(&self, folder: &Path) -> Result<Written, Failure> {
        for part in ["rows", TIMELINES, "judged-by"] {
            let path = folder.join(part);
            fs::create_dir_all(&path).map_err(|error| unwritten(&path, error))?;
        }
        let limits = Limits {
            threads: self.settings.workers,
            ..Limits::default()
        };
        let session = Session::over(self.lake, limits, Known::default());
        let session = session.map_err(|error| failure(error, ""))?;
        let runtime = runtime(self.settings.workers)?;
        let rows = evidence(&runtime, &session, self.findings, folder)?;
        self.write_file(&folder.join("incident.json"), |out| self.incident(out))?;
        let timelines = self.timelines(&runtime, &session, folder)?;
        let given = self.guardduty.give(&session, self.select, self.voice)?;
        let guardduty = match given {
            Some(_) => Some(self.beside(&runtime, &session, folder)?),
            None => None,
        };
        sources(&runtime, &session, folder)?;
        let judged = self.judged.write(folder)?;
        let guardduty_read = given.as_ref().map(guardduty::json);
        let made = self.made((rows, timelines), &judged, guardduty_read)?;
        self.write_file(&folder.join("case.json"), |out| {
            serde_json::to_writer_pretty(&mut *out, &made)?;
            writeln!(out)
        })?;
        let names = folder.join("names.csv");
        let shown = shown::ask(&runtime, &session, self.findings, &names)?;
        self.tell(folder, |out| {
            report::write(out, &shown)?;
            guardduty::section(out, &made)?;
            judged::section(out, &judged, &made)
        })?;
        let digests = manifest::of(folder).map_err(|error| unwritten(folder, error))?;
        let text = manifest::text(&digests);
        self.write_file(&folder.join(manifest::NAME), |out| {
            out.write_all(text.as_bytes())
        })?;
        Ok(Written {
            rows,
            manifest_sha256: manifest::hex(&Sha256::digest(text)),
            guardduty,
            exit: given.map_or(Exit::Done, |given| given.exit),
        })
    }

    /// What made the case.
    fn made(
        &self,
        (rows, timelines): (u64, serde_json::Value),
        judged: &[judged::Kept],
        guardduty: Option<serde_json::Value>,
    ) -> Result<serde_json::Value, Failure> {
        let arguments = std::env::args_os().skip(1);
        let arguments: Vec<String> = arguments
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect();
        Ok(json!({
            "outflow": env!("CARGO_PKG_VERSION"),
            "created_at": Timestamp(clock::unix_secs()).to_string(),
            "incident": self.incident.body.id,
            "lake": self.lake.place().to_string(),
            "versions": self.versions()?,
            "since": self.settings.since.map(|at| at.to_string()),
            "until": self.settings.until.map(|at| at.to_string()),
            "arguments": arguments,
            "judged_by": judged::json(judged),
            "border": self.settings.networks.to_string(),
            "guardduty": guardduty,
            "rows": rows,
            "timelines": timelines,
        }))
    }

    /// Writes which findings of GuardDuty are about the same as those of the incident.
    fn beside(&self, runtime: &Runtime, session: &Session, folder: &Path) -> Result<u64, Failure> {
        let path = folder.join("guardduty.csv");
        let mut lines = Vec::new();
        self.incident(&mut lines)
            .map_err(|error| unwritten(&path, error))?;
        let found = outflow_query::found(lines.as_slice());
        let found = found
            .map_err(|error| Failure::unfinished(error, "report this as a fault of the program"))?;
        for table in found.tables {
            session.give(table).map_err(|error| failure(error, ""))?;
        }
        // Its limit is of all findings of GuardDuty, those about something else among them: a case has each that is about it.
        let all = [("top".to_owned(), i64::MAX.to_string())];
        let asked = Asked::shipped("guardduty_and_incidents", &all)?;
        let sql = format!(
            "SELECT * FROM ({}) AS told WHERE finding IS NOT NULL",
            asked.sql
        );
        let files = [(AnswerFormat::SheetCsv, path.as_path())];
        rows::write(runtime, session, &sql, asked.values, &files)
    }

    fn write_file(
        &self,
        path: &Path,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        crate::output::to_file(path, write).map_err(|error| unwritten(path, error))
    }

    fn incident(&self, mut out: &mut dyn Write) -> io::Result<()> {
        write_incident(&mut out, self.incident)?;
        for finding in self.findings {
            write_finding(&mut out, finding)?;
        }
        write_accounts(&mut out, &self.outcome.accounts)
    }

    /// Writes the incident in the formats of others; its page has what `more` writes, too.
    fn tell(
        &self,
        folder: &Path,
        more: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let incidents = std::slice::from_ref(self.incident);
        let findings: Vec<Finding> = self.findings.iter().copied().cloned().collect();
        let Outcome {
            accounts, coverage, ..
        } = self.outcome;
        self.write_file(&folder.join("report.html"), |mut out| {
            write_html_with(&mut out, incidents, &findings, (accounts, coverage), more)
        })?;
        let at = accounts.last.unwrap_or_default();
        self.write_file(&folder.join("incident.ocsf.json"), |mut out| {
            write_ocsf(&mut out, incidents, &findings, at)
        })
    }

    /// The tables' versions, so that others can go back to the same rows.
    fn versions(&self) -> Result<serde_json::Value, Failure> {
        let mut versions = serde_json::Map::new();
        for table in Table::ALL {
            let snapshot = self.lake.snapshot(table).map_err(lake::unusable)?;
            versions.insert(table.name().to_owned(), json!(snapshot.version()));
        }
        Ok(versions.into())
    }

    /// Writes the timelines, and says how many moments each has, by the names of their files.
    fn timelines(
        &self,
        runtime: &Runtime,
        session: &Session,
        folder: &Path,
    ) -> Result<serde_json::Value, Failure> {
        let ask = |request: &TimelineRequest| {
            let told = runtime.block_on(session.timeline(request));
            told.map_err(|error| failure(error, ""))
        };
        let asked = AskedIncident {
            incident: self.incident,
            findings: self.findings,
            around_secs: AROUND_SECS,
            gap_secs: GAP_SECS,
        };
        let (senders, story) = timeline::of_incident(&asked, ask)?;
        let mut moments = serde_json::Map::new();
        for (entity, told) in senders {
            let name = file_name(&entity.name());
            let file = |ending: &str| folder.join(TIMELINES).join(format!("{name}.{ending}"));
            let story = Story::of(&entity, story.span, told);
            self.write_file(&file("txt"), |out| timeline::write_text(&story, out))?;
            self.write_file(&file("jsonl"), |out| timeline::write_json(&story, out))?;
            moments.insert(name, json!({"moments": story.entries.len()}));
        }
        self.write_file(&folder.join("timeline.html"), |out| {
            timeline::write_html(&story, out)
        })?;
        Ok(moments.into())
    }
}

/// Writes the queries of findings and what they return, and gives the session the table `evidence`, which names these rows; says
/// how many there are.
fn evidence(
    runtime: &Runtime,
    session: &Session,
    findings: &[&Finding],
    folder: &Path,
) -> Result<u64, Failure> {
    let (mut told, mut rows) = (EvidenceRows::default(), 0);
    for finding in findings {
        let Some(sql) = &finding.evidence.sql else {
            continue;
        };
        let id = file_name(&finding.id);
        let file = |ending: &str| folder.join("rows").join(format!("{id}.{ending}"));
        let path = file("sql");
        fs::write(&path, format!("{sql}\n")).map_err(|error| unwritten(&path, error))?;
        let (csv, parquet) = (file("csv"), file("parquet"));
        let files = [
            (AnswerFormat::SheetCsv, csv.as_path()),
            (AnswerFormat::Parquet, parquet.as_path()),
        ];
        let asked = (sql.as_str(), Vec::new());
        rows += rows::write_each(runtime, session, asked, &files, |batch| {
            told.add(&id, batch)
        })?;
    }
    let table = told.table();
    let given = table.and_then(|table| session.give(table));
    given.map_err(|error| failure(error, ""))?;
    Ok(rows)
}

/// Writes which objects the rows were read from.
fn sources(runtime: &Runtime, session: &Session, folder: &Path) -> Result<(), Failure> {
    let path = folder.join("sources.csv");
    let sql = "SELECT told.finding, sources.uri, sources.given_uri, sources.version, sources.size, sources.sha256, \
         count(*) AS rows, string_agg(CAST(told.source_row AS VARCHAR), ' ' ORDER BY told.source_row) AS source_rows \
         FROM evidence AS told JOIN sources ON sources.source_id = told.source_id \
         GROUP BY told.finding, sources.uri, sources.given_uri, sources.version, sources.size, sources.sha256 \
         ORDER BY told.finding, sources.uri";
    let files = [(AnswerFormat::SheetCsv, path.as_path())];
    rows::write(runtime, session, sql, Vec::new(), &files).map(|_| ())
}

/// A name that is one of a file wherever it is unpacked, whatever ids in logs hold.
pub(super) fn file_name(id: &str) -> String {
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    id.chars().take(100).map(fit).collect()
}
