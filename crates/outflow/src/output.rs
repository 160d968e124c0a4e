//! Where results go.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use anyhow::Context as _;
use outflow_finding::TableOptions;

use crate::exit::{self, Failure};

/// What it means that stdout took no more.
pub(crate) fn lost(error: impl Into<anyhow::Error>) -> Failure {
    Failure::unfinished(
        error,
        "look where stdout goes: the disk may be full, or the file may not be written to",
    )
}

/// Writes results to stdout.
pub(crate) fn to_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes results to a file: first beside it, so that a reader never sees half of them. A link is followed, and
/// what is no file (a pipe, a device) is written to as it is: neither must be replaced.
pub(crate) fn to_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let path = match fs::metadata(path) {
        Ok(known) if !known.is_file() => {
            let mut out = BufWriter::new(OpenOptions::new().write(true).open(path)?);
            write(&mut out)?;
            return out.flush();
        }
        Ok(_) => path.canonicalize()?,
        Err(_) => path.to_owned(),
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = Path::new(&beside);
    // Never a file that is there already, and never through a link.
    let file = File::create_new(beside)?;
    let written = fill(file, write).and_then(|()| fs::rename(beside, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(beside);
    }
    written
}

fn fill(file: File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    write(&mut file)?;
    file.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()
}

/// Writes results to stdout as they are made.
pub(crate) fn stream(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()
}

/// Writes results to a file, or to stdout without one.
pub(crate) fn write(
    path: Option<&Path>,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    match path {
        Some(path) => {
            to_file(path, render).with_context(|| format!("could not write `{}`", path.display()))
        }
        None => Ok(stream(render)?),
    }
}

/// As [`write()`], where it is no fault that a reader has seen enough.
pub(crate) fn tell(
    path: Option<&Path>,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    match write(path, render) {
        Err(error) if exit::is_closed_pipe(&error) => Ok(()),
        Err(error) => Err(unwritten(path, error)),
        Ok(()) => Ok(()),
    }
}

/// What it means that an answer could not be written: the format may not take it.
pub(crate) fn untold(path: Option<&Path>, error: anyhow::Error) -> Failure {
    let of_format = error
        .downcast_ref::<io::Error>()
        .and_then(outflow_query::refused_by_format);
    match of_format {
        Some(told) => Failure::usage(
            anyhow::anyhow!("this format does not take the answer: {told}"),
            "choose another --format, or cast the column to a type that it takes",
        ),
        None => unwritten(path, error),
    }
}

/// What it means that results could not be written.
pub(crate) fn unwritten(path: Option<&Path>, error: anyhow::Error) -> Failure {
    match path {
        Some(_) => Failure::unfinished(
            error,
            "name a file with --out, in a folder that is there and may be written to",
        ),
        None => lost(error),
    }
}

/// How a table is laid out where results go.
pub(crate) fn table_options(path: Option<&Path>) -> TableOptions {
    let screen = path.is_none() && io::stdout().is_terminal();
    TableOptions {
        width: screen.then(|| console::Term::stdout().size().1),
        color: screen && console::colors_enabled(),
    }
}

/// Writes rows of cells below one another: as many as `left` to the left, as names are, the others to the right.
pub(crate) fn columns<const N: usize>(
    out: &mut dyn Write,
    rows: &[[String; N]],
    left: usize,
) -> io::Result<()> {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|at| width(at).unwrap_or(0));
    for row in rows {
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
            line += &if at < left {
                format!("{cell:<width$}  ")
            } else {
                format!("{cell:>width$}  ")
            };
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
