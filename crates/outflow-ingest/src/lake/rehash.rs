//! Whether the objects that a lake was made of are still what was read.

use std::fs::File;

use outflow_lake::{Fault, Read};
use sha2::{Digest as _, Sha256};

use crate::reader::hex;
use crate::s3::Fetched;
use crate::{Filter, S3, S3Options, Source, file_uri};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 18;

/// What became of the objects that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rehashed {
    /// Objects that have the digest of the journal.
    pub same: u64,
    /// Objects that are gone, or that may not be read.
    pub unreachable: u64,
    /// Objects of which the journal has no digest.
    pub without_digest: u64,
    /// Objects that have another digest, by name.
    pub faults: Vec<Fault>,
}

/// Reads objects anew and compares their SHA-256 with those of the journal. One that cannot be reached is no fault.
pub fn rehash(sources: &[Read], options: &S3Options) -> Rehashed {
    let mut done = Rehashed::default();
    // Connected to for the first object that is there; none if there are no credentials.
    let mut s3: Option<Option<S3>> = None;
    for source in sources {
        let Some(wanted) = &source.sha256 else {
            done.without_digest += 1;
            continue;
        };
        let found = if source.uri.starts_with("s3://") {
            let s3 = s3.get_or_insert_with(|| S3::connect(options).ok());
            s3.as_ref().and_then(|s3| of_object(s3, &source.uri))
        } else {
            of_file(&source.uri)
        };
        match found {
            None => {
                tracing::info!(uri = source.uri, "an object cannot be reached");
                done.unreachable += 1;
            }
            Some(sha256) if sha256 == *wanted => done.same += 1,
            Some(sha256) => done.faults.push(Fault {
                name: source.uri.clone(),
                reason: format!("has SHA-256 {sha256}, and what was read had {wanted}"),
            }),
        }
    }
    done
}

fn of_file(uri: &str) -> Option<String> {
    let path = file_uri::path(uri).unwrap_or_else(|| uri.into());
    // What has taken the place of a file may have no end, or nobody who writes.
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let file = is_file.then(|| File::open(path).ok())?;
    digest(file?)
}

fn of_object(s3: &S3, uri: &str) -> Option<String> {
    let Ok(Source::S3(place)) = uri.parse() else {
        return None;
    };
    let found = s3.list(&place, &Filter::default()).ok()?;
    let object = found.objects.iter().find(|object| object.uri() == uri)?;
    digest(Fetched::alone(object))
}

fn digest(mut source: impl std::io::Read) -> Option<String> {
    let mut digest = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Some(hex(&digest.finalize())),
            Ok(len) => digest.update(&piece[..len]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}
