//! Where findings go: lines of JSON, each once.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use outflow_finding::{Finding, Incident, write_finding, write_incident};
use serde::Deserialize;

use crate::output;

/// A file that lines are appended to, or stdout.
#[derive(Debug)]
pub(super) enum Sink {
    Stdout,
    File { path: PathBuf, file: File },
}

/// What is looked at of a line that was written before.
#[derive(Debug, Deserialize)]
struct Line {
    id: Option<String>,
    severity: Option<u8>,
}

impl Sink {
    /// Opens a file to append to, and tells `told` the ids and severities of what it holds. What a watch that was ended
    /// left of its last line is taken away, as it is told anew.
    pub(super) fn open(path: Option<&Path>, mut told: impl FnMut(&str, u8)) -> io::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Stdout);
        };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let mut lines = BufReader::new(&mut file);
        let (mut whole, mut line) = (0, Vec::new());
        while lines.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            whole += line.len() as u64;
            // Lines of others are left alone.
            if let Ok(Line {
                id: Some(id),
                severity: Some(severity),
            }) = serde_json::from_slice(&line)
            {
                told(&id, severity);
            }
            line.clear();
        }
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self::File {
            path: path.to_owned(),
            file,
        })
    }

    /// Writes what is new; once this returns, it is on the disk.
    pub(super) fn write(
        &mut self,
        incidents: &[&Incident],
        findings: &[&Finding],
    ) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for incident in incidents {
            write_incident(&mut lines, incident)?;
        }
        for finding in findings {
            write_finding(&mut lines, finding)?;
        }
        match self {
            Self::Stdout => output::to_stdout(&lines)?,
            Self::File { path, file } => {
                let whole = file.metadata()?.len();
                let written = file.write_all(&lines).and_then(|()| file.sync_data());
                if let Err(error) = written {
                    // All of it is told again; half a line would spoil the next.
                    let cut = file.set_len(whole);
                    let what = format!("could not write `{}`", path.display());
                    return Err(anyhow::Error::new(cut.err().unwrap_or(error)).context(what));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_holds_was_told_and_half_a_line_was_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let lines = "{\"type\":\"incident\",\"id\":\"a\",\"severity\":3}\nno json\n{\"type\":\"finding\",\"id\":\"b\",\"severity\":5}\n";
        std::fs::write(
            &path,
            format!("{lines}{{\"type\":\"finding\",\"id\":\"c\",\"sev"),
        )
        .unwrap();
        let mut told = Vec::new();
        let mut sink = Sink::open(Some(&path), |id, severity| {
            told.push((id.to_owned(), severity));
        })
        .unwrap();
        assert_eq!(told, [("a".to_owned(), 3), ("b".to_owned(), 5)]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), lines);
        sink.write(&[], &[&Finding::new(outflow_finding::Family::Beacon)])
            .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(lines) && text.ends_with("}\n"));
        assert_eq!(text.lines().count(), 4);
    }
}
