//! Findings of GuardDuty, from files and folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use outflow_enrich::inventory::{CallState, Collected, CollectedCall};
use outflow_ingest::{CONTEXT_INFLATED_BYTES_MAX, Context, Object, ReadError, Reader};
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

/// Adds what the snapshots of an inventory have, of each account and region the latest. It is said to be on only where a
/// detector is, and what is not known of it is doubted.
pub(super) fn collected(
    given: Option<GuardDuty>,
    context: &Context,
) -> Result<Option<GuardDuty>, Failure> {
    let mut latest: BTreeMap<(&str, &str), &(PathBuf, Collected)> = BTreeMap::new();
    for snapshot in &context.collected {
        let own = &snapshot.1;
        // Times are texts that sort as times.
        let known = latest
            .entry((&own.account_id, &own.region))
            .or_insert(snapshot);
        if known.1.taken_at <= own.taken_at {
            *known = snapshot;
        }
    }
    let (mut findings, mut reader) = (given, Reader::new());
    for (folder, own) in latest.into_values() {
        for call in own.calls.iter().filter(|call| is_of_guardduty(call)) {
            let findings = findings.get_or_insert_default();
            if call.state != CallState::Ok {
                let (state, region) = (call.state.name(), &own.region);
                let why = format!("{} of GuardDuty in {region}: {state}", call.list);
                findings.doubt(&own.account_id, why);
            }
            let Some(path) = call.file.as_ref().map(|file| folder.join(file)) else {
                continue;
            };
            let json = content(&path, &mut reader)?;
            let source = path.display().to_string();
            let added = match call.list.as_str() {
                "Detectors" => {
                    findings.add_detectors(&source, &json, (&own.account_id, &own.region))
                }
                _ => findings.add(&source, &json),
            };
            let hint = "collect the inventory anew: the file was changed or is damaged";
            added.map_err(|error| Failure::usage(error, hint))?;
        }
    }
    Ok(findings)
}

/// Whether a call tells of detectors or findings.
fn is_of_guardduty(call: &CollectedCall) -> bool {
    matches!(call.list.as_str(), "Detectors" | "Findings")
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
