//! What keeps a delivery from beginning.

use std::io;
use std::path::PathBuf;

/// Why targets cannot be delivered to at all. What fails later is told in a [`Report`](crate::Report).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A text names no target, or has a setting that its target does not take.
    #[error("`{target}` is no target: {reason}")]
    Target {
        /// As given, but for what may be secret.
        target: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two targets are the same place, so that it could not be told which of them failed.
    #[error("`{target}` is given twice")]
    Twice {
        /// The target.
        target: String,
    },
    /// The secret of a webhook cannot be had.
    #[error("no secret in {place}: {reason}")]
    Secret {
        /// The variable or file.
        place: String,
        /// Why not.
        reason: String,
    },
    /// No link of AWS's chain of credentials has any.
    #[error("there are no credentials for AWS: {reason}")]
    NoCredentials {
        /// What the last link said.
        reason: String,
    },
    /// The address of the server to use in place of AWS is none.
    #[error("`{url}` is no address of a server")]
    Endpoint {
        /// As given.
        url: String,
    },
    /// The id of a run has characters that names of objects should not have.
    #[error("`{id}` is no id of a run")]
    Run {
        /// As given.
        id: String,
    },
    /// What is to be delivered is not JSON.
    #[error("what is to be delivered of `{id}` is not JSON")]
    Body {
        /// Id of the item.
        id: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The file of what could not be delivered cannot be read or written.
    #[error("could not use `{}`", path.display())]
    DeadLetters {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// AWS refused a call of a containment, or its answer makes no sense.
    #[error("{call} failed: {reason}")]
    Refused {
        /// The call.
        call: &'static str,
        /// What it said.
        reason: String,
    },
    /// An account is not what a containment is for.
    #[error("the account is not as expected: {what}")]
    Unlike {
        /// What is otherwise.
        what: String,
    },
    /// What takes a containment back could not be kept.
    #[error("could not keep what takes the containment back")]
    Keep {
        /// Why not.
        source: io::Error,
    },
    /// Another process delivers again from the same file.
    #[error("`{}` is being delivered again by another process", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
}

const _: () = assert!(size_of::<Error>() <= 64);

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Target { .. } => {
                "give FILE, FOLDER/, s3://BUCKET/PREFIX/, https://…, arn:aws:sns:…, arn:aws:sqs:…, the URL of a queue \
                 or securityhub:, and settings behind it as #severity=high&families=dns.tunnel&format=ocsf"
            }
            Self::Twice { .. } => {
                "give each place once; several families can be named in one setting"
            }
            Self::Secret { .. } => {
                "name it as #secret=env:NAME or #secret=file:PATH; 16 bytes or more"
            }
            Self::NoCredentials { .. } => "log in (aws sso login), or set AWS_PROFILE",
            Self::Endpoint { .. } => "give it as http://HOST:PORT or https://HOST",
            Self::Run { .. } => "use letters, digits, `-`, `_` and `.`, 100 at most",
            Self::Body { .. } => "hand in one JSON value for each item",
            Self::DeadLetters { .. } => "check that the folder is there and may be written to",
            Self::Refused { .. } => {
                "look at the rights of the credentials, and run `outflow contain --undo` if something was changed"
            }
            Self::Unlike { .. } => {
                "use the credentials, the inventory and the incident of one account"
            }
            Self::Keep { .. } => {
                "name a folder with --out where there is room, and that may be written to"
            }
            Self::Busy { .. } => "wait for it, or stop it",
        }
    }
}
