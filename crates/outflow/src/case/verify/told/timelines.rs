//! Whether the timelines of a case hold as much as was written.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use outflow_finding::html_text;
use serde_json::Value;

use super::super::unreadable;
use crate::case::bundle::TIMELINES;
use crate::exit::Failure;

/// Compares the files of timelines with what `case.json` says of each, with the incident, and with what there is besides.
pub(super) fn compare(
    dir: &Path,
    made: &Value,
    incident: &Value,
    wrong: &mut Vec<String>,
) -> Result<(), Failure> {
    let Some(told) = made["timelines"].as_object() else {
        wrong.push("`case.json` does not say what its timelines hold".to_owned());
        return Ok(());
    };
    let mut known = BTreeSet::new();
    for (name, told) in told {
        let file = |ending: &str| format!("{TIMELINES}/{name}.{ending}");
        let moments: [fn(&str) -> Option<u64>; 2] = [moments_of_text, moments_of_lines];
        for (file, moments) in ["txt", "jsonl"].map(file).into_iter().zip(moments) {
            match text(dir, &file)?.map(|text| moments(&text)) {
                None => wrong.push(format!("`{file}`, a timeline of `case.json`, is missing")),
                Some(own) if own.is_none() || told["moments"].as_u64() != own => {
                    wrong.push(format!(
                        "`{file}` does not have the {} moments that `case.json` says",
                        told["moments"]
                    ));
                }
                Some(_) => {}
            }
            known.insert(file);
        }
    }
    others(dir, &known, wrong)?;
    let page = "timeline.html";
    let text = text(dir, page)?.unwrap_or_default();
    for key in ["id", "title"] {
        let own = incident[key].as_str().unwrap_or_default();
        if !text.contains(&html_text(own)) {
            wrong.push(format!("`{page}` does not have the {key} of the incident"));
        }
    }
    Ok(())
}

/// Tells files that are no timeline of `case.json`.
fn others(dir: &Path, known: &BTreeSet<String>, wrong: &mut Vec<String>) -> Result<(), Failure> {
    let folder = dir.join(TIMELINES);
    let unread = |error| unreadable(&folder, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unread)? {
        let name = entry.map_err(unread)?.file_name();
        names.push(format!("{TIMELINES}/{}", name.to_string_lossy()));
    }
    names.sort();
    let others = names.iter().filter(|name| !known.contains(*name));
    wrong.extend(others.map(|name| format!("`{name}` is no timeline of `case.json`")));
    Ok(())
}

/// A file's text; none without the file.
fn text(dir: &Path, name: &str) -> Result<Option<String>, Failure> {
    let path = dir.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&path, error)),
    }
}

/// Moments of a timeline for people: a mark, a time and what happened then, a line each.
fn moments_of_text(text: &str) -> Option<u64> {
    let is_moment = |line: &&str| {
        let time = line.as_bytes().get(1..10);
        time.is_some_and(|time| {
            time[0] == b' ' && time[3] == b':' && time[6] == b':' && time[1].is_ascii_digit()
        })
    };
    u64::try_from(text.lines().filter(is_moment).count()).ok()
}

/// Moments of a timeline in JSON lines; none if a line is no JSON.
fn moments_of_lines(text: &str) -> Option<u64> {
    let mut moments = 0;
    for line in text.lines() {
        let told: Value = serde_json::from_str(line).ok()?;
        moments += u64::from(told["type"] != "omitted");
    }
    Some(moments)
}
