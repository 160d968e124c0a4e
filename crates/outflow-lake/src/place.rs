//! Where a lake is.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AwsCredentialProvider, S3ConditionalPut};
use object_store::local::LocalFileSystem;
use object_store::{ClientOptions, ObjectStore};
use url::Url;

use crate::Error;

/// How long a request may take, its body included: a file of a hundred megabytes over a slow line. After it, the request
/// is sent again, and then is an error.
const REQUEST_SECS_MAX: u64 = 300;

/// The place of a lake: a folder, or a prefix in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakePlace {
    given: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Folder,
    /// A store that was opened by others.
    Other,
    S3 {
        bucket: String,
        prefix: String,
    },
}

/// How to reach a lake in S3.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Another server than that of AWS.
    pub endpoint_url: Option<String>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Whether the bucket stands in the path rather than in the host's name.
    pub path_style: bool,
    /// What signs requests.
    pub credentials: Option<AwsCredentialProvider>,
}

impl FromStr for LakePlace {
    type Err = Error;

    /// Reads `s3://bucket/prefix`; anything else is a folder.
    fn from_str(given: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Place {
            place: given.to_owned(),
            reason: reason.to_owned(),
        };
        if given.is_empty() {
            return Err(wrong("it is empty"));
        }
        let kind = match given.strip_prefix("s3://") {
            Some(rest) => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    return Err(wrong("it names no bucket"));
                }
                Kind::S3 {
                    bucket: bucket.to_owned(),
                    prefix: prefix.trim_matches('/').to_owned(),
                }
            }
            None if given.contains("://") => return Err(wrong("only s3:// is known")),
            None => Kind::Folder,
        };
        Ok(Self {
            given: given.to_owned(),
            kind,
        })
    }
}

impl fmt::Display for LakePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

impl LakePlace {
    /// The place of a store that was opened by others.
    pub(crate) fn other(url: &Url) -> Self {
        Self {
            given: url.to_string(),
            kind: Kind::Other,
        }
    }

    /// Whether it is in S3.
    pub fn is_in_s3(&self) -> bool {
        matches!(self.kind, Kind::S3 { .. })
    }

    /// The store whose root is that of the file system or the bucket, and where in it the lake is.
    pub(crate) fn open(
        &self,
        access: &Access,
        create: bool,
    ) -> Result<(Arc<dyn ObjectStore>, Url), Error> {
        match &self.kind {
            Kind::Folder => self.open_folder(create),
            Kind::Other => Err(self.wrong(&"its store is not known by name")),
            Kind::S3 { bucket, prefix } => self.open_s3(bucket, prefix, access),
        }
    }

    fn open_folder(&self, create: bool) -> Result<(Arc<dyn ObjectStore>, Url), Error> {
        let path = Path::new(&self.given);
        if create {
            std::fs::create_dir_all(path).map_err(|error| self.wrong(&error))?;
        }
        let path = match path.canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::NoLake {
                    place: self.given.clone(),
                });
            }
            Err(error) => return Err(self.wrong(&error)),
        };
        let url = Url::from_directory_path(&path);
        let url = url.map_err(|()| self.wrong(&"its path is no URL"))?;
        Ok((Arc::new(LocalFileSystem::new()), url))
    }

    fn open_s3(
        &self,
        bucket: &str,
        prefix: &str,
        access: &Access,
    ) -> Result<(Arc<dyn ObjectStore>, Url), Error> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_client_options(
                ClientOptions::new().with_timeout(Duration::from_secs(REQUEST_SECS_MAX)),
            )
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_virtual_hosted_style_request(!access.path_style);
        if let Some(region) = &access.region {
            builder = builder.with_region(region);
        }
        if let Some(url) = &access.endpoint_url {
            builder = builder
                .with_endpoint(url)
                .with_allow_http(url.starts_with("http://"));
        }
        if let Some(credentials) = &access.credentials {
            builder = builder.with_credentials(Arc::clone(credentials));
        }
        let store = builder.build().map_err(|error| self.wrong(&error))?;
        let mut url = Url::parse(&format!("s3://{bucket}")).map_err(|error| self.wrong(&error))?;
        url.set_path(&format!("{prefix}/"));
        Ok((Arc::new(store), url))
    }

    fn wrong(&self, reason: &dyn fmt::Display) -> Error {
        Error::Place {
            place: self.given.clone(),
            reason: reason.to_string(),
        }
    }
}
