//! Material of others that lies beside the workspace, for tests.

use std::path::PathBuf;

/// A folder of the fixtures. Where it is absent the caller's test has nothing to read, and says so.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/fixtures")
        .join(name);
    let there = folder.canonicalize().ok();
    if there.is_none() {
        eprintln!("skipped: there is no ../shared/fixtures/{name} beside the workspace");
    }
    there
}

/// The bytes of a file of the fixtures.
pub(crate) fn fixture(name: &str) -> Option<Vec<u8>> {
    folder(name).map(|path| std::fs::read(path).unwrap())
}
