//! What can go wrong with a server as a whole.

use std::io;
use std::path::PathBuf;

use datafusion::error::DataFusionError;

/// An error of a server; those of single clients are told to them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("could not read `{path}`", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line of a file of users says nothing.
    #[error("`{path}`, line {line}: {reason}", path = path.display())]
    Users {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is the matter with it.
        reason: &'static str,
    },
    /// There is nobody in a file of users.
    #[error("`{path}` names no user", path = path.display())]
    Nobody {
        /// The file.
        path: PathBuf,
    },
    /// A name, a password or a token cannot be one.
    #[error("{0}")]
    Secret(&'static str),
    /// A certificate or a key is none.
    #[error("`{path}`: {reason}", path = path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is the matter with it.
        reason: Box<str>,
    },
    /// There is no chance to be had from the system.
    #[error("the system has no random numbers to give")]
    Chance,
    /// The catalogue of clients could not be made.
    #[error("could not make the catalogue")]
    Catalogue {
        /// Why not.
        source: Box<DataFusionError>,
    },
    /// HTTP/2 is served no more.
    #[error("could not go on serving")]
    Accept {
        /// Why not.
        source: io::Error,
    },
}
