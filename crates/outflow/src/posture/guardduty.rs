//! Findings of GuardDuty, from files and folders.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use outflow_ingest::{CONTEXT_INFLATED_BYTES_MAX, Object, ReadError, Reader};
use outflow_posture::GuardDuty;

use crate::exit::Failure;
use crate::voice::Voice;

/// How names of files of findings end; others in a folder are passed over, and counted.
const NAMES: [&str; 6] = [
    ".json",
    ".jsonl",
    ".json.gz",
    ".jsonl.gz",
    ".json.zst",
    ".jsonl.zst",
];

/// Reads all findings; nothing if none are to be read.
pub(super) fn read(paths: &[PathBuf], voice: Voice) -> Result<Option<GuardDuty>, Failure> {
    if paths.is_empty() {
        return Ok(None);
    }
    let (mut findings, mut reader) = (GuardDuty::default(), Reader::new());
    for path in paths {
        let listed = files(path).with_context(|| format!("could not read `{}`", path.display()));
        let (files, passed_over) = listed.map_err(|error| {
            let hint = "name files and folders with --guardduty that are there and may be read";
            Failure::usage(error, hint)
        })?;
        if passed_over > 0 {
            voice.note(&format!(
                "{passed_over} files in `{}` are not called .json or .jsonl, and were passed over",
                path.display()
            ));
        }
        for file in files {
            let json = content(&file, &mut reader)?;
            let added = findings.add(&file.display().to_string(), &json);
            added.map_err(|error| {
                let hint = "give what `aws guardduty get-findings` prints, an export to S3, or events of EventBridge";
                Failure::usage(error, hint)
            })?;
        }
    }
    if findings.samples() > 0 {
        voice.note(&format!(
            "{} findings of GuardDuty are samples, and were left out",
            findings.samples()
        ));
    }
    Ok(Some(findings))
}

/// A file, or those of a folder in order of name, and how many were passed over. Links within a folder are not followed.
fn files(path: &Path) -> std::io::Result<(Vec<PathBuf>, u64)> {
    if !fs::metadata(path)?.is_dir() {
        return Ok((vec![path.to_owned()], 0));
    }
    let (mut found, mut passed_over, mut folders) = (Vec::new(), 0, vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if NAMES.iter().any(|end| name.ends_with(end)) {
                found.push(entry.path());
            } else {
                passed_over += 1;
            }
        }
    }
    found.sort();
    Ok((found, passed_over))
}

/// What a file holds, unpacked.
fn content(path: &Path, reader: &mut Reader) -> Result<Vec<u8>, Failure> {
    let named = path.display();
    let mut content = Vec::new();
    let read = reader.read(&Object::file(path), &mut |piece: &[u8]| {
        if (content.len() + piece.len()) as u64 > CONTEXT_INFLATED_BYTES_MAX {
            return Err(());
        }
        content.extend_from_slice(piece);
        Ok(())
    });
    let wrong = |what: &str| anyhow!("`{named}`: {what}");
    let error = match read {
        Ok(read) => match read.damage {
            None => return Ok(content),
            Some(damage) => wrong(&damage.reason),
        },
        Err(ReadError::Object(error)) => error.into(),
        Err(ReadError::Parquet(_)) => wrong("it is a table in Parquet"),
        Err(ReadError::Sink { .. }) => {
            let megabytes = CONTEXT_INFLATED_BYTES_MAX >> 20;
            wrong(&format!("it holds more than {megabytes} MiB"))
        }
    };
    let hint =
        "give findings as JSON, plain or compressed, in files that are whole and may be read";
    Err(Failure::usage(error, hint))
}
