//! Whether a case still stands: its files, the objects it was made of, and its rows.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use outflow_query::{AnswerFormat, Only};
use outflow_record::Format;
use sha2::{Digest as _, Sha256};

use super::bundle::file_name;
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
    /// The SHA-256 of the manifest, as `export` told it: whoever may change a file of the case may change the manifest, too.
    #[arg(long, value_name = "SHA256")]
    manifest: Option<String>,
    /// Compare the files with the manifest and with one another alone.
    #[arg(long, conflicts_with = "sources")]
    files_only: bool,
    #[command(flatten)]
    select: SelectArgs,
}

/// What every case has.
const NEEDED: [&str; 5] = [
    "case.json",
    "incident.json",
    "incident.ocsf.json",
    "report.html",
    "sources.csv",
];

/// Bytes of a manifest that are read: some hundred thousand files.
const MANIFEST_BYTES_MAX: u64 = 16 << 20;

/// What was looked at, and what of it is not as it was.
#[derive(Default)]
struct Checked {
    files: usize,
    objects: usize,
    queries: usize,
    wrong: Vec<String>,
}

pub(super) fn run(
    args: &VerifyArgs,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    let mut checked = Checked::default();
    files(args, &mut checked)?;
    if checked.wrong.is_empty() {
        let evidence = evidence(&args.dir, &mut checked)?;
        if !args.files_only && checked.wrong.is_empty() {
            objects(args, &evidence, (flow_format, voice), &mut checked)?;
        }
    }
    for what in &checked.wrong {
        voice.error(
            &[what],
            "the case does not stand as it was written: compare it with another copy",
        );
    }
    if !checked.wrong.is_empty() {
        return Ok(Exit::Unfinished);
    }
    let Checked {
        files,
        objects,
        queries,
        ..
    } = checked;
    let read_again = match args.files_only {
        true => String::new(),
        false => format!("; read again: objects {objects}, queries of evidence {queries}"),
    };
    voice.note(&format!(
        "`{}` stands: files {files}{read_again}",
        args.dir.display()
    ));
    if args.manifest.is_none() {
        voice.note("whether the manifest itself was changed, its SHA-256 tells that `export` said: give it with --manifest");
    }
    Ok(Exit::Done)
}

/// What of the files is not as the manifest says.
fn files(args: &VerifyArgs, checked: &mut Checked) -> Result<(), Failure> {
    let no_case = |error: anyhow::Error| {
        Failure::usage(
            error,
            "name a folder that `outflow case export` has written",
        )
    };
    let dir = &args.dir;
    let path = dir.join(manifest::NAME);
    let text = manifest::read(&path, MANIFEST_BYTES_MAX)
        .map_err(|error| no_case(anyhow!("could not read `{}`: {error}", path.display())))?;
    if let Some(wanted) = &args.manifest
        && *wanted.to_ascii_lowercase() != manifest::hex(&Sha256::digest(&text))
    {
        checked.wrong.push("the manifest was changed".to_owned());
    }
    let kept = manifest::parse(&text).map_err(|line| {
        no_case(anyhow!(
            "`{}`, line {line}: no digest of a file, or of one that is named before",
            path.display()
        ))
    })?;
    let there = manifest::of(dir)
        .map_err(|error| no_case(anyhow!("could not read `{}`: {error}", dir.display())))?;
    let wrong = &mut checked.wrong;
    let lacking = NEEDED.iter().filter(|name| !kept.contains_key(**name));
    wrong.extend(lacking.map(|name| format!("the manifest does not name `{name}`")));
    for (name, digest) in &kept {
        match there.get(name) {
            None => wrong.push(format!("`{name}` is missing")),
            Some(other) if other != digest => wrong.push(format!("`{name}` was changed")),
            Some(_) => {}
        }
    }
    let added = there.keys().filter(|name| !kept.contains_key(*name));
    wrong.extend(added.map(|name| format!("`{name}` was added")));
    checked.files = kept.len();
    Ok(())
}

/// The queries of the incident's findings, by the names of their files: each is in the case as its finding has it, and its
/// Parquet file says what its CSV file says.
fn evidence(dir: &Path, checked: &mut Checked) -> Result<BTreeMap<String, String>, Failure> {
    let path = dir.join("incident.json");
    let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
    let mut queries = BTreeMap::new();
    for line in text.lines() {
        let told: serde_json::Value =
            serde_json::from_str(line).map_err(|error| unreadable(&path, error))?;
        if told["type"] != "finding" {
            continue;
        }
        if let (Some(id), Some(sql)) = (told["id"].as_str(), told["evidence"]["sql"].as_str()) {
            queries.insert(file_name(id), sql.to_owned());
        }
    }
    for (name, sql) in &queries {
        let file = |ending: &str| dir.join("rows").join(format!("{name}.{ending}"));
        let [query, csv, parquet] = ["sql", "csv", "parquet"].map(file);
        if let Some(lacking) = [&query, &csv, &parquet]
            .into_iter()
            .find(|path| !path.is_file())
        {
            checked
                .wrong
                .push(format!("`{}` is missing", lacking.display()));
            continue;
        }
        let kept = fs::read_to_string(&query).map_err(|error| unreadable(&query, error))?;
        if kept.trim_end() != sql.trim_end() {
            checked
                .wrong
                .push(format!("`{name}.sql` is not the query of its finding"));
        }
        let scratch = tempfile::NamedTempFile::new()
            .map_err(|error| unwritten(Path::new("TMPDIR"), error))?;
        let opened =
            File::open(&parquet).and_then(|file| outflow_query::parquet_as_csv(file, &scratch));
        if opened.is_err() || table(scratch.path())? != table(&csv)? {
            checked.wrong.push(format!(
                "`{name}.parquet` does not say what `{name}.csv` says"
            ));
        }
    }
    Ok(queries)
}

/// What of the objects is not as it was.
fn objects(
    args: &VerifyArgs,
    queries: &BTreeMap<String, String>,
    (flow_format, voice): (Option<Format>, Voice),
    checked: &mut Checked,
) -> Result<(), Failure> {
    let kept = kept(&args.dir)?;
    if kept.is_empty() {
        if !queries.is_empty() {
            let lacking = "`sources.csv` names no object, and there are rows of evidence";
            checked.wrong.push(lacking.to_owned());
        }
        return Ok(());
    }
    let read = match args.sources.is_empty() {
        true => kept.keys().map(OsString::from).collect(),
        false => args.sources.clone(),
    };
    let again = SessionArgs::of_sources(read, &args.select);
    let opened = again.open(Only::default(), None, flow_format, voice)?;
    let wrong = &mut checked.wrong;
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
    checked.objects = kept.len();
    if !wrong.is_empty() {
        return Ok(());
    }
    for (name, sql) in queries {
        let again = scratch.path().join(format!("{name}.csv"));
        ask(sql.trim_end().trim_end_matches(';'), &again)?;
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

/// The digests of the objects that `sources.csv` names, by their names.
fn kept(dir: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let (_, rows) = table(&dir.join("sources.csv"))?;
    let source = |row: Vec<String>| Some((row.get(1)?.clone(), row.get(5)?.clone()));
    Ok(rows.into_iter().filter_map(source).collect())
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
