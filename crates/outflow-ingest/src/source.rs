//! What the user names as input.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{Error, Place, file_uri};

/// A place to read from: a file, a folder, standard input, or a place in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, or a folder with everything below it.
    Path(PathBuf),
    /// Standard input, as one object.
    Stdin,
    /// An object in S3, or everything below a prefix.
    S3(Place),
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl Source {
    /// As the user names it; what is not UTF-8 is a path.
    ///
    /// # Errors
    /// [`Error::NoBucket`] for `s3://` without one.
    pub fn named(name: &OsStr) -> Result<Self, Error> {
        match name.to_str() {
            Some(text) => text.parse(),
            None => Ok(Self::Path(name.into())),
        }
    }
}

impl FromStr for Source {
    type Err = Error;

    /// Reads a path, `s3://bucket/prefix`, `file:///…` with octets as `%FF`, as objects whose names are not UTF-8 are called, or `-`
    /// for standard input; a file of that name is `./-`.
    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some((scheme, rest)) = text.split_at_checked(5)
            && scheme.eq_ignore_ascii_case("s3://")
        {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(Error::NoBucket {
                    uri: text.to_owned(),
                });
            }
            let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
            return Ok(Self::S3(Place { bucket, prefix }));
        }
        Ok(if text == "-" {
            Self::Stdin
        } else {
            Self::Path(file_uri::path(text).unwrap_or_else(|| text.into()))
        })
    }
}

#[cfg(test)]
mod tests;
