//! Whether what an incident was judged by is what the case keeps of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use outflow_finding::html_text;
use serde_json::Value;

use super::super::unreadable;
use super::{Same, same};
use crate::case::{judged, manifest};
use crate::config::Config;
use crate::exit::Failure;
use crate::sources;

/// Compares `case.json`, the files that it names, the page, and the digest of parameters that the incident has.
pub(super) fn compare(
    dir: &Path,
    made: &Value,
    parameters: &Value,
    wrong: &mut Vec<String>,
) -> Result<(), Failure> {
    let page = dir.join("report.html");
    let page = fs::read_to_string(&page).map_err(|error| unreadable(&page, error))?;
    let there = there(dir)?;
    let mut named = BTreeSet::new();
    for (what, told) in made["judged_by"].as_object().into_iter().flatten() {
        let (Some(file), Some(sha256)) = (told["file"].as_str(), told["sha256"].as_str()) else {
            continue;
        };
        named.insert(file.to_owned());
        let what = what.replace('_', " ");
        match there.get(file) {
            None => wrong.push(format!("`{file}`, the {what} of `case.json`, is missing")),
            Some(digest) if digest != sha256 => wrong.push(format!(
                "`{file}` has another digest than `case.json` says of the {what}"
            )),
            Some(_) => {}
        }
        if !page.contains(&html_text(sha256)) {
            wrong.push(format!(
                "`report.html` does not have the digest of the {what} that `case.json` has"
            ));
        }
    }
    for file in there.keys().filter(|file| !named.contains(*file)) {
        wrong.push(format!("`case.json` does not name `{file}`"));
    }
    digest(dir, made, parameters, wrong)
}

/// The digests of the files of what was judged by, by their names in the case.
fn there(dir: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let folder = dir.join(judged::FOLDER);
    let there = manifest::of(&folder).map_err(|error| unreadable(&folder, error))?;
    let named = |(name, digest)| (format!("{}/{name}", judged::FOLDER), digest);
    Ok(there.into_iter().map(named).collect())
}

/// Compares the digest of parameters that findings have with the configuration that is kept, and with the border.
fn digest(
    dir: &Path,
    made: &Value,
    parameters: &Value,
    wrong: &mut Vec<String>,
) -> Result<(), Failure> {
    same(
        wrong,
        &Same {
            what: "the version of the program",
            here: ("case.json", &made["outflow"]),
            there: ("incident.json", &parameters["version"]),
        },
    );
    let path = dir.join(judged::FOLDER).join(judged::EFFECTIVE);
    let config = Config::read(Some(&path)).map_err(|failure| unreadable(&path, failure.error))?;
    let Some(border) = made["border"].as_str() else {
        wrong.push("`case.json` does not say where the border was".to_owned());
        return Ok(());
    };
    let own = sources::networks(&config.internal)
        .map_err(|failure| unreadable(&path, failure.error))?
        .to_string();
    if own != border {
        wrong.push(format!(
            "the border in `case.json` is not that of `{}/{}`",
            judged::FOLDER,
            judged::EFFECTIVE
        ));
    }
    if made["judged_by"]["configuration"]["sha256"] != parameters["sha256"] {
        wrong.push(format!(
            "findings say that they were judged by another configuration than `{}/{}`",
            judged::FOLDER,
            judged::EFFECTIVE
        ));
    }
    Ok(())
}
