//! Whether a case still stands: its files and what they say of one another, the objects it was made of, and its rows.

mod evidence;
mod objects;
mod told;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use outflow_record::Format;
use sha2::{Digest as _, Sha256};

use super::manifest;
use crate::exit::{Exit, Failure};
use crate::sources::SelectArgs;
use crate::voice::Voice;

/// Check that a case is as it was written, and that the objects it was made of still say the same.
///
/// Every file is compared with the manifest, and what the files say with one another. Then the objects are read again, where they were read from or below --source: their
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
        let told = told::Told::read(&args.dir)?;
        told.compare(&args.dir, &mut checked.wrong)?;
        let queries = evidence::queries(&told.findings);
        evidence::compare(&args.dir, &queries, &mut checked.wrong)?;
        if !args.files_only {
            let how = (flow_format, voice);
            objects::compare(args, &queries, how, &mut checked)?;
        }
    } else if !args.files_only {
        voice.note("what the files say, and the objects, were not looked at: the files are not those of the manifest");
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
    let text = manifest::read(&path, MANIFEST_BYTES_MAX).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            no_case(anyhow!("could not read `{}`: {error}", path.display()))
        }
        _ => unreadable(&path, error),
    })?;
    if let Some(wanted) = &args.manifest
        && *wanted.to_ascii_lowercase() != manifest::hex(&Sha256::digest(&text))
    {
        checked.wrong.push("the manifest was changed".to_owned());
    }
    let kept = manifest::parse(&text).map_err(|line| {
        let what = format!("line {line}: no digest of a file, or of one that is named before");
        unreadable(&path, what)
    })?;
    let there = manifest::of(dir).map_err(|error| unreadable(dir, error))?;
    let wrong = &mut checked.wrong;
    let lacking = NEEDED.iter().filter(|name| !kept.contains_key(**name));
    wrong.extend(lacking.map(|name| format!("the manifest does not name `{name}`")));
    for (name, digest) in &kept {
        match there.get(name) {
            None => wrong.push(format!("`{name}` is missing")),
            Some(other) if other == manifest::NO_FILE => wrong.push(format!(
                "`{name}` is no file, but a link, a pipe or a device, and is not read"
            )),
            Some(other) if other != digest => wrong.push(format!("`{name}` was changed")),
            Some(_) => {}
        }
    }
    let added = there.keys().filter(|name| !kept.contains_key(*name));
    wrong.extend(added.map(|name| format!("`{name}` was added")));
    checked.files = kept.len();
    Ok(())
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

/// A file that is one JSON value.
fn json(path: &Path) -> Result<serde_json::Value, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
    serde_json::from_str(&text).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::unfinished(
        anyhow!("could not read `{}`: {error}", path.display()),
        "see that the case is whole, and may be read",
    )
}
