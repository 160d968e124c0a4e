//! What the user names as input.

use std::path::PathBuf;
use std::str::FromStr;

use crate::Error;

/// A place to read from: a file, a folder, or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, or a folder with everything below it.
    Path(PathBuf),
    /// Standard input, as one object.
    Stdin,
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl FromStr for Source {
    type Err = Error;

    /// Reads a path, or `-` for standard input; a file of that name is `./-`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let scheme = text.get(..5).unwrap_or_default();
        if scheme.eq_ignore_ascii_case("s3://") {
            return Err(Error::S3 {
                uri: text.to_owned(),
            });
        }
        Ok(if text == "-" {
            Self::Stdin
        } else {
            Self::Path(text.into())
        })
    }
}

#[cfg(test)]
mod tests;
