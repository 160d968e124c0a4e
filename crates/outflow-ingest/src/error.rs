//! What can go wrong as a whole. A damaged object is not an error but a [`crate::Damage`].

use std::io;
use std::path::PathBuf;

use crate::Parquet;
use crate::S3Error;

/// Errors of naming, listing and reading objects.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A source in S3 without a bucket.
    #[error("`{uri}` names no bucket")]
    NoBucket {
        /// The source as given.
        uri: String,
    },
    /// S3 could not be reached.
    #[error("could not connect to S3")]
    Connect {
        /// What is in the way.
        source: Box<S3Error>,
    },
    /// Sources of which the filter wants nothing.
    #[error(
        "the sources hold nothing of the time, accounts and regions that were asked for ({left_out} objects or folders left out)"
    )]
    AllLeftOut {
        /// Objects, and folders with all that is in them.
        left_out: u64,
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
    #[error(
        "`{uri}` is Parquet, which is read from unpacked files alone if it has more than 64 MiB"
    )]
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
            Self::NoBucket { .. } => "write s3://bucket/prefix, or s3://bucket for all of it".to_owned(),
            Self::Connect { source } => source.hint(),
            Self::AllLeftOut { .. } => {
                "check --since, --until, --account and --log-region against the names of the objects".to_owned()
            }
            Self::Missing { .. } => {
                "name a flow log file, a folder of them, or `-` for standard input".to_owned()
            }
            Self::List { source, .. } | Self::Read { source, .. } if of_s3(source).is_some() => {
                of_s3(source).map_or_else(String::new, S3Error::hint)
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
            Self::Parquet { .. } => "save it to a file first, unpacked, and name that".to_owned(),
        }
    }
}

impl Error {
    /// Whether the way to the object failed, and not the object.
    pub(crate) fn is_of_way(&self) -> bool {
        match self {
            Self::Connect { .. } => true,
            Self::List { source, .. } | Self::Read { source, .. } => {
                of_s3(source).is_some_and(S3Error::is_of_way)
            }
            _ => false,
        }
    }
}

/// What S3 said, where the object or folder is in S3.
fn of_s3(source: &io::Error) -> Option<&S3Error> {
    source.get_ref()?.downcast_ref()
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
