//! Whether a case still stands: its files, the objects it was made of, and its rows.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use outflow_query::AnswerFormat;
use outflow_record::Format;

use super::{manifest, rows, unwritten};
use crate::exit::{Exit, Failure};
use crate::session::SessionArgs;
use crate::sources::SelectArgs;
use crate::voice::Voice;

/// Check that a case is as it was written, and that the objects it was made of still say the same.
///
/// Every file is compared with the manifest. Then the objects are read again, where they were read from or below --source: their
/// digests are compared, and each query is asked of them again and must return the same rows.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The folder of the case.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Read the objects from here, and not from where they were read for the lake. May be repeated.
    #[arg(long = "source", value_name = "SOURCE")]
    sources: Vec<OsString>,
    /// Compare the files with the manifest alone.
    #[arg(long, conflicts_with = "sources")]
    files_only: bool,
    #[command(flatten)]
    select: SelectArgs,
}

pub(super) fn run(
    args: &VerifyArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    let mut wrong = files(&args.dir)?;
    if !args.files_only && wrong.is_empty() {
        wrong.extend(objects(args, flow_format, voice)?);
    }
    for what in &wrong {
        voice.error(
            &[what],
            "the case does not stand as it was written: compare it with another copy",
        );
    }
    if wrong.is_empty() {
        let checked = if args.files_only {
            "its files are"
        } else {
            "its files, objects and rows are"
        };
        voice.note(&format!(
            "`{}` stands: {checked} what they were",
            args.dir.display()
        ));
        return Ok(Exit::Done);
    }
    Ok(Exit::Unfinished)
}

/// What of the files is not as the manifest says.
fn files(dir: &Path) -> Result<Vec<String>, Failure> {
    let no_case = |error: anyhow::Error| {
        Failure::usage(
            error,
            "name a folder that `outflow case export` has written",
        )
    };
    let path = dir.join(manifest::NAME);
    let text = fs::read_to_string(&path)
        .map_err(|error| no_case(anyhow!("could not read `{}`: {error}", path.display())))?;
    let kept = manifest::parse(&text).map_err(|line| {
        no_case(anyhow!(
            "`{}`, line {line}: no digest of a file",
            path.display()
        ))
    })?;
    let there = manifest::of(dir)
        .map_err(|error| no_case(anyhow!("could not read `{}`: {error}", dir.display())))?;
    let mut wrong = Vec::new();
    for (name, digest) in &kept {
        match there.get(name) {
            None => wrong.push(format!("`{name}` is missing")),
            Some(other) if other != digest => wrong.push(format!("`{name}` was changed")),
            Some(_) => {}
        }
    }
    let added = there.keys().filter(|name| !kept.contains_key(*name));
    wrong.extend(added.map(|name| format!("`{name}` was added")));
    Ok(wrong)
}

/// What of the objects is not as it was.
fn objects(
    args: &VerifyArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Vec<String>, Failure> {
    let kept = kept(&args.dir)?;
    let read = match args.sources.is_empty() {
        true => kept.keys().map(OsString::from).collect(),
        false => args.sources.clone(),
    };
    if read.is_empty() {
        return Ok(Vec::new());
    }
    let again = SessionArgs::of_sources(read, &args.select);
    let opened = again.open(None, flow_format, voice)?;
    let mut wrong = Vec::new();
    let scratch = tempfile::tempdir().map_err(|error| unwritten(Path::new("TMPDIR"), error))?;
    let found = scratch.path().join("sources.csv");
    let ask = |sql: &str, path: &Path| {
        let files = [(AnswerFormat::Csv, path)];
        rows::write(&opened.runtime, &opened.session, sql, Vec::new(), &files)
    };
    ask("SELECT uri, sha256 FROM sources", &found)?;
    let (_, found) = table(&found)?;
    let found: BTreeMap<String, String> = found
        .into_iter()
        .filter_map(|row| Some((row.first()?.clone(), row.get(1)?.clone())))
        .collect();
    let digests: BTreeSet<&String> = found.values().collect();
    for (uri, sha256) in &kept {
        // Under --source it may lie elsewhere: then its digest tells it.
        match found.get(uri) {
            Some(digest) if digest == sha256 => {}
            _ if digests.contains(sha256) => {}
            Some(_) => wrong.push(format!("the object `{uri}` is not what it was")),
            None => wrong.push(format!("the object `{uri}` was not found")),
        }
    }
    if !wrong.is_empty() {
        return Ok(wrong);
    }
    for path in queries(&args.dir)? {
        let sql = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let again = scratch.path().join(format!("{name}.csv"));
        ask(sql.trim_end().trim_end_matches(';'), &again)?;
        if without_sources(&again)? != without_sources(&path.with_extension("csv"))? {
            wrong.push(format!(
                "the rows of `{name}` are not those that its query returns"
            ));
        }
    }
    Ok(wrong)
}

/// The digests of the objects that `sources.csv` names, by their names.
fn kept(dir: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let (_, rows) = table(&dir.join("sources.csv"))?;
    let source = |row: Vec<String>| Some((row.get(1)?.clone(), row.get(5)?.clone()));
    Ok(rows.into_iter().filter_map(source).collect())
}

fn queries(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = dir.join("rows");
    let entries = fs::read_dir(&folder).map_err(|error| unreadable(&folder, error))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "sql"))
        .collect();
    paths.sort();
    Ok(paths)
}

/// The rows of a CSV file without their order and without the ids of sources, which depend on where these lie.
fn without_sources(path: &Path) -> Result<Vec<Vec<String>>, Failure> {
    let (header, mut rows) = table(path)?;
    let hidden = header.iter().position(|name| name == "source_id");
    if let Some(at) = hidden {
        for row in &mut rows {
            row[at].clear();
        }
    }
    rows.sort();
    Ok(rows)
}

/// The header of a CSV file, and the rows behind it, which are as long.
fn table(path: &Path) -> Result<(Vec<String>, Vec<Vec<String>>), Failure> {
    let texts = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
    let read = || -> csv::Result<_> {
        let mut reader = csv::Reader::from_path(path)?;
        let header = texts(reader.headers()?);
        let rows = reader.records().map(|record| Ok(texts(&record?)));
        Ok((header, rows.collect::<csv::Result<_>>()?))
    };
    read().map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::unfinished(
        anyhow!("could not read `{}`: {error}", path.display()),
        "see that the case is whole, and may be read",
    )
}
