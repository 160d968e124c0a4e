//! The digests of a case's files, in the form that `sha256sum --check` reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// The file that holds them.
pub(super) const NAME: &str = "MANIFEST.sha256";

/// What stands for the digest of what is there and no file.
pub(super) const NO_FILE: &str = "(no file)";

/// Digests by path within the folder, with `/` between its parts.
pub(super) type Digests = BTreeMap<String, String>;

/// The digests of all files of a folder but the manifest itself.
pub(super) fn of(folder: &Path) -> io::Result<Digests> {
    let mut digests = Digests::new();
    add(folder, "", &mut digests)?;
    digests.remove(NAME);
    Ok(digests)
}

fn add(folder: &Path, prefix: &str, digests: &mut Digests) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        // A link may lead out of the folder: it is no file of the case.
        if entry.file_type()?.is_dir() {
            add(&entry.path(), &format!("{name}/"), digests)?;
        } else if entry.file_type()?.is_file() {
            digests.insert(name, digest(&entry.path())?);
        } else {
            digests.insert(name, NO_FILE.to_owned());
        }
    }
    Ok(())
}

fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
    }
    Ok(hex(&hasher.finalize()))
}

/// A digest, as it is written.
pub(super) fn hex(digest: &[u8]) -> String {
    let mut hex = String::with_capacity(2 * digest.len());
    for byte in digest {
        // Writing to a text does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The manifest's text.
pub(super) fn text(digests: &Digests) -> String {
    let line = |(path, digest): (&String, &String)| format!("{digest}  {path}\n");
    digests.iter().map(line).collect()
}

/// The text of a manifest, if it is a file of at most so many bytes.
pub(super) fn read(path: &Path, bytes_max: u64) -> io::Result<String> {
    // A pipe has no end, and a link may lead out of the case.
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    File::open(path)?
        .take(bytes_max + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > bytes_max {
        return Err(io::Error::other(format!(
            "it has more than {bytes_max} bytes"
        )));
    }
    Ok(text)
}

/// Reads a manifest's text; a line that is none, or names a file again, is an error with its number.
pub(super) fn parse(text: &str) -> Result<Digests, usize> {
    let mut digests = Digests::new();
    for (at, line) in text.lines().enumerate() {
        let (digest, path) = line.split_once("  ").ok_or(at + 1)?;
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_digest || path.is_empty() {
            return Err(at + 1);
        }
        let digest = digest.to_ascii_lowercase();
        if digests.insert(path.to_owned(), digest).is_some() {
            return Err(at + 1);
        }
    }
    Ok(digests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("rows")).unwrap();
        std::fs::write(folder.path().join("rows/a.csv"), "a\n").unwrap();
        std::fs::write(folder.path().join(NAME), "").unwrap();
        let digests = of(folder.path()).unwrap();
        assert_eq!(
            text(&digests),
            "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7  rows/a.csv\n"
        );
        assert_eq!(parse(&text(&digests)), Ok(digests));
        assert_eq!(parse("no digest"), Err(1));
        let twice = text(&of(folder.path()).unwrap()).repeat(2);
        assert_eq!(parse(&twice), Err(2));
    }
}
