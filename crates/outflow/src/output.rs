//! Where results go.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Writes results to stdout.
pub(crate) fn to_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes results to a file: first beside it, so that a reader never sees half of them.
pub(crate) fn to_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = Path::new(&beside);
    fs::write(beside, bytes)?;
    fs::rename(beside, path)
}
