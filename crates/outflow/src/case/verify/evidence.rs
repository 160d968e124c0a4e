//! The rows of a case, as its files have them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use serde_json::Value;

use super::{table, unreadable};
use crate::case::bundle::file_name;
use crate::case::unwritten;
use crate::exit::Failure;

/// What a finding has in `rows/`: its query, and what that returned.
const ENDINGS: [&str; 3] = ["sql", "csv", "parquet"];

/// Queries of findings, by the names of their files.
pub(super) type Queries = BTreeMap<String, String>;

/// The queries of an incident's findings.
pub(super) fn queries(findings: &[Value]) -> Queries {
    let of = |finding: &Value| {
        let (id, sql) = (
            finding["id"].as_str()?,
            finding["evidence"]["sql"].as_str()?,
        );
        Some((file_name(id), sql.to_owned()))
    };
    findings.iter().filter_map(of).collect()
}

/// Whether each query is in the case as its finding has it, its Parquet file says what its CSV file says, nothing else is among
/// them, and they have as many rows as `case.json` says.
pub(super) fn compare(
    dir: &Path,
    queries: &Queries,
    wrong: &mut Vec<String>,
) -> Result<(), Failure> {
    let folder = dir.join("rows");
    let (mut rows, mut lacks) = (0, false);
    for (name, sql) in queries {
        let [query, csv, parquet] = ENDINGS.map(|ending| folder.join(format!("{name}.{ending}")));
        if let Some(lacking) = [&query, &csv, &parquet]
            .into_iter()
            .find(|path| !path.is_file())
        {
            wrong.push(format!("`{}` is missing", lacking.display()));
            lacks = true;
            continue;
        }
        let kept = fs::read_to_string(&query).map_err(|error| unreadable(&query, error))?;
        if kept.trim_end() != sql.trim_end() {
            wrong.push(format!("`{name}.sql` is not the query of its finding"));
        }
        let scratch = tempfile::NamedTempFile::new()
            .map_err(|error| unwritten(Path::new("TMPDIR"), error))?;
        let opened =
            File::open(&parquet).and_then(|file| outflow_query::parquet_as_csv(file, &scratch));
        let told = table(&csv)?;
        if opened.is_err() || table(scratch.path())? != told {
            wrong.push(format!(
                "`{name}.parquet` does not say what `{name}.csv` says"
            ));
        }
        rows += told.1.len() as u64;
    }
    let made = super::json(&dir.join("case.json"))?;
    if !lacks && made["rows"] != rows {
        wrong.push(format!(
            "`case.json` says that there are {} rows of evidence, and there are {rows}",
            made["rows"]
        ));
    }
    others(&folder, queries, wrong)
}

/// Tells files that are of no finding.
fn others(folder: &Path, queries: &Queries, wrong: &mut Vec<String>) -> Result<(), Failure> {
    let unread = |error| unreadable(folder, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unread)? {
        names.push(entry.map_err(unread)?.file_name());
    }
    names.sort();
    for name in names {
        let name = name.to_string_lossy();
        let is_known = name
            .rsplit_once('.')
            .is_some_and(|(stem, ending)| queries.contains_key(stem) && ENDINGS.contains(&ending));
        if !is_known {
            wrong.push(format!("`rows/{name}` is of no finding of the incident"));
        }
    }
    Ok(())
}
