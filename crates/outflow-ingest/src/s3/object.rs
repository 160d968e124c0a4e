//! Where an object in S3 is.

use std::fmt;
use std::sync::Arc;

use super::S3;

/// An object in S3 as it was listed, and the connection through which it is fetched.
#[derive(Clone)]
pub struct S3Object {
    pub(super) s3: S3,
    pub(super) at: Arc<At>,
}

/// The object itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) size: u64,
    /// As listed, with its quotes.
    pub(super) etag: Option<String>,
}

impl S3Object {
    /// `s3://bucket/key`.
    pub fn uri(&self) -> String {
        format!("s3://{}/{}", self.at.bucket, self.at.key)
    }

    /// What tells this version of the object from others; for some encryptions also its content.
    pub fn etag(&self) -> Option<&str> {
        self.at.etag.as_deref()
    }

    /// Bytes as stored.
    pub fn size(&self) -> u64 {
        self.at.size
    }

    /// The connection through which it is fetched.
    pub fn connection(&self) -> &S3 {
        &self.s3
    }
}

impl fmt::Debug for S3Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.fmt(f)
    }
}

impl PartialEq for S3Object {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for S3Object {}
