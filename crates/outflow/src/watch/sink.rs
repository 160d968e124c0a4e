//! Where findings go: lines of JSON, each once.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use outflow_finding::{Finding, Incident, Lane, write_finding, write_incident};
use serde::Deserialize;

use crate::output;

/// Bytes of a line that are read at once. Of a longer one, which no watch wrote, nothing is looked at.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// How lines of a watch begin, by which one that was cut is told from a text of somebody else.
const BEGINNINGS: [&[u8]; 2] = [b"{\"type\":\"incident\"", b"{\"type\":\"finding\""];

/// A file that lines are appended to, or stdout.
#[derive(Debug)]
pub(super) enum Sink {
    Stdout,
    /// It is opened anew for each time that something is told: so it may be renamed and begun anew.
    File(PathBuf),
}

/// What is looked at of a line that was written before.
#[derive(Debug, Deserialize)]
struct Line {
    id: Option<String>,
    severity: Option<u8>,
    incident: Option<String>,
    lane: Option<String>,
}

/// Hears of what a file holds: id, severity, incident and lane.
pub(super) trait Hears: FnMut(&str, u8, Option<&str>, Option<Lane>) {}

impl<F: FnMut(&str, u8, Option<&str>, Option<Lane>)> Hears for F {}

impl Sink {
    /// A file to append to, or stdout. `told` is called with what the file holds. What a watch that was ended left of its last
    /// line is taken away, as it is told anew.
    pub(super) fn open(path: Option<&Path>, told: impl Hears) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Stdout);
        };
        let what = || format!("could not append to `{}`", path.display());
        match path.metadata() {
            Ok(of) if !of.is_file() => {
                return Err(io::Error::other("it is no file")).with_context(what);
            }
            Ok(_) => read(path, told).with_context(what)?,
            Err(_) => drop(append_to(path).with_context(what)?),
        }
        Ok(Self::File(path.to_owned()))
    }

    /// Writes what is new; once this returns, it is on the disk.
    pub(super) fn write(
        &mut self,
        incidents: &[Incident],
        findings: &[Finding],
    ) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for incident in incidents {
            write_incident(&mut lines, incident)?;
        }
        for finding in findings {
            write_finding(&mut lines, finding)?;
        }
        if lines.is_empty() {
            return Ok(());
        }
        match self {
            Self::Stdout => output::to_stdout(&lines).context("could not write to stdout"),
            Self::File(path) => append(path, &lines)
                .with_context(|| format!("could not append to `{}`", path.display())),
        }
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut file = append_to(path)?;
    let whole = file.metadata()?.len();
    let written = file.write_all(lines).and_then(|()| file.sync_data());
    written.or_else(|error| {
        // All of it is told again; half a line would spoil the next.
        file.set_len(whole)?;
        Err(error)
    })
}

/// Reads what a file holds, and ends its last line.
fn read(path: &Path, mut told: impl Hears) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).open(path)?;
    let mut lines = BufReader::new(&mut file);
    let (mut whole, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let mut some = (&mut lines).take(LINE_BYTES_MAX);
        if some.read_until(b'\n', &mut line)? == 0 || !line.ends_with(b"\n") {
            break;
        }
        whole += line.len() as u64;
        // Lines of others are left alone.
        if let Ok(Line {
            id: Some(id),
            severity: Some(severity),
            incident,
            lane,
        }) = serde_json::from_slice(&line)
        {
            let lane = lane.as_deref().and_then(Lane::from_name);
            told(&id, severity, incident.as_deref(), lane);
        }
    }
    if line.is_empty() {
        return Ok(());
    }
    let is_own = BEGINNINGS
        .iter()
        .any(|own| line.starts_with(own) || own.starts_with(&line));
    if is_own {
        return file.set_len(whole);
    }
    io::copy(&mut lines, &mut io::sink())?;
    file.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const LINES: &str = "{\"type\":\"incident\",\"id\":\"a\",\"severity\":3,\"lane\":\"digest\"}\nno json\n{\"type\":\"finding\",\"id\":\"b\",\"severity\":5,\"incident\":\"a\"}\n";

    #[test]
    fn what_a_file_holds_was_told_and_half_a_line_was_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        fs::write(
            &path,
            format!("{LINES}{{\"type\":\"finding\",\"id\":\"c\",\"sev"),
        )
        .unwrap();
        let mut told = Vec::new();
        let mut sink = Sink::open(
            Some(&path),
            |id: &str, severity, incident: Option<&str>, lane| {
                told.push((id.to_owned(), severity, incident.map(str::to_owned), lane));
            },
        )
        .unwrap();
        let (first, second) = ("a".to_owned(), "b".to_owned());
        let incident = Some(first.clone());
        assert_eq!(
            told,
            [
                (first, 3, None, Some(Lane::Digest)),
                (second, 5, incident, None)
            ]
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), LINES);
        let finding = Finding::new(outflow_finding::Family::Beacon);
        sink.write(&[], std::slice::from_ref(&finding)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(LINES) && text.ends_with("}\n"));
        assert_eq!(text.lines().count(), 4);
        // Who turns it over finds what comes next in a new file.
        fs::rename(&path, folder.path().join("old.jsonl")).unwrap();
        sink.write(&[], &[finding]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_text_of_somebody_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note.txt");
        fs::write(&path, "a note without an end").unwrap();
        Sink::open(Some(&path), |_: &str, _, _: Option<&str>, _| {}).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "a note without an end\n"
        );
        let error =
            Sink::open(Some(folder.path()), |_: &str, _, _: Option<&str>, _| {}).unwrap_err();
        assert!(format!("{error:#}").contains("it is no file"), "{error:#}");
    }
}
