//! Files, and what each of them is.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use outflow_record::Timestamp;
use serde_json::{Map, Value};

use super::{known_lists, terraform};
use crate::Error;

/// Largest file that is read: states of large organisations have some tens of megabytes. A larger one is an error.
pub(super) const FILE_BYTES_MAX: u64 = 512 << 20;

/// What names of files end in that are looked at in folders.
const NAMES: [&str; 2] = [".json", ".tfstate"];

/// A file that is understood.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) path: PathBuf,
    pub(super) written_at: Timestamp,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    /// JSON of AWS Config.
    Config(Value),
    /// What AWS's command line prints.
    Lists(Map<String, Value>),
    /// One of a list, as AWS's command line describes those of Network Firewall.
    One(&'static str, Map<String, Value>),
    Terraform(terraform::Kind, Map<String, Value>),
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) documents: Vec<Document>,
    /// Files of folders that are none of these.
    pub(super) passed_over: Vec<PathBuf>,
}

/// Reads files, and those of folders and of what is below them, in order of name. Links in folders are not followed.
pub(super) fn read(sources: &[PathBuf]) -> Result<Read, Error> {
    let mut read = Read::default();
    for source in sources {
        let metadata = fs::metadata(source).map_err(failed(source))?;
        if !metadata.is_dir() {
            let document = document(source)?;
            let document = document.ok_or_else(|| Error::Source {
                path: source.clone(),
                what: "it is none of the documents that are understood".to_owned(),
            })?;
            read.documents.push(document);
            continue;
        }
        for path in files(source)? {
            match document(&path)? {
                Some(document) => read.documents.push(document),
                None => read.passed_over.push(path),
            }
        }
    }
    if read.documents.is_empty() {
        return Err(Error::Source {
            path: sources.first().cloned().unwrap_or_default(),
            what: "there is no document among the files that is understood".to_owned(),
        });
    }
    Ok(read)
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Read { path, source }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(failed(&folder))? {
            let entry = entry.map_err(failed(&folder))?;
            let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
            let kind = entry.file_type().map_err(failed(&folder))?;
            // Terraform keeps copies of others' modules and of states in hidden folders.
            if kind.is_dir() && !name.starts_with('.') {
                folders.push(entry.path());
            } else if kind.is_file() && NAMES.iter().any(|end| name.ends_with(end)) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a file; nothing if it is JSON of something else.
fn document(path: &Path) -> Result<Option<Document>, Error> {
    let wrong = |what: String| Error::Source {
        path: path.to_owned(),
        what,
    };
    let metadata = fs::metadata(path).map_err(failed(path))?;
    if metadata.len() > FILE_BYTES_MAX {
        return Err(wrong(format!(
            "it has more than {} MiB",
            FILE_BYTES_MAX >> 20
        )));
    }
    let bytes = fs::read(path).map_err(failed(path))?;
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|error| wrong(format!("it is no JSON: {error}")))?;
    let Value::Object(object) = value else {
        return Ok(None);
    };
    let content = if let Some(kind) = terraform::kind(&object) {
        Content::Terraform(kind, object)
    } else if object.contains_key("configurationItems") || object.contains_key("ConfigurationItems")
    {
        Content::Config(object.into())
    } else if object.keys().any(|key| file_of(key).is_some()) {
        Content::Lists(object)
    } else if let Some(list) = list_of_one(&object) {
        Content::One(list, object)
    } else {
        return Ok(None);
    };
    let written = metadata.modified().map_err(failed(path))?;
    let written = written.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Some(Document {
        path: path.to_owned(),
        written_at: Timestamp(i64::try_from(written.as_secs()).unwrap_or(i64::MAX)),
        content,
    }))
}

/// The list of what a document describes alone.
fn list_of_one(object: &Map<String, Value>) -> Option<&'static str> {
    let alone = [
        ("Firewall", "Firewalls"),
        ("FirewallPolicy", "FirewallPolicies"),
        ("RuleGroup", "RuleGroups"),
    ];
    let found = alone
        .into_iter()
        .find(|(key, _)| object.get(*key).is_some_and(Value::is_object));
    found.map(|(_, list)| list)
}

/// The file of a snapshot that has a list.
pub(super) fn file_of(list: &str) -> Option<&'static str> {
    let mut known = known_lists();
    known.find(|(own, _)| *own == list).map(|(_, file)| file)
}
