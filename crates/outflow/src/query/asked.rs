//! What is asked: SQL, and values for the places in it.

use std::fs::File;
use std::io::{self, Read};

use anyhow::{Context as _, anyhow};
use outflow_query::{
    Library, LibraryError, ParameterKind, QUERY_BYTES_MAX, ScalarValue, each_once,
};

use super::QueryArgs;
use crate::exit::Failure;

pub(crate) struct Asked {
    pub(crate) sql: String,
    pub(crate) values: Vec<(String, ScalarValue)>,
}

/// Reads `name=value`.
pub(super) fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

impl Asked {
    /// SQL without places to fill in.
    pub(super) fn plain(sql: String) -> Self {
        Self {
            sql,
            values: Vec::new(),
        }
    }

    /// A query that comes with the program, with these values and its defaults for the others.
    pub(crate) fn shipped(name: &str, given: &[(String, String)]) -> Result<Self, Failure> {
        Self::saved(&library(None)?, name, given)
    }

    /// A saved query with these values.
    pub(super) fn saved(
        library: &Library,
        name: &str,
        given: &[(String, String)],
    ) -> Result<Self, Failure> {
        let query = library.get(name).map_err(unusable)?;
        Ok(Self {
            sql: query.sql.clone(),
            values: query.bind(given).map_err(unusable)?,
        })
    }

    /// What the arguments ask; none if they ask nothing.
    pub(super) fn of(args: &QueryArgs) -> Result<Option<Self>, Failure> {
        args.of.check()?;
        if let Some(name) = &args.name {
            let library = library(args.queries.as_deref())?;
            return Self::saved(&library, name, &args.params).map(Some);
        }
        each_once(&args.params).map_err(unusable)?;
        let text = |(name, value): &(String, String)| {
            let value = ParameterKind::Text.parse(value);
            value.map(|value| (name.clone(), value))
        };
        Ok(own(args)?.map(|sql| Self {
            sql,
            values: args.params.iter().filter_map(text).collect(),
        }))
    }
}

fn own(args: &QueryArgs) -> Result<Option<String>, Failure> {
    let hint = "give one as an argument, with --file or with --name; `outflow query --list` lists the saved ones";
    let unread = |error: anyhow::Error| Failure::usage(error, hint);
    let sql = match (&args.sql, &args.file) {
        (Some(sql), _) if sql == "-" => {
            text(io::stdin().lock(), "standard input").map_err(unread)?
        }
        (Some(sql), _) => sql.clone(),
        (None, Some(path)) => {
            let name = format!("`{}`", path.display());
            let opened = File::open(path).with_context(|| format!("could not read {name}"));
            text(opened.map_err(unread)?, &name).map_err(unread)?
        }
        (None, None) => return Ok(None),
    };
    if sql.trim().is_empty() {
        return Err(unread(anyhow!("the query is empty")));
    }
    Ok(Some(sql))
}

/// A query that comes from elsewhere, whole or not at all.
fn text(from: impl Read, name: &str) -> anyhow::Result<String> {
    let mut sql = String::new();
    let limited = &mut from.take(QUERY_BYTES_MAX + 1);
    limited
        .read_to_string(&mut sql)
        .with_context(|| format!("could not read the query from {name}"))?;
    if sql.len() as u64 > QUERY_BYTES_MAX {
        return Err(anyhow!(
            "the query in {name} is longer than {QUERY_BYTES_MAX} bytes"
        ));
    }
    // What some editors put before the first line.
    Ok(sql
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(sql))
}

/// The saved queries: ours, and those of a folder.
pub(super) fn library(folder: Option<&std::path::Path>) -> Result<Library, Failure> {
    let library = Library::shipped().map_err(unusable)?;
    match folder {
        Some(folder) => library.with_folder(folder).map_err(unusable),
        None => Ok(library),
    }
}

/// What it means that a saved query cannot be asked.
pub(super) fn unusable(error: LibraryError) -> Failure {
    let hint = match &error {
        LibraryError::Unknown {
            nearest: Some(name),
            ..
        } => format!("did you mean `{name}`? `outflow query --list` lists all"),
        LibraryError::Unknown { nearest: None, .. } => {
            "`outflow query --list` lists all".to_owned()
        }
        LibraryError::Missing { parameter, .. } | LibraryError::Value { parameter, .. } => {
            format!("give one with -p {parameter}=…")
        }
        LibraryError::Repeated { parameter } => format!("give {parameter} one value"),
        LibraryError::Needless { query, .. } => {
            format!("`outflow query --show {query}` tells what each means")
        }
        LibraryError::Header { .. } => {
            "a saved query begins with `-- name: …`, `-- question: …`, and a `-- param: NAME TYPE = DEFAULT: …` for each \
             place $NAME, behind TYPE perhaps the values that it takes, as 1.., 0..23 or a|b"
                .to_owned()
        }
        LibraryError::Read { .. } => "name a folder of .sql files with --queries".to_owned(),
        LibraryError::Twice { .. } => "rename one of them".to_owned(),
    };
    Failure::usage(error, hint)
}
