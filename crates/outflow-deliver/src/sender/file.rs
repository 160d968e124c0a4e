//! Files: lines that are appended, and folders that get an object for each run.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use outflow_aws::Failed;

use super::{Sent, lines, object_name};
use crate::{Item, Run};

/// A file that grows by lines. It cannot tell what it holds already: what was appended stays, and is not appended again
/// by a retry.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) path: PathBuf,
}

/// A folder that gets an object for each run.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) extension: String,
}

impl Lines {
    pub(super) async fn send(&self, items: &[&Item]) -> Sent {
        let (path, text) = (self.path.clone(), lines(items));
        waited(move || append(&path, &text)).await
    }
}

impl Folder {
    pub(super) async fn send(&self, run: &Run, items: &[&Item]) -> Sent {
        let text = lines(items);
        let path = self.path.join(object_name(run, &text, &self.extension));
        waited(move || store(&path, &text)).await
    }
}

/// Runs what blocks on a thread of its own. A file that fails now mostly fails in a minute too: it is not tried again.
async fn waited(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> Sent {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(())) => Ok(Vec::new()),
        Ok(Err(error)) => Err(Failed::Lasting(error.to_string())),
        Err(error) => Err(Failed::Lasting(error.to_string())),
    }
}

/// Appends lines, all of them or none, also where others append to the same file. A last line that was cut off, as
/// when a machine lost its power, is ended first.
pub(crate) fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private().read(true).append(true).open(path)?;
    file.lock()?;
    let length = file.metadata()?.len();
    let cut = length > 0 && {
        let mut last = [0];
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
        last != *b"\n"
    };
    let text = format!("{}{text}", if cut { "\n" } else { "" });
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_data());
    if written.is_err() {
        // What has been written of it would be appended once more. If that fails too, the first error tells more.
        let _ = file.set_len(length);
    }
    written
}

/// Stores an object under its name, whole or not at all.
fn store(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    if path.exists() {
        return Ok(()); // Its name says what is in it.
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let partial = folder.join(format!(".{name}.{}.partial", std::process::id()));
    let mut file = private().write(true).truncate(true).open(&partial)?;
    let stored = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&partial, path))
        .and_then(|()| File::open(folder)?.sync_all());
    if stored.is_err() {
        let _ = fs::remove_file(&partial); // The first error tells more.
    }
    stored
}

/// Files that only their owner reads: incidents name what should not be known before it is dealt with.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests;
