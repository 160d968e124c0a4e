//! One object of a flow log: a file as delivered, an object in S3, or standard input.

use std::path::{Path, PathBuf};

use crate::S3Object;
use crate::file_uri;
use crate::s3_name::S3Name;

/// An object to read, and what its name tells about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The path as the user will recognise it, or `s3://bucket/key`; `stdin` for standard input, and for a path that is
    /// not UTF-8 its `file:///…`.
    pub uri: String,
    /// The file to read. Without one, and not in S3, it is standard input.
    pub path: Option<PathBuf>,
    /// The object to fetch, with its ETag.
    pub s3: Option<S3Object>,
    /// Bytes as stored, when the object was listed.
    pub size: Option<u64>,
    /// Account that owns the flow log.
    pub account_id: Option<String>,
    /// Region of the flow log.
    pub region: Option<String>,
}

impl Object {
    /// Standard input.
    pub fn stdin() -> Self {
        Self::named("stdin".to_owned(), None, S3Name::default())
    }

    /// A file, of which nothing but the name is looked at.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let uri = file_uri::of(&path);
        let name = S3Name::parse(&uri);
        Self::named(uri, Some(path), name)
    }

    /// A file as listed. Where the path as given tells nothing (`.`, a link), the resolved one may.
    pub(crate) fn listed(path: PathBuf, canonical: &Path, size: u64) -> Self {
        let uri = file_uri::of(&path);
        let name = S3Name::parse(&uri).or(S3Name::parse(&canonical.to_string_lossy()));
        let mut object = Self::named(uri, Some(path), name);
        object.size = Some(size);
        object
    }

    /// An object in S3, of which the key tells what a path would.
    pub fn in_s3(s3: S3Object) -> Self {
        let uri = s3.uri();
        let name = S3Name::parse(&uri);
        let mut object = Self::named(uri, None, name);
        object.size = Some(s3.size());
        object.s3 = Some(s3);
        object
    }

    fn named(uri: String, path: Option<PathBuf>, name: S3Name) -> Self {
        Self {
            uri,
            path,
            s3: None,
            size: None,
            account_id: name.account_id,
            region: name.region,
        }
    }
}
