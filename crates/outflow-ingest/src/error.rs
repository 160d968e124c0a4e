//! What can go wrong as a whole. A damaged object is not an error but a [`crate::Damage`].

use std::io;
use std::path::PathBuf;

use crate::Parquet;

/// Errors of naming, listing and reading objects.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A source in S3.
    #[error("`{uri}` is in S3, which is not read yet")]
    S3 {
        /// The source as given.
        uri: String,
    },
    /// A path that does not exist.
    #[error("`{}` does not exist", path.display())]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// A file or folder that could not be listed.
    #[error("could not list `{}`", path.display())]
    List {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder without any object.
    #[error("folder `{}` holds no object ({skipped} entries skipped)", path.display())]
    Empty {
        /// The folder as given.
        path: PathBuf,
        /// Entries that are no flow logs.
        skipped: usize,
    },
    /// An object that could not be read, or not to its end.
    #[error("could not read `{uri}`")]
    Read {
        /// The object's name.
        uri: String,
        /// What the system said.
        source: io::Error,
    },
    /// A large object in Parquet that cannot be read from its end.
    #[error("`{uri}` is Parquet, which is read from files alone if it has more than 64 MiB")]
    Parquet {
        /// The object's name.
        uri: String,
    },
    /// A file of context that is not what it is taken for.
    #[error("`{}` is of no use as context: {what}", path.display())]
    Context {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

const _: () = assert!(size_of::<Error>() <= 64);

impl Error {
    /// What the user can do about it, for a line of its own.
    pub fn hint(&self) -> String {
        match self {
            Self::S3 { uri } => {
                format!("copy it to a folder first: aws s3 sync {uri} ./flow-logs, then name ./flow-logs")
            }
            Self::Missing { .. } => {
                "name a flow log file, a folder of them, or `-` for standard input".to_owned()
            }
            Self::List { source, .. } | Self::Read { source, .. }
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                "run as a user who may read it, or change its permissions".to_owned()
            }
            Self::List { .. } => "check that the folder is still there and its disk is sound".to_owned(),
            Self::Read { .. } => "check that the object is still there, then run again".to_owned(),
            Self::Empty { .. } => {
                "name the folder that holds AWSLogs/, or a file in it; a file named explicitly is always read"
                    .to_owned()
            }
            Self::Context { .. } => {
                "fetch the file again, or take it out of the folder that --context names".to_owned()
            }
            Self::Parquet { .. } => "save it to a file first, and name that".to_owned(),
        }
    }
}

/// Why reading an object stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError<E> {
    /// The object could not be read.
    #[error(transparent)]
    Object(#[from] Error),
    /// The object is Parquet, which has no text. Nothing was given to the sink.
    #[error("the object is Parquet, not text")]
    Parquet(Box<Parquet>),
    /// The sink refused what it was given.
    #[error("the receiver of the bytes refused them")]
    Sink {
        /// What the sink returned.
        error: E,
        /// Digest of the object as stored, if it had been read to its end by then.
        sha256: Option<String>,
    },
}
