//! Why S3 did not give what was asked for.

use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// Why a request to S3 failed for good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum S3Error {
    /// No link of the chain of credentials has any.
    #[error("there are no credentials: {reason}")]
    NoCredentials {
        /// What the last link of the chain said.
        reason: String,
    },
    /// The credentials do not allow it.
    #[error("access denied ({code})")]
    Denied {
        /// As S3 named it.
        code: String,
    },
    /// The object is not there, or no more.
    #[error("it is not there any more")]
    Gone,
    /// The object is not the one that was listed.
    #[error("it changed after it was listed")]
    Changed,
    /// The object is in an archive.
    #[error("it is archived, and must be restored to be read")]
    Archived,
    /// The bucket is not there.
    #[error("there is no such bucket")]
    NoBucket,
    /// The bucket is in another region than was asked.
    #[error("the bucket is in another region{}", in_region(region.as_deref()))]
    Elsewhere {
        /// Where it is, if S3 said so.
        region: Option<String>,
    },
    /// S3 does not take the request.
    #[error("S3 refused the request: {reason}")]
    Refused {
        /// Status, code and message.
        reason: String,
    },
    /// It failed again and again.
    #[error("it failed {attempts} times, the last time so: {reason}")]
    Failed {
        /// How often it was tried.
        attempts: u32,
        /// Why it failed at last.
        reason: String,
    },
}

fn in_region(region: Option<&str>) -> String {
    region.map_or_else(String::new, |region| format!(", {region}"))
}

impl S3Error {
    /// Whether the way to the object failed, and not the object: others fare no better.
    pub fn is_of_way(&self) -> bool {
        !matches!(self, Self::Gone | Self::Changed | Self::Archived)
    }

    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NoCredentials { .. } => {
                "log in (aws sso login), set AWS_PROFILE, or give --no-sign-request for a public bucket".to_owned()
            }
            Self::Denied { code } if code.starts_with("Expired") => {
                "log in again: the credentials have expired".to_owned()
            }
            Self::Denied { .. } => "allow s3:ListBucket on the bucket, s3:GetObject on the object and kms:Decrypt on its \
                 key; add --request-payer if the requester pays"
                .to_owned(),
            Self::Gone => "it was deleted after it was listed: run again".to_owned(),
            Self::Changed => "run again, to list and read it as it is now".to_owned(),
            Self::Archived => "restore it (aws s3api restore-object), then run again".to_owned(),
            Self::NoBucket => "check the name of the bucket, and --endpoint-url if it is not at AWS".to_owned(),
            Self::Elsewhere { region } => {
                let region = region.as_deref().unwrap_or("REGION");
                format!("add --region {region}")
            }
            Self::Refused { .. } => {
                "check the name of the bucket, --endpoint-url, --region and --path-style".to_owned()
            }
            Self::Failed { .. } => "check the network and --endpoint-url, then run again".to_owned(),
        }
    }
}

/// How one attempt failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// Another attempt may do better.
    Passing(String),
    /// No other attempt can.
    Lasting(S3Error),
}

impl<E> From<SdkError<E, HttpResponse>> for Failed
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let code = error.code().unwrap_or_default();
        let Some(response) = error.raw_response() else {
            let reason = root_cause(&error);
            return match error {
                SdkError::ConstructionFailure(_) => Self::Lasting(S3Error::Refused { reason }),
                _ => Self::Passing(reason),
            };
        };
        let status = response.status().as_u16();
        let told = || {
            let message = error.message().unwrap_or_default();
            format!("{status} {code} {message}").trim_end().to_owned()
        };
        Self::Lasting(match (status, code) {
            (_, "SlowDown" | "RequestTimeout" | "InternalError")
            | (408 | 429 | 500 | 502 | 503 | 504, _) => return Self::Passing(told()),
            (412, _) => S3Error::Changed,
            (_, "NoSuchBucket") => S3Error::NoBucket,
            (_, "InvalidObjectState") => S3Error::Archived,
            (301 | 307, _) | (_, "AuthorizationHeaderMalformed") => {
                let region = response.headers().get("x-amz-bucket-region");
                S3Error::Elsewhere {
                    region: region.map(str::to_owned),
                }
            }
            (404, _) => S3Error::Gone,
            (401 | 403, _) | (_, "ExpiredToken") => S3Error::Denied {
                code: if code.is_empty() { "403" } else { code }.to_owned(),
            },
            // A success that cannot be read broke off in its middle.
            (200..=299, _) => return Self::Passing(root_cause(&error)),
            _ => S3Error::Refused { reason: told() },
        })
    }
}

/// The innermost error, which says most.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
