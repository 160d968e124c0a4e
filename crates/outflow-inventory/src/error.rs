//! What keeps a collection or an import from being done at all.

use std::io;
use std::path::PathBuf;

/// Why there is no snapshot. What could not be found out is in the manifest of the one that there is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No link of AWS's chain of credentials has any.
    #[error("there are no credentials for AWS: {reason}")]
    NoCredentials {
        /// What the last link said.
        reason: String,
    },
    /// AWS does not say whose the credentials are.
    #[error("it is not known whose the credentials are: {reason}")]
    NoAccount {
        /// What it said.
        reason: String,
    },
    /// The address of the server to use in place of AWS is none.
    #[error("`{url}` is no address of a server")]
    Endpoint {
        /// As given.
        url: String,
    },
    /// A region has characters that names of regions have not.
    #[error("`{region}` is no region")]
    Region {
        /// As given.
        region: String,
    },
    /// A text is not the ARN of a role.
    #[error("`{role}` is no ARN of a role")]
    Role {
        /// As given.
        role: String,
    },
    /// A file of what is imported cannot be read.
    #[error("could not read `{}`", path.display())]
    Read {
        /// File or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of what is imported is none of those that are understood.
    #[error("`{}`: {what}", path.display())]
    Source {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Nothing among what is imported says whose it is, or parts of it say different things.
    #[error("it is not known of which {part} the sources are: {what}")]
    Place {
        /// `account` or `region`.
        part: &'static str,
        /// What they say.
        what: String,
    },
    /// There is a snapshot of this account, region and second.
    #[error("there is a snapshot in `{}` already", path.display())]
    Exists {
        /// Its folder.
        path: PathBuf,
    },
    /// A snapshot cannot be written.
    #[error("could not write `{}`", path.display())]
    Write {
        /// File or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

const _: () = assert!(size_of::<Error>() <= 64);

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoCredentials { .. } => "log in (aws sso login), or set AWS_PROFILE",
            Self::NoAccount { .. } => {
                "check the credentials with `aws sts get-caller-identity`, and the address of --endpoint-url"
            }
            Self::Endpoint { .. } => "give it as http://HOST:PORT or https://HOST",
            Self::Region { .. } => "give regions as eu-central-1",
            Self::Role { .. } => "give roles as arn:aws:iam::123456789012:role/NAME",
            Self::Read { .. } => "name files and folders that are there and may be read",
            Self::Source { .. } => {
                "give JSON of `aws ec2 describe-…`, a Terraform state, or what `terraform show -json` prints"
            }
            Self::Place { .. } => {
                "say it with --account and --region, and import each account and region apart"
            }
            Self::Exists { .. } => "run again in a second, or name another time or folder",
            Self::Write { .. } => "check that the folder may be written to, and that there is room",
        }
    }
}
