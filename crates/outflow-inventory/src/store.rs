//! Snapshots on disk: whole, or not there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use outflow_enrich::inventory::{COLLECTED_FILE, Collected};
use serde_json::Value;

use crate::Error;

/// A snapshot that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its folder.
    pub path: PathBuf,
    /// What it says of itself.
    pub collected: Collected,
}

/// Writes a snapshot to ACCOUNT/REGION/TIME below a folder: first apart, under a name that readers pass over, and then
/// in one step to where it belongs.
pub(crate) fn write(
    out: &Path,
    collected: Collected,
    files: &BTreeMap<&str, Value>,
) -> Result<Written, Error> {
    let region = out.join(&collected.account_id).join(&collected.region);
    // Colons are no part of names on every system.
    let path = region.join(collected.taken_at.replace(['-', ':'], ""));
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Write { path, source }
    };
    fs::create_dir_all(&region).map_err(failed(&region))?;
    if path.exists() {
        return Err(Error::Exists { path });
    }
    let apart = tempfile::Builder::new()
        .prefix(".collecting-")
        .tempdir_in(out)
        .map_err(failed(out))?;
    for (name, document) in files {
        file(&apart.path().join(name), document)?;
    }
    let manifest = serde_json::to_value(&collected);
    let manifest = manifest.map_err(|error| Error::Write {
        path: path.join(COLLECTED_FILE),
        source: error.into(),
    })?;
    file(&apart.path().join(COLLECTED_FILE), &manifest)?;
    match fs::rename(apart.path(), &path) {
        Ok(()) => {
            // It is no temporary folder any more, and must not be removed as one.
            let _moved = apart.keep();
            readable(&path)?;
            Ok(Written { path, collected })
        }
        // Somebody else was there first.
        Err(_) if path.exists() => Err(Error::Exists { path }),
        Err(source) => Err(Error::Write { path, source }),
    }
}

fn file(path: &Path, document: &Value) -> Result<(), Error> {
    let write = || {
        let mut file = File::create(path)?;
        serde_json::to_writer_pretty(&mut file, document)?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    write().map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

/// Temporary folders are their owner's alone; a snapshot may be read by whoever may read what is around it.
#[cfg(unix)]
fn readable(path: &Path) -> Result<(), Error> {
    let around = path.parent().unwrap_or(path);
    let like = fs::metadata(around).map(|around| around.permissions());
    let set = like.and_then(|like| fs::set_permissions(path, like));
    set.map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(not(unix))]
fn readable(_: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use outflow_enrich::inventory::COLLECTED_SCHEMA;
    use serde_json::json;

    use super::*;

    fn collected() -> Collected {
        Collected {
            schema: COLLECTED_SCHEMA.to_owned(),
            taken_at: "2026-11-26T20:55:45Z".to_owned(),
            account_id: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
            from: "api".to_owned(),
            calls: Vec::new(),
        }
    }

    #[test]
    fn a_snapshot_is_whole_and_never_overwritten() {
        let out = tempfile::tempdir().unwrap();
        let files = BTreeMap::from([("vpcs.json", json!({"Vpcs": []}))]);
        let written = write(out.path(), collected(), &files).unwrap();
        assert!(
            written
                .path
                .ends_with("111122223333/eu-central-1/20261126T205545Z")
        );
        let read = fs::read(written.path.join(COLLECTED_FILE)).unwrap();
        assert_eq!(Collected::from_json(&read).unwrap(), collected());
        let twice = write(out.path(), collected(), &BTreeMap::new()).unwrap_err();
        assert!(matches!(twice, Error::Exists { .. }));
        assert!(written.path.join("vpcs.json").is_file());
        // What was written apart is gone.
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let out = tempfile::tempdir().unwrap();
        let files = BTreeMap::from([("no/folder.json", json!(1))]);
        let failed = write(out.path(), collected(), &files).unwrap_err();
        assert!(matches!(failed, Error::Write { .. }));
        let region = out.path().join("111122223333/eu-central-1");
        assert_eq!(fs::read_dir(region).unwrap().count(), 0);
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1);
    }
}
