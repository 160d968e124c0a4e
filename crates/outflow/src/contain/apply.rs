//! Applying a containment, and taking it back.

use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use outflow_deliver::{Containing, Error, Options, Undo};
use outflow_posture::Containment;
use tokio::runtime::Runtime;

use crate::exit::{Exit, Failure};
use crate::output;
use crate::voice::Voice;

/// The file, in the folder of a containment, that takes it back.
pub(super) const UNDO: &str = "undo.json";

/// Rehearses, asks, keeps what takes it back, and applies.
pub(super) fn apply(
    containment: &Containment,
    folder: &Path,
    server: Option<&str>,
    is_asked: bool,
    voice: Voice,
) -> Result<Exit, Failure> {
    let runtime = runtime()?;
    let api = runtime.block_on(Containing::connect(&options(server)));
    let api = api.map_err(refused)?;
    let mut undo = runtime
        .block_on(api.prepare(containment))
        .map_err(refused)?;
    voice.note("every change that AWS lets be rehearsed was, and would be allowed");
    if is_asked {
        confirmed(&containment.incident, "apply it")?;
    }
    let path = folder.join(UNDO);
    let mut keep = |undo: &Undo| kept(&path, undo);
    let applied = runtime.block_on(api.apply(&mut undo, &mut keep));
    let back = format!("outflow contain --undo {}", folder.display());
    applied.map_err(|error| {
        let hint = format!("`{back}` takes back what was done");
        Failure::unfinished(error, hint)
    })?;
    voice.note(&format!("applied; `{back}` takes it back"));
    Ok(Exit::Done)
}

/// Takes back what the folder of a containment says was applied.
pub(super) fn undo(
    folder: &Path,
    server: Option<&str>,
    is_sure: bool,
    voice: Voice,
) -> Result<Exit, Failure> {
    let path = folder.join(UNDO);
    let hint = "name the folder that `outflow contain … --apply` wrote";
    let json = fs::read(&path).with_context(|| format!("could not read `{}`", path.display()));
    let json = json.map_err(|error| Failure::usage(error, hint))?;
    let mut undo = Undo::from_json(&json).map_err(|error| Failure::usage(error, hint))?;
    if !is_sure {
        confirmed(&undo.incident, "take its containment back")?;
    }
    let runtime = runtime()?;
    let api = runtime.block_on(Containing::connect(&options(server)));
    let api = api.map_err(refused)?;
    let mut keep = |undo: &Undo| kept(&path, undo);
    let left = runtime.block_on(api.undo(&mut undo, &mut keep));
    let left = left.map_err(|error| {
        let hint = "the same command goes on where it stopped";
        Failure::unfinished(error, hint)
    })?;
    if left.is_empty() {
        voice.note("taken back");
        return Ok(Exit::Done);
    }
    let lines: Vec<&str> = left.iter().map(String::as_str).collect();
    voice.error(
        &lines,
        "look who changed them; the quarantine group stays until nothing needs it",
    );
    Ok(Exit::Unfinished)
}

fn kept(path: &Path, undo: &Undo) -> io::Result<()> {
    output::to_file(path, |out| {
        serde_json::to_writer_pretty(&mut *out, undo)?;
        writeln!(out)
    })
}

fn options(server: Option<&str>) -> Options {
    Options {
        endpoint_url: server.map(str::to_owned),
        ..Options::default()
    }
}

/// Asks a person to type the id.
fn confirmed(id: &str, what: &str) -> Result<(), Failure> {
    let mut err = io::stderr().lock();
    // Nobody may be listening; then nobody answers, either.
    let _ = write!(err, "Type {id} to {what}: ").and_then(|()| err.flush());
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    let hint = "type the whole id, or give --yes";
    read.map_err(|error| Failure::usage(error, hint))?;
    if line.trim() == id {
        return Ok(());
    }
    Err(Failure::usage(
        anyhow!("it was not confirmed, and nothing was changed"),
        hint,
    ))
}

fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unfinished(error, "allow the program more threads"))
}

fn refused(error: Error) -> Failure {
    let hint = error.hint();
    match error {
        Error::Endpoint { .. } | Error::Unlike { .. } => Failure::usage(error, hint),
        _ => Failure::unfinished(error, hint),
    }
}
