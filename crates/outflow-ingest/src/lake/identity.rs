//! What an object is known by in the journal of a lake.

use std::path::Path;
use std::time::UNIX_EPOCH;

use outflow_lake::SourceId;

use crate::{Object, Problem, file_uri};

/// An object's name and version, and their ids.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// Where the object is, whatever folder the program was started in.
    pub(super) uri: String,
    /// What changes with its content: the ETag, or a file's size and time.
    pub(super) version: String,
    pub(super) name_id: SourceId,
    pub(super) source_id: SourceId,
}

impl Identity {
    /// The identity of an object.
    ///
    /// # Errors
    /// What has no name that another run would know again: standard input, and files that are gone.
    pub(super) fn of(object: &Object) -> Result<Self, Box<Problem>> {
        let (uri, version) = match (&object.s3, &object.path) {
            (Some(s3), _) => (object.uri.clone(), s3.etag().unwrap_or_default().to_owned()),
            (None, Some(path)) => of_file(path).map_err(|error| {
                Box::new(Problem::of(
                    object,
                    format!("could not be read: {error}"),
                    "check that the file is still there; the others are ingested without it",
                ))
            })?,
            (None, None) => {
                return Err(Box::new(Problem::of(
                    object,
                    "has no name by which a lake could know it again".to_owned(),
                    "write it to a file first, so that a second run does not store its rows twice",
                )));
            }
        };
        let size = object.size.unwrap_or_default().to_string();
        Ok(Self {
            name_id: SourceId::of(&[&uri]),
            source_id: SourceId::of(&[&uri, &version, &size]),
            uri,
            version,
        })
    }
}

fn of_file(path: &Path) -> std::io::Result<(String, String)> {
    let metadata = path.metadata()?;
    let written = metadata
        .modified()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let version = format!("{}-{}", metadata.len(), written.as_nanos());
    Ok((file_uri::of(&path.canonicalize()?), version))
}
