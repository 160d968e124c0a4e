//! What an incident was judged by: so kept and digested that a run can be repeated, or be told from another.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context as _;
use outflow_finding::html_text;
use outflow_ingest::Context;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{manifest, unwritten};
use crate::exit::Failure;

/// The folder of a case that has it.
pub(super) const FOLDER: &str = "judged-by";

/// The file of it that has the whole configuration.
pub(super) const EFFECTIVE: &str = "effective.toml";

/// What was given, and what it comes to.
pub(super) struct Given<'a> {
    /// The configuration as it was given: what the run read of it.
    pub(super) config: Option<&'a str>,
    /// What it comes to with arguments and defaults, as a file that can be given.
    pub(super) effective: &'a str,
    /// Likewise, the suppressions.
    pub(super) suppressions: Option<&'a str>,
    /// The folder of the context, and what was read of it.
    pub(super) context: Option<(&'a Path, &'a Context)>,
}

/// A file of what was judged by, and its SHA-256.
pub(super) struct Kept {
    what: &'static str,
    file: Option<(&'static str, String)>,
}

impl Given<'_> {
    /// Writes it into the folder of a case.
    pub(super) fn write(&self, folder: &Path) -> Result<Vec<Kept>, Failure> {
        let copied = |name: &'static str, given: Option<&str>| {
            let written = given.map(|text| kept(folder, name, text.as_bytes()));
            written.transpose()
        };
        let context = match self.context {
            Some((of, context)) => {
                let bytes = serde_json::to_vec_pretty(&told(of, context))
                    .context("could not write what the context was read from")
                    .map_err(|error| unwritten(folder, error))?;
                Some(kept(folder, "context.json", &bytes)?)
            }
            None => None,
        };
        let effective = kept(folder, EFFECTIVE, self.effective.as_bytes())?;
        let files = [
            ("configuration", Some(effective)),
            (
                "configuration as given",
                copied("outflow.toml", self.config)?,
            ),
            (
                "suppressions",
                copied("suppressions.toml", self.suppressions)?,
            ),
            ("context", context),
        ];
        let files = files.into_iter().map(|(what, file)| Kept { what, file });
        Ok(files.collect())
    }
}

fn kept(
    folder: &Path,
    name: &'static str,
    bytes: &[u8],
) -> Result<(&'static str, String), Failure> {
    let path = folder.join(FOLDER).join(name);
    fs::write(&path, bytes).map_err(|error| unwritten(&path, error))?;
    Ok((name, manifest::hex(&Sha256::digest(bytes))))
}

/// The files of a context by their names below its folder, wherever that lies.
fn told(folder: &Path, context: &Context) -> Value {
    let file = |file: &outflow_ingest::ContextFile| {
        let name = file.path.strip_prefix(folder).unwrap_or(&file.path);
        json!({
            "file": name.to_string_lossy(),
            "sha256": file.sha256,
            "taken_at": file.taken_at.map(|at| at.to_string()),
        })
    };
    let files: Vec<Value> = context.files.iter().map(file).collect();
    json!({ "files": files })
}

/// The digests, for `case.json`.
pub(super) fn json(kept: &[Kept]) -> Value {
    let of = |kept: &Kept| {
        let file = kept.file.as_ref();
        let told = file
            .map(|(name, sha256)| json!({ "file": format!("{FOLDER}/{name}"), "sha256": sha256 }));
        (kept.what.replace(' ', "_"), told.unwrap_or_default())
    };
    Value::Object(kept.iter().map(of).collect())
}

/// Writes a section of a page about it.
pub(super) fn section(out: &mut dyn Write, kept: &[Kept], made: &Value) -> io::Result<()> {
    writeln!(
        out,
        "<section>\n<h2>What it was judged by</h2>\n<p>A run over the same tables with files of these digests says the same: \
         give <code>{FOLDER}/{EFFECTIVE}</code> as <code>--config</code>.</p>\n<dl class=\"facts long\">"
    )?;
    for key in ["outflow", "lake", "since", "until"] {
        if let Some(text) = made[key].as_str() {
            writeln!(out, "<dt>{key}</dt><dd>{}</dd>", html_text(text))?;
        }
    }
    if let Some(versions) = made["versions"].as_object() {
        let versions: Vec<String> = versions
            .iter()
            .map(|(table, version)| format!("{table} {version}"))
            .collect();
        writeln!(
            out,
            "<dt>versions of tables</dt><dd>{}</dd>",
            html_text(&versions.join(", "))
        )?;
    }
    for Kept { what, file } in kept {
        match file {
            Some((name, sha256)) => writeln!(
                out,
                "<dt>{what}</dt><dd>{FOLDER}/{name}<br><code>SHA-256 {sha256}</code></dd>"
            )?,
            None => writeln!(out, "<dt>{what}</dt><dd>none was given</dd>")?,
        }
    }
    writeln!(out, "</dl>\n</section>")
}
