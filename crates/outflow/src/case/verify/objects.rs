//! The objects that a case was made of, read again.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;

use outflow_ingest::Source;
use outflow_query::{AnswerFormat, Only};
use outflow_record::Format;

use super::evidence::Queries;
use super::{Checked, VerifyArgs, table, without_sources};
use crate::case::{rows, unwritten};
use crate::exit::{Exit, Failure};
use crate::session::{Opened, SessionArgs};
use crate::voice::Voice;

/// Tells what of the objects is not as it was, each of them, and which rows they do not return any more.
pub(super) fn compare(
    args: &VerifyArgs,
    queries: &Queries,
    how: (Option<Format>, Voice),
    checked: &mut Checked,
) -> Result<(), Failure> {
    let voice = how.1;
    let wrong = &mut checked.wrong;
    let before = wrong.len();
    let kept = kept(&args.dir, wrong)?;
    if kept.is_empty() {
        if !queries.is_empty() {
            let lacking = "`sources.csv` names no object, and there are rows of evidence";
            wrong.push(lacking.to_owned());
        }
        return Ok(());
    }
    let Some((opened, missing)) = open(args, &kept, how, wrong)? else {
        return Ok(());
    };
    let scratch = tempfile::tempdir().map_err(|error| unwritten(Path::new("TMPDIR"), error))?;
    let found = scratch.path().join("sources.csv");
    ask(&opened, "SELECT uri, sha256 FROM sources", &found)?;
    let (_, found) = table(&found)?;
    let found: BTreeMap<String, String> = found
        .into_iter()
        .filter_map(|row| Some((row.first()?.clone(), row.get(1)?.clone())))
        .collect();
    let digests: BTreeSet<&String> = found.values().collect();
    for (uri, sha256) in &kept {
        // Under --source it may lie elsewhere: then its digest tells it.
        match found.get(uri) {
            _ if missing.contains(uri) => {}
            Some(digest) if digest == sha256 => {}
            _ if digests.contains(sha256) => {}
            Some(_) => wrong.push(format!("the object `{uri}` is not what it was")),
            None => wrong.push(format!(
                "the object `{uri}` was not found, or could not be read"
            )),
        }
    }
    checked.objects = kept.len();
    if wrong.len() > before {
        voice.note(
            "the queries of evidence were not asked again, as not all objects are what they were",
        );
        return Ok(());
    }
    for (name, sql) in queries {
        let again = scratch.path().join(format!("{name}.csv"));
        ask(&opened, sql.trim_end().trim_end_matches(';'), &again)?;
        let csv = args.dir.join("rows").join(format!("{name}.csv"));
        if without_sources(&again)? != without_sources(&csv)? {
            wrong.push(format!(
                "the rows of `{name}` are not those that its query returns"
            ));
        }
    }
    checked.queries = queries.len();
    Ok(())
}

fn ask(opened: &Opened, sql: &str, path: &Path) -> Result<(), Failure> {
    let files = [(AnswerFormat::SheetCsv, path)];
    let asked = rows::write(&opened.runtime, &opened.session, sql, Vec::new(), &files);
    // It is the case that asks it, not who verifies.
    asked.map(|_| ()).map_err(of_case)
}

/// A failure for which the arguments are not to blame.
fn of_case(failure: Failure) -> Failure {
    Failure {
        exit: Exit::Unfinished,
        ..failure
    }
}

/// A session over what is there of the objects, or over --source, and the objects that are not there, which are told; none if none
/// is.
fn open(
    args: &VerifyArgs,
    kept: &BTreeMap<String, String>,
    (flow_format, voice): (Option<Format>, Voice),
    wrong: &mut Vec<String>,
) -> Result<Option<(Opened, BTreeSet<String>)>, Failure> {
    let session = |read: Vec<OsString>| {
        let again = SessionArgs::of_sources(read, &args.select);
        again.open(Only::default(), None, flow_format.clone(), voice)
    };
    if !args.sources.is_empty() {
        let opened = session(args.sources.clone())?;
        return Ok(Some((opened, BTreeSet::new())));
    }
    let mut missing = BTreeSet::new();
    let mut miss = |uri: &str, why: String| {
        wrong.push(why);
        missing.insert(uri.to_owned());
    };
    for uri in kept.keys() {
        if let Some(why) = unfit(uri) {
            miss(uri, why);
        }
    }
    let there = |missing: &BTreeSet<String>| {
        let there = kept.keys().filter(|uri| !missing.contains(*uri));
        there.map(OsString::from).collect::<Vec<OsString>>()
    };
    let mut read = there(&missing);
    if read.is_empty() {
        return Ok(None);
    }
    let failure = match session(read) {
        Ok(opened) => return Ok(Some((opened, missing))),
        Err(failure) => failure,
    };
    // One that is not in its bucket any more ends the list of all: which it is, each tells alone.
    let before = missing.len();
    for uri in there(&missing) {
        let alone = args.select.list_whole(std::slice::from_ref(&uri));
        if let Err(alone) = alone {
            let uri = uri.to_string_lossy().into_owned();
            wrong.push(format!("the object `{uri}` was not found: {}", alone.error));
            missing.insert(uri);
        }
    }
    read = there(&missing);
    match (missing.len() > before, read.is_empty()) {
        (false, _) => Err(of_case(failure)),
        (true, true) => Ok(None),
        (true, false) => {
            let opened = session(read).map_err(of_case)?;
            Ok(Some((opened, missing)))
        }
    }
}

/// Why an object cannot be read from where it was, as far as that is told without a request: what has taken the place of a file
/// may have no end, or nobody who writes.
fn unfit(uri: &str) -> Option<String> {
    let path = match Source::named(uri.as_ref()) {
        Ok(Source::S3(_)) => return None,
        Ok(Source::Path(path)) if path.is_absolute() => path,
        _ => {
            return Some(format!(
                "`{uri}` in `sources.csv` names no file and no object in S3"
            ));
        }
    };
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => None,
        Ok(_) => Some(format!(
            "the object `{uri}` is no file any more, but a folder, a pipe or a device, and is not read"
        )),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Some(format!("the object `{uri}` was not found"))
        }
        Err(error) => Some(format!("the object `{uri}` could not be read: {error}")),
    }
}

/// The digests of the objects that `sources.csv` names, by their names.
fn kept(dir: &Path, wrong: &mut Vec<String>) -> Result<BTreeMap<String, String>, Failure> {
    let (_, rows) = table(&dir.join("sources.csv"))?;
    let mut kept = BTreeMap::new();
    for row in rows {
        let (Some(uri), Some(sha256)) = (row.get(1), row.get(5)) else {
            continue;
        };
        let other = kept.insert(uri.clone(), sha256.clone());
        if other.is_some_and(|other| other != *sha256) {
            wrong.push(format!("`sources.csv` has two digests of `{uri}`"));
        }
    }
    Ok(kept)
}
